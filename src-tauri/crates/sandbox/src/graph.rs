//! Microsoft Graph v1.0, the mail half. The files follow the paths of the API.
//!
//! Reading order: this file (from HTTP to a [`call::Call`]), `access` (who may do what), then the paths:
//! `me`, `mail_folders`, `messages` (list, get, change, `delta`, `attachments`, `reply`), `send_mail`,
//! `mailbox_settings`, `batch`.

mod access;
mod answer;
mod batch;
mod call;
mod filter;
mod mail_folders;
mod mailbox_settings;
mod me;
mod messages;
mod obstacles;
mod query;
mod send_mail;
mod throttle;

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{OriginalUri, Request, State};
use axum::response::Response;
use axum::routing::any;
use http::Method;

use crate::scenarios::Scenario;
use crate::server::Base;
use crate::world::World;
use answer::{Answer, Refusal};
use call::Call;

/// The most a request may carry (Microsoft Graph documentation, "Attach large files": 4 MB).
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// Everything under `/v1.0`, and what Graph says to paths without a version. Mounted at `/graph` and at
/// the root of the server.
pub(crate) fn router() -> Router<Arc<World>> {
    let paths = ["/v1.0", "/v1.0/{*rest}", "/beta", "/beta/{*rest}"];
    let unversioned = ["/me", "/me/{*rest}", "/users", "/users/{*rest}", "/$batch"];
    let mut router = Router::new();
    for path in paths.into_iter().chain(unversioned) {
        router = router.route(path, any(serve));
    }
    router
}

async fn serve(
    State(world): State<Arc<World>>,
    base: Base,
    OriginalUri(original): OriginalUri,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let prefix = original
        .path()
        .strip_suffix(parts.uri.path())
        .unwrap_or_default();
    let mut call = Call::new(&parts, format!("{}{prefix}", base.0));
    let answer = match to_bytes(body, BODY_LIMIT).await {
        Ok(bytes) => {
            call.body = bytes;
            respond(&world, &call).await
        }
        Err(_) => Refusal::new(413, "RequestEntityTooLarge", "The request is too large.").into(),
    };
    let cut = world.has(Scenario::MalformedJson);
    answer.finish(&world, &call).into_response(cut)
}

/// Answers one call, from the network or from a batch.
async fn respond(world: &Arc<World>, call: &Call) -> Answer {
    if world.has(Scenario::ServiceDown) {
        let refusal = Refusal::new(
            503,
            "ServiceUnavailable",
            "The service is temporarily unavailable.",
        );
        return refusal.with("Retry-After", "5").into();
    }
    if let Some(answer) = obstacles::in_between(world) {
        return answer;
    }
    match call.path().as_slice() {
        ["v1.0", "$batch"] if call.method == Method::POST => match batch::run(world, call).await {
            Ok(answer) => answer,
            Err(refusal) => refusal.into(),
        },
        ["v1.0", rest @ ..] => route(world, call, rest).unwrap_or_else(Answer::from),
        [version, ..] => {
            let text = format!("Invalid version: {version}");
            Refusal::new(400, "BadRequest", text).into()
        }
        [] => Refusal::new(400, "BadRequest", "Invalid version").into(),
    }
}

/// Everything below `/v1.0` but `$batch`.
fn route(world: &Arc<World>, call: &Call, path: &[&str]) -> Result<Answer, Refusal> {
    let claims = access::claims(world, call)?;
    let (user, rest) = match path {
        [me, rest @ ..] if me.eq_ignore_ascii_case("me") => (access::me(world, &claims)?, rest),
        [users, name, rest @ ..] if users.eq_ignore_ascii_case("users") => {
            (access::user(world, &claims, name, !rest.is_empty())?, rest)
        }
        [segment, ..] => return Err(Refusal::no_segment(segment)),
        [] => return Err(Refusal::new(400, "BadRequest", "Empty path.")),
    };
    let behind = rest;
    let Some((first, rest)) = rest.split_first() else {
        return me::profile(world, call, &claims, &user);
    };
    let visit = access::Visit {
        world,
        call,
        claims: &claims,
        user: &user,
    };
    let _flight = throttle::enter(world, call, user.mail)?;
    visit.mailbox_exists()?;
    obstacles::mailbox(&visit, behind)?;
    match first.to_lowercase().as_str() {
        "mailfolders" => mail_folders::route(&visit, rest),
        "messages" => messages::route(&visit, None, rest),
        "sendmail" => send_mail::send(&visit, rest),
        "mailboxsettings" => mailbox_settings::route(&visit, rest),
        _ => Err(Refusal::no_segment(first)),
    }
}

#[cfg(test)]
mod tests;
