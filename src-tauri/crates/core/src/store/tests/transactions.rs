//! What a transaction keeps and what it does not.

use super::{NOW, address, entry, store, ticket};
use crate::store::ledger::{self, Outcome};
use crate::store::{StoreError, addresses, marks, settings, tickets};
use rusqlite::Connection;

/// Everything in the database as text.
fn dump(conn: &Connection) -> rusqlite::Result<String> {
    let tables: Vec<String> = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE TABLE%' ORDER BY name")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut text = String::new();
    for table in tables {
        let mut select = conn.prepare(&format!("SELECT * FROM '{table}'"))?;
        let columns = select.column_count();
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            text += &table;
            for column in 0..columns {
                text += &format!(" {:?}", row.get_ref(column)?);
            }
            text += "\n";
        }
    }
    Ok(text)
}

fn fail() -> rusqlite::Error {
    rusqlite::Error::QueryReturnedNoRows
}

/// What a poll commits, given up after `steps` statements.
fn poll(conn: &Connection, id: i64, steps: usize) -> rusqlite::Result<()> {
    let mut work: Vec<Box<dyn Fn() -> rusqlite::Result<()>>> = Vec::new();
    work.push(Box::new(|| {
        ticket(conn, id, "New", "text", NOW);
        Ok(())
    }));
    work.push(Box::new(|| {
        ledger::record(conn, &entry(id, "two", Outcome::Failed))
    }));
    work.push(Box::new(|| {
        ledger::record(conn, &entry(id, "three", Outcome::Imported))
    }));
    work.push(Box::new(|| {
        let mark = marks::NewMark {
            folder_id: "inbox",
            server_id: "three",
            category: Some("Mailroom"),
            follow: marks::STAY,
        };
        marks::add(conn, id, &mark)
    }));
    work.push(Box::new(|| addresses::set_cursor(conn, id, Some("next"))));
    work.push(Box::new(|| addresses::record_success(conn, id, NOW, None)));
    for step in work.iter().take(steps) {
        step()?;
    }
    Err(fail())
}

#[tokio::test]
async fn a_transaction_that_fails_at_any_step_leaves_nothing() {
    let (_folder, store) = store().await;
    let id = store
        .write(|tx| {
            let id = address(tx, "support@contoso.example");
            ticket(tx, id, "Old", "text", NOW);
            ledger::record(tx, &entry(id, "two", Outcome::Skipped))?;
            Ok(id)
        })
        .await
        .unwrap();
    let before = store.read(dump).await.unwrap();
    for table in ["addresses", "tickets", "messages", "bodies", "ledger"] {
        assert!(before.contains(&format!("{table} Integer")), "{table}");
    }
    for steps in 0..=6 {
        let failed = store.write(move |tx| poll(tx, id, steps)).await;
        assert!(matches!(failed, Err(StoreError::Sqlite(_))));
        assert_eq!(store.read(dump).await.unwrap(), before, "{steps} steps");
    }
    let found = store
        .read(move |conn| tickets::list(conn, &super::searching::search("new")))
        .await;
    assert_eq!(found.unwrap().total, 0, "nor in the search");
}

#[tokio::test]
async fn a_panic_rolls_back_and_the_writer_lives_on() {
    let (_folder, store) = store().await;
    let panicked = store
        .write(|tx| -> rusqlite::Result<()> {
            settings::put(tx, "a", "1")?;
            panic!("on purpose")
        })
        .await;
    assert!(matches!(panicked, Err(StoreError::Closed)));
    let value = store.write(|tx| settings::get(tx, "a")).await.unwrap();
    assert_eq!(value, None);
}

