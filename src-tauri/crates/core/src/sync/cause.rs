//! What a failed step means for the address: its finding, and when to try again.

use super::schedule::Pace;
use super::{NoVault, StepError};
use crate::diagnosis::checks::{finding_of, finding_of_store, finding_of_token};
use crate::diagnosis::{Finding, Severity};
use crate::oauth::error::TokenError;
use crate::provider::ProviderError;
use crate::store::StoreError;
use crate::store::addresses::AddressRow;
use std::time::Duration;

/// How many failures in a row turn a server's trouble from a warning into a failure.
const PATIENCE: u32 = 5;

/// What a failed step means.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// No network: a state, not an error.
    Offline(Finding),
    /// The server asked us to wait.
    Wait(Duration, Finding),
    /// Something is wrong.
    Failure(Finding, Pace),
    /// The cursor is too old: open a new one and compare with the ledger.
    NewCursor,
    /// Nothing can be stored at the moment.
    Storage(Finding),
    /// The address was disconnected meanwhile: there is nothing to note.
    Disconnected,
}

impl Verdict {
    /// The same verdict with its finding changed.
    pub fn map_finding(self, change: impl FnOnce(Finding) -> Finding) -> Self {
        match self {
            Self::Offline(finding) => Self::Offline(change(finding)),
            Self::Wait(wait, finding) => Self::Wait(wait, change(finding)),
            Self::Failure(finding, pace) => Self::Failure(change(finding), pace),
            Self::NewCursor => Self::NewCursor,
            Self::Storage(finding) => Self::Storage(change(finding)),
            Self::Disconnected => Self::Disconnected,
        }
    }
}

/// Judges `error` after `failures` earlier failures in a row.
pub fn judge(error: &StepError, failures: u32) -> Verdict {
    match error {
        StepError::Provider(error) => judge_provider(error, failures + 1),
        StepError::Store(error) => Verdict::Storage(storage_finding(error)),
        StepError::Disconnected => Verdict::Disconnected,
        StepError::NoVault(missing) => Verdict::Failure(
            Finding {
                sign_in_again: matches!(missing, NoVault::KeyMissing),
                ..Finding::plain(missing.code(), Severity::Failed)
            },
            Pace::NeedsPerson,
        ),
    }
}

fn judge_provider(error: &ProviderError, failures: u32) -> Verdict {
    let patient = if failures < PATIENCE {
        Severity::Warning
    } else {
        Severity::Failed
    };
    let retry = Pace::BackOff { failures };
    let finding = |severity| Finding {
        severity,
        ..finding_of(error)
    };
    match error {
        ProviderError::Offline(_) => Verdict::Offline(finding(Severity::Warning)),
        ProviderError::Token(error) => judge_token(error, patient, retry),
        ProviderError::Throttled(wait, _) => Verdict::Wait(*wait, finding(Severity::Warning)),
        ProviderError::CursorExpired(_) => Verdict::NewCursor,
        ProviderError::Unauthorized(_) | ProviderError::Forbidden(_) => {
            Verdict::Failure(finding(Severity::Failed), Pace::NeedsPerson)
        }
        ProviderError::NotFound(_) | ProviderError::QuotaFull(_) => {
            Verdict::Failure(finding(Severity::Failed), retry)
        }
        ProviderError::Untrusted(_) => Verdict::Failure(finding(Severity::Failed), retry),
        ProviderError::Server(_) | ProviderError::Protocol(..) => {
            Verdict::Failure(finding(patient), retry)
        }
    }
}

fn judge_token(error: &TokenError, patient: Severity, retry: Pace) -> Verdict {
    let finding = |severity| Finding {
        severity,
        ..finding_of_token(error)
    };
    match error {
        TokenError::Offline(evidence) if evidence.status.is_some() => {
            Verdict::Failure(finding(patient), retry)
        }
        TokenError::Offline(_) => Verdict::Offline(finding(Severity::Warning)),
        TokenError::SignInAgain { .. } | TokenError::NoTokens => {
            Verdict::Failure(finding(Severity::Failed), Pace::NeedsPerson)
        }
        TokenError::NotStored(_) => Verdict::Storage(finding(Severity::Failed)),
    }
}

/// What a refusal means for this very address: the same answer says that a shared mailbox may not be opened, or that
/// the folder is gone.
pub fn seen_at(address: &AddressRow, mut finding: Finding) -> Finding {
    let evidence = finding.evidence.as_ref();
    let is_root = evidence.is_some_and(|said| said.raw.contains("Default folder"));
    match finding.code.as_str() {
        "ErrorItemNotFound" | "ErrorFolderNotFound" | "TRYCREATE" | "folder_gone"
            if address.folder_path.is_some() && !is_root =>
        {
            finding.code = "folder_gone".to_owned();
            let folder = address.folder_name.clone();
            finding.args.insert("folder".to_owned(), folder);
        }
        "ErrorItemNotFound" | "ErrorAccessDenied" | "DefaultFolderNotFound"
            if address.mailbox.is_some() =>
        {
            finding.code = "full_access_missing".to_owned();
        }
        _ => {}
    }
    finding
}

/// The finding for a database that cannot be written.
pub fn storage_finding(error: &StoreError) -> Finding {
    finding_of_store(error)
}
