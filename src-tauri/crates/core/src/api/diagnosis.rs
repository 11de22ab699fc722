//! Diagnosis: the connection map, the proof of sending, and asking an admin for approval.

use super::addresses::not_found;
use super::error::{ApiError, ErrorCode};
use super::view::{ApprovalFor, ApprovalRequest, ConnectAttempt, ConnectionMap, Station};
use crate::account::EmailAddress;
use crate::app::App;
use crate::app::{approvals, checkup};
use crate::store;
use std::sync::Arc;

/// Checks a connected address, station by station; every station is told by [`super::view::Notice::Check`] as soon as
/// it is known. `only` looks at one station and at what it depends on; stations behind it keep what was found last. A
/// healthy connection takes a few seconds. Nothing is written to a server.
///
/// # Errors
/// [`ErrorCode::NotFound`], and where the database cannot be read.
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
/// [`ErrorCode::NotFound`].
pub async fn check_attempt(app: &Arc<App>, id: &str) -> Result<ConnectionMap, ApiError> {
    checkup::check_attempt(app, id).await.ok_or_else(not_found)
}

/// Sends a small test mail from the address to itself, waits up to a minute for it, and keeps how long that took. Only
/// call it when the person has agreed. The mail does not become a ticket. Where mail cannot be read nothing is sent,
/// and the map says why.
///
/// # Errors
/// [`ErrorCode::NotFound`], and where the database cannot be written.
pub async fn prove_sending(app: &Arc<App>, id: i64) -> Result<ConnectionMap, ApiError> {
    checkup::prove_sending(app, id).await?.ok_or_else(not_found)
}

/// Notes that an admin is asked for approval, and gives the link and the words to send them. Asking again keeps since
/// when. The link may then be opened from the window.
///
/// # Errors
/// [`ErrorCode::NotFound`]; [`ErrorCode::WrongState`] where an approval would not mend anything.
pub async fn ask_for_approval(app: &App, whom: ApprovalFor) -> Result<ApprovalRequest, ApiError> {
    let asked = match whom {
        ApprovalFor::Attempt(id) => approvals::for_attempt(app, &id),
        ApprovalFor::Address(id) => approvals::for_address(app, id).await?,
    };
    let asked = asked.ok_or_else(not_found)?;
    if !asked.helps {
        return Err(ApiError::new(ErrorCode::WrongState).arg("value", &asked.address));
    }
    approvals::ask(app, asked).await?.ok_or_else(not_found)
}

/// All requests for approval that wait, or were denied; oldest first. They survive a restart.
///
/// # Errors
/// The database cannot be read.
pub async fn list_approvals(app: &App) -> Result<Vec<ApprovalRequest>, ApiError> {
    Ok(approvals::all(app).await?)
}

/// Looks quietly whether approval is there: by renewing a stored sign-in, at most once in five minutes, never by
/// opening a browser. Where nobody has ever been signed in nothing can be asked, and the request says so
/// ([`super::view::Recheck::SignIn`]). An approved request is given once more and then forgotten.
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub async fn recheck_approval(app: &Arc<App>, id: i64) -> Result<ApprovalRequest, ApiError> {
    approvals::recheck(app, id).await?.ok_or_else(not_found)
}

/// Signs in for a request, the one click that shows whether approval is there where nothing can be asked quietly. The
/// attempt goes on as any other one ([`super::begin_connect`]), as the app and in the tenant that approval was asked for.
///
/// # Errors
/// [`ErrorCode::NotFound`], [`ErrorCode::AddressInUse`], and what keeps the keychain shut.
pub async fn sign_in_for_approval(
    app: &Arc<App>,
    id: i64,
    private_window: bool,
    language: &str,
) -> Result<ConnectAttempt, ApiError> {
    let find = move |db: &rusqlite::Connection| store::approvals::get(db, id);
    let row = app.context.store.read(find).await?.ok_or_else(not_found)?;
    match row.address_id {
        Some(address) => super::reconnect_address(app, address, private_window, language).await,
        None => {
            let address = EmailAddress::parse(&row.address).ok_or_else(not_found)?;
            // Who asked for a shared mailbox's permissions wants to open one.
            let opens = match row.scopes.iter().any(|scope| scope.ends_with(".Shared")) {
                true => super::view::Opens::Shared,
                false => super::view::Opens::Own,
            };
            let address = (address, opens);
            super::connect::begin_as(app, address, row.registration, private_window, language).await
        }
    }
}

/// Stops waiting for an admin.
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub async fn withdraw_approval(app: &App, id: i64) -> Result<(), ApiError> {
    if approvals::withdraw(app, id).await? {
        Ok(())
    } else {
        Err(not_found())
    }
}
