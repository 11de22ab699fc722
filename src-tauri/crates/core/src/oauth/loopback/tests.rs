use super::*;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(in crate::oauth) fn words() -> PageWords {
    PageWords {
        language: "de".to_owned(),
        done_title: "Angemeldet".to_owned(),
        done_text: "Sie können <diesen> Tab schließen.".to_owned(),
        failed_title: "Nicht angemeldet".to_owned(),
        failed_text: "Mailroom erklärt, was war.".to_owned(),
        stale_title: "Veraltet".to_owned(),
        stale_text: "Bitte neu beginnen.".to_owned(),
    }
}

async fn say(address: impl tokio::net::ToSocketAddrs, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(text.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

pub(in crate::oauth) async fn get(port: u16, target: &str) -> String {
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n");
    say((Ipv4Addr::LOCALHOST, port), &request).await
}

async fn open() -> Loopback {
    Loopback::open("right".into(), words()).await.unwrap()
}

#[tokio::test]
async fn answers_only_after_the_attempt_is_decided() {
    let mut loopback = open().await;
    let port = loopback.port();
    let browser = tokio::spawn(async move { get(port, "/?code=c&state=right").await });
    let came_back = loopback.next().await.unwrap();
    assert_eq!(came_back.parameters["code"], "c");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!browser.is_finished());
    let second = get(port, "/?code=d&state=right").await;
    assert!(
        second.starts_with("HTTP/1.1 400") && second.contains("Veraltet"),
        "{second}"
    );
    came_back.reply.send(Page::Done).await;
    drop(loopback);
    let page = browser.await.unwrap();
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(
        page.contains("<html lang=\"de\">") && page.contains("&lt;diesen&gt;"),
        "{page}"
    );
    for header in [
        "default-src 'none'",
        "no-store",
        "no-referrer",
        "connection: close",
    ] {
        assert!(page.to_lowercase().contains(header), "{header} in {page}");
    }
    assert!(page.trim_end().ends_with("</html>"), "{page}");
}

#[tokio::test]
async fn listens_on_both_addresses_and_closes_when_dropped() {
    let loopback = open().await;
    let port = loopback.port();
    assert!(get(port, "/").await.contains("Veraltet"));
    if let Ok(stream) = TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await {
        drop(stream);
        let request = format!("GET / HTTP/1.1\r\nHost: [::1]:{port}\r\n\r\n");
        assert!(
            say((Ipv6Addr::LOCALHOST, port), &request)
                .await
                .contains("Veraltet")
        );
    }
    drop(loopback);
    let deadline = Instant::now() + Duration::from_secs(2);
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .is_ok()
    {
        assert!(Instant::now() < deadline, "the port stays open");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_noisy_requests_neither_finish_nor_starve_it() {
    let mut loopback = open().await;
    let port = loopback.port();
    let begun = Instant::now();
    // Connections that say nothing, or half a request.
    let mut silent = Vec::new();
    for i in 0..60 {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .unwrap();
        if i % 2 == 0 {
            let _ = stream.write_all(b"GET /?state=ri").await;
        }
        silent.push(stream);
    }
    let long = "x".repeat(HEAD_LIMIT + 1);
    let noise: Vec<String> = vec![
        format!("GET /?code=evil&state=wrong HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"),
        format!("GET /?error=access_denied&state=wrong HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"),
        format!("GET /?error=access_denied HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"),
        format!("GET /favicon.ico HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"),
        "GET /?code=evil&state=right HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_owned(),
        format!(
            "POST /?code=evil&state=right HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: 0\r\n\r\n"
        ),
        format!("HEAD /?code=evil&state=right HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"),
        "\u{16}\u{3}\u{1} not http at all\r\n\r\n".to_owned(),
        format!("GET /?state={long} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"),
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(),
    ];
    let noise = Arc::new(noise);
    let mut crowd = JoinSet::new();
    for worker in 0..20 {
        let noise = Arc::clone(&noise);
        crowd.spawn(async move {
            for i in 0..500 {
                // The long one costs most and proves the same with fewer.
                let kind = if i % 50 == 8 {
                    8
                } else {
                    [0, 1, 2, 3, 4, 5, 6, 7, 9][(worker + i) % 9]
                };
                let answer = say((Ipv4Addr::LOCALHOST, port), &noise[kind]).await;
                assert!(!answer.contains("Angemeldet"), "{answer}");
            }
        });
    }
    // In the middle of it the real browser comes.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let browser = tokio::spawn(async move { get(port, "/?code=real&state=right").await });
    let came_back = tokio::time::timeout(Duration::from_secs(3), loopback.next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(came_back.parameters["code"], "real");
    while let Some(done) = crowd.join_next().await {
        done.unwrap();
    }
    came_back.reply.send(Page::Done).await;
    assert!(browser.await.unwrap().contains("Angemeldet"));
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    drop(silent);
}

#[tokio::test]
async fn hanging_connections_are_shut() {
    let loopback = open().await;
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, loopback.port()))
        .await
        .unwrap();
    stream.write_all(b"GET /?sta").await.unwrap();
    let begun = Instant::now();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(begun.elapsed() < NOISE_TIME + Duration::from_secs(1));
}
