//! What is odd about one message, once or for ever, through the whole core: every other mail becomes a ticket once, the
//! odd one too if it can be had at all, and otherwise it stands in the ledger and is tried again.

use super::scripted::{Script, Trick, serve};
use super::{Desk, Papers};
use crate::world::{SUPPORT, wait};
use mailroom_core::api;
use mailroom_core::api::view::{AfterImport, Status};
use mailroom_core::store::ledger::{LedgerRow, Outcome};
use mailroom_core::store::tickets::TicketQuery;
use mailroom_core::sync::Clock;
use mailroom_sandbox::Sandbox;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use Trick::{Before, Flood, Reply, Say};

const LISTING: &str = "HEADER.FIELDS";
const BODY: &str = "BODY.PEEK[])";
const MINUTE: i64 = 60 * 1000;

async fn sandbox() -> Sandbox {
    Sandbox::start(mailroom_sandbox::Options::default())
        .await
        .unwrap()
}

async fn rows(desk: &Desk, id: i64) -> Vec<LedgerRow> {
    api::ledger(&desk.app, id, None, None, 0, 50).await.unwrap()
}

async fn tickets(desk: &Desk) -> usize {
    let query = TicketQuery {
        limit: 100,
        ..TicketQuery::default()
    };
    let page = api::list_tickets(&desk.app, query).await.unwrap();
    page.tickets.len()
}

/// Connects, polls until every mail has its row and the address is well, and once more. Gives how many failed.
async fn through_the_core(
    sandbox: &Sandbox,
    papers: &Papers,
    script: &Script,
    newest: Option<u32>,
    what: &str,
) -> usize {
    let port = serve(papers, script.clone()).await;
    let desk = Desk::beside(sandbox, Some(&papers.ca)).await;
    let connected = Box::pin(desk.connect(port, "secret", None, newest)).await;
    let id = connected
        .unwrap_or_else(|error| panic!("{what}: {error:?}"))
        .id;
    let settled = async || {
        api::sync_now(&desk.app, Some(id)).await.unwrap();
        let view = desk.view(id).await;
        let listed = rows(&desk, id).await;
        let is_well = view.status == Status::Verified && view.last_success_at.is_some();
        (listed.len() >= 3 && is_well && !view.polling).then_some(())
    };
    let waited = tokio::time::timeout(std::time::Duration::from_secs(60), wait(what, settled));
    waited.await.unwrap_or_else(|_| panic!("{what}"));
    let before = desk.view(id).await.last_success_at;
    api::sync_now(&desk.app, Some(id)).await.unwrap();
    wait("one more poll", async || {
        (desk.view(id).await.last_success_at > before).then_some(())
    })
    .await;
    let listed = rows(&desk, id).await;
    let mut ids: Vec<&str> = listed.iter().map(|row| row.server_id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["7.1.INBOX", "7.2.INBOX", "7.3.INBOX"], "{what}");
    let imported = desk.ledger(id, Outcome::Imported).await.len();
    let failed = desk.ledger(id, Outcome::Failed).await;
    assert_eq!(imported + failed.len(), 3, "{what}: {listed:?}");
    assert_eq!(tickets(&desk).await, imported, "{what}");
    for row in &failed {
        assert_eq!(row.server_id, "7.2.INBOX", "{what}");
        assert!(row.reason.is_some(), "{what}");
    }
    desk.app.close().await;
    failed.len()
}

/// What is answered when the second of three mails is asked for, and how many are never had if that stays so.
const TRICKS: [(&str, Trick, usize); 20] = [
    (
        LISTING,
        Say("* 2 FETCH (UID 2 FLAGS (\r\nTAG OK done\r\n"),
        0,
    ),
    (LISTING, Say("* 2 FETCH (UID 2 FLAGS half"), 0),
    (LISTING, Say("* BYE Connection is closed. 13\r\n"), 0),
    (LISTING, Reply("TAG NO Server Unavailable. 15\r\n"), 0),
    (LISTING, Reply("TAG OK nothing at all\r\n"), 0),
    (
        LISTING,
        Reply("* 2 FETCH (UID 2 INTERNALDATE NIL)\r\nTAG OK nil\r\n"),
        0,
    ),
    (
        LISTING,
        Reply("* 2 FETCH (UID 2 INTERNALDATE \"yesterday\")\r\nTAG OK no date\r\n"),
        0,
    ),
    (LISTING, Before("* 2 FETCH (UID 2 INTERNALDATE NIL)\r\n"), 0),
    (LISTING, Flood("* OK still at it\r\n"), 0),
    (BODY, Say("* 2 FETCH (UID 2 BODY[] {900}\r\nhalf"), 1),
    (BODY, Say("* BYE Connection is closed. 13\r\n"), 1),
    (BODY, Say("* 2 FETCH (UID 2 BODY[] {4000000000}\r\nx"), 1),
    (
        BODY,
        Say("* 2 FETCH (UID 2 BODY[ nonsense\r\nTAG OK done\r\n"),
        1,
    ),
    (BODY, Say("wrong OK done\r\n"), 1),
    (BODY, Reply("TAG NO Server Unavailable. 15\r\n"), 1),
    (BODY, Reply("TAG OK nothing at all\r\n"), 1),
    (
        BODY,
        Reply("* 2 FETCH (UID 2 BODY[ nonsense\r\nTAG OK done\r\n"),
        1,
    ),
    (
        BODY,
        Reply("* 2 FETCH (UID 2 BODY[] NIL)\r\nTAG OK nil\r\n"),
        1,
    ),
    (
        BODY,
        Reply("* 2 FETCH (UID 99 BODY[] {5}\r\nother)\r\nTAG OK another\r\n"),
        1,
    ),
    (BODY, Reply("* 2 EXPUNGE\r\nTAG OK gone\r\n"), 1),
];

