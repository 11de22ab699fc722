//! Scenarios that strike tokens: what happens when they are switched on, and to the sign-ins after that.

use crate::entra::grants::{Ended, Fate};
use crate::scenarios::Scenario;
use crate::state;
use crate::world::World;

/// Switches a scenario on. One that strikes tokens does so now; who is struck can sign in again for good.
pub(crate) fn switch_on(world: &World, scenario: Scenario) {
    if !world.scenarios.lock().insert(scenario) {
        return;
    }
    let now = world.now();
    let Some(fate) = fate_in(scenario, now) else {
        return;
    };
    {
        let mut grants = world.grants.lock();
        // Withdrawn consent needs no mark on the grants: a refresh looks the consent up.
        let struck = match fate {
            Fate::Unconsented => grants.owners(),
            Fate::Alive | Fate::Revoked(_) | Fate::Expired => grants.strike(None, fate),
        };
        let ended = match fate {
            Fate::Revoked(at) => Ended::Revoked(at),
            Fate::Alive | Fate::Expired | Fate::Unconsented => Ended::Expired,
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
        Fate::Alive | Fate::Expired => {}
    }
    state::save(world);
}

/// Switches a scenario off. What it struck stays struck: signing in again mends it.
pub(crate) fn switch_off(world: &World, scenario: Scenario) {
    world.scenarios.lock().remove(&scenario);
    let mut grants = world.grants.lock();
    grants.spared.retain(|(name, _)| name != scenario.name());
}

/// The fate of a new sign-in: under a striking scenario the first one of each account does not last.
pub(crate) fn fate(world: &World, oid: &str) -> Fate {
    let now = world.now();
    for scenario in Scenario::ALL {
        let Some(fate) = fate_in(*scenario, now).filter(|_| world.has(*scenario)) else {
            continue;
        };
        let once = (scenario.name().to_owned(), oid.to_owned());
        let mut grants = world.grants.lock();
        if !grants.spared.contains(&once) {
            grants.spared.push(once);
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
    let found = striking.into_iter().find(|(s, _)| *s == scenario);
    found.map(|(_, fate)| fate)
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
