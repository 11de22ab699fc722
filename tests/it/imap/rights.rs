//! Rights and folders that go missing while mail is to be marked, moved or deleted: each is told by its own name,
//! nothing is lost or doubled, and what waits is done once the right or the folder is back.

use super::Desk;
use super::dovecot::{Dovecot, PASSWORD};
use crate::world::{SUPPORT, wait};
use mailroom_core::api;
use mailroom_core::api::view::{AfterImport, Station, StationState};
use mailroom_core::diagnosis::catalogue::{self, Fixer, Language};
use mailroom_core::store::ledger::Outcome;

const WITHOUT_MOVE: &str =
    "imap_capability = IMAP4rev1 SASL-IR LITERAL+ ID IDLE UIDPLUS SPECIAL-USE LIST-EXTENDED\n";
const ALL_RIGHTS: &str = "lrwstiekxa";

struct Scene {
    server: Dovecot,
    desk: Desk,
    id: i64,
}

impl Scene {
    /// A connected address with rights by a list.
    async fn begin(config: &str, choice: AfterImport) -> Self {
        let server = Dovecot::start().await;
        server.folder("Done");
        let place = server.place().display().to_string();
        server.write(
            "more",
            &format!(
                "mail_plugins = acl\nplugin {{\n acl = vfile:{place}/rights\n}}\n\
                 protocol imap {{\n mail_plugins = acl\n}}\n{config}"
            ),
        );
        let mut scene = Self {
            desk: Desk::new(Some(&server.papers.ca)).await,
            server,
            id: 0,
        };
        scene.rights(ALL_RIGHTS, ALL_RIGHTS).await;
        let view = scene.desk.connect(scene.server.port, PASSWORD, None, None);
        scene.id = Box::pin(view).await.unwrap().id;
        scene.desk.verified(scene.id).await;
        scene.choose(choice).await;
        scene
    }

    /// What may be done in the inbox, and in the folder for finished mail.
    async fn rights(&mut self, inbox: &str, done: &str) {
        let all = format!("INBOX owner {inbox}\nDone owner {done}\nTrash owner {ALL_RIGHTS}\n");
        self.server.write("rights", &all);
        self.server.restart().await;
    }

    async fn choose(&self, choice: AfterImport) {
        let app = &self.desk.app;
        api::rehearse_after_import(app, self.id, choice.clone(), 20)
            .await
            .unwrap();
        api::set_after_import(app, self.id, choice, Some(SUPPORT), false)
            .await
            .unwrap();
    }

    /// The doctor says so at the station of marks, and fetching goes on.
    async fn is_told(&self, code: &str) {
        let finding = wait(&format!("{code} shows"), async || {
            let map = api::check_address(&self.desk.app, self.id, None)
                .await
                .unwrap();
            assert!(map.first_failed().is_none(), "{code}: {map:#?}");
            let found = map.station(Station::Mark).unwrap().finding.clone();
            found.filter(|found| found.code == code)
        })
        .await;
        for language in Language::ALL {
            let card = catalogue::card(code, &finding.args, language);
            assert!(card.known, "{code}");
            assert_eq!(card.fixers, [Fixer::MailboxAdmin, Fixer::You], "{code}");
        }
    }

    /// Somebody has mended it, and asks again.
    async fn heals(&self) {
        api::sync_now(&self.desk.app, Some(self.id)).await.unwrap();
        wait("the marks are taken", async || {
            let map = api::check_address(&self.desk.app, self.id, None)
                .await
                .unwrap();
            let mark = map.station(Station::Mark).unwrap();
            (mark.state == StationState::Ok && mark.facts["pending"] == "0").then_some(())
        })
        .await;
    }
}

fn to_done() -> AfterImport {
    AfterImport::Move {
        folder: "Done".to_owned(),
    }
}

