//! What can be practised in the practice tenant, in three languages: words for its scenarios, and what mends each. The
//! tenant itself knows nothing of Mailroom; it says what it can break and how that is mended, and this file has the
//! words (`practice.toml`). What a failure means is said by its card in the [`super::catalogue`].

use super::catalogue::{Fixer, Language, card};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// One thing to practise, as the practice tenant tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    /// Its name in the tenant.
    pub name: String,
    /// Who mends it.
    pub mender: Fixer,
    /// How it is mended.
    pub mend: Mend,
    /// When it can be seen.
    pub strikes: Strikes,
    /// The page of the practice administration on which it is mended: its address, if there is one.
    pub page: Option<String>,
    /// What that page is called.
    pub page_title: Option<String>,
    /// The switch on it, and its healthy position.
    pub switch: Option<(String, String)>,
    /// Whether it is broken at the moment.
    pub on: bool,
}

/// How something practised is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Mend {
    /// The person signs in again.
    SignIn,
    /// An admin sets a switch right.
    Switch,
    /// An admin consents for everybody.
    GrantConsent,
    /// The person asks, and an admin approves.
    ApproveRequest,
    /// An admin grants Full Access.
    FullAccess,
    /// An admin grants Send As.
    SendAs,
    /// It passes.
    Passes,
    /// Mailroom does it at the next poll.
    Itself,
}

impl Mend {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::SignIn,
        Self::Switch,
        Self::GrantConsent,
        Self::ApproveRequest,
        Self::FullAccess,
        Self::SendAs,
        Self::Passes,
        Self::Itself,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Switch => "switch",
            Self::GrantConsent => "grant_consent",
            Self::ApproveRequest => "approve_request",
            Self::FullAccess => "full_access",
            Self::SendAs => "send_as",
            Self::Passes => "passes",
            Self::Itself => "itself",
        }
    }
}

/// When something practised can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Strikes {
    /// At once, on the map of a connected mailbox.
    Connection,
    /// At the next sign-in.
    SignIn,
    /// At a sign-in that names no tenant: only a new connection does that.
    AnyTenant,
    /// When mail is sent: a test mail shows it.
    Sending,
    /// On the map of a shared mailbox.
    SharedMailbox,
    /// Not at all: Mailroom copes with it.
    Nothing,
}

/// One thing to practise, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ExerciseView {
    /// Its name.
    pub name: String,
    /// A few words.
    pub title: String,
    /// What it means: one or two sentences.
    pub meaning: String,
    /// The code that it leads to.
    pub code: String,
    /// Who mends it.
    pub mender: Fixer,
    /// The words for `mender`.
    pub mender_label: String,
    /// How it is mended.
    pub mend: Mend,
    /// The same in a sentence.
    pub mend_text: String,
    /// When it can be seen.
    pub strikes: Strikes,
    /// The page on which an admin mends it.
    pub page: Option<String>,
    /// Whether it is broken at the moment.
    pub on: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    exercise: Vec<Row>,
    mend: BTreeMap<String, Words>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    code: String,
    en: String,
    de: String,
    ja: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    en: String,
    de: String,
    ja: String,
}

fn pick<'a>(language: Language, en: &'a str, de: &'a str, ja: &'a str) -> &'a str {
    match language {
        Language::En => en,
        Language::De => de,
        Language::Ja => ja,
    }
}

// The file is part of the program and a test reads all of it, so the empty one is never seen.
static FILE: LazyLock<File> = LazyLock::new(|| {
    toml::from_str(include_str!("practice.toml")).unwrap_or_else(|_| File {
        exercise: Vec::new(),
        mend: BTreeMap::new(),
    })
});

/// The names that have words, in the order of the file.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILE.exercise.iter().map(|row| row.name.as_str())
}

/// What stands for the values of a real failure: the practice company's own.
fn examples() -> BTreeMap<String, String> {
    [
        ("address", "support@contoso.example"),
        ("login", "alex@contoso.example"),
        ("tenant", "contoso.example"),
        ("scope", "Mail.ReadWrite Mail.Send"),
        ("folder", "Inbox"),
        ("host", "graph.microsoft.com"),
        ("client_id", "Mailroom"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// A scenario in words; nothing where there are none for it.
pub fn exercise(scenario: &Scenario, language: Language) -> Option<ExerciseView> {
    let row = FILE.exercise.iter().find(|row| row.name == scenario.name)?;
    let mend = FILE.mend.get(scenario.mend.name())?;
    let (label, healthy) = scenario.switch.clone().unwrap_or_default();
    let values = [
        ("page", scenario.page_title.as_deref().unwrap_or_default()),
        ("label", label.as_str()),
        ("healthy", healthy.as_str()),
    ];
    Some(ExerciseView {
        name: scenario.name.clone(),
        title: pick(language, &row.en, &row.de, &row.ja).to_owned(),
        meaning: card(&row.code, &examples(), language).meaning,
        code: row.code.clone(),
        mender: scenario.mender,
        mender_label: scenario.mender.label(language).to_owned(),
        mend: scenario.mend,
        mend_text: values.iter().fold(
            pick(language, &mend.en, &mend.de, &mend.ja).to_owned(),
            |text, (name, value)| text.replace(&format!("{{{name}}}"), value),
        ),
        strikes: scenario.strikes,
        page: scenario.page.clone(),
        on: scenario.on,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn scenario(name: &str, mend: Mend) -> Scenario {
        Scenario {
            name: name.to_owned(),
            mender: Fixer::TenantAdmin,
            mend,
            strikes: Strikes::Connection,
            page: Some("http://localhost:1/admin/access".to_owned()),
            page_title: Some("Conditional Access".to_owned()),
            switch: Some(("Policy: Block Mailroom".to_owned(), "Off".to_owned())),
            on: false,
        }
    }

    #[test]
    fn every_exercise_has_words_of_its_own_and_a_known_code() {
        for language in Language::ALL {
            let mut titles = BTreeSet::new();
            for name in names() {
                let view = exercise(&scenario(name, Mend::Switch), language).unwrap();
                assert!(titles.insert(view.title.clone()), "{}", view.title);
                assert!(
                    !view.meaning.is_empty() && !view.meaning.contains('<'),
                    "{name}: {}",
                    view.meaning
                );
                assert!(
                    card(&view.code, &BTreeMap::new(), language).known,
                    "{name}: {}",
                    view.code
                );
            }
            assert!(titles.len() >= 70);
        }
    }

    #[test]
    fn every_way_of_mending_is_a_sentence_with_its_values_filled_in() {
        for language in Language::ALL {
            for mend in Mend::ALL {
                let view = exercise(&scenario("conditional-access", mend), language).unwrap();
                assert!(!view.mend_text.contains('{'), "{}", view.mend_text);
            }
        }
        let view = exercise(&scenario("conditional-access", Mend::Switch), Language::En).unwrap();
        assert_eq!(
            view.mend_text,
            "Open “Conditional Access” and change “Policy: Block Mailroom” to “Off”."
        );
    }

    #[test]
    fn what_has_no_words_is_not_offered() {
        assert_eq!(
            exercise(&scenario("format-disk", Mend::Passes), Language::En),
            None
        );
    }
}
