//! Opening: versions, migrations, damage, rights.

use super::{NOW, address, store};
use crate::store::open::{FILE, MIGRATIONS, open, open_file};
use crate::store::{Store, StoreError, addresses, settings};
use rusqlite::Connection;
use std::fs;
use std::path::Path;

fn user_version(path: &Path) -> i64 {
    Connection::open(path)
        .unwrap()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap()
}

#[test]
fn brings_an_older_file_up_one_number_at_a_time_and_keeps_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let first = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);";
    let second = "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1;";
    drop(open_file(&path, &[first]).unwrap());
    assert_eq!(user_version(&path), 1);
    let connection = open_file(&path, &[first, second]).unwrap();
    let y: i64 = connection
        .query_row("SELECT y FROM a", [], |row| row.get(0))
        .unwrap();
    assert_eq!(y, 2);
    drop(connection);
    assert_eq!(user_version(&path), 2);
}

#[test]
fn leaves_the_file_at_the_old_version_when_a_migration_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let first = "CREATE TABLE a (x INTEGER) STRICT;";
    drop(open_file(&path, &[first]).unwrap());
    let broken = "CREATE TABLE b (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);";
    assert!(matches!(
        open_file(&path, &[first, broken]),
        Err(StoreError::Sqlite(_))
    ));
    assert_eq!(user_version(&path), 1);
    let connection = open_file(&path, &[first]).unwrap();
    assert!(connection.prepare("SELECT x FROM b").is_err());
}

#[tokio::test]
async fn refuses_a_newer_file_and_leaves_every_byte_of_it() {
    let (folder, store) = store().await;
    store.close().await;
    let path = folder.path().join(FILE);
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let before = fs::read(&path).unwrap();
    match Store::open(folder.path()).await {
        Err(StoreError::Newer { found, known }) => {
            assert_eq!((found, known), (99, newest()));
        }
        other => panic!("{:?}", other.err()),
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn sets_a_file_that_is_no_database_aside_and_starts_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let garbage = "no database at all ".repeat(1000);
    fs::write(&path, &garbage).unwrap();
    let aside = match Store::open(folder.path()).await {
        Err(StoreError::Damaged { set_aside }) => set_aside,
        other => panic!("{:?}", other.err()),
    };
    assert_eq!(fs::read_to_string(&aside).unwrap(), garbage);
    let name = aside.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("mailroom.damaged-2") && name.ends_with(".db"));
    Store::open(folder.path()).await.unwrap();
}

#[tokio::test]
async fn sets_a_database_with_a_broken_schema_or_broken_addresses_aside() {
    for what in ["schema", "addresses"] {
        let (folder, store) = store().await;
        store
            .write(|tx| Ok(address(tx, "support@contoso.example")))
            .await
            .unwrap();
        store.close().await;
        let path = folder.path().join(FILE);
        let page: usize = if what == "schema" {
            1
        } else {
            Connection::open(&path)
                .unwrap()
                .query_row(
                    "SELECT rootpage FROM sqlite_schema WHERE name = 'addresses'",
                    [],
                    |row| row.get(0),
                )
                .map(|page: u32| page as usize)
                .unwrap()
        };
        let mut bytes = fs::read(&path).unwrap();
        // Past the file's header, into the b-tree page's own.
        let start = (page - 1) * 4096 + if page == 1 { 100 } else { 0 };
        bytes[start..start + 64].fill(0xff);
        fs::write(&path, bytes).unwrap();
        assert!(
            matches!(
                Store::open(folder.path()).await,
                Err(StoreError::Damaged { .. })
            ),
            "{what}"
        );
        let fresh = Store::open(folder.path()).await.unwrap();
        let rows = fresh.read(addresses::all).await.unwrap();
        assert!(rows.is_empty());
    }
}

#[tokio::test]
async fn a_flipped_bit_anywhere_never_makes_it_panic_or_delete() {
    let (folder, store) = store().await;
    store
        .write(|tx| Ok(address(tx, "support@contoso.example")))
        .await
        .unwrap();
    store.close().await;
    let good = fs::read(folder.path().join(FILE)).unwrap();
    for step in 0..200 {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = good.clone();
        let bit = step * 7919 % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(folder.path().join(FILE), &bytes).unwrap();
        match open(folder.path()) {
            Err(StoreError::Damaged { set_aside }) => {
                assert_eq!(fs::read(set_aside).unwrap(), bytes);
            }
            Ok(_) | Err(StoreError::Newer { .. } | StoreError::Sqlite(_)) => {
                assert!(folder.path().join(FILE).exists());
            }
            Err(other) => panic!("bit {bit}: {other:?}"),
        }
    }
}

#[test]
fn many_that_open_a_new_folder_at_once_all_succeed() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| open(folder.path()).map(drop)))
            .collect();
        for start in starts {
            start.join().unwrap().unwrap();
        }
    });
    assert_eq!(user_version(&folder.path().join(FILE)), newest());
}

#[tokio::test]
async fn two_stores_on_one_folder_see_each_others_commits() {
    let (folder, one) = store().await;
    let two = Store::open(folder.path()).await.unwrap();
    let before = two.version().await.unwrap();
    assert_eq!(two.version().await.unwrap(), before);
    one.write(|tx| settings::put(tx, "a", "1")).await.unwrap();
    let after = two.version().await.unwrap();
    assert_ne!(after, before);
    let value = two.read(|conn| settings::get(conn, "a")).await.unwrap();
    assert_eq!(value.as_deref(), Some("1"));
    // A store notices its own commits as well.
    two.write(|tx| settings::put(tx, "a", "2")).await.unwrap();
    assert_ne!(two.version().await.unwrap(), after);
}

#[tokio::test]
async fn two_writers_wait_for_one_another() {
    let (folder, one) = store().await;
    let two = Store::open(folder.path()).await.unwrap();
    let id = one
        .write(|tx| Ok(address(tx, "support@contoso.example")))
        .await
        .unwrap();
    for _ in 0..50 {
        let (a, b) = tokio::join!(
            one.write(move |tx| addresses::request_wake(tx, id)),
            two.write(move |tx| addresses::request_wake(tx, id)),
        );
        a.unwrap();
        b.unwrap();
    }
    let row = one
        .read(move |conn| addresses::get(conn, id))
        .await
        .unwrap();
    assert_eq!(row.unwrap().wake_requested, 100);
}

#[cfg(unix)]
#[tokio::test]
async fn keeps_everything_from_other_users() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("new/mailroom");
    let store = Store::open(&folder).await.unwrap();
    store
        .write(|tx| settings::put(tx, "a", &NOW.to_string()))
        .await
        .unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let mut files = 0;
    for file in fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert!(files >= 3, "the database, its WAL and the WAL's index");
}

#[tokio::test]
async fn says_when_the_folder_cannot_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(
        Store::open(&file.join("under")).await,
        Err(StoreError::Folder(_))
    ));
}

fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap()
}
