//! Names of folders on the wire: modified UTF-7 (RFC 3501 §5.1.3), then quoted (§4.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// `text` as a quoted string; nothing when it holds what a quoted string cannot.
pub(super) fn quoted(text: &str) -> Option<String> {
    let fits = text.chars().all(|c| matches!(c, ' '..='~'));
    fits.then(|| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// `name` in modified UTF-7.
pub(super) fn encoded(name: &str) -> String {
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
        }
    }

    #[test]
    fn a_quoted_string_cannot_break_out() {
        assert_eq!(quoted(r#"a"b\c"#).unwrap(), r#""a\"b\\c""#);
        assert_eq!(quoted("a\r\nb"), None);
        assert_eq!(quoted("ü"), None);
    }
}
