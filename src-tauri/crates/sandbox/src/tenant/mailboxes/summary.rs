//! What a raw message says of itself: headers, preview, text, attachments, read with mail-parser.

use std::borrow::Cow;

use jiff::Timestamp;
use mail_parser::{Address, HeaderValue, MessageParser, MimeHeaders, PartType};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::message::message_id;

/// A name and an address as they stand in a header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    /// The display name; the address itself when there is none.
    pub(crate) name: String,
    /// The e-mail address; may be empty in damaged mail.
    pub(crate) address: String,
}

/// The parts of a message that lists show.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summary {
    /// The Message-ID in angle brackets.
    pub(crate) message_id: Option<String>,
    /// The decoded subject; nothing when the header is missing.
    pub(crate) subject: Option<String>,
    /// From.
    pub(crate) from: Option<Person>,
    /// Sender, or From when there is none.
    pub(crate) sender: Option<Person>,
    /// To.
    pub(crate) to: Vec<Person>,
    /// Cc.
    pub(crate) cc: Vec<Person>,
    /// Bcc.
    pub(crate) bcc: Vec<Person>,
    /// Reply-To.
    pub(crate) reply_to: Vec<Person>,
    /// Date.
    pub(crate) sent: Option<Timestamp>,
    /// The first 255 characters of the text on one line.
    pub(crate) preview: String,
    /// Whether there is an attachment that is not shown inside the text.
    pub(crate) has_attachments: bool,
    /// `low`, `normal` or `high`.
    pub(crate) importance: &'static str,
    /// Message-IDs of the thread in angle brackets, oldest first (References, else In-Reply-To).
    pub(crate) references: Vec<String>,
    /// Equal for the messages of one thread.
    pub(crate) conversation: [u8; 16],
}

/// The text of a message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    /// Whether `content` is HTML.
    pub(crate) is_html: bool,
    /// The text or HTML, decoded.
    pub(crate) content: String,
}

/// One attachment, taken out of the MIME structure.
#[derive(Debug, Clone)]
pub(crate) struct Attachment {
    /// Its file name, or one made up from its kind.
    pub(crate) name: String,
    /// Its media type, without parameters.
    pub(crate) content_type: String,
    /// Its bytes, decoded.
    pub(crate) bytes: Vec<u8>,
    /// Whether it is shown inside the text.
    pub(crate) is_inline: bool,
    /// Its Content-ID, without angle brackets.
    pub(crate) content_id: Option<String>,
    /// Whether it is a whole message (`message/rfc822`).
    pub(crate) is_message: bool,
}

impl Summary {
    /// Reads `raw`; never fails: what cannot be read is left out.
    #[must_use]
    pub(crate) fn of(raw: &[u8]) -> Self {
        let message_id = message_id(raw);
        let Some(mail) = MessageParser::default().parse(raw) else {
            return Self {
                importance: "normal",
                message_id,
                ..Self::default()
            };
        };
        let references = match ids_in(mail.references()) {
            ids if ids.is_empty() => ids_in(mail.in_reply_to()),
            ids => ids,
        };
        let thread = references
            .first()
            .cloned()
            .or_else(|| message_id.clone())
            .map_or_else(|| Sha256::digest(raw), Sha256::digest);
        let mut conversation = [0; 16];
        conversation.copy_from_slice(&thread[..16]);
        let from = people(mail.from()).into_iter().next();
        Self {
            message_id,
            subject: mail.subject().map(str::to_owned),
            sender: people(mail.sender())
                .into_iter()
                .next()
                .or_else(|| from.clone()),
            from,
            to: people(mail.to()),
            cc: people(mail.cc()),
            bcc: people(mail.bcc()),
            reply_to: people(mail.reply_to()),
            sent: mail
                .date()
                .and_then(|date| Timestamp::from_second(date.to_timestamp()).ok()),
            preview: preview(&mail),
            has_attachments: mail.attachments().any(|part| !is_inline(part)),
            importance: importance(&mail),
            references,
            conversation,
        }
    }
}

/// The text of `raw`: HTML where there is some, else plain text.
#[must_use]
pub(crate) fn body(raw: &[u8]) -> Body {
    let Some(mail) = MessageParser::default().parse(raw) else {
        return Body::default();
    };
    let html = mail.html_bodies().find(|part| part.is_text_html());
    if let Some(content) = html.and_then(mail_parser::MessagePart::text_contents) {
        return Body {
            is_html: true,
            content: content.to_owned(),
        };
    }
    Body {
        is_html: false,
        content: mail.body_text(0).map(Cow::into_owned).unwrap_or_default(),
    }
}

/// The text of `raw` without mark-up.
#[must_use]
pub(crate) fn plain_text(raw: &[u8]) -> String {
    let mail = MessageParser::default().parse(raw);
    mail.and_then(|mail| mail.body_text(0).map(Cow::into_owned))
        .unwrap_or_default()
}

/// The header fields of `raw` in their order, unfolded but not decoded.
#[must_use]
pub(crate) fn headers(raw: &[u8]) -> Vec<(String, String)> {
    let Some(mail) = MessageParser::default().parse_headers(raw) else {
        return Vec::new();
    };
    mail.headers_raw()
        .map(|(name, value)| {
            let lines: Vec<&str> = value
                .lines()
                .map(str::trim)
                .filter(|l| !l.is_empty())
                .collect();
            (name.to_owned(), lines.join(" "))
        })
        .collect()
}

