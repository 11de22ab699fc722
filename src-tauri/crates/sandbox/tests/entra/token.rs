//! Redeeming codes.

use crate::browser::{
    Browser, REDIRECT, authorize, claims, connected, control, http, redeem, sandbox, token,
    user_info,
};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use mailroom_sandbox::Sandbox;
use serde_json::{Value, json};

const MAILROOM_WEB: &str = "3a117007-9f2b-4b7e-8a55-0c0ffee0a111";
const FABRIKAM_INBOX: &str = "3a117007-9f2b-4b7e-8a55-0c0ffee0a112";

async fn code(sandbox: &Sandbox, segment: &str, changes: &[(&str, &str)]) -> String {
    let mut browser = Browser::default();
    let url = authorize(sandbox, segment, changes);
    browser.sign_in(&url, "alex@contoso.example").await["code"].clone()
}

async fn published_key(sandbox: &Sandbox) -> Value {
    let url = format!(
        "{}/common/discovery/v2.0/keys",
        sandbox.description().authority
    );
    http()
        .get(url)
        .send()
        .await
        .unwrap()
        .json::<Value>()
        .await
        .unwrap()["keys"][0]
        .clone()
}

fn verifies(key: &Value, token: &Value) -> bool {
    let (input, signature) = token.as_str().unwrap().rsplit_once('.').unwrap();
    let part = |name: &str| B64.decode(key[name].as_str().unwrap()).unwrap();
    let public = RsaPublicKeyComponents {
        n: part("n"),
        e: part("e"),
    };
    public
        .verify(
            &RSA_PKCS1_2048_8192_SHA256,
            input.as_bytes(),
            &B64.decode(signature).unwrap(),
        )
        .is_ok()
}

#[tokio::test]
async fn tokens_are_signed_with_the_published_key_and_say_who_and_what() {
    let sandbox = sandbox(&[]).await;
    let body = connected(&sandbox, "mika.t@contoso.onmicrosoft.example").await;
    let key = published_key(&sandbox).await;
    assert!(verifies(&key, &body["access_token"]) && verifies(&key, &body["id_token"]));
    let tampered = json!(body["id_token"].as_str().unwrap().replacen('.', ".e30", 1));
    assert!(!verifies(&key, &tampered));

    let description = sandbox.description();
    let id = claims(&body["id_token"]);
    assert_eq!(id["aud"], description.client_id.as_str());
    assert_eq!(
        id["iss"],
        format!("{}/{}/v2.0", description.authority, description.tenant)
    );
    assert_eq!(id["nonce"], "a nonce");
    assert_eq!(id["tid"], description.tenant.as_str());
    assert_eq!(id["name"], "Mika Tanner");
    assert_eq!(id["ver"], "2.0");
    let access = claims(&body["access_token"]);
    assert_eq!(access["aud"], "https://graph.microsoft.com");
    assert_eq!(
        access["iss"],
        format!("https://sts.windows.net/{}/", description.tenant)
    );
    assert_eq!(access["oid"], id["oid"]);
    assert_eq!(access["upn"], "mika.t@contoso.onmicrosoft.example");
    assert_eq!(
        access["scp"],
        "Mail.ReadWrite Mail.Send User.Read email openid profile"
    );
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(
        body["scope"],
        "Mail.ReadWrite Mail.Send User.Read email openid profile"
    );
    let life = body["expires_in"].as_i64().unwrap();
    assert!((3_600..5_400).contains(&life));
    assert_eq!(
        access["exp"].as_i64().unwrap() - access["iat"].as_i64().unwrap(),
        life + 300
    );
    assert!(body["client_info"].is_null());
    let (status, me, _) = user_info(&sandbox, &body["access_token"]).await;
    assert_eq!((status, &me["sub"]), (200, &id["sub"]));
    let (status, refusal, _) = user_info(&sandbox, &body["id_token"]).await;
    assert_eq!(
        (status, &refusal["error"]["code"]),
        (401, &json!("InvalidAuthenticationToken"))
    );
}

