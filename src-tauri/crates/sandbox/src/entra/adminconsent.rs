//! `/adminconsent`: an administrator consents for everybody ("Admin consent on the Microsoft identity platform").

use super::authority::{Authority, Caller};
use super::authorize;
use super::back::back;
use super::errors::{Refusal, Trace};
use super::pages;
use super::request::{self, ResponseMode, Return, parameters};
use super::scopes::Scopes;
use super::sessions::{Flow, Goal};
use crate::tenant::directory::{Registration, User, UserKind};
use crate::world::World;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use std::sync::Arc;

/// A valid request.
#[derive(Debug, Clone)]
pub(crate) struct AdminConsent {
    app: Registration,
    back: Return,
    scopes: Scopes,
}

/// GET `/{tenant}/v2.0/adminconsent`.
pub(super) async fn get(
    State(world): State<Arc<World>>,
    Path(segment): Path<String>,
    RawQuery(query): RawQuery,
    caller: Caller,
) -> Response {
    let trace = Trace::new(&world, &caller);
    let p = parameters(&query.unwrap_or_default());
    let parsed = Authority::parse(&world, &segment).and_then(|authority| {
        if matches!(authority, Authority::Common | Authority::Consumers) {
            return Err(Refusal::new(
                "invalid_request",
                50_059,
                "No tenant-identifying information found in either the request or implied by any provided credentials.",
            ));
        }
        let app = request::app(&world, &authority, p.get("client_id"))?;
        let (redirect_uri, _) = request::redirect(&app, p.get("redirect_uri"))?;
        let everything = "https://graph.microsoft.com/.default".to_owned();
        let scope = p.get("scope").unwrap_or(&everything);
        let scopes = Scopes::parse(scope, &app, &segment)?;
        let back = Return {
            redirect_uri,
            mode: ResponseMode::Query,
            state: p.get("state").cloned(),
        };
        Ok((authority, AdminConsent { app, back, scopes }))
    });
    match parsed {
        Ok((authority, request)) => {
            authorize::begin(&world, authority, Goal::AdminConsent(request), &caller)
        }
        Err(refusal) => pages::refused(&refusal, &trace),
    }
}

/// Goes on with an account that has proved itself.
pub(super) fn advance(world: &World, flow: Flow, user: &User, trace: &Trace) -> Response {
    let Goal::AdminConsent(request) = &flow.goal else {
        return pages::refused(&Refusal::malformed(), trace);
    };
    if let Authority::Tenant(id) = &flow.authority
        && *id != user.tenant
    {
        let app = &request.app;
        let tenant = world.directory.lock().tenant(id).map_or("", |t| t.name);
        let refusal =
            Refusal::not_in_tenant(user.upn, user.tenant, tenant, app.client_id, app.name);
        return pages::refused(&refusal, trace);
    }
    let response = if user.kind == UserKind::Admin {
        let needed = request.scopes.needed(&request.app);
        pages::admin_consent(&flow, &request.app, user, &needed, trace)
    } else {
        pages::need_admin(&flow, &request.app, user, 90_094, trace)
    };
    world.sessions.lock().keep(flow, world.now());
    response
}

/// Takes in the form: only an administrator's `accept` counts.
pub(super) fn answer(world: &World, flow: Flow, step: &str, trace: &Trace) -> Response {
    let user = {
        let directory = world.directory.lock();
        flow.user
            .as_deref()
            .and_then(|oid| directory.find(oid))
            .cloned()
    };
    let (Some(user), Goal::AdminConsent(request)) = (user, &flow.goal) else {
        return pages::refused(&Refusal::malformed(), trace);
    };
    if step != "accept" || user.kind != UserKind::Admin {
        return super::flow::advance(world, flow, trace);
    }
    let needed = request.scopes.needed(&request.app);
    let scope = needed
        .iter()
        .map(|(resource, name)| format!("{resource}/{name}"))
        .collect::<Vec<_>>()
        .join(" ");
    world
        .directory
        .lock()
        .consent(request.app.client_id, user.tenant, None, needed);
    crate::faults::consented(world);
    world.sessions.lock().finish(&flow.id);
    let all = [
        ("admin_consent", "True"),
        ("tenant", user.tenant),
        ("scope", scope.as_str()),
    ];
    back(&request.back, &all, trace)
}

/// The administrator pressed Cancel.
pub(super) fn declined(request: &AdminConsent, flow: &Flow, trace: &Trace) -> Response {
    let refusal = Refusal::new(
        "consent_required",
        65_004,
        "The resource owner or authorization server denied the request.",
    );
    let description = refusal.description(trace);
    let mut all = vec![
        ("error", refusal.error),
        ("error_description", description.as_str()),
        ("admin_consent", "True"),
    ];
    if let Authority::Tenant(id) = &flow.authority {
        all.push(("tenant", id));
    }
    back(&request.back, &all, trace)
}
