//! Asking an admin for approval: the link and the words to send them. Everything here is text; what is kept is in
//! the store, and who asks is in the API.

use crate::Millis;
use serde::{Deserialize, Serialize};

/// A request for approval that waits for the tenant's admin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ApprovalRequest {
    /// Names the request in later calls.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub id: i64,
    /// The address that is to be connected.
    pub address: String,
    /// The connected address, where it is one already.
    #[cfg_attr(feature = "bindings", ts(type = "number | null"))]
    pub address_id: Option<i64>,
    /// Since when the admin is waited for.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub asked_at: Millis,
    /// The link for the admin: tenant-wide consent with exactly our scopes.
    pub consent_link: String,
    /// Ready texts for the admin.
    pub messages: ApprovalMessages,
    /// How it stands.
    pub state: ApprovalState,
    /// How approval will be noticed.
    pub recheck: Recheck,
    /// When it was last looked whether approval is there.
    #[cfg_attr(feature = "bindings", ts(type = "number | null"))]
    pub checked_at: Option<Millis>,
}

/// The same message in three languages: the admin's language may be another one than the asker's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ApprovalMessages {
    /// English.
    pub en: ApprovalMessage,
    /// German.
    pub de: ApprovalMessage,
    /// Japanese.
    pub ja: ApprovalMessage,
}

/// One message, as plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ApprovalMessage {
    /// Subject line.
    pub subject: String,
    /// Text; lines end with a line feed.
    pub text: String,
}

/// How a request for approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum ApprovalState {
    /// The admin has not acted yet, as far as can be seen.
    Waiting,
    /// The admin refused.
    Denied,
    /// Approval is there: the sign-in works.
    Approved,
}

/// How approval is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Recheck {
    /// By itself: there is a stored sign-in, which is renewed silently every few minutes.
    Quiet,
    /// By signing in once more: nobody has ever been signed in here, so there is nothing that could be asked
    /// silently.
    SignIn,
}

/// Whom approval is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum ApprovalFor {
    /// A connection being made.
    Attempt(String),
    /// A connected address.
    Address(#[cfg_attr(feature = "bindings", ts(type = "number"))] i64),
}
