//! Sending, batches, limits, faults, speed and restarts over real HTTP.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use super::{MAIL, Tenant, list, refusal};
use crate::Options;

#[tokio::test]
async fn sent_mail_reaches_mailboxes_and_sent_items_and_bounces() {
    let tenant = Tenant::start(&[]).await;
    let person = |address: &str| json!({"emailAddress": {"address": address}});
    let message = json!({
        "subject": "Grüße ☕", "body": {"contentType": "text", "content": "Hallo"},
        "toRecipients": [person("alex@contoso.example"), person("nobody@contoso.example"), person("customer@adatum.example")],
        "internetMessageHeaders": [{"name": "x-mailroom-loop", "value": "1"}],
        "attachments": [{"@odata.type": "#microsoft.graph.fileAttachment", "name": "ä.txt", "contentType": "text/plain", "contentBytes": "SGk="}],
    });
    let send = |body: Value| {
        tenant
            .ask(Method::POST, "/v1.0/me/sendMail")
            .json(&body)
            .send()
    };
    assert_eq!(
        send(json!({"message": message})).await.unwrap().status(),
        202
    );
    let sent = tenant
        .get("/v1.0/me/mailFolders/sentitems/messages?$top=1&$expand=attachments")
        .await;
    assert_eq!(sent["value"][0]["subject"], "Grüße ☕");
    assert_eq!(sent["value"][0]["attachments"][0]["name"], "ä.txt");
    let inbox = tenant.get("/v1.0/me/messages?$top=2").await;
    assert!(
        list(&inbox).iter().any(|m| m["subject"]
            .as_str()
            .unwrap()
            .starts_with("Undeliverable: ")),
        "{inbox}"
    );
    let alex = tenant
        .ask(Method::GET, "/_sandbox/mailbox/alex@contoso.example")
        .send()
        .await
        .unwrap()
        .json::<Value>()
        .await
        .unwrap();
    assert_eq!(
        alex.as_array().unwrap().last().unwrap()["subject"],
        "Grüße ☕"
    );

    // Without Mail.Send.Shared nobody sends as somebody else, whatever their rights.
    let foreign = json!({"message": {"subject": "x", "from": person("alex@contoso.example"), "toRecipients": [person("a@b.example")]}});
    assert_eq!(
        refusal(send(foreign).await.unwrap()).await,
        (403, "ErrorAccessDenied".into())
    );
    let header =
        json!({"message": {"internetMessageHeaders": [{"name": "Auto-Submitted", "value": "x"}]}});
    assert_eq!(
        refusal(send(header).await.unwrap()).await,
        (400, "InvalidInternetMessageHeader".into())
    );

    let mime = STANDARD.encode("From: support@contoso.example\r\nTo: alex@contoso.example\r\nAuto-Submitted: auto-replied\r\nSubject: mime\r\nMessage-ID: <m@contoso.example>\r\n\r\nx\r\n");
    let sent = tenant
        .ask(Method::POST, "/v1.0/me/sendMail")
        .header("Content-Type", "text/plain")
        .body(mime)
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), 202);
    let sent = tenant.get("/v1.0/me/mailFolders/sentitems/messages?$filter=internetMessageId eq '<m@contoso.example>'&$select=internetMessageHeaders").await;
    assert!(
        !sent.to_string().contains("Auto-Submitted") && sent.to_string().contains("Message-ID"),
        "{sent}"
    );

    let original = tenant
        .get("/v1.0/me/mailFolders/inbox/messages?$top=1&$filter=isRead eq true")
        .await["value"][0]
        .clone();
    let path = format!(
        "/v1.0/me/messages/{}/createReply",
        original["id"].as_str().unwrap()
    );
    let draft: Value = tenant
        .ask(Method::POST, &path)
        .json(&json!({"comment": "Thanks"}))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&draft["isDraft"], &draft["conversationId"]),
        (&json!(true), &original["conversationId"])
    );
    let path = format!("/v1.0/me/messages/{}/send", draft["id"].as_str().unwrap());
    assert_eq!(
        tenant
            .ask(Method::POST, &path)
            .send()
            .await
            .unwrap()
            .status(),
        202
    );
}

