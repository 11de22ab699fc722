//! Scripted servers: honest in all but one answer.

use super::{Desk, Papers};
use crate::world::{SUPPORT, wait};
use mailroom_core::api::view::{
    AddressView, CloudInput, ConnectChoices, ConnectRequest, ConnectStage, Opens, RegistrationInput,
};
use mailroom_core::api::{self, ImapInput};
use mailroom_core::store::ledger::Outcome;
use mailroom_sandbox::Sandbox;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What is sent instead of an honest answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trick {
    /// This, then the line is closed.
    Say(&'static str),
    /// This, then honestly on.
    Reply(&'static str),
    /// This, then nothing more on an open line.
    Hang(&'static str),
    /// The same bytes for ever.
    Flood(&'static str),
    /// This, then the honest answer.
    Before(&'static str),
    /// The first text, so many bytes, the second text; all of it three times, with the numbers 1 to 3 for `UID`. Then
    /// honestly on.
    Big(&'static str, usize, &'static str),
}

/// What goes over the line for `text`: U+FFFD stands for a byte that is no UTF-8.
pub fn raw(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for part in text.split_inclusive('\u{fffd}') {
        match part.strip_suffix('\u{fffd}') {
            Some(part) => {
                out.extend_from_slice(part.as_bytes());
                out.push(0xff);
            }
            None => out.extend_from_slice(part.as_bytes()),
        }
    }
    out
}

/// The numbers of the three mails that a set of UIDs names.
pub fn named(set: &str) -> Vec<u32> {
    let number = |text: &str| text.parse().unwrap_or(3_u32);
    let within = |uid: &u32| {
        set.split(',').any(|range| match range.split_once(':') {
            Some((first, last)) => {
                let (first, last) = (number(first), number(last));
                (first.min(last)..=first.max(last)).contains(uid)
            }
            None => number(range) == *uid,
        })
    };
    (1..=3).filter(within).collect()
}

#[derive(Clone)]
pub struct Script {
    /// Which command is answered with the trick: a part of its text; `GREETING` for none.
    at: &'static str,
    trick: Trick,
    /// How many times, then honestly.
    times: Arc<AtomicU32>,
    /// The trick is for commands about this message only.
    uid: Option<u32>,
    /// Command lines, as they came.
    heard: Arc<Mutex<Vec<String>>>,
    /// Ends every line that is open.
    hang_up: Arc<tokio::sync::Notify>,
    /// Another trick of the same server.
    also: Option<Arc<Script>>,
    /// How it answers where it plays none.
    honest: Arc<dyn Fn(&str) -> String + Send + Sync>,
    /// Said to whoever idles, once it is notified.
    news: Arc<(tokio::sync::Notify, Mutex<String>)>,
}

impl Script {
    pub fn new(at: &'static str, trick: Trick, times: u32) -> Self {
        Self {
            at,
            trick,
            times: Arc::new(AtomicU32::new(times)),
            uid: None,
            heard: Arc::default(),
            hang_up: Arc::default(),
            also: None,
            honest: Arc::new(honest),
            news: Arc::default(),
        }
    }

    /// Hangs up, and plays the trick so many times from now on.
    pub fn arm(&self, times: u32) {
        self.play(times);
        self.hang_up.notify_waiters();
    }

    /// A server that answers by `honest` and plays no trick yet.
    pub fn by(honest: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self {
            honest: Arc::new(honest),
            ..Self::new("never", Trick::Say(""), 0)
        }
    }

    /// The same server with another trick.
    pub fn and(self, other: &Self) -> Self {
        Self {
            also: Some(Arc::new(other.clone())),
            ..self
        }
    }

    /// Plays the trick from now on, so many times.
    pub fn play(&self, times: u32) {
        self.times.store(times, Ordering::SeqCst);
    }

    /// Says this to the next who idles.
    pub fn tell(&self, news: &str) {
        *self.news.1.lock().unwrap() = news.to_owned();
        self.news.0.notify_one();
    }

    /// The same for commands that name the message `uid`, others among them.
    pub fn about(self, uid: u32) -> Self {
        Self {
            uid: Some(uid),
            ..self
        }
    }

    /// No more tricks.
    pub fn stop(&self) {
        self.times.store(0, Ordering::SeqCst);
    }

    /// Command lines, as they came.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// How often a command was given: a part of its text; `GREETING` for connections.
    pub fn count(&self, command: &str) -> usize {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|line| line.contains(command)).count()
    }

    /// Whether no trick is left.
    pub fn is_spent(&self) -> bool {
        self.times.load(Ordering::SeqCst) == 0
    }

    fn trick(&self, command: &str) -> Option<Trick> {
        let left = |left: u32| left.checked_sub(1);
        let names = |uid: u32| {
            let set = command.split_once("UID FETCH ").map(|(_, set)| set);
            let set = set.and_then(|set| set.split(' ').next());
            set.is_some_and(|set| named(set).contains(&uid))
        };
        let applies = command.contains(self.at)
            && self.uid.is_none_or(names)
            && self
                .times
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, left)
                .is_ok();
        match (applies, &self.also) {
            (true, _) => Some(self.trick),
            (false, Some(also)) => also.trick(command),
            (false, None) => None,
        }
    }
}

/// A server that plays no trick.
pub async fn honest_server(papers: &Papers) -> u16 {
    serve(papers, Script::new("never", Trick::Say(""), 0)).await
}

pub(super) fn acceptor(papers: &Papers) -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_slice(papers.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(papers.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

pub async fn serve(papers: &Papers, script: Script) -> u16 {
    let acceptor = acceptor(papers);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (acceptor, script) = (acceptor.clone(), script.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(tcp).await {
                    let greeting = Some("GREETING".to_owned());
                    // An error is the client's hanging up.
                    let _ = talk(BufReader::new(stream), script, greeting).await;
                }
            });
        }
    });
    port
}

/// A server that wants STARTTLS: it greets and answers the first line with these, then speaks TLS if the client does.
/// Gives the port and what the client said without encryption.
pub async fn serve_starttls(
    papers: &Papers,
    script: Script,
    greeting: &'static str,
    answer: &'static str,
) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let acceptor = acceptor(papers);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let plain: Arc<Mutex<Vec<u8>>> = Arc::default();
    let heard = plain.clone();
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let (acceptor, script, heard) = (acceptor.clone(), script.clone(), heard.clone());
            tokio::spawn(async move {
                tcp.write_all(&raw(greeting)).await?;
                let mut line = Vec::new();
                while !line.ends_with(b"\r\n") {
                    line.push(tcp.read_u8().await?);
                }
                heard.lock().unwrap().extend_from_slice(&line);
                tcp.write_all(&raw(answer)).await?;
                if answer.ends_with("M0 OK begin\r\n") {
                    let stream = acceptor.accept(tcp).await?;
                    return talk(BufReader::new(stream), script, None).await;
                }
                // Whatever comes now, on a line that is not encrypted.
                let mut rest = Vec::new();
                let _ = tcp.read_to_end(&mut rest).await;
                heard.lock().unwrap().extend_from_slice(&rest);
                Ok(())
            });
        }
    });
    (port, plain)
}

