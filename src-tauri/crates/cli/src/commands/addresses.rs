//! Addresses: how they are, importing, fetching, and their life cycle.

use super::wait;
use crate::args::Common;
use crate::{Failure, print, session};
use mailroom_core::api::view::{AddressView, Status};
use mailroom_core::{api, app::App};
use std::sync::Arc;

/// `status`
pub(crate) async fn status(common: &Common, address: Option<&str>) -> Result<(), Failure> {
    let app = session::open(common, false).await?;
    let views = chosen(&app, address).await?;
    show(common, &views);
    if views.iter().any(|view| view.status == Status::Failed) {
        Err(Failure::Findings)
    } else {
        Ok(())
    }
}

/// Prints addresses as `status` does.
pub(crate) fn show(common: &Common, views: &[AddressView]) {
    if common.json {
        print::json(&views);
    } else {
        print::addresses(views, &session::language(common));
    }
}

/// The addresses meant: one, or all.
async fn chosen(app: &App, address: Option<&str>) -> Result<Vec<AddressView>, Failure> {
    let mut views = api::list_addresses(app).await?;
    if let Some(address) = address {
        let id = api::find_address(app, address).await?;
        views.retain(|view| view.id == id);
    }
    Ok(views)
}

/// `import`
pub(crate) async fn import(
    common: &Common,
    address: &str,
    newest: u32,
    rehearse: bool,
) -> Result<(), Failure> {
    let app = session::open(common, !rehearse).await?;
    let id = api::find_address(&app, address).await?;
    if rehearse {
        let rehearsal = api::rehearse_import(&app, id, newest).await?;
        if common.json {
            print::json(&rehearsal);
        } else {
            print::line("Nothing was stored. An import would give:");
            print::totals(&rehearsal.totals);
            print::line(&format!(
                "new tickets {}, mails that join a ticket {}, automatic mails {}",
                rehearsal.new_tickets, rehearsal.joining, rehearsal.automatic
            ));
        }
        return Ok(());
    }
    api::start_import(&app, id, newest).await?;
    let view = wait::for_import(&app, common, id).await?;
    session::close(&app).await;
    finish_import(common, &view)
}

/// Prints how an import ended; fails unless it is done without a failed mail.
fn finish_import(common: &Common, view: &AddressView) -> Result<(), Failure> {
    if common.json {
        print::json(&view.import);
    } else if let Some(import) = &view.import {
        print::totals(&import.totals);
    }
    let done = view
        .import
        .as_ref()
        .is_some_and(|import| import.pending == 0 && import.totals.failed == 0);
    if done {
        return Ok(());
    }
    if let Some(cause) = &view.cause
        && !common.json
    {
        print::finding(cause, &session::language(common));
    }
    Err(Failure::Findings)
}

/// `sync`
pub(crate) async fn sync(common: &Common, address: Option<&str>) -> Result<(), Failure> {
    let app = session::open(common, true).await?;
    let before = chosen(&app, address).await?;
    for view in before
        .iter()
        .filter(|view| view.status != Status::Disconnected)
    {
        api::sync_now(&app, Some(view.id)).await?;
    }
    let mut after = Vec::new();
    for view in before {
        if view.status == Status::Disconnected {
            after.push(view);
        } else {
            after.push(wait::for_poll(&app, view.id, Some(&view)).await?);
        }
    }
    session::close(&app).await;
    show(common, &after);
    let well = after
        .iter()
        .all(|view| !matches!(view.status, Status::Failed | Status::Offline));
    if well { Ok(()) } else { Err(Failure::Findings) }
}

/// `run`
pub(crate) async fn run(common: &Common) -> Result<(), Failure> {
    let app = session::open(common, true).await?;
    let language = session::language(common);
    let mut notices = app.notices();
    print::note("Polling. Ctrl-C ends it.");
    let follow = async {
        use mailroom_core::api::view::Notice;
        loop {
            match notices.recv().await {
                Ok(notice) if common.json => print::json(&notice),
                Ok(Notice::NewTickets { address, count }) => {
                    print::line(&format!("{address}: {count} new"));
                }
                Ok(Notice::Address(view)) => {
                    let word = print::status_word(view.status, &language);
                    tracing::info!(address = %view.address, status = %word, "Changed.");
                }
                Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            }
        }
    };
    tokio::select! {
        () = follow => {}
        () = session::interrupted() => {}
    }
    session::close(&app).await;
    Ok(())
}

/// `disconnect`
pub(crate) async fn disconnect(common: &Common, address: &str) -> Result<(), Failure> {
    let app = session::open(common, false).await?;
    let id = api::find_address(&app, address).await?;
    api::disconnect_address(&app, id).await?;
    show_one(common, &app, id).await?;
    print::note(&format!(
        "Nothing is read or sent any more. For ten minutes this undoes it: mailroom reconnect {address} --undo"
    ));
    Ok(())
}

/// `reconnect --undo`
pub(crate) async fn undo_disconnect(common: &Common, address: &str) -> Result<(), Failure> {
    let app = session::open(common, true).await?;
    let id = api::find_address(&app, address).await?;
    let before = api::address_details(&app, id).await?.address;
    api::undo_disconnect(&app, id).await?;
    let view = match api::address_details(&app, id).await?.address {
        view if view.status == Status::Paused => view,
        _ => wait::for_poll(&app, id, Some(&before)).await?,
    };
    session::close(&app).await;
    show(common, std::slice::from_ref(&view));
    if matches!(view.status, Status::Failed | Status::Offline) {
        return Err(Failure::Findings);
    }
    Ok(())
}

/// `default`
pub(crate) async fn make_default(common: &Common, address: &str) -> Result<(), Failure> {
    let app = session::open(common, false).await?;
    let id = api::find_address(&app, address).await?;
    api::make_default(&app, id).await?;
    show_one(common, &app, id).await
}

async fn show_one(common: &Common, app: &Arc<App>, id: i64) -> Result<(), Failure> {
    let view = api::address_details(app, id).await?.address;
    show(common, &[view]);
    Ok(())
}
