//! Diagnosis: the connection map, and the proof of sending.

use super::addresses::not_found;
use super::error::ApiError;
use super::view::{ConnectionMap, Station};
use crate::app::App;
use crate::app::checkup;
use std::sync::Arc;

/// Checks a connected address, station by station; every station is told by [`super::view::Notice::Check`] as soon as
/// it is known. `only` looks at one station and at what it depends on; stations behind it keep what was found last. A
/// healthy connection takes a few seconds. Nothing is written to a server.
///
/// # Errors
/// [`super::error::ErrorCode::NotFound`], and where the database cannot be read.
pub async fn check_address(
    app: &Arc<App>,
    id: i64,
    only: Option<Station>,
) -> Result<ConnectionMap, ApiError> {
    checkup::check_address(app, id, only)
        .await?
        .ok_or_else(not_found)
}

/// The map of a connection being made: the last step of the wizard.
///
/// # Errors
/// [`super::error::ErrorCode::NotFound`].
pub async fn check_attempt(app: &Arc<App>, id: &str) -> Result<ConnectionMap, ApiError> {
    checkup::check_attempt(app, id).await.ok_or_else(not_found)
}

/// Sends a small test mail from the address to itself, waits up to a minute for it, and keeps how long that took. Only
/// call it when the person has agreed. The mail does not become a ticket. Where mail cannot be read nothing is sent,
/// and the map says why.
///
/// # Errors
/// [`super::error::ErrorCode::NotFound`], and where the database cannot be written.
pub async fn prove_sending(app: &Arc<App>, id: i64) -> Result<ConnectionMap, ApiError> {
    checkup::prove_sending(app, id).await?.ok_or_else(not_found)
}
