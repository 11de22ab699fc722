//! One signed-in session: TLS from the first byte, SASL, commands and their answers. Nothing is sent before the
//! server's certificate has been checked (RFC 8314 §3.2).

use super::Credentials;
use super::name::quoted;
use super::refusal::{Asked, broken, io_failure, refusal};
use super::wire::{SILENCE, Wire, WireError};
use crate::account::ImapServer;
use crate::diagnosis::Evidence;
use crate::provider::ProviderError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imap_proto::{Capability, Outcome, Response, ResponseCode, Status};
use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

/// Time for a connection to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// Untagged responses that one command may bring: a listing has one a message, and flags may change meanwhile.
const MOST_RESPONSES: u32 = 200_000;
/// A session that rested for longer may have been closed by something in between (RFC 3501 §5.4 allows servers to
/// hang up after 30 minutes; routers are less patient).
const LONGEST_REST: Duration = Duration::from_secs(4 * 60);

/// A session, signed in.
pub(super) struct Session {
    wire: Wire<TlsStream<TcpStream>>,
    number: u32,
    capabilities: BTreeSet<String>,
    /// A command was begun and has not come to its end: nothing more can be asked here.
    unfinished: bool,
    used_at: Instant,
}

/// What the folder's opening told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Selected {
    pub(super) uid_validity: u32,
    /// The number that the next arriving message gets at least; 0 where the server does not tell.
    pub(super) uid_next: u32,
    pub(super) exists: u32,
}

/// How a command ended well.
pub(super) struct Ended {
    /// Something about a message could not be read: what is missing in the answer may be on the server all the same.
    pub(super) unread: bool,
}

impl Session {
    /// Connects and signs in.
    pub(super) async fn open(
        server: &ImapServer,
        tls: &Arc<rustls::ClientConfig>,
        credentials: &Secret,
    ) -> Result<Self, ProviderError> {
        let wire = connect(server, tls).await?;
        let mut session = Self {
            wire,
            number: 0,
            capabilities: BTreeSet::new(),
            unfinished: false,
            used_at: Instant::now(),
        };
        session.greeting().await?;
        if session.capabilities.is_empty() {
            session.ask_capabilities().await?;
        }
        session.sign_in(server, credentials).await?;
        if session.capabilities.is_empty() {
            session.ask_capabilities().await?;
        }
        if session.capabilities.contains("ID") {
            // RFC 2971. Some servers (NetEase) show no folder to clients that do not introduce themselves.
            let id = concat!(
                "ID (\"name\" \"Mailroom\" \"version\" \"",
                env!("CARGO_PKG_VERSION"),
                "\")"
            );
            session.command(id, Asked::Other, SILENCE, |_| {}).await?;
        }
        Ok(session)
    }

    /// Whether another command can be given.
    pub(super) fn is_usable(&self) -> bool {
        !self.unfinished && self.used_at.elapsed() < LONGEST_REST
    }

    /// Opens a folder by its name on the wire.
    pub(super) async fn select(&mut self, name: &str) -> Result<Selected, ProviderError> {
        let name = quoted(name).ok_or_else(|| protocol("folder_name"))?;
        let mut selected = Selected::default();
        let command = format!("SELECT {name}");
        self.command(
            &command,
            Asked::Folder,
            SILENCE,
            |response| match response {
                Response::MailboxData(imap_proto::MailboxDatum::Exists(exists)) => {
                    selected.exists = *exists;
                }
                Response::Data { outcome, .. } => match outcome.code {
                    Some(ResponseCode::UidValidity(value)) => selected.uid_validity = value,
                    Some(ResponseCode::UidNext(value)) => selected.uid_next = value,
                    _ => {}
                },
                _ => {}
            },
        )
        .await?;
        match selected.uid_validity {
            // Without it nothing can be told apart for long (RFC 3501 §2.3.1.1).
            0 => Err(protocol("no_uid_validity")),
            _ => Ok(selected),
        }
    }

