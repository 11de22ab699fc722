//! The pages people see while they sign in. They work without scripts and load nothing.

mod consent;
mod sign_in;

pub(super) use consent::{admin_consent, ask_admin, consent, need_admin, request_sent};
pub(super) use sign_in::{name, password, picker, second_factor};

use super::authority::no_store;
use super::errors::{Refusal, Trace};
use super::sessions::Flow;
use crate::tenant::directory::User;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};

const STYLE: &str = include_str!("pages/style.css");

/// Text as it may stand in HTML, in and outside of attributes.
pub(crate) fn esc(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A whole page. `body` is HTML.
fn page(status: StatusCode, title: &str, body: &str, trace: &Trace) -> Response {
    let title = esc(title);
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title><link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head><body><p class=\"practice\" role=\"note\"><strong>Practice sign-in.</strong> This is the sandbox of Mailroom on this computer, not Microsoft.</p><main>{body}</main></body></html>"
    );
    let mut response = (status, Html(html)).into_response();
    no_store(&mut response, trace);
    let headers = response.headers_mut();
    // No form-action: browsers apply it to the redirect after a form too, and that one goes to the app.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'";
    headers.insert(
        HeaderName::from_static("content-security-policy"),
        HeaderValue::from_static(policy),
    );
    headers.insert(
        HeaderName::from_static("referrer-policy"),
        HeaderValue::from_static("no-referrer"),
    );
    response
}

/// A form of a sign-in. `inner` is HTML.
fn form(flow: &Flow, step: &str, inner: &str) -> String {
    format!(
        "<form id=\"form-{step}\" method=\"post\" action=\"/{}/login\" autocomplete=\"off\"><input type=\"hidden\" name=\"ctx\" value=\"{}\"><input type=\"hidden\" name=\"step\" value=\"{step}\">{inner}</form>",
        esc(flow.authority.segment()),
        esc(&flow.id)
    )
}

/// The sentence above a field that was filled in wrongly.
fn wrong(error: Option<&str>) -> String {
    error.map_or_else(String::new, |e| {
        format!(
            "<p class=\"error\" role=\"alert\" id=\"error\" data-code=\"{}\">{}</p>",
            code_in(e),
            esc(e)
        )
    })
}

/// The AADSTS number that a sentence names; without one nothing.
fn code_in(text: &str) -> &str {
    let rest = text.split_once("AADSTS").map_or("", |(_, rest)| rest);
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    &rest[..end]
}

/// "Sorry, but we're having trouble signing you in."
pub(super) fn refused(refusal: &Refusal, trace: &Trace) -> Response {
    let (title, first) = match refusal.code {
        53_000..=53_003 => (
            "You cannot access this right now",
            "Your sign-in was successful but does not meet the criteria to access this resource. For example, you might be signing in from a browser, app, or location that is restricted by your admin.",
        ),
        _ => ("Sign in", "Sorry, but we’re having trouble signing you in."),
    };
    let body = format!(
        "<p class=\"org\">Contoso</p><h1>{title}</h1><p>{first}</p><p class=\"error\" role=\"alert\" id=\"error\" data-code=\"{code}\">AADSTS{code}: {text}</p><h2>Troubleshooting details</h2><p>If you contact your administrator, send this info to them.</p><dl><dt>Request Id</dt><dd>{}</dd><dt>Correlation Id</dt><dd>{}</dd><dt>Timestamp</dt><dd>{}</dd><dt>Error Code</dt><dd>{code}</dd></dl>",
        esc(&trace.trace_id),
        esc(&trace.correlation_id),
        trace.timestamp(),
        code = refusal.code,
        text = esc(&refusal.text),
    );
    page(StatusCode::BAD_REQUEST, title, &body, trace)
}

/// Who is not an administrator is sent back to the account page.
pub(super) fn no_access(flow: &Flow, user: &User, trace: &Trace) -> Response {
    let other = form(
        flow,
        "other",
        "<div class=\"actions\"><button class=\"first\" id=\"other-account\">Sign in with another account</button></div>",
    );
    let body = format!(
        "<p class=\"org\">Contoso</p><p class=\"who\">{}</p><h1>You don't have access to this</h1><p class=\"error\" role=\"alert\" id=\"error\">These pages are for Global Administrators. Sign in as admin@contoso.example.</p>{other}",
        esc(user.upn)
    );
    page(StatusCode::FORBIDDEN, "No access", &body, trace)
}

/// After signing out.
pub(super) fn signed_out(trace: &Trace) -> Response {
    let body = "<p class=\"org\">Contoso</p><h1>You signed out of your account</h1><p>It’s a good idea to close all browser windows.</p>";
    page(StatusCode::OK, "Sign out", body, trace)
}

/// `response_mode=form_post` (OAuth 2.0 Form Post Response Mode): a form that submits itself.
pub(super) fn auto_post(action: &str, fields: &[(&str, &str)], trace: &Trace) -> Response {
    let mut inputs = String::new();
    for (name, value) in fields {
        inputs += &format!(
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
            esc(name),
            esc(value)
        );
    }
    let body = format!(
        "<h1>Working…</h1><form method=\"post\" action=\"{}\">{inputs}<div class=\"actions\"><button class=\"first\" id=\"next\">Continue</button></div></form><script>document.forms[0].submit()</script>",
        esc(action)
    );
    let mut response = page(StatusCode::OK, "Working…", &body, trace);
    // The one page with a script: without it people press Continue.
    response.headers_mut().insert(
        HeaderName::from_static("content-security-policy"),
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        ),
    );
    response
}
