//! The connection doctor: what the map shows for everything that the practice tenant can make go wrong, through real
//! HTTP.

use crate::practised;
use crate::world::{SUPPORT, World, wait};
use mailroom_core::api;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{ConnectionMap, HandOffFor, Notice, Outcome, Station, StationState};
use mailroom_core::diagnosis::catalogue::{self, Language};
use std::time::{Duration, Instant};

use Station as At;
use StationState as S;

fn state(map: &ConnectionMap, station: Station) -> StationState {
    map.station(station).unwrap().state
}

fn code(map: &ConnectionMap, station: Station) -> &str {
    let finding = map.station(station).unwrap().finding.as_ref();
    finding.map_or("", |finding| finding.code.as_str())
}

/// Every station up to the last probe is well, or not needed; sending is unproven.
fn assert_healthy(map: &ConnectionMap) {
    for view in &map.stations {
        let fine: &[StationState] = match view.station {
            At::MailboxRight => &[S::NotNeeded],
            At::Send | At::RoundTrip => &[S::Unknown, S::Ok],
            At::Computer
            | At::Network
            | At::Registration
            | At::SignIn
            | At::Consent
            | At::Token
            | At::Mailbox
            | At::Folder
            | At::Fetch
            | At::Mark => &[S::Ok],
        };
        assert!(fine.contains(&view.state), "{view:?}");
    }
}

/// Stations behind a failed one are blocked by it, those before it are not.
fn assert_ordered(map: &ConnectionMap) {
    let stations: Vec<Station> = map.stations.iter().map(|view| view.station).collect();
    assert_eq!(stations, Station::ALL);
    let stop = map
        .stations
        .iter()
        .find(|view| view.blocked_by.is_some())
        .and_then(|view| view.blocked_by);
    let failed = map.first_failed().map(|view| view.station);
    if let Some(failed) = failed {
        assert!(failed == At::RoundTrip || stop == Some(failed));
    }
    for view in &map.stations {
        let behind = stop.is_some_and(|stop| view.station > stop);
        assert_eq!(view.state == S::Blocked, behind, "{view:?}");
        assert_eq!(view.blocked_by.is_some(), behind, "{view:?}");
        if let Some(finding) = &view.finding {
            for language in Language::ALL {
                let card = catalogue::card(&finding.code, &finding.args, language);
                assert!(card.known && !card.steps.is_empty(), "{}", finding.code);
            }
        }
    }
    let own = [At::Consent, At::MailboxRight].map(|station| code(map, station));
    assert!(own[0].is_empty() || own[0] != own[1]);
}

async fn token_requests(world: &World) -> usize {
    let url = format!("{}/_sandbox/log", world.tenant.authority);
    let log: serde_json::Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let entries = log.get("requests").unwrap_or(&log).as_array().unwrap();
    entries
        .iter()
        .filter(|entry| entry.to_string().contains("/oauth2/v2.0/token"))
        .count()
}

#[tokio::test]
async fn a_healthy_connection_is_green_within_fifteen_seconds_and_tells_every_station() {
    let world = World::new().await;
    let view = world.connect(None).await;
    let mut notices = world.app.notices();
    let begun = Instant::now();
    let map = api::check_address(&world.app, view.id, None).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(15));
    assert_healthy(&map);
    assert_ordered(&map);
    assert_eq!(map.address, SUPPORT);
    assert_eq!((map.full_access, map.send_as), (S::NotNeeded, S::NotNeeded));
    assert!(map.scopes.iter().all(|scope| scope.granted));
    assert_eq!(code(&map, At::Send), "sending_unproven");
    for (station, fact, value) in [
        (At::Network, "graph_host", "localhost"),
        (At::SignIn, "login", SUPPORT),
        (At::Mailbox, "primary", SUPPORT),
        (At::Folder, "folder", "Inbox"),
        (At::Consent, "missing", ""),
    ] {
        let facts = &map.station(station).unwrap().facts;
        let seen = facts.get(fact).map_or("", String::as_str);
        assert_eq!(seen, value, "{station:?} {fact}");
    }
    let mut lit = Vec::new();
    while let Ok(notice) = notices.try_recv() {
        if let Notice::Check { id, map } = notice {
            assert_eq!(id, view.id);
            lit.push(map);
        }
    }
    assert_eq!(lit.len(), Station::ALL.len());
    assert_eq!(*lit.pop().unwrap(), map);
}

#[tokio::test]
async fn scenarios_light_the_station_that_is_to_blame() {
    let world = World::new().await;
    let view = world.connect(None).await;
    api::pause_address(&world.app, view.id).await.unwrap();
    // Those that end tokens need a new sign-in afterwards, and so worlds of their own.
    for scenario in [
        "slow",
        "throttled",
        "service-down",
        "malformed-json",
        "foreign-next-link",
        "graph-denied",
        "mailbox-missing",
        "clock-skew",
        "admin-approval",
        "approval-request",
        "wrong-account",
        "delta-expired",
    ] {
        world.scenario(scenario, true).await;
        let map = api::check_address(&world.app, view.id, None).await.unwrap();
        world.scenario(scenario, false).await;
        assert_found(scenario, &map);
    }
    let map = api::check_address(&world.app, view.id, None).await.unwrap();
    assert_healthy(&map);
}

