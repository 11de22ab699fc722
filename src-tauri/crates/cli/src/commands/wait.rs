//! Waiting for what a polling process does, this one or another: the database tells.

use crate::args::{Common, Progress};
use crate::{Failure, print};
use mailroom_core::api;
use mailroom_core::api::view::{AddressView, ImportState, ImportView, Status};
use mailroom_core::app::App;
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(200);
/// How long a poll may bring nothing: the server asked us to wait, or the process that polls is stuck.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until the address has no import under way; tells the progress. An import that cannot go on for now
/// (failed, offline, paused) ends the waiting: it resumes by itself later.
pub(crate) async fn for_import(
    app: &App,
    common: &Common,
    id: i64,
) -> Result<AddressView, Failure> {
    let mut told = None;
    loop {
        let view = api::address_details(app, id).await?.address;
        let Some(import) = &view.import else {
            return Ok(view);
        };
        let done = import.totals.found.saturating_sub(import.pending);
        if told != Some((import.state, done)) {
            told = Some((import.state, done));
            tell(common, import);
        }
        let over = matches!(
            import.state,
            ImportState::Done | ImportState::Cancelled | ImportState::Paused
        );
        let stuck = matches!(
            view.status,
            Status::Failed | Status::Offline | Status::Paused | Status::Disconnected
        );
        if over || stuck {
            return Ok(view);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits until a poll asked for after `before` was served, or did not work out. Trouble that `before` had already
/// does not count: it may be over.
pub(crate) async fn for_poll(
    app: &App,
    id: i64,
    before: Option<&AddressView>,
) -> Result<AddressView, Failure> {
    let told = |view: &AddressView| {
        let cause = view.cause.as_ref().map(|cause| cause.code.clone());
        (view.last_success_at, view.next_poll_at, cause)
    };
    let mut last_change = Instant::now();
    let mut found = None;
    loop {
        let details = api::address_details(app, id).await?;
        let view = details.address;
        let success_before = before.and_then(|before| before.last_success_at);
        let polled = view.last_success_at.is_some() && view.last_success_at != success_before;
        let news = before.is_none_or(|before| told(before) != told(&view));
        let trouble =
            view.cause.is_some() || matches!(view.status, Status::Failed | Status::Offline);
        let over = view.status == Status::Disconnected || (news && trouble);
        if (polled && !view.polling) || over {
            return Ok(view);
        }
        if found.replace(details.totals.found) != Some(details.totals.found) {
            last_change = Instant::now();
        }
        if last_change.elapsed() > PATIENCE {
            return Err(Failure::Other(format!(
                "{} was not read within {} seconds. `mailroom status` shows more.",
                view.address,
                PATIENCE.as_secs()
            )));
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn tell(common: &Common, import: &ImportView) {
    match common.progress {
        Progress::None => {}
        Progress::Json => print::progress_json(import),
        Progress::Text => {
            let done = import.totals.found.saturating_sub(import.pending);
            match import.state {
                ImportState::Listing => {
                    print::note(&format!("Reading the list: {} so far", import.totals.found))
                }
                ImportState::Running
                | ImportState::Paused
                | ImportState::Cancelled
                | ImportState::Done => {
                    let left = import
                        .seconds_left
                        .map_or(String::new(), |left| format!(", about {left} s left"));
                    print::note(&format!(
                        "Importing: {done} of {} ({:.0} a second{left})",
                        import.totals.found, import.rate
                    ));
                }
            }
        }
    }
}
