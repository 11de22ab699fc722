//! What is shown, and to whom.

use crate::browser::{Browser, authorize, redeem, sandbox};

const FABRIKAM_INBOX: &str = "3a117007-9f2b-4b7e-8a55-0c0ffee0a112";

#[tokio::test]
async fn keeps_an_unknown_app_on_the_page() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    let nobody = ("client_id", "11111111-2222-4333-8444-555555555555");
    for segment in ["organizations", "contoso.example"] {
        browser.open(&authorize(&sandbox, segment, &[nobody])).await;
        assert_eq!(browser.code_on_page(), 700_016, "{segment}");
    }
}

#[tokio::test]
async fn never_redirects_to_an_address_that_is_not_registered() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    for bad in [
        "http://localhost:50123/callback",
        "https://localhost:50123/",
        "http://127.0.0.1:50123/",
        "http://localhost.evil.example/",
        "http://evil.example/",
        "http://user@localhost:50123/",
        "http://localhost:50123/#here",
    ] {
        browser
            .open(&authorize(
                &sandbox,
                "organizations",
                &[("redirect_uri", bad)],
            ))
            .await;
        assert_eq!(browser.code_on_page(), 50_011, "{bad}");
    }
    browser
        .open(&authorize(
            &sandbox,
            "organizations",
            &[("redirect_uri", "")],
        ))
        .await;
    assert_eq!(browser.code_on_page(), 900_971);
}

#[tokio::test]
async fn ignores_the_port_of_localhost_and_a_bare_path() {
    let sandbox = sandbox(&[]).await;
    for good in [
        "http://localhost",
        "http://localhost/",
        "http://localhost:1",
        "http://localhost:65535/",
    ] {
        let mut browser = Browser::default();
        let url = authorize(&sandbox, "organizations", &[("redirect_uri", good)]);
        let answer = browser.sign_in(&url, "alex@contoso.example").await;
        assert!(answer.contains_key("code"), "{good}: {answer:?}");
    }
}

#[tokio::test]
async fn refuses_tenants_that_do_not_exist_and_apps_of_another_one() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    browser
        .open(&authorize(&sandbox, "nowhere.example", &[]))
        .await;
    assert_eq!(browser.code_on_page(), 90_002);
    browser.open(&authorize(&sandbox, "nonsense", &[])).await;
    assert_eq!(browser.code_on_page(), 900_023);
    browser.open(&authorize(&sandbox, "consumers", &[])).await;
    assert_eq!(browser.code_on_page(), 9_002_332);
    let inbox = ("client_id", FABRIKAM_INBOX);
    browser
        .open(&authorize(&sandbox, "organizations", &[inbox]))
        .await;
    assert_eq!(browser.code_on_page(), 50_194);
    browser
        .open(&authorize(&sandbox, "contoso.example", &[inbox]))
        .await;
    assert_eq!(browser.code_on_page(), 700_016);
}

#[tokio::test]
async fn says_what_is_wrong_with_a_name_or_a_password() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    browser
        .open(&authorize(&sandbox, "organizations", &[]))
        .await;
    browser
        .press("next", &[("loginfmt", "nobody@contoso.example")])
        .await;
    assert!(browser.shows("50034") && browser.shows("value=\"nobody@contoso.example\""));
    // The address is not the login name.
    browser
        .press("next", &[("loginfmt", "mika@contoso.example")])
        .await;
    assert!(browser.shows("50034"));
    browser
        .press(
            "next",
            &[("loginfmt", " MIKA.T@contoso.onmicrosoft.example ")],
        )
        .await;
    browser.press("signin", &[("passwd", "wrong")]).await;
    assert!(browser.shows("50126") && browser.location.is_none());
    browser.press("other-account", &[]).await;
    browser
        .press("next", &[("loginfmt", "info@contoso.example")])
        .await;
    browser.press("signin", &[("passwd", "")]).await;
    assert!(browser.shows("50057"), "a shared mailbox cannot sign in");
}

#[tokio::test]
async fn refuses_an_account_of_another_tenant() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    browser
        .open(&authorize(&sandbox, "contoso.example", &[]))
        .await;
    browser
        .press("next", &[("loginfmt", "robin@fabrikam.example")])
        .await;
    browser
        .press("signin", &[("passwd", "Practice-Robin-1")])
        .await;
    assert_eq!(browser.code_on_page(), 50_020);
    let mut browser = Browser::default();
    let anywhere = authorize(&sandbox, "organizations", &[]);
    let answer = browser.sign_in(&anywhere, "robin@fabrikam.example").await;
    assert!(answer.contains_key("code"));
}

#[tokio::test]
async fn uses_the_session_of_the_browser_silently_whoever_it_is() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    let url = authorize(&sandbox, "organizations", &[]);
    browser.sign_in(&url, "alex@contoso.example").await;
    browser.open(&url).await;
    let answer = browser.answer();
    let (_, body) = redeem(&sandbox, "organizations", &answer["code"], &[]).await;
    let who = crate::browser::claims(&body["id_token"])["preferred_username"].clone();
    assert_eq!(who, "alex@contoso.example");
}

