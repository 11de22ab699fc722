//! Messages: mails with their text, raw MIME, attachments and search row.

use super::columns;
use crate::Millis;
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, named_params};
use serde::{Deserialize, Serialize};

/// A person in a header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct PersonView {
    /// Name as written; may be empty.
    pub name: String,
    /// Address.
    pub address: String,
}

/// One mail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct MessageView {
    /// Message number.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub id: i64,
    /// Sender.
    pub from: PersonView,
    /// Recipients.
    pub to: Vec<PersonView>,
    /// Copies.
    pub cc: Vec<PersonView>,
    /// Subject.
    pub subject: String,
    /// When the server received it.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub received_at: Millis,
    /// Text, made from HTML where the mail has no text part.
    pub text: String,
    /// Whether there is an HTML part to show.
    pub has_html: bool,
    /// Attachments, inline images left out.
    pub attachments: Vec<AttachmentView>,
    /// Whether it came by the first import.
    pub imported: bool,
    /// Why it is taken for automatic mail, if it is: a word like `auto-reply`, `bounce`, `list`, `bulk`.
    pub automatic: Option<String>,
    /// What was cut or broken: words like `too_deep`, `too_many_parts`, `truncated`, `text_cut`.
    pub damage: Vec<String>,
}

/// An attachment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct AttachmentView {
    /// Attachment number.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub id: i64,
    /// A name that is safe to offer in a dialog.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Size in bytes.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub size: i64,
}

/// A mail to keep.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewMessage {
    /// The ticket it belongs to.
    pub ticket_id: i64,
    /// The address it came to.
    pub address_id: i64,
    /// `Message-ID` without angle brackets.
    pub message_id: Option<String>,
    /// Message-IDs of the mails it answers, nearest first.
    pub references: Vec<String>,
    /// The same for the same mail by two routes.
    pub fingerprint: Option<[u8; 32]>,
    /// Subject.
    pub subject: String,
    /// Sender.
    pub from: PersonView,
    /// `Reply-To`, where given.
    pub reply_to: Option<PersonView>,
    /// Recipients.
    pub to: Vec<PersonView>,
    /// Copies.
    pub cc: Vec<PersonView>,
    /// When the server received it.
    pub received_at: Millis,
    /// `Date` header.
    pub sent_at: Option<Millis>,
    /// Text to show and to search.
    pub text: String,
    /// Whether there is an HTML part.
    pub has_html: bool,
    /// Why it is taken for automatic mail, if it is.
    pub automatic: Option<String>,
    /// What was cut or broken.
    pub damage: Vec<String>,
    /// Whether it came by an import.
    pub imported: bool,
    /// Raw MIME.
    pub raw: Bytes,
    /// Attachments, inline images too.
    pub attachments: Vec<NewAttachment>,
}

/// An attachment to keep; its bytes stay in the raw mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewAttachment {
    /// Number of the part within the mail.
    pub part: u32,
    /// A name that is safe as a file name.
    pub name: String,
    /// Media type in lower case.
    pub media_type: String,
    /// Decoded size in bytes.
    pub size: u64,
    /// `Content-ID` without angle brackets.
    pub content_id: Option<String>,
    /// Whether it belongs to the HTML and is not listed.
    pub inline: bool,
}

/// Where the bytes of an attachment are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentPlace {
    /// Our message (see [`raw`]).
    pub message_id: i64,
    /// Number of the part within the mail.
    pub part: u32,
    /// A name that is safe as a file name.
    pub name: String,
    /// Media type in lower case.
    pub media_type: String,
}

/// The header's people apart from the sender, as they are kept.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Recipients {
    to: Vec<PersonView>,
    cc: Vec<PersonView>,
    reply_to: Option<PersonView>,
}

/// Characters of a message's text that a ticket's line in a list shows.
const PREVIEW: usize = 200;
/// References of one mail that are remembered: long threads repeat all their ids in every mail.
const REFERENCES: usize = 20;

