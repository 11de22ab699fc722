//! What comes back to the app in the redirect.

use crate::browser::{Browser, authorize, hidden, sandbox};

#[tokio::test]
async fn returns_the_state_verbatim() {
    let sandbox = sandbox(&[]).await;
    let state = "ä+b%2B c&d=e\"<>\u{1F4E8}";
    let mut browser = Browser::default();
    let url = authorize(&sandbox, "organizations", &[("state", state)]);
    let answer = browser.sign_in(&url, "alex@contoso.example").await;
    assert_eq!(answer["state"], state);
    assert!(answer["code"].starts_with("1.") && answer.contains_key("session_state"));
    assert_eq!(
        browser.location.unwrap().origin().ascii_serialization(),
        "http://localhost:50123"
    );
}

#[tokio::test]
async fn answers_in_the_fragment_or_by_a_form_when_asked() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    let fragment = authorize(&sandbox, "organizations", &[("response_mode", "fragment")]);
    browser.sign_in(&fragment, "alex@contoso.example").await;
    let location = browser.location.clone().unwrap();
    assert!(location.query().is_none() && location.fragment().unwrap().starts_with("code=1."));
    let post = authorize(&sandbox, "organizations", &[("response_mode", "form_post")]);
    browser.open(&post).await;
    assert!(browser.shows("action=\"http://localhost:50123/\""));
    let fields = hidden(&browser.page);
    assert!(fields["code"].starts_with("1.") && fields["state"] == "a state");
}

#[tokio::test]
async fn sends_what_is_wrong_with_the_request_back_to_the_app() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    for (change, error, code) in [
        (("code_challenge", ""), "invalid_request", 9_002_325),
        (("code_challenge", "short"), "invalid_request", 501_491),
        (("code_challenge_method", "S512"), "invalid_request", 90_023),
        (("scope", ""), "invalid_request", 900_144),
        (("scope", "User.Read,Mail.Read"), "invalid_scope", 70_011),
        (("scope", "User.Read No.Such"), "invalid_client", 650_053),
        (
            ("scope", "https://nowhere.example/Mail.Read"),
            "invalid_resource",
            500_011,
        ),
        (
            ("response_type", "id_token"),
            "unsupported_response_type",
            700_054,
        ),
        (("response_type", ""), "invalid_request", 900_144),
        (("response_mode", "pigeon"), "invalid_request", 90_023),
        (("prompt", "please"), "invalid_request", 90_023),
        (("claims", "{"), "invalid_request", 9_002_313),
    ] {
        browser
            .open(&authorize(&sandbox, "organizations", &[change]))
            .await;
        let answer = browser.answer();
        assert_eq!(answer["error"], error, "{change:?}");
        assert_eq!(answer["state"], "a state");
        let description = &answer["error_description"];
        assert!(
            description.starts_with(&format!("AADSTS{code}: ")),
            "{change:?}: {description}"
        );
        for part in ["Trace ID: ", "Correlation ID: ", "Timestamp: "] {
            assert!(description.contains(part), "{description}");
        }
    }
}

#[tokio::test]
async fn may_name_two_resources() {
    let sandbox = sandbox(&[]).await;
    let scope = "openid offline_access https://graph.microsoft.com/Mail.Read https://outlook.office.com/IMAP.AccessAsUser.All";
    let mut browser = Browser::default();
    let url = authorize(&sandbox, "organizations", &[("scope", scope)]);
    let answer = browser.sign_in(&url, "alex@contoso.example").await;
    assert!(answer.contains_key("code"));
}

#[tokio::test]
async fn prompt_none_never_shows_a_page() {
    let sandbox = sandbox(&[]).await;
    let silent = authorize(&sandbox, "organizations", &[("prompt", "none")]);
    let mut browser = Browser::default();
    browser.open(&silent).await;
    assert_eq!(browser.answer()["error"], "login_required");
    browser
        .sign_in(
            &authorize(&sandbox, "organizations", &[]),
            "alex@contoso.example",
        )
        .await;
    browser.open(&silent).await;
    assert!(browser.answer().contains_key("code"));
    let more = [
        ("prompt", "none"),
        ("scope", "User.Read MailboxSettings.Read"),
    ];
    browser
        .open(&authorize(&sandbox, "organizations", &more))
        .await;
    assert_eq!(browser.answer()["error"], "consent_required");
    let other = [("prompt", "select_account")];
    browser
        .open(&authorize(&sandbox, "organizations", &other))
        .await;
    browser.press("other-account", &[]).await;
    browser
        .press("next", &[("loginfmt", "sato@contoso.example")])
        .await;
    browser
        .press("signin", &[("passwd", "Practice-Sato-1")])
        .await;
    browser.open(&silent).await;
    assert_eq!(
        browser.answer()["error"],
        "interaction_required",
        "two sessions"
    );
}

#[tokio::test]
async fn cancel_on_the_consent_page_is_access_denied() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    browser
        .open(&authorize(&sandbox, "organizations", &[]))
        .await;
    browser
        .press("next", &[("loginfmt", "alex@contoso.example")])
        .await;
    browser
        .press("signin", &[("passwd", "Practice-Alex-1")])
        .await;
    browser.press("cancel", &[]).await;
    let answer = browser.answer();
    assert_eq!(answer["error"], "access_denied");
    assert!(answer["error_description"].starts_with("AADSTS65004: "));
    assert_eq!(answer["state"], "a state");
}
