//! What must hold of the catalogue's files, whoever edits them: a defect fails the build. `build.rs` and the tests share
//! this file, so it names nothing of the crate.

use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// The languages that every sentence is written in.
const LANGUAGES: [&str; 3] = ["en", "de", "ja"];
/// Placeholders of links; only these may be missing among the blanks, since a link without its value is left out.
const IN_LINKS: [&str; 7] = [
    "authority",
    "client_id",
    "number",
    "redirect_uri",
    "scope",
    "state",
    "tenant",
];

/// Everything that is wrong with `files` (name and text), one sentence each; nothing when all is well.
pub(crate) fn problems(files: &[(&str, &str)]) -> Vec<String> {
    let mut found = Vec::new();
    let mut all: BTreeMap<&str, Table> = BTreeMap::new();
    let mut entries: Vec<(String, Table)> = Vec::new();
    for (file, text) in files {
        let table = match text.parse::<Table>() {
            Ok(table) => table,
            Err(error) => {
                found.push(format!("{file}: {error}"));
                continue;
            }
        };
        for (section, value) in table {
            match (section.as_str(), value) {
                ("entry", Value::Array(rows)) => {
                    for row in rows {
                        if let Value::Table(row) = row {
                            entries.push(((*file).to_owned(), row));
                        } else {
                            found.push(format!("{file}: an entry is no table: {row}"));
                        }
                    }
                }
                (
                    name @ ("step" | "link" | "command" | "note" | "fixer" | "blank"),
                    Value::Table(rows),
                ) => {
                    let name = SECTIONS.iter().find(|known| **known == name);
                    let into = all.entry(name.copied().unwrap_or_default()).or_default();
                    for (key, value) in rows {
                        if into.insert(key.clone(), value).is_some() {
                            found.push(format!("{file}: {section} {key} doubles"));
                        }
                    }
                }
                _ => found.push(format!("{file}: nobody knows [{section}]")),
            }
        }
    }
    let files = Files { all };
    files.words(&mut found);
    files.links(&mut found);
    files.commands(&mut found);
    files.entries(&entries, &mut found);
    found
}

const SECTIONS: [&str; 6] = ["step", "link", "command", "note", "fixer", "blank"];

struct Files<'a> {
    all: BTreeMap<&'a str, Table>,
}

impl Files<'_> {
    fn section(&self, name: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.all.get(name).into_iter().flatten()
    }

    fn has(&self, section: &str, name: &str) -> bool {
        self.all
            .get(section)
            .is_some_and(|table| table.contains_key(name))
    }

    fn words(&self, found: &mut Vec<String>) {
        for section in ["step", "note", "fixer", "blank"] {
            for (name, value) in self.section(section) {
                self.in_three_languages(&format!("{section} {name}"), value, found);
            }
        }
        for section in ["link", "command"] {
            for (name, value) in self.section(section) {
                let place = format!("{section} {name}");
                match value.get("label") {
                    Some(label) => self.in_three_languages(&place, label, found),
                    None => found.push(format!("{place}: no label")),
                }
            }
        }
    }

    /// Each language has words, with the same placeholders, and each placeholder has a word for its absence.
    fn in_three_languages(&self, place: &str, value: &Value, found: &mut Vec<String>) {
        let mut first: Option<BTreeSet<String>> = None;
        for language in LANGUAGES {
            let text = value.get(language).and_then(Value::as_str).unwrap_or("");
            if text.trim().is_empty() {
                found.push(format!("{place}: no words in {language}"));
                continue;
            }
            self.known_placeholders(place, text, found);
            let names = placeholders(text);
            match &first {
                None => first = Some(names),
                Some(first) if *first != names => {
                    found.push(format!("{place}: other placeholders in {language}"));
                }
                Some(_) => {}
            }
        }
    }

    fn known_placeholders(&self, place: &str, text: &str, found: &mut Vec<String>) {
        for name in placeholders(text) {
            if !self.has("blank", &name) {
                found.push(format!("{place}: nobody fills in {{{name}}}"));
            }
        }
    }

    fn links(&self, found: &mut Vec<String>) {
        for (name, link) in self.section("link") {
            let url = link.get("url").and_then(Value::as_str).unwrap_or("");
            let starts = url.starts_with("https://") || url.starts_with("{authority}/");
            let names = placeholders(url);
            let mut bare = url.to_owned();
            for name in &names {
                bare = bare.replace(&format!("{{{name}}}"), "");
            }
            if !starts || bare.chars().any(|c| !c.is_ascii_graphic()) || bare.contains(MALFORMED) {
                found.push(format!("link {name}: malformed: {url}"));
            }
            for placeholder in names {
                if !IN_LINKS.contains(&placeholder.as_str()) {
                    found.push(format!("link {name}: nobody fills in {{{placeholder}}}"));
                }
            }
        }
    }

    fn commands(&self, found: &mut Vec<String>) {
        for (name, command) in self.section("command") {
            let text = command.get("text").and_then(Value::as_str).unwrap_or("");
            let place = format!("command {name}");
            if text.trim().is_empty() || text.contains('\n') {
                found.push(format!("{place}: not one line"));
            }
            if text.contains("'{") || text.contains("\"{") {
                found.push(format!("{place}: quoting is the program's"));
            }
            self.known_placeholders(&place, text, found);
        }
    }

    fn entries(&self, entries: &[(String, Table)], found: &mut Vec<String>) {
        let mut codes = BTreeSet::new();
        for (file, entry) in entries {
            let code = entry.get("code").and_then(Value::as_str).unwrap_or("");
            let place = format!("{file}: {code}");
            if code.is_empty() {
                found.push(format!("{file}: an entry without a code"));
            }
            let also = names(entry, "also");
            for code in std::iter::once(code).chain(also.iter().map(String::as_str)) {
                if !codes.insert(code.to_ascii_lowercase()) {
                    found.push(format!("{file}: the code {code} doubles"));
                }
            }
            for part in ["title", "meaning"] {
                let words: Table = LANGUAGES
                    .into_iter()
                    .filter_map(|language| {
                        let text = entry.get(language)?.get(part)?;
                        Some((language.to_owned(), text.clone()))
                    })
                    .collect();
                self.in_three_languages(&format!("{place} {part}"), &words.into(), found);
            }
            for (key, section) in [
                ("fixers", "fixer"),
                ("steps", "step"),
                ("links", "link"),
                ("commands", "command"),
                ("notes", "note"),
            ] {
                let named = names(entry, key);
                if named.is_empty() && ["fixers", "steps"].contains(&key) {
                    found.push(format!("{place}: no {key}"));
                }
                for name in named {
                    if !self.has(section, &name) {
                        found.push(format!("{place}: there is no {section} {name}"));
                    }
                }
            }
        }
    }
}

/// Characters that no link has outside of its placeholders (RFC 3986).
const MALFORMED: [char; 8] = ['{', '}', '<', '>', '"', '\\', '^', '`'];

fn names(entry: &Table, key: &str) -> Vec<String> {
    let list = entry.get(key).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect()
}

/// The names in braces; braces around anything else are PowerShell's own.
fn placeholders(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for piece in text.split('{').skip(1) {
        let Some((name, _)) = piece.split_once('}') else {
            continue;
        };
        let is_name = |b: u8| b.is_ascii_lowercase() || b == b'_';
        if !name.is_empty() && name.bytes().all(is_name) {
            names.insert(name.to_owned());
        }
    }
    names
}
