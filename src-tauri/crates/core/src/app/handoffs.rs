//! Fixes that somebody else was asked for: kept in the database, noticed by themselves where there is a sign-in to try.

mod here;
mod letter;

pub(crate) use here::{Visits, approve_here};
pub(crate) use letter::{mail, senders};

use super::App;
use super::{attempts, checkup};
use crate::account::{EmailAddress, Registration};
use crate::api::view::{
    ConnectStage, HandOff, HandOffFor, HandOffKind, HandOffState, Recheck, StationState,
};
use crate::diagnosis::handoff::{self, consent_link, messages, shows_by_sending};
use crate::diagnosis::map::Station;
use crate::diagnosis::stations::{is_about_approval, station_of_code};
use crate::diagnosis::{Finding, Severity};
use crate::oauth;
use crate::store::events::{self, EventKind};
use crate::store::handoffs::{self, HandOffRow, NewHandOff};
use crate::store::{StoreError, accounts, addresses};

/// What is to be handed over.
pub(crate) struct Wanted {
    pub(crate) address: EmailAddress,
    address_id: Option<i64>,
    registration: Registration,
    scopes: Vec<String>,
    /// What is wrong; nothing where nothing of that code is, or nobody else could mend it.
    pub(crate) finding: Option<Finding>,
}

/// What `whom` has under `code`; nothing where there is no such attempt or address.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn wanted(
    app: &App,
    whom: &HandOffFor,
    code: &str,
) -> Result<Option<Wanted>, StoreError> {
    let wanted = match whom {
        HandOffFor::Attempt(id) => of_attempt(app, id, code),
        HandOffFor::Address(id) => of_address(app, *id, code).await?,
    };
    Ok(wanted)
}

/// What was denied is still about the same approval.
fn is_meant(finding: &Finding, code: &str) -> bool {
    let reason = attempts::reason(finding);
    reason.eq_ignore_ascii_case(code) || (is_about_approval(reason) && is_about_approval(code))
}

/// What somebody was asked to mend, as it was found then.
fn asked_for(row: &HandOffRow) -> Finding {
    let mut finding = Finding::plain(&row.code, Severity::Failed);
    finding.args = row.args.clone();
    finding
}

fn of_attempt(app: &App, id: &str, code: &str) -> Option<Wanted> {
    let stage = app.attempts.view(id)?.stage;
    let plan = app.attempts.plan(id)?;
    let finding = match stage {
        ConnectStage::Failed { finding } => Some(finding).filter(|found| is_meant(found, code)),
        ConnectStage::Preparing
        | ConnectStage::WaitingForBrowser { .. }
        | ConnectStage::Checking
        | ConnectStage::WrongAccount { .. }
        | ConnectStage::Ready { .. } => None,
    };
    let scopes = plan.scopes();
    Some(Wanted {
        address: plan.address,
        address_id: plan.reconnects,
        registration: plan.registration,
        scopes,
        finding,
    })
}

async fn of_address(app: &App, id: i64, code: &str) -> Result<Option<Wanted>, StoreError> {
    let wanted = code.to_owned();
    let found = app
        .context
        .store
        .read(move |db| {
            let Some(row) = addresses::get(db, id)? else {
                return Ok(None);
            };
            // What was asked for later stands in the way of nothing, so nothing that is checked shows it.
            let asked = handoffs::approval_of(db, &row.address_key)?
                .filter(|asked| is_meant(&asked_for(asked), &wanted));
            let account = accounts::get(db, row.account_id)?;
            Ok(account.map(|account| (row, account, asked)))
        })
        .await?;
    let Some((row, account, asked)) = found else {
        return Ok(None);
    };
    let login = Some(account.identity.login_name.as_str());
    let seen = row
        .cause
        .filter(|cause| is_meant(cause, code))
        .or_else(|| checkup::found(app, id, code));
    let usual = match (&row.server, &account.registration.issuer) {
        (Some(_), Some(issuer)) => issuer.scopes.clone(),
        (Some(_), None) => oauth::imap_scopes(&account.registration),
        (None, _) => oauth::scopes(row.mailbox.is_some()),
    };
    let (finding, scopes) = match (seen, asked) {
        (None, Some(asked)) => (Some(asked_for(&asked)), asked.scopes),
        (seen, _) => (seen, usual),
    };
    let finding = finding.map(|finding| finding.about(&row.address, login, &account.registration));
    let address = EmailAddress::parse(&row.address);
    Ok(address.map(|address| Wanted {
        address,
        address_id: Some(id),
        registration: account.registration,
        scopes,
        finding,
    }))
}

/// Notes that somebody is asked; nothing where there is nothing to ask for.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn ask(app: &App, wanted: Wanted) -> Result<Option<HandOff>, StoreError> {
    let now = app.context.clock.now();
    // A cause that was stored by an earlier Mailroom does not say itself to whom it can be handed.
    let Some((finding, kind)) = wanted.finding.and_then(|finding| {
        handoff::kind_of(attempts::reason(&finding)).map(|kind| (finding, kind))
    }) else {
        return Ok(None);
    };
    let new = NewHandOff {
        address: wanted.address,
        kind,
        by_sending: shows_by_sending(attempts::reason(&finding)),
        code: attempts::reason(&finding).to_owned(),
        args: finding.args,
        registration: wanted.registration,
        scopes: wanted.scopes,
        state: uuid::Uuid::new_v4().simple().to_string(),
    };
    let about = wanted.address_id;
    let row = app
        .context
        .store
        .write(move |tx| {
            let id = handoffs::ask(tx, &new, now)?;
            let row = handoffs::get(tx, id)?;
            let is_new = row.as_ref().is_some_and(|row| row.asked_at == now);
            if let (Some(about), true) = (about, is_new) {
                let args = [("code".to_owned(), new.code.clone())].into();
                events::add(tx, about, now, EventKind::AdminAsked, &args)?;
            }
            Ok(row)
        })
        .await?;
    match row {
        Some(row) => Ok(Some(draw(app, row, None).await?)),
        None => Ok(None),
    }
}

