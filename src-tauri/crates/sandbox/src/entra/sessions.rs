//! Browser sessions (who is signed in, in which browser) and half-finished sign-ins.

use super::adminconsent::AdminConsent;
use super::authority::Authority;
use super::request::AuthorizeRequest;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

/// How long a sign-in page stays usable.
const FLOW_LIFE: SignedDuration = SignedDuration::from_mins(30);

/// An account that is signed in in a browser.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    /// Object id.
    pub(crate) oid: String,
    /// When the password was typed.
    pub(crate) at: Timestamp,
    /// Was there a second factor?
    pub(crate) mfa: bool,
}

/// What a sign-in is for.
#[derive(Debug, Clone)]
pub(crate) enum Goal {
    /// `/authorize`.
    Authorize(AuthorizeRequest),
    /// `/adminconsent`.
    AdminConsent(AdminConsent),
    /// The administrator's pages: the path to go on to.
    Office(String),
}

/// A sign-in under way.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    /// Names it in the forms.
    pub(crate) id: String,
    /// Cookie value of the browser it runs in.
    pub(crate) browser: String,
    /// Where it started.
    pub(crate) authority: Authority,
    /// Scheme and host of the first request: the issuer of the ID token.
    pub(crate) base: String,
    /// Correlation id of the first request.
    pub(crate) correlation_id: String,
    /// What it is for.
    pub(crate) goal: Goal,
    /// Object id of the account that was chosen or typed.
    pub(crate) user: Option<String>,
    /// Has that account proved itself, by password or by its session?
    pub(crate) proved: bool,
    /// The code of the second factor that the page shows.
    pub(crate) code: Option<String>,
    /// End of its life.
    pub(crate) expires: Timestamp,
}

/// All browser sessions and sign-ins.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    browsers: HashMap<String, Vec<SignedIn>>,
    flows: HashMap<String, Flow>,
}

impl Sessions {
    /// Does this cookie belong to a browser that was seen before?
    pub(crate) fn knows(&self, browser: &str) -> bool {
        self.browsers.contains_key(browser)
    }

    /// Who is signed in in this browser.
    pub(crate) fn accounts(&self, browser: &str) -> &[SignedIn] {
        self.browsers.get(browser).map_or(&[], Vec::as_slice)
    }

    /// Remembers a browser in which nobody is signed in yet.
    pub(crate) fn open(&mut self, browser: &str) {
        self.browsers.entry(browser.to_owned()).or_default();
    }

    /// Signs an account in (again).
    pub(crate) fn sign_in(&mut self, browser: &str, account: SignedIn) {
        let accounts = self.browsers.entry(browser.to_owned()).or_default();
        accounts.retain(|a| a.oid != account.oid);
        accounts.push(account);
    }

    /// Signs everybody out of a browser.
    pub(crate) fn sign_out(&mut self, browser: &str) {
        if let Some(accounts) = self.browsers.get_mut(browser) {
            accounts.clear();
        }
    }

    /// Ends the sessions of an account in all browsers; `None`: of all accounts.
    pub(crate) fn revoke(&mut self, oid: Option<&str>) {
        for accounts in self.browsers.values_mut() {
            accounts.retain(|a| oid.is_some_and(|oid| a.oid != oid));
        }
    }

    /// Keeps a sign-in for its next form; forgets those that nobody finished.
    pub(crate) fn keep(&mut self, mut flow: Flow, now: Timestamp) {
        self.flows.retain(|_, f| f.expires > now);
        flow.expires = now.checked_add(FLOW_LIFE).unwrap_or(Timestamp::MAX);
        self.flows.insert(flow.id.clone(), flow);
    }

    /// The sign-in that a form of this browser belongs to.
    pub(crate) fn flow(&self, id: &str, browser: &str, now: Timestamp) -> Option<Flow> {
        self.flows
            .get(id)
            .filter(|f| f.browser == browser && f.expires > now)
            .cloned()
    }

    /// Forgets a finished sign-in, so that going back cannot finish it again.
    pub(crate) fn finish(&mut self, id: &str) {
        self.flows.remove(id);
    }
}
