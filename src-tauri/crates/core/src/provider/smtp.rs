//! Handing mail over by SMTP submission (RFC 6409), always within TLS: from the first byte (RFC 8314 §3.3) or after
//! STARTTLS (RFC 3207), without which the line is ended before anything is said. lettre speaks; what it does not bound
//! is bounded by [`line`].

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the errors of the system grow; what is not told apart is one thing"
)]

mod line;
mod refusal;
mod session;
mod sign_in;

use super::ProviderError;
use super::imap::Credentials;
use super::outbound::{Copies, Envelope, NotSent, Sent};
use super::sasl::Secret;
use super::tls::Trust;
use crate::account::{EmailAddress, SmtpServer};
use crate::diagnosis::Evidence;
use secrecy::{ExposeSecret, SecretString};
use session::Session;
use std::sync::Arc;
use std::time::Duration;

/// A server's SMTP, and who may hand mail over to it. Cheap to clone.
#[derive(Clone)]
pub struct SmtpSender {
    shared: Arc<Shared>,
    copies: Copies,
}

struct Shared {
    server: SmtpServer,
    own: EmailAddress,
    credentials: Credentials,
    trust: Arc<Trust>,
    times: Times,
}

/// How long a server is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// For the connection.
    pub connect: Duration,
    /// For each reply, for the TLS handshake, and for greeting and EHLO together.
    pub reply: Duration,
    /// For a message and the reply to it.
    pub message: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            reply: Duration::from_secs(30),
            // RFC 5321 §4.5.3.2.6: a server may need ten minutes, and whoever gives up earlier does not know what became
            // of the message.
            message: Duration::from_secs(10 * 60),
        }
    }
}

/// What a server offers to whoever is signed in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// Largest message in bytes; nothing where the server does not tell (RFC 1870).
    pub size: Option<u64>,
    /// Mechanisms of `AUTH` (RFC 4954), in capitals.
    pub mechanisms: Vec<String>,
    /// Whether bodies may have eight bits (RFC 6152).
    pub eight_bit: bool,
    /// Whether addresses may have other characters than ASCII's (RFC 6531).
    pub utf8: bool,
}

impl SmtpSender {
    /// For the address `own`; certificates are judged by `trust`.
    pub fn new(
        server: SmtpServer,
        own: EmailAddress,
        credentials: Credentials,
        trust: Arc<Trust>,
    ) -> Self {
        Self::with_times(server, own, credentials, trust, Times::default())
    }

    /// As [`SmtpSender::new`], with other patience.
    pub fn with_times(
        server: SmtpServer,
        own: EmailAddress,
        credentials: Credentials,
        trust: Arc<Trust>,
        times: Times,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                server,
                own,
                credentials,
                trust,
                times,
            }),
            copies: Copies::default(),
        }
    }

    /// The same, with somebody who keeps copies of what leaves through [`super::outbound::Outbound::send`].
    #[must_use]
    pub fn keeping(self, copies: Copies) -> Self {
        Self { copies, ..self }
    }

    /// Who keeps copies.
    pub fn copies(&self) -> &Copies {
        &self.copies
    }

    /// Whose share of messages a minute this is: server and login name.
    pub fn login(&self) -> String {
        let server = &self.shared.server;
        format!("{}:{} {}", server.host, server.port, server.login)
    }

    /// Whether mail may be sent from `address`: the connection's own one, or one of the additional ones.
    pub fn may_send_from(&self, address: &EmailAddress) -> bool {
        self.shared.own == *address || self.shared.server.from.contains(address)
    }

    /// Connects, signs in and leaves: nothing is sent.
    ///
    /// # Errors
    /// Any [`ProviderError`].
    pub async fn verify(&self) -> Result<Offer, ProviderError> {
        let (session, _) = Box::pin(self.open()).await?;
        let offer = session.offer().clone();
        session.leave().await;
        Ok(offer)
    }

    /// Hands a message over. A sender that is neither the connection's own address nor an additional one is refused here.
    ///
    /// # Errors
    /// [`NotSent`].
    pub async fn send(&self, envelope: &Envelope, raw: &[u8]) -> Result<Sent, NotSent> {
        if !self.may_send_from(&envelope.from) {
            return Err(NotSent::surely(protocol("other_sender")));
        }
        let (sent, token) = Box::pin(self.hand_over(envelope, raw)).await;
        if let (Err(not_sent), Some(token), Credentials::Tokens(tokens)) =
            (&sent, token, &self.shared.credentials)
            && !not_sent.may_have_left
            && is_over(&not_sent.error)
        {
            tokens.refused(&token).await;
            return Box::pin(self.hand_over(envelope, raw)).await.0;
        }
        sent
    }

    /// Hands a message over, and gives the token that was used.
    async fn hand_over(
        &self,
        envelope: &Envelope,
        raw: &[u8],
    ) -> (Result<Sent, NotSent>, Option<SecretString>) {
        match self.open().await {
            Err(error) => (Err(NotSent::surely(error)), None),
            Ok((mut session, token)) => {
                let sent = session.send(envelope, raw).await;
                session.leave().await;
                (sent, token)
            }
        }
    }

    /// A new session, with the token that it was opened with. A token that is refused is renewed once.
    async fn open(&self) -> Result<(Session, Option<SecretString>), ProviderError> {
        let shared = &self.shared;
        shared.credentials.may_be_seen_by(&shared.server.host)?;
        let secret = Secret::of(&shared.credentials).await?;
        let opened = self.open_with(&secret).await;
        if let (
            Err(ProviderError::Unauthorized(_)),
            Credentials::Tokens(tokens),
            Secret::Token(old),
        ) = (&opened, &self.shared.credentials, &secret)
        {
            tokens.refused(old).await;
            let renewed: SecretString = tokens.access().await?;
            if renewed.expose_secret() != old.expose_secret() {
                let secret = Secret::Token(renewed);
                return Ok((self.open_with(&secret).await?, secret.into_token()));
            }
        }
        Ok((opened?, secret.into_token()))
    }

    async fn open_with(&self, secret: &Secret) -> Result<Session, ProviderError> {
        let shared = &self.shared;
        let mut session = Session::open(&shared.server, &shared.trust, shared.times).await?;
        match session.sign_in(&shared.server, secret).await {
            Ok(()) => Ok(session),
            Err(error) => {
                session.leave().await;
                Err(super::known::at(&shared.server.host, "SMTP ", error))
            }
        }
    }
}

/// Whether the sign-in came to its end between AUTH and the message.
fn is_over(error: &ProviderError) -> bool {
    let code = error
        .evidence()
        .and_then(|evidence| evidence.code.as_deref());
    matches!(code, Some("AccessTokenExpired" | "SMTP 5.7.57"))
}

pub(super) fn protocol(what: &'static str) -> ProviderError {
    ProviderError::Protocol(what, Evidence::default())
}