/// Keeps a mail with all that belongs to it but the search index (`search::add` fills it), and brings its ticket's line up
/// to date (number of messages, time and preview of the newest, attachments). Returns the message's id.
pub fn insert(conn: &Connection, new: &NewMessage) -> rusqlite::Result<i64> {
    let recipients = Recipients {
        to: new.to.clone(),
        cc: new.cc.clone(),
        reply_to: new.reply_to.clone(),
    };
    let id = conn
        .prepare_cached(
            "INSERT INTO messages (ticket_id, address_id, message_id, fingerprint, subject, from_name,
                 from_address, recipients, received_at, sent_at, has_html, automatic, damage, imported)
             VALUES (:ticket_id, :address_id, :message_id, :fingerprint, :subject, :from_name,
                 :from_address, :recipients, :received_at, :sent_at, :has_html, :automatic, :damage, :imported)",
        )?
        .insert(named_params! {
            ":ticket_id": new.ticket_id,
            ":address_id": new.address_id,
            ":message_id": new.message_id,
            ":fingerprint": new.fingerprint,
            ":subject": new.subject,
            ":from_name": new.from.name,
            ":from_address": new.from.address,
            ":recipients": columns::json(&recipients)?,
            ":received_at": new.received_at,
            ":sent_at": new.sent_at,
            ":has_html": new.has_html,
            ":automatic": new.automatic,
            ":damage": columns::json(&new.damage)?,
            ":imported": new.imported,
        })?;
    conn.prepare_cached("INSERT INTO bodies (message_id, text, raw) VALUES (?1, ?2, ?3)")?
        .execute((id, &new.text, &new.raw[..]))?;
    let mut attach = conn.prepare_cached(
        "INSERT INTO attachments (message_id, part, name, media_type, size, content_id, inline)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for attachment in &new.attachments {
        attach.execute((
            id,
            attachment.part,
            &attachment.name,
            &attachment.media_type,
            i64::try_from(attachment.size).unwrap_or(i64::MAX),
            &attachment.content_id,
            attachment.inline,
        ))?;
    }
    let mut thread = conn.prepare_cached(
        "INSERT INTO thread_ids (address_id, message_id, ticket_id, own) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (address_id, message_id) DO UPDATE SET own = max(own, excluded.own)",
    )?;
    let own = new.message_id.iter().map(|id| (id, true));
    for (message_id, own) in own.chain(new.references.iter().take(REFERENCES).map(|id| (id, false)))
    {
        thread.execute((new.address_id, message_id, new.ticket_id, own))?;
    }
    conn.prepare_cached(
        "UPDATE tickets SET messages = messages + 1,
             preview = iif(messages = 0 OR :at >= updated_at, :preview, preview),
             updated_at = max(updated_at, :at),
             has_attachments = has_attachments OR :attached
         WHERE id = :ticket",
    )?
    .execute(named_params! {
        ":ticket": new.ticket_id,
        ":at": new.received_at,
        ":preview": preview(&new.text),
        ":attached": new.attachments.iter().any(|attachment| !attachment.inline),
    })?;
    Ok(id)
}

/// The beginning of a text on one line.
fn preview(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        // A character has four bytes at most: more words than these are not needed.
        line.push_str(word);
        if line.len() >= 4 * PREVIEW {
            break;
        }
    }
    line.chars().take(PREVIEW).collect()
}

/// The ticket of this address that a mail belongs to: the one that holds or refers to the first of `parents`
/// (nearest first) that is known at all, or the one whose mails refer to the mail itself (`own`). A second mail
/// under an id that is here already is another mail and belongs nowhere by its own id.
pub fn find_ticket(
    conn: &Connection,
    address_id: i64,
    own: Option<&str>,
    parents: &[String],
) -> rusqlite::Result<Option<i64>> {
    let mut select = conn.prepare_cached(
        "SELECT ticket_id FROM thread_ids WHERE address_id = ?1 AND message_id = ?2 AND own <= ?3",
    )?;
    let by_parent = parents.iter().map(|id| (id.as_str(), 1));
    for (message_id, own) in own.map(|id| (id, 0)).into_iter().chain(by_parent) {
        let ticket = select
            .query_row((address_id, message_id, own), |row| row.get(0))
            .optional()?;
        if ticket.is_some() {
            return Ok(ticket);
        }
    }
    Ok(None)
}

