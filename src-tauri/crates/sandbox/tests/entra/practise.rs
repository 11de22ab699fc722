//! Every scenario: what is seen, and where.

use crate::browser::{
    Browser, authorize, connected, control, http, password, redeem, refresh, sandbox,
};
use http::Method;
use mailroom_sandbox::{Sandbox, scenario_names};
use serde_json::{Value, json};

const ALEX: &str = "alex@contoso.example";

/// Where the browser ends up.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Page(u32),
    Back(&'static str, u32),
    Fine,
}
use Seen::{Back, Fine, Page};

/// Scenario, what signing in shows, what a refresh of a connection from before gets (0: tokens).
const SIGN_IN: &[(&str, Seen, u32)] = &[
    ("conditional-access", Page(53_003), 53_003),
    ("user-not-assigned", Page(50_105), 50_105),
    ("app-disabled", Page(7_000_112), 7_000_112),
    ("admin-approval", Fine, 0),
    ("single-tenant", Page(50_194), 50_194),
    ("redirect-missing", Page(500_113), 0),
    ("redirect-mismatch", Page(50_011), 0),
    ("app-unknown", Page(700_016), 700_016),
    (
        "permission-missing",
        Back("invalid_resource", 650_057),
        650_057,
    ),
    ("app-misconfigured", Page(650_056), 650_056),
    ("resource-missing", Page(65_005), 65_005),
    (
        "service-principal-missing",
        Back("invalid_client", 650_052),
        650_052,
    ),
    (
        "resource-principal-missing",
        Back("invalid_resource", 500_011),
        500_011,
    ),
    ("user-disabled", Page(50_057), 50_057),
    ("account-locked", Page(50_053), 0),
    ("password-expired", Page(50_055), 50_055),
    ("user-deleted", Page(50_034), 500_341),
    ("mfa-registration", Page(50_079), 50_079),
    ("device-required", Page(53_000), 53_000),
    ("device-not-joined", Page(53_001), 53_001),
    ("app-not-approved", Page(53_002), 53_002),
    ("location-blocked", Page(53_003), 53_003),
    ("security-defaults", Page(530_035), 530_035),
    ("registration-blocked", Page(53_004), 53_004),
    ("terms-of-use", Page(50_158), 50_158),
    ("tenant-restricted", Page(500_021), 500_021),
    ("cross-tenant-blocked", Page(500_213), 500_213),
    ("guest-required", Page(50_020), 50_020),
    ("platform-web", Fine, 0),
    ("public-client-off", Fine, 7_000_218),
    ("temporarily-unavailable", Fine, 90_033),
];

/// Scenarios that keep a new account from consenting, with the number on the page.
const CONSENT: &[(&str, u32)] = &[
    ("admin-approval", 90_094),
    ("approval-request", 90_095),
    ("consent-revoked", 90_094),
    ("consent-forbidden", 90_093),
    ("risky-app", 900_941),
    ("consent-not-recorded", 90_090),
];

/// Scenarios that strike a connection once.
const STRIKING: &[(&str, u32)] = &[
    ("consent-required", 65_001),
    ("token-revoked", 50_173),
    ("refresh-expired", 700_082),
    ("mfa-expired", 50_078),
    ("sign-in-frequency", 70_043),
    ("password-changed", 50_133),
    ("grant-invalid", 70_000),
];