fn seen(id: &str) -> (String, String) {
    (id.to_owned(), "S".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_may_only_be_read_is_told_by_what_cannot_be_done() {
    let mut scene = Scene::begin("", AfterImport::Read).await;
    let mut count = 0;
    // A server without the right answers OK to all of these, and does nothing.
    for rights in ["lr", "lrte"] {
        scene.rights(rights, ALL_RIGHTS).await;
        scene
            .server
            .deliver("new", &format!("m{count}@contoso.example"), 1);
        count += 1;
        scene.desk.imported(scene.id, count).await;
        scene.is_told("IMAP mark not permitted").await;
        scene.rights(ALL_RIGHTS, ALL_RIGHTS).await;
        scene.heals().await;
        assert_eq!(scene.server.seen(), count);
    }
    // Whoever leaves mail untouched needs no such right.
    scene.rights("lr", ALL_RIGHTS).await;
    scene.server.deliver("new", "last@contoso.example", 1);
    scene.desk.imported(scene.id, count + 1).await;
    scene.is_told("IMAP mark not permitted").await;
    api::set_after_import(&scene.desk.app, scene.id, AfterImport::Leave, None, false)
        .await
        .unwrap();
    scene.heals().await;
    assert_eq!(scene.server.seen(), count);
    scene.desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_may_not_be_taken_out_of_its_folder_stays_whole_and_goes_later() {
    for config in ["", WITHOUT_MOVE] {
        let mut scene = Scene::begin(config, to_done()).await;
        let mut done = Vec::new();
        // Without the right to mark as deleted, without the one to remove what is marked, and to add to the other one.
        for (number, (inbox, target)) in [
            ("lrws", ALL_RIGHTS),
            ("lrwst", ALL_RIGHTS),
            (ALL_RIGHTS, "lr"),
            // Nobody may look into it, but add to it.
            (ALL_RIGHTS, "l"),
        ]
        .into_iter()
        .enumerate()
        {
            scene.rights(inbox, target).await;
            let name = format!("m{number}");
            scene
                .server
                .deliver("new", &format!("{name}@contoso.example"), 1);
            scene.desk.imported(scene.id, number + 1).await;
            scene.is_told("IMAP move not permitted").await;
            scene.rights(ALL_RIGHTS, ALL_RIGHTS).await;
            scene.heals().await;
            done.push(seen(&name));
            assert_eq!(scene.server.flags_in("Done"), done, "{config} {inbox}");
            assert_eq!(scene.server.flags_in(""), [], "{config} {inbox}");
        }
        scene.desk.app.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_may_not_be_removed_for_good_is_told_although_the_server_says_ok() {
    let no_bin = "namespace inbox {\n mailbox Trash {\n special_use =\n }\n}\n";
    let mut scene = Scene::begin(no_bin, AfterImport::Delete).await;
    for (number, rights) in ["lrws", "lrwst"].into_iter().enumerate() {
        scene.rights(rights, ALL_RIGHTS).await;
        scene
            .server
            .deliver("new", &format!("m{number}@contoso.example"), 1);
        scene.desk.imported(scene.id, number + 1).await;
        scene.is_told("IMAP delete not permitted").await;
        assert_eq!(scene.server.flags_in("").len(), 1, "{rights}");
        scene.rights(ALL_RIGHTS, ALL_RIGHTS).await;
        scene.heals().await;
        assert_eq!(scene.server.flags_in(""), [], "{rights}");
    }
    scene.desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_of_a_folder_that_is_gone_wait_for_it_and_are_not_made_elsewhere() {
    let mut scene = Scene::begin("", AfterImport::Read).await;
    for name in ["Sales", "Entw&APw-rfe & mehr", "Other"] {
        scene.server.folder(name.replace("& ", "&- ").as_str());
    }
    let app = scene.desk.app.clone();
    api::set_folder(&app, scene.id, Some("Entwürfe & mehr"))
        .await
        .unwrap();
    let reads = async |folder: &str| {
        let path = Some(folder.to_owned());
        wait("the folder is read", async || {
            api::sync_now(&app, Some(scene.id)).await.unwrap();
            let details = api::address_details(&app, scene.id).await.unwrap();
            (details.folder_path == path).then_some(())
        })
        .await;
    };
    reads("Entwürfe & mehr").await;
    // The mark cannot be made, and the folder is renamed while it waits.
    let all =
        format!("INBOX owner {ALL_RIGHTS}\nSales owner {ALL_RIGHTS}\nOther owner {ALL_RIGHTS}\n");
    let wire = "Entw&APw-rfe &- mehr";
    let waits = format!("{all}\"Entwürfe & mehr\" owner lr\n");
    scene.server.write("rights", &waits);
    scene.server.restart().await;
    let place = format!(".{wire}/new");
    scene.server.deliver(&place, "m0@contoso.example", 1);
    scene.desk.imported(scene.id, 1).await;
    scene.is_told("IMAP mark not permitted").await;
    let path = |name: &str| scene.server.mail_folder().join("support").join(name);
    let (here, away) = (path(&format!(".{wire}")), path(".Away"));
    scene.server.stop().await;
    std::fs::rename(&here, &away).unwrap();
    let rights = format!("{all}\"Entwürfe & mehr\" owner {ALL_RIGHTS}\nAway owner {ALL_RIGHTS}\n");
    scene.server.write("rights", &rights);
    scene.server.run().await;
    // Nothing is left to read there; another folder is read from now on.
    api::set_folder(&app, scene.id, Some("Sales"))
        .await
        .unwrap();
    reads("Sales").await;
    scene.server.deliver(".Sales/new", "m1@contoso.example", 1);
    scene.desk.imported(scene.id, 2).await;
    wait("the mark of the present folder is made", async || {
        (scene.server.flags_in("Sales") == [seen("m1")]).then_some(())
    })
    .await;
    wait("the other one alone waits for its folder", async || {
        let details = api::address_details(&app, scene.id).await.unwrap();
        (details.pending_marks == 1).then_some(())
    })
    .await;
    let unread = [("m0".to_owned(), String::new())];
    assert_eq!(scene.server.flags_in("Away"), unread);
    // It has its name again.
    scene.server.stop().await;
    std::fs::rename(&away, &here).unwrap();
    scene.server.run().await;
    scene.heals().await;
    assert_eq!(scene.server.flags_in(wire), [seen("m0")]);
    assert_eq!(
        scene.desk.ledger(scene.id, Outcome::Imported).await.len(),
        2
    );
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_was_moved_is_not_imported_again_by_an_address_that_reads_the_other_folder() {
    let scene = Scene::begin("", to_done()).await;
    let input = api::ImapInput {
        server: format!("127.0.0.1:{}", scene.server.port),
        login: "support".to_owned(),
        folder: Some("Done".to_owned()),
        ..api::ImapInput::default()
    };
    let choices = api::view::ConnectChoices {
        brand: "Contoso".to_owned(),
        import_newest: None,
        folder: None,
    };
    let app = &scene.desk.app;
    let other = api::connect_imap(app, "done@contoso.example", input, PASSWORD.into(), choices)
        .await
        .unwrap();
    scene.desk.verified(other.id).await;
    scene.server.deliver("new", "m0@contoso.example", 1);
    scene.desk.imported(scene.id, 1).await;
    // Somebody puts a mail there by hand: it is the other address's own.
    scene.server.deliver(".Done/new", "m1@contoso.example", 1);
    scene.desk.imported(other.id, 1).await;
    let twice = wait("the moved mail is seen there", async || {
        api::sync_now(app, Some(other.id)).await.unwrap();
        scene.desk.ledger(other.id, Outcome::Duplicate).await.pop()
    })
    .await;
    assert_eq!(twice.message_id.as_deref(), Some("m0@contoso.example"));
    let own = scene.desk.ledger(other.id, Outcome::Imported).await;
    assert_eq!(own[0].message_id.as_deref(), Some("m1@contoso.example"));
    scene.desk.app.close().await;
}
