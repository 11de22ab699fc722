//! Greeting and SASL.

use super::name::quoted;
use super::parsed::parsed;
use super::refusal::{Asked, broken, refusal};
use super::room::Room;
use super::session::{Session, Work, farewell_of, protocol};
use crate::account::ImapServer;
use crate::diagnosis::Evidence;
use crate::provider::ProviderError;
use crate::provider::sasl::{self, Secret};
use imap_proto::{Response, Status};
use tokio::time::Instant;
use zeroize::Zeroizing;

/// Greeting (unless it came before STARTTLS), capabilities, sign-in, introduction.
pub(super) async fn sign_in(
    session: &mut Session,
    greets: bool,
    server: &ImapServer,
    secret: &Secret,
) -> Result<(), ProviderError> {
    if greets {
        greeting(session).await?;
    }
    if session.capabilities.is_empty() {
        session.order("CAPABILITY", Asked::Other).await?;
    }
    if let Err(error) = prove(session, server, secret).await {
        return Err(super::super::known::at(&server.host, "", error));
    }
    if session.capabilities.is_empty() {
        session.order("CAPABILITY", Asked::Other).await?;
    }
    if session.can("ID") {
        // RFC 2971. Some servers (NetEase) show no folder to clients that do not introduce themselves.
        let id = concat!(
            "ID (\"name\" \"Mailroom\" \"version\" \"",
            env!("CARGO_PKG_VERSION"),
            "\")"
        );
        introduce(session, id).await?;
    }
    Ok(())
}

/// Says who we are. A server that does not want to know is served all the same.
async fn introduce(session: &mut Session, id: &str) -> Result<(), ProviderError> {
    let work = session.talk(Asked::Other);
    let ended = session.batch(&[id.to_owned()], work, |_, _| {}).await?;
    match ended.all_well() {
        Err(error @ ProviderError::Throttled(..)) => Err(error),
        Ok(_) | Err(_) => {
            session.go_on();
            Ok(())
        }
    }
}

async fn greeting(session: &mut Session) -> Result<(), ProviderError> {
    let deadline = Instant::now() + session.patience.silence;
    let received = session
        .wire
        .response(deadline, &mut Room::talk())
        .await
        .map_err(broken)?;
    match parsed(&received.bytes) {
        Some(Response::Data {
            status: Status::Ok,
            outcome,
        }) => {
            session.note_capabilities(&outcome);
            Ok(())
        }
        Some(Response::Data {
            status: Status::Bye,
            ..
        }) => Err(farewell_of(&received.bytes, &[])),
        // PREAUTH would be somebody else's session.
        _ => Err(protocol("greeting")),
    }
}

async fn prove(
    session: &mut Session,
    server: &ImapServer,
    secret: &Secret,
) -> Result<(), ProviderError> {
    let login = &server.login;
    let asked = match secret {
        Secret::Password(_) => Asked::Password,
        Secret::Token(_) => Asked::Token,
    };
    let offers = |name: &str| session.can(&format!("AUTH={name}"));
    let mechanism = match (secret.mechanism(offers), secret) {
        (Some(mechanism), _) => mechanism,
        (None, Secret::Password(_)) => return by_login(session, login, secret.text()).await,
        (None, Secret::Token(_)) => return Err(no_mechanism(session)),
    };
    let coded = mechanism.answer(login, secret, (&server.host, server.port));
    let alone = sasl::coded(secret.text());
    session.keep_secret(&[secret.text(), &coded, &alone]);
    let with_answer = session.can("SASL-IR");
    session.capabilities.clear();
    let (tag, more) = if with_answer {
        let line = Zeroizing::new(format!("AUTHENTICATE {} {}", mechanism.name(), *coded));
        (session.begin(&line).await?, None)
    } else {
        let order = format!("AUTHENTICATE {}", mechanism.name());
        let tag = session.begin(&order).await?;
        (tag, Some(coded))
    };
    let work = Work {
        more,
        answer_to_reason: mechanism.answer_to_reason(),
        ..session.talk(asked)
    };
    session
        .finish(vec![tag], work, |_, _| {})
        .await?
        .all_well()?;
    Ok(())
}

/// The server takes no tokens; so it gets none.
fn no_mechanism(session: &Session) -> ProviderError {
    let offered: Vec<&str> = session
        .capabilities
        .iter()
        .filter(|name| name.starts_with("AUTH="))
        .map(String::as_str)
        .collect();
    let text = format!("The server offers: {}", offered.join(" "));
    ProviderError::Forbidden(Evidence::of(Some("IMAP AUTH missing"), None, &text, &[]))
}

/// `LOGIN` (RFC 3501 §6.2.3), for servers without `AUTH=PLAIN`.
async fn by_login(session: &mut Session, login: &str, password: &str) -> Result<(), ProviderError> {
    if session.can("LOGINDISABLED") {
        let text = "LOGINDISABLED, and no AUTH=PLAIN.";
        return Err(refusal(text, Asked::Password, &[]));
    }
    let (Some(name), Some(secret)) = (quoted(login), quoted(password).map(Zeroizing::new)) else {
        return Err(protocol("login_characters"));
    };
    session.capabilities.clear();
    let line = Zeroizing::new(format!("LOGIN {name} {}", *secret));
    let tag = session.begin(&line).await?;
    let alone = sasl::coded(password);
    session.keep_secret(&[password, &secret, &alone]);
    let work = session.talk(Asked::Password);
    session
        .finish(vec![tag], work, |_, _| {})
        .await?
        .all_well()?;
    Ok(())
}
