//! A message that is still being written: its parts, and how they become MIME.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::summary::Person;
use crate::mail::mime::{self, Charset, Entity, WordCoding};

/// What a draft is made of; every edit writes the raw message anew.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Draft {
    /// The Message-ID in angle brackets; given at creation, kept when sent.
    pub(crate) message_id: String,
    /// Subject.
    pub(crate) subject: String,
    /// Whether `content` is HTML.
    pub(crate) is_html: bool,
    /// The text.
    pub(crate) content: String,
    /// The author.
    pub(crate) from: Person,
    /// Who handed it in, when that is not the author (sent on behalf).
    pub(crate) sender: Option<Person>,
    /// To.
    pub(crate) to: Vec<Person>,
    /// Cc.
    pub(crate) cc: Vec<Person>,
    /// Bcc; kept in the sender's copy, removed on delivery.
    pub(crate) bcc: Vec<Person>,
    /// Reply-To.
    pub(crate) reply_to: Vec<Person>,
    /// Further header fields, names starting with `x-`.
    pub(crate) headers: Vec<(String, String)>,
    /// `low`, `normal` or `high`.
    pub(crate) importance: String,
    /// Files.
    pub(crate) attachments: Vec<DraftFile>,
    /// The message it answers: that one's Message-ID in angle brackets.
    pub(crate) in_reply_to: Option<String>,
    /// The thread so far, oldest first.
    pub(crate) references: Vec<String>,
}

/// A file in a draft.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct DraftFile {
    /// File name.
    pub(crate) name: String,
    /// Media type.
    pub(crate) content_type: String,
    /// The bytes in base64.
    pub base64: String,
    /// Set for a picture shown inside the text.
    pub(crate) content_id: Option<String>,
}

impl Draft {
    /// The raw message as of `now`.
    #[must_use]
    pub(crate) fn to_mime(&self, now: Timestamp) -> Bytes {
        let mut head = String::new();
        let mut line = |name: &str, value: &str| head.push_str(&format!("{name}: {value}\r\n"));
        line("From", &list(std::slice::from_ref(&self.from)));
        if let Some(sender) = &self.sender {
            line("Sender", &list(std::slice::from_ref(sender)));
        }
        for (name, people) in [
            ("To", &self.to),
            ("Cc", &self.cc),
            ("Bcc", &self.bcc),
            ("Reply-To", &self.reply_to),
        ] {
            if !people.is_empty() {
                line(name, &list(people));
            }
        }
        line(
            "Subject",
            &mime::encoded(&self.subject, Charset::Utf8, WordCoding::B),
        );
        line("Message-ID", &self.message_id);
        line(
            "Date",
            &now.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string(),
        );
        if let Some(id) = &self.in_reply_to {
            line("In-Reply-To", id);
        }
        if !self.references.is_empty() {
            line("References", &self.references.join("\r\n "));
        }
        if self.importance == "high" || self.importance == "low" {
            line("Importance", &self.importance);
        }
        for (name, value) in &self.headers {
            line(name, &mime::encoded(value, Charset::Utf8, WordCoding::B));
        }
        let kind = if self.is_html { "html" } else { "plain" };
        let mut entity = Entity::text(kind, &self.content, Charset::Utf8);
        let (inline, files): (Vec<_>, Vec<_>) = self
            .attachments
            .iter()
            .partition(|file| file.content_id.is_some());
        let boundary = |prefix: &str| format!("{prefix}{:016x}", now.as_nanosecond());
        for (subtype, prefix, files) in [("related", "_rel_", inline), ("mixed", "_mix_", files)] {
            if !files.is_empty() {
                let mut parts = vec![entity];
                parts.extend(files.into_iter().map(DraftFile::entity));
                entity = Entity::multipart(subtype, &boundary(prefix), parts);
            }
        }
        Bytes::from(entity.message(&head))
    }

    /// Everybody it goes to.
    pub(crate) fn recipients(&self) -> impl Iterator<Item = &Person> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }
}

impl DraftFile {
    fn entity(&self) -> Entity {
        let bytes = STANDARD.decode(&self.base64).unwrap_or_default();
        let kind = self.content_type.replace(['\r', '\n'], "");
        let lines = mime::base64_lines(&bytes);
        Entity::file(&self.name, &kind, &lines, self.content_id.as_deref())
    }
}

fn list(people: &[Person]) -> String {
    let entries: Vec<String> = people
        .iter()
        .map(|p| mime::address(&p.name, &p.address, Charset::Utf8, WordCoding::B))
        .collect();
    entries.join(",\r\n ")
}
