use super::*;
use crate::oauth::testing::{Asked, Records, Server, Told, json as told, text, tokens};
use crate::provider::Cursor;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

mod folders;
mod marks;

const MIME: &str = "Subject: hi\r\nMessage-ID: <1@contoso.example>\r\n\r\nhello\r\n";

async fn bench(
    answer: impl Fn(&Asked, usize) -> Told + Send + Sync + 'static,
) -> (Server, GraphMailbox) {
    named(MailboxName::Own, answer).await
}

async fn named(
    name: MailboxName,
    answer: impl Fn(&Asked, usize) -> Told + Send + Sync + 'static,
) -> (Server, GraphMailbox) {
    let server = Server::start(answer).await;
    let http = crate::oauth::http::client(&[]).unwrap();
    let far = jiff::Timestamp::now().as_millisecond() + 3_600_000;
    let records = Records::with(tokens("CANARY", far));
    let signed_in = Tokens::new(http.clone(), server.registration(), records);
    let mailbox = GraphMailbox::new(http, server.url.clone(), signed_in, name);
    (server, mailbox)
}

fn new_token() -> Told {
    told(
        200,
        &json!({"token_type": "Bearer", "expires_in": 3600, "access_token": "access-new"}),
    )
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("AAkALgAA-{n}=")).collect()
}

/// The requests in a batch.
fn requests(asked: &Asked) -> Vec<Value> {
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    body["requests"].as_array().unwrap().clone()
}

/// Answers every request of a batch, or the request alone, by method and path.
fn answered(asked: &Asked, answer: impl Fn(&str, &str) -> (u16, Value)) -> Told {
    if !asked.target.ends_with("/$batch") {
        let (status, body) = answer(&asked.method, asked.target.trim_start_matches("/v1.0"));
        return told(status, &body);
    }
    let responses: Vec<Value> = requests(asked)
        .iter()
        .map(|request| {
            let method = request["method"].as_str().unwrap();
            let (status, body) = answer(method, request["url"].as_str().unwrap());
            json!({"id": request["id"], "status": status, "headers": {"Content-Type": "application/json"}, "body": body})
        })
        .collect();
    told(200, &json!({ "responses": responses }))
}

fn asked_of(server: &Server, method: &str) -> Vec<String> {
    let mut all = Vec::new();
    for asked in server.asked() {
        if asked.target.ends_with("/$batch") {
            let requests = requests(&asked);
            let wanted = requests.iter().filter(|one| one["method"] == method);
            all.extend(
                wanted.map(|one| format!("{} {}", one["url"].as_str().unwrap(), one["body"])),
            );
        } else if asked.method == method {
            all.push(format!(
                "{} {}",
                asked.target.trim_start_matches("/v1.0"),
                asked.body
            ));
        }
    }
    all
}

fn packed(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test]
async fn reads_a_user_as_graph_prints_it() {
    let (server, mailbox) = bench(|_, _| {
        told(200, &json!({
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users(id,displayName)/$entity",
            "id": "87d349ed-44d7-43e1-9a83-5f2406dee5bd", "displayName": "Support",
            "mail": "support@contoso.example", "userPrincipalName": "support@contoso.onmicrosoft.example",
            "proxyAddresses": ["SMTP:support@Contoso.example", "smtp:help@contoso.example",
                "SIP:support@contoso.example", "X500:/o=x", "nothing"]
        }))
    })
    .await;
    let identity = mailbox.identity().await.unwrap();
    assert_eq!(
        identity.primary.unwrap().as_str(),
        "support@contoso.example"
    );
    let aliases: Vec<&str> = identity.aliases.iter().map(EmailAddress::as_str).collect();
    assert_eq!(aliases, ["help@contoso.example"]);
    assert_eq!(
        (identity.tenant_id.as_str(), identity.login_name.as_str()),
        ("", "support@contoso.onmicrosoft.example")
    );
    let asked = server.asked().remove(0);
    assert_eq!(
        asked.target,
        "/v1.0/me?$select=id,displayName,mail,userPrincipalName,proxyAddresses"
    );
    assert_eq!(asked.header("authorization"), "Bearer access-CANARY");
    assert_eq!(asked.header("prefer"), "IdType=\"ImmutableId\"");
    assert_eq!(asked.header("client-request-id").len(), 36);
}

