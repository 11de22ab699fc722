//! Shared mailboxes: somebody signs in with an account of their own and opens a mailbox that is not theirs.

use crate::world::{World, mail, wait};
use mailroom_core::api;
use mailroom_core::api::error::{ApiError, ErrorCode};
use mailroom_core::api::view::{
    AddressView, ConnectAttempt, ConnectRequest, ConnectStage, Opens, Station, StationState, Status,
};
use serde_json::Value;

const INFO: &str = "info@contoso.example";
const SALES: &str = "sales@contoso.example";
const ALEX: &str = "alex@contoso.example";

async fn sign_in(world: &World, address: &str) -> Result<ConnectAttempt, ApiError> {
    let request = ConnectRequest {
        opens: Opens::Shared,
        ..world.request(address)
    };
    let attempt = api::begin_connect(&world.app, request).await?;
    Ok(world.decided(&attempt.id).await)
}

async fn connect(world: &World, newest: Option<u32>) -> AddressView {
    world.browser_of(ALEX);
    let attempt = sign_in(world, INFO).await.unwrap();
    let ConnectStage::Ready { .. } = &attempt.stage else {
        panic!("{:?}", attempt.stage);
    };
    let view = world.finish(&attempt.id, newest).await.unwrap();
    world.verified(view.id).await
}

async fn deliver(world: &World, to: &str, text: &str) {
    let url = format!("{}/_sandbox/deliver?mailbox={to}", world.tenant.authority);
    let text = text.replace('\n', "\r\n");
    let answer = world.http.post(url).body(text).send().await.unwrap();
    assert!(answer.status().is_success());
}

/// Paths of mail that were asked for, without the version.
async fn asked_for(world: &World) -> Vec<String> {
    let url = format!("{}/_sandbox/log", world.tenant.authority);
    let log: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let entries = log.get("entries").or_else(|| log.get("requests"));
    let entries = entries.unwrap_or(&log).as_array().unwrap().clone();
    let paths = entries.iter().filter_map(|entry| entry["path"].as_str());
    paths.map(str::to_owned).collect()
}

#[tokio::test]
async fn shows_who_signed_in_and_what_they_open_and_never_touches_their_own_mail() {
    let world = World::new().await;
    world.browser_of(ALEX);
    let attempt = sign_in(&world, INFO).await.unwrap();
    let ConnectStage::Ready {
        identity,
        shared,
        scopes,
        ..
    } = &attempt.stage
    else {
        panic!("{:?}", attempt.stage);
    };
    assert_eq!(identity.login_name, ALEX);
    let shared = shared.as_ref().unwrap();
    assert_eq!((shared.address.as_str(), shared.looked_up), (INFO, false));
    let needed: Vec<&str> = scopes
        .iter()
        .filter(|scope| scope.needed && scope.granted)
        .map(|scope| scope.name.as_str())
        .collect();
    assert!(needed.contains(&"Mail.ReadWrite.Shared") && needed.contains(&"Mail.Send.Shared"));

    let view = world.finish(&attempt.id, None).await.unwrap();
    let view = world.verified(view.id).await;
    assert_eq!(view.mailbox.as_deref(), Some(INFO));
    deliver(
        &world,
        INFO,
        &mail("one@fabrikam.example", "For the team", ""),
    )
    .await;
    world.poll(view.id).await;
    let rows = api::ledger(&world.app, view.id, None, None, 0, 50)
        .await
        .unwrap();
    assert!(
        rows.iter().any(|row| row.subject == "For the team"),
        "{rows:?}"
    );
    wait("the marks are taken", async || {
        let details = api::address_details(&world.app, view.id).await.unwrap();
        (details.pending_marks == 0).then_some(())
    })
    .await;

    let paths = asked_for(&world).await;
    let own = |path: &&String| {
        let path = path.to_lowercase();
        path.contains("/me/") || path.contains(&format!("/users/{ALEX}"))
    };
    let own: Vec<&String> = paths.iter().filter(own).collect();
    assert!(own.is_empty(), "{own:?}");
    assert!(
        paths.iter().any(|path| path.contains("/users/info")),
        "{paths:?}"
    );
    // The person's own addresses are not names of the shared mailbox.
    let personal = api::begin_connect(&world.app, world.request(ALEX)).await;
    assert!(personal.is_ok(), "{personal:?}");
}

#[tokio::test]
async fn without_the_right_nothing_is_connected_and_the_mailbox_admin_is_named() {
    let world = World::new().await;
    world.browser_of(ALEX);
    let attempt = sign_in(&world, SALES).await.unwrap();
    let ConnectStage::Failed { finding } = &attempt.stage else {
        panic!("{:?}", attempt.stage);
    };
    assert_eq!(finding.code, "full_access_missing");
    let args = (&finding.args["address"], &finding.args["login"]);
    assert_eq!(args, (&SALES.to_owned(), &ALEX.to_owned()));
    let card = api::explain(&world.app, &finding.code, &finding.args, "en");
    assert!(card.commands.iter().any(|command| {
        command.text.contains("Add-MailboxPermission") && command.text.contains(SALES)
    }));
    let map = api::check_attempt(&world.app, &attempt.id).await.unwrap();
    let failed = map.first_failed().unwrap();
    assert_eq!(failed.station, Station::MailboxRight);
    let refused = world.finish(&attempt.id, None).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::WrongState);
    assert!(api::list_addresses(&world.app).await.unwrap().is_empty());
    let paths = asked_for(&world).await;
    assert!(
        !paths
            .iter()
            .any(|path| path.to_lowercase().contains("/me/mail"))
    );
}

