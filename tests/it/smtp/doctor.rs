//! The doctor at a server for outgoing mail: a real Postfix is made to fail and mended; the map stops at sending, names
//! the cause and who can mend it, says that reading goes on, and is green afterwards.

use super::{reading, sends_by};
use crate::imap::dovecot::{self, Dovecot};
use crate::imap::{Desk, Papers};
use mailroom_core::api;
use mailroom_core::api::view::{ConnectionMap, Station, StationState};
use mailroom_core::diagnosis::catalogue::{self, Fixer, Language};
use mailroom_rigs::postfix::{self, Postfix, Ways};

const ME: &[Fixer] = &[Fixer::You];
const ME_OR_ADMIN: &[Fixer] = &[Fixer::You, Fixer::MailboxAdmin];
const ADMIN_OR_ME: &[Fixer] = &[Fixer::MailboxAdmin, Fixer::You];

struct Patient {
    dovecot: Dovecot,
    postfix: Postfix,
    desk: Desk,
    id: i64,
}

impl Patient {
    /// Connects the address to both servers and proves that it can send; `roots` are trusted beside the server's own.
    async fn healthy(roots: &[&Papers]) -> Self {
        let dovecot = Dovecot::start().await;
        let postfix = Postfix::start(&dovecot, Ways::default()).await;
        let roots: String = roots
            .iter()
            .map(|papers| papers.ca.as_str())
            .chain([dovecot.papers.ca.as_str()])
            .collect();
        let (desk, id) = reading(&dovecot, &roots, None).await;
        sends_by(&desk.app, id, &postfix).await;
        let map = api::prove_sending(&desk.app, id).await.unwrap();
        assert!(map.first_failed().is_none(), "{map:#?}");
        let patient = Self {
            dovecot,
            postfix,
            desk,
            id,
        };
        patient.is_well("as connected").await;
        patient
    }

    async fn check(&self) -> ConnectionMap {
        api::check_address(&self.desk.app, self.id, None)
            .await
            .unwrap()
    }

    async fn is_well(&self, when: &str) {
        let map = self.check().await;
        assert!(map.first_failed().is_none(), "{when}: {map:#?}");
        for station in [Station::Send, Station::RoundTrip] {
            let view = map.station(station).unwrap();
            assert_eq!(view.state, StationState::Ok, "{when}: {view:?}");
        }
    }

    fn is_ill(map: &ConnectionMap, code: &str, fixers: &[Fixer]) {
        let failed = map
            .first_failed()
            .unwrap_or_else(|| panic!("{code}: all is well"));
        let finding = failed.finding.as_ref().unwrap();
        assert_eq!(
            (failed.station, finding.code.as_str()),
            (Station::Send, code),
            "{finding:?}"
        );
        for language in Language::ALL {
            let card = catalogue::card(code, &finding.args, language);
            assert!(card.known, "{code}");
            assert_eq!(card.fixers, fixers, "{code}");
            let words = [card.title, card.meaning, card.steps.join(" ")].join(" ");
            assert!(!words.contains('<') && !words.contains('{'), "{words}");
        }
        let state = |station| map.station(station).unwrap().state;
        assert_eq!(state(Station::Fetch), StationState::Ok, "{code}");
        assert_eq!(state(Station::RoundTrip), StationState::Blocked, "{code}");
        assert!(!format!("{map:?}").contains(dovecot::PASSWORD), "{code}");
    }

    async fn change(&mut self, ways: Ways<'_>) {
        self.postfix.change(&self.dovecot, ways).await;
    }

    /// Makes it fail, looks, mends it and looks again.
    async fn fails_by(&mut self, ways: Ways<'_>, code: &str, fixers: &[Fixer]) {
        self.change(ways).await;
        Self::is_ill(&self.check().await, code, fixers);
        self.change(Ways::default()).await;
        self.is_well(code).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_line_to_the_outgoing_server_stops_at_sending() {
    if !postfix::is_possible() {
        return;
    }
    let (other, over, stranger) = (
        Papers::new(&["mail.contoso.example"]),
        Papers::expired(&["127.0.0.1"]),
        Papers::new(&["127.0.0.1"]),
    );
    let mut patient = Patient::healthy(&[&other, &over]).await;
    for (papers, code, fixers) in [
        (&other, "tls_wrong_name", ME_OR_ADMIN),
        (&over, "tls_expired", ME_OR_ADMIN),
        (&stranger, "tls_unknown_issuer", ADMIN_OR_ME),
    ] {
        let ways = Ways {
            papers: Some(papers),
            ..Ways::default()
        };
        patient.fails_by(ways, code, fixers).await;
    }
    let stripped = Ways {
        settings: "smtpd_tls_security_level = none\nsmtpd_tls_auth_only = no\n",
        papers: None,
    };
    patient
        .fails_by(stripped, "starttls_missing", ME_OR_ADMIN)
        .await;

    patient.postfix.stop().await;
    Patient::is_ill(&patient.check().await, "connection_refused", ME);
    patient.postfix.run().await;
    patient.is_well("it runs again").await;
    patient.desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_is_off_or_refused_stops_at_sending_while_reading_goes_on() {
    if !postfix::is_possible() {
        return;
    }
    let mut patient = Patient::healthy(&[]).await;
    let off = Ways {
        settings: "smtpd_sasl_auth_enable = no\n",
        papers: None,
    };
    patient
        .fails_by(off, "SMTP AUTH missing", ADMIN_OR_ME)
        .await;

    // Postfix asks somebody else about passwords than the server that mail is read from.
    let mut elsewhere = Dovecot::start().await;
    elsewhere.write("users", "support:{PLAIN}another one\n");
    elsewhere.restart().await;
    let socket = format!("smtpd_sasl_path = {}\n", elsewhere.sasl_socket().display());
    let refused = Ways {
        settings: &socket,
        papers: None,
    };
    patient.fails_by(refused, "SMTP password refused", ME).await;
    patient.desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_large_is_found_by_the_test_mail_and_forgotten_by_the_next_one() {
    if !postfix::is_possible() {
        return;
    }
    let mut patient = Patient::healthy(&[]).await;
    for settings in [
        "message_size_limit = 300\n",
        // Without a word before.
        "message_size_limit = 300\nsmtpd_discard_ehlo_keywords = size\n",
    ] {
        let ways = Ways {
            settings,
            papers: None,
        };
        patient.change(ways).await;
        let prove = async || {
            api::prove_sending(&patient.desk.app, patient.id)
                .await
                .unwrap()
        };
        Patient::is_ill(&prove().await, "SMTP 5.3.4", ME);
        // Looking again sends nothing, and remembers.
        Patient::is_ill(&patient.check().await, "SMTP 5.3.4", ME);
        patient
            .postfix
            .change(&patient.dovecot, Ways::default())
            .await;
        let map = prove().await;
        assert!(map.first_failed().is_none(), "{map:#?}");
        patient.is_well("larger again").await;
    }
    patient.desk.app.close().await;
}
