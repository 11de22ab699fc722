//! Being told of new mail at once, where the server can: a line beside the address's task on which it says so. All
//! that comes of it is an earlier poll, so polling at intervals goes on and whatever fails here costs time only.

use super::{Context, StepError, schedule};
use crate::Millis;
use crate::provider::imap::Watch;
use crate::provider::{Cursor, ProviderError};
use crate::store::accounts;
use crate::store::addresses::{self, AddressRow};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::sleep;

/// How often the row of an address that is not watched is looked at: whether to watch it.
const LOOK: Duration = Duration::from_secs(1);
/// How often the row of a watched address is looked at: whether to go on.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How soon the request is made anew. Servers hang up after 30 minutes (RFC 2177 asks for less than 29); routers
/// forget a silent line sooner, and a dead line is only found by saying something.
const RENEW: Duration = Duration::from_secs(9 * 60);
const _: () = assert!(RENEW.as_secs() < 29 * 60);
/// The least time between two polls asked for here.
const PAUSE: Duration = Duration::from_millis(500);
/// The first pause after the line dropped; it doubles up to the longest.
const FIRST_BACK_OFF: Duration = Duration::from_secs(5);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(15 * 60);
/// How soon to ask again whether a server can tell.
const CANNOT: Duration = Duration::from_secs(60 * 60);

/// Watches while the address is well, and never ends by itself.
pub(super) async fn run(context: &Context, id: i64, wake: &Notify) {
    let mut failures = 0_u32;
    loop {
        let Some(row) = well(context, id).await else {
            sleep(LOOK).await;
            continue;
        };
        let watching = AssertUnwindSafe(watch(context, wake, &row)).catch_unwind();
        let ended = watching.await.unwrap_or_else(|_| {
            tracing::error!(address = id, "The watch ended by a defect.");
            Ended::Dropped {
                useful: false,
                wait: None,
            }
        });
        sleep(pause(ended, &mut failures)).await;
    }
}

/// How a watch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// The server cannot tell.
    Cannot,
    /// It could not begin, or the line dropped.
    Dropped {
        /// Whether it told of anything, or was given up by us.
        useful: bool,
        /// How long the server asked us to wait, if it did.
        wait: Option<Duration>,
    },
}

/// How soon to watch again.
fn pause(ended: Ended, failures: &mut u32) -> Duration {
    match ended {
        Ended::Cannot => CANNOT,
        Ended::Dropped { useful, wait } => {
            if useful {
                *failures = 0;
            }
            // A time that the server asked for is never shortened.
            back_off(failures).max(wait.unwrap_or_default())
        }
    }
}

async fn watch(context: &Context, wake: &Notify, row: &AddressRow) -> Ended {
    match begin(context, row).await {
        Ok(None) => Ended::Cannot,
        Ok(Some(watch)) => watched(context, wake, watch, row).await,
        Err(error) => {
            // Polling meets the same trouble, and says so.
            tracing::debug!(address = row.id, %error, "The address cannot be watched.");
            let wait = match &error {
                StepError::Provider(error) => asked_wait(error),
                StepError::Store(_) | StepError::NoVault(_) | StepError::Disconnected => None,
            };
            Ended::Dropped {
                useful: false,
                wait,
            }
        }
    }
}

fn asked_wait(error: &ProviderError) -> Option<Duration> {
    let ProviderError::Throttled(wait, _) = error else {
        return None;
    };
    Some(*wait)
}

fn back_off(failures: &mut u32) -> Duration {
    let pause = FIRST_BACK_OFF.saturating_mul(1 << (*failures).min(10));
    *failures = failures.saturating_add(1);
    pause.min(LONGEST_BACK_OFF)
}

/// The row, if the address is polled and nothing is wrong with it.
async fn well(context: &Context, id: i64) -> Option<AddressRow> {
    let row = context.store.read(move |db| addresses::get(db, id)).await;
    let row = row.ok().flatten()?;
    is_well(&row, context.clock.now()).then_some(row)
}

fn is_well(row: &AddressRow, now: Millis) -> bool {
    let left_alone =
        row.paused || row.disconnected || row.wait_until.is_some_and(|until| until > now);
    let ill = row.cause.is_some() || row.offline_since.is_some() || row.failures > 0;
    row.server.is_some() && row.last_success_at.is_some() && !left_alone && !ill
}

async fn begin(context: &Context, row: &AddressRow) -> Result<Option<Watch>, StepError> {
    let account_id = row.account_id;
    let account = context.store.read(move |db| accounts::get(db, account_id));
    let Some(account) = account.await? else {
        return Ok(None);
    };
    let provider = context.connections.provider(row, &account).await?;
    let after = row.cursor.clone().map(Cursor);
    Ok(provider.watch(&row.folder_id, after.as_ref()).await?)
}

/// Asks for a poll whenever mail arrives, until the line drops, the address is not well, its folder or sign-in
/// changes, or the computer slept. `begun_with` is the row that the line was opened by.
async fn watched(
    context: &Context,
    wake: &Notify,
    mut watch: Watch,
    begun_with: &AddressRow,
) -> Ended {
    let id = begun_with.id;
    let mut useful = false;
    loop {
        {
            let mut news = pin!(watch.news(RENEW));
            loop {
                let started = (context.clock.now(), Instant::now());
                tokio::select! {
                    told = &mut news => match told {
                        Ok(()) => break,
                        Err(error) => {
                            tracing::debug!(address = id, %error, "The watched line dropped.");
                            let wait = asked_wait(&error);
                            return Ended::Dropped { useful, wait };
                        }
                    },
                    () = sleep(LOOK_AGAIN) => {}
                }
                let wall = u64::try_from(context.clock.now() - started.0).unwrap_or(0);
                let slept = schedule::slept(Duration::from_millis(wall), started.1.elapsed());
                let same = match well(context, id).await {
                    Some(row) => is_same(&row, begun_with),
                    None => false,
                };
                // After a sleep the line looks whole and is not.
                if slept.is_some() || !same {
                    return Ended::Dropped {
                        useful: true,
                        wait: None,
                    };
                }
            }
        }
        useful = true;
        let now = context.clock.now();
        let asked = context
            .store
            .write(move |tx| addresses::set_next_poll(tx, id, Some(now)))
            .await;
        if let Err(error) = asked {
            tracing::warn!(address = id, %error, "A poll cannot be asked for.");
        }
        wake.notify_one();
        sleep(PAUSE).await;
    }
}

fn is_same(row: &AddressRow, other: &AddressRow) -> bool {
    row.folder_id == other.folder_id
        && row.account_id == other.account_id
        && row.server == other.server
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_waits_at_least_as_long_as_the_server_asks() {
        let dropped = |useful, wait: Option<u64>| Ended::Dropped {
            useful,
            wait: wait.map(Duration::from_secs),
        };
        let mut failures = 0;
        let pauses = [
            dropped(false, None),
            dropped(false, Some(300)),
            dropped(false, Some(1)),
            dropped(true, None),
            Ended::Cannot,
        ]
        .map(|ended| pause(ended, &mut failures).as_secs());
        assert_eq!(pauses, [5, 300, 20, 5, 3600]);
    }
}
