//! Writes MIME: encoded words (RFC 2047), parameters (RFC 2231), transfer encodings and multiparts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The character sets the sample mail is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    /// UTF-8.
    Utf8,
    /// windows-1252, labelled ISO-8859-1 as many programs do.
    Latin1,
    /// ISO-2022-JP.
    Iso2022Jp,
    /// Shift_JIS.
    ShiftJis,
}

impl Charset {
    /// Its name as it stands in a header.
    #[must_use]
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Latin1 => "iso-8859-1",
            Self::Iso2022Jp => "ISO-2022-JP",
            Self::ShiftJis => "Shift_JIS",
        }
    }

    /// `text` in this character set; what it lacks becomes a numeric reference.
    #[must_use]
    pub(crate) fn bytes(self, text: &str) -> Vec<u8> {
        let encoding = match self {
            Self::Utf8 => return text.as_bytes().to_vec(),
            Self::Latin1 => encoding_rs::WINDOWS_1252,
            Self::Iso2022Jp => encoding_rs::ISO_2022_JP,
            Self::ShiftJis => encoding_rs::SHIFT_JIS,
        };
        encoding.encode(text).0.into_owned()
    }
}

/// Which of the two encodings of RFC 2047 an encoded word uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WordCoding {
    /// Base64.
    B,
    /// Quoted-printable.
    Q,
}

/// A node of a MIME tree: header fields (each with its line end) and what follows the empty line.
#[derive(Debug, Clone)]
pub(crate) struct Entity {
    headers: String,
    body: Vec<u8>,
}

impl Entity {
    /// A leaf made of finished header lines and a finished body.
    #[must_use]
    pub(crate) fn raw(headers: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            headers: headers.into(),
            body: body.into(),
        }
    }

    /// A text part. `kind` is `plain` or `html`.
    #[must_use]
    pub(crate) fn text(kind: &str, text: &str, charset: Charset) -> Self {
        let crlf = text.replace("\r\n", "\n").replace('\n', "\r\n");
        let bytes = charset.bytes(&crlf);
        let (coding, body) = match charset {
            Charset::Iso2022Jp => ("7bit", bytes),
            Charset::ShiftJis => ("base64", base64_lines(&bytes).into_bytes()),
            Charset::Utf8 | Charset::Latin1 if bytes.is_ascii() && longest_line(&bytes) < 900 => {
                ("7bit", bytes)
            }
            Charset::Utf8 | Charset::Latin1 => ("quoted-printable", quoted_printable(&bytes)),
        };
        Self {
            headers: format!(
                "Content-Type: text/{kind}; charset=\"{}\"\r\nContent-Transfer-Encoding: {coding}\r\n",
                charset.label()
            ),
            body,
        }
    }

    /// An attachment whose base64 lines are ready. `content_id` makes it an inline part.
    #[must_use]
    pub(crate) fn file(
        name: &str,
        media_type: &str,
        base64: &str,
        content_id: Option<&str>,
    ) -> Self {
        let disposition = if content_id.is_some() {
            "inline"
        } else {
            "attachment"
        };
        let mut headers = format!(
            "Content-Type: {media_type}{}\r\nContent-Disposition: {disposition}{}\r\nContent-Transfer-Encoding: base64\r\n",
            parameter("name", name),
            parameter("filename", name)
        );
        if let Some(id) = content_id {
            headers.push_str(&format!("Content-ID: <{id}>\r\n"));
        }
        Self {
            headers,
            body: base64.as_bytes().to_vec(),
        }
    }

    /// Several parts in one. `subtype` may carry parameters (`report; report-type=delivery-status`).
    #[must_use]
    pub(crate) fn multipart(subtype: &str, boundary: &str, parts: Vec<Self>) -> Self {
        let mut body = Vec::with_capacity(parts.iter().map(|p| p.body.len() + 300).sum());
        for part in parts {
            body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            part.write(&mut body);
            if !body.ends_with(b"\r\n") {
                body.extend_from_slice(b"\r\n");
            }
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        Self {
            headers: format!("Content-Type: multipart/{subtype}; boundary=\"{boundary}\"\r\n"),
            body,
        }
    }

    /// The whole message: `headers` (finished lines), MIME-Version, this entity.
    #[must_use]
    pub(crate) fn message(&self, headers: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(headers.len() + self.headers.len() + self.body.len() + 32);
        out.extend_from_slice(headers.as_bytes());
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.headers.as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
    }
}

/// Base64 in lines of 76 characters.
#[must_use]
pub(crate) fn base64_lines(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + bytes.len() / 28 + 4);
    for chunk in bytes.chunks(57) {
        STANDARD.encode_string(chunk, &mut out);
        out.push_str("\r\n");
    }
    out
}

