//! The HTTP client that signing in and providers share: TLS by the system's trust store plus named roots,
//! no redirects, time-outs, plain HTTP to loopback hosts only.

use bytes::{Bytes, BytesMut};
use std::time::Duration;
use url::{Host, Url};

/// Builds the client. `extra_roots` are PEM certificates (`--ca-file`) trusted beside the system's.
///
/// # Errors
/// A certificate cannot be read.
pub fn client(extra_roots: &[Vec<u8>]) -> Result<reqwest::Client, reqwest::Error> {
    let mut roots = Vec::new();
    for pem in extra_roots {
        let found = reqwest::Certificate::from_pem_bundle(pem)?;
        if found.is_empty() {
            // A file without any certificate is a mistake that must show now, not at the first request.
            roots.push(reqwest::Certificate::from_der(pem)?);
        }
        roots.extend(found);
    }
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("Mailroom/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(30))
        .pool_idle_timeout(Duration::from_secs(60));
    if !roots.is_empty() {
        builder = builder.tls_certs_merge(roots);
    }
    builder.build()
}

/// Whether `url` may be contacted: HTTPS anywhere, plain HTTP on a loopback host only; never with a user name or
/// password in it.
pub fn is_allowed(url: &Url) -> bool {
    let bare = url.username().is_empty() && url.password().is_none();
    bare && match url.scheme() {
        "https" => url.has_host(),
        "http" => is_loopback(url),
        _ => false,
    }
}

/// Whether `url` names this computer: `localhost`, 127.0.0.0/8 or `::1`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// `base` with `segments` behind its path, each percent-encoded.
pub(crate) fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// Why a body could not be read.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// More bytes than allowed (counted after decompression).
    TooLarge,
    /// The line dropped, or the answer is shorter than announced.
    Broken(reqwest::Error),
}

/// Reads a body of at most `cap` bytes, decompressed: a small compressed body cannot fill the memory.
pub(crate) async fn read_capped(
    mut response: reqwest::Response,
    cap: usize,
) -> Result<Bytes, BodyError> {
    let announced = response.content_length().unwrap_or(0);
    if announced > cap as u64 {
        return Err(BodyError::TooLarge);
    }
    let mut body = BytesMut::with_capacity(usize::try_from(announced).unwrap_or(0).min(1 << 20));
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len() + chunk.len() > cap {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The causes of a transport failure as one line, without the URL (it may hold secrets).
pub(crate) fn failure_text(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        let line = inner.to_string();
        if !text.contains(&line) {
            text.push_str(": ");
            text.push_str(&line);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only() {
        for (url, allowed) in [
            ("https://graph.microsoft.com/v1.0", true),
            ("http://localhost:8080/", true),
            ("http://LOCALHOST/", true),
            ("http://127.0.0.1:1/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]:1/", true),
            ("http://graph.microsoft.com/", false),
            ("http://localhost.contoso.example/", false),
            ("http://192.168.0.1/", false),
            ("https://user@contoso.example/", false),
            ("https://:pw@contoso.example/", false),
            ("ftp://localhost/", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(is_allowed(&Url::parse(url).unwrap()), allowed, "{url}");
        }
    }

    #[test]
    fn refuses_a_root_file_without_certificates() {
        assert!(client(&[]).is_ok());
        assert!(client(&[b"not a certificate".to_vec()]).is_err());
    }

    #[test]
    fn a_tenant_cannot_leave_its_segment() {
        let base = Url::parse("https://login.contoso.example/").unwrap();
        assert_eq!(
            below(&base, &["a/../b?c", "v2.0"]).as_str(),
            "https://login.contoso.example/a%2F..%2Fb%3Fc/v2.0"
        );
    }
}
