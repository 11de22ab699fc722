//! What shells get back: plain values, ready to draw, without words of any language.
//! Instants are milliseconds since 1970 (UTC). `cargo xtask bindings` writes the TypeScript side.

mod servers;

use crate::Millis;
pub use servers::*;

pub use crate::account::Tls;
pub use crate::bundle::{BundleFile, BundlePreview};
pub use crate::sync::Rehearsal;
pub use crate::sync::status::Status;

use crate::account::{ImapServer, SmtpServer};
use crate::diagnosis::Finding;
use serde::{Deserialize, Serialize};

pub use crate::diagnosis::forecast::ForecastItem;
pub use crate::diagnosis::handoff::{
    HandOff, HandOffFor, HandOffKind, HandOffMessage, HandOffMessages, HandOffState, Mailed,
    Recheck,
};
pub use crate::diagnosis::map::{ConnectionMap, Station, StationState, StationView};
pub use crate::diagnosis::practice::{ExerciseView, Mend, Strikes};
pub use crate::diagnosis::registration::{Access, Audit, Deviation, Expiry, Shell};
pub use crate::provider::SpecialUse;
pub use crate::store::addresses::ProviderKind;
pub use crate::store::after_import::AfterImport;
pub use crate::store::agents::AgentView;
pub use crate::store::events::{EventKind, EventView};
pub use crate::store::imports::{ImportState, ImportView};
pub use crate::store::ledger::{LedgerRow, LedgerTotals, Outcome};
pub use crate::store::messages::{AttachmentView, MessageView, PersonView};
pub use crate::store::settings::{Settings, Theme};
pub use crate::store::tickets::{TicketPage, TicketQuery, TicketRow, TicketView};

/// The whole state a shell starts from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct AppView {
    /// This program's version.
    pub version: String,
    /// Where everything is kept.
    pub data_dir: String,
    /// Who polls on this data folder.
    pub polling: PollingRole,
    /// Whether this build brings its own app registration, so that the wizard need not ask for one.
    pub has_own_registration: bool,
    /// The practice tenant, when it runs inside this process.
    pub sandbox: Option<SandboxView>,
    /// The user's choices.
    pub settings: Settings,
}

/// Exactly one process polls a data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum PollingRole {
    /// This process polls.
    Here,
    /// Another process polls; this one shows and hands over requests.
    Elsewhere,
}

/// How to reach the practice tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct SandboxView {
    /// Sign-in service, for instance `http://localhost:40123`.
    pub authority: String,
    /// Graph's root, without the version.
    pub graph_url: String,
    /// The registered client id.
    pub client_id: String,
    /// The tenant id.
    pub tenant: String,
    /// People who can sign in: address and password, shown because they are practice accounts.
    pub users: Vec<SandboxUser>,
    /// Scenarios in force.
    pub scenarios: Vec<String>,
}

/// A practice account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct SandboxUser {
    /// The address, which is the login name too.
    pub address: String,
    /// The practice password.
    pub password: String,
    /// The person's or mailbox's name.
    pub name: String,
}

/// What can be practised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct PracticeView {
    /// In the order of the tenant's list.
    pub exercises: Vec<ExerciseView>,
    /// The practice tenant's Global Administrator, while it runs.
    pub admin: Option<SandboxUser>,
}