    /// Gives a command and hands every untagged response to `take`, until the command's end, for `time` at most.
    pub(super) async fn command(
        &mut self,
        command: &str,
        asked: Asked,
        time: Duration,
        take: impl FnMut(&Response<'_>) + Send,
    ) -> Result<Ended, ProviderError> {
        let tag = self.begin(command).await?;
        self.end(&tag, asked, time, None, &[], take).await
    }

    async fn begin(&mut self, command: &str) -> Result<String, ProviderError> {
        self.number += 1;
        let tag = format!("M{}", self.number);
        self.unfinished = true;
        let line = Zeroizing::new(format!("{tag} {command}"));
        self.wire.send(&line).await.map_err(broken)?;
        Ok(tag)
    }

    /// Reads on to the end of the command `tag`. To a first request to go on, `more` is sent; to further ones,
    /// which in SASL carry the reason of a refusal, an empty answer.
    async fn end(
        &mut self,
        tag: &str,
        asked: Asked,
        time: Duration,
        mut more: Option<Zeroizing<String>>,
        known: &[&str],
        mut take: impl FnMut(&Response<'_>) + Send,
    ) -> Result<Ended, ProviderError> {
        let deadline = Instant::now() + time;
        let mut ended = Ended { unread: false };
        let mut farewell: Option<String> = None;
        let mut reason = String::new();
        for _ in 0..MOST_RESPONSES {
            let bytes = match self.wire.response(deadline).await {
                Ok(bytes) => bytes,
                Err(WireError::Closed | WireError::Broken(_)) if farewell.is_some() => {
                    let text = farewell.unwrap_or_default();
                    return Err(farewell_of(&text, known));
                }
                Err(error) => return Err(broken(error)),
            };
            if let Some(said) = bytes.strip_prefix(b"+") {
                let answer = match more.take() {
                    Some(answer) => answer,
                    None if matches!(asked, Asked::Password | Asked::Token)
                        && reason.is_empty() =>
                    {
                        reason = explained(said);
                        // RFC 7628 §3.2.3; XOAUTH2 asks for an empty line, and any answer ends the exchange.
                        Zeroizing::new(String::new())
                    }
                    None => return Err(protocol("continuation")),
                };
                self.wire.send(&answer).await.map_err(broken)?;
                continue;
            }
            let response = match imap_proto::Response::parse(&bytes) {
                Ok((_, response)) => response,
                Err(_) if bytes.starts_with(b"* ") => {
                    // Extensions nobody asked for are passed by.
                    ended.unread |= is_about_a_message(&bytes);
                    continue;
                }
                Err(_) => return Err(protocol("not_imap")),
            };
            match &response {
                Response::Done {
                    tag: theirs,
                    status,
                    outcome,
                } => {
                    if theirs.0 != tag {
                        return Err(protocol("wrong_tag"));
                    }
                    self.note_capabilities(outcome);
                    self.used_at = Instant::now();
                    if *status == Status::Ok {
                        self.unfinished = false;
                        return Ok(ended);
                    }
                    // After a BAD, client and server may not agree on where they are.
                    self.unfinished = *status != Status::No;
                    let text = format!("{}{}", text_of(&bytes), reason);
                    return Err(refusal(&text, asked, known));
                }
                Response::Data {
                    status: Status::Bye,
                    ..
                } => farewell = Some(text_of(&bytes)),
                Response::Data { outcome, .. } => {
                    self.note_capabilities(outcome);
                    take(&response);
                }
                Response::Capabilities(list) => self.set_capabilities(list),
                _ => take(&response),
            }
        }
        Err(protocol("endless"))
    }

    async fn greeting(&mut self) -> Result<(), ProviderError> {
        let bytes = self
            .wire
            .response(Instant::now() + SILENCE)
            .await
            .map_err(broken)?;
        match imap_proto::Response::parse(&bytes) {
            Ok((
                _,
                Response::Data {
                    status: Status::Ok,
                    outcome,
                },
            )) => {
                self.note_capabilities(&outcome);
                Ok(())
            }
            Ok((
                _,
                Response::Data {
                    status: Status::Bye,
                    ..
                },
            )) => Err(farewell_of(&text_of(&bytes), &[])),
            // PREAUTH would be somebody else's session.
            _ => Err(protocol("greeting")),
        }
    }

    async fn ask_capabilities(&mut self) -> Result<(), ProviderError> {
        self.command("CAPABILITY", Asked::Other, SILENCE, |_| {})
            .await?;
        Ok(())
    }

    fn note_capabilities(&mut self, outcome: &Outcome<'_>) {
        if let Some(ResponseCode::Capabilities(list)) = &outcome.code {
            self.set_capabilities(list);
        }
    }

    fn set_capabilities(&mut self, list: &[Capability<'_>]) {
        self.capabilities = list
            .iter()
            .map(|capability| match capability {
                Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
                Capability::Auth(name) => format!("AUTH={}", name.to_ascii_uppercase()),
                Capability::Atom(name) => name.to_ascii_uppercase(),
            })
            .collect();
    }

    async fn sign_in(&mut self, server: &ImapServer, secret: &Secret) -> Result<(), ProviderError> {
        let can = |name: &str| self.capabilities.contains(name);
        let login = &server.login;
        let secret_text = secret.text();
        let (mechanism, answer, asked) = match secret {
            Secret::Token(_) if !can("AUTH=XOAUTH2") && can("AUTH=OAUTHBEARER") => {
                // RFC 7628 §3.1; `,` and `=` of the name are escaped (RFC 5801 §4).
                let name = login.replace('=', "=3D").replace(',', "=2C");
                let answer = format!(
                    "n,a={name},\u{1}host={}\u{1}port={}\u{1}auth=Bearer {secret_text}\u{1}\u{1}",
                    server.host, server.port
                );
                ("OAUTHBEARER", answer, Asked::Token)
            }
            // Google, "OAuth 2.0 Mechanism"; Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth".
            Secret::Token(_) => (
                "XOAUTH2",
                format!("user={login}\u{1}auth=Bearer {secret_text}\u{1}\u{1}"),
                Asked::Token,
            ),
            Secret::Password(_) if can("AUTH=PLAIN") => (
                "PLAIN",
                format!("\0{login}\0{secret_text}"),
                Asked::Password,
            ),
            Secret::Password(_) => return self.login(login, secret_text).await,
        };
        let answer = Zeroizing::new(answer);
        let coded = Zeroizing::new(STANDARD.encode(answer.as_bytes()));
        let with_answer = can("SASL-IR");
        self.capabilities.clear();
        let (tag, more) = if with_answer {
            let line = Zeroizing::new(format!("AUTHENTICATE {mechanism} {}", *coded));
            (self.begin(&line).await?, None)
        } else {
            let tag = self.begin(&format!("AUTHENTICATE {mechanism}")).await?;
            (tag, Some(coded.clone()))
        };
        let known = [secret_text, coded.as_str()];
        self.end(&tag, asked, SILENCE, more, &known, |_| {}).await?;
        Ok(())
    }

    /// `LOGIN` (RFC 3501 §6.2.3), for servers without `AUTH=PLAIN`.
    async fn login(&mut self, login: &str, password: &str) -> Result<(), ProviderError> {
        if self.capabilities.contains("LOGINDISABLED") {
            let text = "LOGINDISABLED, and no AUTH=PLAIN.";
            return Err(refusal(text, Asked::Password, &[]));
        }
        let (Some(name), Some(secret)) = (quoted(login), quoted(password).map(Zeroizing::new))
        else {
            return Err(protocol("login_characters"));
        };
        self.capabilities.clear();
        let line = Zeroizing::new(format!("LOGIN {name} {}", *secret));
        let tag = self.begin(&line).await?;
        let known = [password, secret.as_str()];
        self.end(&tag, Asked::Password, SILENCE, None, &known, |_| {})
            .await?;
        Ok(())
    }
}

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

async fn connect(
    server: &ImapServer,
    tls: &Arc<rustls::ClientConfig>,
) -> Result<Wire<TlsStream<TcpStream>>, ProviderError> {
    let name = ServerName::try_from(server.host.clone()).map_err(|_| protocol("host_name"))?;
    let in_time = |error| io_failure(&error);
    let late = |_| broken(WireError::TimedOut);
    let tcp = TcpStream::connect((server.host.as_str(), server.port));
    let tcp = timeout(CONNECT, tcp)
        .await
        .map_err(late)?
        .map_err(in_time)?;
    tcp.set_nodelay(true).map_err(in_time)?;
    let handshake = TlsConnector::from(tls.clone()).connect(name, tcp);
    let stream = timeout(SILENCE, handshake)
        .await
        .map_err(late)?
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => broken(WireError::Closed),
            _ => io_failure(&error),
        })?;
    Ok(Wire::new(stream))
}

pub(super) fn protocol(what: &'static str) -> ProviderError {
    ProviderError::Protocol(what, Evidence::default())
}

/// The meaning of a `BYE`: where its words say nothing more, the server hung up.
fn farewell_of(text: &str, known: &[&str]) -> ProviderError {
    match refusal(text, Asked::Other, known) {
        ProviderError::Server(evidence) if evidence.code.is_none() => {
            ProviderError::Server(Evidence {
                code: Some("IMAP connection closed".to_owned()),
                ..evidence
            })
        }
        other => other,
    }
}

/// A response's words, behind tag and status.
fn text_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut words = text.trim_end().splitn(3, ' ');
    words.nth(2).unwrap_or_default().to_owned()
}

/// The reason within a SASL challenge: base64 of a JSON document.
fn explained(challenge: &[u8]) -> String {
    let text = STANDARD.decode(challenge.trim_ascii()).unwrap_or_default();
    let text: String = String::from_utf8_lossy(&text).chars().take(1000).collect();
    match text.is_empty() {
        true => " ".to_owned(),
        false => format!(" {text}"),
    }
}

fn is_about_a_message(bytes: &[u8]) -> bool {
    let head = bytes.get(..40.min(bytes.len())).unwrap_or_default();
    let head = String::from_utf8_lossy(head).to_ascii_uppercase();
    head.contains(" FETCH ") || head.contains(" SEARCH")
}
