//! Waiting for an admin's approval: kept in the database, noticed by itself where there is a sign-in to renew.

use super::App;
use super::{attempts, checkup};
use crate::account::{EmailAddress, Registration};
use crate::api::view::{ApprovalRequest, ApprovalState, ConnectStage, Recheck, StationState};
use crate::diagnosis::approval;
use crate::diagnosis::map::Station;
use crate::diagnosis::stations::needs_approval;
use crate::oauth;
use crate::store::approvals::{self, ApprovalRow};
use crate::store::{StoreError, accounts, addresses};

/// What is to be asked for.
pub(crate) struct Wanted {
    pub(crate) address: EmailAddress,
    registration: Registration,
    /// Whether an approval would mend what is wrong.
    pub(crate) helps: bool,
}

/// What an attempt would ask for; nothing where there is no such attempt.
pub(crate) fn for_attempt(app: &App, id: &str) -> Option<Wanted> {
    let stage = app.attempts.view(id)?.stage;
    let plan = app.attempts.plan(id)?;
    let helps = match &stage {
        ConnectStage::Failed { finding } => is_about_approval(attempts::reason(finding)),
        ConnectStage::Preparing
        | ConnectStage::WaitingForBrowser { .. }
        | ConnectStage::Checking
        | ConnectStage::WrongAccount { .. }
        | ConnectStage::Ready { .. } => false,
    };
    Some(Wanted {
        address: plan.address,
        registration: plan.registration,
        helps,
    })
}

/// A request may be sent again after a denial; the bare `access_denied` comes without Entra's number.
fn is_about_approval(code: &str) -> bool {
    needs_approval(code) || ["access_denied", "approval_denied"].contains(&code)
}

/// What a connected address would ask for; nothing where there is no such address.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn for_address(app: &App, id: i64) -> Result<Option<Wanted>, StoreError> {
    let found = app
        .context
        .store
        .read(move |db| {
            let Some(row) = addresses::get(db, id)? else {
                return Ok(None);
            };
            let account = accounts::get(db, row.account_id)?;
            Ok(account.map(|account| (row, account)))
        })
        .await?;
    let Some((row, account)) = found else {
        return Ok(None);
    };
    let by_poll = row
        .cause
        .as_ref()
        .is_some_and(|cause| is_about_approval(&cause.code));
    let by_check = checkup::failed_at(app, id) == Some(Station::Consent);
    let address = EmailAddress::parse(&row.address);
    Ok(address.map(|address| Wanted {
        address,
        registration: account.registration,
        helps: by_poll || by_check,
    }))
}

/// Notes that the admin is asked.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn ask(app: &App, wanted: Wanted) -> Result<Option<ApprovalRequest>, StoreError> {
    let now = app.context.clock.now();
    let state = uuid::Uuid::new_v4().simple().to_string();
    let scopes = oauth::SCOPES.map(str::to_owned).to_vec();
    let row = app
        .context
        .store
        .write(move |tx| {
            let id = approvals::ask(
                tx,
                &wanted.address,
                &wanted.registration,
                &scopes,
                &state,
                now,
            )?;
            approvals::get(tx, id)
        })
        .await?;
    match row {
        Some(row) => Ok(Some(draw(app, row, None).await?)),
        None => Ok(None),
    }
}

/// All requests.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn all(app: &App) -> Result<Vec<ApprovalRequest>, StoreError> {
    let mut all = Vec::new();
    for row in app.context.store.read(approvals::all).await? {
        all.push(draw(app, row, None).await?);
    }
    Ok(all)
}

/// Looks quietly whether approval is there.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn recheck(app: &App, id: i64) -> Result<Option<ApprovalRequest>, StoreError> {
    let find = move |db: &rusqlite::Connection| approvals::get(db, id);
    let Some(row) = app.context.store.read(find).await? else {
        return Ok(None);
    };
    let Some(address_id) = row.address_id else {
        return Ok(Some(draw(app, row, None).await?));
    };
    if recheck_of(app, &row).await? == Recheck::SignIn {
        return Ok(Some(draw(app, row, None).await?));
    }
    let map = checkup::check_address(app, address_id, Some(Station::Token)).await?;
    let approved = map.is_some_and(|map| {
        [Station::Consent, Station::Token].iter().all(|station| {
            map.station(*station)
                .is_some_and(|view| view.state == StationState::Ok)
        })
    });
    let now = app.context.clock.now();
    let row = app
        .context
        .store
        .write(move |tx| {
            approvals::set_checked(tx, id, now)?;
            if approved {
                addresses::request_wake(tx, address_id)?;
            }
            Ok(approvals::get(tx, id)?.unwrap_or(ApprovalRow {
                checked_at: Some(now),
                ..row
            }))
        })
        .await?;
    app.context.nudge.notify_one();
    let state = approved.then_some(ApprovalState::Approved);
    Ok(Some(draw(app, row, state).await?))
}

/// Stops waiting. Says whether somebody was.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn withdraw(app: &App, id: i64) -> Result<bool, StoreError> {
    app.context
        .store
        .write(move |tx| approvals::remove(tx, id))
        .await
}

async fn recheck_of(app: &App, row: &ApprovalRow) -> Result<Recheck, StoreError> {
    let Some(id) = row.address_id else {
        return Ok(Recheck::SignIn);
    };
    let renewable = app
        .context
        .store
        .read(move |db| {
            let Some(row) = addresses::get(db, id)?.filter(|row| !row.disconnected) else {
                return Ok(false);
            };
            Ok(accounts::load_tokens(db, row.account_id)?.is_some())
        })
        .await?;
    Ok(if renewable {
        Recheck::Quiet
    } else {
        Recheck::SignIn
    })
}

async fn draw(
    app: &App,
    row: ApprovalRow,
    state: Option<ApprovalState>,
) -> Result<ApprovalRequest, StoreError> {
    let recheck = recheck_of(app, &row).await?;
    let link = approval::consent_link(&row.registration, &row.scopes, &row.state);
    app.offer_links([link.as_str()]);
    let messages = approval::messages(&row.address, &row.registration, &row.scopes, &link);
    let denied = if row.denied {
        ApprovalState::Denied
    } else {
        ApprovalState::Waiting
    };
    Ok(ApprovalRequest {
        id: row.id,
        address: row.address,
        address_id: row.address_id,
        asked_at: row.asked_at,
        consent_link: link.into(),
        messages,
        state: state.unwrap_or(denied),
        recheck,
        checked_at: row.checked_at,
    })
}
