//! What codes mean, who can mend them and how, in three languages. The words are data (`catalogue/*.toml`, one
//! format, one loader, checked when it is built and by the tests); this file turns an entry into a card that is ready to draw.

mod card;
mod fill;
mod load;
#[cfg(test)]
mod tests;

pub use card::{Card, CardCommand, CardLink, card, card_for_admin};
pub use fill::{clean, quoted};

use crate::diagnosis::Severity;
use serde::{Deserialize, Serialize};

/// A language that the catalogue is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Language {
    /// English.
    En,
    /// German.
    De,
    /// Japanese.
    Ja,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::En, Self::De, Self::Ja];

    /// The language of a tag such as `de`, `de-AT` or `ja_JP.UTF-8`; English for every other one.
    pub fn from_tag(tag: &str) -> Self {
        match crate::words::supported(tag) {
            "de" => Self::De,
            "ja" => Self::Ja,
            _ => Self::En,
        }
    }
}

/// Who can mend something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Fixer {
    /// The person at the screen.
    You,
    /// Who manages mailboxes (Exchange).
    MailboxAdmin,
    /// Who manages the tenant (Entra).
    TenantAdmin,
    /// Who registered the app that Mailroom signs in with.
    AppOwner,
    /// Nobody needs to: Mailroom tries again by itself.
    Nobody,
}

impl Fixer {
    /// The word for people, for instance `Mailbox admin (Exchange)`.
    pub fn label(self, language: Language) -> &'static str {
        load::catalogue().fixer_label(self, language)
    }
}

/// Which data file an entry comes from: what kind of server says such a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Entra ID, OAuth 2.0.
    Entra,
    /// Microsoft Graph.
    Graph,
    /// IMAP and SMTP, bounces included.
    ImapSmtp,
    /// Exchange Web Services.
    Ews,
    /// TLS, Autodiscover and the network.
    Tls,
    /// Mailroom itself.
    Mailroom,
}

/// One code and everything that is known about it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The code as the server sends it where it has one (`AADSTS65001`, `ErrorAccessDenied`), else a short name.
    pub code: String,
    /// More codes with the same meaning and the same cure.
    #[serde(default)]
    pub also: Vec<String>,
    /// How to recognise it in a text; where the file says nothing, `code` and `also` are looked for. Case and line
    /// breaks do not matter, `…` stands for anything in between, and a leading `~` marks a hint: it counts only
    /// where nothing more certain is found.
    #[serde(default, rename = "match")]
    pub patterns: Option<Vec<String>>,
    /// How bad it is.
    #[serde(default = "failed")]
    pub severity: Severity,
    /// Who can mend it, most likely one first.
    pub fixers: Vec<Fixer>,
    /// Names of steps, in order.
    pub steps: Vec<String>,
    /// Names of links.
    #[serde(default)]
    pub links: Vec<String>,
    /// Names of commands, those that only read first.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Names of remarks: Microsoft's dates that bear on it.
    #[serde(default)]
    pub notes: Vec<String>,
    /// In English.
    pub en: Meaning,
    /// In German.
    pub de: Meaning,
    /// In Japanese.
    pub ja: Meaning,
    #[serde(skip, default = "mailroom")]
    family: Family,
}

/// An entry's own words in one language.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meaning {
    /// A few words.
    pub title: String,
    /// One or two sentences.
    pub meaning: String,
}

fn failed() -> Severity {
    Severity::Failed
}

fn mailroom() -> Family {
    Family::Mailroom
}

impl Entry {
    /// What kind of server says it.
    pub fn family(&self) -> Family {
        self.family
    }

    /// The words in `language`.
    pub fn words(&self, language: Language) -> &Meaning {
        match language {
            Language::En => &self.en,
            Language::De => &self.de,
            Language::Ja => &self.ja,
        }
    }

    /// `code`, then `also`.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.code.as_str()).chain(self.also.iter().map(String::as_str))
    }
}

/// The entry for a code, whatever its case; nothing when the catalogue does not have it. Codes that Graph and EWS
/// share mean Graph's; EWS's are called `EWS ErrorAccessDenied` and so on.
pub fn get(code: &str) -> Option<&'static Entry> {
    load::catalogue().get(code)
}

/// Every entry, in the order of the files.
pub fn entries() -> &'static [Entry] {
    &load::catalogue().entries
}