/// All hand-offs.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn all(app: &App) -> Result<Vec<HandOff>, StoreError> {
    let mut all = Vec::new();
    for row in app.context.store.read(handoffs::all).await? {
        all.push(draw(app, row, None).await?);
    }
    Ok(all)
}

/// One hand-off.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn one(app: &App, id: i64) -> Result<Option<HandOff>, StoreError> {
    let find = move |db: &rusqlite::Connection| handoffs::get(db, id);
    match app.context.store.read(find).await? {
        Some(row) => Ok(Some(draw(app, row, None).await?)),
        None => Ok(None),
    }
}

/// Looks quietly whether it is done.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn recheck(app: &App, id: i64) -> Result<Option<HandOff>, StoreError> {
    let find = move |db: &rusqlite::Connection| handoffs::get(db, id);
    let Some(row) = app.context.store.read(find).await? else {
        return Ok(None);
    };
    let (Some(address_id), Recheck::Quiet) = (row.address_id, recheck_of(app, &row).await?) else {
        return Ok(Some(draw(app, row, None).await?));
    };
    let until = match row.kind {
        HandOffKind::Approval => Station::Token,
        HandOffKind::Mailbox | HandOffKind::Tenant | HandOffKind::Registration => {
            Station::Token.max(station_of_code(&row.code))
        }
    };
    let map = Box::pin(checkup::check_address(app, address_id, Some(until))).await?;
    let works = map.is_some_and(|map| {
        [Station::Consent, Station::Token, station_of_code(&row.code)]
            .iter()
            .all(|station| {
                map.station(*station)
                    .is_some_and(|view| view.state == StationState::Ok)
            })
    });
    let now = app.context.clock.now();
    let (row, done) = app
        .context
        .store
        .write(move |tx| {
            handoffs::set_checked(tx, id, now)?;
            let done = works && handoffs::is_granted(tx, &row)?;
            if done {
                addresses::request_wake(tx, address_id)?;
            }
            let row = handoffs::get(tx, id)?.unwrap_or(HandOffRow {
                checked_at: Some(now),
                ..row
            });
            Ok((row, done))
        })
        .await?;
    app.context.nudge.notify_one();
    let state = done.then_some(HandOffState::Done);
    Ok(Some(draw(app, row, state).await?))
}

/// Stops waiting. Says whether somebody was.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn withdraw(app: &App, id: i64) -> Result<bool, StoreError> {
    app.visits.end(id);
    app.context
        .store
        .write(move |tx| handoffs::remove(tx, id))
        .await
}

/// Whether the permission to read the inbox rules is among `scopes`: an ordinary sign-in never asks for it.
pub(crate) fn includes_rules(scopes: &[String]) -> bool {
    scopes
        .iter()
        .any(|scope| scope.eq_ignore_ascii_case(oauth::RULES_SCOPE))
}

async fn recheck_of(app: &App, row: &HandOffRow) -> Result<Recheck, StoreError> {
    let Some(id) = row.address_id else {
        return Ok(Recheck::SignIn);
    };
    let asked = row.clone();
    let renewable = app
        .context
        .store
        .read(move |db| {
            let Some(row) = addresses::get(db, id)?.filter(|row| !row.disconnected) else {
                return Ok(false);
            };
            // A renewal asks for what was granted before, so it shows nothing about anything more.
            Ok(accounts::load_tokens(db, row.account_id)?.is_some()
                && handoffs::is_granted(db, &asked)?)
        })
        .await?;
    Ok(match (renewable, row.by_sending) {
        (false, _) => Recheck::SignIn,
        (true, true) => Recheck::TestMail,
        (true, false) => Recheck::Quiet,
    })
}

async fn draw(
    app: &App,
    row: HandOffRow,
    state: Option<HandOffState>,
) -> Result<HandOff, StoreError> {
    let recheck = recheck_of(app, &row).await?;
    let link = (row.kind == HandOffKind::Approval).then(|| {
        consent_link(
            &row.registration,
            &row.scopes,
            &row.state,
            handoff::REDIRECT,
        )
    });
    app.offer_links(link.iter().map(url::Url::as_str));
    let mut values = row.args.clone();
    values.insert("address".to_owned(), row.address.clone());
    values.insert("client_id".to_owned(), row.registration.client_id.clone());
    let messages = messages(row.kind, &row.code, &values, &row.scopes, link.as_ref());
    let stored = if row.denied {
        HandOffState::Denied
    } else {
        HandOffState::Waiting
    };
    Ok(HandOff {
        id: row.id,
        kind: row.kind,
        code: row.code,
        address: row.address,
        address_id: row.address_id,
        asked_at: row.asked_at,
        consent_link: link.map(String::from),
        messages,
        state: state.unwrap_or(stored),
        recheck,
        checked_at: row.checked_at,
        mailed: row.mailed,
        forwarding: includes_rules(&row.scopes),
    })
}
