//! What a hostile server costs, measured: a process of its own reads from it, with the patience that people have, and
//! its memory is what the system says (`VmHWM`, proc(5)).

use super::Papers;
use super::scripted::Trick::{self, Big, Flood, Hang};
use super::scripted::{Script, honest_server, serve};
use mailroom_core::account::{ImapAuth, ImapServer, Tls};
use mailroom_core::provider::Provider;
use mailroom_core::provider::imap::{Credentials, ImapMailbox, Patience, Trust};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const PORT: &str = "MAILROOM_TEST_HOSTILE_PORT";
/// The port of a server that plays no trick.
const HONEST: &str = "MAILROOM_TEST_HONEST_PORT";
const ROOT: &str = "MAILROOM_TEST_HOSTILE_ROOT";
/// The most that one session may take, in KiB.
const MOST_KIB: u64 = 64 << 10;
/// The longest that a server without sense holds us up.
const LONGEST: Duration = Duration::from_secs(30);

const MAILS: &str = "* 1 FETCH (UID BODY[] {SIZE}\r\n";
const PARTS: &str = "* 1 FETCH (UID BODY[1] {30000000}\r\n";
const HEADERS: &str = "* 1 FETCH (UID FLAGS () INTERNALDATE \"01-Nov-2026 09:00:00 +0000\" \
    BODY[HEADER.FIELDS (SUBJECT FROM MESSAGE-ID)] {SIZE}\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn no_server_takes_more_than_64_mib_or_holds_a_session_for_more_than_30_seconds() {
    let papers = Papers::new(&["127.0.0.1"]);
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("ca.pem");
    std::fs::write(&root, &papers.ca).unwrap();
    // What fills memory, one after another, and what is silent, all at once beside it.
    let filling = [
        ("BODY.PEEK[])", Big(MAILS, 18 << 20, ")\r\n")),
        ("BODY.PEEK[])", Big(MAILS, 47 << 20, ")\r\n")),
        ("BODY.PEEK[])", Big(MAILS, 49 << 20, ")\r\n")),
        (
            "BODY.PEEK[])",
            Big(PARTS, 30_000_000, " BODY[2] {20000000}\r\n"),
        ),
        (
            "BODY.PEEK[])",
            Flood("* 1 FETCH (UID 1 BODY[] {9}\r\n123456789)\r\n"),
        ),
        ("HEADER.FIELDS", Big(HEADERS, 100 << 10, ")\r\n")),
        ("HEADER.FIELDS", Big(HEADERS, 19 << 20, ")\r\n")),
        (
            "HEADER.FIELDS",
            Flood("* 1 FETCH (UID 1 FLAGS (a b c d e f g h))\r\n"),
        ),
        ("UID SEARCH", Flood("* SEARCH 1 2 3 4 5 6 7 8 9\r\n")),
        ("UID SEARCH", Flood(" 1 2 3 4 5 6 7 8 9")),
        (
            "SELECT",
            Flood("* OK [PERMANENTFLAGS (\\Seen a b c d)] x\r\n"),
        ),
        ("AUTHENTICATE", Flood("x")),
    ];
    let noisy = async {
        for (at, trick) in filling {
            Box::pin(reads(&papers, &root, at, trick)).await;
        }
    };
    let silent = [
        "GREETING",
        "AUTHENTICATE",
        "SELECT",
        "UID SEARCH",
        "BODY.PEEK[])",
    ];
    let silent = silent.map(|at| Box::pin(reads(&papers, &root, at, Hang("* OK half a li"))));
    let [a, b, c, d, e] = silent;
    tokio::join!(noisy, a, b, c, d, e);
}

async fn reads(papers: &Papers, root: &Path, at: &'static str, trick: Trick) {
    let script = Script::new(at, trick, u32::MAX);
    let port = serve(papers, script.clone()).await;
    let output = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "imap::memory::reads_from_a_hostile_server",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(PORT, port.to_string())
        .env(HONEST, honest_server(papers).await.to_string())
        .env(ROOT, root)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let figure = |name: &str| -> u64 {
        let behind = said.split_once(name);
        let behind = behind.unwrap_or_else(|| panic!("{at} {trick:?}: {said}")).1;
        behind.split_whitespace().next().unwrap().parse().unwrap()
    };
    let (took, grown) = (
        Duration::from_millis(figure("took_ms=")),
        figure("grown_kib="),
    );
    // Mail is asked for again in smaller parts, each time in a session of its own. The child has ended, and with it every
    // line.
    let closed = crate::world::wait("the server has noticed", async || {
        let closed = script.closed();
        (closed.len() == script.count("GREETING")).then_some(closed)
    })
    .await;
    let longest = closed.into_iter().max().unwrap();
    eprintln!("{at} {trick:?}: {took:?}, the longest session {longest:?}, {grown} KiB");
    assert!(grown <= MOST_KIB, "{at} {trick:?}: {grown} KiB");
    assert!(longest <= LONGEST, "{at} {trick:?}: {longest:?}");
}

/// A figure of proc(5) in KiB.
fn status(name: &str) -> u64 {
    let all = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = all.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// One session, in a process of its own.
#[test]
#[ignore = "a child of the test above"]
fn reads_from_a_hostile_server() {
    let Ok(port) = std::env::var(PORT) else {
        return;
    };
    let root = std::fs::read(std::env::var_os(ROOT).unwrap()).unwrap();
    let trust = Arc::new(Trust::new(vec![root]));
    let at = |port: &str| {
        let server = ImapServer {
            host: "127.0.0.1".to_owned(),
            port: port.parse().unwrap(),
            tls: Tls::Implicit,
            login: "support".to_owned(),
            auth: ImapAuth::Password,
        };
        let credentials = Credentials::Password("secret".into());
        let patience = Patience::default();
        ImapMailbox::new(server, None, credentials, trust.clone(), patience)
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // What is read once in the life of a program, as the system's certificates are, is no server's doing.
    let honest = Provider::Imap(at(&std::env::var(HONEST).unwrap()));
    runtime.block_on(honest.folder(None)).unwrap();
    drop(honest);
    let mailbox = at(&port);
    let before = status("VmRSS");
    let begun = Instant::now();
    runtime.block_on(async {
        let provider = Provider::Imap(mailbox);
        let cursor = provider.cursor_since("INBOX", 0).unwrap();
        if let Ok(page) = provider.changes(&cursor).await {
            let ids: Vec<String> = page
                .changed
                .into_iter()
                .map(|mail| mail.server_id)
                .collect();
            drop(provider.fetch(&ids).await);
        }
    });
    let grown = status("VmHWM").saturating_sub(before);
    println!(
        "\ntook_ms={} grown_kib={grown} ",
        begun.elapsed().as_millis()
    );
}