/// One line of the list of addresses.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct AddressView {
    /// Stable id.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub id: i64,
    /// The address customers write to.
    pub address: String,
    /// The brand it belongs to.
    pub brand: String,
    /// How it is reached.
    pub provider: ProviderKind,
    /// The shared mailbox that is opened with somebody's sign-in; nothing where it is the account's own.
    pub mailbox: Option<String>,
    /// Whether it belongs to the practice tenant.
    pub sandbox: bool,
    /// Whether mail without another sender leaves from here.
    pub is_default: bool,
    /// When a test mail that the present connection sent to itself arrived. Only then it may become the default.
    #[cfg_attr(feature = "bindings", ts(type = "number | null"))]
    pub proven_at: Option<Millis>,
    /// Whether it becomes the default by itself once it is proven: the only connected address.
    pub default_to_be: bool,
    /// Until when [`undo_disconnect`](crate::api::undo_disconnect) is possible; nothing unless disconnected just now.
    #[cfg_attr(feature = "bindings", ts(type = "number | null"))]
    pub undo_until: Option<Millis>,
    /// The worst that applies.
    pub status: Status,
    /// Why, unless all is well.
    pub cause: Option<Finding>,
    /// The last successful poll.
    #[cfg_attr(feature = "bindings", ts(type = "number | null"))]
    pub last_success_at: Option<Millis>,
    /// The next poll; nothing while paused or disconnected.
    #[cfg_attr(feature = "bindings", ts(type = "number | null"))]
    pub next_poll_at: Option<Millis>,
    /// Whether a poll runs at this moment.
    pub polling: bool,
    /// Whether no poll has succeeded for as long as the person chose (the dead-man alert).
    pub silent: bool,
    /// Tickets created since local midnight, imports not counted.
    pub new_tickets_today: u32,
    /// Messages that arrived in each of the last 24 hours, oldest first.
    pub activity: Vec<u32>,
    /// Open tickets.
    pub open_tickets: u32,
    /// Marks that the server has not yet taken.
    pub pending_marks: u32,
    /// The present or latest import.
    pub import: Option<ImportView>,
}

/// Everything about one address.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct AddressDetails {
    /// The line in the list.
    pub address: AddressView,
    /// Who signed in.
    pub identity: IdentityView,
    /// Scopes needed and granted.
    pub scopes: Vec<ScopeView>,
    /// Folder that is read: display path.
    pub folder: String,
    /// Its path, as it is typed; nothing for the inbox.
    pub folder_path: Option<String>,
    /// The folder that is read as soon as this one has been read to its end, after another was chosen.
    pub next_folder: Option<String>,
    /// What becomes of mail on the server once it is imported.
    pub after_import: AfterImport,
    /// Seconds between polls.
    pub poll_interval_s: u32,
    /// Category put on imported mail.
    pub category: String,
    /// Sign-in service, tenant and client id in use.
    pub registration: RegistrationView,
    /// The server that mail is read from, where it is not Graph.
    pub server: Option<ImapServer>,
    /// The server that mail is sent through, where it is not Graph.
    pub outbound: Option<SmtpServer>,
    /// What became of every server message; the parts add up to `found`.
    pub totals: LedgerTotals,
    /// Marks (read, category) that the server has not yet taken.
    pub pending_marks: u32,
    /// Newest first, at most 100.
    pub events: Vec<EventView>,
}

/// Who signed in. The login name and the address are different things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct IdentityView {
    /// Login name.
    pub login_name: String,
    /// Name for people.
    pub display_name: String,
    /// The mailbox's primary address.
    pub primary_address: Option<String>,
    /// Its other addresses.
    pub aliases: Vec<String>,
    /// Tenant id.
    pub tenant_id: String,
}

/// One scope (permission) of the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ScopeView {
    /// For instance `Mail.ReadWrite`.
    pub name: String,
    /// Whether Mailroom asks for it.
    pub needed: bool,
    /// Whether the sign-in service granted it.
    pub granted: bool,
}

/// The app registration in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct RegistrationView {
    /// Sign-in service.
    pub authority: String,
    /// Tenant id, domain, or `organizations`.
    pub tenant: String,
    /// Client id.
    pub client_id: String,
    /// Graph's root.
    pub graph_url: String,
}

/// What to connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ConnectRequest {
    /// The address asked for.
    pub address: String,
    /// Whose mailbox it is.
    #[serde(default)]
    pub opens: Opens,
    /// The app registration; nothing takes this build's own.
    pub registration: Option<RegistrationInput>,
    /// Open the sign-in in a private window.
    pub private_window: bool,
    /// `en`, `de` or `ja`: the language of the page that the browser shows at the end.
    pub language: String,
}

/// Whose mailbox is to be opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Opens {
    /// That of the account that signs in.
    #[default]
    Own,
    /// A shared one: somebody who may open it signs in with an account of their own.
    Shared,
}

