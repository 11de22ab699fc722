//! The data folder itself: written by a newer program, damaged, or without room.

use super::message;
use crate::world::{MemoryKey, World, mail, open, wait};
use mailroom_core::api;
use mailroom_core::api::error::{ApiError, ErrorCode};
use mailroom_core::secrets::Secrets;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, BufReader};

/// Closes the program and waits until it lets go of the file.
async fn shut(world: World) -> World {
    world.app.close().await;
    let empty = tempfile::tempdir().unwrap();
    let other = open(empty.path(), world.key.clone(), world.guest.clone()).await;
    let world = World {
        app: other,
        ..world
    };
    let wal = world.folder.path().join("mailroom.db-wal");
    wait("the database is closed", async || {
        (!wal.exists()).then_some(())
    })
    .await;
    world
}

async fn refusal(world: &World) -> ApiError {
    let options =
        crate::world::options(world.folder.path(), world.key.clone(), world.guest.clone());
    match mailroom_core::app::App::open(options).await {
        Ok(_) => panic!("it opened"),
        Err(error) => ApiError::from(error),
    }
}

fn database(world: &World) -> PathBuf {
    world.folder.path().join("mailroom.db")
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
    let world = World::new().await;
    world.connect(Some(5)).await;
    let world = shut(world).await;
    let path = database(&world);
    let known: i64 = {
        let db = rusqlite::Connection::open(&path).unwrap();
        let known = db
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        db.pragma_update(None, "user_version", known + 1).unwrap();
        known
    };
    let before = std::fs::read(&path).unwrap();
    let refused = refusal(&world).await;
    assert_eq!(refused.code, ErrorCode::DatabaseNewer);
    assert_eq!(refused.args["found"], (known + 1).to_string());
    assert_eq!(refused.args["known"], known.to_string());
    assert!(std::fs::read(&path).unwrap() == before, "byte for byte");
}

#[tokio::test]
async fn a_damaged_database_is_set_aside_whole_and_the_next_start_begins_anew() {
    type Damage = fn(&mut Vec<u8>);
    let kinds: [(&str, Damage); 3] = [
        ("the header", |bytes| bytes[..50].fill(b'#')),
        ("the small tables", |bytes| {
            bytes[4096..10 * 4096].fill(0xff)
        }),
        ("cut short", |bytes| bytes.truncate(5000)),
    ];
    for (what, damage) in kinds {
        let world = World::new().await;
        world.connect(Some(5)).await;
        let mut world = shut(world).await;
        let path = database(&world);
        let mut bytes = std::fs::read(&path).unwrap();
        damage(&mut bytes);
        std::fs::write(&path, &bytes).unwrap();

        let refused = refusal(&world).await;
        assert_eq!(
            refused.code,
            ErrorCode::DatabaseDamaged,
            "{what}: {refused}"
        );
        let aside = Path::new(&refused.args["path"]);
        assert!(
            std::fs::read(aside).unwrap() == bytes,
            "{what}: byte for byte"
        );

        world.restart().await;
        assert!(api::list_addresses(&world.app).await.unwrap().is_empty());
        let view = world.connect(Some(5)).await;
        assert_eq!(view.import.unwrap().totals.imported, 5, "{what}");
        assert!(aside.exists());
    }
}

const FOLDER: &str = "MAILROOM_TEST_ROOM_FOLDER";
const KEY: &str = "MAILROOM_TEST_ROOM_KEY";

/// The file size limit stands in for a full disk: writing beyond it fails in the same place, and it can be lifted
/// while the program runs.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_room_it_says_so_loses_nothing_and_goes_on_when_there_is_room() {
    let world = World::new().await;
    let id = world.connect(None).await.id;
    api::pause_address(&world.app, id).await.unwrap();
    api::start_import(&world.app, id, 1_000).await.unwrap();
    api::resume_address(&world.app, id).await.unwrap();
    let mut world = shut(world).await;
    let size = std::fs::metadata(database(&world)).unwrap().len();

    let key = world.key.load().unwrap().unwrap();
    let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut child = tokio::process::Command::new("sh")
        // The signal would end the program; a full disk sends none.
        .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh", "prlimit"])
        .arg(format!("--fsize={}:unlimited", size + 1_500_000))
        .arg(std::env::current_exe().unwrap())
        .args([
            "bad_input::room::tells_how_it_is",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, world.folder.path())
        .env(KEY, key)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut until = async |what: &str| {
        let mut last = String::new();
        let found = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains(what) {
                    return line;
                }
                last = line;
            }
            String::new()
        };
        let found = tokio::time::timeout(std::time::Duration::from_secs(60), found).await;
        match found {
            Ok(line) if !line.is_empty() => line,
            _ => panic!("waited in vain for {what}; last: {last}"),
        }
    };
    let full = until("disk_full").await;
    assert!(full.contains("Failed"), "{full}");
    let stored = full.rsplit(' ').next().unwrap().parse::<u32>().unwrap();
    assert!(stored < 1_000, "{full}");

    let pid = child.id().unwrap().to_string();
    let lifted = Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited:unlimited"])
        .status()
        .unwrap();
    assert!(lifted.success());
    until("Verified - 1000").await;
    child.kill().await.unwrap();

    world.restart().await;
    let import = world.verified(id).await.import.unwrap();
    assert_eq!(
        (import.totals.found, import.totals.failed, import.pending),
        (1_000, 0, 0)
    );
    world.deliver(&mail("room@t.example", "roomword", "")).await;
    world.poll(id).await;
    message(&world, "roomword").await;
    let check: String = rusqlite::Connection::open(database(&world))
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
}

/// The program under a limit: says `STATUS CAUSE DONE` again and again.
#[test]
#[ignore = "a child of the test above"]
fn tells_how_it_is() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let key = Arc::new(MemoryKey::default());
    key.save(&crate::crash::unhex(&std::env::var(KEY).unwrap()))
        .unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let app = crate::crash::open(&folder, key, true).await;
        for _ in 0..600 {
            let views = api::list_addresses(&app).await.unwrap();
            let view = &views[0];
            let cause = view.cause.as_ref().map_or("-", |cause| cause.code.as_str());
            let done = view
                .import
                .as_ref()
                .map_or(0, |import| import.totals.found - import.pending);
            println!("{:?} {cause} {done}", view.status);
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    });
}
