//! What the core tells without being asked: to the window as it is, to the tray as a list, and to the
//! person as a desktop notification where it matters.

mod news;

use crate::shell::Shell;
use crate::tray::Tray;
use crate::window;
use mailroom_core::api;
use mailroom_core::api::view::Notice;
use mailroom_core::app::App;
use news::{Memory, News};
use std::sync::Arc;
use std::time::Duration;
use tauri::{AppHandle, Emitter, Manager};
use tauri_plugin_notification::NotificationExt;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};

/// The event that the window listens to.
const EVENT: &str = "notice";

/// Changes of state within this time are told of together.
const GATHER: Duration = Duration::from_secs(2);

/// Forwards notices until the core ends.
pub(crate) fn forward(app: AppHandle, core: Arc<App>) {
    tauri::async_runtime::spawn(async move {
        let mut notices = core.notices();
        let mut memory = Memory::default();
        redraw(&app, &core, &mut memory).await;
        let mut tell_at = None;
        loop {
            tell_at = memory
                .waits()
                .then(|| tell_at.unwrap_or_else(|| Instant::now() + GATHER));
            let received = match tell_at {
                Some(at) => timeout_at(at, notices.recv()).await,
                None => Ok(notices.recv().await),
            };
            let Ok(received) = received else {
                let heard = wants_to_hear(&app, &core).await;
                for news in memory.gathered(app.state::<Shell>().words(), heard) {
                    show(&app, news);
                }
                tell_at = None;
                continue;
            };
            match received {
                Ok(notice) => take(&app, &core, &mut memory, notice).await,
                // Some were lost: the window gets every address once more.
                Err(RecvError::Lagged(_)) => {
                    for address in api::list_addresses(&core).await.unwrap_or_default() {
                        let again = Notice::Address(Box::new(address));
                        take(&app, &core, &mut memory, again).await;
                    }
                }
                Err(RecvError::Closed) => return,
            }
        }
    });
}

async fn take(app: &AppHandle, core: &App, memory: &mut Memory, notice: Notice) {
    if let Err(error) = app.emit(EVENT, &notice) {
        tracing::warn!(%error, "the window did not get a notice");
    }
    let words = app.state::<Shell>().words();
    if let Some(news) = memory.news(&notice, words)
        && wants_to_hear(app, core).await
    {
        show(app, news);
    }
    if matches!(notice, Notice::Address(_) | Notice::AddressRemoved(_)) {
        draw(app, memory);
    }
}

async fn redraw(app: &AppHandle, core: &App, memory: &mut Memory) {
    memory.learn(api::list_addresses(core).await.unwrap_or_default());
    draw(app, memory);
}

fn draw(app: &AppHandle, memory: &Memory) {
    if let Some(tray) = app.try_state::<Tray>() {
        tray.show(&memory.addresses(), app.state::<Shell>().words());
    }
}

/// Who looks at the window sees it there; in quiet hours nobody is disturbed.
async fn wants_to_hear(app: &AppHandle, core: &App) -> bool {
    !window::is_watched(app) && api::wants_notifications(core).await.unwrap_or(false)
}

fn show(app: &AppHandle, news: News) {
    let shown = app
        .notification()
        .builder()
        .title(news.title)
        .body(news.text)
        .show();
    if let Err(error) = shown {
        tracing::debug!(%error, "the system shows no notifications");
    }
}