async fn talk(
    mut stream: BufReader<tokio_rustls::server::TlsStream<tokio::net::TcpStream>>,
    script: Script,
    mut next: Option<String>,
) -> std::io::Result<()> {
    let mut idling = String::new();
    loop {
        let line = match next.take() {
            Some(line) => line,
            None => {
                let mut line = String::new();
                let is_idling = !idling.is_empty();
                tokio::select! {
                    read = stream.read_line(&mut line) => {
                        if read? == 0 {
                            return Ok(());
                        }
                    }
                    () = script.hang_up.notified() => return Ok(()),
                    () = script.news.0.notified(), if is_idling => {
                        let news = std::mem::take(&mut *script.news.1.lock().unwrap());
                        stream.write_all(news.as_bytes()).await?;
                        stream.flush().await?;
                        continue;
                    }
                }
                line.trim_end().to_owned()
            }
        };
        script.heard.lock().unwrap().push(line.clone());
        if line == "DONE" {
            let ended = format!("{idling} OK ended\r\n");
            idling.clear();
            stream.write_all(ended.as_bytes()).await?;
            stream.flush().await?;
            continue;
        }
        if let Some(tag) = line.strip_suffix(" IDLE") {
            idling = tag.to_owned();
        }
        let answer = match script.trick(&line) {
            None => (script.honest)(&line).into_bytes(),
            Some(Trick::Reply(text)) => {
                let tag = line.split(' ').next().unwrap_or_default();
                raw(&text.replace("TAG", tag))
            }
            Some(Trick::Before(text)) => {
                let mut answer = raw(text);
                answer.extend_from_slice((script.honest)(&line).as_bytes());
                answer
            }
            Some(Trick::Say(text)) => {
                let tag = line.split(' ').next().unwrap_or_default();
                stream.write_all(&raw(&text.replace("TAG", tag))).await?;
                stream.flush().await?;
                return stream.shutdown().await;
            }
            Some(Trick::Hang(text)) => {
                stream.write_all(text.as_bytes()).await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_secs(120)).await;
                return Ok(());
            }
            Some(Trick::Big(begin, bytes, end)) => {
                let filling = vec![b'x'; 64 << 10];
                for uid in ["1", "2", "3"] {
                    let begin = begin.replace("SIZE", &bytes.to_string());
                    let begin = begin.replace("UID", &format!("UID {uid}"));
                    stream.write_all(begin.as_bytes()).await?;
                    let mut left = bytes;
                    while left > 0 {
                        let some = left.min(filling.len());
                        stream.write_all(&filling[..some]).await?;
                        left -= some;
                    }
                    stream.write_all(end.as_bytes()).await?;
                }
                let tag = line.split(' ').next().unwrap_or_default();
                format!("{tag} OK done\r\n").into_bytes()
            }
            Some(Trick::Flood(text)) => loop {
                stream.write_all(text.repeat(4_000).as_bytes()).await?;
            },
        };
        stream.write_all(&answer).await?;
        stream.flush().await?;
    }
}

