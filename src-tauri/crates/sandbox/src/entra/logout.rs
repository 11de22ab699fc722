//! `/logout`: ends the sessions of the browser (OpenID Connect RP-Initiated Logout 1.0).

use super::authority::Caller;
use super::back::back;
use super::errors::Trace;
use super::pages;
use super::request::{ResponseMode, Return, parameters};
use crate::world::World;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use std::sync::Arc;

/// GET `/{tenant}/oauth2/v2.0/logout`. Goes on to `post_logout_redirect_uri` only where a registration has it.
pub(super) async fn get(
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
    caller: Caller,
) -> Response {
    let trace = Trace::new(&world, &caller);
    if let Some(browser) = &caller.cookie {
        world.sessions.lock().sign_out(browser);
    }
    let p = parameters(&query.unwrap_or_default());
    match p.get("post_logout_redirect_uri") {
        Some(uri) if world.directory.lock().has_redirect(uri) => back(
            &Return {
                redirect_uri: uri.clone(),
                mode: ResponseMode::Query,
                state: p.get("state").cloned(),
            },
            &[],
            &trace,
        ),
        _ => pages::signed_out(&trace),
    }
}
