//! `/token`: codes and refresh tokens become tokens.

use super::authority::{Authority, Caller, no_store};
use super::errors::{Refusal, Trace};
use super::grants::{Fate, Grant, IDLE_LIFE};
use super::obstacles;
use super::pages;
use super::redeemable;
use super::request::{Parameters, app, parameters, understands_challenges};
use super::scopes::{Asked, Scopes};
use super::tokens::{self, GRAPH};
use crate::scenarios::Scenario;
use crate::server::GrantType;
use crate::state;
use crate::tenant::directory::{Registration, User};
use crate::world::World;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use rand::Rng;
use serde_json::{Value, json};
use std::sync::Arc;

/// Access tokens of a sign-in that a scenario will undo: short, so that the refresh comes soon.
const DOOMED_LIFE: SignedDuration = SignedDuration::from_mins(6);

/// Any method but POST: AADSTS900561, as a page or as JSON.
pub(super) async fn not_post(
    State(world): State<Arc<World>>,
    method: http::Method,
    caller: Caller,
) -> Response {
    let trace = Trace::new(&world, &caller);
    let text =
        format!("The endpoint only accepts POST, OPTIONS requests. Received a {method} request.");
    let refusal = Refusal::new("invalid_request", 900_561, text);
    if caller.wants_html {
        pages::refused(&refusal, &trace)
    } else {
        refusal.json(&caller, &trace)
    }
}

/// POST `/{tenant}/oauth2/v2.0/token`.
pub(super) async fn post(
    State(world): State<Arc<World>>,
    Path(segment): Path<String>,
    caller: Caller,
    body: String,
) -> Response {
    let trace = Trace::new(&world, &caller);
    let p = parameters(&body);
    if let Some(page) = crate::portal::instead_of_token(&world) {
        return page;
    }
    let answer = redeem(&world, &segment, &p, &caller);
    let mut response = match answer {
        Ok(body) => {
            let mut response = Json(body).into_response();
            no_store(&mut response, &trace);
            response
        }
        Err(refusal) => refusal.json(&caller, &trace),
    };
    if let Some(grant_type) = p.get("grant_type") {
        response
            .extensions_mut()
            .insert(GrantType(grant_type.clone()));
    }
    response
}

