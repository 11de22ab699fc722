//! Tickets: conversations, and how they are listed and searched.

use super::messages::{self, MessageView, PersonView};
use super::search;
use crate::Millis;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, named_params};
use serde::{Deserialize, Serialize};

/// One line of the ticket list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct TicketRow {
    /// Ticket number.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub id: i64,
    /// Subject of the first message; empty when it has none.
    pub subject: String,
    /// Name of the person who wrote in, or their address.
    pub requester: String,
    /// The address written to.
    pub address: String,
    /// Number of messages.
    pub messages: u32,
    /// When the newest message was received.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub updated_at: Millis,
    /// Beginning of the newest message's text.
    pub preview: String,
    /// Whether a message has attachments.
    pub has_attachments: bool,
    /// Why the first message is taken for automatic mail, if it is.
    pub automatic: Option<String>,
}

/// A page of tickets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct TicketPage {
    /// Tickets, newest first.
    pub tickets: Vec<TicketRow>,
    /// How many match in all.
    pub total: u32,
}

/// What to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct TicketQuery {
    /// Only tickets of this address.
    pub address: Option<String>,
    /// Words to search for in subject, people and text.
    pub search: Option<String>,
    /// How many to leave out.
    pub offset: u32,
    /// How many to give, at most 500.
    pub limit: u32,
}

/// A whole ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct TicketView {
    /// The line in the list.
    pub ticket: TicketRow,
    /// Messages, oldest first.
    pub messages: Vec<MessageView>,
    /// Tickets of other addresses that hold the same mail.
    #[cfg_attr(feature = "bindings", ts(type = "number[]"))]
    pub same_mail_in: Vec<i64>,
}

/// A ticket to make; its messages follow by [`messages::insert`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewTicket {
    /// The address written to.
    pub address_id: i64,
    /// Subject of the first message.
    pub subject: String,
    /// Who wrote in.
    pub requester: PersonView,
    /// Now.
    pub created_at: Millis,
    /// When the first message was received.
    pub received_at: Millis,
    /// Whether an import makes it: triggers stay silent and it is not counted as new.
    pub imported: bool,
    /// Why the first message is taken for automatic mail, if it is.
    pub automatic: Option<String>,
}

/// The most that one page holds.
const PAGE: u32 = 500;

/// Makes a ticket and returns its number.
pub fn insert(conn: &Connection, new: &NewTicket) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "INSERT INTO tickets (address_id, subject, requester_name, requester_address, created_at, updated_at,
             imported, automatic)
         VALUES (:address_id, :subject, :requester_name, :requester_address, :created_at, :updated_at,
             :imported, :automatic)",
    )?
    .insert(named_params! {
        ":address_id": new.address_id,
        ":subject": new.subject,
        ":requester_name": new.requester.name,
        ":requester_address": new.requester.address,
        ":created_at": new.created_at,
        ":updated_at": new.received_at,
        ":imported": new.imported,
        ":automatic": new.automatic,
    })
}

const COLUMNS: &str =
    "SELECT t.id, t.subject, t.requester_name, t.requester_address, a.address, t.messages,
    t.updated_at, t.preview, t.has_attachments, t.automatic
    FROM tickets t JOIN addresses a ON a.id = t.address_id";

fn read(row: &Row<'_>) -> rusqlite::Result<TicketRow> {
    let name: String = row.get(2)?;
    Ok(TicketRow {
        id: row.get(0)?,
        subject: row.get(1)?,
        requester: if name.is_empty() { row.get(3)? } else { name },
        address: row.get(4)?,
        messages: row.get(5)?,
        updated_at: row.get(6)?,
        preview: row.get(7)?,
        has_attachments: row.get(8)?,
        automatic: row.get(9)?,
    })
}

/// Tickets that match `query`, the most recently updated first. A message matches when it holds all the words
/// of the search, in whatever order; a limit of 0 gives the total only.
pub fn list(conn: &Connection, query: &TicketQuery) -> rusqlite::Result<TicketPage> {
    let mut conditions = Vec::new();
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    if let Some(address) = &query.address {
        let id: Option<i64> = conn
            .prepare_cached("SELECT id FROM addresses WHERE address_key = ?1")?
            .query_row([address.trim().to_lowercase()], |row| row.get(0))
            .optional()?;
        conditions.push("address_id = ?".to_owned());
        values.push(Box::new(id));
    }
    let found = query.search.as_deref().and_then(search::messages_with);
    let searched = found.is_some();
    if let Some(found) = found {
        conditions.push(format!(
            "id IN (SELECT ticket_id FROM messages WHERE id IN ({}))",
            found.sql
        ));
        for value in found.values {
            values.push(Box::new(value));
        }
    }
    let condition = if conditions.is_empty() {
        String::new()
    } else {
        format!("WHERE {}", conditions.join(" AND "))
    };
    let (ids, total) = if searched {
        page_of_found(conn, &condition, &values, query)?
    } else {
        page_of_all(conn, &condition, values, query)?
    };
    let mut select = conn.prepare_cached(&format!("{COLUMNS} WHERE t.id = ?1"))?;
    let tickets = ids
        .into_iter()
        .map(|id| select.query_row([id], read))
        .collect::<rusqlite::Result<_>>()?;
    Ok(TicketPage { tickets, total })
}

