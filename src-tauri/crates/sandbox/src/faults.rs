//! Scenarios that strike tokens: what happens when they are switched on, and to the sign-ins after that.

use crate::entra::grants::{Ended, Fate};
use crate::scenarios::Scenario;
use crate::state;
use crate::tenant::directory::{MAILROOM, Right};
use crate::world::World;

/// Switches a scenario on. One that strikes tokens does so now; who is struck can sign in again for good.
pub(crate) fn switch_on(world: &World, scenario: Scenario) {
    if !world.scenarios.lock().insert(scenario) {
        return;
    }
    break_it(world, scenario);
    state::save(world);
    let now = world.now();
    let Some(fate) = fate_in(scenario, now) else {
        return;
    };
    {
        let mut grants = world.grants.lock();
        // Withdrawn consent needs no mark on the grants: a refresh looks the consent up.
        let struck = match fate {
            Fate::Unconsented => grants.owners(),
            Fate::Alive | Fate::Revoked(_) | Fate::Expired | Fate::Struck(_) => {
                grants.strike(None, fate)
            }
        };
        let ended = match fate {
            Fate::Revoked(at) => Ended::Revoked(at),
            Fate::Alive | Fate::Expired | Fate::Unconsented | Fate::Struck(_) => Ended::Expired,
        };
        grants.end_access(None, ended);
        grants.spared.extend(
            struck
                .into_iter()
                .map(|oid| (scenario.name().to_owned(), oid)),
        );
    }
    match fate {
        Fate::Unconsented => world.directory.lock().consents.clear(),
        Fate::Revoked(_) => world.sessions.lock().revoke(None),
        Fate::Alive | Fate::Expired | Fate::Struck(_) => {}
    }
    state::save(world);
}

/// Brings the tenant into the state that a scenario stands for, where it is more than its being on.
pub(crate) fn break_it(world: &World, scenario: Scenario) {
    let mut directory = world.directory.lock();
    let directory = &mut *directory;
    if scenario == Scenario::UserNotAssigned {
        directory.decisions.assignment_required = true;
        directory.decisions.assigned.clear();
    } else if scenario == Scenario::FullAccessMissing {
        directory.decisions.withdraw_all(Right::FullAccess);
    } else if scenario == Scenario::SendAsDenied {
        directory.decisions.withdraw_all(Right::SendAs);
    } else if scenario == Scenario::ConsentRevoked {
        directory.consents.retain(|c| c.client_id != MAILROOM);
    }
}

/// Switches a scenario off and undoes its state. What it struck stays struck: signing in again mends it.
pub(crate) fn switch_off(world: &World, scenario: Scenario) {
    mended(world, scenario);
    let mut directory = world.directory.lock();
    if scenario == Scenario::UserNotAssigned {
        directory.decisions.assignment_required = false;
    } else if scenario == Scenario::FullAccessMissing {
        directory.decisions.restore(Right::FullAccess);
    } else if scenario == Scenario::SendAsDenied {
        directory.decisions.restore(Right::SendAs);
    }
}

/// Somebody has mended what the scenario broke: it is over, and the tenant stays as it was left.
pub(crate) fn mended(world: &World, scenario: Scenario) {
    let mut grants = world.grants.lock();
    world.scenarios.lock().remove(&scenario);
    grants.spared.retain(|(name, _)| name != scenario.name());
}

/// An administrator has consented for everybody: what kept users from consenting is mended.
pub(crate) fn consented(world: &World) {
    for scenario in [
        Scenario::AdminApproval,
        Scenario::ApprovalRequest,
        Scenario::ConsentForbidden,
        Scenario::ConsentRequired,
        Scenario::ConsentRevoked,
        Scenario::RiskyApp,
    ] {
        mended(world, scenario);
    }
    state::save(world);
}

/// Does the scenario strike this account for the first time?
pub(crate) fn first_time(world: &World, scenario: Scenario, oid: &str) -> bool {
    if !world.has(scenario) {
        return false;
    }
    let once = (scenario.name().to_owned(), oid.to_owned());
    let mut grants = world.grants.lock();
    let first = !grants.spared.contains(&once);
    if first {
        grants.spared.push(once);
    }
    first
}

/// The fate of a new sign-in: under a striking scenario the first one of each account does not last.
pub(crate) fn fate(world: &World, oid: &str) -> Fate {
    let now = world.now();
    for scenario in Scenario::ALL {
        let Some(fate) = fate_in(*scenario, now).filter(|_| world.has(*scenario)) else {
            continue;
        };
        if first_time(world, *scenario, oid) {
            return fate;
        }
    }
    Fate::Alive
}

fn fate_in(scenario: Scenario, now: jiff::Timestamp) -> Option<Fate> {
    let striking = [
        (Scenario::TokenRevoked, Fate::Revoked(now)),
        (Scenario::RefreshExpired, Fate::Expired),
        (Scenario::ConsentRequired, Fate::Unconsented),
    ];
    let others = [
        Scenario::MfaExpired,
        Scenario::SignInFrequency,
        Scenario::PasswordChanged,
        Scenario::GrantInvalid,
    ];
    let found = striking.into_iter().find(|(s, _)| *s == scenario);
    let other = others.contains(&scenario).then_some(Fate::Struck(scenario));
    found.map(|(_, fate)| fate).or(other)
}

/// Ends the sign-ins of an account (`None`: of everybody), as an administrator's "Revoke sessions" does.
pub(crate) fn revoke(world: &World, oid: Option<&str>) -> usize {
    let now = world.now();
    let struck = {
        let mut grants = world.grants.lock();
        grants.end_access(oid, Ended::Revoked(now));
        grants.strike(oid, Fate::Revoked(now)).len()
    };
    world.sessions.lock().revoke(oid);
    state::save(world);
    struck
}
