//! Tickets from the newest N mails: first the list, durable, then the mails, oldest first, so that answers
//! find what they answer. The database is the only state: a restart goes on where it stopped.

use super::commit::Batch;
use super::fetch::{FetchResult, Group, fetch};
use super::poll::{empty_batch, write};
use super::{Context, StepError};
use crate::provider::{Provider, ProviderError, RemoteMessage};
use crate::store::addresses::AddressRow;
use crate::store::events::{self, EventKind};
use crate::store::imports::{self, ImportRow, ImportState};
use crate::store::ledger::{self, Outcome};
use futures_util::{StreamExt, stream};
use tokio::sync::{Notify, Semaphore, mpsc};

/// Messages in one slice; between slices the address may poll.
const SLICE: u32 = 2_000;
/// Groups fetched at once.
const IN_FLIGHT: usize = 2;
/// Messages in one transaction at most: what came while the one before was written. The search index takes many at once
/// much faster than one by one.
const TRANSACTION: usize = 400;
/// Groups that wait to be written.
const WAITING: usize = 20;
/// KiB of mail that may wait to be written.
const WAITING_KIB: u32 = 16 * 1024;

/// Does a part of the import. Returns when the part is done, or soon after `wake` when the import was paused
/// or cancelled meanwhile; what was committed stays.
///
/// # Errors
/// [`StepError`]; the next call goes on.
pub(super) async fn advance(
    context: &Context,
    address: &AddressRow,
    import: &ImportRow,
    provider: &Provider,
    wake: &Notify,
) -> Result<(), StepError> {
    match import.state {
        ImportState::Listing => list(context, address, import, provider, wake).await,
        ImportState::Running => run(context, address, import, provider, wake).await,
        ImportState::Paused | ImportState::Cancelled | ImportState::Done => Ok(()),
    }
}

async fn list(
    context: &Context,
    address: &AddressRow,
    import: &ImportRow,
    provider: &Provider,
    wake: &Notify,
) -> Result<(), StepError> {
    let id = import.id;
    let mut page: Option<String> = None;
    loop {
        let have = context.store.read(move |db| imports::items(db, id)).await?;
        let missing = import.newest.saturating_sub(have);
        let mut more = false;
        if missing > 0 {
            let request = provider.newest_ids(
                &address.folder_id,
                import.until,
                provider.page().min(import.newest),
                page.as_deref(),
            );
            let Some(answer) = unless_stopped(context, id, wake, request).await? else {
                return Ok(());
            };
            let answer = answer?;
            if answer.next.is_some() && answer.next == page {
                return Err(ProviderError::Protocol(
                    "endless_pages",
                    crate::diagnosis::Evidence::default(),
                )
                .into());
            }
            page = answer.next;
            more = page.is_some();
            let items: Vec<(String, String)> = answer
                .messages
                .into_iter()
                .filter_map(|message| {
                    let listing = serde_json::to_string(&message).ok()?;
                    Some((message.server_id, listing))
                })
                .collect();
            let missing = usize::try_from(missing).unwrap_or(usize::MAX);
            context
                .store
                .write(move |tx| {
                    // After a restart the listing begins at the newest mail again; what moved meanwhile shifts it.
                    let ids: Vec<String> = items.iter().map(|(id, _)| id.clone()).collect();
                    let listed = imports::listed_among(tx, id, &ids)?;
                    let new: Vec<(String, String)> = items
                        .into_iter()
                        .filter(|(server_id, _)| !listed.contains(server_id))
                        .take(missing)
                        .collect();
                    imports::add_items(tx, id, have, &new)
                })
                .await?;
        }
        if !more {
            context
                .store
                .write(move |tx| imports::mark_listed(tx, id))
                .await?;
            return Ok(());
        }
    }
}

async fn run(
    context: &Context,
    address: &AddressRow,
    import: &ImportRow,
    provider: &Provider,
    wake: &Notify,
) -> Result<(), StepError> {
    let id = import.id;
    let address_id = address.id;
    let started_at = import.started_at;
    let to_do = context
        .store
        .write(move |tx| {
            let items = imports::next_items(tx, id, SLICE)?;
            let ids: Vec<String> = items
                .iter()
                .map(|(_, server_id, _)| server_id.clone())
                .collect();
            let known = ledger::settled(tx, address_id, &ids)?;
            let mut to_do = Vec::new();
            for (_, server_id, listing) in items {
                match known.get(&server_id) {
                    // Polling was faster: it is this import's all the same.
                    Some((outcome, at)) if *at >= started_at => {
                        imports::record_item(tx, id, &server_id, *outcome)?;
                    }
                    Some(_) => imports::record_item(tx, id, &server_id, Outcome::Duplicate)?,
                    None => to_do.push(listing),
                }
            }
            Ok(to_do)
        })
        .await?;
    let listings: Vec<RemoteMessage> = to_do
        .iter()
        .filter_map(|listing| serde_json::from_str(listing).ok())
        .collect();
    let work = fetch_and_store(context, address, id, provider, &listings);
    match unless_stopped(context, id, wake, work).await? {
        Some(done) => done?,
        None => return Ok(()),
    }
    finish(context, address, import).await
}