/// Scenario, request, status, `error.code` ("" for a page of HTML).
const GRAPH: &[(&str, &str, u16, &str)] = &[
    ("graph-denied", "GET inbox", 403, "ErrorAccessDenied"),
    (
        "mailbox-missing",
        "GET inbox",
        404,
        "MailboxNotEnabledForRESTAPI",
    ),
    ("service-down", "GET inbox", 503, "ServiceUnavailable"),
    ("graph-access-policy", "GET inbox", 403, "ErrorAccessDenied"),
    (
        "mailbox-on-premises",
        "GET inbox",
        404,
        "MailboxNotHostedInExchangeOnline",
    ),
    (
        "mailbox-unsupported",
        "GET inbox",
        404,
        "MailboxNotSupportedForRESTAPI",
    ),
    (
        "claims-challenge",
        "GET inbox",
        401,
        "InvalidAuthenticationToken",
    ),
    ("html-instead-of-json", "GET inbox", 200, ""),
    ("gateway-errors", "GET inbox", 502, ""),
    ("quota-full", "SEND own", 507, "ErrorQuotaExceeded"),
    ("quota-full", "POST inbox", 507, "ErrorQuotaExceeded"),
    (
        "submission-blocked",
        "SEND own",
        403,
        "ErrorMessageSubmissionBlocked",
    ),
    (
        "message-too-large",
        "SEND own",
        413,
        "ErrorMessageSizeExceeded",
    ),
    ("folder-gone", "GET folder", 404, "ErrorFolderNotFound"),
    ("ids-stale", "GET folder", 400, "ErrorInvalidIdMalformed"),
    ("sync-state-not-found", "GET delta", 410, "resyncRequired"),
    (
        "full-access-missing",
        "GET shared",
        404,
        "ErrorItemNotFound",
    ),
    ("send-as-denied", "SEND shared", 403, "ErrorSendAsDenied"),
];

/// Shown elsewhere: in the tests named, or in those of Graph.
const ELSEWHERE: &[&str] = &[
    "wrong-account",
    "mfa-required",
    "clock-skew",
    "slow",
    "throttled",
    "delta-expired",
    "mailbox-concurrency",
    "malformed-json",
    "foreign-next-link",
    "token-endpoint-down",
];

const SCOPE: &str = "openid profile offline_access User.Read Mail.ReadWrite Mail.Send Mail.ReadWrite.Shared Mail.Send.Shared";

async fn switch(sandbox: &Sandbox, name: &str, on: bool) {
    let method = if on { Method::PUT } else { Method::DELETE };
    control(sandbox, method, &format!("scenarios/{name}"), json!({})).await;
}

async fn is_on(sandbox: &Sandbox, name: &str) -> bool {
    let path = format!("scenarios/{name}");
    control(sandbox, Method::GET, &path, json!({})).await["on"] == true
}

/// Signs Alex in from a fresh browser as far as it goes.
async fn sign_in(sandbox: &Sandbox, changes: &[(&str, &str)]) -> Browser {
    let mut all = vec![("login_hint", ALEX)];
    all.extend_from_slice(changes);
    let mut browser = Browser::default();
    browser
        .open(&authorize(sandbox, "organizations", &all))
        .await;
    if browser.shows("id=\"signin\"") {
        browser
            .press("signin", &[("passwd", &password(ALEX))])
            .await;
    }
    if browser.shows("id=\"accept\"") {
        browser.press("accept", &[]).await;
    }
    browser
}

#[tokio::test]
async fn every_scenario_is_described_mended_and_shown_in_a_test() {
    let sandbox = sandbox(&[]).await;
    let listed = control(&sandbox, Method::GET, "scenarios", json!({})).await;
    let names: Vec<&str> = scenario_names().iter().map(|(name, _)| *name).collect();
    assert!(names.len() >= 40, "{}", names.len());
    for (name, listed) in names.iter().zip(listed.as_array().unwrap()) {
        assert_eq!(listed["name"], *name);
        assert!(listed["mend"].as_str().unwrap().ends_with('.'), "{listed}");
        assert_eq!(listed["on"], false);
        let shown = SIGN_IN.iter().any(|(n, ..)| n == name)
            || CONSENT.iter().any(|(n, _)| n == name)
            || STRIKING.iter().any(|(n, _)| n == name)
            || GRAPH.iter().any(|(n, ..)| n == name)
            || ELSEWHERE.contains(name);
        assert!(shown, "no test shows {name}");
    }
}

