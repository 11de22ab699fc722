//! What can go wrong while signing in and renewing tokens.

use crate::diagnosis::Evidence;

/// Signing in did not work out.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No network, or the sign-in service does not answer.
    #[error("the sign-in service cannot be reached")]
    Offline(Evidence),
    /// The tenant does not exist (OpenID discovery says so).
    #[error("the tenant is not known")]
    TenantNotFound(Evidence),
    /// There is no issuer at the address that was given.
    #[error("there is no issuer here")]
    IssuerNotFound(Evidence),
    /// The issuer describes itself in a way that Mailroom cannot work with; names what does not fit.
    #[error("the issuer does not fit: {0}")]
    IssuerUnfit(&'static str, Evidence),
    /// The service answered with an OAuth error, in the redirect or at the token endpoint; `evidence.code` is
    /// the `AADSTS…` number where the text has one, else the `error` value.
    #[error("the sign-in service refused: {error}")]
    Refused {
        /// The `error` value: what to branch on.
        error: String,
        /// `suberror`, where given.
        suberror: Option<String>,
        /// The whole answer, redacted.
        evidence: Evidence,
    },
    /// The answer does not fit what was asked: wrong nonce, issuer, audience, or no JSON.
    #[error("the sign-in service's answer is not valid: {0}")]
    Invalid(&'static str, Evidence),
    /// Five minutes went by.
    #[error("nobody signed in within five minutes")]
    TimedOut,
    /// The person cancelled.
    #[error("cancelled")]
    Cancelled,
    /// No loopback port could be opened.
    #[error("no port could be opened on this computer")]
    NoPort(#[source] std::io::Error),
}

/// No access token could be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TokenError {
    /// No network, or the service is in trouble (5xx, `temporarily_unavailable`): try later.
    #[error("the sign-in service cannot be reached")]
    Offline(Evidence),
    /// The refresh token no longer works: a person must sign in again. `error` is what to branch on.
    #[error("signing in again is needed: {error}")]
    SignInAgain {
        /// `invalid_grant`, `interaction_required`, `consent_required`, …
        error: String,
        /// `suberror`, where given.
        suberror: Option<String>,
        /// A claims challenge to pass on to the browser.
        claims: Option<String>,
        /// The whole answer, redacted.
        evidence: Evidence,
    },
    /// The key to the stored tokens is missing, or there are none.
    #[error("no stored sign-in")]
    NoTokens,
    /// The renewed token could not be stored; the old one stays in force. Disk full, for instance.
    #[error("the renewed sign-in could not be stored: {0}")]
    NotStored(String),
}
