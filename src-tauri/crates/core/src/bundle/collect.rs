//! What the database knows of the addresses and of the person's choices, value by value.

use super::veil::Veil;
use crate::Millis;
use crate::oauth;
use crate::store::addresses::AddressRow;
use crate::store::events::{EventKind, EventView};
use crate::store::{
    accounts, addresses, events, handoffs, imports, ledger, marks, settings, tickets,
};
use crate::sync::status::status;
use rusqlite::Connection;
use serde_json::{Value, json};

/// Events per address.
const EVENTS: u32 = 100;

/// Values of events that are numbers or codes of ours or of a server; every other one is covered.
const OPEN_ARGS: [&str; 11] = [
    "code",
    "count",
    "newest",
    "found",
    "imported",
    "duplicate",
    "skipped",
    "failed",
    "after_s",
    "seconds",
    "outcome",
];

/// The instant as people read it, in UTC.
pub(super) fn instant(at: Millis) -> Value {
    jiff::Timestamp::from_millisecond(at).map_or(Value::Null, |at| at.to_string().into())
}

fn when(at: Option<Millis>) -> Value {
    at.map_or(Value::Null, instant)
}

/// The person's choices; a text of theirs that names people is covered by [`Veil::text`] afterwards.
pub(super) fn settings(db: &Connection, veil: &Veil) -> rusqlite::Result<Value> {
    let chosen = settings::load_settings(db)?;
    let brands: Vec<String> = crate::store::brands::list(db)?
        .iter()
        .map(|name| veil.name("brand", name))
        .collect();
    Ok(json!({ "settings": chosen, "brands": brands }))
}

/// All addresses, and the findings of those that are not well.
pub(super) fn addresses(db: &Connection, veil: &Veil) -> rusqlite::Result<(Value, Value)> {
    let mut lines = Vec::new();
    let mut findings = Vec::new();
    for row in addresses::all(db)? {
        if let Some(cause) = &row.cause {
            findings.push(json!({
                "address": veil.name("address", &row.address),
                "failures": row.failures,
                "failing_since": when(row.failing_since),
                "finding": cause,
            }));
        }
        lines.push(address(db, veil, &row)?);
    }
    Ok((lines.into(), findings.into()))
}

fn address(db: &Connection, veil: &Veil, row: &AddressRow) -> rusqlite::Result<Value> {
    let import = imports::current(db, row.id)?;
    let handoffs = handoffs::of_address(db, &row.address_key)?;
    let (status, cause) = status(row, import.map(|import| import.state), &handoffs, None);
    let events: Vec<Value> = events::list(db, row.id, EVENTS)?
        .iter()
        .map(|event| told(veil, event))
        .collect();
    Ok(json!({
        "address": veil.name("address", &row.address),
        "brand": veil.name("brand", &row.brand),
        "provider": row.provider,
        "practice": row.sandbox,
        "default": row.is_default,
        "shared_mailbox": row.mailbox.as_deref().map(|name| veil.name("address", name)),
        "aliases": addresses::aliases(db, row.id)?.len(),
        "folder": row.folder_path.as_deref().map(|path| veil.name("folder", path)),
        "status": status,
        "cause": cause.map(|cause| cause.code),
        "poll_interval_s": row.poll_interval_s,
        "has_cursor": row.cursor.is_some(),
        "failures": row.failures,
        "connected_at": instant(row.connected_at),
        "failing_since": when(row.failing_since),
        "offline_since": when(row.offline_since),
        "last_success_at": when(row.last_success_at),
        "next_poll_at": when(row.next_poll_at),
        "wait_until": when(row.wait_until),
        "totals": ledger::totals(db, row.id)?,
        "reasons": reasons(db, row.id)?,
        "pending_marks": marks::pending(db, row.id)?,
        "open_tickets": tickets::open_count(db, row.id)?,
        "imports": all_imports(db, row.id)?,
        "account": account(db, veil, row)?,
        "events": events,
    }))
}

fn account(db: &Connection, veil: &Veil, row: &AddressRow) -> rusqlite::Result<Value> {
    let Some(account) = accounts::get(db, row.account_id)? else {
        return Ok(Value::Null);
    };
    Ok(json!({
        "login": veil.name("login", &account.identity.login_name),
        "tenant_id": account.identity.tenant_id,
        "authority": account.registration.authority,
        "graph": account.registration.graph_url,
        "tenant": account.registration.tenant,
        "client_id": account.registration.client_id,
        "scopes_needed": oauth::SCOPES,
        "scopes_granted": account.scopes,
        "has_sign_in": accounts::load_tokens(db, account.id)?.is_some(),
    }))
}

/// An event with covers in place of names and subjects. Subjects are covered whoever looks: they are mail.
fn told(veil: &Veil, event: &EventView) -> Value {
    let args: serde_json::Map<String, Value> = event
        .args
        .iter()
        .filter(|(name, _)| name.as_str() != "subject")
        .map(|(name, value)| {
            let open = OPEN_ARGS.contains(&name.as_str());
            let value = if open {
                value.clone()
            } else {
                veil.name(name, value)
            };
            (name.clone(), value.into())
        })
        .collect();
    let kind: EventKind = event.kind;
    json!({ "at": instant(event.at), "kind": kind, "args": args })
}

/// How many messages were left out or failed, by reason.
fn reasons(db: &Connection, id: i64) -> rusqlite::Result<Vec<Value>> {
    db.prepare_cached(
        "SELECT outcome, reason, count(*) FROM ledger WHERE address_id = ?1 AND reason IS NOT NULL
         GROUP BY outcome, reason ORDER BY count(*) DESC LIMIT 50",
    )?
    .query_map([id], |row| {
        let (outcome, reason, count): (String, String, i64) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(json!({ "outcome": outcome, "reason": reason, "count": count }))
    })?
    .collect()
}

fn all_imports(db: &Connection, id: i64) -> rusqlite::Result<Vec<Value>> {
    let ids: Vec<i64> = db
        .prepare_cached("SELECT id FROM imports WHERE address_id = ?1 ORDER BY id DESC LIMIT 20")?
        .query_map([id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut all = Vec::new();
    for import in ids.into_iter().map(|id| imports::get(db, id)) {
        let Some(import) = import? else { continue };
        let (totals, pending) = imports::totals(db, import.id)?;
        all.push(json!({
            "state": import.state,
            "newest": import.newest,
            "listed": import.listed,
            "started_at": instant(import.started_at),
            "ended_at": when(import.ended_at),
            "totals": totals,
            "pending": pending,
        }));
    }
    Ok(all)
}
