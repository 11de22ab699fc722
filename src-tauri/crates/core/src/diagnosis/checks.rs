//! Judging evidence, one file a station: pure functions from what probes brought home to what the map shows.

pub mod computer;
pub mod consent;
pub mod fetch;
pub mod folder;
pub mod mailbox;
pub mod mailbox_right;
pub mod mark;
pub mod network;
pub mod registration;
pub mod round_trip;
pub mod send;
pub mod sign_in;
pub mod token;

use super::map::{Facts, Judgement, Station};
use super::stations::station_of;
use super::{Evidence, Finding, Severity};
use crate::Millis;
use crate::oauth::error::{SignInError, TokenError};
use crate::provider::ProviderError;
use crate::store::StoreError;

/// Facts from pairs; empty values are left out.
pub(super) fn facts<const N: usize>(pairs: [(&str, String); N]) -> Facts {
    pairs
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// An instant as a fact; nothing as an empty one.
fn instant(at: Option<Millis>) -> String {
    at.map(|at| at.to_string()).unwrap_or_default()
}

/// What a provider's refusal means on the map: always a failure there, because at this moment it does not work.
pub fn finding_of(error: &ProviderError) -> Finding {
    let seen = |code: &str, evidence: &Evidence| Finding::seen(code, Severity::Failed, evidence);
    let said = |evidence: &Evidence, otherwise: &str| {
        seen(evidence.code.as_deref().unwrap_or(otherwise), evidence)
    };
    match error {
        ProviderError::Offline(evidence) => said(evidence, "offline"),
        ProviderError::Token(error) => finding_of_token(error),
        ProviderError::Unauthorized(evidence) => Finding {
            sign_in_again: true,
            ..said(evidence, "InvalidAuthenticationToken")
        },
        ProviderError::Forbidden(evidence) => said(evidence, "ErrorAccessDenied"),
        ProviderError::NotFound(evidence) => said(evidence, "ErrorItemNotFound"),
        ProviderError::QuotaFull(evidence) => said(evidence, "mailbox_full"),
        // Mail servers say in their own words what was too much.
        ProviderError::Throttled(_, evidence)
            if evidence
                .code
                .as_ref()
                .is_some_and(|code| ["SMTP ", "IMAP "].iter().any(|of| code.starts_with(of))) =>
        {
            Finding {
                severity: Severity::Warning,
                ..said(evidence, "throttled")
            }
        }
        ProviderError::Throttled(_, evidence) => {
            // 503 with a time to wait is trouble of the server's, unless it says that it is busy with us.
            let trouble =
                evidence.status == Some(503) && evidence.code.as_deref() != Some("ErrorServerBusy");
            let code = if trouble {
                "server_trouble"
            } else {
                "throttled"
            };
            Finding {
                severity: Severity::Warning,
                ..seen(code, evidence)
            }
        }
        ProviderError::CursorExpired(evidence) => seen("cursor_expired", evidence),
        ProviderError::Untrusted(evidence) => said(evidence, "tls_handshake"),
        // IMAP has names of its own for trouble; an HTTP status says no more than "trouble".
        ProviderError::Server(evidence) if evidence.status.is_none() => {
            said(evidence, "server_trouble")
        }
        ProviderError::Server(evidence) => seen("server_trouble", evidence),
        ProviderError::Protocol(what, evidence) => {
            let code = if *what == "not_json" {
                "captive_portal"
            } else {
                "protocol"
            };
            let mut finding = seen(code, evidence);
            finding.args.insert("what".into(), (*what).into());
            finding
        }
    }
}

/// What it means that no token could be had.
pub fn finding_of_token(error: &TokenError) -> Finding {
    match error {
        TokenError::Offline(evidence) => {
            let code = match evidence.code.as_deref() {
                Some("connection_timeout") => "connection_timeout",
                _ if evidence.status.is_some() => "server_trouble",
                _ => "offline",
            };
            Finding::seen(code, Severity::Failed, evidence)
        }
        TokenError::SignInAgain {
            error, evidence, ..
        } => Finding {
            sign_in_again: true,
            ..Finding::seen(
                evidence.code.as_deref().unwrap_or(error),
                Severity::Failed,
                evidence,
            )
        },
        TokenError::NoTokens => Finding {
            sign_in_again: true,
            ..Finding::plain("key_missing", Severity::Failed)
        },
        TokenError::NotStored(reason) => {
            let evidence = Evidence::of(None, None, reason, &[]);
            Finding::seen("disk_full", Severity::Failed, &evidence)
        }
    }
}

/// What it means that a sign-in, or looking the tenant up, did not work out.
pub fn finding_of_sign_in(error: &SignInError) -> Finding {
    let seen = |code: &str, evidence: &Evidence| Finding::seen(code, Severity::Failed, evidence);
    match error {
        SignInError::Offline(evidence) => {
            seen(evidence.code.as_deref().unwrap_or("offline"), evidence)
        }
        SignInError::TenantNotFound(evidence) => seen("tenant_not_found", evidence),
        SignInError::IssuerNotFound(evidence) => seen("issuer_not_found", evidence),
        SignInError::IssuerUnfit(what, evidence) => {
            let mut finding = seen("issuer_unfit", evidence);
            finding.args.insert("what".into(), (*what).into());
            finding
        }
        SignInError::Refused {
            error, evidence, ..
        } if is_admins_no(evidence) => {
            let mut finding = seen("approval_denied", evidence);
            finding.args.insert("code".into(), error.clone());
            finding
        }
        SignInError::Refused {
            error, evidence, ..
        } => seen(evidence.code.as_deref().unwrap_or(error), evidence),
        SignInError::Invalid(what, evidence) => {
            let mut finding = seen("signin_invalid", evidence);
            finding.args.insert("what".into(), (*what).into());
            finding
        }
        SignInError::TimedOut => Finding::plain("signin_timed_out", Severity::Failed),
        SignInError::Cancelled => Finding::plain("signin_cancelled", Severity::Failed),
        SignInError::NoPort(error) => {
            let evidence = Evidence::of(None, None, &error.to_string(), &[]);
            seen("no_port", &evidence)
        }
    }
}

/// Whether a refusal is the admin's own: the callback of the admin consent endpoint carries `admin_consent=True` even
/// where the admin declined ("Admin consent on the Microsoft identity platform").
fn is_admins_no(evidence: &Evidence) -> bool {
    evidence
        .raw
        .lines()
        .any(|line| line.eq_ignore_ascii_case("admin_consent: true"))
}

/// What keeps the database from being used.
pub fn finding_of_store(error: &StoreError) -> Finding {
    let code = match error {
        StoreError::DiskFull => "disk_full",
        StoreError::Damaged { .. } => "database_damaged",
        StoreError::Newer { .. } => "database_newer",
        StoreError::Folder(_) | StoreError::Sqlite(_) | StoreError::Closed => "database_trouble",
    };
    // What SQLite or the system said.
    let said = std::error::Error::source(error)
        .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    let evidence = Evidence::of(None, None, &said, &[]);
    Finding::seen(code, Severity::Failed, &evidence)
}

/// A provider's refusal at the station where it was met.
fn refused(error: &ProviderError, facts: Facts) -> Judgement {
    let finding = finding_of(error);
    match error {
        // The server is well and asks for a pause.
        ProviderError::Throttled(..) => Judgement::not_now(finding, facts),
        ProviderError::Offline(_)
        | ProviderError::Token(_)
        | ProviderError::Unauthorized(_)
        | ProviderError::Forbidden(_)
        | ProviderError::Untrusted(_)
        | ProviderError::NotFound(_)
        | ProviderError::CursorExpired(_)
        | ProviderError::QuotaFull(_)
        | ProviderError::Server(_)
        | ProviderError::Protocol(..) => Judgement::failed(finding, facts),
    }
}

/// The sign-in service's refusal, where it belongs to `station`.
fn own(refusal: Option<&Finding>, station: Station) -> Option<Finding> {
    refusal
        .filter(|finding| station_of(finding) == station)
        .cloned()
}

#[cfg(test)]
pub(super) mod testing {
    use crate::diagnosis::map::{Judgement, StationState};
    use crate::diagnosis::{Evidence, Finding, Severity};

    /// Evidence with a code.
    pub(in crate::diagnosis) fn said(code: &str, status: u16) -> Evidence {
        Evidence {
            code: Some(code.to_owned()),
            status: Some(status),
            at: 1,
            raw: format!("{{\"code\":\"{code}\"}}"),
            ..Evidence::default()
        }
    }

    /// A refusal by the sign-in service.
    pub(in crate::diagnosis) fn refusal(code: &str) -> Option<Finding> {
        Some(Finding::seen(code, Severity::Failed, &said(code, 400)))
    }

    /// State, code of the finding, and whether the way ends.
    pub(in crate::diagnosis) fn seen(judgement: &Judgement) -> (StationState, &str, bool) {
        let code = judgement
            .finding
            .as_ref()
            .map_or("", |finding| finding.code.as_str());
        (judgement.state, code, judgement.stops)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::said;
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_wait_is_throttling_or_the_servers_own_trouble() {
        for (code, status, expected) in [
            ("TooManyRequests", 429, "throttled"),
            ("ErrorServerBusy", 503, "throttled"),
            ("ServiceUnavailable", 503, "server_trouble"),
        ] {
            let error = ProviderError::Throttled(Duration::from_secs(1), said(code, status));
            let finding = finding_of(&error);
            assert_eq!(finding.code, expected);
            assert_eq!(finding.severity, Severity::Warning);
        }
    }

    #[test]
    fn only_the_admin_consent_callback_is_a_denial() {
        let refused = |raw: &str| SignInError::Refused {
            error: "access_denied".into(),
            suberror: None,
            evidence: Evidence {
                raw: raw.into(),
                ..said("AADSTS65004", 0)
            },
        };
        let theirs = refused("admin_consent: True\nerror: access_denied");
        assert_eq!(finding_of_sign_in(&theirs).code, "approval_denied");
        let own = refused("error: access_denied\nerror_description: admin_consent: true?");
        assert_eq!(finding_of_sign_in(&own).code, "AADSTS65004");
    }
}
