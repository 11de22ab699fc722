//! Full-text search. A term is found wherever it stands in a mail, inside longer words too ("versicherung" in
//! "Rechtsschutzversicherung") and in languages that put no spaces between words.
//!
//! The index holds words. Those of languages with spaces are also kept once each in a list of their own, which is small
//! beside the mails: a part of a word is looked up there, and the words that hold it are looked up in the index.
//! Japanese, Chinese and Thai are indexed by every two characters. The index narrows a search down; where a term has more
//! than one word or special characters in it, the text itself is looked at.

mod fold;
mod words;

pub(in crate::store) use fold::fold;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use std::collections::BTreeSet;
use words::{Kind, Word, words};

/// What is indexed of a mail, ready to be written: the work of making it needs no database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Searchable {
    /// Words with a space after each.
    index: String,
}

impl Searchable {
    /// Of a mail with these people, the sender among them.
    pub(crate) fn new<'a>(
        subject: &str,
        people: impl Iterator<Item = (&'a str, &'a str)>,
        text: &str,
    ) -> Self {
        let mut index = String::with_capacity(text.len() + text.len() / 4);
        let mut add = |text: &str| {
            for word in words(&fold(text), true) {
                index.push_str(word.text);
                index.push(' ');
            }
        };
        add(subject);
        for (name, address) in people {
            add(name);
            add(address);
        }
        add(text);
        Self { index }
    }
}

/// Adds messages to the index. A transaction does this once and last: before most other statements SQLite has the index
/// write down what it gathered, and a new word of many mails is looked up once.
pub(crate) fn add<'a>(
    conn: &Connection,
    messages: impl Iterator<Item = (i64, &'a Searchable)>,
) -> rusqlite::Result<()> {
    let mut insert =
        conn.prepare_cached("INSERT INTO message_search (rowid, words) VALUES (?1, ?2)")?;
    let mut spaced = BTreeSet::new();
    for (id, message) in messages {
        insert.execute((id, &message.index))?;
        spaced.extend(
            message
                .index
                .split(' ')
                .filter(|word| !word.starts_with(words::is_dense) && !word.is_empty()),
        );
    }
    let mut keep = conn.prepare_cached("INSERT OR IGNORE INTO search_words (word) VALUES (?1)")?;
    let mut part =
        conn.prepare_cached("INSERT INTO search_word_parts (rowid, word) VALUES (?1, ?2)")?;
    for word in spaced {
        if keep.execute([word])? == 1 {
            part.execute((conn.last_insert_rowid(), word))?;
        }
    }
    Ok(())
}

/// Indexes every message that is stored.
pub(super) fn rebuild(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(
        "INSERT INTO message_search (message_search) VALUES ('delete-all');
         INSERT INTO search_word_parts (search_word_parts) VALUES ('delete-all');
         DELETE FROM search_words;",
    )?;
    let mut select = conn.prepare(
        "SELECT m.id, m.subject, m.from_name, m.from_address, m.recipients, b.text
         FROM messages m JOIN bodies b ON b.message_id = m.id ORDER BY m.id",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (subject, name, address, text): (String, String, String, String) =
            (row.get(1)?, row.get(2)?, row.get(3)?, row.get(5)?);
        let others = super::messages::recipients(row.get_ref(4)?.as_str()?).unwrap_or_default();
        let people = std::iter::once((name.as_str(), address.as_str())).chain(
            others
                .iter()
                .map(|person| (person.name.as_str(), person.address.as_str())),
        );
        let searchable = Searchable::new(&subject, people, &text);
        add(conn, std::iter::once((row.get(0)?, &searchable)))?;
    }
    Ok(())
}

/// Lets SQL compare text as the index does: `folded(text)`, and `folded_people(recipients)` for names and addresses, each
/// on a line of its own.
pub(super) fn prepare(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    conn.create_scalar_function("folded", 1, flags, |call| {
        Ok(fold(call.get_raw(0).as_str().unwrap_or_default()))
    })?;
    conn.create_scalar_function("folded_people", 1, flags, |call| {
        let people = super::messages::recipients(call.get_raw(0).as_str().unwrap_or_default())
            .map_err(|error| rusqlite::Error::UserFunctionError(error.into()))?;
        Ok(people
            .iter()
            .map(|person| format!("{}\n{}\n", fold(&person.name), fold(&person.address)))
            .collect::<String>())
    })
}

