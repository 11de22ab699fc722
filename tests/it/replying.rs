//! Answering tickets: from the ticket's address alone, once, in its thread, and kept; by Graph, by SMTP, and in a terminal.

mod leaving;

use crate::imap::{
    Desk,
    dovecot::{self, Dovecot},
};
use crate::smtp::sends_by;
use crate::world::{self, SUPPORT, World, wait};
use mailroom_core::api;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{ReplyView, TicketQuery, TicketView};
use mailroom_core::app::App;
use mailroom_rigs::postfix::{self, Postfix, Ways};
use serde_json::Value;

/// A mail from somebody outside of all organisations that the practice tenant knows.
fn mail(message_id: &str, subject: &str, more: &str) -> String {
    world::mail(message_id, subject, more).replace("ida@fabrikam.example", OUTSIDE)
}

const OUTSIDE: &str = "ida@tailspin.example";

async fn ticket_about(app: &App, subject: &str) -> TicketView {
    let query = TicketQuery {
        limit: 500,
        ..TicketQuery::default()
    };
    let page = api::list_tickets(app, query).await.unwrap();
    let row = page.tickets.iter().find(|row| row.subject == subject);
    let row = row.unwrap_or_else(|| panic!("no ticket about {subject}"));
    api::ticket(app, row.id).await.unwrap()
}

