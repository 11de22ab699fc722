//! Practising as a person sees it: break something, mend it as the admin in a real browser, watch the map turn green.

use crate::browser::Browser;
use crate::window::{Window, by_id};
use crate::world::{Keychain, World};

const ADDRESS: &str = "support@contoso.example";

#[tokio::test]
async fn a_person_breaks_the_practice_mailbox_mends_it_as_the_admin_and_watches_it_turn_green() {
    let mut world = World::new(Keychain::Unlocked);
    let window = Window::open(&mut world, &[]).await;
    window.click("welcome-practise").await;
    window.must_be_accessible("the list of failures").await;
    window.click("practise-connect").await;
    window.fill("connect-address", ADDRESS).await;
    window.click("connect-next").await;
    window.wait_for(&by_id("practice-password")).await;
    let link = world.opened_link().await;
    let password = window.text_of("practice-password").await;
    let browser = Browser::start(&mut world).await;
    browser.goto(&link).await;
    browser.sign_in(ADDRESS, &password).await;
    window.click("connect-confirm").await;
    window.wait_for(&by_id("import-progress")).await;

    window.click("nav-practise").await;
    window.picture("practise").await;
    window.fill("practise-search", "AADSTS7000112").await;
    window
        .click_css("[data-testid=exercise][data-name=app-disabled] a")
        .await;
    window.click("practise-break").await;
    window
        .wait_for("[data-testid=station-registration][data-state=failed]")
        .await;
    window.must_be_accessible("the broken exercise").await;
    window.picture("exercise").await;

    window.click("practise-open").await;
    let page = world.opened_link().await;
    let admin = window.text_of("practice-account").await;
    let password = window.text_of("practice-password").await;
    browser.goto(&page).await;
    browser.sign_in_as_admin(&admin, &password).await;
    browser.leave_by("#app-disabled").await;
    browser.close().await;

    window
        .wait_for("[data-testid=exercise-page][data-mended=true]")
        .await;
    window
        .wait_for("[data-testid=station-registration][data-state=ok]")
        .await;
    window.picture("mended").await;
    window.click("nav-forecast").await;
    window.wait_for(&by_id("ending")).await;
    window.must_be_accessible("what expires").await;
    window.picture("forecast").await;
    window.click("nav-settings").await;
    window.click("open-bundle").await;
    window.wait_for(&by_id("bundle-text")).await;
    window.must_be_accessible("the support bundle").await;
    window.wait_for_text("README.txt").await;
    window.picture("bundle").await;
    window.close().await;
}
