//! The store as its callers use it.

mod diagnosis;
mod opening;
mod plans;
mod searching;
mod tables;
mod transactions;

use super::addresses::{self, NewAddress, ProviderKind};
use super::ledger::{LedgerEntry, Outcome};
use super::messages::{NewMessage, PersonView};
use super::search::Searchable;
use super::tickets::NewTicket;
use super::{Store, accounts};
use crate::account::{EmailAddress, Identity, Registration};
use rusqlite::Connection;

/// 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600_000;

/// A data folder with a store in it.
async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    (folder, store)
}

/// A connection of its own to a new database, for functions that need no threads.
pub(super) fn database() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let connection = super::open::open(folder.path()).unwrap();
    // Nobody pulls the plug on these.
    connection
        .pragma_update(None, "synchronous", "OFF")
        .unwrap();
    (folder, connection)
}

fn identity() -> Identity {
    Identity {
        tenant_id: "tenant".into(),
        object_id: "object".into(),
        login_name: "kim@contoso.example".into(),
        display_name: "Kim".into(),
        primary: EmailAddress::parse("support@contoso.example"),
        aliases: vec![EmailAddress::parse("help@contoso.example").unwrap()],
    }
}

fn registration() -> Registration {
    Registration {
        authority: "https://login.contoso.example/".parse().unwrap(),
        graph_url: "https://graph.contoso.example/".parse().unwrap(),
        tenant: "organizations".into(),
        client_id: "client".into(),
        issuer: None,
    }
}

fn new_address(conn: &Connection, address: &str) -> NewAddress {
    NewAddress {
        address: EmailAddress::parse(address).unwrap(),
        brand: "Contoso".into(),
        sandbox: false,
        provider: ProviderKind::Graph,
        server: None,
        outbound: None,
        account_id: accounts::upsert(conn, &identity(), &registration()).unwrap(),
        mailbox: None,
        folder_path: None,
        folder_id: "inbox".into(),
        folder_name: "Inbox".into(),
        poll_interval_s: 60,
        category: "Mailroom".into(),
        connected_at: NOW,
        cursor: Some("start".into()),
        next_poll_at: Some(NOW),
    }
}

fn address(conn: &Connection, address: &str) -> i64 {
    addresses::insert(conn, &new_address(conn, address)).unwrap()
}

fn person(name: &str, address: &str) -> PersonView {
    PersonView {
        name: name.into(),
        address: address.into(),
    }
}

fn new_ticket(address_id: i64, at: i64) -> NewTicket {
    NewTicket {
        address_id,
        subject: "Subject".into(),
        requester: person("Robin", "robin@fabrikam.example"),
        created_at: at,
        received_at: at,
        ..NewTicket::default()
    }
}

/// A ticket with one message; returns both numbers.
fn ticket(conn: &Connection, address_id: i64, subject: &str, text: &str, at: i64) -> (i64, i64) {
    let mut new = new_ticket(address_id, at);
    new.subject = subject.into();
    let ticket_id = super::tickets::insert(conn, &new).unwrap();
    let message = NewMessage {
        ticket_id,
        address_id,
        subject: subject.into(),
        from: new.requester,
        received_at: at,
        text: text.into(),
        raw: "raw".into(),
        ..NewMessage::default()
    };
    let message_id = super::messages::insert(conn, &message).unwrap();
    index(conn, message_id, &message);
    (ticket_id, message_id)
}

fn index(conn: &Connection, id: i64, message: &NewMessage) {
    let people = std::iter::once(&message.from)
        .chain(&message.to)
        .chain(&message.cc)
        .map(|person| (person.name.as_str(), person.address.as_str()));
    let searchable = Searchable::new(&message.subject, people, &message.text);
    super::search::add(conn, std::iter::once((id, &searchable))).unwrap();
}

fn entry(address_id: i64, server_id: &str, outcome: Outcome) -> LedgerEntry {
    LedgerEntry {
        address_id,
        server_id: server_id.into(),
        message_id: Some(format!("{server_id}@fabrikam.example")),
        subject: "Subject".into(),
        from_address: "robin@fabrikam.example".into(),
        received_at: NOW,
        outcome,
        reason: None,
        stored_message: None,
        recorded_at: NOW,
    }
}