#[tokio::test]
async fn signing_in_and_refreshing_meet_what_is_broken() {
    let sandbox = sandbox(&[]).await;
    let before = connected(&sandbox, ALEX).await;
    for (name, seen, code) in SIGN_IN {
        switch(&sandbox, name, true).await;
        let browser = sign_in(&sandbox, &[]).await;
        match seen {
            Page(code) => assert_eq!(browser.code_on_page(), *code, "{name}"),
            Back(error, code) => {
                let answer = browser.answer();
                assert_eq!(answer["error"], *error, "{name}");
                let text = &answer["error_description"];
                assert!(
                    text.starts_with(&format!("AADSTS{code}: ")),
                    "{name}: {text}"
                );
                assert_eq!(answer["state"], "a state");
            }
            Fine => assert!(browser.answer().contains_key("code"), "{name}"),
        }
        let (status, body) = refresh(&sandbox, &before["refresh_token"], "").await;
        if *code == 0 {
            assert_eq!(status, 200, "{name}: {body}");
        } else {
            assert_eq!(body["error_codes"][0], *code, "{name}: {body}");
        }
        switch(&sandbox, name, false).await;
        let (status, body) = refresh(&sandbox, &before["refresh_token"], "").await;
        assert_eq!(status, 200, "{name} is over: {body}");
    }
}

#[tokio::test]
async fn consent_is_kept_from_a_new_account() {
    let sandbox = sandbox(&[]).await;
    for (name, code) in CONSENT {
        switch(&sandbox, name, true).await;
        assert_eq!(sign_in(&sandbox, &[]).await.code_on_page(), *code, "{name}");
        switch(&sandbox, name, false).await;
    }
    switch(&sandbox, "consent-not-recorded", true).await;
    sign_in(&sandbox, &[]).await;
    let again = sign_in(&sandbox, &[]).await;
    assert!(again.answer().contains_key("code"));
}

#[tokio::test]
async fn what_strikes_once_is_mended_by_signing_in_again() {
    for (name, code) in STRIKING {
        let sandbox = sandbox(&[]).await;
        let before = connected(&sandbox, ALEX).await;
        switch(&sandbox, name, true).await;
        let (_, refused) = refresh(&sandbox, &before["refresh_token"], "").await;
        assert_eq!(refused["error_codes"][0], *code, "{name}");
        let after = connected(&sandbox, ALEX).await;
        let (status, _) = refresh(&sandbox, &after["refresh_token"], "").await;
        assert_eq!(status, 200, "{name}");
    }
}

#[tokio::test]
async fn a_registration_that_is_not_public_wants_a_secret_for_the_code() {
    let sandbox = sandbox(&[]).await;
    connected(&sandbox, ALEX).await;
    for name in ["platform-web", "public-client-off"] {
        switch(&sandbox, name, true).await;
        let code = sign_in(&sandbox, &[]).await.answer()["code"].clone();
        let (status, body) = redeem(&sandbox, "organizations", &code, &[]).await;
        assert_eq!((status, &body["error_codes"][0]), (401, &json!(7_000_218)));
        switch(&sandbox, name, false).await;
    }
}

#[tokio::test]
async fn the_token_endpoint_answers_with_html_when_something_is_in_between() {
    let sandbox = sandbox(&[]).await;
    let url = format!(
        "{}/organizations/oauth2/v2.0/token",
        sandbox.description().authority
    );
    for (name, status) in [("html-instead-of-json", 200), ("token-endpoint-down", 503)] {
        switch(&sandbox, name, true).await;
        let answer = http().post(&url).form(&[("a", "b")]).send().await.unwrap();
        assert_eq!(answer.status(), status, "{name}");
        assert!(answer.text().await.unwrap().contains("<html>"), "{name}");
        switch(&sandbox, name, false).await;
    }
}

