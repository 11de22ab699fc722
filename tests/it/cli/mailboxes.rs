//! Mailboxes that are not somebody's own inbox at Graph, as scripts connect and change them: real mail servers, the real
//! program.

use super::terminal::{Answer, Terminal};
use crate::imap::dovecot::{self, Dovecot};
use crate::world::{SUPPORT, wait};
use mailroom_rigs::postfix::{self, Postfix, Ways};
use serde_json::Value;
use std::path::PathBuf;
use tokio::net::TcpListener;

const INFO: &str = "info@contoso.example";

/// A terminal that trusts a mail server.
struct Office {
    terminal: Terminal,
    ca: PathBuf,
}

impl Office {
    async fn new(server: &Dovecot) -> Self {
        let terminal = Terminal::new(&[]).await;
        let ca = terminal.folder.path().join("ca.pem");
        std::fs::write(&ca, &server.papers.ca).unwrap();
        Self { terminal, ca }
    }

    /// Runs a command; `typed` is its standard input.
    async fn run(&self, args: &[&str], typed: &str) -> Answer {
        let ca = ["--ca-file", self.ca.to_str().unwrap(), "--json"];
        self.terminal.type_in(&[args, &ca].concat(), typed).await
    }

    /// `connect` by IMAP with a password, and more options.
    async fn connect(&self, server: &Dovecot, more: &[&str], typed: &str) -> Answer {
        let place = format!("127.0.0.1:{}", server.port);
        let usual = [
            "connect",
            SUPPORT,
            "--provider",
            "imap",
            "--imap",
            &place,
            "--login",
            "support",
            "--auth",
            "password",
            "--password-stdin",
        ];
        self.run(&[&usual, more].concat(), typed).await
    }
}

fn password() -> String {
    format!("{}\n", dovecot::PASSWORD)
}

