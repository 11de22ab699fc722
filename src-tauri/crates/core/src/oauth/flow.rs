//! One interactive sign-in, from the link to the tokens.

mod discovery;
mod id_token;
mod issuer;
#[cfg(test)]
mod tests;

pub use discovery::{Discovery, discover};
pub use id_token::IdClaims;
pub(crate) use issuer::url_of;

use super::error::SignInError;
use super::loopback::{Loopback, Page, PageWords, Return};
use super::redeem::{Client, Grant, claims_parameter, redeem, refusal_of_redirect};
use super::tokens::{TokenSet, millis};
use crate::Millis;
use crate::account::Registration;
use crate::diagnosis::Evidence;
use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use secrecy::{ExposeSecret, SecretString};
use std::borrow::Cow;
use std::collections::BTreeMap;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Bytes of randomness in `state` and `nonce`.
const RANDOM_BYTES: u32 = 32;

/// What a sign-in needs to know.
pub struct SignInRequest {
    /// Where and as which app.
    pub registration: Registration,
    /// Scopes to ask for (of one resource, plus the OpenID ones).
    pub scopes: Vec<String>,
    /// Fills in the name on the sign-in page.
    pub login_hint: Option<String>,
    /// Show the account picker (`prompt=select_account`) even if somebody is signed in.
    pub select_account: bool,
    /// A claims challenge to answer, as decoded JSON text.
    pub claims: Option<String>,
    /// Words of the page that the browser shows at the end.
    pub words: PageWords,
    /// How long to wait for the browser. Five minutes in the product.
    pub time_limit: std::time::Duration,
}

/// A sign-in that waits for the browser. Dropping it closes the port.
pub struct SignIn {
    authorize_url: Url,
    expires_at: Millis,
    deadline: Instant,
    loopback: Loopback,
    attempt: Attempt,
}

/// What binds the answer to the question.
struct Attempt {
    http: reqwest::Client,
    registration: Registration,
    discovery: Discovery,
    scopes: Vec<String>,
    claims: Option<String>,
    redirect_uri: String,
    state: SecretString,
    nonce: String,
    verifier: PkceCodeVerifier,
}

/// A finished sign-in.
pub struct SignedIn {
    /// Who.
    pub claims: IdClaims,
    /// What was granted.
    pub tokens: TokenSet,
}

/// Opens the loopback port and makes the link; the caller opens the browser.
///
/// # Errors
/// As [`discover`], and [`SignInError::NoPort`].
pub async fn begin(http: &reqwest::Client, request: SignInRequest) -> Result<SignIn, SignInError> {
    let discovery = discover(http, &request.registration).await?;
    let state = CsrfToken::new_random_len(RANDOM_BYTES);
    let nonce = CsrfToken::new_random_len(RANDOM_BYTES).into_secret();
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let loopback = Loopback::open(SecretString::from(state.secret().as_str()), request.words)
        .await
        .map_err(SignInError::NoPort)?;
    let redirect_uri = redirect_uri(&request.registration, loopback.port());
    let state_secret = SecretString::from(state.secret().as_str());
    let authorize_url = {
        let redirect = RedirectUrl::new(redirect_uri.clone())
            .map_err(|_| SignInError::Invalid("redirect_uri", Evidence::default()))?;
        let client: Client<oauth2::EndpointSet> =
            Client::new(ClientId::new(request.registration.client_id.clone()))
                .set_auth_uri(AuthUrl::from_url(discovery.authorization_endpoint.clone()));
        let mut link = client
            .authorize_url(|| state)
            .set_redirect_uri(Cow::Owned(redirect))
            .set_pkce_challenge(challenge)
            .add_scopes(request.scopes.iter().map(|s| Scope::new(s.clone())))
            .add_extra_param("nonce", nonce.clone());
        match &request.registration.issuer {
            None => {
                link = link
                    .add_extra_param("response_mode", "query")
                    .add_extra_param("claims", claims_parameter(request.claims.as_deref()));
            }
            Some(issuer) => {
                for (name, value) in &issuer.parameters {
                    link = link.add_extra_param(name.clone(), value.clone());
                }
            }
        }
        if let Some(hint) = request.login_hint.filter(|hint| !hint.trim().is_empty()) {
            link = link.add_extra_param("login_hint", hint);
        }
        if request.select_account {
            link = link.add_extra_param("prompt", picker(&request.registration, &discovery));
        }
        link.url().0
    };
    Ok(SignIn {
        authorize_url,
        expires_at: jiff::Timestamp::now().as_millisecond() + millis(request.time_limit),
        deadline: Instant::now() + request.time_limit,
        loopback,
        attempt: Attempt {
            http: http.clone(),
            registration: request.registration,
            discovery,
            scopes: request.scopes,
            claims: request.claims,
            redirect_uri,
            state: state_secret,
            nonce,
            verifier,
        },
    })
}

