//! What an administrator decides beside consent: assignment, rights on mailboxes, requests for approval.

use super::people;
use crate::scenarios::Scenario;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A right on somebody else's mailbox (Exchange admin centre, "Mailbox delegation").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// "Read and manage (Full Access)".
    FullAccess,
    /// "Send as".
    SendAs,
}

/// What has become of a request for approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RequestState {
    /// Nobody has decided yet.
    Waiting,
    /// The administrator consented for everybody.
    Approved,
    /// The administrator said no.
    Denied,
}

/// "Request approval" of somebody who may not consent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ApprovalRequest {
    /// Counts from 1.
    pub(crate) id: u64,
    /// Application id.
    pub(crate) client_id: String,
    /// Object id of the account that asks.
    pub(crate) user: String,
    /// The reason it gave.
    pub(crate) reason: String,
    /// What is asked for: (resource URI, permission).
    pub(crate) scopes: Vec<(String, String)>,
    /// When, by the tenant's clock.
    pub(crate) at: Timestamp,
    /// What has become of it.
    pub(crate) state: RequestState,
}

/// All decisions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Decisions {
    /// "Assignment required?" of the app Mailroom.
    pub(crate) assignment_required: bool,
    /// Object ids of the accounts assigned to it.
    pub(crate) assigned: BTreeSet<String>,
    /// Accounts (object ids) that are under a scenario of their own, such as a blocked sign-in.
    pub(crate) marks: BTreeSet<(String, Scenario)>,
    /// Permissions taken out of the registration Mailroom: (resource URI, permission).
    pub(crate) removed: BTreeSet<(String, String)>,
    /// Object ids of the accounts that may not use IMAP.
    pub(crate) no_imap: BTreeSet<String>,
    /// Object ids of the accounts that may not use authenticated SMTP.
    pub(crate) no_smtp: BTreeSet<String>,
    /// Requests for approval, the oldest first.
    pub(crate) requests: Vec<ApprovalRequest>,
    full_access: BTreeSet<(String, String)>,
    send_as: BTreeSet<(String, String)>,
}

impl Decisions {
    /// As they are at the first start: Alex works with the shared mailbox info@.
    pub(crate) fn first() -> Self {
        let mut decisions = Decisions::default();
        decisions.restore(Right::FullAccess);
        decisions.restore(Right::SendAs);
        decisions
    }

    fn rights(&mut self, right: Right) -> &mut BTreeSet<(String, String)> {
        match right {
            Right::FullAccess => &mut self.full_access,
            Right::SendAs => &mut self.send_as,
        }
    }

    /// Gives a right back to those who have it at the first start.
    pub(crate) fn restore(&mut self, right: Right) {
        let first = match right {
            Right::FullAccess => people::FULL_ACCESS,
            Right::SendAs => people::SEND_AS,
        };
        let pairs = first.iter().map(|(u, m)| ((*u).into(), (*m).into()));
        self.rights(right).extend(pairs);
    }

    /// Takes a right from everybody.
    pub(crate) fn withdraw_all(&mut self, right: Right) {
        self.rights(right).clear();
    }

    /// Grants or takes a right of an account on a mailbox (both object ids).
    pub(crate) fn set_right(&mut self, right: Right, user: &str, mailbox: &str, granted: bool) {
        let pair = (user.to_owned(), mailbox.to_owned());
        if granted {
            self.rights(right).insert(pair);
        } else {
            self.rights(right).remove(&pair);
        }
    }

    /// Has the account this right on the mailbox (both object ids)?
    pub(crate) fn has_right(&self, right: Right, user: &str, mailbox: &str) -> bool {
        let pairs = match right {
            Right::FullAccess => &self.full_access,
            Right::SendAs => &self.send_as,
        };
        pairs.iter().any(|(u, m)| u == user && m == mailbox)
    }

    /// Writes a request down. One that is waiting already keeps its place and takes the new reason.
    pub(crate) fn request(
        &mut self,
        client_id: &str,
        user: &str,
        reason: &str,
        scopes: Vec<(String, String)>,
        at: Timestamp,
    ) {
        let waiting = self.requests.iter_mut().find(|r| {
            r.state == RequestState::Waiting && r.client_id == client_id && r.user == user
        });
        if let Some(waiting) = waiting {
            reason.clone_into(&mut waiting.reason);
            waiting.scopes = scopes;
            return;
        }
        let id = self.requests.last().map_or(1, |last| last.id + 1);
        self.requests.push(ApprovalRequest {
            id,
            client_id: client_id.to_owned(),
            user: user.to_owned(),
            reason: reason.to_owned(),
            scopes,
            at,
            state: RequestState::Waiting,
        });
    }
}
