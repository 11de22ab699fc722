//! No address becomes the default before it has proven that mail goes out and comes in.

use super::{ALEX, connect, sent_out};
use crate::world::{SUPPORT, World};
use mailroom_core::api;
use mailroom_core::api::error::ErrorCode;

#[tokio::test]
async fn the_only_address_becomes_the_default_by_its_proof_and_others_are_asked_for_theirs() {
    let world = World::new().await;
    let support = connect(&world, SUPPORT).await;
    let view = world.view(support).await;
    assert_eq!(
        (view.is_default, view.default_to_be, view.proven_at),
        (false, true, None)
    );
    let refused = api::make_default(&world.app, support).await.unwrap_err();
    assert_eq!(
        (refused.code, refused.args["value"].as_str()),
        (ErrorCode::NotProven, SUPPORT)
    );
    assert!(sent_out(&world).await.is_empty(), "asking proves nothing");

    api::prove_sending(&world.app, support).await.unwrap();
    let view = world.view(support).await;
    assert_eq!((view.is_default, view.default_to_be), (true, false));
    assert!(view.proven_at.is_some());

    let alex = connect(&world, ALEX).await;
    assert!(!world.view(alex).await.default_to_be);
    let refused = api::make_default(&world.app, alex).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotProven);
    api::prove_sending(&world.app, alex).await.unwrap();
    assert!(
        world.view(support).await.is_default,
        "a proof alone takes nothing away"
    );
    api::make_default(&world.app, alex).await.unwrap();
    let defaults: Vec<bool> = [world.view(support).await, world.view(alex).await]
        .map(|view| view.is_default)
        .to_vec();
    assert_eq!(defaults, [false, true]);
}

#[tokio::test]
async fn a_proof_from_before_signing_in_again_does_not_count() {
    let world = World::new().await;
    let alex = connect(&world, ALEX).await;
    let support = connect(&world, SUPPORT).await;
    api::prove_sending(&world.app, support).await.unwrap();
    assert!(world.view(support).await.proven_at.is_some());
    let attempt = api::reconnect_address(&world.app, support, false, "en")
        .await
        .unwrap();
    let attempt = world.decided(&attempt.id).await;
    world.finish(&attempt.id, None).await.unwrap();
    world.verified(support).await;
    assert_eq!(world.view(support).await.proven_at, None);
    let refused = api::make_default(&world.app, support).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotProven);

    api::prove_sending(&world.app, support).await.unwrap();
    api::disconnect_address(&world.app, support).await.unwrap();
    api::undo_disconnect(&world.app, support).await.unwrap();
    api::make_default(&world.app, support).await.unwrap();
    assert!(!world.view(alex).await.is_default);
}

#[tokio::test]
async fn a_test_mail_that_was_refused_proves_nothing() {
    let world = World::new().await;
    let support = connect(&world, SUPPORT).await;
    world.scenario("quota-full", true).await;
    api::prove_sending(&world.app, support).await.unwrap();
    let view = world.view(support).await;
    assert_eq!((view.proven_at, view.is_default), (None, false));
}
