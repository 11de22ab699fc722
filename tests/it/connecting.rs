//! Signing in and connecting, through real HTTP.

use crate::world::{MemoryKey, SUPPORT, World, options, wait};
use mailroom_core::api;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{CloudInput, ConnectStage, Status};
use mailroom_core::app::App;
use mailroom_core::app::desktop::Desktop;
use mailroom_core::diagnosis::Severity;
use std::pin::Pin;
use std::sync::Arc;

#[tokio::test]
async fn connects_a_mailbox_and_shows_it_verified() {
    let world = World::new().await;
    let attempt = world.sign_in(SUPPORT).await.unwrap();
    let ConnectStage::Ready {
        identity,
        scopes,
        folder_messages,
        ..
    } = &attempt.stage
    else {
        panic!("{:?}", attempt.stage);
    };
    assert_eq!(identity.primary_address.as_deref(), Some(SUPPORT));
    assert!(
        identity
            .aliases
            .iter()
            .any(|alias| alias == "help@contoso.example")
    );
    assert!(
        scopes
            .iter()
            .filter(|scope| scope.needed)
            .all(|scope| scope.granted)
    );
    assert!(*folder_messages >= 1_200, "{folder_messages}");

    let view = world.finish(&attempt.id, None).await.unwrap();
    let view = world.verified(view.id).await;
    assert_eq!(
        (view.status, view.sandbox, view.default_to_be),
        (Status::Verified, true, true)
    );
    assert!(view.next_poll_at > view.last_success_at);
}

#[tokio::test]
async fn refuses_another_account_before_anything_is_fetched_and_lets_the_person_try_again() {
    let world = World::new().await;
    world.browser_of("alex@contoso.example");
    let attempt = world.sign_in(SUPPORT).await.unwrap();
    let ConnectStage::WrongAccount {
        asked, signed_in, ..
    } = &attempt.stage
    else {
        panic!("{:?}", attempt.stage);
    };
    assert_eq!(
        (asked.as_str(), signed_in.as_str()),
        (SUPPORT, "alex@contoso.example")
    );
    let refused = world.finish(&attempt.id, Some(10)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::WrongState);
    assert!(api::list_addresses(&world.app).await.unwrap().is_empty());
    let log = reqwest::get(format!("{}/_sandbox/log", world.tenant.authority))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        !log.contains("/messages"),
        "no message may be listed or fetched"
    );

    world.browser_of(SUPPORT);
    api::retry_connect(&world.app, &attempt.id, true).unwrap();
    let attempt = world.decided(&attempt.id).await;
    assert!(
        matches!(attempt.stage, ConnectStage::Ready { .. }),
        "{:?}",
        attempt.stage
    );
}

#[tokio::test]
async fn an_alias_of_the_mailbox_may_be_connected_and_then_the_other_names_are_taken() {
    let world = World::new().await;
    let attempt = world.sign_in("help@contoso.example").await.unwrap();
    let view = world.finish(&attempt.id, None).await.unwrap();
    assert_eq!(view.address, "help@contoso.example");
    for (address, how) in [("HELP@contoso.example", "connection"), (SUPPORT, "alias")] {
        let refused = api::begin_connect(&world.app, world.request(address))
            .await
            .unwrap_err();
        assert_eq!(refused.code, ErrorCode::AddressInUse, "{address}");
        assert_eq!(refused.args["by"], "help@contoso.example");
        assert_eq!(refused.args["how"], how);
    }
}