/// The newest message of each address that has any: `(address, message)`.
pub fn newest_by_address(conn: &Connection) -> rusqlite::Result<Vec<(i64, i64)>> {
    conn.prepare_cached(
        "SELECT a.id, (SELECT max(t.id) FROM messages t WHERE t.address_id = a.id) FROM addresses a",
    )?
    .query_map([], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?)))?
    .filter_map(|row| row.map(|(id, newest)| newest.map(|newest| (id, newest))).transpose())
    .collect()
}

/// The message and the ticket of this address that hold the same mail already.
pub fn find_fingerprint(
    conn: &Connection,
    address_id: i64,
    fingerprint: &[u8; 32],
) -> rusqlite::Result<Option<(i64, i64)>> {
    conn.prepare_cached(
        "SELECT id, ticket_id FROM messages WHERE fingerprint = ?2 AND address_id = ?1 ORDER BY id LIMIT 1",
    )?
    .query_row((address_id, &fingerprint[..]), |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()
}

/// The people in the column `recipients`.
pub(super) fn recipients(column: &str) -> serde_json::Result<Vec<PersonView>> {
    let recipients: Recipients = serde_json::from_str(column)?;
    let people = recipients.to.into_iter().chain(recipients.cc);
    Ok(people.chain(recipients.reply_to).collect())
}

/// Raw MIME of a message.
pub fn raw(conn: &Connection, id: i64) -> rusqlite::Result<Option<Vec<u8>>> {
    conn.prepare_cached("SELECT raw FROM bodies WHERE message_id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()
}

/// Where an attachment's bytes are.
pub fn attachment(conn: &Connection, id: i64) -> rusqlite::Result<Option<AttachmentPlace>> {
    conn.prepare_cached("SELECT message_id, part, name, media_type FROM attachments WHERE id = ?1")?
        .query_row([id], |row| {
            Ok(AttachmentPlace {
                message_id: row.get(0)?,
                part: row.get(1)?,
                name: row.get(2)?,
                media_type: row.get(3)?,
            })
        })
        .optional()
}

/// A ticket's messages, oldest first.
pub fn of_ticket(conn: &Connection, ticket_id: i64) -> rusqlite::Result<Vec<MessageView>> {
    let mut messages = conn
        .prepare_cached(
            "SELECT m.id, m.from_name, m.from_address, m.recipients, m.subject, m.received_at, b.text,
                 m.has_html, m.imported, m.automatic, m.damage
             FROM messages m JOIN bodies b ON b.message_id = m.id
             WHERE m.ticket_id = ?1 ORDER BY m.received_at, m.id",
        )?
        .query_map([ticket_id], read)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut select = conn.prepare_cached(
        "SELECT id, name, media_type, size FROM attachments
         WHERE message_id = ?1 AND inline = 0 ORDER BY id",
    )?;
    for message in &mut messages {
        message.attachments = select
            .query_map([message.id], |row| {
                Ok(AttachmentView {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    media_type: row.get(2)?,
                    size: row.get(3)?,
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
    }
    Ok(messages)
}

fn read(row: &Row<'_>) -> rusqlite::Result<MessageView> {
    let recipients: Recipients = columns::get_json(row, 3)?;
    Ok(MessageView {
        id: row.get(0)?,
        from: PersonView {
            name: row.get(1)?,
            address: row.get(2)?,
        },
        to: recipients.to,
        cc: recipients.cc,
        subject: row.get(4)?,
        received_at: row.get(5)?,
        text: row.get(6)?,
        has_html: row.get(7)?,
        attachments: Vec::new(),
        imported: row.get(8)?,
        automatic: row.get(9)?,
        damage: columns::get_json(row, 10)?,
    })
}
