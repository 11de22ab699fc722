//! What must be true of the data folder, beside what the server itself says is in the mailbox.

use super::Trial;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Questions whose answer is 0 at any time, even between two crashes.
const ALWAYS_NONE: &[(&str, &str)] = &[
    (
        "messages without exactly one ledger row that imported them",
        "SELECT count(*) FROM messages m WHERE 1 <>
            (SELECT count(*) FROM ledger l WHERE l.stored_message = m.id AND l.outcome = 'imported')",
    ),
    (
        "imported or duplicate ledger rows without their message",
        "SELECT count(*) FROM ledger WHERE outcome IN ('imported', 'duplicate')
            AND stored_message NOT IN (SELECT id FROM messages)",
    ),
    (
        "messages without text and raw mail",
        "SELECT count(*) FROM messages WHERE id NOT IN (SELECT message_id FROM bodies)",
    ),
    (
        "tickets whose count of messages is wrong, or is nought",
        "SELECT count(*) FROM tickets t WHERE t.messages = 0 OR t.messages <>
            (SELECT count(*) FROM messages m WHERE m.ticket_id = t.id)",
    ),
    (
        "messages that search does not know",
        "SELECT (SELECT count(*) FROM messages) <> (SELECT count(*) FROM message_search_docsize)",
    ),
    (
        "fingerprints stored twice",
        "SELECT count(*) FROM (SELECT 1 FROM messages WHERE fingerprint IS NOT NULL
            GROUP BY address_id, fingerprint HAVING count(*) > 1)",
    ),
    (
        "items of imports with an outcome that the ledger does not know",
        "SELECT count(*) FROM import_items i JOIN imports n ON n.id = i.import_id
            WHERE i.outcome IS NOT NULL AND NOT EXISTS
            (SELECT 1 FROM ledger l WHERE l.address_id = n.address_id AND l.server_id = i.server_id)",
    ),
];

/// Questions whose answer is 0 when all is done.
const NONE_AT_THE_END: &[(&str, &str)] = &[
    (
        "imports that are not done",
        "SELECT count(*) FROM imports WHERE state <> 'done'",
    ),
    (
        "items of imports without an outcome",
        "SELECT count(*) FROM import_items WHERE outcome IS NULL",
    ),
    ("marks still to be made", "SELECT count(*) FROM marks"),
    (
        "failed mails",
        "SELECT count(*) FROM ledger WHERE outcome = 'failed'",
    ),
];

/// Asserts what holds at any time. Returns how many mails of imports are still to do.
pub(super) fn consistent(folder: &Path, seed: u64) -> u32 {
    let db = open(folder);
    none(&db, ALWAYS_NONE, seed);
    let verdict: String = db
        .query_row("PRAGMA quick_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok", "seed {seed}");
    let left = "SELECT count(*) FROM import_items WHERE outcome IS NULL";
    db.query_row(left, [], |row| row.get(0)).unwrap()
}

/// Asserts that everything due is here exactly once.
pub(super) async fn check(trial: &Trial) {
    let seed = trial.seed;
    let server = trial.world.server_mail().await;
    let db = open(trial.folder());
    none(&db, ALWAYS_NONE, seed);
    none(&db, NONE_AT_THE_END, seed);
    let verdict: String = db
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok", "seed {seed}");
    let broken: i64 = db
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(broken, 0, "seed {seed}");

    let ledger = ledger(&db);
    let stored = stored(&db);
    let digests: BTreeSet<&String> = stored.values().collect();
    assert_eq!(
        digests.len(),
        stored.len(),
        "a mail is stored twice, seed {seed}"
    );

    let oldest_imported: String = db
        .query_row(
            "SELECT min(json_extract(listing, '$.received_at')) FROM import_items",
            [],
            |row| row.get::<_, i64>(0),
        )
        .map(|millis| {
            jiff::Timestamp::from_millisecond(millis)
                .unwrap()
                .to_string()
        })
        .unwrap();
    let sent: BTreeSet<&str> = trial.sent.iter().map(|(id, _)| id.as_str()).collect();
    let mut due = 0;
    for message in server.iter().filter(|message| message["folder"] == "Inbox") {
        let id = message["id"].as_str().unwrap();
        let received = message["receivedDateTime"].as_str().unwrap();
        if !sent.contains(id) && received < oldest_imported.as_str() {
            continue;
        }
        due += 1;
        let Some((outcome, held)) = ledger.get(id) else {
            panic!("lost: {message}, seed {seed}");
        };
        let digest = held.and_then(|held| stored.get(&held));
        match outcome.as_str() {
            "imported" => {
                let on_server = message["sha256"].as_str();
                assert_eq!(
                    digest.map(String::as_str),
                    on_server,
                    "{message}, seed {seed}"
                );
            }
            "duplicate" => assert!(digest.is_some(), "{message}, seed {seed}"),
            _ => panic!("{outcome}: {message}, seed {seed}"),
        }
        assert_eq!(message["isRead"], true, "{message}, seed {seed}");
        let categories = message["categories"].as_array().unwrap();
        assert!(
            categories.iter().any(|category| category == "Mailroom"),
            "{message}, seed {seed}"
        );
    }
    // The newest 3,600 and everything that arrived and was not moved or deleted.
    assert!(due >= 3_500, "{due}");
    let per_outcome = |wanted: &str| ledger.values().filter(|(is, _)| is == wanted).count();
    let (imported, duplicate, skipped) = (
        per_outcome("imported"),
        per_outcome("duplicate"),
        per_outcome("skipped"),
    );
    assert_eq!(imported + duplicate + skipped, ledger.len());
    assert_eq!(imported, stored.len());
    eprintln!(
        "{due} due, all here once; ledger {} = imported {imported} + duplicate {duplicate} + skipped {skipped}",
        ledger.len()
    );
}

fn open(folder: &Path) -> Connection {
    Connection::open_with_flags(
        folder.join("mailroom.db"),
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .unwrap()
}

fn none(db: &Connection, questions: &[(&str, &str)], seed: u64) {
    for (what, sql) in questions {
        let count: i64 = db.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 0, "{what}, seed {seed}");
    }
}

/// Server id → outcome and stored message.
fn ledger(db: &Connection) -> BTreeMap<String, (String, Option<i64>)> {
    let mut select = db
        .prepare("SELECT server_id, outcome, stored_message FROM ledger")
        .unwrap();
    select
        .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// Message → SHA-256 of its raw mail.
fn stored(db: &Connection) -> BTreeMap<i64, String> {
    let mut select = db.prepare("SELECT message_id, raw FROM bodies").unwrap();
    select
        .query_map([], |row| {
            let raw: Vec<u8> = row.get(1)?;
            Ok((row.get(0)?, super::hex(&Sha256::digest(&raw))))
        })
        .unwrap()
        .map(Result::unwrap)
        .collect()
}
