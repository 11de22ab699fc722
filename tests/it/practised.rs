//! Scenarios that the practice tenant offers for practising: each strikes a connection that was well, and the map
//! names the station and the code.

use crate::world::World;
use mailroom_core::api;
use mailroom_core::api::view::{ConnectionMap, StationState};

/// What a scenario does to a connected mailbox whose access token has just ended: station and code of the first
/// station that fails, else of the first that warns. `well`: it strikes a first sign-in, sending or polling, and
/// those have tests of their own.
const PRACTISED: &[(&str, &str)] = &[
    ("consent-required", "consent AADSTS65001"),
    ("admin-approval", "well"),
    ("approval-request", "well"),
    ("wrong-account", "well"),
    ("mfa-required", "sign_in AADSTS50076"),
    ("conditional-access", "sign_in AADSTS53003"),
    ("user-not-assigned", "sign_in AADSTS50105"),
    ("app-disabled", "registration AADSTS7000112"),
    ("token-revoked", "token AADSTS50173"),
    ("refresh-expired", "token AADSTS700082"),
    ("throttled", "mailbox throttled"),
    ("delta-expired", "well"),
    ("service-down", "mailbox server_trouble"),
    ("slow", "network slow_answers"),
    ("malformed-json", "mailbox protocol"),
    ("foreign-next-link", "fetch protocol"),
    ("graph-denied", "mailbox ErrorAccessDenied"),
    ("mailbox-missing", "mailbox MailboxNotEnabledForRESTAPI"),
    ("clock-skew", "computer clock_skew"),
    ("platform-web", "well"),
    ("public-client-off", "registration AADSTS7000218"),
    ("single-tenant", "well"),
    ("redirect-missing", "well"),
    ("redirect-mismatch", "well"),
    ("app-unknown", "registration AADSTS700016"),
    ("permission-missing", "registration AADSTS650057"),
    ("app-misconfigured", "registration AADSTS650056"),
    ("resource-missing", "registration AADSTS65005"),
    ("service-principal-missing", "registration AADSTS650052"),
    ("resource-principal-missing", "registration AADSTS500011"),
    ("consent-revoked", "consent AADSTS65001"),
    ("consent-forbidden", "well"),
    ("risky-app", "well"),
    ("consent-not-recorded", "well"),
    ("user-disabled", "sign_in AADSTS50057"),
    ("account-locked", "well"),
    ("password-expired", "sign_in AADSTS50055"),
    ("user-deleted", "sign_in AADSTS500341"),
    ("mfa-registration", "sign_in AADSTS50079"),
    ("mfa-expired", "sign_in AADSTS50078"),
    ("sign-in-frequency", "token AADSTS70043"),
    ("password-changed", "sign_in AADSTS50133"),
    ("grant-invalid", "token AADSTS70000"),
    ("device-required", "sign_in AADSTS53000"),
    ("device-not-joined", "sign_in AADSTS53001"),
    ("app-not-approved", "sign_in AADSTS53002"),
    ("location-blocked", "sign_in AADSTS53003"),
    ("security-defaults", "sign_in AADSTS530035"),
    ("registration-blocked", "sign_in AADSTS53004"),
    ("terms-of-use", "sign_in AADSTS50158"),
    ("tenant-restricted", "sign_in AADSTS500021"),
    ("cross-tenant-blocked", "sign_in AADSTS500213"),
    ("guest-required", "sign_in AADSTS50020"),
    ("temporarily-unavailable", "token server_trouble"),
    ("token-endpoint-down", "token server_trouble"),
    ("graph-access-policy", "mailbox ErrorAccessDenied"),
    ("quota-full", "well"),
    (
        "mailbox-on-premises",
        "mailbox MailboxNotHostedInExchangeOnline",
    ),
    (
        "mailbox-unsupported",
        "mailbox MailboxNotSupportedForRESTAPI",
    ),
    ("mailbox-concurrency", "mailbox throttled"),
    ("claims-challenge", "token InvalidAuthenticationToken"),
    ("full-access-missing", "well"),
    ("send-as-denied", "well"),
    ("submission-blocked", "well"),
    ("message-too-large", "well"),
    ("folder-gone", "fetch ErrorFolderNotFound"),
    ("ids-stale", "fetch ErrorInvalidIdMalformed"),
    ("html-instead-of-json", "network captive_portal"),
    ("gateway-errors", "mailbox server_trouble"),
    ("sync-state-not-found", "well"),
];

/// What [`PRACTISED`] says of a scenario.
pub fn expected(scenario: &str) -> &'static str {
    let row = PRACTISED.iter().find(|(name, _)| *name == scenario);
    row.unwrap_or_else(|| panic!("{scenario} is not in the table"))
        .1
}

/// Station and code of the first station that fails, else of the first that warns; `well` where there is none.
pub fn seen(map: &ConnectionMap) -> String {
    let by = |state| map.stations.iter().find(|view| view.state == state);
    let worst = by(StationState::Failed).or_else(|| by(StationState::Warning));
    worst.map_or_else(
        || "well".to_owned(),
        |view| {
            let code = view.finding.as_ref().map_or("", |finding| &finding.code);
            format!("{} {code}", view.station.name())
        },
    )
}

async fn struck_by(scenario: &str) -> String {
    let world = World::new().await;
    let view = world.connect(None).await;
    api::pause_address(&world.app, view.id).await.unwrap();
    world.scenario(scenario, true).await;
    world
        .control("expire-access-tokens", serde_json::json!({}))
        .await;
    let map = api::check_address(&world.app, view.id, None).await.unwrap();
    world.app.close().await;
    seen(&map)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_lights_the_station_that_is_to_blame() {
    let mut wrong = Vec::new();
    for (name, _) in mailroom_sandbox::scenario_names() {
        let seen = struck_by(name).await;
        if expected(name) != seen {
            wrong.push(format!("{name}: {seen}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