/// A shared mailbox as far as it shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct SharedMailbox {
    /// The address it was asked for by.
    pub address: String,
    /// Its name for people.
    pub display_name: Option<String>,
    /// Its primary address.
    pub primary_address: Option<String>,
    /// Its other addresses.
    pub aliases: Vec<String>,
    /// Whether name and addresses could be looked up. Without `User.Read.All` they cannot: then the server's word that
    /// the mailbox of this address opens is all there is. By IMAP there is nothing to look up, and it is true.
    pub looked_up: bool,
}

/// A folder in the tree to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct FolderView {
    /// The server's id.
    pub id: String,
    /// Own name.
    pub name: String,
    /// The way from the top: how the folder is named in every call.
    pub path: String,
    /// How deep it lies; 0 at the top. Each folder stands behind the one that it lies in.
    pub depth: u32,
    /// Whether it can hold messages, and so be read.
    pub selectable: bool,
    /// Messages in it, where the server told.
    pub messages: Option<u32>,
    /// What the server uses it for.
    pub special: Option<SpecialUse>,
    /// Whether it is the one that is read.
    pub is_read: bool,
}

/// What would become of the newest mails on the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct AfterImportRehearsal {
    /// The choice rehearsed.
    pub choice: AfterImport,
    /// Where mail would go: the folder's path, for deleting that of the folder for deleted mail; nothing where mail
    /// stays, or would be gone for good.
    pub goes_to: Option<String>,
    /// Mails looked at.
    pub found: u32,
    /// How many of them would leave the folder, had the choice been made before they came.
    pub taken: u32,
    /// How many would stay, because they are no ticket of their own.
    pub stay: u32,
    /// Mails imported so far: they are left alone unless that is asked for.
    pub imported_before: u32,
    /// The mails, newest first.
    pub mails: Vec<RehearsedMail>,
}

/// One mail of a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct RehearsedMail {
    /// Subject.
    pub subject: String,
    /// Sender's address.
    pub from: String,
    /// When the server received it.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub received_at: Millis,
    /// Whether it is a ticket's mail, became one or would.
    pub outcome: Outcome,
    /// Whether it would leave the folder.
    pub taken: bool,
}

/// An app registration as typed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct RegistrationInput {
    /// Client id (a GUID).
    pub client_id: String,
    /// Tenant id (a GUID), a domain of the tenant, or `organizations`.
    pub tenant: String,
    /// Where the tenant lives.
    pub cloud: CloudInput,
}

/// Where a tenant lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum CloudInput {
    /// login.microsoftonline.com
    Global,
    /// login.microsoftonline.us
    UsGov,
    /// login.partner.microsoftonline.cn
    China,
    /// The practice tenant, or a test server: loopback hosts, or hosts named on the command line.
    Custom {
        /// Sign-in service.
        authority: String,
        /// Graph's root, without the version.
        graph_url: String,
    },
}

/// A connection being made. It lives until it is finished or cancelled.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ConnectAttempt {
    /// Names the attempt in later calls.
    pub id: String,
    /// The address asked for.
    pub address: String,
    /// Where it stands.
    pub stage: ConnectStage,
}

/// Where a connection being made stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum ConnectStage {
    /// The tenant is being looked up.
    Preparing,
    /// The browser shows the sign-in.
    WaitingForBrowser {
        /// For "Open again" and "Copy link".
        url: String,
        /// When the attempt ends by itself.
        #[cfg_attr(feature = "bindings", ts(type = "number"))]
        expires_at: Millis,
        /// Whether the system said that a browser was started.
        browser_opened: bool,
    },
    /// Signed in; the account and the mailbox are being looked at.
    Checking,
    /// Another account signed in. Nothing was fetched and nothing is kept.
    WrongAccount {
        /// The address asked for.
        asked: String,
        /// The login name that signed in.
        signed_in: String,
        /// That account's primary address.
        primary_address: Option<String>,
    },
    /// All is well: confirm with the choices.
    Ready {
        /// Who signed in.
        identity: IdentityView,
        /// The mailbox that they open, unless it is their own.
        shared: Option<SharedMailbox>,
        /// Scopes needed and granted.
        scopes: Vec<ScopeView>,
        /// The folder that will be read.
        folder: String,
        /// Messages in that folder now.
        folder_messages: u32,
    },
    /// It did not work out.
    Failed {
        /// Why, and what to do.
        finding: Finding,
    },
}

