//! Registration, sign-in, consent and token: what the sign-in service and the first questions to the mail server say.

use super::{Known, Lights, timed};
use crate::Millis;
use crate::account::Identity;
use crate::api::view::{ScopeView, Station};
use crate::app::App;
use crate::app::views::scope_views;
use crate::diagnosis::Finding;
use crate::diagnosis::checks::{self, finding_of, finding_of_token};
use crate::diagnosis::evidence::{
    self, ConsentEvidence, RegistrationEvidence, SignInEvidence, TokenEvidence,
};
use crate::oauth::error::{SignInError, TokenError};
use crate::provider::{Folder, Provider, ProviderError};
use std::time::{Duration, Instant};

/// What the first questions to the mail server brought. They are asked before the sign-in is judged, because a
/// sign-in that has ended early shows there first.
pub(super) struct Reached {
    pub(super) identity: Option<Result<Identity, ProviderError>>,
    pub(super) inbox: Option<Result<Folder, ProviderError>>,
    /// How long the mail server asked us to stay away, from now.
    pub(super) wait: Option<Duration>,
    pub(super) took: Duration,
}

/// Registration, sign-in, consent and token.
pub(super) async fn sign_in(
    app: &App,
    known: &Known,
    provider: &Provider,
    lights: &mut Lights<'_>,
) -> Option<Reached> {
    let registration = &known.account.registration;
    let http = app.context.connections.http();
    let discovery = timed(evidence::discovery(http, registration));
    let asking = ask_mailbox(app, known, provider);
    let ((discovery, discovery_took), (renewal, token_took, granted, reached)) =
        tokio::join!(discovery, asking);
    let refused = |result: &ProviderError| match result {
        ProviderError::Token(error) => Some(error.clone()),
        ProviderError::Offline(_)
        | ProviderError::Unauthorized(_)
        | ProviderError::Forbidden(_)
        | ProviderError::Untrusted(_)
        | ProviderError::NotFound(_)
        | ProviderError::Throttled(..)
        | ProviderError::CursorExpired(_)
        | ProviderError::QuotaFull(_)
        | ProviderError::Server(_)
        | ProviderError::Protocol(..) => None,
    };
    let asked = [
        reached
            .identity
            .as_ref()
            .and_then(|seen| seen.as_ref().err()),
        reached.inbox.as_ref().and_then(|seen| seen.as_ref().err()),
    ];
    let late = asked.iter().flatten().find_map(|error| refused(error));
    let renewal = match (renewal, late) {
        (Ok(_), Some(error)) => Err(error),
        (renewal, _) => renewal,
    };
    let refusal = match &renewal {
        Err(error @ TokenError::SignInAgain { .. }) => Some(finding_of_token(error)),
        Err(TokenError::Offline(_) | TokenError::NoTokens | TokenError::NotStored(_)) | Ok(_) => {
            None
        }
    };
    if renewal.is_ok() {
        lights.map.scopes = scope_views(&granted, known.row.mailbox.is_some());
    }
    let signed_in = !known.row.disconnected && !matches!(renewal, Err(TokenError::NoTokens));
    let unauthorized = asked
        .into_iter()
        .flatten()
        .find(|error| matches!(error, ProviderError::Unauthorized(_)))
        .map(finding_of);
    let asked = known
        .approval
        .as_ref()
        .map(|row| (row.asked_at, row.denied));
    lights.remembered = refusal
        .as_ref()
        .and_then(|finding| Some(finding.evidence.as_ref()?.at));
    let goes_on = judge_sign_in(
        lights,
        SignInSeen {
            discovery,
            discovery_took,
            identity: signed_in.then(|| known.account.identity.clone()),
            granted,
            refusal,
            asked,
            renewal,
            unauthorized,
            token_took,
        },
    );
    lights.remembered = None;
    goes_on.then_some(reached)
}

/// Everything about the sign-in, gathered.
pub(super) struct SignInSeen {
    pub(super) discovery: Result<String, SignInError>,
    pub(super) discovery_took: Duration,
    pub(super) identity: Option<Identity>,
    pub(super) granted: Vec<String>,
    pub(super) refusal: Option<Finding>,
    pub(super) asked: Option<(Millis, bool)>,
    pub(super) renewal: Result<Option<Millis>, TokenError>,
    pub(super) unauthorized: Option<Finding>,
    pub(super) token_took: Duration,
}

pub(super) fn judge_sign_in(lights: &mut Lights<'_>, seen: SignInSeen) -> bool {
    let refusal = seen.refusal;
    let registration = checks::registration::check(&RegistrationEvidence {
        discovery: seen.discovery,
        refusal: refusal.clone(),
    });
    let took = Some(seen.discovery_took);
    if !lights.light(Station::Registration, registration, took) {
        return false;
    }
    let sign_in = checks::sign_in::check(&SignInEvidence {
        identity: seen.identity,
        refusal: refusal.clone(),
    });
    if !lights.light(Station::SignIn, sign_in, None) {
        return false;
    }
    let consent = checks::consent::check(&ConsentEvidence {
        needed: needed(&lights.map.scopes),
        granted: seen.granted,
        refusal,
        asked: seen.asked,
    });
    if !lights.light(Station::Consent, consent, None) {
        return false;
    }
    let token = checks::token::check(&TokenEvidence {
        renewal: seen.renewal,
        unauthorized: seen.unauthorized,
    });
    lights.light(Station::Token, token, Some(seen.token_took))
}

pub(super) fn needed(scopes: &[ScopeView]) -> Vec<String> {
    scopes
        .iter()
        .filter(|scope| scope.needed)
        .map(|scope| scope.name.clone())
        .collect()
}

type Asked = (
    Result<Option<Millis>, TokenError>,
    Duration,
    Vec<String>,
    Reached,
);

/// Makes sure of a token, then asks the mail server who the mailbox belongs to and for its inbox.
async fn ask_mailbox(app: &App, known: &Known, provider: &Provider) -> Asked {
    let now = app.context.clock.now();
    let mut reached = Reached {
        identity: None,
        inbox: None,
        wait: known
            .row
            .wait_until
            .filter(|until| *until > now)
            .map(|until| Duration::from_millis(u64::try_from(until - now).unwrap_or(0))),
        took: Duration::ZERO,
    };
    let granted = known.account.scopes.clone();
    if known.row.disconnected {
        return (Err(TokenError::NoTokens), Duration::ZERO, granted, reached);
    }
    let Ok(tokens) = app.context.connections.tokens(&known.account).await else {
        return (Err(TokenError::NoTokens), Duration::ZERO, granted, reached);
    };
    let (renewal, token_took) = timed(evidence::silent_renewal(&tokens)).await;
    let granted = match &renewal {
        Ok(_) => tokens.scopes().await.unwrap_or(granted),
        Err(_) => granted,
    };
    if renewal.is_err() || reached.wait.is_some() {
        return (renewal, token_took, granted, reached);
    }
    let begun = Instant::now();
    if known.row.mailbox.is_none() {
        reached.identity = Some(evidence::identity(provider).await);
    }
    if reached.identity.as_ref().is_none_or(Result::is_ok) {
        reached.inbox = Some(evidence::inbox(provider).await);
    }
    reached.took = begun.elapsed();
    (renewal, token_took, granted, reached)
}