#[tokio::test]
async fn a_hint_for_somebody_else_asks_for_their_password() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    browser
        .sign_in(
            &authorize(&sandbox, "organizations", &[]),
            "alex@contoso.example",
        )
        .await;
    let hint = ("login_hint", "sato@contoso.example");
    browser
        .open(&authorize(&sandbox, "organizations", &[hint]))
        .await;
    assert!(browser.shows("id=\"passwd\"") && browser.shows("sato@contoso.example"));
}

#[tokio::test]
async fn lets_people_pick_an_account_or_use_another() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    browser
        .sign_in(
            &authorize(&sandbox, "organizations", &[]),
            "alex@contoso.example",
        )
        .await;
    let select = authorize(&sandbox, "organizations", &[("prompt", "select_account")]);
    browser.open(&select).await;
    browser.press("other-account", &[]).await;
    browser
        .press(
            "next",
            &[("loginfmt", "mika.t@contoso.onmicrosoft.example")],
        )
        .await;
    browser
        .press("signin", &[("passwd", "Practice-Mika-1")])
        .await;
    browser.press("accept", &[]).await;
    assert!(browser.answer().contains_key("code"));
    // Two sessions: now the picker comes unasked.
    browser
        .open(&authorize(&sandbox, "organizations", &[]))
        .await;
    assert!(browser.shows("Pick an account"));
    browser.press("mika@contoso.example", &[]).await;
    let answer = browser.answer();
    let (_, body) = redeem(&sandbox, "organizations", &answer["code"], &[]).await;
    let claims = crate::browser::claims(&body["id_token"]);
    assert_eq!(
        claims["preferred_username"],
        "mika.t@contoso.onmicrosoft.example"
    );
    assert_eq!(claims["email"], "mika@contoso.example");
}

#[tokio::test]
async fn prompt_login_asks_for_the_password_again() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    browser
        .sign_in(
            &authorize(&sandbox, "organizations", &[]),
            "alex@contoso.example",
        )
        .await;
    let again = [("prompt", "login"), ("login_hint", "alex@contoso.example")];
    browser
        .open(&authorize(&sandbox, "organizations", &again))
        .await;
    assert!(browser.shows("id=\"passwd\""));
}

#[tokio::test]
async fn lists_the_permissions_in_words_and_remembers_the_consent() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    let url = authorize(
        &sandbox,
        "organizations",
        &[("login_hint", "sato@contoso.example")],
    );
    browser.open(&url).await;
    browser
        .press("signin", &[("passwd", "Practice-Sato-1")])
        .await;
    assert!(
        browser.shows("Read and write access to your mail") && browser.shows("Send mail as you")
    );
    assert!(!browser.shows("Read your mailbox settings"));
    browser.press("accept", &[]).await;
    assert!(browser.answer().contains_key("code"));
    browser.open(&url).await;
    assert!(browser.answer().contains_key("code"), "asked twice");
    // More than before is asked for again.
    let more = format!("{} MailboxSettings.Read", crate::browser::SCOPE);
    browser
        .open(&authorize(&sandbox, "organizations", &[("scope", &more)]))
        .await;
    assert!(browser.shows("Read your mailbox settings"));
}

#[tokio::test]
async fn a_form_counts_only_in_the_browser_that_was_shown_it() {
    let sandbox = sandbox(&[]).await;
    let mut victim = Browser::default();
    victim
        .open(&authorize(&sandbox, "organizations", &[]))
        .await;
    victim.cookie = None;
    victim
        .press("next", &[("loginfmt", "alex@contoso.example")])
        .await;
    assert_eq!(victim.code_on_page(), 50_089);
}

#[tokio::test]
async fn accepting_needs_an_account_that_has_proved_itself() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    for step in ["accept", "otc"] {
        browser
            .open(&authorize(&sandbox, "organizations", &[]))
            .await;
        browser
            .press("next", &[("loginfmt", "alex@contoso.example")])
            .await;
        browser.press("signin", &[("step", step)]).await;
        assert!(browser.location.is_none() && !browser.shows("id=\"otc\""));
    }
    browser
        .open(&authorize(&sandbox, "organizations", &[]))
        .await;
    browser
        .press(
            "next",
            &[("step", "pick"), ("account", "alex@contoso.example")],
        )
        .await;
    assert!(browser.location.is_none() && browser.shows("id=\"passwd\""));
    // Nothing of that was taken for consent.
    let url = authorize(
        &sandbox,
        "organizations",
        &[("login_hint", "alex@contoso.example")],
    );
    browser.open(&url).await;
    browser
        .press("signin", &[("passwd", "Practice-Alex-1")])
        .await;
    assert!(browser.shows("id=\"accept\""));
}

#[tokio::test]
async fn shows_hostile_parameters_as_text() {
    let sandbox = sandbox(&[]).await;
    let mut browser = Browser::default();
    let script = "\"><script>alert(1)</script>";
    for name in ["login_hint", "client_id", "redirect_uri"] {
        browser
            .open(&authorize(&sandbox, "organizations", &[(name, script)]))
            .await;
        assert!(!browser.page.contains("<script"), "{name}");
        assert!(browser.page.contains("&lt;script"), "{name}");
    }
}