#[tokio::test]
async fn a_shared_mailbox_is_asked_for_by_its_address() {
    let address = EmailAddress::parse("team@contoso.example").unwrap();
    let (server, mailbox) = named(MailboxName::Shared(address), |_, _| {
        told(
            200,
            &json!({"id": "f", "displayName": "Inbox", "totalItemCount": 7}),
        )
    })
    .await;
    assert_eq!(mailbox.folder(None).await.unwrap().total, 7);
    assert!(
        server.asked()[0]
            .target
            .starts_with("/v1.0/users/team@contoso.example/mailFolders/inbox?")
    );
}

#[tokio::test]
async fn finds_a_folder_by_its_path_over_pages_and_levels() {
    let (server, mailbox) = bench(|asked, _| {
        let host = asked.header("host").to_owned();
        let folder = |id: &str, name: &str| json!({"id": id, "displayName": name, "totalItemCount": 3, "unreadItemCount": 1});
        match asked.target.as_str() {
            t if t.contains("$skip=100") => told(200, &json!({"value": [folder("req", "Requests")]})),
            t if t.starts_with("/v1.0/me/mailFolders?") => told(200, &json!({
                "value": [folder("in", "Posteingang"), folder("a", "Archive/Old")],
                "@odata.nextLink": format!("http://{host}/v1.0/me/mailFolders?$skip=100")})),
            t if t.contains("/req/childFolders") => told(200, &json!({"value": [folder("tech", "Tech Support")]})),
            t if t.contains("/mailFolders/inbox") => told(200, &folder("in", "Posteingang")),
            _ => told(200, &json!({"value": []})),
        }
    })
    .await;
    for (path, id) in [
        ("Requests/Tech support", "tech"),
        (" /requests/ TECH SUPPORT/ ", "tech"),
        ("posteingang", "in"),
        ("Inbox", "in"),
        ("archive/old", "a"),
        ("", "in"),
    ] {
        assert_eq!(mailbox.folder(Some(path)).await.unwrap().id, id, "{path}");
    }
    let missing = mailbox.folder(Some("Requests/Sales")).await;
    assert!(matches!(missing, Err(ProviderError::NotFound(e)) if e.raw.contains("Sales")));
    assert!(server.asked().len() > 6);
}

#[tokio::test]
async fn lists_the_newest_and_what_may_be_missing_is_missing() {
    let (server, mailbox) = bench(|asked, _| {
        let host = asked.header("host").to_owned();
        told(200, &json!({
            "@odata.context": "c", "@odata.nextLink": format!("http://{host}/v1.0/me/mailFolders/in/messages?$skip=2"),
            "value": [
                {"@odata.etag": "W/\"CQ\"", "id": "m1", "receivedDateTime": "2026-04-11T18:00:12Z", "subject": "Hallo",
                 "internetMessageId": "<1@contoso.example>", "isRead": true, "categories": ["Blue category"],
                 "from": {"emailAddress": {"name": "Kim", "address": "kim@contoso.example"}}},
                {"id": "m2", "receivedDateTime": "2026-04-11T18:00:11Z", "subject": null, "from": null, "categories": []}
            ]
        }))
    })
    .await;
    let page = mailbox
        .newest("in", 1_775_930_412_500, 50, None)
        .await
        .unwrap();
    assert_eq!(
        page.messages[0].message_id.as_deref(),
        Some("1@contoso.example")
    );
    assert_eq!(page.messages[0].received_at, 1_775_930_412_000);
    assert_eq!(
        (
            page.messages[1].message_id.as_deref(),
            page.messages[1].from.as_str()
        ),
        (None, "")
    );
    let target = &server.asked()[0].target;
    assert_eq!(
        target,
        "/v1.0/me/mailFolders/in/messages?$filter=receivedDateTime%20le%202026-04-11T18:00:12.5Z\
         &$orderby=receivedDateTime%20desc&$top=50\
         &$select=id,receivedDateTime,internetMessageId,subject,from,isRead,categories"
    );
    let second = mailbox.newest("in", 0, 50, page.next.as_deref()).await;
    assert!(
        matches!(second, Err(ProviderError::Protocol("link_loop", _))),
        "{second:?}"
    );
    assert_eq!(
        server.asked()[1].target,
        "/v1.0/me/mailFolders/in/messages?$skip=2"
    );
}

