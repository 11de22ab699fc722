mod snapshots;
mod verify;

use super::*;
use load::{Command, FILES, File, Link, Words};
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// Placeholders that sentences and commands may use; each has a word for when its value is missing.
const IN_WORDS: [&str; 17] = [
    "address",
    "by",
    "client_id",
    "code",
    "correlation_id",
    "folder",
    "host",
    "issuer",
    "login",
    "rule",
    "said",
    "scope",
    "service_account",
    "target",
    "tenant",
    "virtual_directory",
    "what",
];
/// Placeholders that links may use besides.
const IN_LINKS: [&str; 7] = [
    "authority",
    "client_id",
    "number",
    "redirect_uri",
    "scope",
    "state",
    "tenant",
];

fn file() -> &'static File {
    &load::catalogue().file
}

fn args(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Values as a careful admin would never choose them.
const HOSTILE: [&str; 11] = [
    "o'brien@contoso.example",
    "a' ; Remove-Mailbox -Identity 'b",
    "a‘; Remove-Mailbox b ’",
    "‚x‛ ; calc",
    "$(Remove-Item C:\\) `whoami` ${env:PATH}",
    "a\r\nRemove-Mailbox b\u{2028}c\u{85}d",
    "\u{202e}moc.elpmaxe",
    "../../../?x=1&redirect_uri=https://evil.example#",
    "\"; exit \"",
    "'; rm -rf ~ #",
    "a\nBcc: canary@evil.example\r\n\r\n<b>{link}</b>",
];

#[test]
fn every_file_parses() {
    for (name, text, _) in FILES {
        if let Err(error) = toml::from_str::<File>(text) {
            panic!("{name}: {error}");
        }
    }
}

#[test]
fn codes_are_unique() {
    let mut seen = BTreeSet::new();
    for entry in entries() {
        for code in entry.codes() {
            assert!(seen.insert(code.to_ascii_lowercase()), "{code} twice");
        }
    }
}

#[test]
fn every_entry_is_complete_in_three_languages() {
    for entry in entries() {
        assert!(!entry.fixers.is_empty(), "{}: nobody mends it", entry.code);
        assert!(
            (1..=5).contains(&entry.steps.len()),
            "{}: steps",
            entry.code
        );
        for language in Language::ALL {
            let words = entry.words(language);
            let title = words.title.chars().count();
            let meaning = words.meaning.chars().count();
            assert!(
                (4..=80).contains(&title),
                "{} {language:?}: title",
                entry.code
            );
            assert!(
                (12..=260).contains(&meaning),
                "{} {language:?}: meaning {meaning}",
                entry.code
            );
        }
        assert_ne!(entry.en.meaning, entry.de.meaning, "{}", entry.code);
        assert_ne!(entry.en.meaning, entry.ja.meaning, "{}", entry.code);
    }
}

#[test]
fn everything_an_entry_names_exists_and_everything_that_exists_is_named() {
    let mut steps = BTreeSet::new();
    let mut links = BTreeSet::from(["lookup"]);
    let mut commands = BTreeSet::new();
    let mut notes = BTreeSet::new();
    for entry in entries() {
        steps.extend(entry.steps.iter().map(String::as_str));
        links.extend(entry.links.iter().map(String::as_str));
        commands.extend(entry.commands.iter().map(String::as_str));
        notes.extend(entry.notes.iter().map(String::as_str));
    }
    fn keys<T>(map: &BTreeMap<String, T>) -> BTreeSet<&str> {
        map.keys().map(String::as_str).collect()
    }
    assert_eq!(steps, keys(&file().step));
    assert_eq!(links, keys(&file().link));
    assert_eq!(commands, keys(&file().command));
    assert_eq!(notes, keys(&file().note));
    assert_eq!(
        IN_WORDS.into_iter().collect::<BTreeSet<_>>(),
        keys(&file().blank)
    );
    assert_eq!(file().fixer.len(), 5);
}

#[test]
fn whoever_cannot_mend_it_is_told_first_whom_to_ask() {
    for entry in entries() {
        let first = entry.fixers[0];
        if matches!(first, Fixer::You | Fixer::Nobody) {
            continue;
        }
        assert!(entry.steps[0].starts_with("ask_"), "{}", entry.code);
    }
}

#[test]
fn placeholders_are_known_and_the_same_in_every_language() {
    let mut all: Vec<(String, Words)> = Vec::new();
    all.extend(file().step.clone());
    all.extend(file().note.clone());
    for (name, Command { label, .. }) in &file().command {
        all.push((name.clone(), label.clone()));
    }
    for (name, Link { label, .. }) in &file().link {
        all.push((name.clone(), label.clone()));
    }
    for entry in entries() {
        let [en, de, ja] = Language::ALL.map(|language| {
            let words = entry.words(language);
            format!("{} {}", words.title, words.meaning)
        });
        all.push((entry.code.clone(), Words { en, de, ja }));
    }
    for (name, words) in all {
        let [en, de, ja] = Language::ALL.map(|language| {
            assert!(!words.of(language).trim().is_empty(), "{name} {language:?}");
            fill::placeholders(words.of(language))
                .into_iter()
                .collect::<BTreeSet<_>>()
        });
        assert_eq!(en, de, "{name}");
        assert_eq!(en, ja, "{name}");
        for placeholder in en {
            assert!(
                IN_WORDS.contains(&placeholder.as_str()),
                "{name}: {placeholder}"
            );
        }
    }
}

#[test]
fn german_and_japanese_are_german_and_japanese() {
    for (name, words) in file().step.iter().chain(&file().note) {
        let japanese = words
            .ja
            .chars()
            .any(|c| ('\u{3040}'..='\u{30ff}').contains(&c));
        assert!(japanese, "{name}: {}", words.ja);
        assert_ne!(words.en, words.de, "{name}");
    }
    for entry in entries() {
        let japanese = entry
            .ja
            .meaning
            .chars()
            .any(|c| ('\u{3040}'..='\u{309f}').contains(&c));
        assert!(japanese, "{}", entry.code);
        assert!(!entry.de.meaning.contains(" du "), "{}", entry.code);
    }
}

#[test]
fn every_link_is_well_formed_and_uses_known_placeholders() {
    for (name, link) in &file().link {
        for placeholder in fill::placeholders(&link.url) {
            assert!(
                IN_LINKS.contains(&placeholder.as_str()),
                "{name}: {placeholder}"
            );
        }
        let values = IN_LINKS
            .iter()
            .filter(|placeholder| **placeholder != "authority")
            .map(|placeholder| ((*placeholder).to_owned(), "x y".to_owned()))
            .collect();
        let filled = fill::link(&link.url, &values, &link.defaults).unwrap_or_default();
        let url = Url::parse(&filled).unwrap();
        assert_eq!(url.scheme(), "https", "{name}");
        assert!(!filled.contains(['{', '}', ' ']), "{name}: {filled}");
    }
}

#[test]
fn commands_that_only_read_come_first_and_leave_quoting_to_the_program() {
    for (name, command) in &file().command {
        let changes = ["Set-", "Add-", "New-", "Remove-", "Enable-"]
            .iter()
            .any(|verb| command.text.starts_with(verb));
        assert_eq!(changes, command.writes, "{name}");
        assert!(
            !command.text.contains("'{") && !command.text.contains("\"{"),
            "{name}"
        );
        for placeholder in fill::placeholders(&command.text) {
            assert!(
                IN_WORDS.contains(&placeholder.as_str()),
                "{name}: {placeholder}"
            );
        }
    }
    for entry in entries() {
        let writes: Vec<bool> = entry
            .commands
            .iter()
            .map(|name| file().command[name].writes)
            .collect();
        assert!(writes.is_sorted(), "{}: reading ones first", entry.code);
    }
}

/// Reads a PowerShell line the way PowerShell's tokenizer does, as far as single quotes go: returns the quoted strings,
/// and what stands outside of them.
fn single_quoted(line: &str) -> (Vec<String>, String) {
    let is_quote = |c: char| matches!(c, '\'' | '‘' | '’' | '‚' | '‛');
    let mut chars = line.chars().peekable();
    let (mut inside, mut outside) = (Vec::new(), String::new());
    while let Some(c) = chars.next() {
        if !is_quote(c) {
            outside.push(c);
            continue;
        }
        let mut text = String::new();
        loop {
            let c = chars.next().expect("the quote is closed");
            if !is_quote(c) {
                text.push(c);
            } else if chars.peek().is_some_and(|next| is_quote(*next)) {
                chars.next();
                text.push(c);
            } else {
                break;
            }
        }
        inside.push(text);
    }
    (inside, outside)
}

#[test]
fn hostile_values_stay_inside_their_quotes() {
    let harmless = args(&[("address", "a"), ("login", "b")]);
    for hostile in HOSTILE {
        let values: BTreeMap<String, String> = IN_WORDS
            .iter()
            .map(|name| ((*name).to_owned(), hostile.to_owned()))
            .collect();
        for command in file().command.values() {
            let blank = |name: &str| format!("<{name}>");
            let expected = fill::command(&command.text, &harmless, blank);
            let line = fill::command(&command.text, &values, blank);
            assert!(!line.chars().any(char::is_control), "{line:?}");
            assert!(!line.contains(['\u{2028}', '\u{202e}']), "{line:?}");
            let (inside, outside) = single_quoted(&line);
            assert_eq!(outside, single_quoted(&expected).1, "{line}");
            assert_eq!(inside.len(), single_quoted(&expected).0.len());
        }
    }
    let line = fill::command(
        "Get-Mailbox {address}",
        &args(&[("address", "o'br’ien")]),
        str::to_owned,
    );
    assert_eq!(line, "Get-Mailbox 'o''br’’ien'");
    assert_eq!(single_quoted(&line).0, ["o'br’ien"]);
}

#[test]
fn hostile_values_stay_inside_their_part_of_a_link() {
    let link = &file().link["admin_consent"];
    for hostile in HOSTILE {
        let values = args(&[
            ("tenant", hostile),
            ("client_id", hostile),
            ("scope", hostile),
            ("redirect_uri", hostile),
        ]);
        let url = Url::parse(&fill::link(&link.url, &values, &link.defaults).unwrap()).unwrap();
        assert_eq!(url.host_str(), Some("login.microsoftonline.com"));
        assert!(url.path().ends_with("/v2.0/adminconsent"), "{url}");
        assert_eq!(url.path().matches('/').count(), 3, "{url}");
        assert_eq!(url.query_pairs().count(), 4, "{url}");
        assert_eq!(url.fragment(), None);
    }
    for tenant in ["..", "."] {
        let values = args(&[
            ("tenant", tenant),
            ("client_id", "c"),
            ("scope", "s"),
            ("redirect_uri", "r"),
        ]);
        let url = fill::link(&link.url, &values, &link.defaults).unwrap();
        assert!(!url.contains("/../") && !url.contains("/./"), "{url}");
    }
}

#[test]
fn only_https_origins_and_this_computer_may_stand_in_for_the_sign_in_service() {
    let link = &file().link["admin_consent"];
    let with = |authority: &str| {
        let values = args(&[
            ("authority", authority),
            ("tenant", "contoso.example"),
            ("client_id", "c"),
            ("scope", "User.Read Mail.ReadWrite"),
            ("redirect_uri", "http://localhost"),
        ]);
        fill::link(&link.url, &values, &link.defaults)
    };
    assert_eq!(
        with("http://localhost:40123/").as_deref(),
        Some(
            "http://localhost:40123/contoso.example/v2.0/adminconsent?client_id=c&scope=User.Read%20Mail.ReadWrite&redirect_uri=http%3A%2F%2Flocalhost&state="
        )
    );
    assert!(with("https://login.microsoftonline.us").is_some());
    for bad in [
        "http://login.example",
        "javascript:alert(1)",
        "file:///etc",
        "https://a@evil.example",
        "x",
    ] {
        assert_eq!(with(bad), None, "{bad}");
    }
}

#[test]
fn a_link_without_its_value_is_left_out() {
    let without = card("AADSTS50011", &BTreeMap::new(), Language::En);
    assert!(without.links.iter().all(|link| !link.url.contains("appId")));
    let with = card(
        "AADSTS50011",
        &args(&[("client_id", "11111111-2222")]),
        Language::En,
    );
    assert!(
        with.links[0]
            .url
            .ends_with("/~/Authentication/appId/11111111-2222")
    );
    assert!(
        with.links
            .iter()
            .any(|link| link.url == "https://login.microsoftonline.com/error?code=50011")
    );
}

#[test]
fn a_missing_value_leaves_a_readable_blank() {
    let card = |language| {
        super::card(
            "ErrorSendAsDenied",
            &args(&[("login", "kai@contoso.example")]),
            language,
        )
    };
    let english = card(Language::En);
    assert!(
        english
            .meaning
            .contains("kai@contoso.example may read <address>"),
        "{}",
        english.meaning
    );
    let german = card(Language::De);
    assert!(
        german.steps.iter().any(|step| step.contains("<Adresse>")),
        "{:?}",
        german.steps
    );
    assert_eq!(
        german.commands[2].text,
        "Add-RecipientPermission -Identity '<Adresse>' -Trustee 'kai@contoso.example' -AccessRights SendAs"
    );
    assert!(german.commands[2].writes && !german.commands[1].writes);
    assert!(card(Language::Ja).meaning.contains("<アドレス>"));
    assert_eq!(german.fixer_labels, ["Postfach-Admin (Exchange)"]);
}

#[test]
fn an_unknown_code_gets_a_card_that_says_so() {
    for language in Language::ALL {
        let card = card("AADSTS999999", &BTreeMap::new(), language);
        assert!(!card.known);
        assert_eq!(card.code, "AADSTS999999");
        assert!(card.title.contains("AADSTS999999"));
        assert!(!card.steps.is_empty());
    }
    assert!(!card("unknown", &BTreeMap::new(), Language::En).known);
    assert!(!card("", &BTreeMap::new(), Language::En).title.contains('{'));
}

#[test]
fn codes_are_found_whatever_their_case_and_by_their_other_names() {
    assert_eq!(
        get("aadsts50079").map(|entry| entry.code.as_str()),
        Some("AADSTS50072")
    );
    let card = card("AADSTS50079", &BTreeMap::new(), Language::En);
    assert!(card.known);
    assert_eq!(card.code, "AADSTS50079");
    assert!(get("AADSTS5007").is_none());
}

#[test]
fn language_tags_are_understood() {
    assert_eq!(Language::from_tag("de-AT"), Language::De);
    assert_eq!(Language::from_tag("ja_JP.UTF-8"), Language::Ja);
    assert_eq!(Language::from_tag("fr"), Language::En);
}
