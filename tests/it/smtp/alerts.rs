//! An alert leaves by SMTP where the healthy address is one that is read by IMAP.

use super::postfix::{self, Postfix, Ways};
use crate::imap::dovecot::{self, Dovecot};
use crate::world::{Guest, MemoryKey, SUPPORT, visitor, wait};
use mailroom_core::api::view::{
    CloudInput, ConnectChoices, ConnectRequest, ConnectStage, Opens, RegistrationInput, Status,
};
use mailroom_core::api::{self, ImapInput, SmtpInput};
use mailroom_core::app::{App, Options};
use mailroom_core::sync::Clock;
use mailroom_sandbox::Sandbox;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

const ALEX: &str = "alex@contoso.example";
const ON_CALL: &str = "sales@contoso.example";
const MINUTE: i64 = 60_000;

fn choices() -> ConnectChoices {
    ConnectChoices {
        brand: "Contoso".to_owned(),
        import_newest: None,
        folder: None,
    }
}

async fn connect_alex(app: &Arc<App>, sandbox: &Sandbox) -> i64 {
    let tenant = sandbox.description().clone();
    let request = ConnectRequest {
        address: ALEX.to_owned(),
        opens: Opens::Own,
        registration: Some(RegistrationInput {
            client_id: tenant.client_id.clone(),
            tenant: tenant.tenant.clone(),
            cloud: CloudInput::Custom {
                authority: tenant.authority.clone(),
                graph_url: tenant.graph_url.clone(),
            },
        }),
        private_window: false,
        language: "en".to_owned(),
    };
    let attempt = api::begin_connect(app, request).await.unwrap();
    wait("the sign-in is ready", async || {
        let stage = api::connect_attempt(app, &attempt.id).unwrap().stage;
        matches!(stage, ConnectStage::Ready { .. }).then_some(())
    })
    .await;
    let view = api::finish_connect(app, &attempt.id, choices()).await;
    view.unwrap().id
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_leaves_through_the_server_for_outgoing_mail_once() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::start().await;
    let postfix = Postfix::start(&dovecot, Ways::default()).await;
    let sandbox = Sandbox::start(mailroom_sandbox::Options::default())
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let browser = Arc::new(visitor(sandbox.description(), ALEX));
    let ahead = Arc::new(AtomicI64::new(0));
    let moved = ahead.clone();
    let now = move || jiff::Timestamp::now().as_millisecond() + moved.load(Ordering::SeqCst);
    let app = App::open(Options {
        extra_roots: vec![dovecot.papers.ca.as_bytes().to_vec()],
        clock: Clock::from_fn(now),
        ..crate::world::options(
            folder.path(),
            Arc::new(MemoryKey::default()),
            Arc::new(Guest(Mutex::new(browser))),
        )
    })
    .await
    .unwrap();
    let alex = connect_alex(&app, &sandbox).await;
    let input = ImapInput {
        server: format!("127.0.0.1:{}", dovecot.port),
        login: "support".to_owned(),
        ..ImapInput::default()
    };
    let password = dovecot::PASSWORD;
    let support = api::connect_imap(&app, SUPPORT, input, password.into(), choices())
        .await
        .unwrap()
        .id;
    let input = SmtpInput {
        server: format!("127.0.0.1:{}", postfix.submission),
        ..SmtpInput::default()
    };
    api::set_outbound(&app, support, input, None).await.unwrap();
    let mut settings = api::app_view(&app).await.unwrap().settings;
    settings.failure_list = ON_CALL.to_owned();
    api::save_settings(&app, settings).await.unwrap();

    let url = format!("{}/_sandbox/revoke-tokens", sandbox.description().authority);
    let revoked = reqwest::Client::new()
        .post(url)
        .json(&serde_json::json!({ "user": ALEX }))
        .send()
        .await
        .unwrap();
    assert!(revoked.status().is_success());
    let status = async |id| api::address_details(&app, id).await.unwrap().address.status;
    wait("alex is broken", async || {
        api::sync_now(&app, Some(alex)).await.unwrap();
        (status(alex).await == Status::Failed).then_some(())
    })
    .await;
    ahead.fetch_add(31 * MINUTE, Ordering::SeqCst);
    wait("the alert is there", async || {
        api::sync_now(&app, Some(support)).await.unwrap();
        ahead.fetch_add(MINUTE / 60, Ordering::SeqCst);
        (!dovecot.mails().is_empty()).then_some(())
    })
    .await;
    let mails = dovecot.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    for words in [
        "Return-Path: <support@contoso.example>",
        "Delivered-To: sales@contoso.example",
        "Auto-Submitted: auto-generated",
        ALEX,
    ] {
        assert!(mails[0].contains(words), "{words}: {}", mails[0]);
    }
    app.close().await;
}
