//! A token that opens Exchange Online is shown to Microsoft's servers only, whatever host was typed.

use crate::imap::Desk;
use crate::world::SUPPORT;
use mailroom_core::account::{EmailAddress, ImapAuth, ImapServer, Registration, SmtpServer, Tls};
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{CloudInput, ConnectRequest, Opens, RegistrationInput};
use mailroom_core::api::{self, ImapInput, IssuerInput};
use mailroom_core::oauth::tokens::{TokenRecords, TokenSet, Tokens};
use mailroom_core::provider::imap::{Credentials, ImapMailbox, Patience, Trust};
use mailroom_core::provider::smtp::SmtpSender;
use mailroom_core::provider::{Provider, ProviderError};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A sign-in that is fresh for ever.
struct Fresh;

impl TokenRecords for Fresh {
    fn load(&self) -> Boxed<'_, Result<Option<TokenSet>, String>> {
        Box::pin(async {
            Ok(Some(TokenSet {
                access: "CANARY".into(),
                expires_at: i64::MAX / 4,
                refresh: "CANARY".into(),
                scopes: vec!["IMAP.AccessAsUser.All".into(), "SMTP.Send".into()],
            }))
        })
    }

    fn save<'a>(&'a self, _: &'a TokenSet) -> Boxed<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

/// A port, and how often somebody called there.
async fn strange_server() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (port, calls)
}

fn tokens_of(authority: &str) -> Tokens {
    let registration = Registration {
        authority: authority.parse().unwrap(),
        graph_url: "https://outlook.office.com/".parse().unwrap(),
        tenant: "organizations".into(),
        client_id: "c".into(),
        issuer: None,
    };
    Tokens::new(reqwest::Client::new(), registration, Arc::new(Fresh))
}

#[tokio::test]
async fn no_line_is_opened_to_a_strange_server_with_a_token_of_microsofts() {
    let (port, calls) = strange_server().await;
    let own = EmailAddress::parse(SUPPORT).unwrap();
    let look = async |authority: &str| {
        let credentials = || Credentials::Tokens(tokens_of(authority));
        let imap = ImapServer {
            host: "127.0.0.1".into(),
            port,
            tls: Tls::StartTls,
            login: SUPPORT.into(),
            auth: ImapAuth::Token,
        };
        let smtp = SmtpServer {
            host: imap.host.clone(),
            port,
            tls: Tls::StartTls,
            login: SUPPORT.into(),
            auth: ImapAuth::Token,
            from: Vec::new(),
        };
        let trust = Arc::new(Trust::new(Vec::new()));
        let patience = Patience::default();
        let mailbox = ImapMailbox::new(imap, None, credentials(), trust.clone(), patience);
        let sender = SmtpSender::new(smtp, own.clone(), credentials(), trust);
        let read = Provider::Imap(mailbox).folder(None).await.map(drop);
        [read, sender.verify().await.map(drop)]
    };
    for refused in look("https://login.microsoftonline.com/").await {
        let Err(ProviderError::Untrusted(evidence)) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(evidence.code.as_deref(), Some("token_not_for_server"));
        assert!(!format!("{evidence:?}").contains("CANARY"));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    // A test's cloud has servers of its own: the call is made and hung up.
    for refused in look("http://127.0.0.1:9/").await {
        assert!(
            matches!(refused, Err(ProviderError::Offline(_))),
            "{refused:?}"
        );
    }
    assert!(calls.load(Ordering::SeqCst) >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_none_of_microsofts_is_refused_before_anybody_signs_in() {
    let desk = Desk::new(None).await;
    let request = |cloud: CloudInput| ConnectRequest {
        address: SUPPORT.to_owned(),
        opens: Opens::Own,
        registration: Some(RegistrationInput {
            client_id: "12345678-1234-1234-1234-123456789abc".to_owned(),
            tenant: "contoso.example".to_owned(),
            cloud,
        }),
        private_window: false,
        language: "en".to_owned(),
    };
    let input = |server: &str, issuer: Option<IssuerInput>| ImapInput {
        server: server.to_owned(),
        login: SUPPORT.to_owned(),
        issuer,
        ..ImapInput::default()
    };
    let entra = IssuerInput {
        issuer: "https://login.microsoftonline.com/contoso.example/v2.0".to_owned(),
        client_id: "c".to_owned(),
        scopes: vec!["https://outlook.office.com/IMAP.AccessAsUser.All".to_owned()],
        ..IssuerInput::default()
    };
    for (cloud, host, issuer, expected) in [
        (
            CloudInput::Global,
            "outlook.office356.com",
            None,
            "outlook.office365.com",
        ),
        (
            CloudInput::UsGov,
            "outlook.office365.com",
            None,
            "outlook.office365.us",
        ),
        (
            CloudInput::China,
            "outlook.office365.com",
            None,
            "partner.outlook.cn",
        ),
        (
            CloudInput::Global,
            "mail.contoso.example",
            Some(entra),
            "outlook.office365.com",
        ),
    ] {
        let refused = api::begin_connect_imap(&desk.app, request(cloud), input(host, issuer))
            .await
            .unwrap_err();
        assert_eq!(refused.code, ErrorCode::NotExchange, "{host}");
        assert_eq!(refused.args["value"], host);
        assert_eq!(refused.args["expected"], expected);
    }
    desk.app.close().await;
}
