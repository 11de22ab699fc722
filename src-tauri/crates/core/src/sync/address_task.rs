//! The task of one address: looks at its row, does what is due, writes down how it went, waits.

use super::cause::{Verdict, judge, seen_at};
use super::schedule::{self, Pace};
use super::survive::survive;
use super::{Context, NewTickets, StepError, idle, import_job, marks, poll};
use crate::Millis;
use crate::diagnosis::Severity;
use crate::provider::ProviderError;
use crate::store::accounts::{self, AccountRow};
use crate::store::addresses::{self, AddressRow, ProviderKind};
use crate::store::events::{self, EventKind};
use crate::store::folders::{self, NextFolder};
use crate::store::imports::{self, ImportRow, ImportState};
use crate::store::origins::Origin;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The longest wait without a look at the clocks: how sleep is noticed.
const LONGEST_NAP: Duration = Duration::from_secs(20);
/// How soon to try again when nothing could be stored.
pub(super) const STORAGE_RETRY: Duration = Duration::from_secs(10);
/// A single wait shorter than this is the server's everyday business and no news.
const NOTABLE_WAIT: Duration = Duration::from_secs(60);

/// Runs until cancelled or until the address is gone or disconnected.
pub(super) async fn run(
    context: Arc<Context>,
    id: i64,
    wake: Arc<Notify>,
    cancel: CancellationToken,
) {
    let task = AddressTask {
        context,
        id,
        wake,
        import_failures: AtomicU32::new(0),
    };
    let steps = async {
        while survive(&task.context, id, Box::pin(task.run()))
            .await
            .is_none()
        {}
    };
    tokio::select! {
        // Dropping a step between two transactions loses nothing: what is not committed is fetched again.
        () = cancel.cancelled() => {}
        () = steps => {}
        () = idle::run(&task.context, id, &task.wake) => {}
    }
    task.context.set_busy(id, false);
}

struct AddressTask {
    context: Arc<Context>,
    id: i64,
    wake: Arc<Notify>,
    /// Steps of an import that failed in a row. Polls that succeed meanwhile say nothing about the mails that it is at.
    import_failures: AtomicU32,
}

/// What is known when a step begins.
struct Situation {
    address: AddressRow,
    account: AccountRow,
    import: Option<ImportRow>,
    /// When the next mark may be tried.
    marks_due: Option<Millis>,
}

enum Due {
    Import,
    Poll,
    Marks,
    Nothing { until: Option<Millis> },
}

