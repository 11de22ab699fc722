//! A mailbox on a real Dovecot, without the core around it: folders, what becomes of mail, waiting for mail.

use super::Desk;
use super::dovecot::{self, Dovecot};
use super::gate::Gate;
use crate::world::wait;
use mailroom_core::account::{ImapAuth, ImapServer, Tls};
use mailroom_core::api;
use mailroom_core::api::view::AddressSettings;
use mailroom_core::provider::imap::{Credentials, ImapMailbox, Patience, Trust};
use mailroom_core::provider::{Mark, Provider, ProviderError, RemoteMessage, SpecialUse, Then};
use mailroom_core::store::ledger::Outcome;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub fn mailbox(server: &Dovecot, tls: Tls) -> Provider {
    let port = match tls {
        Tls::Implicit => server.port,
        Tls::StartTls => server.plain_port,
    };
    mailbox_at(server, tls, port)
}

fn mailbox_at(server: &Dovecot, tls: Tls, port: u16) -> Provider {
    let input = ImapServer {
        host: "127.0.0.1".to_owned(),
        port,
        tls,
        login: "support".to_owned(),
        auth: ImapAuth::Password,
    };
    let trust = Trust::new(vec![server.papers.ca.as_bytes().to_vec()]);
    Provider::Imap(ImapMailbox::new(
        input,
        None,
        Credentials::Password(dovecot::PASSWORD.into()),
        Arc::new(trust),
        Patience::default(),
    ))
}

async fn all(provider: &Provider) -> Vec<RemoteMessage> {
    let cursor = provider.cursor_since("INBOX", 0).unwrap();
    provider.changes(&cursor).await.unwrap().changed
}

fn mark(message: &RemoteMessage, then: Then) -> Mark {
    Mark {
        server_id: message.server_id.clone(),
        folder_id: "INBOX".to_owned(),
        read: true,
        category: None,
        then,
    }
}