#[tokio::test]
async fn names_scopes_with_their_resource_when_they_were_asked_for_so() {
    let sandbox = sandbox(&[]).await;
    let scope = "openid offline_access https://graph.microsoft.com/Mail.Read";
    let code = code(&sandbox, "organizations", &[("scope", scope)]).await;
    let (_, body) = redeem(&sandbox, "organizations", &code, &[("client_info", "1")]).await;
    assert_eq!(
        body["scope"],
        "https://graph.microsoft.com/Mail.Read openid"
    );
    let info: Value =
        serde_json::from_slice(&B64.decode(body["client_info"].as_str().unwrap()).unwrap())
            .unwrap();
    assert_eq!(info["utid"], sandbox.description().tenant.as_str());
}

#[tokio::test]
async fn without_offline_access_there_is_no_refresh_token() {
    let sandbox = sandbox(&[]).await;
    let code = code(&sandbox, "organizations", &[("scope", "openid User.Read")]).await;
    let (status, body) = redeem(&sandbox, "organizations", &code, &[]).await;
    assert_eq!(status, 200);
    assert!(body["refresh_token"].is_null());
}

/// Every refusal has Entra's shape.
fn assert_refused(answer: &(u16, Value), status: u16, error: &str, code: u32) {
    let (got, body) = answer;
    assert_eq!((*got, &body["error"]), (status, &json!(error)), "{body}");
    assert_eq!(body["error_codes"], json!([code]), "{body}");
    let description = body["error_description"].as_str().unwrap();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    assert!(
        description.starts_with(&format!("AADSTS{code}: ")),
        "{description}"
    );
    assert!(description.ends_with(&format!(
        " Trace ID: {} Correlation ID: {} Timestamp: {}",
        text("trace_id"),
        text("correlation_id"),
        text("timestamp")
    )));
    assert!(text("error_uri").ends_with(&format!("/error?code={code}")));
}

#[tokio::test]
async fn refuses_what_does_not_fit_the_code() {
    let sandbox = sandbox(&[]).await;
    let code = code(&sandbox, "organizations", &[]).await;
    let tenant = sandbox.description().tenant.clone();
    let wrong = "another-verifier-of-this-test-that-is-long-enough-too";
    for (segment, change, status, error, number) in [
        (
            "organizations",
            ("code", "nonsense"),
            400,
            "invalid_grant",
            9_002_313,
        ),
        (
            "organizations",
            ("code", "1.unknown"),
            400,
            "invalid_grant",
            70_000,
        ),
        (
            "organizations",
            ("code", ""),
            400,
            "invalid_request",
            900_144,
        ),
        (
            "organizations",
            ("code_verifier", wrong),
            400,
            "invalid_grant",
            501_481,
        ),
        (
            "organizations",
            ("code_verifier", ""),
            400,
            "invalid_request",
            900_144,
        ),
        (
            "organizations",
            ("redirect_uri", "http://localhost:50124/"),
            400,
            "invalid_grant",
            500_112,
        ),
        (
            "organizations",
            ("client_secret", "hush"),
            401,
            "invalid_client",
            700_025,
        ),
        (
            "organizations",
            ("client_id", "0"),
            400,
            "unauthorized_client",
            700_016,
        ),
        (
            "organizations",
            ("client_id", ""),
            400,
            "invalid_request",
            900_144,
        ),
        (
            "organizations",
            ("client_id", FABRIKAM_INBOX),
            400,
            "invalid_request",
            50_194,
        ),
        (
            tenant.as_str(),
            ("client_id", MAILROOM_WEB),
            400,
            "invalid_grant",
            70_000,
        ),
        (
            "organizations",
            ("grant_type", "password"),
            400,
            "unsupported_grant_type",
            70_003,
        ),
        (
            "organizations",
            ("grant_type", ""),
            400,
            "invalid_request",
            900_144,
        ),
        (
            "nowhere.example",
            ("x", "y"),
            400,
            "invalid_request",
            90_002,
        ),
        (tenant.as_str(), ("x", "y"), 400, "invalid_grant", 700_005),
    ] {
        let answer = redeem(&sandbox, segment, &code, &[change]).await;
        assert_refused(&answer, status, error, number);
    }
    // None of that used the code up.
    let (status, _) = redeem(&sandbox, "common", &code, &[]).await;
    assert_eq!(status, 200);
    let again = redeem(&sandbox, "organizations", &code, &[]).await;
    assert_refused(&again, 400, "invalid_grant", 54_005);
}

