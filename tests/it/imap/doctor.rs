//! The doctor at a mail server: a real Dovecot is connected, made to fail and mended; the check names the station, the
//! cause and who can mend it, and is green afterwards.

use super::dovecot::{Dovecot, PASSWORD};
use super::{Desk, Papers};
use crate::world::{SUPPORT, wait};
use mailroom_core::account::Tls;
use mailroom_core::api::view::{
    AfterImport, ConnectChoices, ConnectionMap, Outcome, Station, StationState,
};
use mailroom_core::api::{self, ImapInput};
use mailroom_core::diagnosis::Severity;
use mailroom_core::diagnosis::catalogue::{self, Fixer, Language};
use mailroom_core::diagnosis::forecast::ForecastItem;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use tokio::net::TcpListener;

/// Which station stops, why, and who can mend it.
pub(super) type Expected = (Station, &'static str, &'static [Fixer]);

pub(super) struct Patient {
    pub(super) server: Dovecot,
    pub(super) desk: Desk,
    pub(super) id: i64,
}

impl Patient {
    /// Connects the address to `server` and sees that all is well.
    pub(super) async fn healthy(server: Dovecot, input: ImapInput, roots: &str) -> Self {
        server.deliver("new", "first@contoso.example", -60);
        let desk = Desk::new(Some(roots)).await;
        let choices = ConnectChoices {
            brand: "Contoso".to_owned(),
            import_newest: None,
            folder: None,
        };
        let view = api::connect_imap(&desk.app, SUPPORT, input, PASSWORD.into(), choices)
            .await
            .unwrap();
        let patient = Self {
            server,
            desk,
            id: view.id,
        };
        patient.is_well("as connected").await;
        patient
    }

    pub(super) async fn check(&self) -> ConnectionMap {
        api::check_address(&self.desk.app, self.id, None)
            .await
            .unwrap()
    }

    pub(super) async fn is_well(&self, when: &str) {
        let map = self.check().await;
        assert!(map.first_failed().is_none(), "{when}: {map:#?}");
        let fetch = map.station(Station::Fetch).unwrap();
        assert_eq!(fetch.state, StationState::Ok, "{when}");
    }

    pub(super) async fn is_ill(&self, (station, code, fixers): Expected) {
        let map = self.check().await;
        let failed = map
            .first_failed()
            .unwrap_or_else(|| panic!("{code}: all is well"));
        let finding = failed.finding.as_ref().unwrap();
        assert_eq!((failed.station, finding.code.as_str()), (station, code));
        for language in Language::ALL {
            let card = catalogue::card(code, &finding.args, language);
            assert!(card.known, "{code}");
            assert_eq!(card.fixers, fixers, "{code}");
            let words = [card.title, card.meaning, card.steps.join(" ")].join(" ");
            assert!(!words.contains('<'), "{code}: {words}");
        }
        for view in &map.stations {
            let is_behind = view.station > station;
            assert_eq!(
                view.state == StationState::Blocked,
                is_behind,
                "{code}: {view:?}"
            );
        }
        assert!(!format!("{map:?}").contains(PASSWORD), "{code}");
    }

    /// Makes it fail by another text of one file, looks, and puts the old text back.
    pub(super) async fn fails_by(&mut self, file: &str, text: &str, expected: Expected) {
        let path = self.server.place().join(file);
        let before = fs::read_to_string(&path).unwrap_or_default();
        self.server.write(file, text);
        self.server.restart().await;
        self.is_ill(expected).await;
        self.server.write(file, &before);
        self.server.restart().await;
        self.is_well(expected.1).await;
    }

    pub(super) async fn close(self) {
        self.desk.app.close().await;
    }
}

pub(super) fn input(port: u16) -> ImapInput {
    ImapInput {
        server: format!("127.0.0.1:{port}"),
        login: "support".to_owned(),
        ..ImapInput::default()
    }
}

/// The user's line, with further fields.
fn user(password: &str, fields: &str) -> String {
    format!("support:{{PLAIN}}{password}::::::{fields}\n")
}

