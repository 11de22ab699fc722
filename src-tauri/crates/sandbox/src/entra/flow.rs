//! The order of a sign-in: account, password, second factor, checks, consent, code.

use super::adminconsent;
use super::authority::Caller;
use super::authorize::refuse_back;
use super::back::back;
use super::consent::{self, Verdict};
use super::errors::{Refusal, Trace};
use super::grants::{CODE_LIFE, Code, Fate, Grant};
use super::obstacles::{self, Way};
use super::office;
use super::pages;
use super::request::{AuthorizeRequest, Parameters, Prompt};
use super::sessions::{Flow, Goal, SignedIn};
use crate::scenarios::Scenario;
use crate::tenant::directory::User;
use crate::world::World;
use axum::response::Response;
use rand::Rng;

/// Pages before an account has proved itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// The accounts signed in in this browser; where there are none, the next one.
    Picker,
    /// "Sign in": the login name.
    Name,
    /// "Enter password".
    Password,
}

/// How a sign-in begins.
pub(super) struct First {
    pub(super) user: Option<String>,
    pub(super) proved: bool,
    pub(super) page: Shown,
    /// Several sessions would do.
    pub(super) several: bool,
}

/// Chooses among the sessions of the browser. One session and no prompt: it is used silently, whoever it is.
pub(super) fn first(world: &World, request: &AuthorizeRequest, browser: &str) -> First {
    let directory = world.directory.lock();
    let hinted = request
        .login_hint
        .as_deref()
        .and_then(|h| directory.by_login(h));
    let sessions = world.sessions.lock();
    let mut fitting: Vec<&User> = sessions
        .accounts(browser)
        .iter()
        .filter_map(|a| directory.find(&a.oid))
        .collect();
    if let Some(hint) = &request.login_hint {
        fitting.retain(|u| u.is_login(hint));
    } else if let Some(domain) = &request.domain_hint {
        let tenant = directory.tenant(domain).map(|t| t.id);
        fitting.retain(|u| tenant.is_none_or(|t| t == u.tenant));
    }
    let silent = !matches!(request.prompt, Prompt::Login | Prompt::SelectAccount);
    let none = First {
        user: None,
        proved: false,
        page: Shown::Picker,
        several: fitting.len() > 1,
    };
    match (fitting.as_slice(), hinted) {
        ([one], _) if silent => First {
            user: Some(one.oid.to_owned()),
            proved: true,
            ..none
        },
        (_, Some(hinted)) if request.prompt != Prompt::SelectAccount => First {
            user: Some(hinted.oid.to_owned()),
            page: Shown::Password,
            ..none
        },
        _ if request.login_hint.is_some() || request.prompt == Prompt::Login => First {
            page: if request.prompt == Prompt::SelectAccount {
                Shown::Picker
            } else {
                Shown::Name
            },
            ..none
        },
        _ => none,
    }
}

/// What a silent request is told when nobody, or more than one, is signed in.
pub(super) fn not_signed_in(several: bool) -> Refusal {
    if several {
        return Refusal::new(
            "interaction_required",
            16_000,
            "Either multiple user identities are available for the current request or selected account is not supported for the scenario.",
        );
    }
    Refusal::new(
        "login_required",
        50_058,
        "A silent sign-in request was sent but no user is signed in. The cookies used to represent the user's session were not sent in the request to Azure AD.",
    )
}

/// Shows a page and keeps the sign-in for its form.
pub(super) fn show(
    world: &World,
    mut flow: Flow,
    page: Shown,
    error: Option<&str>,
    trace: &Trace,
) -> Response {
    let response = {
        let directory = world.directory.lock();
        let sessions = world.sessions.lock();
        let accounts: Vec<&User> = sessions
            .accounts(&flow.browser)
            .iter()
            .filter_map(|a| directory.find(&a.oid))
            .collect();
        let user = flow.user.as_deref().and_then(|oid| directory.find(oid));
        match (page, user) {
            (Shown::Password, Some(user)) => pages::password(&flow, user, error, trace),
            (Shown::Picker, _) if !accounts.is_empty() => pages::picker(&flow, &accounts, trace),
            _ => {
                flow.user = None;
                let hint = match &flow.goal {
                    Goal::Authorize(r) => r.login_hint.as_deref(),
                    Goal::AdminConsent(_) | Goal::Office(_) => None,
                };
                let practice: Vec<&User> = directory.everybody().collect();
                pages::name(&flow, hint, error, &practice, trace)
            }
        }
    };
    // Whoever is typed now starts over: a code shown to the account before is not theirs.
    flow.proved = false;
    flow.code = None;
    world.sessions.lock().keep(flow, world.now());
    response
}

