//! The main job as a person sees it.

use crate::browser::Browser;
use crate::window::{Window, by_id};
use crate::world::{Keychain, World};

const ADDRESS: &str = "support@contoso.example";

/// A mail that could have come from a customer.
const NEW_MAIL: &str = "From: Erika Muster <erika@fabrikam.example>\r\n\
    To: support@contoso.example\r\n\
    Subject: The blue printer hums at night\r\n\
    Message-ID: <blue-printer-hums@fabrikam.example>\r\n\
    Date: Thu, 20 Nov 2025 10:00:00 +0100\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    \r\n\
    Since Tuesday the blue printer on the second floor hums all night long.\r\n";

#[tokio::test]
async fn a_person_connects_a_mailbox_watches_the_import_and_reads_a_new_mail() {
    let mut world = World::new(Keychain::Unlocked);
    let window = Window::open(&mut world, &[]).await;

    window.wait_for(&by_id("welcome-sandbox")).await;
    window.must_be_accessible("the welcome").await;
    window.picture("welcome").await;
    window.click("welcome-sandbox").await;
    window.fill("connect-address", ADDRESS).await;
    window
        .must_be_accessible("the question for the address")
        .await;
    window.click("connect-next").await;

    window.wait_for(&by_id("practice-password")).await;
    let link = world.opened_link().await;
    let password = window.text_of("practice-password").await;
    window.must_be_accessible("waiting for the browser").await;
    let browser = Browser::start(&mut world).await;
    browser.goto(&link).await;
    let last_page = browser.sign_in(ADDRESS, &password).await;
    assert!(last_page.contains("return to Mailroom"), "{last_page}");
    browser.close().await;

    window.wait_for(&by_id("connect-confirm")).await;
    window.must_be_accessible("the confirmation").await;
    window.picture("connect").await;
    window.click("connect-confirm").await;
    window.wait_for(&by_id("import-progress")).await;
    window
        .must_be_accessible("the address while importing")
        .await;
    window.picture("importing").await;

    window.click("nav-addresses").await;
    window
        .wait_for(&format!("{}[data-status=verified]", by_id("address-row")))
        .await;
    window.must_be_accessible("the list of addresses").await;
    window.picture("addresses").await;
    window.click("nav-tickets").await;
    window.wait_for(&by_id("ticket-row")).await;
    window.must_be_accessible("the list of tickets").await;
    window.picture("tickets").await;

    deliver(&link).await;
    window.click("nav-addresses").await;
    window.click_button("Check all now").await;
    window.click("nav-tickets").await;
    window.fill("search", "blue printer").await;
    window.wait_for_text("The blue printer hums at night").await;
    window.click("ticket-row").await;
    window
        .wait_for_text("on the second floor hums all night long")
        .await;
    window.must_be_accessible("a ticket").await;
    window.picture("ticket").await;
    window.close().await;
}

/// Puts a new mail into the practice mailbox, as if it came from outside.
async fn deliver(link: &str) {
    let tenant = url::Url::parse(link).unwrap();
    let mut to = tenant.join("/_sandbox/deliver").unwrap();
    to.query_pairs_mut().append_pair("mailbox", ADDRESS);
    let answer = reqwest::Client::new()
        .post(to)
        .body(NEW_MAIL)
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
}
