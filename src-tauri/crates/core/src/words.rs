//! The few words that appear outside the window: in the tray, in notifications and on the page that the
//! browser shows after a sign-in. Everything else is worded by the window's own catalogue.

use crate::api::view::Status;
use crate::oauth::loopback::PageWords;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// All of them in one language.
#[derive(Debug, Clone, Deserialize)]
pub struct Words {
    /// The browser page at the end of a sign-in.
    pub page: PageWords,
    /// The tray's menu.
    pub tray: BTreeMap<String, String>,
    /// Status words by [`Status`] in snake case.
    pub status: BTreeMap<String, String>,
    /// Desktop notifications and dialogs.
    pub notices: BTreeMap<String, String>,
}

/// The languages that have words.
pub const LANGUAGES: [&str; 3] = ["en", "de", "ja"];

static EN: LazyLock<Words> = LazyLock::new(|| parse(include_str!("../words/en.json")));
static DE: LazyLock<Words> = LazyLock::new(|| parse(include_str!("../words/de.json")));
static JA: LazyLock<Words> = LazyLock::new(|| parse(include_str!("../words/ja.json")));

/// The words for a language tag (`de`, `de-AT`, `ja_JP.UTF-8`); English for all that have none.
pub fn words(language: &str) -> &'static Words {
    match supported(language) {
        "de" => &DE,
        "ja" => &JA,
        _ => &EN,
    }
}

/// The one of [`LANGUAGES`] that serves a language tag best.
pub fn supported(language: &str) -> &'static str {
    let primary = language
        .split(['-', '_', '.', '@'])
        .next()
        .unwrap_or_default();
    LANGUAGES
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(primary))
        .unwrap_or("en")
}

/// `text` with every `{name}` replaced by its value.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), value)
    })
}

impl Words {
    /// A word of the tray's menu, filled in. A name without words gives the name, which shows the defect.
    pub fn tray(&self, name: &str, values: &[(&str, &str)]) -> String {
        fill(self.tray.get(name).map_or(name, String::as_str), values)
    }

    /// The word for a status.
    pub fn status(&self, status: Status) -> &str {
        let name = match status {
            Status::Verified => "verified",
            Status::Importing => "importing",
            Status::Paused => "paused",
            Status::Offline => "offline",
            Status::Attention => "attention",
            Status::WaitingForApproval => "waiting_for_approval",
            Status::Failed => "failed",
            Status::Disconnected => "disconnected",
        };
        self.status.get(name).map_or(name, String::as_str)
    }

    /// The browser page at the end of an approval on this computer.
    pub fn approval_page(&self) -> PageWords {
        PageWords {
            done_title: self.notice("approved_title", &[]),
            done_text: self.notice("approved_text", &[]),
            failed_title: self.notice("not_approved_title", &[]),
            ..self.page.clone()
        }
    }

    /// A word of a notification or dialog, filled in.
    pub fn notice(&self, name: &str, values: &[(&str, &str)]) -> String {
        fill(self.notices.get(name).map_or(name, String::as_str), values)
    }
}

// The files are part of the program and a test reads all of them, so the empty words are never seen.
fn parse(json: &str) -> Words {
    serde_json::from_str(json).unwrap_or_else(|_| Words {
        page: PageWords {
            language: String::new(),
            done_title: String::new(),
            done_text: String::new(),
            failed_title: String::new(),
            failed_text: String::new(),
            stale_title: String::new(),
            stale_text: String::new(),
        },
        tray: BTreeMap::new(),
        status: BTreeMap::new(),
        notices: BTreeMap::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_STATUS: [Status; 8] = [
        Status::Verified,
        Status::Importing,
        Status::Paused,
        Status::Offline,
        Status::Attention,
        Status::WaitingForApproval,
        Status::Failed,
        Status::Disconnected,
    ];

    fn placeholders(text: &str) -> Vec<&str> {
        let mut names: Vec<&str> = text
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    #[test]
    fn every_language_has_every_word_with_the_same_placeholders() {
        for language in LANGUAGES {
            let theirs = words(language);
            assert_eq!(theirs.page.language, language);
            for (english, other) in [
                (&EN.tray, &theirs.tray),
                (&EN.status, &theirs.status),
                (&EN.notices, &theirs.notices),
            ] {
                assert!(english.keys().eq(other.keys()), "{language} lacks a word");
                for (name, text) in english {
                    assert_eq!(
                        placeholders(text),
                        placeholders(&other[name]),
                        "{language} {name}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_status_has_a_word_of_its_own() {
        for language in LANGUAGES {
            let mut found: Vec<&str> = ALL_STATUS
                .map(|status| words(language).status(status))
                .to_vec();
            assert!(found.iter().all(|word| !word.contains('_')));
            found.sort_unstable();
            found.dedup();
            assert_eq!(found.len(), ALL_STATUS.len(), "{language}");
        }
    }

    #[test]
    fn understands_language_tags_of_all_systems() {
        assert_eq!(supported("de-AT"), "de");
        assert_eq!(supported("ja_JP.UTF-8"), "ja");
        assert_eq!(supported("DE"), "de");
        assert_eq!(supported("fr-FR"), "en");
        assert_eq!(supported("C"), "en");
        assert_eq!(supported(""), "en");
    }

    #[test]
    fn fills_in_values() {
        assert_eq!(
            fill("{a} of {b}, {a}", &[("a", "1"), ("b", "2")]),
            "1 of 2, 1"
        );
    }
}
