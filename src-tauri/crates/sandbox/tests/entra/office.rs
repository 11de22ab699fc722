//! The administrator's pages: break it, mend it.

use crate::browser::{
    Browser, authorize, connected, control, http, password, redeem, refresh, sandbox,
};
use http::Method;
use mailroom_sandbox::Sandbox;
use serde_json::{Value, json};
use url::Url;

const ALEX: &str = "alex@contoso.example";
const ADMIN: &str = "admin@contoso.example";

fn at(sandbox: &Sandbox, page: &str) -> Url {
    Url::parse(&format!("{}/admin/{page}", sandbox.description().authority)).unwrap()
}

/// Somebody at a page of the administrator's, signed in where asked.
async fn visit(browser: &mut Browser, sandbox: &Sandbox, page: &str, login: &str) {
    browser.open(&at(sandbox, page)).await;
    if browser.shows("id=\"next\"") {
        browser.press("next", &[("loginfmt", login)]).await;
    }
    if browser.shows("id=\"signin\"") {
        browser
            .press("signin", &[("passwd", &password(login))])
            .await;
    }
    follow(browser).await;
}

async fn follow(browser: &mut Browser) {
    while let Some(next) = browser.location.take() {
        browser.open(&next).await;
    }
}

async fn press(browser: &mut Browser, button: &str) {
    browser.press(button, &[]).await;
    follow(browser).await;
    assert!(browser.shows("Saved."), "{button}: {}", browser.page);
}

async fn administrator(sandbox: &Sandbox, page: &str) -> Browser {
    let mut browser = Browser::default();
    visit(&mut browser, sandbox, page, ADMIN).await;
    assert_eq!(browser.status, 200, "{}", browser.page);
    assert!(browser.shows("Practice administration."));
    browser
}

async fn switch_on(sandbox: &Sandbox, name: &str) {
    let path = format!("scenarios/{name}");
    control(sandbox, Method::PUT, &path, json!({})).await;
}

async fn is_on(sandbox: &Sandbox, name: &str) -> bool {
    let path = format!("scenarios/{name}");
    control(sandbox, Method::GET, &path, json!({})).await["on"] == true
}

async fn act(sandbox: &Sandbox, action: &str, fields: Value) {
    control(sandbox, Method::POST, &format!("admin/{action}"), fields).await;
}

async fn ask_for_approval(sandbox: &Sandbox) -> Browser {
    let mut browser = Browser::default();
    let url = authorize(sandbox, "organizations", &[("login_hint", ALEX)]);
    browser.open(&url).await;
    browser
        .press("signin", &[("passwd", &password(ALEX))])
        .await;
    assert_eq!(browser.code_on_page(), 90_095);
    let reason = [("reason", "We answer <customers> with it")];
    browser.press("request-approval", &reason).await;
    assert!(browser.shows("Request sent"), "{}", browser.page);
    browser
}

