//! Lists use their indexes.

use super::database;
use crate::store::ledger;
use crate::store::tickets;
use rusqlite::Connection;

/// Lines of the plan that read a whole table, or (where `sorted`) that sort.
fn slow_steps(conn: &Connection, sql: &str, sorted: bool) -> Vec<String> {
    let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps: Vec<String> = explain
        .raw_query()
        .mapped(|row| row.get(3))
        .collect::<rusqlite::Result<_>>()
        .unwrap();
    steps
        .into_iter()
        .filter(|step| {
            let whole = step.contains("SCAN") && !step.contains("USING COVERING INDEX");
            whole || (sorted && step.contains("TEMP B-TREE"))
        })
        .collect()
}

#[test]
fn lists_read_no_whole_table() {
    let (_folder, conn) = database();
    for sql in [
        tickets::listing(""),
        tickets::listing("WHERE address_id = ?"),
        ledger::listing(false, false),
        ledger::listing(false, true),
        ledger::FAILED_BEFORE.into(),
    ] {
        let slow = slow_steps(&conn, &sql, true);
        assert!(slow.is_empty(), "{sql}: {slow:?}");
    }
    // These sort the few rows that one mail has.
    for sql in [
        tickets::SAME_MAIL.into(),
        ledger::listing(true, false),
        ledger::listing(true, true),
    ] {
        let slow = slow_steps(&conn, &sql, false);
        assert!(slow.is_empty(), "{sql}: {slow:?}");
    }
    let unindexed = "SELECT id FROM tickets ORDER BY subject";
    assert_eq!(slow_steps(&conn, unindexed, true).len(), 2);
}
