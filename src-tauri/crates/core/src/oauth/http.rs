//! The HTTP client that signing in and providers share: TLS by the system's trust store plus named roots,
//! no redirects, time-outs, plain HTTP to loopback hosts only.

use url::Url;

/// Builds the client. `extra_roots` are PEM certificates (`--ca-file`) trusted beside the system's.
///
/// # Errors
/// A certificate cannot be read.
pub fn client(_extra_roots: &[Vec<u8>]) -> Result<reqwest::Client, reqwest::Error> {
    todo!()
}

/// Whether `url` may be contacted: HTTPS anywhere, plain HTTP on a loopback host only.
pub fn is_allowed(_url: &Url) -> bool {
    todo!()
}
