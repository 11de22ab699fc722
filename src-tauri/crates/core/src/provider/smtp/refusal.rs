//! What a server's no means. Codes are those of the catalogue's SMTP entries; whatever has no words of its own goes by
//! its enhanced status code (RFC 3463).

use crate::diagnosis::Evidence;
use crate::provider::ProviderError;
use std::time::Duration;

/// The pause where a server finds that too much is sent: its counters run by the minute.
const PAUSE: Duration = Duration::from_secs(60);
/// The pause where a day's share is used up.
const LONG_PAUSE: Duration = Duration::from_secs(60 * 60);

/// What was said when the server refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing yet, or EHLO.
    Greeting,
    /// STARTTLS.
    StartTls,
    /// AUTH with a password.
    Password,
    /// AUTH with a token.
    Token,
    /// Nothing: no mechanism of AUTH is known to both sides.
    NoMechanism,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA.
    Data,
    /// The message.
    Message,
}

impl Stage {
    fn is_sign_in(self) -> bool {
        matches!(self, Self::Password | Self::Token | Self::NoMechanism)
    }
}

/// The meaning of the reply `text`, which begins with `code`; `known` are secrets that must not be in the evidence.
pub(super) fn refusal(stage: Stage, code: u16, text: &str, known: &[&str]) -> ProviderError {
    let lower = text.to_ascii_lowercase();
    let has = |sign: &str| lower.contains(sign);
    let status = enhanced(text).unwrap_or_default();
    let is = |codes: &[&str]| codes.contains(&status);
    let seen = |code: &str| Evidence::of(Some(code), None, text, known);
    let is_temporary = (400..500).contains(&code);
    // What has words of its own comes first.
    if has("disabled for the tenant") {
        return ProviderError::Forbidden(seen("SMTP 5.7.139 tenant"));
    }
    if has("disabled for the mailbox") {
        return ProviderError::Forbidden(seen("SMTP 5.7.139 mailbox"));
    }
    // Gmail: the account's own password where only an app password is taken, and a sign-in that it wants confirmed.
    if has("application-specific password required") {
        return ProviderError::Unauthorized(seen("SMTP Gmail sign-in"));
    }
    if has("log in via your web browser") {
        return ProviderError::Unauthorized(seen("SMTP Gmail browser first"));
    }
    if is(&["5.7.139"]) {
        return ProviderError::Unauthorized(seen("SMTP 5.7.139 policy"));
    }
    if is(&["5.7.30"]) {
        return ProviderError::Unauthorized(seen("SMTP 5.7.30"));
    }
    if stage == Stage::StartTls {
        return ProviderError::Untrusted(seen("starttls_missing"));
    }
    if has("does not have permissions to send as") {
        let narrow = if is(&["5.7.1"]) {
            "SMTP 5.7.1 send as"
        } else {
            "SMTP 5.7.60"
        };
        return ProviderError::Forbidden(seen(narrow));
    }
    if is(&["5.2.252"]) || has("sendasdenied") {
        return ProviderError::Forbidden(seen("SMTP 5.2.252"));
    }
    if has("not owned by user") || has("not owned by auth user") || has("not logged in as owner") {
        return ProviderError::Forbidden(seen("SMTP sender not owned"));
    }
    if [
        "relay access denied",
        "unable to relay",
        "relaying denied",
        "relay not permitted",
    ]
    .iter()
    .any(|sign| has(sign))
    {
        return ProviderError::Forbidden(seen("SMTP relay denied"));
    }
    if is(&["5.1.90"]) || has("submission quota exceeded") {
        return ProviderError::Throttled(LONG_PAUSE, seen("SMTP 5.1.90"));
    }
    if has("concurrent connections limit") || has("sender thread limit") {
        return ProviderError::Throttled(PAUSE, seen("SMTP 4.3.2"));
    }
    if is_temporary && (has("too many") || has("too much") || has("rate limit") || has("throttl")) {
        return ProviderError::Throttled(PAUSE, seen("SMTP too fast"));
    }
    if is(&["5.3.4", "5.2.3"]) {
        return ProviderError::Forbidden(seen("SMTP 5.3.4"));
    }
    if is(&["5.2.2", "4.2.2"]) {
        return ProviderError::QuotaFull(seen("SMTP 5.2.2"));
    }
    if stage.is_sign_in() {
        return sign_in(stage, code, text, known);
    }
    let expired = [
        "accesstokenexpired",
        "token expired",
        "token has expired",
        "session expired",
    ];
    if expired.into_iter().any(has) {
        return ProviderError::Server(seen("AccessTokenExpired"));
    }
    if code == 530 {
        return ProviderError::Forbidden(seen("SMTP 5.7.57"));
    }
    if stage == Stage::Recipient && is(&["5.1.1", "5.1.10"]) {
        return ProviderError::NotFound(seen("SMTP 5.1.10"));
    }
    let named = format!("SMTP {status}");
    let named = (!status.is_empty()).then_some(named.as_str());
    let evidence = Evidence::of(named, None, text, known);
    match is_temporary {
        true => ProviderError::Server(evidence),
        false => ProviderError::Forbidden(Evidence {
            code: evidence.code.or_else(|| Some("SMTP refused".to_owned())),
            ..evidence
        }),
    }
}

