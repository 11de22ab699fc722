//! Tells shells what changed, whichever process changed it: the database is looked at when its version moves.

use super::{App, address_views};
use crate::api::view::{AddressView, Notice};
use crate::store::handoffs::{self, HandOffRow};
use crate::sync::NewTickets;
use std::collections::BTreeMap;
use std::sync::Weak;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

/// How often to look.
const LOOK: Duration = Duration::from_millis(400);

/// Runs until cancelled or until the application is gone.
pub(super) async fn watch(
    app: Weak<App>,
    cancel: CancellationToken,
    mut new_tickets: UnboundedReceiver<NewTickets>,
) {
    let mut watcher = Watcher::default();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            Some(news) = new_tickets.recv() => {
                if let Some(app) = app.upgrade() {
                    app.announce(Notice::NewTickets { address: news.address, count: news.count });
                }
                continue;
            }
            () = tokio::time::sleep(LOOK) => {}
        }
        let Some(app) = app.upgrade() else { return };
        watcher.look(&app).await;
    }
}

#[derive(Default)]
struct Watcher {
    version: Option<i64>,
    role: Option<crate::api::view::PollingRole>,
    /// What was last told, as JSON text, and the newest message.
    told: BTreeMap<i64, (String, AddressView)>,
    newest: BTreeMap<i64, i64>,
    handoffs: Option<Vec<HandOffRow>>,
}

impl Watcher {
    async fn look(&mut self, app: &App) {
        let role = app.polling();
        if self.role.replace(role).is_some_and(|before| before != role) {
            app.announce(Notice::Polling(role));
        }
        let Ok(version) = app.context.store.version().await else {
            return;
        };
        // Progress and "polling now" live in this process, beside the database.
        let restless = self.told.values().any(|(_, view)| {
            view.polling != app.context.is_busy(view.id)
                || view
                    .import
                    .as_ref()
                    .is_some_and(|import| import.ended_at.is_none() && import.rate > 0.0)
        });
        if self.version == Some(version) && !restless {
            return;
        }
        let Ok(views) = address_views(app).await else {
            return;
        };
        let first = self.version.replace(version).is_none();
        self.tell(app, views, first);
        if let Ok(rows) = app.context.store.read(handoffs::all).await
            && self.handoffs.as_ref() != Some(&rows)
        {
            self.handoffs = Some(rows);
            if !first {
                app.announce(Notice::HandOffs);
            }
        }
        let Ok(newest) = app
            .context
            .store
            .read(crate::store::messages::newest_by_address)
            .await
        else {
            return;
        };
        for (id, message) in newest {
            if self.newest.insert(id, message) != Some(message)
                && !first
                && let Some((_, view)) = self.told.get(&id)
            {
                app.announce(Notice::TicketsChanged(view.address.clone()));
            }
        }
    }

    fn tell(&mut self, app: &App, views: Vec<AddressView>, first: bool) {
        let gone: Vec<i64> = self
            .told
            .keys()
            .filter(|id| !views.iter().any(|view| view.id == **id))
            .copied()
            .collect();
        for id in gone {
            self.told.remove(&id);
            app.announce(Notice::AddressRemoved(id));
        }
        for view in views {
            let text = serde_json::to_string(&view).unwrap_or_default();
            let changed = self
                .told
                .get(&view.id)
                .is_none_or(|(told, _)| *told != text);
            if changed {
                self.told.insert(view.id, (text, view.clone()));
                if !first {
                    app.announce(Notice::Address(Box::new(view)));
                }
            }
        }
    }
}
