//! Rows made into what shells draw.

use super::App;
use crate::Millis;
use crate::account::{Identity, ImapAuth, Registration};
use crate::api::view::{
    AddressDetails, AddressView, IdentityView, ImportView, RegistrationView, ScopeView,
};
use crate::oauth;
use crate::store::accounts::AccountRow;
use crate::store::addresses::AddressRow;
use crate::store::handoffs::HandOffRow;
use crate::store::imports::ImportRow;
use crate::store::ledger::LedgerTotals;
use crate::store::{
    StoreError, accounts, addresses, events, handoffs, imports, ledger, marks, own_tests, silences,
    tickets,
};
use crate::sync::status::status;
use rusqlite::Connection;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// The rate of an import is measured over this time.
const RATE_WINDOW: Millis = 10_000;
/// Events in the details.
const EVENTS: u32 = 100;

/// How fast imports go: samples of (instant, messages done).
#[derive(Default)]
pub(crate) struct Rates(Mutex<BTreeMap<i64, VecDeque<(Millis, u32)>>>);

impl Rates {
    /// Messages per second over the last seconds, with this sample taken in.
    fn rate(&self, import_id: i64, now: Millis, done: u32) -> f64 {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let samples = all.entry(import_id).or_default();
        samples.push_back((now, done));
        while samples.len() > 2
            && samples
                .front()
                .is_some_and(|(at, _)| *at < now - RATE_WINDOW)
        {
            samples.pop_front();
        }
        let Some((at, before)) = samples.front().copied() else {
            return 0.0;
        };
        if now <= at {
            return 0.0;
        }
        f64::from(done.saturating_sub(before)) * 1000.0 / (now - at) as f64
    }
}

/// What is read from the database for one line of the list.
struct Line {
    row: AddressRow,
    handoffs: Vec<HandOffRow>,
    proven_at: Option<Millis>,
    is_only: bool,
    import: Option<(ImportRow, LedgerTotals, u32)>,
    new_tickets_today: u32,
    activity: [u32; 24],
    open_tickets: u32,
    pending_marks: u32,
    silent: bool,
}

fn read_line(db: &Connection, row: AddressRow, now: Millis) -> rusqlite::Result<Line> {
    let import = match imports::current(db, row.id)? {
        Some(import) => {
            let (totals, pending) = imports::totals(db, import.id)?;
            Some((import, totals, pending))
        }
        None => None,
    };
    Ok(Line {
        import,
        new_tickets_today: tickets::created_since(db, row.id, start_of_day(now))?,
        activity: tickets::activity(db, row.id, now)?,
        open_tickets: tickets::open_count(db, row.id)?,
        pending_marks: marks::pending(db, row.id)?,
        silent: silences::is_silent(db, row.id)?,
        handoffs: handoffs::of_address(db, &row.address_key)?,
        proven_at: own_tests::proven_at(db, row.id)?,
        is_only: addresses::is_only(db, row.id)?,
        row,
    })
}

fn draw(app: &App, line: Line) -> AddressView {
    let now = app.context.clock.now();
    let import_state = line.import.as_ref().map(|(import, ..)| import.state);
    let trouble = app.context.storage_trouble();
    let (status, cause) = status(&line.row, import_state, &line.handoffs, trouble.as_ref());
    let rests = line.row.paused || line.row.disconnected;
    AddressView {
        id: line.row.id,
        polling: app.context.is_busy(line.row.id),
        silent: line.silent,
        brand: line.row.brand,
        provider: line.row.provider,
        mailbox: line.row.mailbox,
        sandbox: line.row.sandbox,
        is_default: line.row.is_default,
        proven_at: line.proven_at,
        default_to_be: line.is_only,
        undo_until: line.row.undo_until.filter(|until| *until > now),
        status,
        cause,
        last_success_at: line.row.last_success_at,
        next_poll_at: line.row.next_poll_at.filter(|_| !rests),
        new_tickets_today: line.new_tickets_today,
        activity: line.activity.to_vec(),
        open_tickets: line.open_tickets,
        pending_marks: line.pending_marks,
        import: line
            .import
            .map(|(import, totals, pending)| draw_import(app, &import, totals, pending, now)),
        address: line.row.address,
    }
}

fn draw_import(
    app: &App,
    import: &ImportRow,
    totals: LedgerTotals,
    pending: u32,
    now: Millis,
) -> ImportView {
    let rate = if import.ended_at.is_none() {
        app.rates
            .rate(import.id, now, totals.found.saturating_sub(pending))
    } else {
        0.0
    };
    let seconds_left = (rate > 0.0).then(|| (f64::from(pending) / rate).ceil() as u32);
    ImportView {
        state: import.state,
        newest: import.newest,
        totals,
        pending,
        rate,
        seconds_left,
        started_at: import.started_at,
        ended_at: import.ended_at,
    }
}

/// The list, in the order of the addresses.
///
/// # Errors
/// [`StoreError`].
pub async fn address_views(app: &App) -> Result<Vec<AddressView>, StoreError> {
    let now = app.context.clock.now();
    let lines = app
        .context
        .store
        .read(move |db| {
            addresses::all(db)?
                .into_iter()
                .map(|row| read_line(db, row, now))
                .collect::<Result<Vec<_>, _>>()
        })
        .await?;
    Ok(lines.into_iter().map(|line| draw(app, line)).collect())
}

