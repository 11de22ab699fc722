//! One poll: the pages of changes since the cursor, each committed with the place after it.

use super::commit::{Batch, Committed, commit};
use super::fetch::{FetchResult, Fetched, GROUP, fetch, fetch_again};
use super::{Context, StepError};
use crate::Millis;
use crate::provider::{Cursor, Provider, ProviderError, RemoteMessage, Then};
use crate::store::addresses::AddressRow;
use crate::store::after_import::{AfterImport, FOR_GOOD};
use crate::store::imports;
use crate::store::ledger::{self, Outcome};
use crate::store::origins::Origin;
use rusqlite::Connection;
use std::collections::BTreeSet;

/// Mail may become visible a little after the time stamp it bears; the first round begins this much earlier.
const OVERLAP: Millis = 10 * 60 * 1000;
/// More pages than this in one poll is a server that goes in circles (50 messages a page).
const MOST_PAGES: u32 = 5_000;
/// Delta rounds with a filter give at most 5,000 messages (Microsoft Graph, "Get incremental changes to
/// messages in a folder"); a new round begins no further back than this many messages.
const ROUND: u32 = 4_000;
/// A message that could not be fetched is tried again after this time.
const FAILED_AGAIN: Millis = 10 * 60 * 1000;

/// What a poll brought.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Polled {
    pub(super) imported: u32,
    pub(super) new_tickets: u32,
}

impl Polled {
    /// Together with what another poll brought.
    pub(super) fn add(&mut self, other: Self) {
        self.imported += other.imported;
        self.new_tickets += other.new_tickets;
    }

    fn count(&mut self, committed: Committed) {
        self.imported += committed.imported;
        self.new_tickets += committed.new_tickets;
    }
}

/// Fetches what is new since the cursor.
///
/// # Errors
/// [`StepError`]; pages committed before the failure stay, and the next poll goes on behind them.
pub(super) async fn poll(
    context: &Context,
    address: &AddressRow,
    provider: &Provider,
) -> Result<Polled, StepError> {
    let mut polled = Polled::default();
    let mut cursor = match &address.cursor {
        Some(cursor) => Cursor(cursor.clone()),
        None => provider.cursor_since(&address.folder_id, first_round(reads_since(address)))?,
    };
    for page in 0..=MOST_PAGES {
        if page == MOST_PAGES {
            return Err(ProviderError::Protocol(
                "endless_pages",
                crate::diagnosis::Evidence::default(),
            )
            .into());
        }
        let changes = provider.changes(&cursor).await?;
        let (wanted, skipped) = sift(context, address, changes.changed).await?;
        let mut groups = wanted.chunks(provider.group()).peekable();
        while let Some(group) = groups.next() {
            let last = groups.peek().is_none() && skipped.is_empty();
            let mut rest = group.to_vec();
            while !rest.is_empty() {
                let group = fetch(provider, address, rest).await;
                rest = group.rest;
                let whole = last && rest.is_empty() && group.stopped.is_none();
                let batch = Batch {
                    fetched: group.decided,
                    cursor: whole.then(|| changes.next.clone()),
                    ..empty_batch(context, address)
                };
                polled.count(write(context, batch).await?);
                if let Some(error) = group.stopped {
                    return Err(error.into());
                }
            }
        }
        if wanted.is_empty() || !skipped.is_empty() {
            let batch = Batch {
                skipped,
                cursor: Some(changes.next.clone()),
                ..empty_batch(context, address)
            };
            polled.count(write(context, batch).await?);
        }
        cursor = changes.next;
        if !changes.more {
            break;
        }
    }
    polled.count(retry_failed(context, address, provider).await?);
    Ok(polled)
}