pub(super) const ASK_ADMIN: &[Fixer] = &[Fixer::MailboxAdmin];
const ME_OR_ADMIN: &[Fixer] = &[Fixer::You, Fixer::MailboxAdmin];
pub(super) const ADMIN_OR_ME: &[Fixer] = &[Fixer::MailboxAdmin, Fixer::You];

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_wrong_and_a_user_who_may_not_come_in_are_told_apart() {
    let server = Dovecot::start().await;
    let (port, roots) = (server.port, server.papers.ca.clone());
    let mut patient = Patient::healthy(server, input(port), &roots).await;
    let refused = (Station::SignIn, "IMAP LOGIN failed", ME_OR_ADMIN);
    let kept_out = (Station::MailboxRight, "IMAP not allowed", ASK_ADMIN);
    for (users, expected) in [
        (user("another one", ""), refused),
        // Servers that keep somebody out without a word say that the password is wrong.
        (user(PASSWORD, "allow_nets=192.0.2.0/24"), refused),
        (user(PASSWORD, "nologin=yes"), kept_out),
        (
            user(PASSWORD, "nologin=yes reason=IMAP_is_off_for_you"),
            kept_out,
        ),
    ] {
        patient.fails_by("users", &users, expected).await;
    }

    // The server may not read its own files.
    let files = patient.server.mail_folder().join("support");
    fs::set_permissions(&files, Permissions::from_mode(0o000)).unwrap();
    patient.server.restart().await;
    let fixers: &[Fixer] = &[Fixer::MailboxAdmin, Fixer::Nobody];
    patient
        .is_ill((Station::Mailbox, "IMAP server fault", fixers))
        .await;
    fs::set_permissions(&files, Permissions::from_mode(0o755)).unwrap();
    patient.is_well("the files are readable").await;
    patient.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_on_the_mailbox_is_the_admins_to_give() {
    let rights = "mail_plugins = acl\nplugin {\n acl = vfile:DIR/rights\n}\nprotocol imap {\n mail_plugins = acl\n}\n";
    let mut server = Dovecot::start().await;
    let rights = rights.replace("DIR", &server.place().display().to_string());
    server.write("more", &rights);
    server.write("rights", "INBOX owner lrwstiekxa\n");
    server.restart().await;
    let (port, roots) = (server.port, server.papers.ca.clone());
    let mut patient = Patient::healthy(server, input(port), &roots).await;
    let no_right = (Station::MailboxRight, "IMAP no permission", ASK_ADMIN);
    for rights in ["INBOX owner l\n", "INBOX owner\n"] {
        patient.fails_by("rights", rights, no_right).await;
    }
    patient.close().await;
}

/// Somebody signs in with a name of their own and opens a mailbox that is not theirs.
#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_without_the_right_on_a_shared_mailbox_is_told_so() {
    let mut server = Dovecot::start().await;
    let dir = server.place().display().to_string();
    server.write(
        "more",
        &format!(
            "auth_master_user_separator = *\n\
             passdb {{\n driver = passwd-file\n master = yes\n args = {dir}/delegates\n pass = yes\n}}\n\
             passdb {{\n driver = passwd-file\n args = {dir}/boxes\n}}\n"
        ),
    );
    server.write("users", "");
    server.write("boxes", "support:{PLAIN}unused\n");
    server.write("delegates", &format!("kim:{{PLAIN}}{PASSWORD}\n"));
    server.restart().await;
    let roots = server.papers.ca.clone();
    let delegate = ImapInput {
        login: "support*kim".to_owned(),
        ..input(server.port)
    };
    let mut patient = Patient::healthy(server, delegate, &roots).await;
    for (file, text, expected) in [
        (
            "boxes",
            "sales:{PLAIN}unused\n",
            (Station::MailboxRight, "IMAP not allowed", ASK_ADMIN),
        ),
        (
            "delegates",
            "alex:{PLAIN}unused\n",
            (Station::SignIn, "IMAP LOGIN failed", ME_OR_ADMIN),
        ),
    ] {
        patient.fails_by(file, text, expected).await;
    }
    patient.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_gone_stops_at_the_folder_and_no_earlier() {
    let server = Dovecot::start().await;
    server.folder("Requests");
    let (roots, requests) = (
        server.papers.ca.clone(),
        ImapInput {
            folder: Some("Requests".to_owned()),
            ..input(server.port)
        },
    );
    let mut patient = Patient::healthy(server, requests, &roots).await;
    // While the server runs, it may write there.
    patient.server.stop().await;
    patient.server.remove_folder("Requests");
    patient.server.run().await;
    let gone: Expected = (Station::Folder, "folder_gone", &[Fixer::You]);
    patient.is_ill(gone).await;
    // The address's own cause says the same.
    wait("the poll finds it too", async || {
        api::sync_now(&patient.desk.app, Some(patient.id))
            .await
            .unwrap();
        let cause = patient.desk.view(patient.id).await.cause;
        cause.filter(|cause| cause.code == "folder_gone")
    })
    .await;
    patient.server.stop().await;
    patient.server.folder("Requests");
    patient.server.run().await;
    patient.is_well("the folder is back").await;
    patient.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_line_or_the_certificate_stops_at_the_network() {
    let names = ["127.0.0.1"];
    let (other, over) = (
        Papers::new(&["mail.contoso.example"]),
        Papers::expired(&names),
    );
    let stranger = Papers::new(&names);
    let server = Dovecot::start().await;
    let (port, plain) = (server.port, server.plain_port);
    // Two more authorities that this computer trusts; the stranger's is not among them.
    let roots = [&server.papers.ca, &other.ca, &over.ca].map(String::as_str);
    let roots = roots.join("\n");
    let mut patient = Patient::healthy(server, input(port), &roots).await;
    for (papers, expected) in [
        (
            &other,
            (Station::Network, "tls_wrong_name", ME_OR_ADMIN) as Expected,
        ),
        (&over, (Station::Network, "tls_expired", ME_OR_ADMIN)),
        (
            &stranger,
            (Station::Network, "tls_unknown_issuer", ADMIN_OR_ME),
        ),
    ] {
        patient.server.wear(papers);
        patient.server.restart().await;
        patient.is_ill(expected).await;
    }
    let own = Papers {
        ca: String::new(),
        certificate: patient.server.papers.certificate.clone(),
        key: patient.server.papers.key.clone(),
    };
    patient.server.wear(&own);
    patient.server.restart().await;
    patient.is_well("its own certificate again").await;

    // The port speaks without TLS first.
    let swapped = format!(
        "service imap-login {{\n inet_listener imap {{\n port = {port}\n }}\n\
         inet_listener imaps {{\n port = {plain}\n }}\n}}\n"
    );
    let wrong_kind = (Station::Network, "tls_handshake", ME_OR_ADMIN);
    patient.fails_by("more", &swapped, wrong_kind).await;

    patient.server.stop().await;
    let down: Expected = (Station::Network, "connection_refused", &[Fixer::You]);
    patient.is_ill(down).await;
    // Somebody takes the call and says nothing.
    let silent = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let silence: Expected = (Station::Network, "connection_timeout", &[Fixer::You]);
    patient.is_ill(silence).await;
    drop(silent);
    patient.server.run().await;
    patient.is_well("it runs again").await;
    patient.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn encryption_that_is_not_offered_any_more_stops_before_any_password() {
    let server = Dovecot::start().await;
    let roots = server.papers.ca.clone();
    let with_starttls = ImapInput {
        tls: Tls::StartTls,
        ..input(server.plain_port)
    };
    let mut patient = Patient::healthy(server, with_starttls, &roots).await;
    let plain = "ssl = no\nservice imap-login {\n inet_listener imaps {\n ssl = no\n }\n}\n";
    let path = patient.server.place().join("more");
    fs::write(&path, plain).unwrap();
    patient.server.restart().await;
    let sign_ins = patient.server.lines();
    patient
        .is_ill((Station::Network, "starttls_missing", ME_OR_ADMIN))
        .await;
    assert_eq!(patient.server.lines(), sign_ins, "nobody signed in");
    fs::remove_file(path).unwrap();
    patient.server.restart().await;
    patient.is_well("STARTTLS is offered again").await;
    patient.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_or_shut_folder_for_finished_mail_is_a_warning_and_fetching_goes_on() {
    let quota = "namespace archive {\n prefix = Archive/\n separator = /\n location = maildir:DIR/mail/archive\n}\n\
        mail_plugins = quota acl\nprotocol imap {\n mail_plugins = quota acl\n}\n\
        plugin {\n quota = count:Archive:ns=Archive/\n quota_vsizes = yes\n quota_rule = *:storage=100M\n\
        acl = vfile:DIR/rights\n}\n";
    let mut server = Dovecot::start().await;
    let quota = quota.replace("DIR", &server.place().display().to_string());
    for name in ["archive", "archive/.Done"] {
        for part in ["", "new", "cur", "tmp"] {
            let path = server.mail_folder().join(name).join(part);
            fs::create_dir_all(&path).unwrap();
            chown(&path, Some(server.owner()), Some(server.owner())).unwrap();
        }
    }
    let all_rights = "INBOX owner lrwstiekxa\nArchive/Done owner lrwstiekxa\n";
    server.write("rights", all_rights);
    server.write("more", &quota);
    server.restart().await;
    let (port, roots) = (server.port, server.papers.ca.clone());
    let mut patient = Patient::healthy(server, input(port), &roots).await;
    let choice = AfterImport::Move {
        folder: "Archive/Done".to_owned(),
    };
    let app = patient.desk.app.clone();
    api::rehearse_after_import(&app, patient.id, choice.clone(), 20)
        .await
        .unwrap();
    api::set_after_import(&app, patient.id, choice, Some(SUPPORT), false)
        .await
        .unwrap();
    let full = quota.replace("storage=100M", "bytes=1");
    let shut = all_rights.replace("Archive/Done owner lrwstiekxa", "Archive/Done owner lr");
    let failures = [
        ("more", full, "IMAP move target full"),
        ("rights", shut, "IMAP move not permitted"),
    ];
    for (number, (file, text, code)) in failures.into_iter().enumerate() {
        let path = patient.server.place().join(file);
        let before = fs::read_to_string(&path).unwrap();
        fs::write(&path, text).unwrap();
        patient.server.restart().await;
        let id = format!("late-{number}@contoso.example");
        patient.server.deliver("new", &id, 1);
        patient.desk.imported(patient.id, number + 1).await;
        let finding = wait("the refusal shows", async || {
            let map = patient.check().await;
            assert!(map.first_failed().is_none(), "{map:#?}");
            map.station(Station::Mark).unwrap().finding.clone()
        })
        .await;
        assert_eq!(finding.code, code);
        let card = catalogue::card(code, &finding.args, Language::from_tag("en"));
        assert_eq!(card.fixers, ADMIN_OR_ME);
        fs::write(&path, before).unwrap();
        patient.server.restart().await;
        // Whoever has mended it asks again, and need not wait for the next try.
        api::sync_now(&app, Some(patient.id)).await.unwrap();
        wait("the mail is moved", async || {
            let map = patient.check().await;
            let mark = map.station(Station::Mark).unwrap();
            (mark.state == StationState::Ok && mark.facts["pending"] == "0").then_some(())
        })
        .await;
    }
    let rows = patient.desk.ledger(patient.id, Outcome::Imported).await;
    assert_eq!(rows.len(), 2, "nothing is imported twice");
    patient.close().await;
}

fn certificates(items: &[ForecastItem]) -> Vec<(&str, &str, Severity, i64)> {
    let drawn = items.iter().map(|item| {
        assert_eq!(item.code, "forecast_certificate", "{item:?}");
        let arg = |name: &str| item.args[name].as_str();
        let days = arg("days").parse().unwrap();
        (arg("host"), arg("issuer"), item.severity, days)
    });
    drawn.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_about_to_end_is_foreseen_and_a_new_one_is_noticed() {
    let names = ["127.0.0.1"];
    let (soon, sooner, later) = (
        Papers::ending_in(&names, 25),
        Papers::ending_in(&names, 10),
        Papers::ending_in(&names, 60),
    );
    let mut server = Dovecot::start().await;
    server.wear(&soon);
    server.restart().await;
    let roots = [&soon.ca, &sooner.ca, &later.ca].map(String::as_str);
    let (port, roots) = (server.port, roots.join("\n"));
    let mut patient = Patient::healthy(server, input(port), &roots).await;
    let host = format!("127.0.0.1:{port}");
    let issuer = "rcgen self signed cert";
    let foreseen = async |patient: &Patient, expected: &[(&str, &str, Severity, i64)]| {
        wait("the certificate is noted", async || {
            let items = api::forecast(&patient.desk.app, patient.id).await.unwrap();
            (certificates(&items) == expected).then_some(())
        })
        .await;
    };
    foreseen(&patient, &[(&host, issuer, Severity::Ok, 25)]).await;
    let all = api::forecasts(&patient.desk.app).await.unwrap();
    assert_eq!(all[0].items.len(), 1);

    for (papers, expected) in [
        (
            &sooner,
            vec![(host.as_str(), issuer, Severity::Warning, 10)],
        ),
        (&later, vec![]),
    ] {
        patient.server.wear(papers);
        patient.server.restart().await;
        patient.is_well("another certificate").await;
        foreseen(&patient, &expected).await;
    }
    for language in Language::ALL {
        let args = [("host", host.as_str()), ("issuer", issuer)];
        let args = args.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let card = catalogue::card("forecast_certificate", &args.into(), language);
        assert!(card.title.contains(&host) && card.meaning.contains(issuer));
    }
    patient.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_folder_in_which_there_never_was_mail_is_said_to_be_without() {
    let server = Dovecot::start().await;
    for name in ["Empty", "Emptied"] {
        server.folder(name);
    }
    server.deliver(".Emptied/new", "early@contoso.example", -60);
    let (port, roots) = (server.port, server.papers.ca.clone());
    let desk = Desk::new(Some(&roots)).await;
    // Somebody reads the only mail of a folder and puts it away before Mailroom comes.
    let provider = super::mailbox::mailbox(&server, mailroom_core::account::Tls::Implicit);
    let found = provider.folder(Some("Emptied")).await.unwrap();
    assert_eq!((found.total, found.has_had_mail), (1, true));
    server.remove_from("Emptied", "early@contoso.example");
    let view = desk
        .connect(port, PASSWORD, Some("Empty"), None)
        .await
        .unwrap();
    desk.verified(view.id).await;
    let folder = async || {
        let map = api::check_address(&desk.app, view.id, None).await.unwrap();
        let seen = map.station(Station::Folder).unwrap();
        let code = seen.finding.as_ref().map(|finding| finding.code.clone());
        (seen.state, code)
    };
    let never = "no_recent_mail_in_folder".to_owned();
    assert_eq!(folder().await, (StationState::Warning, Some(never)));

    // A mail came and went.
    server.deliver(".Empty/new", "came@contoso.example", 1);
    desk.imported(view.id, 1).await;
    assert_eq!(folder().await, (StationState::Ok, None));
    server.remove_from("Empty", "came@contoso.example");
    assert_eq!(folder().await, (StationState::Ok, None));

    // Mailroom has seen nothing in this one, but the server has given out a number in it.
    api::set_folder(&desk.app, view.id, Some("Emptied"))
        .await
        .unwrap();
    wait("the other folder is read", async || {
        let details = api::address_details(&desk.app, view.id).await.unwrap();
        (details.folder_path.as_deref() == Some("Emptied")).then_some(())
    })
    .await;
    assert_eq!(folder().await, (StationState::Ok, None));
    desk.app.close().await;
}
