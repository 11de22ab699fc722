//! Brands: the customer-facing identities that addresses belong to.

use rusqlite::{Connection, OptionalExtension};

/// The brand's id; a new name makes a new brand. Names differ by case.
pub fn ensure(conn: &Connection, name: &str) -> rusqlite::Result<i64> {
    let known = conn
        .prepare_cached("SELECT id FROM brands WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(id),
        None => conn
            .prepare_cached("INSERT INTO brands (name) VALUES (?1)")?
            .insert([name]),
    }
}

/// All names in order.
pub fn list(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    conn.prepare_cached("SELECT name FROM brands ORDER BY name")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Removes brands that no address belongs to; returns how many.
pub fn remove_unused(conn: &Connection) -> rusqlite::Result<usize> {
    conn.prepare_cached(
        "DELETE FROM brands WHERE NOT EXISTS (SELECT 1 FROM addresses WHERE brand_id = brands.id)",
    )?
    .execute([])
}
