//! A request to `/authorize`, checked in Entra's order: what is wrong with the app stays on the page,
//! what is wrong with the rest goes back in the redirect.

use super::authority::Authority;
use super::errors::Refusal;
use super::obstacles;
use super::scopes::Scopes;
use crate::scenarios::Scenario;
use crate::tenant::directory::{MAILROOM, Platform, Registration};
use crate::world::World;
use std::collections::HashMap;

/// Form or query parameters; the first of each name counts.
pub(crate) type Parameters = HashMap<String, String>;

/// Reads `application/x-www-form-urlencoded` text. Empty values count as missing.
pub(crate) fn parameters(text: &str) -> Parameters {
    let mut all = Parameters::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        if !value.is_empty() {
            all.entry(name.into_owned())
                .or_insert_with(|| value.into_owned());
        }
    }
    all
}

/// How the answer travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseMode {
    /// In the query.
    Query,
    /// In the fragment.
    Fragment,
    /// As a form that the browser posts.
    FormPost,
}

/// `prompt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// Not given: sessions are used silently.
    Auto,
    /// Never show a page.
    None,
    /// Type the password again.
    Login,
    /// Show the account picker.
    SelectAccount,
    /// Show the consent page again.
    Consent,
}

/// Where the answer goes.
#[derive(Debug, Clone)]
pub(crate) struct Return {
    /// Exactly as it was sent.
    pub(crate) redirect_uri: String,
    /// How.
    pub(crate) mode: ResponseMode,
    /// Returned verbatim.
    pub(crate) state: Option<String>,
}

/// PKCE (RFC 7636).
#[derive(Debug, Clone)]
pub(crate) struct Challenge {
    /// `S256` rather than `plain`.
    pub(crate) s256: bool,
    /// `code_challenge`.
    pub(crate) value: String,
}

/// A valid request.
#[derive(Debug, Clone)]
pub(crate) struct AuthorizeRequest {
    /// The app.
    pub(crate) app: Registration,
    /// Platform of the redirect URI.
    pub(crate) platform: Platform,
    /// Where the answer goes.
    pub(crate) back: Return,
    /// What is asked for.
    pub(crate) scopes: Scopes,
    /// PKCE.
    pub(crate) challenge: Option<Challenge>,
    /// `prompt`.
    pub(crate) prompt: Prompt,
    /// `nonce`, for the ID token.
    pub(crate) nonce: Option<String>,
    /// `login_hint`.
    pub(crate) login_hint: Option<String>,
    /// `domain_hint`.
    pub(crate) domain_hint: Option<String>,
    /// Does the client understand claims challenges (`xms_cc: cp1` in `claims`)?
    pub(crate) understands_challenges: bool,
    /// Does it bring the claims of a challenge, so that the sign-in meets the policy behind it?
    pub(crate) steps_up: bool,
}

/// How a bad request is answered.
#[derive(Debug)]
pub(crate) enum Bad {
    /// On the page: the app or its redirect URI cannot be trusted.
    Page(Refusal),
    /// In the redirect.
    Redirect(Return, Refusal),
}

impl AuthorizeRequest {
    /// Checks the parameters.
    pub(crate) fn parse(world: &World, authority: &Authority, p: &Parameters) -> Result<Self, Bad> {
        let app = app(world, authority, p.get("client_id")).map_err(Bad::Page)?;
        let (redirect_uri, platform) = redirect(&app, p.get("redirect_uri")).map_err(Bad::Page)?;
        let mode = match p.get("response_mode").map(String::as_str) {
            None | Some("query") => Ok(ResponseMode::Query),
            Some("fragment") => Ok(ResponseMode::Fragment),
            Some("form_post") => Ok(ResponseMode::FormPost),
            Some(_) => Err(unsupported("response_mode")),
        };
        let back = Return {
            redirect_uri,
            mode: *mode.as_ref().unwrap_or(&ResponseMode::Query),
            state: p.get("state").cloned(),
        };
        let parsed =
            mode.and_then(|_| Self::rest(world, authority, p, app, platform, back.clone()));
        parsed.map_err(|refusal| Bad::Redirect(back, refusal))
    }