/// Opens a new round after the server forgot the cursor: everything since the connection is compared with the
/// ledger, so nothing is lost and nothing doubled.
///
/// # Errors
/// [`StepError`].
pub(super) async fn reopen_cursor(
    context: &Context,
    address: &AddressRow,
    provider: &Provider,
) -> Result<(), StepError> {
    let id = address.id;
    let far_enough = context
        .store
        .read(move |db| ledger::received_nth_newest(db, id, ROUND))
        .await?;
    let since = first_round(reads_since(address).max(far_enough.unwrap_or(Millis::MIN)));
    let cursor = provider.cursor_since(&address.folder_id, since)?;
    let origin = Origin::of(address);
    context
        .store
        .write(move |tx| match is_read_at(tx, id, &origin)? {
            true => crate::store::addresses::set_cursor(tx, id, Some(&cursor.0)),
            false => Ok(()),
        })
        .await?;
    Ok(())
}

/// Whether an address is connected and still read where it was when a step began.
pub(super) fn is_read_at(db: &Connection, id: i64, origin: &Origin) -> rusqlite::Result<bool> {
    let row = crate::store::addresses::get(db, id)?;
    Ok(row.is_some_and(|row| is_still(&row, origin)))
}

fn is_still(row: &AddressRow, origin: &Origin) -> bool {
    !row.disconnected && Origin::of(row) == *origin
}

/// Since when the address reads its folder.
fn reads_since(address: &AddressRow) -> Millis {
    address.folder_since.unwrap_or(address.connected_at)
}

fn first_round(connected_at: Millis) -> Millis {
    connected_at.saturating_sub(OVERLAP)
}

