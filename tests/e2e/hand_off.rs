//! Handing a fix over, as everybody in it sees it: the person is turned away, the admin approves, the window goes on.

use crate::browser::Browser;
use crate::window::{Window, by_id};
use crate::world::{Keychain, World};

const ADDRESS: &str = "support@contoso.example";
const ADMIN: &str = "admin@contoso.example";
const ADMIN_PASSWORD: &str = "Practice-Admin-1";

#[tokio::test]
async fn a_blocked_connection_turns_green_without_a_click_once_the_admin_approves() {
    let mut world = World::new(Keychain::Unlocked);
    let window = Window::open(&mut world, &[]).await;
    window.click("welcome-sandbox").await;
    window.fill("connect-address", ADDRESS).await;
    window.click("connect-next").await;
    window.wait_for(&by_id("practice-password")).await;
    let password = window.text_of("practice-password").await;
    let link = world.opened_link().await;
    let scenario = url::Url::parse(&link).unwrap();
    let scenario = scenario.join("/_sandbox/scenarios/admin-approval").unwrap();
    let answer = reqwest::Client::new().put(scenario).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());

    let browser = Browser::start(&mut world).await;
    browser.goto(&link).await;
    let turned_away = browser.turned_away(ADDRESS, &password).await;
    assert!(turned_away.contains("Mailroom"), "{turned_away}");
    browser.close().await;

    window.wait_for(&by_id("ask-admin")).await;
    window.must_be_accessible("a blocked connection").await;
    window.click("ask-admin").await;
    window.wait_for(&by_id("handoff-message")).await;
    window.must_be_accessible("the request to the admin").await;
    window.picture("hand-off").await;
    window.click("handoff-here").await;

    // From here on nobody touches the window.
    let approval = world.opened_link().await;
    assert!(approval.contains("/v2.0/adminconsent?"), "{approval}");
    let browser = Browser::start(&mut world).await;
    browser.goto(&approval).await;
    let page = browser.sign_in(ADMIN, ADMIN_PASSWORD).await;
    assert!(page.contains("Mailroom goes on by itself"), "{page}");
    browser.close().await;

    let link = world.opened_link().await;
    assert!(link.contains("/authorize?"), "{link}");
    let browser = Browser::start(&mut world).await;
    browser.goto(&link).await;
    let page = browser.sign_in(ADDRESS, &password).await;
    assert!(page.contains("return to Mailroom"), "{page}");
    browser.close().await;
    window.wait_for(&by_id("connect-confirm")).await;
    window.close().await;
}
