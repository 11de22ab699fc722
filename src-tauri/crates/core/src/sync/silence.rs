//! The dead-man alert: says when no poll of an address has succeeded for too long, and when polls work again.
//!
//! What is to be told is kept in the database and crossed off before it is told, so that no restart repeats it: one
//! notice and one mail per change of state at most. Addresses that change within a minute share theirs.

mod letter;
mod quiet;

pub use letter::recipients;
pub use quiet::QuietHours;

use super::Context;
use crate::Millis;
use crate::provider::outbound::{NotSent, Outbound};
use crate::store::StoreError;
use crate::store::accounts::{self, AccountRow};
use crate::store::addresses::{self, AddressRow};
use crate::store::settings::{self, Settings};
use crate::store::silences::{self, SilenceRow};
use letter::Letter;
use std::collections::BTreeSet;

const MINUTE: Millis = 60_000;

/// After a start, or after the computer slept, polls get this long before silence counts.
const GRACE: Millis = 2 * MINUTE;

/// A longer time between two looks is a sleep of the computer.
const ASLEEP: Millis = 2 * MINUTE;

/// Addresses that change within this time are told of together.
const GATHER: Millis = MINUTE;

/// A mail that was refused is tried again after this.
const PAUSE: Millis = 5 * MINUTE;

/// What one process remembers between looks.
#[derive(Debug, Default)]
pub struct Watch {
    awake_since: Option<Millis>,
    looked_at: Millis,
    no_mail_before: Millis,
}

/// What is to be told now; it is crossed off already.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Addresses that fell silent.
    pub silent: Vec<i64>,
    /// Addresses that speak again.
    pub recovered: Vec<i64>,
}

struct Seen {
    settings: Settings,
    rows: Vec<(AddressRow, Option<AccountRow>)>,
    silences: Vec<SilenceRow>,
}

/// Looks at all addresses once: notes changes, mails the failure list, and returns what shells are to be told. Only
/// the process that polls calls this.
///
/// # Errors
/// [`StoreError`]; the next call goes on.
pub async fn look(context: &Context, watch: &mut Watch) -> Result<News, StoreError> {
    let now = context.clock.now();
    let awake_since = watch.wake(now);
    let seen = see(context).await?;
    let changes = changes(&seen, now, awake_since);
    let seen = if changes.is_empty() {
        seen
    } else {
        context
            .store
            .write(move |tx| {
                changes.iter().try_for_each(|(id, change)| match change {
                    Some(silent) => silences::change(tx, *id, *silent, now),
                    None => silences::remove(tx, *id),
                })
            })
            .await?;
        see(context).await?
    };
    mail(context, watch, &seen, now).await?;
    news(context, &seen, now).await
}

impl Watch {
    /// Notes this look; returns since when the computer is awake.
    fn wake(&mut self, now: Millis) -> Millis {
        let away = now - self.looked_at;
        self.looked_at = now;
        if !(0..=ASLEEP).contains(&away) {
            self.awake_since = None;
        }
        *self.awake_since.get_or_insert(now)
    }
}

async fn see(context: &Context) -> Result<Seen, StoreError> {
    let read = context.store.read(|db| {
        let rows = addresses::all(db)?
            .into_iter()
            .map(|row| Ok((accounts::get(db, row.account_id)?, row)))
            .map(|pair: rusqlite::Result<_>| pair.map(|(account, row)| (row, account)))
            .collect::<Result<_, _>>()?;
        Ok(Seen {
            settings: settings::load_settings(db)?,
            rows,
            silences: silences::all(db)?,
        })
    });
    read.await
}

/// Whether nothing succeeded for too long. A new address has its chance from its connecting on.
fn is_silent(row: &AddressRow, limit: Millis, now: Millis) -> bool {
    now - row.last_success_at.unwrap_or(0).max(row.connected_at) >= limit
}

/// Which address changed, and to what; nothing where it is not watched any more.
fn changes(seen: &Seen, now: Millis, awake_since: Millis) -> Vec<(i64, Option<bool>)> {
    let limit = Millis::from(seen.settings.alert_after_min) * MINUTE;
    let mut changes = Vec::new();
    for (row, _) in &seen.rows {
        let before = seen
            .silences
            .iter()
            .find(|silence| silence.address_id == row.id);
        let was_silent = before.is_some_and(|silence| silence.silent);
        if limit == 0 || row.paused || row.disconnected {
            changes.extend(before.map(|_| (row.id, None)));
        } else if is_silent(row, limit, now) {
            if !was_silent && now - awake_since >= GRACE {
                changes.push((row.id, Some(true)));
            }
        } else if was_silent {
            changes.push((row.id, Some(false)));
        }
    }
    changes
}

