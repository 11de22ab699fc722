//! Handing fixes over.

use super::Answer;
use crate::saving::ask_where;
use crate::shell::Shell;
use mailroom_core::api;
use mailroom_core::api::view::{ApprovalVisit, HandOff, HandOffFor, HandOffSender, MailHandOff};
use tauri::{AppHandle, State};

#[tauri::command]
pub(super) async fn list_hand_offs(shell: State<'_, Shell>) -> Answer<Vec<HandOff>> {
    api::list_hand_offs(&*shell.core().await?).await
}

#[tauri::command]
pub(super) async fn hand_off(
    shell: State<'_, Shell>,
    whom: HandOffFor,
    code: String,
) -> Answer<HandOff> {
    api::hand_off(&*shell.core().await?, whom, &code).await
}

#[tauri::command]
pub(super) async fn recheck_hand_off(shell: State<'_, Shell>, id: i64) -> Answer<HandOff> {
    api::recheck_hand_off(&shell.core().await?, id).await
}

#[tauri::command]
pub(super) async fn approve_here(
    shell: State<'_, Shell>,
    id: i64,
    attempt_id: Option<String>,
    language: String,
) -> Answer<ApprovalVisit> {
    api::approve_here(&shell.core().await?, id, attempt_id, &language).await
}

#[tauri::command]
pub(super) async fn hand_off_senders(shell: State<'_, Shell>) -> Answer<Vec<HandOffSender>> {
    api::hand_off_senders(&*shell.core().await?).await
}

#[tauri::command]
pub(super) async fn mail_hand_off(shell: State<'_, Shell>, mail: MailHandOff) -> Answer<HandOff> {
    api::mail_hand_off(&*shell.core().await?, mail).await
}

#[tauri::command]
pub(super) async fn save_hand_off(
    app: AppHandle,
    shell: State<'_, Shell>,
    id: i64,
    language: String,
) -> Answer<Option<String>> {
    let core = shell.core().await?;
    let name = api::hand_off_name(&core, id).await?;
    let Some(path) = ask_where(&app, &shell, "save_hand_off", &name).await else {
        return Ok(None);
    };
    api::save_hand_off(&core, id, &language, &path).await?;
    Ok(Some(path.to_string_lossy().into_owned()))
}

#[tauri::command]
pub(super) async fn withdraw_hand_off(shell: State<'_, Shell>, id: i64) -> Answer<()> {
    api::withdraw_hand_off(&*shell.core().await?, id).await
}
