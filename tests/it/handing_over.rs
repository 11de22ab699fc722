//! Fixes handed over to somebody else: asked for, kept over a restart, mailed, noticed when done, given up.

use crate::world::{SUPPORT, World, wait};
use mailroom_core::api;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{
    ConnectStage, HandOff, HandOffFor, HandOffKind, HandOffState, MailHandOff, Recheck, Station,
    StationState, Status,
};
use std::collections::BTreeSet;

use Station as At;

const ADMIN: &str = "admin@contoso.example";

#[tokio::test]
async fn a_first_sign_in_that_needs_approval_is_handed_over_and_survives_a_restart() {
    let mut world = World::with_scenarios(&["admin-approval"]).await;
    let attempt = world.sign_in(SUPPORT).await.unwrap();
    let map = api::check_attempt(&world.app, &attempt.id).await.unwrap();
    assert_eq!(map.first_failed().unwrap().station, At::Consent);

    let whom = HandOffFor::Attempt(attempt.id.clone());
    let asked = api::hand_off(&world.app, whom.clone(), "AADSTS65001")
        .await
        .unwrap();
    assert_eq!(asked.state, HandOffState::Waiting);
    // Nobody was ever signed in: nothing can be asked quietly, and it is said.
    assert_eq!((asked.recheck, asked.address_id), (Recheck::SignIn, None));
    assert_eq!(asked.kind, HandOffKind::Approval);
    let consent_link = asked.consent_link.clone().unwrap();
    let link = url::Url::parse(&consent_link).unwrap();
    let parameter = |name: &str| {
        let found = link.query_pairs().find(|(key, _)| key == name);
        found.unwrap().1.into_owned()
    };
    let scopes: BTreeSet<String> = parameter("scope").split(' ').map(str::to_owned).collect();
    let ours = mailroom_core::oauth::SCOPES.map(str::to_owned);
    assert_eq!(scopes, BTreeSet::from(ours));
    assert_eq!(parameter("client_id"), world.tenant.client_id);
    assert_eq!(parameter("redirect_uri"), "http://localhost");
    for message in [&asked.messages.en, &asked.messages.de, &asked.messages.ja] {
        assert!(message.text.contains(&consent_link));
    }

    let again = api::hand_off(&world.app, whom, "AADSTS65001")
        .await
        .unwrap();
    assert_eq!(
        (again.id, again.asked_at, &again.consent_link),
        (asked.id, asked.asked_at, &asked.consent_link)
    );
    world.restart().await;
    let kept = api::list_hand_offs(&world.app).await.unwrap();
    assert_eq!(kept, vec![asked.clone()]);
    let rechecked = api::recheck_hand_off(&world.app, asked.id).await.unwrap();
    assert_eq!(rechecked.state, HandOffState::Waiting);

    // The admin approves; signing in once more works, and nobody waits any longer.
    world.control("grant-consent", serde_json::json!({})).await;
    let attempt = api::sign_in_for_hand_off(&world.app, asked.id, false, "en")
        .await
        .unwrap();
    assert_eq!(attempt.address, SUPPORT);
    let attempt = world.decided(&attempt.id).await;
    let view = world.finish(&attempt.id, None).await.unwrap();
    world.verified(view.id).await;
    assert!(api::list_hand_offs(&world.app).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_connected_address_waits_for_approval_and_turns_green_by_itself() {
    let mut world = World::new().await;
    let view = world.connect(None).await;
    let refused = api::hand_off(&world.app, HandOffFor::Address(view.id), "AADSTS65001")
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::WrongState);

    world.scenario("consent-required", true).await;
    world
        .control("expire-access-tokens", serde_json::json!({}))
        .await;
    api::sync_now(&world.app, Some(view.id)).await.unwrap();
    wait("the poll fails", async || {
        (world.view(view.id).await.status == Status::Failed).then_some(())
    })
    .await;
    let asked = api::hand_off(&world.app, HandOffFor::Address(view.id), "AADSTS65001")
        .await
        .unwrap();
    assert_eq!(asked.recheck, Recheck::Quiet);
    assert_eq!(asked.address_id, Some(view.id));
    let waiting = world.view(view.id).await;
    assert_eq!(waiting.status, Status::WaitingForApproval);
    assert_eq!(waiting.cause.unwrap().code, "AADSTS65001");
    let map = api::check_address(&world.app, view.id, None).await.unwrap();
    let facts = &map.station(At::Consent).unwrap().facts;
    assert_eq!(facts["waiting_since_at"], asked.asked_at.to_string());

    // The admin approves. A restart stands for the five minutes after which the sign-in is renewed again.
    world.control("grant-consent", serde_json::json!({})).await;
    world.restart().await;
    api::sync_now(&world.app, Some(view.id)).await.unwrap();
    let green = world.verified(view.id).await;
    assert_eq!(green.cause, None);
    assert!(api::list_hand_offs(&world.app).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_quiet_look_finds_the_approval_and_ends_the_waiting() {
    let mut world = World::new().await;
    let (id, asked) = waiting(&world).await;
    let still = api::recheck_hand_off(&world.app, asked).await.unwrap();
    assert_eq!(still.state, HandOffState::Waiting);
    assert!(still.checked_at.is_some());
    api::pause_address(&world.app, id).await.unwrap();
    world.control("grant-consent", serde_json::json!({})).await;
    world.restart().await;
    let found = api::recheck_hand_off(&world.app, asked).await.unwrap();
    assert_eq!(found.state, HandOffState::Done);
    assert!(api::list_hand_offs(&world.app).await.unwrap().is_empty());
}

/// A connected address whose consent was withdrawn, with a request for approval: its id, and the request's.
async fn waiting(world: &World) -> (i64, i64) {
    let id = world.connect(None).await.id;
    world.scenario("consent-required", true).await;
    world
        .control("expire-access-tokens", serde_json::json!({}))
        .await;
    api::sync_now(&world.app, Some(id)).await.unwrap();
    wait("the poll fails", async || {
        (world.view(id).await.status == Status::Failed).then_some(())
    })
    .await;
    let asked = api::hand_off(&world.app, HandOffFor::Address(id), "AADSTS65001").await;
    (id, asked.unwrap().id)
}

#[tokio::test]
async fn waiting_can_be_given_up() {
    let world = World::new().await;
    let (id, asked) = waiting(&world).await;
    assert_eq!(world.view(id).await.status, Status::WaitingForApproval);
    api::withdraw_hand_off(&world.app, asked).await.unwrap();
    assert_eq!(world.view(id).await.status, Status::Failed);
    let gone = api::withdraw_hand_off(&world.app, asked).await.unwrap_err();
    assert_eq!(gone.code, ErrorCode::NotFound);
}

/// Exchange does not let the connected address send, as a test mail showed.
async fn without_sending(world: &World) -> (i64, HandOff) {
    let id = world.connect(None).await.id;
    world.scenario("submission-blocked", true).await;
    let map = api::prove_sending(&world.app, id).await.unwrap();
    let finding = map.station(At::Send).unwrap().finding.clone().unwrap();
    assert_eq!(finding.hand_off, Some(HandOffKind::Mailbox), "{finding:?}");
    let asked = api::hand_off(&world.app, HandOffFor::Address(id), &finding.code)
        .await
        .unwrap();
    (id, asked)
}

#[tokio::test]
async fn what_stands_in_the_way_of_sending_waits_until_a_test_mail_goes_through() {
    let mut world = World::new().await;
    let (id, asked) = without_sending(&world).await;
    assert_eq!(asked.kind, HandOffKind::Mailbox);
    assert_eq!(asked.recheck, Recheck::TestMail);
    assert_eq!(asked.consent_link, None);
    let message = &asked.messages.de;
    assert!(
        message.text.contains("bis zu 60 Minuten"),
        "{}",
        message.text
    );
    assert!(message.text.contains("nächste E-Mail"), "{}", message.text);

    // Reading goes on; that says nothing about sending. Neither does a restart.
    world.poll(id).await;
    world.restart().await;
    let waiting = api::list_hand_offs(&world.app).await.unwrap();
    assert_eq!(waiting, vec![asked.clone()]);
    let looked = api::recheck_hand_off(&world.app, asked.id).await.unwrap();
    assert_eq!(looked.state, HandOffState::Waiting);

    world.scenario("submission-blocked", false).await;
    let map = api::prove_sending(&world.app, id).await.unwrap();
    assert_eq!(map.station(At::Send).unwrap().state, StationState::Ok);
    assert!(api::list_hand_offs(&world.app).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_right_that_reading_needs_is_noticed_by_the_next_poll() {
    let world = World::new().await;
    let id = world.connect(None).await.id;
    world.scenario("graph-denied", true).await;
    api::sync_now(&world.app, Some(id)).await.unwrap();
    let cause = wait("the poll fails", async || {
        let view = world.view(id).await;
        view.cause.filter(|_| view.status == Status::Failed)
    })
    .await;
    assert_eq!(cause.hand_off, Some(HandOffKind::Mailbox));
    let asked = api::hand_off(&world.app, HandOffFor::Address(id), &cause.code)
        .await
        .unwrap();
    assert_eq!(
        (asked.recheck, asked.kind),
        (Recheck::Quiet, HandOffKind::Mailbox)
    );
    assert_eq!(world.view(id).await.status, Status::WaitingForApproval);
    let still = api::recheck_hand_off(&world.app, asked.id).await.unwrap();
    assert_eq!(still.state, HandOffState::Waiting);

    world.scenario("graph-denied", false).await;
    world.poll(id).await;
    assert!(api::list_hand_offs(&world.app).await.unwrap().is_empty());
    assert_eq!(world.view(id).await.status, Status::Verified);
}

#[tokio::test]
async fn a_request_is_mailed_from_a_healthy_address_once_a_click() {
    let world = World::new().await;
    let (id, asked) = without_sending(&world).await;
    // Exchange refuses while the scenario is on.
    let mail = |click: &str, to: &str| MailHandOff {
        id: asked.id,
        from: id,
        sender: None,
        to: to.to_owned(),
        language: "ja".to_owned(),
        click: click.to_owned(),
    };
    let refused = api::mail_hand_off(&world.app, mail("c1", ADMIN)).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::ServerRefused);
    let kept = api::list_hand_offs(&world.app).await.unwrap();
    assert_eq!(kept[0].mailed, None);

    world.scenario("submission-blocked", false).await;
    let senders = api::hand_off_senders(&world.app).await.unwrap();
    assert_eq!(senders.len(), 1);
    assert_eq!((senders[0].id, senders[0].address.as_str()), (id, SUPPORT));
    let wrong = api::mail_hand_off(
        &world.app,
        mail("c2", "admin@contoso.example\nBcc: x@y.example"),
    )
    .await;
    assert_eq!(wrong.unwrap_err().code, ErrorCode::InvalidAddress);
    // A mail to the mailbox itself, where this test can count it.
    let sent = api::mail_hand_off(&world.app, mail("c2", SUPPORT))
        .await
        .unwrap();
    let mailed = sent.mailed.clone().unwrap();
    assert_eq!(
        (mailed.from.as_str(), mailed.to.as_str(), mailed.unsure),
        (SUPPORT, SUPPORT, false)
    );
    let again = api::mail_hand_off(&world.app, mail("c2", SUPPORT))
        .await
        .unwrap();
    assert_eq!(again, sent);
    let subject = &sent.messages.ja.subject;
    let copies = async || {
        let all = world.server_mail().await;
        let is_it = |mail: &&serde_json::Value| mail["subject"].as_str() == Some(subject);
        // The mailbox keeps what it sent and what it received: one mail is one Message-ID.
        let ids = all.iter().filter(is_it);
        let ids: BTreeSet<&str> = ids
            .filter_map(|mail| mail["internetMessageId"].as_str())
            .collect();
        ids.len()
    };
    wait("the mail arrives", async || {
        (copies().await > 0).then_some(())
    })
    .await;
    assert_eq!(copies().await, 1);
    let details = api::address_details(&world.app, id).await.unwrap();
    let kinds = details
        .events
        .iter()
        .map(|event| serde_json::to_value(event.kind).unwrap());
    let mailed = kinds.filter(|kind| kind == "admin_mailed").count();
    assert_eq!(mailed, 1);

    api::pause_address(&world.app, id).await.unwrap();
    assert!(api::hand_off_senders(&world.app).await.unwrap().is_empty());
    let unwell = api::mail_hand_off(&world.app, mail("c3", ADMIN)).await;
    assert_eq!(unwell.unwrap_err().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn an_admin_at_this_computer_approves_and_everything_goes_on_without_a_click() {
    let world = World::with_scenarios(&["admin-approval"]).await;
    let attempt = world.sign_in(SUPPORT).await.unwrap();
    let whom = HandOffFor::Attempt(attempt.id.clone());
    let asked = api::hand_off(&world.app, whom, "AADSTS90094").await;
    let asked = asked.unwrap();
    world.browser_of(ADMIN);
    let visit = api::approve_here(&world.app, asked.id, Some(attempt.id.clone()), "en");
    let visit = visit.await.unwrap();
    assert!(visit.browser_opened && visit.url.contains("/v2.0/adminconsent?"));
    // The admin's browser is on its way; the next one to be opened is the person's.
    world.browser_of(SUPPORT);
    wait("the sign-in is ready", async || {
        let view = api::connect_attempt(&world.app, &attempt.id).unwrap();
        matches!(view.stage, ConnectStage::Ready { .. }).then_some(())
    })
    .await;
    let view = world.finish(&attempt.id, None).await.unwrap();
    world.verified(view.id).await;
    assert!(api::list_hand_offs(&world.app).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_approval_here_ends_the_waiting_of_a_connected_address_at_once() {
    let world = World::new().await;
    let (id, asked) = waiting(&world).await;
    world.browser_of(ADMIN);
    api::approve_here(&world.app, asked, None, "de")
        .await
        .unwrap();
    let green = world.verified(id).await;
    assert_eq!(green.cause, None);
    assert!(api::list_hand_offs(&world.app).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_message_is_saved_as_it_is_shown() {
    let world = World::new().await;
    let (_, asked) = waiting(&world).await;
    let path = world.folder.path().join("for the admin.txt");
    api::save_hand_off(&world.app, asked, "de", &path)
        .await
        .unwrap();
    let shown = &api::list_hand_offs(&world.app).await.unwrap()[0]
        .messages
        .de;
    let saved = std::fs::read_to_string(&path).unwrap();
    assert_eq!(saved, format!("{}\n\n{}", shown.subject, shown.text));
    let nowhere = world.folder.path().join("missing").join("x.txt");
    let failed = api::save_hand_off(&world.app, asked, "de", &nowhere).await;
    assert_eq!(failed.unwrap_err().code, ErrorCode::CannotWriteFile);
    let name = api::hand_off_name(&world.app, asked).await.unwrap();
    assert_eq!(name, "mailroom-support-contoso-example.txt");
}
