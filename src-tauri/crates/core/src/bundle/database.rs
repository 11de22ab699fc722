//! How the database is.

use rusqlite::Connection;
use serde_json::{Map, Value, json};
use std::path::Path;

/// What SQLite finds wrong with the file, how many rows each table has and how big the files are (bytes).
pub(super) fn check(db: &Connection, data_dir: &Path) -> rusqlite::Result<Value> {
    // A damaged file may fail instead of answering; that is an answer too.
    let check = verdict(db).unwrap_or_else(|error| vec![error.to_string()]);
    let pragma = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    Ok(json!({
        "quick_check": check,
        "version": pragma("user_version")?,
        "page_size": pragma("page_size")?,
        "pages": pragma("page_count")?,
        "free_pages": pragma("freelist_count")?,
        "rows": rows(db)?,
        "files": sizes(data_dir),
    }))
}

fn verdict(db: &Connection) -> rusqlite::Result<Vec<String>> {
    db.prepare("PRAGMA quick_check(20)")?
        .query_map([], |row| row.get(0))?
        .collect()
}

fn rows(db: &Connection) -> rusqlite::Result<Map<String, Value>> {
    let names: Vec<String> = db
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                 AND name NOT LIKE 'message\\_search%' ESCAPE '\\' AND name NOT LIKE 'message\\_trigrams%' ESCAPE '\\'
             ORDER BY name",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut rows = Map::new();
    for name in names {
        let quoted = name.replace('"', "\"\"");
        let count: rusqlite::Result<i64> =
            db.query_row(&format!("SELECT count(*) FROM \"{quoted}\""), [], |row| {
                row.get(0)
            });
        rows.insert(
            name,
            count.map_or_else(|error| error.to_string().into(), Value::from),
        );
    }
    Ok(rows)
}

/// The database, its companions and whatever was set aside.
fn sizes(data_dir: &Path) -> Map<String, Value> {
    let entries = std::fs::read_dir(data_dir).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let size = entry.metadata().ok()?.len();
            name.starts_with("mailroom.").then(|| (name, size.into()))
        })
        .collect()
}