/// What the person chose on the last page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ConnectChoices {
    /// Brand; created when new.
    pub brand: String,
    /// Create tickets from the newest N mails; nothing for none.
    pub import_newest: Option<u32>,
    /// Path of the folder to read, as [`super::folders_of_attempt`] lists it; nothing for the one that the attempt
    /// was begun with, which is the inbox unless another was named.
    #[serde(default)]
    pub folder: Option<String>,
}

/// Settings of one address that can be changed later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct AddressSettings {
    /// Brand; created when new.
    pub brand: String,
    /// Seconds between polls, 15 to 86,400.
    pub poll_interval_s: u32,
    /// Category put on imported mail; empty for none.
    pub category: String,
}

/// What a shell may be told without asking.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Notice {
    /// An address is new or changed.
    Address(Box<AddressView>),
    /// An address left the list.
    AddressRemoved(#[cfg_attr(feature = "bindings", ts(type = "number"))] i64),
    /// A connection being made moved on.
    Connect(Box<ConnectAttempt>),
    /// New tickets by polling: for a desktop notification.
    NewTickets {
        /// The address written to.
        address: String,
        /// How many.
        count: u32,
    },
    /// Tickets of this address changed: lists reload.
    TicketsChanged(String),
    /// Who polls changed.
    Polling(PollingRole),
    /// No poll of these addresses has succeeded for as long as the person chose: told once.
    Silent {
        /// The addresses.
        #[cfg_attr(feature = "bindings", ts(type = "Array<number>"))]
        address_ids: Vec<i64>,
    },
    /// Polls of these addresses, of whose silence was told, succeed again.
    Recovered {
        /// The addresses.
        #[cfg_attr(feature = "bindings", ts(type = "Array<number>"))]
        address_ids: Vec<i64>,
    },
    /// Something was handed over, settled or withdrawn: lists of hand-offs reload.
    HandOffs,
    /// A check of an address moved on: told after every station.
    Check {
        /// The address.
        #[cfg_attr(feature = "bindings", ts(type = "number"))]
        id: i64,
        /// The map so far.
        map: Box<ConnectionMap>,
    },
}

/// A reply to a ticket, as it leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyView {
    /// The ticket.
    pub ticket: i64,
    /// The ticket's address, or the additional one that it leaves from.
    pub from: String,
    /// Whoever is answered.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// `Message-ID` without angle brackets.
    pub message_id: String,
    /// Text.
    pub text: String,
    /// Whether a server took it; nothing was sent by a rehearsal.
    pub sent: bool,
    /// Whether it is kept in the ticket.
    pub kept: bool,
    /// Whether it left and its copy could not be put into the mailbox's folder for sent mail.
    pub copy_failed: bool,
}

/// An address that a hand-off can be mailed from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct HandOffSender {
    /// The connected address's id. One that may send from further addresses is there once for each.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub id: i64,
    /// The address that the mail is from.
    pub address: String,
}

/// A mail to be sent for a hand-off, once the person has seen it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct MailHandOff {
    /// The hand-off.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub id: i64,
    /// The connected address that it leaves from.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub from: i64,
    /// The address that it is from, as [`HandOffSender::address`]; nothing for the connected address itself.
    #[serde(default)]
    #[cfg_attr(feature = "bindings", ts(optional))]
    pub sender: Option<String>,
    /// To whom.
    pub to: String,
    /// Language of the message: en, de, ja.
    pub language: String,
    /// Any text that names the click: the same click never sends twice.
    pub click: String,
}

/// An approval that was opened in this computer's browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ApprovalVisit {
    /// The link, should no browser have opened.
    pub url: String,
    /// Whether a browser opened.
    pub browser_opened: bool,
}