impl AddressTask {
    async fn run(&self) {
        loop {
            let situation = match self.look().await {
                Ok(Some(situation)) if !situation.address.disconnected => situation,
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(address = self.id, %error, "The address cannot be read.");
                    tokio::time::sleep(STORAGE_RETRY).await;
                    continue;
                }
            };
            let due = due(&situation, self.context.clock.now());
            let result = match due {
                Due::Nothing { until } => {
                    self.wait(until).await;
                    continue;
                }
                Due::Import => self.import(&situation).await,
                Due::Poll => self.poll(&situation).await,
                Due::Marks => self.send_marks(&situation).await,
            };
            let settled = match result {
                Ok(()) => {
                    self.context.set_storage_trouble(None);
                    Ok(())
                }
                Err(error) => self.settle(&situation, error).await,
            };
            if let Err(error) = settled {
                tracing::warn!(address = self.id, %error, "The outcome cannot be stored.");
                self.context
                    .set_storage_trouble(Some(super::cause::storage_finding(&error)));
                tokio::time::sleep(STORAGE_RETRY).await;
            }
        }
    }

    async fn look(&self) -> Result<Option<Situation>, crate::store::StoreError> {
        let id = self.id;
        self.context
            .store
            .read(move |db| {
                let Some(address) = addresses::get(db, id)? else {
                    return Ok(None);
                };
                let Some(account) = accounts::get(db, address.account_id)? else {
                    return Ok(None);
                };
                let import = imports::current(db, id)?;
                let marks_due = crate::store::marks::next_due(db, id)?;
                Ok(Some(Situation {
                    address,
                    account,
                    import,
                    marks_due,
                }))
            })
            .await
    }

    async fn import(&self, situation: &Situation) -> Result<(), StepError> {
        let Some(import) = &situation.import else {
            return Ok(());
        };
        let provider = self
            .context
            .connections
            .provider(&situation.address, &situation.account)
            .await?;
        let failures = &self.import_failures;
        let address = AddressRow {
            failures: situation
                .address
                .failures
                .max(failures.load(Ordering::Relaxed)),
            ..situation.address.clone()
        };
        let done =
            import_job::advance(&self.context, &address, import, &provider, &self.wake).await;
        match &done {
            Ok(()) => failures.store(0, Ordering::Relaxed),
            Err(StepError::Provider(ProviderError::Server(_) | ProviderError::Protocol(..))) => {
                failures.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => {}
        }
        done?;
        self.recovered(situation, None).await
    }

    async fn poll(&self, situation: &Situation) -> Result<(), StepError> {
        let address = &situation.address;
        self.context.set_busy(self.id, true);
        let result = self.poll_busily(situation).await;
        self.context.set_busy(self.id, false);
        let polled = result?;
        if polled.new_tickets > 0 {
            let news = NewTickets {
                address: address.address.clone(),
                count: polled.new_tickets,
            };
            if self.context.new_tickets.send(news).is_err() {
                tracing::debug!("Nobody listens for new tickets.");
            }
        }
        self.recovered(situation, Some(polled.imported)).await
    }

    async fn poll_busily(&self, situation: &Situation) -> Result<poll::Polled, StepError> {
        let address = &situation.address;
        let provider = self
            .context
            .connections
            .provider(address, &situation.account)
            .await?;
        let polled = poll::poll(&self.context, address, &provider).await;
        let Some(next) = address.next_folder.clone() else {
            return polled;
        };
        let before = match polled {
            Ok(polled) => polled,
            // Nothing is left to read in a folder that is gone.
            Err(StepError::Provider(
                ProviderError::NotFound(_) | ProviderError::CursorExpired(_),
            )) => poll::Polled::default(),
            Err(error) => return Err(error),
        };
        let mut polled = self.poll_next_folder(situation, next).await?;
        polled.add(before);
        Ok(polled)
    }

    /// Reads the folder that was chosen, after the former one was read to its end.
    async fn poll_next_folder(
        &self,
        situation: &Situation,
        next: NextFolder,
    ) -> Result<poll::Polled, StepError> {
        let (id, now) = (self.id, self.context.clock.now());
        let renumbered = situation.address.provider == ProviderKind::Imap;
        let shown = |path: &Option<String>, name: &str| path.clone().unwrap_or(name.to_owned());
        let address = &situation.address;
        let from = shown(&address.folder_path, &address.folder_name);
        let to = shown(&next.path, &next.name);
        let address = self
            .context
            .store
            .write(move |tx| {
                folders::switch(tx, id, &next, renumbered)?;
                let args = [("from".to_owned(), from), ("to".to_owned(), to)].into();
                events::add(tx, id, now, EventKind::FolderChanged, &args)?;
                addresses::get(tx, id)
            })
            .await?;
        let Some(address) = address else {
            return Ok(poll::Polled::default());
        };
        let provider = self
            .context
            .connections
            .provider(&address, &situation.account)
            .await?;
        poll::poll(&self.context, &address, &provider).await
    }

    async fn send_marks(&self, situation: &Situation) -> Result<(), StepError> {
        let provider = self
            .context
            .connections
            .provider(&situation.address, &situation.account)
            .await?;
        marks::send(&self.context, &situation.address, &provider).await?;
        self.recovered(situation, None).await
    }

    /// Writes a success down. `fetched` is what a poll brought; nothing means an import step.
    async fn recovered(
        &self,
        situation: &Situation,
        fetched: Option<u32>,
    ) -> Result<(), StepError> {
        let address = situation.address.clone();
        let was_ill =
            address.offline_since.is_some() || address.cause.is_some() || address.failures > 0;
        if fetched.is_none() && !was_ill {
            return Ok(());
        }
        let now = self.context.clock.now();
        let pace = Pace::Regular {
            interval_s: address.poll_interval_s,
        };
        let next = schedule::next_try(now, pace, rand::random());
        self.context
            .store
            .write(move |tx| {
                let id = address.id;
                if !poll::is_read_at(tx, id, &Origin::of(&address))? {
                    return Ok(());
                }
                if let Some(since) = address.offline_since {
                    event(
                        tx,
                        id,
                        now,
                        EventKind::CameOnline,
                        [("after_s", (now - since) / 1000)],
                    )?;
                }
                if let Some(since) = address.failing_since.filter(|_| address.cause.is_some()) {
                    event(
                        tx,
                        id,
                        now,
                        EventKind::Recovered,
                        [("after_s", (now - since) / 1000)],
                    )?;
                }
                if let Some(count) = fetched.filter(|count| *count > 0) {
                    event(
                        tx,
                        id,
                        now,
                        EventKind::Fetched,
                        [("count", i64::from(count))],
                    )?;
                }
                addresses::serve_wake(tx, id, address.wake_requested)?;
                match fetched {
                    Some(_) => addresses::record_success(tx, id, now, Some(next)),
                    None => addresses::record_recovery(tx, id),
                }
            })
            .await?;
        Ok(())
    }

    /// Writes a failure down and decides when to try again.
    async fn settle(
        &self,
        situation: &Situation,
        error: StepError,
    ) -> Result<(), crate::store::StoreError> {
        let address = situation.address.clone();
        let (id, origin) = (address.id, Origin::of(&address));
        // What a server said that the address is not read at any more is no news.
        let still = self
            .context
            .store
            .read(move |db| poll::is_read_at(db, id, &origin));
        if !still.await? {
            return Ok(());
        }
        let now = self.context.clock.now();
        let login = &situation.account.identity.login_name;
        let registration = &situation.account.registration;
        let verdict = judge(&error, address.failures).map_finding(|finding| {
            seen_at(&address, finding)
                .asking(&crate::oauth::scopes(address.mailbox.is_some()))
                .about(&address.address, Some(login), registration)
        });
        tracing::info!(address = %address.address, ?verdict, "A step failed.");
        let chance: f64 = rand::random();
        match verdict {
            Verdict::NewCursor => {
                if let Ok(provider) = self
                    .context
                    .connections
                    .provider(&address, &situation.account)
                    .await
                {
                    match poll::reopen_cursor(&self.context, &address, &provider).await {
                        Ok(()) => {}
                        Err(StepError::Store(error)) => return Err(error),
                        Err(error) => tracing::warn!(%error, "No new cursor."),
                    }
                }
                // A server that forgets again and again is not asked without a pause.
                let next = match address.failures {
                    0 => now,
                    failures => schedule::next_try(now, Pace::BackOff { failures }, chance),
                };
                // By IMAP the listed ids are void too.
                let import = situation.import.as_ref().filter(|import| {
                    let ended = matches!(import.state, ImportState::Cancelled | ImportState::Done);
                    address.server.is_some() && !ended
                });
                let import = import.map(|import| import.id);
                self.context
                    .store
                    .write(move |tx| {
                        let none = BTreeMap::new();
                        events::add(tx, address.id, now, EventKind::CursorExpired, &none)?;
                        if let Some(import) = import {
                            imports::list_again(tx, import)?;
                        }
                        addresses::serve_wake(tx, address.id, address.wake_requested)?;
                        addresses::record_failure(tx, address.id, now, None, Some(next))
                    })
                    .await
            }
            Verdict::Offline(_) => {
                let next = schedule::next_try(now, Pace::Offline, chance);
                self.context
                    .store
                    .write(move |tx| {
                        if address.offline_since.is_none() {
                            events::add(
                                tx,
                                address.id,
                                now,
                                EventKind::WentOffline,
                                &BTreeMap::new(),
                            )?;
                            addresses::set_offline_since(tx, address.id, Some(now))?;
                        }
                        addresses::serve_wake(tx, address.id, address.wake_requested)?;
                        addresses::set_next_poll(tx, address.id, Some(next))
                    })
                    .await
            }
            Verdict::Wait(wait, finding) => {
                let next = schedule::next_try(now, Pace::AskedToWait(wait), chance);
                self.context
                    .store
                    .write(move |tx| {
                        let news = wait >= NOTABLE_WAIT || address.failures > 0;
                        if news && address.cause.is_none() {
                            let args = [("code".to_owned(), finding.code.clone())].into();
                            events::add(tx, address.id, now, EventKind::PollFailed, &args)?;
                        } else if address.failures == 0 {
                            let seconds = i64::try_from(wait.as_secs()).unwrap_or(i64::MAX);
                            let args = [("seconds", seconds)];
                            event(tx, address.id, now, EventKind::Throttled, args)?;
                        }
                        addresses::set_wait_until(tx, address.id, next)?;
                        let finding = news.then_some(&finding);
                        addresses::record_failure(tx, address.id, now, finding, Some(next))
                    })
                    .await
            }
            Verdict::Failure(finding, pace) => {
                let next = schedule::next_try(now, pace, chance);
                self.context
                    .store
                    .write(move |tx| {
                        let news =
                            address.cause.as_ref().map(|cause| &cause.code) != Some(&finding.code);
                        if news && finding.severity > Severity::Ok {
                            let args = [("code".to_owned(), finding.code.clone())].into();
                            events::add(tx, address.id, now, EventKind::PollFailed, &args)?;
                        }
                        addresses::serve_wake(tx, address.id, address.wake_requested)?;
                        addresses::record_failure(tx, address.id, now, Some(&finding), Some(next))
                    })
                    .await
            }
            Verdict::Disconnected => Ok(()),
            Verdict::Storage(finding) => {
                self.context.set_storage_trouble(Some(finding));
                tokio::time::sleep(STORAGE_RETRY).await;
                Ok(())
            }
        }
    }

    /// Waits until `until`, a wake-up, or the end of a sleep of the computer.
    async fn wait(&self, until: Option<Millis>) {
        let started = (self.context.clock.now(), Instant::now());
        let nap = until.map_or(LONGEST_NAP, |until| {
            Duration::from_millis(u64::try_from(until - started.0).unwrap_or(0)).min(LONGEST_NAP)
        });
        tokio::select! {
            () = self.wake.notified() => {}
            () = tokio::time::sleep(nap) => {}
        }
        let wall =
            Duration::from_millis(u64::try_from(self.context.clock.now() - started.0).unwrap_or(0));
        if let Some(slept) = schedule::slept(wall, started.1.elapsed()) {
            let (id, now) = (self.id, self.context.clock.now());
            let seconds = i64::try_from(slept.as_secs()).unwrap_or(i64::MAX);
            let written = self
                .context
                .store
                .write(move |tx| {
                    event(tx, id, now, EventKind::Slept, [("seconds", seconds)])?;
                    addresses::set_next_poll(tx, id, Some(now))
                })
                .await;
            if let Err(error) = written {
                tracing::warn!(address = self.id, %error, "The end of a sleep cannot be stored.");
            }
        }
    }
}

