use super::*;
use crate::Millis;
use crate::account::{EmailAddress, Identity, Registration};
use crate::provider::imap::Trust;
use crate::secrets::{Key, Secrets, SecretsError};
use crate::store::addresses::{NewAddress, ProviderKind};
use crate::store::{Store, accounts};
use crate::sync::{Clock, Connections};
use std::sync::Arc;

const NOW: Millis = 1_767_225_600_000;

struct NoKey;

impl Secrets for NoKey {
    fn load(&self) -> Result<Option<Key>, SecretsError> {
        Ok(None)
    }

    fn save(&self, _key: &Key) -> Result<(), SecretsError> {
        Ok(())
    }

    fn remove(&self) -> Result<(), SecretsError> {
        Ok(())
    }
}

async fn context(folder: &std::path::Path) -> (Context, i64) {
    let store = Store::open(folder).await.unwrap();
    let registration = Registration {
        authority: "https://login.contoso.example/".parse().unwrap(),
        graph_url: "https://graph.contoso.example/".parse().unwrap(),
        tenant: "organizations".into(),
        client_id: "client".into(),
        issuer: None,
    };
    let identity = Identity {
        tenant_id: "tenant".into(),
        object_id: "object".into(),
        login_name: "kim@contoso.example".into(),
        display_name: "Kim".into(),
        primary: None,
        aliases: Vec::new(),
    };
    let id = store
        .write(move |tx| {
            let new = NewAddress {
                address: EmailAddress::parse("support@contoso.example").unwrap(),
                brand: "Contoso".into(),
                sandbox: false,
                provider: ProviderKind::Graph,
                server: None,
                outbound: None,
                account_id: accounts::upsert(tx, &identity, &registration)?,
                mailbox: None,
                folder_path: None,
                folder_id: "inbox".into(),
                folder_name: "Inbox".into(),
                poll_interval_s: 60,
                category: String::new(),
                connected_at: NOW,
                cursor: None,
                next_poll_at: Some(NOW),
            };
            addresses::insert(tx, &new)
        })
        .await
        .unwrap();
    let http = reqwest::Client::new();
    let connections =
        Connections::new(http, Trust::new(Vec::new()), store.clone(), Arc::new(NoKey));
    let (sender, _) = tokio::sync::mpsc::unbounded_channel();
    (
        Context::new(store, connections, Clock::from_fn(|| NOW), sender),
        id,
    )
}

#[tokio::test]
async fn a_step_that_ends_by_a_defect_is_a_failure_with_a_pause_that_everybody_sees() {
    let folder = tempfile::tempdir().unwrap();
    let (context, id) = context(folder.path()).await;
    let row = async || {
        let row = context.store.read(move |db| addresses::get(db, id)).await;
        row.unwrap().unwrap()
    };
    let mut pauses = Vec::new();
    for failures in 1..=3 {
        context
            .store
            .write(move |tx| addresses::request_wake(tx, id))
            .await
            .unwrap();
        context.set_busy(id, true);
        let broken = async {
            if row().await.id == id {
                panic!("a defect")
            }
        };
        assert!(survive(&context, id, broken).await.is_none());
        let row = row().await;
        let cause = row.cause.unwrap();
        assert_eq!(cause.code, "internal_fault");
        assert_eq!(cause.severity, Severity::Failed);
        assert_eq!(row.failures, failures);
        assert_eq!(row.wake_requested, row.wake_served, "nothing comes at once");
        assert!(!context.is_busy(id));
        pauses.push(row.next_poll_at.unwrap() - NOW);
    }
    for (pause, seconds) in pauses.into_iter().zip([15, 30, 60]) {
        assert!((950 * seconds..=1050 * seconds).contains(&pause), "{pause}");
    }
    assert_eq!(survive(&context, id, async { 7 }).await, Some(7));
}
