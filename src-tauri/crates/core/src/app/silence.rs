//! Tells shells when addresses fall silent, while this process polls.

use super::App;
use crate::api::view::{Notice, PollingRole};
use crate::sync::silence::{Watch, look};
use std::sync::Weak;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often to look.
const LOOK: Duration = Duration::from_secs(1);

/// Runs until cancelled or until the application is gone.
pub(super) async fn watch(app: Weak<App>, cancel: CancellationToken) {
    let mut watch = Watch::default();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let Some(app) = app.upgrade() else { return };
        if app.polling() != PollingRole::Here {
            continue;
        }
        match look(&app.context, &mut watch).await {
            Ok(news) => {
                if !news.silent.is_empty() {
                    app.announce(Notice::Silent {
                        address_ids: news.silent,
                    });
                }
                if !news.recovered.is_empty() {
                    app.announce(Notice::Recovered {
                        address_ids: news.recovered,
                    });
                }
            }
            Err(error) => tracing::warn!(%error, "Silence cannot be looked for."),
        }
    }
}
