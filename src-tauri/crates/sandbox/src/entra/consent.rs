//! Who may consent to what, and the pages that ask.

use super::errors::{Refusal, Trace};
use super::flow;
use super::pages;
use super::request::{AuthorizeRequest, Parameters, Prompt};
use super::scopes;
use super::sessions::{Flow, Goal};
use crate::scenarios::Scenario;
use crate::state;
use crate::tenant::directory::{User, UserKind};
use crate::world::World;
use axum::response::Response;

/// What consent needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing: it was given before.
    Granted,
    /// The account's own yes.
    Ask,
    /// An administrator's; the number says why.
    Admin(u32),
    /// An administrator's, who can be asked from the page (AADSTS90095).
    Request,
}

/// Has this account, or its administrator, consented to what is asked for?
pub(super) fn verdict(world: &World, request: &AuthorizeRequest, user: &User) -> Verdict {
    let needed = request.scopes.needed(&request.app);
    let granted = {
        let directory = world.directory.lock();
        needed.iter().all(|(resource, name)| {
            directory
                .granted(request.app.client_id, user, resource)
                .contains(name)
        })
    };
    let admin = user.kind == UserKind::Admin;
    if granted && request.prompt != Prompt::Consent {
        Verdict::Granted
    } else if admin {
        Verdict::Ask
    } else if world.has(Scenario::RiskyApp) {
        Verdict::Admin(900_941)
    } else if world.has(Scenario::ConsentForbidden) {
        Verdict::Admin(90_093)
    } else if world.has(Scenario::ApprovalRequest) {
        Verdict::Request
    } else if world.has(Scenario::AdminApproval)
        || world.has(Scenario::ConsentRevoked)
        || scopes::needs_admin(&needed)
    {
        Verdict::Admin(90_094)
    } else {
        Verdict::Ask
    }
}

/// Shows the page that asks, and keeps the sign-in for its form.
pub(super) fn ask(
    world: &World,
    flow: Flow,
    request: &AuthorizeRequest,
    user: &User,
    verdict: Verdict,
    trace: &Trace,
) -> Response {
    let needed = request.scopes.needed(&request.app);
    let response = match verdict {
        Verdict::Granted | Verdict::Ask => {
            pages::consent(&flow, &request.app, user, &needed, trace)
        }
        Verdict::Admin(code) => pages::need_admin(&flow, &request.app, user, code, trace),
        Verdict::Request => pages::ask_admin(&flow, &request.app, user, &needed, trace),
    };
    world.sessions.lock().keep(flow, world.now());
    response
}

/// Takes in the form of a consent page: `accept`, or `request` with a reason.
pub(super) fn answer(
    world: &World,
    flow: Flow,
    step: &str,
    p: &Parameters,
    trace: &Trace,
) -> Response {
    let user = {
        let directory = world.directory.lock();
        flow.user
            .as_deref()
            .and_then(|oid| directory.find(oid))
            .cloned()
    };
    let (Some(user), Goal::Authorize(request)) = (user, &flow.goal) else {
        // Admin consent has its own accept; without an account there is nothing to accept.
        return super::adminconsent::answer(world, flow, step, trace);
    };
    let mut request = request.clone();
    match (step, verdict(world, &request, &user)) {
        ("accept", Verdict::Ask | Verdict::Granted) => {
            if crate::faults::first_time(world, Scenario::ConsentNotRecorded, user.oid) {
                world.sessions.lock().finish(&flow.id);
                let text = "The consent you granted could not be recorded because of a transient error. Please try again.";
                let refusal = Refusal::new("temporarily_unavailable", 90_090, text);
                return pages::refused(&refusal, trace);
            }
            let needed = request.scopes.needed(&request.app);
            let everybody = user.kind == UserKind::Admin && p.contains_key("everybody");
            let whom = (!everybody).then_some(user.oid);
            world
                .directory
                .lock()
                .consent(request.app.client_id, user.tenant, whom, needed);
            state::save(world);
            request.prompt = Prompt::Auto;
            let flow = Flow {
                goal: Goal::Authorize(request),
                ..flow
            };
            flow::advance(world, flow, trace)
        }
        ("request", Verdict::Request) => {
            let reason = p.get("reason").map_or("", |reason| reason.trim());
            if reason.is_empty() {
                return ask(world, flow, &request, &user, Verdict::Request, trace);
            }
            let (needed, now) = (request.scopes.needed(&request.app), world.now());
            let client_id = request.app.client_id;
            let mut directory = world.directory.lock();
            let decisions = &mut directory.decisions;
            decisions.request(client_id, user.oid, reason, needed, now);
            drop(directory);
            state::save(world);
            let response = pages::request_sent(&flow, &request.app, &user, trace);
            world.sessions.lock().keep(flow, world.now());
            response
        }
        _ => flow::advance(world, flow, trace),
    }
}
