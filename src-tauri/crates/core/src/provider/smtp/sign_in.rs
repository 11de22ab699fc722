//! `AUTH` (RFC 4954), within TLS only: PLAIN (RFC 4616), LOGIN, XOAUTH2 and OAUTHBEARER (RFC 7628).

use super::protocol;
use super::refusal::{Stage, refusal};
use super::session::Session;
use crate::account::SmtpServer;
use crate::provider::ProviderError;
use crate::provider::imap::Credentials;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
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

    /// The token, where it is one.
    pub(super) fn into_token(self) -> Option<SecretString> {
        match self {
            Self::Password(_) => None,
            Self::Token(token) => Some(token),
        }
    }
}

impl Session {
    /// Signs in by the first mechanism that both sides know.
    pub(super) async fn sign_in(
        &mut self,
        server: &SmtpServer,
        secret: &Secret,
    ) -> Result<(), ProviderError> {
        let can = |name: &str| self.offer().mechanisms.iter().any(|known| known == name);
        let login = &server.login;
        match secret {
            Secret::Password(password) if can("PLAIN") => {
                let answer = format!("\0{login}\0{}", password.expose_secret());
                self.at_once("PLAIN", &answer, password).await
            }
            Secret::Password(password) if can("LOGIN") => self.login(login, password).await,
            // Google, "OAuth 2.0 Mechanism"; Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth".
            Secret::Token(token) if can("XOAUTH2") => {
                let answer = format!(
                    "user={login}\u{1}auth=Bearer {}\u{1}\u{1}",
                    token.expose_secret()
                );
                self.with_token("XOAUTH2", &answer, token, "").await
            }
            Secret::Token(token) if can("OAUTHBEARER") => {
                // RFC 7628 §3.1; `,` and `=` of the name are escaped (RFC 5801 §4).
                let name = login.replace('=', "=3D").replace(',', "=2C");
                let answer = format!(
                    "n,a={name},\u{1}host={}\u{1}port={}\u{1}auth=Bearer {}\u{1}\u{1}",
                    server.host,
                    server.port,
                    token.expose_secret()
                );
                // §3.2.3: the answer to the reason is the one byte 0x01.
                self.with_token("OAUTHBEARER", &answer, token, "AQ==").await
            }
            Secret::Password(_) | Secret::Token(_) => {
                let offered = self.offer().mechanisms.join(" ");
                let text = format!("504 5.5.4 The server offers: AUTH {offered}");
                Err(refusal(Stage::NoMechanism, 504, &text, &[]))
            }
        }
    }

    async fn at_once(
        &mut self,
        mechanism: &str,
        answer: &str,
        secret: &SecretString,
    ) -> Result<(), ProviderError> {
        let coded = coded(answer);
        let line = Zeroizing::new(format!("AUTH {mechanism} {}\r\n", *coded));
        let known = [secret.expose_secret(), coded.as_str()];
        self.command(line.as_str(), 235, Stage::Password, &known)
            .await?;
        Ok(())
    }

    /// Two questions, for the name and for the password; their words differ from server to server.
    async fn login(&mut self, login: &str, password: &SecretString) -> Result<(), ProviderError> {
        let coded_password = coded(password.expose_secret());
        let known = [password.expose_secret(), coded_password.as_str()];
        self.command("AUTH LOGIN\r\n", 334, Stage::Password, &known)
            .await?;
        let name = format!("{}\r\n", *coded(login));
        self.command(name, 334, Stage::Password, &known).await?;
        let line = Zeroizing::new(format!("{}\r\n", *coded_password));
        self.command(line.as_str(), 235, Stage::Password, &known)
            .await?;
        Ok(())
    }

    /// A refusal may come in two steps: 334 with the reason, then, after an answer, the refusal itself.
    async fn with_token(
        &mut self,
        mechanism: &str,
        answer: &str,
        token: &SecretString,
        answer_to_reason: &str,
    ) -> Result<(), ProviderError> {
        let coded = coded(answer);
        let line = Zeroizing::new(format!("AUTH {mechanism} {}\r\n", *coded));
        let known = [token.expose_secret(), coded.as_str()];
        let (code, text) = self.exchange(line.as_str(), Stage::Token, &known).await?;
        match code {
            235 => return Ok(()),
            334 => {}
            _ => return Err(protocol("wrong_code")),
        }
        let reason = explained(&text);
        let ended = self
            .exchange(format!("{answer_to_reason}\r\n"), Stage::Token, &known)
            .await;
        match ended {
            Ok(_) => Err(protocol("wrong_code")),
            Err(ProviderError::Unauthorized(mut evidence)) => {
                let raw = format!("{}{reason}", evidence.raw);
                evidence.raw = crate::diagnosis::redact::redact(&raw, &known);
                Err(ProviderError::Unauthorized(evidence))
            }
            Err(error) => Err(error),
        }
    }
}

fn coded(text: &str) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(text))
}

/// The reason within a challenge: base64 of a JSON document.
fn explained(reply: &str) -> String {
    let challenge = reply.get(4..).unwrap_or_default().trim();
    let text = STANDARD.decode(challenge).unwrap_or_default();
    let text: String = String::from_utf8_lossy(&text).chars().take(1000).collect();
    match text.is_empty() {
        true => String::new(),
        false => format!(" {text}"),
    }
}