/// Where the browser comes back to. Entra ignores the port of a loopback URI but compares the path, and knows
/// `localhost` ("Redirect URI restrictions"). Others follow RFC 8252 §7.3 and want the address itself.
fn redirect_uri(registration: &Registration, port: u16) -> String {
    match registration.issuer {
        None => format!("http://localhost:{port}"),
        Some(_) => format!("http://127.0.0.1:{port}/"),
    }
}

/// The prompt that lets somebody else sign in (OpenID Connect Core 1.0 §3.1.2.1). `select_account` is an error to
/// servers that do not know it; all know `login`.
fn picker(registration: &Registration, discovery: &Discovery) -> &'static str {
    let knows = |value: &str| discovery.prompt_values_supported.iter().any(|v| v == value);
    match registration.issuer.is_none() || knows("select_account") {
        true => "select_account",
        false => "login",
    }
}

impl SignIn {
    /// The link to open: state, nonce and PKCE challenge are bound to this attempt.
    pub fn authorize_url(&self) -> &Url {
        &self.authorize_url
    }

    /// When waiting ends by itself.
    pub fn expires_at(&self) -> Millis {
        self.expires_at
    }

    /// Waits for the browser's return and redeems the code.
    ///
    /// # Errors
    /// Any [`SignInError`]; the browser page has said so too.
    pub async fn finish(self, cancel: CancellationToken) -> Result<SignedIn, SignInError> {
        let Self {
            mut loopback,
            attempt,
            deadline,
            ..
        } = self;
        let came_back = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(SignInError::Cancelled),
            came_back = loopback.next() => came_back.ok_or(SignInError::Cancelled)?,
            () = tokio::time::sleep_until(deadline) => return Err(SignInError::TimedOut),
        };
        let Return { parameters, reply } = came_back;
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(SignInError::Cancelled),
            outcome = attempt.complete(&parameters) => outcome,
        };
        reply
            .send(match outcome {
                Ok(_) => Page::Done,
                Err(_) => Page::Failed,
            })
            .await;
        outcome
    }
}

fn is_openid(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| scope == "openid")
}

impl Attempt {
    /// Judges what the browser brought, and redeems the code.
    async fn complete(
        self,
        parameters: &BTreeMap<String, String>,
    ) -> Result<SignedIn, SignInError> {
        let state = self.state.expose_secret();
        if let Some(error) = parameters.get("error") {
            return Err(refusal_of_redirect(error, parameters, &[state]).into());
        }
        if let Some(issuer) = parameters.get("iss")
            && !self.discovery.may_be_issuer(issuer)
        {
            // RFC 9207: an answer that another server made (mix-up attack).
            let evidence = Evidence::of(None, None, &format!("iss: {issuer}"), &[state]);
            return Err(SignInError::Invalid("issuer", evidence));
        }
        let Some(code) = parameters.get("code").filter(|code| !code.is_empty()) else {
            let names: Vec<&str> = parameters.keys().map(String::as_str).collect();
            let raw = format!("parameters: {}", names.join(", "));
            let evidence = Evidence::of(None, None, &raw, &[state]);
            // The end of an admin's consent looks like this; it is a yes, but no sign-in.
            let what = match parameters.contains_key("admin_consent") {
                true => "admin_consent_without_code",
                false => "no_code",
            };
            return Err(SignInError::Invalid(what, evidence));
        };
        let asked_at = jiff::Timestamp::now().as_millisecond();
        let granted = redeem(
            &self.http,
            &self.discovery.token_endpoint,
            &self.registration,
            Grant::Code {
                code: SecretString::from(code.as_str()),
                verifier: self.verifier,
                redirect_uri: self.redirect_uri,
            },
            &self.scopes,
            self.claims.as_deref(),
        )
        .await?;
        let claims = match &self.registration.issuer {
            // Plain OAuth knows no identity: the mail server tells whether the token is for its login name.
            Some(issuer) if granted.id_token.is_none() && !is_openid(&self.scopes) => {
                IdClaims::nobody(&issuer.name)
            }
            Some(_) | None => id_token::check(
                granted.id_token.as_ref(),
                &self.discovery,
                &self.registration,
                &self.nonce,
                asked_at,
            )?,
        };
        let Some(refresh) = granted.refresh else {
            // Without `offline_access` there is nothing to go on with after an hour.
            return Err(SignInError::Invalid(
                "no_refresh_token",
                Evidence::of(None, None, "", &[]),
            ));
        };
        Ok(SignedIn {
            claims,
            tokens: TokenSet {
                access: granted.access,
                expires_at: asked_at + millis(granted.lifetime),
                refresh,
                scopes: granted.scopes,
            },
        })
    }
}
