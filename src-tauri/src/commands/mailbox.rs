//! The folder that is read, what becomes of mail in it once it is imported, and the rules that send mail on.

use super::Answer;
use crate::shell::Shell;
use mailroom_core::api::view::{AfterImport, AfterImportRehearsal, ConnectAttempt, FolderView};
use mailroom_core::api::{self, ForwardingCheck};
use tauri::State;

#[tauri::command]
pub(super) async fn folders(shell: State<'_, Shell>, id: i64) -> Answer<Vec<FolderView>> {
    api::folders(&*shell.core().await?, id).await
}

#[tauri::command]
pub(super) async fn folders_of_attempt(
    shell: State<'_, Shell>,
    attempt_id: String,
) -> Answer<Vec<FolderView>> {
    api::folders_of_attempt(&*shell.core().await?, &attempt_id).await
}

#[tauri::command]
pub(super) async fn set_folder(
    shell: State<'_, Shell>,
    id: i64,
    path: Option<String>,
) -> Answer<()> {
    api::set_folder(&*shell.core().await?, id, path.as_deref()).await
}

#[tauri::command]
pub(super) async fn rehearse_after_import(
    shell: State<'_, Shell>,
    id: i64,
    choice: AfterImport,
    newest: u32,
) -> Answer<AfterImportRehearsal> {
    api::rehearse_after_import(&*shell.core().await?, id, choice, newest).await
}

/// Moving and deleting need the address as `confirmation`: typed by the person, and looked at by the core.
#[tauri::command]
pub(super) async fn set_after_import(
    shell: State<'_, Shell>,
    id: i64,
    choice: AfterImport,
    confirmation: Option<String>,
    also_imported: bool,
) -> Answer<()> {
    let core = shell.core().await?;
    api::set_after_import(&core, id, choice, confirmation.as_deref(), also_imported).await
}

#[tauri::command]
pub(super) async fn look_for_forwarding(
    shell: State<'_, Shell>,
    id: i64,
) -> Answer<ForwardingCheck> {
    api::look_for_forwarding(&*shell.core().await?, id).await
}

#[tauri::command]
pub(super) async fn ask_for_forwarding(
    shell: State<'_, Shell>,
    id: i64,
    private_window: bool,
    language: String,
) -> Answer<ConnectAttempt> {
    api::ask_for_forwarding(&shell.core().await?, id, private_window, &language).await
}
