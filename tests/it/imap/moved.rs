//! Another server for an address that is connected: two Dovecots number their mail alike, and nothing is lost, doubled or
//! marked where it should not be.

use super::dovecot::{self, Dovecot};
use super::{Desk, Papers};
use crate::world::{SUPPORT, wait};
use mailroom_core::account::Tls;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{
    AfterImport, Direction, EventKind, Outcome, ServerSaved, ServerView, Status,
};
use mailroom_core::api::{self, ImapInput, InboundInput, ServerPasswords, ServersInput, SmtpInput};
use std::fs;
use std::os::unix::fs::chown;

/// Both servers' number for the inbox.
const VALIDITY: u32 = 1_700_000_000;
const WORDS: &str = "another password";

/// A Dovecot with a fixed UIDVALIDITY, whose first mail has the UID 1.
async fn numbered(papers: &Papers) -> Dovecot {
    let mut server = Dovecot::start().await;
    server.stop().await;
    server.wear(papers);
    let list = server.maildir().join("dovecot-uidlist");
    let guid = "0123456789abcdef0123456789abcdef";
    fs::write(&list, format!("3 V{VALIDITY} N1 G{guid}\n")).unwrap();
    chown(&list, Some(server.owner()), Some(server.owner())).unwrap();
    server.run().await;
    server
}

/// The former server with a mail that is imported and waits to be moved, and the address paused.
async fn stuck(desk: &Desk, server: &Dovecot) -> i64 {
    server.folder("Done");
    server.deliver("new", "one@contoso.example", -7_200);
    server.deliver("new", "two@contoso.example", -3_600);
    let view = desk
        .connect(server.port, dovecot::PASSWORD, None, Some(5))
        .await
        .unwrap();
    desk.verified(view.id).await;
    let away = AfterImport::Move {
        folder: "Done".to_owned(),
    };
    api::rehearse_after_import(&desk.app, view.id, away.clone(), 5)
        .await
        .unwrap();
    api::set_after_import(&desk.app, view.id, away, Some(SUPPORT), false)
        .await
        .unwrap();
    // The folder goes, so that the mark must wait.
    server.remove_folder("Done");
    server.deliver("new", "three@contoso.example", 1);
    desk.imported(view.id, 3).await;
    wait("only the move waits", async || {
        (desk.view(view.id).await.pending_marks == 1).then_some(())
    })
    .await;
    api::pause_address(&desk.app, view.id).await.unwrap();
    view.id
}

/// The new server: the numbers 1 to 4 are other mail than at the former one, but for one that is at both.
fn fill(server: &Dovecot) {
    server.folder("Done");
    server.deliver("new", "fresh@contoso.example", 1);
    server.deliver("new", "three@contoso.example", 1);
    server.deliver("new", "other@contoso.example", 1);
    server.deliver("new", "ancient@contoso.example", -90 * 86_400);
}

fn inbound(server: &str) -> ServersInput {
    ServersInput {
        inbound: Some(InboundInput {
            server: server.to_owned(),
            ..InboundInput::default()
        }),
        ..ServersInput::default()
    }
}

fn with(password: &str) -> ServerPasswords {
    ServerPasswords {
        inbound: Some(password.into()),
        outbound: None,
    }
}

fn fresh(results: &[ServerSaved]) -> (bool, bool) {
    let [one] = results else {
        panic!("{results:?}");
    };
    assert_eq!(one.direction, Direction::Inbound);
    assert!(one.finding.is_none(), "{one:?}");
    (one.stored, one.fresh_start)
}

async fn names(desk: &Desk, id: i64, outcome: Outcome) -> Vec<String> {
    let rows = desk.ledger(id, outcome).await;
    let mut names: Vec<String> = rows.into_iter().filter_map(|row| row.message_id).collect();
    names.sort();
    names
        .into_iter()
        .map(|name| name.replace("@contoso.example", ""))
        .collect()
}

