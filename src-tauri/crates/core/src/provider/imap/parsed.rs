//! The one way from a response's bytes to what they say. Whoever is on the line may have written them: before TLS
//! that is anybody.

use imap_proto::Response;
use std::panic::catch_unwind;

/// What `bytes` say; nothing where they are no IMAP, or a shape that the parser is known to fall over (imap-proto
/// 0.17). Should there be one more of those, it is caught.
pub(super) fn parsed(bytes: &[u8]) -> Option<Response<'_>> {
    if is_metadata(bytes) || has_text_glued_to_its_code(bytes) || has_no_date(bytes) {
        return None;
    }
    let (_, response) = catch_unwind(|| Response::parse(bytes)).ok()?.ok()?;
    Some(response)
}

/// RFC 5464, which nobody here asks for: a name that is not UTF-8 is too much for the parser.
fn is_metadata(bytes: &[u8]) -> bool {
    begins(bytes, b"* METADATA ")
}

/// A response code is followed by a space (RFC 3501 §7.1); the parser takes the first byte away whatever it is, also
/// out of the middle of a character.
fn has_text_glued_to_its_code(bytes: &[u8]) -> bool {
    let mut words = bytes.splitn(3, |byte| *byte == b' ');
    let (Some(_), Some(status), Some(text)) = (words.next(), words.next(), words.next()) else {
        return false;
    };
    let is_status = ["OK", "NO", "BAD", "BYE", "PREAUTH"]
        .iter()
        .any(|known| status.eq_ignore_ascii_case(known.as_bytes()));
    if !is_status || !text.starts_with(b"[") {
        return false;
    }
    let end = text.iter().position(|byte| *byte == b']');
    let behind = end.and_then(|end| text.get(end + 1));
    behind.is_some_and(|byte| !byte.is_ascii())
}

/// `INTERNALDATE NIL`, which RFC 3501 §9 does not allow, outside of quotes and literals.
fn has_no_date(bytes: &[u8]) -> bool {
    const SHAPE: &[u8] = b"INTERNALDATE NIL";
    let mut rest = bytes;
    let (mut quoted, mut escaped) = (false, false);
    while let Some((&byte, behind)) = rest.split_first() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'i' | b'I' if !quoted && begins(rest, SHAPE) => return true,
            b'{' if !quoted => {
                if let Some(length) = literal(rest) {
                    rest = rest.get(length..).unwrap_or_default();
                    continue;
                }
            }
            _ => {}
        }
        rest = behind;
    }
    false
}

/// The length of the literal at the beginning of `bytes` with its announcement, if there is one.
fn literal(bytes: &[u8]) -> Option<usize> {
    let end = bytes.iter().take(24).position(|byte| *byte == b'}')?;
    let digits = std::str::from_utf8(bytes.get(1..end)?).ok()?;
    let length: usize = digits.trim_end_matches('+').parse().ok()?;
    let begin = end + 3;
    (bytes.get(end + 1..begin) == Some(b"\r\n")).then(|| begin.saturating_add(length))
}

fn begins(bytes: &[u8], sign: &[u8]) -> bool {
    bytes
        .get(..sign.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(sign))
}

#[cfg(test)]
mod tests {
    use super::*;
    use imap_proto::AttributeValue;

    #[test]
    fn what_the_parser_falls_over_is_not_given_to_it() {
        for bytes in [
            b"* 1 FETCH (UID 1 INTERNALDATE NIL)\r\n".as_slice(),
            b"* 1 FETCH (BODY[] {3}\r\na\"b INTERNALDATE nil)\r\n",
            "* OK [ALERT]é\r\n".as_bytes(),
            b"M3 NO [ALERT]\xff\r\n",
            b"* BYE [UIDVALIDITY 3]\x80\r\n",
            b"* METADATA \"\xff\" \"/private/comment\"\r\n",
            b"* metadata \"\xff\" (\"/private/comment\" \"\xff\")\r\n",
        ] {
            let text = String::from_utf8_lossy(bytes).into_owned();
            assert!(parsed(bytes).is_none(), "{text}");
            let refused =
                is_metadata(bytes) || has_text_glued_to_its_code(bytes) || has_no_date(bytes);
            assert!(refused, "{text}: known, not only caught");
        }
    }

    #[test]
    fn what_only_looks_so_is_read() {
        for bytes in [
            b"* 1 FETCH (BODY[] {16}\r\nINTERNALDATE NIL UID 1)\r\n".as_slice(),
            b"* 1 FETCH (BODY[] \"INTERNALDATE NIL\" UID 1)\r\n",
            "* OK [ALERT] [é]é\r\n".as_bytes(),
            "M3 NO é\r\n".as_bytes(),
            b"* OK [ALERT]x\r\n",
        ] {
            let text = String::from_utf8_lossy(bytes).into_owned();
            assert!(parsed(bytes).is_some(), "{text}");
        }
        let body = b"* 1 FETCH (BODY[] {16}\r\nINTERNALDATE NIL UID 1)\r\n";
        let Some(Response::Fetch(1, attributes)) = parsed(body) else {
            panic!("a message");
        };
        assert!(
            attributes
                .iter()
                .any(|attribute| matches!(attribute, AttributeValue::Uid(1)))
        );
    }
}
