//! Scripted servers: honest in all but one reply.

use super::{OWN, code, envelope, letter};
use crate::imap::Papers;
use mailroom_core::account::{ImapAuth, SmtpServer, Tls};
use mailroom_core::provider::ProviderError;
use mailroom_core::provider::imap::{Credentials, Trust};
use mailroom_core::provider::outbound::{NotSent, Outbound, Sent};
use mailroom_core::provider::smtp::{SmtpSender, Times};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

const PASSWORD: &str = "CANARY-password";
/// base64 of what PLAIN sends.
const CODED: &str = "AHN1cHBvcnQAQ0FOQVJZLXBhc3N3b3Jk";
/// More than this never has to be taken from a server.
const MOST: usize = 8 << 20;

/// What is done instead of an honest reply.
#[derive(Clone, Copy, Debug)]
enum Trick {
    /// This, and on as if nothing were.
    Say(&'static [u8]),
    /// This, then the line is cut.
    Cut(&'static [u8]),
    /// This, then nothing more on an open line.
    Hang(&'static [u8]),
    /// The same for ever.
    Flood(&'static [u8]),
}

use Trick::{Cut, Flood, Hang, Say};

/// What the server saw.
#[derive(Default)]
struct Seen {
    /// Lines before TLS, and lines within.
    plain: Mutex<Vec<String>>,
    within: Mutex<Vec<String>>,
    messages: AtomicUsize,
    /// Bytes that were written.
    written: AtomicUsize,
}

#[derive(Clone)]
struct Script {
    tls: Tls,
    /// Which command is answered with the trick: its beginning; `GREETING` for none, `END` for a message. With a `+` before
    /// it, only within TLS.
    at: &'static str,
    trick: Trick,
    seen: Arc<Seen>,
}

pub struct Theatre {
    papers: Papers,
    acceptor: TlsAcceptor,
}

impl Theatre {
    pub fn papers(&self) -> &Papers {
        &self.papers
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    pub fn new() -> Self {
        let papers = Papers::new(&["127.0.0.1"]);
        let acceptor = crate::imap::scripted::acceptor(&papers);
        Self { papers, acceptor }
    }

    async fn serve(&self, script: Script) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = self.acceptor.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, script) = (acceptor.clone(), script.clone());
                // An error is the client's hanging up.
                tokio::spawn(async move { drop(play(tcp, acceptor, script).await) });
            }
        });
        port
    }

    /// Sends one message to a server with this script.
    async fn send(&self, script: Script, text: &str) -> Result<Sent, NotSent> {
        let tls = script.tls;
        let server = SmtpServer {
            host: "127.0.0.1".into(),
            port: self.serve(script).await,
            tls,
            login: "support".into(),
            auth: ImapAuth::Password,
            from: Vec::new(),
        };
        let times = Times {
            connect: Duration::from_secs(5),
            reply: Duration::from_secs(2),
            message: Duration::from_secs(3),
        };
        let sender = SmtpSender::with_times(
            server,
            mailroom_core::account::EmailAddress::parse(OWN).unwrap(),
            Credentials::Password(PASSWORD.into()),
            Arc::new(Trust::new(vec![self.papers.ca.as_bytes().to_vec()])),
            times,
        );
        let outbound = Outbound::Smtp(sender);
        let (envelope, raw) = (envelope(OWN, &[OWN]), letter(OWN, text));
        tokio::time::timeout(Duration::from_secs(30), outbound.send(&envelope, &raw))
            .await
            .expect("no server can hold us up")
    }
}

async fn play(tcp: TcpStream, acceptor: TlsAcceptor, script: Script) -> io::Result<()> {
    let mut tcp = BufReader::new(tcp);
    if script.tls == Tls::StartTls {
        let seen = script.seen.clone();
        if !talk(&mut tcp, &script, &seen.plain, false).await? {
            return Ok(());
        }
    }
    let stream = acceptor.accept(tcp.into_inner()).await?;
    let seen = script.seen.clone();
    talk(&mut BufReader::new(stream), &script, &seen.within, true).await?;
    Ok(())
}

