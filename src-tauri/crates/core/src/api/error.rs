//! The border: one table turns every internal error into a code that shells have words for.

use crate::app::OpenError;
use crate::diagnosis::Evidence;
use crate::provider::ProviderError;
use crate::secrets::SecretsError;
use crate::store::StoreError;
use crate::sync::{NoVault, StepError};
use serde::{Deserialize, Serialize};

/// A failure as a shell sees it. Words for people live in the shells' catalogues, keyed by `code`.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("{code:?}: {message}")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ApiError {
    /// Decides what the shell says and offers.
    pub code: ErrorCode,
    /// The internal error, in English, for the details box and logs; never holds a secret.
    pub message: String,
    /// Values the words need, for instance the name of who uses an address already.
    pub args: std::collections::BTreeMap<String, String>,
    /// What the server said, where one was involved.
    pub evidence: Option<Box<Evidence>>,
}

/// Why something could not be done. A code exists only because a shell says or does something different about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum ErrorCode {
    /// The text is no e-mail address. `args.value`
    InvalidAddress,
    /// The client id is no GUID. `args.value`
    InvalidClientId,
    /// The tenant is neither a GUID nor a domain name. `args.value`
    InvalidTenant,
    /// The issuer is no `https` URL without query and fragment. `args.value`
    InvalidIssuer,
    /// The sign-in service does not know the tenant. `args.value`
    TenantNotFound,
    /// A number is outside its limits. `args.value`, `args.least`, `args.most`
    OutOfRange,
    /// The address is in use. `args.value`, `args.by` (an address), `args.how` (`connection`, `alias`, `agent`,
    /// or `requester`: then `args.tickets` says in how many tickets, and [`crate::api::allow_requester`] is a way through)
    AddressInUse,
    /// No client id was given and this build has none of its own.
    RegistrationNeeded,
    /// No such address, ticket, message, attachment or attempt.
    NotFound,
    /// The asked-for step does not fit the present state (for instance: confirming an attempt that still waits).
    WrongState,
    /// The operating system has no keychain service.
    NoKeychain,
    /// The keychain is locked or refused access.
    KeychainLocked,
    /// The key is not in the keychain (another computer, or it was removed): sign in again.
    KeyMissing,
    /// The passphrase for the key file is missing or wrong.
    WrongPassphrase,
    /// The disk is full.
    DiskFull,
    /// The database was written by a newer Mailroom. `args.found`, `args.known`
    DatabaseNewer,
    /// The database file is damaged and was set aside. `args.path`
    DatabaseDamaged,
    /// The data folder cannot be read or written. `args.path`
    DataFolder,
    /// No network.
    Offline,
    /// The browser could not be opened.
    NoBrowser,
    /// Signing in failed; `evidence.code` names the server's reason.
    SignInFailed,
    /// The server refused a request; `evidence` has its answer.
    ServerRefused,
    /// It cannot become the default before a test mail that it sent to itself has arrived. `args.value`
    NotProven,
    /// The time in which disconnecting can be undone is over: sign in again. `args.value`
    UndoOver,
    /// The default address cannot be disconnected while it is the default.
    DefaultAddress,
    /// No folder has this path. `args.value`, `args.nearest` (a path that exists)
    FolderNotFound,
    /// A shared mailbox has no password: whoever may open it signs in through the browser. `args.value`
    SharedNeedsBrowser,
    /// An import is under way, whose list names messages as the present server does. `args.value` (the address)
    ImportRunning,
    /// A stored password is sent to no other server and for no other login name. `args.value` (the login name),
    /// `args.host`
    PasswordNeeded,
    /// Mail would be moved into the folder that it is read from. `args.value`
    FolderInUse,
    /// Moving and deleting need the address typed as a confirmation. `args.value`
    ConfirmationNeeded,
    /// Moving and deleting need a rehearsal of exactly this choice first. `args.value`
    RehearsalNeeded,
    /// Nobody can be answered. `args.how`: `automatic` (a machine wrote), `own` (only the team's own addresses wrote), or
    /// `nobody` (no sender that mail can be sent to)
    NobodyToAnswer,
    /// The address has no server to send with. `args.value`
    NoOutbound,
    /// Mail of this address does not leave from there. `args.value`, `args.allowed` (the addresses that it may leave
    /// from, with commas)
    SenderNotAllowed,
    /// Nobody knows whether a reply left. `args.at` is when it was handed over, in milliseconds since 1970.
    ReplyUnsure,
    /// A sign-in at Microsoft opens Exchange Online and is shown to no other server. `args.value`, `args.expected` (the
    /// right host)
    NotExchange,
    /// The pasted text is no manifest of an app registration.
    InvalidManifest,
    /// A file could not be written. `args.path`
    CannotWriteFile,
    /// A defect of ours.
    Internal,
}

