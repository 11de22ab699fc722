//! Each way to say a token, alone, to real servers: XOAUTH2 and OAUTHBEARER, at once and after being asked, short tokens
//! and such as Microsoft's, taken and refused.

use super::Desk;
use super::shared::{BOTH, SEND_AS, connect, desk, postfix as sending};
use crate::smtp::sends_by;
use mailroom_core::api;
use mailroom_core::api::view::{Direction, StationState};
use mailroom_rigs::postfix;
use serde_json::json;

/// What Dovecot offers without SASL-IR (RFC 4959): the answer has to wait until the server asks.
const ASKS_FIRST: &str =
    "imap_capability = IMAP4rev1 LITERAL+ ID ENABLE IDLE UIDPLUS MOVE NAMESPACE\n";

async fn refusals(desk: &Desk, id: i64) -> Vec<(Direction, String)> {
    let results = api::try_servers(&desk.app, id).await.unwrap();
    results
        .into_iter()
        .filter_map(|result| {
            let finding = result.finding?;
            let evidence = finding.evidence.as_ref().unwrap();
            Some((
                result.direction,
                format!("{}: {}", finding.code, evidence.raw),
            ))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mechanism_alone_signs_in_for_reading_and_sending_and_its_refusal_is_read() {
    if !postfix::is_possible() {
        return;
    }
    // A token of 3,000 bits makes a longer line than a command of SMTP may be. The provider makes none longer.
    for (mechanism, capability, bits) in [
        ("XOAUTH2", "", 256),
        ("XOAUTH2", ASKS_FIRST, 3_000),
        ("OAUTHBEARER", "", 3_000),
        ("OAUTHBEARER", ASKS_FIRST, 256),
    ] {
        let what = format!("{mechanism} {capability} {bits}");
        let mut desk = desk().await;
        let offered = mechanism.to_lowercase();
        desk.server.write(
            "last",
            &format!("auth_mechanisms = {offered}\n{capability}"),
        );
        desk.provider.set(json!({"tokenBits": bits})).await;
        desk.restart_server().await;
        desk.server.allow(BOTH).await;
        let view = connect(&desk).await;
        let postfix = sending(&desk, SEND_AS).await;
        sends_by(&desk.app, view.id, &postfix).await;
        let taken = refusals(&desk, view.id).await;
        assert!(taken.is_empty(), "{what}: {taken:?}");
        let log = desk.server.log();
        let said = format!("user=<support>, method={mechanism}");
        assert!(log.contains(&said), "{what}: {log}");
        let map = api::prove_sending(&desk.app, view.id).await.unwrap();
        assert_eq!(map.send_as, StationState::Ok, "{what}: {map:#?}");
        let said = format!("sasl_method={mechanism}, sasl_username=kim");
        assert!(postfix.log().contains(&said), "{what}: {}", postfix.log());

        // A token for somebody else: both servers give the reason before they refuse.
        desk.provider
            .set(json!({"audience": "https://files.contoso.example"}))
            .await;
        desk.restart_server().await;
        let refused = refusals(&desk, view.id).await;
        assert_eq!(refused.len(), 2, "{what}: {refused:?}");
        let codes = ["IMAP AUTHENTICATE failed", "SMTP token refused"];
        for ((direction, said), code) in refused.iter().zip(codes) {
            let is_read = said.starts_with(code) && said.contains("\"status\":");
            assert!(is_read, "{what} {direction:?}: {said}");
        }
        desk.app.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_tokens_gets_none() {
    let mut desk = desk().await;
    desk.server.allow(BOTH).await;
    let view = connect(&desk).await;
    desk.server.write("last", "auth_mechanisms = plain\n");
    desk.restart_server().await;
    let refused = refusals(&desk, view.id).await;
    let [(Direction::Inbound, said)] = refused.as_slice() else {
        panic!("{refused:?}");
    };
    assert_eq!(said, "IMAP AUTH missing: The server offers: AUTH=PLAIN");
    let map = api::check_address(&desk.app, view.id, None).await.unwrap();
    let failed = map.first_failed().unwrap();
    assert_eq!(failed.station, mailroom_core::api::view::Station::SignIn);
    desk.app.close().await;
}
