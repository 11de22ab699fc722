//! The support bundle: looked at first, then saved as it was seen.

use super::Answer;
use crate::saving::ask_where;
use crate::shell::Shell;
use mailroom_core::api;
use mailroom_core::api::error::{ApiError, ErrorCode};
use mailroom_core::api::view::BundlePreview;
use tauri::{AppHandle, State};

#[tauri::command]
pub(crate) async fn preview_bundle(
    shell: State<'_, Shell>,
    with_names: bool,
) -> Answer<BundlePreview> {
    let preview = api::preview_bundle(&*shell.core().await?, with_names).await?;
    shell.bundle.lock().await.replace(preview.clone());
    Ok(preview)
}

/// Saves the bundle that was looked at last. Asks where to and returns the path; nothing when the person closed the
/// dialog.
#[tauri::command]
pub(crate) async fn save_bundle(app: AppHandle, shell: State<'_, Shell>) -> Answer<Option<String>> {
    let seen = shell.bundle.lock().await.clone();
    let preview = seen.ok_or_else(|| ApiError::new(ErrorCode::WrongState))?;
    let Some(path) = ask_where(&app, &shell, "save_bundle", "mailroom-support.zip").await else {
        return Ok(None);
    };
    let shown = path.to_string_lossy().into_owned();
    api::write_bundle(path, preview).await?;
    Ok(Some(shown))
}
