//! Authorization codes, refresh tokens, and access tokens that were ended early.

use super::authority::Authority;
use super::request::Challenge;
use super::scopes::Scopes;
use crate::scenarios::Scenario;
use crate::tenant::directory::Platform;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use jiff::{SignedDuration, Timestamp};
use rand::RngCore;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

/// How long a code can be redeemed.
pub(crate) const CODE_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// How long a refresh token may lie unused.
pub(crate) const IDLE_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What one sign-in is good for: all its codes and refresh tokens share this.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Grant {
    /// Application id.
    pub(crate) client_id: String,
    /// Object id of the account.
    pub(crate) oid: String,
    /// Where it was asked for.
    pub(crate) authority: Authority,
    /// What was asked for.
    pub(crate) scopes: Scopes,
    /// When the account proved itself.
    pub(crate) signed_in_at: Timestamp,
    /// Was there a second factor?
    pub(crate) mfa: bool,
    /// Does the client understand claims challenges?
    pub(crate) understands_challenges: bool,
    /// Did the sign-in meet the policy of a claims challenge?
    #[serde(default)]
    pub(crate) steps_up: bool,
    /// What has become of it.
    pub(crate) fate: Fate,
}

/// What a refresh with a grant gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fate {
    /// Tokens.
    Alive,
    /// AADSTS50173.
    Revoked(Timestamp),
    /// AADSTS700082.
    Expired,
    /// The consent is withdrawn first, hence AADSTS65001.
    Unconsented,
    /// What the scenario says.
    Struck(Scenario),
}

/// An authorization code.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    /// The sign-in.
    pub(crate) grant: Grant,
    /// Must be repeated exactly.
    pub(crate) redirect_uri: String,
    /// Platform of the redirect URI.
    pub(crate) platform: Platform,
    /// PKCE.
    pub(crate) challenge: Option<Challenge>,
    /// For the ID token.
    pub(crate) nonce: Option<String>,
    /// End of its life.
    pub(crate) expires: Timestamp,
    /// Was it redeemed?
    pub(crate) used: bool,
}

/// A refresh token, kept under the hash of its text.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Refresh {
    /// Number of the grant.
    pub(crate) grant: u64,
    /// When it was handed out.
    pub(crate) issued: Timestamp,
    /// When it was used last.
    pub(crate) used: Timestamp,
}

/// Why an access token is no good before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By its time, as far as the client can tell.
    Expired,
    /// The account's sessions were revoked then.
    Revoked(Timestamp),
}

#[derive(Debug)]
struct Access {
    oid: String,
    expires: Timestamp,
    ended: Option<Ended>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    next: u64,
    grants: BTreeMap<u64, Grant>,
    refresh: BTreeMap<String, Refresh>,
    codes: HashMap<String, Code>,
    access: HashMap<String, Access>,
    /// (scenario, account) whose next sign-in holds.
    pub(crate) spared: Vec<(String, String)>,
}

/// What survives a restart.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    next: u64,
    grants: BTreeMap<u64, Grant>,
    refresh: BTreeMap<String, Refresh>,
}

/// Opaque text as codes and refresh tokens have it.
fn opaque(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    rand::rng().fill_bytes(&mut random);
    format!("1.{}", B64.encode(random))
}

fn hash(token: &str) -> String {
    B64.encode(Sha256::digest(token))
}

impl Grants {
    /// Hands out a code.
    pub(crate) fn issue_code(&mut self, code: Code, now: Timestamp) -> String {
        // Used and expired codes are kept for a while: a client that repeats one learns which it was.
        let kept = SignedDuration::from_hours(24);
        self.codes
            .retain(|_, c| now.duration_since(c.expires) < kept);
        let text = opaque(96);
        self.codes.insert(text.clone(), code);
        text
    }

    /// The code with this text.
    pub(crate) fn code(&mut self, text: &str) -> Option<&mut Code> {
        self.codes.get_mut(text)
    }

    /// Notes a sign-in whose code was redeemed.
    pub(crate) fn open(&mut self, grant: Grant) -> u64 {
        self.next += 1;
        self.grants.insert(self.next, grant);
        self.next
    }

    /// Hands out a refresh token. Those before it stay valid ("Refresh tokens in the Microsoft identity platform").
    pub(crate) fn issue_refresh(&mut self, grant: u64, now: Timestamp) -> String {
        let forgotten = IDLE_LIFE * 2;
        self.refresh
            .retain(|_, r| now.duration_since(r.used) < forgotten);
        let text = opaque(384);
        self.refresh.insert(
            hash(&text),
            Refresh {
                grant,
                issued: now,
                used: now,
            },
        );
        text
    }

    /// The refresh token with this text.
    pub(crate) fn refresh(&mut self, text: &str) -> Option<&mut Refresh> {
        self.refresh.get_mut(&hash(text))
    }

    /// The grant with this number.
    pub(crate) fn grant(&mut self, number: u64) -> Option<&mut Grant> {
        self.grants.get_mut(&number)
    }

    /// Notes an access token by its `uti`.
    pub(crate) fn note_access(&mut self, uti: &str, oid: &str, expires: Timestamp, now: Timestamp) {
        self.access.retain(|_, a| a.expires > now);
        self.access.insert(
            uti.to_owned(),
            Access {
                oid: oid.to_owned(),
                expires,
                ended: None,
            },
        );
    }

    /// Was this access token ended early?
    pub(crate) fn ended(&self, uti: &str) -> Option<Ended> {
        self.access.get(uti).and_then(|a| a.ended)
    }

    /// Ends the access tokens of an account (`None`: of everybody).
    pub(crate) fn end_access(&mut self, oid: Option<&str>, how: Ended) {
        for access in self.access.values_mut() {
            if oid.is_none_or(|oid| oid == access.oid) {
                access.ended = Some(how);
            }
        }
    }

    /// Decides the fate of the living grants of an account (`None`: of everybody). Returns whose they were.
    pub(crate) fn strike(&mut self, oid: Option<&str>, fate: Fate) -> Vec<String> {
        let mut struck = Vec::new();
        for grant in self.grants.values_mut() {
            if grant.fate == Fate::Alive && oid.is_none_or(|oid| oid == grant.oid) {
                grant.fate = fate;
                struck.push(grant.oid.clone());
            }
        }
        struck
    }

    /// Brings grants that were struck back to life; gives all of them.
    pub(crate) fn revive(&mut self) -> Vec<Grant> {
        for grant in self.grants.values_mut() {
            grant.fate = Fate::Alive;
        }
        self.spared.clear();
        self.grants.values().cloned().collect()
    }

    /// Whose living grants there are.
    pub(crate) fn owners(&self) -> Vec<String> {
        let alive = self.grants.values().filter(|g| g.fate == Fate::Alive);
        alive.map(|g| g.oid.clone()).collect()
    }

    /// What to write to the state folder.
    pub(crate) fn kept(&self) -> Kept {
        Kept {
            next: self.next,
            grants: self.grants.clone(),
            refresh: self.refresh.clone(),
        }
    }

    /// Takes over what was read from the state folder.
    pub(crate) fn restore(&mut self, kept: Kept) {
        self.next = kept.next;
        self.grants = kept.grants;
        self.refresh = kept.refresh;
    }
}
