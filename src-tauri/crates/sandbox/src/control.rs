//! Test control: JSON under `/_sandbox/`, for tests and for practice.

use crate::entra::grants::Ended;
use crate::entra::scopes::PERMISSIONS;
use crate::faults;
use crate::scenarios::Scenario;
use crate::state;
use crate::tenant::directory::MAILROOM;
use crate::world::World;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

type Shared = State<Arc<World>>;

/// Everything under `/_sandbox` that does not touch mail. Bodies are JSON; an empty body is `{}`.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/description", get(description))
        .route("/scenarios", get(scenarios))
        .route(
            "/scenarios/{name}",
            put(switch_on).delete(switch_off).get(scenario),
        )
        .route("/revoke-tokens", post(revoke_tokens))
        .route("/grant-consent", post(grant_consent))
        .route("/withdraw-consent", post(withdraw_consent))
        .route("/expire-access-tokens", post(expire_access_tokens))
        .route("/advance-clock", post(advance_clock))
        .route("/log", get(log))
        .route("/log/reset", post(reset_log))
}

async fn description(State(world): Shared) -> Response {
    match world.description.get() {
        Some(description) => {
            let mut description = description.clone();
            description.scenarios = names(&world);
            Json(description).into_response()
        }
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn names(world: &World) -> Vec<String> {
    let on = world.scenarios.lock();
    on.iter().map(|s| s.name().to_owned()).collect()
}

async fn scenarios(State(world): Shared) -> Json<Value> {
    let on = world.scenarios.lock();
    let all: Vec<Value> = Scenario::ALL
        .iter()
        .map(|s| about(*s, on.contains(s)))
        .collect();
    Json(json!(all))
}

/// What a scenario is, what mends it, and on which of the administrator's pages (`null`: on none).
fn about(scenario: Scenario, on: bool) -> Value {
    json!({
        "name": scenario.name(),
        "description": scenario.description(),
        "mend": scenario.mend(),
        "page": crate::admin::page_of(scenario),
        "on": on,
    })
}

async fn scenario(State(world): Shared, Path(name): Path<String>) -> Response {
    with_scenario(&name, |s| Json(about(s, world.has(s))).into_response())
}

async fn switch_on(State(world): Shared, Path(name): Path<String>) -> Response {
    with_scenario(&name, |s| {
        faults::switch_on(&world, s);
        StatusCode::NO_CONTENT.into_response()
    })
}

async fn switch_off(State(world): Shared, Path(name): Path<String>) -> Response {
    with_scenario(&name, |s| {
        faults::switch_off(&world, s);
        StatusCode::NO_CONTENT.into_response()
    })
}

fn with_scenario(name: &str, then: impl FnOnce(Scenario) -> Response) -> Response {
    match Scenario::from_name(name) {
        Some(scenario) => then(scenario),
        None => problem(StatusCode::NOT_FOUND, "no scenario has this name"),
    }
}

fn problem(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"message": message}))).into_response()
}

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!({}))
}

/// `{"user": NAME}` ends that account's sign-ins; without a user everybody's.
async fn revoke_tokens(State(world): Shared, text: String) -> Response {
    let body = body(&text);
    let oid = match body["user"].as_str() {
        None => None,
        Some(name) => match world.directory.lock().find(name) {
            Some(user) => Some(user.oid),
            None => return problem(StatusCode::NOT_FOUND, "no account has this name"),
        },
    };
    let revoked = faults::revoke(&world, oid);
    Json(json!({"revoked": revoked})).into_response()
}

/// `{"user": NAME, "scopes": ["Mail.Read", …], "client_id": ID}`, all optional: without a user an administrator
/// consents for everybody in Contoso, without scopes to everything the registration lists.
async fn grant_consent(State(world): Shared, text: String) -> Response {
    let body = body(&text);
    let mut directory = world.directory.lock();
    let client_id = body["client_id"].as_str().unwrap_or(MAILROOM);
    let Some(app) = directory.registration(client_id).cloned() else {
        return problem(StatusCode::NOT_FOUND, "no registration has this client id");
    };
    let user = match body["user"].as_str() {
        None => None,
        Some(name) => match directory.find(name) {
            Some(user) => Some(user.clone()),
            None => return problem(StatusCode::NOT_FOUND, "no account has this name"),
        },
    };
    let named = body["scopes"].as_array();
    let scopes: Vec<(String, String)> = PERMISSIONS
        .iter()
        .filter(|p| match named {
            Some(named) => named.iter().any(|n| n == p.name),
            None => app.permissions.contains(&(p.resource, p.name)),
        })
        .map(|p| (p.resource.to_owned(), p.name.to_owned()))
        .collect();
    let tenant = user
        .as_ref()
        .map_or(crate::tenant::directory::CONTOSO, |u| u.tenant);
    let granted = scopes.len();
    directory.consent(app.client_id, tenant, user.as_ref().map(|u| u.oid), scopes);
    drop(directory);
    state::save(&world);
    Json(json!({"granted": granted})).into_response()
}

/// `{"user": NAME}` takes back what that account has consented to; without a user everything anybody has.
async fn withdraw_consent(State(world): Shared, text: String) -> Response {
    let body = body(&text);
    {
        let mut directory = world.directory.lock();
        match body["user"].as_str() {
            None => directory.consents.clear(),
            Some(name) => match directory.find(name).map(|u| u.oid) {
                Some(oid) => directory
                    .consents
                    .retain(|c| c.user.as_deref() != Some(oid)),
                None => return problem(StatusCode::NOT_FOUND, "no account has this name"),
            },
        }
    }
    state::save(&world);
    StatusCode::NO_CONTENT.into_response()
}

/// Access tokens handed out until now count as expired; refresh tokens stay.
async fn expire_access_tokens(State(world): Shared) -> StatusCode {
    world.grants.lock().end_access(None, Ended::Expired);
    StatusCode::NO_CONTENT
}

/// `{"seconds": N}` moves the tenant's clock.
async fn advance_clock(State(world): Shared, text: String) -> Response {
    match body(&text)["seconds"].as_i64() {
        Some(seconds) => {
            world.move_clock(seconds.saturating_mul(1000));
            Json(json!({"now": world.now()})).into_response()
        }
        None => problem(StatusCode::BAD_REQUEST, "seconds is missing"),
    }
}

async fn log(State(world): Shared) -> Json<Value> {
    let log = world.log.lock();
    let entries: Vec<_> = log.entries().collect();
    Json(json!({"requests": entries, "mailboxes": log.flights()}))
}

async fn reset_log(State(world): Shared) -> StatusCode {
    world.log.lock().reset();
    StatusCode::NO_CONTENT
}
