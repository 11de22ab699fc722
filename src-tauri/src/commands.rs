//! What the window may call. Each command checks nothing itself and does nothing itself: it asks the core,
//! which does not trust the window either.

mod bundle;
mod handoff;
mod mailbox;
mod practice;
mod registration;
mod servers;

use crate::saving::ask_where;
use crate::shell::Shell;
use mailroom_core::api;
use mailroom_core::api::error::{ApiError, ErrorCode};
use mailroom_core::api::view::{
    AddressDetails, AddressSettings, AddressView, AgentView, AppView, ConnectAttempt,
    ConnectChoices, ConnectRequest, ConnectionMap, ForecastItem, LedgerRow, Outcome, SandboxView,
    Settings, Station, TicketPage, TicketQuery, TicketView,
};
use mailroom_core::diagnosis::catalogue::Card;
use mailroom_core::diagnosis::explain::Explanation;
use mailroom_core::import::html::SafeHtml;
use std::collections::BTreeMap;
use tauri::{AppHandle, State};

type Answer<T> = Result<T, ApiError>;

/// The handler of all commands. The names stand in src-tauri/permissions/commands.toml too.
pub(crate) fn handler() -> impl Fn(tauri::ipc::Invoke) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        app_view,
        save_settings,
        start_sandbox,
        stop_sandbox,
        list_addresses,
        address_details,
        save_address_settings,
        sync_now,
        pause_address,
        resume_address,
        disconnect_address,
        undo_disconnect,
        reconnect_address,
        make_default,
        list_agents,
        add_agent,
        remove_agent,
        allow_requester,
        list_brands,
        begin_connect,
        connect_attempt,
        open_browser_again,
        retry_connect,
        cancel_connect,
        finish_connect,
        check_address,
        check_attempt,
        prove_sending,
        handoff::list_hand_offs,
        handoff::hand_off,
        handoff::recheck_hand_off,
        handoff::approve_here,
        handoff::hand_off_senders,
        handoff::mail_hand_off,
        handoff::save_hand_off,
        handoff::withdraw_hand_off,
        start_import,
        pause_import,
        resume_import,
        cancel_import,
        list_tickets,
        ticket,
        message_html,
        save_attachment,
        ledger,
        explain,
        explain_text,
        open_link,
        forecast,
        forecasts,
        bundle::preview_bundle,
        bundle::save_bundle,
        practice::practice,
        practice::exercises_on,
        practice::begin_exercise,
        practice::end_exercise,
        practice::poll_practice,
        mailbox::folders,
        mailbox::folders_of_attempt,
        mailbox::set_folder,
        mailbox::rehearse_after_import,
        mailbox::set_after_import,
        registration::audit_registration,
        registration::registration_script,
        registration::save_registration_script,
        mailbox::look_for_forwarding,
        mailbox::ask_for_forwarding,
        servers::propose_servers,
        servers::servers,
        servers::try_servers,
        servers::begin_connect_imap,
        servers::begin_connect_password,
        servers::reconnect_password,
        servers::set_outbound,
        servers::save_servers,
        servers::convert_to_oauth,
        servers::remove_outbound,
    ]
}

#[tauri::command]
async fn app_view(shell: State<'_, Shell>) -> Answer<AppView> {
    api::app_view(&*shell.core().await?).await
}

#[tauri::command]
async fn save_settings(shell: State<'_, Shell>, settings: Settings) -> Answer<()> {
    let core = shell.core().await?;
    api::save_settings(&core, settings).await?;
    shell.use_settings(&core).await;
    Ok(())
}

#[tauri::command]
async fn start_sandbox(shell: State<'_, Shell>) -> Answer<SandboxView> {
    let core = shell.core().await?;
    let started = shell.practice.start().await;
    let view = started.map_err(|error| ApiError::new(ErrorCode::Internal).because(error))?;
    core.set_sandbox(Some(view.clone()));
    Ok(view)
}

#[tauri::command]
async fn stop_sandbox(shell: State<'_, Shell>) -> Answer<()> {
    shell.core().await?.set_sandbox(None);
    shell.practice.stop(true).await;
    Ok(())
}

