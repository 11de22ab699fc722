//! Greeting and SASL.

use super::Credentials;
use super::name::quoted;
use super::parsed::parsed;
use super::refusal::{Asked, broken, refusal};
use super::room::Room;
use super::session::{Session, Work, farewell_of, protocol};
use crate::account::ImapServer;
use crate::provider::ProviderError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imap_proto::{Response, Status};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use zeroize::Zeroizing;

/// What proves who we are, for one sign-in.
pub(super) enum Secret {
    Password(SecretString),
    Token(SecretString),
}

impl Secret {
    pub(super) async fn of(credentials: &Credentials) -> Result<Self, ProviderError> {
        Ok(match credentials {
            Credentials::Password(password) => Self::Password(password.clone()),
            Credentials::Tokens(tokens) => Self::Token(tokens.access().await?),
        })
    }

    fn text(&self) -> &str {
        match self {
            Self::Password(text) | Self::Token(text) => text.expose_secret(),
        }
    }
}

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
    let secret_text = secret.text();
    let (mechanism, answer, asked) = match secret {
        Secret::Token(_) if !session.can("AUTH=XOAUTH2") && session.can("AUTH=OAUTHBEARER") => {
            // RFC 7628 §3.1; `,` and `=` of the name are escaped (RFC 5801 §4).
            let name = login.replace('=', "=3D").replace(',', "=2C");
            let answer = format!(
                "n,a={name},\u{1}host={}\u{1}port={}\u{1}auth=Bearer {secret_text}\u{1}\u{1}",
                server.host, server.port
            );
            ("OAUTHBEARER", Zeroizing::new(answer), Asked::Token)
        }
        // Google, "OAuth 2.0 Mechanism"; Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth".
        Secret::Token(_) => (
            "XOAUTH2",
            Zeroizing::new(format!(
                "user={login}\u{1}auth=Bearer {secret_text}\u{1}\u{1}"
            )),
            Asked::Token,
        ),
        Secret::Password(_) if session.can("AUTH=PLAIN") => (
            "PLAIN",
            Zeroizing::new(format!("\0{login}\0{secret_text}")),
            Asked::Password,
        ),
        Secret::Password(_) => return by_login(session, login, secret_text).await,
    };
    let coded = Zeroizing::new(STANDARD.encode(answer.as_bytes()));
    let alone = Zeroizing::new(STANDARD.encode(secret_text));
    session.keep_secret(&[secret_text, &coded, &alone]);
    let with_answer = session.can("SASL-IR");
    session.capabilities.clear();
    let (tag, more) = if with_answer {
        let line = Zeroizing::new(format!("AUTHENTICATE {mechanism} {}", *coded));
        (session.begin(&line).await?, None)
    } else {
        let tag = session.begin(&format!("AUTHENTICATE {mechanism}")).await?;
        (tag, Some(coded))
    };
    let work = Work {
        more,
        ..session.talk(asked)
    };
    session
        .finish(vec![tag], work, |_, _| {})
        .await?
        .all_well()?;
    Ok(())
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
    let alone = Zeroizing::new(STANDARD.encode(password));
    session.keep_secret(&[password, &secret, &alone]);
    let work = session.talk(Asked::Password);
    session
        .finish(vec![tag], work, |_, _| {})
        .await?
        .all_well()?;
    Ok(())
}
