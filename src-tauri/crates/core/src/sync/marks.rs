//! Telling the server what was imported: read, and our category beside the existing ones. A queue of its own,
//! durable, so that a failure here never holds up or repeats an import.

use super::{Context, StepError};
use crate::Millis;
use crate::provider::{Mark, Provider, ProviderError, Then};
use crate::store::addresses::AddressRow;
use crate::store::events::{self, EventKind};
use crate::store::marks;

/// Marks in one request.
const GROUP: u32 = 20;
/// Requests in one go; the rest waits for the task's next round.
const MOST_GROUPS: u32 = 10;
/// The first pause after the server refused a mark; it doubles up to a day.
const FIRST_PAUSE: Millis = 60 * 1000;
const LONGEST_PAUSE: Millis = 24 * 60 * 60 * 1000;
/// Tries, over about a week, after which a folder that is gone is taken to stay so, with the mail that was in it.
const TRIES_WITHOUT_FOLDER: u32 = 18;
/// What a mailbox says when the folder that the mail was read from is gone.
const FOLDER_GONE: &str = "IMAP marked folder gone";

/// Sends marks that are due.
///
/// # Errors
/// What concerns the whole mailbox; the marks stay queued.
pub(super) async fn send(
    context: &Context,
    address: &AddressRow,
    provider: &Provider,
) -> Result<(), StepError> {
    let id = address.id;
    for _ in 0..MOST_GROUPS {
        let now = context.clock.now();
        let rows = context
            .store
            .read(move |db| marks::due(db, id, now, GROUP))
            .await?;
        if rows.is_empty() {
            return Ok(());
        }
        let wanted: Vec<Mark> = rows
            .iter()
            .map(|row| Mark {
                server_id: row.server_id.clone(),
                folder_id: row.folder_id.clone(),
                read: true,
                category: row.category.clone(),
                // What cannot be read any more does no harm.
                then: serde_json::from_str(&row.follow).unwrap_or(Then::Stay),
            })
            .collect();
        let answers = provider.mark(&wanted).await;
        let mut whole_mailbox = None;
        let mut settled = Vec::new();
        for (row, answer) in rows.into_iter().zip(answers) {
            match answer {
                Ok(()) | Err(ProviderError::NotFound(_)) => settled.push((row, None)),
                Err(error)
                    if row.attempts >= TRIES_WITHOUT_FOLDER && code(&error) == FOLDER_GONE =>
                {
                    settled.push((row, None));
                }
                Err(
                    error @ (ProviderError::Offline(_)
                    | ProviderError::Token(_)
                    | ProviderError::Unauthorized(_)
                    | ProviderError::Throttled(..)),
                ) => whole_mailbox = Some(error),
                Err(error) => settled.push((row, Some(error))),
            }
        }
        context
            .store
            .write(move |tx| {
                let last = events::last_of(tx, id, EventKind::MarkFailed)?;
                let mut told = last.and_then(|event| event.args.get("code").cloned());
                for (row, error) in &settled {
                    let Some(error) = error else {
                        marks::done(tx, row.id)?;
                        continue;
                    };
                    let pause = FIRST_PAUSE
                        .saturating_mul(1 << row.attempts.min(12))
                        .min(LONGEST_PAUSE);
                    marks::retry(tx, row.id, now + pause)?;
                    let code = code(error);
                    // A refusal with another reason is news.
                    if row.attempts == 0 || told.as_ref() != Some(&code) {
                        told = Some(code.clone());
                        events::add(
                            tx,
                            id,
                            now,
                            EventKind::MarkFailed,
                            &[("code".to_owned(), code)].into(),
                        )?;
                    }
                }
                Ok(())
            })
            .await?;
        if let Some(error) = whole_mailbox {
            return Err(error.into());
        }
    }
    Ok(())
}

/// What stands in the timeline for a refusal.
fn code(error: &ProviderError) -> String {
    if let ProviderError::Protocol(code @ "target_folder_gone", _) = error {
        return (*code).to_owned();
    }
    error
        .evidence()
        .and_then(|evidence| evidence.code.clone())
        .unwrap_or_else(|| error.to_string())
}
