//! What can be made to go wrong at the sign-in.

use crate::browser::{Browser, authorize, claims, connected, control, redeem, refresh, sandbox};
use http::Method;
use mailroom_sandbox::{Options, Sandbox, scenario_names};
use serde_json::json;

const ALEX: &str = "alex@contoso.example";
const SATO: &str = "sato@contoso.example";

#[tokio::test]
async fn an_unknown_scenario_is_refused_with_the_known_ones() {
    let scenarios = vec!["trottled".to_owned()];
    let started = Sandbox::start(Options {
        scenarios,
        ..Options::default()
    })
    .await;
    let Err(error) = started else {
        panic!("it started")
    };
    assert!(error.to_string().contains("throttled"), "{error}");
    assert!(
        scenario_names()
            .iter()
            .all(|(name, what)| error.to_string().contains(name) && what.ends_with('.'))
    );
}

#[tokio::test]
async fn wrong_account_signs_alex_in_without_a_word() {
    let sandbox = sandbox(&["wrong-account"]).await;
    control(&sandbox, Method::POST, "grant-consent", json!({})).await;
    let mut browser = Browser::default();
    browser
        .open(&authorize(&sandbox, "organizations", &[]))
        .await;
    let code = browser.answer()["code"].clone();
    let (_, body) = redeem(&sandbox, "organizations", &code, &[]).await;
    assert_eq!(claims(&body["id_token"])["preferred_username"], ALEX);
    let select = authorize(&sandbox, "organizations", &[("prompt", "select_account")]);
    browser.open(&select).await;
    browser.press("other-account", &[]).await;
    browser.press("next", &[("loginfmt", SATO)]).await;
    browser
        .press("signin", &[("passwd", "Practice-Sato-1")])
        .await;
    let code = browser.answer()["code"].clone();
    let (_, body) = redeem(&sandbox, "organizations", &code, &[]).await;
    assert_eq!(claims(&body["id_token"])["preferred_username"], SATO);
}

#[tokio::test]
async fn admin_approval_shows_who_to_ask_and_leads_back() {
    let sandbox = sandbox(&["admin-approval"]).await;
    let mut browser = Browser::default();
    browser
        .open(&authorize(
            &sandbox,
            "organizations",
            &[("login_hint", ALEX)],
        ))
        .await;
    browser
        .press("signin", &[("passwd", "Practice-Alex-1")])
        .await;
    assert_eq!(browser.code_on_page(), 90_094);
    browser.press("cancel", &[]).await;
    assert!(browser.answer()["error_description"].starts_with("AADSTS65004"));
    control(&sandbox, Method::POST, "grant-consent", json!({})).await;
    connected(&sandbox, ALEX).await;
}

#[tokio::test]
async fn admin_approval_lets_the_administrator_consent_for_everybody() {
    let sandbox = sandbox(&["admin-approval"]).await;
    let mut browser = Browser::default();
    let hint = ("login_hint", "admin@contoso.example");
    browser
        .open(&authorize(&sandbox, "organizations", &[hint]))
        .await;
    browser
        .press("signin", &[("passwd", "Practice-Admin-1")])
        .await;
    assert!(browser.shows("id=\"everybody\""));
    browser.press("accept", &[("everybody", "1")]).await;
    assert!(browser.answer().contains_key("code"));
    connected(&sandbox, ALEX).await;
}