/// Says whether TLS is to begin.
async fn talk<S: AsyncRead + AsyncBufRead + AsyncWrite + Unpin>(
    stream: &mut S,
    script: &Script,
    heard: &Mutex<Vec<String>>,
    within: bool,
) -> io::Result<bool> {
    let greets = !within || script.tls == Tls::Implicit;
    let mut next = greets.then(|| "GREETING".to_owned());
    loop {
        let line = match next.take() {
            Some(line) => line,
            None => {
                let mut line = Vec::new();
                if stream.read_until(b'\n', &mut line).await? == 0 {
                    return Ok(false);
                }
                String::from_utf8_lossy(&line).trim_end().to_owned()
            }
        };
        heard.lock().unwrap().push(line.clone());
        let at = script.at.strip_prefix('+');
        let applies = line.starts_with(at.unwrap_or(script.at)) && (at.is_none() || within);
        let mut say = async |bytes: &[u8]| {
            stream.write_all(bytes).await?;
            stream.flush().await?;
            script.seen.written.fetch_add(bytes.len(), Ordering::SeqCst);
            io::Result::Ok(())
        };
        if applies {
            match script.trick {
                Say(bytes) => say(bytes).await?,
                Cut(bytes) => {
                    say(bytes).await?;
                    stream.shutdown().await?;
                    return Ok(false);
                }
                Hang(bytes) => {
                    say(bytes).await?;
                    tokio::time::sleep(Duration::from_secs(120)).await;
                    return Ok(false);
                }
                Flood(bytes) => {
                    let bytes = bytes.repeat(1_000);
                    loop {
                        say(&bytes).await?;
                    }
                }
            }
        } else {
            say(honest(&line, within).as_bytes()).await?;
        }
        if line == "STARTTLS" {
            return Ok(true);
        }
        if line == "DATA" {
            loop {
                let mut text = Vec::new();
                if stream.read_until(b'\n', &mut text).await? == 0 {
                    return Ok(false);
                }
                if text == b".\r\n" {
                    break;
                }
            }
            script.seen.messages.fetch_add(1, Ordering::SeqCst);
            next = Some("END".to_owned());
        }
    }
}

fn honest(line: &str, within: bool) -> String {
    match line.split(' ').next().unwrap_or_default() {
        "GREETING" => "220 mail.contoso.example ready\r\n",
        "EHLO" if within => "250-mail.contoso.example\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
        "EHLO" => "250-mail.contoso.example\r\n250 STARTTLS\r\n",
        "STARTTLS" => "220 go\r\n",
        "AUTH" => "235 2.7.0 welcome\r\n",
        "MAIL" | "RCPT" => "250 2.1.0 fine\r\n",
        "DATA" => "354 go on\r\n",
        "END" => "250 2.0.0 taken\r\n",
        "QUIT" => "221 2.0.0 bye\r\n",
        _ => "502 5.5.2 what?\r\n",
    }
    .to_owned()
}

fn kind(error: &ProviderError) -> String {
    if let ProviderError::Protocol(what, _) = error {
        return (*what).to_owned();
    }
    code(error)
}

/// One script: what is sent instead, the finding it must lead to (empty: the mail is taken), and whether the message may
/// have left.
type Row = (&'static str, Trick, &'static str, bool);

/// Plays the scripts, a few at a time.
async fn perform(tls: Tls, rows: &'static [Row]) {
    let theatre = Arc::new(Theatre::new());
    let stages = Arc::new(Semaphore::new(6));
    let mut plays = JoinSet::new();
    for row in rows {
        let (theatre, stages) = (theatre.clone(), stages.clone());
        plays.spawn(async move {
            let _stage = stages.acquire().await.unwrap();
            theatre.judge(tls, row).await;
        });
    }
    while let Some(played) = plays.join_next().await {
        played.unwrap();
    }
}

