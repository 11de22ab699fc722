//! What a failed step means for the address: its finding, and when to try again.

use super::StepError;
use super::schedule::Pace;
use crate::diagnosis::{Evidence, Finding, Severity};
use crate::oauth::error::TokenError;
use crate::provider::ProviderError;
use crate::store::StoreError;
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
        }
    }
}

/// Judges `error` after `failures` earlier failures in a row.
pub fn judge(error: &StepError, failures: u32) -> Verdict {
    match error {
        StepError::Provider(error) => judge_provider(error, failures + 1),
        StepError::Store(error) => Verdict::Storage(storage_finding(error)),
        StepError::NoVault(missing) => Verdict::Failure(
            Finding::plain(missing.code(), Severity::Failed),
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
    match error {
        ProviderError::Offline(evidence) => {
            Verdict::Offline(Finding::seen("offline", Severity::Warning, evidence))
        }
        ProviderError::Token(error) => judge_token(error, patient, retry),
        ProviderError::Throttled(wait, evidence) => {
            let code = match evidence.status {
                Some(429) | None => "throttled",
                Some(_) => "server_trouble",
            };
            Verdict::Wait(*wait, Finding::seen(code, Severity::Warning, evidence))
        }
        ProviderError::CursorExpired(_) => Verdict::NewCursor,
        ProviderError::Unauthorized(evidence) => Verdict::Failure(
            said(evidence, "InvalidAuthenticationToken", Severity::Failed),
            Pace::NeedsPerson,
        ),
        ProviderError::Forbidden(evidence) => Verdict::Failure(
            said(evidence, "ErrorAccessDenied", Severity::Failed),
            Pace::NeedsPerson,
        ),
        ProviderError::NotFound(evidence) => {
            Verdict::Failure(said(evidence, "ErrorItemNotFound", Severity::Failed), retry)
        }
        ProviderError::QuotaFull(evidence) => {
            Verdict::Failure(said(evidence, "mailbox_full", Severity::Failed), retry)
        }
        ProviderError::Server(evidence) => {
            Verdict::Failure(Finding::seen("server_trouble", patient, evidence), retry)
        }
        ProviderError::Protocol(what, evidence) => {
            let code = if *what == "not_json" {
                "captive_portal"
            } else {
                "protocol"
            };
            let mut finding = Finding::seen(code, patient, evidence);
            finding.args.insert("what".into(), (*what).into());
            Verdict::Failure(finding, retry)
        }
    }
}

fn judge_token(error: &TokenError, patient: Severity, retry: Pace) -> Verdict {
    match error {
        TokenError::Offline(evidence) if evidence.status.is_some() => {
            Verdict::Failure(Finding::seen("server_trouble", patient, evidence), retry)
        }
        TokenError::Offline(evidence) => {
            Verdict::Offline(Finding::seen("offline", Severity::Warning, evidence))
        }
        TokenError::SignInAgain {
            error, evidence, ..
        } => Verdict::Failure(said(evidence, error, Severity::Failed), Pace::NeedsPerson),
        TokenError::NoTokens => Verdict::Failure(
            Finding::plain("key_missing", Severity::Failed),
            Pace::NeedsPerson,
        ),
        TokenError::NotStored(_) => Verdict::Storage(Finding::plain("disk_full", Severity::Failed)),
    }
}

/// The finding for a database that cannot be written.
pub fn storage_finding(error: &StoreError) -> Finding {
    let code = match error {
        StoreError::DiskFull => "disk_full",
        StoreError::Damaged { .. } => "database_damaged",
        StoreError::Newer { .. } => "database_newer",
        StoreError::Folder(_) | StoreError::Sqlite(_) | StoreError::Closed => "database_trouble",
    };
    let mut finding = Finding::plain(code, Severity::Failed);
    finding.evidence = Some(Evidence {
        raw: error.to_string(),
        ..Evidence::default()
    });
    finding
}

/// The finding under the server's own code, or under `otherwise` where it gave none.
fn said(evidence: &Evidence, otherwise: &str, severity: Severity) -> Finding {
    Finding::seen(
        evidence.code.as_deref().unwrap_or(otherwise),
        severity,
        evidence,
    )
}
