//! The admin is at this computer: the approval is met by a listener of our own, and what waited for it goes on at once.

use super::recheck;
use crate::api::view::{ApprovalVisit, ConnectStage};
use crate::app::{App, attempts};
use crate::diagnosis::handoff::consent_link;
use crate::oauth::approval::{Visit, listen};
use crate::oauth::error::SignInError;
use crate::oauth::loopback::PageWords;
use crate::store::handoffs::{self, HandOffRow};
use crate::store::{StoreError, accounts, addresses};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the browser may take.
const TIME_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Browsers that are waited for, one a hand-off.
#[derive(Default)]
pub(crate) struct Visits(Mutex<BTreeMap<i64, CancellationToken>>);

impl Visits {
    /// Waits for a browser from now on; a former one of the same hand-off is not waited for any more.
    fn begin(&self, id: i64) -> CancellationToken {
        let cancel = CancellationToken::new();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(former) = all.insert(id, cancel.clone()) {
            former.cancel();
        }
        cancel
    }

    /// Waits no longer.
    pub(crate) fn end(&self, id: i64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cancel) = all.remove(&id) {
            cancel.cancel();
        }
    }
}

/// Opens the approval in this computer's browser and goes on by itself once it is given: `attempt` is signed in anew, a
/// connected address is looked at again.
///
/// # Errors
/// [`SignInError::NoPort`].
pub(crate) async fn approve_here(
    app: &Arc<App>,
    row: HandOffRow,
    attempt: Option<String>,
    words: PageWords,
) -> Result<ApprovalVisit, SignInError> {
    let visit = listen(words).await?;
    let link = consent_link(
        &row.registration,
        &row.scopes,
        visit.state(),
        &visit.redirect_uri(),
    );
    let url = String::from(link);
    app.offer_links([url.as_str()]);
    let browser_opened = match app.desktop.open_url(&url, false).await {
        Ok(()) => true,
        Err(reason) => {
            tracing::info!(%reason, "No browser was opened.");
            false
        }
    };
    let cancel = app.visits.begin(row.id);
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let closing = app.watching.clone();
        tokio::select! {
            () = closing.cancelled() => {}
            done = wait(&app, visit, row, attempt, cancel) => {
                if let Err(error) = done {
                    tracing::warn!(%error, "What came of an approval cannot be stored.");
                }
            }
        }
    });
    Ok(ApprovalVisit {
        url,
        browser_opened,
    })
}

async fn wait(
    app: &Arc<App>,
    visit: Visit,
    row: HandOffRow,
    attempt: Option<String>,
    cancel: CancellationToken,
) -> Result<(), StoreError> {
    match visit.finish(cancel, TIME_LIMIT).await {
        Ok(()) => go_on(app, row, attempt).await,
        Err(SignInError::Refused { .. }) => {
            let now = app.context.clock.now();
            let key = row.address.to_lowercase();
            app.context
                .store
                .write(move |tx| handoffs::set_denied(tx, &key, now))
                .await
        }
        Err(error) => {
            tracing::info!(%error, "The approval did not come to an end here.");
            Ok(())
        }
    }
}

async fn go_on(app: &Arc<App>, row: HandOffRow, attempt: Option<String>) -> Result<(), StoreError> {
    if let Some(id) = attempt
        && let Some(plan) = app.attempts.plan(&id)
        && app
            .attempts
            .view(&id)
            .is_some_and(|view| matches!(view.stage, ConnectStage::Failed { .. }))
    {
        attempts::restart(app, &id, plan, false, false);
        return Ok(());
    }
    let Some(address_id) = row.address_id else {
        return Ok(());
    };
    let account = app
        .context
        .store
        .read(move |db| match addresses::get(db, address_id)? {
            Some(address) => accounts::get(db, address.account_id),
            None => Ok(None),
        })
        .await?;
    if let Some(account) = account
        && let Ok(tokens) = app.context.connections.tokens(&account).await
    {
        // Somebody just changed what the remembered refusal was about.
        tokens.ask_again().await;
        tokens.doubt().await;
        // The answer lists all that is granted by now, also what nobody asked for in it.
        if let Err(error) = tokens.access().await {
            tracing::info!(%error, "The sign-in was not renewed after an approval.");
        }
    }
    recheck(app, row.id).await.map(|_| ())
}
