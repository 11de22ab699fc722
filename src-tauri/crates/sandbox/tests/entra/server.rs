//! The server itself: discovery, HTTPS, both loopback addresses, the log, restarts.

use crate::browser::{connected, control, http, refresh, sandbox, user_info};
use http::Method;
use mailroom_sandbox::{Options, Sandbox, StartError};
use serde_json::{Value, json};

const ALEX: &str = "alex@contoso.example";

async fn get(url: &str) -> (u16, Value) {
    let response = http().get(url).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn publishes_discovery_for_every_kind_of_authority() {
    let sandbox = sandbox(&[]).await;
    let base = sandbox.description().authority.clone();
    let tenant = sandbox.description().tenant.clone();
    let personal = "9188040d-6c67-4c5b-b112-36a304b66dad";
    for (segment, issuer, path) in [
        (tenant.as_str(), tenant.as_str(), tenant.as_str()),
        ("contoso.example", &tenant, &tenant),
        ("contoso.onmicrosoft.example", &tenant, &tenant),
        ("organizations", "{tenantid}", "organizations"),
        ("common", "{tenantid}", "common"),
        ("consumers", personal, "consumers"),
    ] {
        let (status, found) = get(&format!(
            "{base}/{segment}/v2.0/.well-known/openid-configuration"
        ))
        .await;
        assert_eq!(status, 200);
        assert_eq!(found["issuer"], format!("{base}/{issuer}/v2.0"));
        assert_eq!(
            found["token_endpoint"],
            format!("{base}/{path}/oauth2/v2.0/token")
        );
        let keys = get(found["jwks_uri"].as_str().unwrap()).await;
        assert_eq!(keys.1["keys"][0]["kty"], "RSA");
    }
    let nowhere = "11111111-2222-4333-8444-555555555555";
    let (status, refused) = get(&format!(
        "{base}/{nowhere}/v2.0/.well-known/openid-configuration"
    ))
    .await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_tenant")));
    assert_eq!(refused["error_codes"], json!([90_002]));
    let (_, instance) = get(&format!("{base}/common/discovery/instance?api-version=1.1")).await;
    assert_eq!(
        instance["metadata"][0]["preferred_network"],
        base.trim_start_matches("http://")
    );
}

#[tokio::test]
async fn is_heard_on_both_loopback_addresses_and_under_no_other_name() {
    let sandbox = sandbox(&[]).await;
    let port = url::Url::parse(&sandbox.description().authority)
        .unwrap()
        .port()
        .unwrap();
    for host in ["127.0.0.1", "[::1]"] {
        let (_, found) = get(&format!(
            "http://{host}:{port}/common/v2.0/.well-known/openid-configuration"
        ))
        .await;
        assert_eq!(
            found["issuer"],
            format!("http://{host}:{port}/{{tenantid}}/v2.0")
        );
    }
    for name in ["rebound.example", "localhost.evil.example:80"] {
        let foreign = http()
            .get(format!("http://127.0.0.1:{port}/_sandbox/description"))
            .header("host", name)
            .send()
            .await
            .unwrap();
        assert_eq!(foreign.status(), 421, "{name}");
    }
}

#[tokio::test]
async fn serves_https_with_its_own_authority() {
    let options = Options {
        https: true,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.unwrap();
    let https = sandbox.description().https.clone().unwrap();
    let url = format!(
        "{}/common/v2.0/.well-known/openid-configuration",
        https.authority
    );
    assert!(
        http().get(&url).send().await.is_err(),
        "trusted without the authority"
    );
    let pem = std::fs::read(&https.ca_file).unwrap();
    let root = reqwest::Certificate::from_pem(&pem).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([root])
        .build()
        .unwrap();
    let found: Value = client.get(&url).send().await.unwrap().json().await.unwrap();
    assert!(
        found["issuer"]
            .as_str()
            .unwrap()
            .starts_with(&https.authority)
    );
    sandbox.stop().await;
    assert!(!https.ca_file.exists(), "left its files behind");
}

#[tokio::test]
async fn a_restart_keeps_keys_consents_and_refresh_tokens() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        state_dir: Some(dir.path().to_owned()),
        ..Options::default()
    };
    let sandbox = Sandbox::start(options.clone()).await.unwrap();
    let before = connected(&sandbox, ALEX).await;
    // Dropped, not stopped: what was answered is on disk already.
    drop(sandbox);
    let sandbox = Sandbox::start(options.clone()).await.unwrap();
    assert_eq!(user_info(&sandbox, &before["access_token"]).await.0, 200);
    assert_eq!(refresh(&sandbox, &before["refresh_token"], "").await.0, 200);
    sandbox.stop().await;
    std::fs::write(dir.path().join("entra.json"), "{").unwrap();
    let damaged = Sandbox::start(options).await;
    assert!(matches!(damaged, Err(StartError::State { .. })));
}

#[tokio::test]
async fn a_taken_port_is_an_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let started = Sandbox::start(Options {
        port,
        ..Options::default()
    })
    .await;
    assert!(matches!(started, Err(StartError::Listen { port: p, .. }) if p == port));
}

#[tokio::test]
async fn stopping_frees_the_port() {
    let first = sandbox(&[]).await;
    let port = url::Url::parse(&first.description().authority)
        .unwrap()
        .port()
        .unwrap();
    connected(&first, ALEX).await;
    first.stop().await;
    let second = Sandbox::start(Options {
        port,
        ..Options::default()
    })
    .await
    .unwrap();
    assert!(second.description().authority.ends_with(&port.to_string()));
}

#[tokio::test]
async fn logs_requests_without_their_secrets() {
    let sandbox = sandbox(&[]).await;
    let body = connected(&sandbox, ALEX).await;
    let log = control(&sandbox, Method::GET, "log", json!({})).await;
    let text = log.to_string();
    assert!(!text.contains(body["refresh_token"].as_str().unwrap()) && !text.contains("Practice-"));
    let redeemed = log["requests"]
        .as_array()
        .unwrap()
        .iter()
        .find(|r| r["grant_type"] == "authorization_code");
    assert_eq!(redeemed.unwrap()["status"], 200);
    user_info(&sandbox, &body["access_token"]).await;
    control(&sandbox, Method::POST, "log/reset", json!({})).await;
    let log = control(&sandbox, Method::GET, "log", json!({})).await;
    assert_eq!(log["requests"], json!([]));
}

#[tokio::test]
async fn scenarios_are_listed_and_switched() {
    let sandbox = sandbox(&["slow"]).await;
    control(&sandbox, Method::PUT, "scenarios/throttled", json!({})).await;
    control(&sandbox, Method::DELETE, "scenarios/slow", json!({})).await;
    let description = control(&sandbox, Method::GET, "description", json!({})).await;
    assert_eq!(description["scenarios"], json!(["throttled"]));
    let url = format!(
        "{}/_sandbox/scenarios/none",
        sandbox.description().authority
    );
    assert_eq!(http().put(url).send().await.unwrap().status(), 404);
}