/// The attachments of `raw`, in order.
#[must_use]
pub(crate) fn attachments(raw: &[u8]) -> Vec<Attachment> {
    let Some(mail) = MessageParser::default().parse(raw) else {
        return Vec::new();
    };
    mail.attachments()
        .enumerate()
        .map(|(position, part)| {
            let is_message = part.is_message();
            let content_type = part.content_type().map_or_else(
                || "application/octet-stream".to_owned(),
                |kind| match kind.subtype() {
                    Some(subtype) => format!("{}/{subtype}", kind.ctype()),
                    None => kind.ctype().to_owned(),
                },
            );
            let name = part
                .attachment_name()
                .map(str::to_owned)
                .unwrap_or_else(|| {
                    let inner = part.message().and_then(|inner| inner.subject());
                    inner.map_or_else(|| format!("ATT{:05}", position + 1), str::to_owned)
                });
            let bytes = match part.message() {
                Some(inner) => inner.raw_message().to_vec(),
                None => part.contents().to_vec(),
            };
            Attachment {
                name,
                content_type,
                bytes,
                is_inline: is_inline(part),
                content_id: part.content_id().map(str::to_owned),
                is_message,
            }
        })
        .collect()
}

fn is_inline(part: &mail_parser::MessagePart<'_>) -> bool {
    let says_inline = part
        .content_disposition()
        .is_some_and(mail_parser::ContentType::is_inline);
    let says_attachment = part
        .content_disposition()
        .is_some_and(mail_parser::ContentType::is_attachment);
    let is_image = part
        .content_type()
        .is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("image"));
    !says_attachment && is_image && (says_inline || part.content_id().is_some())
}

fn people(address: Option<&Address<'_>>) -> Vec<Person> {
    let Some(address) = address else {
        return Vec::new();
    };
    address
        .iter()
        .map(|entry| {
            let mail = entry.address().unwrap_or_default().to_owned();
            let name = entry
                .name()
                .filter(|name| !name.is_empty())
                .unwrap_or(&mail)
                .to_owned();
            Person {
                name,
                address: mail,
            }
        })
        .collect()
}

fn ids_in(value: &HeaderValue<'_>) -> Vec<String> {
    let one = value.as_text().filter(|_| value.as_text_list().is_none());
    let many = value.as_text_list().unwrap_or_default();
    let ids = one.into_iter().chain(many.iter().map(AsRef::as_ref));
    ids.map(|id| format!("<{}>", id.trim_matches(['<', '>'])))
        .collect()
}

fn preview(mail: &mail_parser::Message<'_>) -> String {
    // Text parts are looked at in place: `body_text` would convert and copy a whole HTML body.
    let text = mail.text_bodies().next().and_then(|part| match &part.body {
        PartType::Text(text) => Some(Cow::Borrowed(text.as_ref())),
        PartType::Html(_)
        | PartType::Binary(_)
        | PartType::InlineBinary(_)
        | PartType::Message(_)
        | PartType::Multipart(_) => mail.body_text(0),
    });
    let mut line = String::new();
    for word in text.as_deref().unwrap_or_default().split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > 1_100 {
            break;
        }
    }
    line.chars().take(255).collect()
}

fn importance(mail: &mail_parser::Message<'_>) -> &'static str {
    let text = mail
        .header("Importance")
        .and_then(|value| value.as_text().map(str::to_lowercase));
    match text.as_deref() {
        Some("high") => "high",
        Some("low") => "low",
        _ => "normal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"From: =?UTF-8?B?5bGx55Sw?= <yamada@kissa.example>\r\nTo: support@contoso.example\r\n\
        Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <b@x.example>\r\nReferences: <a@x.example>\r\n <a2@x.example>\r\n\
        Date: Mon, 2 Feb 2026 10:00:00 +0100\r\nImportance: High\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\nContent-Type: text/html\r\n\r\n<p>Hello <b>there</b></p>\r\n\
        --q\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nSGk=\r\n--q--\r\n";

    #[test]
    fn a_message_is_summed_up() {
        let summary = Summary::of(MAIL);
        assert_eq!(summary.subject.as_deref(), Some("Grüße"));
        assert_eq!(summary.from.map(|p| p.name).as_deref(), Some("山田"));
        assert_eq!(summary.references, ["<a@x.example>", "<a2@x.example>"]);
        assert_eq!(summary.preview, "Hello there");
        assert!(summary.has_attachments);
        assert_eq!(summary.importance, "high");
        assert_eq!(
            summary.sent.map(|t| t.to_string()).as_deref(),
            Some("2026-02-02T09:00:00Z")
        );
        assert!(body(MAIL).is_html);
        assert_eq!(attachments(MAIL)[0].bytes, b"Hi");
        assert!(
            headers(MAIL).contains(&("References".into(), "<a@x.example> <a2@x.example>".into()))
        );
    }

    #[test]
    fn replies_share_the_conversation_of_the_first_mail() {
        let first = Summary::of(b"Message-ID: <a@x.example>\r\n\r\nx");
        assert_eq!(first.conversation, Summary::of(MAIL).conversation);
    }

    #[test]
    fn rubbish_is_summed_up_without_harm() {
        let _ = Summary::of(b"");
        let _ = Summary::of(&[0xff; 400]);
        assert!(attachments(b"\r\n\r\n").is_empty());
    }

    #[test]
    fn forty_thousand_nested_parts_do_no_harm() {
        let mut raw = String::from("Subject: deep\r\n");
        for level in 0..40_000 {
            raw.push_str(&format!(
                "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"
            ));
        }
        raw.push_str("\r\nbottom\r\n");
        assert_eq!(Summary::of(raw.as_bytes()).subject.as_deref(), Some("deep"));
        let _ = (
            body(raw.as_bytes()),
            plain_text(raw.as_bytes()),
            attachments(raw.as_bytes()),
        );
    }
}