async fn all(times: u32, newest: Option<u32>) {
    let (sandbox, papers) = (sandbox().await, Papers::new(&["127.0.0.1"]));
    let turns = tokio::sync::Semaphore::new(4);
    let trials = TRICKS.map(|(at, trick, lost)| {
        let (sandbox, papers, turns) = (&sandbox, &papers, &turns);
        async move {
            let _turn = turns.acquire().await.unwrap();
            let what = format!("{at} {trick:?} {times}");
            let script = Script::new(at, trick, times).about(2);
            let trial = through_the_core(sandbox, papers, &script, newest, &what);
            let failed = Box::pin(trial).await;
            let for_ever = times == u32::MAX;
            assert_eq!(failed, if for_ever { lost } else { 0 }, "{what}");
            assert!(for_ever || script.is_spent(), "{what}: was never tried");
            // Whatever is tried, it is no storm.
            let sign_ins = script.count("AUTHENTICATE");
            assert!(sign_ins < 60, "{what}: {sign_ins} sign-ins");
        }
    });
    futures_util::future::join_all(trials).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_odd_once_loses_and_doubles_nothing() {
    all(1, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_odd_for_ever_holds_up_nothing_else() {
    all(u32::MAX, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_odd_for_ever_holds_up_no_import() {
    all(u32::MAX, Some(3)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exchanges_placeholder_is_no_ticket_and_the_mail_it_stands_for_is_kept_until_it_comes() {
    let (sandbox, papers) = (sandbox().await, Papers::new(&["127.0.0.1"]));
    let note = "From: Microsoft Exchange Server\r\nTo: support@contoso.example\r\n\
        Subject: Retrieval using the IMAP4 protocol failed for the following message:\r\n 2\r\n\
        Content-Type: text/plain\r\n\r\n\
        The server couldn't retrieve the following message:\r\n";
    let answer = format!(
        "* 2 FETCH (UID 2 BODY[] {{{}}}\r\n{note})\r\nTAG OK done\r\n",
        note.len()
    );
    let script = Script::new(BODY, Reply(answer.leak()), u32::MAX).about(2);
    let port = serve(&papers, script.clone()).await;
    let ahead = Arc::new(AtomicI64::new(0));
    let moved = ahead.clone();
    let clock = Clock::from_fn(move || {
        jiff::Timestamp::now().as_millisecond() + moved.load(Ordering::SeqCst)
    });
    let desk = Desk::at(&sandbox, Some(&papers.ca), clock).await;
    let id = desk.connect(port, "secret", None, None).await.unwrap().id;
    let delete = AfterImport::Delete;
    api::pause_address(&desk.app, id).await.unwrap();
    api::rehearse_after_import(&desk.app, id, delete.clone(), 3)
        .await
        .unwrap();
    api::set_after_import(&desk.app, id, delete, Some(SUPPORT), false)
        .await
        .unwrap();
    api::resume_address(&desk.app, id).await.unwrap();
    desk.imported(id, 2).await;
    wait("the placeholder is noted", async || {
        api::sync_now(&desk.app, Some(id)).await.unwrap();
        let failed = desk.ledger(id, Outcome::Failed).await;
        let failed = failed.first()?;
        assert_eq!(failed.server_id, "7.2.INBOX");
        assert_eq!(failed.reason.as_deref(), Some("IMAP retrieval failed"));
        Some(())
    })
    .await;
    // A later try meets it again.
    ahead.fetch_add(11 * MINUTE, Ordering::SeqCst);
    let asked = script.count(BODY);
    wait("it is asked for again", async || {
        api::sync_now(&desk.app, Some(id)).await.unwrap();
        (script.count(BODY) > asked).then_some(())
    })
    .await;
    assert_eq!(desk.ledger(id, Outcome::Imported).await.len(), 2);
    let heard = script.heard();
    let touched = heard.iter().filter(|line| line.contains("UID STORE"));
    for line in touched {
        let set = line.split(' ').nth(3).unwrap_or_default();
        assert!(!super::scripted::named(set).contains(&2), "{line}");
    }
    script.stop();
    ahead.fetch_add(11 * MINUTE, Ordering::SeqCst);
    desk.imported(id, 3).await;
    assert!(desk.ledger(id, Outcome::Failed).await.is_empty());
    assert_eq!(tickets(&desk).await, 3);
    wait("it is deleted now", async || {
        let deletes = |line: &&String| line.contains("\\Deleted");
        let heard = script.heard();
        let about = |line: &String| line.split(' ').nth(3).unwrap_or_default().to_owned();
        let mut sets = heard.iter().filter(deletes).map(about);
        sets.any(|set| super::scripted::named(&set).contains(&2))
            .then_some(())
    })
    .await;
    desk.app.close().await;
}
