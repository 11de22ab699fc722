//! From bytes to what a ticket needs. Pure: no I/O, no clock, no store. Mail is hostile: size, depth and
//! count are capped before anything is parsed, and nothing here panics on any input.

pub mod automatic;
mod body;
mod charset;
mod fields;
pub mod html;
mod markup;
mod names;
pub mod parse;
mod structure;
#[cfg(test)]
mod test_clock;
pub mod thread;
mod transfer;
mod words;

use crate::account::EmailAddress;

/// A person in a header.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Person {
    /// Name as written, decoded; control and bidirectional-override characters taken out.
    pub name: String,
    /// Address as written; empty when there is none.
    pub address: String,
}

/// A mail, read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParsedMail {
    /// `Message-ID` without angle brackets.
    pub message_id: Option<String>,
    /// `In-Reply-To` and `References`, nearest first, without angle brackets, at most 100.
    pub references: Vec<String>,
    /// Subject, decoded.
    pub subject: String,
    /// `From`.
    pub from: Person,
    /// `Reply-To`, where given.
    pub reply_to: Option<Person>,
    /// `To`.
    pub to: Vec<Person>,
    /// `Cc`.
    pub cc: Vec<Person>,
    /// `Date` header in milliseconds since 1970 (UTC).
    pub sent_at: Option<crate::Millis>,
    /// Text to show and search, at most 1 MiB; made from HTML where there is no text part.
    pub text: String,
    /// Whether there is an HTML part.
    pub has_html: bool,
    /// Attachments with their place in the mail.
    pub attachments: Vec<Attachment>,
    /// Why it is automatic mail, if it is.
    pub automatic: Option<automatic::Automatic>,
    /// For a bounce: the `Message-ID` of the mail that came back.
    pub bounced_message_id: Option<String>,
    /// What was cut or broken: `too_large`, `too_deep`, `too_many_parts`, `truncated`, `text_cut`, `unreadable`.
    /// `too_large` is the mail or its header, `truncated` a multipart whose end is missing, `unreadable` a
    /// mail without any header or with text that has hardly any meaning.
    pub damage: Vec<&'static str>,
    /// SHA-256 over Message-ID, From, Date, Subject and the text, white space folded: the same mail that came
    /// by two routes has the same one. Nothing when the mail has no Message-ID.
    pub fingerprint: Option<[u8; 32]>,
}

/// An attachment; its bytes are read from the raw mail again when they are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Number of the part within the mail, as [`parse::attachment`] takes it.
    pub part: u32,
    /// A name that is safe as a file name on every system.
    pub name: String,
    /// Media type in lower case.
    pub media_type: String,
    /// Decoded size in bytes.
    pub size: u64,
    /// `Content-ID` without angle brackets, for inline images.
    pub content_id: Option<String>,
    /// Whether it belongs to the HTML (inline image) and is not listed.
    pub inline: bool,
}

/// Addresses that are ours, for telling own mail from others'.
pub type OwnAddresses = Vec<EmailAddress>;
