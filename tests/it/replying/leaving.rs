//! From which address answers leave by SMTP, when, and what becomes of their copies.

use super::{header, mail, ticket_about};
use crate::imap::{
    Desk,
    dovecot::{self, Dovecot},
};
use crate::world::{SUPPORT, wait};
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::Station;
use mailroom_core::api::{self, SmtpInput};
use mailroom_rigs::postfix::{self, Postfix, Ways};
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;

const SALES: &str = "sales@contoso.example";
/// Whoever asks has a place in the same mailbox, so that answers can be seen there.
const BOXES: &str = "virtual_mailbox_maps = inline:{ {support@contoso.example=support/}, {ida@contoso.example=support/} }\n";

/// An address that is read from the Dovecot, and sends through the Postfix also as `sales`.
async fn desk(dovecot: &Dovecot, postfix: &Postfix) -> (Desk, i64) {
    let desk = Desk::new(Some(&dovecot.papers.ca)).await;
    let view = desk
        .connect(dovecot.port, dovecot::PASSWORD, None, None)
        .await
        .unwrap();
    desk.verified(view.id).await;
    let input = SmtpInput {
        server: format!("127.0.0.1:{}", postfix.submission),
        from: vec![SALES.to_owned()],
        ..SmtpInput::default()
    };
    api::set_outbound(&desk.app, view.id, input, None)
        .await
        .unwrap();
    (desk, view.id)
}

async fn postfix(dovecot: &Dovecot) -> Postfix {
    let ways = Ways {
        settings: BOXES,
        papers: None,
    };
    Postfix::start(dovecot, ways).await
}

/// Puts a mail of Ida's into the inbox; its subject is `name`.
fn lay(dovecot: &Dovecot, name: &str, to: &str, more: &str) {
    let more = format!("Reply-To: ida@contoso.example\n{more}");
    let text = mail(&format!("{name}@fabrikam.example"), name, &more)
        .replace(&format!("To: {SUPPORT}\n"), &format!("To: {to}\n"));
    let waiting = dovecot.maildir().join("tmp").join(name);
    std::fs::write(&waiting, text.replace('\n', "\r\n")).unwrap();
    std::os::unix::fs::chown(&waiting, Some(dovecot.owner()), Some(dovecot.owner())).unwrap();
    std::fs::rename(waiting, dovecot.maildir().join("new").join(name)).unwrap();
}