async fn sent_out(world: &World) -> Vec<Value> {
    let url = format!("{}/_sandbox/sent-out", world.tenant.authority);
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

/// A ticket made from a mail that arrives now.
async fn arrived(world: &World, id: i64, mail: &str, subject: &str) -> TicketView {
    world.deliver(mail).await;
    world.poll(id).await;
    ticket_about(&world.app, subject).await
}

fn header<'a>(mail: &'a str, name: &str) -> Option<&'a str> {
    let head = mail.split("\r\n\r\n").next().unwrap_or_default();
    let line = head.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_leaves_by_graph_in_its_thread_and_is_kept() {
    let world = World::new().await;
    let id = world.connect(None).await.id;
    let more = "References: <q0@fabrikam.example>\n";
    let first = mail("q1@fabrikam.example", "Broken lamp", more);
    let ticket = arrived(&world, id, &first, "Broken lamp").await;
    let number = ticket.ticket.id;

    let shown = api::rehearse_reply(&world.app, number, "We send a new one.", None)
        .await
        .unwrap();
    assert_eq!((shown.sent, shown.to.as_str()), (false, OUTSIDE));
    assert!(
        sent_out(&world).await.is_empty(),
        "a rehearsal sends nothing"
    );

    let reply = api::reply(
        &world.app,
        number,
        "We send a new one.\n.\nGrüße",
        None,
        false,
    )
    .await
    .unwrap();
    assert!(reply.sent && reply.kept);
    assert_eq!(
        (reply.from.as_str(), reply.subject.as_str()),
        (SUPPORT, "Re: Broken lamp")
    );
    let sent = sent_out(&world).await;
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["to"], OUTSIDE, "{sent:?}");
    let raw = sent[0]["raw"].as_str().unwrap();
    assert_eq!(header(raw, "In-Reply-To:"), Some("<q1@fabrikam.example>"));
    assert!(raw.contains("<q0@fabrikam.example>"), "{raw}");
    assert!(header(raw, "Auto-Submitted:").is_none());

    // It is a message of the ticket, findable, and what comes back goes there.
    let kept = api::ticket(&world.app, number).await.unwrap();
    assert_eq!(kept.messages.len(), 2);
    assert_eq!(kept.messages[1].from.address, SUPPORT);
    assert!(kept.messages[1].text.contains("Grüße"));
    let more = format!("In-Reply-To: <{}>\n", reply.message_id);
    let answer = mail("q2@fabrikam.example", "Something else", &more);
    world.deliver(&answer).await;
    world.poll(id).await;
    let kept = api::ticket(&world.app, number).await.unwrap();
    assert_eq!(kept.messages.len(), 3);

    // The next answer is to the newest mail, and stands behind the whole conversation.
    let next = api::reply(&world.app, number, "Gladly.", None, false)
        .await
        .unwrap();
    assert_eq!(next.subject, "Re: Something else");
    let raw = sent_out(&world).await[1]["raw"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(header(&raw, "In-Reply-To:"), Some("<q2@fabrikam.example>"));
    assert!(raw.contains(&reply.message_id), "{raw}");
    world.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_the_team_and_nobody_are_not_answered_and_nothing_leaves_from_elsewhere() {
    let world = World::new().await;
    let id = world.connect(None).await.id;
    let own = mail("own@contoso.example", "To ourselves", "").replace(OUTSIDE, SUPPORT);
    let mut asked = Vec::new();
    for (subject, text, how) in [
        (
            "Away",
            mail("m1@x.example", "Away", "Auto-Submitted: auto-replied\n"),
            "automatic",
        ),
        (
            "Offers",
            mail("m2@x.example", "Offers", "Precedence: bulk\n"),
            "automatic",
        ),
        ("To ourselves", own, "own"),
        (
            "Loop",
            mail("m3@x.example", "Loop", &format!("Reply-To: {SUPPORT}\n")),
            "own",
        ),
    ] {
        let number = arrived(&world, id, &text, subject).await.ticket.id;
        let error = api::reply(&world.app, number, "Hello", None, false)
            .await
            .unwrap_err();
        assert_eq!(error.code, ErrorCode::NobodyToAnswer, "{subject}");
        assert_eq!(error.args["how"], how, "{subject}");
        asked.push(number);
    }
    let form = mail(
        "m4@x.example",
        "Contact form",
        "Auto-Submitted: auto-generated\nReply-To: kim@fabrikam.example\n",
    );
    let number = arrived(&world, id, &form, "Contact form").await.ticket.id;
    let shown = api::rehearse_reply(&world.app, number, "Hello", None)
        .await
        .unwrap();
    assert_eq!(shown.to, "kim@fabrikam.example");
    for text in ["", " \n", "a\0b"] {
        let error = api::reply(&world.app, number, text, None, false)
            .await
            .unwrap_err();
        assert_eq!(error.code, ErrorCode::OutOfRange, "{text:?}");
    }
    let none = api::reply(&world.app, 4_711, "Hello", None, false).await;
    assert_eq!(none.unwrap_err().code, ErrorCode::NotFound);

    // What the server refuses has not left, and can be tried again.
    world.scenario("submission-blocked", true).await;
    let error = api::reply(&world.app, number, "Hello", None, false)
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::ServerRefused, "{error:?}");
    world.scenario("submission-blocked", false).await;
    assert_eq!(
        api::ticket(&world.app, number)
            .await
            .unwrap()
            .messages
            .len(),
        1
    );

    api::disconnect_address(&world.app, id).await.unwrap();
    let error = api::reply(&world.app, number, "Hello", None, false)
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::WrongState);
    assert!(sent_out(&world).await.is_empty());
    world.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_which_nobody_knows_whether_it_left_is_not_sent_again_by_mistake() {
    let mut world = World::new().await;
    let id = world.connect(None).await.id;
    let text = mail("d1@fabrikam.example", "Doubt", "");
    let number = arrived(&world, id, &text, "Doubt").await.ticket.id;
    // As a crash between handing over and keeping leaves it behind.
    world.app.close().await;
    let db = rusqlite::Connection::open(world.folder.path().join("mailroom.db")).unwrap();
    let begun = "INSERT INTO replies (message_id, ticket_id, begun_at) VALUES ('r@x', ?1, 5)";
    db.execute(begun, [number]).unwrap();
    drop(db);
    world.restart().await;

    let error = api::reply(&world.app, number, "Hello", None, false)
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::ReplyUnsure);
    assert_eq!(error.args["at"], "5");
    assert!(sent_out(&world).await.is_empty());
    let reply = api::reply(&world.app, number, "Hello", None, true)
        .await
        .unwrap();
    assert!(reply.kept);
    // The doubt is over: the next one needs no word.
    api::reply(&world.app, number, "And one more thing", None, false)
        .await
        .unwrap();
    assert_eq!(sent_out(&world).await.len(), 2);
    world.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_leaves_by_the_addresses_own_smtp_server_or_not_at_all() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::start().await;
    let desk = Desk::new(Some(&dovecot.papers.ca)).await;
    let view = desk
        .connect(dovecot.port, dovecot::PASSWORD, None, None)
        .await
        .unwrap();
    desk.verified(view.id).await;
    // Whoever asks is at the same server, so that the answer can be seen there.
    let asked = mail(
        "s1@fabrikam.example",
        "By SMTP",
        "Reply-To: sales@contoso.example\n",
    );
    let waiting = dovecot.maildir().join("tmp/s1");
    std::fs::write(&waiting, asked.replace('\n', "\r\n")).unwrap();
    std::os::unix::fs::chown(&waiting, Some(dovecot.owner()), Some(dovecot.owner())).unwrap();
    std::fs::rename(waiting, dovecot.maildir().join("new/s1")).unwrap();
    desk.imported(view.id, 1).await;
    let number = ticket_about(&desk.app, "By SMTP").await.ticket.id;

    let error = api::reply(&desk.app, number, "Hello", None, false)
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::NoOutbound, "no server to send with");

    let mut postfix = Postfix::start(&dovecot, Ways::default()).await;
    sends_by(&desk.app, view.id, &postfix).await;
    let reply: ReplyView = api::reply(&desk.app, number, "Zu Händen 様\n.\nEnde", None, false)
        .await
        .unwrap();
    assert!(reply.sent && reply.kept, "{reply:?}");
    let id = format!("<{}>", reply.message_id);
    let there = wait("the answer is there", async || {
        dovecot.mails().into_iter().find(|mail| mail.contains(&id))
    })
    .await;
    for words in [
        "Return-Path: <support@contoso.example>",
        "Delivered-To: sales@contoso.example",
        "In-Reply-To: <s1@fabrikam.example>",
        "Subject: Re: By SMTP",
    ] {
        assert!(there.contains(words), "{words}: {there}");
    }
    // Both addresses have one mailbox here: our own answer comes back, and is the mail that is kept already.
    api::sync_now(&desk.app, Some(view.id)).await.unwrap();
    wait("the answer is known", async || {
        let doubles = desk
            .ledger(view.id, mailroom_core::api::view::Outcome::Duplicate)
            .await;
        (doubles.len() == 1).then_some(())
    })
    .await;
    let kept = api::ticket(&desk.app, number).await.unwrap();
    assert_eq!(kept.messages.len(), 2);

    // A server that is gone has not taken anything.
    postfix.stop().await;
    let error = api::reply(&desk.app, number, "Again", None, false)
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::Offline, "{error:?}");
    let kept = api::ticket(&desk.app, number).await.unwrap();
    assert_eq!(kept.messages.len(), 2);
    desk.app.close().await;
}