#[tokio::test]
async fn a_full_disk_is_named_and_keeps_nothing_half() {
    let (_folder, store) = store().await;
    store
        .write(|tx| {
            let pages: i64 = tx.pragma_query_value(None, "page_count", |row| row.get(0))?;
            tx.pragma_update_and_check(None, "max_page_count", pages + 4, |_| Ok(()))
        })
        .await
        .unwrap();
    let before = store.read(dump).await.unwrap();
    let big = "x".repeat(100_000);
    let full = store
        .write(move |tx| {
            settings::put(tx, "small", "1")?;
            settings::put(tx, "big", &big)
        })
        .await;
    assert!(matches!(full, Err(StoreError::DiskFull)), "{full:?}");
    assert_eq!(store.read(dump).await.unwrap(), before);
    // Once there is room again, all is well.
    store
        .write(|tx| tx.pragma_update_and_check(None, "max_page_count", 1_000_000, |_| Ok(())))
        .await
        .unwrap();
    store
        .write(|tx| settings::put(tx, "big", &"x".repeat(100_000)))
        .await
        .unwrap();
}

#[tokio::test]
async fn readers_cannot_write_and_see_one_moment() {
    let (_folder, store) = store().await;
    let refused = store.read(|conn| settings::put(conn, "a", "1")).await;
    assert!(matches!(refused, Err(StoreError::Sqlite(_))));
    let (started, start) = std::sync::mpsc::channel();
    let (written, wait) = std::sync::mpsc::channel();
    let reader = store.clone();
    let reading = tokio::spawn(async move {
        reader
            .read(move |conn| {
                let before = settings::get(conn, "a")?;
                started.send(()).unwrap();
                wait.recv().unwrap();
                Ok((before, settings::get(conn, "a")?))
            })
            .await
    });
    tokio::task::spawn_blocking(move || start.recv().unwrap())
        .await
        .unwrap();
    store.write(|tx| settings::put(tx, "a", "1")).await.unwrap();
    written.send(()).unwrap();
    assert_eq!(reading.await.unwrap().unwrap(), (None, None));
}

#[tokio::test]
async fn closing_finishes_the_work_clears_the_wal_and_refuses_more() {
    let (folder, store) = store().await;
    let work = {
        let store = store.clone();
        tokio::spawn(async move { store.write(|tx| settings::put(tx, "a", "1")).await })
    };
    work.await.unwrap().unwrap();
    store.read(|conn| settings::get(conn, "a")).await.unwrap();
    store.version().await.unwrap();
    store.close().await;
    assert!(!folder.path().join("mailroom.db-wal").exists());
    assert!(matches!(
        store.write(|tx| settings::put(tx, "a", "2")).await,
        Err(StoreError::Closed)
    ));
    assert!(matches!(
        store.read(|conn| settings::get(conn, "a")).await,
        Err(StoreError::Closed)
    ));
    assert!(matches!(store.version().await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn dropping_the_store_without_closing_loses_nothing() {
    let (folder, store) = store().await;
    store.write(|tx| settings::put(tx, "a", "1")).await.unwrap();
    drop(store);
    let again = crate::store::Store::open(folder.path()).await.unwrap();
    let value = again.read(|conn| settings::get(conn, "a")).await.unwrap();
    assert_eq!(value.as_deref(), Some("1"));
}

#[tokio::test]
async fn the_wal_stays_short_while_much_is_written_and_goes_when_the_store_closes() {
    let (folder, store) = store().await;
    store
        .write(|tx| tx.execute_batch("CREATE TABLE heap (bytes BLOB NOT NULL)"))
        .await
        .unwrap();
    let wal = folder.path().join("mailroom.db-wal");
    let mut longest = 0;
    for _ in 0..50 {
        store
            .write(|tx| {
                tx.execute("INSERT INTO heap VALUES (zeroblob(4 << 20))", [])
                    .map(drop)
            })
            .await
            .unwrap();
        longest = longest.max(std::fs::metadata(&wal).unwrap().len());
    }
    assert!(longest < 100 << 20, "{longest} of 200 MiB");
    store.close().await;
    assert!(!wal.exists());
    assert!(
        std::fs::metadata(folder.path().join("mailroom.db"))
            .unwrap()
            .len()
            > 200 << 20
    );
}
