//! The page that the browser shows at the end: complete, without scripts, and with nothing loaded from elsewhere.

use super::PageWords;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use sha2::{Digest, Sha256};

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#f6f7f9;--card:#fff;--ink:#1b1f24;--soft:#57606a;--edge:#d0d7de}\
@media(prefers-color-scheme:dark){:root{--ground:#15181c;--card:#1f242a;--ink:#f0f3f6;--soft:#b1bac4;--edge:#3d444d}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);color:var(--ink);\
font:1rem/1.5 system-ui,-apple-system,'Segoe UI',sans-serif}\
main{max-width:30rem;width:100%;padding:2rem;background:var(--card);border:1px solid var(--edge);border-radius:.75rem}\
h1{margin:0 0 .5rem;font-size:1.375rem;line-height:1.25}\
p{margin:0;color:var(--soft)}\
small{display:block;margin-top:1.5rem;color:var(--soft)}";

/// Which page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::oauth) enum Page {
    /// The code was redeemed and everything fits.
    Done,
    /// It did not work out.
    Failed,
    /// Not from this attempt, or a second time.
    Stale,
}

impl Page {
    pub(super) fn response(self, words: &PageWords) -> Response<Full<Bytes>> {
        let (status, title, text) = match self {
            Self::Done => (StatusCode::OK, &words.done_title, &words.done_text),
            Self::Failed => (
                StatusCode::BAD_REQUEST,
                &words.failed_title,
                &words.failed_text,
            ),
            Self::Stale => (
                StatusCode::BAD_REQUEST,
                &words.stale_title,
                &words.stale_text,
            ),
        };
        let html = format!(
            "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <title>{title} – Mailroom</title><style>{STYLE}</style></head>\
             <body><main><h1>{title}</h1><p>{}</p><small>Mailroom</small></main></body></html>\n",
            escape(&words.language),
            escape(text),
            title = escape(title),
        );
        respond(status, Bytes::from(html))
    }
}

/// An answer without a page.
pub(super) fn bare(status: StatusCode) -> Response<Full<Bytes>> {
    respond(status, Bytes::new())
}

fn respond(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let digest = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONNECTION, "close"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
