//! Practising: breaking one thing in the practice tenant, and mending it. Real addresses cannot be reached from here.

use super::Answer;
use crate::shell::Shell;
use mailroom_core::api;
use mailroom_core::api::error::{ApiError, ErrorCode};
use mailroom_core::api::view::PracticeView;
use tauri::State;

#[tauri::command]
pub(crate) async fn practice(shell: State<'_, Shell>, language: String) -> Answer<PracticeView> {
    let core = shell.core().await?;
    let (scenarios, admin) = shell.practice.scenarios().await;
    Ok(api::practice(&core, &scenarios, admin, &language))
}

/// The names of what is broken at the moment.
#[tauri::command]
pub(crate) async fn exercises_on(shell: State<'_, Shell>) -> Answer<Vec<String>> {
    let (scenarios, _) = shell.practice.scenarios().await;
    let on = scenarios.into_iter().filter(|scenario| scenario.on);
    Ok(on.map(|scenario| scenario.name).collect())
}

#[tauri::command]
pub(crate) async fn begin_exercise(shell: State<'_, Shell>, name: String) -> Answer<()> {
    let core = shell.core().await?;
    if !shell.practice.practise(&name).await {
        return Err(ApiError::new(ErrorCode::NotFound).arg("value", name));
    }
    api::poll_practice(&core).await
}

#[tauri::command]
pub(crate) async fn end_exercise(shell: State<'_, Shell>) -> Answer<()> {
    let core = shell.core().await?;
    shell.practice.stop_practising().await;
    api::poll_practice(&core).await
}

/// Looks at once whether the practice addresses are well again, for somebody who has just mended them.
#[tauri::command]
pub(crate) async fn poll_practice(shell: State<'_, Shell>) -> Answer<()> {
    api::poll_practice(&*shell.core().await?).await
}
