//! What a person chooses on a real Dovecot: the folder to read, and what becomes of mail once it is imported.

use super::Desk;
use super::dovecot::{self, Dovecot};
use crate::world::{SUPPORT, wait};
use mailroom_core::api;
use mailroom_core::api::ImapInput;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{
    AfterImport, ConnectChoices, ConnectRequest, ConnectStage, Opens, Outcome, SpecialUse, Station,
};

/// The server names no folder for deleted mail, and makes none.
pub const UNNAMED: &str =
    "namespace inbox {\n mailbox Trash {\n auto = no\n special_use =\n }\n}\n";

async fn no_marks_wait(desk: &Desk, id: i64) {
    wait("the marks are taken", async || {
        let details = api::address_details(&desk.app, id).await.unwrap();
        (details.pending_marks == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_is_rehearsed_and_confirmed_and_goes_to_the_folder_for_deleted_mail_if_any() {
    for (config, trash) in [
        ("", Some("Trash")),
        // The server names no folder for it.
        (UNNAMED, None),
    ] {
        let server = Dovecot::with(config).await;
        for number in 0..3 {
            server.deliver("new", &format!("old-{number}@contoso.example"), -3_600);
        }
        let desk = Desk::new(Some(&server.papers.ca)).await;
        let view = desk
            .connect(server.port, dovecot::PASSWORD, None, Some(2))
            .await
            .unwrap();
        desk.verified(view.id).await;
        no_marks_wait(&desk, view.id).await;
        let set = async |confirm: Option<&str>| {
            api::set_after_import(&desk.app, view.id, AfterImport::Delete, confirm, false).await
        };
        for (confirm, code) in [
            (None, ErrorCode::ConfirmationNeeded),
            (Some("sales@contoso.example"), ErrorCode::ConfirmationNeeded),
            (Some(SUPPORT), ErrorCode::RehearsalNeeded),
        ] {
            assert_eq!(set(confirm).await.unwrap_err().code, code, "{confirm:?}");
        }
        let rehearsal = api::rehearse_after_import(&desk.app, view.id, AfterImport::Delete, 10)
            .await
            .unwrap();
        assert_eq!(rehearsal.goes_to.as_deref(), trash, "{config}");
        assert_eq!((rehearsal.found, rehearsal.taken), (3, 3), "{rehearsal:?}");
        assert_eq!(rehearsal.imported_before, 2);
        assert_eq!(server.ids_in("").len(), 3, "a rehearsal removes nothing");
        set(Some(SUPPORT)).await.unwrap();

        // From now on only: what was imported earlier stays.
        server.deliver("new", "fresh@contoso.example", 1);
        desk.imported(view.id, 3).await;
        wait("the new mail is deleted", async || {
            (server.ids_in("") == ["old-0", "old-1", "old-2"]).then_some(())
        })
        .await;
        let kept: Vec<String> = match server.maildir().join(".Trash").is_dir() {
            true => server.ids_in("Trash"),
            false => Vec::new(),
        };
        let expected: &[&str] = match trash {
            Some(_) => &["fresh"],
            None => &[],
        };
        assert_eq!(kept, expected, "{config}");

        // Leaving needs neither; new mail stays where it is.
        api::set_after_import(&desk.app, view.id, AfterImport::Leave, None, false)
            .await
            .unwrap();
        server.deliver("new", "later@contoso.example", 2);
        desk.imported(view.id, 4).await;
        no_marks_wait(&desk, view.id).await;
        assert!(server.ids_in("").contains(&"later".to_owned()));
        desk.app.close().await;
    }
}

/// Where a rehearsal says that deleted mail would go.
async fn rehearsed(desk: &Desk, id: i64) -> Option<String> {
    let rehearsal = api::rehearse_after_import(&desk.app, id, AfterImport::Delete, 10).await;
    rehearsal.unwrap().goes_to
}

async fn confirm(desk: &Desk, id: i64) -> Result<(), ErrorCode> {
    let set = api::set_after_import(&desk.app, id, AfterImport::Delete, Some(SUPPORT), false);
    set.await.map_err(|error| error.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_mail_goes_where_the_rehearsal_said_or_waits_whatever_the_server_names_later() {
    let mut server = Dovecot::start().await;
    server.write("more", UNNAMED);
    server.restart().await;
    let desk = Desk::new(Some(&server.papers.ca)).await;
    let connected = desk.connect(server.port, dovecot::PASSWORD, None, None);
    let id = Box::pin(connected).await.unwrap().id;
    desk.verified(id).await;
    assert_eq!(rehearsed(&desk, id).await, None);

    // It is named between rehearsal and confirmation.
    server.write("more", "");
    server.restart().await;
    assert_eq!(confirm(&desk, id).await, Err(ErrorCode::RehearsalNeeded));
    assert_eq!(rehearsed(&desk, id).await.as_deref(), Some("Trash"));
    confirm(&desk, id).await.unwrap();

    // It is there, and named no more. Dovecot makes it no sooner than somebody opens it.
    server.folder("Trash");
    server.write("more", UNNAMED);
    server.restart().await;
    server.deliver("new", "m1@contoso.example", 1);
    desk.imported(id, 1).await;
    wait("the mail is moved", async || {
        (server.ids_in("Trash") == ["m1"]).then_some(())
    })
    .await;

    // It is gone: the mail waits for it.
    server.remove_folder("Trash");
    server.deliver("new", "m2@contoso.example", 2);
    desk.imported(id, 2).await;
    wait("the missing folder shows", async || {
        let map = api::check_address(&desk.app, id, None).await.unwrap();
        let found = map.station(Station::Mark).unwrap().finding.clone();
        found.filter(|found| found.code == "IMAP move target gone")
    })
    .await;
    assert_eq!(server.ids_in(""), ["m2"]);
    server.folder("Trash");
    api::sync_now(&desk.app, Some(id)).await.unwrap();
    wait("the mail goes once the folder is back", async || {
        (server.ids_in("Trash") == ["m2"]).then_some(())
    })
    .await;
    assert!(server.ids_in("").is_empty());
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_in_the_folder_for_deleted_mail_is_for_good_and_ends_with_another_folder() {
    let server = Dovecot::start().await;
    server.deliver("new", "earlier@contoso.example", -3_600);
    let desk = Desk::new(Some(&server.papers.ca)).await;
    let connected = desk.connect(server.port, dovecot::PASSWORD, Some("Trash"), None);
    let id = Box::pin(connected).await.unwrap().id;
    desk.verified(id).await;
    assert_eq!(rehearsed(&desk, id).await, None);
    confirm(&desk, id).await.unwrap();
    server.deliver(".Trash/new", "m1@contoso.example", 1);
    desk.imported(id, 1).await;
    wait("the mail is removed", async || {
        server.ids_in("Trash").is_empty().then_some(())
    })
    .await;

    api::set_folder(&desk.app, id, None).await.unwrap();
    let details = api::address_details(&desk.app, id).await.unwrap();
    assert_eq!(details.after_import, AfterImport::Read);
    wait("the inbox is read", async || {
        api::sync_now(&desk.app, Some(id)).await.unwrap();
        let details = api::address_details(&desk.app, id).await.unwrap();
        (details.folder_path.is_none() && details.next_folder.is_none()).then_some(())
    })
    .await;
    server.deliver("new", "m2@contoso.example", 2);
    desk.imported(id, 2).await;
    no_marks_wait(&desk, id).await;
    assert_eq!(server.ids_in(""), ["earlier", "m2"]);
    assert_eq!(rehearsed(&desk, id).await.as_deref(), Some("Trash"));
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_picked_from_the_tree_while_connecting_and_typed_afterwards() {
    let server = Dovecot::start().await;
    // "Anfragen/Büro" in modified UTF-7.
    for name in ["Anfragen", "Anfragen.B&APw-ro", "Done"] {
        server.folder(name);
    }
    let desk = Desk::new(Some(&server.papers.ca)).await;
    let request = ConnectRequest {
        address: SUPPORT.to_owned(),
        opens: Opens::Own,
        registration: None,
        private_window: false,
        language: "en".to_owned(),
    };
    let input = ImapInput {
        server: format!("127.0.0.1:{}", server.port),
        login: "support".to_owned(),
        ..ImapInput::default()
    };
    let password = dovecot::PASSWORD.into();
    let attempt = api::begin_connect_password(&desk.app, request, input, password)
        .await
        .unwrap();
    wait("the sign-in is ready", async || {
        let stage = api::connect_attempt(&desk.app, &attempt.id).unwrap().stage;
        matches!(stage, ConnectStage::Ready { .. }).then_some(())
    })
    .await;
    let tree = api::folders_of_attempt(&desk.app, &attempt.id)
        .await
        .unwrap();
    let inbox = tree
        .iter()
        .find(|one| one.special == Some(SpecialUse::Inbox));
    assert!(inbox.unwrap().is_read);
    let office = tree.iter().find(|one| one.path == "Anfragen/Büro").unwrap();
    assert_eq!((office.name.as_str(), office.depth), ("Büro", 1));
    let finish = async |folder: &str| {
        let choices = ConnectChoices {
            brand: "Contoso".to_owned(),
            import_newest: None,
            folder: Some(folder.to_owned()),
        };
        api::finish_connect(&desk.app, &attempt.id, choices).await
    };
    let wrong = finish("Anfragen/Buro").await.unwrap_err();
    assert_eq!(wrong.code, ErrorCode::FolderNotFound);
    assert_eq!(wrong.args["nearest"], "Anfragen/Büro");
    let view = finish(&office.path).await.unwrap();
    desk.verified(view.id).await;
    let reads = async || {
        let details = api::address_details(&desk.app, view.id).await.unwrap();
        (details.folder_path, details.next_folder.is_none())
    };
    assert_eq!(reads().await, (Some("Anfragen/Büro".to_owned()), true));

    // Typed; the empty path is the inbox.
    let set = |path| api::set_folder(&desk.app, view.id, path);
    let wrong = set(Some("Donee")).await.unwrap_err();
    assert_eq!(wrong.args["nearest"], "Done");
    for (typed, path) in [(Some("Done"), Some("Done".to_owned())), (None, None)] {
        set(typed).await.unwrap();
        wait("the other folder is read", async || {
            api::sync_now(&desk.app, Some(view.id)).await.unwrap();
            (reads().await == (path.clone(), true)).then_some(())
        })
        .await;
    }
    server.deliver("new", "inbox@contoso.example", 1);
    desk.imported(view.id, 1).await;
    let rows = desk.ledger(view.id, Outcome::Imported).await;
    assert_eq!(rows[0].message_id.as_deref(), Some("inbox@contoso.example"));
    desk.app.close().await;
}
