//! Reads the data files, once. Nothing here can fail at run time, because a test parses every file; should a file be
//! damaged all the same, it is left out and the cards for its codes are the generic ones.

use super::{Entry, Family, Fixer, Language};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// Each file, its text, and the family of its entries.
pub(super) const FILES: [(&str, &str, Family); 12] = [
    ("entra.toml", include_str!("entra.toml"), Family::Entra),
    ("graph.toml", include_str!("graph.toml"), Family::Graph),
    (
        "imap_smtp.toml",
        include_str!("imap_smtp.toml"),
        Family::ImapSmtp,
    ),
    (
        "providers.toml",
        include_str!("providers.toml"),
        Family::ImapSmtp,
    ),
    ("ews.toml", include_str!("ews.toml"), Family::Ews),
    ("tls.toml", include_str!("tls.toml"), Family::Tls),
    (
        "mailroom.toml",
        include_str!("mailroom.toml"),
        Family::Mailroom,
    ),
    (
        "registration.toml",
        include_str!("registration.toml"),
        Family::Mailroom,
    ),
    ("steps.toml", include_str!("steps.toml"), Family::Mailroom),
    ("links.toml", include_str!("links.toml"), Family::Mailroom),
    (
        "commands.toml",
        include_str!("commands.toml"),
        Family::Mailroom,
    ),
    ("words.toml", include_str!("words.toml"), Family::Mailroom),
];

/// Words in the three languages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    pub(super) en: String,
    pub(super) de: String,
    pub(super) ja: String,
}

impl Words {
    pub(super) fn of(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::De => &self.de,
            Language::Ja => &self.ja,
        }
    }
}

/// A place on the web.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    pub(super) url: String,
    /// What stands where no value is known; placeholders without one make the link disappear.
    #[serde(default)]
    pub(super) defaults: BTreeMap<String, String>,
    pub(super) label: Words,
}

/// A PowerShell command.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Command {
    pub(super) text: String,
    /// Whether it changes something on the server.
    pub(super) writes: bool,
    pub(super) label: Words,
}

/// What one file may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) entry: Vec<Entry>,
    pub(super) step: BTreeMap<String, Words>,
    pub(super) link: BTreeMap<String, Link>,
    pub(super) command: BTreeMap<String, Command>,
    pub(super) note: BTreeMap<String, Words>,
    pub(super) fixer: BTreeMap<Fixer, Words>,
    pub(super) blank: BTreeMap<String, Words>,
}

/// All files together.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    pub(super) entries: Vec<Entry>,
    pub(super) by_code: HashMap<String, usize>,
    pub(super) file: File,
}

impl Catalogue {
    pub(super) fn get(&self, code: &str) -> Option<&Entry> {
        let index = self.by_code.get(&code.trim().to_ascii_lowercase())?;
        self.entries.get(*index)
    }

    pub(super) fn fixer_label(&self, fixer: Fixer, language: Language) -> &str {
        self.file
            .fixer
            .get(&fixer)
            .map_or("", |words| words.of(language))
    }

    /// The name of a placeholder that has no value, in angle brackets: `<Adresse>`.
    pub(super) fn blank(&self, name: &str, language: Language) -> String {
        let word = self.file.blank.get(name).map(|words| words.of(language));
        format!("<{}>", word.unwrap_or(name))
    }

    fn take(&mut self, file: File, family: Family) {
        for mut entry in file.entry {
            entry.family = family;
            let index = self.entries.len();
            for code in entry.codes() {
                let code = code.to_ascii_lowercase();
                self.by_code.entry(code).or_insert(index);
            }
            self.entries.push(entry);
        }
        self.file.step.extend(file.step);
        self.file.link.extend(file.link);
        self.file.command.extend(file.command);
        self.file.note.extend(file.note);
        self.file.fixer.extend(file.fixer);
        self.file.blank.extend(file.blank);
    }
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let mut catalogue = Catalogue::default();
    for (name, text, family) in FILES {
        match toml::from_str::<File>(text) {
            Ok(file) => catalogue.take(file, family),
            Err(error) => tracing::error!(name, %error, "a catalogue file cannot be read"),
        }
    }
    catalogue
});

pub(super) fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}
