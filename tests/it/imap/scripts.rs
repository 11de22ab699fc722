//! Two hundred ways for a server to be wrong, each tried on the mailbox alone, with little patience. Whatever it says: the
//! line is closed in time, little is kept, and once the server is honest again, every mail is there once and whole.

use super::Papers;
use super::scripted::{Script, Trick, serve, serve_starttls};
use mailroom_core::account::{ImapAuth, ImapServer, Tls};
use mailroom_core::provider::imap::{Credentials, ImapMailbox, Patience, Trust};
use mailroom_core::provider::{Mark, Provider, ProviderError, Then};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use Trick::{Before, Flood, Hang, Reply, Say};

pub(super) const PASSWORD: &str = "secret-CANARY";

pub(super) fn mailbox(papers: &Papers, port: u16, tls: Tls) -> ImapMailbox {
    let server = ImapServer {
        host: "127.0.0.1".to_owned(),
        port,
        tls,
        login: "support".to_owned(),
        auth: ImapAuth::Password,
    };
    let patience = Patience {
        connect: Duration::from_secs(5),
        silence: Duration::from_secs(2),
        sign_of_life: Duration::from_secs(1),
        listing: Duration::from_secs(3),
        bodies: Duration::from_secs(5),
    };
    let trust = Trust::new(vec![papers.ca.as_bytes().to_vec()]);
    let credentials = Credentials::Password(PASSWORD.into());
    ImapMailbox::new(server, None, credentials, Arc::new(trust), patience)
}

/// Everything that is done with a mailbox, once. Gives the messages by their numbers.
async fn visit(mailbox: &Provider) -> Result<BTreeMap<String, String>, ProviderError> {
    mailbox.folder(None).await?;
    mailbox.folders().await?;
    let mut cursor = mailbox.cursor_since("INBOX", 0)?;
    let mut ids = Vec::new();
    loop {
        let page = mailbox.changes(&cursor).await?;
        ids.extend(page.changed.into_iter().map(|message| message.server_id));
        cursor = page.next;
        if !page.more {
            break;
        }
    }
    mailbox.newest("INBOX", i64::MAX, 10, None).await?;
    let mut had = BTreeMap::new();
    for (id, body) in ids.iter().zip(mailbox.fetch(&ids).await) {
        let body = String::from_utf8(body?.to_vec()).unwrap();
        assert!(had.insert(id.clone(), body).is_none(), "{id} came twice");
    }
    let marks: Vec<Mark> = ids
        .iter()
        .map(|id| Mark {
            server_id: id.clone(),
            folder_id: "INBOX".to_owned(),
            read: true,
            category: None,
            then: Then::Stay,
        })
        .collect();
    for result in mailbox.mark(&marks).await {
        result?;
    }
    if let Some(mut watch) = mailbox.watch("INBOX", Some(&cursor)).await? {
        let renew = Duration::from_millis(100);
        let waited = tokio::time::timeout(renew * 4, watch.news(renew)).await;
        if let Ok(Err(error)) = waited {
            return Err(error);
        }
    }
    Ok(had)
}

fn expected() -> BTreeMap<String, String> {
    let mail = |uid: u32| {
        let id = format!("m{uid}@contoso.example");
        crate::world::mail(&id, &format!("m{uid}"), "").replace('\n', "\r\n")
    };
    (1..=3)
        .map(|uid| (format!("7.{uid}.INBOX"), mail(uid)))
        .collect()
}

async fn endure(papers: &Papers, at: &'static str, trick: Trick) {
    let script = Script::new(at, trick, 1);
    let port = serve(papers, script.clone()).await;
    let mailbox = mailbox(papers, port, Tls::Implicit);
    let provider = Provider::Imap(mailbox.clone());
    let trial = async {
        let mut errors = Vec::new();
        for _ in 0..4 {
            match visit(&provider).await {
                Ok(had) => {
                    assert_eq!(had, expected(), "{at} {trick:?}");
                    return;
                }
                Err(error) => {
                    assert!(!format!("{error:?}").contains("CANARY"), "{at} {trick:?}");
                    errors.push(error);
                }
            }
        }
        panic!("{at} {trick:?}: the honest server is not read: {errors:?}");
    };
    let ended = tokio::time::timeout(Duration::from_secs(30), trial).await;
    ended.unwrap_or_else(|_| panic!("{at} {trick:?}: no end"));
    assert!(script.is_spent(), "{at} {trick:?}: was never tried");
    let held = mailbox.most_held();
    assert!(held <= 64 << 20, "{at} {trick:?}: {held} bytes");
}

