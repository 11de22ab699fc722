//! Content-Transfer-Encoding (RFC 2045 section 6) undone, forgiving what senders break.

use std::borrow::Cow;

use mail_parser::decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode};

/// The body of a part, decoded after its `Content-Transfer-Encoding`.
pub(super) fn decode<'a>(body: &'a [u8], encoding: &str) -> Cow<'a, [u8]> {
    match encoding
        .trim()
        .trim_matches('"')
        .to_ascii_lowercase()
        .as_str()
    {
        "base64" => Cow::Owned(base64(body)),
        "quoted-printable" => Cow::Owned(quoted_printable(body)),
        _ => Cow::Borrowed(body),
    }
}

/// Base64; characters outside its alphabet are passed over.
pub(super) fn base64(body: &[u8]) -> Vec<u8> {
    if let Some(decoded) = base64_decode(body) {
        return decoded;
    }
    let mut out = Vec::with_capacity(body.len() / 4 * 3 + 3);
    let (mut chunk, mut bits) = (0u32, 0u32);
    for byte in body {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                bits = 0;
                continue;
            }
            _ => continue,
        };
        chunk = (chunk << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((chunk >> bits) as u8);
            chunk &= (1 << bits) - 1;
        }
    }
    out
}

/// Quoted-printable; a broken escape stays as written.
pub(super) fn quoted_printable(body: &[u8]) -> Vec<u8> {
    if let Some(decoded) = quoted_printable_decode(body) {
        return decoded;
    }
    let mut out = Vec::with_capacity(body.len());
    let mut at = 0;
    while let Some(&byte) = body.get(at) {
        at += 1;
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        match (body.get(at), body.get(at + 1)) {
            (Some(b'\n'), _) => at += 1,
            (Some(b'\r'), Some(b'\n')) => at += 2,
            (Some(&high), Some(&low)) => match (hex(high), hex(low)) {
                (Some(high), Some(low)) => {
                    out.push(high * 16 + low);
                    at += 2;
                }
                _ => out.push(b'='),
            },
            (None, _) => {}
            _ => out.push(b'='),
        }
    }
    out
}

/// The value of a hexadecimal digit.
pub(super) fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_base64_with_foreign_characters() {
        assert_eq!(base64(b"SGVs*bG8h"), b"Hello!");
        assert_eq!(base64(b"SGVsbG8"), b"Hello");
        assert_eq!(
            base64(b"SGVsbG8=\r\n-- \r\nx"),
            base64(b"SGVsbG8=\r\n-- \r\nx")
        );
    }

    #[test]
    fn keeps_a_broken_escape() {
        assert_eq!(
            quoted_printable(b"50 =% off=\r\n now =3D"),
            b"50 =% off now ="
        );
        assert_eq!(quoted_printable(b"end="), b"end");
    }
}
