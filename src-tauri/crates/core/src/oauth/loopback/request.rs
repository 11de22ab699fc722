//! Judging one request at the loopback port. Nothing here has an effect.

use http::{HeaderMap, Method, Request, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Most parameters looked at; Entra sends three to six.
const PARAMETERS: usize = 32;

/// What a request is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Noise.
    Refuse(StatusCode),
    /// A look without effect: link scanners send `HEAD`.
    Head,
    /// Without this attempt's state.
    Stale,
    /// The browser's return, with its parameters.
    Return(BTreeMap<String, String>),
}

/// Judges a request to the port `port` of the attempt with `state`.
pub(super) fn judge<B>(request: &Request<B>, port: u16, state: &SecretString) -> Verdict {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Verdict::Refuse(StatusCode::METHOD_NOT_ALLOWED);
    }
    // A page elsewhere may point its own name at 127.0.0.1 (DNS rebinding): then `Host` is that name.
    if request.uri().authority().is_some() || !is_our_host(request.headers(), port) {
        return Verdict::Refuse(StatusCode::BAD_REQUEST);
    }
    if request.uri().path() != "/" {
        return Verdict::Refuse(StatusCode::NOT_FOUND);
    }
    if request.method() == Method::HEAD {
        return Verdict::Head;
    }
    let Some(parameters) = parameters(request.uri().query().unwrap_or_default()) else {
        return Verdict::Refuse(StatusCode::BAD_REQUEST);
    };
    match parameters.get("state") {
        Some(theirs) if is_equal(theirs, state) => Verdict::Return(parameters),
        _ => Verdict::Stale,
    }
}

fn is_our_host(headers: &HeaderMap, port: u16) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let Some((name, theirs)) = host.to_str().ok().and_then(|host| host.rsplit_once(':')) else {
        return false;
    };
    theirs.parse() == Ok(port)
        && (name.eq_ignore_ascii_case("localhost") || matches!(name, "127.0.0.1" | "[::1]"))
}

/// The parameters, or nothing when one is given twice (RFC 6749 §3.1 forbids it) or there are too many.
fn parameters(query: &str) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if found
            .insert(name.into_owned(), value.into_owned())
            .is_some()
            || found.len() > PARAMETERS
        {
            return None;
        }
    }
    Some(found)
}

/// Compares digests: how long that takes says nothing about the secret.
fn is_equal(theirs: &str, ours: &SecretString) -> bool {
    Sha256::digest(theirs) == Sha256::digest(ours.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &str, target: &str, host: &str) -> Verdict {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::HOST, host)
            .body(())
            .unwrap();
        judge(&request, 4711, &"right".into())
    }

    #[test]
    fn takes_only_the_request_with_the_right_state() {
        let Verdict::Return(parameters) = ask("GET", "/?code=a%2Bb&state=right", "localhost:4711")
        else {
            panic!("not taken");
        };
        assert_eq!(parameters["code"], "a+b");
        for host in ["127.0.0.1:4711", "[::1]:4711", "LocalHost:4711"] {
            assert!(
                matches!(ask("GET", "/?state=right", host), Verdict::Return(_)),
                "{host}"
            );
        }
        for target in [
            "/",
            "/?code=x",
            "/?state=",
            "/?state=wrong",
            "/?State=right",
        ] {
            assert_eq!(
                ask("GET", target, "localhost:4711"),
                Verdict::Stale,
                "{target}"
            );
        }
    }

    #[test]
    fn refuses_everything_else() {
        let ours = "localhost:4711";
        let right = "/?state=right";
        for (method, target, host, status) in [
            ("POST", right, ours, 405),
            ("OPTIONS", right, ours, 405),
            ("GET", "/favicon.ico", ours, 404),
            ("GET", "/x?state=right", ours, 404),
            ("GET", "//?state=right", ours, 404),
            ("GET", right, "localhost", 400),
            ("GET", right, "localhost:4712", 400),
            ("GET", right, "evil.example:4711", 400),
            ("GET", right, "localhost:4711:4711", 400),
            ("GET", "http://localhost:4711/?state=right", ours, 400),
            ("GET", "/?state=right&state=right", ours, 400),
            ("GET", "/?code=a&code=b&state=right", ours, 400),
        ] {
            let expected = Verdict::Refuse(StatusCode::from_u16(status).unwrap());
            assert_eq!(
                ask(method, target, host),
                expected,
                "{method} {target} {host}"
            );
        }
        assert_eq!(ask("HEAD", right, ours), Verdict::Head);
        let without_host = Request::builder().uri(right).body(()).unwrap();
        let verdict = judge(&without_host, 4711, &"right".into());
        assert_eq!(verdict, Verdict::Refuse(StatusCode::BAD_REQUEST));
    }
}
