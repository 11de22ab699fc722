//! Waiting for what a polling process does, this one or another: the database tells.

use crate::args::{Common, Progress};
use crate::{Failure, print};
use mailroom_core::api;
use mailroom_core::api::view::{AddressView, ImportState, ImportView, Status};
use mailroom_core::app::App;
use std::time::Duration;

const LOOK: Duration = Duration::from_millis(200);

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

/// Waits until a poll asked for after `before` was served, or the address cannot be polled.
pub(crate) async fn for_poll(
    app: &App,
    id: i64,
    before: Option<i64>,
) -> Result<AddressView, Failure> {
    loop {
        let view = api::address_details(app, id).await?.address;
        let polled = view.last_success_at != before && view.last_success_at.is_some();
        let stuck = matches!(
            view.status,
            Status::Failed | Status::Offline | Status::Disconnected
        ) || view.cause.is_some();
        if (polled && !view.polling) || stuck {
            return Ok(view);
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
