//! Connecting with a password in steps, as the window does.

use super::Desk;
use super::dovecot::{Dovecot, PASSWORD};
use crate::world::{SUPPORT, wait};
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{
    ConnectAttempt, ConnectChoices, ConnectRequest, ConnectStage, Opens, Outcome, Station,
    StationState,
};
use mailroom_core::api::{self, ImapInput};

async fn begin(desk: &Desk, port: u16, password: &str) -> ConnectAttempt {
    let request = ConnectRequest {
        address: SUPPORT.to_owned(),
        opens: Opens::Own,
        registration: None,
        private_window: false,
        language: "en".to_owned(),
    };
    let input = ImapInput {
        server: format!("127.0.0.1:{port}"),
        login: "support".to_owned(),
        ..ImapInput::default()
    };
    let attempt = api::begin_connect_password(&desk.app, request, input, password.into())
        .await
        .unwrap();
    settled(desk, &attempt.id).await
}

async fn settled(desk: &Desk, id: &str) -> ConnectAttempt {
    wait("the server has answered", async || {
        let attempt = api::connect_attempt(&desk.app, id).unwrap();
        let waits = matches!(
            attempt.stage,
            ConnectStage::Preparing | ConnectStage::Checking
        );
        (!waits).then_some(attempt)
    })
    .await
}

fn choices(folder: Option<&str>) -> ConnectChoices {
    ConnectChoices {
        brand: "Contoso".to_owned(),
        import_newest: Some(5),
        folder: folder.map(str::to_owned),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_tried_before_anything_is_chosen_and_the_map_shows_where_it_ended() {
    let server = Dovecot::start().await;
    // "Überall" as it is on the server (RFC 3501 §5.1.3).
    server.folder("&ANw-berall");
    server.deliver("new", "inbox@contoso.example", -60);
    let desk = Desk::new(Some(&server.papers.ca)).await;

    let refused = begin(&desk, server.port, "wrong-CANARY").await;
    let ConnectStage::Failed { finding } = &refused.stage else {
        panic!("{refused:?}");
    };
    assert!(!format!("{finding:?}").contains("CANARY"));
    let map = api::check_attempt(&desk.app, &refused.id).await.unwrap();
    let state = |station| map.station(station).unwrap().state;
    assert_eq!(state(Station::Network), StationState::Ok);
    assert_eq!(state(Station::Registration), StationState::NotNeeded);
    assert_eq!(state(Station::SignIn), StationState::Failed);
    assert_eq!(state(Station::Mailbox), StationState::Blocked);
    let error = api::finish_connect(&desk.app, &refused.id, choices(None))
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::WrongState);
    api::cancel_connect(&desk.app, &refused.id).unwrap();

    let ready = begin(&desk, server.port, PASSWORD).await;
    let ConnectStage::Ready {
        identity, folder, ..
    } = &ready.stage
    else {
        panic!("{ready:?}");
    };
    assert_eq!(
        (identity.login_name.as_str(), folder.as_str()),
        ("support", "INBOX")
    );
    let map = api::check_attempt(&desk.app, &ready.id).await.unwrap();
    assert_eq!(map.first_failed().map(|view| view.station), None);
    let fetch = map.station(Station::Fetch).unwrap();
    assert_eq!(fetch.state, StationState::Ok);
    let folders = api::folders_of_attempt(&desk.app, &ready.id).await.unwrap();
    assert!(folders.iter().any(|folder| folder.path == "Überall"));
    let read: Vec<&str> = folders
        .iter()
        .filter(|folder| folder.is_read)
        .map(|folder| folder.path.as_str())
        .collect();
    assert_eq!(read, ["INBOX"]);

    let error = api::finish_connect(&desk.app, &ready.id, choices(Some("Nirgendwo")))
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::FolderNotFound, "the attempt stays");
    let view = api::finish_connect(&desk.app, &ready.id, choices(Some("Überall")))
        .await
        .unwrap();
    desk.verified(view.id).await;
    let details = api::address_details(&desk.app, view.id).await.unwrap();
    assert_eq!(details.folder_path.as_deref(), Some("Überall"));
    assert_eq!(details.server.unwrap().port, server.port);
    assert!(details.scopes.is_empty(), "a password needs no permission");
    let error = api::connect_attempt(&desk.app, &ready.id).unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound, "the password is forgotten");
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_replaced_and_everything_else_stays() {
    let server = Dovecot::start().await;
    server.deliver("new", "one@contoso.example", -60);
    let desk = Desk::new(Some(&server.papers.ca)).await;
    let view = desk
        .connect(server.port, PASSWORD, None, Some(5))
        .await
        .unwrap();
    desk.verified(view.id).await;
    api::disconnect_address(&desk.app, view.id).await.unwrap();
    server.deliver("new", "meanwhile@contoso.example", 1);

    let wrong = api::reconnect_password(&desk.app, view.id, "other".into())
        .await
        .unwrap();
    let stage = settled(&desk, &wrong.id).await.stage;
    assert!(matches!(stage, ConnectStage::Failed { .. }), "{stage:?}");

    let right = api::reconnect_password(&desk.app, view.id, PASSWORD.into())
        .await
        .unwrap();
    settled(&desk, &right.id).await;
    let none = ConnectChoices {
        import_newest: None,
        ..choices(None)
    };
    let again = api::finish_connect(&desk.app, &right.id, none)
        .await
        .unwrap();
    assert_eq!(again.id, view.id);
    desk.imported(view.id, 2).await;
    assert!(desk.ledger(view.id, Outcome::Duplicate).await.is_empty());
    desk.app.close().await;
}