/// A query for ids of messages, with the values for its placeholders.
pub(super) struct Found {
    pub(super) sql: String,
    pub(super) values: Vec<String>,
}

/// Messages of which the text holds a term, whatever the index says.
const HOLDING: &str =
    "SELECT m.id FROM messages m JOIN bodies b ON b.message_id = m.id, (SELECT ? AS term)
     WHERE (instr(folded(m.subject), term) OR instr(folded(m.from_name), term)
         OR instr(folded(m.from_address), term) OR instr(folded_people(m.recipients), term)
         OR instr(folded(b.text), term))";

/// How to find the messages that hold all words of `search`; nothing when there are no words.
pub(super) fn messages_with(search: &str) -> Option<Found> {
    let folded = fold(search);
    let mut parts = Vec::new();
    let mut values = Vec::new();
    for term in folded.split_whitespace() {
        let mut narrowed = Narrowed::default();
        let exact = narrowed.take(term);
        let sql = narrowed.parts.join(" INTERSECT ");
        if exact {
            parts.push(sql);
        } else {
            values.push(term.to_owned());
            parts.push(match sql.as_str() {
                "" => HOLDING.to_owned(),
                sql => format!("{HOLDING} AND m.id IN ({sql})"),
            });
        }
        values.append(&mut narrowed.values);
    }
    (!parts.is_empty()).then(|| Found {
        sql: parts.join(" INTERSECT "),
        values,
    })
}

/// What the index says of one term.
#[derive(Default)]
struct Narrowed {
    parts: Vec<&'static str>,
    values: Vec<String>,
}

impl Narrowed {
    /// Narrows down to messages that may hold `term`. Whether they all do.
    fn take(&mut self, term: &str) -> bool {
        let pure = term.chars().all(words::is_part);
        let term = term.trim_start_matches(|c| !words::is_part(c));
        if term.starts_with(words::is_dense) {
            let words: Vec<Word<'_>> = words(term, false).collect();
            self.phrase(&words);
            return pure && words.iter().all(|word| word.kind == Kind::Dense);
        }
        // The first word may begin within a longer one; after it the text goes on as the term does.
        let end = term
            .find(|c| !words::is_part(c) || words::is_dense(c))
            .unwrap_or(term.len());
        let (first, rest) = term.split_at(end);
        let exact = self.inside(first);
        self.phrase(&words(rest, false).collect::<Vec<_>>());
        exact && pure && rest.is_empty()
    }

    /// Messages with words that hold `part`. Whether that says all of it: one letter is in most words, and a very long
    /// part is in no piece of a word.
    fn inside(&mut self, part: &str) -> bool {
        let end = part.char_indices().nth(words::OVERLAP);
        let indexed = end.map_or(part, |(end, _)| &part[..end]);
        let characters: Vec<char> = indexed.chars().collect();
        match characters.len() {
            0 | 1 => return false,
            2 => self.parts.push(
                "SELECT i.doc FROM search_words w JOIN message_words i ON i.term = w.word
                 WHERE instr(w.word, ?)",
            ),
            _ => {
                // An index without positions takes one trigram at a time.
                let trigrams: Vec<String> = characters
                    .windows(3)
                    .map(|three| format!("\"{}\"", three.iter().collect::<String>()))
                    .collect();
                self.parts.push(
                    "SELECT i.doc FROM search_words w JOIN message_words i ON i.term = w.word
                     WHERE w.id IN (SELECT rowid FROM search_word_parts WHERE search_word_parts MATCH ?)
                         AND instr(w.word, ?)",
                );
                self.values.push(trigrams.join(" AND "));
            }
        }
        self.values.push(indexed.to_owned());
        indexed.len() == part.len()
    }

    /// Words that follow each other; the last may go on.
    fn phrase(&mut self, words: &[Word<'_>]) {
        let Some(last) = words.last() else { return };
        let text: Vec<&str> = words.iter().map(|word| word.text).collect();
        let open = if last.complete { "" } else { "*" };
        self.parts
            .push("SELECT rowid FROM message_search WHERE message_search MATCH ?");
        self.values.push(format!("\"{}\"{open}", text.join(" ")));
    }
}
