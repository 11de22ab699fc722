//! Addresses: the list, one in detail, and what can be done to it.

use super::error::{ApiError, ErrorCode};
use super::view::{AddressDetails, AddressSettings, AddressView};
use crate::account::EmailAddress;
use crate::app::{self, App};
use crate::store::accounts::AccountRow;
use crate::store::addresses::AddressRow;
use crate::store::events::{self, EventKind};
use crate::store::{accounts, addresses, brands, marks, own_tests};
use crate::sync::UNDO_TIME;
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

/// Polls one address, or all, as soon as the server allows; whichever process polls does it. What the server would not
/// do with imported mail is asked of it again.
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
                    marks::hurry(tx, row.id)?;
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

/// Stops using the mailbox at once: nothing is read, marked or sent. Tickets, ledger, settings and the cursor stay, so
/// that signing in again fetches everything that arrived meanwhile. The sign-in stays sealed for [`UNDO_TIME`], so that
/// [`undo_disconnect`] can put everything back, and is then wiped, unless another address uses it too.
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
    if row.disconnected {
        return Ok(());
    }
    let account = row.account_id;
    let shared = rows
        .iter()
        .any(|other| other.id != id && !other.disconnected && other.account_id == account);
    change(app, id, EventKind::Disconnected, move |tx, now| {
        addresses::disconnect(tx, id, now + UNDO_TIME)
    })
    .await?;
    if !shared {
        app.context.connections.forget(account);
    }
    Ok(())
}

/// Connects an address again exactly as it was before [`disconnect_address`], without signing in; what arrived
/// meanwhile is fetched.
///
/// # Errors
/// [`ErrorCode::UndoOver`] once the time is over, [`ErrorCode::WrongState`] for an address that is connected,
/// [`ErrorCode::AddressInUse`] if it was taken meanwhile, [`ErrorCode::NotFound`].
pub async fn undo_disconnect(app: &App, id: i64) -> Result<(), ApiError> {
    enum Undone {
        Yes,
        Over,
        Connected,
        Taken((String, String)),
    }
    let now = app.context.clock.now();
    let (row, _) = row_and_account(app, id).await?;
    let key = row.address_key.clone();
    let undone = app
        .context
        .store
        .write(move |tx| {
            let Some(row) = addresses::get(tx, id)?.filter(|row| row.disconnected) else {
                return Ok(Undone::Connected);
            };
            let left = row.undo_until.map_or(0, |until| until - now);
            let kept = accounts::load_tokens(tx, row.account_id)?.is_some();
            if !kept || !(1..=UNDO_TIME).contains(&left) {
                return Ok(Undone::Over);
            }
            if let Some(user) = addresses::user_of(tx, &key)? {
                return Ok(Undone::Taken(user));
            }
            addresses::undo_disconnect(tx, id, now)?;
            events::add(tx, id, now, EventKind::DisconnectUndone, &BTreeMap::new())?;
            Ok(Undone::Yes)
        })
        .await?;
    app.context.nudge.notify_one();
    let address = EmailAddress::parse(&row.address).ok_or_else(not_found)?;
    match undone {
        Undone::Yes => Ok(()),
        Undone::Over => Err(ApiError::new(ErrorCode::UndoOver).arg("value", &address)),
        Undone::Connected => Err(ApiError::new(ErrorCode::WrongState).arg("value", &address)),
        Undone::Taken(user) => Err(super::connect::in_use(&address, &user)),
    }
}

/// Makes this the address that mail without another sender leaves from.
///
/// # Errors
/// [`ErrorCode::WrongState`] unless it has been read successfully, [`ErrorCode::NotProven`] before a test mail that it
/// sent to itself has arrived ([`super::prove_sending`]), [`ErrorCode::NotFound`].
pub async fn make_default(app: &App, id: i64) -> Result<(), ApiError> {
    let (row, _) = row_and_account(app, id).await?;
    if row.disconnected || row.cause.is_some() || row.last_success_at.is_none() {
        return Err(ApiError::new(ErrorCode::WrongState).arg("value", &row.address));
    }
    let made = app
        .context
        .store
        .write(move |tx| {
            if own_tests::proven_at(tx, id)?.is_none() {
                return Ok(false);
            }
            addresses::make_default(tx, id)?;
            Ok(true)
        })
        .await?;
    app.context.nudge.notify_one();
    match made {
        true => Ok(()),
        false => Err(ApiError::new(ErrorCode::NotProven).arg("value", &row.address)),
    }
}

/// A brand's name, tidied: 1 to 80 characters.
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
