use super::*;
use crate::oauth::loopback::tests::{get, words};
use crate::oauth::testing::{Asked, Server, Told, json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TENANT: &str = "aaaaaaaa-0000-0000-0000-000000000001";

/// A sign-in service whose token answer is made from the authorize link.
struct Entra {
    server: Server,
    link: Arc<Mutex<Option<Url>>>,
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(n, _)| n == name)
        .map(|(_, v)| v.into_owned())
}

fn discovery_answer(asked: &Asked) -> Told {
    let host = asked.header("host");
    if asked.target.starts_with("/nowhere.example/") {
        return json(
            400,
            &json!({"error": "invalid_tenant", "trace_id": "t-9",
            "error_description": "AADSTS90002: Tenant 'nowhere.example' not found."}),
        );
    }
    let token_host = if asked.target.starts_with("/evil.example/") {
        "127.0.0.1:1"
    } else {
        host
    };
    json(
        200,
        &json!({
            "issuer": format!("http://{host}/{{tenantid}}/v2.0"),
            "authorization_endpoint": format!("http://{host}/o/oauth2/v2.0/authorize"),
            "token_endpoint": format!("http://{token_host}/o/oauth2/v2.0/token"),
            "jwks_uri": "unused",
        }),
    )
}

fn token_answer(asked: &Asked, link: &Url, change: impl Fn(&mut Value)) -> Told {
    let verifier = asked.field("code_verifier").unwrap();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    if Some(challenge) != parameter(link, "code_challenge") {
        return json(
            400,
            &json!({"error": "invalid_grant", "error_description": "AADSTS501481: verifier"}),
        );
    }
    let mut claims = json!({
        "iss": format!("http://{}/{TENANT}/v2.0", asked.header("host")), "aud": asked.field("client_id"),
        "exp": jiff::Timestamp::now().as_second() + 3600, "nonce": parameter(link, "nonce"),
        "tid": TENANT, "oid": "o-1", "preferred_username": "support@contoso.example", "name": "Support",
    });
    change(&mut claims);
    let id_token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
    json(
        200,
        &json!({
            "token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "id_token": id_token,
            "scope": "openid email https://graph.microsoft.com/Mail.ReadWrite https://graph.microsoft.com/User.Read",
            "access_token": "CANARYaccess", "refresh_token": "CANARYrefresh",
        }),
    )
}

