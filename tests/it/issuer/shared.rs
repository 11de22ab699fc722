//! A shared mailbox by IMAP and SMTP: Kim signs in, the support mailbox is opened with Kim's token, and its mail leaves
//! under Kim's name from the shared address. Whether Kim may is what Dovecot and Postfix decide, each for itself.

use super::Desk;
use super::rig::{Answer, Provider};
use crate::imap::dovecot::Dovecot;
use crate::smtp::sends_by;
use crate::world::{SUPPORT, wait};
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{
    AddressView, ConnectAttempt, ConnectRequest, ConnectStage, ConnectionMap, Opens, Station,
    StationState, Status,
};
use mailroom_core::api::{self, ImapInput, InboundInput, ServerPasswords, ServersInput};
use mailroom_core::diagnosis::Finding;
use mailroom_core::diagnosis::catalogue::Fixer;
use mailroom_rigs::postfix::{self, Postfix, Ways};
use std::fs;
use std::os::unix::fs::chown;

/// Kim has a mailbox too, and may open the shared one.
pub(super) const BOTH: &[(&str, &str)] = &[("kim", "kim"), ("kim", "support")];
/// Kim may open nothing but their own mailbox.
const OWN: &[(&str, &str)] = &[("kim", "kim")];
/// Who may send as the shared address.
pub(super) const SEND_AS: &str = "support@contoso.example support, kim\n";
const NOT_SEND_AS: &str = "support@contoso.example support\n";

pub(super) async fn desk() -> Desk {
    let provider = Provider::start();
    let server = Dovecot::with_rights(&provider.introspection()).await;
    let desk = Desk::beside(provider, server).await;
    signs_in_as(&desk, "kim");
    desk
}

fn signs_in_as(desk: &Desk, name: &'static str) {
    *desk.person.0.lock().unwrap() = Answer::SignsInAs(name);
}

/// What may be sent as whom is in a file of Dovecot's folder, which each of Postfix's processes reads once.
pub(super) async fn postfix(desk: &Desk, senders: &str) -> Postfix {
    let file = desk.server.place().join("senders");
    fs::write(&file, senders).unwrap();
    let settings = format!(
        "smtpd_sender_login_maps = texthash:{}\nmax_use = 1\n",
        file.display()
    );
    let ways = Ways {
        settings: &settings,
        papers: None,
    };
    Postfix::start(&desk.server, ways).await
}

fn shared_input(desk: &Desk) -> ImapInput {
    ImapInput {
        login: SUPPORT.to_owned(),
        ..desk.input()
    }
}

pub(super) async fn attempt(desk: &Desk) -> ConnectAttempt {
    desk.signed_in_to(Opens::Shared, shared_input(desk)).await
}

pub(super) async fn connect(desk: &Desk) -> AddressView {
    let attempt = attempt(desk).await;
    let ConnectStage::Ready {
        identity, shared, ..
    } = &attempt.stage
    else {
        panic!("{:?}", attempt.stage);
    };
    assert_eq!(identity.login_name, "kim");
    assert_eq!(shared.as_ref().unwrap().address, SUPPORT);
    desk.finish(&attempt, None).await
}

/// A mail for Kim alone. Opening the folder would take it from `new` to `cur`.
struct Personal(std::path::PathBuf);

impl Personal {
    fn in_mailbox_of(desk: &Desk, name: &str) -> Self {
        let folder = desk.server.mail_folder().join(name);
        let owner = Some(desk.server.owner());
        for place in ["", "new", "cur", "tmp"] {
            fs::create_dir_all(folder.join(place)).unwrap();
            chown(folder.join(place), owner, owner).unwrap();
        }
        let mail = folder.join("new/1.personal");
        fs::write(&mail, "Subject: For Kim alone\r\n\r\nx\r\n").unwrap();
        chown(&mail, owner, owner).unwrap();
        Self(mail)
    }

