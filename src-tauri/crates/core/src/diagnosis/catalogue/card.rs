//! An entry with its values filled in, in one language, ready to draw.

use super::{Entry, Family, Fixer, Language, fill, load};
use crate::diagnosis::Severity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a code means, who can mend it and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct Card {
    /// The code that was asked for.
    pub code: String,
    /// A few words.
    pub title: String,
    /// One or two sentences.
    pub meaning: String,
    /// How bad it is.
    pub severity: Severity,
    /// Who can mend it, most likely one first.
    pub fixers: Vec<Fixer>,
    /// The words for `fixers`, in the same order.
    pub fixer_labels: Vec<String>,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// Where to do it.
    pub links: Vec<CardLink>,
    /// PowerShell that does it, commands that only read first.
    pub commands: Vec<CardCommand>,
    /// Microsoft's dates that bear on it.
    pub notes: Vec<String>,
    /// Whether the catalogue has the code; otherwise this is the generic card.
    pub known: bool,
}

/// A place on the web.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct CardLink {
    /// What is there.
    pub label: String,
    /// HTTPS; HTTP only on this computer (the practice tenant).
    pub url: String,
}

/// A PowerShell command with its values quoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct CardCommand {
    /// What it does.
    pub label: String,
    /// One line to copy.
    pub text: String,
    /// Whether it changes something on the server.
    pub writes: bool,
}

/// The card for `code`; the generic one, which names the code, where the catalogue does not have it. `args` are the
/// values for placeholders: a missing one leaves a readable blank such as `<address>` in sentences and commands, and
/// leaves out a link that needs it.
pub fn card(code: &str, args: &BTreeMap<String, String>, language: Language) -> Card {
    let catalogue = load::catalogue();
    let entry = catalogue.get(code);
    let known = entry.is_some() && !code.eq_ignore_ascii_case("unknown");
    let Some(entry) = entry.or_else(|| catalogue.get("unknown")) else {
        return bare(code);
    };

    let mut args = args.clone();
    if !code.eq_ignore_ascii_case("unknown") {
        args.insert("code".to_owned(), code.trim().to_owned());
    }
    if let Some(number) = aadsts_number(code) {
        args.insert("number".to_owned(), number.to_owned());
    }

    let blank = |name: &str| catalogue.blank(name, language);
    let words = entry.words(language);
    Card {
        code: code.trim().to_owned(),
        title: fill::sentence(&words.title, &args, blank),
        meaning: fill::sentence(&words.meaning, &args, blank),
        severity: entry.severity,
        fixers: entry.fixers.clone(),
        fixer_labels: entry
            .fixers
            .iter()
            .map(|fixer| fixer.label(language).to_owned())
            .collect(),
        steps: entry
            .steps
            .iter()
            .filter_map(|name| catalogue.file.step.get(name))
            .map(|step| fill::sentence(step.of(language), &args, blank))
            .collect(),
        links: links(entry, &args, language),
        commands: entry
            .commands
            .iter()
            .filter_map(|name| catalogue.file.command.get(name))
            .map(|command| CardCommand {
                label: fill::sentence(command.label.of(language), &args, blank),
                text: fill::command(&command.text, &args, blank),
                writes: command.writes,
            })
            .collect(),
        notes: entry
            .notes
            .iter()
            .filter_map(|name| catalogue.file.note.get(name))
            .map(|note| note.of(language).to_owned())
            .collect(),
        known,
    }
}

/// The card for somebody else who is to act: its steps are theirs alone. A step `ask_…` ends what the person at the
/// screen does; what happens in Mailroom afterwards is not for the other one either.
pub fn card_for_admin(code: &str, args: &BTreeMap<String, String>, language: Language) -> Card {
    let mut card = card(code, args, language);
    let catalogue = load::catalogue();
    let Some(entry) = catalogue.get(code) else {
        return card;
    };
    let asked = entry.steps.iter().position(|name| name.starts_with("ask_"));
    let blank = |name: &str| catalogue.blank(name, language);
    card.steps = entry
        .steps
        .iter()
        .skip(asked.map_or(0, |at| at + 1))
        .filter(|name| !name.starts_with("ask_") && !OURS.contains(&name.as_str()))
        .filter_map(|name| catalogue.file.step.get(name))
        .map(|step| fill::sentence(step.of(language), args, blank))
        .collect();
    card
}

/// Steps in Mailroom, at the person's own sign-in, or that the message says in words of its own.
const OURS: [&str; 20] = [
    "check_again",
    "check_spelling",
    "choose_ntlm",
    "enter_client_id",
    "imap_scope",
    "mailroom_waits",
    "mailroom_waits_if_requested",
    "move_instead",
    "other_account",
    "own_registration",
    "primary_address",
    "send_by_graph",
    "sign_in_accept",
    "sign_in_again",
    "smtp_own_login",
    "smtp_scope",
    "use_ews",
    "use_organizations",
    "wait_auto",
    "wait_hour",
];

/// The entry's own links, and Microsoft's own page about the number of everything Entra says.
fn links(entry: &Entry, args: &BTreeMap<String, String>, language: Language) -> Vec<CardLink> {
    let catalogue = load::catalogue();
    let lookup = (entry.family() == Family::Entra).then_some("lookup");
    entry
        .links
        .iter()
        .map(String::as_str)
        .chain(lookup)
        .filter_map(|name| catalogue.file.link.get(name))
        .filter_map(|link| {
            Some(CardLink {
                label: link.label.of(language).to_owned(),
                url: fill::link(&link.url, args, &link.defaults)?,
            })
        })
        .collect()
}

/// The digits of `AADSTS65001`.
fn aadsts_number(code: &str) -> Option<&str> {
    let code = code.trim();
    let (prefix, number) = code.split_at_checked("AADSTS".len())?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (prefix.eq_ignore_ascii_case("AADSTS") && digits).then_some(number)
}

/// A card without words, for the case that even the data file is missing.
fn bare(code: &str) -> Card {
    Card {
        code: code.trim().to_owned(),
        title: code.trim().to_owned(),
        meaning: String::new(),
        severity: Severity::Failed,
        fixers: Vec::new(),
        fixer_labels: Vec::new(),
        steps: Vec::new(),
        links: Vec::new(),
        commands: Vec::new(),
        notes: Vec::new(),
        known: false,
    }
}
