//! Handing a fix over to whoever can make it: the words to send them, the link or the commands. Everything here is
//! text; what is kept is in the store, and who asks is in the API.

mod message;

pub use message::{REDIRECT, consent_link, messages};

use super::catalogue::{self, CardCommand, Fixer};
use super::map::Station;
use super::stations::{is_about_approval, station_of_code};
use crate::Millis;
use crate::oauth::is_openid_scope;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something that waits for somebody else: an admin's approval, a right on a mailbox, a change to the app registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct HandOff {
    /// Names the hand-off in later calls.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub id: i64,
    /// Whom it is with.
    pub kind: HandOffKind,
    /// The finding's code.
    pub code: String,
    /// The address that it is about.
    pub address: String,
    /// The connected address, where it is one already.
    #[cfg_attr(feature = "bindings", ts(type = "number | null"))]
    pub address_id: Option<i64>,
    /// Since when the other person is waited for.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub asked_at: Millis,
    /// For an approval: the link for the admin, tenant-wide consent with exactly our scopes.
    pub consent_link: Option<String>,
    /// Ready texts for the other person.
    pub messages: HandOffMessages,
    /// How it stands.
    pub state: HandOffState,
    /// How it will be noticed that it is done.
    pub recheck: Recheck,
    /// When it was last looked whether it is done.
    #[cfg_attr(feature = "bindings", ts(type = "number | null"))]
    pub checked_at: Option<Millis>,
    /// How it was last mailed, if it was.
    pub mailed: Option<Mailed>,
    /// Whether it asks for the permission to read the inbox rules too: then signing in asks for it as well.
    pub forwarding: bool,
}

/// The same message in three languages: the reader's language may be another one than the asker's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct HandOffMessages {
    /// English.
    pub en: HandOffMessage,
    /// German.
    pub de: HandOffMessage,
    /// Japanese.
    pub ja: HandOffMessage,
}

impl HandOffMessages {
    /// The message in `language`.
    pub fn of(&self, language: catalogue::Language) -> &HandOffMessage {
        match language {
            catalogue::Language::En => &self.en,
            catalogue::Language::De => &self.de,
            catalogue::Language::Ja => &self.ja,
        }
    }
}

/// One message, as plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct HandOffMessage {
    /// Subject line.
    pub subject: String,
    /// Text; lines end with a line feed.
    pub text: String,
    /// PowerShell that does it, those that only read first; they stand in `text` too.
    pub commands: Vec<CardCommand>,
}

/// Whom something is handed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum HandOffKind {
    /// The tenant's admin approves the app.
    Approval,
    /// Whoever manages mailboxes changes something in Exchange.
    Mailbox,
    /// The tenant's admin changes something else in Entra.
    Tenant,
    /// The owner of the app registration changes it.
    Registration,
}

/// How a hand-off stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum HandOffState {
    /// Nobody has acted yet, as far as can be seen.
    Waiting,
    /// The admin refused.
    Denied,
    /// It works now.
    Done,
}

/// How it is noticed that somebody acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Recheck {
    /// By itself: there is a stored sign-in, with which Mailroom tries again every few minutes.
    Quiet,
    /// By signing in once more: nobody is signed in here, so there is nothing that could be asked silently; or more is
    /// asked for than the stored sign-in was granted.
    SignIn,
    /// By a test mail, which is sent only when the person agrees: the right to send shows nowhere else.
    TestMail,
}

/// A mail that asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct Mailed {
    /// The connected address that it left from.
    pub from: String,
    /// To whom.
    pub to: String,
    /// When.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub at: Millis,
    /// Whether the server's answer was lost, so that nobody knows whether it left.
    pub unsure: bool,
    /// The click that sent it: the same click never sends twice.
    pub click: String,
}

/// What a hand-off is made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum HandOffFor {
    /// A connection being made.
    Attempt(String),
    /// A connected address.
    Address(#[cfg_attr(feature = "bindings", ts(type = "number"))] i64),
}

