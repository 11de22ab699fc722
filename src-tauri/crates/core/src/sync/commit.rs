//! One transaction: messages, tickets, ledger, the marks to make, the import's items and the cursor.

use super::fetch::{FetchResult, Fetched};
use crate::Millis;
use crate::import::{ParsedMail, thread};
use crate::provider::{Cursor, RemoteMessage};
use crate::store::ledger::{self, LedgerEntry, Outcome};
use crate::store::messages::{self, NewAttachment, NewMessage, PersonView};
use crate::store::origins::Origin;
use crate::store::search::{self, Searchable};
use crate::store::tickets::{self, NewTicket};
use crate::store::{addresses, after_import, imports, marks, own_tests};
use rusqlite::{Connection, Result};

/// What is decided together.
pub(super) struct Batch {
    pub(super) address_id: i64,
    /// Where it was read.
    pub(super) origin: Origin,
    /// The folder that this mail was read from.
    pub(super) folder_id: String,
    /// Category to put on imported mail.
    pub(super) category: Option<String>,
    /// What becomes of imported mail on the server: nothing at all, or what follows the marks.
    pub(super) follow: Option<String>,
    pub(super) now: Millis,
    /// Mail received before this is older than the connection: its tickets run no triggers.
    pub(super) connected_at: Millis,
    /// The import that these are items of.
    pub(super) import_id: Option<i64>,
    pub(super) fetched: Vec<Fetched>,
    /// Messages left out on purpose, with the reason.
    pub(super) skipped: Vec<(RemoteMessage, &'static str)>,
    /// Where polling goes on.
    pub(super) cursor: Option<Cursor>,
}

/// What a batch brought.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Committed {
    pub(super) imported: u32,
    /// Tickets that triggers run on.
    pub(super) new_tickets: u32,
}

/// Writes `batch` within the caller's transaction. Repeating a batch changes nothing.
pub(super) fn commit(tx: &Connection, batch: &Batch) -> Result<Committed> {
    let mut committed = Committed::default();
    let mut stored = Vec::new();
    let ids: Vec<String> = batch
        .fetched
        .iter()
        .map(|fetched| fetched.listing.server_id.clone())
        .collect();
    let known = ledger::known(tx, batch.address_id, &ids)?;
    let movers = after_import::moving_to(tx, batch.address_id, &batch.folder_id)?;
    for fetched in &batch.fetched {
        let settled = known
            .get(&fetched.listing.server_id)
            .filter(|(outcome, ..)| matches!(outcome, Outcome::Imported | Outcome::Duplicate));
        let outcome = match settled {
            Some(_) => Outcome::Duplicate,
            None => record(tx, batch, &movers, fetched, &mut committed, &mut stored)?,
        };
        if let Some(import_id) = batch.import_id {
            imports::record_item(tx, import_id, &fetched.listing.server_id, outcome)?;
        }
    }
    for (listing, reason) in &batch.skipped {
        ledger::record(
            tx,
            &entry(batch, listing, None, Outcome::Skipped, Some(reason), None),
        )?;
    }
    if let Some(cursor) = &batch.cursor {
        addresses::set_cursor(tx, batch.address_id, Some(&cursor.0))?;
    }
    search::add(tx, stored.into_iter())?;
    Ok(committed)
}

/// `movers` are addresses that move mail to this folder once it has its ticket.
fn record<'a>(
    tx: &Connection,
    batch: &Batch,
    movers: &[i64],
    fetched: &'a Fetched,
    committed: &mut Committed,
    stored: &mut Vec<(i64, &'a Searchable)>,
) -> Result<Outcome> {
    let listing = &fetched.listing;
    match &fetched.result {
        FetchResult::Gone => {
            ledger::record(
                tx,
                &entry(batch, listing, None, Outcome::Skipped, Some("gone"), None),
            )?;
            Ok(Outcome::Skipped)
        }
        FetchResult::Failed { code } => {
            ledger::record(
                tx,
                &entry(batch, listing, None, Outcome::Failed, Some(code), None),
            )?;
            Ok(Outcome::Failed)
        }
        FetchResult::Mail { parsed, .. } if is_own_test(tx, batch.address_id, listing, parsed)? => {
            ledger::record(
                tx,
                &entry(
                    batch,
                    listing,
                    Some(parsed),
                    Outcome::Skipped,
                    Some("own_test"),
                    None,
                ),
            )?;
            Ok(Outcome::Skipped)
        }
        FetchResult::Mail {
            raw,
            parsed,
            searchable,
        } => {
            let same = match &parsed.fingerprint {
                Some(fingerprint) => std::iter::once(&batch.address_id)
                    .chain(movers)
                    .find_map(|id| messages::find_fingerprint(tx, *id, fingerprint).transpose())
                    .transpose()?,
                None => None,
            };
            if let Some((message, _)) = same {
                // The ticket's own mail is the other one: this one is marked, but never taken away.
                mark(tx, batch, listing, marks::STAY)?;
                ledger::record(
                    tx,
                    &entry(
                        batch,
                        listing,
                        Some(parsed),
                        Outcome::Duplicate,
                        Some("same_mail"),
                        Some(message),
                    ),
                )?;
                return Ok(Outcome::Duplicate);
            }
            let new = new_message(tx, batch, listing, raw, parsed, committed)?;
            let message = messages::insert(tx, &new)?;
            stored.push((message, searchable));
            mark(
                tx,
                batch,
                listing,
                batch.follow.as_deref().unwrap_or_default(),
            )?;
            ledger::record(
                tx,
                &entry(
                    batch,
                    listing,
                    Some(parsed),
                    Outcome::Imported,
                    None,
                    Some(message),
                ),
            )?;
            committed.imported += 1;
            Ok(Outcome::Imported)
        }
    }
}

