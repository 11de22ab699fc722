//! The dead-man alert: told once a change, by notice and by mail, across restarts.

use crate::world::{SUPPORT, World, wait};
use mailroom_core::api;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{ConnectStage, Notice, PollingRole, Settings, Status};
use mailroom_core::app::{App, Options};
use mailroom_core::sync::Clock;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ALEX: &str = "alex@contoso.example";
const ON_CALL: &str = "oncall@adatum.example";
const MINUTE: i64 = 60_000;

/// Whether it fell silent, and which addresses.
type Told = (bool, Vec<i64>);

/// A world whose time can be moved ahead, and what its program told.
struct Night {
    world: World,
    ahead: Arc<AtomicI64>,
    told: Arc<Mutex<Vec<Told>>>,
    /// Where the program runs once it was killed.
    threads: Option<tokio::runtime::Runtime>,
}

impl Drop for Night {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

impl Night {
    async fn begin() -> Self {
        let mut night = Self {
            world: World::new().await,
            ahead: Arc::default(),
            told: Arc::default(),
            threads: None,
        };
        night.restart().await;
        night
    }

    async fn restart(&mut self) {
        self.world.app.close().await;
        self.world.app = App::open(self.options()).await.unwrap();
        self.listen();
    }

    /// The program is killed wherever it is, and started anew. It runs on threads of its own, so that it can be.
    async fn kill(&mut self) {
        let threads = tokio::runtime::Runtime::new().unwrap();
        let opened = threads.spawn(App::open(self.options()));
        match self.threads.replace(threads) {
            Some(former) => former.shutdown_background(),
            None => self.world.app.close().await,
        }
        self.world.app = opened.await.unwrap().unwrap();
        self.listen();
        wait("the program polls", async || {
            (self.world.app.polling() == PollingRole::Here).then_some(())
        })
        .await;
    }

    fn options(&self) -> Options {
        let ahead = self.ahead.clone();
        let now = move || jiff::Timestamp::now().as_millisecond() + ahead.load(Ordering::SeqCst);
        Options {
            clock: Clock::from_fn(now),
            ..crate::world::options(
                self.world.folder.path(),
                self.world.key.clone(),
                self.world.guest.clone(),
            )
        }
    }

    fn listen(&self) {
        let (mut notices, told) = (self.world.app.notices(), self.told.clone());
        tokio::spawn(async move {
            while let Ok(notice) = notices.recv().await {
                let news = if let Notice::Silent { address_ids } = notice {
                    (true, address_ids)
                } else if let Notice::Recovered { address_ids } = notice {
                    (false, address_ids)
                } else {
                    continue;
                };
                told.lock().unwrap().push(news);
            }
        });
    }

    async fn choose(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = api::app_view(&self.world.app).await.unwrap().settings;
        change(&mut settings);
        api::save_settings(&self.world.app, settings).await.unwrap();
    }

    async fn connect(&self, address: &str) -> i64 {
        self.world.browser_of(address);
        let attempt = self.world.sign_in(address).await.unwrap();
        let id = self.world.finish(&attempt.id, None).await.unwrap().id;
        self.world.verified(id).await;
        id
    }

    async fn break_support(&self, id: i64) {
        self.world
            .control("revoke-tokens", json!({ "user": SUPPORT }))
            .await;
        api::sync_now(&self.world.app, Some(id)).await.unwrap();
        wait("the poll fails", async || {
            (self.world.view(id).await.status == Status::Failed).then_some(())
        })
        .await;
    }

    /// The clock leaps, as when the computer slept, and then goes on by minutes; `well` is polled meanwhile.
    async fn pass(&self, leap: i64, minutes: usize, well: Option<i64>) {
        self.ahead.fetch_add(leap * MINUTE, Ordering::SeqCst);
        if let Some(id) = well {
            self.world.poll(id).await;
        }
        for _ in 0..minutes {
            tokio::time::sleep(Duration::from_millis(1_100)).await;
            self.ahead.fetch_add(MINUTE, Ordering::SeqCst);
        }
        tokio::time::sleep(Duration::from_millis(2_000)).await;
    }

    /// Minutes pass until `done` says that it happened.
    async fn until(&self, what: &str, done: impl AsyncFn() -> bool) {
        for _ in 0..30 {
            for _ in 0..10 {
                if done().await {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(110)).await;
            }
            self.ahead.fetch_add(MINUTE, Ordering::SeqCst);
        }
        panic!("waited in vain: {what}");
    }

    /// Whether a mail about this change is noted and has not left.
    fn is_due(&self, silent: bool) -> bool {
        let db = rusqlite::Connection::open(self.world.folder.path().join("mailroom.db")).unwrap();
        let due = "SELECT EXISTS (SELECT 1 FROM silences WHERE silent = ?1 AND mail_due = 1)";
        db.query_row(due, [silent], |row| row.get(0)).unwrap()
    }

    fn told(&self) -> Vec<(bool, Vec<i64>)> {
        self.told.lock().unwrap().clone()
    }

