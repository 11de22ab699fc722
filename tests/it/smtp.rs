//! Sending by SMTP: a real Postfix that asks a real Dovecot for passwords, and servers that mean harm.

mod alerts;
mod copies;
mod doctor;
mod elsewhere;
mod further;
mod hostile;
mod oauth;

use crate::imap::dovecot::{self, Dovecot};
use crate::imap::{Desk, Papers};
use mailroom_core::account::{EmailAddress, ImapAuth, SmtpServer, Tls};
use mailroom_core::api::view::{ConnectionMap, Outcome, Station, StationState};
use mailroom_core::api::{self, SmtpInput};
use mailroom_core::app::App;
use mailroom_core::provider::ProviderError;
use mailroom_core::provider::imap::{Credentials, Trust};
use mailroom_core::provider::outbound::{Envelope, NotSent, Outbound};
use mailroom_core::provider::smtp::{SmtpSender, Times};
use mailroom_rigs::postfix::{self, Postfix, Ways};
use std::sync::Arc;
use std::time::Duration;

const OWN: &str = "support@contoso.example";

/// The address sends through the Postfix from now on.
pub async fn sends_by(app: &App, id: i64, postfix: &Postfix) {
    let input = SmtpInput {
        server: format!("127.0.0.1:{}", postfix.submission),
        ..SmtpInput::default()
    };
    api::set_outbound(app, id, input, None).await.unwrap();
}