#[tokio::test]
async fn a_request_is_approved_on_the_pages_and_the_person_gets_in() {
    let sandbox = sandbox(&["approval-request"]).await;
    let mut person = ask_for_approval(&sandbox).await;
    let mut admin = administrator(&sandbox, "requests").await;
    assert!(admin.shows("We answer &lt;customers&gt; with it") && admin.shows(ALEX));
    press(&mut admin, "approve-request-1").await;
    assert!(admin.shows("Approved"));
    assert!(!is_on(&sandbox, "approval-request").await);
    let url = authorize(&sandbox, "organizations", &[("login_hint", ALEX)]);
    person.open(&url).await;
    let code = person.answer()["code"].clone();
    let (status, _) = redeem(&sandbox, "organizations", &code, &[]).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_denied_request_lets_nobody_in() {
    let sandbox = sandbox(&["approval-request"]).await;
    let mut person = ask_for_approval(&sandbox).await;
    let mut admin = administrator(&sandbox, "requests").await;
    press(&mut admin, "deny-request-1").await;
    let state = control(&sandbox, Method::GET, "admin", json!({})).await;
    assert_eq!(state["requests"][0]["state"], "denied");
    assert_eq!(state["requests"][0]["user"], ALEX);
    assert!(is_on(&sandbox, "approval-request").await);
    let url = authorize(&sandbox, "organizations", &[("login_hint", ALEX)]);
    person.open(&url).await;
    assert_eq!(person.code_on_page(), 90_095);
}

#[tokio::test]
async fn the_pages_are_for_global_administrators() {
    let sandbox = sandbox(&[]).await;
    let mut alex = Browser::default();
    visit(&mut alex, &sandbox, "users", ALEX).await;
    assert_eq!(alex.status, 403);
    assert!(!alex.shows("Practice administration."));
    // A form without a session leads to the sign-in, not to the deed.
    let url = at(&sandbox, "application/revoke-consent");
    connected(&sandbox, ALEX).await;
    let answer = http().post(url.clone()).send().await.unwrap();
    assert!(answer.text().await.unwrap().contains("id=\"loginfmt\""));
    let admin = administrator(&sandbox, "application").await;
    let foreign = http()
        .post(url)
        .header("cookie", admin.cookie.clone().unwrap())
        .header("sec-fetch-site", "same-site")
        .send()
        .await
        .unwrap();
    assert_eq!(foreign.status(), 403);
    let state = control(&sandbox, Method::GET, "admin", json!({})).await;
    assert!(!state["consents"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn every_switch_of_the_pages_mends_its_scenario() {
    let sandbox = sandbox(&[]).await;
    let mut admin = administrator(&sandbox, "requests").await;
    let all = control(&sandbox, Method::GET, "scenarios", json!({})).await;
    let mut mended = 0;
    for scenario in all.as_array().unwrap() {
        let name = scenario["name"].as_str().unwrap();
        let Some(page) = scenario["page"].as_str() else {
            continue;
        };
        switch_on(&sandbox, name).await;
        let page = page.strip_prefix("/admin/").unwrap();
        visit(&mut admin, &sandbox, page, ADMIN).await;
        let button = match name {
            // Decided elsewhere than by a switch of that page.
            "approval-request" => {
                visit(&mut admin, &sandbox, "application", ADMIN).await;
                "approval-request"
            }
            "consent-required" | "consent-revoked" => "grant-consent",
            "full-access-missing" => "full-access-alex@contoso.example-info@contoso.example",
            "send-as-denied" => "send-as-alex@contoso.example-info@contoso.example",
            name => name,
        };
        press(&mut admin, button).await;
        assert!(!is_on(&sandbox, name).await, "{name}");
        mended += 1;
    }
    assert!(mended >= 40, "{mended}");
}

#[tokio::test]
async fn assigning_one_person_lets_that_one_in() {
    let sandbox = sandbox(&[]).await;
    let alex = connected(&sandbox, ALEX).await;
    let sato = connected(&sandbox, "sato@contoso.example").await;
    switch_on(&sandbox, "user-not-assigned").await;
    let mut admin = administrator(&sandbox, "application").await;
    press(&mut admin, "assign-alex@contoso.example").await;
    assert!(!is_on(&sandbox, "user-not-assigned").await);
    assert_eq!(refresh(&sandbox, &alex["refresh_token"], "").await.0, 200);
    let (_, refused) = refresh(&sandbox, &sato["refresh_token"], "").await;
    assert_eq!(refused["error_codes"][0], 50_105);
}

#[tokio::test]
async fn revoked_permissions_come_back_with_admin_consent() {
    let sandbox = sandbox(&[]).await;
    let alex = connected(&sandbox, ALEX).await;
    switch_on(&sandbox, "consent-revoked").await;
    let (_, refused) = refresh(&sandbox, &alex["refresh_token"], "").await;
    assert_eq!(refused["error_codes"][0], 65_001);
    let mut admin = administrator(&sandbox, "application").await;
    press(&mut admin, "grant-consent").await;
    assert_eq!(refresh(&sandbox, &alex["refresh_token"], "").await.0, 200);
    press(&mut admin, "revoke-consent").await;
    let (_, refused) = refresh(&sandbox, &alex["refresh_token"], "").await;
    assert_eq!(refused["error_codes"][0], 65_001);
}

#[tokio::test]
async fn accounts_are_blocked_reset_and_signed_out_one_by_one() {
    let sandbox = sandbox(&[]).await;
    let alex = connected(&sandbox, ALEX).await;
    let sato = connected(&sandbox, "sato@contoso.example").await;
    let mut admin = administrator(&sandbox, "users").await;
    press(&mut admin, "block-sign-in-alex@contoso.example").await;
    let (_, refused) = refresh(&sandbox, &alex["refresh_token"], "").await;
    assert_eq!(refused["error_codes"][0], 50_057);
    press(&mut admin, "unblock-sign-in-alex@contoso.example").await;
    let (_, refused) = refresh(&sandbox, &alex["refresh_token"], "").await;
    assert_eq!(refused["error_codes"][0], 50_173);
    assert_eq!(refresh(&sandbox, &sato["refresh_token"], "").await.0, 200);
    connected(&sandbox, ALEX).await;
    switch_on(&sandbox, "password-expired").await;
    press(&mut admin, "reset-password-sato@contoso.example").await;
    assert!(!is_on(&sandbox, "password-expired").await);
    let (_, refused) = refresh(&sandbox, &sato["refresh_token"], "").await;
    assert_eq!(refused["error_codes"][0], 50_173);
    assert!(!admin.shows("block-sign-in-admin@contoso.example"));
}

#[tokio::test]
async fn permissions_rights_and_mail_programs_are_kept_per_entry() {
    let sandbox = sandbox(&[]).await;
    let alex = connected(&sandbox, ALEX).await;
    let graph = [
        "openid",
        "profile",
        "offline_access",
        "email",
        "User.Read",
        "Mail.Read",
        "Mail.ReadWrite",
        "Mail.Send",
        "Mail.ReadWrite.Shared",
        "Mail.Send.Shared",
        "MailboxSettings.Read",
    ];
    for scope in graph {
        act(&sandbox, "remove-permission", json!({"scope": scope})).await;
    }
    let (_, refused) = refresh(&sandbox, &alex["refresh_token"], "").await;
    assert_eq!(refused["error_codes"][0], 650_057);
    act(
        &sandbox,
        "add-permission",
        json!({"scope": "Mail.ReadWrite"}),
    )
    .await;
    assert_eq!(refresh(&sandbox, &alex["refresh_token"], "").await.0, 200);
    act(&sandbox, "imap", json!({"user": ALEX, "to": "off"})).await;
    act(&sandbox, "smtp", json!({"user": ALEX, "to": "off"})).await;
    act(&sandbox, "smtp", json!({"user": ALEX, "to": "on"})).await;
    let state = control(&sandbox, Method::GET, "admin", json!({})).await;
    assert_eq!(
        (&state["no_imap"], &state["no_smtp"]),
        (&json!([ALEX]), &json!([]))
    );
    let mut admin = administrator(&sandbox, "mail-apps").await;
    press(&mut admin, "imap-alex@contoso.example").await;
    let state = control(&sandbox, Method::GET, "admin", json!({})).await;
    assert_eq!(state["no_imap"], json!([]));
    let url = format!("{}/_sandbox/admin/none", sandbox.description().authority);
    assert_eq!(http().post(url).send().await.unwrap().status(), 400);
}
