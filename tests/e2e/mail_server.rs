//! A mailbox on a mail server of one's own, connected in the window with a password, by the keyboard alone: a real
//! Dovecot.

use crate::window::{DOWN, ENTER, SPACE, TAB, UP, Window, by_id};
use crate::world::{Keychain, World};
use mailroom_rigs::dovecot::{Dovecot, LOGIN, PASSWORD};

#[tokio::test]
async fn a_person_connects_a_folder_of_a_mail_server_and_sees_its_mail_as_a_ticket() {
    let server = Dovecot::start().await;
    server.folder("Requests");
    server.deliver("new", "elsewhere@fabrikam.example", -60);
    server.deliver(".Requests/new", "toner@fabrikam.example", -60);
    let mut world = World::new(Keychain::Unlocked);
    world.trust(&server.papers.ca);
    let window = Window::open(&mut world, &[]).await;

    window.tab_to("welcome-connect").await;
    window.press(ENTER).await;
    window
        .tab_and_type("connect-address", "support@contoso.example")
        .await;
    window.tab_to("connect-graph").await;
    window.press(DOWN).await;
    window.picture("mail-server-address").await;
    window.press(ENTER).await;

    // Microsoft's servers are proposed, and filled in.
    window.wait_for(&by_id("proposal")).await;
    window.tab_and_type("inbound-host", "127.0.0.1").await;
    window
        .tab_and_type("inbound-port", &server.port.to_string())
        .await;
    window.tab_and_type("inbound-login", LOGIN).await;
    window.tab_to("signin-microsoft").await;
    window.press(UP).await;
    window.tab_and_type("password", PASSWORD).await;
    window.tab_to("connect-sends").await;
    window.press(SPACE).await;
    window.must_be_accessible("the servers").await;
    window.picture("mail-server").await;
    window.tab_to("connect-next").await;
    window.press(ENTER).await;

    window.tab_to("ready-folder").await;
    window.press(ENTER).await;
    window.wait_for(&by_id("folder-tree")).await;
    window.press(TAB).await;
    window.press(DOWN).await;
    window.press(ENTER).await;
    window.must_be_accessible("the folders").await;
    window.picture("mail-server-folder").await;
    window.tab_to("connect-confirm").await;
    window.press(ENTER).await;

    window.wait_for(&by_id("import-progress")).await;
    window.picture("mail-server-details").await;
    window.press_with_control("2").await;
    window.wait_for_text("About toner@fabrikam.example").await;
    window.tab_to("ticket-row").await;
    window.press(ENTER).await;
    window.wait_for(&by_id("message")).await;
    window.picture("mail-server-ticket").await;
    let shown = window.text().await;
    assert!(
        !shown.contains("elsewhere@fabrikam.example"),
        "the inbox is another folder: {shown}"
    );
    window.close().await;
    assert_eq!(server.ids_in("Requests"), ["toner"]);
}