fn sign_in(stage: Stage, code: u16, text: &str, known: &[&str]) -> ProviderError {
    let seen = |code: &str| Evidence::of(Some(code), None, text, known);
    match (stage, code) {
        // RFC 4954 §6: 454 is a fault of the server's. 503 is how Postfix says that AUTH is off.
        (_, 400..=499) => ProviderError::Server(seen("SMTP AUTH unavailable")),
        (Stage::NoMechanism, _) | (_, 500..=504 | 534 | 538) => {
            ProviderError::Forbidden(seen("SMTP AUTH missing"))
        }
        _ if enhanced(text) == Some("5.7.3") => ProviderError::Unauthorized(seen("SMTP 5.7.3")),
        (Stage::Token, _) => ProviderError::Unauthorized(seen("SMTP token refused")),
        _ => ProviderError::Unauthorized(seen("SMTP password refused")),
    }
}

/// The enhanced status code behind a reply's code (RFC 2034 §4).
fn enhanced(text: &str) -> Option<&str> {
    let word = text.get(4..)?.split_ascii_whitespace().next()?;
    let mut parts = word.split('.');
    let class = parts.next()?;
    let rest: Vec<&str> = parts.collect();
    let is_number = |part: &&str| {
        (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    (matches!(class, "2" | "4" | "5") && rest.len() == 2 && rest.iter().all(is_number))
        .then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::catalogue;

    #[test]
    fn the_servers_words_get_the_catalogues_codes() {
        for (stage, text, expected) in [
            (
                Stage::Password,
                "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6",
                "SMTP password refused",
            ),
            (
                Stage::Password,
                "534-5.7.9 Application-specific password required. For more information, go to 534 5.7.9 https://support.google.com/mail/?p=InvalidSecondFactor",
                "SMTP Gmail sign-in",
            ),
            (
                Stage::Password,
                "534-5.7.14 Please log in via your web browser and then try again.",
                "SMTP Gmail browser first",
            ),
            (
                Stage::Token,
                "535 5.7.8 Error: authentication failed: ",
                "SMTP token refused",
            ),
            (
                Stage::Token,
                "535 5.7.3 Authentication unsuccessful [FR0P281CA0001.DEUP281.PROD.OUTLOOK.COM]",
                "SMTP 5.7.3",
            ),
            (
                Stage::Token,
                "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled",
                "SMTP 5.7.139 tenant",
            ),
            (
                Stage::Password,
                "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
                "SMTP 5.7.139 policy",
            ),
            (
                Stage::Password,
                "550 5.7.30 Basic authentication is not supported for Client Submission.",
                "SMTP 5.7.30",
            ),
            (
                Stage::Password,
                "454 4.7.0 Temporary authentication failure",
                "SMTP AUTH unavailable",
            ),
            (
                Stage::Password,
                "503 5.5.1 Error: authentication not enabled",
                "SMTP AUTH missing",
            ),
            (
                Stage::Sender,
                "530 5.7.57 Client not authenticated to send mail.",
                "SMTP 5.7.57",
            ),
            (
                Stage::Message,
                "554 5.2.252 SendAsDenied; kim@contoso.example not allowed to send as support@contoso.example",
                "SMTP 5.2.252",
            ),
            (
                Stage::Sender,
                "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
                "SMTP 5.7.60",
            ),
            (
                Stage::Recipient,
                "553 5.7.1 <info@contoso.example>: Sender address rejected: not owned by user support",
                "SMTP sender not owned",
            ),
            (
                Stage::Recipient,
                "554 5.7.1 <a@fabrikam.example>: Relay access denied",
                "SMTP relay denied",
            ),
            (
                Stage::Recipient,
                "450 4.7.1 Error: too much mail from 127.0.0.1",
                "SMTP too fast",
            ),
            (
                Stage::Greeting,
                "421 4.7.0 localhost Error: too many connections from 127.0.0.1",
                "SMTP too fast",
            ),
            (
                Stage::Greeting,
                "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending",
                "SMTP 4.3.2",
            ),
            (
                Stage::Message,
                "550 5.1.90 Your message can't be sent",
                "SMTP 5.1.90",
            ),
            (Stage::Message, "552 5.2.2 mailbox full", "SMTP 5.2.2"),
            (
                Stage::Sender,
                "552 5.3.4 Message size exceeds fixed limit",
                "SMTP 5.3.4",
            ),
            (
                Stage::Recipient,
                "550 5.1.1 <x@contoso.example>: User unknown",
                "SMTP 5.1.10",
            ),
            (
                Stage::StartTls,
                "454 4.7.0 TLS not available due to local problem",
                "starttls_missing",
            ),
            (
                Stage::Message,
                "554 5.7.26 This mail is unauthenticated",
                "SMTP 5.7.26",
            ),
            (Stage::Message, "554 no", "SMTP refused"),
        ] {
            let code = text[..3].parse().unwrap();
            let error = refusal(stage, code, text, &[]);
            let evidence = error.evidence().unwrap();
            assert_eq!(evidence.code.as_deref(), Some(expected), "{text}");
            assert!(
                catalogue::get(expected).is_some(),
                "no entry for {expected}"
            );
        }
    }

    #[test]
    fn a_secret_that_the_server_repeats_is_not_kept() {
        let text = "535 5.7.8 no: CANARY-1";
        let error = refusal(Stage::Password, 535, text, &["CANARY-1"]);
        assert!(!format!("{error:?}").contains("CANARY"));
    }
}