/// What any state of the conversation can be answered with.
const ANYWHERE: [Trick; 15] = [
    Hang(""),
    Hang("* OK half a li"),
    Say(""),
    Say("* BYE too many connections\r\n"),
    Say("* BYE Session invalidated - AccessTokenExpired\r\n"),
    Say("other OK done\r\n"),
    Say("* OK \u{0}\u{1}\u{2}\n"),
    Say("TAG OK cut"),
    Flood("x"),
    Flood("* OK still at it\r\n"),
    Flood("+ go on\r\n"),
    Say("* LIST ((((((((((((((((((((((((((((((((((((\r\n"),
    // What the parser falls over, if it is given it.
    Before("* 1 FETCH (UID 1 INTERNALDATE NIL)\r\n"),
    Before("* OK [ALERT]é\r\n"),
    Before("* METADATA \"\u{fffd}\" \"/private/comment\"\r\n"),
];

const STATES: [&str; 8] = [
    "GREETING",
    "AUTHENTICATE",
    "SELECT",
    "UID SEARCH",
    "HEADER.FIELDS",
    "BODY.PEEK[])",
    "UID STORE",
    "IDLE",
];

#[tokio::test(flavor = "multi_thread")]
async fn silence_noise_and_farewell_at_every_state() {
    let papers = Arc::new(Papers::new(&["127.0.0.1"]));
    all(
        STATES
            .into_iter()
            .flat_map(|at| ANYWHERE.map(|trick| (at, trick))),
        papers,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_wrong_in_their_own_way() {
    let papers = Arc::new(Papers::new(&["127.0.0.1"]));
    let tricks = [
        ("GREETING", Say("HTTP/1.1 400 Bad Request\r\n\r\n")),
        ("GREETING", Say("* PREAUTH somebody else's\r\n")),
        ("AUTHENTICATE", Reply("TAG BAD what\r\n")),
        (
            "AUTHENTICATE",
            Reply("* CAPABILITY LOGINDISABLED\r\nTAG OK [CAPABILITY IMAP4rev1] no IDLE\r\n"),
        ),
        ("AUTHENTICATE", Say("+ {4294967295}\r\n")),
        ("AUTHENTICATE", Say("TAG NO [ALERT]\u{fffd}\r\n")),
        ("SELECT", Say("TAG NO [ALERT]\u{fffd}\r\n")),
        ("SELECT", Say("* 1 FETCH (BODY[] {4294967295}\r\n")),
        (
            "SELECT",
            Say("* 1 FETCH (BODY[] {99999999999999999999999}\r\n"),
        ),
        ("SELECT", Say("* 1 FETCH (BODY[] {-1}\r\nTAG OK\r\n")),
        (
            "SELECT",
            Reply("* 3 EXISTS\r\nTAG OK without UIDVALIDITY\r\n"),
        ),
        (
            "SELECT",
            Reply("* 3 EXISTS\r\n* OK [UIDVALIDITY 0] x\r\nTAG OK zero\r\n"),
        ),
        (
            "SELECT",
            Reply("* OK [UIDVALIDITY -7] x\r\nTAG OK negative\r\n"),
        ),
        (
            "SELECT",
            Reply("* OK [UIDVALIDITY 4294967303] x\r\nTAG OK overflow\r\n"),
        ),
        (
            "SELECT",
            Reply("* -3 EXISTS\r\n* 99999999999 EXISTS\r\nTAG OK counts\r\n"),
        ),
        ("SELECT", Reply("TAG NO [SERVERBUG] no\r\n")),
        (
            "SELECT",
            Reply("TAG BAD User is authenticated but not connected.\r\n"),
        ),
        (
            "SELECT",
            Reply("TAG NO Request is throttled. Suggested Backoff Time: 1000 milliseconds\r\n"),
        ),
        ("UID SEARCH", Say("* SEARCH 1 2 x\r\nTAG OK done\r\n")),
        ("UID SEARCH", Say("* SEARCH -1 2\r\nTAG OK done\r\n")),
        ("UID SEARCH", Say("* SEARCH 4294967296\r\nTAG OK done\r\n")),
        (
            "UID SEARCH",
            Reply("* SEARCH 0 1 1 2 2 3 3 3\r\nTAG OK doubles\r\n"),
        ),
        (
            "UID SEARCH",
            Say("* SEARCH {3}\r\n1 2\r\nTAG OK literal\r\n"),
        ),
        ("UID SEARCH", Flood("* SEARCH 1 2 3 4 5 6 7 8 9\r\n")),
        ("UID SEARCH", Reply("TAG NO no search\r\n")),
        (
            "HEADER.FIELDS",
            Say("* 1 FETCH (UID 1 FLAGS (\r\nTAG OK done\r\n"),
        ),
        ("HEADER.FIELDS", Reply("TAG OK nothing at all\r\n")),
        (
            "HEADER.FIELDS",
            Reply(
                "* 1 FETCH (UID 99 FLAGS () INTERNALDATE \"01-Nov-2026 09:00:00 +0000\")\r\nTAG OK another\r\n",
            ),
        ),
        (
            "HEADER.FIELDS",
            Reply("* 1 FETCH (FLAGS (\\Seen))\r\nTAG OK no number\r\n"),
        ),
        (
            "HEADER.FIELDS",
            Reply("* 1 FETCH (UID 1 INTERNALDATE \"yesterday\")\r\nTAG OK no date\r\n"),
        ),
        (
            "HEADER.FIELDS",
            Flood("* 1 FETCH (UID 1 FLAGS () INTERNALDATE \"01-Nov-2026 09:00:00 +0000\")\r\n"),
        ),
        (
            "HEADER.FIELDS",
            Reply("* OK [UIDVALIDITY 8] flip\r\nTAG OK done\r\n"),
        ),
        (
            "INTERNALDATE)",
            Flood("* 1 FETCH (UID 1 INTERNALDATE \"01-Nov-2026 09:00:00 +0000\")\r\n"),
        ),
        (
            "INTERNALDATE)",
            Say(
                "* 1 FETCH (UID 99999999999 INTERNALDATE \"01-Nov-2026 09:00:00 +0000\")\r\nTAG OK\r\n",
            ),
        ),
        ("BODY.PEEK[])", Say("* 1 FETCH (UID 1 BODY[] {900}\r\nhalf")),
        (
            "BODY.PEEK[])",
            Hang("* 1 FETCH (UID 1 BODY[] {900}\r\nhalf"),
        ),
        (
            "BODY.PEEK[])",
            Say("* 1 FETCH (UID 1 BODY[] {4000000000}\r\nx"),
        ),
        (
            "BODY.PEEK[])",
            Flood("* 1 FETCH (UID 9 BODY[] {9}\r\nnot asked)\r\n"),
        ),
        (
            "BODY.PEEK[])",
            Say("* 1 FETCH (UID 1 BODY[ nonsense\r\nTAG OK done\r\n"),
        ),
        ("BODY.PEEK[])", Reply("TAG OK nothing at all\r\n")),
        (
            "BODY.PEEK[])",
            Reply("* 1 FETCH (UID 99 BODY[] {5}\r\nother)\r\nTAG OK another\r\n"),
        ),
        (
            "BODY.PEEK[])",
            Reply("* 1 FETCH (BODY[] {5}\r\nwhose)\r\nTAG OK no number\r\n"),
        ),
        (
            "BODY.PEEK[])",
            Reply("* 1 FETCH (UID 1 BODY[] NIL)\r\nTAG OK nil\r\n"),
        ),
        (
            "BODY.PEEK[])",
            Reply(
                "* OK [UIDVALIDITY 8] flip\r\n* 1 FETCH (UID 1 BODY[] {5}\r\nother)\r\nTAG OK\r\n",
            ),
        ),
        (
            "BODY.PEEK[])",
            Reply("* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n* 1 EXPUNGE\r\nTAG OK gone\r\n"),
        ),
        ("BODY.PEEK[])", Reply("TAG NO Server Unavailable. 15\r\n")),
        ("UID STORE", Reply("TAG NO [LIMIT] not so fast\r\n")),
        (
            "UID STORE",
            Reply("* 1 FETCH (UID 1 BODY[] {5}\r\nother)\r\nTAG OK done\r\n"),
        ),
        ("LIST", Flood("* LIST () \"/\" \"name\"\r\n")),
        (
            "LIST",
            Reply(
                "* LIST () NIL {3}\r\na\"b\r\n* LIST (\\Noselect) \"\" \"\"\r\n* LIST () \"/\" \"&-&&\"\r\nTAG OK\r\n",
            ),
        ),
        ("LIST", Say("* LIST () \"/\" {4294967295}\r\n")),
        (
            "STATUS",
            Reply("* STATUS other (MESSAGES 5)\r\n* STATUS INBOX (MESSAGES -5)\r\nTAG NO no\r\n"),
        ),
        ("IDLE", Reply("TAG NO no\r\n")),
        ("IDLE", Reply("TAG OK at once\r\n")),
        ("IDLE", Flood("* 4 EXISTS\r\n* 4 EXPUNGE\r\n")),
    ];
    all(tricks, papers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_before_tls_is_believed_and_no_secret_is_said_there() {
    let papers = Papers::new(&["127.0.0.1"]);
    for (greeting, answer, connects) in [
        ("* OK ready\r\n", "M0 OK begin\r\n", true),
        // Claims from before TLS are forgotten.
        (
            "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready\r\n",
            "* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=NONE\r\nM0 OK begin\r\n",
            true,
        ),
        (
            "* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n",
            "M0 OK begin\r\n",
            false,
        ),
        ("* BYE no\r\n", "", false),
        ("HTTP/1.1 400 Bad Request\r\n", "", false),
        ("", "", false),
        ("* OK half", "", false),
        ("* OK ready\r\n", "", false),
        ("* OK ready\r\n", "M0 NO not here\r\n", false),
        ("* OK ready\r\n", "M0 BAD what\r\n", false),
        ("* OK ready\r\n", "* BYE no\r\n", false),
        ("* OK ready\r\n", "other OK begin\r\n", false),
        ("* OK ready\r\n", "+ go on\r\n", false),
        (
            "* OK ready\r\n",
            "M0 OK begin\r\n* CAPABILITY IMAP4rev1\r\n",
            false,
        ),
        (
            "* OK ready\r\n",
            "M0 OK begin\r\nM1 OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] done\r\nM2 OK signed in\r\n",
            false,
        ),
        ("* OK ready\r\n", "* OK {4294967295}\r\nM0 NO\r\n", false),
        ("* OK ready\r\n", "* 1 FETCH (X {4294967295}\r\n", false),
        // What the parser falls over.
        ("* OK [ALERT]é\r\n", "M0 OK begin\r\n", false),
        (
            "* METADATA \"\u{fffd}\" \"/private/comment\"\r\n",
            "M0 OK begin\r\n",
            false,
        ),
        ("* 1 FETCH (INTERNALDATE NIL)\r\n", "M0 OK begin\r\n", false),
        ("* OK ready\r\n", "M0 NO [ALERT]\u{fffd}\r\n", false),
        ("* OK ready\r\n", "* OK [ALERT]é\r\nM0 OK x\r\n", false),
    ] {
        let script = Script::new("never", Say(""), 0);
        let (port, plain) = serve_starttls(&papers, script.clone(), greeting, answer).await;
        let mailbox = mailbox(&papers, port, Tls::StartTls);
        let provider = Provider::Imap(mailbox.clone());
        let visit = tokio::time::timeout(Duration::from_secs(30), visit(&provider)).await;
        let visit = visit.unwrap_or_else(|_| panic!("{greeting} {answer}: no end"));
        match visit {
            Ok(had) => assert!(connects && had == expected(), "{greeting} {answer}"),
            Err(error) => assert!(!connects, "{greeting} {answer}: {error:?}"),
        }
        let plain = String::from_utf8_lossy(&plain.lock().unwrap()).into_owned();
        for line in plain.split_terminator("\r\n") {
            assert_eq!(line, "M0 STARTTLS", "{greeting} {answer}");
        }
        assert!(mailbox.most_held() < 2 << 20);
    }
}

/// Eight at a time.
async fn all(tricks: impl IntoIterator<Item = (&'static str, Trick)>, papers: Arc<Papers>) {
    let turns = Arc::new(tokio::sync::Semaphore::new(8));
    let mut trials = tokio::task::JoinSet::new();
    for (at, trick) in tricks {
        let (papers, turns) = (papers.clone(), turns.clone());
        trials.spawn(async move {
            let _turn = turns.acquire_owned().await.unwrap();
            endure(&papers, at, trick).await;
        });
    }
    while let Some(done) = trials.join_next().await {
        if let Err(failed) = done {
            std::panic::resume_unwind(failed.into_panic());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_read_in_the_list_may_be_that_for_deleted_mail() {
    let papers = Papers::new(&["127.0.0.1"]);
    let odd = "* LIST (\\HasNoChildren \\Trash \"/\" Bin\r\n";
    let script = Script::new("LIST", Before(odd), u32::MAX);
    let port = serve(&papers, script.clone()).await;
    let provider = Provider::Imap(mailbox(&papers, port, Tls::Implicit));
    assert_eq!(provider.folders().await.unwrap().len(), 1);
    let unread = |error: &ProviderError| matches!(error, ProviderError::Protocol("unread_list", _));
    assert!(unread(&provider.trash().await.unwrap_err()));
    let mark = Mark {
        server_id: "7.1.INBOX".to_owned(),
        folder_id: "INBOX".to_owned(),
        read: true,
        category: None,
        then: Then::Delete { folder_id: None },
    };
    let answer = provider.mark(&[mark]).await.remove(0);
    assert!(unread(&answer.unwrap_err()));
    let heard = script.heard();
    assert!(!heard.iter().any(|line| line.contains("\\Deleted")));
    script.stop();
    assert_eq!(provider.trash().await.unwrap(), None);
}
