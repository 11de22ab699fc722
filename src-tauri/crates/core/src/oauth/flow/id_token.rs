//! Reading the ID token. It comes straight from the token endpoint over TLS, so its signature need not be checked
//! (OpenID Connect Core 1.0 §3.1.3.7, point 6); what it says must fit what was asked.

use super::Discovery;
use crate::Millis;
use crate::account::Registration;
use crate::diagnosis::Evidence;
use crate::oauth::error::SignInError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// Clocks may differ by this much.
const SKEW: Millis = 5 * 60_000;

/// The claims that tell who signed in. Entra puts the names in where the scope `profile` was asked for, which
/// Mailroom does not do ("ID token claims reference"): there they are for display only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdClaims {
    /// `tid`; of other issuers `iss`.
    pub tenant_id: String,
    /// `oid`; of other issuers `sub`, which is empty where nobody told who signed in.
    pub object_id: String,
    /// `email`.
    pub email: Option<String>,
    /// `preferred_username`, else `email`; may be empty.
    pub login_name: String,
    /// `name`; may be empty.
    pub display_name: String,
}

impl IdClaims {
    /// Without an ID token nobody says who signed in.
    pub(super) fn nobody(issuer: &str) -> Self {
        Self {
            tenant_id: issuer.to_owned(),
            object_id: String::new(),
            email: None,
            login_name: String::new(),
            display_name: String::new(),
        }
    }

    /// Whether whoever signed in goes by the name `login` at a mail server: the same name or address, or the same
    /// without the domain where the server's names have none. Nothing where the token tells no name.
    pub fn goes_by(&self, login: &str) -> Option<bool> {
        let names = [Some(self.login_name.as_str()), self.email.as_deref()];
        let mut names = names
            .into_iter()
            .flatten()
            .filter(|name| !name.is_empty())
            .peekable();
        names.peek()?;
        Some(names.any(|name| {
            let short = |name: &str| name.split('@').next().unwrap_or_default().to_lowercase();
            let is_short = !login.contains('@') || !name.contains('@');
            name.to_lowercase() == login.to_lowercase() || (is_short && short(name) == short(login))
        }))
    }
}

#[derive(Deserialize)]
struct Payload {
    iss: String,
    sub: Option<String>,
    azp: Option<String>,
    aud: Audience,
    exp: f64,
    nonce: Option<String>,
    tid: Option<String>,
    oid: Option<String>,
    preferred_username: Option<String>,
    email: Option<String>,
    name: Option<String>,
}

/// One audience or several (RFC 7519 §4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    /// Whether the token is for this client. Several audiences are believed only where the token says that it was
    /// made for this one (OpenID Connect Core 1.0 §3.1.3.7, points 3 to 5), which Entra never does.
    fn is(&self, client_id: &str, azp: Option<&str>) -> bool {
        let is_ours = |name: &str| name.eq_ignore_ascii_case(client_id);
        match self {
            Self::One(audience) => is_ours(audience),
            Self::Several(audiences) => match audiences.as_slice() {
                [one] => is_ours(one),
                several => several.iter().any(|name| is_ours(name)) && azp.is_some_and(is_ours),
            },
        }
    }
}

/// Checks the token against the attempt. `now` is this computer's time.
pub(super) fn check(
    token: Option<&SecretString>,
    discovery: &Discovery,
    registration: &Registration,
    nonce: &str,
    now: Millis,
) -> Result<IdClaims, SignInError> {
    let invalid: Invalid<'_> = &|what: &'static str, text: String| {
        SignInError::Invalid(what, Evidence::of(None, None, &text, &[nonce]))
    };
    let token = token.ok_or_else(|| invalid("no_id_token", String::new()))?;
    let payload = payload(token.expose_secret())
        .ok_or_else(|| invalid("id_token", "the ID token cannot be read".to_owned()))?;
    let (tenant_id, object_id) = match registration.issuer {
        None => entra_identity(&payload, discovery, invalid)?,
        Some(_) => issuers_identity(&payload, discovery, invalid)?,
    };
    let azp = payload.azp.as_deref();
    if !payload.aud.is(&registration.client_id, azp) {
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
            .or_else(|| payload.email.clone())
            .unwrap_or_default(),
        email: payload.email,
        display_name: payload.name.unwrap_or_default(),
    })
}