/// The values a message is made of: what [`super::Finding::about`] puts into a finding.
pub type Values = BTreeMap<String, String>;

/// To whom a finding with `code` can be handed: nothing where the person at the screen or nobody has to act. Where the
/// person may try something first, somebody else is offered only if the catalogue has commands for them.
pub fn kind_of(code: &str) -> Option<HandOffKind> {
    if is_about_approval(code) {
        return Some(HandOffKind::Approval);
    }
    let entry = catalogue::get(code)?;
    let theirs = |fixer: &Fixer| match fixer {
        Fixer::MailboxAdmin => Some(HandOffKind::Mailbox),
        Fixer::TenantAdmin => Some(HandOffKind::Tenant),
        Fixer::AppOwner => Some(HandOffKind::Registration),
        Fixer::You | Fixer::Nobody => None,
    };
    match entry.fixers.first().and_then(theirs) {
        Some(kind) => Some(kind),
        None if entry.commands.is_empty() => None,
        None => entry.fixers.iter().find_map(theirs),
    }
}

/// Whether `granted` holds all of `wanted`, with or without the resource before a permission's name, in either case of
/// letters. The scopes of the sign-in itself are left out: not every service repeats them.
pub fn covers(granted: &[String], wanted: &[String]) -> bool {
    let name = |scope: &str| {
        let short = scope.rsplit('/').next().filter(|name| !name.is_empty());
        short.unwrap_or(scope).to_ascii_lowercase()
    };
    wanted
        .iter()
        .filter(|wanted| !is_openid_scope(wanted))
        .all(|wanted| granted.iter().any(|granted| name(granted) == name(wanted)))
}

/// Whether only sending shows that `code` is mended.
pub fn shows_by_sending(code: &str) -> bool {
    station_of_code(code) >= Station::Send
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_go_to_whoever_can_mend_them() {
        for (code, expected) in [
            ("AADSTS65001", Some(HandOffKind::Approval)),
            ("aadsts90094", Some(HandOffKind::Approval)),
            ("access_denied", Some(HandOffKind::Approval)),
            ("full_access_missing", Some(HandOffKind::Mailbox)),
            ("ErrorSendAsDenied", Some(HandOffKind::Mailbox)),
            ("SMTP 5.7.139 mailbox", Some(HandOffKind::Mailbox)),
            ("IMAP AUTHENTICATE failed", Some(HandOffKind::Mailbox)),
            ("AADSTS7000112", Some(HandOffKind::Tenant)),
            ("AADSTS7000218", Some(HandOffKind::Registration)),
            ("wrong_account", None),
            ("throttled", None),
            ("no such code", None),
        ] {
            assert_eq!(kind_of(code), expected, "{code}");
        }
    }

    #[test]
    fn what_was_granted_covers_what_was_asked_for_permission_by_permission() {
        let scopes = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
        for (granted, wanted, expected) in [
            (
                "User.Read Mail.Send",
                "openid offline_access mail.send",
                true,
            ),
            (
                "User.Read Mail.Send",
                "Mail.Send MailboxSettings.Read",
                false,
            ),
            (
                "IMAP.AccessAsUser.All",
                "https://outlook.office.com/IMAP.AccessAsUser.All",
                true,
            ),
            (
                "https://mail.contoso.example/",
                "https://mail.contoso.example/",
                true,
            ),
            (
                "https://mail.contoso.example/",
                "https://mail.fabrikam.example/",
                false,
            ),
            ("", "Mail.Send", false),
            ("", "openid email", true),
        ] {
            let covered = covers(&scopes(granted), &scopes(wanted));
            assert_eq!(covered, expected, "{granted} for {wanted}");
        }
    }

    #[test]
    fn only_rights_to_send_need_a_mail_to_show() {
        assert!(shows_by_sending("ErrorSendAsDenied"));
        assert!(!shows_by_sending("full_access_missing"));
        assert!(!shows_by_sending("AADSTS65001"));
    }
}