async fn arrived(dovecot: &Dovecot, message_id: &str) -> String {
    let id = format!("<{message_id}>");
    wait("the answer arrives", async || {
        let mails = dovecot.mails();
        mails
            .into_iter()
            .find(|mail| header(mail, "Message-ID:") == Some(&id))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_leaves_from_the_address_that_was_written_to_or_asked_for() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::start().await;
    let postfix = postfix(&dovecot).await;
    let (desk, id) = desk(&dovecot, &postfix).await;
    lay(&dovecot, "own", SUPPORT, "");
    lay(&dovecot, "further", "Sales@Contoso.example", "");
    lay(
        &dovecot,
        "copied",
        "kim@fabrikam.example",
        &format!("Cc: {SALES}\n"),
    );
    lay(&dovecot, "both", SALES, &format!("Cc: {SUPPORT}\n"));
    lay(&dovecot, "neither", "kim@fabrikam.example", "");
    desk.imported(id, 5).await;
    for (subject, expected) in [
        ("own", SUPPORT),
        ("further", SALES),
        ("copied", SALES),
        ("both", SUPPORT),
        ("neither", SUPPORT),
    ] {
        let number = ticket_about(&desk.app, subject).await.ticket.id;
        let shown = api::rehearse_reply(&desk.app, number, "Hello", None)
            .await
            .unwrap();
        assert_eq!(shown.from, expected, "{subject}");
    }

    for (subject, asked, expected) in [
        ("further", None, SALES),
        ("further", Some(SUPPORT), SUPPORT),
        ("own", Some("SALES@contoso.example"), SALES),
    ] {
        let number = ticket_about(&desk.app, subject).await.ticket.id;
        let sent = api::reply(&desk.app, number, "Hello", asked, false)
            .await
            .unwrap();
        assert!(sent.from.eq_ignore_ascii_case(expected), "{sent:?}");
        assert!(sent.kept, "{sent:?}");
        let there = arrived(&dovecot, &sent.message_id)
            .await
            .to_ascii_lowercase();
        for (name, value) in [
            ("return-path:", format!("<{expected}>")),
            ("from:", format!("<{expected}>")),
        ] {
            assert_eq!(header(&there, name), Some(value.as_str()), "{there}");
        }
        let kept = api::ticket(&desk.app, number).await.unwrap();
        let last = kept.messages.last().unwrap();
        assert!(last.from.address.eq_ignore_ascii_case(expected));
    }

    let number = ticket_about(&desk.app, "own").await.ticket.id;
    let before = dovecot.mails().len();
    for (asked, expected) in [
        ("info@contoso.example", ErrorCode::SenderNotAllowed),
        ("ida@fabrikam.example", ErrorCode::SenderNotAllowed),
        ("nobody", ErrorCode::InvalidAddress),
        ("", ErrorCode::InvalidAddress),
    ] {
        let shown = api::rehearse_reply(&desk.app, number, "Hello", Some(asked)).await;
        let sent = api::reply(&desk.app, number, "Hello", Some(asked), false).await;
        for error in [shown.unwrap_err(), sent.unwrap_err()] {
            assert_eq!(error.code, expected, "{asked}");
            assert_eq!(error.args["value"], asked);
            if expected == ErrorCode::SenderNotAllowed {
                assert_eq!(error.args["allowed"], format!("{SUPPORT}, {SALES}"));
            }
        }
    }
    assert_eq!(dovecot.mails().len(), before, "nothing left");
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_ended_while_it_waited_for_its_turn_leaves_no_doubt() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::start().await;
    let postfix = postfix(&dovecot).await;
    let (desk, id) = desk(&dovecot, &postfix).await;
    lay(&dovecot, "queue", SUPPORT, "");
    desk.imported(id, 1).await;
    let number = ticket_about(&desk.app, "queue").await.ticket.id;

    // The login has had its share. What was handed over long ago is forgotten as soon as somebody asks for a turn.
    let db = rusqlite::Connection::open(desk.folder().join("mailroom.db")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    let login = format!("127.0.0.1:{} support", postfix.submission);
    let now = jiff::Timestamp::now().as_millisecond();
    let note = "INSERT INTO sendings (login, at) VALUES (?1, ?2)";
    for at in std::iter::repeat_n(now, 30).chain([1]) {
        db.execute(note, (&login, at)).unwrap();
    }
    let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let app = desk.app.clone();
    let reply = tokio::spawn(async move { api::reply(&app, number, "Hello", None, false).await });
    wait("it waits for its turn", async || {
        (count("SELECT count(*) FROM sendings WHERE at = 1") == 0).then_some(())
    })
    .await;
    reply.abort();
    assert!(reply.await.unwrap_err().is_cancelled());
    assert_eq!(count("SELECT count(*) FROM replies"), 0);
    assert_eq!(dovecot.mails().len(), 1, "nothing left");

    db.execute("DELETE FROM sendings", []).unwrap();
    let sent = api::reply(&desk.app, number, "Hello", None, false)
        .await
        .unwrap();
    arrived(&dovecot, &sent.message_id).await;
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_whose_copy_could_not_be_kept_says_so_and_the_map_too() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::with(
        "namespace inbox {\n mailbox Gesendet {\n auto = create\n special_use = \\Sent\n }\n}\n",
    )
    .await;
    let postfix = postfix(&dovecot).await;
    let (desk, id) = desk(&dovecot, &postfix).await;
    lay(&dovecot, "copies", SUPPORT, "");
    desk.imported(id, 1).await;
    let number = ticket_about(&desk.app, "copies").await.ticket.id;
    let sent = api::reply(&desk.app, number, "One", None, false)
        .await
        .unwrap();
    assert!(sent.kept && !sent.copy_failed, "{sent:?}");

    let folder = dovecot.maildir().join(".Gesendet");
    let allow = |mode| {
        for name in ["tmp", "new", "cur", ""] {
            set_permissions(folder.join(name), Permissions::from_mode(mode)).unwrap();
        }
    };
    allow(0o500);
    let sent = api::reply(&desk.app, number, "Two", None, false)
        .await
        .unwrap();
    assert!(sent.sent && sent.kept && sent.copy_failed, "{sent:?}");
    arrived(&dovecot, &sent.message_id).await;
    let map = api::prove_sending(&desk.app, id).await.unwrap();
    let facts = &map.station(Station::Send).unwrap().facts;
    assert_eq!(facts["sent_copy"], "failed", "{facts:?}");
    allow(0o700);
    desk.app.close().await;
}
