// The only file that talks to the shell. One typed line per command; failures always arrive as `ApiError`.
import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type * as api from "./bindings";

async function call<T>(command: string, args?: Record<string, unknown>) {
  try {
    return await invoke<T>(command, args);
  } catch (reason) {
    throw asApiError(reason);
  }
}

/** What was thrown, as the error the screens have words for. */
export function asApiError(reason: unknown): api.ApiError {
  if (typeof reason === "object" && reason !== null && "code" in reason)
    return reason as api.ApiError;
  const message = reason instanceof Error ? reason.message : String(reason);
  return { code: "internal", message, args: {}, evidence: null };
}

export const appView = () => call<api.AppView>("app_view");
export const saveSettings = (settings: api.Settings) =>
  call<void>("save_settings", { settings });
export const startSandbox = () => call<api.SandboxView>("start_sandbox");
export const stopSandbox = () => call<void>("stop_sandbox");

export const practice = (language: string) =>
  call<api.PracticeView>("practice", { language });
/** The names of what is broken on purpose at the moment. */
export const exercisesOn = () => call<string[]>("exercises_on");
export const beginExercise = (name: string) =>
  call<void>("begin_exercise", { name });
export const endExercise = () => call<void>("end_exercise");
export const pollPractice = () => call<void>("poll_practice");

export const listAddresses = () => call<api.AddressView[]>("list_addresses");
export const addressDetails = (id: number) =>
  call<api.AddressDetails>("address_details", { id });
export const saveAddressSettings = (
  id: number,
  settings: api.AddressSettings,
) => call<void>("save_address_settings", { id, settings });
export const syncNow = (id?: number) =>
  call<void>("sync_now", { id: id ?? null });
export const pauseAddress = (id: number) => call<void>("pause_address", { id });
export const resumeAddress = (id: number) =>
  call<void>("resume_address", { id });
export const disconnectAddress = (id: number) =>
  call<void>("disconnect_address", { id });
export const undoDisconnect = (id: number) =>
  call<void>("undo_disconnect", { id });
export const reconnectAddress = (
  id: number,
  privateWindow: boolean,
  language: string,
) =>
  call<api.ConnectAttempt>("reconnect_address", {
    id,
    privateWindow,
    language,
  });
export const makeDefault = (id: number) => call<void>("make_default", { id });
export const listAgents = () => call<api.AgentView[]>("list_agents");
export const addAgent = (name: string, address: string) =>
  call<api.AgentView[]>("add_agent", { name, address });
export const removeAgent = (id: number) =>
  call<api.AgentView[]>("remove_agent", { id });
export const allowRequester = (address: string) =>
  call<void>("allow_requester", { address });
export const listBrands = () => call<string[]>("list_brands");

export const beginConnect = (request: api.ConnectRequest) =>
  call<api.ConnectAttempt>("begin_connect", { request });
export const connectAttempt = (attemptId: string) =>
  call<api.ConnectAttempt>("connect_attempt", { attemptId });
export const openBrowserAgain = (attemptId: string, privateWindow: boolean) =>
  call<void>("open_browser_again", { attemptId, privateWindow });
export const retryConnect = (attemptId: string, privateWindow: boolean) =>
  call<api.ConnectAttempt>("retry_connect", { attemptId, privateWindow });
export const cancelConnect = (attemptId: string) =>
  call<void>("cancel_connect", { attemptId });
export const finishConnect = (attemptId: string, choices: api.ConnectChoices) =>
  call<api.AddressView>("finish_connect", { attemptId, choices });

export const beginConnectImap = (
  request: api.ConnectRequest,
  input: api.ImapInput,
) => call<api.ConnectAttempt>("begin_connect_imap", { request, input });
export const beginConnectPassword = (
  request: api.ConnectRequest,
  input: api.ImapInput,
  password: string,
) =>
  call<api.ConnectAttempt>("begin_connect_password", {
    request,
    input,
    password,
  });
export const reconnectPassword = (id: number, password: string) =>
  call<api.ConnectAttempt>("reconnect_password", { id, password });
export const setOutbound = (
  id: number,
  input: api.SmtpInput,
  password: string | null,
) => call<api.AddressView>("set_outbound", { id, input, password });
/** What was tried and kept; passwords go no further than this. */
export const saveServers = (
  id: number,
  input: api.ServersInput,
  password: string | null,
  outboundPassword: string | null,
) =>
  call<api.ServerSaved[]>("save_servers", {
    id,
    input,
    password,
    outboundPassword,
  });
export const convertToOauth = (
  id: number,
  to: api.ConvertTo,
  privateWindow: boolean,
  language: string,
) =>
  call<api.ConnectAttempt>("convert_to_oauth", {
    id,
    to,
    privateWindow,
    language,
  });
export const removeOutbound = (id: number) =>
  call<void>("remove_outbound", { id });

export const proposeServers = (address: string) =>
  call<api.ServerProposal[]>("propose_servers", { address });
export const servers = (id: number | null = null) =>
  call<api.ServerView[]>("servers", { id });