#[tokio::test]
async fn a_batch_answers_each_request_by_itself() {
    let tenant = Tenant::start(&[]).await;
    let id = tenant.get("/v1.0/me/messages?$top=1").await["value"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let get = |id: &str, url: &str| json!({"id": id, "method": "GET", "url": url});
    let mut requests = vec![
        get("1", "/me/mailFolders/inbox"),
        get("2", &format!("/me/messages/{id}/$value")),
        get(
            "3",
            &format!(
                "{}/v1.0/me/messages/nonsense",
                tenant.sandbox.description().graph_url
            ),
        ),
        json!({"id": "4", "method": "GET", "url": "/me", "dependsOn": ["3"]}),
    ];
    requests.extend((5..=20).map(|n| get(&n.to_string(), "/me/messages?$top=1")));
    let run = |requests: &[Value]| {
        tenant
            .ask(Method::POST, "/v1.0/$batch")
            .json(&json!({"requests": requests}))
            .send()
    };
    let answer: Value = run(&requests).await.unwrap().json().await.unwrap();
    let by_id = |id: &str| {
        answer["responses"]
            .as_array()
            .unwrap()
            .iter()
            .find(|r| r["id"] == id)
            .unwrap()
            .clone()
    };
    assert_eq!(answer["responses"].as_array().unwrap().len(), 20);
    assert_eq!(by_id("1")["body"]["displayName"], "Inbox");
    assert!(
        STANDARD
            .decode(by_id("2")["body"].as_str().unwrap())
            .unwrap()
            .starts_with(b"Received")
    );
    assert_eq!(
        (by_id("3")["status"].as_u64(), by_id("4")["status"].as_u64()),
        (Some(400), Some(424))
    );
    assert_eq!(by_id("20")["status"], 200);
    requests.push(get("21", "/me"));
    assert_eq!(run(&requests).await.unwrap().status(), 400);
}

#[tokio::test]
async fn scenarios_strike() {
    let tenant = Tenant::start(&["throttled"]).await;
    let mut refused = 0;
    for _ in 0..9 {
        let response = tenant
            .ask(Method::GET, "/v1.0/me/mailFolders")
            .send()
            .await
            .unwrap();
        if response.status() == 429 {
            assert_eq!(response.headers()["retry-after"], "2");
            refused += 1;
        }
    }
    assert_eq!(refused, 3);
    let tenant = Tenant::start(&["foreign-next-link"]).await;
    let page = tenant.get("/v1.0/me/messages").await;
    assert!(
        !page["@odata.nextLink"]
            .as_str()
            .unwrap()
            .contains("localhost")
    );
    let tenant = Tenant::start(&["malformed-json"]).await;
    let cut = tenant
        .ask(Method::GET, "/v1.0/me/messages")
        .send()
        .await
        .unwrap();
    assert!(cut.json::<Value>().await.is_err());
    let tenant = Tenant::start(&["service-down"]).await;
    assert_eq!(
        tenant
            .ask(Method::GET, "/v1.0/me")
            .send()
            .await
            .unwrap()
            .status(),
        503
    );
    let tenant = Tenant::start(&["mailbox-missing"]).await;
    assert_eq!(
        tenant.refused("/v1.0/me/messages").await,
        (404, "MailboxNotEnabledForRESTAPI".into())
    );
    let tenant = Tenant::start(&["graph-denied"]).await;
    assert_eq!(
        tenant.refused("/v1.0/me/messages").await,
        (403, "ErrorAccessDenied".into())
    );
}

#[tokio::test]
async fn more_than_four_at_once_are_too_many() {
    let tenant = Tenant::start(&["slow"]).await;
    let all = (0..8).map(|_| tenant.ask(Method::GET, "/v1.0/me/mailFolders").send());
    let all = futures_util::future::join_all(all).await;
    let throttled = all
        .iter()
        .filter(|r| r.as_ref().unwrap().status() == 429)
        .count();
    assert!((1..=4).contains(&throttled), "{throttled}");
}

#[tokio::test]
async fn ten_thousand_mails_are_made_quickly_and_listed_quickly() {
    let tenant = Tenant::start(&[]).await;
    let started = Instant::now();
    let path = "/_sandbox/mailbox/sato@contoso.example/fill?count=10000";
    let answer: Value = tenant
        .ask(Method::POST, path)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let took = started.elapsed();
    assert_eq!(answer["added"], 10_000);
    assert!(took < Duration::from_secs(6), "{took:?}");
    let mut tenant = tenant;
    tenant.token = tenant.token_of("sato@contoso.example", MAIL);
    let started = Instant::now();
    tenant
        .get("/v1.0/me/mailFolders/inbox/messages?$top=50&$skip=9000&$select=subject")
        .await;
    assert!(
        started.elapsed() < Duration::from_millis(500),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn mail_and_marks_survive_a_restart_and_new_mail_arrives() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        state_dir: Some(dir.path().to_owned()),
        arrivals: Some(Duration::from_millis(150)),
        ..Options::default()
    };
    let tenant = Tenant::with(options.clone()).await;
    let count = |folder: &Value| folder["totalItemCount"].as_u64().unwrap();
    let before = count(&tenant.get("/v1.0/me/mailFolders/inbox").await);
    tokio::time::sleep(Duration::from_millis(900)).await;
    let after = count(&tenant.get("/v1.0/me/mailFolders/inbox").await);
    assert!(after > before, "{before} {after}");
    let id = tenant.get("/v1.0/me/messages?$top=1").await["value"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let patch = json!({"categories": ["Kept"]});
    tenant
        .ask(Method::PATCH, &format!("/v1.0/me/messages/{id}"))
        .json(&patch)
        .send()
        .await
        .unwrap();
    tenant.sandbox.stop().await;
    let tenant = Tenant::with(Options {
        arrivals: None,
        ..options
    })
    .await;
    assert_eq!(
        tenant.get(&format!("/v1.0/me/messages/{id}")).await["categories"][0],
        "Kept"
    );
    let settings = tenant.get("/v1.0/me/mailboxSettings").await;
    assert_eq!(settings["automaticRepliesSetting"]["status"], "disabled");
    assert_eq!(
        list(&tenant.get("/v1.0/me/mailFolders/inbox/messageRules").await).len(),
        1
    );
}