fn codes(results: &Value) -> Vec<(bool, bool)> {
    let each = results.as_array().unwrap().iter();
    each.map(|one| (one["stored"] == true, one["finding"].is_null()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_servers_are_connected_checked_and_changed_by_command() {
    if !postfix::is_possible() {
        return;
    }
    let server = Dovecot::start().await;
    let postfix = Postfix::start(&server, Ways::default()).await;
    server.deliver("new", "one@contoso.example", -60);
    let office = Office::new(&server).await;
    let submission = format!("127.0.0.1:{}", postfix.submission);
    let more = [
        "--smtp",
        &submission,
        "--from",
        "sales@contoso.example",
        "--import",
        "5",
    ];
    let connected = office.connect(&server, &more, &password()).await;
    assert_eq!(connected.code, 0, "{connected:?}");
    assert_eq!(connected.json()[0]["import"]["totals"]["imported"], 1);

    let listed = office.run(&["servers", SUPPORT], "").await;
    assert_eq!(listed.code, 0);
    let listed = listed.json();
    assert_eq!(
        (&listed[0]["kind"], &listed[1]["kind"]),
        (&"imap".into(), &"smtp".into())
    );
    assert_eq!(listed[1]["from"][1], "sales@contoso.example");
    let checked = office.run(&["servers", SUPPORT, "--check"], "").await;
    assert_eq!(checked.code, 0, "{checked:?}");
    let checked = checked.json();
    assert!(
        checked
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["finding"].is_null())
    );

    // The other port of the same server, with the stored password.
    let plain = format!("127.0.0.1:{}", server.plain_port);
    let change = [
        "servers",
        SUPPORT,
        "--imap",
        &plain,
        "--imap-tls",
        "starttls",
    ];
    let changed = office.run(&change, "").await;
    assert_eq!(changed.code, 0, "{changed:?}");
    let result = &changed.json()[0];
    assert_eq!(
        (&result["stored"], &result["fresh_start"]),
        (&true.into(), &false.into())
    );

    // Nobody listens there.
    let nowhere = ["servers", SUPPORT, "--smtp", "127.0.0.1:1"];
    let refused = office.run(&nowhere, "").await;
    assert_eq!(
        (refused.code, codes(&refused.json())),
        (1, vec![(false, false)])
    );
    let kept = office
        .run(&[&nowhere[..], &["--anyway"]].concat(), "")
        .await;
    assert_eq!((kept.code, codes(&kept.json())), (0, vec![(true, false)]));
    let listed = office.run(&["servers", SUPPORT], "").await.json();
    assert!(listed[1]["warning"].is_object(), "{listed}");
    let checked = office.run(&["servers", SUPPORT, "--check"], "").await;
    assert_eq!(checked.code, 1);
    assert!(checked.json()[0]["finding"].is_null());

    let removed = office.run(&["servers", SUPPORT, "--remove-smtp"], "").await;
    assert_eq!(removed.code, 0, "{removed:?}");
    let left = removed.json();
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
    assert_eq!(left[0]["kind"], "imap");

    // A stored password goes to no other server.
    let mistyped = format!("localhost:{}", postfix.submission);
    let sending = ["servers", SUPPORT, "--smtp", &mistyped, "--anyway"];
    let refused = office.run(&sending, "").await;
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("password_needed"), "{refused:?}");
    let elsewhere = format!("localhost:{}", server.port);
    let moved = ["servers", SUPPORT, "--imap", &elsewhere];
    let refused = office.run(&moved, "").await;
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("password_needed"), "{refused:?}");
    let stranger = office
        .run(&[&moved[..], &["--password-stdin"]].concat(), &password())
        .await;
    // The certificate bears no such name.
    assert_eq!(
        (stranger.code, codes(&stranger.json())),
        (1, vec![(false, false)])
    );

    for wrong in [
        &["servers", "--imap", "mail.contoso.example"][..],
        &["servers", SUPPORT, "--anyway"],
        &[
            "servers",
            SUPPORT,
            "--smtp",
            "mail.contoso.example",
            "--check",
        ],
        &["servers", SUPPORT, "--smtp-tls", "implicit"],
        &["servers", "--remove-smtp"],
        &["servers", SUPPORT, "--remove-smtp", "--check"],
        &[
            "servers",
            SUPPORT,
            "--remove-smtp",
            "--smtp",
            "mail.contoso.example",
        ],
        &["servers", SUPPORT, "--remove-smtp", "--anyway"],
        &["connect", SUPPORT, "--smtp", "mail.contoso.example"],
    ] {
        let refused = office.run(wrong, "").await;
        assert_eq!(refused.code, 2, "{wrong:?}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_for_sending_that_does_not_work_leaves_the_address_connected() {
    let server = Dovecot::start().await;
    let office = Office::new(&server).await;
    // What cannot be a server is said before anybody signs in.
    let wrong = office
        .connect(&server, &["--smtp", "no host"], &password())
        .await;
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert_eq!(server.lines(), 0);
    // The password came with the names of both, so it serves at another host too.
    let half = office
        .connect(&server, &["--smtp", "localhost:1"], &password())
        .await;
    assert_eq!(half.code, 1, "{half:?}");
    assert_eq!(half.json()[0]["status"], "verified");
    let listed = office.run(&["servers", SUPPORT], "").await.json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_is_read_and_what_is_imported_is_moved_by_command() {
    let server = Dovecot::start().await;
    server.folder("Requests");
    server.folder("Done");
    server.deliver(".Requests/new", "one@contoso.example", -60);
    server.deliver("new", "elsewhere@contoso.example", -60);
    let office = Office::new(&server).await;
    let away = [
        "--folder",
        "Requests",
        "--import",
        "5",
        "--after-import",
        "move:Done",
    ];
    let careful = office.connect(&server, &away, &password()).await;
    assert_eq!(careful.code, 2, "no confirmation: {careful:?}");
    assert_eq!(server.lines(), 0, "nothing is connected");
    let sure = [&away[..], &["--confirm", SUPPORT]].concat();
    let connected = office.connect(&server, &sure, &password()).await;
    assert_eq!(connected.code, 0, "{connected:?}");
    assert_eq!(connected.json()[0]["import"]["totals"]["imported"], 1);
    let synced = office.run(&["sync", SUPPORT, "--once"], "").await;
    assert_eq!(synced.code, 0, "{synced:?}");
    wait("the mail is moved", async || {
        (server.ids_in("Done") == ["one"]).then_some(())
    })
    .await;
    assert_eq!(server.ids_in(""), ["elsewhere"]);
    assert!(server.ids_in("Requests").is_empty());
    let missing = ["connect", SUPPORT, "--folder"];
    assert_eq!(office.run(&missing, "").await.code, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_mailbox_is_connected_by_somebody_who_may_open_it() {
    let mut terminal = Terminal::new(&[]).await;
    terminal.login = "alex@contoso.example".to_owned();
    let mut shared = terminal.connect(INFO);
    shared.extend(["--shared", "--import", "3", "--json"]);
    let connected = terminal.run(&shared).await;
    assert_eq!(connected.code, 0, "{connected:?}");
    let view = connected.json()[0].clone();
    assert_eq!(
        (&view["address"], &view["mailbox"]),
        (&INFO.into(), &INFO.into())
    );
    assert!(
        connected
            .stderr
            .contains("Signed in as alex@contoso.example; opens")
    );
    // Who may not open a mailbox is told so, and nothing is connected.
    let mut foreign = terminal.connect("sales@contoso.example");
    foreign.extend(["--shared", "--json"]);
    let refused = terminal.run(&foreign).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.json()["code"].is_string());
    let listed = terminal.run(&["status", "--json"]).await.json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_drops_and_a_kill_while_trying_change_nothing() {
    let server = Dovecot::start().await;
    server.deliver("new", "one@contoso.example", -60);
    let office = Office::new(&server).await;
    let connected = office.connect(&server, &[], &password()).await;
    assert_eq!(connected.code, 0, "{connected:?}");
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = other.local_addr().unwrap().to_string();
    let change = ["servers", SUPPORT, "--imap", &place];
    let unchanged = async || {
        let listed = office.run(&["servers", SUPPORT], "").await.json();
        assert_eq!(listed[0]["port"], server.port, "{listed}");
        assert!(listed[0]["warning"].is_null(), "{listed}");
        let synced = office.run(&["sync", SUPPORT, "--once"], "").await;
        assert_eq!(synced.code, 0, "{synced:?}");
    };

    let drops = async {
        loop {
            drop(other.accept().await);
        }
    };
    let dropped = tokio::select! {
        answer = office.run(&change, "") => answer,
        () = drops => unreachable!("lines are dropped for ever"),
    };
    assert_eq!(
        (dropped.code, codes(&dropped.json())),
        (1, vec![(false, false)])
    );
    unchanged().await;

    // It has a line, and hears nothing.
    let ca = ["--ca-file", office.ca.to_str().unwrap()];
    let mut trying = office
        .terminal
        .command(&[&change[..], &ca].concat())
        .spawn()
        .unwrap();
    let line = other.accept().await.unwrap();
    trying.kill().await.unwrap();
    drop(line);
    unchanged().await;
}