/// Queues the mark of a message, unless mail is left untouched.
fn mark(tx: &Connection, batch: &Batch, listing: &RemoteMessage, follow: &str) -> Result<()> {
    if batch.follow.is_none() {
        return Ok(());
    }
    let mark = marks::NewMark {
        folder_id: &batch.folder_id,
        server_id: &listing.server_id,
        category: batch.category.as_deref(),
        follow,
    };
    marks::add(tx, batch.address_id, &mark)
}

/// Whether this is a mail that Mailroom sent to prove a connection; notes that it is there. A poll may see it before
/// whoever waits for it does.
fn is_own_test(
    tx: &Connection,
    address_id: i64,
    listing: &RemoteMessage,
    parsed: &ParsedMail,
) -> Result<bool> {
    let Some(test) = own_tests::find(tx, parsed.message_id.as_deref(), &parsed.subject)? else {
        return Ok(false);
    };
    own_tests::seen(tx, test, address_id, listing.received_at)?;
    Ok(true)
}

/// The mail as it is kept, on the ticket that it belongs to; a new ticket where there is none.
fn new_message(
    tx: &Connection,
    batch: &Batch,
    listing: &RemoteMessage,
    raw: &bytes::Bytes,
    parsed: &ParsedMail,
    committed: &mut Committed,
) -> Result<NewMessage> {
    let imported = listing.received_at < batch.connected_at;
    let automatic = parsed
        .automatic
        .map(|automatic| automatic.word().to_owned());
    let parents = thread::parents(parsed);
    let own_id = parsed.message_id.as_deref();
    let ticket = match messages::find_ticket(tx, batch.address_id, own_id, &parents)? {
        Some(ticket) => ticket,
        None => {
            if !imported {
                committed.new_tickets += 1;
            }
            tickets::insert(
                tx,
                &NewTicket {
                    address_id: batch.address_id,
                    subject: parsed.subject.clone(),
                    requester: person(&parsed.from),
                    created_at: batch.now,
                    received_at: listing.received_at,
                    imported,
                    automatic: automatic.clone(),
                },
            )?
        }
    };
    Ok(NewMessage {
        ticket_id: ticket,
        address_id: batch.address_id,
        message_id: parsed.message_id.clone(),
        references: parents,
        fingerprint: parsed.fingerprint,
        subject: parsed.subject.clone(),
        from: person(&parsed.from),
        to: parsed.to.iter().map(person).collect(),
        cc: parsed.cc.iter().map(person).collect(),
        reply_to: parsed.reply_to.as_ref().map(person),
        received_at: listing.received_at,
        sent_at: parsed.sent_at,
        text: parsed.text.clone(),
        has_html: parsed.has_html,
        automatic,
        damage: parsed.damage.iter().map(ToString::to_string).collect(),
        imported,
        raw: raw.clone(),
        attachments: parsed
            .attachments
            .iter()
            .map(|attachment| NewAttachment {
                part: attachment.part,
                name: attachment.name.clone(),
                media_type: attachment.media_type.clone(),
                size: attachment.size,
                content_id: attachment.content_id.clone(),
                inline: attachment.inline,
            })
            .collect(),
    })
}

fn person(person: &crate::import::Person) -> PersonView {
    PersonView {
        name: person.name.clone(),
        address: person.address.clone(),
    }
}

fn entry(
    batch: &Batch,
    listing: &RemoteMessage,
    parsed: Option<&ParsedMail>,
    outcome: Outcome,
    reason: Option<&str>,
    stored_message: Option<i64>,
) -> LedgerEntry {
    LedgerEntry {
        address_id: batch.address_id,
        server_id: listing.server_id.clone(),
        message_id: parsed.map_or_else(
            || listing.message_id.clone(),
            |parsed| parsed.message_id.clone(),
        ),
        subject: parsed.map_or_else(|| listing.subject.clone(), |parsed| parsed.subject.clone()),
        from_address: parsed.map_or_else(
            || listing.from.clone(),
            |parsed| parsed.from.address.clone(),
        ),
        received_at: listing.received_at,
        outcome,
        reason: reason.map(Into::into),
        stored_message,
        recorded_at: batch.now,
    }
}
