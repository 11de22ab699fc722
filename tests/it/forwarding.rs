//! Inbox rules that send mail on: looked for when wanted, with a permission that nothing else asks for.

use crate::world::{SUPPORT, World};
use mailroom_core::api::view::{
    AddressView, ConnectStage, HandOff, HandOffFor, HandOffKind, HandOffState, Recheck,
};
use mailroom_core::api::{self, ForwardingCheck, error::ErrorCode};
use mailroom_core::diagnosis::Finding;
use serde_json::{Value, json};

const SCOPE: &str = "MailboxSettings.Read";

async fn look(world: &World, id: i64) -> ForwardingCheck {
    api::look_for_forwarding(&world.app, id).await.unwrap()
}

async fn findings(world: &World, id: i64) -> Vec<Finding> {
    match look(world, id).await {
        ForwardingCheck::Looked { findings, .. } => findings,
        ForwardingCheck::NeedsConsent { scope } => panic!("{scope} is missing"),
    }
}

/// Asks for the permission in the browser and keeps what was granted.
async fn consent(world: &World, view: &AddressView) {
    let attempt = api::ask_for_forwarding(&world.app, view.id, false, "en")
        .await
        .unwrap();
    let attempt = world.decided(&attempt.id).await;
    assert!(
        matches!(attempt.stage, ConnectStage::Ready { .. }),
        "{:?}",
        attempt.stage
    );
    world.finish(&attempt.id, None).await.unwrap();
}

async fn add_rule(world: &World, name: &str, enabled: bool, actions: Value) {
    let rule =
        json!({"mailbox": SUPPORT, "displayName": name, "isEnabled": enabled, "actions": actions});
    world.control("rule", rule).await;
}

fn to(address: &str) -> Value {
    json!([{"emailAddress": {"name": "Ida", "address": address}}])
}

/// Queries of all requests to the sign-in page so far.
async fn asked(world: &World) -> Vec<String> {
    let url = format!("{}/_sandbox/log", world.tenant.authority);
    let log: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let all = log["requests"].as_array().unwrap().clone();
    all.iter()
        .filter_map(|entry| entry["path"].as_str())
        .filter(|path| path.contains("/authorize?"))
        .map(str::to_owned)
        .collect()
}

/// Only what Mailroom asks for is consented to: nothing that an administrator granted beforehand.
async fn nobody_has_consented(world: &World) {
    world.control("withdraw-consent", json!({})).await;
}

#[tokio::test]
async fn the_permission_is_asked_for_when_wanted_and_never_by_connecting() {
    let world = World::new().await;
    nobody_has_consented(&world).await;
    let view = world.connect(None).await;
    let before = asked(&world).await;
    assert!(!before.is_empty());
    assert!(
        before.iter().all(|query| !query.contains(SCOPE)),
        "{before:?}"
    );
    let missing = look(&world, view.id).await;
    assert!(
        matches!(&missing, ForwardingCheck::NeedsConsent { scope } if scope == SCOPE),
        "{missing:?}"
    );
    consent(&world, &view).await;
    assert_eq!(findings(&world, view.id).await, []);
    let after = asked(&world).await;
    let wanted: Vec<&String> = after.iter().filter(|query| query.contains(SCOPE)).collect();
    assert!(!wanted.is_empty());
    assert!(after.iter().all(|query| !query.contains("prompt=consent")));
    // Mail goes on being read, and an ordinary sign-in asks for the usual scopes again.
    world.poll(view.id).await;
    let known = after.len();
    let again = api::reconnect_address(&world.app, view.id, false, "en")
        .await
        .unwrap();
    world.decided(&again.id).await;
    let later = asked(&world).await;
    assert!(later.len() > known);
    let later = later.get(known..).unwrap();
    assert!(
        later.iter().all(|query| !query.contains(SCOPE)),
        "{later:?}"
    );
}

