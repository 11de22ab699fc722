//! A server that repeats what it was told in confidence: neither an error, nor the log, nor the database holds it.

use super::scripted::{Script, Trick, serve};
use super::{Desk, Papers};
use crate::world::wait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailroom_core::api;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

const LONG: &str = "secret-CANARY-7fQ2x";
/// Too short to be looked for in just any text.
const SHORT: &str = "q7#Z";
/// No SASL: the password goes by LOGIN.
const ONLY_LOGIN: Trick = Trick::Reply("* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n");

/// What a server may say that knows the password, as answers to the command that told it.
fn echoes(password: &str) -> Vec<Trick> {
    let coded = STANDARD.encode(password);
    let sasl = STANDARD.encode(format!("\0support\0{password}"));
    let reason = STANDARD.encode(format!(r#"{{"status":"{password}"}}"#));
    [
        format!("TAG NO wrong password {password} for support\r\n"),
        format!("TAG NO [ALERT] \"{password}\"\r\n"),
        format!("TAG BAD what is {sasl}\r\n"),
        format!("TAG NO what is {coded}\r\n"),
        format!("+ {password}\r\nTAG NO no\r\n"),
        format!("+ {reason}\r\nTAG NO no\r\n"),
        format!("+ {coded}\r\nTAG NO no\r\n"),
    ]
    .map(|text| Trick::Reply(text.leak()))
    .into_iter()
    .chain([
        Trick::Say(format!("* BYE no {password} here\r\n").leak()),
        Trick::Say(format!("* BYE no {sasl} here\r\n").leak()),
    ])
    .collect()
}

/// Whether `text` holds the password in any spelling.
fn holds(text: &str, password: &str) -> bool {
    let sasl = STANDARD.encode(format!("\0support\0{password}"));
    [password, &STANDARD.encode(password), &sasl]
        .iter()
        .any(|secret| text.contains(secret))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_the_server_repeats_is_in_no_error_no_log_and_no_database() {
    // Another test of this process may have done so.
    let _ = tracing_subscriber::registry()
        .with(mailroom_core::log::recent_lines())
        .try_init();
    let papers = Papers::new(&["127.0.0.1"]);
    let desk = Desk::new(Some(&papers.ca)).await;
    for password in [LONG, SHORT] {
        for (at, only_login) in [("AUTHENTICATE", false), ("LOGIN", true), ("SELECT", false)] {
            for trick in echoes(password) {
                let mut script = Script::new(at, trick, u32::MAX);
                if only_login {
                    script = script.and(&Script::new("GREETING", ONLY_LOGIN, u32::MAX));
                }
                let port = serve(&papers, script.clone()).await;
                let error = Box::pin(desk.connect(port, password, None, None)).await;
                let error = format!("{:?}", error.unwrap_err());
                assert!(!holds(&error, password), "{at} {trick:?}: {error}");
                assert!(script.count(at) > 0, "{at} {trick:?}: was never tried");
            }
        }
    }
    // A connected address keeps what was said last.
    let login = Script::new("AUTHENTICATE", echoes(LONG)[0], 0);
    let script = Script::new("SELECT", *echoes(LONG).last().unwrap(), 0).and(&login);
    let port = serve(&papers, script.clone()).await;
    let id = desk.connect(port, LONG, None, None).await.unwrap().id;
    desk.imported(id, 3).await;
    login.play(u32::MAX);
    script.play(u32::MAX);
    let cause = wait("the refusal is kept", async || {
        api::sync_now(&desk.app, Some(id)).await.unwrap();
        let cause = desk.view(id).await.cause?;
        (cause.code == "IMAP LOGIN failed").then_some(cause)
    })
    .await;
    let said = cause.evidence.unwrap().raw;
    assert_eq!(said, "wrong password [redacted] for support");
    desk.app.close().await;
    let log = mailroom_core::log::lines().join("\n");
    let mut kept = log;
    for entry in std::fs::read_dir(desk.folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            kept.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
        }
    }
    assert!(kept.contains("[redacted]"), "what was said is kept");
    assert!(!holds(&kept, LONG));
    assert!(!kept.contains("CANARY-7fQ2x"));
}