#[tokio::test]
async fn a_code_lives_ten_minutes() {
    let sandbox = sandbox(&[]).await;
    let code = code(&sandbox, "organizations", &[]).await;
    control(
        &sandbox,
        http::Method::POST,
        "advance-clock",
        json!({"seconds": 601}),
    )
    .await;
    let answer = redeem(&sandbox, "organizations", &code, &[]).await;
    assert_refused(&answer, 400, "invalid_grant", 70_008);
}

#[tokio::test]
async fn two_that_redeem_one_code_at_once_get_tokens_once() {
    let sandbox = sandbox(&[]).await;
    let code = code(&sandbox, "organizations", &[]).await;
    let tries = (0..8).map(|_| redeem(&sandbox, "organizations", &code, &[]));
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(
        answers.iter().filter(|(status, _)| *status == 200).count(),
        1
    );
}

#[tokio::test]
async fn a_redirect_of_the_web_platform_needs_a_secret() {
    let sandbox = sandbox(&[]).await;
    let web = ("client_id", MAILROOM_WEB);
    let code = code(&sandbox, "contoso.example", &[web]).await;
    let bare = redeem(&sandbox, "contoso.example", &code, &[web]).await;
    assert_refused(&bare, 401, "invalid_client", 7_000_218);
    let secret = [web, ("client_secret", "guess")];
    let guessed = redeem(&sandbox, "contoso.example", &code, &secret).await;
    assert_refused(&guessed, 401, "invalid_client", 7_000_215);
}

#[tokio::test]
async fn one_token_is_for_one_resource() {
    let sandbox = sandbox(&[]).await;
    let both = "openid offline_access Mail.Read https://outlook.office.com/SMTP.Send";
    let code = code(&sandbox, "organizations", &[("scope", both)]).await;
    let answer = redeem(&sandbox, "organizations", &code, &[("scope", both)]).await;
    assert_refused(&answer, 400, "invalid_scope", 28_000);
}

#[tokio::test]
async fn only_posts_are_taken() {
    let sandbox = sandbox(&[]).await;
    let url = format!(
        "{}/common/oauth2/v2.0/token",
        sandbox.description().authority
    );
    let response = http().get(&url).send().await.unwrap();
    let answer = (response.status().as_u16(), response.json().await.unwrap());
    assert_refused(&answer, 400, "invalid_request", 900_561);
    let page = http()
        .get(&url)
        .header("accept", "text/html")
        .send()
        .await
        .unwrap();
    assert!(page.text().await.unwrap().contains("AADSTS900561"));
}

#[tokio::test]
async fn repeats_the_correlation_id_of_the_client() {
    let sandbox = sandbox(&[]).await;
    let url = format!(
        "{}/common/oauth2/v2.0/token",
        sandbox.description().authority
    );
    let mine = "0b0c9a0e-6a4e-4e6c-8f4e-2f6f0f6b7a11";
    let response = http()
        .post(url)
        .header("client-request-id", mine)
        .form(&[("redirect_uri", REDIRECT)])
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["client-request-id"], mine);
    assert_eq!(
        response.json::<Value>().await.unwrap()["correlation_id"],
        mine
    );
    let (_, other) = token(&sandbox, "common", &[]).await;
    assert_ne!(other["correlation_id"], mine);
}