#[tauri::command]
async fn list_addresses(shell: State<'_, Shell>) -> Answer<Vec<AddressView>> {
    api::list_addresses(&*shell.core().await?).await
}

#[tauri::command]
async fn address_details(shell: State<'_, Shell>, id: i64) -> Answer<AddressDetails> {
    api::address_details(&*shell.core().await?, id).await
}

#[tauri::command]
async fn save_address_settings(
    shell: State<'_, Shell>,
    id: i64,
    settings: AddressSettings,
) -> Answer<()> {
    api::save_address_settings(&*shell.core().await?, id, settings).await
}

#[tauri::command]
async fn sync_now(shell: State<'_, Shell>, id: Option<i64>) -> Answer<()> {
    api::sync_now(&*shell.core().await?, id).await
}

#[tauri::command]
async fn pause_address(shell: State<'_, Shell>, id: i64) -> Answer<()> {
    api::pause_address(&*shell.core().await?, id).await
}

#[tauri::command]
async fn resume_address(shell: State<'_, Shell>, id: i64) -> Answer<()> {
    api::resume_address(&*shell.core().await?, id).await
}

#[tauri::command]
async fn disconnect_address(shell: State<'_, Shell>, id: i64) -> Answer<()> {
    api::disconnect_address(&*shell.core().await?, id).await
}

#[tauri::command]
async fn undo_disconnect(shell: State<'_, Shell>, id: i64) -> Answer<()> {
    api::undo_disconnect(&*shell.core().await?, id).await
}

#[tauri::command]
async fn list_agents(shell: State<'_, Shell>) -> Answer<Vec<AgentView>> {
    api::list_agents(&*shell.core().await?).await
}

#[tauri::command]
async fn add_agent(
    shell: State<'_, Shell>,
    name: String,
    address: String,
) -> Answer<Vec<AgentView>> {
    api::add_agent(&*shell.core().await?, &name, &address).await
}

#[tauri::command]
async fn remove_agent(shell: State<'_, Shell>, id: i64) -> Answer<Vec<AgentView>> {
    api::remove_agent(&*shell.core().await?, id).await
}

#[tauri::command]
async fn allow_requester(shell: State<'_, Shell>, address: String) -> Answer<()> {
    api::allow_requester(&*shell.core().await?, &address)
}

#[tauri::command]
async fn reconnect_address(
    shell: State<'_, Shell>,
    id: i64,
    private_window: bool,
    language: String,
) -> Answer<ConnectAttempt> {
    api::reconnect_address(&shell.core().await?, id, private_window, &language).await
}

#[tauri::command]
async fn make_default(shell: State<'_, Shell>, id: i64) -> Answer<()> {
    api::make_default(&*shell.core().await?, id).await
}

#[tauri::command]
async fn list_brands(shell: State<'_, Shell>) -> Answer<Vec<String>> {
    api::list_brands(&*shell.core().await?).await
}

#[tauri::command]
async fn begin_connect(shell: State<'_, Shell>, request: ConnectRequest) -> Answer<ConnectAttempt> {
    api::begin_connect(&shell.core().await?, request).await
}

#[tauri::command]
async fn connect_attempt(shell: State<'_, Shell>, attempt_id: String) -> Answer<ConnectAttempt> {
    api::connect_attempt(&*shell.core().await?, &attempt_id)
}

#[tauri::command]
async fn open_browser_again(
    shell: State<'_, Shell>,
    attempt_id: String,
    private_window: bool,
) -> Answer<()> {
    api::open_browser_again(&*shell.core().await?, &attempt_id, private_window).await
}

#[tauri::command]
async fn retry_connect(
    shell: State<'_, Shell>,
    attempt_id: String,
    private_window: bool,
) -> Answer<ConnectAttempt> {
    api::retry_connect(&shell.core().await?, &attempt_id, private_window)
}

#[tauri::command]
async fn cancel_connect(shell: State<'_, Shell>, attempt_id: String) -> Answer<()> {
    api::cancel_connect(&*shell.core().await?, &attempt_id)
}

#[tauri::command]
async fn finish_connect(
    shell: State<'_, Shell>,
    attempt_id: String,
    choices: ConnectChoices,
) -> Answer<AddressView> {
    api::finish_connect(&*shell.core().await?, &attempt_id, choices).await
}

