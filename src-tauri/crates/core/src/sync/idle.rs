//! Being told of new mail at once, where the server can: a line beside the address's task on which it says so. All
//! that comes of it is an earlier poll, so polling at intervals goes on and whatever fails here costs time only.

use super::{Context, StepError, schedule};
use crate::Millis;
use crate::provider::Cursor;
use crate::provider::imap::Watch;
use crate::store::accounts;
use crate::store::addresses::{self, AddressRow};
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
        let pause = match begin(context, &row).await {
            Ok(None) => CANNOT,
            Ok(Some(watch)) => {
                if watched(context, id, wake, watch).await {
                    failures = 0;
                }
                back_off(&mut failures)
            }
            Err(error) => {
                // Polling meets the same trouble, and says so.
                tracing::debug!(address = id, %error, "The address cannot be watched.");
                back_off(&mut failures)
            }
        };
        sleep(pause).await;
    }
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
/// changes, or the computer slept. Gives whether the line was of any use.
async fn watched(context: &Context, id: i64, wake: &Notify, mut watch: Watch) -> bool {
    let mut useful = false;
    let Some(begun_with) = well(context, id).await else {
        return false;
    };
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
                            return useful;
                        }
                    },
                    () = sleep(LOOK_AGAIN) => {}
                }
                let wall = u64::try_from(context.clock.now() - started.0).unwrap_or(0);
                let slept = schedule::slept(Duration::from_millis(wall), started.1.elapsed());
                let same = match well(context, id).await {
                    Some(row) => is_same(&row, &begun_with),
                    None => false,
                };
                // After a sleep the line looks whole and is not.
                if slept.is_some() || !same {
                    return true;
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
