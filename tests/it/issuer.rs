//! Signing in at an issuer that is not Microsoft's: a certified OpenID provider, and a Dovecot that asks it about tokens.

mod convert;
mod doctor;
mod mechanisms;
mod rig;
mod sending;
mod shared;

use crate::imap::dovecot::Dovecot;
use crate::world::{MemoryKey, SUPPORT, options, wait};
use mailroom_core::api::view::{
    AddressView, ConnectAttempt, ConnectChoices, ConnectRequest, ConnectStage, Opens, ServerKind,
    Station, Status,
};
use mailroom_core::api::{self, ImapInput, IssuerInput};
use mailroom_core::app::{App, Options};
use mailroom_core::diagnosis::Finding;
use mailroom_core::diagnosis::catalogue::Fixer;
use mailroom_core::store::ledger::Outcome;
use rig::{Answer, MAIL, Person, Provider};
use serde_json::json;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

struct Desk {
    provider: Provider,
    server: Dovecot,
    app: Arc<App>,
    person: Arc<Person>,
    _folder: TempDir,
}

impl Desk {
    async fn new() -> Self {
        let provider = Provider::start();
        let server = Dovecot::with_introspection(&provider.introspection()).await;
        Self::beside(provider, server).await
    }

    async fn beside(provider: Provider, server: Dovecot) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let person = Arc::new(Person(Mutex::new(Answer::SignsInAs("support"))));
        let beside = Options {
            extra_roots: vec![server.papers.ca.clone().into_bytes()],
            ..options(
                folder.path(),
                Arc::new(MemoryKey::default()),
                person.clone(),
            )
        };
        Self {
            app: App::open(beside).await.unwrap(),
            provider,
            server,
            person,
            _folder: folder,
        }
    }

    fn input(&self) -> ImapInput {
        ImapInput {
            server: format!("127.0.0.1:{}", self.server.port),
            login: "support".to_owned(),
            issuer: Some(IssuerInput {
                issuer: self.provider.issuer.clone(),
                client_id: "mailroom".to_owned(),
                scopes: ["openid", "offline_access", "email", "profile", "mail"]
                    .map(str::to_owned)
                    .to_vec(),
                parameters: [("resource".to_owned(), MAIL.to_owned())].into(),
            }),
            ..ImapInput::default()
        }
    }

    async fn signed_in(&self, input: ImapInput) -> ConnectAttempt {
        self.signed_in_to(Opens::Own, input).await
    }

    async fn signed_in_to(&self, opens: Opens, input: ImapInput) -> ConnectAttempt {
        let request = ConnectRequest {
            address: SUPPORT.to_owned(),
            opens,
            registration: None,
            private_window: false,
            language: "en".to_owned(),
        };
        let attempt = api::begin_connect_imap(&self.app, request, input)
            .await
            .unwrap();
        self.decided(&attempt.id).await
    }

    async fn decided(&self, id: &str) -> ConnectAttempt {
        wait("the sign-in comes to a decision", async || {
            let attempt = api::connect_attempt(&self.app, id).unwrap();
            let open = matches!(
                attempt.stage,
                ConnectStage::Preparing
                    | ConnectStage::WaitingForBrowser { .. }
                    | ConnectStage::Checking
            );
            (!open).then_some(attempt)
        })
        .await
    }

    async fn connect(&self, newest: Option<u32>) -> AddressView {
        let attempt = self.signed_in(self.input()).await;
        let ConnectStage::Ready { identity, .. } = &attempt.stage else {
            panic!("{:?}", attempt.stage);
        };
        assert_eq!(identity.login_name, "support");
        self.finish(&attempt, newest).await
    }

    async fn finish(&self, attempt: &ConnectAttempt, newest: Option<u32>) -> AddressView {
        let choices = ConnectChoices {
            brand: "Contoso".to_owned(),
            import_newest: newest,
            folder: None,
        };
        api::finish_connect(&self.app, &attempt.id, choices)
            .await
            .unwrap()
    }

    async fn view(&self, id: i64) -> AddressView {
        api::address_details(&self.app, id).await.unwrap().address
    }

    async fn imported(&self, id: i64, count: u32) {
        wait("the messages are imported", async || {
            api::sync_now(&self.app, Some(id)).await.unwrap();
            let rows = api::ledger(&self.app, id, None, Some(Outcome::Imported), 0, 500).await;
            (rows.unwrap().len() == count as usize).then_some(())
        })
        .await;
    }

    /// Sessions that are open keep what their token allowed; a server that starts again asks anew.
    async fn restart_server(&mut self) {
        self.server.stop().await;
        self.server.run().await;
    }

    async fn failure(&self, input: ImapInput) -> Finding {
        let stage = self.signed_in(input).await.stage;
        let ConnectStage::Failed { finding } = stage else {
            panic!("{stage:?}");
        };
        finding
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signs_in_reads_the_newest_and_renews_tokens_by_itself() {
    let mut desk = Desk::new().await;
    for number in 0..300 {
        desk.server
            .deliver("new", &format!("old-{number}@contoso.example"), -86_400);
    }
    let view = desk.connect(Some(300)).await;
    desk.imported(view.id, 300).await;

    let servers = api::servers(&desk.app, Some(view.id)).await.unwrap();
    let [inbound] = servers.as_slice() else {
        panic!("{servers:?}");
    };
    assert_eq!(inbound.issuer.as_ref(), Some(&desk.provider.issuer));
    assert_eq!(
        (inbound.kind, inbound.port, inbound.user.as_str()),
        (ServerKind::Imap, desk.server.port, "support")
    );
    assert!(inbound.enabled && inbound.from.is_empty());
    let results = api::try_servers(&desk.app, view.id).await.unwrap();
    assert!(
        results.iter().all(|result| result.finding.is_none()),
        "{results:?}"
    );

    // The token that is out is refused, though by its time it is still good.
    let before = desk.provider.renewals().await;
    desk.provider.set(json!({"revoke": "tokens"})).await;
    desk.restart_server().await;
    desk.server.deliver("new", "fresh@contoso.example", 1);
    desk.imported(view.id, 301).await;
    assert_eq!(desk.provider.renewals().await, before + 1);
    wait("the address is verified", async || {
        (desk.view(view.id).await.status == Status::Verified).then_some(())
    })
    .await;
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_stops_at_the_token_where_the_server_takes_none_and_is_green_when_it_does() {
    let mut desk = Desk::new().await;
    let view = desk.connect(None).await;
    let check = async |desk: &Desk| {
        let map = api::check_address(&desk.app, view.id, None).await.unwrap();
        let failed = map.first_failed().cloned();
        failed.map(|view| (view.station, view.finding.unwrap()))
    };
    assert!(check(&desk).await.is_none());

    // A token that has ended is renewed by itself: nothing to be seen.
    desk.provider.set(json!({"revoke": "tokens"})).await;
    desk.restart_server().await;
    assert!(check(&desk).await.is_none());

    // The server wants tokens for somebody else.
    desk.provider
        .set(json!({"audience": "https://files.contoso.example"}))
        .await;
    desk.restart_server().await;
    let (station, finding) = check(&desk).await.unwrap();
    assert_eq!(station, Station::Token);
    assert_eq!(finding.code, "IMAP AUTHENTICATE failed");
    let card = api::explain(&desk.app, &finding.code, &finding.args, "en");
    assert!(card.fixers.contains(&Fixer::AppOwner), "{card:?}");
    // As for an attempt to connect anew.
    let attempt = api::reconnect_address(&desk.app, view.id, false, "en")
        .await
        .unwrap();
    let stage = desk.decided(&attempt.id).await.stage;
    assert!(matches!(stage, ConnectStage::Failed { .. }), "{stage:?}");
    let map = api::check_attempt(&desk.app, &attempt.id).await.unwrap();
    assert_eq!(map.first_failed().unwrap().station, Station::Token);
    api::cancel_connect(&desk.app, &attempt.id).unwrap();
    desk.provider.set(json!({"audience": MAIL})).await;
    desk.restart_server().await;
    assert!(check(&desk).await.is_none());
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn short_lived_tokens_are_renewed_before_they_end() {
    let mut desk = Desk::new().await;
    desk.provider.set(json!({"accessTokenTtl": 2})).await;
    let view = desk.connect(None).await;
    for number in 0..3 {
        let before = desk.provider.renewals().await;
        wait("no token is good any more", async || {
            (desk.provider.set(json!({})).await["alive"] == 0).then_some(())
        })
        .await;
        desk.restart_server().await;
        let id = format!("late-{number}@contoso.example");
        desk.server.deliver("new", &id, 1);
        desk.imported(view.id, number + 1).await;
        assert!(desk.provider.renewals().await > before);
    }
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_sign_in_asks_for_another_one_which_fetches_what_came_meanwhile() {
    let mut desk = Desk::new().await;
    let view = desk.connect(None).await;
    desk.server.deliver("new", "first@contoso.example", 1);
    desk.imported(view.id, 1).await;

    desk.provider.set(json!({"revoke": "all"})).await;
    desk.restart_server().await;
    let cause = wait("the revoked sign-in shows", async || {
        api::sync_now(&desk.app, Some(view.id)).await.unwrap();
        // While the server starts again, nobody is there.
        let cause = desk.view(view.id).await.cause;
        cause.filter(|cause| cause.code != "offline")
    })
    .await;
    assert_eq!(cause.code, "invalid_grant");
    assert!(cause.sign_in_again);
    let map = api::check_address(&desk.app, view.id, None).await.unwrap();
    let failed = map.first_failed().unwrap();
    let code = failed.finding.as_ref().map(|finding| finding.code.as_str());
    assert_eq!(
        (failed.station, code),
        (Station::Token, Some("invalid_grant"))
    );

    desk.server.deliver("new", "meanwhile@contoso.example", 1);
    let again = api::reconnect_address(&desk.app, view.id, false, "en")
        .await
        .unwrap();
    let stage = desk.decided(&again.id).await.stage;
    assert!(matches!(stage, ConnectStage::Ready { .. }), "{stage:?}");
    let choices = ConnectChoices {
        brand: "Contoso".to_owned(),
        import_newest: None,
        folder: None,
    };
    api::finish_connect(&desk.app, &again.id, choices)
        .await
        .unwrap();
    desk.imported(view.id, 2).await;
    desk.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_is_noticed_before_the_mail_server_hears_of_them() {
    let mut desk = Desk::new().await;
    // A server that is away would be noticed if it were asked.
    desk.server.stop().await;
    *desk.person.0.lock().unwrap() = Answer::SignsInAs("kim");
    let stage = desk.signed_in(desk.input()).await.stage;
    let ConnectStage::WrongAccount {
        asked, signed_in, ..
    } = stage
    else {
        panic!("{stage:?}");
    };
    assert_eq!((asked.as_str(), signed_in.as_str()), ("support", "kim"));
}

#[tokio::test(flavor = "multi_thread")]
async fn says_what_is_wrong_with_the_issuer_the_scope_or_the_audience() {
    let desk = Desk::new().await;
    let with = |change: &dyn Fn(&mut IssuerInput)| {
        let mut input = desk.input();
        change(input.issuer.as_mut().unwrap());
        input
    };
    let nothing_there = with(&|issuer| issuer.issuer.push_str("/realm"));
    assert_eq!(desk.failure(nothing_there).await.code, "issuer_not_found");
    let slash = with(&|issuer| issuer.issuer.push('/'));
    let finding = desk.failure(slash).await;
    assert_eq!(finding.code, "issuer_unfit");
    assert_eq!(finding.args["what"], "issuer");

    // A token with another scope is one that the server does not take.
    let other = with(&|issuer| *issuer.scopes.last_mut().unwrap() = "other".to_owned());
    assert_eq!(desk.failure(other).await.code, "IMAP AUTHENTICATE failed");
    desk.provider
        .set(json!({"audience": "https://files.contoso.example"}))
        .await;
    let finding = desk.failure(desk.input()).await;
    assert_eq!(finding.code, "IMAP AUTHENTICATE failed");

    *desk.person.0.lock().unwrap() = Answer::Cancels;
    assert_eq!(desk.failure(desk.input()).await.code, "access_denied");
    assert!(api::list_addresses(&desk.app).await.unwrap().is_empty());
}
