//! The doctor at an issuer that is in trouble: which host it is, and whether it matters already.

use super::Desk;
use crate::world::wait;
use mailroom_core::api;
use mailroom_core::api::view::{ConnectionMap, Station, StationState};
use serde_json::json;

async fn check(desk: &Desk, id: i64) -> ConnectionMap {
    api::check_address(&desk.app, id, None).await.unwrap()
}

/// The map once it fails: a token that has just ended may still be taken.
async fn failing(desk: &mut Desk, id: i64) -> ConnectionMap {
    desk.restart_server().await;
    let desk = &*desk;
    wait("the check fails", async || {
        let map = check(desk, id).await;
        map.first_failed().is_some().then_some(map)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_hands_out_no_tokens_or_is_away_is_told_by_its_own_name() {
    let mut desk = Desk::new().await;
    desk.provider.set(json!({"accessTokenTtl": 2})).await;
    let id = desk.connect(None).await.id;
    let map = check(&desk, id).await;
    assert!(map.first_failed().is_none(), "{map:#?}");
    let network = map.station(Station::Network).unwrap();
    assert_eq!(network.facts["authority_host"], "127.0.0.1");
    let consent = map.station(Station::Consent).unwrap();
    assert_eq!(consent.facts["granted"], consent.facts["needed"]);

    // It answers, but hands out no tokens.
    desk.provider.set(json!({"broken": true})).await;
    let map = failing(&mut desk, id).await;
    let failed = map.first_failed().unwrap();
    let finding = failed.finding.as_ref().unwrap();
    assert_eq!(
        (failed.station, finding.code.as_str()),
        (Station::Token, "server_trouble")
    );
    let network = map.station(Station::Network).unwrap();
    assert_eq!(network.state, StationState::Ok);
    desk.provider.set(json!({"broken": false})).await;
    wait("it is well again", async || {
        let map = check(&desk, id).await;
        map.first_failed().is_none().then_some(())
    })
    .await;

    // It is away.
    desk.provider.stop();
    let map = failing(&mut desk, id).await;
    let network = map.station(Station::Network).unwrap();
    let finding = network.finding.as_ref().unwrap();
    assert_eq!(finding.code, "connection_refused");
    assert_eq!(finding.args["host"], "127.0.0.1");
    wait("no token is left", async || {
        let map = check(&desk, id).await;
        (map.first_failed().unwrap().station == Station::Network).then_some(())
    })
    .await;
    desk.app.close().await;
}
