//! Asking where to save something, in the system's own dialog.

use crate::shell::Shell;
use std::path::PathBuf;
use tauri::{AppHandle, Manager, State};
use tauri_plugin_dialog::DialogExt;

/// Asks for a place; `title` names the words of the dialog, `file_name` is what is suggested. Nothing when the person
/// closed the dialog.
pub(crate) async fn ask_where(
    app: &AppHandle,
    shell: &State<'_, Shell>,
    title: &str,
    file_name: &str,
) -> Option<PathBuf> {
    let mut dialog = app
        .dialog()
        .file()
        .set_title(shell.words().notice(title, &[]))
        .set_file_name(file_name);
    if let Ok(folder) = app.path().download_dir() {
        dialog = dialog.set_directory(folder);
    }
    let (tell, told) = tokio::sync::oneshot::channel();
    dialog.save_file(|chosen| {
        let _ = tell.send(chosen);
    });
    told.await.ok().flatten()?.into_path().ok()
}