async fn entra(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Entra {
    let link: Arc<Mutex<Option<Url>>> = Arc::default();
    let known = Arc::clone(&link);
    let server = Server::start(move |asked, _| {
        if asked.method == "GET" {
            return discovery_answer(asked);
        }
        token_answer(asked, known.lock().unwrap().as_ref().unwrap(), &change)
    })
    .await;
    Entra { server, link }
}

fn request(server: &Server) -> SignInRequest {
    SignInRequest {
        registration: server.registration(),
        scopes: super::super::SCOPES.map(str::to_owned).to_vec(),
        login_hint: Some("support@contoso.example".to_owned()),
        select_account: false,
        claims: None,
        words: words(),
        time_limit: Duration::from_secs(20),
    }
}

async fn start(entra: &Entra) -> (SignIn, u16, String) {
    let http = crate::oauth::http::client(&[]).unwrap();
    let sign_in = begin(&http, request(&entra.server)).await.unwrap();
    let link = sign_in.authorize_url().clone();
    let back = Url::parse(&parameter(&link, "redirect_uri").unwrap()).unwrap();
    let state = parameter(&link, "state").unwrap();
    *entra.link.lock().unwrap() = Some(link);
    (sign_in, back.port().unwrap(), state)
}

/// The browser comes back with `query` (and the state); gives its page and the outcome.
async fn come_back(entra: &Entra, query: &str) -> (String, Result<SignedIn, SignInError>) {
    let (sign_in, port, state) = start(entra).await;
    let target = format!("/?{query}&state={state}");
    let browser = tokio::spawn(async move { get(port, &target).await });
    let outcome = sign_in.finish(CancellationToken::new()).await;
    (browser.await.unwrap(), outcome)
}

#[tokio::test]
async fn signs_in_from_the_link_to_the_tokens() {
    let entra = entra(|_| ()).await;
    let (page, outcome) = come_back(&entra, "code=CANARYcode&session_state=s").await;
    let signed_in = outcome.unwrap();
    assert!(
        page.contains("Angemeldet") && page.starts_with("HTTP/1.1 200"),
        "{page}"
    );
    assert_eq!(signed_in.claims.tenant_id, TENANT);
    assert_eq!(signed_in.tokens.refresh.expose_secret(), "CANARYrefresh");
    assert_eq!(
        signed_in.tokens.scopes,
        ["openid", "email", "Mail.ReadWrite", "User.Read"]
    );
    let asked = entra.server.asked();
    assert_eq!(
        asked[0].target,
        "/contoso.example/v2.0/.well-known/openid-configuration"
    );
    assert_eq!(asked[1].field("grant_type").unwrap(), "authorization_code");
    assert_eq!(asked[1].field("code").unwrap(), "CANARYcode");
    let link = entra.link.lock().unwrap().clone().unwrap();
    assert_eq!(
        asked[1].field("redirect_uri"),
        parameter(&link, "redirect_uri")
    );
    assert_eq!(asked[1].field("client_secret"), None);
    assert_eq!(asked[1].header("authorization"), "");
}

#[tokio::test]
async fn the_link_says_what_entra_wants_and_never_forces_consent() {
    let entra = entra(|_| ()).await;
    let (sign_in, port, state) = start(&entra).await;
    let link = sign_in.authorize_url();
    for (name, value) in [
        ("response_type", "code"),
        ("response_mode", "query"),
        ("code_challenge_method", "S256"),
        ("client_id", "11111111-2222-3333-4444-555555555555"),
        (
            "scope",
            "openid offline_access email User.Read Mail.ReadWrite Mail.Send",
        ),
        ("login_hint", "support@contoso.example"),
        (
            "claims",
            r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#,
        ),
    ] {
        assert_eq!(parameter(link, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(
        parameter(link, "redirect_uri").unwrap(),
        format!("http://localhost:{port}")
    );
    assert_eq!(parameter(link, "prompt"), None);
    assert!(state.len() >= 43 && parameter(link, "nonce").unwrap().len() >= 43);
    let http = crate::oauth::http::client(&[]).unwrap();
    let picker = SignInRequest {
        select_account: true,
        ..request(&entra.server)
    };
    let other = begin(&http, picker).await.unwrap();
    assert_eq!(
        parameter(other.authorize_url(), "prompt").as_deref(),
        Some("select_account")
    );
    assert_ne!(parameter(other.authorize_url(), "state").unwrap(), state);
}

#[tokio::test]
async fn a_wrong_state_changes_nothing_and_the_right_one_still_comes_through() {
    let entra = entra(|_| ()).await;
    let (sign_in, port, state) = start(&entra).await;
    let waiting = tokio::spawn(sign_in.finish(CancellationToken::new()));
    for noise in [
        "/?code=x&state=wrong",
        "/?error=access_denied&state=wrong",
        "/?error=access_denied",
    ] {
        assert!(get(port, noise).await.contains("Veraltet"));
    }
    assert!(!waiting.is_finished());
    assert!(
        get(port, &format!("/?code=c&state={state}"))
            .await
            .contains("Angemeldet")
    );
    assert!(waiting.await.unwrap().is_ok());
}

#[tokio::test]
async fn the_page_tells_the_truth_about_a_failure() {
    let entra = entra(|claims| claims["nonce"] = json!("another")).await;
    let (page, outcome) = come_back(&entra, "code=CANARYcode").await;
    assert!(page.contains("Nicht angemeldet"), "{page}");
    assert!(matches!(outcome, Err(SignInError::Invalid("nonce", _))));
}

#[tokio::test]
async fn redirects_with_errors_are_understood() {
    for (query, expected) in [
        (
            "error=access_denied&error_subcode=cancel&error_description=AADSTS65004%3a+User+declined.",
            "AADSTS65004",
        ),
        ("error=access_denied", "access_denied"),
        (
            "admin_consent=True&tenant=x&error=access_denied&error_description=Denied",
            "access_denied",
        ),
        ("error=server_error&code=CANARYcode", "server_error"),
    ] {
        let entra = entra(|_| ()).await;
        let (page, outcome) = come_back(&entra, query).await;
        assert!(page.contains("Nicht angemeldet"), "{query}: {page}");
        match outcome {
            Err(SignInError::Refused { evidence, .. }) => {
                assert_eq!(evidence.code.as_deref(), Some(expected));
                assert!(!evidence.raw.contains("CANARY"), "{}", evidence.raw);
            }
            other => panic!("{query}: {:?}", other.err()),
        }
        assert_eq!(entra.server.asked().len(), 1);
    }
    for (query, expected) in [
        ("admin_consent=True&tenant=x", "admin_consent_without_code"),
        ("nothing=1", "no_code"),
        ("code=", "no_code"),
        ("code=c&iss=https%3A%2F%2Fevil.example%2Fv2.0", "issuer"),
    ] {
        let entra = entra(|_| ()).await;
        let (_, outcome) = come_back(&entra, query).await;
        assert!(
            matches!(outcome, Err(SignInError::Invalid(what, _)) if what == expected),
            "{query}"
        );
    }
}

#[tokio::test]
async fn waiting_ends_by_cancelling_or_in_time_and_closes_the_port() {
    let entra = entra(|_| ()).await;
    let (sign_in, port, _) = start(&entra).await;
    let cancel = CancellationToken::new();
    let waiting = tokio::spawn(sign_in.finish(cancel.clone()));
    cancel.cancel();
    assert!(matches!(
        waiting.await.unwrap(),
        Err(SignInError::Cancelled)
    ));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(
        tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_err()
    );
    let http = crate::oauth::http::client(&[]).unwrap();
    let short = SignInRequest {
        time_limit: Duration::from_millis(30),
        ..request(&entra.server)
    };
    let outcome = begin(&http, short)
        .await
        .unwrap()
        .finish(CancellationToken::new())
        .await;
    assert!(matches!(outcome, Err(SignInError::TimedOut)));
}

#[tokio::test]
async fn discovery_tells_apart_what_is_wrong() {
    let entra = entra(|_| ()).await;
    let http = crate::oauth::http::client(&[]).unwrap();
    let mut registration = entra.server.registration();
    registration.tenant = "nowhere.example".to_owned();
    match discover(&http, &registration).await {
        Err(SignInError::TenantNotFound(evidence)) => {
            assert_eq!(evidence.code.as_deref(), Some("AADSTS90002"));
            assert_eq!(evidence.request_id.as_deref(), Some("t-9"));
        }
        other => panic!("{:?}", other.err()),
    }
    registration.tenant = "evil.example".to_owned();
    assert!(matches!(
        discover(&http, &registration).await,
        Err(SignInError::Invalid("token_endpoint", _))
    ));
    registration.authority = Url::parse("http://127.0.0.1:9/").unwrap();
    assert!(matches!(
        discover(&http, &registration).await,
        Err(SignInError::Offline(_))
    ));
    registration.authority = Url::parse("http://login.contoso.example/").unwrap();
    assert!(matches!(
        discover(&http, &registration).await,
        Err(SignInError::Invalid("authority", _))
    ));
}
