//! What a server's words and a broken line mean. Codes are those of the catalogue's IMAP entries.

use super::wire::WireError;
use crate::diagnosis::Evidence;
use crate::provider::ProviderError;
pub(super) use crate::provider::tls::io_failure;
use std::time::Duration;

/// The pause where a server asks for one without a number.
const PAUSE: Duration = Duration::from_secs(60);
/// The longest pause that is believed.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// What was asked for when the server refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// To sign in with a password.
    Password,
    /// To sign in with a token.
    Token,
    /// To open a folder.
    Folder,
    /// To move mail to a folder.
    Target,
    /// To delete mail.
    Removal,
    /// To mark mail as read.
    Marks,
    /// For encryption.
    Encryption,
    /// Anything else.
    Other,
}

/// The meaning of a `NO`, `BAD` or `BYE`; `known` are secrets that must not be in the evidence.
pub(super) fn refusal(text: &str, asked: Asked, known: &[&str]) -> ProviderError {
    let lower = text.to_ascii_lowercase();
    let has = |sign: &str| lower.contains(sign);
    let seen = |code: &str| Evidence::of(Some(code), None, text, known);
    // Specific words first: Exchange puts several of them into one line.
    if has("request is throttled") || has("suggested backoff time") || has("[limit]") {
        return ProviderError::Throttled(pause(&lower), seen("IMAP throttled"));
    }
    if has("basic authentication is disabled") {
        return ProviderError::Unauthorized(seen("IMAP Basic authentication disabled"));
    }
    // Gmail: the account's own password where only an app password is taken, and a sign-in that it wants confirmed.
    if has("application-specific password required") {
        return ProviderError::Unauthorized(seen("Gmail sign-in"));
    }
    if has("log in via your web browser") {
        return ProviderError::Unauthorized(seen("Gmail browser first"));
    }
    // Exchange's word, and what others say in the middle of a session (RFC 5530 §3, EXPIRED; Gmail "Session expired").
    let is_signing_in = matches!(asked, Asked::Password | Asked::Token);
    let expired = [
        "[expired]",
        "session expired",
        "token expired",
        "token has expired",
    ];
    if has("accesstokenexpired") || !is_signing_in && expired.into_iter().any(has) {
        return ProviderError::Server(seen("AccessTokenExpired"));
    }
    if has("authenticated but not connected") {
        return ProviderError::Forbidden(seen("IMAP not connected"));
    }
    if has("[overquota]") || has("quota exceeded") {
        let is_target = asked == Asked::Target;
        return ProviderError::QuotaFull(seen(match is_target {
            true => "IMAP move target full",
            false => "mailbox_full",
        }));
    }
    // RFC 5530 §3: a fault of the server's own, whatever was asked for.
    if has("[serverbug]") {
        return ProviderError::Server(seen("IMAP server fault"));
    }
    if ["[unavailable]", "[inuse]", "server unavailable"]
        .into_iter()
        .any(has)
    {
        return ProviderError::Server(seen("IMAP Server Unavailable"));
    }
    let may_not = ["[noperm]", "read-only", "read only", "permission denied"]
        .into_iter()
        .any(has);
    match asked {
        // RFC 5530 §3: who signs in is known, and may not come in. Dovecot's `nologin` says CONTACTADMIN.
        Asked::Password | Asked::Token if has("[contactadmin]") || has("[authorizationfailed]") => {
            ProviderError::Forbidden(seen("IMAP not allowed"))
        }
        Asked::Folder if has("[noperm]") => ProviderError::Forbidden(seen("IMAP no permission")),
        Asked::Target if may_not => not_permitted(asked, text),
        Asked::Removal | Asked::Marks if may_not => not_permitted(asked, text),
        Asked::Password => ProviderError::Unauthorized(seen("IMAP LOGIN failed")),
        Asked::Token => ProviderError::Unauthorized(seen("IMAP AUTHENTICATE failed")),
        Asked::Folder => ProviderError::NotFound(seen("TRYCREATE")),
        // Not "not found": it is the mail that is to be moved that would count as gone.
        Asked::Target if has("[trycreate]") || has("[nonexistent]") || has("doesn't exist") => {
            ProviderError::Server(seen("IMAP move target gone"))
        }
        Asked::Removal => ProviderError::Server(seen("EXPUNGE failed")),
        Asked::Encryption => ProviderError::Untrusted(seen("starttls_missing")),
        Asked::Other if has("connection is closed") => {
            ProviderError::Server(seen("IMAP connection closed"))
        }
        Asked::Target | Asked::Marks | Asked::Other => {
            ProviderError::Server(Evidence::of(None, None, text, known))
        }
    }
}

/// A right is missing for what was `asked` for, in the server's words or in what it did.
pub(super) fn not_permitted(asked: Asked, text: &str) -> ProviderError {
    let code = match asked {
        Asked::Target => "IMAP move not permitted",
        Asked::Removal => "IMAP delete not permitted",
        Asked::Marks => "IMAP mark not permitted",
        Asked::Password | Asked::Token | Asked::Folder | Asked::Encryption | Asked::Other => {
            "IMAP no permission"
        }
    };
    ProviderError::Server(Evidence::of(Some(code), None, text, &[]))
}

