//! The life of a connection: disconnecting and its undo, the default address, addresses in use, changes of the way in.

mod convert;
mod default;
mod in_use;
mod loops;
mod undo;

use crate::world::{SUPPORT, World};
use mailroom_core::api;
use mailroom_core::app::{App, Options};
use mailroom_core::sync::Clock;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const ALEX: &str = "alex@contoso.example";
const MINUTE: i64 = 60_000;

/// A world whose clock can be moved ahead.
struct Time {
    world: World,
    ahead: Arc<AtomicI64>,
}

impl Time {
    async fn begin() -> Self {
        let mut time = Self {
            world: World::new().await,
            ahead: Arc::default(),
        };
        time.restart(true).await;
        time
    }

    /// The same data folder opened anew.
    async fn restart(&mut self, may_poll: bool) {
        self.world.app.close().await;
        let ahead = self.ahead.clone();
        let now = move || jiff::Timestamp::now().as_millisecond() + ahead.load(Ordering::SeqCst);
        self.world.app = App::open(Options {
            clock: Clock::from_fn(now),
            may_poll,
            ..crate::world::options(
                self.world.folder.path(),
                self.world.key.clone(),
                self.world.guest.clone(),
            )
        })
        .await
        .unwrap();
        self.world.app.set_sandbox(Some(self.world.sandbox_view()));
    }

    fn pass(&self, minutes: i64) {
        self.ahead.fetch_add(minutes * MINUTE, Ordering::SeqCst);
    }
}

async fn connect(world: &World, address: &str) -> i64 {
    world.browser_of(address);
    let attempt = world.sign_in(address).await.unwrap();
    let id = world.finish(&attempt.id, None).await.unwrap().id;
    world.verified(id).await;
    id
}

/// Sign-ins that the database holds.
fn kept_sign_ins(world: &World) -> u32 {
    let db = rusqlite::Connection::open(world.folder.path().join("mailroom.db")).unwrap();
    let count = "SELECT count(*) FROM accounts WHERE tokens IS NOT NULL";
    db.query_row(count, [], |row| row.get(0)).unwrap()
}

async fn sent_out(world: &World) -> Vec<Value> {
    let url = format!("{}/_sandbox/sent-out", world.tenant.authority);
    world
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

/// What the practice tenant was asked since the log was emptied: paths.
async fn asked(world: &World) -> Vec<String> {
    let url = format!("{}/_sandbox/log", world.tenant.authority);
    let log: Value = world
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let entries = log["requests"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["path"].as_str().unwrap_or_default().to_owned())
        .collect()
}

async fn forget_log(world: &World) {
    world.control("log/reset", json!({})).await;
}

/// How often a mail with this subject is a ticket of the support mailbox.
async fn tickets_about(world: &World, subject: &str) -> usize {
    let query = api::view::TicketQuery {
        address: Some(SUPPORT.to_owned()),
        search: None,
        offset: 0,
        limit: 500,
    };
    let page = api::list_tickets(&world.app, query).await.unwrap();
    let about = |row: &&api::view::TicketRow| row.subject == subject;
    page.tickets.iter().filter(about).count()
}
