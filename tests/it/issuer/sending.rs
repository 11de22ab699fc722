//! Sending with the token that mail is read with: a real Postfix asks a Dovecot about tokens, which asks the issuer.

use super::Desk;
use crate::imap::dovecot::Dovecot;
use crate::smtp::sends_by;
use mailroom_core::api;
use mailroom_core::api::view::{Station, StationState};
use mailroom_core::diagnosis::catalogue::{Fixer, Language, card};
use mailroom_rigs::postfix::{self, Postfix, Ways};
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_another_service_stops_at_sending_while_reading_goes_on() {
    if !postfix::is_possible() {
        return;
    }
    let desk = Desk::new().await;
    let view = desk.connect(None).await;
    let mut postfix = Postfix::start(&desk.server, Ways::default()).await;
    sends_by(&desk.app, view.id, &postfix).await;
    let map = api::prove_sending(&desk.app, view.id).await.unwrap();
    assert!(map.first_failed().is_none(), "{map:#?}");

    // Postfix asks somebody who takes tokens of the same issuer for something else.
    let mut files = Dovecot::with_introspection(&desk.provider.introspection()).await;
    let questions = fs::read_to_string(files.place().join("tokens")).unwrap();
    assert!(questions.contains("scope = mail"));
    files.write(
        "tokens",
        &questions.replace("scope = mail", "scope = files"),
    );
    files.restart().await;
    let settings = format!("smtpd_sasl_path = {}\n", files.sasl_socket().display());
    let ways = Ways {
        settings: &settings,
        papers: None,
    };
    postfix.change(&desk.server, ways).await;
    let map = api::check_address(&desk.app, view.id, None).await.unwrap();
    let failed = map.first_failed().unwrap();
    let finding = failed.finding.as_ref().unwrap();
    assert_eq!(
        (failed.station, finding.code.as_str()),
        (Station::Send, "SMTP token refused")
    );
    for language in Language::ALL {
        let card = card(&finding.code, &finding.args, language);
        assert_eq!(card.fixers, [Fixer::You, Fixer::AppOwner]);
        assert!(card.known && !card.meaning.contains('{'), "{card:?}");
    }
    assert_eq!(map.station(Station::Fetch).unwrap().state, StationState::Ok);

    postfix.change(&desk.server, Ways::default()).await;
    let map = api::check_address(&desk.app, view.id, None).await.unwrap();
    assert!(map.first_failed().is_none(), "{map:#?}");
    assert_eq!(map.station(Station::Send).unwrap().state, StationState::Ok);
    desk.app.close().await;
}
