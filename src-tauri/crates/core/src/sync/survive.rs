//! A defect of ours in the middle of an address's work.

use super::Context;
use super::address_task::STORAGE_RETRY;
use super::schedule::{self, Pace};
use crate::diagnosis::{Finding, Severity};
use crate::store::addresses;
use crate::store::events::{self, EventKind};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;

/// Does `work`. Where a defect of ours ends it (a panic), that is written down like any other failure, with the same
/// pause before the next try: an address whose task has died must not look well, nor sign in every second.
pub(super) async fn survive<T>(
    context: &Context,
    id: i64,
    work: impl Future<Output = T>,
) -> Option<T> {
    if let Ok(done) = AssertUnwindSafe(work).catch_unwind().await {
        return Some(done);
    }
    context.set_busy(id, false);
    tracing::error!(address = id, "A step ended by a defect.");
    let now = context.clock.now();
    let chance: f64 = rand::random();
    let noted = context
        .store
        .write(move |tx| {
            let Some(address) = addresses::get(tx, id)? else {
                return Ok(());
            };
            let finding = Finding::plain("internal_fault", Severity::Failed);
            if address.cause.as_ref().map(|cause| &cause.code) != Some(&finding.code) {
                let args = [("code".to_owned(), finding.code.clone())].into();
                events::add(tx, id, now, EventKind::PollFailed, &args)?;
            }
            let failures = address.failures + 1;
            let next = schedule::next_try(now, Pace::BackOff { failures }, chance);
            // "Sync now" is served by this try, or it would ask for another one at once.
            addresses::serve_wake(tx, id, address.wake_requested)?;
            addresses::record_failure(tx, id, now, Some(&finding), Some(next))
        })
        .await;
    if let Err(error) = noted {
        tracing::warn!(address = id, %error, "The outcome cannot be stored.");
        context.set_storage_trouble(Some(super::cause::storage_finding(&error)));
        tokio::time::sleep(STORAGE_RETRY).await;
    }
    None
}

#[cfg(test)]
mod tests;
