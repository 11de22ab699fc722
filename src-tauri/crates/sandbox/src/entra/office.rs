//! Signing in to the administrator's pages: the same pages as everywhere, for Global Administrators of Contoso.

use super::authority::{Authority, Caller};
use super::authorize;
use super::errors::Trace;
use super::pages;
use super::sessions::{Flow, Goal};
use crate::tenant::directory::{CONTOSO, User, UserKind};
use crate::world::World;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

fn may(user: &User) -> bool {
    user.kind == UserKind::Admin && user.tenant == CONTOSO
}

/// The Global Administrator who is signed in in this browser.
pub(crate) fn administrator(world: &World, caller: &Caller) -> Option<User> {
    let directory = world.directory.lock();
    let sessions = world.sessions.lock();
    sessions
        .accounts(caller.cookie.as_deref()?)
        .iter()
        .filter_map(|account| directory.find(&account.oid))
        .find(|user| may(user))
        .cloned()
}

/// Shows the sign-in page; who signs in as an administrator goes on to `path` of this server.
pub(crate) fn sign_in(world: &World, caller: &Caller, path: String) -> Response {
    let contoso = Authority::Tenant(CONTOSO.to_owned());
    authorize::begin(world, contoso, Goal::Office(path), caller)
}

/// Goes on with an account that has proved itself.
pub(super) fn advance(world: &World, flow: Flow, user: &User, trace: &Trace) -> Response {
    if !may(user) {
        let response = pages::no_access(&flow, user, trace);
        world.sessions.lock().keep(flow, world.now());
        return response;
    }
    world.sessions.lock().finish(&flow.id);
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Goal::Office(path) = &flow.goal
        && let Ok(location) = HeaderValue::from_str(&format!("{}{path}", flow.base))
    {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
