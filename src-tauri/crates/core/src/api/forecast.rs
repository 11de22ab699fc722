//! What will end for an address, and when.

use super::addresses::row_and_account;
use super::error::ApiError;
use crate::account::Registration;
use crate::app::App;
use crate::diagnosis::forecast::{self, Facts, ForecastItem};
use crate::store::events::{self, EventKind};

/// All that is kept of a timeline.
const EVENTS: u32 = 1_000;

/// What will end for this address if nobody does anything, soonest first; worked out without asking a server.
///
/// # Errors
/// [`super::error::ErrorCode::NotFound`], also for an address whose account is gone.
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

/// Whether sign-ins go to one of Microsoft's clouds; the practice tenant stands in for them.
fn is_microsofts(registration: &Registration) -> bool {
    registration.authority.host_str().is_some_and(|host| {
        host.ends_with("microsoftonline.com")
            || host.ends_with("microsoftonline.us")
            || host.ends_with("partner.microsoftonline.cn")
            || host == "localhost"
    })
}
