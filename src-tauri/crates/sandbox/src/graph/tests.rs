//! Graph over real HTTP.

mod running;

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
        let mut tenant = Self {
            sandbox,
            client: Client::new(),
            token: String::new(),
        };
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
    assert!(
        body["error"]["innerError"]["request-id"].is_string(),
        "{body}"
    );
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
        seen.extend(
            list(&page)
                .iter()
                .map(|m| m["receivedDateTime"].as_str().unwrap().to_owned()),
        );
        assert_eq!(
            list(&page)[0].as_object().unwrap().len(),
            4,
            "{}",
            list(&page)[0]
        );
        match page["@odata.nextLink"].as_str() {
            Some(link) => next = link.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen.len() as u64, total);
    assert!(seen.windows(2).all(|pair| pair[0] >= pair[1]));
    let default = tenant.get("/graph/v1.0/me/messages").await;
    assert_eq!(list(&default).len(), 10);
    assert!(
        default["@odata.nextLink"]
            .as_str()
            .unwrap()
            .contains("/graph/v1.0/me/messages?")
    );
    assert!(default["value"][0]["internetMessageHeaders"].is_null());
    assert!(default["value"][0]["toRecipients"][0]["emailAddress"]["address"].is_string());
}

#[tokio::test]
async fn filters_follow_the_rules_of_graph() {
    let tenant = Tenant::start(&[]).await;
    let base = "/v1.0/me/mailFolders/inbox/messages";
    let newest = tenant.get(&format!("{base}?$top=1&$skip=40")).await;
    let (time, id) = (
        &newest["value"][0]["receivedDateTime"],
        &newest["value"][0]["internetMessageId"],
    );
    let since = tenant
        .get(&format!(
            "{base}?$top=1000&$filter=receivedDateTime ge {}",
            time.as_str().unwrap()
        ))
        .await;
    assert_eq!(list(&since).len(), 41);
    if let Some(id) = id.as_str() {
        let found = tenant
            .ask(Method::GET, base)
            .query(&[("$filter", format!("internetMessageId eq '{id}'"))]);
        let found: Value = found.send().await.unwrap().json().await.unwrap();
        assert_eq!(list(&found).len(), 1);
    }
    let bad = format!("{base}?$filter=isRead eq false&$orderby=receivedDateTime desc");
    assert_eq!(
        tenant.refused(&bad).await,
        (400, "InefficientFilter".into())
    );
    for query in [
        "$foo=1",
        "$top=0",
        "$top=1001",
        "$select=nonsense",
        "$filter=isRead",
        "$search=x",
    ] {
        assert_eq!(
            tenant.refused(&format!("{base}?{query}")).await.0,
            400,
            "{query}"
        );
    }
}

#[tokio::test]
async fn paths_tokens_and_mailboxes_are_refused_as_graph_does() {
    let mut tenant = Tenant::start(&[]).await;
    assert_eq!(tenant.refused("/me").await, (400, "BadRequest".into()));
    assert_eq!(
        tenant.refused("/v1.0/me/nonsense").await,
        (400, "BadRequest".into())
    );
    assert_eq!(
        tenant
            .refused("/v1.0/users/nobody@contoso.example/messages")
            .await,
        (404, "ErrorInvalidUser".into())
    );
    assert_eq!(
        tenant
            .refused("/v1.0/users/info@contoso.example/messages")
            .await,
        (403, "ErrorAccessDenied".into())
    );
    assert_eq!(
        tenant.refused("/v1.0/me/messages/nonsense").await,
        (400, "ErrorInvalidIdMalformed".into())
    );
    assert_eq!(
        tenant.refused("/v1.0/users/alex@contoso.example").await,
        (403, "Authorization_RequestDenied".into())
    );
    let me = tenant.get("/v1.0/me?$select=mail,proxyAddresses").await;
    assert_eq!(me["proxyAddresses"][0], "SMTP:support@contoso.example");

    let bare = tenant.client.get(format!(
        "{}/v1.0/me",
        tenant.sandbox.description().graph_url
    ));
    let bare = bare.send().await.unwrap();
    assert!(bare.headers().contains_key("www-authenticate"));
    assert_eq!(
        refusal(bare).await,
        (401, "InvalidAuthenticationToken".into())
    );

    tenant.token = tenant.token_of("support@contoso.example", "User.Read Mail.Read.Shared");
    assert_eq!(
        tenant
            .refused("/v1.0/users/info@contoso.example/mailFolders")
            .await,
        (404, "ErrorItemNotFound".into())
    );
    assert_eq!(
        tenant.refused("/v1.0/me/messages").await,
        (403, "ErrorAccessDenied".into())
    );
    tenant.token = tenant.token_of("alex@contoso.example", "User.Read Mail.Read.Shared");
    assert!(
        list(
            &tenant
                .get("/v1.0/users/info@contoso.example/messages")
                .await
        )
        .len()
            >= 10
    );
    tenant.token = tenant.token_of("admin@contoso.example", MAIL);
    assert_eq!(
        tenant.refused("/v1.0/me/messages").await,
        (404, "MailboxNotEnabledForRESTAPI".into())
    );
}