#[tokio::test]
async fn each_rule_that_is_on_and_sends_mail_on_is_a_finding() {
    let world = World::new().await;
    let view = world.connect(None).await;
    consent(&world, &view).await;
    let to_ida = to("ida@fabrikam.example");
    add_rule(&world, "Copies", true, json!({"forwardTo": to_ida})).await;
    let gone = json!({"redirectTo": to("jo@fabrikam.example"), "delete": true});
    add_rule(&world, "Quiet", true, gone).await;
    add_rule(&world, "Off", false, json!({"forwardTo": to_ida})).await;
    add_rule(&world, "Mark", true, json!({"markAsRead": true})).await;
    let found = findings(&world, view.id).await;
    let drawn: Vec<(&str, &str, &str)> = found
        .iter()
        .map(|one| {
            (
                one.code.as_str(),
                one.args["rule"].as_str(),
                one.args["target"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        drawn,
        [
            ("forwarding_rule", "Copies", "ida@fabrikam.example"),
            ("forwarding_rule_takes", "Quiet", "jo@fabrikam.example"),
        ]
    );
    let card = api::explain(&world.app, &found[0].code, &found[0].args, "en");
    assert!(
        card.title.contains("ida@fabrikam.example"),
        "{}",
        card.title
    );
}

#[tokio::test]
async fn where_only_an_admin_may_consent_it_is_handed_over_like_any_other_permission() {
    let world = World::new().await;
    nobody_has_consented(&world).await;
    let view = world.connect(None).await;
    world.scenario("admin-approval", true).await;
    let attempt = api::ask_for_forwarding(&world.app, view.id, false, "en")
        .await
        .unwrap();
    let attempt = world.decided(&attempt.id).await;
    let ConnectStage::Failed { finding } = attempt.stage else {
        panic!("{:?}", attempt.stage);
    };
    assert_eq!(finding.hand_off, Some(HandOffKind::Approval), "{finding:?}");
    assert!(finding.args["scope"].contains(SCOPE), "{finding:?}");
    // The connection itself has lost nothing.
    assert!(matches!(
        look(&world, view.id).await,
        ForwardingCheck::NeedsConsent { .. }
    ));
}

/// A healthy address for which an admin was asked to let the rules be read.
async fn waiting(world: &World) -> (AddressView, HandOff) {
    nobody_has_consented(world).await;
    let view = world.connect(None).await;
    world.scenario("admin-approval", true).await;
    let attempt = api::ask_for_forwarding(&world.app, view.id, false, "en")
        .await
        .unwrap();
    let attempt = world.decided(&attempt.id).await;
    let ConnectStage::Failed { finding } = attempt.stage else {
        panic!("{:?}", attempt.stage);
    };
    let whom = HandOffFor::Attempt(attempt.id);
    let asked = api::hand_off(&world.app, whom, &finding.code)
        .await
        .unwrap();
    (view, asked)
}

#[tokio::test]
async fn mail_that_is_read_is_no_approval_of_what_was_asked_for_later() {
    let world = World::new().await;
    let (view, asked) = waiting(&world).await;
    let still_waits = async |after: &str| {
        let all = api::list_hand_offs(&world.app).await.unwrap();
        assert_eq!(all.len(), 1, "{after}");
        assert_eq!(all[0].state, HandOffState::Waiting, "{after}");
    };
    world.poll(view.id).await;
    still_waits("a poll").await;
    api::check_address(&world.app, view.id, None).await.unwrap();
    still_waits("a check").await;
    api::prove_sending(&world.app, view.id).await.unwrap();
    still_waits("a test mail").await;
    // What was granted shows in a sign-in only, and it is said.
    let looked = api::recheck_hand_off(&world.app, asked.id).await.unwrap();
    assert_eq!(
        (looked.state, looked.recheck),
        (HandOffState::Waiting, Recheck::SignIn)
    );
    still_waits("a look").await;

    // The admin approves. Signing in once more asks for just that, and nobody waits any longer.
    world.control("grant-consent", json!({})).await;
    let attempt = api::sign_in_for_hand_off(&world.app, asked.id, false, "en")
        .await
        .unwrap();
    let attempt = world.decided(&attempt.id).await;
    world.finish(&attempt.id, None).await.unwrap();
    assert_eq!(api::list_hand_offs(&world.app).await.unwrap(), []);
    assert_eq!(findings(&world, view.id).await, []);
}

#[tokio::test]
async fn a_refusal_for_what_was_asked_for_later_can_be_asked_again() {
    let world = World::new().await;
    let (view, asked) = waiting(&world).await;
    let again = api::hand_off(&world.app, HandOffFor::Address(view.id), &asked.code)
        .await
        .unwrap();
    assert_eq!(
        (again.id, &again.consent_link),
        (asked.id, &asked.consent_link)
    );
    assert!(again.consent_link.unwrap().contains(SCOPE));
}

#[tokio::test]
async fn a_permission_that_was_withdrawn_is_asked_for_again_while_mail_goes_on() {
    let world = World::new().await;
    nobody_has_consented(&world).await;
    let view = world.connect(None).await;
    consent(&world, &view).await;
    assert_eq!(findings(&world, view.id).await, []);
    // Somebody takes back this one permission, and the tokens in use end.
    nobody_has_consented(&world).await;
    let usual = json!({"scopes": ["openid", "profile", "email", "offline_access", "User.Read", "Mail.ReadWrite", "Mail.Send"]});
    world.control("grant-consent", usual).await;
    world.control("expire-access-tokens", json!({})).await;
    assert!(matches!(
        look(&world, view.id).await,
        ForwardingCheck::NeedsConsent { .. }
    ));
    assert_eq!(world.poll(view.id).await.cause, None);
    // An ordinary sign-in does not bring it back, and breaks nothing.
    let again = api::reconnect_address(&world.app, view.id, false, "en")
        .await
        .unwrap();
    world.decided(&again.id).await;
    world.finish(&again.id, None).await.unwrap();
    assert_eq!(world.poll(view.id).await.cause, None);
    consent(&world, &view).await;
    assert_eq!(findings(&world, view.id).await, []);
}

#[tokio::test]
async fn a_withdrawn_permission_does_not_stop_the_mail() {
    let world = World::new().await;
    nobody_has_consented(&world).await;
    let view = world.connect(None).await;
    consent(&world, &view).await;
    nobody_has_consented(&world).await;
    let usual = json!({"scopes": ["openid", "profile", "email", "offline_access", "User.Read", "Mail.ReadWrite", "Mail.Send"]});
    world.control("grant-consent", usual).await;
    // The last sign-in is still thought to grant it: signing in again as usual renews at once.
    let again = api::reconnect_address(&world.app, view.id, false, "en")
        .await
        .unwrap();
    world.decided(&again.id).await;
    world.finish(&again.id, None).await.unwrap();
    assert_eq!(world.poll(view.id).await.cause, None);
    assert!(matches!(
        look(&world, view.id).await,
        ForwardingCheck::NeedsConsent { .. }
    ));
}

#[tokio::test]
async fn a_closed_mailbox_is_no_missing_permission() {
    let world = World::new().await;
    let view = world.connect(None).await;
    consent(&world, &view).await;
    world.scenario("graph-denied", true).await;
    let refused = api::look_for_forwarding(&world.app, view.id).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::ServerRefused);
    world.scenario("graph-denied", false).await;
    assert_eq!(findings(&world, view.id).await, []);
}

#[tokio::test]
async fn a_mailbox_whose_rules_cannot_be_read_says_so() {
    let world = World::new().await;
    let view = world.connect(None).await;
    api::disconnect_address(&world.app, view.id).await.unwrap();
    let refused = api::look_for_forwarding(&world.app, view.id).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::WrongState);
}
