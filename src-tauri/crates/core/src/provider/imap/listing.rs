//! Messages as a listing shows them, from the attributes of FETCH responses (RFC 3501 §7.4.2), and searches.

use super::place::{renumbered, server_id, uid_set};
use super::session::{Session, protocol};
use crate::Millis;
use crate::provider::{ProviderError, RemoteMessage};
use imap_proto::{AttributeValue, MailboxDatum, Response};
use mail_parser::MessageParser;
use std::collections::{BTreeMap, BTreeSet};

/// What a listing asks for: the few header fields as they are, because a server's ENVELOPE is as good as the server's
/// own parser, and `BODY.PEEK` because a look must not mark as read.
const ATTRIBUTES: &str =
    "UID FLAGS INTERNALDATE BODY.PEEK[HEADER.FIELDS (SUBJECT FROM MESSAGE-ID DATE)]";
/// The same without the server's date, which may be what makes the answer unreadable.
const WITHOUT_DATE: &str = "UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT FROM MESSAGE-ID DATE)]";
/// Longest header of a listing that is read.
const HEADER_LIMIT: usize = 64 << 10;
/// Longest text of a header that is kept, in characters.
const TEXT_LIMIT: usize = 1_000;

/// Between which instants a message lies whose date the server does not tell. What its own header says counts within
/// them, and the later one where it says nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Undated {
    pub(super) least: Millis,
    pub(super) most: Millis,
}

impl Undated {
    /// Up to now.
    pub(super) fn since(least: Millis) -> Self {
        let most = jiff::Timestamp::now().as_millisecond();
        Self { least, most }
    }

    pub(super) fn instant(self, header: Option<Millis>) -> Millis {
        let header = header.map(|date| date.max(self.least));
        header.map_or(self.most, |date| date.min(self.most))
    }
}

/// The UIDs that `criteria` find.
pub(super) async fn search(
    session: &mut Session,
    criteria: &str,
) -> Result<BTreeSet<u32>, ProviderError> {
    let mut found = BTreeSet::new();
    let command = format!("UID SEARCH {criteria}");
    let work = session.listing();
    let ended = session
        .command(&command, work, |response, _| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
                found.extend(uids.iter().copied());
            }
        })
        .await?;
    match ended.unread_search {
        true => Err(protocol("not_imap")),
        false => Ok(found),
    }
}

/// The messages with these UIDs. What nobody asked for is passed by. Left out is only what the server says is gone: a
/// message that it does not describe is given as [`bare`].
pub(super) async fn list(
    session: &mut Session,
    folder: &str,
    validity: u32,
    uids: &[u32],
    undated: Undated,
) -> Result<BTreeMap<u32, RemoteMessage>, ProviderError> {
    let selected = match session.is_open(folder) {
        Some(selected) => selected,
        None => session.select(folder).await?,
    };
    if selected.uid_validity != validity {
        return Err(renumbered(validity, selected.uid_validity));
    }
    let mut all = BTreeMap::new();
    // What is missing in an answer was removed meanwhile, or left out by mistake.
    for attributes in [ATTRIBUTES, ATTRIBUTES, WITHOUT_DATE] {
        let asked = missing(uids, &all);
        if asked.is_empty() {
            return Ok(all);
        }
        let command = format!("UID FETCH {} ({attributes})", uid_set(&asked));
        let work = session.listing();
        session
            .command(&command, work, |response, _| {
                if let Response::Fetch(_, attributes) = response
                    && let Some((uid, message)) = listed(folder, validity, attributes, undated)
                    && asked.contains(&uid)
                {
                    all.entry(uid).or_insert(message);
                }
            })
            .await?;
    }
    let asked = missing(uids, &all);
    if !asked.is_empty() {
        let there = search(session, &format!("UID {}", uid_set(&asked))).await?;
        for uid in asked.into_iter().filter(|uid| there.contains(uid)) {
            all.insert(uid, bare(folder, validity, uid, undated));
        }
    }
    Ok(all)
}

