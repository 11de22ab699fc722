//! What does not work says why, by its exit code and in words.

use super::terminal::{Terminal, answer, program};
use crate::world::SUPPORT;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_usage_is_exit_code_2_and_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let cases: &[&[&str]] = &[
        &[],
        &["no-such-command"],
        &["import", SUPPORT],
        &["import", SUPPORT, "--newest", "many"],
        &["status", "--secrets", "plain"],
        &["sandbox", "--scenario", "no-such-scenario"],
        // No passphrase.
        &["status", "--secrets", "file", "--data-dir", folder],
        &[
            "connect",
            "not-an-address",
            "--client-id",
            "x",
            "--data-dir",
            folder,
        ],
        &["connect", SUPPORT, "--client-id", "x", "--data-dir", folder],
        &["connect", SUPPORT, "--data-dir", folder],
        &["connect", SUPPORT, "--authority", "http://localhost:1"],
    ];
    for case in cases {
        let mut command = program();
        command.args(*case).env_remove("MAILROOM_PASSPHRASE");
        let answer = answer(command).await;
        assert_eq!(answer.code, 2, "{case:?}: {answer:?}");
        assert_eq!(answer.stdout, "", "{case:?}");
        assert!(!answer.stderr.is_empty(), "{case:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_address_or_ticket_is_exit_code_1_and_a_code_in_json() {
    let terminal = Terminal::new(&[]).await;
    for case in [
        vec!["status", "nobody@contoso.example"],
        vec!["sync", "nobody@contoso.example"],
        vec!["import", "nobody@contoso.example", "--newest", "5"],
        vec!["ledger", "nobody@contoso.example"],
        vec!["disconnect", "nobody@contoso.example"],
        vec!["reconnect", "nobody@contoso.example"],
        vec!["default", "nobody@contoso.example"],
        vec!["tickets", "--address", "nobody@contoso.example"],
        vec!["ticket", "4711"],
    ] {
        let answer = terminal.run(&[&case[..], &["--json"]].concat()).await;
        assert_eq!(answer.code, 1, "{case:?}: {answer:?}");
        let error: Value = serde_json::from_str(&answer.stderr).unwrap();
        assert_eq!(error["code"], "not_found", "{case:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_account_is_refused_with_both_names() {
    let mut terminal = Terminal::new(&[]).await;
    terminal.login = "alex@contoso.example".to_owned();
    let refused = terminal.run(&terminal.connect(SUPPORT)).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    for name in [SUPPORT, "alex@contoso.example"] {
        assert!(refused.stderr.contains(name), "{refused:?}");
    }
    let status = terminal.run(&["status", "--json"]).await;
    assert_eq!(status.json(), serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_consent_is_a_finding_with_the_servers_code() {
    let mut terminal = Terminal::new(&[]).await;
    terminal.declines = true;
    let mut connect = terminal.connect(SUPPORT);
    connect.push("--json");
    let refused = terminal.run(&connect).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert_eq!(refused.json()["code"], "AADSTS65004", "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_in_trouble_is_exit_code_1_with_its_cause() {
    let terminal = Terminal::new(&[]).await;
    assert_eq!(terminal.run(&terminal.connect(SUPPORT)).await.code, 0);
    terminal
        .control(reqwest::Method::PUT, "scenarios/token-revoked")
        .await;
    let synced = terminal.run(&["sync", "--json"]).await;
    assert_eq!(synced.code, 1, "{synced:?}");
    let status = terminal.run(&["status", "--json"]).await;
    assert_eq!(status.code, 1);
    assert_eq!(status.json()[0]["status"], "failed");
    assert_eq!(status.json()[0]["cause"]["code"], "AADSTS50173");
    let words = terminal.run(&["status", "--language", "en"]).await;
    assert!(words.stdout.contains("[AADSTS50173]"), "{words:?}");
    terminal
        .control(reqwest::Method::DELETE, "scenarios/token-revoked")
        .await;
    let back = terminal
        .run(&["reconnect", SUPPORT, "--browser", &terminal.browser()])
        .await;
    assert_eq!(back.code, 0, "{back:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_keychain_connect_says_so_before_the_browser_opens() {
    let terminal = Terminal::new(&[]).await;
    let home = tempfile::tempdir().unwrap();
    let opened = home.path().join("opened");
    let browser = format!("touch '{}'", opened.display());
    let mut connect = terminal.connect(SUPPORT);
    connect.truncate(connect.len() - 1);
    connect.extend([browser.as_str(), "--json", "--secrets", "os"]);
    let mut command = program();
    command
        .args(&connect)
        .arg("--data-dir")
        .arg(home.path().join("data"))
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path())
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("DISPLAY");
    let refused = answer(command).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    let error: Value = serde_json::from_str(&refused.stderr).unwrap();
    assert_eq!(error["code"], "no_keychain");
    assert!(!opened.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wrong_passphrase_reads_tickets_but_opens_no_sign_in() {
    let terminal = Terminal::new(&[]).await;
    let mut connect = terminal.connect(SUPPORT);
    connect.extend(["--import", "5"]);
    assert_eq!(terminal.run(&connect).await.code, 0);
    let wrong = async |args: &[&str]| {
        let mut command = terminal.command(args);
        command.env("MAILROOM_PASSPHRASE", "wrong");
        answer(command).await
    };
    assert_eq!(wrong(&["tickets", "--json"]).await.code, 0);
    let synced = wrong(&["sync", "--json"]).await;
    assert_eq!(synced.code, 1, "{synced:?}");
    assert_eq!(synced.json()[0]["cause"]["code"], "wrong_passphrase");
    assert_eq!(terminal.run(&["sync"]).await.code, 0);
}
