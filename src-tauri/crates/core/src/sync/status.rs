//! How well an address is connected, as one word with its cause: an ordered closed set, the worst wins.

use crate::diagnosis::handoff::HandOffKind;
use crate::diagnosis::stations::needs_approval;
use crate::diagnosis::{Finding, Severity};
use crate::store::addresses::AddressRow;
use crate::store::handoffs::HandOffRow;
use crate::store::imports::ImportState;
use serde::{Deserialize, Serialize};

/// How well an address is connected, best first: the worst that applies wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Status {
    /// Mail is read and the identity was proven.
    Verified,
    /// Verified, and older mail is being imported.
    Importing,
    /// The person paused it.
    Paused,
    /// No network; polling resumes by itself.
    Offline,
    /// Works, but something needs a look, or the server asks us to wait.
    Attention,
    /// Somebody else was asked to mend the cause: an admin for approval, for instance.
    WaitingForApproval,
    /// Mail is not read until somebody mends the cause.
    Failed,
    /// The person disconnected it.
    Disconnected,
}

/// The worst that applies to `row`, and why. `handoffs` are the fixes that somebody else was asked for, `trouble` is
/// what keeps this computer from storing anything.
pub fn status(
    row: &AddressRow,
    import: Option<ImportState>,
    handoffs: &[HandOffRow],
    trouble: Option<&Finding>,
) -> (Status, Option<Finding>) {
    let mut worst = (Status::Verified, None);
    let mut consider = |status: Status, cause: Option<Finding>| {
        if status > worst.0 {
            worst = (status, cause);
        }
    };
    if matches!(import, Some(ImportState::Listing | ImportState::Running)) {
        consider(Status::Importing, None);
    }
    if row.paused {
        consider(Status::Paused, None);
    }
    if row.offline_since.is_some() {
        consider(
            Status::Offline,
            Some(Finding::plain("offline", Severity::Warning)),
        );
    }
    if let Some(cause) = &row.cause {
        let waits = handoffs.iter().find(|row| match row.kind {
            HandOffKind::Approval => needs_approval(&cause.code),
            HandOffKind::Mailbox | HandOffKind::Tenant | HandOffKind::Registration => {
                row.code.eq_ignore_ascii_case(&cause.code)
            }
        });
        let status = match cause.severity {
            Severity::Failed if waits.is_some_and(|request| !request.denied) => {
                Status::WaitingForApproval
            }
            Severity::Failed => Status::Failed,
            Severity::Warning => Status::Attention,
            Severity::Ok => Status::Verified,
        };
        let cause = if waits.is_some_and(|request| request.denied) {
            cause.clone().called("approval_denied")
        } else {
            cause.clone()
        };
        consider(status, Some(cause));
    }
    if let Some(trouble) = trouble {
        consider(Status::Failed, Some(trouble.clone()));
    }
    if row.disconnected {
        consider(Status::Disconnected, None);
    }
    worst
}