/// Splits a page into what is to be fetched and what is left out; messages settled before drop out.
async fn sift(
    context: &Context,
    address: &AddressRow,
    changed: Vec<RemoteMessage>,
) -> Result<(Vec<RemoteMessage>, Vec<(RemoteMessage, &'static str)>), StepError> {
    let id = address.id;
    let (known, listed, oldest_listed, changed) = context
        .store
        .read(move |db| {
            let ids: Vec<String> = changed
                .iter()
                .map(|message| message.server_id.clone())
                .collect();
            let known = ledger::known(db, id, &ids)?;
            let import = imports::current(db, id)?;
            let (listed, oldest) = match &import {
                Some(import) => (
                    imports::listed_among(db, import.id, &ids)?,
                    imports::oldest_listed(db, import.id)?,
                ),
                None => Default::default(),
            };
            let oldest =
                oldest.and_then(|listing| serde_json::from_str::<RemoteMessage>(&listing).ok());
            Ok((
                known,
                listed,
                oldest.map(|message| message.received_at),
                changed,
            ))
        })
        .await?;
    let first_round = address.last_success_at.is_none();
    let mut wanted = Vec::new();
    let mut skipped = Vec::new();
    for message in changed {
        if known.contains_key(&message.server_id) || listed.contains(&message.server_id) {
            continue;
        }
        let older = message.received_at < address.connected_at;
        let belongs_to_import = oldest_listed.is_some_and(|oldest| message.received_at >= oldest);
        if older && first_round && !belongs_to_import {
            skipped.push((message, "before_connection"));
        } else {
            wanted.push(message);
        }
    }
    Ok((wanted, skipped))
}

/// Tries messages again that could not be fetched earlier.
async fn retry_failed(
    context: &Context,
    address: &AddressRow,
    provider: &Provider,
) -> Result<Committed, StepError> {
    let (id, before) = (address.id, context.clock.now() - FAILED_AGAIN);
    let failed = context
        .store
        .read(move |db| ledger::failed_before(db, id, before, u32::try_from(GROUP).unwrap_or(20)))
        .await?;
    if failed.is_empty() {
        return Ok(Committed::default());
    }
    let listings: Vec<RemoteMessage> = failed
        .into_iter()
        .map(|(entry, _)| RemoteMessage {
            server_id: entry.server_id,
            received_at: entry.received_at,
            message_id: entry.message_id,
            subject: entry.subject,
            from: entry.from_address,
            is_read: false,
            categories: Vec::new(),
        })
        .collect();
    let group = fetch_again(provider, listings.clone()).await;
    let mut decided = group.decided;
    let stopped = match group.stopped {
        // The folder was made anew meanwhile: these numbers are void, and what bears them is looked for by its new one.
        Some(ProviderError::CursorExpired(_)) => {
            let had: BTreeSet<String> = decided
                .iter()
                .map(|fetched| fetched.listing.server_id.clone())
                .collect();
            let void = listings
                .into_iter()
                .filter(|listing| !had.contains(&listing.server_id))
                .map(|listing| Fetched {
                    listing,
                    result: FetchResult::Gone,
                });
            decided.extend(void);
            None
        }
        stopped => stopped,
    };
    let batch = Batch {
        fetched: decided,
        ..empty_batch(context, address)
    };
    let committed = write(context, batch).await?;
    match stopped {
        Some(error) => Err(error.into()),
        None => Ok(committed),
    }
}

/// A batch of this address with nothing in it yet.
pub(super) fn empty_batch(context: &Context, address: &AddressRow) -> Batch {
    Batch {
        address_id: address.id,
        origin: Origin::of(address),
        folder_id: address.folder_id.clone(),
        follow: follow(address),
        category: category(address),
        now: context.clock.now(),
        connected_at: address.connected_at,
        import_id: None,
        fetched: Vec::new(),
        skipped: Vec::new(),
        cursor: None,
    }
}

/// The category to put on imported mail, if any.
fn category(address: &AddressRow) -> Option<String> {
    Some(address.category.clone()).filter(|category| !category.is_empty())
}

/// What becomes of imported mail on the server, in the words of the queue of marks; nothing where mail is left untouched.
pub(crate) fn follow(address: &AddressRow) -> Option<String> {
    let then = match (&address.after_import, &address.after_import_folder) {
        (AfterImport::Leave, _) => return None,
        (AfterImport::Read, _) | (AfterImport::Move { .. }, None) => Then::Stay,
        (AfterImport::Move { .. }, Some(folder_id)) => Then::Move {
            folder_id: folder_id.clone(),
        },
        (AfterImport::Delete, Some(folder_id)) if folder_id == FOR_GOOD => Then::Remove,
        (AfterImport::Delete, folder_id) => Then::Delete {
            folder_id: folder_id.clone(),
        },
    };
    serde_json::to_string(&then).ok()
}

/// Commits `batch` and says in the timeline which messages could not be had.
///
/// # Errors
/// [`StepError::Disconnected`] with nothing written if the address was disconnected, or is read elsewhere, meanwhile:
/// these ids mean something else there; [`StepError::Store`].
pub(super) async fn write(context: &Context, batch: Batch) -> Result<Committed, StepError> {
    let committed = context
        .store
        .write(move |tx| {
            let row = crate::store::addresses::get(tx, batch.address_id)?;
            let Some(row) = row.filter(|row| is_still(row, &batch.origin)) else {
                return Ok(None);
            };
            // Somebody may have chosen otherwise since the poll or the import began: what waits for its end would be
            // moved or deleted although they no longer want it.
            let batch = Batch {
                follow: follow(&row),
                category: category(&row),
                ..batch
            };
            let committed = commit(tx, &batch)?;
            for fetched in &batch.fetched {
                if let FetchResult::Failed { code } = &fetched.result {
                    let known = ledger::known(
                        tx,
                        batch.address_id,
                        std::slice::from_ref(&fetched.listing.server_id),
                    )?;
                    let first = known.values().all(|(outcome, _, attempts)| {
                        *outcome == Outcome::Failed && *attempts <= 1
                    });
                    if first {
                        let args = [
                            ("subject".to_owned(), fetched.listing.subject.clone()),
                            ("code".to_owned(), code.clone()),
                        ];
                        crate::store::events::add(
                            tx,
                            batch.address_id,
                            batch.now,
                            crate::store::events::EventKind::MessageFailed,
                            &args.into(),
                        )?;
                    }
                }
            }
            Ok(Some(committed))
        })
        .await?;
    committed.ok_or(StepError::Disconnected)
}
