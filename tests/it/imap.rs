//! Reading by IMAP: a real Dovecot over real TLS, and servers that mean harm.

mod after;
mod doctor;
mod exchange;
mod gate;
mod hostile;
mod killed;
mod mailbox;
mod memory;
mod moved;
mod odd;
mod quota;
mod refused;
mod renumbered;
mod rights;
pub mod scripted;
mod scripts;
mod secrets;
mod steps;
mod tokens;

use crate::world::{Guest, MemoryKey, SUPPORT, visitor, wait};
use dovecot::Dovecot;
use mailroom_core::api::error::{ApiError, ErrorCode};
use mailroom_core::api::view::{
    AddressView, CloudInput, ConnectChoices, ConnectRequest, ConnectStage, Opens,
    RegistrationInput, Status,
};
use mailroom_core::api::{self, ImapInput};
use mailroom_core::app::{App, Options};
use mailroom_core::store::addresses::ProviderKind;
use mailroom_core::store::ledger::{LedgerRow, Outcome};
use mailroom_core::sync::Clock;
pub use mailroom_rigs::{Papers, dovecot};
use mailroom_sandbox::Sandbox;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// The real core, trusting one authority beside the system's.
pub struct Desk {
    pub app: Arc<App>,
    folder: TempDir,
}

impl Desk {
    pub async fn new(ca: Option<&str>) -> Self {
        let sandbox = Sandbox::start(mailroom_sandbox::Options::default())
            .await
            .unwrap();
        Self::beside(&sandbox, ca).await
    }

    pub async fn beside(sandbox: &Sandbox, ca: Option<&str>) -> Self {
        Self::at(sandbox, ca, Clock::system()).await
    }

    /// The same with a clock of the test's own.
    pub async fn at(sandbox: &Sandbox, ca: Option<&str>, clock: Clock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let browser = Arc::new(visitor(sandbox.description(), SUPPORT));
        let options = Options {
            extra_roots: ca.map(|pem| pem.as_bytes().to_vec()).into_iter().collect(),
            clock,
            ..crate::world::options(
                folder.path(),
                Arc::new(MemoryKey::default()),
                Arc::new(Guest(Mutex::new(browser))),
            )
        };
        Self {
            app: App::open(options).await.unwrap(),
            folder,
        }
    }

