//! One request to the token endpoint: a code or a refresh token against tokens (RFC 6749 §4.1.3 and §6).
//!
//! The `oauth2` crate makes the request and reads the success; refusals are caught on the way, because their
//! bodies are what people are shown.

mod refusal;

pub(super) use refusal::{Refusal, refusal_of, refusal_of_redirect};

use super::http::{BodyError, failure_text, is_allowed, read_capped};
use crate::account::Registration;
use crate::diagnosis::Evidence;
use futures_util::future::BoxFuture;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthorizationCode, ClientId, EndpointNotSet, EndpointSet, ExtraTokenFields,
    HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError,
    StandardRevocableToken, StandardTokenResponse, TokenResponse as _, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use url::Url;

/// Longest answer of the token endpoint, in bytes.
const ANSWER_LIMIT: usize = 1 << 20;

/// What is exchanged.
pub(super) enum Grant {
    /// The code of one sign-in.
    Code {
        code: SecretString,
        verifier: PkceCodeVerifier,
        redirect_uri: String,
    },
    /// A refresh token.
    Refresh(SecretString),
}

/// What the token endpoint gave.
pub(super) struct Granted {
    pub(super) access: SecretString,
    pub(super) refresh: Option<SecretString>,
    pub(super) lifetime: std::time::Duration,
    pub(super) scopes: Vec<String>,
    pub(super) id_token: Option<SecretString>,
}

/// The member that OpenID Connect adds to the answer.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct IdToken {
    id_token: Option<String>,
}

impl ExtraTokenFields for IdToken {}

/// The `oauth2` client with the OpenID member, before its endpoints are known.
pub(super) type Client<Auth = EndpointNotSet, Token = EndpointNotSet> = oauth2::Client<
    BasicErrorResponse,
    StandardTokenResponse<IdToken, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    Auth,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    Token,
>;

/// Redeems `grant` for `scopes` (of one resource, plus the OpenID ones). `challenge` is a claims challenge to
/// answer.
pub(super) async fn redeem(
    http: &reqwest::Client,
    token_endpoint: &Url,
    registration: &Registration,
    grant: Grant,
    scopes: &[String],
    challenge: Option<&str>,
) -> Result<Granted, Refusal> {
    let known = secrets_of(&grant);
    let wire = Wire { http, known };
    let client: Client<EndpointNotSet, EndpointSet> =
        Client::new(ClientId::new(registration.client_id.clone()))
            .set_token_uri(TokenUrl::from_url(token_endpoint.clone()));
    let more = more_parameters(registration, scopes, challenge);
    let answer = match grant {
        Grant::Code {
            code,
            verifier,
            redirect_uri,
        } => {
            let redirect = RedirectUrl::new(redirect_uri)
                .map_err(|_| invalid("redirect_uri", "", &wire.known))?;
            let code = AuthorizationCode::new(code.expose_secret().to_owned());
            let mut request = client
                .exchange_code(code)
                .set_pkce_verifier(verifier)
                .set_redirect_uri(Cow::Owned(redirect));
            for (name, value) in more {
                request = request.add_extra_param(name, value);
            }
            request.request_async(&wire).await
        }
        Grant::Refresh(token) => {
            let token = RefreshToken::new(token.expose_secret().to_owned());
            let mut request = client.exchange_refresh_token(&token);
            for (name, value) in more {
                request = request.add_extra_param(name, value);
            }
            request.request_async(&wire).await
        }
    };
    let answer = answer.map_err(|error| match error {
        RequestTokenError::Request(refusal) => refusal,
        RequestTokenError::Parse(error, body) => {
            // The path says which member is wrong; the message may quote a token.
            let text = format!("at {}: {}", error.path(), String::from_utf8_lossy(&body));
            invalid("token_answer", &text, &wire.known)
        }
        RequestTokenError::Other(text) => invalid("token_answer", &text, &wire.known),
        RequestTokenError::ServerResponse(_) => invalid("token_answer", "", &wire.known),
    })?;
    Ok(Granted {
        access: SecretString::from(answer.access_token().secret().as_str()),
        refresh: answer
            .refresh_token()
            .map(|token| SecretString::from(token.secret().as_str())),
        // RFC 6749 §5.1 recommends `expires_in`; without it the shortest usual lifetime is assumed.
        lifetime: answer
            .expires_in()
            .unwrap_or(std::time::Duration::from_secs(3600)),
        scopes: match answer.scopes() {
            Some(granted) => granted
                .iter()
                .map(|scope| match registration.issuer {
                    Some(_) => scope.to_string(),
                    None => short_scope(scope),
                })
                .collect(),
            // RFC 6749 §5.1: left out when identical to what was asked for.
            None => scopes.to_vec(),
        },
        id_token: answer
            .extra_fields()
            .id_token
            .as_deref()
            .map(SecretString::from),
    })
}

