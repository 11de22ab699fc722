//! Tokens that renew themselves: one refresh at a time per account, and the rotated refresh token is durable
//! before the new access token is used.

mod set;
#[cfg(test)]
mod tests;

pub use set::{DamagedTokens, TokenSet};

use super::error::{SignInError, TokenError};
use super::flow;
use super::redeem::{Grant, Granted, Refusal, redeem};
use super::{
    DISPENSABLE_SCOPES, IMAP_SCOPE, LATER_SCOPES, SCOPES, SMTP_SCOPE, exchange, outlook_scopes,
};
use crate::Millis;
use crate::account::Registration;
use crate::diagnosis::Evidence;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Tokens are renewed this long before they end.
const MARGIN: Millis = 5 * 60_000;
/// A token handed out is good for at least this long.
const MINIMUM: Millis = 60_000;
/// A failure that needs a person is repeated from memory for this long, in milliseconds.
pub const MEMORY: Millis = 5 * 60_000;
/// While the old token still works, an unreachable sign-in service is asked again after this long.
const PAUSE: Millis = 30_000;
/// A token refused so soon after it was made would be refused again: renewing it once more is a loop that Entra
/// punishes (AADSTS50196).
const RENEWED_JUST_NOW: Millis = 30_000;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// Where one account's tokens are kept, sealed. The store implements it; tests use a map.
pub trait TokenRecords: Send + Sync {
    /// Reads the stored set.
    fn load(&self) -> futures_util::future::BoxFuture<'_, Result<Option<TokenSet>, String>>;
    /// Stores the set durably (it is on disk when this returns).
    fn save<'a>(
        &'a self,
        tokens: &'a TokenSet,
    ) -> futures_util::future::BoxFuture<'a, Result<(), String>>;
}

/// One account's tokens for Graph. Cheap to clone; all clones share the single flight.
#[derive(Clone)]
pub struct Tokens {
    shared: Arc<Shared>,
    state: Arc<Mutex<State>>,
}

struct Shared {
    http: reqwest::Client,
    registration: Registration,
    records: Arc<dyn TokenRecords>,
    clock: Clock,
}

#[derive(Default)]
struct State {
    /// What is stored, as last seen.
    current: Option<TokenSet>,
    /// When `current` was renewed here, and its margin then.
    renewed: Option<(Millis, Millis)>,
    /// `current`'s access token was refused by the server.
    refused: bool,
    /// Renewed from `current`, but not stored yet.
    unsaved: Option<TokenSet>,
    /// When renewing `current` failed for good, and how.
    failure: Option<(Millis, TokenError)>,
    /// The sign-in service did not answer: not before this while the old token works.
    not_before: Millis,
}

impl Tokens {
    /// Tokens of one account, by the system's clock.
    pub fn new(
        http: reqwest::Client,
        registration: Registration,
        records: Arc<dyn TokenRecords>,
    ) -> Self {
        let clock: Clock = Arc::new(|| jiff::Timestamp::now().as_millisecond());
        Self::with_clock(http, registration, records, clock)
    }

    /// As [`Tokens::new`], by the given clock.
    pub fn with_clock(
        http: reqwest::Client,
        registration: Registration,
        records: Arc<dyn TokenRecords>,
        clock: Clock,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                http,
                registration,
                records,
                clock,
            }),
            state: Arc::default(),
        }
    }

    /// An access token good for at least the next minute, renewed where needed. After a failure that needs a
    /// person, the same error is given again without a request for five minutes, unless new tokens were stored.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn access(&self) -> Result<SecretString, TokenError> {
        let mut state = Arc::clone(&self.state).lock_owned().await;
        if let Some(token) = state.fresh((self.shared.clock)()) {
            return Ok(token);
        }
        // A task of its own: once the server has rotated the refresh token it must be stored, even if whoever
        // asked has gone.
        let shared = Arc::clone(&self.shared);
        let renewal = tokio::spawn(async move { shared.renew(&mut state).await });
        renewal.await.unwrap_or_else(|gone| {
            let evidence = Evidence::of(None, None, &gone.to_string(), &[]);
            Err(TokenError::Offline(evidence))
        })
    }

    /// Whether a mail server may be shown these tokens: what opens a mailbox of Exchange Online is for nobody else.
    pub fn may_be_seen_by(&self, host: &str) -> bool {
        exchange::may_see_token(&self.shared.registration, host)
    }

    /// When the access token in use ends; nothing before the first one was asked for.
    pub async fn expires_at(&self) -> Option<Millis> {
        let state = self.state.lock().await;
        state.current.as_ref().map(|set| set.expires_at)
    }

    /// Says that the server refused `token` with 401: the next [`Tokens::access`] renews unless that happened meanwhile.
    pub async fn refused(&self, token: &SecretString) {
        let mut state = self.state.lock().await;
        let just_renewed = state.is_just_renewed((self.shared.clock)());
        let is_current = state
            .current
            .as_ref()
            .is_some_and(|set| set.access.expose_secret() == token.expose_secret());
        if is_current && !just_renewed {
            state.refused = true;
        }
    }

    /// Says that what was granted is in doubt: the next [`Tokens::access`] renews, unless that has just happened, and
    /// [`Tokens::scopes`] is the sign-in service's own word after that.
    pub async fn doubt(&self) {
        let mut state = self.state.lock().await;
        if !state.is_just_renewed((self.shared.clock)()) {
            state.refused = true;
        }
    }

    /// Scopes granted by the latest answer, by their short names (`Mail.Send`).
    ///
    /// # Errors
    /// [`TokenError::NoTokens`].
    pub async fn scopes(&self) -> Result<Vec<String>, TokenError> {
        let mut state = self.state.lock().await;
        self.shared.reload(&mut state).await?;
        let current = state.current.as_ref().ok_or(TokenError::NoTokens)?;
        Ok(current.scopes.clone())
    }

    /// Forgets that renewing failed: somebody has just changed what it failed for.
    pub async fn ask_again(&self) {
        self.state.lock().await.failure = None;
    }
}

