//! What becomes of mail on the server once it is imported.

use crate::world::{SUPPORT, World, mail, wait};
use mailroom_core::api;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{AfterImport, EventKind, EventView, Notice, Outcome};

const DONE: &str = "Requests/Done";

fn moving() -> AfterImport {
    AfterImport::Move {
        folder: DONE.to_owned(),
    }
}

async fn make_folder(world: &World, folder: &str) {
    let url = format!("{}/_sandbox/deliver", world.tenant.authority);
    let query = [("mailbox", SUPPORT), ("folder", folder)];
    let url = reqwest::Url::parse_with_params(&url, query).unwrap();
    let text = mail("first@fabrikam.example", "First there", "").replace('\n', "\r\n");
    let answer = world.http.post(url).body(text).send().await.unwrap();
    assert!(answer.status().is_success());
}

/// The folder in which the server has a mail, and whether it is read.
async fn lies_in(world: &World, subject: &str) -> Vec<(String, bool)> {
    let all = world.server_mail().await;
    all.iter()
        .filter(|message| message["subject"] == subject)
        .map(|message| {
            let folder = message["folder"].as_str().unwrap().to_owned();
            (folder, message["isRead"] == true)
        })
        .collect()
}

async fn no_marks_wait(world: &World, id: i64) {
    wait("the marks are taken", async || {
        let details = api::address_details(&world.app, id).await.unwrap();
        (details.pending_marks == 0).then_some(())
    })
    .await;
}

/// Polls until so many mails with this Message-ID are in the ledger.
async fn fetched(world: &World, id: i64, message_id: &str, count: usize) {
    api::sync_now(&world.app, Some(id)).await.unwrap();
    wait("the mail is fetched", async || {
        let message_id = Some(message_id.to_owned());
        let rows = api::ledger(&world.app, id, message_id, None, 0, 9)
            .await
            .unwrap();
        (rows.len() == count).then_some(())
    })
    .await;
    no_marks_wait(world, id).await;
}

async fn choose(world: &World, id: i64, choice: &AfterImport, also_imported: bool) {
    api::rehearse_after_import(&world.app, id, choice.clone(), 20)
        .await
        .unwrap();
    let confirm = Some("Support@Contoso.example");
    api::set_after_import(&world.app, id, choice.clone(), confirm, also_imported)
        .await
        .unwrap();
}

#[tokio::test]
async fn moving_needs_a_rehearsal_and_the_address_typed_and_concerns_new_mail_only() {
    let world = World::new().await;
    make_folder(&world, DONE).await;
    let view = world.connect(Some(10)).await;
    no_marks_wait(&world, view.id).await;
    let set = async |choice: AfterImport, confirm: Option<&str>| {
        api::set_after_import(&world.app, view.id, choice, confirm, false).await
    };
    let refused = set(moving(), None).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::ConfirmationNeeded);
    let refused = set(moving(), Some("other@contoso.example"))
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::ConfirmationNeeded);
    let refused = set(moving(), Some(SUPPORT)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::RehearsalNeeded);
    let rehearse = |choice| api::rehearse_after_import(&world.app, view.id, choice, 12);
    let rehearsal = rehearse(moving()).await.unwrap();
    assert_eq!(rehearsal.found, 12);
    assert_eq!(rehearsal.taken + rehearsal.stay, rehearsal.found);
    assert!(
        rehearsal
            .mails
            .iter()
            .all(|mail| mail.taken == (mail.outcome == Outcome::Imported))
    );
    assert_eq!(rehearsal.goes_to.as_deref(), Some(DONE));
    // Another choice than the rehearsed one needs a rehearsal of its own.
    let refused = set(AfterImport::Delete, Some(SUPPORT)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::RehearsalNeeded);
    let inbox = AfterImport::Move {
        folder: "Inbox".to_owned(),
    };
    let refused = rehearse(inbox).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::FolderInUse);
    let nowhere = AfterImport::Move {
        folder: "Requests/Dome".to_owned(),
    };
    let refused = rehearse(nowhere).await.unwrap_err();
    assert_eq!(
        (refused.code, refused.args["nearest"].as_str()),
        (ErrorCode::FolderNotFound, DONE)
    );
    rehearse(moving()).await.unwrap();
    set(moving(), Some(SUPPORT)).await.unwrap();

    let before = world.server_mail().await;
    let in_done = |all: &[serde_json::Value]| {
        all.iter()
            .filter(|message| message["folder"] == DONE)
            .count()
    };
    world
        .deliver(&mail("new@fabrikam.example", "To be moved", ""))
        .await;
    // The same mail twice: the second is a duplicate, and stays.
    world
        .deliver(&mail("new@fabrikam.example", "To be moved", ""))
        .await;
    fetched(&world, view.id, "new@fabrikam.example", 2).await;
    let mut folders = lies_in(&world, "To be moved").await;
    folders.sort();
    assert_eq!(
        folders,
        [("Inbox".to_owned(), true), (DONE.to_owned(), true)]
    );
    assert_eq!(in_done(&world.server_mail().await), in_done(&before) + 1);
    // What was moved does not come back as another mail.
    world.poll(view.id).await;
    let rows = api::ledger(
        &world.app,
        view.id,
        Some("new@fabrikam.example".into()),
        None,
        0,
        9,
    );
    assert_eq!(rows.await.unwrap().len(), 2);
}

