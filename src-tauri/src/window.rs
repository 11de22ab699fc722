//! The one window.

use tauri::{AppHandle, Manager, WebviewWindow, WebviewWindowBuilder};

/// Its label in tauri.conf.json and in the capability.
pub(crate) const LABEL: &str = "main";

/// Shows the window, made anew when it was closed: between the two, Mailroom runs without a webview.
pub(crate) fn show(app: &AppHandle) {
    if let Err(error) = find_or_make(app).and_then(|window| {
        window.unminimize()?;
        window.show()?;
        window.set_focus()
    }) {
        tracing::error!(%error, "the window cannot be shown");
    }
}

/// Whether a person is looking at the window.
pub(crate) fn is_watched(app: &AppHandle) -> bool {
    let window = app.get_webview_window(LABEL);
    window.is_some_and(|window| window.is_focused().unwrap_or(false))
}

fn find_or_make(app: &AppHandle) -> tauri::Result<WebviewWindow> {
    if let Some(window) = app.get_webview_window(LABEL) {
        return Ok(window);
    }
    let config = app
        .config()
        .app
        .windows
        .iter()
        .find(|window| window.label == LABEL);
    let config = config.ok_or(tauri::Error::WindowNotFound)?;
    WebviewWindowBuilder::from_config(app, config)?
        // Links of mails and pages never replace the user interface.
        .on_navigation(|url| {
            let own = url.scheme() == "tauri" || url.host_str() == Some("tauri.localhost");
            let inner = ["about", "data"].contains(&url.scheme());
            own || inner || (tauri::is_dev() && url.host_str() == Some("127.0.0.1"))
        })
        .build()
}