fn assert_found(scenario: &str, map: &ConnectionMap) {
    assert_ordered(map);
    assert_eq!(
        practised::seen(map),
        practised::expected(scenario),
        "{scenario}: {map:#?}"
    );
    if practised::expected(scenario) == "well" {
        assert_healthy(map);
    }
}

async fn ends_a_sign_in(scenario: &str) {
    let world = World::new().await;
    let view = world.connect(None).await;
    api::pause_address(&world.app, view.id).await.unwrap();
    world.scenario(scenario, true).await;
    world
        .control("expire-access-tokens", serde_json::json!({}))
        .await;
    let map = api::check_address(&world.app, view.id, None).await.unwrap();
    assert_found(scenario, &map);
    let failed = map.first_failed().unwrap();
    let evidence = failed.finding.as_ref().unwrap().evidence.as_ref().unwrap();
    assert!(evidence.raw.contains("AADSTS"), "{evidence:?}");
    assert!(evidence.correlation_id.is_some());
    let at = |name: &str| failed.facts[name].parse::<i64>().unwrap();
    assert_eq!(at("asked_at"), evidence.at);
    assert_eq!(at("asked_again_at") - at("asked_at"), 5 * 60_000);

    // Looking again and again asks the sign-in service no more.
    let asked = token_requests(&world).await;
    for _ in 0..5 {
        let map = api::check_address(&world.app, view.id, None).await.unwrap();
        assert_found(scenario, &map);
    }
    assert_eq!(token_requests(&world).await, asked, "{scenario}");
}

#[tokio::test]
async fn withdrawn_consent_is_found_at_consent_with_one_request() {
    ends_a_sign_in("consent-required").await;
}

#[tokio::test]
async fn a_second_factor_is_found_at_the_sign_in_with_one_request() {
    ends_a_sign_in("mfa-required").await;
}

#[tokio::test]
async fn a_policy_is_found_at_the_sign_in_with_one_request() {
    ends_a_sign_in("conditional-access").await;
}

#[tokio::test]
async fn a_missing_assignment_is_found_at_the_sign_in_with_one_request() {
    ends_a_sign_in("user-not-assigned").await;
}

#[tokio::test]
async fn a_disabled_app_is_found_at_the_registration_with_one_request() {
    ends_a_sign_in("app-disabled").await;
}

#[tokio::test]
async fn a_revoked_sign_in_is_found_at_the_token_with_one_request() {
    ends_a_sign_in("token-revoked").await;
}

#[tokio::test]
async fn an_expired_sign_in_is_found_at_the_token_with_one_request() {
    ends_a_sign_in("refresh-expired").await;
}