#[tokio::test]
async fn a_personal_connection_asks_for_no_shared_permission() {
    let world = World::new().await;
    let attempt = world.sign_in(crate::world::SUPPORT).await.unwrap();
    let ConnectStage::Ready { scopes, shared, .. } = &attempt.stage else {
        panic!("{:?}", attempt.stage);
    };
    assert!(shared.is_none());
    assert!(
        !scopes.iter().any(|scope| scope.name.ends_with(".Shared")),
        "{scopes:?}"
    );
}

#[tokio::test]
async fn a_right_that_was_taken_away_is_said_and_heals_when_it_is_given_back() {
    let world = World::new().await;
    let view = connect(&world, None).await;
    world.scenario("full-access-missing", true).await;
    api::sync_now(&world.app, Some(view.id)).await.unwrap();
    let ill = wait("the failure shows", async || {
        let view = world.view(view.id).await;
        view.cause.is_some().then_some(view)
    })
    .await;
    assert_eq!(ill.cause.unwrap().code, "full_access_missing");
    let map = api::check_address(&world.app, view.id, None).await.unwrap();
    assert_eq!(map.first_failed().unwrap().station, Station::MailboxRight);
    world.scenario("full-access-missing", false).await;
    deliver(
        &world,
        INFO,
        &mail("late@fabrikam.example", "Meanwhile", ""),
    )
    .await;
    api::sync_now(&world.app, Some(view.id)).await.unwrap();
    let well = world.verified(view.id).await;
    assert_eq!(well.status, Status::Verified);
    let rows = api::ledger(&world.app, view.id, None, None, 0, 50)
        .await
        .unwrap();
    assert!(rows.iter().any(|row| row.subject == "Meanwhile"));
}

#[tokio::test]
async fn full_access_and_send_as_are_proven_apart() {
    let world = World::new().await;
    let view = connect(&world, None).await;
    let map = api::check_address(&world.app, view.id, None).await.unwrap();
    assert_eq!(
        (map.full_access, map.send_as),
        (StationState::Ok, StationState::Unknown)
    );
    world.scenario("send-as-denied", true).await;
    let map = api::prove_sending(&world.app, view.id).await.unwrap();
    assert_eq!(
        (map.full_access, map.send_as),
        (StationState::Ok, StationState::Failed)
    );
    world.scenario("send-as-denied", false).await;
    let map = api::prove_sending(&world.app, view.id).await.unwrap();
    assert_eq!(map.send_as, StationState::Ok);
    // The copy lies with the mailbox that it was sent by.
    let url = format!("{}/_sandbox/mailbox/{INFO}", world.tenant.authority);
    let sent: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let sent = sent.as_array().unwrap();
    assert!(
        sent.iter().any(|mail| mail["folder"] == "Sent Items"),
        "{sent:?}"
    );
}

#[tokio::test]
async fn one_person_reads_a_shared_mailbox_and_their_own_with_one_sign_in_each_way_round() {
    let world = World::new().await;
    let shared = connect(&world, None).await;
    // The second sign-in asks for less than the first one got.
    let attempt = world.sign_in(ALEX).await.unwrap();
    let own = world.finish(&attempt.id, None).await.unwrap();
    world.verified(own.id).await;
    deliver(
        &world,
        INFO,
        &mail("again@fabrikam.example", "Still read", ""),
    )
    .await;
    world.poll(shared.id).await;
    let rows = api::ledger(&world.app, shared.id, None, None, 0, 50)
        .await
        .unwrap();
    assert!(rows.iter().any(|row| row.subject == "Still read"));
    let map = api::check_address(&world.app, shared.id, None)
        .await
        .unwrap();
    assert!(map.first_failed().is_none(), "{map:?}");
}

#[tokio::test]
async fn another_person_with_the_right_may_sign_in_again_for_a_shared_mailbox_only() {
    let world = World::new().await;
    let view = connect(&world, None).await;
    world.browser_of("mika@contoso.example");
    let attempt = api::reconnect_address(&world.app, view.id, false, "en")
        .await
        .unwrap();
    let attempt = world.decided(&attempt.id).await;
    let ConnectStage::Failed { finding } = &attempt.stage else {
        panic!("{:?}", attempt.stage);
    };
    assert_eq!(finding.code, "full_access_missing");
    world.browser_of(ALEX);
    api::retry_connect(&world.app, &attempt.id, false).unwrap();
    let attempt = world.decided(&attempt.id).await;
    let ConnectStage::Ready { shared, .. } = &attempt.stage else {
        panic!("{:?}", attempt.stage);
    };
    assert_eq!(shared.as_ref().unwrap().address, INFO);
    world.finish(&attempt.id, None).await.unwrap();
    let again = world.verified(view.id).await;
    assert_eq!(again.mailbox.as_deref(), Some(INFO));
}