fn redeem(world: &World, segment: &str, p: &Parameters, caller: &Caller) -> Result<Value, Refusal> {
    if world.has(Scenario::ServiceDown) || world.has(Scenario::TemporarilyUnavailable) {
        let text = "A transient error has occurred. Please try again.";
        return Err(Refusal::new("temporarily_unavailable", 90_033, text));
    }
    let authority =
        Authority::parse(world, segment).map_err(|refusal| refusal.error("invalid_request"))?;
    let grant_type = p
        .get("grant_type")
        .ok_or_else(|| Refusal::missing("grant_type"))?;
    let app = app(world, &authority, p.get("client_id"))?;
    let presents_secret = p.contains_key("client_secret") || p.contains_key("client_assertion");
    if app.public_client && presents_secret {
        return Err(Refusal::new(
            "invalid_client",
            700_025,
            "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        ));
    }
    match grant_type.as_str() {
        "authorization_code" => code(world, &authority, &app, p, caller),
        // A public client that is not allowed to be one has to prove itself (MAILROOM_WEB never gets this far).
        "refresh_token" if !app.public_client && !presents_secret => Err(redeemable::no_secret()),
        "refresh_token" => refresh(world, &app, p, caller),
        other => Err(Refusal::new(
            "unsupported_grant_type",
            70_003,
            format!("The app requested an unsupported grant type '{other}'."),
        )),
    }
}

fn code(
    world: &World,
    authority: &Authority,
    app: &Registration,
    p: &Parameters,
    caller: &Caller,
) -> Result<Value, Refusal> {
    let text = p.get("code").ok_or_else(|| Refusal::missing("code"))?;
    let redirect_uri = p
        .get("redirect_uri")
        .ok_or_else(|| Refusal::missing("redirect_uri"))?;
    let invalid = |code, text: &str| Refusal::new("invalid_grant", code, text);
    if !text.starts_with("1.") {
        return Err(Refusal::malformed().error("invalid_grant"));
    }
    // Checked and marked as used under one lock: of two that redeem a code at once, one gets tokens.
    let code = {
        let now = world.now();
        let mut grants = world.grants.lock();
        let code = grants.code(text).ok_or_else(|| {
            invalid(
                70_000,
                "The provided value for the input parameter 'code' is not valid.",
            )
        })?;
        redeemable::check(code, authority, app, redirect_uri, p)?;
        if code.used {
            return Err(invalid(
                54_005,
                "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
            ));
        }
        if code.expires <= now {
            return Err(invalid(
                70_008,
                "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
            ));
        }
        code.used = true;
        code.clone()
    };
    let nonce = code.nonce.clone();
    let mut grant = code.grant;
    grant.understands_challenges |= understands_challenges(p.get("claims"))?;
    let user = user(world, &grant.oid)?;
    admitted(world, app, &user)?;
    let scopes = match p.get("scope") {
        Some(text) => parse(world, text, app, &user)?,
        // Without a scope the token is for the first resource that was asked for.
        None => Scopes {
            asked: grant.scopes.asked.first().cloned().into_iter().collect(),
            ..grant.scopes.clone()
        },
    };
    let asked = scopes.single(p.get("scope").map_or("", String::as_str))?;
    grant.fate = crate::faults::fate(world, &grant.oid);
    let body = answer(
        world,
        app,
        &user,
        &grant,
        &scopes,
        &asked,
        nonce.as_deref(),
        p,
        caller,
    )?;
    let offline = grant.scopes.openid.contains("offline_access");
    let mut grants = world.grants.lock();
    let number = grants.open(grant);
    Ok(finish(world, body, grants, number, offline))
}

fn refresh(
    world: &World,
    app: &Registration,
    p: &Parameters,
    caller: &Caller,
) -> Result<Value, Refusal> {
    let text = p
        .get("refresh_token")
        .ok_or_else(|| Refusal::missing("refresh_token"))?;
    if !text.starts_with("1.") {
        return Err(Refusal::malformed().error("invalid_grant"));
    }
    let now = world.now();
    let (number, grant, issued, idle) = {
        let mut grants = world.grants.lock();
        let invalid = || {
            let text = "The provided value for the input parameter 'refresh_token' or 'assertion' is not valid.";
            Refusal::new("invalid_grant", 70_000, text)
        };
        let token = grants.refresh(text).cloned().ok_or_else(invalid)?;
        let grant = grants.grant(token.grant).cloned().ok_or_else(invalid)?;
        if grant.client_id != app.client_id {
            return Err(invalid());
        }
        let idle = now.duration_since(token.used) >= IDLE_LIFE;
        (token.grant, grant, token.issued, idle)
    };
    let user = user(world, &grant.oid)?;
    if let Some(refusal) = obstacles::account(world, &user) {
        return Err(refusal);
    }
    let stamp = |t: jiff::Timestamp| t.strftime("%Y-%m-%dT%H:%M:%S.0000000Z").to_string();
    match grant.fate {
        _ if idle => return Err(expired(&stamp(issued))),
        Fate::Expired => return Err(expired(&stamp(issued))),
        Fate::Revoked(at) => {
            return Err(Refusal::new(
                "invalid_grant",
                50_173,
                format!(
                    "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '{}' and the TokensValidFrom date (before which tokens are not valid) for this user is '{}'.",
                    stamp(issued),
                    stamp(at)
                ),
            )
            .suberror("bad_token"));
        }
        Fate::Unconsented => {
            world.directory.lock().withdraw(app.client_id, user.oid);
            if let Some(grant) = world.grants.lock().grant(number) {
                grant.fate = Fate::Alive;
            }
            state::save(world);
        }
        Fate::Struck(scenario) => return Err(obstacles::struck(scenario)),
        Fate::Alive => {}
    }
    admitted(world, app, &user)?;
    if world.has(Scenario::MfaRequired) && !grant.mfa {
        return Err(Refusal::second_factor());
    }
    let scopes = match p.get("scope") {
        Some(text) => parse(world, text, app, &user)?,
        None => Scopes {
            asked: grant.scopes.asked.first().cloned().into_iter().collect(),
            ..grant.scopes.clone()
        },
    };
    let asked = scopes.single(p.get("scope").map_or("", String::as_str))?;
    let mut grant = grant;
    grant.understands_challenges |= understands_challenges(p.get("claims"))?;
    let body = answer(world, app, &user, &grant, &scopes, &asked, None, p, caller)?;
    let mut grants = world.grants.lock();
    if let Some(token) = grants.refresh(text) {
        token.used = now;
    }
    Ok(finish(world, body, grants, number, true))
}

/// Refuses an account that something stands in the way of.
fn admitted(world: &World, app: &Registration, user: &User) -> Result<(), Refusal> {
    let met = || obstacles::met(world, app, user).map(|(_, refusal)| refusal);
    obstacles::account(world, user)
        .or_else(met)
        .map_or(Ok(()), Err)
}

fn expired(issued: &str) -> Refusal {
    Refusal::new(
        "invalid_grant",
        700_082,
        format!(
            "The refresh token has expired due to inactivity. The token was issued on {issued} and was inactive for 90.00:00:00."
        ),
    )
    .suberror("bad_token")
}

/// Adds the new refresh token and writes the state before the answer leaves.
fn finish(
    world: &World,
    mut body: Value,
    mut grants: std::sync::MutexGuard<'_, super::grants::Grants>,
    number: u64,
    offline: bool,
) -> Value {
    if offline {
        body["refresh_token"] = grants.issue_refresh(number, world.now()).into();
    }
    drop(grants);
    state::save(world);
    body
}

fn parse(world: &World, text: &str, app: &Registration, user: &User) -> Result<Scopes, Refusal> {
    let tenant = world
        .directory
        .lock()
        .tenant(user.tenant)
        .map_or("", |t| t.name);
    Scopes::parse(text, app, tenant)
}

fn user(world: &World, oid: &str) -> Result<User, Refusal> {
    world.directory.lock().find(oid).cloned().ok_or_else(|| {
        let text = "The user account has been deleted from the directory.";
        Refusal::new("invalid_grant", 500_341, text)
    })
}

/// The token response (RFC 6749 section 5.1). `scope` names all that is granted on the resource, in the
/// spelling the request used, without `offline_access`.
#[allow(clippy::too_many_arguments)]
fn answer(
    world: &World,
    app: &Registration,
    user: &User,
    grant: &Grant,
    scopes: &Scopes,
    asked: &Asked,
    nonce: Option<&str>,
    p: &Parameters,
    caller: &Caller,
) -> Result<Value, Refusal> {
    scopes.listed(app)?;
    let mut granted = {
        let directory = world.directory.lock();
        let needed = scopes.needed(app);
        let consented = needed.iter().all(|(resource, name)| {
            directory
                .granted(app.client_id, user, resource)
                .contains(name)
        });
        if !consented {
            return Err(Refusal::not_consented(app.client_id, app.name));
        }
        directory.granted(app.client_id, user, &asked.resource)
    };
    granted.remove("offline_access");
    let openid = ["openid", "profile", "email"];
    let mut words: Vec<String> = granted
        .iter()
        .map(|name| {
            if asked.qualified && !openid.contains(&name.as_str()) {
                format!("{}/{name}", asked.resource)
            } else {
                name.clone()
            }
        })
        .collect();
    if asked.all {
        words.push(format!("{}/.default", asked.resource));
    }
    if asked.resource != GRAPH {
        words.retain(|w| !openid.contains(&w.as_str()));
    }
    let life = if grant.fate == Fate::Alive {
        SignedDuration::from_secs(rand::rng().random_range(3_600..5_400))
    } else {
        DOOMED_LIFE
    };
    let failed = |reason: String| {
        tracing::error!(reason, "cannot sign a token");
        Refusal::new(
            "server_error",
            90_033,
            "A transient error has occurred. Please try again.",
        )
    };
    let access = tokens::access_token(world, app, user, grant, &asked.resource, &granted, life)
        .map_err(failed)?;
    let mut body = json!({
        "token_type": "Bearer",
        "scope": words.join(" "),
        "expires_in": life.as_secs(),
        "ext_expires_in": life.as_secs(),
        "access_token": access,
    });
    if scopes.openid.contains("openid") {
        let grant = Grant {
            scopes: scopes.clone(),
            ..grant.clone()
        };
        body["id_token"] = tokens::id_token(world, app, user, &grant, &caller.base, nonce)
            .map_err(failed)?
            .into();
    }
    if p.get("client_info").is_some_and(|v| v == "1") {
        body["client_info"] = tokens::client_info(user).into();
    }
    Ok(body)
}