#[tokio::test]
async fn follows_changes_to_the_delta_link() {
    let (server, mailbox) = bench(|asked, n| {
        let link = format!("http://{}/v1.0/me/mailFolders('in')/messages/delta", asked.header("host"));
        let message = json!({"id": "m1", "receivedDateTime": "2026-04-11T18:00:12Z", "isRead": true});
        if asked.target.starts_with("/v1.0/$batch") {
            let gone = json!({"error": {"code": "ErrorItemNotFound"}});
            return told(200, &json!({"responses": [
                {"id": "0", "status": 200, "body": message}, {"id": "1", "status": 404, "body": gone}]}));
        }
        match n {
            0 => told(200, &json!({
                "value": [{"id": "m1", "receivedDateTime": "2026-04-11T18:00:12Z", "isRead": false}],
                "@odata.nextLink": format!("{link}?$skiptoken=s%2b1")})),
            _ => told(200, &json!({
                "value": [
                    {"@removed": {"reason": "deleted"}, "id": "m0"},
                    {"@odata.type": "#microsoft.graph.message", "id": "m1", "isRead": true},
                    {"@odata.type": "#microsoft.graph.message", "id": "m2", "isRead": true}],
                "@odata.deltaLink": format!("{link}?$deltatoken=d")})),
        }
    })
    .await;
    let first = mailbox.cursor_since("in", 1_775_930_412_000).unwrap();
    let page = mailbox.changes(&first).await.unwrap();
    assert!(page.more && page.removed.is_empty());
    let last = mailbox.changes(&page.next).await.unwrap();
    assert!(!last.more && last.next.0.ends_with("?$deltatoken=d"));
    assert_eq!(last.removed, ["m0", "m2"]);
    assert_eq!(last.changed.len(), 1);
    assert_eq!(
        (last.changed[0].is_read, last.changed[0].received_at),
        (true, 1_775_930_412_000)
    );
    let asked = server.asked();
    assert!(
        asked[0].target.contains(
            "/messages/delta?$filter=receivedDateTime%20ge%202026-04-11T18:00:12Z&$select="
        )
    );
    assert!(asked[1].target.ends_with("?$skiptoken=s%2b1"));
    for asked in &asked[..2] {
        assert_eq!(
            asked.header("prefer"),
            "IdType=\"ImmutableId\", odata.maxpagesize=50"
        );
    }
}

#[tokio::test]
async fn never_follows_a_link_to_another_place() {
    let (server, mailbox) = bench(|_, _| {
        told(
            200,
            &json!({"value": [], "@odata.nextLink": "https://graph.evil.example/v1.0/me/messages"}),
        )
    })
    .await;
    let port = server.url.port().unwrap();
    for (link, what) in [
        (
            "https://graph.evil.example/v1.0/me/messages/delta".to_owned(),
            "foreign_link",
        ),
        (format!("https://127.0.0.1:{port}/v1.0/me"), "foreign_link"),
        (
            format!("http://127.0.0.1:{}/v1.0/me", port ^ 1),
            "foreign_link",
        ),
        (format!("http://localhost:{port}/v1.0/me"), "foreign_link"),
        (format!("http://u@127.0.0.1:{port}/v1.0/me"), "foreign_link"),
        (format!("http://127.0.0.1:{port}/beta/me"), "foreign_link"),
        (format!("http://127.0.0.1:{port}/v1.0x/me"), "foreign_link"),
        (
            format!("http://127.0.0.1:{port}/v1.0/../other"),
            "foreign_link",
        ),
        (
            format!("http://127.0.0.1:{port}/v1.0/%2e%2e/other"),
            "foreign_link",
        ),
        ("/v1.0/me".to_owned(), "broken_link"),
        ("file:///etc/passwd".to_owned(), "foreign_link"),
        (
            format!("http://127.0.0.1:{port}/v1.0/{}", "x".repeat(40_000)),
            "broken_link",
        ),
    ] {
        let refused = mailbox.changes(&Cursor(link.clone())).await;
        assert!(
            matches!(&refused, Err(ProviderError::Protocol(said, _)) if *said == what),
            "{link}: {refused:?}"
        );
    }
    assert!(server.asked().is_empty());
    let cursor = mailbox.cursor_since("in", 0).unwrap();
    assert!(matches!(
        mailbox.changes(&cursor).await,
        Err(ProviderError::Protocol("foreign_link", _))
    ));
}