/// One request to Graph by its name in the table; status and body.
async fn graph(sandbox: &Sandbox, token: &str, what: &str, places: &Places) -> (u16, String) {
    let root = format!("{}/v1.0", sandbox.description().graph_url);
    let from = |address: &str| {
        json!({"message": {
            "subject": "Practice", "body": {"contentType": "text", "content": "x"},
            "from": {"emailAddress": {"address": address}},
            "toRecipients": [{"emailAddress": {"address": ALEX}}],
        }})
    };
    let (url, body) = match what {
        "GET inbox" => (format!("{root}/me/mailFolders/inbox"), None),
        "GET folder" => (format!("{root}/me/mailFolders/{}", places.folder), None),
        "GET delta" => (places.delta.clone(), None),
        "GET shared" => (format!("{root}/users/info@contoso.example/messages"), None),
        "POST inbox" => (
            format!("{root}/me/messages"),
            Some(json!({"subject": "A draft"})),
        ),
        "SEND own" => (format!("{root}/me/sendMail"), Some(from(ALEX))),
        "SEND shared" => (
            format!("{root}/me/sendMail"),
            Some(from("info@contoso.example")),
        ),
        other => panic!("{other}"),
    };
    let request = match body {
        None => http().get(url),
        Some(body) => http().post(url).json(&body),
    };
    let answer = request.bearer_auth(token).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

struct Places {
    folder: String,
    delta: String,
}

#[tokio::test]
async fn graph_refuses_in_its_own_words() {
    let sandbox = sandbox(&[]).await;
    let code = sign_in(&sandbox, &[("scope", SCOPE)]).await.answer()["code"].clone();
    let (_, tokens) = redeem(&sandbox, "organizations", &code, &[]).await;
    let token = tokens["access_token"].as_str().unwrap().to_owned();
    let mut places = Places {
        folder: "inbox".to_owned(),
        delta: format!(
            "{}/v1.0/me/mailFolders/drafts/messages/delta?$select=subject",
            sandbox.description().graph_url
        ),
    };
    let (_, inbox) = graph(&sandbox, &token, "GET inbox", &places).await;
    let inbox: Value = serde_json::from_str(&inbox).unwrap();
    places.folder = inbox["id"].as_str().unwrap().to_owned();
    for _ in 0..50 {
        let (_, page) = graph(&sandbox, &token, "GET delta", &places).await;
        let page: Value = serde_json::from_str(&page).unwrap();
        let end = page["@odata.deltaLink"].as_str();
        places.delta = end.or(page["@odata.nextLink"].as_str()).unwrap().to_owned();
        if end.is_some() {
            break;
        }
    }
    for (name, what, status, code) in GRAPH {
        let (fine, body) = graph(&sandbox, &token, what, &places).await;
        assert!(fine < 300, "before {name}: {fine} {body}");
        switch(&sandbox, name, true).await;
        let (refused, body) = graph(&sandbox, &token, what, &places).await;
        switch(&sandbox, name, false).await;
        if *name == "gateway-errors" {
            assert!(matches!(refused, 502 | 504), "{refused}");
        } else {
            assert_eq!(refused, *status, "{name}: {body}");
        }
        if code.is_empty() {
            assert!(body.contains("<html>"), "{name}: {body}");
        } else {
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["error"]["code"], *code, "{name}");
        }
    }
    switch(&sandbox, "mailbox-concurrency", true).await;
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(graph(&sandbox, &token, "GET inbox", &places).await);
    }
    let busy = codes.iter().find(|(status, _)| *status == 429).unwrap();
    assert!(busy.1.contains("ApplicationThrottled"));
}

#[tokio::test]
async fn a_claims_challenge_is_met_by_a_sign_in_with_its_claims_only() {
    let sandbox = sandbox(&["claims-challenge"]).await;
    let url = format!("{}/v1.0/me", sandbox.description().graph_url);
    let claims = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    for (changes, met) in [(&[][..], false), (&[("claims", claims)][..], true)] {
        let code = sign_in(&sandbox, changes).await.answer()["code"].clone();
        let (_, tokens) = redeem(&sandbox, "organizations", &code, &[]).await;
        let token = tokens["access_token"].as_str().unwrap();
        let answer = http().get(&url).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), if met { 200 } else { 401 });
        let challenge = answer.headers().get("www-authenticate");
        let challenged =
            challenge.is_some_and(|c| c.to_str().unwrap().contains("insufficient_claims"));
        assert_eq!(challenged, !met);
    }
    assert!(is_on(&sandbox, "claims-challenge").await);
}
