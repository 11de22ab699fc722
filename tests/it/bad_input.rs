//! Bad input: each kind ends in a clear state, and the next good mail comes through.

mod files;
mod room;

use crate::world::{MemoryKey, SUPPORT, World, mail, wait};
use mailroom_core::api;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{AddressView, MessageView, Outcome, Status, TicketQuery};
use mailroom_core::app::desktop::Desktop;
use mailroom_core::app::{App, Options};
use mailroom_core::diagnosis::Severity;
use mailroom_core::secrets::{Key, Secrets, SecretsError};
use mailroom_core::sync::Clock;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Delivers raw bytes as they are.
async fn deliver(world: &World, raw: Vec<u8>) -> String {
    let url = format!(
        "{}/_sandbox/deliver?mailbox={SUPPORT}",
        world.tenant.authority
    );
    let answer = world.http.post(url).body(raw).send().await.unwrap();
    let answer: serde_json::Value = answer.json().await.unwrap();
    answer["id"].as_str().unwrap().to_owned()
}

/// The one message of the newest ticket with this word in it.
async fn message(world: &World, search: &str) -> MessageView {
    let query = TicketQuery {
        search: Some(search.to_owned()),
        limit: 10,
        ..TicketQuery::default()
    };
    let page = api::list_tickets(&world.app, query).await.unwrap();
    assert_eq!(page.total, 1, "tickets with {search}");
    let view = api::ticket(&world.app, page.tickets[0].id).await.unwrap();
    view.messages.into_iter().next().unwrap()
}

async fn outcome(world: &World, id: i64, server_id: &str) -> Outcome {
    let rows = api::ledger(&world.app, id, None, None, 0, 500)
        .await
        .unwrap();
    let mut rows = rows.iter().filter(|row| row.server_id == server_id);
    let row = rows.next().expect("the mail is in the ledger");
    assert!(rows.next().is_none(), "once");
    row.outcome
}

/// A mail arrives, and becomes a ticket with the next poll.
async fn goes_on(world: &World, id: i64, word: &str) {
    let good = world
        .deliver(&mail(&format!("{word}@t.example"), word, ""))
        .await;
    let view = world.poll(id).await;
    assert_eq!(
        (view.status, view.cause),
        (Status::Verified, None),
        "{word}"
    );
    assert_eq!(outcome(world, id, &good).await, Outcome::Imported, "{word}");
    message(world, word).await;
}

async fn ill(world: &World, id: i64) -> AddressView {
    api::sync_now(&world.app, Some(id)).await.unwrap();
    wait("the trouble shows", async || {
        let view = world.view(id).await;
        view.cause.is_some().then_some(view)
    })
    .await
}

#[tokio::test]
async fn broken_json_is_a_warning_and_nothing_of_it_is_used() {
    let world = World::new().await;
    let id = world.connect(Some(20)).await.id;
    let before = api::address_details(&world.app, id).await.unwrap().totals;
    world.scenario("malformed-json", true).await;
    world
        .deliver(&mail("cut@t.example", "During broken answers", ""))
        .await;
    let view = ill(&world, id).await;
    let cause = view.cause.unwrap();
    assert_eq!(view.status, Status::Attention);
    assert_eq!(
        (cause.code.as_str(), cause.severity),
        ("protocol", Severity::Warning)
    );
    assert!(!cause.evidence.unwrap().raw.is_empty());
    let during = api::address_details(&world.app, id).await.unwrap().totals;
    assert_eq!(during, before);
    world.scenario("malformed-json", false).await;
    world.poll(id).await;
    message(&world, "During broken answers").await;
    goes_on(&world, id, "aftercut").await;
}

#[tokio::test]
async fn a_next_link_to_another_host_is_not_followed() {
    let world = World::new().await;
    let id = world.connect(Some(20)).await.id;
    world.scenario("foreign-next-link", true).await;
    // More than one page, so that there is a next link.
    for number in 0..60 {
        world
            .deliver(&mail(
                &format!("many-{number}@t.example"),
                &format!("Many {number}"),
                "",
            ))
            .await;
    }
    let view = ill(&world, id).await;
    let cause = view.cause.unwrap();
    assert_eq!(view.status, Status::Attention);
    assert_eq!(cause.code, "protocol");
    assert_eq!(cause.args["what"], "foreign_link");
    world.scenario("foreign-next-link", false).await;
    world.poll(id).await;
    let totals = api::address_details(&world.app, id).await.unwrap().totals;
    assert_eq!(totals.imported, 20 + 60);
    goes_on(&world, id, "afterlink").await;
}