/// Fetches and writes side by side: a server that answers need not wait for the disk, nor the disk for it.
async fn fetch_and_store(
    context: &Context,
    address: &AddressRow,
    import_id: i64,
    provider: &Provider,
    listings: &[RemoteMessage],
) -> Result<(), StepError> {
    let room = &Semaphore::new(WAITING_KIB as usize);
    let (sender, mut receiver) = mpsc::channel(WAITING);
    let fetching = async move {
        let mut groups = stream::iter(
            listings
                .chunks(provider.group())
                .map(<[RemoteMessage]>::to_vec),
        )
        .map(|group| fetch(provider, address, group))
        .buffered(IN_FLIGHT);
        while let Some(group) = groups.next().await {
            let last = group.stopped.is_some();
            let Ok(taken) = room.acquire_many(kib(&group)).await else {
                break;
            };
            if sender.send((group, taken)).await.is_err() || last {
                break;
            }
        }
        Ok::<_, StepError>(())
    };
    let storing = async {
        while let Some((mut group, mut taken)) = receiver.recv().await {
            while group.decided.len() < TRANSACTION && group.stopped.is_none() {
                let Ok((next, more)) = receiver.try_recv() else {
                    break;
                };
                group.decided.extend(next.decided);
                group.stopped = next.stopped;
                taken.merge(more);
            }
            let batch = Batch {
                fetched: group.decided,
                import_id: Some(import_id),
                ..empty_batch(context, address)
            };
            write(context, batch).await?;
            drop(taken);
            if let Some(error) = group.stopped {
                return Err(error.into());
            }
        }
        Ok(())
    };
    tokio::try_join!(fetching, storing)?;
    Ok(())
}

/// How much of the room for waiting mail a group takes: all of it where it is larger.
fn kib(group: &Group) -> u32 {
    let bytes: usize = group
        .decided
        .iter()
        .map(|fetched| match &fetched.result {
            FetchResult::Mail { raw, .. } => raw.len(),
            FetchResult::Gone | FetchResult::Failed { .. } => 0,
        })
        .sum();
    u32::try_from(bytes / 1024).map_or(WAITING_KIB, |kib| kib.min(WAITING_KIB))
}

async fn finish(
    context: &Context,
    address: &AddressRow,
    import: &ImportRow,
) -> Result<(), StepError> {
    let (id, address_id, now) = (import.id, address.id, context.clock.now());
    context
        .store
        .write(move |tx| {
            let (totals, pending) = imports::totals(tx, id)?;
            let current = imports::current(tx, address_id)?;
            let running =
                current.is_some_and(|row| row.id == id && row.state == ImportState::Running);
            if pending > 0 || !running {
                return Ok(());
            }
            imports::set_state(tx, id, ImportState::Done, now)?;
            let args = [
                ("found", totals.found),
                ("imported", totals.imported),
                ("duplicate", totals.duplicate),
                ("skipped", totals.skipped),
                ("failed", totals.failed),
            ];
            let args = args
                .map(|(name, count)| (name.to_owned(), count.to_string()))
                .into();
            events::add(tx, address_id, now, EventKind::ImportDone, &args)
        })
        .await?;
    Ok(())
}

/// Waits for `work`, but gives it up (`None`) as soon as the import is no longer to run.
async fn unless_stopped<T>(
    context: &Context,
    import_id: i64,
    wake: &Notify,
    work: impl Future<Output = T>,
) -> Result<Option<T>, StepError> {
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return Ok(Some(done)),
            () = wake.notified() => {
                let import = context.store.read(move |db| imports::get(db, import_id)).await?;
                let state = import.map(|import| import.state);
                if !matches!(state, Some(ImportState::Listing | ImportState::Running)) {
                    return Ok(None);
                }
            }
        }
    }
}
