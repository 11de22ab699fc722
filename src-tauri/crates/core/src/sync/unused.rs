//! Sign-ins that nobody uses any more: removed once disconnecting cannot be undone.

use crate::Millis;
use crate::store::{Store, StoreError, accounts, addresses};

/// Milliseconds in which disconnecting can be undone: time to notice a mistake, and no longer, because whoever
/// disconnects wants the sign-in gone.
pub const UNDO_TIME: Millis = 10 * 60_000;

/// Ends undo where its time is over and removes the sign-ins that no address uses then. The accounts whose sign-in was
/// removed come back. It only looks at what is stored, so that it makes no difference which process does it, and when.
///
/// # Errors
/// [`StoreError`]; the next look tries again.
pub async fn wipe_unused(store: &Store, now: Millis) -> Result<Vec<i64>, StoreError> {
    let due = store
        .read(move |db| {
            Ok(addresses::is_undo_over(db, now, UNDO_TIME)? || !accounts::unused(db)?.is_empty())
        })
        .await?;
    if !due {
        return Ok(Vec::new());
    }
    store
        .write(move |tx| {
            addresses::end_undo(tx, now, UNDO_TIME)?;
            let unused = accounts::unused(tx)?;
            for account in &unused {
                accounts::forget_tokens(tx, *account)?;
            }
            Ok(unused)
        })
        .await
}
