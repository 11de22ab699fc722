//! `AUTH` (RFC 4954), within TLS only: PLAIN (RFC 4616), LOGIN, XOAUTH2 and OAUTHBEARER (RFC 7628).

use super::protocol;
use super::refusal::{Stage, refusal};
use super::session::Session;
use crate::account::SmtpServer;
use crate::provider::ProviderError;
use crate::provider::sasl::{Mechanism, Secret, coded, reason};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// The longest command line with its end (RFC 5321 §4.5.3.1.4).
const LONGEST_COMMAND: usize = 512;

impl Session {
    /// Signs in by the first mechanism that both sides know.
    pub(super) async fn sign_in(
        &mut self,
        server: &SmtpServer,
        secret: &Secret,
    ) -> Result<(), ProviderError> {
        let can = |name: &str| self.offer().mechanisms.iter().any(|known| known == name);
        let login = &server.login;
        match (secret, secret.mechanism(can)) {
            (Secret::Password(_), Some(mechanism)) => {
                let coded = mechanism.answer(login, secret, (&server.host, server.port));
                let said = self.prove(mechanism, &coded, Stage::Password, secret.text());
                match said.await?.0 {
                    235 => Ok(()),
                    _ => Err(protocol("wrong_code")),
                }
            }
            (Secret::Password(password), None) if can("LOGIN") => self.login(login, password).await,
            (Secret::Token(_), Some(mechanism)) => {
                let coded = mechanism.answer(login, secret, (&server.host, server.port));
                self.with_token(mechanism, &coded, secret.text()).await
            }
            (Secret::Password(_) | Secret::Token(_), None) => {
                let offered = self.offer().mechanisms.join(" ");
                let text = format!("504 5.5.4 The server offers: AUTH {offered}");
                Err(refusal(Stage::NoMechanism, 504, &text, &[]))
            }
        }
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

    /// Says who we are and gives the reply. What would make the line too long is said after the server's 334 instead
    /// (RFC 4954 §4): Microsoft's tokens do, and Postfix reads no more of a command than 2,048 bytes.
    async fn prove(
        &mut self,
        mechanism: Mechanism,
        coded: &str,
        stage: Stage,
        secret: &str,
    ) -> Result<(u16, String), ProviderError> {
        let known = [secret, coded];
        let line = Zeroizing::new(format!("AUTH {} {coded}\r\n", mechanism.name()));
        if line.len() <= LONGEST_COMMAND {
            return self.exchange(line.as_str(), stage, &known).await;
        }
        let order = format!("AUTH {}\r\n", mechanism.name());
        self.command(order, 334, stage, &known).await?;
        let answer = Zeroizing::new(format!("{coded}\r\n"));
        self.exchange(answer.as_str(), stage, &known).await
    }

    /// A refusal may come in two steps: 334 with the reason, then, after an answer, the refusal itself.
    async fn with_token(
        &mut self,
        mechanism: Mechanism,
        coded: &str,
        token: &str,
    ) -> Result<(), ProviderError> {
        let known = [token, coded];
        let said = self.prove(mechanism, coded, Stage::Token, token);
        let (code, text) = said.await?;
        match code {
            235 => return Ok(()),
            334 => {}
            _ => return Err(protocol("wrong_code")),
        }
        let reason = reason(text.get(4..).unwrap_or_default().as_bytes());
        let answer = format!("{}\r\n", mechanism.answer_to_reason());
        let ended = self.exchange(answer, Stage::Token, &known).await;
        match ended {
            Ok(_) => Err(protocol("wrong_code")),
            Err(ProviderError::Unauthorized(mut evidence)) => {
                let raw = format!("{} {reason}", evidence.raw);
                let raw = raw.trim_end();
                evidence.raw = crate::diagnosis::redact::redact(raw, &known);
                Err(ProviderError::Unauthorized(evidence))
            }
            Err(error) => Err(error),
        }
    }
}