/// `text` as a header value: as it is when it is plain ASCII, else as encoded words.
#[must_use]
pub(crate) fn encoded(text: &str, charset: Charset, coding: WordCoding) -> String {
    if text.contains(['\r', '\n']) {
        return encoded(&text.replace(['\r', '\n'], " "), charset, coding);
    }
    if text.is_ascii() && !text.contains("=?") {
        return text.to_owned();
    }
    // Measured beforehand, because encoding each prefix to see its length would take quadratic time.
    let budget = match (coding, charset) {
        (WordCoding::B, Charset::Utf8 | Charset::Latin1 | Charset::ShiftJis) => 40,
        (WordCoding::B, Charset::Iso2022Jp) => 30,
        (WordCoding::Q, Charset::Utf8 | Charset::Latin1 | Charset::ShiftJis) => 17,
        (WordCoding::Q, Charset::Iso2022Jp) => 10,
    };
    let mut words = Vec::new();
    let (mut start, mut used, mut was_ascii) = (0, 0, true);
    for (at, letter) in text.char_indices() {
        let ascii = letter.is_ascii();
        let mut cost = match charset {
            Charset::Utf8 => letter.len_utf8(),
            Charset::Latin1 | Charset::Iso2022Jp | Charset::ShiftJis => 1 + usize::from(!ascii),
        };
        if charset == Charset::Iso2022Jp && ascii != was_ascii {
            cost += 3;
        }
        was_ascii = ascii;
        if used + cost > budget {
            words.push(word(&text[start..at], charset, coding));
            (start, used) = (at, 0);
        }
        used += cost;
    }
    words.push(word(&text[start..], charset, coding));
    words.join("\r\n ")
}

/// A name and an address for an address header.
#[must_use]
pub(crate) fn address(name: &str, address: &str, charset: Charset, coding: WordCoding) -> String {
    let clean = address.replace(['\r', '\n', '<', '>'], "");
    if name.is_empty() || name == address {
        return clean;
    }
    let plain = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == ' ' || c == '-');
    if plain {
        format!("{name} <{clean}>")
    } else if name.is_ascii() {
        let quoted = name
            .replace(['\r', '\n'], " ")
            .replace('\\', "\\\\")
            .replace('"', "\\\"");
        format!("\"{quoted}\" <{clean}>")
    } else {
        format!("{} <{clean}>", encoded(name, charset, coding))
    }
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

fn word(text: &str, charset: Charset, coding: WordCoding) -> String {
    let bytes = charset.bytes(text);
    match coding {
        WordCoding::B => format!("=?{}?B?{}?=", charset.label(), STANDARD.encode(bytes)),
        WordCoding::Q => {
            let mut out = format!("=?{}?Q?", charset.label());
            for byte in bytes {
                match byte {
                    b' ' => out.push('_'),
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
                    _ => {
                        out.push('=');
                        out.push(char::from(HEX[usize::from(byte >> 4)]));
                        out.push(char::from(HEX[usize::from(byte & 15)]));
                    }
                }
            }
            out.push_str("?=");
            out
        }
    }
}

fn parameter(name: &str, value: &str) -> String {
    if value.is_ascii() {
        let clean = value.replace(['"', '\\', '\r', '\n'], "_");
        return format!(";\r\n {name}=\"{clean}\"");
    }
    let mut out = format!(";\r\n {name}*=utf-8''");
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn longest_line(bytes: &[u8]) -> usize {
    bytes
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0)
}

fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 5 / 4);
    let mut column = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte == b'\r' || byte == b'\n' {
            out.push(byte);
            column = 0;
            continue;
        }
        let ends_line = matches!(bytes.get(at + 1), None | Some(b'\r' | b'\n'));
        let plain = (byte > 32 && byte < 127 && byte != b'=')
            || (matches!(byte, b' ' | b'\t') && !ends_line);
        let width = if plain { 1 } else { 3 };
        if column + width > 75 {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        if plain {
            out.push(byte);
        } else {
            let digits = [
                b'=',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ];
            out.extend_from_slice(&digits);
        }
        column += width;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::{MessageParser, MimeHeaders};

    #[test]
    fn every_charset_and_coding_is_read_back() {
        for charset in [Charset::Utf8, Charset::Iso2022Jp, Charset::ShiftJis] {
            for coding in [WordCoding::B, WordCoding::Q] {
                let text = "コーヒーメーカーの水漏れについて、至急ご対応をお願いいたします";
                let headers = format!("Subject: {}\r\n", encoded(text, charset, coding));
                let raw = Entity::text("plain", text, charset).message(&headers);
                let mail = MessageParser::default().parse(&raw).unwrap();
                assert_eq!(mail.subject(), Some(text), "{charset:?} {coding:?}");
                assert_eq!(
                    mail.body_text(0).as_deref().map(str::trim),
                    Some(text),
                    "{charset:?}"
                );
                assert!(headers.lines().all(|line| line.len() <= 100), "{headers}");
            }
        }
    }

    #[test]
    fn a_file_name_outside_ascii_is_read_back() {
        let file = Entity::file("請求書 ü.pdf", "application/pdf", "SGk=\r\n", None);
        let text = Entity::text("plain", "Größe = 3\n", Charset::Latin1);
        let raw = Entity::multipart("mixed", "b1", vec![text, file]).message("Subject: x\r\n");
        let mail = MessageParser::default().parse(&raw).unwrap();
        assert_eq!(
            mail.attachment(0).and_then(|part| part.attachment_name()),
            Some("請求書 ü.pdf")
        );
        assert_eq!(
            mail.body_text(0).as_deref().map(str::trim),
            Some("Größe = 3")
        );
    }
}