async fn in_order_at(desk: &Desk, id: i64, server: &Dovecot) {
    api::resume_address(&desk.app, id).await.unwrap();
    desk.imported(id, 5).await;
    wait("what came is marked", async || {
        (desk.view(id).await.pending_marks == 0).then_some(())
    })
    .await;
    // Another poll brings nothing more.
    desk.verified(id).await;
    let imported = names(desk, id, Outcome::Imported).await;
    assert_eq!(imported, ["fresh", "one", "other", "three", "two"]);
    assert_eq!(names(desk, id, Outcome::Duplicate).await, ["three"]);
    assert_eq!(desk.view(id).await.open_tickets, 5);
    // Seen are the two that came and the one that was here; the ancient one has a number that waited to be marked.
    assert_eq!(server.seen(), 3);
    assert_eq!(server.ids_in("Done"), Vec::<String>::new());
    assert_eq!(server.ids_in("").len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_with_the_same_numbers_loses_doubles_and_marks_nothing() {
    let papers = Papers::new(&["127.0.0.1", "localhost"]);
    let (former, new) = (numbered(&papers).await, numbered(&papers).await);
    fill(&new);
    let desk = Desk::new(Some(&papers.ca)).await;
    let id = stuck(&desk, &former).await;
    let there = format!("localhost:{}", new.port);

    // The stored password goes to no other server.
    let none = ServerPasswords::default();
    let refused = api::save_servers(&desk.app, id, inbound(&there), none).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::PasswordNeeded);
    assert_eq!(new.lines(), 0);
    // An import that is under way names messages as the former server does.
    api::start_import(&desk.app, id, 5).await.unwrap();
    let refused = api::save_servers(&desk.app, id, inbound(&there), with(dovecot::PASSWORD)).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::ImportRunning);
    api::cancel_import(&desk.app, id).await.unwrap();
    // What does not work is not kept.
    let refused = api::save_servers(&desk.app, id, inbound(&there), with("wrong-CANARY"))
        .await
        .unwrap();
    assert!(!refused[0].stored && !refused[0].fresh_start);
    let finding = refused[0].finding.clone().unwrap();
    assert_eq!(finding.code, "IMAP LOGIN failed");
    assert!(!format!("{finding:?}").contains("CANARY"));
    let details = api::address_details(&desk.app, id).await.unwrap();
    assert_eq!(details.server.unwrap().port, former.port);
    assert_eq!(details.pending_marks, 1);

    let saved = api::save_servers(&desk.app, id, inbound(&there), with(dovecot::PASSWORD))
        .await
        .unwrap();
    assert_eq!(fresh(&saved), (true, true));
    let details = api::address_details(&desk.app, id).await.unwrap();
    assert_eq!(details.pending_marks, 0, "marks for the former server");
    assert_eq!(details.after_import, AfterImport::Read, "rehearsed there");
    let moved = &details.events;
    let moved = moved
        .iter()
        .find(|event| event.kind == EventKind::ServerChanged)
        .unwrap();
    assert_eq!(moved.args["marks"], "1");
    in_order_at(&desk, id, &new).await;
    assert_eq!(former.ids_in("").len(), 3, "nothing left the former server");
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_behind_another_port_is_found_out() {
    let papers = Papers::new(&["127.0.0.1"]);
    let (former, new) = (numbered(&papers).await, numbered(&papers).await);
    fill(&new);
    let desk = Desk::new(Some(&papers.ca)).await;
    let id = stuck(&desk, &former).await;

    // The other port of the same server: nothing begins anew, and the stored password serves.
    let mut same = inbound(&format!("127.0.0.1:{}", former.plain_port));
    if let Some(inbound) = &mut same.inbound {
        inbound.tls = Some(Tls::StartTls);
    }
    let saved = api::save_servers(&desk.app, id, same, ServerPasswords::default()).await;
    assert_eq!(fresh(&saved.unwrap()), (true, false));
    let details = api::address_details(&desk.app, id).await.unwrap();
    assert_eq!(details.pending_marks, 1);
    assert!(details.after_import.takes_away());
    let at = details.server.unwrap();
    assert_eq!((at.port, at.tls), (former.plain_port, Tls::StartTls));

    let mut other = inbound(&format!("127.0.0.1:{}", new.port));
    if let Some(inbound) = &mut other.inbound {
        inbound.tls = Some(Tls::Implicit);
    }
    let saved = api::save_servers(&desk.app, id, other, with(dovecot::PASSWORD)).await;
    assert_eq!(fresh(&saved.unwrap()), (true, true));
    in_order_at(&desk, id, &new).await;
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connecting_again_at_another_server_is_another_place_too() {
    let papers = Papers::new(&["127.0.0.1", "localhost"]);
    let (former, new) = (numbered(&papers).await, numbered(&papers).await);
    new.folder("Done");
    let desk = Desk::new(Some(&papers.ca)).await;
    let id = stuck(&desk, &former).await;
    api::disconnect_address(&desk.app, id).await.unwrap();
    for name in ["fresh", "other", "third", "fourth"] {
        new.deliver("new", &format!("{name}@contoso.example"), 5);
    }
    let input = ImapInput {
        server: format!("localhost:{}", new.port),
        login: "support".to_owned(),
        ..ImapInput::default()
    };
    let choices = api::view::ConnectChoices {
        brand: "Contoso".to_owned(),
        import_newest: None,
        folder: None,
    };
    let password = dovecot::PASSWORD.into();
    let view = api::connect_imap(&desk.app, SUPPORT, input, password, choices)
        .await
        .unwrap();
    assert_eq!(view.id, id);
    desk.imported(id, 7).await;
    wait("what came is marked", async || {
        (desk.view(id).await.pending_marks == 0).then_some(())
    })
    .await;
    assert_eq!(new.seen(), 4);
    assert_eq!(new.ids_in("Done"), Vec::<String>::new());
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_anyway_bears_a_warning_until_a_try_succeeds() {
    let papers = Papers::new(&["127.0.0.1"]);
    let mut server = Dovecot::start().await;
    server.wear(&papers);
    server.restart().await;
    let desk = Desk::new(Some(&papers.ca)).await;
    let view = desk
        .connect(server.port, dovecot::PASSWORD, None, None)
        .await
        .unwrap();
    desk.verified(view.id).await;
    let id = view.id;
    let of = async |direction| -> ServerView {
        let all = api::servers(&desk.app, Some(id)).await.unwrap();
        let of = all.into_iter().find(|one| one.direction == direction);
        of.unwrap()
    };
    // The password of the time after next.
    server.write("users", &format!("support:{{PLAIN}}{WORDS}\n"));
    let port = server.port;
    let both = |anyway| ServersInput {
        outbound: Some(SmtpInput {
            server: "127.0.0.1:1".to_owned(),
            ..SmtpInput::default()
        }),
        anyway,
        ..inbound(&format!("127.0.0.1:{port}"))
    };
    let refused = api::save_servers(&desk.app, id, both(false), with("not yet"))
        .await
        .unwrap();
    assert_eq!(refused.len(), 2);
    assert!(
        refused
            .iter()
            .all(|one| !one.stored && one.finding.is_some())
    );
    assert_eq!(api::servers(&desk.app, Some(id)).await.unwrap().len(), 1);

    server.stop().await;
    let kept = api::save_servers(&desk.app, id, both(true), with(WORDS))
        .await
        .unwrap();
    assert!(kept.iter().all(|one| one.stored && one.finding.is_some()));
    assert!(!kept[0].fresh_start);
    assert!(of(Direction::Outbound).await.warning.is_some());
    assert_ne!(desk.view(id).await.status, Status::Verified);
    let tried = api::try_servers(&desk.app, id).await.unwrap();
    assert!(tried.iter().all(|one| one.finding.is_some()));
    assert!(of(Direction::Outbound).await.warning.is_some());

    server.run().await;
    let tried = api::try_servers(&desk.app, id).await.unwrap();
    assert!(tried[0].finding.is_none(), "{tried:?}");
    wait("the address is well again", async || {
        let view = desk.view(id).await;
        (view.status == Status::Verified && view.cause.is_none()).then_some(())
    })
    .await;
    assert!(of(Direction::Inbound).await.warning.is_none());
    // Nobody listens at the other one.
    assert!(of(Direction::Outbound).await.warning.is_some());
    desk.app.close().await;
}