/// The messages that a `UID FETCH` names.
fn fetched(command: &str) -> Vec<u32> {
    named(command.split(' ').nth(2).unwrap_or_default())
}

/// A mailbox with three mails that arrived a moment from now.
fn honest(line: &str) -> String {
    if line == "GREETING" {
        return "* OK [CAPABILITY IMAP4rev1 SASL-IR IDLE AUTH=PLAIN AUTH=XOAUTH2] ready\r\n".into();
    }
    let (tag, command) = line.split_once(' ').unwrap_or((line, ""));
    let mut out = String::new();
    if command == "IDLE" {
        return "+ idling\r\n".to_owned();
    }
    if command == "CAPABILITY" {
        out.push_str("* CAPABILITY IMAP4rev1 SASL-IR IDLE AUTH=PLAIN AUTH=XOAUTH2\r\n");
    } else if command.starts_with("SELECT") {
        out.push_str("* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\n");
    } else if command.starts_with("UID SEARCH") {
        // As servers do: `4:*` names the last message too.
        let set = command.strip_prefix("UID SEARCH UID ").unwrap_or("1:*");
        let set = set.split(' ').next().unwrap_or_default();
        let uids: Vec<String> = named(set).iter().map(u32::to_string).collect();
        out.push_str(&format!("* SEARCH {}\r\n", uids.join(" ")));
    } else if command.starts_with("UID FETCH") && command.contains("HEADER.FIELDS") {
        let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(5);
        let soon = soon.strftime("%d-%b-%Y %H:%M:%S +0000");
        for uid in fetched(command) {
            let header = format!("Subject: m{uid}\r\nMessage-ID: <m{uid}@contoso.example>\r\n\r\n");
            out.push_str(&format!(
                "* {uid} FETCH (UID {uid} FLAGS () INTERNALDATE \"{soon}\" RFC822.SIZE 400 \
                 BODY[HEADER.FIELDS (SUBJECT FROM MESSAGE-ID)] {{{}}}\r\n{header})\r\n",
                header.len()
            ));
        }
    } else if command.ends_with("(UID INTERNALDATE)") {
        for uid in 1..=3 {
            out.push_str(&format!(
                "* {uid} FETCH (UID {uid} INTERNALDATE \"01-Nov-2026 09:00:00 +0000\")\r\n"
            ));
        }
    } else if command.starts_with("LIST") {
        out.push_str("* LIST () \"/\" \"INBOX\"\r\n");
    } else if command.starts_with("STATUS") {
        out.push_str("* STATUS \"INBOX\" (MESSAGES 3)\r\n");
    } else if command.contains("BODY.PEEK[])") {
        for uid in fetched(command) {
            let id = format!("m{uid}@contoso.example");
            let mail = crate::world::mail(&id, &format!("m{uid}"), "").replace('\n', "\r\n");
            out.push_str(&format!(
                "* {uid} FETCH (UID {uid} BODY[] {{{}}}\r\n{mail})\r\n",
                mail.len()
            ));
        }
    }
    out.push_str(&format!("{tag} OK done\r\n"));
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_server_says_while_connecting_connects_nothing() {
    let papers = Papers::new(&["127.0.0.1"]);
    let desk = Desk::new(Some(&papers.ca)).await;
    let tricks = [
        ("GREETING", Trick::Say("HTTP/1.1 400 Bad Request\r\n\r\n")),
        ("GREETING", Trick::Say("* PREAUTH somebody else's\r\n")),
        ("GREETING", Trick::Say("* BYE too many connections\r\n")),
        ("GREETING", Trick::Flood("x")),
        ("AUTHENTICATE", Trick::Say("other OK signed in\r\n")),
        ("AUTHENTICATE", Trick::Say("+ \r\n+ \r\n+ \r\n")),
        ("AUTHENTICATE", Trick::Flood("* OK still thinking\r\n")),
        ("SELECT", Trick::Say("* 1 FETCH (BODY[] {4294967295}\r\n")),
        (
            "SELECT",
            Trick::Say("* 1 FETCH (BODY[] {99999999999999999999999}\r\n"),
        ),
        (
            "SELECT",
            Trick::Say("* 3 EXISTS\r\nTAG OK without UIDVALIDITY\r\n"),
        ),
        (
            "SELECT",
            Trick::Say("* 1 FETCH (BODYSTRUCTURE ((((((((((((((((((((((((((((((\r\n"),
        ),
        ("SELECT", Trick::Say("TAG NO [SERVERBUG] no\r\n")),
        ("SELECT", Trick::Say("\u{0}\u{1}\u{2}\n")),
        (
            "SELECT",
            Trick::Say("* BYE Session invalidated - AccessTokenExpired\r\n"),
        ),
    ];
    let attempts = tricks.map(|(at, trick)| {
        let (papers, desk) = (&papers, &desk);
        async move {
            let port = serve(papers, Script::new(at, trick, u32::MAX)).await;
            // These futures are large, and here are many.
            let refused = Box::pin(desk.connect(port, "secret-CANARY", None, None)).await;
            let error = refused.expect_err(&format!("{at} {trick:?}"));
            assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
        }
    });
    futures(attempts).await;
    assert!(api::list_addresses(&desk.app).await.unwrap().is_empty());
}

/// All at once.
pub async fn futures<F: Future<Output = ()>, const N: usize>(all: [F; N]) {
    let mut all: Vec<_> = all.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        all.retain_mut(|future| future.as_mut().poll(context).is_pending());
        match all.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_breaks_off_while_fetching_loses_and_doubles_nothing() {
    let papers = Papers::new(&["127.0.0.1"]);
    for (at, trick) in [
        (
            "BODY.PEEK[])",
            Trick::Say("* 1 FETCH (UID 1 BODY[] {900}\r\nhalf"),
        ),
        (
            "BODY.PEEK[])",
            Trick::Say("* BYE Connection is closed. 13\r\n"),
        ),
        (
            "BODY.PEEK[])",
            Trick::Say("* 1 FETCH (UID 1 BODY[] {4000000000}\r\nx"),
        ),
        ("BODY.PEEK[])", Trick::Say("wrong OK done\r\n")),
        (
            "BODY.PEEK[])",
            Trick::Say("* 1 FETCH (UID 1 BODY[ nonsense\r\nTAG OK done\r\n"),
        ),
        (
            "UID SEARCH",
            Trick::Say("* SEARCH 1 2 x\r\nTAG OK done\r\n"),
        ),
        (
            "HEADER.FIELDS",
            Trick::Say("* 1 FETCH (UID 1 FLAGS (\r\nTAG OK done\r\n"),
        ),
    ] {
        let desk = Desk::new(Some(&papers.ca)).await;
        let port = serve(&papers, Script::new(at, trick, 1)).await;
        let view = desk.connect(port, "secret", None, None).await.unwrap();
        desk.imported(view.id, 3).await;
        let all = api::ledger(&desk.app, view.id, None, None, 0, 50).await;
        assert_eq!(all.unwrap().len(), 3, "{at} {trick:?}");
        assert!(desk.ledger(view.id, Outcome::Skipped).await.is_empty());
        desk.app.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_to_a_server_with_the_wrong_certificate() {
    let (papers, others) = (Papers::new(&["127.0.0.1"]), Papers::new(&["other.example"]));
    for (trusted, code) in [(&papers, "tls_unknown_issuer"), (&others, "tls_wrong_name")] {
        let script = Script::new("never", Trick::Say(""), 0);
        let port = serve(&others, script.clone()).await;
        let desk = Desk::new(Some(&trusted.ca)).await;
        let error = desk.connect(port, "secret", None, None).await.unwrap_err();
        assert_eq!(error.evidence.unwrap().code.as_deref(), Some(code));
        let heard = script.heard.lock().unwrap().clone();
        assert!(heard.iter().all(|line| line == "GREETING"), "{heard:?}");
    }
}

/// Connects by a sign-in in the browser, for the newest `newest` mails and what comes.
pub async fn by_browser(
    sandbox: &Sandbox,
    desk: &Desk,
    port: u16,
    newest: Option<u32>,
) -> AddressView {
    let tenant = sandbox.description();
    let request = ConnectRequest {
        address: SUPPORT.to_owned(),
        opens: Opens::Own,
        registration: Some(RegistrationInput {
            client_id: tenant.client_id.clone(),
            tenant: tenant.tenant.clone(),
            cloud: CloudInput::Custom {
                authority: tenant.authority.clone(),
                graph_url: tenant.graph_url.clone(),
            },
        }),
        private_window: false,
        language: "en".to_owned(),
    };
    let input = ImapInput {
        server: format!("127.0.0.1:{port}"),
        login: SUPPORT.to_owned(),
        ..ImapInput::default()
    };
    let attempt = api::begin_connect_imap(&desk.app, request, input)
        .await
        .unwrap();
    wait(
        "the sign-in is ready",
        async || match api::connect_attempt(&desk.app, &attempt.id).unwrap().stage {
            ConnectStage::Ready { .. } => Some(()),
            ConnectStage::Failed { finding } => panic!("{finding:?}"),
            ConnectStage::Preparing
            | ConnectStage::WaitingForBrowser { .. }
            | ConnectStage::Checking
            | ConnectStage::WrongAccount { .. } => None,
        },
    )
    .await;
    let choices = ConnectChoices {
        brand: "Contoso".to_owned(),
        import_newest: newest,
        folder: None,
    };
    api::finish_connect(&desk.app, &attempt.id, choices)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn signs_in_through_the_browser_and_hands_the_token_over_by_xoauth2() {
    let sandbox = Sandbox::start(mailroom_sandbox::Options::default())
        .await
        .unwrap();
    let papers = Papers::new(&["127.0.0.1"]);
    let script = Script::new("never", Trick::Say(""), 0);
    let port = serve(&papers, script.clone()).await;
    let desk = Desk::beside(&sandbox, Some(&papers.ca)).await;
    let view = by_browser(&sandbox, &desk, port, None).await;
    desk.imported(view.id, 3).await;
    let heard = script.heard.lock().unwrap().join("\n");
    assert!(heard.contains("AUTHENTICATE XOAUTH2 "), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_has_expired_by_the_sign_in_is_renewed_once() {
    let sandbox = Sandbox::start(mailroom_sandbox::Options::default())
        .await
        .unwrap();
    let papers = Papers::new(&["127.0.0.1"]);
    for trick in [
        Trick::Reply("TAG NO Session invalidated - AccessTokenExpired\r\n"),
        Trick::Say("* BYE Session invalidated - AccessTokenExpired\r\n"),
    ] {
        let script = Script::new("AUTHENTICATE XOAUTH2", trick, 1);
        let port = serve(&papers, script.clone()).await;
        let desk = Desk::beside(&sandbox, Some(&papers.ca)).await;
        by_browser(&sandbox, &desk, port, None).await;
        let heard = script.heard();
        let mut proofs = heard
            .iter()
            .filter_map(|line| line.split("XOAUTH2 ").nth(1));
        let (first, second) = (proofs.next().unwrap(), proofs.next().unwrap());
        assert_ne!(first, second, "{trick:?}: the second one is another token");
        desk.app.close().await;
    }
}
