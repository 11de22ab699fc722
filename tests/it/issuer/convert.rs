//! From a password to tokens at the same server.

use super::{Desk, SUPPORT};
use crate::imap::dovecot;
use crate::world::wait;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{ConnectChoices, ConnectStage, Outcome};
use mailroom_core::api::{self, ConvertTo, ImapInput};

#[tokio::test(flavor = "multi_thread")]
async fn a_password_gives_way_to_tokens_and_everything_else_stays() {
    let desk = Desk::new().await;
    for number in 1..=3 {
        let id = format!("old-{number}@contoso.example");
        desk.server.deliver("new", &id, -86_400);
    }
    let choices = |newest| ConnectChoices {
        brand: "Contoso".to_owned(),
        import_newest: newest,
        folder: None,
    };
    let by_password = ImapInput {
        issuer: None,
        ..desk.input()
    };
    let password = dovecot::PASSWORD.into();
    let view = api::connect_imap(&desk.app, SUPPORT, by_password, password, choices(Some(2)))
        .await
        .unwrap();
    let ledger = async |outcome| {
        api::ledger(&desk.app, view.id, None, Some(outcome), 0, 500)
            .await
            .unwrap()
    };
    wait("the import is done", async || {
        (ledger(Outcome::Imported).await.len() == 2).then_some(())
    })
    .await;
    wait("it is polled, and the import is over", async || {
        let view = desk.view(view.id).await;
        let over = view.import.is_some_and(|import| import.ended_at.is_some());
        view.last_success_at.filter(|_| over)
    })
    .await;
    let before = api::address_details(&desk.app, view.id).await.unwrap();

    let issuer = || desk.input().issuer.unwrap();
    let attempt = api::convert_to_oauth(
        &desk.app,
        view.id,
        ConvertTo::ImapIssuer(issuer()),
        false,
        "en",
    )
    .await
    .unwrap();
    let attempt = desk.decided(&attempt.id).await;
    assert!(
        matches!(attempt.stage, ConnectStage::Ready { .. }),
        "{:?}",
        attempt.stage
    );
    // Until it is finished the password is in use.
    desk.server.deliver("new", "meanwhile@contoso.example", 1);
    api::finish_connect(&desk.app, &attempt.id, choices(None))
        .await
        .unwrap();
    desk.server.deliver("new", "after@contoso.example", 1);
    wait("what arrived is fetched with tokens", async || {
        let _ = api::sync_now(&desk.app, Some(view.id)).await;
        (ledger(Outcome::Imported).await.len() == 4).then_some(())
    })
    .await;
    assert!(ledger(Outcome::Duplicate).await.is_empty());
    assert!(ledger(Outcome::Failed).await.is_empty());
    let after = api::address_details(&desk.app, view.id).await.unwrap();
    assert_eq!(after.folder, before.folder);
    assert_eq!(after.category, before.category);
    assert_eq!(after.poll_interval_s, before.poll_interval_s);
    assert_eq!(after.address.brand, before.address.brand);

    let to = ConvertTo::ImapIssuer(issuer());
    let refused = api::convert_to_oauth(&desk.app, view.id, to, false, "en").await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::WrongState);
    desk.app.close().await;
}
