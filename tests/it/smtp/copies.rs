//! Copies of what was sent: in the folder for sent mail, once, and never taken for new mail.

use super::{OWN, envelope, letter, reading, sender, sends_by, server};
use crate::imap::Desk;
use crate::imap::dovecot::{self, Dovecot};
use mailroom_core::account::{ImapAuth, ImapServer, Tls};
use mailroom_core::api;
use mailroom_core::api::view::{ConnectionMap, Station, StationState};
use mailroom_core::provider::imap::{Credentials, ImapMailbox, Patience, Trust};
use mailroom_core::provider::outbound::{Copies, Outbound, SentCopy};
use mailroom_core::store::ledger::Outcome;
use mailroom_rigs::postfix::{self, Postfix, Ways};
use std::fs;
use std::sync::Arc;

const WITH_SENT: &str =
    "namespace inbox {\n mailbox Gesendet {\n auto = create\n special_use = \\Sent\n }\n}\n";

async fn ready(dovecot: &Dovecot, postfix: &Postfix) -> (Desk, i64) {
    let (desk, id) = reading(dovecot, &dovecot.papers.ca, None).await;
    sends_by(&desk.app, id, postfix).await;
    (desk, id)
}

fn mailbox(dovecot: &Dovecot) -> ImapMailbox {
    let server = ImapServer {
        host: "127.0.0.1".to_owned(),
        port: dovecot.port,
        tls: Tls::Implicit,
        login: "support".to_owned(),
        auth: ImapAuth::Password,
    };
    let trust = Trust::new(vec![dovecot.papers.ca.as_bytes().to_vec()]);
    let password = Credentials::Password(dovecot::PASSWORD.into());
    ImapMailbox::new(server, None, password, Arc::new(trust), Patience::default())
}

fn copy_facts(map: &ConnectionMap) -> (Option<&str>, Option<&str>) {
    let facts = &map.station(Station::Send).unwrap().facts;
    let fact = |name: &str| facts.get(name).map(String::as_str);
    (fact("sent_copy"), fact("sent_folder"))
}

/// Files of a folder, by its name on the disk, with their flags.
fn files_in(dovecot: &Dovecot, folder: &str) -> Vec<String> {
    ["new", "cur"]
        .iter()
        .flat_map(|place| {
            let path = dovecot.maildir().join(format!(".{folder}")).join(place);
            fs::read_dir(path).into_iter().flatten().flatten()
        })
        .map(|file| file.file_name().into_string().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_lies_in_the_folder_for_sent_mail_read_and_once_and_is_no_new_mail() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::with(WITH_SENT).await;
    let postfix = Postfix::start(&dovecot, Ways::default()).await;
    let (desk, id) = ready(&dovecot, &postfix).await;
    let map = api::check_address(&desk.app, id, None).await.unwrap();
    let said = (Some("folder"), Some("Gesendet"));
    assert_eq!(copy_facts(&map), said, "said before anything is sent");
    assert!(
        files_in(&dovecot, "Gesendet").is_empty(),
        "a check sends nothing"
    );

    let map = api::prove_sending(&desk.app, id).await.unwrap();
    assert_eq!(
        map.station(Station::RoundTrip).unwrap().state,
        StationState::Ok
    );
    assert_eq!(copy_facts(&map), said);
    let copies = files_in(&dovecot, "Gesendet");
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert!(
        copies[0].rsplit_once(":2,").unwrap().1.contains('S'),
        "read: {copies:?}"
    );
    assert_eq!(dovecot.mails().len(), 1, "and the mail itself in the inbox");

    dovecot.deliver("new", "after@contoso.example", 1);
    crate::world::wait("the next mail is imported", async || {
        api::sync_now(&desk.app, Some(id)).await.unwrap();
        let imported = desk.ledger(id, Outcome::Imported).await;
        (!imported.is_empty()).then_some(())
    })
    .await;
    let imported = desk.ledger(id, Outcome::Imported).await;
    assert_eq!(
        imported.len(),
        1,
        "neither test mail nor copy: {imported:?}"
    );
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_server_has_no_folder_for_sent_mail_that_is_said() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::start().await;
    let postfix = Postfix::start(&dovecot, Ways::default()).await;
    let (desk, id) = ready(&dovecot, &postfix).await;
    let map = api::prove_sending(&desk.app, id).await.unwrap();
    assert!(map.first_failed().is_none(), "{map:#?}");
    assert_eq!(copy_facts(&map), (Some("nowhere"), None));
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_there_already_is_not_doubled() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::with(WITH_SENT).await;
    let postfix = Postfix::start(&dovecot, Ways::default()).await;
    let ca = dovecot.papers.ca.clone();
    let server = server(postfix.submission, Tls::StartTls);
    let sender = sender(server, dovecot::PASSWORD, Some(&ca))
        .keeping(Copies::of("127.0.0.1", mailbox(&dovecot)));
    let outbound = Outbound::Smtp(sender);
    let letter = [
        b"Message-ID: <one@contoso.example>\r\n",
        letter(OWN, "x").as_slice(),
    ]
    .concat();
    // The second time the folder holds a message with this Message-ID, as where a server keeps what it sends.
    for _ in 0..2 {
        let sent = outbound
            .send(&envelope(OWN, &[OWN]), &letter)
            .await
            .unwrap();
        assert!(
            matches!(&sent.copy, SentCopy::Folder(name) if name == "Gesendet"),
            "{:?}",
            sent.copy
        );
    }
    assert_eq!(files_in(&dovecot, "Gesendet").len(), 1);
    // These servers keep what they send, so nothing is asked of them.
    for host in [
        "smtp.office365.com",
        "SMTP.Gmail.com",
        "smtp-mail.outlook.com",
    ] {
        let copies = Copies::of(host, mailbox(&dovecot));
        assert!(matches!(copies, Copies::Server), "{host}");
    }
    let copies = Copies::of("notgmail.com", mailbox(&dovecot));
    assert!(matches!(copies, Copies::Folder(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_has_left_counts_as_sent_although_its_copy_cannot_be_kept() {
    if !postfix::is_possible() {
        return;
    }
    let mut dovecot = Dovecot::with(WITH_SENT).await;
    let postfix = Postfix::start(&dovecot, Ways::default()).await;
    let ca = dovecot.papers.ca.clone();
    let elsewhere = Dovecot::start().await;
    let reading = mailbox(&elsewhere);
    drop(elsewhere);
    let server = server(postfix.submission, Tls::StartTls);
    let sender = sender(server, dovecot::PASSWORD, Some(&ca)).keeping(Copies::Folder(reading));
    let outbound = Outbound::Smtp(sender);
    let sent = outbound
        .send(&envelope(OWN, &[OWN]), &letter(OWN, "x"))
        .await
        .unwrap();
    assert!(matches!(sent.copy, SentCopy::Failed(_)), "{:?}", sent.copy);
    crate::world::wait("it arrives", async || {
        (dovecot.mails().len() == 1).then_some(())
    })
    .await;
    dovecot.stop().await;
}
