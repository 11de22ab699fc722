//! Graph over real HTTP.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::entra::tokens::GRAPH;
use crate::{Options, Sandbox};

const MAIL: &str = "User.Read Mail.ReadWrite Mail.Send MailboxSettings.Read";

struct Tenant {
    sandbox: Sandbox,
    client: Client,
    token: String,
}

impl Tenant {
    async fn start(scenarios: &[&str]) -> Self {
        Self::with(Options {
            scenarios: scenarios.iter().map(|name| (*name).to_owned()).collect(),
            ..Options::default()
        })
        .await
    }

    async fn with(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let mut tenant = Self { sandbox, client: Client::new(), token: String::new() };
        tenant.token = tenant.token_of("support@contoso.example", MAIL);
        tenant
    }

    fn token_of(&self, address: &str, scopes: &str) -> String {
        let world = self.sandbox.world();
        let user = world.directory.lock().find(address).unwrap().clone();
        let now = world.now().as_second();
        world
            .keys
            .sign(&json!({
                "aud": GRAPH, "iat": now, "exp": now + 3600, "scp": scopes, "oid": user.oid,
                "tid": user.tenant, "upn": user.upn, "appid": "test", "uti": "test",
            }))
            .unwrap()
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.sandbox.description().graph_url)
        };
        self.client.request(method, url).bearer_auth(&self.token)
    }

    async fn get(&self, path: &str) -> Value {
        let response = self.ask(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    async fn refused(&self, path: &str) -> (u16, String) {
        refusal(self.ask(Method::GET, path).send().await.unwrap()).await
    }
}

async fn refusal(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert!(body["error"]["innerError"]["request-id"].is_string(), "{body}");
    (status, body["error"]["code"].as_str().unwrap().to_owned())
}

fn list(body: &Value) -> &Vec<Value> {
    body["value"].as_array().unwrap()
}

#[tokio::test]
async fn the_inbox_is_listed_newest_first_page_by_page() {
    let tenant = Tenant::start(&[]).await;
    let inbox = tenant.get("/v1.0/me/mailFolders/inbox").await;
    let total = inbox["totalItemCount"].as_u64().unwrap();
    assert!(total >= 1_200 && inbox["unreadItemCount"].as_u64().unwrap() > 100);
    let mut next = "/v1.0/me/mailFolders/inbox/messages?$top=500&$select=subject,receivedDateTime&$count=true&$orderby=receivedDateTime desc".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = tenant.get(&next).await;
        assert_eq!(page["@odata.count"].as_u64().unwrap(), total);
        seen.extend(list(&page).iter().map(|m| m["receivedDateTime"].as_str().unwrap().to_owned()));
        assert_eq!(list(&page)[0].as_object().unwrap().len(), 4, "{}", list(&page)[0]);
        match page["@odata.nextLink"].as_str() {
            Some(link) => next = link.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen.len() as u64, total);
    assert!(seen.windows(2).all(|pair| pair[0] >= pair[1]));
    let default = tenant.get("/graph/v1.0/me/messages").await;
    assert_eq!(list(&default).len(), 10);
    assert!(default["@odata.nextLink"].as_str().unwrap().contains("/graph/v1.0/me/messages?"));
    assert!(default["value"][0]["internetMessageHeaders"].is_null());
    assert!(default["value"][0]["toRecipients"][0]["emailAddress"]["address"].is_string());
}

#[tokio::test]
async fn filters_follow_the_rules_of_graph() {
    let tenant = Tenant::start(&[]).await;
    let base = "/v1.0/me/mailFolders/inbox/messages";
    let newest = tenant.get(&format!("{base}?$top=1&$skip=40")).await;
    let (time, id) = (&newest["value"][0]["receivedDateTime"], &newest["value"][0]["internetMessageId"]);
    let since = tenant.get(&format!("{base}?$top=1000&$filter=receivedDateTime ge {}", time.as_str().unwrap())).await;
    assert_eq!(list(&since).len(), 41);
    if let Some(id) = id.as_str() {
        let found = tenant.ask(Method::GET, base).query(&[("$filter", format!("internetMessageId eq '{id}'"))]);
        let found: Value = found.send().await.unwrap().json().await.unwrap();
        assert_eq!(list(&found).len(), 1);
    }
    let bad = format!("{base}?$filter=isRead eq false&$orderby=receivedDateTime desc");
    assert_eq!(tenant.refused(&bad).await, (400, "InefficientFilter".into()));
    for query in ["$foo=1", "$top=0", "$top=1001", "$select=nonsense", "$filter=isRead", "$search=x"] {
        assert_eq!(tenant.refused(&format!("{base}?{query}")).await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn paths_tokens_and_mailboxes_are_refused_as_graph_does() {
    let mut tenant = Tenant::start(&[]).await;
    assert_eq!(tenant.refused("/me").await, (400, "BadRequest".into()));
    assert_eq!(tenant.refused("/v1.0/me/nonsense").await, (400, "BadRequest".into()));
    assert_eq!(tenant.refused("/v1.0/users/nobody@contoso.example/messages").await, (404, "ErrorInvalidUser".into()));
    assert_eq!(tenant.refused("/v1.0/users/info@contoso.example/messages").await, (403, "ErrorAccessDenied".into()));
    assert_eq!(tenant.refused("/v1.0/me/messages/nonsense").await, (400, "ErrorInvalidIdMalformed".into()));
    assert_eq!(tenant.refused("/v1.0/users/alex@contoso.example").await, (403, "Authorization_RequestDenied".into()));
    let me = tenant.get("/v1.0/me?$select=mail,proxyAddresses").await;
    assert_eq!(me["proxyAddresses"][0], "SMTP:support@contoso.example");

    let bare = tenant.client.get(format!("{}/v1.0/me", tenant.sandbox.description().graph_url));
    let bare = bare.send().await.unwrap();
    assert!(bare.headers().contains_key("www-authenticate"));
    assert_eq!(refusal(bare).await, (401, "InvalidAuthenticationToken".into()));

    tenant.token = tenant.token_of("support@contoso.example", "User.Read Mail.Read.Shared");
    assert_eq!(tenant.refused("/v1.0/users/info@contoso.example/mailFolders").await, (404, "ErrorItemNotFound".into()));
    assert_eq!(tenant.refused("/v1.0/me/messages").await, (403, "ErrorAccessDenied".into()));
    tenant.token = tenant.token_of("alex@contoso.example", "User.Read Mail.Read.Shared");
    assert!(list(&tenant.get("/v1.0/users/info@contoso.example/messages").await).len() >= 10);
    tenant.token = tenant.token_of("admin@contoso.example", MAIL);
    assert_eq!(tenant.refused("/v1.0/me/messages").await, (404, "MailboxNotEnabledForRESTAPI".into()));
}

#[tokio::test]
async fn ids_move_with_the_message_unless_they_are_immutable() {
    let tenant = Tenant::start(&[]).await;
    let ask = |method, path: &str| tenant.ask(method, path).header("Prefer", "IdType=\"ImmutableId\"");
    let first = tenant.get("/v1.0/me/messages?$top=1").await["value"][0].clone();
    let ordinary = first["id"].as_str().unwrap();
    let path = format!("/v1.0/me/messages/{ordinary}");
    let same: Value = ask(Method::GET, &path).send().await.unwrap().json().await.unwrap();
    let immutable = same["id"].as_str().unwrap().to_owned();
    assert_ne!(ordinary, immutable);
    let moved = ask(Method::POST, &format!("{path}/move")).json(&json!({"destinationId": "archive"})).send().await.unwrap();
    assert_eq!(moved.status(), 201);
    assert_eq!(moved.headers()["preference-applied"], "IdType=\"ImmutableId\"");
    assert_eq!(moved.json::<Value>().await.unwrap()["id"], immutable.as_str());
    assert_eq!(tenant.refused(&path).await, (404, "ErrorItemNotFound".into()));
    let path = format!("/v1.0/me/messages('{immutable}')");
    let patch = json!({"isRead": true, "categories": ["Mailroom"], "flag": {"flagStatus": "flagged"}});
    let patched: Value = ask(Method::PATCH, &path).json(&patch).send().await.unwrap().json().await.unwrap();
    assert_eq!((&patched["isRead"], &patched["categories"][0]), (&json!(true), &json!("Mailroom")));
    assert_ne!(patched["changeKey"], same["changeKey"]);
    let refused = ask(Method::PATCH, &path).json(&json!({"subject": "x"})).send().await.unwrap();
    assert_eq!(refusal(refused).await.0, 400);
    let raw = tenant.ask(Method::GET, &format!("{path}/$value")).send().await.unwrap();
    assert!(raw.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert!(raw.text().await.unwrap().starts_with("Received: "));
}

#[tokio::test]
async fn delta_tells_the_folder_then_only_what_changed() {
    let tenant = Tenant::start(&[]).await;
    let mut next = "/v1.0/me/mailFolders/inbox/messages/delta?$select=subject".to_owned();
    let ask = |path: &str| {
        let request = tenant.ask(Method::GET, path).header("Prefer", "odata.maxpagesize=400, IdType=\"ImmutableId\"");
        async { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    let mut told = Vec::new();
    let delta_link = loop {
        let page = ask(&next).await;
        told.extend(list(&page).clone());
        match page["@odata.nextLink"].as_str() {
            Some(link) => next = link.to_owned(),
            None => break page["@odata.deltaLink"].as_str().unwrap().to_owned(),
        }
    };
    let total = tenant.get("/v1.0/me/mailFolders/inbox").await["totalItemCount"].as_u64().unwrap();
    assert_eq!(told.len() as u64, total);
    let id = told[5]["id"].as_str().unwrap();
    let delivered = tenant.ask(Method::POST, "/_sandbox/deliver?mailbox=support@contoso.example").body("Subject: new\r\n\r\nHi\r\n");
    let delivered: Value = delivered.send().await.unwrap().json().await.unwrap();
    let order = json!({"mailbox": "support@contoso.example", "id": id, "folder": "Ablage"});
    tenant.ask(Method::POST, "/_sandbox/move").json(&order).send().await.unwrap();
    let page = ask(&delta_link).await;
    assert_eq!(list(&page).len(), 2, "{page}");
    assert_eq!(page["value"][0]["id"], delivered["id"]);
    assert_eq!(page["value"][0]["subject"], "new");
    assert_eq!(page["value"][1]["@removed"]["reason"], "deleted");
    assert_eq!(page["value"][1]["id"], id);

    tenant.ask(Method::POST, "/_sandbox/expire-delta").send().await.unwrap();
    let expired = tenant.ask(Method::GET, &delta_link).send().await.unwrap();
    let location = expired.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(refusal(expired).await, (410, "SyncStateNotFound".into()));
    assert_eq!(list(&ask(&location).await).len(), 400);
    assert_eq!(tenant.refused("/v1.0/me/mailFolders/inbox/messages/delta?$deltatoken=abc").await.0, 400);
    assert_eq!(tenant.refused("/v1.0/me/mailFolders/inbox/messages/delta?$orderby=subject").await.0, 400);
}

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
    let send = |body: Value| tenant.ask(Method::POST, "/v1.0/me/sendMail").json(&body).send();
    assert_eq!(send(json!({"message": message})).await.unwrap().status(), 202);
    let sent = tenant.get("/v1.0/me/mailFolders/sentitems/messages?$top=1&$expand=attachments").await;
    assert_eq!(sent["value"][0]["subject"], "Grüße ☕");
    assert_eq!(sent["value"][0]["attachments"][0]["name"], "ä.txt");
    let inbox = tenant.get("/v1.0/me/messages?$top=2").await;
    assert!(list(&inbox).iter().any(|m| m["subject"].as_str().unwrap().starts_with("Undeliverable: ")), "{inbox}");
    let alex = tenant.ask(Method::GET, "/_sandbox/mailbox/alex@contoso.example").send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(alex.as_array().unwrap().last().unwrap()["subject"], "Grüße ☕");

    let foreign = json!({"message": {"subject": "x", "from": person("alex@contoso.example"), "toRecipients": [person("a@b.example")]}});
    assert_eq!(refusal(send(foreign).await.unwrap()).await, (403, "ErrorSendAsDenied".into()));
    let header = json!({"message": {"internetMessageHeaders": [{"name": "Auto-Submitted", "value": "x"}]}});
    assert_eq!(refusal(send(header).await.unwrap()).await, (400, "InvalidInternetMessageHeader".into()));

    let mime = STANDARD.encode("From: support@contoso.example\r\nTo: alex@contoso.example\r\nAuto-Submitted: auto-replied\r\nSubject: mime\r\nMessage-ID: <m@contoso.example>\r\n\r\nx\r\n");
    let sent = tenant.ask(Method::POST, "/v1.0/me/sendMail").header("Content-Type", "text/plain").body(mime).send().await.unwrap();
    assert_eq!(sent.status(), 202);
    let sent = tenant.get("/v1.0/me/mailFolders/sentitems/messages?$filter=internetMessageId eq '<m@contoso.example>'&$select=internetMessageHeaders").await;
    assert!(!sent.to_string().contains("Auto-Submitted") && sent.to_string().contains("Message-ID"), "{sent}");

    let original = tenant.get("/v1.0/me/mailFolders/inbox/messages?$top=1&$filter=isRead eq true").await["value"][0].clone();
    let path = format!("/v1.0/me/messages/{}/createReply", original["id"].as_str().unwrap());
    let draft: Value = tenant.ask(Method::POST, &path).json(&json!({"comment": "Thanks"})).send().await.unwrap().json().await.unwrap();
    assert_eq!((&draft["isDraft"], &draft["conversationId"]), (&json!(true), &original["conversationId"]));
    let path = format!("/v1.0/me/messages/{}/send", draft["id"].as_str().unwrap());
    assert_eq!(tenant.ask(Method::POST, &path).send().await.unwrap().status(), 202);
}

#[tokio::test]
async fn a_batch_answers_each_request_by_itself() {
    let tenant = Tenant::start(&[]).await;
    let id = tenant.get("/v1.0/me/messages?$top=1").await["value"][0]["id"].as_str().unwrap().to_owned();
    let get = |id: &str, url: &str| json!({"id": id, "method": "GET", "url": url});
    let mut requests = vec![
        get("1", "/me/mailFolders/inbox"),
        get("2", &format!("/me/messages/{id}/$value")),
        get("3", "/me/messages/nonsense"),
        json!({"id": "4", "method": "GET", "url": "/me", "dependsOn": ["3"]}),
    ];
    requests.extend((5..=20).map(|n| get(&n.to_string(), "/me/messages?$top=1")));
    let run = |requests: &[Value]| tenant.ask(Method::POST, "/v1.0/$batch").json(&json!({"requests": requests})).send();
    let answer: Value = run(&requests).await.unwrap().json().await.unwrap();
    let by_id = |id: &str| answer["responses"].as_array().unwrap().iter().find(|r| r["id"] == id).unwrap().clone();
    assert_eq!(answer["responses"].as_array().unwrap().len(), 20);
    assert_eq!(by_id("1")["body"]["displayName"], "Inbox");
    assert!(STANDARD.decode(by_id("2")["body"].as_str().unwrap()).unwrap().starts_with(b"Received"));
    assert_eq!((by_id("3")["status"].as_u64(), by_id("4")["status"].as_u64()), (Some(400), Some(424)));
    assert_eq!(by_id("20")["status"], 200);
    requests.push(get("21", "/me"));
    assert_eq!(run(&requests).await.unwrap().status(), 400);
}

#[tokio::test]
async fn scenarios_strike() {
    let tenant = Tenant::start(&["throttled"]).await;
    let mut refused = 0;
    for _ in 0..9 {
        let response = tenant.ask(Method::GET, "/v1.0/me/mailFolders").send().await.unwrap();
        if response.status() == 429 {
            assert_eq!(response.headers()["retry-after"], "2");
            refused += 1;
        }
    }
    assert_eq!(refused, 3);
    let tenant = Tenant::start(&["foreign-next-link"]).await;
    let page = tenant.get("/v1.0/me/messages").await;
    assert!(!page["@odata.nextLink"].as_str().unwrap().contains("localhost"));
    let tenant = Tenant::start(&["malformed-json"]).await;
    let cut = tenant.ask(Method::GET, "/v1.0/me/messages").send().await.unwrap();
    assert!(cut.json::<Value>().await.is_err());
    let tenant = Tenant::start(&["service-down"]).await;
    assert_eq!(tenant.ask(Method::GET, "/v1.0/me").send().await.unwrap().status(), 503);
    let tenant = Tenant::start(&["mailbox-missing"]).await;
    assert_eq!(tenant.refused("/v1.0/me/messages").await, (404, "MailboxNotEnabledForRESTAPI".into()));
    let tenant = Tenant::start(&["graph-denied"]).await;
    assert_eq!(tenant.refused("/v1.0/me/messages").await, (403, "ErrorAccessDenied".into()));
}

#[tokio::test]
async fn more_than_four_at_once_are_too_many() {
    let tenant = Tenant::start(&["slow"]).await;
    let all = (0..8).map(|_| tenant.ask(Method::GET, "/v1.0/me/mailFolders").send());
    let all = futures_util::future::join_all(all).await;
    let throttled = all.iter().filter(|r| r.as_ref().unwrap().status() == 429).count();
    assert!((1..=4).contains(&throttled), "{throttled}");
}

#[tokio::test]
async fn ten_thousand_mails_are_made_quickly_and_listed_quickly() {
    let tenant = Tenant::start(&[]).await;
    let started = Instant::now();
    let path = "/_sandbox/mailbox/sato@contoso.example/fill?count=10000";
    let answer: Value = tenant.ask(Method::POST, path).send().await.unwrap().json().await.unwrap();
    let took = started.elapsed();
    assert_eq!(answer["added"], 10_000);
    assert!(took < Duration::from_secs(6), "{took:?}");
    let mut tenant = tenant;
    tenant.token = tenant.token_of("sato@contoso.example", MAIL);
    let started = Instant::now();
    tenant.get("/v1.0/me/mailFolders/inbox/messages?$top=50&$skip=9000&$select=subject").await;
    assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
    println!("fill {took:?}");
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
    let id = tenant.get("/v1.0/me/messages?$top=1").await["value"][0]["id"].as_str().unwrap().to_owned();
    let patch = json!({"categories": ["Kept"]});
    tenant.ask(Method::PATCH, &format!("/v1.0/me/messages/{id}")).json(&patch).send().await.unwrap();
    tenant.sandbox.stop().await;
    let tenant = Tenant::with(Options { arrivals: None, ..options }).await;
    assert_eq!(tenant.get(&format!("/v1.0/me/messages/{id}")).await["categories"][0], "Kept");
    let settings = tenant.get("/v1.0/me/mailboxSettings").await;
    assert_eq!(settings["automaticRepliesSetting"]["status"], "disabled");
    assert_eq!(list(&tenant.get("/v1.0/me/mailFolders/inbox/messageRules").await).len(), 1);
}
