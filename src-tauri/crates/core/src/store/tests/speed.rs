//! Lists use their indexes.

use super::{NOW, address, database, ticket};
use crate::store::ledger;
use crate::store::tickets::{self, TicketQuery};
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

/// Takes a while, so it runs where it is asked for: `cargo test -p mailroom-core --release -- --ignored`.
#[test]
#[ignore = "fills 100,000 tickets"]
fn lists_of_100_000_tickets_take_less_than_50_ms() {
    let (_folder, mut conn) = database();
    let id = address(&conn, "support@contoso.example");
    let tx = conn.transaction().unwrap();
    for number in 0..100_000_i64 {
        let text = format!(
            "Guten Tag, meine Rechnung {number} ist falsch. 返金をお願いいたします。 {}",
            "Some more words about the order. ".repeat(10)
        );
        ticket(&tx, id, &format!("Rechnung {number}"), &text, NOW + number);
    }
    tx.commit().unwrap();
    for (address, search, offset, limit_ms) in [
        (None, None, 0, 50),
        (Some("support@contoso.example"), None, 0, 50),
        (None, None, 90_000, 50),
        (None, Some("Rechnung 77777"), 0, 50),
        (None, Some("76"), 0, 50),
        // Every ticket matches, or all text has to be looked through: a fraction of a second on an idle computer.
        (None, Some("falsch"), 0, 2_000),
        (None, Some("返金"), 0, 2_000),
        (None, Some("q"), 0, 2_000),
    ] {
        let query = TicketQuery {
            address: address.map(str::to_owned),
            search: search.map(str::to_owned),
            offset,
            limit: 100,
        };
        let begun = std::time::Instant::now();
        let page = tickets::list(&conn, &query).unwrap();
        let taken = begun.elapsed();
        assert!(
            taken.as_millis() < limit_ms,
            "{taken:?} for {} of {query:?}",
            page.total
        );
    }
}