    fn rest(
        world: &World,
        authority: &Authority,
        p: &Parameters,
        app: Registration,
        platform: Platform,
        back: Return,
    ) -> Result<Self, Refusal> {
        match p.get("response_type").map(String::as_str) {
            Some("code") => {}
            None => return Err(Refusal::missing("response_type")),
            Some(other) => {
                let text = format!("response_type '{other}' is not enabled for the application.");
                return Err(Refusal::new("unsupported_response_type", 700_054, text));
            }
        }
        let tenant = match authority {
            Authority::Tenant(id) => id.as_str(),
            Authority::Organizations | Authority::Common | Authority::Consumers => app.home_tenant,
        };
        let tenant = world.directory.lock().tenant(tenant).map_or("", |t| t.name);
        let scope = p.get("scope").ok_or_else(|| Refusal::missing("scope"))?;
        let scopes = Scopes::parse(scope, &app, tenant)?;
        scopes.listed(&app)?;
        let prompt = match p.get("prompt").map(String::as_str) {
            None => Prompt::Auto,
            Some("none") => Prompt::None,
            Some("login") => Prompt::Login,
            Some("select_account") => Prompt::SelectAccount,
            Some("consent") => Prompt::Consent,
            Some(_) => return Err(unsupported("prompt")),
        };
        let challenge = challenge(platform, p)?;
        Ok(AuthorizeRequest {
            platform,
            back,
            scopes,
            challenge,
            prompt,
            nonce: p.get("nonce").cloned(),
            login_hint: p.get("login_hint").cloned(),
            domain_hint: p.get("domain_hint").cloned(),
            understands_challenges: understands_challenges(p.get("claims"))?,
            steps_up: steps_up(p.get("claims"))?,
            app,
        })
    }
}

/// The registration, if it exists and may be used at this authority.
pub(crate) fn app(
    world: &World,
    authority: &Authority,
    client_id: Option<&String>,
) -> Result<Registration, Refusal> {
    let client_id = client_id.ok_or_else(|| Refusal::missing("client_id"))?;
    let directory = world.directory.lock();
    let app = directory
        .registration(client_id)
        .filter(|app| app.client_id != MAILROOM || !world.has(Scenario::AppUnknown))
        .map(|app| obstacles::registered(world, app, &directory.decisions.removed));
    match (authority, app) {
        (Authority::Tenant(id), app) => {
            let tenant = directory.tenant(id).map_or(id.as_str(), |t| t.name);
            app.filter(|a| a.serves(id))
                .ok_or_else(|| Refusal::unknown_app(client_id, tenant))
        }
        (_, None) => Err(Refusal::unknown_app(client_id, "Microsoft Accounts")),
        (Authority::Consumers, Some(app)) => {
            Err(Refusal::work_accounts_only(app.client_id, app.name))
        }
        (Authority::Organizations | Authority::Common, Some(app)) if app.multi_tenant => Ok(app),
        (Authority::Organizations | Authority::Common, Some(app)) => {
            Err(Refusal::single_tenant(app.client_id, app.name))
        }
    }
}

/// The redirect URI, if the registration has it.
pub(crate) fn redirect(
    app: &Registration,
    sent: Option<&String>,
) -> Result<(String, Platform), Refusal> {
    let sent =
        sent.ok_or_else(|| Refusal::new("invalid_request", 900_971, "No reply address provided."))?;
    if app.redirects.is_empty() {
        let text = "No reply address is registered for the application.";
        return Err(Refusal::new("invalid_request", 500_113, text));
    }
    match app.redirect_platform(sent) {
        Some(platform) => Ok((sent.clone(), platform)),
        None => Err(Refusal::redirect_mismatch(sent, app.client_id)),
    }
}

fn challenge(platform: Platform, p: &Parameters) -> Result<Option<Challenge>, Refusal> {
    let Some(value) = p.get("code_challenge") else {
        return match platform {
            Platform::Web => Ok(None),
            Platform::Desktop => Err(Refusal::new(
                "invalid_request",
                9_002_325,
                "Proof Key for Code Exchange is required for cross-origin authorization code redemption.",
            )),
        };
    };
    if !(43..=128).contains(&value.len()) {
        let text = "Invalid size of Code_Challenge parameter.";
        return Err(Refusal::new("invalid_request", 501_491, text));
    }
    // Without a method the verifier itself was sent (RFC 7636 section 4.3).
    let s256 = match p.get("code_challenge_method").map(String::as_str) {
        Some("S256") => true,
        None | Some("plain") => false,
        Some(_) => return Err(unsupported("code_challenge_method")),
    };
    Ok(Some(Challenge {
        s256,
        value: value.clone(),
    }))
}

/// Do the `claims` name the authentication context that the scenario `claims-challenge` asks for ("Developer
/// guide to Conditional Access authentication context")?
fn steps_up(claims: Option<&String>) -> Result<bool, Refusal> {
    let Some(claims) = claims else {
        return Ok(false);
    };
    let claims: serde_json::Value =
        serde_json::from_str(claims).map_err(|_| Refusal::malformed())?;
    Ok(claims["access_token"]["acrs"]["value"] == "c1")
}

/// Reads `claims` ("How to use Continuous Access Evaluation enabled APIs in your applications").
pub(crate) fn understands_challenges(claims: Option<&String>) -> Result<bool, Refusal> {
    let Some(claims) = claims else {
        return Ok(false);
    };
    let claims: serde_json::Value =
        serde_json::from_str(claims).map_err(|_| Refusal::malformed())?;
    let values = &claims["access_token"]["xms_cc"]["values"];
    Ok(values
        .as_array()
        .is_some_and(|all| all.iter().any(|v| v == "cp1")))
}

fn unsupported(parameter: &str) -> Refusal {
    let text = format!("Unsupported '{parameter}' value.");
    Refusal::new("invalid_request", 90_023, text)
}
