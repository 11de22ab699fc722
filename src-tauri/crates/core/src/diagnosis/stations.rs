//! Which station a code belongs to: each code lights exactly one lamp, so that consent (mended by whoever may
//! consent) and mailbox right (mended in Exchange) never share a finding.

use super::Finding;
use super::catalogue::{self, Family};
use super::map::Station;

/// Codes of the app registration: mended by whoever owns it.
const REGISTRATION: &[&str] = &[
    "tenant_not_found",
    "issuer_not_found",
    "issuer_unfit",
    "registration_needed",
    "invalid_client",
    "unauthorized_client",
    "invalid_resource",
    "invalid_target",
    "unsupported_grant_type",
    "unsupported_response_type",
    "invalid_request",
    "invalid_tenant",
    "AADSTS50011",
    "AADSTS500011",
    "AADSTS500113",
    "AADSTS900971",
    "AADSTS50059",
    "AADSTS50194",
    "AADSTS65005",
    "AADSTS650052",
    "AADSTS650054",
    "AADSTS650056",
    "AADSTS650057",
    "AADSTS700005",
    "AADSTS700016",
    "AADSTS7000112",
    "AADSTS7000114",
    "AADSTS7000215",
    "AADSTS7000218",
    "AADSTS7000222",
    "AADSTS700025",
    "AADSTS9002331",
    "AADSTS9002332",
    "AADSTS90002",
    "AADSTS90038",
    "AADSTS900144",
    "AADSTS900561",
];

/// Codes that an approval mends.
pub const APPROVAL: &[&str] = &[
    "consent_required",
    "missing_scope",
    "AADSTS65001",
    "AADSTS65004",
    "AADSTS90093",
    "AADSTS90094",
    "AADSTS90095",
    "AADSTS900941",
    "AADSTS900981",
];

/// Further codes of consent.
const CONSENT: &[&str] = &[
    "access_denied",
    "approval_denied",
    "invalid_scope",
    "AADSTS90008",
    "AADSTS90090",
];

/// Codes of a sign-in that ended: signing in again mends them.
const TOKEN: &[&str] = &[
    "invalid_grant",
    "temporarily_unavailable",
    "server_error",
    "InvalidAuthenticationToken",
    "token_not_readable",
    "unauthorized",
    "IMAP AUTHENTICATE failed",
    "AADSTS50132",
    "AADSTS50173",
    "AADSTS50196",
    "AADSTS54005",
    "AADSTS70000",
    "AADSTS700082",
    "AADSTS700084",
    "AADSTS70043",
    "AADSTS90033",
];

/// Codes of this computer.
const COMPUTER: &[&str] = &[
    "clock_skew",
    "database_damaged",
    "database_newer",
    "database_trouble",
    "disk_full",
    "key_missing",
    "keychain_locked",
    "no_browser",
    "no_keychain",
    "no_port",
    "wrong_passphrase",
];

/// Codes of the mailbox right.
const RIGHT: &[&str] = &[
    "DefaultFolderNotFound",
    "full_access_missing",
    "IMAP no permission",
    "IMAP not allowed",
    "IMAP not connected",
    "IMAP shared refused",
];

/// Codes of what becomes of mail on the server.
pub(super) const MARK: &[&str] = &[
    "EXPUNGE failed",
    "IMAP delete not permitted",
    "IMAP mark not permitted",
    "IMAP marked folder gone",
    "IMAP move not permitted",
    "IMAP move target full",
    "IMAP move target gone",
];

/// Codes of sending.
const SEND: &[&str] = &[
    "ErrorSendAsDenied",
    "ErrorMessageSubmissionBlocked",
    "sending_unproven",
];

/// The station that `finding` lights.
pub fn station_of(finding: &Finding) -> Station {
    // The same answer twice stands where the answer stands.
    match finding.code.as_str() {
        "sign_in_loop" => station_of_code(finding.args.get("said").map_or("", String::as_str)),
        code => station_of_code(code),
    }
}

