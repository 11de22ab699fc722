//! An import as people start it: listed, fetched, parsed, threaded, indexed, in the ledger.

use crate::Outcome;
use crate::connection::{LOOK, MemoryKey, connect};
use crate::usage::{Start, Usage};
use mailroom_core::api;
use mailroom_core::api::view::ImportState;
use mailroom_core::app::App;
use mailroom_sandbox::Description;
use std::sync::Arc;
use std::time::Duration;

/// Imports the newest `size` mails.
pub(crate) async fn import(tenant: Description, size: u32) -> Outcome<Usage> {
    let folder = tempfile::tempdir()?;
    let key = Arc::new(MemoryKey::default());
    let (app, id) = connect(folder.path(), key, &tenant).await?;
    run(&app, id, size).await
}

/// Imports the newest `size` mails of a connected address and closes the application.
pub(crate) async fn run(app: &App, id: i64, size: u32) -> Outcome<Usage> {
    let start = Start::now();
    api::start_import(app, id, size).await?;
    let import = loop {
        let view = api::address_details(app, id).await?.address;
        if let Some(import) = view
            .import
            .filter(|import| import.state == ImportState::Done)
        {
            break import;
        }
        if let Some(cause) = view.cause {
            return Err(format!("{cause:?}").into());
        }
        // Looking counts everything and costs processor time of its own: the more mail there is, the more seldom.
        let pause = Duration::from_micros(u64::from(size) * 10);
        tokio::time::sleep(pause.max(LOOK)).await;
    };
    let usage = start.usage(import.totals.found);
    if import.totals.found != size || import.totals.failed > 0 {
        return Err(format!("{:?} of {size}", import.totals).into());
    }
    app.close().await;
    Ok(usage)
}