#[tokio::test]
async fn malformed_answers_are_protocol_errors_with_evidence() {
    for (content_type, body, what) in [
        (
            "text/html",
            "<html>Hotel WiFi, access_token=CANARY</html>",
            "not_json",
        ),
        ("application/json", "{\"value\": [", "bad_json"),
        (
            "application/json",
            "{\"value\": [{\"subject\": \"no id\"}], \"@odata.deltaLink\": \"x\"}",
            "bad_json",
        ),
        ("application/json", "{\"value\": {}}", "bad_json"),
        ("application/json", "{\"value\": []}", "no_link"),
        ("application/json", "", "bad_json"),
    ] {
        let (_server, mailbox) = bench(move |_, _| text(200, content_type, body)).await;
        let cursor = mailbox.cursor_since("in", 0).unwrap();
        match mailbox.changes(&cursor).await {
            Err(ProviderError::Protocol(said, evidence)) => {
                assert_eq!(said, what, "{body}");
                assert!(!evidence.raw.contains("CANARY"));
            }
            other => panic!("{body}: {other:?}"),
        }
    }
    let (_server, mailbox) = bench(|_, _| {
        text(
            200,
            "application/json",
            format!(
                "{{\"value\":{}1{}}}",
                "[".repeat(50_000),
                "]".repeat(50_000)
            ),
        )
    })
    .await;
    let cursor = mailbox.cursor_since("in", 0).unwrap();
    assert!(matches!(
        mailbox.changes(&cursor).await,
        Err(ProviderError::Protocol("bad_json", _))
    ));
}

#[tokio::test]
async fn a_small_compressed_answer_cannot_fill_the_memory() {
    // 64 MB of blanks, gzip within gzip's own limits: made by hand, since nothing here compresses.
    let mut bomb = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    for _ in 0..1024 {
        let block = vec![b' '; 65_535];
        bomb.extend_from_slice(&[0, 0xff, 0xff, 0, 0]);
        bomb.extend_from_slice(&block);
    }
    let (_server, mailbox) = bench(move |_, _| {
        let mut answer = text(200, "application/json", bomb.clone());
        answer
            .headers_mut()
            .insert("content-encoding", "gzip".parse().unwrap());
        answer
    })
    .await;
    let cursor = mailbox.cursor_since("in", 0).unwrap();
    assert!(matches!(
        mailbox.changes(&cursor).await,
        Err(ProviderError::Protocol("too_large", _))
    ));
}