/// The station that findings with `code` light.
pub fn station_of_code(code: &str) -> Station {
    let is_in = |codes: &[&str]| codes.iter().any(|known| known.eq_ignore_ascii_case(code));
    if is_in(COMPUTER) {
        return Station::Computer;
    }
    if is_in(APPROVAL) || is_in(CONSENT) {
        return Station::Consent;
    }
    if is_in(REGISTRATION) {
        return Station::Registration;
    }
    if is_in(TOKEN) {
        return Station::Token;
    }
    if is_in(RIGHT) {
        return Station::MailboxRight;
    }
    if is_in(MARK) {
        return Station::Mark;
    }
    if is_in(SEND) {
        return Station::Send;
    }
    if code.starts_with("SMTP ") {
        return Station::Send;
    }
    match code {
        "offline" | "captive_portal" | "token_not_for_server" => return Station::Network,
        "folder_gone" | "no_recent_mail_in_folder" | "ErrorFolderNotFound" | "TRYCREATE" => {
            return Station::Folder;
        }
        "after_import_folder_gone" => return Station::Mark,
        "sign_in_again"
        | "wrong_account"
        | "signin_timed_out"
        | "signin_cancelled"
        | "signin_invalid"
        | "shared_login_is_own"
        | "IMAP AUTH missing"
        | "IMAP LOGIN failed"
        | "Gmail browser first"
        | "IMAP Basic authentication disabled" => return Station::SignIn,
        // Known providers' own cards (`crate::discovery::card_at`).
        _ if code.ends_with(" sign-in") => return Station::SignIn,
        _ => {}
    }
    match catalogue::get(code).map(catalogue::Entry::family) {
        Some(Family::Entra) => Station::SignIn,
        Some(Family::Tls) => Station::Network,
        None if code.starts_with("AADSTS") => Station::SignIn,
        Some(Family::Graph | Family::ImapSmtp | Family::Ews | Family::Mailroom) | None => {
            Station::Mailbox
        }
    }
}

/// Whether an admin's approval would mend `code`.
pub fn needs_approval(code: &str) -> bool {
    APPROVAL
        .iter()
        .any(|known| known.eq_ignore_ascii_case(code))
}

/// Whether `code` is one for which an admin is asked: also those of a request that was denied. The bare `access_denied`
/// comes without Entra's number.
pub fn is_about_approval(code: &str) -> bool {
    needs_approval(code)
        || ["access_denied", "approval_denied"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Severity;

    fn station(code: &str) -> Station {
        station_of(&Finding::plain(code, Severity::Failed))
    }

    #[test]
    fn every_code_of_the_sign_in_service_has_its_place_before_the_mailbox() {
        for entry in catalogue::entries() {
            if entry.family() == Family::Entra {
                for code in entry.codes() {
                    assert!(station(code) <= Station::Token, "{code}");
                }
            }
        }
    }

    #[test]
    fn codes_light_the_lamp_of_whoever_can_mend_them() {
        for (code, expected) in [
            ("disk_full", Station::Computer),
            ("tls_expired", Station::Network),
            ("captive_portal", Station::Network),
            ("AADSTS700016", Station::Registration),
            ("AADSTS7000112", Station::Registration),
            ("AADSTS50076", Station::SignIn),
            ("AADSTS53003", Station::SignIn),
            ("AADSTS999999", Station::SignIn),
            ("wrong_account", Station::SignIn),
            ("AADSTS65001", Station::Consent),
            ("aadsts90094", Station::Consent),
            ("AADSTS50173", Station::Token),
            ("AADSTS700082", Station::Token),
            ("MailboxNotEnabledForRESTAPI", Station::Mailbox),
            ("throttled", Station::Mailbox),
            ("DefaultFolderNotFound", Station::MailboxRight),
            ("folder_gone", Station::Folder),
            ("ErrorSendAsDenied", Station::Send),
        ] {
            assert_eq!(station(code), expected, "{code}");
        }
    }

    #[test]
    fn consent_and_mailbox_right_share_no_code() {
        for code in APPROVAL.iter().chain(CONSENT) {
            assert!(!RIGHT.contains(code), "{code}");
            assert_eq!(station(code), Station::Consent, "{code}");
        }
    }
}