#[tokio::test]
async fn hostile_mail_becomes_a_ticket_that_says_what_is_wrong_with_it() {
    let world = World::new().await;
    let id = world.connect(None).await.id;
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("truncatedword", files::truncated(), &[]),
        ("nestedword", files::nested(40_000), &["too_deep"]),
        ("divword", files::nested_div(300_000), &[]),
        ("partsword", files::many_parts(20_000), &["too_many_parts"]),
        ("headerword", files::endless_header(2_000_000), &[]),
    ];
    let mut seen = Vec::new();
    for (word, raw, damage) in cases {
        seen.push((word, deliver(&world, raw).await, damage));
    }
    let began = Instant::now();
    let view = world.poll(id).await;
    assert_eq!((view.status, view.cause), (Status::Verified, None));
    assert!(
        began.elapsed() < Duration::from_secs(25),
        "{:?}",
        began.elapsed()
    );
    for (word, server_id, damage) in seen {
        assert_eq!(
            outcome(&world, id, &server_id).await,
            Outcome::Imported,
            "{word}"
        );
        let message = message(&world, word).await;
        for kind in damage {
            assert!(
                message.damage.iter().any(|have| have == kind),
                "{word}: {:?}",
                message.damage
            );
        }
        let began = Instant::now();
        let html = api::message_html(&world.app, message.id).await.unwrap();
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{word}: {:?}",
            began.elapsed()
        );
        assert_eq!(html.is_some(), message.has_html, "{word}");
    }
    goes_on(&world, id, "afterhostile").await;
}

#[tokio::test]
async fn a_folder_of_hostile_files_is_loaded_and_every_mail_of_it_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    files::fill(folder.path());
    let world = World::with_options(mailroom_sandbox::Options {
        mail: vec![folder.path().to_owned()],
        ..mailroom_sandbox::Options::default()
    })
    .await;
    let found = world.server_mail().await;
    let inbox = found
        .iter()
        .filter(|mail| mail["folder"] == "Inbox")
        .count();
    let view = world.connect(Some(2_000)).await;
    let import = view.import.unwrap();
    assert_eq!(import.totals.found as usize, inbox);
    assert_eq!((import.totals.failed, import.pending), (0, 0));
    for word in ["mboxword", "maildirword", "latinword"] {
        message(&world, word).await;
    }
    goes_on(&world, view.id, "afterfiles").await;
}

/// A system without a keychain service.
struct NoKeychain;

impl Secrets for NoKeychain {
    fn load(&self) -> Result<Option<Key>, SecretsError> {
        Err(SecretsError::NoKeychain("no service".to_owned()))
    }

    fn save(&self, _key: &Key) -> Result<(), SecretsError> {
        Err(SecretsError::NoKeychain("no service".to_owned()))
    }

    fn remove(&self) -> Result<(), SecretsError> {
        Ok(())
    }
}

/// Notices whether a browser was asked for.
#[derive(Default)]
struct Watched(AtomicBool);

impl Desktop for Watched {
    fn open_url<'a>(
        &'a self,
        _url: &'a str,
        _private_window: bool,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        self.0.store(true, Ordering::SeqCst);
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn without_a_keychain_it_says_so_before_the_browser_opens() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let desktop = Arc::new(Watched::default());
    let app = App::open(Options {
        data_dir: folder.path().to_owned(),
        secrets: Arc::new(NoKeychain),
        extra_roots: Vec::new(),
        desktop: desktop.clone(),
        clock: Clock::system(),
        may_poll: true,
        own_registration: None,
        any_endpoint: false,
    })
    .await
    .unwrap();
    let refused = api::begin_connect(&app, world.request(SUPPORT))
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::NoKeychain);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!desktop.0.load(Ordering::SeqCst));
    assert!(api::list_addresses(&app).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_lost_key_asks_for_a_new_sign_in_and_loses_nothing() {
    let mut world = World::new().await;
    let id = world.connect(Some(10)).await.id;
    world.app.close().await;
    world.key = Arc::new(MemoryKey::default());
    world.restart().await;
    let view = ill(&world, id).await;
    assert_eq!(view.status, Status::Failed);
    assert_eq!(view.cause.unwrap().code, "key_missing");
    world
        .deliver(&mail("keyless@t.example", "While the key was lost", ""))
        .await;
    assert_eq!(
        api::address_details(&world.app, id)
            .await
            .unwrap()
            .totals
            .imported,
        10
    );
}