export const tryServers = (id: number) =>
  call<api.ServerResult[]>("try_servers", { id });

export const folders = (id: number) =>
  call<api.FolderView[]>("folders", { id });
export const foldersOfAttempt = (attemptId: string) =>
  call<api.FolderView[]>("folders_of_attempt", { attemptId });
export const setFolder = (id: number, path: string | null) =>
  call<void>("set_folder", { id, path });
export const lookForForwarding = (id: number) =>
  call<api.ForwardingCheck>("look_for_forwarding", { id });
export const askForForwarding = (
  id: number,
  privateWindow: boolean,
  language: string,
) =>
  call<api.ConnectAttempt>("ask_for_forwarding", {
    id,
    privateWindow,
    language,
  });
export const rehearseAfterImport = (
  id: number,
  choice: api.AfterImport,
  newest: number,
) =>
  call<api.AfterImportRehearsal>("rehearse_after_import", {
    id,
    choice,
    newest,
  });
export const setAfterImport = (
  id: number,
  choice: api.AfterImport,
  confirmation: string | null,
  alsoImported: boolean,
) => call<void>("set_after_import", { id, choice, confirmation, alsoImported });

export const checkAddress = (id: number, only: api.Station | null) =>
  call<api.ConnectionMap>("check_address", { id, only });
export const checkAttempt = (attemptId: string) =>
  call<api.ConnectionMap>("check_attempt", { attemptId });
export const proveSending = (id: number) =>
  call<api.ConnectionMap>("prove_sending", { id });
export const listHandOffs = () => call<api.HandOff[]>("list_hand_offs");
export const handOff = (whom: api.HandOffFor, code: string) =>
  call<api.HandOff>("hand_off", { whom, code });
export const recheckHandOff = (id: number) =>
  call<api.HandOff>("recheck_hand_off", { id });
export const approveHere = (
  id: number,
  attemptId: string | null,
  language: string,
) => call<api.ApprovalVisit>("approve_here", { id, attemptId, language });
export const handOffSenders = () =>
  call<api.HandOffSender[]>("hand_off_senders");
export const mailHandOff = (mail: api.MailHandOff) =>
  call<api.HandOff>("mail_hand_off", { mail });
export const saveHandOff = (id: number, language: string) =>
  call<string | null>("save_hand_off", { id, language });
export const withdrawHandOff = (id: number) =>
  call<void>("withdraw_hand_off", { id });

/** What deviates in a pasted manifest, and a card for each, in the same order. */
export const auditRegistration = (
  manifest: string,
  access: api.Access,
  tenant: string,
  language: string,
) =>
  call<[api.Audit, api.Card[]]>("audit_registration", {
    manifest,
    access,
    tenant,
    language,
  });
/** What a script should set up; without a client id it looks for the name. */
export interface Registration {
  access: api.Access;
  name: string;
  tenant: string;
  clientId: string | null;
}
export const registrationScript = (runsIn: api.Shell, wanted: Registration) =>
  call<string>("registration_script", { runsIn, ...wanted });
export const saveRegistrationScript = (
  runsIn: api.Shell,
  wanted: Registration,
) => call<string | null>("save_registration_script", { runsIn, ...wanted });

export const startImport = (id: number, newest: number) =>
  call<void>("start_import", { id, newest });
export const pauseImport = (id: number) => call<void>("pause_import", { id });
export const resumeImport = (id: number) => call<void>("resume_import", { id });
export const cancelImport = (id: number) => call<void>("cancel_import", { id });

export const listTickets = (query: api.TicketQuery) =>
  call<api.TicketPage>("list_tickets", { query });
export const ticket = (id: number) => call<api.TicketView>("ticket", { id });
export const messageHtml = (messageId: number) =>
  call<api.SafeHtml | null>("message_html", { messageId });
export const saveAttachment = (attachmentId: number) =>
  call<string | null>("save_attachment", { attachmentId });

export const ledger = (
  id: number,
  filter: {
    messageId: string | null;
    outcome: api.Outcome | null;
    offset: number;
    limit: number;
  },
) => call<api.LedgerRow[]>("ledger", { id, ...filter });
export const explain = (
  code: string,
  args: api.Finding["args"],
  language: string,
) => call<api.Card>("explain", { code, args, language });
export const explainText = (text: string, language: string) =>
  call<api.Explanation[]>("explain_text", { text, language });
export const forecast = (id: number) =>
  call<api.ForecastItem[]>("forecast", { id });
export const forecasts = () => call<api.AddressForecast[]>("forecasts");
export const previewBundle = (withNames: boolean) =>
  call<api.BundlePreview>("preview_bundle", { withNames });
/** Saves what was looked at last; nothing where the person closed the dialog. */
export const saveBundle = () => call<string | null>("save_bundle");
export const openLink = (url: string) => call<void>("open_link", { url });

/** Calls back for everything the shell tells without being asked; gives the function that ends it. */
export const onNotice = (tell: (notice: api.Notice) => void) =>
  listen<api.Notice>("notice", (event) => tell(event.payload));