/// The pause that a throttled server asks for. Exchange gives milliseconds ("Suggested Backoff Time: 60000
/// milliseconds"); a number without a unit is taken as such.
fn pause(lower: &str) -> Duration {
    let Some((_, rest)) = lower.split_once("backoff time:") else {
        return PAUSE;
    };
    let rest = rest.trim_start();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let Ok(number) = digits.parse::<u64>() else {
        return PAUSE;
    };
    let unit = rest.get(digits.len()..).unwrap_or_default().trim_start();
    let pause = match unit.starts_with("sec") {
        true => Duration::from_secs(number),
        false => Duration::from_millis(number),
    };
    pause.clamp(Duration::from_secs(1), LONGEST_PAUSE)
}

/// The meaning of a connection that could not be made or did not last.
pub(super) fn broken(error: WireError) -> ProviderError {
    let seen = |code, text: &str| Evidence::of(code, None, text, &[]);
    match error {
        WireError::Broken(error) => io_failure(&error),
        WireError::Closed => ProviderError::Offline(seen(
            Some("connection_dropped"),
            "The server closed the connection.",
        )),
        WireError::TimedOut => ProviderError::Offline(seen(
            Some("connection_timeout"),
            "The server did not answer in time.",
        )),
        WireError::TooLarge => ProviderError::Protocol("too_large", seen(None, "")),
        WireError::Malformed => ProviderError::Protocol("not_imap", seen(None, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_words_get_the_catalogues_codes() {
        for (text, asked, code) in [
            (
                "AUTHENTICATE failed.",
                Asked::Token,
                "IMAP AUTHENTICATE failed",
            ),
            ("LOGIN failed.", Asked::Password, "IMAP LOGIN failed"),
            (
                "[AUTHENTICATIONFAILED] Authentication failed.",
                Asked::Password,
                "IMAP LOGIN failed",
            ),
            (
                "[ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)",
                Asked::Password,
                "Gmail sign-in",
            ),
            (
                "[ALERT] Please log in via your web browser: https://support.google.com/mail/accounts/answer/78754 (Failure)",
                Asked::Password,
                "Gmail browser first",
            ),
            (
                "LOGIN failed. Basic authentication is disabled.",
                Asked::Password,
                "IMAP Basic authentication disabled",
            ),
            (
                "User is authenticated but not connected.",
                Asked::Folder,
                "IMAP not connected",
            ),
            (
                "Session invalidated - AccessTokenExpired",
                Asked::Other,
                "AccessTokenExpired",
            ),
            (
                "Connection is closed. 13",
                Asked::Other,
                "IMAP connection closed",
            ),
            (
                "Server Unavailable. 15",
                Asked::Other,
                "IMAP Server Unavailable",
            ),
            ("Mailbox doesn't exist: Nowhere", Asked::Folder, "TRYCREATE"),
            (
                "[TRYCREATE] Mailbox doesn't exist: Done",
                Asked::Target,
                "IMAP move target gone",
            ),
            ("EXPUNGE failed.", Asked::Removal, "EXPUNGE failed"),
            (
                "[CONTACTADMIN] Login disabled for this user",
                Asked::Password,
                "IMAP not allowed",
            ),
            (
                "[AUTHORIZATIONFAILED] Authorization failed",
                Asked::Token,
                "IMAP not allowed",
            ),
            (
                "[NOPERM] Permission denied",
                Asked::Folder,
                "IMAP no permission",
            ),
            (
                "[NOPERM] Permission denied",
                Asked::Target,
                "IMAP move not permitted",
            ),
            (
                "[OVERQUOTA] Quota exceeded (mailbox for user is full)",
                Asked::Target,
                "IMAP move target full",
            ),
            (
                "[OVERQUOTA] Quota exceeded (mailbox for user is full)",
                Asked::Other,
                "mailbox_full",
            ),
            (
                "[SERVERBUG] Internal error occurred.",
                Asked::Folder,
                "IMAP server fault",
            ),
            (
                "STARTTLS is not offered",
                Asked::Encryption,
                "starttls_missing",
            ),
        ] {
            let error = refusal(text, asked, &[]);
            let evidence = error.evidence().unwrap();
            assert_eq!(evidence.code.as_deref(), Some(code), "{text}");
            assert_eq!(evidence.raw, text);
            let card = crate::diagnosis::catalogue::card(
                code,
                &std::collections::BTreeMap::new(),
                crate::diagnosis::catalogue::Language::from_tag("en"),
            );
            assert_eq!(card.code, code, "the catalogue knows it");
        }
    }

    #[test]
    fn a_throttled_server_is_given_the_time_it_asks_for() {
        for (text, seconds) in [
            (
                "Request is throttled. Suggested Backoff Time: 299956 milliseconds",
                299,
            ),
            (
                "Request is throttled. Suggested Backoff Time: 90 seconds",
                90,
            ),
            ("Request is throttled. Suggested Backoff Time: 5000", 5),
            ("Request is throttled. Suggested Backoff Time: 0", 1),
            (
                "Request is throttled. Suggested Backoff Time: 99999999999999",
                3600,
            ),
            ("Request is throttled. Suggested Backoff Time: soon", 60),
        ] {
            let ProviderError::Throttled(wait, _) = refusal(text, Asked::Other, &[]) else {
                panic!("{text}");
            };
            assert_eq!(wait.as_secs(), seconds, "{text}");
        }
    }

    #[test]
    fn a_secret_that_the_server_repeats_is_not_kept() {
        let error = refusal("LOGIN failed for CANARY-1", Asked::Password, &["CANARY-1"]);
        assert!(!format!("{error:?}").contains("CANARY"));
    }
}
