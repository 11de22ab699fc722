//! Reading the ID token. It comes straight from the token endpoint over TLS, so its signature need not be checked
//! (OpenID Connect Core 1.0 §3.1.3.7, point 6); what it says must fit what was asked.

use super::Discovery;
use crate::Millis;
use crate::diagnosis::Evidence;
use crate::oauth::error::SignInError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// Clocks may differ by this much.
const SKEW: Millis = 5 * 60_000;

/// The claims that tell who signed in. The two names are for display only: Entra puts them in where the scope
/// `profile` was asked for, which Mailroom does not do ("ID token claims reference").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdClaims {
    /// `tid`.
    pub tenant_id: String,
    /// `oid`.
    pub object_id: String,
    /// `preferred_username`, else `email`; may be empty.
    pub login_name: String,
    /// `name`; may be empty.
    pub display_name: String,
}

#[derive(Deserialize)]
struct Payload {
    iss: String,
    aud: Audience,
    exp: f64,
    nonce: Option<String>,
    tid: Option<String>,
    oid: Option<String>,
    preferred_username: Option<String>,
    email: Option<String>,
    name: Option<String>,
}

/// One audience or several (RFC 7519 §4.1.3); several are refused, since Entra never sends them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn is(&self, client_id: &str) -> bool {
        match self {
            Self::One(audience) => audience.eq_ignore_ascii_case(client_id),
            Self::Several(audiences) => {
                matches!(audiences.as_slice(), [one] if one.eq_ignore_ascii_case(client_id))
            }
        }
    }
}

/// Checks the token against the attempt. `now` is this computer's time.
pub(super) fn check(
    token: Option<&SecretString>,
    discovery: &Discovery,
    client_id: &str,
    nonce: &str,
    now: Millis,
) -> Result<IdClaims, SignInError> {
    let invalid = |what: &'static str, text: String| {
        SignInError::Invalid(what, Evidence::of(None, None, &text, &[nonce]))
    };
    let token = token.ok_or_else(|| invalid("no_id_token", String::new()))?;
    let payload = payload(token.expose_secret())
        .ok_or_else(|| invalid("id_token", "the ID token cannot be read".to_owned()))?;
    let tenant_id = payload.tid.filter(|tid| !tid.is_empty());
    let object_id = payload.oid.filter(|oid| !oid.is_empty());
    let (Some(tenant_id), Some(object_id)) = (tenant_id, object_id) else {
        return Err(invalid("identity", "tid or oid is missing".to_owned()));
    };
    let issuer = discovery.issuer_for(&tenant_id);
    if payload.iss != issuer {
        return Err(invalid(
            "issuer",
            format!("iss: {}\nexpected: {issuer}", payload.iss),
        ));
    }
    if !payload.iss.split('/').any(|part| part == tenant_id) {
        return Err(invalid(
            "issuer",
            format!("iss: {}\ntid: {tenant_id}", payload.iss),
        ));
    }
    if !payload.aud.is(client_id) {
        return Err(invalid("audience", "aud is not the client id".to_owned()));
    }
    if payload.nonce.as_deref() != Some(nonce) {
        return Err(invalid(
            "nonce",
            "the nonce is not the one asked with".to_owned(),
        ));
    }
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a float cast saturates, which is right here"
    )]
    let expires_at = (payload.exp * 1000.0) as Millis;
    if expires_at.saturating_add(SKEW) < now {
        let text = format!(
            "exp: {}\nthis computer's clock: {}",
            payload.exp,
            now / 1000
        );
        return Err(invalid("expired", text));
    }
    Ok(IdClaims {
        tenant_id,
        object_id,
        login_name: payload
            .preferred_username
            .or(payload.email)
            .unwrap_or_default(),
        display_name: payload.name.unwrap_or_default(),
    })
}

fn payload(token: &str) -> Option<Payload> {
    let mut parts = token.split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use url::Url;

    const NOW: Millis = 1_800_000_000_000;

    fn judge(change: impl FnOnce(&mut Value)) -> Result<IdClaims, SignInError> {
        let discovery = Discovery {
            issuer: "https://login.contoso.example/{tenantid}/v2.0".to_owned(),
            authorization_endpoint: Url::parse("https://login.contoso.example/a").unwrap(),
            token_endpoint: Url::parse("https://login.contoso.example/t").unwrap(),
        };
        let mut payload = json!({
            "iss": "https://login.contoso.example/t-1/v2.0", "aud": "client", "exp": NOW / 1000 + 60,
            "nonce": "n-0-n-c-e", "tid": "t-1", "oid": "o-1",
            "preferred_username": "kim@contoso.example", "name": "Kim", "surprise": [1]
        });
        change(&mut payload);
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload.to_string()));
        check(Some(&token.into()), &discovery, "client", "n-0-n-c-e", NOW)
    }

    #[test]
    fn tells_who_signed_in() {
        let claims = judge(|_| ()).unwrap();
        assert_eq!(
            (claims.tenant_id.as_str(), claims.object_id.as_str()),
            ("t-1", "o-1")
        );
        assert_eq!(claims.login_name, "kim@contoso.example");
        let without_profile = judge(|payload| {
            let payload = payload.as_object_mut().unwrap();
            payload.remove("preferred_username");
            payload.remove("name");
            payload.insert("email".to_owned(), json!("k@contoso.example"));
        });
        let claims = without_profile.unwrap();
        assert_eq!(
            (claims.login_name.as_str(), claims.display_name.as_str()),
            ("k@contoso.example", "")
        );
    }

    #[test]
    fn refuses_what_does_not_fit() {
        for (member, value, what) in [
            ("iss", json!("https://evil.example/t-1/v2.0"), "issuer"),
            (
                "iss",
                json!("https://login.contoso.example/t-2/v2.0"),
                "issuer",
            ),
            ("aud", json!("another"), "audience"),
            ("aud", json!(["client", "another"]), "audience"),
            ("nonce", json!("another"), "nonce"),
            ("nonce", Value::Null, "nonce"),
            ("tid", Value::Null, "identity"),
            ("oid", json!(""), "identity"),
            ("exp", json!(NOW / 1000 - 301), "expired"),
            ("exp", json!("soon"), "id_token"),
        ] {
            let refused = judge(|payload| payload[member] = value.clone());
            assert!(
                matches!(&refused, Err(SignInError::Invalid(said, _)) if *said == what),
                "{member} {value}: {:?}",
                refused.err()
            );
        }
        assert!(judge(|payload| payload["exp"] = json!(NOW / 1000 - 299)).is_ok());
    }
}
