//! Asking an admin for approval: the link and the words to send them. Everything here is text; what is kept is in
//! the store, and who asks is in the API.

use crate::Millis;
use crate::account::Registration;
use crate::oauth::http::below;
use serde::{Deserialize, Serialize};
use url::Url;

/// Where the sign-in service sends the admin's browser afterwards: the redirect address of the registration. Nothing
/// listens there on the admin's computer, which the messages say.
const REDIRECT: &str = "http://localhost";

/// A request for approval that waits for the tenant's admin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ApprovalRequest {
    /// Names the request in later calls.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub id: i64,
    /// The address that is to be connected.
    pub address: String,
    /// The connected address, where it is one already.
    #[cfg_attr(feature = "bindings", ts(type = "number | null"))]
    pub address_id: Option<i64>,
    /// Since when the admin is waited for.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub asked_at: Millis,
    /// The link for the admin: tenant-wide consent with exactly our scopes.
    pub consent_link: String,
    /// Ready texts for the admin.
    pub messages: ApprovalMessages,
    /// How it stands.
    pub state: ApprovalState,
    /// How approval will be noticed.
    pub recheck: Recheck,
    /// When it was last looked whether approval is there.
    #[cfg_attr(feature = "bindings", ts(type = "number | null"))]
    pub checked_at: Option<Millis>,
}

/// The same message in three languages: the admin's language may be another one than the asker's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ApprovalMessages {
    /// English.
    pub en: ApprovalMessage,
    /// German.
    pub de: ApprovalMessage,
    /// Japanese.
    pub ja: ApprovalMessage,
}

/// One message, as plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ApprovalMessage {
    /// Subject line.
    pub subject: String,
    /// Text; lines end with a line feed.
    pub text: String,
}

/// How a request for approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum ApprovalState {
    /// The admin has not acted yet, as far as can be seen.
    Waiting,
    /// The admin refused.
    Denied,
    /// Approval is there: the sign-in works.
    Approved,
}

/// How approval is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Recheck {
    /// By itself: there is a stored sign-in, which is renewed silently every few minutes.
    Quiet,
    /// By signing in once more: nobody has ever been signed in here, so there is nothing that could be asked
    /// silently.
    SignIn,
}

/// Whom approval is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum ApprovalFor {
    /// A connection being made.
    Attempt(String),
    /// A connected address.
    Address(#[cfg_attr(feature = "bindings", ts(type = "number"))] i64),
}

/// The link for the admin: consent for the whole tenant with exactly `scopes` ("Admin consent on the Microsoft identity
/// platform"). `common` does not exist there; `organizations` lets the admin's own account decide.
pub fn consent_link(registration: &Registration, scopes: &[String], state: &str) -> Url {
    let tenant = match registration.tenant.as_str() {
        "common" | "consumers" | "" => "organizations",
        tenant => tenant,
    };
    let mut link = below(&registration.authority, &[tenant, "v2.0", "adminconsent"]);
    link.query_pairs_mut()
        .append_pair("client_id", &registration.client_id)
        .append_pair("scope", &scopes.join(" "))
        .append_pair("redirect_uri", REDIRECT)
        .append_pair("state", state);
    link
}

/// The message for the admin, in all languages.
pub fn messages(
    address: &str,
    registration: &Registration,
    scopes: &[String],
    link: &Url,
) -> ApprovalMessages {
    let values = [
        ("address", plain(address)),
        ("client_id", plain(&registration.client_id)),
        ("permissions", scopes.join(", ")),
        ("link", link.to_string()),
    ];
    let message = |text: &str| {
        let filled = fill(text, &values);
        let (subject, text) = filled.split_once('\n').unwrap_or((&filled, ""));
        ApprovalMessage {
            subject: subject.trim().to_owned(),
            text: text.trim_start().to_owned(),
        }
    };
    ApprovalMessages {
        en: message(include_str!("approval/en.txt")),
        de: message(include_str!("approval/de.txt")),
        ja: message(include_str!("approval/ja.txt")),
    }
}

