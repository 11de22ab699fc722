//! kill -9 between what is written here and what the server is told, for everything that may become of imported mail,
//! on a real Dovecot: each mail is here once, and the server was told exactly what is due, of no other mail.
//!
//! A gate before the server falls at a chosen command, before or after the server has done it; then the program is
//! killed. Between these, it is killed at random times.

use super::dovecot::{Dovecot, PASSWORD};
use super::gate::Gate;
use super::gate::Stop::{self, After, Before};
use crate::crash;
use crate::world::{MemoryKey, SUPPORT, wait};
use mailroom_core::api::view::{AfterImport, ConnectChoices};
use mailroom_core::api::{self, ImapInput};
use mailroom_core::app::App;
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};

const DONE: &str = "Done";
const WITHOUT_MOVE: &str =
    "imap_capability = IMAP4rev1 SASL-IR LITERAL+ ID IDLE UIDPLUS SPECIAL-USE LIST-EXTENDED\n";
/// A server that names no folder for deleted mail.
const WITHOUT_TRASH: &str = "namespace inbox {\n mailbox Trash {\n special_use =\n }\n}\n";
/// Lives that end at random, behind each trial's gates.
const RANDOM_LIVES: u32 = 5;

/// What becomes of mail in a trial.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Choice {
    Leave,
    Read,
    /// To [`DONE`].
    Move,
    /// To the folder for deleted mail.
    Bin,
    /// For good.
    Remove,
}

impl Choice {
    fn choice(self) -> AfterImport {
        match self {
            Self::Leave => AfterImport::Leave,
            Self::Read => AfterImport::Read,
            Self::Move => AfterImport::Move {
                folder: DONE.to_owned(),
            },
            Self::Bin | Self::Remove => AfterImport::Delete,
        }
    }
}

struct Trial {
    choice: Choice,
    server: Dovecot,
    gate: Gate,
    folder: TempDir,
    key: Arc<MemoryKey>,
    id: i64,
    /// Message ids that are to be here once.
    due: BTreeSet<String>,
    /// Message ids that lie in the inbox a second time.
    doubled: Vec<String>,
    round: u32,
}

impl Trial {
    async fn begin(choice: Choice, config: &str) -> Self {
        let server = Dovecot::with(config).await;
        server.folder(DONE);
        for number in 0..6 {
            let id = format!("old-{number}@contoso.example");
            server.deliver("new", &id, -86_400 + number);
        }
        let gate = Gate::before(&server).await;
        let mut trial = Self {
            choice,
            server,
            gate,
            folder: tempfile::tempdir().unwrap(),
            key: Arc::default(),
            id: 0,
            due: BTreeSet::new(),
            doubled: Vec::new(),
            round: 0,
        };
        fs::write(trial.root(), &trial.server.papers.ca).unwrap();
        let app = trial.open().await;
        let input = ImapInput {
            server: format!("127.0.0.1:{}", trial.gate.port),
            login: "support".to_owned(),
            ..ImapInput::default()
        };
        let choices = ConnectChoices {
            brand: "Contoso".to_owned(),
            import_newest: None,
            folder: None,
        };
        let view = api::connect_imap(&app, SUPPORT, input, PASSWORD.into(), choices).await;
        trial.id = view.unwrap().id;
        let after = choice.choice();
        api::rehearse_after_import(&app, trial.id, after.clone(), 20)
            .await
            .unwrap();
        api::set_after_import(&app, trial.id, after, Some(SUPPORT), false)
            .await
            .unwrap();
        app.close().await;
        trial
    }

    fn root(&self) -> PathBuf {
        self.server.place().join("ca.pem")
    }

    async fn open(&self) -> Arc<App> {
        let root = self.server.papers.ca.as_bytes().to_vec();
        crash::open_trusting(self.folder.path(), self.key.clone(), true, vec![root]).await
    }

    /// Two new mails, and one that has come before.
    fn deliver(&mut self) {
        self.round += 1;
        if let Some(last) = self.round.checked_sub(2).map(|last| format!("a-{last}")) {
            self.server
                .deliver("new", &format!("{last}@contoso.example"), 1);
            self.doubled.push(last);
        }
        for name in ["a", "b"] {
            let id = format!("{name}-{}", self.round - 1);
            self.server
                .deliver("new", &format!("{id}@contoso.example"), 1);
            self.due.insert(id);
        }
    }

    /// Three of the six old mails are taken, by an import that the first kill interrupts.
    async fn import(&mut self) {
        let app = crash::open_trusting(
            self.folder.path(),
            self.key.clone(),
            false,
            vec![self.server.papers.ca.as_bytes().to_vec()],
        )
        .await;
        api::start_import(&app, self.id, 3).await.unwrap();
        self.due
            .extend((3..6).map(|number| format!("old-{number}")));
        app.close().await;
    }

    /// Lives until the gate falls at `stop`, and is killed there.
    async fn dies_at(&mut self, stop: Stop) {
        self.gate.stop(stop);
        let mut child = crash::child(self.folder.path(), &self.key, 200, Some(&self.root()));
        let what = format!("{:?}: the gate falls at {stop:?}", self.choice);
        self.gate.has_fallen(&what).await;
        child.kill().await.unwrap();
        self.gate.lift();
    }

