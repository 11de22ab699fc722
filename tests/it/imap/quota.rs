//! How full the mailbox is, as a real Dovecot with a quota tells it.

use super::doctor::{ADMIN_OR_ME, Patient, input};
use super::dovecot::Dovecot;
use mailroom_core::api::view::{Station, StationState};
use mailroom_core::diagnosis::catalogue::{self, Language};

fn quota(rule: &str) -> String {
    format!(
        "mail_plugins = quota\nprotocol imap {{\n mail_plugins = quota imap_quota\n}}\n\
         plugin {{\n quota = count:Mailbox\n quota_vsizes = yes\n quota_rule = *:{rule}\n}}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_nearly_full_then_full_and_well_again_with_more_room() {
    let mut server = Dovecot::start().await;
    server.write("more", &quota("messages=1000"));
    server.restart().await;
    for number in 0..95 {
        server.deliver("new", &format!("old-{number}@contoso.example"), -3_600);
    }
    let (port, roots) = (server.port, server.papers.ca.clone());
    // One more comes with the connection.
    let mut patient = Patient::healthy(server, input(port), &roots).await;
    let full = (Station::Mailbox, "mailbox_full", ADMIN_OR_ME);
    for rule in ["messages=96", "storage=1K"] {
        patient.fails_by("more", &quota(rule), full).await;
    }

    // 96 of 100.
    patient.server.write("more", &quota("messages=100"));
    patient.server.restart().await;
    let map = patient.check().await;
    assert!(map.first_failed().is_none(), "{map:#?}");
    let mailbox = map.station(Station::Mailbox).unwrap();
    assert_eq!(mailbox.state, StationState::Warning);
    assert_eq!(mailbox.facts["room_taken"], "96 %");
    let finding = mailbox.finding.as_ref().unwrap();
    assert_eq!(finding.code, "mailbox_nearly_full");
    for language in Language::ALL {
        let card = catalogue::card(&finding.code, &finding.args, language);
        assert!(card.known && !card.meaning.contains('{'), "{card:?}");
        assert_eq!(card.fixers, ADMIN_OR_ME);
    }
    assert_eq!(
        map.station(Station::Fetch).unwrap().state,
        StationState::Ok,
        "reading goes on"
    );

    // A server that counts without telling is none to ask.
    let untold = quota("messages=96").replace(" imap_quota", "");
    patient.server.write("more", &untold);
    patient.server.restart().await;
    patient.is_well("nobody tells").await;
    patient.close().await;
}