/// Takes in one form.
pub(super) fn step(
    world: &World,
    mut flow: Flow,
    step: &str,
    p: &Parameters,
    trace: &Trace,
) -> Response {
    let text = |name: &str| p.get(name).map_or("", String::as_str);
    match step {
        "other" => {
            flow.user = None;
            show(world, flow, Shown::Name, None, trace)
        }
        "pick" => {
            let (oid, known) = {
                let directory = world.directory.lock();
                let oid = directory
                    .by_login(text("account"))
                    .map(|u| u.oid.to_owned());
                let sessions = world.sessions.lock();
                let accounts = sessions.accounts(&flow.browser);
                let known = accounts.iter().any(|a| Some(&a.oid) == oid.as_ref());
                (oid, known)
            };
            flow.user = oid;
            let again = matches!(&flow.goal, Goal::Authorize(r) if r.prompt == Prompt::Login);
            if known && !again {
                flow.proved = true;
                return advance(world, flow, trace);
            }
            show(world, flow, Shown::Password, None, trace)
        }
        "name" => {
            let name = text("loginfmt").trim().to_owned();
            let found = world
                .directory
                .lock()
                .by_login(&name)
                .map(|u| u.oid.to_owned());
            let error = if name.is_empty() {
                "Enter a valid email address, phone number, or Skype name."
            } else {
                "This username may be incorrect. Make sure you typed it correctly. Otherwise, contact your admin. (AADSTS50034)"
            };
            if found.is_none() {
                if let Goal::Authorize(request) = &mut flow.goal {
                    request.login_hint = Some(name);
                }
                return show(world, flow, Shown::Name, Some(error), trace);
            }
            flow.user = found;
            show(world, flow, Shown::Password, None, trace)
        }
        "password" => password(world, flow, text("passwd"), trace),
        "otc" if flow.code.is_some() => {
            if flow.code.as_deref() != Some(text("otc").trim()) {
                let error = "You didn't enter the expected verification code. Please try again.";
                return second_factor(world, flow, Some(error), trace);
            }
            sign_in(world, &flow, true);
            flow.proved = true;
            advance(world, flow, trace)
        }
        "accept" | "request" if flow.proved => consent::answer(world, flow, step, p, trace),
        _ => advance(world, flow, trace),
    }
}

fn password(world: &World, mut flow: Flow, typed: &str, trace: &Trace) -> Response {
    let user = {
        let directory = world.directory.lock();
        let oid = flow.user.as_deref();
        oid.and_then(|oid| directory.find(oid)).cloned()
    };
    let wrong = match &user {
        None => Some(""),
        Some(user) => obstacles::at_the_door(world, user).or_else(|| (user.password != typed).then_some(
            "Your account or password is incorrect. If you don't remember your password, reset it now. (AADSTS50126)",
        )),
    };
    match wrong {
        Some("") => show(world, flow, Shown::Name, None, trace),
        Some(error) => show(world, flow, Shown::Password, Some(error), trace),
        None => {
            sign_in(world, &flow, false);
            flow.proved = true;
            advance(world, flow, trace)
        }
    }
}

fn sign_in(world: &World, flow: &Flow, mfa: bool) {
    if let Some(oid) = flow.user.clone() {
        let at = world.now();
        let account = SignedIn { oid, at, mfa };
        world.sessions.lock().sign_in(&flow.browser, account);
    }
}