#[tokio::test]
async fn wrong_input_is_refused_before_the_browser_opens() {
    let world = World::new().await;
    let request = world.request(SUPPORT);
    let with = |change: &dyn Fn(&mut api::view::ConnectRequest)| {
        let mut request = request.clone();
        change(&mut request);
        request
    };
    let registration = || world.registration();
    let cases = [
        (
            with(&|request| request.address = "support".into()),
            ErrorCode::InvalidAddress,
        ),
        (
            with(&|request| request.registration = None),
            ErrorCode::RegistrationNeeded,
        ),
        (
            with(&|request| {
                request.registration = Some(api::view::RegistrationInput {
                    client_id: "mailroom".into(),
                    ..registration()
                });
            }),
            ErrorCode::InvalidClientId,
        ),
        (
            with(&|request| {
                request.registration = Some(api::view::RegistrationInput {
                    tenant: "not a tenant".into(),
                    ..registration()
                });
            }),
            ErrorCode::InvalidTenant,
        ),
        (
            with(&|request| {
                request.registration = Some(api::view::RegistrationInput {
                    cloud: CloudInput::Custom {
                        authority: "https://login.fabrikam.example/".into(),
                        graph_url: "https://graph.contoso.example/".into(),
                    },
                    ..registration()
                });
            }),
            ErrorCode::InvalidTenant,
        ),
    ];
    for (request, code) in cases {
        let refused = api::begin_connect(&world.app, request).await.unwrap_err();
        assert_eq!(refused.code, code);
    }
}

#[tokio::test]
async fn an_unknown_tenant_is_said_before_the_browser_opens() {
    let world = World::new().await;
    let mut request = world.request(SUPPORT);
    request.registration.as_mut().unwrap().tenant = "nowhere.example".into();
    let attempt = api::begin_connect(&world.app, request).await.unwrap();
    let attempt = world.decided(&attempt.id).await;
    let ConnectStage::Failed { finding } = attempt.stage else {
        panic!("{:?}", attempt.stage)
    };
    assert_eq!(
        (finding.code.as_str(), finding.severity),
        ("tenant_not_found", Severity::Failed)
    );
    assert!(finding.evidence.unwrap().raw.contains("AADSTS90002"));
}

#[tokio::test]
async fn a_needed_admin_approval_is_recognised_with_entras_own_words() {
    let world = World::with_scenarios(&["admin-approval"]).await;
    let attempt = api::begin_connect(&world.app, world.request(SUPPORT))
        .await
        .unwrap();
    let attempt = world.decided(&attempt.id).await;
    let ConnectStage::Failed { finding } = attempt.stage else {
        panic!("{:?}", attempt.stage)
    };
    assert!(
        ["AADSTS65004", "AADSTS90094"].contains(&finding.code.as_str()),
        "{}",
        finding.code
    );
    let card = api::explain(&world.app, &finding.code, &finding.args, "de");
    assert!(card.known && !card.steps.is_empty());
}

#[tokio::test]
async fn cancelling_keeps_nothing_and_frees_the_attempt() {
    let world = World::new().await;
    // Nobody sits at the browser.
    *world.guest.0.lock().unwrap() = std::sync::Arc::new(mailroom_sandbox::visitor::Visitor::new(
        "nobody@contoso.example",
        "",
    ));
    let attempt = api::begin_connect(&world.app, world.request(SUPPORT))
        .await
        .unwrap();
    api::cancel_connect(&world.app, &attempt.id).unwrap();
    assert_eq!(
        api::connect_attempt(&world.app, &attempt.id)
            .unwrap_err()
            .code,
        ErrorCode::NotFound
    );
    assert!(api::list_addresses(&world.app).await.unwrap().is_empty());
}

/// A desktop with a defect.
struct Broken;

impl Desktop for Broken {
    fn open_url<'a>(
        &'a self,
        _url: &'a str,
        _private_window: bool,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        panic!("a defect")
    }
}

#[tokio::test]
async fn a_defect_of_ours_ends_the_attempt_instead_of_leaving_somebody_waiting() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let key = Arc::new(MemoryKey::default());
    let options = options(folder.path(), key, Arc::new(Broken));
    let app = App::open(options).await.unwrap();
    let attempt = api::begin_connect(&app, world.request(SUPPORT))
        .await
        .unwrap();
    let finding = wait("the attempt has failed", async || {
        let stage = api::connect_attempt(&app, &attempt.id).unwrap().stage;
        let ConnectStage::Failed { finding } = stage else {
            return None;
        };
        Some(finding)
    })
    .await;
    assert_eq!(
        (finding.code.as_str(), finding.severity),
        ("internal_fault", Severity::Failed)
    );
    app.close().await;
}