/// One line of the list.
///
/// # Errors
/// [`StoreError`].
pub async fn address_view(app: &App, id: i64) -> Result<Option<AddressView>, StoreError> {
    let now = app.context.clock.now();
    let line = app
        .context
        .store
        .read(move |db| {
            addresses::get(db, id)?
                .map(|row| read_line(db, row, now))
                .transpose()
        })
        .await?;
    Ok(line.map(|line| draw(app, line)))
}

/// Everything about one address.
///
/// # Errors
/// [`StoreError`].
pub async fn address_details(app: &App, id: i64) -> Result<Option<AddressDetails>, StoreError> {
    let now = app.context.clock.now();
    let read = app
        .context
        .store
        .read(move |db| {
            let Some(row) = addresses::get(db, id)? else {
                return Ok(None);
            };
            let Some(account) = accounts::get(db, row.account_id)? else {
                return Ok(None);
            };
            Ok(Some((
                account,
                ledger::totals(db, id)?,
                marks::pending(db, id)?,
                events::list(db, id, EVENTS)?,
                read_line(db, row, now)?,
            )))
        })
        .await?;
    Ok(read.map(
        |(account, totals, pending_marks, events, line)| AddressDetails {
            identity: identity_view(&account.identity),
            scopes: scopes_of(&line.row, &account),
            server: line.row.server.clone(),
            outbound: line.row.outbound.clone(),
            folder: folder(&line.row),
            folder_path: line.row.folder_path.clone(),
            next_folder: line
                .row
                .next_folder
                .as_ref()
                .map(|next| next.path.clone().unwrap_or_else(|| next.name.clone())),
            after_import: line.row.after_import.clone(),
            poll_interval_s: line.row.poll_interval_s,
            category: line.row.category.clone(),
            registration: RegistrationView {
                authority: account.registration.authority.to_string(),
                tenant: account.registration.tenant,
                client_id: account.registration.client_id,
                graph_url: account.registration.graph_url.to_string(),
            },
            totals,
            pending_marks,
            events,
            address: draw(app, line),
        },
    ))
}

/// What the connection of an address needs, and whether it was granted: a password needs no permission.
pub(crate) fn scopes_of(row: &AddressRow, account: &AccountRow) -> Vec<ScopeView> {
    match row.server.as_ref().map(|server| server.auth) {
        None => scope_views(&account.scopes, row.mailbox.is_some()),
        Some(ImapAuth::Password) => Vec::new(),
        Some(ImapAuth::Token) => server_scopes(&account.registration, &account.scopes),
    }
}

/// What a mail server's tokens need, and whether it was granted.
pub(crate) fn server_scopes(registration: &Registration, granted: &[String]) -> Vec<ScopeView> {
    let has = |name: &str| granted.iter().any(|scope| scope.eq_ignore_ascii_case(name));
    oauth::mail_scopes(registration)
        .into_iter()
        .map(|name| ScopeView {
            needed: true,
            granted: has(&name),
            name,
        })
        .collect()
}

/// The way to the folder that is read; an inbox is called as the server calls it.
fn folder(row: &AddressRow) -> String {
    row.folder_path
        .clone()
        .unwrap_or_else(|| row.folder_name.clone())
}

/// Who signed in, as shells draw it.
pub(crate) fn identity_view(identity: &Identity) -> IdentityView {
    IdentityView {
        login_name: identity.login_name.clone(),
        display_name: identity.display_name.clone(),
        primary_address: identity.primary.as_ref().map(ToString::to_string),
        aliases: identity.aliases.iter().map(ToString::to_string).collect(),
        tenant_id: identity.tenant_id.clone(),
    }
}

/// Scopes that Mailroom needs, then others that were granted. The OpenID scopes are not listed: they show in the
/// sign-in itself, and the sign-in service does not always repeat them.
pub(crate) fn scope_views(granted: &[String], shared: bool) -> Vec<ScopeView> {
    let is_openid = |scope: &str| ["openid", "offline_access", "email", "profile"].contains(&scope);
    let has = |name: &str| granted.iter().any(|scope| scope.eq_ignore_ascii_case(name));
    let mut views: Vec<ScopeView> = oauth::scopes(shared)
        .into_iter()
        .filter(|name| !is_openid(name))
        .map(|name| ScopeView {
            needed: true,
            granted: has(&name),
            name,
        })
        .collect();
    for name in granted.iter().filter(|name| !is_openid(name)) {
        if !views
            .iter()
            .any(|view| view.name.eq_ignore_ascii_case(name))
        {
            views.push(ScopeView {
                name: name.clone(),
                needed: false,
                granted: true,
            });
        }
    }
    views
}

/// The last local midnight.
fn start_of_day(now: Millis) -> Millis {
    let zone = jiff::tz::TimeZone::system();
    jiff::Timestamp::from_millisecond(now)
        .ok()
        .and_then(|at| at.to_zoned(zone).start_of_day().ok())
        .map_or(now, |midnight| midnight.timestamp().as_millisecond())
}
