//! Names of folders on the wire: modified UTF-7 (RFC 3501 §5.1.3), then quoted (§4.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// `text` as a quoted string; nothing when it holds what a quoted string cannot.
pub(super) fn quoted(text: &str) -> Option<String> {
    let fits = text.chars().all(|c| matches!(c, ' '..='~'));
    fits.then(|| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// `name` in modified UTF-7.
pub(crate) fn encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut special: Vec<u8> = Vec::new();
    let end = |special: &mut Vec<u8>, out: &mut String| {
        if !special.is_empty() {
            let coded = STANDARD_NO_PAD.encode(&*special).replace('/', ",");
            out.push('&');
            out.push_str(&coded);
            out.push('-');
            special.clear();
        }
    };
    for c in name.chars() {
        match c {
            '&' => {
                end(&mut special, &mut out);
                out.push_str("&-");
            }
            ' '..='~' => {
                end(&mut special, &mut out);
                out.push(c);
            }
            _ => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    special.extend_from_slice(&unit.to_be_bytes());
                }
            }
        }
    }
    end(&mut special, &mut out);
    out
}

/// The name that people see; what is no modified UTF-7 stays as it is.
pub(super) fn decoded(wire: &str) -> String {
    let mut out = String::with_capacity(wire.len());
    let mut rest = wire;
    while let Some((plain, coded)) = rest.split_once('&') {
        out.push_str(plain);
        let Some((coded, behind)) = coded.split_once('-') else {
            out.push('&');
            rest = coded;
            continue;
        };
        match (coded.is_empty(), units(coded)) {
            (true, _) => out.push('&'),
            (false, Some(text)) => out.push_str(&text),
            (false, None) => {
                out.push('&');
                out.push_str(coded);
                out.push('-');
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn units(coded: &str) -> Option<String> {
    let bytes = STANDARD_NO_PAD.decode(coded.replace(',', "/")).ok()?;
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
    rest.is_empty().then(|| String::from_utf16(&units).ok())?
}

/// A quoted string's text, as the parser leaves it (RFC 3501 §9, quoted-specials).
pub(super) fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut escaped = false;
    for c in text.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            escaped = false;
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_as_the_rfc_says() {
        for (name, wire) in [
            ("INBOX", "INBOX"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Entwürfe & mehr", "Entw&APw-rfe &- mehr"),
            ("📬", "&2D3c7A-"),
            ("a\r\nb", "a&AA0ACg-b"),
        ] {
            assert_eq!(encoded(name), wire, "{name}");
            assert_eq!(decoded(wire), name, "{wire}");
        }
    }

    #[test]
    fn what_is_no_modified_utf7_stays_as_it_is() {
        for text in ["a & b", "a&", "&AB-", "&2D0-", "R&D-"] {
            assert_eq!(decoded(text), text);
        }
        assert_eq!(unquoted(r#"a\"b\\c"#), r#"a"b\c"#);
    }

    #[test]
    fn a_quoted_string_cannot_break_out() {
        assert_eq!(quoted(r#"a"b\c"#).unwrap(), r#""a\"b\\c""#);
        assert_eq!(quoted("a\r\nb"), None);
        assert_eq!(quoted("ü"), None);
    }
}
