//! What was handed over within the last minute, by login: servers count, and a restart must not make us forget.

use crate::Millis;
use rusqlite::Connection;

/// Messages that a login may hand over within [`SPAN`] (Exchange Online limits, "Message rate limit").
pub const MOST: usize = 30;
/// The time that is looked at.
pub const SPAN: Millis = 60_000;

/// Notes that `login` hands a message over now. Where the login has had its share nothing is noted, and the time until
/// the next message may leave is given, in milliseconds.
pub fn begin(conn: &Connection, login: &str, now: Millis) -> rusqlite::Result<Option<Millis>> {
    // A clock that was set back leaves instants of the future behind.
    conn.prepare_cached("DELETE FROM sendings WHERE at <= ?1 OR at > ?2")?
        .execute((now - SPAN, now))?;
    let at: Vec<Millis> = conn
        .prepare_cached("SELECT at FROM sendings WHERE login = ?1 ORDER BY at DESC")?
        .query_map([login], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if let Some(oldest) = at.get(MOST - 1) {
        return Ok(Some((oldest + SPAN - now).max(1)));
    }
    conn.prepare_cached("INSERT INTO sendings (login, at) VALUES (?1, ?2)")?
        .execute((login, now))?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE sendings (login TEXT NOT NULL, at INTEGER NOT NULL);")
            .unwrap();
        conn
    }

    #[test]
    fn thirty_messages_leave_within_a_minute_and_the_next_waits() {
        let conn = table();
        for number in 0..30 {
            assert_eq!(begin(&conn, "kim", 1_000 + number).unwrap(), None);
        }
        assert_eq!(begin(&conn, "kim", 2_000).unwrap(), Some(59_000));
        assert_eq!(begin(&conn, "another", 2_000).unwrap(), None);
        assert_eq!(begin(&conn, "kim", 60_999).unwrap(), Some(1));
        assert_eq!(begin(&conn, "kim", 61_000).unwrap(), None);
        assert_eq!(begin(&conn, "kim", 61_000).unwrap(), Some(1));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_hold_mail_up() {
        let conn = table();
        for _ in 0..30 {
            begin(&conn, "kim", 9_000_000).unwrap();
        }
        assert_eq!(begin(&conn, "kim", 1_000).unwrap(), None);
    }
}
