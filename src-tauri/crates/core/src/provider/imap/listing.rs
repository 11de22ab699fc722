//! A message as a listing shows it, from the attributes of a FETCH response (RFC 3501 §7.4.2).

use crate::Millis;
use crate::provider::RemoteMessage;
use imap_proto::AttributeValue;
use mail_parser::MessageParser;

/// What a listing asks for: the few header fields as they are, because a server's ENVELOPE is as good as the server's
/// own parser, and `BODY.PEEK` because a look must not mark as read.
pub(super) const ATTRIBUTES: &str =
    "UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT FROM MESSAGE-ID)]";
/// Longest header of a listing that is read.
const HEADER_LIMIT: usize = 64 << 10;
/// Longest subject that is kept.
const SUBJECT_LIMIT: usize = 1_000;

/// The UID and the message; nothing where the response has no UID or no date, like those about changed flags.
pub(super) fn listed(
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
            server_id: super::server_id(validity, uid),
            received_at,
            message_id: parsed
                .as_ref()
                .and_then(|mail| mail.message_id())
                .map(str::to_owned),
            subject: parsed
                .as_ref()
                .and_then(|mail| mail.subject())
                .map(|text| text.chars().take(SUBJECT_LIMIT).collect())
                .unwrap_or_default(),
            from: from
                .and_then(|from| from.first())
                .and_then(|from| from.address())
                .unwrap_or_default()
                .to_owned(),
            is_read,
            categories: Vec::new(),
        },
    ))
}

/// INTERNALDATE, for instance ` 7-Nov-2026 09:00:00 +0100`.
fn instant(text: &str) -> Option<Millis> {
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