impl State {
    /// The current token, if it need not be renewed yet.
    fn fresh(&self, now: Millis) -> Option<SecretString> {
        let margin = self.renewed.map_or(MARGIN, |(_, margin)| margin);
        self.good_for(now, margin)
    }

    fn is_just_renewed(&self, now: Millis) -> bool {
        self.renewed
            .is_some_and(|(at, _)| (0..RENEWED_JUST_NOW).contains(&(now - at)))
    }

    fn good_for(&self, now: Millis, margin: Millis) -> Option<SecretString> {
        let set = self.current.as_ref()?;
        (!self.refused && set.expires_at - now >= margin).then(|| set.access.clone())
    }
}

impl Shared {
    /// Looks at what is stored. Another process, or a new sign-in, may have stored something newer: that wins, and
    /// former failures are forgotten.
    async fn reload(&self, state: &mut State) -> Result<(), TokenError> {
        let stored = self.records.load().await.map_err(|reason| {
            tracing::warn!(reason, "stored tokens cannot be read");
            TokenError::NoTokens
        })?;
        let Some(stored) = stored else {
            *state = State::default();
            return Err(TokenError::NoTokens);
        };
        if !state
            .current
            .as_ref()
            .is_some_and(|set| set.is_same(&stored))
        {
            *state = State {
                current: Some(stored),
                ..State::default()
            };
        }
        Ok(())
    }

    async fn renew(&self, state: &mut State) -> Result<SecretString, TokenError> {
        self.reload(state).await?;
        let now = (self.clock)();
        if let Some(token) = state.fresh(now) {
            return Ok(token);
        }
        if let Some((at, failure)) = &state.failure
            && (0..MEMORY).contains(&(now - at))
        {
            return Err(failure.clone());
        }
        let old_still_works = state.good_for(now, MINIMUM);
        if let Some(token) = &old_still_works
            && now < state.not_before
        {
            return Ok(token.clone());
        }
        if let Some(unsaved) = state.unsaved.take()
            && unsaved.expires_at - now >= MINIMUM
        {
            return self.keep(state, unsaved, now).await;
        }
        let Some(current) = state.current.clone() else {
            return Err(TokenError::NoTokens);
        };
        match self.refresh(&current).await {
            Ok(granted) => {
                let renewed = TokenSet {
                    access: granted.access,
                    expires_at: now + millis(granted.lifetime),
                    refresh: granted.refresh.unwrap_or(current.refresh),
                    scopes: granted.scopes,
                };
                self.keep(state, renewed, now).await
            }
            Err(Refusal::Offline(evidence) | Refusal::Invalid(_, evidence)) => {
                state.not_before = now + PAUSE;
                old_still_works.ok_or(TokenError::Offline(evidence))
            }
            Err(Refusal::Refused {
                error,
                suberror,
                claims,
                evidence,
            }) => {
                let failure = TokenError::SignInAgain {
                    error,
                    suberror,
                    claims,
                    evidence,
                };
                state.failure = Some((now, failure.clone()));
                Err(failure)
            }
        }
    }