/// A value without line breaks, other control characters and marks that turn the reading direction: it must not write
/// lines of its own, nor read differently from what it is.
fn plain(value: &str) -> String {
    super::catalogue::clean(value)
}

/// `text` with its `{name}`s replaced, in one pass: a value that looks like a placeholder stays as it is.
fn fill(text: &str, values: &[(&str, String)]) -> String {
    let mut out = String::with_capacity(text.len() + 512);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let found = values.iter().find_map(|(name, value)| {
            let after = after.strip_prefix(name)?.strip_prefix('}')?;
            Some((value, after))
        });
        match found {
            Some((value, after)) => {
                out.push_str(value);
                rest = after;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(tenant: &str, client_id: &str) -> Registration {
        Registration {
            authority: Url::parse("https://login.contoso.example/").unwrap(),
            graph_url: Url::parse("https://graph.contoso.example/").unwrap(),
            tenant: tenant.into(),
            client_id: client_id.into(),
            issuer: None,
        }
    }

    fn scopes() -> Vec<String> {
        ["openid", "Mail.ReadWrite"].map(str::to_owned).to_vec()
    }

    #[test]
    fn the_link_asks_for_exactly_our_scopes_for_the_whole_tenant() {
        let link = consent_link(&registration("contoso.example", "c-1"), &scopes(), "s-1");
        assert_eq!(link.path(), "/contoso.example/v2.0/adminconsent");
        let pairs: Vec<(String, String)> = link.query_pairs().into_owned().collect();
        let expected = [
            ("client_id", "c-1"),
            ("scope", "openid Mail.ReadWrite"),
            ("redirect_uri", "http://localhost"),
            ("state", "s-1"),
        ];
        assert_eq!(
            pairs,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        let common = consent_link(&registration("common", "c-1"), &scopes(), "s-1");
        assert_eq!(common.path(), "/organizations/v2.0/adminconsent");
    }

    #[test]
    fn hostile_values_stay_inside_their_part_of_link_and_message() {
        let canary = "x/../y?scope=Directory.ReadWrite.All&a=b#c\r\nBcc: canary@evil.example";
        let hostile = registration(canary, canary);
        let link = consent_link(&hostile, &scopes(), canary);
        assert_eq!(link.host_str(), Some("login.contoso.example"));
        assert_eq!(link.path_segments().unwrap().count(), 3);
        assert_eq!(link.query_pairs().count(), 4);
        assert_eq!(link.fragment(), None);
        let address = "\"{link}\"\r\nBcc: canary@evil.example";
        let messages = messages(address, &hostile, &scopes(), &link);
        for message in [messages.en, messages.de, messages.ja] {
            let lines = message.text.lines().chain(message.subject.lines());
            assert!(
                !lines.into_iter().any(|line| line.starts_with("Bcc:")),
                "{message:?}"
            );
            // The address's own braces were not filled in.
            assert!(message.text.contains("{link}"), "{message:?}");
            assert_eq!(message.subject.lines().count(), 1);
        }
    }

    #[test]
    fn every_message_has_the_link_and_says_what_comes_after_accepting() {
        let registration = registration("contoso.example", "c-1");
        let link = consent_link(&registration, &scopes(), "s-1");
        let messages = messages("support@contoso.example", &registration, &scopes(), &link);
        for message in [&messages.en, &messages.de, &messages.ja] {
            for part in [
                link.as_str(),
                "support@contoso.example",
                "c-1",
                "openid, Mail.ReadWrite",
                "http://localhost",
            ] {
                assert!(message.text.contains(part), "{part}: {message:?}");
            }
            assert!(!message.text.contains('{'), "{message:?}");
            assert!(!message.subject.is_empty());
        }
        assert_ne!(messages.en, messages.de);
        assert_ne!(messages.de, messages.ja);
    }
}
