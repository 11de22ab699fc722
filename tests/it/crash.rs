//! kill -9 at random points: nothing is lost, nothing is doubled, and the totals add up.
//!
//! A practice tenant runs in this process. Again and again a child (this test program) opens the data folder, polls
//! and imports, and is killed after a random time, while mail arrives, moves and disappears. `MAILROOM_TEST_SEED`
//! repeats a run's choices.

mod verdict;

use crate::world::{MemoryKey, SUPPORT, World, mail, wait};
use mailroom_core::api;
use mailroom_core::api::view::ImportState;
use mailroom_core::app::desktop::Desktop;
use mailroom_core::app::{App, Options};
use mailroom_core::secrets::{Key, Secrets};
use mailroom_core::sync::Clock;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};

const FOLDER: &str = "MAILROOM_TEST_CRASH_FOLDER";
const KEY: &str = "MAILROOM_TEST_CRASH_KEY";
/// A file with an authority that the child trusts beside the system's, as PEM.
const ROOT: &str = "MAILROOM_TEST_CRASH_ROOT";
/// How often the child asks for a poll, in milliseconds; 0: once.
const POLLS: &str = "MAILROOM_TEST_CRASH_POLLS";
/// The longest that a child lives after its start or after it is ready.
const LIFE_MS: u64 = 300;
/// How long a start may take after a crash.
const RESTART: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_it_two_hundred_times_loses_nothing_and_doubles_nothing() {
    let mut trial = Trial::begin().await;

    // Polling, from the first round on.
    for _ in 0..45 {
        trial.life(50).await;
    }
    trial.settle().await;

    // Imports from small to large, each larger than what is here: the small ones are killed around their ends.
    let imports = [
        (40, 8),
        (250, 12),
        (700, 18),
        (1_300, 22),
        (2_200, 30),
        (3_600, 40),
    ];
    for (newest, lives) in imports {
        trial.import(newest).await;
        for number in 0..lives {
            match number % 10 {
                3 => trial.pause(true).await,
                4 => trial.pause(false).await,
                _ => {}
            }
            trial.life(0).await;
        }
        trial.pause(false).await;
        trial.settle().await;
    }

    // Polling again, with all of that in the ledger.
    for _ in 0..40 {
        trial.life(20).await;
    }
    trial.settle().await;

    assert!(trial.kills >= 200, "{}", trial.kills);
    assert!(trial.in_import >= 12, "{}", trial.in_import);
    eprintln!(
        "{} kills (seed {}), {} before the data folder was open; an import was under way in {} of {} looks; \
         {} mails arrived; slowest restart {:?}",
        trial.kills,
        trial.seed,
        trial.early,
        trial.in_import,
        trial.looks,
        trial.sent.len(),
        trial.slowest
    );
    verdict::check(&trial).await;
}

/// What goes on during the test.
struct Trial {
    world: World,
    address: i64,
    seed: u64,
    chance: StdRng,
    kills: u32,
    /// Killed before it had opened the data folder.
    early: u32,
    /// How often the folder was looked at right after a kill, and how often an import was under way.
    looks: u32,
    in_import: u32,
    slowest: Duration,
    /// Mails that arrived: server id and raw text.
    sent: Vec<(String, String)>,
}

impl Trial {
    async fn begin() -> Self {
        let seed = std::env::var("MAILROOM_TEST_SEED")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(rand::random);
        // Shown when the test fails.
        eprintln!("MAILROOM_TEST_SEED={seed}");
        let world = World::new().await;
        let fill = format!("mailbox/{SUPPORT}/fill?count=2400");
        world.control(&fill, json!({})).await;
        let address = world.connect(None).await.id;
        world.app.close().await;
        Self {
            world,
            address,
            seed,
            chance: StdRng::seed_from_u64(seed),
            kills: 0,
            early: 0,
            looks: 0,
            in_import: 0,
            slowest: Duration::ZERO,
            sent: Vec::new(),
        }
    }

    fn folder(&self) -> &Path {
        self.world.folder.path()
    }

