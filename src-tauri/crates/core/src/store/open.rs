//! Opening: rights, versions, migrations, and what is done about a damaged file.

use super::{StoreError, search};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The database's name in the data folder.
pub(super) const FILE: &str = "mailroom.db";

/// Held while a process opens the database, so that two starting at once neither migrate nor set aside twice.
const LOCK: &str = "mailroom.db.opening";

/// "MAIL": marks the file as ours (sqlite.org, "Database File Format", application id).
const APPLICATION_ID: i64 = 0x4d41_494c;

/// How long to wait for another process's transaction.
const BUSY: Duration = Duration::from_secs(30);

/// Statement number n brings the file from version n to n + 1.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001_init.sql"),
    include_str!("schema/0002_diagnosis.sql"),
    include_str!("schema/0003_silence.sql"),
    include_str!("schema/0004_imap.sql"),
    include_str!("schema/0005_smtp.sql"),
    include_str!("schema/0006_life.sql"),
    include_str!("schema/0007_folders.sql"),
    include_str!("schema/0008_handoffs.sql"),
    include_str!("schema/0009_index.sql"),
    include_str!("schema/0010_words.sql"),
    include_str!("schema/0011_certificates.sql"),
    include_str!("schema/0012_replies.sql"),
    include_str!("schema/0013_servers.sql"),
];

/// The version whose migration empties the search index.
const REINDEXED: i64 = 10;

/// Small tables without which nothing works; they are looked through at every start, the big ones are not.
const CHECKED: [&str; 6] = [
    "settings",
    "brands",
    "accounts",
    "addresses",
    "aliases",
    "imports",
];

/// Opens the database in `data_dir` for writing, made or migrated where needed. Blocks.
pub(super) fn open(data_dir: &Path) -> Result<Connection, StoreError> {
    make_folder(data_dir).map_err(StoreError::Folder)?;
    let turn = private(OpenOptions::new().write(true).create(true))
        .open(data_dir.join(LOCK))
        .map_err(StoreError::Folder)?;
    turn.lock().map_err(StoreError::Folder)?;
    let path = data_dir.join(FILE);
    let opened = open_file(&path, MIGRATIONS);
    // The lock goes with the file handle.
    drop(turn);
    opened
}

/// As [`open`], without the lock and with other migrations for tests.
pub(super) fn open_file(path: &Path, migrations: &[&str]) -> Result<Connection, StoreError> {
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    match header(path).map_err(StoreError::Folder)? {
        Header::Empty => {}
        Header::Foreign => return Err(set_aside(path)),
        // Asked before SQLite touches the file.
        Header::Version(found) if found > known => return Err(StoreError::Newer { found, known }),
        Header::Version(_) => {}
    }
    private(OpenOptions::new().write(true).create(true))
        .open(path)
        .and_then(|_| restrict(path, 0o600))
        .map_err(StoreError::Folder)?;
    let brought_up = bring_up(path, migrations, known);
    match brought_up {
        Err(StoreError::Sqlite(error)) if is_damage(&error) => Err(set_aside(path)),
        other => other,
    }
}

fn bring_up(path: &Path, migrations: &[&str], known: i64) -> Result<Connection, StoreError> {
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    prepare(&connection)?;
    let found = version(&connection)?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    check(&connection)?;
    for (number, migration) in (1..).zip(migrations) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if version(&transaction)? < number {
            transaction.execute_batch(migration)?;
            if number == REINDEXED {
                search::rebuild(&transaction)?;
            }
            transaction.pragma_update(None, "user_version", number)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.commit()?;
        }
    }
    Ok(connection)
}

/// What every connection needs, reading or writing.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.pragma_update(None, "trusted_schema", false)?;
    // Otherwise SQLite prepares some statements anew for each value that is bound (sqlite.org, "The Query Planner
    // Stability Guarantee").
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // In KiB.
    connection.pragma_update(None, "cache_size", -16_000)?;
    search::prepare(connection)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Reads the schema and the small tables. Looking through all of a large file takes too long at every start;
/// damage in there surfaces where it is read.
fn check(connection: &Connection) -> rusqlite::Result<()> {
    let exists = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    for table in CHECKED {
        if connection.query_row(exists, [table], |row| row.get::<_, i64>(0))? == 0 {
            continue;
        }
        let sql = format!("PRAGMA quick_check('{table}')");
        let verdict: String = connection.query_row(&sql, [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
                Some(verdict),
            ));
        }
    }
    Ok(())
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

/// What the first bytes of the file say (sqlite.org, "Database File Format", the database header).
enum Header {
    /// No file, or nothing in it.
    Empty,
    /// No SQLite database.
    Foreign,
    /// A database of this `user_version`; the WAL may hold a newer one.
    Version(i64),
}

fn header(path: &Path) -> io::Result<Header> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Header::Empty),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    Read::by_ref(&mut file).take(100).read_to_end(&mut bytes)?;
    if bytes.is_empty() {
        return Ok(Header::Empty);
    }
    let version = bytes
        .get(60..64)
        .filter(|_| bytes.starts_with(b"SQLite format 3\0"))
        .and_then(|version| <[u8; 4]>::try_from(version).ok())
        .map(i32::from_be_bytes);
    Ok(version.map_or(Header::Foreign, |version| Header::Version(version.into())))
}

/// Renames the damaged file and its companions. Returns the error to report.
fn set_aside(path: &Path) -> StoreError {
    let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
    let folder = path.parent().unwrap_or(Path::new(""));
    let free = (0..1000)
        .map(|number| match number {
            0 => folder.join(format!("mailroom.damaged-{stamp}.db")),
            _ => folder.join(format!("mailroom.damaged-{stamp}-{number}.db")),
        })
        .find(|target| !target.exists());
    let Some(target) = free else {
        return StoreError::Folder(io::ErrorKind::AlreadyExists.into());
    };
    for companion in ["-wal", "-shm"] {
        match fs::rename(beside(path, companion), beside(&target, companion)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return StoreError::Folder(error);
            }
            _ => {}
        }
    }
    match fs::rename(path, &target) {
        Ok(()) => StoreError::Damaged { set_aside: target },
        Err(error) => StoreError::Folder(error),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes the folder for its owner alone. One that is there already is made so only where it is ours (empty, or
/// with our database in it): nobody's home folder is to change its rights.
fn make_folder(folder: &Path) -> io::Result<()> {
    let ours = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none() || folder.join(FILE).exists(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            true
        }
        Err(error) => return Err(error),
    };
    if ours {
        restrict(folder, 0o700)?;
    }
    Ok(())
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Windows: the user's own folder gives rights to its owner alone.
#[cfg(not(unix))]
fn restrict(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}
