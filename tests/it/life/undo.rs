//! Disconnecting, and taking it back.

use super::{ALEX, Time, asked, connect, forget_log, kept_sign_ins, sent_out, tickets_about};
use crate::world::{SUPPORT, World, mail, wait};
use mailroom_core::api;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{
    AddressDetails, AddressSettings, EventKind, Station, StationState, Status,
};
use serde_json::{Value, json};

/// Everything about an address that undoing must bring back.
fn former(details: &AddressDetails) -> Value {
    json!({
        "brand": details.address.brand,
        "default": details.address.is_default,
        "proven": details.address.proven_at,
        "folder": details.folder,
        "interval": details.poll_interval_s,
        "category": details.category,
        "identity": serde_json::to_value(&details.identity).unwrap(),
        "scopes": serde_json::to_value(&details.scopes).unwrap(),
    })
}

#[tokio::test]
async fn undo_puts_everything_back_and_fetches_what_arrived_meanwhile_once() {
    let world = World::new().await;
    let support = connect(&world, SUPPORT).await;
    let alex = connect(&world, ALEX).await;
    let settings = AddressSettings {
        brand: "Fabrikam".to_owned(),
        poll_interval_s: 3_600,
        category: "Helpdesk".to_owned(),
    };
    api::save_address_settings(&world.app, support, settings)
        .await
        .unwrap();
    world.deliver(&mail("before@t.example", "Before", "")).await;
    world.poll(support).await;
    let before = api::address_details(&world.app, support).await.unwrap();

    api::disconnect_address(&world.app, support).await.unwrap();
    let view = world.view(support).await;
    assert_eq!(view.status, Status::Disconnected);
    assert!(view.undo_until.is_some());
    let refused = api::sync_now(&world.app, Some(support)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotFound);
    forget_log(&world).await;
    for number in 1..=2 {
        let text = mail(
            &format!("while-{number}@t.example"),
            &format!("While {number}"),
            "",
        );
        world.deliver(&text).await;
    }
    // Somebody else's poll shows that the program is awake.
    world.poll(alex).await;
    world.poll(alex).await;
    assert_eq!(tickets_about(&world, "While 1").await, 0);

    api::undo_disconnect(&world.app, support).await.unwrap();
    wait("what arrived meanwhile is here", async || {
        (tickets_about(&world, "While 2").await == 1).then_some(())
    })
    .await;
    world.poll(support).await;
    for subject in ["Before", "While 1", "While 2"] {
        assert_eq!(tickets_about(&world, subject).await, 1, "{subject}");
    }
    let after = api::address_details(&world.app, support).await.unwrap();
    assert_eq!(former(&after), former(&before));
    assert_eq!(
        (after.address.status, after.address.undo_until),
        (Status::Verified, None)
    );
    assert!(
        after
            .events
            .iter()
            .any(|event| event.kind == EventKind::DisconnectUndone)
    );
    assert!(
        !asked(&world)
            .await
            .iter()
            .any(|path| path.contains("/authorize")),
        "nobody signed in again"
    );
    let again = api::undo_disconnect(&world.app, support).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::WrongState);
}

#[tokio::test]
async fn a_paused_address_is_paused_again() {
    let world = World::new().await;
    let support = connect(&world, SUPPORT).await;
    api::pause_address(&world.app, support).await.unwrap();
    api::disconnect_address(&world.app, support).await.unwrap();
    api::undo_disconnect(&world.app, support).await.unwrap();
    assert_eq!(world.view(support).await.status, Status::Paused);
}

#[tokio::test]
async fn the_sign_in_is_wiped_when_the_time_is_over() {
    let time = Time::begin().await;
    let support = connect(&time.world, SUPPORT).await;
    api::disconnect_address(&time.world.app, support)
        .await
        .unwrap();
    assert_eq!(kept_sign_ins(&time.world), 1);
    time.pass(11);
    wait("the process that polls wipes the sign-in", async || {
        (kept_sign_ins(&time.world) == 0).then_some(())
    })
    .await;
    assert_eq!(time.world.view(support).await.undo_until, None);
    let refused = api::undo_disconnect(&time.world.app, support)
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::UndoOver);

    let attempt = api::reconnect_address(&time.world.app, support, false, "en")
        .await
        .unwrap();
    let attempt = time.world.decided(&attempt.id).await;
    time.world.finish(&attempt.id, None).await.unwrap();
    time.world.verified(support).await;
}

#[tokio::test]
async fn a_restart_keeps_the_undo_within_its_time_and_wipes_the_sign_in_after_it() {
    let mut time = Time::begin().await;
    let support = connect(&time.world, SUPPORT).await;
    api::disconnect_address(&time.world.app, support)
        .await
        .unwrap();
    time.pass(9);
    time.restart(true).await;
    api::undo_disconnect(&time.world.app, support)
        .await
        .unwrap();
    time.world.poll(support).await;

    api::disconnect_address(&time.world.app, support)
        .await
        .unwrap();
    time.world.app.close().await;
    time.pass(11);
    assert_eq!(kept_sign_ins(&time.world), 1);
    // Even a program that only looks wipes it.
    time.restart(false).await;
    assert_eq!(kept_sign_ins(&time.world), 0);
}

#[tokio::test]
async fn an_account_that_another_address_uses_keeps_its_sign_in() {
    let time = Time::begin().await;
    let support = connect(&time.world, SUPPORT).await;
    let alex = connect(&time.world, ALEX).await;
    api::disconnect_address(&time.world.app, support)
        .await
        .unwrap();
    time.pass(11);
    wait("one sign-in goes", async || {
        (kept_sign_ins(&time.world) == 1).then_some(())
    })
    .await;
    time.world.poll(alex).await;
}

#[tokio::test]
async fn nothing_is_sent_while_disconnected_and_nothing_falls_back() {
    let world = World::new().await;
    let support = connect(&world, SUPPORT).await;
    connect(&world, ALEX).await;
    api::disconnect_address(&world.app, support).await.unwrap();
    forget_log(&world).await;
    let map = api::prove_sending(&world.app, support).await.unwrap();
    assert_ne!(
        map.station(Station::Send).map(|view| view.state),
        Some(StationState::Ok)
    );
    assert!(sent_out(&world).await.is_empty());
    let sending: Vec<String> = asked(&world)
        .await
        .into_iter()
        .filter(|path| path.to_lowercase().contains("sendmail"))
        .collect();
    assert!(sending.is_empty(), "{sending:?}");
    let refused = api::start_import(&world.app, support, 5).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::WrongState);
}

#[tokio::test]
async fn undo_is_refused_when_the_address_was_taken_meanwhile() {
    let world = World::new().await;
    let support = connect(&world, SUPPORT).await;
    api::disconnect_address(&world.app, support).await.unwrap();
    api::add_agent(&world.app, "Kim Akers", SUPPORT)
        .await
        .unwrap();
    let refused = api::undo_disconnect(&world.app, support).await.unwrap_err();
    assert_eq!(
        (refused.code, refused.args["by"].as_str()),
        (ErrorCode::AddressInUse, "Kim Akers")
    );
}