    /// Starts the program, disturbs the mailbox, and kills it.
    async fn life(&mut self, polls_ms: u32) {
        let after_start = self.chance.random_bool(0.4);
        let life = Duration::from_millis(self.chance.random_range(0..LIFE_MS));
        let mut child = child(self.folder(), &self.world.key, polls_ms, None);
        let started = Instant::now();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains("opened") {
                    return started.elapsed();
                }
            }
            panic!("the child ended by itself");
        };
        tokio::pin!(ready);
        let mut opened = false;
        if !after_start {
            ready.as_mut().await;
            opened = true;
        }
        tokio::join!(self.disturb(), tokio::time::sleep(life));
        if !opened {
            opened = tokio::time::timeout(Duration::ZERO, ready).await.is_ok();
        }
        child.kill().await.unwrap();
        self.kills += 1;
        self.early += u32::from(!opened);
        // Not every time: looking repairs what the next start is to find unrepaired.
        if self.kills.is_multiple_of(3) {
            let left = verdict::consistent(self.folder(), self.seed);
            self.looks += 1;
            self.in_import += u32::from(left > 0);
        }
    }

    /// Mail arrives, moves, disappears; tokens and cursors end.
    async fn disturb(&mut self) {
        for _ in 0..self.chance.random_range(0..4) {
            let text = match self.chance.random_range(0..8) {
                // The same mail once more, as a mailing list and a forward both bring it.
                0 if !self.sent.is_empty() => self.sent
                    [self.chance.random_range(0..self.sent.len())]
                .1
                .clone(),
                // An answer.
                1 | 2 if !self.sent.is_empty() => {
                    let to = self.chance.random_range(0..self.sent.len());
                    let id = format!("crash-{}@t.example", self.sent.len());
                    let more = format!("In-Reply-To: <crash-{to}@t.example>\n");
                    mail(&id, &format!("Re: Crash {to}"), &more)
                }
                _ => {
                    let id = format!("crash-{}@t.example", self.sent.len());
                    mail(&id, &format!("Crash {}", self.sent.len()), "")
                }
            };
            let id = self.world.deliver(&text).await;
            self.sent.push((id, text));
        }
        if !self.sent.is_empty() {
            let any = self.chance.random_range(0..self.sent.len());
            let id = self.sent[any].0.clone();
            match self.chance.random_range(0..30) {
                0 | 1 => self.relocate(&id, "Requests").await,
                2 | 3 => self.relocate(&id, "Inbox").await,
                4 => self.remove(&id).await,
                5 => drop(self.world.control("expire-access-tokens", json!({})).await),
                6 => drop(self.world.control("expire-delta", json!({})).await),
                _ => {}
            }
        }
    }

    /// Mails that were removed stay in the list: moving one again finds nothing.
    async fn relocate(&self, id: &str, folder: &str) {
        let url = format!("{}/_sandbox/move", self.world.tenant.authority);
        let order = json!({ "mailbox": SUPPORT, "id": id, "folder": folder });
        self.world.http.post(url).json(&order).send().await.unwrap();
    }

    async fn remove(&self, id: &str) {
        let url = format!(
            "{}/_sandbox/mailbox/{SUPPORT}/message/{id}",
            self.world.tenant.authority
        );
        self.world.http.delete(url).send().await.unwrap();
    }

    /// Opens the data folder after a crash, in time.
    async fn open(&mut self, may_poll: bool) -> Arc<App> {
        let started = Instant::now();
        let app = open(self.folder(), self.world.key.clone(), may_poll).await;
        api::list_addresses(&app).await.unwrap();
        let took = started.elapsed();
        self.slowest = self.slowest.max(took);
        assert!(took < RESTART, "starting after a crash took {took:?}");
        app
    }

    async fn import(&mut self, newest: u32) {
        let app = self.open(false).await;
        api::start_import(&app, self.address, newest).await.unwrap();
        app.close().await;
    }

    /// Pauses the import or lets it go on, as far as it is not done.
    async fn pause(&mut self, pause: bool) {
        let app = self.open(false).await;
        let view = api::address_details(&app, self.address)
            .await
            .unwrap()
            .address;
        let state = view.import.map(|import| import.state);
        match (pause, state) {
            (true, Some(ImportState::Listing | ImportState::Running)) => {
                api::pause_import(&app, self.address).await.unwrap();
            }
            (false, Some(ImportState::Paused)) => {
                api::resume_import(&app, self.address).await.unwrap();
            }
            _ => {}
        }
        app.close().await;
    }

    /// Lets the program do all that is left.
    async fn settle(&mut self) {
        let app = self.open(true).await;
        let id = self.address;
        let begun = Instant::now();
        let still = loop {
            let details = api::address_details(&app, id).await.unwrap();
            let import_over = details
                .address
                .import
                .as_ref()
                .is_none_or(|import| import.state == ImportState::Done);
            if import_over || begun.elapsed() > Duration::from_secs(90) {
                break details;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert!(
            still
                .address
                .import
                .as_ref()
                .is_none_or(|import| import.pending == 0),
            "the import does not end: {:?} {:?}, seed {}",
            still.address.import,
            still.address.cause,
            self.seed
        );
        for _ in 0..2 {
            let before = api::address_details(&app, id)
                .await
                .unwrap()
                .address
                .last_success_at;
            api::sync_now(&app, Some(id)).await.unwrap();
            wait("the poll succeeds and all marks are made", async || {
                let details = api::address_details(&app, id).await.unwrap();
                let polled = details.address.last_success_at != before && !details.address.polling;
                (polled && details.pending_marks == 0).then_some(())
            })
            .await;
        }
        app.close().await;
        drop(app);
        verdict::consistent(self.folder(), self.seed);
    }
}

/// The program under test, polling the data folder `folder` until it is killed. It says "opened" when it begins.
pub fn child(
    folder: &Path,
    key: &MemoryKey,
    polls_ms: u32,
    root: Option<&Path>,
) -> tokio::process::Child {
    let key = key.load().unwrap().unwrap();
    let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
    if let Some(root) = root {
        command.env(ROOT, root);
    }
    command
        .args([
            "crash::polls_until_it_is_killed",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .env(KEY, hex(&key[..]))
        .env(POLLS, polls_ms.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

pub async fn open(folder: &Path, key: Arc<MemoryKey>, may_poll: bool) -> Arc<App> {
    open_trusting(folder, key, may_poll, Vec::new()).await
}

/// As [`open`], with further authorities.
pub async fn open_trusting(
    folder: &Path,
    key: Arc<MemoryKey>,
    may_poll: bool,
    roots: Vec<Vec<u8>>,
) -> Arc<App> {
    App::open(Options {
        data_dir: folder.to_owned(),
        secrets: key,
        extra_roots: roots,
        desktop: Arc::new(Nobody),
        clock: Clock::system(),
        may_poll,
        own_registration: None,
        any_endpoint: false,
    })
    .await
    .unwrap()
}

/// No sign-in happens here.
struct Nobody;

impl Desktop for Nobody {
    fn open_url<'a>(
        &'a self,
        _url: &'a str,
        _private_window: bool,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async { Err("no browser".to_owned()) })
    }
}

/// The program under test, in a process of its own.
#[test]
#[ignore = "a child of the test above"]
fn polls_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let pause: u64 = std::env::var(POLLS).unwrap().parse().unwrap();
    let key = Arc::new(MemoryKey::default());
    key.save(&unhex(&std::env::var(KEY).unwrap())).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let root = std::env::var_os(ROOT).map(|root| std::fs::read(root).unwrap());
        let app = open_trusting(&folder, key, true, root.into_iter().collect()).await;
        println!("opened");
        // The parent kills it long before; without a parent it must not stay.
        let end = Instant::now() + Duration::from_secs(60);
        while Instant::now() < end {
            api::sync_now(&app, None).await.unwrap();
            let pause = if pause == 0 { 60_000 } else { pause };
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    });
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(text: &str) -> Key {
    let byte = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
    Key::new(std::array::from_fn(byte))
}