#[tauri::command]
async fn check_address(
    shell: State<'_, Shell>,
    id: i64,
    only: Option<Station>,
) -> Answer<ConnectionMap> {
    api::check_address(&shell.core().await?, id, only).await
}

#[tauri::command]
async fn check_attempt(shell: State<'_, Shell>, attempt_id: String) -> Answer<ConnectionMap> {
    api::check_attempt(&shell.core().await?, &attempt_id).await
}

/// Sends a mail. The window has shown it and asked.
#[tauri::command]
async fn prove_sending(shell: State<'_, Shell>, id: i64) -> Answer<ConnectionMap> {
    api::prove_sending(&shell.core().await?, id).await
}

#[tauri::command]
async fn start_import(shell: State<'_, Shell>, id: i64, newest: u32) -> Answer<()> {
    api::start_import(&*shell.core().await?, id, newest).await
}

#[tauri::command]
async fn pause_import(shell: State<'_, Shell>, id: i64) -> Answer<()> {
    api::pause_import(&*shell.core().await?, id).await
}

#[tauri::command]
async fn resume_import(shell: State<'_, Shell>, id: i64) -> Answer<()> {
    api::resume_import(&*shell.core().await?, id).await
}

#[tauri::command]
async fn cancel_import(shell: State<'_, Shell>, id: i64) -> Answer<()> {
    api::cancel_import(&*shell.core().await?, id).await
}

#[tauri::command]
async fn list_tickets(shell: State<'_, Shell>, query: TicketQuery) -> Answer<TicketPage> {
    api::list_tickets(&*shell.core().await?, query).await
}

#[tauri::command]
async fn ticket(shell: State<'_, Shell>, id: i64) -> Answer<TicketView> {
    api::ticket(&*shell.core().await?, id).await
}

#[tauri::command]
async fn message_html(shell: State<'_, Shell>, message_id: i64) -> Answer<Option<SafeHtml>> {
    api::message_html(&*shell.core().await?, message_id).await
}

/// Asks where to, in the system's dialog, and returns the path; nothing when the person closed it.
#[tauri::command]
async fn save_attachment(
    app: AppHandle,
    shell: State<'_, Shell>,
    attachment_id: i64,
) -> Answer<Option<String>> {
    let core = shell.core().await?;
    let name = api::attachment_name(&core, attachment_id).await?;
    let Some(path) = ask_where(&app, &shell, "save_attachment", &name).await else {
        return Ok(None);
    };
    api::save_attachment(&core, attachment_id, &path).await?;
    Ok(Some(path.to_string_lossy().into_owned()))
}

#[tauri::command]
async fn ledger(
    shell: State<'_, Shell>,
    id: i64,
    message_id: Option<String>,
    outcome: Option<Outcome>,
    offset: u32,
    limit: u32,
) -> Answer<Vec<LedgerRow>> {
    api::ledger(
        &*shell.core().await?,
        id,
        message_id,
        outcome,
        offset,
        limit,
    )
    .await
}

#[tauri::command]
async fn explain(
    shell: State<'_, Shell>,
    code: String,
    args: BTreeMap<String, String>,
    language: String,
) -> Answer<Card> {
    Ok(api::explain(&*shell.core().await?, &code, &args, &language))
}

#[tauri::command]
async fn explain_text(
    shell: State<'_, Shell>,
    text: String,
    language: String,
) -> Answer<Vec<Explanation>> {
    Ok(api::explain_text(&*shell.core().await?, &text, &language))
}

#[tauri::command]
async fn forecast(shell: State<'_, Shell>, id: i64) -> Answer<Vec<ForecastItem>> {
    api::forecast(&*shell.core().await?, id).await
}

#[tauri::command]
async fn forecasts(shell: State<'_, Shell>) -> Answer<Vec<api::AddressForecast>> {
    api::forecasts(&*shell.core().await?).await
}

#[tauri::command]
async fn open_link(shell: State<'_, Shell>, url: String) -> Answer<()> {
    api::open_link(&*shell.core().await?, &url).await
}