fn event<const N: usize>(
    tx: &rusqlite::Connection,
    id: i64,
    now: Millis,
    kind: EventKind,
    args: [(&str, i64); N],
) -> rusqlite::Result<()> {
    let args = args
        .map(|(name, value)| (name.to_owned(), value.to_string()))
        .into();
    events::add(tx, id, now, kind, &args)
}

/// What is due. Nothing goes before the end of a wait that the server asked for; a back-off holds up the import
/// too; "sync now" ends a back-off.
fn due(situation: &Situation, now: Millis) -> Due {
    let address = &situation.address;
    if let Some(until) = address.wait_until.filter(|until| *until > now) {
        return Due::Nothing { until: Some(until) };
    }
    if address.wake_requested > address.wake_served {
        return Due::Poll;
    }
    if address.paused {
        return Due::Nothing { until: None };
    }
    let poll_due = address.next_poll_at.is_none_or(|next| next <= now);
    let held_up = address.cause.is_some() || address.offline_since.is_some();
    if held_up && !poll_due {
        return Due::Nothing {
            until: address.next_poll_at,
        };
    }
    let import = situation.import.as_ref().map(|import| import.state);
    // The list comes before the first poll: it decides which older mail is the import's.
    if import == Some(ImportState::Listing) {
        return Due::Import;
    }
    if poll_due {
        return Due::Poll;
    }
    if import == Some(ImportState::Running) {
        return Due::Import;
    }
    if situation.marks_due.is_some_and(|due| due <= now) {
        return Due::Marks;
    }
    Due::Nothing {
        until: address
            .next_poll_at
            .into_iter()
            .chain(situation.marks_due)
            .min(),
    }
}
