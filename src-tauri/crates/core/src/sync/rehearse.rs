//! What an import would do, found out by doing it: the same listing, the same fetching, the same transaction,
//! and then the transaction is taken back.

use super::commit::{Batch, commit};
use super::fetch::{FetchResult, Fetched, GROUP, fetch};
use super::poll::empty_batch;
use super::{Context, StepError};
use crate::provider::{Provider, RemoteMessage};
use crate::store::StoreError;
use crate::store::addresses::AddressRow;
use crate::store::ledger::{self, LedgerTotals, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// What an import would give.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct Rehearsal {
    /// Outcomes.
    pub totals: LedgerTotals,
    /// Tickets that would be made.
    pub new_tickets: u32,
    /// Mails that would join a ticket.
    pub joining: u32,
    /// Mails written by machines.
    pub automatic: u32,
}

/// A mail with what would become of it.
#[derive(Debug, Clone)]
pub struct Rehearsed {
    /// As the folder lists it.
    pub listing: RemoteMessage,
    /// What would become of it; of mail that is in the ledger already, what became of it.
    pub outcome: Outcome,
}

/// Rehearses importing the newest `newest` mails.
///
/// # Errors
/// [`StepError`].
pub async fn rehearse(
    context: &Context,
    address: &AddressRow,
    provider: &Provider,
    newest: u32,
) -> Result<Rehearsal, StepError> {
    Ok(rehearse_each(context, address, provider, newest).await?.0)
}

/// As [`rehearse`], with each of the mails, oldest first.
///
/// # Errors
/// [`StepError`].
pub async fn rehearse_each(
    context: &Context,
    address: &AddressRow,
    provider: &Provider,
    newest: u32,
) -> Result<(Rehearsal, Vec<Rehearsed>), StepError> {
    let until = context.clock.now();
    let mut listings = Vec::new();
    let mut seen = BTreeSet::new();
    let mut page: Option<String> = None;
    let wanted = usize::try_from(newest).unwrap_or(usize::MAX);
    while listings.len() < wanted {
        let missing = u32::try_from(wanted - listings.len())
            .unwrap_or(250)
            .min(250);
        let answer = provider
            .newest(&address.folder_id, until, missing, page.as_deref())
            .await?;
        let more = answer.next.is_some() && answer.next != page;
        page = answer.next;
        listings.extend(
            answer
                .messages
                .into_iter()
                .filter(|message| seen.insert(message.server_id.clone())),
        );
        if !more {
            break;
        }
    }
    listings.truncate(wanted);
    listings.reverse();
    let id = address.id;
    let ids: Vec<String> = listings
        .iter()
        .map(|listing| listing.server_id.clone())
        .collect();
    let known = context
        .store
        .read(move |db| ledger::settled(db, id, &ids))
        .await?;
    let found = u32::try_from(listings.len()).unwrap_or(u32::MAX);
    let all = listings.clone();
    let mut fetched: Vec<Fetched> = Vec::new();
    listings.retain(|listing| !known.contains_key(&listing.server_id));
    for group in listings.chunks(GROUP) {
        let group = fetch(provider, address, group.to_vec()).await;
        if let Some(error) = group.stopped {
            return Err(error.into());
        }
        fetched.extend(group.decided);
    }
    let automatic = fetched
        .iter()
        .filter(|fetched| matches!(&fetched.result, FetchResult::Mail { parsed, .. } if parsed.automatic.is_some()))
        .count();
    let here = found - u32::try_from(fetched.len()).unwrap_or(0);
    let (mut rehearsal, outcomes) = try_out(
        context,
        Batch {
            fetched,
            ..empty_batch(context, address)
        },
    )
    .await?;
    rehearsal.totals.add(Outcome::Duplicate, here);
    rehearsal.automatic = u32::try_from(automatic).unwrap_or(u32::MAX);
    let each = all
        .into_iter()
        .map(|listing| {
            let settled = known.get(&listing.server_id).map(|(outcome, _)| *outcome);
            let tried = outcomes.get(&listing.server_id).copied();
            Rehearsed {
                // What was not reached is not decided.
                outcome: settled.or(tried).unwrap_or(Outcome::Failed),
                listing,
            }
        })
        .collect();
    Ok((rehearsal, each))
}

type Tried = (Rehearsal, BTreeMap<String, Outcome>);

/// Commits and takes it back.
async fn try_out(context: &Context, batch: Batch) -> Result<Tried, StepError> {
    let result = Arc::new(Mutex::new(None));
    let seen = result.clone();
    let taken_back = context
        .store
        .write(move |tx| {
            let tickets = |tx: &rusqlite::Connection| {
                tx.query_row("SELECT count(*) FROM tickets", (), |row| {
                    row.get::<_, u32>(0)
                })
            };
            let before = tickets(tx)?;
            let committed = commit(tx, &batch)?;
            let ids: Vec<String> = batch
                .fetched
                .iter()
                .map(|fetched| fetched.listing.server_id.clone())
                .collect();
            let mut rehearsal = Rehearsal {
                new_tickets: tickets(tx)? - before,
                ..Rehearsal::default()
            };
            let mut outcomes = BTreeMap::new();
            for (id, (outcome, ..)) in ledger::known(tx, batch.address_id, &ids)? {
                rehearsal.totals.add(outcome, 1);
                outcomes.insert(id, outcome);
            }
            rehearsal.joining = committed.imported.saturating_sub(rehearsal.new_tickets);
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((rehearsal, outcomes));
            Err::<(), _>(rusqlite::Error::QueryReturnedNoRows)
        })
        .await;
    let rehearsal = result.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (rehearsal, taken_back) {
        (Some(rehearsal), _) => Ok(rehearsal),
        (None, Err(error)) => Err(error.into()),
        (None, Ok(())) => Err(StepError::Store(StoreError::Closed)),
    }
}
