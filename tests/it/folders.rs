//! The folder to read.

use crate::world::{SUPPORT, World, mail, wait};
use mailroom_core::api;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{
    ConnectChoices, ConnectionMap, EventKind, FolderView, Outcome, SpecialUse, Station,
    StationState,
};
use serde_json::json;

async fn put(world: &World, folder: &str, text: &str) {
    let url = format!("{}/_sandbox/deliver", world.tenant.authority);
    let query = [("mailbox", SUPPORT), ("folder", folder)];
    let url = reqwest::Url::parse_with_params(&url, query).unwrap();
    let text = text.replace('\n', "\r\n");
    let answer = world.http.post(url).body(text).send().await.unwrap();
    assert!(answer.status().is_success());
}

async fn subjects(world: &World, id: i64) -> Vec<String> {
    let rows = api::ledger(&world.app, id, None, None, 0, 500)
        .await
        .unwrap();
    rows.into_iter().map(|row| row.subject).collect()
}

fn times(subjects: &[String], subject: &str) -> usize {
    subjects.iter().filter(|have| *have == subject).count()
}

async fn folder_now(world: &World, id: i64, path: &str) {
    wait("the folder is changed", async || {
        let details = api::address_details(&world.app, id).await.unwrap();
        let done = details.next_folder.is_none() && details.folder_path.as_deref() == Some(path);
        done.then_some(())
    })
    .await;
}

fn at<'a>(folders: &'a [FolderView], path: &str) -> &'a FolderView {
    folders.iter().find(|folder| folder.path == path).unwrap()
}

#[tokio::test]
async fn a_folder_can_be_picked_from_the_tree_while_connecting() {
    let world = World::new().await;
    put(
        &world,
        "Requests/Second level",
        &mail("t1@fabrikam.example", "Old", ""),
    )
    .await;
    let attempt = world.sign_in(SUPPORT).await.unwrap();
    let folders = api::folders_of_attempt(&world.app, &attempt.id)
        .await
        .unwrap();
    let inbox = folders
        .iter()
        .find(|folder| folder.special == Some(SpecialUse::Inbox));
    assert!(inbox.unwrap().is_read);
    let tech = at(&folders, "Requests/Second level");
    assert_eq!((tech.depth, tech.messages), (1, Some(1)));
    let choices = |folder: &str| ConnectChoices {
        brand: "Contoso".into(),
        import_newest: None,
        folder: Some(folder.into()),
    };
    let wrong = api::finish_connect(&world.app, &attempt.id, choices("Requests/Second levl")).await;
    let wrong = wrong.unwrap_err();
    assert_eq!(wrong.code, ErrorCode::FolderNotFound);
    assert_eq!(wrong.args["nearest"], "Requests/Second level");
    let view = api::finish_connect(&world.app, &attempt.id, choices("requests/second level"))
        .await
        .unwrap();
    world.verified(view.id).await;
    let details = api::address_details(&world.app, view.id).await.unwrap();
    assert_eq!(
        details.folder_path.as_deref(),
        Some("Requests/Second level")
    );
    put(
        &world,
        "Requests/Second level",
        &mail("t2@fabrikam.example", "New", ""),
    )
    .await;
    world
        .deliver(&mail("t3@fabrikam.example", "Elsewhere", ""))
        .await;
    api::sync_now(&world.app, Some(view.id)).await.unwrap();
    wait("the mail is fetched", async || {
        let have = subjects(&world, view.id).await;
        (times(&have, "New") == 1).then_some(())
    })
    .await;
    let have = subjects(&world, view.id).await;
    assert_eq!((times(&have, "New"), times(&have, "Elsewhere")), (1, 0));
}

#[tokio::test]
async fn changing_the_folder_loses_and_doubles_nothing() {
    let world = World::new().await;
    let view = world.connect(Some(20)).await;
    let before = subjects(&world, view.id).await.len();
    put(
        &world,
        "Requests",
        &mail("old@fabrikam.example", "From before", ""),
    )
    .await;
    // It arrives in the old folder after the last poll, and must not be left behind.
    world
        .deliver(&mail("last@fabrikam.example", "Last one", ""))
        .await;
    api::set_folder(&world.app, view.id, Some(" requests "))
        .await
        .unwrap();
    folder_now(&world, view.id, "Requests").await;
    put(
        &world,
        "Requests",
        &mail("new@fabrikam.example", "First one", ""),
    )
    .await;
    // The same mail once more, by the other way.
    put(
        &world,
        "Requests",
        &mail("last@fabrikam.example", "Last one", ""),
    )
    .await;
    api::sync_now(&world.app, Some(view.id)).await.unwrap();
    wait("both mails are fetched", async || {
        let have = subjects(&world, view.id).await;
        (times(&have, "First one") == 1 && times(&have, "Last one") == 2).then_some(())
    })
    .await;
    let have = subjects(&world, view.id).await;
    assert_eq!(times(&have, "First one"), 1);
    let details = api::address_details(&world.app, view.id).await.unwrap();
    assert!(
        details
            .events
            .iter()
            .any(|event| event.kind == EventKind::FolderChanged)
    );
    let rows = api::ledger(
        &world.app,
        view.id,
        Some("last@fabrikam.example".into()),
        None,
        0,
        10,
    )
    .await
    .unwrap();
    let mut outcomes: Vec<String> = rows
        .iter()
        .map(|row| format!("{:?}", row.outcome))
        .collect();
    outcomes.sort();
    assert_eq!(outcomes, ["Duplicate", "Imported"]);
    assert!(have.len() > before);
    // Back to the inbox: nothing comes a second time.
    api::set_folder(&world.app, view.id, None).await.unwrap();
    wait("the inbox is read again", async || {
        let details = api::address_details(&world.app, view.id).await.unwrap();
        (details.next_folder.is_none() && details.folder_path.is_none()).then_some(())
    })
    .await;
    world.poll(view.id).await;
    let totals = api::address_details(&world.app, view.id)
        .await
        .unwrap()
        .totals;
    assert_eq!(
        totals.imported + totals.duplicate + totals.skipped + totals.failed,
        totals.found
    );
    assert_eq!(times(&subjects(&world, view.id).await, "Last one"), 2);
}

