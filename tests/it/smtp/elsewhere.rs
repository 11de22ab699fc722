//! A stored password is shown to no server that it was not typed for; and what is removed sends nothing.

use super::{OWN, reading, sends_by, state};
use crate::imap::Desk;
use crate::imap::dovecot::{self, Dovecot};
use mailroom_core::api::error::{ApiError, ErrorCode};
use mailroom_core::api::view::{Direction, ServerView, Station, StationState};
use mailroom_core::api::{self, ServerPasswords, ServersInput, SmtpInput};
use mailroom_rigs::postfix::{self, Postfix, Ways};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;

/// A server that counts who comes, and sends everybody away.
async fn stranger() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let came = Arc::new(AtomicUsize::new(0));
    let count = came.clone();
    tokio::spawn(async move {
        while let Ok((line, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            drop(line);
        }
    });
    (port, came)
}

fn at(server: String) -> SmtpInput {
    SmtpInput {
        server,
        ..SmtpInput::default()
    }
}

fn sending(outbound: SmtpInput, anyway: bool) -> ServersInput {
    ServersInput {
        outbound: Some(outbound),
        anyway,
        ..ServersInput::default()
    }
}

fn typed(password: Option<&str>) -> ServerPasswords {
    ServerPasswords {
        inbound: None,
        outbound: password.map(Into::into),
    }
}

/// By both commands, without a password.
async fn refused(desk: &Desk, id: i64, input: &SmtpInput) -> [ApiError; 2] {
    let set = api::set_outbound(&desk.app, id, input.clone(), None).await;
    let input = sending(input.clone(), true);
    let saved = api::save_servers(&desk.app, id, input, typed(None)).await;
    [set.unwrap_err(), saved.unwrap_err()]
}

async fn outbound(desk: &Desk, id: i64) -> Option<ServerView> {
    let all = api::servers(&desk.app, Some(id)).await.unwrap();
    all.into_iter()
        .find(|one| one.direction == Direction::Outbound)
}

/// Whether a password for sending alone is stored.
fn has_own_secret(desk: &Desk, id: i64) -> bool {
    let db = rusqlite::Connection::open(desk.folder().join("mailroom.db")).unwrap();
    let asked = "SELECT outbound_secret IS NOT NULL FROM addresses WHERE id = ?1";
    db.query_row(asked, [id], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_password_goes_to_no_mistyped_server_for_sending() {
    let dovecot = Dovecot::start().await;
    let (desk, id) = reading(&dovecot, &dovecot.papers.ca, None).await;
    let (port, came) = stranger().await;
    // The same machine by another name is another server.
    let mistyped = at(format!("localhost:{port}"));
    for error in refused(&desk, id, &mistyped).await {
        assert_eq!(error.code, ErrorCode::PasswordNeeded);
        assert_eq!(error.args["host"], "localhost");
    }
    assert_eq!(came.load(Ordering::SeqCst), 0, "no line was opened");
    assert!(outbound(&desk, id).await.is_none());

    // At the server of the mailbox it serves untyped.
    let home = sending(at(format!("127.0.0.1:{port}")), false);
    let tried = api::save_servers(&desk.app, id, home, typed(None))
        .await
        .unwrap();
    assert!(tried[0].finding.is_some());
    let before = came.load(Ordering::SeqCst);
    assert!(before > 0);

    // Whoever types one is heard; this one is for sending alone, and goes nowhere else untyped, not even home.
    let kept = sending(mistyped.clone(), true);
    let kept = api::save_servers(&desk.app, id, kept, typed(Some("of its own")))
        .await
        .unwrap();
    assert!(kept[0].stored && kept[0].finding.is_some());
    assert!(has_own_secret(&desk, id));
    let before = came.load(Ordering::SeqCst);
    for error in refused(&desk, id, &at(format!("127.0.0.1:{port}"))).await {
        assert_eq!(error.code, ErrorCode::PasswordNeeded);
    }
    assert_eq!(came.load(Ordering::SeqCst), before);
    // Where it was typed for, it stays in use.
    let again = api::save_servers(&desk.app, id, sending(mistyped, false), typed(None));
    assert!(again.await.unwrap()[0].finding.is_some());
    assert!(came.load(Ordering::SeqCst) > before);
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mailboxs_password_typed_once_more_is_not_kept_twice() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::start().await;
    let postfix = Postfix::start(&dovecot, Ways::default()).await;
    let (desk, id) = reading(&dovecot, &dovecot.papers.ca, None).await;
    let input = at(format!("127.0.0.1:{}", postfix.submission));
    let password = Some(dovecot::PASSWORD.into());
    api::set_outbound(&desk.app, id, input.clone(), password)
        .await
        .unwrap();
    assert!(!has_own_secret(&desk, id));
    let saved = sending(input, false);
    let saved = api::save_servers(&desk.app, id, saved, typed(Some(dovecot::PASSWORD)))
        .await
        .unwrap();
    assert!(saved[0].stored && saved[0].finding.is_none());
    assert!(!has_own_secret(&desk, id));
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnected_address_gets_no_server_for_sending() {
    let dovecot = Dovecot::start().await;
    let (desk, id) = reading(&dovecot, &dovecot.papers.ca, None).await;
    let (port, came) = stranger().await;
    api::disconnect_address(&desk.app, id).await.unwrap();
    let home = at(format!("127.0.0.1:{port}"));
    for error in refused(&desk, id, &home).await {
        assert_eq!(error.code, ErrorCode::WrongState);
    }
    let with_password = api::set_outbound(&desk.app, id, home, Some("typed".into())).await;
    assert_eq!(with_password.unwrap_err().code, ErrorCode::WrongState);
    assert_eq!(came.load(Ordering::SeqCst), 0);
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_by_a_server_that_is_removed_and_its_password_is_gone() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::start().await;
    let postfix = Postfix::start(&dovecot, Ways::default()).await;
    let (desk, id) = reading(&dovecot, &dovecot.papers.ca, None).await;
    sends_by(&desk.app, id, &postfix).await;
    let map = api::prove_sending(&desk.app, id).await.unwrap();
    assert_eq!(state(&map, Station::Send).0, StationState::Ok);
    assert_eq!(dovecot.mails().len(), 1);
    let own = sending(at(format!("127.0.0.1:{}", postfix.submission)), true);
    api::save_servers(&desk.app, id, own, typed(Some("of its own")))
        .await
        .unwrap();
    assert!(has_own_secret(&desk, id));

    api::remove_outbound(&desk.app, id).await.unwrap();
    assert!(!has_own_secret(&desk, id));
    assert!(outbound(&desk, id).await.is_none());
    let map = api::prove_sending(&desk.app, id).await.unwrap();
    let nothing = (StationState::Unknown, "no_outbound".to_owned());
    assert_eq!(state(&map, Station::Send), nothing);
    let senders = api::hand_off_senders(&desk.app).await.unwrap();
    assert!(senders.iter().all(|one| one.address != OWN), "{senders:?}");
    assert_eq!(dovecot.mails().len(), 1, "nothing left");
    // The mailbox's own password serves again, and not the one that is gone.
    sends_by(&desk.app, id, &postfix).await;
    desk.app.close().await;
}