fn second_factor(world: &World, mut flow: Flow, error: Option<&str>, trace: &Trace) -> Response {
    let code = format!("{:06}", rand::rng().random_range(0..1_000_000));
    let response = {
        let directory = world.directory.lock();
        let user = flow.user.as_deref().and_then(|oid| directory.find(oid));
        pages::second_factor(&flow, user.map_or("", |u| u.upn), &code, error, trace)
    };
    flow.code = Some(code);
    flow.proved = false;
    world.sessions.lock().keep(flow, world.now());
    response
}

/// Goes on with an account that has proved itself, as far as it gets without a person.
pub(super) fn advance(world: &World, flow: Flow, trace: &Trace) -> Response {
    let user = {
        let directory = world.directory.lock();
        flow.user
            .as_deref()
            .and_then(|oid| directory.find(oid))
            .cloned()
    };
    let session = user.as_ref().and_then(|u| {
        let sessions = world.sessions.lock();
        let accounts = sessions.accounts(&flow.browser);
        accounts.iter().find(|a| a.oid == u.oid).cloned()
    });
    let (Some(user), Some(session), true) = (user, session, flow.proved) else {
        return show(world, flow, Shown::Picker, None, trace);
    };
    let request = match &flow.goal {
        Goal::AdminConsent(_) => return adminconsent::advance(world, flow, &user, trace),
        Goal::Office(_) => return office::advance(world, flow, &user, trace),
        Goal::Authorize(request) => request.clone(),
    };
    let silent = request.prompt == Prompt::None;
    let caller = Caller {
        base: flow.base.clone(),
        correlation_id: flow.correlation_id.clone(),
        cookie: None,
        wants_html: true,
    };
    let refuse = |refusal: Refusal| {
        if silent {
            refuse_back(
                &request.back,
                &refusal.error("interaction_required"),
                trace,
                &caller,
            )
        } else {
            pages::refused(&refusal, trace)
        }
    };
    if let Some(refusal) = obstacles::outsider(world, &flow.authority, &request.app, &user)
        .or_else(|| obstacles::account(world, &user))
    {
        return refuse(refusal);
    }
    if world.has(Scenario::MfaRequired) && !session.mfa {
        if silent {
            return refuse(Refusal::second_factor());
        }
        return second_factor(world, flow, None, trace);
    }
    match obstacles::met(world, &request.app, &user) {
        None => {}
        Some((Way::Page, refusal)) => return refuse(refusal),
        Some((Way::Back, refusal)) => return refuse_back(&request.back, &refusal, trace, &caller),
    }
    match consent::verdict(world, &request, &user) {
        Verdict::Granted => {}
        Verdict::Ask | Verdict::Admin(_) | Verdict::Request if silent => {
            let refusal = Refusal::not_consented(request.app.client_id, request.app.name)
                .error("consent_required");
            return refuse_back(&request.back, &refusal, trace, &caller);
        }
        verdict @ (Verdict::Ask | Verdict::Admin(_) | Verdict::Request) => {
            return consent::ask(world, flow, &request, &user, verdict, trace);
        }
    }
    finish(world, &flow, &request, &user, &session, trace)
}

fn finish(
    world: &World,
    flow: &Flow,
    request: &AuthorizeRequest,
    user: &User,
    session: &SignedIn,
    trace: &Trace,
) -> Response {
    let now = world.now();
    let code = Code {
        grant: Grant {
            client_id: request.app.client_id.to_owned(),
            oid: user.oid.to_owned(),
            authority: flow.authority.clone(),
            scopes: request.scopes.clone(),
            signed_in_at: session.at,
            mfa: session.mfa,
            understands_challenges: request.understands_challenges,
            steps_up: request.steps_up,
            fate: Fate::Alive,
        },
        redirect_uri: request.back.redirect_uri.clone(),
        platform: request.platform,
        challenge: request.challenge.clone(),
        nonce: request.nonce.clone(),
        expires: now.checked_add(CODE_LIFE).unwrap_or(now),
        used: false,
    };
    let code = world.grants.lock().issue_code(code, now);
    world.sessions.lock().finish(&flow.id);
    let session_state = uuid::Uuid::new_v4().to_string();
    let all = [
        ("code", code.as_str()),
        ("session_state", session_state.as_str()),
    ];
    back(&request.back, &all, trace)
}