/// A desk with an address that is read from the Dovecot.
async fn reading(dovecot: &Dovecot, roots: &str, folder: Option<&str>) -> (Desk, i64) {
    let desk = Desk::new(Some(roots)).await;
    let connected = desk.connect(dovecot.port, dovecot::PASSWORD, folder, None);
    let id = connected.await.unwrap().id;
    desk.verified(id).await;
    (desk, id)
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn envelope(from: &str, to: &[&str]) -> Envelope {
    Envelope {
        from: address(from),
        to: to.iter().map(|to| address(to)).collect(),
    }
}

fn letter(from: &str, text: &str) -> Vec<u8> {
    format!("From: <{from}>\r\nTo: <{OWN}>\r\nSubject: A test\r\n\r\n{text}\r\n").into_bytes()
}

fn server(port: u16, tls: Tls) -> SmtpServer {
    SmtpServer {
        host: "127.0.0.1".into(),
        port,
        tls,
        login: "support".into(),
        auth: ImapAuth::Password,
        from: ["sales", "info"]
            .map(|name| address(&format!("{name}@contoso.example")))
            .to_vec(),
    }
}

fn sender(server: SmtpServer, password: &str, ca: Option<&str>) -> SmtpSender {
    let times = Times {
        connect: Duration::from_secs(5),
        reply: Duration::from_secs(5),
        message: Duration::from_secs(20),
    };
    let roots = ca.map(|pem| pem.as_bytes().to_vec()).into_iter().collect();
    SmtpSender::with_times(
        server,
        address(OWN),
        Credentials::Password(password.into()),
        Arc::new(Trust::new(roots)),
        times,
    )
}

fn code(error: &ProviderError) -> String {
    error
        .evidence()
        .and_then(|evidence| evidence.code.clone())
        .unwrap_or_else(|| format!("{error:?}"))
}

async fn send(sender: &SmtpSender, from: &str, text: &str) -> Result<(), NotSent> {
    let outbound = Outbound::Smtp(sender.clone());
    let (envelope, raw) = (envelope(from, &[OWN]), letter(from, text));
    outbound.send(&envelope, &raw).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn hands_mail_over_on_both_ports_and_from_the_addresses_that_are_allowed() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::start().await;
    let postfix = Postfix::start(&dovecot, Ways::default()).await;
    let ca = dovecot.papers.ca.clone();
    for (port, tls) in [
        (postfix.submission, Tls::StartTls),
        (postfix.smtps, Tls::Implicit),
    ] {
        let sender = sender(server(port, tls), dovecot::PASSWORD, Some(&ca));
        let offer = sender.verify().await.unwrap();
        assert_eq!(offer.size, Some(postfix::SIZE_LIMIT as u64));
        assert!(offer.eight_bit && offer.utf8);
        assert!(offer.mechanisms.contains(&"PLAIN".to_owned()));
        // A line of a single point, and lines that end as Unix ends them.
        send(&sender, OWN, "one\n.\n..two\n").await.unwrap();
        send(&sender, "sales@contoso.example", "from another name")
            .await
            .unwrap();
    }
    crate::world::wait("four mails arrived", async || {
        (dovecot.mails().len() == 4).then_some(())
    })
    .await;
    let mails = dovecot.mails();
    let dotted = mails
        .iter()
        .filter(|mail| mail.contains("\none\n.\n..two\n"));
    assert_eq!(dotted.count(), 2, "{mails:?}");
    let from_sales = mails
        .iter()
        .filter(|mail| mail.starts_with("Return-Path: <sales@contoso.example>"));
    assert_eq!(from_sales.count(), 2, "{mails:?}");
    assert!(!postfix.log().contains("warning"), "{}", postfix.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn never_sends_as_somebody_else() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::start().await;
    let postfix = Postfix::start(&dovecot, Ways::default()).await;
    let ca = dovecot.papers.ca.clone();
    let sender = sender(
        server(postfix.submission, Tls::StartTls),
        dovecot::PASSWORD,
        Some(&ca),
    );
    // In the list, but not ours as far as the server knows.
    let refused = send(&sender, "info@contoso.example", "x")
        .await
        .unwrap_err();
    assert!(!refused.may_have_left);
    assert_eq!(code(&refused.error), "SMTP sender not owned");
    assert!(
        refused
            .error
            .evidence()
            .unwrap()
            .raw
            .contains("not owned by user")
    );
    // Not in the list.
    let refused = send(&sender, "kim@contoso.example", "x").await.unwrap_err();
    assert!(matches!(
        refused.error,
        ProviderError::Protocol("other_sender", _)
    ));
    // In the list, but the message says something else.
    let outbound = Outbound::Smtp(sender);
    let other = letter("kim@contoso.example", "x");
    let refused = outbound
        .send(&envelope(OWN, &[OWN]), &other)
        .await
        .unwrap_err();
    assert!(matches!(
        refused.error,
        ProviderError::Protocol("other_sender", _)
    ));
    assert!(dovecot.mails().is_empty());
}

/// What Postfix says when it is made to fail, and the catalogue's code for it.
#[tokio::test(flavor = "multi_thread")]
async fn says_what_a_real_server_finds_wrong_with_a_sign_in() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::start().await;
    let ca = dovecot.papers.ca.clone();
    let ca = Some(ca.as_str());
    let trying = |port, ca| sender(server(port, Tls::StartTls), dovecot::PASSWORD, ca);
    let mut healthy = Postfix::start(&dovecot, Ways::default()).await;
    let port = healthy.submission;

    let wrong = sender(server(port, Tls::StartTls), "wrong-CANARY", ca);
    let error = wrong.verify().await.unwrap_err();
    assert_eq!(code(&error), "SMTP password refused");
    assert!(!format!("{error:?}").contains("CANARY"));

    let error = trying(port, None).verify().await.unwrap_err();
    assert_eq!(code(&error), "tls_unknown_issuer");
    // The other kind of port: TLS is expected and a greeting comes, or the other way round.
    let confused = SmtpServer {
        tls: Tls::Implicit,
        ..server(port, Tls::StartTls)
    };
    let error = sender(confused, dovecot::PASSWORD, ca).verify().await;
    assert_eq!(code(&error.unwrap_err()), "tls_handshake");
    let elsewhere = SmtpServer {
        host: "localhost".into(),
        ..server(port, Tls::StartTls)
    };
    let error = sender(elsewhere, dovecot::PASSWORD, ca).verify().await;
    assert_eq!(code(&error.unwrap_err()), "tls_wrong_name");

    healthy.stop().await;
    let error = trying(port, ca).verify().await.unwrap_err();
    assert_eq!(code(&error), "connection_refused");

    let old = Papers::expired(&["127.0.0.1"]);
    for (settings, papers, expected) in [
        ("smtpd_sasl_auth_enable = no\n", None, "SMTP AUTH missing"),
        (
            "smtpd_sasl_path = /nowhere/at-all\n",
            None,
            "connection_dropped",
        ),
        (
            "smtpd_tls_security_level = none\nsmtpd_tls_auth_only = no\n",
            None,
            "starttls_missing",
        ),
        ("", Some(&old), "tls_expired"),
    ] {
        let postfix = Postfix::start(&dovecot, Ways { settings, papers }).await;
        let ca = papers.map_or(ca, |papers| Some(papers.ca.as_str()));
        let error = trying(postfix.submission, ca).verify().await.unwrap_err();
        let seen = code(&error);
        assert!(
            expected.split('|').any(|one| one == seen),
            "{settings}: {error:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn says_what_a_real_server_finds_wrong_with_a_message() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::start().await;
    let ca = dovecot.papers.ca.clone();
    let stranger = "somebody@fabrikam.example";
    let large = "x".repeat(70) + "\n";
    let large = large.repeat(postfix::SIZE_LIMIT / 60);
    for (settings, to, text, expected) in [
        ("", OWN, large.as_str(), "SMTP 5.3.4"),
        // The server says nothing of a limit before.
        (
            "smtpd_discard_ehlo_keywords = size\n",
            OWN,
            &large,
            "SMTP 5.3.4",
        ),
        (
            "smtpd_relay_restrictions = reject_unauth_destination\n",
            stranger,
            "x",
            "SMTP relay denied",
        ),
        ("", "nobody@contoso.example", "x", "SMTP 5.1.10"),
        (
            "smtpd_end_of_data_restrictions = check_client_access static:{552 5.2.2 mailbox full}\n",
            OWN,
            "x",
            "SMTP 5.2.2",
        ),
        (
            "smtpd_client_message_rate_limit = 1\n",
            OWN,
            "x",
            "SMTP too fast",
        ),
    ] {
        let postfix = Postfix::start(
            &dovecot,
            Ways {
                settings,
                papers: None,
            },
        )
        .await;
        let sender = sender(
            server(postfix.submission, Tls::StartTls),
            dovecot::PASSWORD,
            Some(&ca),
        );
        let outbound = Outbound::Smtp(sender);
        let letter = letter(OWN, text);
        let envelope = envelope(OWN, &[to]);
        let mut refused = outbound.send(&envelope, &letter).await;
        if expected == "SMTP too fast" {
            refused = outbound.send(&envelope, &letter).await;
        }
        let refused = refused.unwrap_err();
        assert!(!refused.may_have_left, "{expected}");
        assert_eq!(code(&refused.error), expected, "{:?}", refused.error);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_recipient_that_is_refused_does_not_keep_the_others_waiting() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::start().await;
    let postfix = Postfix::start(&dovecot, Ways::default()).await;
    let ca = dovecot.papers.ca.clone();
    let sender = sender(
        server(postfix.submission, Tls::StartTls),
        dovecot::PASSWORD,
        Some(&ca),
    );
    let both = envelope(OWN, &["nobody@contoso.example", OWN]);
    let sent = sender.send(&both, &letter(OWN, "x")).await.unwrap();
    let refused: Vec<String> = sent.refused.iter().map(|(to, _)| to.to_string()).collect();
    assert_eq!(refused, ["nobody@contoso.example"]);
    crate::world::wait("it arrived", async || {
        (dovecot.mails().len() == 1).then_some(())
    })
    .await;
}

fn state(map: &ConnectionMap, station: Station) -> (StationState, String) {
    let view = map.station(station).unwrap();
    let code = view.finding.as_ref().map(|finding| finding.code.clone());
    (view.state, code.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_mail_goes_out_by_smtp_and_comes_back_by_imap() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::start().await;
    let (desk, id) = reading(&dovecot, &dovecot.papers.ca, None).await;

    // Without a server for outgoing mail the address only reads, and the map says so.
    let map = api::prove_sending(&desk.app, id).await.unwrap();
    assert_eq!(
        state(&map, Station::Fetch),
        (StationState::Ok, String::new())
    );
    assert_eq!(state(&map, Station::Consent).0, StationState::NotNeeded);
    assert_eq!(
        state(&map, Station::Send),
        (StationState::Unknown, "no_outbound".to_owned())
    );

    let postfix = Postfix::start(&dovecot, Ways::default()).await;
    let input = SmtpInput {
        server: format!("127.0.0.1:{}", postfix.submission),
        from: vec!["sales@contoso.example".to_owned()],
        ..SmtpInput::default()
    };
    let wrong = api::set_outbound(&desk.app, id, input.clone(), Some("wrong".into())).await;
    let wrong = wrong.unwrap_err().evidence.unwrap();
    assert_eq!(wrong.code.as_deref(), Some("SMTP password refused"));
    // The password that the address is read with serves for sending too.
    api::set_outbound(&desk.app, id, input, None).await.unwrap();
    let map = api::check_address(&desk.app, id, None).await.unwrap();
    assert_eq!(
        state(&map, Station::Send),
        (StationState::Unknown, "sending_unproven".to_owned())
    );
    assert!(dovecot.mails().is_empty(), "a check sends nothing");

    let map = api::prove_sending(&desk.app, id).await.unwrap();
    assert!(map.first_failed().is_none(), "{map:#?}");
    for station in [Station::Send, Station::RoundTrip] {
        assert_eq!(state(&map, station), (StationState::Ok, String::new()));
    }
    assert!(map.station(Station::RoundTrip).unwrap().took_ms.is_some());
    assert_eq!(dovecot.mails().len(), 1, "one test mail, no copy");

    // The server does not let this login send as the address any more.
    drop(postfix);
    let postfix = Postfix::start(
        &dovecot,
        Ways {
            settings: "smtpd_sender_login_maps = inline:{{support@contoso.example=kim}}\n",
            papers: None,
        },
    )
    .await;
    sends_by(&desk.app, id, &postfix).await;
    let map = api::prove_sending(&desk.app, id).await.unwrap();
    assert_eq!(
        state(&map, Station::Send),
        (StationState::Failed, "SMTP sender not owned".to_owned())
    );
    assert_eq!(state(&map, Station::RoundTrip).0, StationState::Blocked);
    assert_eq!(dovecot.mails().len(), 1);
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_mail_beside_the_folder_that_is_read_is_found_in_the_inbox() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::start().await;
    dovecot.folder("Requests");
    let soon = Papers::ending_in(&["127.0.0.1"], 5);
    let postfix = Postfix::start(
        &dovecot,
        Ways {
            settings: "",
            papers: Some(&soon),
        },
    )
    .await;
    let roots = [dovecot.papers.ca.as_str(), soon.ca.as_str()].join("\n");
    let (desk, id) = reading(&dovecot, &roots, Some("Requests")).await;
    sends_by(&desk.app, id, &postfix).await;
    let beside = (StationState::Ok, "round_trip_in_inbox".to_owned());
    let map = api::prove_sending(&desk.app, id).await.unwrap();
    assert_eq!(state(&map, Station::RoundTrip), beside);
    let view_of = map.station(Station::RoundTrip).unwrap();
    assert_eq!(view_of.finding.as_ref().unwrap().args["folder"], "Requests");
    assert!(view_of.took_ms.is_some());
    let map = api::check_address(&desk.app, id, None).await.unwrap();
    assert_eq!(state(&map, Station::RoundTrip), beside, "it is remembered");
    assert_eq!(
        (dovecot.mails().len(), dovecot.seen()),
        (1, 0),
        "looked at only"
    );

    // A rule moves it after all.
    for place in ["new", "cur"] {
        for file in std::fs::read_dir(dovecot.maildir().join(place)).unwrap() {
            let file = file.unwrap();
            let target = dovecot
                .maildir()
                .join(".Requests/new")
                .join(file.file_name());
            std::fs::rename(file.path(), target).unwrap();
        }
    }
    crate::world::wait("the poll comes upon it", async || {
        api::sync_now(&desk.app, Some(id)).await.unwrap();
        let map = api::check_address(&desk.app, id, None).await.unwrap();
        (state(&map, Station::RoundTrip) == (StationState::Ok, String::new())).then_some(())
    })
    .await;
    let imported = desk.ledger(id, Outcome::Imported).await;
    assert!(imported.is_empty(), "{imported:?}");

    // The server that sends has a certificate of its own, which ends before the other one.
    let items = api::forecast(&desk.app, id).await.unwrap();
    let ends: Vec<(&str, &str)> = items
        .iter()
        .map(|item| (item.args["host"].as_str(), item.args["days"].as_str()))
        .collect();
    assert_eq!(
        ends,
        [(format!("127.0.0.1:{}", postfix.submission).as_str(), "5")]
    );
    desk.app.close().await;
}