#[tokio::test]
async fn a_renamed_folder_is_followed_and_a_deleted_one_is_said() {
    let world = World::new().await;
    put(&world, "Requests", &mail("r@fabrikam.example", "There", "")).await;
    let view = world.connect(None).await;
    api::set_folder(&world.app, view.id, Some("Requests"))
        .await
        .unwrap();
    folder_now(&world, view.id, "Requests").await;
    let folders = api::folders(&world.app, view.id).await.unwrap();
    let id = at(&folders, "Requests").id.clone();
    assert!(at(&folders, "Requests").is_read);
    let rename = json!({"mailbox": SUPPORT, "path": "Requests", "name": "Anfragen/Technik"});
    world.control("folder", rename).await;
    world.poll(view.id).await;
    let map = api::check_address(&world.app, view.id, None).await.unwrap();
    assert!(map.first_failed().is_none(), "{map:?}");
    let details = api::address_details(&world.app, view.id).await.unwrap();
    assert_eq!(details.folder_path.as_deref(), Some(r"Anfragen\/Technik"));

    let delete = json!({"mailbox": SUPPORT, "id": id});
    world.control("folder", delete).await;
    let map = api::check_address(&world.app, view.id, None).await.unwrap();
    let failed = map.first_failed().unwrap();
    assert_eq!(failed.station, Station::Folder);
    assert_eq!(failed.finding.as_ref().unwrap().code, "folder_gone");
}

#[tokio::test]
async fn a_test_mail_beside_the_folder_that_is_read_is_found_in_the_inbox() {
    let world = World::new().await;
    // Without mail: what arrives in the second of the connection counts as new.
    let folder = json!({"mailbox": SUPPORT, "path": "Requests", "name": "Requests"});
    world.control("folder", folder).await;
    let attempt = world.sign_in(SUPPORT).await.unwrap();
    let choices = ConnectChoices {
        brand: "Contoso".into(),
        import_newest: None,
        folder: Some("Requests".into()),
    };
    let view = api::finish_connect(&world.app, &attempt.id, choices)
        .await
        .unwrap();
    world.verified(view.id).await;
    let code = |map: &ConnectionMap| {
        let seen = map.station(Station::RoundTrip).unwrap();
        assert_eq!(seen.state, StationState::Ok, "{seen:?}");
        seen.finding.as_ref().map(|finding| finding.code.clone())
    };
    let map = api::prove_sending(&world.app, view.id).await.unwrap();
    assert_eq!(code(&map).as_deref(), Some("round_trip_in_inbox"));
    assert_eq!(map.send_as, StationState::Ok);
    let arrived = world.server_mail().await.into_iter().find(|mail| {
        let subject = mail["subject"].as_str().unwrap_or_default();
        mail["folder"] == "Inbox" && subject.starts_with("Mailroom test")
    });
    let arrived = arrived.unwrap();
    assert_eq!(arrived["isRead"], false, "it was looked at only");

    // A rule moves it after all.
    let order = json!({"mailbox": SUPPORT, "id": arrived["id"], "folder": "Requests"});
    world.control("move", order).await;
    world.poll(view.id).await;
    let map = api::check_address(&world.app, view.id, None).await.unwrap();
    assert_eq!(code(&map), None);
    let outcome = Some(Outcome::Imported);
    let tickets = api::ledger(&world.app, view.id, None, outcome, 0, 500).await;
    assert_eq!(tickets.unwrap(), [], "a test mail is no ticket");
}

#[tokio::test]
async fn a_folder_that_has_had_mail_is_not_said_to_be_without_and_a_new_one_is() {
    let world = World::new().await;
    let view = world.connect(None).await;
    world.deliver(&mail("n1@fabrikam.example", "New", "")).await;
    world.poll(view.id).await;
    // A folder comes into being with the first mail in it.
    put(&world, "Requests", &mail("t1@fabrikam.example", "Old", "")).await;
    let empty = async |world: &World, folder: &str| {
        for mail in world.server_mail().await {
            if mail["folder"] == folder {
                let id = mail["id"].as_str().unwrap();
                let base = &world.tenant.authority;
                let url = format!("{base}/_sandbox/mailbox/{SUPPORT}/message/{id}");
                assert!(
                    world
                        .http
                        .delete(url)
                        .send()
                        .await
                        .unwrap()
                        .status()
                        .is_success()
                );
            }
        }
    };
    let code = async || {
        let map = api::check_address(&world.app, view.id, None).await.unwrap();
        let seen = map.station(Station::Folder).unwrap().clone();
        seen.finding.map(|finding| finding.code)
    };
    empty(&world, "Inbox").await;
    assert_eq!(code().await, None, "mail was seen in the inbox");

    empty(&world, "Requests").await;
    api::set_folder(&world.app, view.id, Some("Requests"))
        .await
        .unwrap();
    folder_now(&world, view.id, "Requests").await;
    let never = Some("no_recent_mail_in_folder".to_owned());
    assert_eq!(code().await, never, "what the inbox had is the inbox's");
    put(&world, "Requests", &mail("t2@fabrikam.example", "Here", "")).await;
    world.poll(view.id).await;
    assert_eq!(code().await, None);
    empty(&world, "Requests").await;
    assert_eq!(code().await, None);
}
