//! Messages as a listing shows them, from the attributes of FETCH responses (RFC 3501 §7.4.2), and searches.

use super::place::{server_id, uid_set};
use super::session::{Session, protocol};
use crate::Millis;
use crate::provider::{ProviderError, RemoteMessage};
use imap_proto::{AttributeValue, MailboxDatum, Response};
use mail_parser::MessageParser;
use std::collections::{BTreeMap, BTreeSet};

/// What a listing asks for: the few header fields as they are, because a server's ENVELOPE is as good as the server's
/// own parser, and `BODY.PEEK` because a look must not mark as read.
const ATTRIBUTES: &str =
    "UID FLAGS INTERNALDATE BODY.PEEK[HEADER.FIELDS (SUBJECT FROM MESSAGE-ID)]";
/// Longest header of a listing that is read.
const HEADER_LIMIT: usize = 64 << 10;
/// Longest text of a header that is kept, in characters.
const TEXT_LIMIT: usize = 1_000;

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
    match ended.unread {
        true => Err(protocol("not_imap")),
        false => Ok(found),
    }
}

/// The messages with these UIDs in the open folder. What nobody asked for is passed by.
pub(super) async fn list(
    session: &mut Session,
    folder: &str,
    validity: u32,
    uids: &[u32],
) -> Result<BTreeMap<u32, RemoteMessage>, ProviderError> {
    let mut all = BTreeMap::new();
    for _ in 0..2 {
        let missing: Vec<u32> = uids
            .iter()
            .copied()
            .filter(|uid| !all.contains_key(uid))
            .collect();
        // What is missing in an answer was removed meanwhile, or left out by mistake: the second answer counts.
        if missing.is_empty() {
            break;
        }
        all.extend(list_once(session, folder, validity, &missing).await?);
    }
    Ok(all)
}

async fn list_once(
    session: &mut Session,
    folder: &str,
    validity: u32,
    uids: &[u32],
) -> Result<BTreeMap<u32, RemoteMessage>, ProviderError> {
    let mut all = BTreeMap::new();
    let asked: BTreeSet<u32> = uids.iter().copied().collect();
    let command = format!("UID FETCH {} ({ATTRIBUTES})", uid_set(uids));
    let work = session.listing();
    let ended = session
        .command(&command, work, |response, _| {
            if let Response::Fetch(_, attributes) = response
                && let Some((uid, message)) = listed(folder, validity, attributes)
                && asked.contains(&uid)
            {
                all.entry(uid).or_insert(message);
            }
        })
        .await?;
    match ended.unread {
        true => Err(protocol("not_imap")),
        false => Ok(all),
    }
}

/// The UID that a FETCH response is about.
pub(super) fn uid_of(attributes: &[AttributeValue<'_>]) -> Option<u32> {
    attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::Uid(uid) => Some(*uid),
        _ => None,
    })
}

/// The UID and the message; nothing where the response has no UID or no date, like those about changed flags.
fn listed(
    folder: &str,
    validity: u32,
    attributes: &[AttributeValue<'_>],
) -> Option<(u32, RemoteMessage)> {
    let (mut uid, mut received_at, mut is_read) = (None, None, false);
    let mut header: &[u8] = &[];
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(value) => uid = Some(*value),
            AttributeValue::InternalDate(text) => received_at = instant(text),
            AttributeValue::Flags(flags) => {
                is_read = flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Seen"));
            }
            AttributeValue::BodySection {
                data: Some(data), ..
            } => header = data.get(..data.len().min(HEADER_LIMIT)).unwrap_or_default(),
            _ => {}
        }
    }
    let (uid, received_at) = (uid?, received_at?);
    let parsed = MessageParser::default().parse_headers(header);
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