fn to(folder: &str) -> Then {
    Then::Move {
        folder_id: folder.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_folders_as_people_see_them_over_starttls() {
    let server = Dovecot::start().await;
    for name in [
        "Requests",
        "Requests.Tech support",
        "Entw&APw-rfe",
        "Lost.Found",
    ] {
        server.folder(name);
    }
    server.deliver(".Requests.Tech support/new", "a@contoso.example", -5);
    let provider = mailbox(&server, Tls::StartTls);
    let folders = provider.folders().await.unwrap();
    let paths: Vec<&str> = folders.iter().map(|folder| folder.path.as_str()).collect();
    let expected = [
        "INBOX",
        "Entwürfe",
        "Lost",
        "Lost/Found",
        "Requests",
        "Requests/Tech support",
        "Trash",
    ];
    assert_eq!(paths, expected);
    let find = |path: &str| folders.iter().find(|folder| folder.path == path).unwrap();
    let support = find("Requests/Tech support");
    assert_eq!(support.name, "Tech support");
    assert_eq!(support.parent.as_deref(), Some("Requests"));
    assert_eq!(support.total, Some(1));
    assert_eq!(find("Entwürfe").id, "Entw&APw-rfe");
    assert_eq!(find("INBOX").special, Some(SpecialUse::Inbox));
    assert_eq!(find("Trash").special, Some(SpecialUse::Trash));
    assert!(!find("Lost").selectable);
    let opened = provider.folder(Some("Entwürfe")).await.unwrap();
    assert_eq!((opened.id.as_str(), opened.total), ("Entw&APw-rfe", 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn moves_and_deletes_what_was_asked_for_and_nothing_else() {
    // With MOVE, and as a server without it is treated.
    for config in [
        "",
        "imap_capability = IMAP4rev1 SASL-IR UIDPLUS IDLE LIST-EXTENDED SPECIAL-USE",
        "imap_capability = IMAP4rev1 SASL-IR IDLE LIST-EXTENDED SPECIAL-USE",
    ] {
        let server = Dovecot::with(config).await;
        server.folder("Done");
        server.folder("Away");
        for name in ["m1", "m2", "m3", "m4"] {
            server.deliver("new", &format!("{name}@contoso.example"), -5);
        }
        // Somebody else is about to delete this one.
        server.deliver("cur", "theirs@contoso.example", -5);
        let provider = mailbox(&server, Tls::Implicit);
        let mails = all(&provider).await;
        let find = |name: &str| {
            mails
                .iter()
                .find(|mail| mail.subject.contains(name))
                .unwrap()
        };
        server.remove("m4@contoso.example");
        let marks = [
            mark(find("m1"), to("Done")),
            mark(find("m2"), Then::Delete { folder_id: None }),
            mark(find("m4"), to("Done")),
        ];
        for _ in 0..2 {
            for result in provider.mark(&marks).await {
                result.unwrap();
            }
        }
        let no_expunge = !config.is_empty() && !config.contains("UIDPLUS");
        let left: &[&str] = match no_expunge {
            true => &["m1!", "m2!", "m3", "theirs!"],
            false => &["m3", "theirs!"],
        };
        assert_eq!(server.ids_in(""), left, "{config}");
        assert_eq!(server.ids_in("Done"), ["m1"], "{config}");
        assert_eq!(server.ids_in("Trash"), ["m2"], "{config}");

        // The target is gone: said by its name, the mail stays, and it goes once the folder is back.
        server.remove_folder("Away");
        let marks = [mark(find("m3"), to("Away"))];
        let error = provider.mark(&marks).await.remove(0).unwrap_err();
        let code = error.evidence().unwrap().code.as_deref();
        assert_eq!(code, Some("IMAP move target gone"), "{config}");
        assert!(server.ids_in("").contains(&"m3".to_owned()));
        server.folder("Away");
        provider.mark(&marks).await.remove(0).unwrap();
        assert_eq!(server.ids_in("Away"), ["m3"], "{config}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_mark_removes_nothing_for_good_where_there_is_a_folder_for_deleted_mail() {
    let mut server = Dovecot::start().await;
    server.write("more", super::after::UNNAMED);
    server.restart().await;
    for name in ["m1", "m2", "m3"] {
        server.deliver("new", &format!("{name}@contoso.example"), -5);
    }
    let provider = mailbox(&server, Tls::Implicit);
    let mails = all(&provider).await;
    let find = |name: &str| mails.iter().find(|mail| mail.subject.contains(name));
    let old: Then = serde_json::from_str(r#"{"kind":"delete"}"#).unwrap();
    let done = async |mark: Mark| provider.mark(&[mark]).await.remove(0).unwrap();
    done(mark(find("m1").unwrap(), old.clone())).await;
    assert_eq!(server.ids_in(""), ["m2", "m3"]);

    // A folder is named meanwhile, and found although none was there before.
    server.write("more", "");
    server.restart().await;
    done(mark(find("m2").unwrap(), old.clone())).await;
    assert_eq!(server.ids_in("Trash"), ["m2"]);
    // What was rehearsed for another folder than the mail's own is not done to it.
    let elsewhere = Mark {
        folder_id: "Trash".to_owned(),
        ..mark(find("m3").unwrap(), Then::Remove)
    };
    done(elsewhere).await;
    assert_eq!(server.ids_in(""), ["m3"]);

    let cursor = provider.cursor_since("Trash", 0).unwrap();
    let deleted = provider.changes(&cursor).await.unwrap().changed;
    let mut here = Mark {
        folder_id: "Trash".to_owned(),
        ..mark(&deleted[0], old)
    };
    done(here.clone()).await;
    assert_eq!(server.ids_in("Trash"), ["m2"]);
    here.then = Then::Remove;
    done(here).await;
    assert!(server.ids_in("Trash").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_removed_or_renumbered_is_told_apart() {
    let mut server = Dovecot::start().await;
    for name in ["m1", "m2"] {
        server.deliver("new", &format!("{name}@contoso.example"), -5);
    }
    let provider = mailbox(&server, Tls::Implicit);
    let mails = all(&provider).await;
    let ids: Vec<String> = mails.iter().map(|mail| mail.server_id.clone()).collect();
    server.remove("m1@contoso.example");
    // Mail that came after the folder was opened is found all the same.
    server.deliver("new", "m3@contoso.example", -5);
    let had = provider.fetch(&ids).await;
    assert_eq!(had.iter().filter(|had| had.is_ok()).count(), 1);
    let third = all(&provider).await.pop().unwrap();
    assert!(provider.fetch(std::slice::from_ref(&third.server_id)).await[0].is_ok());
    server.renumber().await;
    let had = provider.fetch(&ids).await;
    let expired = |had: &Result<_, _>| matches!(had, Err(ProviderError::CursorExpired(_)));
    assert!(had.iter().all(expired), "{had:?}");
    // A mark with an old number touches nothing.
    provider
        .mark(&[mark(&third, Then::Remove)])
        .await
        .remove(0)
        .unwrap();
    assert_eq!(server.ids_in(""), ["m2", "m3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_are_those_that_arrived_last_whatever_their_numbers() {
    let server = Dovecot::start().await;
    for (name, age) in [("b", -200), ("d", -10), ("a", -300), ("c", -100)] {
        server.deliver("new", &format!("{name}@contoso.example"), age);
    }
    let provider = mailbox(&server, Tls::Implicit);
    let (mut page, mut seen) = (None, Vec::new());
    loop {
        let newest = provider
            .newest("INBOX", i64::MAX, 2, page.as_deref())
            .await
            .unwrap();
        seen.extend(
            newest
                .messages
                .into_iter()
                .map(|mail| mail.message_id.unwrap()),
        );
        page = newest.next;
        if page.is_none() {
            break;
        }
    }
    let names: Vec<&str> = seen.iter().map(|id| &id[..1]).collect();
    assert_eq!(names, ["d", "c", "b", "a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_folder_tells_of_mail_across_renewals_and_of_mail_missed_before() {
    let server = Dovecot::start().await;
    let provider = mailbox(&server, Tls::Implicit);
    let cursor = provider.cursor_since("INBOX", 0).unwrap();
    let cursor = provider.changes(&cursor).await.unwrap().next;
    let mut watch = provider
        .watch("INBOX", Some(&cursor))
        .await
        .unwrap()
        .unwrap();
    let renew = Duration::from_millis(150);
    let early = tokio::time::timeout(Duration::from_secs(1), watch.news(renew)).await;
    assert!(early.is_err(), "nothing has arrived");
    // Given up in the middle, the line is of no more use; a new one tells of what was missed.
    server.deliver("new", "m1@contoso.example", 1);
    let mut watch = provider
        .watch("INBOX", Some(&cursor))
        .await
        .unwrap()
        .unwrap();
    watch.news(renew).await.unwrap();
    let waiting = tokio::spawn(async move { watch.news(renew).await });
    server.deliver("new", "m2@contoso.example", 1);
    waiting.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_becomes_a_ticket_without_waiting_for_the_next_poll() {
    let server = Dovecot::start().await;
    let desk = Desk::new(Some(&server.papers.ca)).await;
    let connected = desk
        .connect(server.port, dovecot::PASSWORD, None, None)
        .await;
    let view = desk.verified(connected.unwrap().id).await;
    // The line for watching opens soon after the first poll.
    wait("a third line is open", async || {
        (server.lines() >= 2).then_some(())
    })
    .await;
    for number in 0..3 {
        server.deliver("new", &format!("now-{number}@contoso.example"), 1);
        let begun = Instant::now();
        wait("the mail is imported", async || {
            (desk.ledger(view.id, Outcome::Imported).await.len() == number + 1).then_some(())
        })
        .await;
        eprintln!("delivery to ticket: {:?}", begun.elapsed());
    }
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_tells_of_new_mail_it_is_asked_for() {
    let server =
        Dovecot::with("imap_capability = IMAP4rev1 SASL-IR LITERAL+ ID UIDPLUS MOVE\n").await;
    let desk = Desk::new(Some(&server.papers.ca)).await;
    let connected = desk.connect(server.port, dovecot::PASSWORD, None, None);
    let view = desk.verified(connected.await.unwrap().id).await;
    let settings = AddressSettings {
        brand: "Contoso".to_owned(),
        poll_interval_s: 15,
        category: String::new(),
    };
    api::save_address_settings(&desk.app, view.id, settings)
        .await
        .unwrap();
    for number in 1..=2 {
        server.deliver("new", &format!("asked-{number}@contoso.example"), 1);
        wait("the next poll has it", async || {
            (desk.ledger(view.id, Outcome::Imported).await.len() == number).then_some(())
        })
        .await;
    }
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_of_a_large_folder_costs_one_command_when_nothing_came_with_condstore_and_without() {
    let without = "imap_capability = IMAP4rev1 SASL-IR LITERAL+ ID IDLE UIDPLUS MOVE\n";
    for config in ["", without] {
        let server = Dovecot::with(config).await;
        for number in 0..1_000 {
            server.deliver("new", &format!("m{number}@contoso.example"), -5);
        }
        let gate = Gate::before(&server).await;
        let provider = mailbox_at(&server, Tls::Implicit, gate.port);
        let mut cursor = provider.cursor_since("INBOX", 0).unwrap();
        loop {
            let page = provider.changes(&cursor).await.unwrap();
            cursor = page.next;
            if !page.more {
                break;
            }
        }
        gate.heard();
        for _ in 0..3 {
            let page = provider.changes(&cursor).await.unwrap();
            assert_eq!((page.changed.len(), &page.next), (0, &cursor), "{config}");
        }
        let select = "SELECT \"INBOX\"";
        // What tells of a sign of life between them is no poll.
        let heard = || {
            let mut heard = gate.heard();
            heard.retain(|command| command != "NOOP");
            heard
        };
        assert_eq!(heard(), [select; 3], "{config}");
        // What somebody reads, flags or removes is no new mail, and costs nothing more.
        server.remove("m7@contoso.example");
        assert!(provider.changes(&cursor).await.unwrap().changed.is_empty());
        assert_eq!(heard(), [select], "{config}");
        server.deliver("new", "fresh@contoso.example", 1);
        assert_eq!(provider.changes(&cursor).await.unwrap().changed.len(), 1);
        let [first, search, fetch] = &heard()[..] else {
            panic!("more than three commands: {config}");
        };
        assert_eq!(first, select);
        assert_eq!(search, "UID SEARCH UID 1001:*");
        assert!(fetch.starts_with("UID FETCH 1001 ("), "{fetch}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_that_cannot_be_opened_or_bear_odd_names_are_told_apart() {
    let dots = "namespace inbox {\n separator = .\n}\n";
    let server = Dovecot::with(dots).await;
    server.folder("Lost.Found & more".replace("& ", "&- ").as_str());
    server.folder("&U,BTFw-.&ZeVnLIqe-");
    server.folder("a %x* \\ \"q\"");
    let provider = mailbox(&server, Tls::Implicit);
    let folders = provider.folders().await.unwrap();
    let find = |path: &str| folders.iter().find(|folder| folder.path == path);
    assert!(!find("Lost").unwrap().selectable);
    for path in ["Lost.Found & more", "台北.日本語", "a %x* \\ \"q\""] {
        let listed = find(path).unwrap_or_else(|| panic!("{path}: {folders:?}"));
        assert!(listed.selectable, "{path}");
        let folder = provider.folder(Some(path)).await.unwrap();
        assert_eq!(folder.id, listed.id, "{path}");
    }
    for path in ["Lost", "Lost.Found", "台北/日本語", "a %"] {
        let error = provider.folder(Some(path)).await.unwrap_err();
        assert!(
            matches!(error, ProviderError::NotFound(_)),
            "{path}: {error:?}"
        );
    }
}
