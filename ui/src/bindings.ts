export type AddressDetails = { address: AddressView, identity: IdentityView, scopes: Array<ScopeView>, folder: string, poll_interval_s: number, category: string, registration: RegistrationView, totals: LedgerTotals, pending_marks: number, events: Array<EventView>, };

export type AddressSettings = { brand: string, poll_interval_s: number, category: string, };

export type AddressView = { id: number, address: string, brand: string, provider: ProviderKind, sandbox: boolean, is_default: boolean, status: Status, cause: Finding | null, last_success_at: number | null, next_poll_at: number | null, polling: boolean, new_tickets_today: number, activity: Array<number>, open_tickets: number, import: ImportView | null, };

export type ApiError = { code: ErrorCode, message: string, args: { [key in string]: string }, evidence: Evidence | null, };

export type AppView = { version: string, data_dir: string, polling: PollingRole, has_own_registration: boolean, sandbox: SandboxView | null, settings: Settings, };

export type AttachmentView = { id: number, name: string, media_type: string, size: number, };

export type Card = { code: string, title: string, meaning: string, severity: Severity, fixers: Array<Fixer>, fixer_labels: Array<string>, steps: Array<string>, links: Array<CardLink>, commands: Array<CardCommand>, notes: Array<string>, known: boolean, };

export type CardCommand = { label: string, text: string, writes: boolean, };

export type CardLink = { label: string, url: string, };

export type Fixer = "you" | "mailbox_admin" | "tenant_admin" | "app_owner" | "nobody";

export type CloudInput = { "kind": "global" } | { "kind": "us_gov" } | { "kind": "china" } | { "kind": "custom", authority: string, graph_url: string, };

export type ConnectAttempt = { id: string, address: string, stage: ConnectStage, };

export type ConnectChoices = { brand: string, import_newest: number | null, };

export type ConnectRequest = { address: string, registration: RegistrationInput | null, private_window: boolean, language: string, };

export type ConnectStage = { "kind": "preparing" } | { "kind": "waiting_for_browser", url: string, expires_at: number, browser_opened: boolean, } | { "kind": "checking" } | { "kind": "wrong_account", asked: string, signed_in: string, primary_address: string | null, } | { "kind": "ready", identity: IdentityView, scopes: Array<ScopeView>, folder: string, folder_messages: number, } | { "kind": "failed", finding: Finding, };

export type ErrorCode = "invalid_address" | "invalid_client_id" | "invalid_tenant" | "tenant_not_found" | "out_of_range" | "address_in_use" | "registration_needed" | "not_found" | "wrong_state" | "no_keychain" | "keychain_locked" | "key_missing" | "wrong_passphrase" | "disk_full" | "database_newer" | "database_damaged" | "data_folder" | "offline" | "no_browser" | "sign_in_failed" | "server_refused" | "default_address" | "cannot_write_file" | "internal";

export type EventKind = "connected" | "disconnected" | "reconnected" | "paused" | "resumed" | "import_started" | "import_paused" | "import_resumed" | "import_cancelled" | "import_done" | "fetched" | "poll_failed" | "recovered" | "went_offline" | "came_online" | "slept" | "throttled" | "cursor_expired" | "settings_changed" | "message_failed" | "mark_failed";

export type EventView = { at: number, kind: EventKind, args: { [key in string]: string }, };

export type Evidence = { code: string | null, status: number | null, request_id: string | null, correlation_id: string | null, at: number, raw: string, };

export type Finding = { code: string, severity: Severity, args: { [key in string]: string }, evidence: Evidence | null, };

export type IdentityView = { login_name: string, display_name: string, primary_address: string | null, aliases: Array<string>, tenant_id: string, };

export type ImportState = "listing" | "running" | "paused" | "cancelled" | "done";

export type ImportView = { state: ImportState, newest: number, totals: LedgerTotals, pending: number, rate: number, seconds_left: number | null, started_at: number, ended_at: number | null, };

export type LedgerRow = { server_id: string, message_id: string | null, subject: string, from: string, received_at: number, outcome: Outcome, reason: string | null, ticket_id: number | null, recorded_at: number, };

export type LedgerTotals = { found: number, imported: number, duplicate: number, skipped: number, failed: number, };

export type MessageView = { id: number, from: PersonView, to: Array<PersonView>, cc: Array<PersonView>, subject: string, received_at: number, text: string, has_html: boolean, attachments: Array<AttachmentView>, imported: boolean, automatic: string | null, damage: Array<string>, };

export type Notice = { "kind": "address", "value": AddressView } | { "kind": "address_removed", "value": number } | { "kind": "connect", "value": ConnectAttempt } | { "kind": "new_tickets", "value": { address: string, count: number, } } | { "kind": "tickets_changed", "value": string } | { "kind": "polling", "value": PollingRole };

export type Outcome = "imported" | "duplicate" | "skipped" | "failed";

export type PersonView = { name: string, address: string, };

export type PollingRole = "here" | "elsewhere";

export type ProviderKind = "graph" | "imap" | "ews";

export type RegistrationInput = { client_id: string, tenant: string, cloud: CloudInput, };

export type RegistrationView = { authority: string, tenant: string, client_id: string, graph_url: string, };

export type SafeHtml = { html: string, remote_left_out: number, cut: boolean, };

export type SandboxUser = { address: string, password: string, name: string, };

export type SandboxView = { authority: string, graph_url: string, client_id: string, tenant: string, users: Array<SandboxUser>, scenarios: Array<string>, };

export type ScopeView = { name: string, needed: boolean, granted: boolean, };

export type Settings = { language: string | null, theme: Theme, notifications: boolean, keep_in_tray: boolean, };

export type Severity = "ok" | "warning" | "failed";

export type Status = "verified" | "importing" | "paused" | "offline" | "attention" | "waiting_for_approval" | "failed" | "disconnected";

export type Theme = "system" | "light" | "dark";

export type TicketPage = { tickets: Array<TicketRow>, total: number, };

export type TicketQuery = { address: string | null, search: string | null, offset: number, limit: number, };

export type TicketRow = { id: number, subject: string, requester: string, address: string, messages: number, updated_at: number, preview: string, has_attachments: boolean, automatic: string | null, };

export type TicketView = { ticket: TicketRow, messages: Array<MessageView>, same_mail_in: Array<number>, };