    /// Lives for a moment.
    async fn dies_at_random(&mut self) {
        let mut child = crash::child(self.folder.path(), &self.key, 50, Some(&self.root()));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("opened") {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..250))).await;
        child.kill().await.unwrap();
    }

    /// Lets the program do all that is left, and compares.
    async fn settles(&self, when: &str) {
        let app = self.open().await;
        api::sync_now(&app, Some(self.id)).await.unwrap();
        wait(&format!("{when}: all is imported and told"), async || {
            let details = api::address_details(&app, self.id).await.unwrap();
            let import = details.address.import.as_ref();
            let over = import.is_none_or(|import| import.ended_at.is_some());
            let known = api::ledger(&app, self.id, None, None, 0, 500)
                .await
                .unwrap();
            // Older mail is noted as skipped.
            let seen = known
                .iter()
                .filter(|row| row.reason.as_deref() != Some("before_connection"));
            let all = seen.count() >= self.due.len() + self.doubled.len();
            // Whoever asks for a poll all the time leaves no time for marks.
            if !all && !details.address.polling {
                api::sync_now(&app, Some(self.id)).await.unwrap();
            }
            (over && all && details.pending_marks == 0 && !details.address.polling).then_some(())
        })
        .await;
        app.close().await;
        drop(app);
        self.is_all_here_once(when);
        self.server_was_told(when);
    }

    fn is_all_here_once(&self, when: &str) {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(self.folder.path().join("mailroom.db"), flags);
        let db = db.unwrap();
        let mut select = db
            .prepare("SELECT message_id FROM messages ORDER BY message_id")
            .unwrap();
        let here: Vec<String> = select
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap()
            .map(|id| id.unwrap().split('@').next().unwrap().to_owned())
            .collect();
        let due: Vec<String> = self.due.iter().cloned().collect();
        assert_eq!(here, due, "{:?}, {when}", self.choice);
    }

    fn server_was_told(&self, when: &str) {
        let choice = self.choice;
        let (read, unread) = ("S".to_owned(), String::new());
        let old = |numbers: std::ops::Range<u32>| numbers.map(|number| format!("old-{number}"));
        let is_imported = self.due.contains("old-3");
        let untouched = old(0..if is_imported { 3 } else { 6 });
        let taken: Vec<(String, String)> = self
            .due
            .iter()
            .map(|id| (id.clone(), read.clone()))
            .collect();
        let mut inbox: Vec<(String, String)> = match choice {
            Choice::Leave => self
                .due
                .iter()
                .map(|id| (id.clone(), unread.clone()))
                .collect(),
            Choice::Read => taken.clone(),
            Choice::Move | Choice::Bin | Choice::Remove => Vec::new(),
        };
        inbox.extend(untouched.map(|id| (id, unread.clone())));
        // What came a second time is marked, but never taken away.
        let doubled_as = if choice == Choice::Leave {
            unread
        } else {
            read
        };
        inbox.extend(
            self.doubled
                .iter()
                .map(|id| (id.clone(), doubled_as.clone())),
        );
        inbox.sort();
        assert_eq!(self.server.flags_in(""), inbox, "{choice:?}, {when}");
        let none = Vec::new();
        let done = if choice == Choice::Move {
            &taken
        } else {
            &none
        };
        assert_eq!(&self.server.flags_in(DONE), done, "{choice:?}, {when}");
        let bin = if choice == Choice::Bin { &taken } else { &none };
        assert_eq!(&self.server.flags_in("Trash"), bin, "{choice:?}, {when}");
    }
}

async fn endures(choice: Choice, config: &str, stops: &[Stop]) {
    let mut trial = Trial::begin(choice, config).await;
    for (number, stop) in stops.iter().enumerate() {
        if number == 0 {
            trial.import().await;
        }
        trial.deliver();
        trial.dies_at(*stop).await;
        // Not every time: what one death leaves is to meet the next one.
        if number % 2 == 0 {
            trial.settles(&format!("{stop:?}")).await;
        }
    }
    for _ in 0..RANDOM_LIVES {
        trial.deliver();
        trial.dies_at_random().await;
    }
    trial.settles("at random").await;
}

const FETCHING: &str = "BODY.PEEK[])";
const SEEN: &str = "(\\Seen)";
const DELETED: &str = "(\\Deleted)";

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_is_left_alone_or_marked_as_read() {
    let fetching = [Before(FETCHING), After(FETCHING)];
    endures(Choice::Leave, "", &fetching).await;
    endures(
        Choice::Read,
        "",
        &[After(FETCHING), Before(SEEN), After(SEEN)],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_is_moved() {
    let moving = [After(SEEN), Before("UID MOVE"), After("UID MOVE")];
    endures(Choice::Move, "", &moving).await;
    let copying = [
        After("UID COPY"),
        Before("UID COPY"),
        After(DELETED),
        Before("UID EXPUNGE"),
        After("UID EXPUNGE"),
    ];
    endures(Choice::Move, WITHOUT_MOVE, &copying).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_is_deleted() {
    endures(Choice::Bin, "", &[After("UID MOVE"), Before("UID MOVE")]).await;
    endures(
        Choice::Bin,
        WITHOUT_MOVE,
        &[After("UID COPY"), Before(DELETED)],
    )
    .await;
    let removing = [Before(DELETED), After(DELETED), After("UID EXPUNGE")];
    endures(Choice::Remove, WITHOUT_TRASH, &removing).await;
}
