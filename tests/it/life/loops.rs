//! Nothing is asked again and again: sign-ins that come back with the same answer, and tokens of broken addresses.

use super::{asked, connect, forget_log};
use crate::world::{SUPPORT, World, wait};
use mailroom_core::api;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{ConnectStage, HandOffFor, Station, Status};
use mailroom_core::diagnosis::Finding;
use serde_json::json;

fn finding(stage: &ConnectStage) -> &Finding {
    let ConnectStage::Failed { finding } = stage else {
        panic!("{stage:?}");
    };
    finding
}

#[tokio::test]
async fn the_same_answer_twice_is_a_loop_that_is_named_and_not_asked_a_third_time() {
    let world = World::with_scenarios(&["admin-approval"]).await;
    let attempt = world.sign_in(SUPPORT).await.unwrap();
    let first = finding(&attempt.stage).code.clone();
    assert!(first.starts_with("AADSTS"), "{first}");
    api::retry_connect(&world.app, &attempt.id, false).unwrap();
    let again = world.decided(&attempt.id).await;
    let found = finding(&again.stage);
    assert_eq!(
        (found.code.as_str(), &found.args["said"]),
        ("sign_in_loop", &first)
    );
    assert!(found.evidence.as_ref().unwrap().raw.contains(&first));
    let card = api::explain(&world.app, &found.code, &found.args, "de");
    assert!(card.known && card.title.contains(&first), "{card:?}");

    forget_log(&world).await;
    let refused = api::retry_connect(&world.app, &attempt.id, true).unwrap_err();
    assert_eq!(refused.code, ErrorCode::WrongState);
    assert_eq!(asked(&world).await, Vec::<String>::new());
    // The map and the request to the admin know what stands behind it.
    let map = api::check_attempt(&world.app, &attempt.id).await.unwrap();
    assert_eq!(map.first_failed().unwrap().station, Station::Consent);
    let whom = HandOffFor::Attempt(attempt.id.clone());
    api::hand_off(&world.app, whom, &first).await.unwrap();

    // Somebody has changed something: a new attempt asks again.
    api::cancel_connect(&world.app, &attempt.id).unwrap();
    world.scenario("admin-approval", false).await;
    let attempt = world.sign_in(SUPPORT).await.unwrap();
    assert!(matches!(attempt.stage, ConnectStage::Ready { .. }));
}

#[tokio::test]
async fn another_answer_is_no_loop() {
    let world = World::with_scenarios(&["admin-approval"]).await;
    let attempt = world.sign_in(SUPPORT).await.unwrap();
    let first = finding(&attempt.stage).code.clone();
    world.scenario("admin-approval", false).await;
    world.scenario("platform-web", true).await;
    api::retry_connect(&world.app, &attempt.id, false).unwrap();
    let second = world.decided(&attempt.id).await;
    assert_ne!(finding(&second.stage).code, first);
    assert_ne!(finding(&second.stage).code, "sign_in_loop");
    world.scenario("platform-web", false).await;
    api::retry_connect(&world.app, &attempt.id, false).unwrap();
    let third = world.decided(&attempt.id).await;
    assert!(
        matches!(third.stage, ConnectStage::Ready { .. }),
        "{:?}",
        third.stage
    );
}

#[tokio::test]
async fn a_broken_address_asks_for_a_token_once_in_five_minutes_whatever_is_pressed() {
    let mut world = World::new().await;
    let support = connect(&world, SUPPORT).await;
    world
        .control("revoke-tokens", json!({ "user": SUPPORT }))
        .await;
    forget_log(&world).await;
    for _ in 0..3 {
        api::sync_now(&world.app, Some(support)).await.unwrap();
        api::check_address(&world.app, support, None).await.unwrap();
        api::prove_sending(&world.app, support).await.unwrap();
    }
    wait("the address has failed", async || {
        (world.view(support).await.status == Status::Failed).then_some(())
    })
    .await;
    // The program polls again after a restart, but no earlier than it would have.
    world.restart().await;
    wait("the program polls", async || {
        (world.app.polling() == api::view::PollingRole::Here).then_some(())
    })
    .await;
    let planned = world.view(support).await.next_poll_at.unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    assert!(planned - now > 4 * 60_000, "in {} ms", planned - now);
    let tokens: Vec<String> = asked(&world)
        .await
        .into_iter()
        .filter(|path| path.ends_with("/token"))
        .collect();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
}
