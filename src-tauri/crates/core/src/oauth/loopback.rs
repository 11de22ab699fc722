//! The redirect's end: a small HTTP listener on 127.0.0.1 and ::1, same port, for one sign-in (RFC 8252 §7.3).

/// Words of the page that the browser shows at the end, in the person's language.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct PageWords {
    /// `lang` attribute.
    pub language: String,
    /// "Signed in"
    pub done_title: String,
    /// "You can close this tab and return to Mailroom."
    pub done_text: String,
    /// "Not signed in"
    pub failed_title: String,
    /// "Mailroom explains what happened and what to do."
    pub failed_text: String,
    /// "This link is not from the sign-in that Mailroom started." (wrong or replayed state)
    pub stale_title: String,
    /// "Return to Mailroom and start again."
    pub stale_text: String,
}
