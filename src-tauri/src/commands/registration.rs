//! The app registration: its audit, and the script that makes or mends it.

use super::Answer;
use crate::saving::ask_where;
use crate::shell::Shell;
use mailroom_core::api;
use mailroom_core::api::view::{self, Access, Audit};
use mailroom_core::diagnosis::catalogue::Card;
use tauri::{AppHandle, State};

#[tauri::command]
pub(super) async fn audit_registration(
    shell: State<'_, Shell>,
    manifest: String,
    access: Access,
    tenant: String,
    language: String,
) -> Answer<(Audit, Vec<Card>)> {
    let core = shell.core().await?;
    api::audit_registration(&core, &manifest, access, &tenant, &language).await
}

#[tauri::command]
pub(super) async fn registration_script(
    runs_in: view::Shell,
    access: Access,
    name: String,
    tenant: String,
    client_id: Option<String>,
) -> Answer<String> {
    let id = client_id.as_deref();
    Ok(api::registration_script(
        runs_in, access, &name, &tenant, id,
    ))
}

/// Asks where to, in the system's dialog, and returns the path; nothing when the person closed it.
#[tauri::command]
pub(super) async fn save_registration_script(
    app: AppHandle,
    shell: State<'_, Shell>,
    runs_in: view::Shell,
    access: Access,
    name: String,
    tenant: String,
    client_id: Option<String>,
) -> Answer<Option<String>> {
    let file = match runs_in {
        view::Shell::Powershell => "mailroom-registration.ps1",
        view::Shell::Az => "mailroom-registration.sh",
    };
    let id = client_id.as_deref();
    let text = api::registration_script(runs_in, access, &name, &tenant, id);
    let Some(path) = ask_where(&app, &shell, "save_registration_script", file).await else {
        return Ok(None);
    };
    api::save_registration_script(&path, text).await?;
    Ok(Some(path.to_string_lossy().into_owned()))
}
