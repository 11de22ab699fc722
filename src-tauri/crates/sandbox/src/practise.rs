//! Practising on purpose: one thing broken at a time so that it shows at once, what mends it, and the way back.

use crate::admin;
use crate::entra::grants::Ended;
use crate::faults;
use crate::scenarios::Scenario;
use crate::server::Sandbox;
use crate::state;
use crate::tenant::directory::{Decisions, MAILROOM};
use crate::world::World;
use serde::Serialize;

/// A scenario as something to practise.
#[derive(Debug, Clone, Serialize)]
pub struct Exercise {
    /// Its name.
    pub name: &'static str,
    /// One sentence about what goes wrong.
    pub description: &'static str,
    /// One sentence about what mends it.
    pub mend_by: &'static str,
    /// How it is mended.
    pub mend: Mend,
    /// Who mends it.
    pub mender: Mender,
    /// When it can be seen.
    pub strikes: Strikes,
    /// Path of the administrator's page on which it is mended, such as `/admin/access`.
    pub page: Option<&'static str>,
    /// What that page is called.
    pub page_title: Option<&'static str>,
    /// The switch on it, and its healthy position.
    pub switch: Option<(&'static str, &'static str)>,
}

/// How something is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mend {
    /// The person signs in again.
    SignIn,
    /// An administrator sets a switch right.
    Switch,
    /// An administrator consents for everybody.
    GrantConsent,
    /// The person asks, and an administrator approves.
    ApproveRequest,
    /// An administrator grants Full Access.
    FullAccess,
    /// An administrator grants Send As.
    SendAs,
    /// It passes.
    Passes,
    /// The app does it by itself.
    Itself,
}

/// Who mends something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mender {
    /// The person at the app.
    You,
    /// Who manages mailboxes.
    MailboxAdmin,
    /// Who manages the tenant.
    TenantAdmin,
    /// Who registered the app.
    AppOwner,
    /// Nobody.
    Nobody,
}

/// When something can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strikes {
    /// At once, on a connection that was well.
    Connection,
    /// At the next sign-in.
    SignIn,
    /// At a sign-in at `/common` or `/organizations`.
    AnyTenant,
    /// When mail is sent.
    Sending,
    /// When a shared mailbox is opened, or sent from.
    SharedMailbox,
    /// Not at all where the app copes with it.
    Nothing,
}

/// Every scenario as something to practise, in the order people see.
pub fn exercises() -> Vec<Exercise> {
    Scenario::ALL
        .iter()
        .map(|scenario| exercise(*scenario))
        .collect()
}

fn exercise(scenario: Scenario) -> Exercise {
    let mend = mend(scenario);
    let place = match mend {
        Mend::Switch
        | Mend::GrantConsent
        | Mend::ApproveRequest
        | Mend::FullAccess
        | Mend::SendAs => admin::place_of(scenario),
        Mend::SignIn | Mend::Passes | Mend::Itself => None,
    };
    let page = place.map(|place| place.path);
    Exercise {
        name: scenario.name(),
        description: scenario.description(),
        mend_by: scenario.mend(),
        mend,
        mender: mender(mend, page),
        strikes: strikes(scenario),
        page,
        page_title: place.map(|place| place.title),
        switch: place.and_then(|place| place.switch),
    }
}

fn mend(scenario: Scenario) -> Mend {
    use Scenario as S;
    let signs_in = [
        S::ConsentRequired,
        S::WrongAccount,
        S::MfaRequired,
        S::TokenRevoked,
        S::RefreshExpired,
        S::ConsentNotRecorded,
        S::MfaExpired,
        S::SignInFrequency,
        S::PasswordChanged,
        S::GrantInvalid,
    ];
    let granted = [
        S::AdminApproval,
        S::ConsentRevoked,
        S::ConsentForbidden,
        S::RiskyApp,
    ];
    let heals = [S::DeltaExpired, S::SyncStateNotFound];
    if signs_in.contains(&scenario) {
        Mend::SignIn
    } else if granted.contains(&scenario) {
        Mend::GrantConsent
    } else if scenario == S::ApprovalRequest {
        Mend::ApproveRequest
    } else if scenario == S::FullAccessMissing {
        Mend::FullAccess
    } else if scenario == S::SendAsDenied {
        Mend::SendAs
    } else if heals.contains(&scenario) {
        Mend::Itself
    } else if admin::place_of(scenario).is_some_and(|place| place.switch.is_some()) {
        Mend::Switch
    } else {
        Mend::Passes
    }
}

