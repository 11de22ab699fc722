//! What will end for an address, and when.

use super::addresses::row_and_account;
use super::error::{ApiError, ErrorCode};
use crate::account::Registration;
use crate::app::App;
use crate::diagnosis::forecast::{self, Facts, ForecastItem};
use crate::store::addresses;
use crate::store::events::{self, EventKind};
use serde::{Deserialize, Serialize};

/// All that is kept of a timeline.
const EVENTS: u32 = 1_000;

/// What will end for this address if nobody does anything, soonest first; worked out without asking a server.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for an address whose account is gone.
pub async fn forecast(app: &App, id: i64) -> Result<Vec<ForecastItem>, ApiError> {
    let (row, account) = row_and_account(app, id).await?;
    let events = app
        .context
        .store
        .read(move |db| events::list(db, id, EVENTS))
        .await?;
    let signed_in = events
        .iter()
        .find(|event| matches!(event.kind, EventKind::Connected | EventKind::Reconnected))
        .map_or(row.connected_at, |event| event.at);
    let now = app.context.clock.now();
    Ok(forecast::forecast(&Facts {
        address: &row.address,
        provider: row.provider,
        online: is_microsofts(&account.registration),
        used_at: row.last_success_at.unwrap_or(0).max(signed_in),
        polls: !row.paused && !row.disconnected && row.failures == 0,
        events: &events,
        now,
    }))
}

/// What will end for one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct AddressForecast {
    /// The address.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub address_id: i64,
    /// What will end, soonest first.
    pub items: Vec<ForecastItem>,
}

/// The same for every address, in the order of the list. A disconnected one is left out: nothing of it can end.
///
/// # Errors
/// The database cannot be read.
pub async fn forecasts(app: &App) -> Result<Vec<AddressForecast>, ApiError> {
    let mut all = Vec::new();
    for row in app.context.store.read(addresses::all).await? {
        if row.disconnected {
            continue;
        }
        match forecast(app, row.id).await {
            Ok(items) => all.push(AddressForecast {
                address_id: row.id,
                items,
            }),
            // It left the list meanwhile.
            Err(error) if error.code == ErrorCode::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// Whether sign-ins go to one of Microsoft's clouds; the practice tenant stands in for them.
fn is_microsofts(registration: &Registration) -> bool {
    registration.authority.host_str().is_some_and(|host| {
        host.ends_with("microsoftonline.com")
            || host.ends_with("microsoftonline.us")
            || host.ends_with("partner.microsoftonline.cn")
            || host == "localhost"
    })
}