fn missing(uids: &[u32], had: &BTreeMap<u32, RemoteMessage>) -> Vec<u32> {
    let uids = uids.iter().copied();
    uids.filter(|uid| !had.contains_key(uid)).collect()
}

/// A message of which nothing is known but that it is there. Fetching it tells the rest, or notes it as failed.
pub(super) fn bare(folder: &str, validity: u32, uid: u32, undated: Undated) -> RemoteMessage {
    RemoteMessage {
        server_id: server_id(validity, uid, folder),
        received_at: undated.instant(None),
        message_id: None,
        subject: String::new(),
        from: String::new(),
        is_read: false,
        categories: Vec::new(),
    }
}

/// The UID that a FETCH response is about.
pub(super) fn uid_of(attributes: &[AttributeValue<'_>]) -> Option<u32> {
    attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::Uid(uid) => Some(*uid),
        _ => None,
    })
}

/// The UID and the message; nothing where the response has no UID, or neither date nor header, like those about changed
/// flags.
fn listed(
    folder: &str,
    validity: u32,
    attributes: &[AttributeValue<'_>],
    undated: Undated,
) -> Option<(u32, RemoteMessage)> {
    let (mut uid, mut received_at, mut is_read) = (None, None, false);
    let mut header: Option<&[u8]> = None;
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(value) => uid = Some(*value),
            AttributeValue::InternalDate(text) => received_at = instant(text),
            AttributeValue::Flags(flags) => {
                is_read = flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Seen"));
            }
            AttributeValue::BodySection {
                data: Some(data), ..
            } => header = data.get(..data.len().min(HEADER_LIMIT)),
            _ => {}
        }
    }
    let uid = uid?;
    let parsed = MessageParser::default().parse_headers(header.unwrap_or_default());
    let received_at = match (received_at, header) {
        (Some(received_at), _) => received_at,
        (None, Some(_)) => {
            let date = parsed.as_ref().and_then(|mail| mail.date());
            undated.instant(date.map(|date| date.to_timestamp().saturating_mul(1000)))
        }
        (None, None) => return None,
    };
    let from = parsed.as_ref().and_then(|mail| mail.from());
    Some((
        uid,
        RemoteMessage {
            server_id: server_id(validity, uid, folder),
            received_at,
            message_id: parsed
                .as_ref()
                .and_then(|mail| mail.message_id())
                .filter(|id| id.len() <= TEXT_LIMIT)
                .map(str::to_owned),
            subject: parsed
                .as_ref()
                .and_then(|mail| mail.subject())
                .map(|text| text.chars().take(TEXT_LIMIT).collect())
                .unwrap_or_default(),
            from: from
                .and_then(|from| from.first())
                .and_then(|from| from.address())
                .map(|text| text.chars().take(TEXT_LIMIT).collect())
                .unwrap_or_default(),
            is_read,
            categories: Vec::new(),
        },
    ))
}

/// INTERNALDATE, for instance ` 7-Nov-2026 09:00:00 +0100`.
pub(super) fn instant(text: &str) -> Option<Millis> {
    let zoned = jiff::fmt::strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim_start()).ok()?;
    Some(zoned.to_timestamp().ok()?.as_millisecond())
}

/// The day of an instant, in UTC, as searches want it.
pub(super) fn day(at: Millis) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(at.max(0)).ok()?;
    Some(at.strftime("%d-%b-%Y").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_servers_write_them() {
        let noon = instant("07-Nov-2026 12:00:00 +0000").unwrap();
        assert_eq!(instant(" 7-Nov-2026 13:00:00 +0100"), Some(noon));
        assert_eq!(day(noon).unwrap(), "07-Nov-2026");
        assert_eq!(day(-5).unwrap(), "01-Jan-1970");
        assert_eq!(instant("yesterday"), None);
    }
}
