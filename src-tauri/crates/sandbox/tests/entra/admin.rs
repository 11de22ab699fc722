//! Admin consent, and signing out.

use crate::browser::{Browser, authorize, connected, sandbox};
use mailroom_sandbox::Sandbox;
use url::Url;

const ADMIN: &str = "admin@contoso.example";

fn consent(sandbox: &Sandbox, segment: &str) -> Url {
    let description = sandbox.description();
    let url = format!("{}/{segment}/v2.0/adminconsent", description.authority);
    let scope = "https://graph.microsoft.com/User.Read https://graph.microsoft.com/Mail.ReadWrite https://graph.microsoft.com/Mail.Send openid profile email offline_access";
    let all = [
        ("client_id", description.client_id.as_str()),
        ("redirect_uri", "http://localhost:50123/"),
        ("state", "12345"),
        ("scope", scope),
    ];
    Url::parse_with_params(&url, all).unwrap()
}

#[tokio::test]
async fn an_administrator_consents_for_everybody() {
    let sandbox = sandbox(&["admin-approval"]).await;
    let mut browser = Browser::default();
    let answer = browser
        .sign_in(&consent(&sandbox, "organizations"), ADMIN)
        .await;
    assert_eq!(answer["admin_consent"], "True");
    assert_eq!(answer["tenant"], sandbox.description().tenant);
    assert_eq!(answer["state"], "12345");
    assert!(answer["scope"].contains("https://graph.microsoft.com/Mail.Send"));
    connected(&sandbox, "alex@contoso.example").await;
}

#[tokio::test]
async fn cancel_says_so_in_the_shape_of_admin_consent() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    let tenant = sandbox.description().tenant.clone();
    browser.open(&consent(&sandbox, &tenant)).await;
    browser.press("next", &[("loginfmt", ADMIN)]).await;
    browser
        .press("signin", &[("passwd", "Practice-Admin-1")])
        .await;
    browser.press("cancel", &[]).await;
    let answer = browser.answer();
    assert_eq!(answer["error"], "consent_required");
    assert!(answer["error_description"].starts_with("AADSTS65004: "));
    assert_eq!(
        (&answer["admin_consent"], &answer["tenant"]),
        (&"True".to_owned(), &tenant)
    );
}

#[tokio::test]
async fn others_cannot_consent_for_everybody() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    browser.open(&consent(&sandbox, "organizations")).await;
    browser
        .press("next", &[("loginfmt", "alex@contoso.example")])
        .await;
    browser
        .press("signin", &[("passwd", "Practice-Alex-1")])
        .await;
    assert_eq!(browser.code_on_page(), 90_094);
    browser.press("cancel", &[("step", "accept")]).await;
    assert_eq!(browser.code_on_page(), 90_094);
}

#[tokio::test]
async fn the_tenant_has_to_be_clear() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    browser.open(&consent(&sandbox, "common")).await;
    assert_eq!(browser.code_on_page(), 50_059);
    browser.open(&consent(&sandbox, "fabrikam.example")).await;
    browser.press("next", &[("loginfmt", ADMIN)]).await;
    browser
        .press("signin", &[("passwd", "Practice-Admin-1")])
        .await;
    assert_eq!(browser.code_on_page(), 50_020);
}

#[tokio::test]
async fn signing_out_ends_the_sessions_of_the_browser() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    let url = authorize(&sandbox, "organizations", &[]);
    browser.sign_in(&url, "alex@contoso.example").await;
    let logout = format!(
        "{}/common/oauth2/v2.0/logout",
        sandbox.description().authority
    );
    let foreign = Url::parse_with_params(
        &logout,
        [("post_logout_redirect_uri", "https://evil.example/")],
    );
    browser.open(&foreign.unwrap()).await;
    assert!(browser.location.is_none() && browser.shows("signed out"));
    browser.open(&url).await;
    assert!(browser.shows("id=\"loginfmt\""));
    let home = [
        ("post_logout_redirect_uri", "http://localhost:9/"),
        ("state", "s"),
    ];
    browser
        .open(&Url::parse_with_params(&logout, home).unwrap())
        .await;
    assert_eq!(
        browser.location.unwrap().as_str(),
        "http://localhost:9/?state=s"
    );
}