/// What is said beside the grant. Entra wants the scopes of one resource each time, since a code may be good for
/// several, and hears that claims challenges are understood. Other issuers know the scopes from the grant (RFC 6749
/// §4.1.3, §6) and get what belongs to their registration.
fn more_parameters(
    registration: &Registration,
    scopes: &[String],
    challenge: Option<&str>,
) -> Vec<(String, String)> {
    match &registration.issuer {
        None => vec![
            ("scope".to_owned(), scopes.join(" ")),
            ("claims".to_owned(), claims_parameter(challenge)),
        ],
        Some(issuer) => issuer.parameters.clone().into_iter().collect(),
    }
}

fn secrets_of(grant: &Grant) -> Vec<SecretString> {
    match grant {
        Grant::Code { code, verifier, .. } => {
            vec![code.clone(), SecretString::from(verifier.secret().as_str())]
        }
        Grant::Refresh(token) => vec![token.clone()],
    }
}

fn invalid(what: &'static str, text: &str, known: &[SecretString]) -> Refusal {
    let known: Vec<&str> = known.iter().map(ExposeSecret::expose_secret).collect();
    Refusal::Invalid(what, Evidence::of(None, None, text, &known))
}

/// `https://graph.microsoft.com/Mail.Send` → `Mail.Send`: Entra answers with the resource before each name.
fn short_scope(scope: &str) -> String {
    scope.rsplit('/').next().unwrap_or(scope).to_owned()
}

/// The `claims` parameter: the declaration that claims challenges are understood (`xms_cc` with `cp1`), merged
/// with a challenge where there is one (Microsoft identity platform, "Claims challenges, claims requests, and
/// client capabilities").
pub(super) fn claims_parameter(challenge: Option<&str>) -> String {
    let mut claims = challenge
        .and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok())
        .unwrap_or_default();
    let access = claims
        .entry("access_token")
        .or_insert_with(|| Value::Object(Map::new()));
    if !access.is_object() {
        *access = Value::Object(Map::new());
    }
    if let Some(access) = access.as_object_mut() {
        access.insert("xms_cc".to_owned(), json!({ "values": ["cp1"] }));
    }
    Value::Object(claims).to_string()
}

/// The transport under `oauth2`: our HTTP client, which turns everything that is no success into a [`Refusal`].
struct Wire<'a> {
    http: &'a reqwest::Client,
    known: Vec<SecretString>,
}

impl<'c> AsyncHttpClient<'c> for Wire<'_> {
    type Error = Refusal;
    type Future = BoxFuture<'c, Result<HttpResponse, Refusal>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl Wire<'_> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Refusal> {
        let known: Vec<&str> = self.known.iter().map(ExposeSecret::expose_secret).collect();
        let offline = |text: String| Refusal::Offline(Evidence::of(None, None, &text, &known));
        let url = Url::parse(&request.uri().to_string())
            .ok()
            .filter(is_allowed)
            .ok_or_else(|| invalid("token_endpoint", "", &self.known))?;
        let (parts, body) = request.into_parts();
        let response = self
            .http
            .request(parts.method, url)
            .headers(parts.headers)
            .timeout(std::time::Duration::from_secs(60))
            .body(body)
            .send()
            .await
            .map_err(|error| offline(failure_text(error)))?;
        let status = response.status();
        let headers = response.headers().clone();
        let body = match read_capped(response, ANSWER_LIMIT).await {
            Ok(body) => body,
            Err(BodyError::Broken(error)) => return Err(offline(failure_text(error))),
            Err(BodyError::TooLarge) => return Err(invalid("too_large", "", &self.known)),
        };
        if status != http::StatusCode::OK {
            return Err(refusal_of(status, &body, &known));
        }
        let mut answer = HttpResponse::new(body.to_vec());
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_a_challenge_with_the_capability() {
        assert_eq!(
            claims_parameter(None),
            r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#
        );
        let merged: Value = serde_json::from_str(&claims_parameter(Some(
            r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}},"id_token":{"x":null}}"#,
        )))
        .unwrap();
        assert_eq!(
            merged,
            json!({"access_token":{"nbf":{"essential":true,"value":"1604106651"},"xms_cc":{"values":["cp1"]}},"id_token":{"x":null}})
        );
        assert_eq!(claims_parameter(Some("no json")), claims_parameter(None));
        assert_eq!(
            claims_parameter(Some(r#"{"access_token":1}"#)),
            claims_parameter(None)
        );
    }

    #[test]
    fn shortens_scopes_to_their_last_segment() {
        assert_eq!(
            short_scope("https://graph.microsoft.com/Mail.Send"),
            "Mail.Send"
        );
        assert_eq!(short_scope("openid"), "openid");
    }
}
