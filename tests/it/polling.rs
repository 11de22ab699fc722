//! Polling: new mail, moved mail, trouble and recovery.

use crate::world::{SUPPORT, World, mail, wait};
use mailroom_core::api;
use mailroom_core::api::view::{EventKind, Notice, PollingRole, Status, TicketQuery};
use std::time::Duration;

async fn subjects(world: &World) -> Vec<String> {
    let query = TicketQuery {
        limit: 500,
        ..TicketQuery::default()
    };
    let page = api::list_tickets(&world.app, query).await.unwrap();
    page.tickets
        .into_iter()
        .map(|ticket| ticket.subject)
        .collect()
}

async fn events(world: &World, id: i64) -> Vec<EventKind> {
    api::address_details(&world.app, id)
        .await
        .unwrap()
        .events
        .iter()
        .map(|event| event.kind)
        .collect()
}

#[tokio::test]
async fn new_mail_becomes_a_ticket_and_tells_the_triggers() {
    let world = World::new().await;
    let view = world.connect(None).await;
    assert!(
        subjects(&world).await.is_empty(),
        "older mail is left out unless it is asked for"
    );
    let mut notices = world.app.notices();
    let id = world
        .deliver(&mail("new-1@t.example", "The coffee machine leaks", ""))
        .await;
    let view = world.poll(view.id).await;
    assert_eq!(subjects(&world).await, ["The coffee machine leaks"]);
    assert_eq!(view.new_tickets_today, 1);
    wait("the trigger is told", async || match tokio::time::timeout(
        Duration::from_millis(200),
        notices.recv(),
    )
    .await
    {
        Ok(Ok(Notice::NewTickets { address, count })) => {
            assert_eq!((address.as_str(), count), (SUPPORT, 1));
            Some(())
        }
        _ => None,
    })
    .await;
    let server = world.server_mail().await;
    let message = server
        .iter()
        .find(|message| message["id"] == id.as_str())
        .unwrap();
    assert_eq!(message["isRead"], true);
}

#[tokio::test]
async fn mail_that_a_colleague_has_read_becomes_a_ticket_all_the_same() {
    let world = World::new().await;
    let view = world.connect(None).await;
    let id = world
        .deliver(&mail("read@t.example", "Read by somebody else", ""))
        .await;
    let read = serde_json::json!({ "mailbox": SUPPORT, "id": id, "isRead": true });
    world.control("mark", read).await;
    world.poll(view.id).await;
    assert_eq!(subjects(&world).await, ["Read by somebody else"]);
}

#[tokio::test]
async fn mail_between_the_import_and_the_first_poll_falls_through_no_gap() {
    let world = World::new().await;
    let attempt = world.sign_in(SUPPORT).await.unwrap();
    world
        .deliver(&mail("gap-1@t.example", "Before confirming", ""))
        .await;
    let id = world.finish(&attempt.id, Some(50)).await.unwrap().id;
    world
        .deliver(&mail("gap-2@t.example", "Right after confirming", ""))
        .await;
    world.verified(id).await;
    world.poll(id).await;
    let subjects = subjects(&world).await;
    for subject in ["Before confirming", "Right after confirming"] {
        assert_eq!(
            subjects.iter().filter(|have| *have == subject).count(),
            1,
            "{subject}"
        );
    }
}

#[tokio::test]
async fn an_expired_cursor_is_replaced_and_nothing_is_lost_or_doubled() {
    let world = World::new().await;
    let view = world.connect(Some(30)).await;
    let before = api::address_details(&world.app, view.id)
        .await
        .unwrap()
        .totals;
    world
        .deliver(&mail("gone-1@t.example", "While the cursor was lost", ""))
        .await;
    world
        .control("expire-delta", serde_json::json!({ "mailbox": SUPPORT }))
        .await;
    world.poll(view.id).await;
    let after = api::address_details(&world.app, view.id).await.unwrap();
    assert_eq!(after.totals.imported, before.imported + 1);
    assert!(
        events(&world, view.id)
            .await
            .contains(&EventKind::CursorExpired)
    );
}

#[tokio::test]
async fn throttling_is_waited_out_and_leaves_no_scar() {
    let world = World::with_scenarios(&["throttled"]).await;
    let view = world.connect(Some(60)).await;
    assert_eq!(view.import.unwrap().totals.found, 60);
    assert_eq!(view.status, Status::Verified);
}

