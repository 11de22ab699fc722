//! OpenID discovery (OpenID Connect Discovery 1.0 §4), and the rules for what it may say.

use super::issuer;
use crate::account::Registration;
use crate::diagnosis::Evidence;
use crate::oauth::error::SignInError;
use crate::oauth::http::{BodyError, below, failure_text, is_allowed, is_loopback, read_capped};
use crate::oauth::redeem::{Refusal, refusal_of};
use http::StatusCode;
use url::Url;

/// Longest discovery document, in bytes.
const DOCUMENT_LIMIT: usize = 256 << 10;

/// Stands for the tenant in the issuer of `organizations` and `common`.
const PLACEHOLDER: &str = "{tenantid}";

/// Hosts that are one sign-in service under several names (Microsoft identity platform, "National clouds").
const FAMILIES: [&[&str]; 3] = [
    &[
        "login.microsoftonline.com",
        "login.microsoft.com",
        "login.windows.net",
        "sts.windows.net",
    ],
    &["login.microsoftonline.us", "login.usgovcloudapi.net"],
    &["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"],
];

/// The part of the OpenID discovery document that is used.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Discovery {
    /// `iss` that tokens must carry; `{tenantid}` stands for the tenant under `organizations` and `common`.
    pub issuer: String,
    /// Where the browser goes.
    pub authorization_endpoint: Url,
    /// Where codes and refresh tokens are redeemed.
    pub token_endpoint: Url,
    /// PKCE methods (RFC 8414 §2); Entra does not list them.
    #[serde(default)]
    pub code_challenge_methods_supported: Vec<String>,
    /// Values of `prompt` (Initiating User Registration via OpenID Connect 1.0 §4); most servers do not list them.
    #[serde(default)]
    pub prompt_values_supported: Vec<String>,
}

impl Discovery {
    /// The `iss` that a token of tenant `tenant_id` carries.
    pub(super) fn issuer_for(&self, tenant_id: &str) -> String {
        self.issuer.replace(PLACEHOLDER, tenant_id)
    }

    /// Whether `issuer` is this one, whatever the tenant.
    pub(super) fn may_be_issuer(&self, issuer: &str) -> bool {
        match self.issuer.split_once(PLACEHOLDER) {
            None => issuer == self.issuer,
            Some((before, after)) => {
                issuer.len() >= before.len() + after.len()
                    && issuer.starts_with(before)
                    && issuer.ends_with(after)
            }
        }
    }
}

/// Looks the tenant, or the issuer, up by OpenID discovery.
///
/// # Errors
/// [`SignInError::TenantNotFound`], [`SignInError::IssuerNotFound`], [`SignInError::Offline`],
/// [`SignInError::Invalid`], [`SignInError::IssuerUnfit`].
pub async fn discover(
    http: &reqwest::Client,
    registration: &Registration,
) -> Result<Discovery, SignInError> {
    if let Some(issuer) = &registration.issuer {
        return issuer::discover(http, issuer).await;
    }
    let tenant = registration.tenant.trim();
    if tenant.is_empty() || tenant.starts_with('.') {
        let evidence = Evidence::of(None, None, &format!("tenant: {tenant}"), &[]);
        return Err(SignInError::TenantNotFound(evidence));
    }
    let url = below(
        &registration.authority,
        &[tenant, "v2.0", ".well-known", "openid-configuration"],
    );
    if !is_allowed(&url) {
        let evidence = Evidence::of(None, None, registration.authority.as_str(), &[]);
        return Err(SignInError::Invalid("authority", evidence));
    }
    let (status, body) = document(http, url).await?;
    if status != StatusCode::OK {
        return Err(match refusal_of(status, &body, &[]) {
            // Whatever the number (AADSTS90002, AADSTS900023, …): the request holds nothing but the tenant.
            Refusal::Refused { evidence, .. }
                if matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND) =>
            {
                SignInError::TenantNotFound(evidence)
            }
            Refusal::Offline(evidence)
                if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS =>
            {
                SignInError::Offline(evidence)
            }
            Refusal::Offline(evidence)
            | Refusal::Refused { evidence, .. }
            | Refusal::Invalid(_, evidence) => SignInError::Invalid("discovery", evidence),
        });
    }
    let invalid = |what: &'static str| {
        let raw = String::from_utf8_lossy(&body);
        SignInError::Invalid(what, Evidence::of(None, Some(200), &raw, &[]))
    };
    let discovery: Discovery = serde_json::from_slice(&body).map_err(|_| invalid("discovery"))?;
    let issuer = Url::parse(&discovery.issuer).map_err(|_| invalid("issuer"))?;
    for (what, url) in [
        ("issuer", &issuer),
        ("authorization_endpoint", &discovery.authorization_endpoint),
        ("token_endpoint", &discovery.token_endpoint),
    ] {
        if !is_allowed(url) || !is_same_service(&registration.authority, url) {
            return Err(invalid(what));
        }
    }
    Ok(discovery)
}