    fn is_untouched(&self) -> bool {
        self.0.exists()
    }
}

/// The failure `code`, once it shows: while the server starts again, there are others.
async fn cause(desk: &Desk, id: i64, code: &str) -> Finding {
    wait(code, async || {
        api::sync_now(&desk.app, Some(id)).await.unwrap();
        let cause = desk.view(id).await.cause;
        cause.filter(|cause| cause.code == code)
    })
    .await
}

async fn verified(desk: &Desk, id: i64) {
    wait("the address is verified", async || {
        api::sync_now(&desk.app, Some(id)).await.unwrap();
        (desk.view(id).await.status == Status::Verified).then_some(())
    })
    .await;
}

fn code(map: &ConnectionMap, station: Station) -> (StationState, Option<&str>) {
    let view = map.station(station).unwrap();
    let code = view.finding.as_ref().map(|finding| finding.code.as_str());
    (view.state, code)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_delegate_signs_in_reads_the_shared_mailbox_and_sends_as_it() {
    let desk = desk().await;
    desk.server.allow(BOTH).await;
    let personal = Personal::in_mailbox_of(&desk, "kim");
    let view = connect(&desk).await;
    assert_eq!(view.mailbox.as_deref(), Some(SUPPORT));
    desk.server.deliver("new", "first@contoso.example", 1);
    desk.imported(view.id, 1).await;

    let map = api::check_address(&desk.app, view.id, None).await.unwrap();
    assert!(map.first_failed().is_none(), "{map:#?}");
    let sign_in = &map.station(Station::SignIn).unwrap().facts;
    let right = &map.station(Station::MailboxRight).unwrap().facts;
    let facts = (sign_in["login"].as_str(), right["mailbox"].as_str());
    assert_eq!(facts, ("kim", SUPPORT), "signed in as, opens");
    assert_eq!(map.full_access, StationState::Ok);

    // Nobody is ever asked for a password of the shared mailbox.
    let again = api::reconnect_password(&desk.app, view.id, "x".into()).await;
    assert_eq!(again.unwrap_err().code, ErrorCode::WrongState);
    let request = ConnectRequest {
        address: "info@contoso.example".to_owned(),
        opens: Opens::Shared,
        registration: None,
        private_window: false,
        language: "en".to_owned(),
    };
    let asked = api::begin_connect_password(&desk.app, request, desk.input(), "x".into()).await;
    assert_eq!(asked.unwrap_err().code, ErrorCode::SharedNeedsBrowser);

    if postfix::is_possible() {
        let postfix = postfix(&desk, SEND_AS).await;
        sends_by(&desk.app, view.id, &postfix).await;
        let servers = api::servers(&desk.app, Some(view.id)).await.unwrap();
        let users: Vec<&str> = servers.iter().map(|server| server.user.as_str()).collect();
        assert_eq!(users, [SUPPORT, "kim"], "inbound and outbound");
        let map = api::prove_sending(&desk.app, view.id).await.unwrap();
        assert!(map.first_failed().is_none(), "{map:#?}");
        assert_eq!(
            (map.full_access, map.send_as),
            (StationState::Ok, StationState::Ok)
        );
        assert!(
            postfix.log().contains("sasl_username=kim"),
            "{}",
            postfix.log()
        );
        let sent = desk.server.mails();
        let from = format!("Return-Path: <{SUPPORT}>");
        assert!(sent.iter().any(|mail| mail.starts_with(&from)), "{sent:?}");
    }
    assert!(personal.is_untouched());
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_full_access_nothing_is_connected_and_the_personal_mailbox_stays_shut() {
    let desk = desk().await;
    desk.server.allow(OWN).await;
    let personal = Personal::in_mailbox_of(&desk, "kim");
    let attempt = attempt(&desk).await;
    let ConnectStage::Failed { finding } = &attempt.stage else {
        panic!("{:?}", attempt.stage);
    };
    assert_eq!(finding.code, "IMAP shared refused");
    let args = (&finding.args["address"], &finding.args["login"]);
    assert_eq!(args, (&SUPPORT.to_owned(), &"kim".to_owned()));
    assert!(!finding.sign_in_again);
    let card = api::explain(&desk.app, &finding.code, &finding.args, "en");
    assert_eq!(card.fixers, [Fixer::MailboxAdmin]);
    assert!(card.meaning.contains("kim") && card.meaning.contains(SUPPORT));
    let map = api::check_attempt(&desk.app, &attempt.id).await.unwrap();
    assert_eq!(map.first_failed().unwrap().station, Station::MailboxRight);
    let finished = api::finish_connect(
        &desk.app,
        &attempt.id,
        mailroom_core::api::view::ConnectChoices {
            brand: "Contoso".to_owned(),
            import_newest: None,
            folder: None,
        },
    );
    assert_eq!(finished.await.unwrap_err().code, ErrorCode::WrongState);
    assert!(api::list_addresses(&desk.app).await.unwrap().is_empty());

    // The right is given: the same attempt goes through.
    desk.server.allow(BOTH).await;
    api::retry_connect(&desk.app, &attempt.id, false).unwrap();
    let attempt = desk.decided(&attempt.id).await;
    assert!(
        matches!(attempt.stage, ConnectStage::Ready { .. }),
        "{:?}",
        attempt.stage
    );
    assert!(personal.is_untouched());
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_taken_away_is_told_from_a_bad_token_and_heals_by_itself() {
    let mut desk = desk().await;
    desk.server.allow(BOTH).await;
    let personal = Personal::in_mailbox_of(&desk, "kim");
    let view = connect(&desk).await;
    verified(&desk, view.id).await;

    desk.server.allow(OWN).await;
    desk.restart_server().await;
    let ill = cause(&desk, view.id, "IMAP shared refused").await;
    assert!(!ill.sign_in_again, "signing in again would mend nothing");
    let map = api::check_address(&desk.app, view.id, None).await.unwrap();
    let failed = map.first_failed().unwrap();
    assert_eq!(failed.station, Station::MailboxRight);
    assert_eq!(map.full_access, StationState::Failed);
    let taken = code(&map, Station::Token);
    assert_eq!(taken, (StationState::Ok, None), "the token is fine");

    // Where the server takes the person's token for nothing at all, it is the token.
    desk.provider
        .set(serde_json::json!({"audience": "https://files.contoso.example"}))
        .await;
    let map = api::check_address(&desk.app, view.id, None).await.unwrap();
    let failed = map.first_failed().unwrap();
    assert_eq!(failed.station, Station::Token);
    desk.provider
        .set(serde_json::json!({"audience": super::rig::MAIL}))
        .await;

    desk.server.allow(BOTH).await;
    desk.server.deliver("new", "late@contoso.example", 1);
    verified(&desk, view.id).await;
    desk.imported(view.id, 1).await;
    assert!(personal.is_untouched());
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_is_refused_apart_from_reading_until_send_as_is_given() {
    if !postfix::is_possible() {
        return;
    }
    let desk = desk().await;
    desk.server.allow(BOTH).await;
    let view = connect(&desk).await;
    let postfix = postfix(&desk, NOT_SEND_AS).await;
    sends_by(&desk.app, view.id, &postfix).await;
    let map = api::prove_sending(&desk.app, view.id).await.unwrap();
    assert_eq!(
        (map.full_access, map.send_as),
        (StationState::Ok, StationState::Failed)
    );
    assert_eq!(
        code(&map, Station::Send),
        (StationState::Failed, Some("SMTP sender not owned"))
    );
    let finding = map
        .station(Station::Send)
        .unwrap()
        .finding
        .as_ref()
        .unwrap();
    let card = api::explain(&desk.app, &finding.code, &finding.args, "en");
    assert!(
        card.meaning.contains("kim") && card.meaning.contains(SUPPORT),
        "{card:?}"
    );
    assert!(
        desk.server.mails().is_empty(),
        "nothing left, from whatever address"
    );
    // Reading goes on meanwhile.
    desk.server.deliver("new", "still@contoso.example", 1);
    desk.imported(view.id, 1).await;
    assert_eq!(desk.view(view.id).await.status, Status::Verified);

    fs::write(desk.server.place().join("senders"), SEND_AS).unwrap();
    let map = api::prove_sending(&desk.app, view.id).await.unwrap();
    assert_eq!(map.send_as, StationState::Ok, "{map:#?}");
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_own_name_never_opens_their_mailbox_as_the_shared_one() {
    let desk = desk().await;
    desk.server.allow(BOTH).await;
    let personal = Personal::in_mailbox_of(&desk, "kim");
    let input = ImapInput {
        login: "kim".to_owned(),
        ..desk.input()
    };
    let stage = desk.signed_in_to(Opens::Shared, input).await.stage;
    let ConnectStage::Failed { finding } = stage else {
        panic!("{stage:?}");
    };
    assert_eq!(finding.code, "shared_login_is_own");
    assert_eq!(desk.server.lines(), 0, "the server was not even asked");
    assert!(personal.is_untouched());
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_delegate_takes_over_and_sends_under_their_own_name() {
    if !postfix::is_possible() {
        return;
    }
    let desk = desk().await;
    desk.server
        .allow(&[
            ("kim", "kim"),
            ("kim", "support"),
            ("alex", "support"),
            ("alex", "alex"),
        ])
        .await;
    let view = connect(&desk).await;
    let postfix = postfix(&desk, "support@contoso.example kim, alex\n").await;
    sends_by(&desk.app, view.id, &postfix).await;
    signs_in_as(&desk, "alex");
    let again = api::reconnect_address(&desk.app, view.id, false, "en")
        .await
        .unwrap();
    let again = desk.decided(&again.id).await;
    let ConnectStage::Ready { identity, .. } = &again.stage else {
        panic!("{:?}", again.stage);
    };
    assert_eq!(identity.login_name, "alex");
    desk.finish(&again, None).await;
    let servers = api::servers(&desk.app, Some(view.id)).await.unwrap();
    let users: Vec<&str> = servers.iter().map(|server| server.user.as_str()).collect();
    assert_eq!(users, [SUPPORT, "alex"]);
    let map = api::prove_sending(&desk.app, view.id).await.unwrap();
    assert_eq!(map.send_as, StationState::Ok, "{map:#?}");
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_its_servers_never_turns_a_shared_mailbox_into_a_personal_one() {
    let desk = desk().await;
    desk.server.allow(BOTH).await;
    let personal = Personal::in_mailbox_of(&desk, "kim");
    let view = connect(&desk).await;
    let inbound = |login: &str| ServersInput {
        inbound: Some(InboundInput {
            server: format!("127.0.0.1:{}", desk.server.port),
            login: Some(login.to_owned()),
            ..InboundInput::default()
        }),
        anyway: true,
        ..ServersInput::default()
    };
    let own = ServerPasswords::default();
    let saved = api::save_servers(&desk.app, view.id, inbound("kim"), own).await;
    let saved = saved.unwrap();
    assert!(!saved[0].stored, "not even when it is to be kept anyway");
    let finding = saved[0].finding.as_ref().unwrap();
    assert_eq!(finding.code, "shared_login_is_own");
    let password = ServerPasswords {
        inbound: Some("a password".into()),
        ..ServerPasswords::default()
    };
    let refused = api::save_servers(&desk.app, view.id, inbound(SUPPORT), password).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::SharedNeedsBrowser);
    let servers = api::servers(&desk.app, Some(view.id)).await.unwrap();
    assert_eq!(servers[0].user, SUPPORT);
    verified(&desk, view.id).await;
    assert!(personal.is_untouched());
    desk.app.close().await;
}