/// Those that are due, once the first of them has waited for company.
fn gathered(silences: &[SilenceRow], due: fn(&SilenceRow) -> bool, now: Millis) -> Vec<SilenceRow> {
    let all: Vec<SilenceRow> = silences.iter().filter(|row| due(row)).cloned().collect();
    let ripe = all.iter().any(|row| now - row.changed_at >= GATHER);
    if ripe { all } else { Vec::new() }
}

async fn news(context: &Context, seen: &Seen, now: Millis) -> Result<News, StoreError> {
    let due = gathered(&seen.silences, |row| row.notice_due, now);
    if due.is_empty() || QuietHours::of(&seen.settings).is_some_and(|quiet| quiet.hold(now)) {
        return Ok(News::default());
    }
    let ids: Vec<i64> = due.iter().map(|row| row.address_id).collect();
    context
        .store
        .write(move |tx| silences::noticed(tx, &ids))
        .await?;
    let pick = |silent| {
        let chosen = due.iter().filter(move |row| row.silent == silent);
        chosen.map(|row| row.address_id).collect()
    };
    Ok(News {
        silent: pick(true),
        recovered: pick(false),
    })
}

/// Mails the failure list through the first healthy address.
async fn mail(
    context: &Context,
    watch: &mut Watch,
    seen: &Seen,
    now: Millis,
) -> Result<(), StoreError> {
    let Ok(list) = recipients(&seen.settings.failure_list) else {
        return Ok(());
    };
    let due = gathered(&seen.silences, |row| row.mail_due, now);
    if due.is_empty() || list.is_empty() || now < watch.no_mail_before {
        return Ok(());
    }
    for (row, account) in senders(seen, now) {
        let Some(letter) = Letter::new(seen, &due, row, account, list.clone()) else {
            continue;
        };
        let outbound = match context.connections.outbound(row, account).await {
            Ok(Some(outbound)) => outbound,
            // It only reads.
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!(%error, "No way to send an alert.");
                continue;
            }
        };
        if send(context, &outbound, &letter, &due, now).await? {
            return Ok(());
        }
    }
    watch.no_mail_before = now + PAUSE;
    Ok(())
}

/// Sends; returns whether the mail left, or may have. It is crossed off first: rather none than two.
async fn send(
    context: &Context,
    outbound: &Outbound,
    letter: &Letter,
    due: &[SilenceRow],
    now: Millis,
) -> Result<bool, StoreError> {
    let raw = match letter.raw(now) {
        Ok(raw) => raw,
        Err(error) => {
            tracing::warn!(%error, "An alert cannot be written.");
            return Ok(false);
        }
    };
    let Some(envelope) = letter.envelope() else {
        return Ok(false);
    };
    let turn = context.turn(outbound).await;
    let rows = due.to_vec();
    context
        .store
        .write(move |tx| silences::set_mail_due(tx, &rows, false))
        .await?;
    match turn.send(&envelope, &raw).await {
        Ok(sent) => {
            for (recipient, error) in sent.refused {
                tracing::warn!(%recipient, %error, "An alert was refused for one recipient.");
            }
            Ok(true)
        }
        // Nobody knows whether it left.
        Err(NotSent {
            may_have_left: true,
            ..
        }) => Ok(true),
        Err(NotSent { error, .. }) => {
            tracing::warn!(%error, "An alert was refused.");
            let rows = due.to_vec();
            context
                .store
                .write(move |tx| silences::set_mail_due(tx, &rows, true))
                .await?;
            Ok(false)
        }
    }
}

/// Addresses that are well and may send, the default one first.
fn senders(seen: &Seen, now: Millis) -> Vec<(&AddressRow, &AccountRow)> {
    let limit = Millis::from(seen.settings.alert_after_min) * MINUTE;
    let silent: BTreeSet<i64> = seen
        .silences
        .iter()
        .filter(|silence| silence.silent)
        .map(|silence| silence.address_id)
        .collect();
    let mut senders: Vec<_> = seen
        .rows
        .iter()
        .filter(|(row, _)| {
            let rests = row.paused || row.disconnected || row.offline_since.is_some();
            !rests && row.failures == 0 && !silent.contains(&row.id) && !is_silent(row, limit, now)
        })
        .filter_map(|(row, account)| Some((row, account.as_ref()?)))
        .collect();
    senders.sort_by_key(|(row, _)| !row.is_default);
    senders
}

#[cfg(test)]
mod tests;