impl ApiError {
    /// An error with nothing but its code.
    pub fn new(code: ErrorCode) -> Self {
        Self {
            code,
            message: format!("{code:?}"),
            args: std::collections::BTreeMap::new(),
            evidence: None,
        }
    }

    /// With a value for the words.
    #[must_use]
    pub fn arg(mut self, name: &str, value: impl ToString) -> Self {
        self.args.insert(name.to_owned(), value.to_string());
        self
    }

    /// With the internal reason.
    #[must_use]
    pub fn because(mut self, reason: impl ToString) -> Self {
        self.message = reason.to_string();
        self
    }
}

/// An error with its sources, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let text = chain(&error);
        let api = match &error {
            StoreError::Newer { found, known } => Self::new(ErrorCode::DatabaseNewer)
                .arg("found", found)
                .arg("known", known),
            StoreError::Damaged { set_aside } => {
                Self::new(ErrorCode::DatabaseDamaged).arg("path", set_aside.display())
            }
            StoreError::DiskFull => Self::new(ErrorCode::DiskFull),
            StoreError::Folder(_) => Self::new(ErrorCode::DataFolder),
            StoreError::Sqlite(_) | StoreError::Closed => Self::new(ErrorCode::Internal),
        };
        api.because(text)
    }
}

impl From<OpenError> for ApiError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Store(error) => Self::from(error),
            OpenError::Certificate(_) => Self::new(ErrorCode::Internal).because(chain(&error)),
        }
    }
}

impl From<NoVault> for ApiError {
    fn from(error: NoVault) -> Self {
        let text = chain(&error);
        let code = match error {
            NoVault::Secrets(SecretsError::NoKeychain(_)) => ErrorCode::NoKeychain,
            NoVault::Secrets(SecretsError::Locked(_)) => ErrorCode::KeychainLocked,
            NoVault::Secrets(SecretsError::WrongPassphrase) => ErrorCode::WrongPassphrase,
            NoVault::Secrets(SecretsError::Damaged) | NoVault::KeyMissing => ErrorCode::KeyMissing,
            NoVault::Secrets(SecretsError::File(_)) => ErrorCode::DataFolder,
            NoVault::Store(error) => return Self::from(error),
        };
        Self::new(code).because(text)
    }
}

impl From<StepError> for ApiError {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Store(error) => Self::from(error),
            StepError::NoVault(error) => Self::from(error),
            StepError::Disconnected => Self::new(ErrorCode::WrongState).because(chain(&error)),
            StepError::Provider(error) => {
                let code = match &error {
                    ProviderError::Offline(_) => ErrorCode::Offline,
                    ProviderError::Token(_) => ErrorCode::SignInFailed,
                    ProviderError::Unauthorized(_)
                    | ProviderError::Forbidden(_)
                    | ProviderError::Untrusted(_)
                    | ProviderError::NotFound(_)
                    | ProviderError::Throttled(..)
                    | ProviderError::CursorExpired(_)
                    | ProviderError::QuotaFull(_)
                    | ProviderError::Server(_)
                    | ProviderError::Protocol(..) => ErrorCode::ServerRefused,
                };
                let evidence = error.evidence().cloned().map(Box::new);
                Self {
                    evidence,
                    ..Self::new(code).because(chain(&error))
                }
            }
        }
    }
}
