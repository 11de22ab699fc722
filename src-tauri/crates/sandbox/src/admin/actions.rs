//! Everything an administrator can do, by name, with fields as a form sends them.

use super::settings::setting;
use crate::entra::scopes::PERMISSIONS;
use crate::faults;
use crate::scenarios::Scenario;
use crate::state;
use crate::tenant::directory::{CONTOSO, MAILROOM, RequestState, Right, User};
use crate::world::World;
use std::collections::HashMap;

/// Why an action was not carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// No action has this name.
    #[error("there is no such action: {0}")]
    Unknown(String),
    /// A field is missing or says nothing known.
    #[error("the field \"{0}\" is missing or names nothing known")]
    Field(&'static str),
    /// The administrator would shut everybody out.
    #[error("the administrator's own account stays as it is: somebody has to mend the tenant")]
    OwnAccount,
}

/// The fields of a form.
pub(super) type Fields = HashMap<String, String>;

/// Carries an action out and writes the state.
///
/// - `approve-request`, `deny-request` with `id`; `grant-consent`; `revoke-consent`
/// - `set` with `setting` (the name of its scenario) and `to` (`healthy` or `broken`)
/// - `assign`, `unassign` with `user`; `add-permission`, `remove-permission` with `scope`
/// - `full-access`, `send-as` with `user`, `mailbox`, `to` (`on` or `off`); `imap`, `smtp` with `user`, `to`
/// - `revoke-sessions`, `reset-password`, `block-sign-in`, `unblock-sign-in` with `user`
pub(super) fn perform(world: &World, action: &str, fields: &Fields) -> Result<(), Problem> {
    match action {
        "approve-request" => decide(world, fields, RequestState::Approved)?,
        "deny-request" => decide(world, fields, RequestState::Denied)?,
        "grant-consent" => grant_consent(world),
        "revoke-consent" => {
            let mut directory = world.directory.lock();
            directory.consents.retain(|c| c.client_id != MAILROOM);
        }
        "set" => set(world, fields)?,
        "assign" => {
            let oid = user(world, fields, "user")?.oid;
            let mut directory = world.directory.lock();
            directory.decisions.assigned.insert(oid.to_owned());
            drop(directory);
            faults::mended(world, Scenario::UserNotAssigned);
        }
        "unassign" => {
            let oid = user(world, fields, "user")?.oid;
            world.directory.lock().decisions.assigned.remove(oid);
        }
        "add-permission" => permission(world, fields, true)?,
        "remove-permission" => permission(world, fields, false)?,
        "full-access" => right(
            world,
            fields,
            Right::FullAccess,
            Scenario::FullAccessMissing,
        )?,
        "send-as" => right(world, fields, Right::SendAs, Scenario::SendAsDenied)?,
        "imap" | "smtp" => mail_app(world, fields, action == "imap")?,
        "revoke-sessions" => {
            faults::revoke(world, Some(user(world, fields, "user")?.oid));
        }
        "reset-password" => {
            // The practice password stays what the sign-in page says; what counts is that it was reset.
            let user = user(world, fields, "user")?;
            faults::revoke(world, Some(user.oid));
            mark(world, &user, Scenario::PasswordExpired, false);
            mark(world, &user, Scenario::AccountLocked, false);
        }
        "block-sign-in" => {
            let user = user(world, fields, "user")?;
            if user.oid == administrator(world) {
                return Err(Problem::OwnAccount);
            }
            faults::revoke(world, Some(user.oid));
            mark(world, &user, Scenario::UserDisabled, true);
        }
        "unblock-sign-in" => {
            let user = user(world, fields, "user")?;
            mark(world, &user, Scenario::UserDisabled, false);
        }
        other => return Err(Problem::Unknown(other.to_owned())),
    }
    state::save(world);
    Ok(())
}

fn administrator(world: &World) -> &'static str {
    let directory = world.directory.lock();
    directory
        .find("admin@contoso.example")
        .map_or("", |admin| admin.oid)
}

fn user(world: &World, fields: &Fields, name: &'static str) -> Result<User, Problem> {
    let directory = world.directory.lock();
    fields
        .get(name)
        .and_then(|text| directory.find(text))
        .filter(|user| user.tenant == CONTOSO)
        .cloned()
        .ok_or(Problem::Field(name))
}