    /// Stores `renewed` and only then hands its token out. What cannot be stored is kept in memory, so that the
    /// next attempt only has to store it.
    async fn keep(
        &self,
        state: &mut State,
        renewed: TokenSet,
        now: Millis,
    ) -> Result<SecretString, TokenError> {
        if let Err(reason) = self.records.save(&renewed).await {
            state.unsaved = Some(renewed);
            return Err(TokenError::NotStored(reason));
        }
        let token = renewed.access.clone();
        // A test server's tokens may live for a minute only: they are renewed after half of it.
        let margin = MARGIN.min((renewed.expires_at - now) / 2);
        *state = State {
            current: Some(renewed),
            renewed: Some((now, margin)),
            ..State::default()
        };
        Ok(token)
    }

    async fn refresh(&self, current: &TokenSet) -> Result<Granted, Refusal> {
        let endpoint = match self.registration.issuer {
            None => token_endpoint(&self.registration),
            // Asked each time: an issuer may move, and a renewal is due once an hour.
            Some(_) => {
                flow::discover(&self.http, &self.registration)
                    .await
                    .map_err(unreachable_issuer)?
                    .token_endpoint
            }
        };
        let renew = async |scopes: &[String]| {
            let grant = Grant::Refresh(current.refresh.clone());
            redeem(
                &self.http,
                &endpoint,
                &self.registration,
                grant,
                scopes,
                None,
            )
            .await
        };
        let mut scopes = scopes_to_renew(&self.registration, &current.scopes);
        let renewed = renew(&scopes).await;
        let all = scopes.len();
        scopes.retain(|scope| !DISPENSABLE_SCOPES.contains(&scope.as_str()));
        match renewed {
            Err(refusal) if scopes.len() < all && is_about_consent(&refusal) => {
                renew(&scopes).await
            }
            renewed => renewed,
        }
    }
}

/// Whether consent to what was asked for is missing (Microsoft identity platform, "Handle errors and exceptions":
/// `consent_required`, as an error or as a suberror; AADSTS65001).
fn is_about_consent(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::Refused {
            error,
            suberror,
            evidence,
            ..
        } => {
            const MISSING: &str = "consent_required";
            error == MISSING
                || suberror.as_deref() == Some(MISSING)
                || evidence.code.as_deref() == Some("AADSTS65001")
        }
        Refusal::Offline(_) | Refusal::Invalid(..) => false,
    }
}

/// An issuer without a usable description refuses nobody: nobody has to sign in again because of it.
fn unreachable_issuer(error: SignInError) -> Refusal {
    Refusal::Offline(match error {
        SignInError::Offline(evidence)
        | SignInError::TenantNotFound(evidence)
        | SignInError::IssuerNotFound(evidence)
        | SignInError::IssuerUnfit(_, evidence)
        | SignInError::Refused { evidence, .. }
        | SignInError::Invalid(_, evidence) => evidence,
        SignInError::TimedOut | SignInError::Cancelled | SignInError::NoPort(_) => {
            Evidence::of(None, None, "", &[])
        }
    })
}

/// `{authority}/{tenant}/oauth2/v2.0/token`: always of the tenant that the sign-in used (AADSTS700005, AADSTS50194).
fn token_endpoint(registration: &Registration) -> url::Url {
    super::http::below(
        &registration.authority,
        &[&registration.tenant, "oauth2", "v2.0", "token"],
    )
}

/// Only what was granted and is ours: Entra lists everything an admin ever consented to for the registration, and
/// asking for such a scope after its removal would break mail for nothing.
fn scopes_to_renew(registration: &Registration, granted: &[String]) -> Vec<String> {
    if let Some(issuer) = &registration.issuer {
        return issuer.scopes.clone();
    }
    let is_granted = |scope: &&str| granted.iter().any(|g| g.eq_ignore_ascii_case(scope));
    // A token is for one resource: this account's is not Graph.
    if exchange::is_resource(registration) && is_granted(&IMAP_SCOPE) {
        let granted: Vec<&str> = [IMAP_SCOPE, SMTP_SCOPE]
            .into_iter()
            .filter(is_granted)
            .collect();
        return outlook_scopes(registration, &granted);
    }
    let graph: Vec<&str> = SCOPES
        .iter()
        .chain(&LATER_SCOPES)
        .copied()
        .filter(|scope| scope.contains('.'))
        .filter(is_granted)
        .collect();
    let resource = if graph.is_empty() {
        SCOPES.iter().copied().filter(|s| s.contains('.')).collect()
    } else {
        graph
    };
    ["openid", "offline_access", "email"]
        .into_iter()
        .chain(resource)
        .map(str::to_owned)
        .collect()
}

pub(super) fn millis(duration: std::time::Duration) -> Millis {
    Millis::try_from(duration.as_millis())
        .unwrap_or(Millis::MAX / 4)
        .min(Millis::MAX / 4)
}
