//! Mailboxes that are reached by IMAP and SMTP. Passwords arrive here once and go on sealed; none ever goes back.

use super::Answer;
use crate::shell::Shell;
use mailroom_core::api::view::{
    AddressView, ConnectAttempt, ConnectRequest, ServerProposal, ServerResult, ServerSaved,
    ServerView,
};
use mailroom_core::api::{self, ConvertTo, ImapInput, ServerPasswords, ServersInput, SmtpInput};
use secrecy::SecretString;
use tauri::State;

#[tauri::command]
pub(super) async fn propose_servers(
    shell: State<'_, Shell>,
    address: String,
) -> Answer<Vec<ServerProposal>> {
    api::propose_servers(&*shell.core().await?, &address).await
}

#[tauri::command]
pub(super) async fn servers(shell: State<'_, Shell>, id: Option<i64>) -> Answer<Vec<ServerView>> {
    api::servers(&*shell.core().await?, id).await
}

#[tauri::command]
pub(super) async fn try_servers(shell: State<'_, Shell>, id: i64) -> Answer<Vec<ServerResult>> {
    api::try_servers(&*shell.core().await?, id).await
}

#[tauri::command]
pub(super) async fn begin_connect_imap(
    shell: State<'_, Shell>,
    request: ConnectRequest,
    input: ImapInput,
) -> Answer<ConnectAttempt> {
    api::begin_connect_imap(&shell.core().await?, request, input).await
}

#[tauri::command]
pub(super) async fn begin_connect_password(
    shell: State<'_, Shell>,
    request: ConnectRequest,
    input: ImapInput,
    password: String,
) -> Answer<ConnectAttempt> {
    let password = SecretString::from(password);
    api::begin_connect_password(&shell.core().await?, request, input, password).await
}

#[tauri::command]
pub(super) async fn reconnect_password(
    shell: State<'_, Shell>,
    id: i64,
    password: String,
) -> Answer<ConnectAttempt> {
    let password = SecretString::from(password);
    api::reconnect_password(&shell.core().await?, id, password).await
}

#[tauri::command]
pub(super) async fn set_outbound(
    shell: State<'_, Shell>,
    id: i64,
    input: SmtpInput,
    password: Option<String>,
) -> Answer<AddressView> {
    let password = password.map(SecretString::from);
    api::set_outbound(&*shell.core().await?, id, input, password).await
}

#[tauri::command]
pub(super) async fn save_servers(
    shell: State<'_, Shell>,
    id: i64,
    input: ServersInput,
    password: Option<String>,
    outbound_password: Option<String>,
) -> Answer<Vec<ServerSaved>> {
    let passwords = ServerPasswords {
        inbound: password.map(SecretString::from),
        outbound: outbound_password.map(SecretString::from),
    };
    api::save_servers(&*shell.core().await?, id, input, passwords).await
}

#[tauri::command]
pub(super) async fn convert_to_oauth(
    shell: State<'_, Shell>,
    id: i64,
    to: ConvertTo,
    private_window: bool,
    language: String,
) -> Answer<ConnectAttempt> {
    api::convert_to_oauth(&shell.core().await?, id, to, private_window, &language).await
}

#[tauri::command]
pub(super) async fn remove_outbound(shell: State<'_, Shell>, id: i64) -> Answer<()> {
    api::remove_outbound(&*shell.core().await?, id).await
}
