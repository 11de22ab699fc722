//! The port that a sign-in listens on, while others on this computer send it what they like.

use crate::world::{self, Guest, MemoryKey, SUPPORT, World, visitor, wait};
use mailroom_core::api;
use mailroom_core::api::view::ConnectStage;
use mailroom_core::app::desktop::Desktop;
use mailroom_core::app::{App, Options};
use std::pin::Pin;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const REQUESTS: usize = 10_000;
/// How many send at once.
const SENDERS: usize = 32;

/// A desktop on which nobody follows the link yet.
struct Nobody;

impl Desktop for Nobody {
    fn open_url<'a>(
        &'a self,
        _url: &'a str,
        _private_window: bool,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async { Ok(()) })
    }
}

/// Request number `n`: wrong in one of the ways that a web page or a program might try.
fn hostile(n: usize, port: u16) -> String {
    let host = format!("localhost:{port}");
    let close = "Connection: close\r\n\r\n";
    match n % 10 {
        0 => format!("GET /?code=stolen&state=guess{n} HTTP/1.1\r\nHost: {host}\r\n{close}"),
        1 => format!("GET /?code=stolen HTTP/1.1\r\nHost: {host}\r\n{close}"),
        2 => format!("GET /?error=access_denied&state= HTTP/1.1\r\nHost: {host}\r\n{close}"),
        3 => format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 11\r\n{close}code=stolen"),
        4 => {
            format!("GET /?code=a&code=b&state=x&state=y HTTP/1.1\r\nHost: evil.example\r\n{close}")
        }
        5 => format!(
            "GET /{} HTTP/1.1\r\nHost: {host}\r\n{close}",
            "../".repeat(n % 50)
        ),
        6 => {
            format!("OPTIONS * HTTP/1.1\r\nHost: {host}\r\nOrigin: https://evil.example\r\n{close}")
        }
        7 => format!("GET /?admin_consent=True&state={n} HTTP/1.1\r\nHost: {host}\r\n{close}"),
        8 => "\u{16}\u{3}\u{1}\0 this is no HTTP\r\n\r\n".to_owned(),
        _ => format!("HEAD /favicon.ico?state={n} HTTP/1.1\r\nHost: {host}\r\n{close}"),
    }
}

/// Sends `request`; the answer, or nothing where the line was closed without one.
async fn ask(port: u16, request: &str) -> String {
    let mut answer = Vec::new();
    if let Ok(mut stream) = tokio::net::TcpStream::connect(("127.0.0.1", port)).await {
        let _ = stream.write_all(request.as_bytes()).await;
        let _ = stream.read_to_end(&mut answer).await;
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_hostile_requests_during_a_sign_in_change_nothing() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let guest = Arc::clone(&world.guest) as Arc<Guest>;
    let key = Arc::new(MemoryKey::default());
    let app = App::open(Options {
        desktop: Arc::new(Nobody),
        ..world::options(folder.path(), key, guest)
    })
    .await
    .unwrap();
    app.set_sandbox(Some(world.sandbox_view()));
    let attempt = api::begin_connect(&app, world.request(SUPPORT))
        .await
        .unwrap();
    let link = wait("the browser is waited for", async || {
        let stage = api::connect_attempt(&app, &attempt.id).unwrap().stage;
        if let ConnectStage::WaitingForBrowser { url, .. } = stage {
            return Some(url);
        }
        None
    })
    .await;
    let parsed = url::Url::parse(&link).unwrap();
    let redirect = parsed
        .query_pairs()
        .find(|(name, _)| name == "redirect_uri");
    let redirect = url::Url::parse(&redirect.unwrap().1).unwrap();
    let port = redirect.port().unwrap();

    let mut senders = tokio::task::JoinSet::new();
    for first in 0..SENDERS {
        senders.spawn(async move {
            let mut accepted = 0;
            for n in (first..REQUESTS).step_by(SENDERS) {
                let answer = ask(port, &hostile(n, port)).await;
                accepted += usize::from(answer.contains("Signed in"));
            }
            accepted
        });
    }
    let accepted: usize = senders.join_all().await.into_iter().sum();
    assert_eq!(accepted, 0);
    let still = api::connect_attempt(&app, &attempt.id).unwrap().stage;
    assert!(
        matches!(still, ConnectStage::WaitingForBrowser { .. }),
        "{still:?}"
    );

    let page = visitor(&world.tenant, SUPPORT).visit(&link).await.unwrap();
    assert!(page.contains("Signed in"), "{page}");
    wait("the sign-in is ready", async || {
        let stage = api::connect_attempt(&app, &attempt.id).unwrap().stage;
        matches!(stage, ConnectStage::Ready { .. }).then_some(())
    })
    .await;
    app.close().await;
}
