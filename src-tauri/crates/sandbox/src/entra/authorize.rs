//! `/authorize` and the forms of its pages.

use super::adminconsent;
use super::authority::{Authority, COOKIE, Caller};
use super::back::back;
use super::errors::{Refusal, Trace};
use super::flow::{self, Shown};
use super::pages;
use super::request::{AuthorizeRequest, Bad, Parameters, Prompt, parameters};
use super::sessions::{Flow, Goal, SignedIn};
use crate::scenarios::Scenario;
use crate::world::World;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::{HeaderValue, header};
use std::sync::Arc;

/// GET `/{tenant}/oauth2/v2.0/authorize`.
pub(super) async fn get(
    State(world): State<Arc<World>>,
    Path(segment): Path<String>,
    RawQuery(query): RawQuery,
    caller: Caller,
) -> Response {
    start(
        &world,
        &segment,
        &parameters(&query.unwrap_or_default()),
        &caller,
    )
}

/// POST of the same.
pub(super) async fn post(
    State(world): State<Arc<World>>,
    Path(segment): Path<String>,
    caller: Caller,
    body: String,
) -> Response {
    start(&world, &segment, &parameters(&body), &caller)
}

fn start(world: &World, segment: &str, p: &Parameters, caller: &Caller) -> Response {
    let trace = Trace::new(world, caller);
    let authority = match Authority::parse(world, segment) {
        Ok(authority) => authority,
        Err(refusal) => return pages::refused(&refusal, &trace),
    };
    match AuthorizeRequest::parse(world, &authority, p) {
        Ok(request) => begin(world, authority, Goal::Authorize(request), caller),
        Err(Bad::Page(refusal)) => pages::refused(&refusal, &trace),
        Err(Bad::Redirect(to, refusal)) => refuse_back(&to, &refusal, &trace, caller),
    }
}

/// Sends a refusal back to the app.
pub(super) fn refuse_back(
    to: &super::request::Return,
    refusal: &Refusal,
    trace: &Trace,
    caller: &Caller,
) -> Response {
    let description = refusal.description(trace);
    let uri = format!("{}/error?code={}", caller.base, refusal.code);
    let mut all = vec![
        ("error", refusal.error),
        ("error_description", description.as_str()),
        ("error_uri", uri.as_str()),
    ];
    if refusal.code == 65_004 {
        all.insert(1, ("error_subcode", "cancel"));
    }
    if let Some(suberror) = refusal.suberror {
        all.push(("suberror", suberror));
    }
    back(to, &all, trace)
}

/// Starts a sign-in in this browser: silently with its session, by the account picker, or by typing.
pub(super) fn begin(world: &World, authority: Authority, goal: Goal, caller: &Caller) -> Response {
    let now = world.now();
    let (browser, fresh) = browser(world, caller);
    let mut flow = Flow {
        id: super::random_name(),
        browser: browser.clone(),
        authority,
        base: caller.base.clone(),
        correlation_id: caller.correlation_id.clone(),
        goal,
        user: None,
        proved: false,
        code: None,
        expires: now,
    };
    let trace = Trace::new(world, caller);
    let mut response = match &flow.goal {
        Goal::Authorize(request) => {
            let first = flow::first(world, request, &browser);
            flow.user = first.user;
            flow.proved = first.proved;
            match (request.prompt, flow.proved) {
                (_, true) => flow::advance(world, flow, &trace),
                (Prompt::None, false) => refuse_back(
                    &request.back,
                    &flow::not_signed_in(first.several),
                    &trace,
                    caller,
                ),
                (_, false) => flow::show(world, flow, first.page, None, &trace),
            }
        }
        Goal::AdminConsent(_) | Goal::Office(_) => {
            flow::show(world, flow, Shown::Picker, None, &trace)
        }
    };
    if fresh {
        set_cookie(&mut response, &browser, caller);
    }
    response
}

/// The browser's name, and whether it is new. In the scenario `wrong-account` a new browser is one in which
/// Alex has been signed in all along.
fn browser(world: &World, caller: &Caller) -> (String, bool) {
    let alex = world
        .directory
        .lock()
        .find("alex@contoso.example")
        .map(|u| u.oid);
    let wrong = world.has(Scenario::WrongAccount);
    let (now, mfa) = (world.now(), world.has(Scenario::MfaRequired));
    let mut sessions = world.sessions.lock();
    if let Some(cookie) = caller.cookie.as_ref().filter(|c| sessions.knows(c)) {
        return (cookie.clone(), false);
    }
    let browser = super::random_name();
    sessions.open(&browser);
    if let Some(oid) = alex.filter(|_| wrong) {
        let oid = oid.to_owned();
        sessions.sign_in(&browser, SignedIn { oid, at: now, mfa });
    }
    (browser, true)
}

fn set_cookie(response: &mut Response, browser: &str, caller: &Caller) {
    let secure = if caller.base.starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    let value = format!("{COOKIE}={browser}; Path=/; HttpOnly; SameSite=Lax{secure}");
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// POST `/{tenant}/login`: every form of every page.
pub(super) async fn form(
    State(world): State<Arc<World>>,
    Path(_): Path<String>,
    caller: Caller,
    body: String,
) -> Response {
    let p = parameters(&body);
    let trace = Trace::new(&world, &caller);
    let browser = caller.cookie.clone().unwrap_or_default();
    let id = p.get("ctx").cloned().unwrap_or_default();
    let found = world.sessions.lock().flow(&id, &browser, world.now());
    let Some(flow) = found else {
        return pages::refused(
            &Refusal::new(
                "invalid_request",
                50_089,
                "Authentication failed due to flow token expired. Go back to the app and start signing in again; the browser must accept cookies.",
            ),
            &trace,
        );
    };
    let caller = Caller {
        base: flow.base.clone(),
        correlation_id: flow.correlation_id.clone(),
        ..caller
    };
    let trace = Trace {
        correlation_id: flow.correlation_id.clone(),
        ..trace
    };
    let step = p.get("step").map_or("", String::as_str);
    match (step, &flow.goal) {
        ("back", Goal::Authorize(request)) => {
            world.sessions.lock().finish(&flow.id);
            refuse_back(&request.back, &Refusal::declined(), &trace, &caller)
        }
        ("back", Goal::AdminConsent(request)) => {
            world.sessions.lock().finish(&flow.id);
            adminconsent::declined(request, &flow, &trace)
        }
        _ => flow::step(&world, flow, step, &p, &trace),
    }
}