    /// Alerts that left: the mailbox, the recipients, the raw mail.
    async fn mails(&self) -> Vec<(String, Value, String)> {
        let url = format!("{}/_sandbox/sent-out", self.world.tenant.authority);
        let sent: Vec<Value> = self
            .world
            .http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        sent.iter()
            .map(|mail| {
                (
                    text(&mail["mailbox"]),
                    mail["to"].clone(),
                    text(&mail["raw"]),
                )
            })
            .collect()
    }
}

#[tokio::test]
async fn silence_and_recovery_are_told_once_each_and_a_restart_repeats_nothing() {
    let mut night = Night::begin().await;
    let support = night.connect(SUPPORT).await;
    let alex = night.connect(ALEX).await;
    night
        .choose(|settings| {
            settings.failure_list = format!("{ON_CALL}; {SUPPORT}, {ALEX}; {ON_CALL}");
        })
        .await;
    night.break_support(support).await;
    night.pass(31, 5, Some(alex)).await;
    assert_eq!(night.told(), [(true, vec![support])]);
    assert!(night.world.view(support).await.silent);
    assert!(!night.world.view(alex).await.silent);
    let mails = night.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    let (mailbox, to, raw) = &mails[0];
    assert_eq!((mailbox.as_str(), to), (ALEX, &json!(ON_CALL)));
    for words in ["X-Auto-Response-Suppress: All", SUPPORT] {
        assert!(raw.contains(words), "{words}: {raw}");
    }

    night.restart().await;
    night.pass(1, 5, Some(alex)).await;
    assert_eq!(night.told().len(), 1);
    assert_eq!(night.mails().await.len(), 1);

    night.world.browser_of(SUPPORT);
    let attempt = api::reconnect_address(&night.world.app, support, false, "en")
        .await
        .unwrap();
    let attempt = night.world.decided(&attempt.id).await;
    assert!(
        matches!(attempt.stage, ConnectStage::Ready { .. }),
        "{:?}",
        attempt.stage
    );
    night.world.finish(&attempt.id, None).await.unwrap();
    night.world.verified(support).await;
    night.pass(0, 3, Some(alex)).await;
    assert_eq!(night.told().get(1..), Some(&[(false, vec![support])][..]));
    let mails = night.mails().await;
    assert_eq!(mails.len(), 2);
    assert!(mails[1].2.contains("works again"), "{}", mails[1].2);
    assert_eq!(night.told().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_a_change_and_its_mail_loses_none_and_doubles_none() {
    let mut night = Night::begin().await;
    let support = night.connect(SUPPORT).await;
    let alex = night.connect(ALEX).await;
    night
        .choose(|settings| settings.failure_list = ON_CALL.to_owned())
        .await;
    night.break_support(support).await;
    night.kill().await;
    night.pass(31, 0, Some(alex)).await;
    night
        .until("the silence is noted", async || night.is_due(true))
        .await;
    night.kill().await;
    assert!(night.is_due(true), "it was killed before the mail");
    night.world.poll(alex).await;
    night
        .until("the mail leaves", async || night.mails().await.len() == 1)
        .await;
    night.kill().await;
    night.pass(1, 5, Some(alex)).await;
    assert_eq!(
        night.mails().await.len(),
        1,
        "once, however often it is killed"
    );

    night.world.browser_of(SUPPORT);
    let attempt = api::reconnect_address(&night.world.app, support, false, "en")
        .await
        .unwrap();
    let attempt = night.world.decided(&attempt.id).await;
    night.world.finish(&attempt.id, None).await.unwrap();
    night.world.verified(support).await;
    night
        .until("the recovery is noted", async || night.is_due(false))
        .await;
    night.kill().await;
    night.world.poll(alex).await;
    night
        .until("the mail leaves", async || night.mails().await.len() == 2)
        .await;
    night.kill().await;
    night.pass(1, 5, Some(alex)).await;
    let mails = night.mails().await;
    assert_eq!(mails.len(), 2);
    assert!(mails[1].2.contains("works again"), "{}", mails[1].2);
}

#[tokio::test]
async fn quiet_hours_hold_notices_back_and_no_mail_goes_through_the_silent_address() {
    let night = Night::begin().await;
    let support = night.connect(SUPPORT).await;
    let local = |hours: i64| {
        let at = jiff::Zoned::now().saturating_add(jiff::SignedDuration::from_hours(hours));
        Some(at.strftime("%H:%M").to_string())
    };
    night
        .choose(|settings| {
            settings.failure_list = ON_CALL.to_owned();
            settings.quiet_from = local(-1);
            settings.quiet_to = local(3);
        })
        .await;
    night.break_support(support).await;
    night.pass(31, 5, None).await;
    assert_eq!(night.told(), []);
    night.choose(|settings| settings.quiet_from = None).await;
    night.pass(0, 0, None).await;
    assert_eq!(night.told(), [(true, vec![support])]);
    assert!(
        night.mails().await.is_empty(),
        "there is no other address to send from"
    );
}

#[tokio::test]
async fn choices_that_cannot_work_are_refused() {
    let world = World::new().await;
    let refused = async |change: fn(&mut Settings)| {
        let mut settings = api::app_view(&world.app).await.unwrap().settings;
        change(&mut settings);
        let error = api::save_settings(&world.app, settings).await.unwrap_err();
        (error.code, error.args["value"].clone())
    };
    assert_eq!(
        refused(|settings| settings.failure_list = "a@fabrikam.example; nobody".to_owned()).await,
        (ErrorCode::InvalidAddress, "nobody".to_owned())
    );
    assert_eq!(
        refused(|settings| settings.alert_after_min = 2).await,
        (ErrorCode::OutOfRange, "2".to_owned())
    );
    assert_eq!(
        refused(|settings| {
            settings.quiet_from = Some("25:00".to_owned());
            settings.quiet_to = Some("07:00".to_owned());
        })
        .await
        .0,
        ErrorCode::OutOfRange
    );
}
