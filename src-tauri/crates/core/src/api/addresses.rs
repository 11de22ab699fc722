//! Addresses: the list, one in detail, and what can be done to it.

use super::error::{ApiError, ErrorCode};
use super::view::{AddressDetails, AddressSettings, AddressView};
use crate::app::{self, App};
use crate::store::accounts::AccountRow;
use crate::store::addresses::AddressRow;
use crate::store::events::{self, EventKind};
use crate::store::{accounts, addresses, brands};
use rusqlite::Transaction;
use std::collections::BTreeMap;

/// Seconds between polls that may be chosen.
const INTERVALS: std::ops::RangeInclusive<u32> = 15..=86_400;

/// All addresses.
///
/// # Errors
/// The database cannot be read, as everywhere here.
pub async fn list_addresses(app: &App) -> Result<Vec<AddressView>, ApiError> {
    Ok(app::address_views(app).await?)
}

/// Everything about one address.
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub async fn address_details(app: &App, id: i64) -> Result<AddressDetails, ApiError> {
    app::address_details(app, id).await?.ok_or_else(not_found)
}

/// The id of an address as written, whatever its case.
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub async fn find_address(app: &App, address: &str) -> Result<i64, ApiError> {
    let key = address.trim().to_lowercase();
    let row = app
        .context
        .store
        .read(move |db| addresses::by_key(db, &key))
        .await?;
    row.map(|row| row.id)
        .ok_or_else(|| not_found().arg("value", address))
}

/// Names of all brands.
///
/// # Errors
/// The database cannot be read.
pub async fn list_brands(app: &App) -> Result<Vec<String>, ApiError> {
    Ok(app.context.store.read(brands::list).await?)
}

/// Changes an address's settings.
///
/// # Errors
/// [`ErrorCode::OutOfRange`], [`ErrorCode::NotFound`].
pub async fn save_address_settings(
    app: &App,
    id: i64,
    settings: AddressSettings,
) -> Result<(), ApiError> {
    if !INTERVALS.contains(&settings.poll_interval_s) {
        return Err(ApiError::new(ErrorCode::OutOfRange)
            .arg("value", settings.poll_interval_s)
            .arg("least", INTERVALS.start())
            .arg("most", INTERVALS.end()));
    }
    let brand = brand_name(&settings.brand)?;
    let category = settings.category.trim().to_owned();
    change(app, id, EventKind::SettingsChanged, move |tx, now| {
        addresses::set_settings(tx, id, &brand, settings.poll_interval_s, &category)?;
        brands::remove_unused(tx)?;
        addresses::set_next_poll(tx, id, Some(now))
    })
    .await
}

/// Polls one address, or all, as soon as the server allows; whichever process polls does it.
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub async fn sync_now(app: &App, id: Option<i64>) -> Result<(), ApiError> {
    let found = app
        .context
        .store
        .write(move |tx| {
            let mut found = false;
            for row in addresses::all(tx)? {
                if !row.disconnected && id.is_none_or(|id| id == row.id) {
                    addresses::request_wake(tx, row.id)?;
                    found = true;
                }
            }
            Ok(found || id.is_none())
        })
        .await?;
    app.context.nudge.notify_one();
    if found { Ok(()) } else { Err(not_found()) }
}

/// Stops polling and importing until [`resume_address`].
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub async fn pause_address(app: &App, id: i64) -> Result<(), ApiError> {
    change(app, id, EventKind::Paused, move |tx, _| {
        addresses::set_paused(tx, id, true)
    })
    .await
}

/// Polls again, from where it stopped.
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub async fn resume_address(app: &App, id: i64) -> Result<(), ApiError> {
    change(app, id, EventKind::Resumed, move |tx, now| {
        addresses::set_paused(tx, id, false)?;
        addresses::set_next_poll(tx, id, Some(now))
    })
    .await
}

/// Stops using the mailbox and forgets the sign-in, unless another address uses it too. Tickets, ledger and the
/// cursor stay, so that signing in again fetches everything that arrived meanwhile.
///
/// # Errors
/// [`ErrorCode::DefaultAddress`] while other addresses exist, [`ErrorCode::NotFound`].
pub async fn disconnect_address(app: &App, id: i64) -> Result<(), ApiError> {
    let rows = app.context.store.read(addresses::all).await?;
    let row = rows.iter().find(|row| row.id == id).ok_or_else(not_found)?;
    let others = rows
        .iter()
        .any(|other| other.id != id && !other.disconnected);
    if row.is_default && others {
        return Err(ApiError::new(ErrorCode::DefaultAddress).arg("value", &row.address));
    }
    let account = row.account_id;
    let shared = rows
        .iter()
        .any(|other| other.id != id && !other.disconnected && other.account_id == account);
    change(app, id, EventKind::Disconnected, move |tx, _| {
        addresses::set_disconnected(tx, id, true)?;
        if !shared {
            accounts::forget_tokens(tx, account)?;
        }
        Ok(())
    })
    .await?;
    if !shared {
        app.context.connections.forget(account);
    }
    Ok(())
}

/// Makes this the address that mail without another sender leaves from.
///
/// # Errors
/// [`ErrorCode::WrongState`] unless it has been read successfully, [`ErrorCode::NotFound`].
pub async fn make_default(app: &App, id: i64) -> Result<(), ApiError> {
    let row = app
        .context
        .store
        .read(move |db| addresses::get(db, id))
        .await?
        .ok_or_else(not_found)?;
    if row.disconnected || row.cause.is_some() || row.last_success_at.is_none() {
        return Err(ApiError::new(ErrorCode::WrongState).arg("value", &row.address));
    }
    app.context
        .store
        .write(move |tx| addresses::make_default(tx, id))
        .await?;
    app.context.nudge.notify_one();
    Ok(())
}

/// A brand's name, tidied; empty takes the first brand's default name.
pub(super) fn brand_name(text: &str) -> Result<String, ApiError> {
    let name: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() || name.chars().count() > 80 {
        return Err(ApiError::new(ErrorCode::OutOfRange)
            .arg("value", name)
            .arg("least", 1)
            .arg("most", 80));
    }
    Ok(name)
}

/// Changes an address in one transaction with an entry in its timeline, and lets its task look again.
async fn change(
    app: &App,
    id: i64,
    kind: EventKind,
    act: impl FnOnce(&Transaction<'_>, crate::Millis) -> rusqlite::Result<()> + Send + 'static,
) -> Result<(), ApiError> {
    let now = app.context.clock.now();
    let found = app
        .context
        .store
        .write(move |tx| {
            if addresses::get(tx, id)?.is_none() {
                return Ok(false);
            }
            act(tx, now)?;
            events::add(tx, id, now, kind, &BTreeMap::new())?;
            Ok(true)
        })
        .await?;
    app.context.nudge.notify_one();
    if found { Ok(()) } else { Err(not_found()) }
}

/// An address's row with the account that signed in.
pub(super) async fn row_and_account(
    app: &App,
    id: i64,
) -> Result<(AddressRow, AccountRow), ApiError> {
    let found = app.context.store.read(move |db| {
        let Some(row) = addresses::get(db, id)? else {
            return Ok(None);
        };
        Ok(accounts::get(db, row.account_id)?.map(|account| (row, account)))
    });
    found.await?.ok_or_else(not_found)
}

pub(super) fn not_found() -> ApiError {
    ApiError::new(ErrorCode::NotFound)
}
