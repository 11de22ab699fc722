//! What will end for an address, and when.

use super::addresses::row_and_account;
use super::error::{ApiError, ErrorCode};
use crate::account::{ImapAuth, Registration};
use crate::app::App;
use crate::diagnosis::forecast::{self, Facts, ForecastItem};
use crate::store::addresses::{self, AddressRow};
use crate::store::events::{self, EventKind};
use crate::store::{certificates, settings};
use serde::{Deserialize, Serialize};

/// All that is kept of a timeline.
const EVENTS: u32 = 1_000;

/// What will end for this address if nobody does anything, soonest first; worked out without asking a server.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for an address whose account is gone.
pub async fn forecast(app: &App, id: i64) -> Result<Vec<ForecastItem>, ApiError> {
    let (row, account) = row_and_account(app, id).await?;
    let client_id = account.registration.client_id.clone();
    let servers = servers(&row);
    let (events, certificates, expiries) = app
        .context
        .store
        .read(move |db| {
            let mut shown = Vec::new();
            for (host, port) in servers {
                shown.extend(certificates::of_server(db, &host, port)?);
            }
            let known = settings::registration(db, &client_id)?;
            let expiries = known.map(|known| known.expiries).unwrap_or_default();
            Ok((events::list(db, id, EVENTS)?, shown, expiries))
        })
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
        signs_in: is_microsofts(&account.registration) && signs_in(&row),
        used_at: row.last_success_at.unwrap_or(0).max(signed_in),
        polls: !row.paused && !row.disconnected && row.failures == 0,
        events: &events,
        certificates: &certificates,
        expiries: &expiries,
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

/// Whether tokens open the mailbox, and not a password.
fn signs_in(row: &AddressRow) -> bool {
    row.server.as_ref().map(|server| server.auth) != Some(ImapAuth::Password)
}

/// The mail servers that the address uses; Graph is reached by HTTPS, and Microsoft renews its certificates.
fn servers(row: &AddressRow) -> Vec<(String, u16)> {
    let inbound = row.server.iter().map(|at| (at.host.clone(), at.port));
    let outbound = row.outbound.iter().map(|at| (at.host.clone(), at.port));
    inbound.chain(outbound).collect()
}

/// Whether sign-ins go to one of Microsoft's clouds; the practice tenant stands in for them.
fn is_microsofts(registration: &Registration) -> bool {
    registration.authority.host_str().is_some_and(|host| {
        host.ends_with("microsoftonline.com")
            || host.ends_with("microsoftonline.us")
            || host.ends_with("partner.microsoftonline.cn")
            || host == "login.chinacloudapi.cn"
            || host == "localhost"
    })
}
