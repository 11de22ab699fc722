//! Signing in: authorization code with PKCE in the system's browser, a loopback redirect, and tokens that
//! renew themselves. Public client, no secret, never `prompt=consent`.
//!
//! Sources: Microsoft identity platform, "OAuth 2.0 authorization code flow", "Refresh tokens",
//! "Redirect URI restrictions"; RFC 6749, RFC 7636, RFC 8252, RFC 9700.

pub mod approval;
pub mod error;
pub mod exchange;
pub mod flow;
pub mod http;
pub mod loopback;
mod redeem;
#[cfg(test)]
pub(crate) mod testing;
pub mod tokens;

use crate::account::Registration;

/// Scopes that a personal mailbox needs.
pub const SCOPES: [&str; 6] = [
    "openid",
    "offline_access",
    "email",
    "User.Read",
    "Mail.ReadWrite",
    "Mail.Send",
];

/// Further scopes that a shared mailbox needs ("Share or delegate access to Outlook messages").
pub const SHARED_SCOPES: [&str; 2] = ["Mail.ReadWrite.Shared", "Mail.Send.Shared"];

/// Scopes that a mailbox needs: the account's own, or another one that it may open.
pub fn scopes(shared: bool) -> Vec<String> {
    let shared: &[&str] = if shared { &SHARED_SCOPES } else { &[] };
    let all = SCOPES.iter().chain(shared);
    all.map(|scope| (*scope).to_owned()).collect()
}

/// Scopes that are asked for only when somebody wants what they are for (a shared mailbox, the check of
/// forwarding rules). A renewal asks for those of them that were granted.
pub const LATER_SCOPES: [&str; 4] = [
    "Mail.ReadWrite.Shared",
    "Mail.Send.Shared",
    RULES_SCOPE,
    "User.Read.All",
];

/// Those of [`LATER_SCOPES`] without which all mail is read and sent as before. A renewal goes on without them where
/// consent to them was withdrawn.
const DISPENSABLE_SCOPES: [&str; 2] = [RULES_SCOPE, "User.Read.All"];

/// Reads the inbox rules of one's own mailbox (Microsoft Graph, "List rules").
pub const RULES_SCOPE: &str = "MailboxSettings.Read";

/// Exchange Online as a resource for IMAP and SMTP (Microsoft, "Authenticate an IMAP, POP or SMTP connection using
/// OAuth"). National clouds have others ([`exchange`]).
pub const OUTLOOK: &str = "https://outlook.office.com/";

/// The permission to read mail by IMAP, by its short name.
pub const IMAP_SCOPE: &str = "IMAP.AccessAsUser.All";
/// The permission to send mail by SMTP, by its short name. Mail can be read without it.
pub const SMTP_SCOPE: &str = "SMTP.Send";

/// Scopes that belong to the sign-in itself and open nothing (OpenID Connect Core 1.0 §5.4, §11).
pub fn is_openid_scope(scope: &str) -> bool {
    ["openid", "offline_access", "email", "profile"].contains(&scope)
}

/// What the token of a mail server must grant under `registration`.
pub fn mail_scopes(registration: &Registration) -> Vec<String> {
    match &registration.issuer {
        None => vec![IMAP_SCOPE.to_owned()],
        Some(issuer) => issuer
            .scopes
            .iter()
            .filter(|scope| !is_openid_scope(scope))
            .cloned()
            .collect(),
    }
}

/// Scopes that a mailbox read by IMAP needs, and the one to send by SMTP, in the cloud of `registration`.
pub fn imap_scopes(registration: &Registration) -> Vec<String> {
    outlook_scopes(registration, &[IMAP_SCOPE, SMTP_SCOPE])
}

/// As [`imap_scopes`], for a shared mailbox: the name of who signs in comes with `profile` (Microsoft identity platform,
/// "ID token claims reference", `preferred_username`).
pub fn imap_shared_scopes(registration: &Registration) -> Vec<String> {
    let mut scopes = imap_scopes(registration);
    scopes.insert(3, "profile".to_owned());
    scopes
}

/// The scopes of the sign-in itself, and these of Exchange Online.
fn outlook_scopes(registration: &Registration, names: &[&str]) -> Vec<String> {
    let resource = match exchange::is_resource(registration) {
        true => registration.graph_url.as_str(),
        false => OUTLOOK,
    };
    ["openid", "offline_access", "email"]
        .map(str::to_owned)
        .into_iter()
        .chain(names.iter().map(|name| format!("{resource}{name}")))
        .collect()
}
