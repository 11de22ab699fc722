//! An admin approves on this computer: the end of the admin consent endpoint ("Admin consent on the Microsoft identity
//! platform"), met by the same listener as a sign-in's, so that no dead page is shown.

use super::error::SignInError;
use super::loopback::{Loopback, Page, PageWords, Return};
use super::redeem::refusal_of_redirect;
use crate::diagnosis::Evidence;
use oauth2::CsrfToken;
use secrecy::SecretString;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Bytes of randomness in `state`.
const RANDOM_BYTES: u32 = 32;

/// A visit of the admin's browser that is waited for. Dropping it closes the port.
pub struct Visit {
    loopback: Loopback,
    state: String,
}

/// Opens the port; the caller makes the link with [`Visit::state`] and [`Visit::redirect_uri`] and opens the browser.
///
/// # Errors
/// [`SignInError::NoPort`].
pub async fn listen(words: PageWords) -> Result<Visit, SignInError> {
    let state = CsrfToken::new_random_len(RANDOM_BYTES).into_secret();
    let loopback = Loopback::open(SecretString::from(state.as_str()), words)
        .await
        .map_err(SignInError::NoPort)?;
    Ok(Visit { loopback, state })
}

impl Visit {
    /// Binds the answer to the question.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Where the browser comes back to. Entra ignores the port of a loopback URI ("Redirect URI restrictions").
    pub fn redirect_uri(&self) -> String {
        format!("http://localhost:{}", self.loopback.port())
    }

    /// Waits until the admin has approved.
    ///
    /// # Errors
    /// [`SignInError::Refused`] for a refusal, [`SignInError::TimedOut`], [`SignInError::Cancelled`], and
    /// [`SignInError::Invalid`] for an answer that says neither yes nor no. The browser's page has said so too.
    pub async fn finish(
        mut self,
        cancel: CancellationToken,
        limit: Duration,
    ) -> Result<(), SignInError> {
        let came_back = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(SignInError::Cancelled),
            came_back = self.loopback.next() => came_back.ok_or(SignInError::Cancelled)?,
            () = tokio::time::sleep(limit) => return Err(SignInError::TimedOut),
        };
        let Return { parameters, reply } = came_back;
        let given = parameters
            .get("admin_consent")
            .is_some_and(|said| said.eq_ignore_ascii_case("true"));
        let outcome = match parameters.get("error") {
            Some(error) => Err(refusal_of_redirect(error, &parameters, &[&self.state]).into()),
            None if given => Ok(()),
            None => {
                let names: Vec<&str> = parameters.keys().map(String::as_str).collect();
                let raw = format!("parameters: {}", names.join(", "));
                let evidence = Evidence::of(None, None, &raw, &[&self.state]);
                Err(SignInError::Invalid("no_admin_consent", evidence))
            }
        };
        reply
            .send(match outcome {
                Ok(()) => Page::Done,
                Err(_) => Page::Failed,
            })
            .await;
        outcome
    }
}
