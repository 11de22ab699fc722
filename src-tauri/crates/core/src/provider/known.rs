//! Providers that are known by their servers' names: what a refused password means there.

use super::ProviderError;

/// `error` of signing in at `host`; at a known provider a refused password gets that provider's own card. `prefix` tells
/// the cards of sending apart.
pub(super) fn at(host: &str, prefix: &str, error: ProviderError) -> ProviderError {
    let ProviderError::Unauthorized(mut evidence) = error else {
        return error;
    };
    let refused = ["IMAP LOGIN failed", "SMTP password refused"];
    if let Some(code) = evidence.code.as_deref()
        && refused.contains(&code)
        && let Some(card) = crate::discovery::card_at(host)
    {
        evidence.code = Some(format!("{prefix}{card}"));
    }
    ProviderError::Unauthorized(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Evidence;
    use crate::diagnosis::catalogue;
    use crate::diagnosis::map::Station;
    use crate::diagnosis::stations::station_of_code;

    fn refused(code: &str, text: &str) -> ProviderError {
        ProviderError::Unauthorized(Evidence::of(Some(code), None, text, &[]))
    }

    fn code(error: &ProviderError) -> &str {
        error.evidence().unwrap().code.as_deref().unwrap()
    }

    /// What the providers say to a wrong password, and to one that is not made for programs.
    const SAID: [(&str, &str, &str); 6] = [
        (
            "imap.gmail.com",
            "[AUTHENTICATIONFAILED] Invalid credentials (Failure)",
            "Gmail sign-in",
        ),
        (
            "imap.mail.yahoo.com",
            "[AUTHENTICATIONFAILED] LOGIN Invalid credentials",
            "Yahoo Mail sign-in",
        ),
        (
            "imap.mail.me.com",
            "[AUTHENTICATIONFAILED] Authentication Failed",
            "iCloud Mail sign-in",
        ),
        ("imap.gmx.net", "authentication failed", "GMX sign-in"),
        ("imap.web.de", "authentication failed", "WEB.DE sign-in"),
        (
            "secureimap.t-online.de",
            "[AUTHENTICATIONFAILED] Authentication failed",
            "T-Online sign-in",
        ),
    ];

    #[test]
    fn a_refused_password_gets_the_providers_own_card() {
        for (host, text, expected) in SAID {
            let error = at(host, "", refused("IMAP LOGIN failed", text));
            assert_eq!(code(&error), expected, "{host}");
            assert_eq!(error.evidence().unwrap().raw, text, "what was said stays");
            assert!(catalogue::get(expected).is_some(), "{expected}");
            assert_eq!(station_of_code(expected), Station::SignIn, "{expected}");
        }
        let sending = at(
            "smtp.gmail.com",
            "SMTP ",
            refused("SMTP password refused", "535 no"),
        );
        assert_eq!(code(&sending), "SMTP Gmail sign-in");
        assert_eq!(station_of_code(code(&sending)), Station::Send);
    }

    #[test]
    fn everything_else_stays_what_it_was() {
        for (host, said) in [
            ("imap.contoso.example", "IMAP LOGIN failed"),
            ("imap.strato.de", "IMAP LOGIN failed"),
            ("outlook.office365.com", "IMAP LOGIN failed"),
            ("imap.gmail.com", "IMAP AUTHENTICATE failed"),
            ("imap.gmail.com", "Gmail browser first"),
        ] {
            let error = at(host, "", refused(said, "no"));
            assert_eq!(code(&error), said, "{host}");
        }
    }
}
