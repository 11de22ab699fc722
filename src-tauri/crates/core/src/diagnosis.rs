//! What is wrong with a connection, who can mend it and how. Findings are values, not errors;
//! [`catalogue`] explains codes in three languages and is data; [`explain`] finds codes in pasted texts.

pub mod catalogue;
pub mod checks;
pub mod evidence;
pub mod explain;
pub mod forecast;
pub mod handoff;
pub mod map;
pub mod practice;
pub mod redact;
pub mod registration;
pub mod stations;

use crate::Millis;
use crate::account::Registration;
use serde::{Deserialize, Serialize};

/// The result of one probed step of a connection, or the cause of a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct Finding {
    /// Key into the catalogue, for instance `AADSTS65001` or `offline`; `unknown` has a card of its own.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// Values for the catalogue's placeholders.
    pub args: std::collections::BTreeMap<String, String>,
    /// What the server said.
    pub evidence: Option<Evidence>,
    /// Whether signing in again mends it: shells offer that first.
    #[serde(default)]
    #[cfg_attr(feature = "bindings", ts(as = "Option<bool>", optional))]
    pub sign_in_again: bool,
    /// To whom it can be handed over, where somebody else can mend it.
    #[serde(default)]
    #[cfg_attr(
        feature = "bindings",
        ts(as = "Option<handoff::HandOffKind>", optional)
    )]
    pub hand_off: Option<handoff::HandOffKind>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Severity {
    /// In order.
    Ok,
    /// Works, but needs a look.
    Warning,
    /// Does not work.
    Failed,
}

/// What a server answered, with everything secret taken out before it is made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct Evidence {
    /// The server's own code: `error.code` of Graph, `error` of OAuth, an enhanced SMTP status.
    pub code: Option<String>,
    /// HTTP status.
    pub status: Option<u16>,
    /// The server's request id.
    pub request_id: Option<String>,
    /// The correlation id, where there is one.
    pub correlation_id: Option<String>,
    /// When it was seen.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub at: Millis,
    /// The answer as sent, redacted, at most 4,000 characters.
    pub raw: String,
}

impl Finding {
    /// A finding without a server's answer.
    pub fn plain(code: &str, severity: Severity) -> Self {
        Self {
            code: code.into(),
            severity,
            args: std::collections::BTreeMap::new(),
            evidence: None,
            sign_in_again: false,
            hand_off: handoff::kind_of(code),
        }
    }

    /// The same under another code.
    #[must_use]
    pub fn called(self, code: &str) -> Self {
        Self {
            code: code.to_owned(),
            hand_off: handoff::kind_of(code),
            ..self
        }
    }

    /// A finding with what the server said.
    pub fn seen(code: &str, severity: Severity, evidence: &Evidence) -> Self {
        Self {
            evidence: Some(evidence.clone()),
            ..Self::plain(code, severity)
        }
    }
}

impl Finding {
    /// With the scopes that are to be asked for, unless it names scopes itself.
    #[must_use]
    pub fn asking(mut self, scopes: &[String]) -> Self {
        let scopes = || scopes.join(" ");
        self.args.entry("scope".to_owned()).or_insert_with(scopes);
        self
    }

    /// With the values that the catalogue's steps, links and commands are filled in with. Values that are there
    /// already stay.
    #[must_use]
    pub fn about(
        mut self,
        address: &str,
        login: Option<&str>,
        registration: &Registration,
    ) -> Self {
        let correlation = self
            .evidence
            .as_ref()
            .and_then(|evidence| evidence.correlation_id.clone());
        let authority = registration.authority.origin().ascii_serialization();
        let request_id = self
            .evidence
            .as_ref()
            .and_then(|evidence| evidence.request_id.clone());
        let seen_at = self
            .evidence
            .as_ref()
            .and_then(|evidence| jiff::Timestamp::from_millisecond(evidence.at).ok())
            .map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
        let values = [
            ("address", Some(address.to_owned())),
            ("authority", Some(authority)),
            (
                "issuer",
                registration
                    .issuer
                    .as_ref()
                    .map(|issuer| issuer.name.clone()),
            ),
            ("login", login.map(str::to_owned)),
            ("tenant", Some(registration.tenant.clone())),
            ("client_id", Some(registration.client_id.clone())),
            ("scope", Some(crate::oauth::SCOPES.join(" "))),
            ("redirect_uri", Some("http://localhost".to_owned())),
            ("correlation_id", correlation),
            ("request_id", request_id),
            ("seen_at", seen_at),
        ];
        for (name, value) in values {
            if let Some(value) = value {
                self.args.entry(name.to_owned()).or_insert(value);
            }
        }
        self
    }
}