#[tokio::test]
async fn ids_move_with_the_message_unless_they_are_immutable() {
    let tenant = Tenant::start(&[]).await;
    let ask = |method, path: &str| {
        tenant
            .ask(method, path)
            .header("Prefer", "IdType=\"ImmutableId\"")
    };
    let first = tenant.get("/v1.0/me/messages?$top=1").await["value"][0].clone();
    let ordinary = first["id"].as_str().unwrap();
    let path = format!("/v1.0/me/messages/{ordinary}");
    let same: Value = ask(Method::GET, &path)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let immutable = same["id"].as_str().unwrap().to_owned();
    assert_ne!(ordinary, immutable);
    let moved = ask(Method::POST, &format!("{path}/move"))
        .json(&json!({"destinationId": "archive"}))
        .send()
        .await
        .unwrap();
    assert_eq!(moved.status(), 201);
    assert_eq!(
        moved.headers()["preference-applied"],
        "IdType=\"ImmutableId\""
    );
    assert_eq!(
        moved.json::<Value>().await.unwrap()["id"],
        immutable.as_str()
    );
    assert_eq!(
        tenant.refused(&path).await,
        (404, "ErrorItemNotFound".into())
    );
    let path = format!("/v1.0/me/messages('{immutable}')");
    let patch =
        json!({"isRead": true, "categories": ["Mailroom"], "flag": {"flagStatus": "flagged"}});
    let patched: Value = ask(Method::PATCH, &path)
        .json(&patch)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&patched["isRead"], &patched["categories"][0]),
        (&json!(true), &json!("Mailroom"))
    );
    assert_ne!(patched["changeKey"], same["changeKey"]);
    let refused = ask(Method::PATCH, &path)
        .json(&json!({"subject": "x"}))
        .send()
        .await
        .unwrap();
    assert_eq!(refusal(refused).await.0, 400);
    let raw = tenant
        .ask(Method::GET, &format!("{path}/$value"))
        .send()
        .await
        .unwrap();
    assert!(
        raw.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    assert!(raw.text().await.unwrap().starts_with("Received: "));
}

#[tokio::test]
async fn delta_tells_the_folder_then_only_what_changed() {
    let tenant = Tenant::start(&[]).await;
    let mut next = "/v1.0/me/mailFolders/inbox/messages/delta?$select=subject".to_owned();
    let ask = |path: &str| {
        let request = tenant
            .ask(Method::GET, path)
            .header("Prefer", "odata.maxpagesize=400, IdType=\"ImmutableId\"");
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
    let total = tenant.get("/v1.0/me/mailFolders/inbox").await["totalItemCount"]
        .as_u64()
        .unwrap();
    assert_eq!(told.len() as u64, total);
    let id = told[5]["id"].as_str().unwrap();
    let delivered = tenant
        .ask(
            Method::POST,
            "/_sandbox/deliver?mailbox=support@contoso.example",
        )
        .body("Subject: new\r\n\r\nHi\r\n");
    let delivered: Value = delivered.send().await.unwrap().json().await.unwrap();
    let order = json!({"mailbox": "support@contoso.example", "id": id, "folder": "Ablage"});
    tenant
        .ask(Method::POST, "/_sandbox/move")
        .json(&order)
        .send()
        .await
        .unwrap();
    let page = ask(&delta_link).await;
    assert_eq!(list(&page).len(), 2, "{page}");
    assert_eq!(page["value"][0]["id"], delivered["id"]);
    assert_eq!(page["value"][0]["subject"], "new");
    assert_eq!(page["value"][1]["@removed"]["reason"], "deleted");
    assert_eq!(page["value"][1]["id"], id);

    tenant
        .ask(Method::POST, "/_sandbox/expire-delta")
        .send()
        .await
        .unwrap();
    let expired = tenant.ask(Method::GET, &delta_link).send().await.unwrap();
    let location = expired.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(refusal(expired).await, (410, "SyncStateNotFound".into()));
    assert_eq!(list(&ask(&location).await).len(), 400);
    assert_eq!(
        tenant
            .refused("/v1.0/me/mailFolders/inbox/messages/delta?$deltatoken=abc")
            .await
            .0,
        400
    );
    assert_eq!(
        tenant
            .refused("/v1.0/me/mailFolders/inbox/messages/delta?$orderby=subject")
            .await
            .0,
        400
    );
}
