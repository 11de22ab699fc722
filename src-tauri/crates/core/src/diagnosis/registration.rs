//! The app registration that Mailroom signs in with: what it must be like, what deviates, and a script that sets it up.
//! Everything here is text; nothing asks a server.

mod manifest;
mod script;

pub use manifest::{NotAManifest, audit};
pub use script::{Shell, Wanted, script};

use super::catalogue::{self, Card, Language};
use crate::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Microsoft Graph, as a resource that permissions belong to.
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// Office 365 Exchange Online; its permissions for IMAP and SMTP have the same ids as Graph's.
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";

/// Ids of delegated permissions ("Microsoft Graph permissions reference").
const PERMISSIONS: [(&str, &str); 12] = [
    ("openid", "37f7f235-527c-4136-accd-4a02d197296e"),
    ("offline_access", "7427e0e9-2fba-42fe-b0c0-848c9e6a8182"),
    ("email", "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0"),
    ("profile", "14dad69e-099b-42c9-810b-d002981feec1"),
    ("User.Read", "e1fe6dd8-ba31-4d61-89e7-88639da4683d"),
    ("Mail.ReadWrite", "024d486e-b451-40bb-833d-3e66d98c5c73"),
    ("Mail.Send", "e383f46e-2787-4529-855e-0e479a3ffac0"),
    (
        "Mail.ReadWrite.Shared",
        "5df07973-7d5d-46ed-9847-1271055cbd51",
    ),
    ("Mail.Send.Shared", "a367ab51-6b49-43bf-a716-a1fb06d2a174"),
    (
        "IMAP.AccessAsUser.All",
        "652390e4-393a-48de-9484-05f9b1212954",
    ),
    ("SMTP.Send", "258f6531-6087-4cc4-bb90-092c5fb3ed3f"),
    (
        "MailboxSettings.Read",
        "87f447af-9fa4-4c32-9dfa-4a57a73d18ce",
    ),
];

/// How mail is to be read: decides the permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Access {
    /// Microsoft Graph.
    Graph,
    /// Microsoft Graph, shared mailboxes too.
    GraphShared,
    /// IMAP and SMTP.
    Imap,
}

impl Access {
    /// The delegated permissions that the registration must list.
    pub fn permissions(self) -> Vec<&'static str> {
        let own: &[&str] = match self {
            Self::Graph => &["User.Read", "Mail.ReadWrite", "Mail.Send"],
            Self::GraphShared => &[
                "User.Read",
                "Mail.ReadWrite",
                "Mail.Send",
                "Mail.ReadWrite.Shared",
                "Mail.Send.Shared",
            ],
            Self::Imap => &["IMAP.AccessAsUser.All", "SMTP.Send"],
        };
        let mut all = vec!["openid", "offline_access", "email"];
        all.extend(own);
        all
    }
}

/// What a registration is like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct Audit {
    /// Its name, where it has one.
    pub name: String,
    /// Its client id.
    pub client_id: String,
    /// What deviates from what Mailroom needs, worst first; empty: it is as it should be.
    pub deviations: Vec<Deviation>,
    /// When its secrets and certificates end, first one first. Mailroom needs none of them.
    pub expiries: Vec<Expiry>,
}

/// One thing that deviates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct Deviation {
    /// Key into the catalogue.
    pub code: String,
    /// Values for its words.
    pub args: BTreeMap<String, String>,
}

impl Deviation {
    fn new<const N: usize>(code: &str, args: [(&str, &str); N]) -> Self {
        let args = args.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            code: code.to_owned(),
            args: args.into(),
        }
    }

    /// What it is, why it breaks, and the exact fix.
    pub fn card(&self, language: Language) -> Card {
        catalogue::card(&self.code, &self.args, language)
    }
}

/// What is kept of a manifest that was checked: nothing but when something in it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownExpiries {
    /// Its secrets and certificates, without their values.
    pub expiries: Vec<Expiry>,
}

/// A secret or certificate of the registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct Expiry {
    /// Whether it is a certificate; else a secret.
    pub certificate: bool,
    /// Its name.
    pub name: String,
    /// When it ends.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub ends_at: Millis,
}