    /// Where it keeps everything.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub async fn connect(
        &self,
        port: u16,
        password: &str,
        folder: Option<&str>,
        newest: Option<u32>,
    ) -> Result<AddressView, ApiError> {
        let input = ImapInput {
            server: format!("127.0.0.1:{port}"),
            login: "support".to_owned(),
            folder: folder.map(str::to_owned),
            ..ImapInput::default()
        };
        let choices = ConnectChoices {
            brand: "Contoso".to_owned(),
            import_newest: newest,
            folder: None,
        };
        api::connect_imap(&self.app, SUPPORT, input, password.into(), choices).await
    }

    /// Connects by signing in through the browser at the sandbox; the mail server takes its tokens.
    pub async fn connect_by_browser(
        &self,
        sandbox: &Sandbox,
        port: u16,
        newest: Option<u32>,
    ) -> AddressView {
        let tenant = sandbox.description();
        let request = ConnectRequest {
            address: SUPPORT.to_owned(),
            opens: Opens::Own,
            registration: Some(RegistrationInput {
                client_id: tenant.client_id.clone(),
                tenant: tenant.tenant.clone(),
                cloud: CloudInput::Custom {
                    authority: tenant.authority.clone(),
                    graph_url: tenant.graph_url.clone(),
                },
            }),
            private_window: false,
            language: "en".to_owned(),
        };
        let input = ImapInput {
            server: format!("127.0.0.1:{port}"),
            login: SUPPORT.to_owned(),
            ..ImapInput::default()
        };
        let attempt = api::begin_connect_imap(&self.app, request, input)
            .await
            .unwrap();
        wait(
            "the sign-in is ready",
            async || match api::connect_attempt(&self.app, &attempt.id).unwrap().stage {
                ConnectStage::Ready { .. } => Some(()),
                ConnectStage::Failed { finding } => panic!("{finding:?}"),
                ConnectStage::Preparing
                | ConnectStage::WaitingForBrowser { .. }
                | ConnectStage::Checking
                | ConnectStage::WrongAccount { .. } => None,
            },
        )
        .await;
        let choices = ConnectChoices {
            brand: "Contoso".to_owned(),
            import_newest: newest,
            folder: None,
        };
        api::finish_connect(&self.app, &attempt.id, choices)
            .await
            .unwrap()
    }

    pub async fn view(&self, id: i64) -> AddressView {
        api::address_details(&self.app, id).await.unwrap().address
    }

    pub async fn ledger(&self, id: i64, outcome: Outcome) -> Vec<LedgerRow> {
        api::ledger(&self.app, id, None, Some(outcome), 0, 500)
            .await
            .unwrap()
    }

    /// Asks for a poll again and again until so many messages are imported.
    pub async fn imported(&self, id: i64, count: usize) {
        wait("the messages are imported", async || {
            api::sync_now(&self.app, Some(id)).await.unwrap();
            (self.ledger(id, Outcome::Imported).await.len() == count).then_some(())
        })
        .await;
    }

    pub async fn verified(&self, id: i64) -> AddressView {
        wait("the address is verified", async || {
            let view = self.view(id).await;
            let done = view
                .import
                .as_ref()
                .is_none_or(|import| import.ended_at.is_some());
            (done && view.status == Status::Verified && view.last_success_at.is_some())
                .then_some(view)
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_the_newest_polls_and_marks_as_read_and_survives_renumbering() {
    let mut server = Dovecot::start().await;
    for number in 0..5 {
        server.deliver("new", &format!("old-{number}@contoso.example"), -86_400);
    }
    let desk = Desk::new(Some(&server.papers.ca)).await;
    let view = desk
        .connect(server.port, dovecot::PASSWORD, None, Some(3))
        .await
        .unwrap();
    let view = desk.verified(view.id).await;
    assert_eq!(view.provider, ProviderKind::Imap);
    assert_eq!(desk.ledger(view.id, Outcome::Imported).await.len(), 3);

    server.deliver("new", "fresh@contoso.example", 1);
    desk.imported(view.id, 4).await;
    wait("imported mail is marked, and no other", async || {
        (server.seen() == 4).then_some(())
    })
    .await;

    // The folder is made anew: all numbers change, and what is here already stays single.
    server.renumber().await;
    server.deliver("new", "after@contoso.example", 1);
    desk.imported(view.id, 5).await;
    let doubles = desk.ledger(view.id, Outcome::Duplicate).await;
    assert!(
        doubles
            .iter()
            .any(|row| row.message_id.as_deref() == Some("fresh@contoso.example")),
        "the renumbered mail was compared: {doubles:?}"
    );

    // The server goes away and comes back.
    server.stop().await;
    wait("the address is offline", async || {
        api::sync_now(&desk.app, Some(view.id)).await.unwrap();
        (desk.view(view.id).await.status == Status::Offline).then_some(())
    })
    .await;
    server.deliver("new", "meanwhile@contoso.example", 1);
    server.run().await;
    desk.imported(view.id, 6).await;
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn says_what_is_wrong_and_connects_nothing() {
    let server = Dovecot::start().await;
    let desk = Desk::new(Some(&server.papers.ca)).await;
    for (password, folder, code) in [
        ("wrong-CANARY", None, "IMAP LOGIN failed"),
        (dovecot::PASSWORD, Some("Nirgendwo & Überall"), "TRYCREATE"),
    ] {
        let error = desk
            .connect(server.port, password, folder, None)
            .await
            .unwrap_err();
        assert_eq!(error.code, ErrorCode::ServerRefused);
        assert!(!format!("{error:?}").contains("CANARY"));
        assert_eq!(error.evidence.unwrap().code.as_deref(), Some(code));
    }
    let stranger = Desk::new(None).await;
    let error = stranger
        .connect(server.port, dovecot::PASSWORD, None, None)
        .await
        .unwrap_err();
    let code = error.evidence.unwrap().code;
    assert_eq!(code.as_deref(), Some("tls_unknown_issuer"));
    for desk in [desk, stranger] {
        assert!(api::list_addresses(&desk.app).await.unwrap().is_empty());
    }
}
