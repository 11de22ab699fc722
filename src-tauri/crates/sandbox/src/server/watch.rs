//! What happens around every request: the host check, the log, the scenario `slow`, the tenant's date.

use crate::scenarios::Scenario;
use crate::tenant::directory::Directory;
use crate::world::World;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::sync::Arc;
use std::time::{Duration, Instant};

const SLOW: Duration = Duration::from_secs(2);

/// Set by the token endpoint on its response, for the log.
#[derive(Clone)]
pub(crate) struct GrantType(pub(crate) String);

/// The `Host` header (or the authority of an HTTP/2 request).
pub(super) fn host(parts: &Parts) -> Option<&str> {
    parts
        .headers
        .get(header::HOST)
        .and_then(|h| h.to_str().ok())
        .or_else(|| parts.uri.authority().map(|a| a.as_str()))
}

pub(super) async fn watch(
    State(world): State<Arc<World>>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    // A page on the web may point a name of its own at 127.0.0.1; it must not be able to read this tenant.
    if !host(&parts).is_some_and(is_loopback) {
        return (StatusCode::MISDIRECTED_REQUEST, "not a name of this server").into_response();
    }
    let path = parts
        .uri
        .path_and_query()
        .map_or_else(|| "/".to_owned(), ToString::to_string);
    let ours = path.starts_with("/_sandbox");
    let mailbox = mailbox_of(&world.directory.lock(), parts.uri.path(), &parts.headers);
    let number = (!ours).then(|| {
        let (at, token) = (world.now(), token_kind(&parts.headers));
        let mut log = world.log.lock();
        log.begin(at, parts.method.as_str(), &path, mailbox.as_deref(), token)
    });
    let mut flight = InFlight {
        world: Arc::clone(&world),
        number,
        mailbox,
        started: Instant::now(),
        status: 499,
        grant_type: None,
    };
    if !ours && world.has(Scenario::Slow) {
        tokio::time::sleep(SLOW).await;
    }
    let mut response = next.run(Request::from_parts(parts, body)).await;
    flight.status = response.status().as_u16();
    flight.grant_type = response
        .extensions()
        .get::<GrantType>()
        .map(|g| g.0.clone());
    if let Ok(date) = HeaderValue::from_str(&http_date(&world)) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// Ends the log entry even when the client goes away before the answer (499, as proxies write it).
struct InFlight {
    world: Arc<World>,
    number: Option<u64>,
    mailbox: Option<String>,
    started: Instant,
    status: u16,
    grant_type: Option<String>,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let took = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.world.log.lock().end(
                number,
                self.mailbox.as_deref(),
                self.status,
                took,
                self.grant_type.as_deref(),
            );
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    matches!(name, "localhost" | "127.0.0.1" | "::1")
}

fn token_kind(headers: &HeaderMap) -> &'static str {
    match headers
        .get(header::AUTHORIZATION)
        .and_then(|h| h.to_str().ok())
    {
        None => "none",
        Some(value)
            if value
                .get(..7)
                .is_some_and(|s| s.eq_ignore_ascii_case("bearer ")) =>
        {
            "bearer"
        }
        Some(_) => "other",
    }
}

/// The primary address of the mailbox a Graph path speaks of: `/me` is the token's account.
fn mailbox_of(directory: &Directory, path: &str, headers: &HeaderMap) -> Option<String> {
    let path = path.strip_prefix("/graph").unwrap_or(path);
    let mut parts = path.strip_prefix("/v1.0/")?.split('/');
    let name = match parts.next()? {
        "me" => bearer_oid(headers)?,
        "users" => {
            let raw = parts.next()?;
            let pair = format!("x={}", raw.replace('+', "%2B"));
            let decoded = url::form_urlencoded::parse(pair.as_bytes()).next()?.1;
            decoded.into_owned()
        }
        _ => return None,
    };
    directory.find(&name).map(|u| u.mail.to_owned())
}

/// The account an access token speaks of, unchecked: the log records what was tried.
fn bearer_oid(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let claims = value.get(7..)?.split('.').nth(1)?;
    let claims: serde_json::Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    claims["oid"].as_str().map(str::to_owned)
}

/// The tenant's time as RFC 9110 writes it; clients may compare it with their own clock.
fn http_date(world: &World) -> String {
    world
        .now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}
