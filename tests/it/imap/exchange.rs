//! Exchange Online's way of speaking IMAP, without tricks of our own invention: its capabilities, its flags, its words
//! for throttling, expired tokens and mailboxes that are not to be had.

use super::scripted::{Script, Trick, serve};
use super::scripts::mailbox;
use super::{Desk, Papers};
use crate::world::wait;
use mailroom_core::account::Tls;
use mailroom_core::api;
use mailroom_core::api::view::{Station, StationState};
use mailroom_core::provider::{Provider, ProviderError};
use mailroom_core::store::ledger::Outcome;
use mailroom_core::sync::Clock;
use mailroom_sandbox::Sandbox;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use Trick::{Reply, Say};

const THROTTLED: Trick =
    Reply("TAG BAD Request is throttled. Suggested Backoff Time: 299956 milliseconds\r\n");

/// A mailbox with the mails 1 to `last`, as Exchange Online shows it.
fn exchange(line: &str, last: u32) -> String {
    if line == "GREETING" {
        return "* OK The Microsoft Exchange IMAP4 service is ready. [TABPADIAAUAyADYANQA=]\r\n"
            .into();
    }
    let (tag, command) = line.split_once(' ').unwrap_or((line, ""));
    let done = |name: &str| format!("{tag} OK {name} completed.\r\n");
    let number = |text: &str| {
        if text == "*" {
            last
        } else {
            text.parse().unwrap_or(last)
        }
    };
    let named = |set: &str| -> Vec<u32> {
        let within = |uid: &u32| {
            set.split(',').any(|range| {
                let (first, end) = range.split_once(':').unwrap_or((range, range));
                let (first, end) = (number(first), number(end));
                (first.min(end)..=first.max(end)).contains(uid)
            })
        };
        (1..=last).filter(within).collect()
    };
    let set = command.split(' ').nth(2).unwrap_or_default();
    let mut out = String::new();
    let name = match command.split(' ').next().unwrap_or_default() {
        "CAPABILITY" => {
            out.push_str(
                "* CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT \
                 CHILDREN IDLE NAMESPACE LITERAL+\r\n",
            );
            "CAPABILITY"
        }
        "ID" => {
            out.push_str("* ID (\"name\" \"Microsoft.Exchange.Imap4.Imap4Server\" \"version\" \"15.20\")\r\n");
            "ID"
        }
        "SELECT" => {
            out.push_str(&format!(
                "* {last} EXISTS\r\n* 0 RECENT\r\n\
                 * FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent)\r\n\
                 * OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent)] Permanent flags\r\n\
                 * OK [UIDVALIDITY 14] UIDVALIDITY value\r\n* OK [UIDNEXT {}] The next unique identifier value\r\n\
                 {tag} OK [READ-WRITE] SELECT completed.\r\n",
                last + 1
            ));
            return out;
        }
        "LIST" => {
            out.push_str(
                "* LIST (\\Marked \\HasNoChildren) \"/\" INBOX\r\n* LIST (\\HasNoChildren) \"/\" \"Deleted Items\"\r\n",
            );
            "LIST"
        }
        "IDLE" => return "+ IDLE accepted, awaiting DONE command.\r\n".into(),
        "FETCH" => {
            for uid in 1..=last {
                let date = "01-Nov-2026 09:00:00 +0000";
                out.push_str(&format!(
                    "* {uid} FETCH (UID {uid} INTERNALDATE \"{date}\")\r\n"
                ));
            }
            "FETCH"
        }
        "UID" if command.starts_with("UID SEARCH") => {
            let set = command.strip_prefix("UID SEARCH UID ").unwrap_or("1:*");
            let found = named(set.split(' ').next().unwrap_or_default());
            let found: Vec<String> = found.iter().map(u32::to_string).collect();
            out.push_str(&format!("* SEARCH {}\r\n", found.join(" ")));
            "SEARCH"
        }
        "UID" if command.contains("HEADER.FIELDS") => {
            for uid in named(set) {
                let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(5);
                let soon = soon.strftime("%d-%b-%Y %H:%M:%S +0000");
                let header =
                    format!("Subject: m{uid}\r\nMessage-ID: <m{uid}@contoso.example>\r\n\r\n");
                out.push_str(&format!(
                    "* {uid} FETCH (UID {uid} FLAGS () INTERNALDATE \"{soon}\" \
                     BODY[HEADER.FIELDS (SUBJECT FROM MESSAGE-ID DATE)] {{{}}}\r\n{header})\r\n",
                    header.len()
                ));
            }
            "FETCH"
        }
        "UID" if command.contains("BODY.PEEK[])") => {
            for uid in named(set) {
                let id = format!("m{uid}@contoso.example");
                let mail = crate::world::mail(&id, &format!("m{uid}"), "").replace('\n', "\r\n");
                out.push_str(&format!(
                    "* {uid} FETCH (UID {uid} BODY[] {{{}}}\r\n{mail} FLAGS ())\r\n",
                    mail.len()
                ));
            }
            "FETCH"
        }
        "UID" => "STORE",
        "AUTHENTICATE" => "AUTHENTICATE",
        "NOOP" => "NOOP",
        _ => return format!("{tag} BAD Command Error. 12\r\n"),
    };
    out.push_str(&done(name));
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_mailbox_is_connected_imported_polled_marked_watched_and_checked() {
    let sandbox = Sandbox::start(mailroom_sandbox::Options::default())
        .await
        .unwrap();
    let papers = Papers::new(&["127.0.0.1"]);
    let last = Arc::new(AtomicU32::new(3));
    let count = last.clone();
    let throttled = Script::new("SELECT", THROTTLED, 0);
    let expired = Script::new(
        "SELECT",
        Say("* BYE Session invalidated - AccessTokenExpired\r\n"),
        0,
    );
    let refused = Script::new(
        "SELECT",
        Reply("TAG BAD User is authenticated but not connected.\r\n"),
        0,
    );
    let script = Script::by(move |line| exchange(line, count.load(Ordering::SeqCst)))
        .and(&throttled.clone().and(&expired.clone().and(&refused)));
    let port = serve(&papers, script.clone()).await;
    let ahead = Arc::new(AtomicI64::new(0));
    let moved = ahead.clone();
    let clock = Clock::from_fn(move || {
        jiff::Timestamp::now().as_millisecond() + moved.load(Ordering::SeqCst)
    });
    let desk = Desk::at(&sandbox, Some(&papers.ca), clock).await;
    let id = desk.connect_by_browser(&sandbox, port, Some(3)).await.id;
    desk.verified(id).await;
    assert_eq!(desk.ledger(id, Outcome::Imported).await.len(), 3);
    wait("all are marked as read, and nothing else is", async || {
        let stores = script.heard();
        let stores = stores.iter().filter(|line| line.contains("UID STORE"));
        let stores: Vec<&String> = stores.collect();
        assert!(
            stores
                .iter()
                .all(|line| line.ends_with("+FLAGS.SILENT (\\Seen)"))
        );
        (!stores.is_empty()).then_some(())
    })
    .await;

    // Told by IDLE, without being asked; `4:*` names mail 4 once more afterwards.
    wait("the mailbox is watched", async || {
        (script.count(" IDLE") > 0).then_some(())
    })
    .await;
    last.store(4, Ordering::SeqCst);
    wait("the new mail is a ticket", async || {
        script.tell("* 4 EXISTS\r\n");
        (desk.ledger(id, Outcome::Imported).await.len() == 4).then_some(())
    })
    .await;
    let map = api::check_address(&desk.app, id, None).await.unwrap();
    assert_eq!(
        map.station(Station::Fetch).unwrap().state,
        StationState::Ok,
        "{map:#?}"
    );

    // A token that expires in the middle is renewed, and nobody hears of it.
    expired.play(1);
    let before = script.count("AUTHENTICATE");
    wait("a poll is over", async || {
        api::sync_now(&desk.app, Some(id)).await.unwrap();
        expired.is_spent().then_some(())
    })
    .await;
    desk.verified(id).await;
    assert!(script.count("AUTHENTICATE") <= before + 3);

    // Mail that may not be had is said by its own name, also by the check.
    refused.play(u32::MAX);
    wait("the refusal is seen", async || {
        api::sync_now(&desk.app, Some(id)).await.unwrap();
        let cause = desk.view(id).await.cause?;
        (cause.code == "IMAP not connected").then_some(())
    })
    .await;
    let map = api::check_address(&desk.app, id, None).await.unwrap();
    let failed = map.first_failed().unwrap();
    assert_eq!(failed.finding.as_ref().unwrap().code, "IMAP not connected");
    refused.stop();
    wait("it is well again", async || {
        api::sync_now(&desk.app, Some(id)).await.unwrap();
        desk.view(id).await.cause.is_none().then_some(())
    })
    .await;

    // A throttled mailbox is left alone for as long as it asks.
    let before = script.count("AUTHENTICATE");
    throttled.play(u32::MAX);
    wait("the wait is seen", async || {
        api::sync_now(&desk.app, Some(id)).await.unwrap();
        let cause = desk.view(id).await.cause?;
        (cause.code == "IMAP throttled").then_some(())
    })
    .await;
    let asked = script.count("SELECT");
    for _ in 0..3 {
        api::sync_now(&desk.app, Some(id)).await.unwrap();
    }
    let sign_ins = script.count("AUTHENTICATE") - before;
    assert!(sign_ins <= 2, "{sign_ins}: a poll and perhaps the watch");
    assert!(script.count("SELECT") <= asked + 1);
    throttled.stop();
    ahead.fetch_add(400_000, Ordering::SeqCst);
    last.store(5, Ordering::SeqCst);
    desk.imported(id, 5).await;
    assert!(desk.ledger(id, Outcome::Failed).await.is_empty());
    let all = api::ledger(&desk.app, id, None, None, 0, 50).await.unwrap();
    assert_eq!(all.len(), 5);
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_server_is_not_answered_with_another_sign_in() {
    let papers = Papers::new(&["127.0.0.1"]);
    for at in ["NOOP", "SELECT", "IDLE"] {
        let script = Script::by(|line| exchange(line, 3));
        let throttled = Script::new(at, THROTTLED, 0);
        let script = script.and(&throttled);
        let port = serve(&papers, script.clone()).await;
        let provider = Provider::Imap(mailbox(&papers, port, Tls::Implicit));
        provider.folder(None).await.unwrap();
        let before = script.count("AUTHENTICATE");
        throttled.play(1);
        let (error, sign_ins) = match at {
            "IDLE" => {
                let watch = provider.watch("INBOX", None).await.unwrap();
                let mut watch = watch.unwrap();
                // Mail may have come before it began.
                watch.news(Duration::from_secs(60)).await.unwrap();
                (watch.news(Duration::from_secs(60)).await.unwrap_err(), 1)
            }
            "NOOP" => {
                // A session that rested for a second is asked for a sign of life.
                tokio::time::sleep(Duration::from_millis(1_200)).await;
                (provider.folder(None).await.unwrap_err(), 0)
            }
            _ => (provider.folder(None).await.unwrap_err(), 0),
        };
        let ProviderError::Throttled(wait, _) = error else {
            panic!("{at}: {error:?}");
        };
        assert_eq!(wait.as_secs(), 299, "{at}");
        assert_eq!(script.count("AUTHENTICATE"), before + sign_ins, "{at}");
        provider.folder(None).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_want_to_know_who_we_are_is_read_all_the_same() {
    let papers = Papers::new(&["127.0.0.1"]);
    for trick in [
        Reply("TAG NO not now\r\n"),
        Reply("TAG BAD Command Error. 12\r\n"),
    ] {
        let refused = Script::new(" ID (", trick, u32::MAX);
        let script = Script::by(|line| exchange(line, 3)).and(&refused);
        let port = serve(&papers, script.clone()).await;
        let provider = Provider::Imap(mailbox(&papers, port, Tls::Implicit));
        assert_eq!(provider.folder(None).await.unwrap().total, 3);
        assert_eq!(provider.folder(None).await.unwrap().total, 3);
        assert_eq!(
            script.count("AUTHENTICATE"),
            1,
            "{trick:?}: the session is of use"
        );
        assert_eq!(script.count(" ID ("), 1);
    }
}
