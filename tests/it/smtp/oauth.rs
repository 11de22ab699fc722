//! Signing in for sending with a token: refused in two steps, renewed once, never handed over before the line is
//! encrypted.

use super::hostile::Theatre;
use crate::imap::Desk;
use crate::imap::scripted::honest_server;
use mailroom_core::account::Tls;
use mailroom_core::api::view::AddressView;
use mailroom_core::api::{self, SmtpInput};
use mailroom_sandbox::Sandbox;
use std::io;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// base64 of `{"status":"401","schemes":"bearer","scope":"mail"}`.
const REASON: &str = "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJtYWlsIn0=";

/// What was said to the server, line by line.
type Heard = Arc<Mutex<Vec<String>>>;

/// A server that takes tokens from the attempt `good` on.
async fn taking_tokens(theatre: &Theatre, mechanism: &'static str, good: usize) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, acceptor) = (Heard::default(), theatre.acceptor());
    let log = heard.clone();
    tokio::spawn(async move {
        let mut attempts = 0;
        while let Ok((tcp, _)) = listener.accept().await {
            attempts += 1;
            let talk = async {
                let mut stream = BufReader::new(acceptor.accept(tcp).await?);
                stream.write_all(b"220 ready\r\n").await?;
                loop {
                    let mut line = String::new();
                    stream.flush().await?;
                    if stream.read_line(&mut line).await? == 0 {
                        return io::Result::Ok(());
                    }
                    // What is too long for one line comes in two.
                    if line.starts_with("AUTH ") && line.trim_end().split(' ').count() == 2 {
                        stream.write_all(b"334 \r\n").await?;
                        stream.flush().await?;
                        line = format!("{} ", line.trim_end());
                        stream.read_line(&mut line).await?;
                    }
                    log.lock().unwrap().push(line.trim_end().to_owned());
                    let reply = match line.split(' ').next().unwrap_or_default().trim_end() {
                        "EHLO" => format!("250-mail\r\n250 AUTH {mechanism}\r\n"),
                        "AUTH" if attempts >= good => "235 2.7.0 welcome\r\n".to_owned(),
                        "AUTH" => format!("334 {REASON}\r\n"),
                        "" | "AQ==" => "535 5.7.8 Error: authentication failed\r\n".to_owned(),
                        _ => "221 bye\r\n".to_owned(),
                    };
                    stream.write_all(reply.as_bytes()).await?;
                }
            };
            // An error is the client's hanging up.
            let _ = talk.await;
        }
    });
    (port, heard)
}

/// An address that is read by IMAP with a token of the practice tenant.
async fn connected(sandbox: &Sandbox, theatre: &Theatre) -> (Desk, AddressView) {
    let port = honest_server(theatre.papers()).await;
    let desk = Desk::beside(sandbox, Some(&theatre.papers().ca)).await;
    let view = desk.connect_by_browser(sandbox, port, None).await;
    (desk, view)
}

fn auths(heard: &Heard) -> Vec<String> {
    let heard = heard.lock().unwrap();
    let lines = heard.iter().filter(|line| line.starts_with("AUTH "));
    lines.cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_is_renewed_once_and_the_reason_is_read() {
    let sandbox = Sandbox::start(mailroom_sandbox::Options::default())
        .await
        .unwrap();
    let theatre = Theatre::new();
    let (desk, view) = connected(&sandbox, &theatre).await;
    let naming = |port| SmtpInput {
        server: format!("127.0.0.1:{port}"),
        tls: Some(Tls::Implicit),
        ..SmtpInput::default()
    };
    // Expired: a fresh one is taken.
    let (port, heard) = taking_tokens(&theatre, "PLAIN LOGIN XOAUTH2", 2).await;
    api::set_outbound(&desk.app, view.id, naming(port), None)
        .await
        .unwrap();
    let tried = auths(&heard);
    assert_eq!(tried.len(), 2, "{tried:?}");
    assert!(tried.iter().all(|line| line.starts_with("AUTH XOAUTH2 ")));
    assert_ne!(tried[0], tried[1], "the second token is another one");

    // For another service: the fresh one is refused too, and no third one is asked for.
    let (port, heard) = taking_tokens(&theatre, "OAUTHBEARER", usize::MAX).await;
    let refused = api::set_outbound(&desk.app, view.id, naming(port), None).await;
    let evidence = refused.unwrap_err().evidence.unwrap();
    assert_eq!(evidence.code.as_deref(), Some("SMTP token refused"));
    assert!(
        evidence.raw.contains("\"status\":\"401\""),
        "{}",
        evidence.raw
    );
    let tried = auths(&heard);
    assert_eq!(tried.len(), 1, "{tried:?}");
    assert!(tried[0].starts_with("AUTH OAUTHBEARER "));
    assert!(heard.lock().unwrap().contains(&"AQ==".to_owned()));
    for line in tried {
        let token = line.rsplit(' ').next().unwrap().to_owned();
        assert!(!evidence.raw.contains(&token));
    }
    // A token is not sent to a server that wants passwords only.
    let (port, heard) = taking_tokens(&theatre, "PLAIN LOGIN", 1).await;
    let refused = api::set_outbound(&desk.app, view.id, naming(port), None).await;
    let evidence = refused.unwrap_err().evidence.unwrap();
    assert_eq!(evidence.code.as_deref(), Some("SMTP AUTH missing"));
    assert!(auths(&heard).is_empty());
    desk.app.close().await;
}