#[tokio::test]
async fn a_server_in_trouble_is_a_warning_that_goes_away() {
    let world = World::new().await;
    let view = world.connect(None).await;
    world.scenario("service-down", true).await;
    api::sync_now(&world.app, Some(view.id)).await.unwrap();
    let ill = wait("the trouble shows", async || {
        let view = world.view(view.id).await;
        (view.status == Status::Attention).then_some(view)
    })
    .await;
    assert_eq!(ill.cause.unwrap().code, "server_trouble");
    world.scenario("service-down", false).await;
    let well = world.poll(view.id).await;
    assert_eq!((well.status, well.cause), (Status::Verified, None));
    let kinds = events(&world, view.id).await;
    assert!(kinds.contains(&EventKind::PollFailed) && kinds.contains(&EventKind::Recovered));
}

#[tokio::test]
async fn a_revoked_sign_in_fails_with_its_cause_and_asks_the_service_once_only() {
    let world = World::new().await;
    let view = world.connect(None).await;
    world
        .control("revoke-tokens", serde_json::json!({ "user": SUPPORT }))
        .await;
    world.control("log/reset", serde_json::json!({})).await;
    for _ in 0..3 {
        api::sync_now(&world.app, Some(view.id)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let ill = wait("the failure shows", async || {
        let view = world.view(view.id).await;
        (view.status == Status::Failed).then_some(view)
    })
    .await;
    let cause = ill.cause.unwrap();
    assert_eq!(cause.code, "AADSTS50173", "{cause:?}");
    let log: serde_json::Value = reqwest::get(format!("{}/_sandbox/log", world.tenant.authority))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let entries = log
        .get("entries")
        .or_else(|| log.get("requests"))
        .unwrap_or(&log)
        .as_array()
        .unwrap()
        .clone();
    let token_requests = entries
        .iter()
        .filter(|entry| {
            entry["path"]
                .as_str()
                .is_some_and(|path| path.contains("/token"))
        })
        .count();
    assert_eq!(
        token_requests, 1,
        "one token request in five minutes while broken"
    );

    world
        .deliver(&mail("meanwhile@t.example", "While signed out", ""))
        .await;
    let attempt = api::reconnect_address(&world.app, view.id, false, "en")
        .await
        .unwrap();
    let attempt = world.decided(&attempt.id).await;
    world.finish(&attempt.id, None).await.unwrap();
    world.verified(view.id).await;
    wait("what arrived meanwhile is fetched", async || {
        subjects(&world)
            .await
            .contains(&"While signed out".to_owned())
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn no_network_is_a_state_and_polling_comes_back_by_itself() {
    let world = World::new().await;
    let view = world.connect(None).await;
    let crate::world::World {
        sandbox,
        tenant,
        app,
        ..
    } = world;
    sandbox.stop().await;
    api::sync_now(&app, Some(view.id)).await.unwrap();
    let offline = wait("it is offline", async || {
        let view = api::address_details(&app, view.id).await.unwrap().address;
        (view.status == Status::Offline).then_some(view)
    })
    .await;
    assert_eq!(offline.cause.unwrap().code, "offline");
    assert!(tenant.authority.starts_with("http://localhost"));
}

#[tokio::test]
async fn two_processes_on_one_folder_poll_once_and_hand_over() {
    let world = World::new().await;
    let view = world.connect(None).await;
    let second =
        crate::world::open(world.folder.path(), world.key.clone(), world.guest.clone()).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(
        (world.app.polling(), second.polling()),
        (PollingRole::Here, PollingRole::Elsewhere)
    );
    world
        .deliver(&mail("handed@t.example", "Asked for elsewhere", ""))
        .await;
    api::sync_now(&second, Some(view.id)).await.unwrap();
    wait("the first process polls for the second", async || {
        subjects(&world)
            .await
            .contains(&"Asked for elsewhere".to_owned())
            .then_some(())
    })
    .await;
    world.app.close().await;
    wait("the second takes over", async || {
        (second.polling() == PollingRole::Here).then_some(())
    })
    .await;
    second.close().await;
}