#[tokio::test]
async fn deleting_puts_mail_into_deleted_items_and_older_mail_only_when_asked() {
    let world = World::new().await;
    let view = world.connect(Some(5)).await;
    no_marks_wait(&world, view.id).await;
    let trash = async || {
        let all = world.server_mail().await;
        all.iter()
            .filter(|message| message["folder"] == "Deleted Items")
            .count()
    };
    let before = trash().await;
    let imported = api::address_details(&world.app, view.id)
        .await
        .unwrap()
        .totals
        .imported;
    choose(&world, view.id, &AfterImport::Delete, false).await;
    world
        .deliver(&mail("d@fabrikam.example", "To be deleted", ""))
        .await;
    fetched(&world, view.id, "d@fabrikam.example", 1).await;
    assert_eq!(
        lies_in(&world, "To be deleted").await,
        [("Deleted Items".to_owned(), true)]
    );
    assert_eq!(trash().await, before + 1);
    choose(&world, view.id, &AfterImport::Delete, true).await;
    no_marks_wait(&world, view.id).await;
    let wanted = before + 1 + usize::try_from(imported).unwrap();
    assert_eq!(trash().await, wanted);
}

#[tokio::test]
async fn shells_are_told_how_many_marks_wait() {
    let world = World::new().await;
    let view = world.connect(None).await;
    let mut notices = world.app.notices();
    choose(&world, view.id, &AfterImport::Delete, false).await;
    // What is there at the first look is no news.
    wait("changes are told", async || {
        api::pause_address(&world.app, view.id).await.unwrap();
        api::resume_address(&world.app, view.id).await.unwrap();
        matches!(notices.try_recv(), Ok(Notice::Address(_))).then_some(())
    })
    .await;
    // A full mailbox moves nothing: the queue holds it.
    world.scenario("quota-full", true).await;
    world
        .deliver(&mail("m@fabrikam.example", "Marked later", ""))
        .await;
    api::sync_now(&world.app, Some(view.id)).await.unwrap();
    let told = tokio::time::timeout(std::time::Duration::from_secs(30), async {
        loop {
            if let Ok(Notice::Address(view)) = notices.recv().await
                && view.pending_marks == 1
            {
                return;
            }
        }
    });
    told.await.unwrap();
}

#[tokio::test]
async fn mail_left_untouched_gets_neither_read_nor_a_category() {
    let world = World::new().await;
    let view = world.connect(None).await;
    api::set_after_import(&world.app, view.id, AfterImport::Leave, None, false)
        .await
        .unwrap();
    world
        .deliver(&mail("l@fabrikam.example", "Left alone", ""))
        .await;
    fetched(&world, view.id, "l@fabrikam.example", 1).await;
    let details = api::address_details(&world.app, view.id).await.unwrap();
    assert_eq!(
        (details.pending_marks, details.after_import),
        (0, AfterImport::Leave)
    );
    let all = world.server_mail().await;
    let left = all
        .iter()
        .find(|message| message["subject"] == "Left alone")
        .unwrap();
    assert_eq!(
        (
            &left["isRead"],
            left["categories"].as_array().unwrap().len()
        ),
        (&false.into(), 0)
    );
}

#[tokio::test]
async fn what_waits_to_be_deleted_stays_after_a_milder_choice_and_a_restart_repeats_nothing() {
    let mut world = World::new().await;
    let view = world.connect(None).await;
    choose(&world, view.id, &AfterImport::Delete, false).await;
    // The server takes no changes: the queue holds them.
    world.scenario("quota-full", true).await;
    world
        .deliver(&mail("w@fabrikam.example", "Waiting", ""))
        .await;
    api::sync_now(&world.app, Some(view.id)).await.unwrap();
    // Before the refusal it may be on its way to the server, where no choice overtakes it.
    wait("the mark is refused and waits", async || {
        let details = api::address_details(&world.app, view.id).await.unwrap();
        let refused = |event: &EventView| event.kind == EventKind::MarkFailed;
        let waits = details.pending_marks == 1 && details.events.iter().any(refused);
        waits.then_some(())
    })
    .await;
    world.restart().await;
    api::set_after_import(&world.app, view.id, AfterImport::Read, None, false)
        .await
        .unwrap();
    world.scenario("quota-full", false).await;
    no_marks_wait(&world, view.id).await;
    assert_eq!(
        lies_in(&world, "Waiting").await,
        [("Inbox".to_owned(), true)]
    );
}

#[tokio::test]
async fn a_milder_choice_counts_for_a_poll_that_has_begun() {
    let world = World::new().await;
    let view = world.connect(None).await;
    choose(&world, view.id, &AfterImport::Delete, false).await;
    world.poll(view.id).await;
    world
        .deliver(&mail("kept@fabrikam.example", "Kept", ""))
        .await;
    // Long enough to change one's mind.
    world.scenario("slow", true).await;
    api::sync_now(&world.app, Some(view.id)).await.unwrap();
    wait("the poll has begun", async || {
        world.view(view.id).await.polling.then_some(())
    })
    .await;
    let leave = AfterImport::Leave;
    api::set_after_import(&world.app, view.id, leave, None, false)
        .await
        .unwrap();
    assert!(world.view(view.id).await.polling, "it goes on meanwhile");
    world.scenario("slow", false).await;
    fetched(&world, view.id, "kept@fabrikam.example", 1).await;
    assert_eq!(lies_in(&world, "Kept").await, [("Inbox".to_owned(), false)]);
}
