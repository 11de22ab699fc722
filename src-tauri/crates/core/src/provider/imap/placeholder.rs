//! The mail that Exchange hands out instead of one that it cannot give at the moment, for instance while Defender scans
//! its attachments (Microsoft, "Safe Attachments": Dynamic Delivery). It must not become a ticket, and above all not the
//! reason to delete the mail that it stands for.

use crate::diagnosis::Evidence;
use crate::provider::ProviderError;
use mail_parser::MessageParser;

/// Its subject begins so; the message's number follows.
const WORDS: &str = "Retrieval using the IMAP4 protocol failed for the following message";
/// A real one has some two kilobytes.
const LIMIT: usize = 16 << 10;

/// Whether `raw` is such a mail: small, by nobody with an address, and without a `Message-ID`. People do forward it,
/// and what they forward has both.
pub(super) fn is_placeholder(raw: &[u8]) -> bool {
    if raw.len() >= LIMIT {
        return false;
    }
    let Some(mail) = MessageParser::default().parse_headers(raw) else {
        return false;
    };
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let from = mail.from().and_then(|from| from.first());
    let address = from.and_then(|from| from.address()).unwrap_or_default();
    // Servers write the missing host as `.MISSING-HOST-NAME.` (imap toolkits) or leave the address out.
    let has_address = address.contains('@') && !address.contains("MISSING");
    mail.subject()
        .is_some_and(|subject| words(subject).starts_with(WORDS))
        && (mail.message_id().is_none() || !has_address)
}

/// Such a mail in place of the one that was asked for.
pub(super) fn placeholder() -> ProviderError {
    let text = format!("{WORDS}.");
    let code = Some("IMAP retrieval failed");
    ProviderError::unreadable(Evidence::of(code, None, &text, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: &str = "From: Microsoft Exchange Server\r\nTo: support@contoso.example\r\n\
        Subject: Retrieval using the IMAP4 protocol failed for the following message:\r\n 752\r\n\
        Content-Type: text/plain\r\n\r\n\
        The server couldn't retrieve the following message:\r\n";

    #[test]
    fn exchanges_placeholder_is_told_from_mail_about_it() {
        assert!(is_placeholder(REAL.as_bytes()));
        let from = |from: &str| REAL.replace("Microsoft Exchange Server", from);
        let nobody = from("\"Microsoft Exchange Server\" <.MISSING-HOST-NAME.>");
        assert!(is_placeholder(nobody.as_bytes()));
        let forwarded = from("kim@contoso.example\r\nMessage-ID: <a@contoso.example>");
        assert!(!is_placeholder(forwarded.as_bytes()));
        let quoted = REAL.replace("Subject: ", "Subject: FW: ");
        assert!(!is_placeholder(quoted.as_bytes()));
        let long = format!("{REAL}{}", "x".repeat(LIMIT));
        assert!(!is_placeholder(long.as_bytes()));
        assert!(!is_placeholder(b""));
    }
}
