//! Importing the newest mails.

use crate::world::{SUPPORT, World, mail, wait};
use mailroom_core::api;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{EventKind, ImportState, LedgerTotals, Outcome, TicketQuery};
use std::collections::BTreeSet;

fn all_tickets() -> TicketQuery {
    TicketQuery {
        limit: 500,
        ..TicketQuery::default()
    }
}

#[tokio::test]
async fn the_newest_300_become_tickets_exactly_once_and_the_server_is_told_afterwards() {
    let world = World::new().await;
    let before = world.server_mail().await;
    let view = world.connect(Some(300)).await;
    let import = view.import.clone().unwrap();
    assert_eq!(import.state, ImportState::Done);
    assert_eq!((import.totals.found, import.pending), (300, 0));
    let LedgerTotals {
        imported,
        duplicate,
        skipped,
        failed,
        found,
    } = import.totals;
    assert_eq!(imported + duplicate + skipped + failed, found);
    assert_eq!(failed, 0);

    let rows = api::ledger(&world.app, view.id, None, None, 0, 500)
        .await
        .unwrap();
    assert_eq!(rows.len(), 300);
    let mut newest: Vec<_> = before
        .iter()
        .filter(|message| {
            message["folder"]
                .as_str()
                .is_some_and(|folder| folder.eq_ignore_ascii_case("inbox"))
        })
        .map(|message| {
            (
                message["receivedDateTime"].as_str().unwrap().to_owned(),
                message["id"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    newest.sort();
    let wanted: BTreeSet<&str> = newest
        .iter()
        .rev()
        .take(300)
        .map(|(_, id)| id.as_str())
        .collect();
    let have: BTreeSet<&str> = rows.iter().map(|row| row.server_id.as_str()).collect();
    assert_eq!(have.symmetric_difference(&wanted).count(), 0);

    assert_eq!(
        view.new_tickets_today, 0,
        "triggers stay silent for imported mail"
    );
    wait("all marks are taken", async || {
        (api::address_details(&world.app, view.id)
            .await
            .unwrap()
            .pending_marks
            == 0)
            .then_some(())
    })
    .await;
    let after = world.server_mail().await;
    for message in &after {
        let id = message["id"].as_str().unwrap();
        let was = before
            .iter()
            .find(|before| before["id"] == message["id"])
            .unwrap();
        let categories: Vec<&str> = message["categories"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|c| c.as_str())
            .collect();
        assert_eq!(
            categories.contains(&"Mailroom"),
            have.contains(id),
            "only imported mail is marked"
        );
        if have.contains(id) {
            assert_eq!(message["isRead"], true);
            for kept in was["categories"].as_array().unwrap() {
                assert!(
                    categories.contains(&kept.as_str().unwrap()),
                    "existing categories stay"
                );
            }
        } else {
            assert_eq!(message["isRead"], was["isRead"], "other mail is left alone");
        }
        assert_eq!(
            message["folder"], was["folder"],
            "nothing is moved or deleted"
        );
    }
    assert_eq!(before.len(), after.len());
}

#[tokio::test]
async fn importing_again_makes_only_duplicates() {
    let world = World::new().await;
    let view = world.connect(Some(40)).await;
    let tickets = api::list_tickets(&world.app, all_tickets())
        .await
        .unwrap()
        .total;
    api::start_import(&world.app, view.id, 60).await.unwrap();
    let view = world.verified(view.id).await;
    let totals = view.import.unwrap().totals;
    assert_eq!((totals.found, totals.imported + totals.duplicate), (60, 60));
    assert!(totals.duplicate >= 40, "{totals:?}");
    assert!(
        api::list_tickets(&world.app, all_tickets())
            .await
            .unwrap()
            .total
            >= tickets
    );
    let ledger = api::address_details(&world.app, view.id)
        .await
        .unwrap()
        .totals;
    assert_eq!(ledger.found, 60);
    assert_eq!(
        ledger.imported + ledger.duplicate + ledger.skipped + ledger.failed,
        ledger.found
    );
}

#[tokio::test]
async fn an_import_is_paused_resumed_and_cancelled_within_a_second_and_nothing_is_lost() {
    let world = World::with_scenarios(&["slow"]).await;
    let attempt = world.sign_in(SUPPORT).await.unwrap();
    let id = world.finish(&attempt.id, Some(200)).await.unwrap().id;
    wait("the import has begun", async || {
        let import = world.view(id).await.import?;
        (import.state == ImportState::Running && import.totals.imported > 0).then_some(())
    })
    .await;
    api::pause_import(&world.app, id).await.unwrap();
    let paused_at = std::time::Instant::now();
    wait("the import rests", async || {
        (world.view(id).await.import?.state == ImportState::Paused).then_some(())
    })
    .await;
    assert!(paused_at.elapsed().as_secs() < 2);
    let resting = world.view(id).await.import.unwrap().totals.imported;
    assert!(resting < 200);
    assert_eq!(
        api::pause_import(&world.app, id).await.unwrap_err().code,
        ErrorCode::WrongState
    );
    assert_eq!(
        api::start_import(&world.app, id, 10)
            .await
            .unwrap_err()
            .code,
        ErrorCode::WrongState
    );

    world.scenario("slow", false).await;
    api::resume_import(&world.app, id).await.unwrap();
    let view = world.verified(id).await;
    assert_eq!(view.import.unwrap().totals.found, 200);

    api::start_import(&world.app, id, 1_000).await.unwrap();
    api::cancel_import(&world.app, id).await.unwrap();
    let import = world.view(id).await.import.unwrap();
    assert_eq!(import.state, ImportState::Cancelled);
    let kinds: Vec<EventKind> = api::address_details(&world.app, id)
        .await
        .unwrap()
        .events
        .iter()
        .map(|event| event.kind)
        .collect();
    for kind in [
        EventKind::ImportPaused,
        EventKind::ImportResumed,
        EventKind::ImportDone,
        EventKind::ImportCancelled,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} in {kinds:?}");
    }
}

#[tokio::test]
async fn a_restart_in_the_middle_goes_on_where_it_stopped() {
    let mut world = World::with_scenarios(&["slow"]).await;
    let attempt = world.sign_in(SUPPORT).await.unwrap();
    let id = world.finish(&attempt.id, Some(150)).await.unwrap().id;
    wait("a part is imported", async || {
        (world.view(id).await.import?.totals.imported > 0).then_some(())
    })
    .await;
    world.restart().await;
    world.scenario("slow", false).await;
    let view = world.verified(id).await;
    let totals = view.import.unwrap().totals;
    assert_eq!(
        (totals.found, totals.imported + totals.duplicate),
        (150, 150)
    );
    assert_eq!(
        api::address_details(&world.app, id)
            .await
            .unwrap()
            .totals
            .found,
        150
    );
}

#[tokio::test]
async fn a_rehearsal_tells_what_would_come_and_changes_nothing() {
    let world = World::new().await;
    let view = world.connect(None).await;
    let before = world.server_mail().await;
    let rehearsal = api::rehearse_import(&world.app, view.id, 100)
        .await
        .unwrap();
    assert_eq!(rehearsal.totals.found, 100);
    assert_eq!(
        rehearsal.new_tickets + rehearsal.joining,
        rehearsal.totals.imported
    );
    assert_eq!(
        api::list_tickets(&world.app, all_tickets())
            .await
            .unwrap()
            .total,
        0
    );
    assert_eq!(world.server_mail().await, before);

    api::start_import(&world.app, view.id, 100).await.unwrap();
    let totals = world.verified(view.id).await.import.unwrap().totals;
    assert_eq!(
        totals, rehearsal.totals,
        "the import does what the rehearsal said"
    );
}

#[tokio::test]
async fn answers_meet_in_one_ticket_whatever_order_they_come_in() {
    let world = World::new().await;
    let view = world.connect(None).await;
    world
        .deliver(&mail(
            "answer-2@t.example",
            "Re: chair",
            "In-Reply-To: <first@t.example>\nReferences: <first@t.example>\n",
        ))
        .await;
    world.poll(view.id).await;
    world.deliver(&mail("first@t.example", "chair", "")).await;
    world.poll(view.id).await;
    world
        .deliver(&mail(
            "answer-3@t.example",
            "Re: chair",
            "References: <first@t.example> <answer-2@t.example>\n",
        ))
        .await;
    world.poll(view.id).await;
    let page = api::list_tickets(&world.app, all_tickets()).await.unwrap();
    assert_eq!(page.total, 1);
    assert_eq!(page.tickets[0].messages, 3);
}

#[tokio::test]
async fn mail_without_message_id_and_the_same_mail_twice_are_both_accounted_for() {
    let world = World::new().await;
    let view = world.connect(None).await;
    let bare = "From: a@fabrikam.example\nTo: support@contoso.example\n\nno id, no subject\n";
    world.deliver(bare).await;
    world.deliver(bare).await;
    let twice = mail("twice@t.example", "sent twice", "");
    let first = world.deliver(&twice).await;
    let second = world
        .deliver(&format!("Received: from relay.example\n{twice}"))
        .await;
    assert_ne!(first, second);
    let other = mail("twice@t.example", "another mail under the same id", "");
    world.deliver(&other).await;
    world.poll(view.id).await;
    let totals = api::address_details(&world.app, view.id)
        .await
        .unwrap()
        .totals;
    let skipped = totals.skipped;
    assert_eq!(totals.found - skipped, 5);
    assert_eq!(
        (totals.imported, totals.duplicate),
        (4, 1),
        "no mail is dropped for want of an id"
    );
    let rows = api::ledger(
        &world.app,
        view.id,
        Some("<twice@t.example>".into()),
        None,
        0,
        10,
    )
    .await
    .unwrap();
    assert_eq!(rows.len(), 3);
    let duplicate = rows
        .iter()
        .find(|row| row.outcome == Outcome::Duplicate)
        .unwrap();
    assert_eq!(duplicate.reason.as_deref(), Some("same_mail"));
    let tickets: BTreeSet<_> = rows.iter().filter_map(|row| row.ticket_id).collect();
    assert_eq!(
        tickets.len(),
        2,
        "another mail under the same id has a ticket of its own"
    );
}