/// A page and the total by index alone.
fn page_of_all(
    conn: &Connection,
    condition: &str,
    mut values: Vec<Box<dyn ToSql>>,
    query: &TicketQuery,
) -> rusqlite::Result<(Vec<i64>, u32)> {
    let total = conn
        .prepare_cached(&format!("SELECT count(*) FROM tickets {condition}"))?
        .query_row(rusqlite::params_from_iter(&values), |row| row.get(0))?;
    values.push(Box::new(query.limit.min(PAGE)));
    values.push(Box::new(query.offset));
    let ids = conn
        .prepare_cached(&format!("{} LIMIT ? OFFSET ?", listing(condition)))?
        .query_map(rusqlite::params_from_iter(&values), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok((ids, total))
}

/// A search costs more than its results: it runs once for both the page and the total.
fn page_of_found(
    conn: &Connection,
    condition: &str,
    values: &[Box<dyn ToSql>],
    query: &TicketQuery,
) -> rusqlite::Result<(Vec<i64>, u32)> {
    let ids: Vec<i64> = conn
        .prepare_cached(&listing(condition))?
        .query_map(rusqlite::params_from_iter(values), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let total = u32::try_from(ids.len()).unwrap_or(u32::MAX);
    let page = ids
        .into_iter()
        .skip(query.offset as usize)
        .take(query.limit.min(PAGE) as usize)
        .collect();
    Ok((page, total))
}

pub(super) fn listing(condition: &str) -> String {
    format!("SELECT id FROM tickets {condition} ORDER BY updated_at DESC, id DESC")
}

/// A whole ticket.
pub fn view(conn: &Connection, id: i64) -> rusqlite::Result<Option<TicketView>> {
    let Some(ticket) = conn
        .prepare_cached(&format!("{COLUMNS} WHERE t.id = ?1"))?
        .query_row([id], read)
        .optional()?
    else {
        return Ok(None);
    };
    let same_mail_in = conn
        .prepare_cached(SAME_MAIL)?
        .query_map([id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(TicketView {
        ticket,
        messages: messages::of_ticket(conn, id)?,
        same_mail_in,
    }))
}

pub(super) const SAME_MAIL: &str = "SELECT DISTINCT other.ticket_id
    FROM messages mine JOIN messages other ON other.fingerprint = mine.fingerprint
    WHERE mine.ticket_id = ?1 AND other.ticket_id <> ?1 ORDER BY other.ticket_id";

/// Tickets made for an address since `at`, imports not counted.
pub fn created_since(conn: &Connection, address_id: i64, at: Millis) -> rusqlite::Result<u32> {
    conn.prepare_cached(
        "SELECT count(*) FROM tickets WHERE address_id = ?1 AND imported = 0 AND created_at >= ?2",
    )?
    .query_row((address_id, at), |row| row.get(0))
}

/// Open tickets of an address.
pub fn open_count(conn: &Connection, address_id: i64) -> rusqlite::Result<u32> {
    conn.prepare_cached("SELECT count(*) FROM tickets WHERE address_id = ?1 AND open = 1")?
        .query_row([address_id], |row| row.get(0))
}

/// Messages that an address received in each of the last 24 hours, oldest first.
pub fn activity(conn: &Connection, address_id: i64, now: Millis) -> rusqlite::Result<[u32; 24]> {
    let mut hours = [0; 24];
    let mut select = conn.prepare_cached(
        "SELECT (?2 - received_at) / 3600000, count(*) FROM messages
         WHERE address_id = ?1 AND received_at > ?2 - 24 * 3600000 AND received_at <= ?2
         GROUP BY 1",
    )?;
    let mut rows = select.query((address_id, now))?;
    while let Some(row) = rows.next()? {
        let ago: u8 = row.get(0)?;
        if let Some(hour) = hours.iter_mut().rev().nth(ago.into()) {
            *hour = row.get(1)?;
        }
    }
    Ok(hours)
}

/// Somebody who wrote in: their name (the address where they gave none) and in how many tickets. `key` is
/// [`crate::account::EmailAddress::key`].
pub fn requester(conn: &Connection, key: &str) -> rusqlite::Result<Option<(String, u32)>> {
    conn.prepare_cached(
        "SELECT iif(max(requester_name) = '', max(requester_address), max(requester_name)), count(*)
         FROM tickets WHERE requester_address = ?1 COLLATE NOCASE",
    )?
    .query_row([key], |row| {
        let count: u32 = row.get(1)?;
        match count {
            0 => Ok(None),
            _ => Ok(Some((row.get(0)?, count))),
        }
    })
}
