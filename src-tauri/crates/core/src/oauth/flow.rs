//! One interactive sign-in, from the link to the tokens.

use super::error::SignInError;
use super::loopback::PageWords;
use super::tokens::TokenSet;
use crate::Millis;
use crate::account::Registration;
use tokio_util::sync::CancellationToken;
use url::Url;

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
}

/// The claims that tell who signed in. `email` is for display only.
#[derive(Debug, Clone)]
pub struct IdClaims {
    /// `tid`.
    pub tenant_id: String,
    /// `oid`.
    pub object_id: String,
    /// `preferred_username`.
    pub login_name: String,
    /// `name`.
    pub display_name: String,
}

/// A finished sign-in.
pub struct SignedIn {
    /// Who.
    pub claims: IdClaims,
    /// What was granted.
    pub tokens: TokenSet,
}

/// Looks the tenant up by OpenID discovery.
///
/// # Errors
/// [`SignInError::TenantNotFound`], [`SignInError::Offline`], [`SignInError::Invalid`].
pub async fn discover(
    _http: &reqwest::Client,
    _registration: &Registration,
) -> Result<Discovery, SignInError> {
    todo!()
}

/// The part of the OpenID discovery document that is used.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Discovery {
    /// `iss` that tokens must carry; `{tenantid}` stands for the tenant under `organizations` and `common`.
    pub issuer: String,
    /// Where the browser goes.
    pub authorization_endpoint: Url,
    /// Where codes and refresh tokens are redeemed.
    pub token_endpoint: Url,
}

/// Opens the loopback port and makes the link; the caller opens the browser.
///
/// # Errors
/// As [`discover`], and [`SignInError::NoPort`].
pub async fn begin(
    _http: &reqwest::Client,
    _request: SignInRequest,
) -> Result<SignIn, SignInError> {
    todo!()
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
    pub async fn finish(self, _cancel: CancellationToken) -> Result<SignedIn, SignInError> {
        todo!()
    }
}