fn on(fields: &Fields) -> Result<bool, Problem> {
    match fields.get("to").map(String::as_str) {
        Some("on") => Ok(true),
        Some("off") => Ok(false),
        _ => Err(Problem::Field("to")),
    }
}

/// Puts one account under a scenario, or takes it (and the scenario for all) away.
fn mark(world: &World, user: &User, scenario: Scenario, under: bool) {
    let one = (user.oid.to_owned(), scenario);
    if under {
        world.directory.lock().decisions.marks.insert(one);
    } else {
        world.directory.lock().decisions.marks.remove(&one);
        faults::mended(world, scenario);
    }
}

fn set(world: &World, fields: &Fields) -> Result<(), Problem> {
    let scenario = fields
        .get("setting")
        .and_then(|name| Scenario::from_name(name))
        .filter(|scenario| setting(*scenario).is_some())
        .ok_or(Problem::Field("setting"))?;
    match fields.get("to").map(String::as_str) {
        Some("healthy") => faults::switch_off(world, scenario),
        Some("broken") => faults::switch_on(world, scenario),
        _ => return Err(Problem::Field("to")),
    }
    Ok(())
}

/// "Grant admin consent for Contoso": everything the registration lists, for everybody.
fn grant_consent(world: &World) {
    {
        let mut directory = world.directory.lock();
        let taken = directory.decisions.removed.clone();
        let scopes: Vec<(String, String)> = directory
            .registration(MAILROOM)
            .into_iter()
            .flat_map(|app| app.permissions.iter())
            .map(|(resource, name)| ((*resource).to_owned(), (*name).to_owned()))
            .filter(|scope| !taken.contains(scope))
            .collect();
        directory.consent(MAILROOM, CONTOSO, None, scopes);
    }
    faults::consented(world);
}

fn decide(world: &World, fields: &Fields, state: RequestState) -> Result<(), Problem> {
    let id = fields.get("id").and_then(|id| id.parse::<u64>().ok());
    {
        let mut directory = world.directory.lock();
        let decisions = &mut directory.decisions;
        let request = decisions
            .requests
            .iter_mut()
            .find(|r| Some(r.id) == id && r.state == RequestState::Waiting)
            .ok_or(Problem::Field("id"))?;
        request.state = state;
        let (client_id, scopes) = (request.client_id.clone(), request.scopes.clone());
        if state == RequestState::Approved {
            directory.consent(&client_id, CONTOSO, None, scopes);
        }
    }
    if state == RequestState::Approved {
        faults::consented(world);
    }
    Ok(())
}

fn permission(world: &World, fields: &Fields, listed: bool) -> Result<(), Problem> {
    let named = fields.get("scope").ok_or(Problem::Field("scope"))?;
    let known = PERMISSIONS
        .iter()
        .find(|p| p.name == named)
        .ok_or(Problem::Field("scope"))?;
    let scope = (known.resource.to_owned(), known.name.to_owned());
    let mut directory = world.directory.lock();
    if listed {
        directory.decisions.removed.remove(&scope);
        drop(directory);
        faults::mended(world, Scenario::PermissionMissing);
    } else {
        directory.decisions.removed.insert(scope);
    }
    Ok(())
}

fn right(world: &World, fields: &Fields, right: Right, mends: Scenario) -> Result<(), Problem> {
    let (user, mailbox) = (
        user(world, fields, "user")?,
        user(world, fields, "mailbox")?,
    );
    let granted = on(fields)?;
    let mut directory = world.directory.lock();
    let decisions = &mut directory.decisions;
    decisions.set_right(right, user.oid, mailbox.oid, granted);
    drop(directory);
    if granted {
        faults::mended(world, mends);
    }
    Ok(())
}

fn mail_app(world: &World, fields: &Fields, imap: bool) -> Result<(), Problem> {
    let oid = user(world, fields, "user")?.oid;
    let allowed = on(fields)?;
    let mut directory = world.directory.lock();
    let decisions = &mut directory.decisions;
    let forbidden = if imap {
        &mut decisions.no_imap
    } else {
        &mut decisions.no_smtp
    };
    if allowed {
        forbidden.remove(oid);
    } else {
        forbidden.insert(oid.to_owned());
    }
    Ok(())
}