fn mender(mend: Mend, page: Option<&str>) -> Mender {
    match (mend, page) {
        (Mend::SignIn, _) => Mender::You,
        (Mend::Passes | Mend::Itself, _) => Mender::Nobody,
        (_, Some("/admin/registration")) => Mender::AppOwner,
        (_, Some("/admin/mailboxes" | "/admin/mail-apps")) => Mender::MailboxAdmin,
        _ => Mender::TenantAdmin,
    }
}

fn strikes(scenario: Scenario) -> Strikes {
    use Scenario as S;
    let at_sign_in = [
        S::WrongAccount,
        S::PlatformWeb,
        S::RedirectMissing,
        S::RedirectMismatch,
        S::AccountLocked,
    ];
    let at_sending = [S::QuotaFull, S::SubmissionBlocked, S::MessageTooLarge];
    let shared = [S::FullAccessMissing, S::SendAsDenied];
    if at_sign_in.contains(&scenario) {
        Strikes::SignIn
    } else if at_sending.contains(&scenario) {
        Strikes::Sending
    } else if shared.contains(&scenario) {
        Strikes::SharedMailbox
    } else if scenario == S::SingleTenant {
        Strikes::AnyTenant
    } else if mend(scenario) == Mend::Itself {
        Strikes::Nothing
    } else {
        Strikes::Connection
    }
}

impl Sandbox {
    /// The names of the scenarios that are on.
    pub fn scenarios_on(&self) -> Vec<&'static str> {
        let on = self.world().scenarios.lock();
        on.iter().map(|scenario| scenario.name()).collect()
    }

    /// Breaks one thing, and only that: what was broken before is restored. It strikes at once, because access tokens
    /// end with it. False for a name that no scenario has.
    pub fn practise(&self, name: &str) -> bool {
        let Some(scenario) = Scenario::from_name(name) else {
            return false;
        };
        let world = self.world();
        restore(world);
        if withholds_consent(scenario) {
            // Who has consented already would not meet what keeps others from it.
            let mut directory = world.directory.lock();
            directory.consents.retain(|c| c.client_id != MAILROOM);
        }
        faults::switch_on(world, scenario);
        world.grants.lock().end_access(None, Ended::Expired);
        state::save(world);
        true
    }

    /// Brings everything back that practising has broken: no scenario is on, and sign-ins of before work again.
    pub fn stop_practising(&self) {
        restore(self.world());
    }
}

fn withholds_consent(scenario: Scenario) -> bool {
    let withheld = [
        Scenario::AdminApproval,
        Scenario::ApprovalRequest,
        Scenario::ConsentForbidden,
        Scenario::ConsentNotRecorded,
        Scenario::RiskyApp,
    ];
    withheld.contains(&scenario)
}

fn restore(world: &World) {
    let on = world.scenarios.lock().clone();
    for scenario in on {
        faults::switch_off(world, scenario);
    }
    {
        let mut directory = world.directory.lock();
        directory.decisions = Decisions::first();
        let mut grants = world.grants.lock();
        // Whose sign-in lives has consented once.
        for grant in grants.revive() {
            let Some(app) = directory.registration(&grant.client_id).cloned() else {
                continue;
            };
            let Some(tenant) = directory.find(&grant.oid).map(|user| user.tenant) else {
                continue;
            };
            let needed = grant.scopes.needed(&app);
            directory.consent(&grant.client_id, tenant, Some(&grant.oid), needed);
        }
    }
    state::save(world);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_administrator_mends_has_a_page_and_everything_else_has_none() {
        for exercise in exercises() {
            let by_admin = !matches!(exercise.mender, Mender::You | Mender::Nobody);
            assert_eq!(exercise.page.is_some(), by_admin, "{}", exercise.name);
            let is_switch = exercise.mend == Mend::Switch;
            assert!(!is_switch || exercise.switch.is_some(), "{}", exercise.name);
        }
    }

    #[test]
    fn everybody_has_something_to_mend() {
        for mender in [
            Mender::You,
            Mender::MailboxAdmin,
            Mender::TenantAdmin,
            Mender::AppOwner,
            Mender::Nobody,
        ] {
            let count = exercises().iter().filter(|e| e.mender == mender).count();
            assert!(count >= 5, "{mender:?}: {count}");
        }
    }
}
