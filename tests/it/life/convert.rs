//! From a password at an IMAP server to Microsoft Graph.

use crate::imap::Desk;
use crate::imap::dovecot::{Dovecot, PASSWORD};
use crate::world::{SUPPORT, mail, wait};
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{
    CloudInput, ConnectChoices, ConnectStage, Outcome, ProviderKind, RegistrationInput,
};
use mailroom_core::api::{self, ConvertTo};
use mailroom_sandbox::{Description, Sandbox};

/// The same mail arrives by both ways in, as when a mailbox has both.
async fn arrives(server: &Dovecot, tenant: &Description, id: &str, age: i64) {
    server.deliver("new", id, age);
    let url = format!("{}/_sandbox/deliver?mailbox={SUPPORT}", tenant.authority);
    let text = mail(id, &format!("About {id}"), "").replace('\n', "\r\n");
    let answer = reqwest::Client::new().post(url).body(text).send().await;
    assert!(answer.unwrap().status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn graph_goes_on_where_imap_ended_and_doubles_nothing() {
    let sandbox = Sandbox::start(mailroom_sandbox::Options::default())
        .await
        .unwrap();
    let tenant = sandbox.description().clone();
    let server = Dovecot::start().await;
    server.deliver("new", "old@contoso.example", -86_400);
    let desk = Desk::beside(&sandbox, Some(&server.papers.ca)).await;
    let view = desk
        .connect(server.port, PASSWORD, None, Some(5))
        .await
        .unwrap();
    desk.verified(view.id).await;
    arrives(&server, &tenant, "second@contoso.example", 1).await;
    desk.imported(view.id, 2).await;
    let before = api::address_details(&desk.app, view.id).await.unwrap();
    api::pause_address(&desk.app, view.id).await.unwrap();
    arrives(&server, &tenant, "third@contoso.example", 1).await;

    let registration = RegistrationInput {
        client_id: tenant.client_id.clone(),
        tenant: tenant.tenant.clone(),
        cloud: CloudInput::Custom {
            authority: tenant.authority.clone(),
            graph_url: tenant.graph_url.clone(),
        },
    };
    let nobodys = ConvertTo::Graph(None);
    let refused = api::convert_to_oauth(&desk.app, view.id, nobodys, false, "en").await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::RegistrationNeeded);
    let to = ConvertTo::Graph(Some(registration));
    let attempt = api::convert_to_oauth(&desk.app, view.id, to, false, "en")
        .await
        .unwrap();
    let attempt = wait("the sign-in is ready", async || {
        let attempt = api::connect_attempt(&desk.app, &attempt.id).unwrap();
        matches!(attempt.stage, ConnectStage::Ready { .. }).then_some(attempt)
    })
    .await;
    let choices = ConnectChoices {
        brand: "Contoso".to_owned(),
        import_newest: None,
        folder: None,
    };
    api::finish_connect(&desk.app, &attempt.id, choices)
        .await
        .unwrap();
    api::resume_address(&desk.app, view.id).await.unwrap();
    arrives(&server, &tenant, "fourth@contoso.example", 1).await;
    desk.imported(view.id, 4).await;

    let after = api::address_details(&desk.app, view.id).await.unwrap();
    assert_eq!(after.address.provider, ProviderKind::Graph);
    assert_eq!(after.address.open_tickets, 4);
    assert_eq!(after.address.brand, before.address.brand);
    assert_eq!(after.poll_interval_s, before.poll_interval_s);
    assert_eq!(after.identity.primary_address.as_deref(), Some(SUPPORT));
    let subjects = async |outcome| {
        let rows = desk.ledger(view.id, outcome).await;
        let mut ids: Vec<String> = rows.into_iter().filter_map(|row| row.message_id).collect();
        ids.sort();
        ids
    };
    assert_eq!(
        subjects(Outcome::Imported).await,
        ["fourth", "old", "second", "third"].map(|name| format!("{name}@contoso.example"))
    );
    // Its numbers by IMAP are unknown to Graph: known again by what it says. A poll that was under way when the pause
    // began may have brought the third by IMAP.
    let known_again = subjects(Outcome::Duplicate).await;
    let by_imap = ["second@contoso.example", "third@contoso.example"];
    assert!(
        known_again == by_imap[..1] || known_again == by_imap,
        "{known_again:?}"
    );
    assert!(desk.ledger(view.id, Outcome::Failed).await.is_empty());
    desk.app.close().await;
}
