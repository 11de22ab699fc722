//! What the parts of a sandbox share.

use crate::entra::grants::Grants;
use crate::entra::keys::SigningKey;
use crate::entra::sessions::Sessions;
use crate::log::RequestLog;
use crate::options::{Description, Options};
use crate::scenarios::Scenario;
use crate::tenant::directory::Directory;
use crate::tenant::mailboxes::Mailboxes;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{MutexGuard, OnceLock, PoisonError};

/// A mutex whose lock always succeeds: a request that panicked must not take the whole practice tenant with it.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    /// Wraps a value.
    pub(crate) fn new(value: T) -> Self {
        Mutex(std::sync::Mutex::new(value))
    }

    /// Locks it. Never hold the guard over an `await`.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The shared state, as `Arc<World>` the state of every axum handler.
///
/// Lock order where two are needed: `directory`, `mailboxes`, `grants`, `sessions`, `scenarios`, `log`.
pub(crate) struct World {
    /// What the sandbox was started with.
    pub(crate) options: Options,
    /// Users, passwords, app registrations, consents, rights on shared mailboxes.
    pub(crate) directory: Mutex<Directory>,
    /// Mail.
    pub(crate) mailboxes: Mutex<Mailboxes>,
    /// Refresh tokens, authorization codes, and which access tokens were ended early.
    pub(crate) grants: Mutex<Grants>,
    /// Browser sessions and half-finished sign-ins.
    pub(crate) sessions: Mutex<Sessions>,
    /// What is switched on; ask with [`World::has`].
    pub(crate) scenarios: Mutex<BTreeSet<Scenario>>,
    /// Signs tokens.
    pub(crate) keys: SigningKey,
    /// Every request since the start or the last reset.
    pub(crate) log: Mutex<RequestLog>,
    /// Set once the ports are known.
    pub(crate) description: OnceLock<Description>,
    /// Held while the state is written.
    pub(crate) saving: Mutex<()>,
    clock_offset_ms: AtomicI64,
}

/// How far the tenant's clock is ahead in the scenario `clock-skew`.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

impl World {
    /// A fresh world.
    pub(crate) fn new(options: Options, keys: SigningKey, scenarios: BTreeSet<Scenario>) -> Self {
        World {
            options,
            directory: Mutex::new(Directory::contoso()),
            mailboxes: Mutex::default(),
            grants: Mutex::default(),
            sessions: Mutex::default(),
            scenarios: Mutex::new(scenarios),
            keys,
            log: Mutex::default(),
            description: OnceLock::new(),
            saving: Mutex::default(),
            clock_offset_ms: AtomicI64::new(0),
        }
    }

    /// Is this scenario on?
    pub(crate) fn has(&self, scenario: Scenario) -> bool {
        self.scenarios.lock().contains(&scenario)
    }

    /// The tenant's clock: the computer's, moved by the tests and by `clock-skew`.
    pub(crate) fn now(&self) -> Timestamp {
        let moved = SignedDuration::from_millis(self.clock_offset_ms.load(Ordering::Relaxed));
        let skew = if self.has(Scenario::ClockSkew) {
            SKEW
        } else {
            SignedDuration::ZERO
        };
        Timestamp::now()
            .checked_add(moved)
            .and_then(|t| t.checked_add(skew))
            .unwrap_or(Timestamp::MAX)
    }

    /// Moves the tenant's clock forward (or back) by so many milliseconds.
    pub(crate) fn move_clock(&self, by_ms: i64) {
        self.clock_offset_ms.fetch_add(by_ms, Ordering::Relaxed);
    }
}
