//! Sign-in services other than Entra: how they describe themselves (OpenID Connect Discovery 1.0 §4, RFC 8414), and
//! what Mailroom needs of them.

use super::Discovery;
use super::discovery::document;
use crate::account::Issuer;
use crate::diagnosis::Evidence;
use crate::oauth::error::SignInError;
use crate::oauth::http::{below, is_allowed, is_loopback};
use http::StatusCode;
use url::Url;

/// Gets an issuer's description and checks that it fits.
pub(super) async fn discover(
    http: &reqwest::Client,
    issuer: &Issuer,
) -> Result<Discovery, SignInError> {
    let unfit = |what: &'static str, raw: &str| {
        SignInError::IssuerUnfit(what, Evidence::of(None, None, raw, &[]))
    };
    let url = url_of(&issuer.name).ok_or_else(|| unfit("address", &issuer.name))?;
    let mut last = None;
    for place in places(&url) {
        let (status, body) = document(http, place.clone()).await?;
        let raw = String::from_utf8_lossy(&body);
        let evidence = Evidence::of(None, Some(status.as_u16()), &raw, &[]);
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(SignInError::Offline(evidence));
        }
        if status != StatusCode::OK {
            last = Some(evidence);
            continue;
        }
        let discovery: Discovery = serde_json::from_slice(&body)
            .map_err(|_| SignInError::IssuerUnfit("description", evidence))?;
        check(&issuer.name, &url, &discovery).map_err(|what| unfit(what, &raw))?;
        return Ok(discovery);
    }
    Err(SignInError::IssuerNotFound(last.unwrap_or_default()))
}

/// The URL of an issuer: HTTPS, or this computer; without query and fragment (OpenID Connect Discovery 1.0 §2).
pub(crate) fn url_of(name: &str) -> Option<Url> {
    Url::parse(name)
        .ok()
        .filter(|url| is_allowed(url) && url.query().is_none() && url.fragment().is_none())
}

/// Where the description may be: behind the issuer's path (OpenID Connect Discovery 1.0 §4), or in front of it
/// (RFC 8414 §3.1).
fn places(issuer: &Url) -> [Url; 2] {
    let behind = below(issuer, &[".well-known", "openid-configuration"]);
    let mut front = issuer.clone();
    let path = issuer.path().trim_end_matches('/');
    front.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
    [behind, front]
}

/// What a description must say. The answer names what does not fit.
fn check(name: &str, url: &Url, discovery: &Discovery) -> Result<(), &'static str> {
    // To the letter (RFC 8414 §3.3): a description of somebody else is how answers are mixed up.
    if discovery.issuer != name {
        return Err("issuer");
    }
    for (what, endpoint) in [
        ("authorization_endpoint", &discovery.authorization_endpoint),
        ("token_endpoint", &discovery.token_endpoint),
    ] {
        // An issuer elsewhere has no business on this computer.
        let fits = is_allowed(endpoint) && (endpoint.scheme() == "https" || is_loopback(url));
        if !fits {
            return Err(what);
        }
    }
    // Without PKCE a program without a secret cannot sign in safely (RFC 9700 §2.1.1); what is not listed is not
    // supported (RFC 8414 §2).
    let methods = &discovery.code_challenge_methods_supported;
    match methods.iter().any(|method| method == "S256") {
        true => Ok(()),
        false => Err("code_challenge_methods_supported"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::{Server, json, text};
    use serde_json::{Value, json};

    fn description(base: &Url, change: impl Fn(&mut Value)) -> Value {
        let mut value = json!({
            "issuer": format!("{base}realm"),
            "authorization_endpoint": format!("{base}auth"),
            "token_endpoint": format!("{base}token"),
            "code_challenge_methods_supported": ["plain", "S256"],
        });
        change(&mut value);
        value
    }

    async fn looked_up(
        front: bool,
        change: impl Fn(&mut Value) + Send + Sync + 'static,
    ) -> Result<Discovery, SignInError> {
        let server = Server::start(move |asked, _| {
            let base = Url::parse(&format!("http://{}/", asked.header("host"))).unwrap();
            let here = match front {
                true => "/.well-known/oauth-authorization-server/realm",
                false => "/realm/.well-known/openid-configuration",
            };
            match asked.target == here {
                true => json(200, &description(&base, &change)),
                false => text(404, "text/html", "<h1>Not found</h1>"),
            }
        })
        .await;
        let issuer = Issuer {
            name: format!("{}realm", server.url),
            scopes: Vec::new(),
            parameters: Default::default(),
        };
        let http = crate::oauth::http::client(&[]).unwrap();
        discover(&http, &issuer).await
    }

    #[tokio::test]
    async fn finds_the_description_in_both_places() {
        for front in [false, true] {
            let found = looked_up(front, |_| ()).await.unwrap();
            assert_eq!(found.token_endpoint.path(), "/token");
        }
    }

    #[tokio::test]
    async fn refuses_a_description_that_does_not_fit() {
        for (member, value, what) in [
            ("issuer", json!("http://127.0.0.1:1/realm"), "issuer"),
            (
                "token_endpoint",
                json!("http://evil.example/t"),
                "token_endpoint",
            ),
            (
                "authorization_endpoint",
                json!("ftp://x.example/"),
                "authorization_endpoint",
            ),
            (
                "code_challenge_methods_supported",
                json!(["plain"]),
                "code_challenge_methods_supported",
            ),
            (
                "code_challenge_methods_supported",
                json!([]),
                "code_challenge_methods_supported",
            ),
            ("token_endpoint", Value::Null, "description"),
        ] {
            let change = move |all: &mut Value| all[member] = value.clone();
            let refused = looked_up(false, change).await;
            assert!(
                matches!(&refused, Err(SignInError::IssuerUnfit(said, _)) if *said == what),
                "{what}: {:?}",
                refused.err()
            );
        }
    }

    #[tokio::test]
    async fn says_when_there_is_no_issuer() {
        let server = Server::start(|_, _| text(404, "text/html", "<h1>Not found</h1>")).await;
        let http = crate::oauth::http::client(&[]).unwrap();
        let issuer = |name: &str| Issuer {
            name: name.to_owned(),
            scopes: Vec::new(),
            parameters: Default::default(),
        };
        let refused = discover(&http, &issuer(server.url.as_str())).await;
        assert!(matches!(refused, Err(SignInError::IssuerNotFound(_))));
        for name in [
            "no url",
            "http://login.contoso.example/",
            "https://x.example/?q",
        ] {
            let refused = discover(&http, &issuer(name)).await;
            assert!(
                matches!(refused, Err(SignInError::IssuerUnfit("address", _))),
                "{name}"
            );
        }
    }

    #[test]
    fn an_issuer_elsewhere_cannot_send_codes_to_this_computer() {
        let url = Url::parse("https://login.contoso.example/").unwrap();
        let base = Url::parse("http://127.0.0.1:1/").unwrap();
        let value = description(&base, |all| all["issuer"] = json!(url));
        let discovery: Discovery = serde_json::from_value(value).unwrap();
        assert_eq!(
            check(url.as_str(), &url, &discovery),
            Err("authorization_endpoint")
        );
    }
}