#[tokio::test]
async fn renews_the_token_once_after_401_and_keeps_it_out_of_the_evidence() {
    let (server, mailbox) = bench(|asked, _| {
        if asked.target.ends_with("/token") {
            return new_token();
        }
        if asked.header("authorization") == "Bearer access-new" {
            return told(200, &json!({"id": "f", "displayName": "Inbox"}));
        }
        told(
            401,
            &json!({"error": {"code": "InvalidAuthenticationToken", "message": "expired"}}),
        )
    })
    .await;
    assert_eq!(mailbox.folder(None).await.unwrap().id, "f");
    assert_eq!(server.asked().len(), 3);

    let (server, mailbox) = bench(|asked, _| {
        if asked.target.ends_with("/token") {
            return new_token();
        }
        told(401, &json!({"error": {"code": "InvalidAuthenticationToken", "message": asked.header("authorization")}}))
    })
    .await;
    match mailbox.folder(None).await {
        Err(ProviderError::Unauthorized(evidence)) => {
            assert!(!evidence.raw.contains("access-new"), "{}", evidence.raw)
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn fetches_twenty_messages_with_one_request_in_any_order() {
    let (server, mailbox) = bench(|asked, _| {
        let mut responses: Vec<Value> = requests(asked)
            .iter()
            .map(|request| {
                let url = request["url"].as_str().unwrap();
                json!({"id": request["id"], "status": 200, "headers": {"Content-Type": "text/plain"},
                    "body": packed(&format!("X-Url: {url}\r\n\r\n"))})
            })
            .collect();
        responses.reverse();
        told(200, &json!({ "responses": responses }))
    })
    .await;
    let ids = ids(20);
    for (id, fetched) in ids.iter().zip(mailbox.fetch(&ids).await) {
        assert_eq!(
            fetched.unwrap(),
            format!("X-Url: /me/messages/{id}/$value\r\n\r\n")
        );
    }
    let asked = server.asked();
    assert_eq!((asked.len(), asked[0].target.as_str()), (1, "/v1.0/$batch"));
    assert_eq!(
        requests(&asked[0])[0]["headers"]["Prefer"],
        "IdType=\"ImmutableId\""
    );
}

#[tokio::test]
async fn asks_once_more_for_what_failed_inside_a_batch() {
    let (server, mailbox) = bench(|asked, _| {
        if asked.method == "GET" {
            return match asked.target.contains("-5=") {
                true => told(500, &json!({"error": {"code": "UnknownError"}})),
                false => text(200, "text/plain", MIME),
            };
        }
        let error = |id: &str, status: u16, after: &str| json!({"id": id, "status": status,
            "headers": {"Retry-After": after}, "body": {"error": {"code": "c", "message": "m"}}});
        told(200, &json!({"responses": [
            {"id": "0", "status": 200, "headers": {"Content-Type": "text/plain"}, "body": packed(MIME)},
            error("1", 429, "1"),
            error("2", 429, "60"),
            error("3", 404, ""),
            // 4 is missing.
            error("5", 503, ""),
            {"id": 6, "status": 200, "body": MIME},
            {"id": "7", "status": 200, "body": "?not base64?"},
            {"id": "99", "status": 200, "body": "x"},
        ]}))
    })
    .await;
    let results = mailbox.fetch(&ids(8)).await;
    for index in [0, 1, 4, 6, 7] {
        assert_eq!(results[index].as_ref().unwrap(), MIME, "{index}");
    }
    assert!(matches!(&results[2], Err(ProviderError::Throttled(wait, _)) if wait.as_secs() == 60));
    assert!(matches!(&results[3], Err(ProviderError::NotFound(_))));
    assert!(matches!(&results[5], Err(ProviderError::Server(_))));
    assert_eq!(server.asked().len(), 1 + 4);
}

#[tokio::test]
async fn fetches_one_by_one_where_batches_do_not_work_two_at_a_time() {
    let running = std::sync::Arc::new(AtomicUsize::new(0));
    let most = std::sync::Arc::new(AtomicUsize::new(0));
    let (r, m) = (running.clone(), most.clone());
    let (server, mailbox) = bench(move |asked, _| {
        if asked.method == "POST" {
            return text(405, "text/plain", "no batches here");
        }
        m.fetch_max(r.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(2));
        r.fetch_sub(1, Ordering::SeqCst);
        text(200, "text/plain", MIME)
    })
    .await;
    let results = mailbox.fetch(&ids(10)).await;
    assert!(
        results
            .iter()
            .all(|r| r.as_ref().is_ok_and(|mime| mime == MIME))
    );
    assert_eq!(server.asked().len(), 11);
    assert!(most.load(Ordering::SeqCst) <= 2);
}

#[tokio::test]
async fn stops_asking_when_everything_is_throttled() {
    let (server, mailbox) = bench(|asked, _| {
        if asked.method == "POST" {
            return told(200, &json!({"responses": []}));
        }
        let mut answer = told(429, &json!({"error": {"code": "ApplicationThrottled"}}));
        answer
            .headers_mut()
            .insert("retry-after", "30".parse().unwrap());
        answer
    })
    .await;
    let begun = Instant::now();
    let results = mailbox.fetch(&ids(20)).await;
    assert!(
        results
            .iter()
            .all(|r| matches!(r, Err(ProviderError::Throttled(wait, _)) if wait.as_secs() == 30))
    );
    assert!(server.asked().len() <= 3 && begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn only_202_means_sent() {
    for (status, sent) in [(202, true), (200, false), (403, false)] {
        let (server, mailbox) = bench(move |_, _| text(status, "text/plain", "")).await;
        assert_eq!(
            mailbox.send_mime(MIME.as_bytes()).await.is_ok(),
            sent,
            "{status}"
        );
        let asked = server.asked().remove(0);
        assert_eq!(
            (asked.method.as_str(), asked.target.as_str()),
            ("POST", "/v1.0/me/sendMail")
        );
        assert_eq!(
            (asked.header("content-type"), asked.body.as_str()),
            ("text/plain", packed(MIME).as_str())
        );
    }
}

#[tokio::test]
async fn a_dropped_line_is_offline() {
    let (_server, mailbox) = bench(|_, _| {
        let mut answer = text(200, "application/json", "{}");
        answer
            .headers_mut()
            .insert("content-length", "100".parse().unwrap());
        answer
    })
    .await;
    let dropped = mailbox.folder(None).await;
    assert!(
        matches!(&dropped, Err(ProviderError::Offline(_))),
        "{dropped:?}"
    );
}
