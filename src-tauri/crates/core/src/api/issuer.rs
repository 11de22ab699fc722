//! A sign-in service of any provider, as typed in.

use super::error::{ApiError, ErrorCode};
use crate::account::{Issuer, Registration};
use crate::oauth::flow::url_of;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A sign-in service that describes itself by OpenID discovery, as typed in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct IssuerInput {
    /// Its identifier, an `https` URL, to the letter.
    pub issuer: String,
    /// Client id of the app registered there: a public client with PKCE, redirect to `http://127.0.0.1/`.
    pub client_id: String,
    /// Scopes to ask for; none takes `openid offline_access email`.
    pub scopes: Vec<String>,
    /// Further parameters of the sign-in and of the token request.
    pub parameters: BTreeMap<String, String>,
}

/// Names that Mailroom sets itself in the sign-in and token requests (RFC 6749, RFC 7636, OpenID Connect Core 1.0).
const OWN_PARAMETERS: [&str; 14] = [
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "nonce",
    "redirect_uri",
    "refresh_token",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// Checks an issuer as typed in.
pub(super) fn at_issuer(input: &IssuerInput) -> Result<Registration, ApiError> {
    let name = input.issuer.trim();
    let wrong = || ApiError::new(ErrorCode::InvalidIssuer).arg("value", name);
    let url = url_of(name).ok_or_else(wrong)?;
    let client_id = input.client_id.trim();
    if client_id.is_empty() || client_id.len() > 512 || client_id.chars().any(char::is_control) {
        return Err(ApiError::new(ErrorCode::InvalidClientId).arg("value", client_id));
    }
    let mut scopes = input.scopes.clone();
    if scopes.is_empty() {
        scopes = ["openid", "offline_access", "email"]
            .map(str::to_owned)
            .to_vec();
    }
    // RFC 6749 §3.3: visible ASCII without quotes and backslashes.
    let is_scope = |scope: &String| {
        !scope.is_empty()
            && scope
                .bytes()
                .all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
    };
    if let Some(scope) = scopes.iter().find(|scope| !is_scope(scope)) {
        return Err(ApiError::new(ErrorCode::OutOfRange).arg("value", scope));
    }
    let taken = |name: &&String| OWN_PARAMETERS.contains(&name.as_str());
    if let Some(name) = input.parameters.keys().find(taken) {
        return Err(ApiError::new(ErrorCode::OutOfRange).arg("value", name));
    }
    Ok(Registration {
        authority: url.clone(),
        graph_url: url,
        tenant: String::new(),
        client_id: client_id.to_owned(),
        issuer: Some(Issuer {
            name: name.to_owned(),
            scopes,
            parameters: input.parameters.clone(),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_checked_before_the_browser_opens() {
        let input = |issuer: &str, scope: &str, parameter: &str| IssuerInput {
            issuer: issuer.to_owned(),
            client_id: "mailroom".to_owned(),
            scopes: vec!["openid".to_owned(), scope.to_owned()],
            parameters: [(parameter.to_owned(), "x".to_owned())].into(),
        };
        let fine = "https://id.contoso.example/realm";
        let registration = at_issuer(&input(
            fine,
            "https://mail.contoso.example/imap",
            "resource",
        ));
        assert_eq!(registration.unwrap().issuer.unwrap().name, fine);
        for (issuer, scope, parameter, code) in [
            (
                "id.contoso.example",
                "mail",
                "resource",
                ErrorCode::InvalidIssuer,
            ),
            (
                "http://id.contoso.example",
                "mail",
                "resource",
                ErrorCode::InvalidIssuer,
            ),
            (
                "https://kim@id.contoso.example",
                "mail",
                "resource",
                ErrorCode::InvalidIssuer,
            ),
            (
                "https://id.contoso.example/?a",
                "mail",
                "resource",
                ErrorCode::InvalidIssuer,
            ),
            (fine, "two scopes", "resource", ErrorCode::OutOfRange),
            (fine, "mail", "redirect_uri", ErrorCode::OutOfRange),
        ] {
            let refused = at_issuer(&input(issuer, scope, parameter)).unwrap_err();
            assert_eq!(refused.code, code, "{issuer} {scope} {parameter}");
        }
    }
}