type Invalid<'a> = &'a dyn Fn(&'static str, String) -> SignInError;

fn entra_identity(
    payload: &Payload,
    discovery: &Discovery,
    invalid: Invalid<'_>,
) -> Result<(String, String), SignInError> {
    let given = |claim: &Option<String>| claim.clone().filter(|text| !text.is_empty());
    let (Some(tenant_id), Some(object_id)) = (given(&payload.tid), given(&payload.oid)) else {
        return Err(invalid("identity", "tid or oid is missing".to_owned()));
    };
    let issuer = discovery.issuer_for(&tenant_id);
    if payload.iss != issuer {
        let text = format!("iss: {}\nexpected: {issuer}", payload.iss);
        return Err(invalid("issuer", text));
    }
    if !payload.iss.split('/').any(|part| part == tenant_id) {
        let text = format!("iss: {}\ntid: {tenant_id}", payload.iss);
        return Err(invalid("issuer", text));
    }
    Ok((tenant_id, object_id))
}

/// `iss` and `sub` together name a person for good (OpenID Connect Core 1.0 §5.7).
fn issuers_identity(
    payload: &Payload,
    discovery: &Discovery,
    invalid: Invalid<'_>,
) -> Result<(String, String), SignInError> {
    if payload.iss != discovery.issuer {
        let text = format!("iss: {}\nexpected: {}", payload.iss, discovery.issuer);
        return Err(invalid("issuer", text));
    }
    match payload.sub.as_deref() {
        Some(sub) if !sub.is_empty() => Ok((payload.iss.clone(), sub.to_owned())),
        Some(_) | None => Err(invalid("identity", "sub is missing".to_owned())),
    }
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
    use crate::account::Issuer;
    use serde_json::{Value, json};
    use url::Url;

    const NOW: Millis = 1_800_000_000_000;

    fn discovery(issuer: &str) -> Discovery {
        Discovery {
            issuer: issuer.to_owned(),
            authorization_endpoint: Url::parse("https://login.contoso.example/a").unwrap(),
            token_endpoint: Url::parse("https://login.contoso.example/t").unwrap(),
            code_challenge_methods_supported: Vec::new(),
            prompt_values_supported: Vec::new(),
        }
    }

    fn registration(issuer: Option<&str>) -> Registration {
        let url = Url::parse("https://login.contoso.example/").unwrap();
        Registration {
            authority: url.clone(),
            graph_url: url,
            tenant: "t-1".to_owned(),
            client_id: "client".to_owned(),
            issuer: issuer.map(|name| Issuer {
                name: name.to_owned(),
                scopes: Vec::new(),
                parameters: Default::default(),
            }),
        }
    }

    fn signed(payload: &Value) -> SecretString {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload.to_string())).into()
    }

    fn judge(change: impl FnOnce(&mut Value)) -> Result<IdClaims, SignInError> {
        let discovery = discovery("https://login.contoso.example/{tenantid}/v2.0");
        let mut payload = json!({
            "iss": "https://login.contoso.example/t-1/v2.0", "aud": "client", "exp": NOW / 1000 + 60,
            "nonce": "n-0-n-c-e", "tid": "t-1", "oid": "o-1",
            "preferred_username": "kim@contoso.example", "name": "Kim", "surprise": [1]
        });
        change(&mut payload);
        let registration = registration(None);
        check(
            Some(&signed(&payload)),
            &discovery,
            &registration,
            "n-0-n-c-e",
            NOW,
        )
    }

    fn judge_issuers(change: impl FnOnce(&mut Value)) -> Result<IdClaims, SignInError> {
        let issuer = "https://id.contoso.example";
        let mut payload = json!({
            "iss": issuer, "sub": "s-1", "aud": "client", "exp": NOW / 1000 + 60, "nonce": "n-0-n-c-e",
            "email": "support@contoso.example",
        });
        change(&mut payload);
        let (discovery, registration) = (discovery(issuer), registration(Some(issuer)));
        check(
            Some(&signed(&payload)),
            &discovery,
            &registration,
            "n-0-n-c-e",
            NOW,
        )
    }

    #[test]
    fn any_issuers_person_is_known_by_issuer_and_subject() {
        let claims = judge_issuers(|_| ()).unwrap();
        assert_eq!(
            (claims.tenant_id.as_str(), claims.object_id.as_str()),
            ("https://id.contoso.example", "s-1")
        );
        let several = |payload: &mut Value| {
            payload["aud"] = json!(["client", "mail"]);
            payload["azp"] = json!("client");
        };
        assert!(judge_issuers(several).is_ok());
        for (member, value, what) in [
            ("iss", json!("https://id.contoso.example/"), "issuer"),
            ("sub", json!(""), "identity"),
            ("aud", json!(["client", "mail"]), "audience"),
            ("aud", json!("mail"), "audience"),
            ("nonce", json!("another"), "nonce"),
            ("exp", json!(NOW / 1000 - 301), "expired"),
        ] {
            let refused = judge_issuers(|payload| payload[member] = value.clone());
            assert!(
                matches!(&refused, Err(SignInError::Invalid(said, _)) if *said == what),
                "{member} {value}: {:?}",
                refused.err()
            );
        }
    }

    #[test]
    fn names_are_compared_as_mail_servers_write_them() {
        let named = |login: &str, email: Option<&str>| IdClaims {
            login_name: login.to_owned(),
            email: email.map(str::to_owned),
            ..IdClaims::nobody("https://id.contoso.example")
        };
        for (login_name, email, login, same) in [
            ("", None, "support", None),
            ("support", None, "Support", Some(true)),
            ("support", None, "support@contoso.example", Some(true)),
            (
                "u123",
                Some("support@contoso.example"),
                "support",
                Some(true),
            ),
            (
                "kim@contoso.example",
                None,
                "support@contoso.example",
                Some(false),
            ),
            (
                "support@fabrikam.example",
                None,
                "support@contoso.example",
                Some(false),
            ),
            ("kim", Some("kim@contoso.example"), "support", Some(false)),
        ] {
            assert_eq!(
                named(login_name, email).goes_by(login),
                same,
                "{login_name} {login}"
            );
        }
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
