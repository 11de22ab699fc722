//! Full-text search: terms of three characters and more by trigrams, of two by the index's own trigrams that
//! begin with them, of one by looking through the text.

use super::messages::PersonView;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use rusqlite::Connection;

/// What a column ends in, so that every two characters of the text begin a trigram.
const END: &str = "\n\n";

/// The form in which text is compared: compatibility forms as one (full-width `Ａ１` is `a1`, half-width
/// katakana is katakana), without case, and without the accents of Latin, Greek and Cyrillic letters.
pub(super) fn fold(text: &str) -> String {
    let plain: String = DecomposingNormalizerBorrowed::new_nfkd()
        .normalize(text)
        .chars()
        .filter(|c| !('\u{300}'..='\u{36f}').contains(c))
        .flat_map(char::to_lowercase)
        .filter(|c| !('\u{300}'..='\u{36f}').contains(c))
        // A NUL would end the text of a search too early.
        .map(|c| if c == '\0' { ' ' } else { c })
        .collect();
    ComposingNormalizerBorrowed::new_nfc()
        .normalize(&plain)
        .replace('ß', "ss")
}

/// Adds a message to the index.
pub(super) fn add<'a>(
    conn: &Connection,
    message_id: i64,
    subject: &str,
    people: impl Iterator<Item = &'a PersonView>,
    text: &str,
) -> rusqlite::Result<()> {
    let people: String = people.fold(String::new(), |line, person| {
        format!("{line}{} {}\n", person.name, person.address)
    });
    conn.prepare_cached(
        "INSERT INTO message_search (rowid, subject, people, body) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute((
        message_id,
        fold(subject) + END,
        fold(&people) + END,
        fold(text) + END,
    ))?;
    Ok(())
}

/// A query for ids of messages, with the values for its placeholders.
pub(super) struct Found {
    pub(super) sql: String,
    pub(super) values: Vec<String>,
}

/// How to find the messages that hold all words of `search`; nothing when there are no words.
pub(super) fn messages_with(search: &str) -> Option<Found> {
    let folded = fold(search);
    let mut phrases = Vec::new();
    let mut parts = Vec::new();
    let mut values = Vec::new();
    for term in folded.split_whitespace() {
        match term.chars().count() {
            1 => {
                parts.push(
                    "SELECT m.id FROM messages m JOIN bodies b ON b.message_id = m.id, (SELECT ? AS term)
                     WHERE instr(lower(b.text), term) OR instr(lower(m.subject), term)
                        OR instr(lower(m.from_name), term) OR instr(lower(m.from_address), term)
                        OR instr(lower(m.recipients), term)",
                );
                values.push(term.to_owned());
            }
            2 => {
                parts.push("SELECT doc FROM message_trigrams WHERE term >= ? AND term <= ?");
                values.push(term.to_owned());
                values.push(format!("{term}{}", char::MAX));
            }
            _ => phrases.push(format!("\"{}\"", term.replace('"', "\"\""))),
        }
    }
    if !phrases.is_empty() {
        parts.push("SELECT rowid FROM message_search WHERE message_search MATCH ?");
        values.push(phrases.join(" AND "));
    }
    (!parts.is_empty()).then(|| Found {
        sql: parts.join(" INTERSECT "),
        values,
    })
}
