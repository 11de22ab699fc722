//! A scripted server: honest in all but one answer.

use super::Papers;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
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
    /// How long each line that is closed was open.
    closed: Arc<Mutex<Vec<Duration>>>,
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
            closed: Arc::default(),
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

    /// How long each line that is closed was open.
    pub fn closed(&self) -> Vec<Duration> {
        self.closed.lock().unwrap().clone()
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

/// Speaks TLS with these papers.
pub fn acceptor(papers: &Papers) -> TlsAcceptor {
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
                let begun = Instant::now();
                if let Ok(stream) = acceptor.accept(tcp).await {
                    let greeting = Some("GREETING".to_owned());
                    let closed = script.closed.clone();
                    // An error is the client's hanging up.
                    let _ = talk(BufReader::new(stream), script, greeting).await;
                    closed.lock().unwrap().push(begun.elapsed());
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
                // Until the client has had enough.
                let mut unread = Vec::new();
                let rest = stream.read_to_end(&mut unread);
                let _ = tokio::time::timeout(Duration::from_secs(120), rest).await;
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