impl Theatre {
    async fn judge(&self, tls: Tls, row: &'static Row) {
        let (at, trick, expected, may_have_left) = row;
        let seen = Arc::new(Seen::default());
        let script = Script {
            tls,
            at,
            trick: *trick,
            seen: seen.clone(),
        };
        let name = format!("{at} {trick:?}")
            .chars()
            .take(90)
            .collect::<String>();
        match self.send(script, "text").await {
            Ok(sent) => assert!(expected.is_empty() && sent.refused.is_empty(), "{name}"),
            Err(error) => {
                assert_eq!(kind(&error.error), *expected, "{name}: {error:?}");
                assert_eq!(error.may_have_left, *may_have_left, "{name}");
                assert!(!format!("{error:?}").contains("CANARY"), "{name}");
                assert!(!format!("{error:?}").contains(CODED), "{name}");
            }
        }
        assert!(
            seen.messages.load(Ordering::SeqCst) <= 1,
            "{name}: sent twice"
        );
        let ended = seen.messages.load(Ordering::SeqCst) == 1;
        assert!(ended || !may_have_left, "{name}");
        let written = seen.written.load(Ordering::SeqCst);
        assert!(written < MOST, "{name}: {written} bytes were taken");
        let plain = seen.plain.lock().unwrap().join("\n");
        assert!(!plain.contains("AUTH"), "{name}: {plain}");
        assert!(!plain.contains("MAIL"), "{name}: {plain}");
        assert!(
            !plain.contains(CODED) && !plain.contains(PASSWORD),
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_server_fills_memory_holds_us_up_or_gets_a_message_twice() {
    const ROWS: &[Row] = &[
        ("GREETING", Flood(b"x"), "too_large", false),
        ("GREETING", Flood(b"220-welcome\r\n"), "too_large", false),
        ("GREETING", Hang(b""), "connection_timeout", false),
        ("GREETING", Hang(b"220 hel"), "connection_timeout", false),
        ("GREETING", Cut(b""), "connection_dropped", false),
        (
            "GREETING",
            Cut(b"554 5.7.1 not you\r\n"),
            "SMTP 5.7.1",
            false,
        ),
        (
            "GREETING",
            Cut(b"421 4.3.2 too many connections\r\n"),
            "SMTP too fast",
            false,
        ),
        (
            "GREETING",
            Say(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            "not_smtp",
            false,
        ),
        ("GREETING", Say(b"* OK IMAP4rev1\r\n"), "not_smtp", false),
        ("GREETING", Say(b"220 one\r\n250 two\r\n"), "unasked", false),
        ("GREETING", Say(b"220 bare\n"), "not_smtp", false),
        ("EHLO", Flood(b"250-X-EXTENSION\r\n"), "too_large", false),
        ("EHLO", Flood(b"250-"), "too_large", false),
        (
            "EHLO",
            Cut(b"250-one\r\n250-t"),
            "connection_dropped",
            false,
        ),
        ("EHLO", Say(b"250-one\r\n354 two\r\n"), "not_smtp", false),
        ("EHLO", Say(b"354 go on\r\n"), "wrong_code", false),
        ("EHLO", Say(b"500 what?\r\n"), "SMTP refused", false),
        ("EHLO", Hang(b"250-one\r\n"), "connection_timeout", false),
        (
            "EHLO",
            Say(b"250-\xff\xfe\x00\r\n250 AUTH PLAIN\r\n"),
            "",
            false,
        ),
        (
            "EHLO",
            Say(b"250-one\r\n250 SIZE 99999999999999999999999\r\n"),
            "SMTP AUTH missing",
            false,
        ),
        (
            "EHLO",
            Say(b"250-one\r\n250-AUTH PLAIN\r\n250 SIZE 10\r\n"),
            "SMTP 5.3.4",
            false,
        ),
        ("AUTH", Say(b"334 \r\n"), "wrong_code", false),
        ("AUTH", Say(b"250 fine\r\n"), "wrong_code", false),
        ("AUTH", Flood(b"334 UGFzc3dvcmQ6\r\n"), "unasked", false),
        ("AUTH", Hang(b""), "connection_timeout", false),
        ("AUTH", Cut(b""), "connection_dropped", false),
        (
            "AUTH",
            Say(b"535 5.7.8 no: CANARY-password AHN1cHBvcnQAQ0FOQVJZLXBhc3N3b3Jk\r\n"),
            "SMTP password refused",
            false,
        ),
        ("AUTH", Say(b"235 in\r\n250 and more\r\n"), "unasked", false),
        ("MAIL", Say(b"354 go on\r\n"), "wrong_code", false),
        ("MAIL", Hang(b""), "connection_timeout", false),
        ("MAIL", Cut(b""), "connection_dropped", false),
        ("RCPT", Say(b"354 go on\r\n"), "wrong_code", false),
        ("RCPT", Hang(b"25"), "connection_timeout", false),
        ("RCPT", Cut(b"2"), "connection_dropped", false),
        ("DATA", Say(b"250 taken\r\n"), "wrong_code", false),
        ("DATA", Cut(b""), "connection_dropped", false),
        (
            "DATA",
            Say(b"354 go on\r\n250 taken already\r\n"),
            "unasked",
            false,
        ),
        ("DATA", Hang(b"354 go"), "connection_timeout", false),
        ("END", Cut(b""), "connection_dropped", true),
        ("END", Cut(b"25"), "connection_dropped", true),
        ("END", Hang(b""), "connection_timeout", true),
        ("END", Hang(b"250-2.0.0"), "connection_timeout", true),
        ("END", Say(b"354 go on\r\n"), "wrong_code", true),
        ("END", Say(b"\0\0\0\r\n"), "not_smtp", true),
        ("END", Flood(b"250-yes\r\n"), "too_large", true),
        (
            "END",
            Say(b"452 4.2.2 mailbox full\r\n"),
            "SMTP 5.2.2",
            false,
        ),
        ("END", Cut(b"554 5.7.1 no\r\n"), "SMTP 5.7.1", false),
        ("END", Cut(b"250 taken\r\n"), "", false),
        ("QUIT", Hang(b""), "", false),
        ("QUIT", Flood(b"221-"), "", false),
    ];
    perform(Tls::Implicit, ROWS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_and_nothing_is_believed_before_the_line_is_encrypted() {
    const ROWS: &[Row] = &[
        (
            "EHLO",
            Say(b"250-one\r\n250 8BITMIME\r\n"),
            "starttls_missing",
            false,
        ),
        (
            "EHLO",
            Say(b"250-one\r\n250 AUTH PLAIN LOGIN\r\n"),
            "starttls_missing",
            false,
        ),
        (
            "EHLO",
            Say(b"250-one\r\n250 XSTARTTLS\r\n"),
            "starttls_missing",
            false,
        ),
        ("EHLO", Say(b"502 what?\r\n"), "SMTP refused", false),
        (
            "STARTTLS",
            Say(b"454 4.7.0 not now\r\n"),
            "starttls_missing",
            false,
        ),
        (
            "STARTTLS",
            Say(b"502 5.5.1 what?\r\n"),
            "starttls_missing",
            false,
        ),
        ("STARTTLS", Say(b"250 fine\r\n"), "wrong_code", false),
        (
            "STARTTLS",
            Say(b"220 go\r\n250 injected\r\n"),
            "unasked",
            false,
        ),
        (
            "STARTTLS",
            Say(b"220 go\r\n250-i\r\n250 AUTH PLAIN\r\n"),
            "unasked",
            false,
        ),
        ("STARTTLS", Hang(b"220 go\r\n"), "connection_timeout", false),
        ("STARTTLS", Cut(b"220 go\r\n"), "connection_dropped", false),
        ("STARTTLS", Flood(b"220-"), "too_large", false),
        (
            "+EHLO",
            Say(b"250-one\r\n250 8BITMIME\r\n"),
            "SMTP AUTH missing",
            false,
        ),
        (
            "+EHLO",
            Say(b"250-one\r\n250 AUTH CRAM-MD5 NTLM\r\n"),
            "SMTP AUTH missing",
            false,
        ),
        ("+EHLO", Cut(b""), "connection_dropped", false),
    ];
    perform(Tls::StartTls, ROWS).await;
}

/// Takes the sign-in, then reads no message: silent, or with a word in between.
async fn deaf(theatre: &Theatre, word: &'static [u8]) -> NotSent {
    let script = Script {
        tls: Tls::Implicit,
        at: "DATA",
        trick: Hang(word),
        seen: Arc::default(),
    };
    // More than all buffers on the way hold.
    let text = "line of a message\r\n".repeat(1_500_000);
    theatre.send(script, &text).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_take_the_message_to_its_end_has_not_got_it() {
    let theatre = Theatre::new();
    let error = deaf(&theatre, b"354 go on\r\n").await;
    assert_eq!(kind(&error.error), "connection_timeout");
    assert!(!error.may_have_left);
}