/// Gets a document of limited length, whatever its status.
pub(super) async fn document(
    http: &reqwest::Client,
    url: Url,
) -> Result<(StatusCode, bytes::Bytes), SignInError> {
    let offline = |text: String| SignInError::Offline(Evidence::of(None, None, &text, &[]));
    let response = http
        .get(url)
        .header(http::header::ACCEPT, "application/json")
        .timeout(std::time::Duration::from_secs(30))
        .send()
        .await
        .map_err(|error| offline(failure_text(error)))?;
    let status = response.status();
    match read_capped(response, DOCUMENT_LIMIT).await {
        Ok(body) => Ok((status, body)),
        Err(BodyError::Broken(error)) => Err(offline(failure_text(error))),
        Err(BodyError::TooLarge) => {
            let evidence = Evidence::of(None, Some(status.as_u16()), "", &[]);
            Err(SignInError::Invalid("too_large", evidence))
        }
    }
}

/// Whether `url` belongs to the sign-in service `authority`: the same host and port, or another name of it.
fn is_same_service(authority: &Url, url: &Url) -> bool {
    if authority.port_or_known_default() != url.port_or_known_default()
        || authority.scheme() != url.scheme()
    {
        return false;
    }
    let (Some(ours), Some(theirs)) = (authority.host_str(), url.host_str()) else {
        return false;
    };
    ours == theirs
        || (is_loopback(authority) && is_loopback(url))
        || FAMILIES
            .iter()
            .any(|family| family.contains(&ours) && family.contains(&theirs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_host_is_another_service() {
        for (authority, url, same) in [
            (
                "https://login.microsoftonline.com/",
                "https://login.microsoftonline.com/x",
                true,
            ),
            (
                "https://login.microsoftonline.com/",
                "https://sts.windows.net/x",
                true,
            ),
            (
                "https://login.chinacloudapi.cn/",
                "https://login.partner.microsoftonline.cn/x",
                true,
            ),
            (
                "https://login.microsoftonline.com/",
                "https://login.microsoftonline.us/x",
                false,
            ),
            (
                "https://login.microsoftonline.com/",
                "https://evil.example/x",
                false,
            ),
            (
                "https://login.microsoftonline.com/",
                "https://login.microsoftonline.com:444/x",
                false,
            ),
            (
                "https://login.microsoftonline.com/",
                "http://login.microsoftonline.com/x",
                false,
            ),
            ("http://localhost:81/", "http://127.0.0.1:81/x", true),
            ("http://localhost:81/", "http://127.0.0.1:82/x", false),
        ] {
            let (authority, url) = (Url::parse(authority).unwrap(), Url::parse(url).unwrap());
            assert_eq!(is_same_service(&authority, &url), same, "{authority} {url}");
        }
    }

    #[test]
    fn the_placeholder_stands_for_the_tenant_only() {
        let discovery = Discovery {
            issuer: "https://login.contoso.example/{tenantid}/v2.0".to_owned(),
            authorization_endpoint: Url::parse("https://login.contoso.example/a").unwrap(),
            token_endpoint: Url::parse("https://login.contoso.example/t").unwrap(),
            code_challenge_methods_supported: Vec::new(),
            prompt_values_supported: Vec::new(),
        };
        assert_eq!(
            discovery.issuer_for("t1"),
            "https://login.contoso.example/t1/v2.0"
        );
        assert!(discovery.may_be_issuer("https://login.contoso.example/t1/v2.0"));
        assert!(!discovery.may_be_issuer("https://evil.example/t1/v2.0"));
    }
}
