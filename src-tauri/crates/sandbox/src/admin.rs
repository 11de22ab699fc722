//! The administrator's half of the practice tenant: pages under `/admin` that look after apps, mailboxes,
//! policies and accounts, and the same as JSON under `/_sandbox/admin` for tests.
//!
//! Reading order: `settings` (the switches), `actions` (everything that can be done), `pages` (what people see).

mod actions;
mod pages;
mod settings;

use crate::entra::{Caller, office};
use crate::world::World;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use settings::Page;
use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use settings::{page_of, place_of};

type Shared = State<Arc<World>>;

/// The pages.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/admin", get(home))
        .route("/admin/{page}", get(page))
        .route("/admin/{page}/{action}", post(form))
}

/// The same for tests, below `/_sandbox`.
pub(crate) fn control() -> Router<Arc<World>> {
    Router::new()
        .route("/admin", get(state))
        .route("/admin/{action}", post(json_action))
}

fn page_at(segment: &str) -> Option<Page> {
    Page::ALL
        .into_iter()
        .find(|page| page.path().strip_prefix("/admin/") == Some(segment))
}

fn to(caller: &Caller, path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("{}{path}", caller.base)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

async fn home(caller: Caller) -> Response {
    to(&caller, Page::Requests.path())
}

async fn page(
    State(world): Shared,
    Path(segment): Path<String>,
    RawQuery(query): RawQuery,
    caller: Caller,
) -> Response {
    let Some(page) = page_at(&segment) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match office::administrator(&world, &caller) {
        Some(user) => {
            let saved = query.is_some_and(|q| q.contains("saved"));
            let note = saved.then_some("Saved.");
            pages::show(&world, page, &user, note, StatusCode::OK)
        }
        None => office::sign_in(&world, &caller, page.path().to_owned()),
    }
}

async fn form(
    State(world): Shared,
    Path((segment, action)): Path<(String, String)>,
    caller: Caller,
    headers: HeaderMap,
    body: String,
) -> Response {
    // Other servers of this computer count as the same site to browsers, so that the cookie alone proves nothing.
    let from = headers.get("sec-fetch-site").and_then(|v| v.to_str().ok());
    if from.is_some_and(|site| site != "same-origin") {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(page) = page_at(&segment) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(user) = office::administrator(&world, &caller) else {
        return office::sign_in(&world, &caller, page.path().to_owned());
    };
    let fields = url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    match actions::perform(&world, &action, &fields) {
        Ok(()) => to(&caller, &format!("{}?saved", page.path())),
        Err(problem) => {
            let note = problem.to_string();
            pages::show(&world, page, &user, Some(&note), StatusCode::BAD_REQUEST)
        }
    }
}

/// What the administrator sees, as JSON.
async fn state(State(world): Shared) -> Json<Value> {
    let directory = world.directory.lock();
    let decisions = &directory.decisions;
    let name = |oid: &str| directory.find(oid).map_or("", |u| u.upn);
    let requests: Vec<Value> = decisions
        .requests
        .iter()
        .map(|r| {
            let scopes: Vec<&str> = r.scopes.iter().map(|(_, name)| name.as_str()).collect();
            json!({
                "id": r.id, "user": name(&r.user), "client_id": r.client_id, "reason": r.reason,
                "scopes": scopes, "at": r.at, "state": r.state,
            })
        })
        .collect();
    let names = |oids: &std::collections::BTreeSet<String>| -> Vec<String> {
        oids.iter().map(|oid| name(oid).to_owned()).collect()
    };
    Json(json!({
        "requests": requests,
        "assignment_required": decisions.assignment_required,
        "assigned": names(&decisions.assigned),
        "no_imap": names(&decisions.no_imap),
        "no_smtp": names(&decisions.no_smtp),
        "consents": directory.consents,
    }))
}

/// The fields of an action as a JSON object of texts; an empty body is `{}`.
async fn json_action(State(world): Shared, Path(action): Path<String>, body: String) -> Response {
    let parsed: Value = serde_json::from_str(&body).unwrap_or_else(|_| json!({}));
    let fields: HashMap<String, String> = parsed
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), text)
        })
        .collect();
    match actions::perform(&world, &action, &fields) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => {
            let body = json!({"message": problem.to_string()});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    }
}
