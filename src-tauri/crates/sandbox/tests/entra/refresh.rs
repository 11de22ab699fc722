//! Refresh tokens.

use crate::browser::{claims, connected, control, refresh, sandbox, user_info};
use http::Method;
use serde_json::json;

const ALEX: &str = "alex@contoso.example";

#[tokio::test]
async fn each_refresh_gives_a_new_token_and_the_old_ones_stay_valid() {
    let sandbox = sandbox(&[]).await;
    let first = connected(&sandbox, ALEX).await;
    let (status, second) = refresh(&sandbox, &first["refresh_token"], "").await;
    assert_eq!(status, 200, "{second}");
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_ne!(first["access_token"], second["access_token"]);
    assert_eq!(first["scope"], second["scope"]);
    assert!(claims(&second["id_token"])["nonce"].is_null());
    for token in [&first["refresh_token"], &second["refresh_token"]] {
        assert_eq!(refresh(&sandbox, token, "User.Read").await.0, 200);
    }
}

#[tokio::test]
async fn refreshes_for_what_was_consented_to_only() {
    let sandbox = sandbox(&[]).await;
    let first = connected(&sandbox, ALEX).await;
    let token = &first["refresh_token"];
    let (status, refused) = refresh(&sandbox, token, "MailboxSettings.Read").await;
    assert_eq!((status, &refused["error_codes"][0]), (400, &json!(65_001)));
    assert_eq!(refused["suberror"], "consent_required");
    let both = "Mail.Read https://outlook.office.com/SMTP.Send";
    assert_eq!(
        refresh(&sandbox, token, both).await.1["error_codes"][0],
        28_000
    );
    let grant = json!({"user": ALEX, "scopes": ["SMTP.Send"]});
    control(&sandbox, Method::POST, "grant-consent", grant).await;
    let (_, mail) = refresh(&sandbox, token, "https://outlook.office.com/SMTP.Send").await;
    assert_eq!(
        claims(&mail["access_token"])["aud"],
        "https://outlook.office.com"
    );
    assert_eq!(mail["scope"], "https://outlook.office.com/SMTP.Send");
    let (status, refusal, _) = user_info(&sandbox, &mail["access_token"]).await;
    assert_eq!(status, 401, "{refusal}");
}

#[tokio::test]
async fn a_token_that_lay_unused_for_ninety_days_is_gone() {
    let sandbox = sandbox(&[]).await;
    let first = connected(&sandbox, ALEX).await;
    let days = |n: i64| json!({"seconds": n * 86_400});
    control(&sandbox, Method::POST, "advance-clock", days(89)).await;
    let (status, second) = refresh(&sandbox, &first["refresh_token"], "").await;
    assert_eq!(status, 200);
    control(&sandbox, Method::POST, "advance-clock", days(89)).await;
    assert_eq!(refresh(&sandbox, &second["refresh_token"], "").await.0, 200);
    control(&sandbox, Method::POST, "advance-clock", days(90)).await;
    let (_, refused) = refresh(&sandbox, &second["refresh_token"], "").await;
    assert_eq!(refused["error"], "invalid_grant");
    assert_eq!(refused["error_codes"][0], 700_082);
}

#[tokio::test]
async fn revoking_ends_the_tokens_of_one_account() {
    let sandbox = sandbox(&[]).await;
    let alex = connected(&sandbox, ALEX).await;
    let sato = connected(&sandbox, "sato@contoso.example").await;
    let answer = control(
        &sandbox,
        Method::POST,
        "revoke-tokens",
        json!({"user": ALEX}),
    )
    .await;
    assert_eq!(answer["revoked"], 1);
    let (_, refused) = refresh(&sandbox, &alex["refresh_token"], "").await;
    assert_eq!(refused["error_codes"][0], 50_173);
    assert_eq!(refused["suberror"], "bad_token");
    assert_eq!(user_info(&sandbox, &alex["access_token"]).await.0, 401);
    assert_eq!(refresh(&sandbox, &sato["refresh_token"], "").await.0, 200);
    assert_eq!(user_info(&sandbox, &sato["access_token"]).await.0, 200);
    let back = connected(&sandbox, ALEX).await;
    assert_eq!(refresh(&sandbox, &back["refresh_token"], "").await.0, 200);
}

#[tokio::test]
async fn access_tokens_end_by_time_and_on_command() {
    let sandbox = sandbox(&[]).await;
    let first = connected(&sandbox, ALEX).await;
    assert_eq!(user_info(&sandbox, &first["access_token"]).await.0, 200);
    control(&sandbox, Method::POST, "expire-access-tokens", json!({})).await;
    let (status, refusal, challenge) = user_info(&sandbox, &first["access_token"]).await;
    assert_eq!(
        (status, &refusal["error"]["code"]),
        (401, &json!("InvalidAuthenticationToken"))
    );
    assert!(challenge.starts_with("Bearer "));
    let (_, second) = refresh(&sandbox, &first["refresh_token"], "").await;
    assert_eq!(user_info(&sandbox, &second["access_token"]).await.0, 200);
    control(
        &sandbox,
        Method::POST,
        "advance-clock",
        json!({"seconds": 5_401}),
    )
    .await;
    assert_eq!(user_info(&sandbox, &second["access_token"]).await.0, 401);
}

#[tokio::test]
async fn a_client_that_understands_challenges_gets_one_after_revocation() {
    let sandbox = sandbox(&[]).await;
    let first = connected(&sandbox, ALEX).await;
    let cp1 = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;
    let client_id = sandbox.description().client_id.clone();
    let form = [
        ("client_id", client_id.as_str()),
        ("grant_type", "refresh_token"),
        ("refresh_token", first["refresh_token"].as_str().unwrap()),
        ("claims", cp1),
    ];
    let (_, second) = crate::browser::token(&sandbox, "organizations", &form).await;
    assert_eq!(claims(&second["access_token"])["xms_cc"], json!(["CP1"]));
    control(&sandbox, Method::POST, "revoke-tokens", json!({})).await;
    let (_, _, challenge) = user_info(&sandbox, &second["access_token"]).await;
    assert!(
        challenge.contains("error=\"insufficient_claims\", claims=\"ey"),
        "{challenge}"
    );
    let (_, _, plain) = user_info(&sandbox, &first["access_token"]).await;
    assert!(!plain.contains("insufficient_claims"));
}