#[tokio::test]
async fn a_disconnected_address_asks_for_a_sign_in() {
    let world = World::new().await;
    let view = world.connect(None).await;
    api::disconnect_address(&world.app, view.id).await.unwrap();
    let map = api::check_address(&world.app, view.id, None).await.unwrap();
    assert_ordered(&map);
    assert_eq!(code(&map, At::SignIn), "sign_in_again");
    let missing = api::check_address(&world.app, 4_711, None)
        .await
        .unwrap_err();
    assert_eq!(missing.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn one_station_can_be_looked_at_again_with_what_it_depends_on() {
    let world = World::new().await;
    let view = world.connect(None).await;
    api::pause_address(&world.app, view.id).await.unwrap();
    world.scenario("graph-denied", true).await;
    api::check_address(&world.app, view.id, None).await.unwrap();
    world.scenario("graph-denied", false).await;
    let map = api::check_address(&world.app, view.id, Some(At::Folder))
        .await
        .unwrap();
    assert_eq!(state(&map, At::Mailbox), S::Ok);
    assert_eq!(state(&map, At::Folder), S::Ok);
    assert_eq!(state(&map, At::Fetch), S::Unknown);
    assert!(map.stations.iter().all(|view| view.blocked_by.is_none()));
}

#[tokio::test]
async fn an_empty_folder_that_never_had_mail_is_a_warning() {
    let world = World::new().await;
    let alex = "alex@contoso.example";
    let mailbox = format!("{}/_sandbox/mailbox/{alex}", world.tenant.authority);
    let all: serde_json::Value = reqwest::get(&mailbox).await.unwrap().json().await.unwrap();
    for message in all.get("messages").unwrap_or(&all).as_array().unwrap() {
        let id = message["id"].as_str().unwrap();
        let url = format!("{mailbox}/message/{id}");
        let answer = world.http.delete(url).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }
    world.browser_of(alex);
    let attempt = world.sign_in(alex).await.unwrap();
    let map = api::check_attempt(&world.app, &attempt.id).await.unwrap();
    assert_ordered(&map);
    assert_eq!(state(&map, At::Folder), S::Warning);
    assert_eq!(code(&map, At::Folder), "no_recent_mail_in_folder");
    assert_eq!(state(&map, At::Fetch), S::Ok);
}

#[tokio::test]
async fn the_wizards_last_step_is_the_map() {
    let world = World::new().await;
    let attempt = world.sign_in(SUPPORT).await.unwrap();
    let map = api::check_attempt(&world.app, &attempt.id).await.unwrap();
    assert_healthy(&map);

    world.browser_of("alex@contoso.example");
    let attempt = world.sign_in(SUPPORT).await.unwrap();
    let map = api::check_attempt(&world.app, &attempt.id).await.unwrap();
    assert_ordered(&map);
    assert_eq!(code(&map, At::SignIn), "wrong_account");
    assert_eq!(state(&map, At::Registration), S::Ok);

    let mut request = world.request(SUPPORT);
    request.registration.as_mut().unwrap().tenant = "nowhere.example".into();
    let attempt = api::begin_connect(&world.app, request).await.unwrap();
    let attempt = world.decided(&attempt.id).await;
    let map = api::check_attempt(&world.app, &attempt.id).await.unwrap();
    assert_ordered(&map);
    assert_eq!(code(&map, At::Registration), "tenant_not_found");
    assert!(api::check_attempt(&world.app, "nobody").await.is_err());
}

#[tokio::test]
async fn sending_is_proved_by_a_mail_that_comes_back_and_becomes_no_ticket() {
    let world = World::new().await;
    let view = world.connect(None).await;
    let tickets = world.view(view.id).await.open_tickets;
    let before = api::check_address(&world.app, view.id, None).await.unwrap();
    assert_eq!(state(&before, At::Send), S::Unknown);

    let map = api::prove_sending(&world.app, view.id).await.unwrap();
    assert_eq!(
        (state(&map, At::Send), state(&map, At::RoundTrip)),
        (S::Ok, S::Ok),
        "{map:#?}"
    );
    assert_eq!(map.send_as, S::Ok);
    let trip = map.station(At::RoundTrip).unwrap();
    let measured: u32 = trip.facts["round_trip_ms"].parse().unwrap();
    assert!((1..60_000).contains(&measured), "{measured}");
    assert_eq!(trip.took_ms, Some(measured));

    world.poll(view.id).await;
    let ledger = wait("the test mail is in the ledger", async || {
        let rows = api::ledger(&world.app, view.id, None, Some(Outcome::Skipped), 0, 100)
            .await
            .unwrap();
        rows.into_iter()
            .find(|row| row.reason.as_deref() == Some("own_test"))
    })
    .await;
    assert!(ledger.subject.starts_with("Mailroom test "), "{ledger:?}");
    assert_eq!(ledger.ticket_id, None);
    assert_eq!(world.view(view.id).await.open_tickets, tickets);

    // Later maps remember it.
    let later = api::check_address(&world.app, view.id, None).await.unwrap();
    let trip = later.station(At::RoundTrip).unwrap();
    assert_eq!(trip.state, S::Ok);
    assert_eq!(trip.facts["round_trip_ms"], measured.to_string());
}

#[tokio::test]
async fn nobody_elses_mail_passes_for_a_test() {
    let world = World::new().await;
    let view = world.connect(None).await;
    let subject = "Mailroom test 0123456789abcdef0123456789abcdef";
    world
        .deliver(&crate::world::mail(
            "mailroom-test.1@contoso.example",
            subject,
            "",
        ))
        .await;
    world.poll(view.id).await;
    assert_eq!(world.view(view.id).await.open_tickets, 1);
}

#[tokio::test]
async fn nothing_is_sent_where_mail_cannot_be_read() {
    let world = World::new().await;
    let view = world.connect(None).await;
    api::pause_address(&world.app, view.id).await.unwrap();
    let before = world.server_mail().await.len();
    world.scenario("graph-denied", true).await;
    let map = api::prove_sending(&world.app, view.id).await.unwrap();
    assert_eq!(state(&map, At::Send), S::Blocked);
    world.scenario("graph-denied", false).await;
    assert_eq!(world.server_mail().await.len(), before);
}

#[tokio::test]
async fn a_sign_in_that_meets_a_missing_mailbox_shows_what_it_got_past() {
    for (scenario, expected) in [
        ("mailbox-missing", "MailboxNotEnabledForRESTAPI"),
        ("graph-denied", "ErrorAccessDenied"),
    ] {
        let world = World::with_scenarios(&[scenario]).await;
        let attempt = world.sign_in(SUPPORT).await.unwrap();
        let map = api::check_attempt(&world.app, &attempt.id).await.unwrap();
        assert_ordered(&map);
        assert_eq!(code(&map, At::Mailbox), expected);
        for station in [At::Registration, At::SignIn, At::Consent, At::Token] {
            assert_eq!(state(&map, station), S::Ok, "{station:?}");
        }
        // An approval would not help, and is not offered.
        let whom = HandOffFor::Attempt(attempt.id);
        let refused = api::hand_off(&world.app, whom, "AADSTS65001").await;
        assert_eq!(refused.unwrap_err().code, ErrorCode::WrongState);
    }
}