#[tokio::test]
async fn a_request_for_approval_comes_back_as_a_refusal() {
    let sandbox = sandbox(&["approval-request"]).await;
    let mut browser = Browser::default();
    browser
        .open(&authorize(
            &sandbox,
            "organizations",
            &[("login_hint", ALEX)],
        ))
        .await;
    browser
        .press("signin", &[("passwd", "Practice-Alex-1")])
        .await;
    assert_eq!(browser.code_on_page(), 90_095);
    // Accepting is not on offer; saying so anyway does not help.
    browser
        .press("request-approval", &[("step", "accept")])
        .await;
    assert_eq!(browser.code_on_page(), 90_095);
    browser
        .press(
            "request-approval",
            &[("reason", "We answer customers with it")],
        )
        .await;
    assert!(browser.shows("Request sent"));
    browser.press("back-to-app", &[]).await;
    let answer = browser.answer();
    assert_eq!(answer["error"], "access_denied");
    assert!(answer["error_description"].starts_with("AADSTS65004"));
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_missed_at_refresh() {
    let sandbox = sandbox(&[]).await;
    let before = connected(&sandbox, ALEX).await;
    control(&sandbox, Method::PUT, "scenarios/mfa-required", json!({})).await;
    let (_, refused) = refresh(&sandbox, &before["refresh_token"], "").await;
    assert_eq!(refused["error_codes"][0], 50_076);
    assert_eq!(refused["suberror"], "basic_action");
    assert!(refused["claims"].as_str().unwrap().contains("capolids"));
    let mut browser = Browser::default();
    browser
        .open(&authorize(
            &sandbox,
            "organizations",
            &[("login_hint", ALEX)],
        ))
        .await;
    browser
        .press("signin", &[("passwd", "Practice-Alex-1")])
        .await;
    browser.press("verify", &[("otc", "no")]).await;
    assert!(browser.shows("id=\"otc\"") && browser.location.is_none());
    let shown = browser.page.split("id=\"practice-code\">").nth(1).unwrap()[..6].to_owned();
    browser.press("verify", &[("otc", &shown)]).await;
    let code = browser.answer()["code"].clone();
    let (_, body) = redeem(&sandbox, "organizations", &code, &[]).await;
    assert_eq!(claims(&body["access_token"])["amr"], json!(["pwd", "mfa"]));
    assert_eq!(refresh(&sandbox, &body["refresh_token"], "").await.0, 200);
}

#[tokio::test]
async fn what_the_administrator_forbids_is_refused_on_the_page_and_at_refresh() {
    let sandbox = sandbox(&[]).await;
    let before = connected(&sandbox, ALEX).await;
    for (scenario, code, error) in [
        ("conditional-access", 53_003, "invalid_grant"),
        ("user-not-assigned", 50_105, "invalid_grant"),
        ("app-disabled", 7_000_112, "unauthorized_client"),
    ] {
        let path = format!("scenarios/{scenario}");
        control(&sandbox, Method::PUT, &path, json!({})).await;
        let mut browser = Browser::default();
        browser
            .open(&authorize(
                &sandbox,
                "organizations",
                &[("login_hint", ALEX)],
            ))
            .await;
        browser
            .press("signin", &[("passwd", "Practice-Alex-1")])
            .await;
        assert_eq!(browser.code_on_page(), code);
        let (_, refused) = refresh(&sandbox, &before["refresh_token"], "").await;
        assert_eq!(
            (&refused["error"], &refused["error_codes"][0]),
            (&json!(error), &json!(code))
        );
        control(&sandbox, Method::DELETE, &path, json!({})).await;
        assert_eq!(
            refresh(&sandbox, &before["refresh_token"], "").await.0,
            200,
            "{scenario}"
        );
    }
}

#[tokio::test]
async fn striking_scenarios_strike_once_and_signing_in_again_mends_it() {
    for (scenario, code) in [
        ("token-revoked", 50_173),
        ("refresh-expired", 700_082),
        ("consent-required", 65_001),
    ] {
        // Switched on while a mailbox is connected.
        let sandbox = sandbox(&[]).await;
        let before = connected(&sandbox, ALEX).await;
        control(
            &sandbox,
            Method::PUT,
            &format!("scenarios/{scenario}"),
            json!({}),
        )
        .await;
        let (_, refused) = refresh(&sandbox, &before["refresh_token"], "").await;
        assert_eq!(refused["error_codes"][0], code, "{scenario}");
        let after = connected(&sandbox, ALEX).await;
        assert_eq!(
            refresh(&sandbox, &after["refresh_token"], "").await.0,
            200,
            "{scenario}"
        );
        sandbox.stop().await;

        // On from the start: the first sign-in does not last, the second does.
        let sandbox = crate::browser::sandbox(&[scenario]).await;
        let first = connected(&sandbox, ALEX).await;
        assert_eq!(first["expires_in"], 360);
        let (_, refused) = refresh(&sandbox, &first["refresh_token"], "").await;
        assert_eq!(refused["error_codes"][0], code, "{scenario}");
        let second = connected(&sandbox, ALEX).await;
        assert_eq!(
            refresh(&sandbox, &second["refresh_token"], "").await.0,
            200,
            "{scenario}"
        );
    }
}

#[tokio::test]
async fn service_down_reaches_the_token_endpoint() {
    let sandbox = sandbox(&[]).await;
    let before = connected(&sandbox, ALEX).await;
    control(&sandbox, Method::PUT, "scenarios/service-down", json!({})).await;
    let (status, refused) = refresh(&sandbox, &before["refresh_token"], "").await;
    assert_eq!(
        (status, &refused["error"]),
        (503, &json!("temporarily_unavailable"))
    );
    control(
        &sandbox,
        Method::DELETE,
        "scenarios/service-down",
        json!({}),
    )
    .await;
    assert_eq!(refresh(&sandbox, &before["refresh_token"], "").await.0, 200);
}

#[tokio::test]
async fn clock_skew_shows_in_the_date_and_in_the_tokens() {
    let sandbox = sandbox(&["clock-skew"]).await;
    let body = connected(&sandbox, ALEX).await;
    let now = jiff::Timestamp::now().as_second();
    let issued = claims(&body["id_token"])["iat"].as_i64().unwrap();
    assert!((595..=605).contains(&(issued - now)), "{}", issued - now);
}
