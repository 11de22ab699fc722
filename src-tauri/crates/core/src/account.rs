//! Addresses, the people who sign in, and the app registrations they sign in with.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use url::Url;

/// An e-mail address, checked and normalised: the domain is in lower case, comparison ignores case.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// Who signed in. The stable key is `tenant_id` + `object_id`; the login name and the address are
/// different things and either may change (Microsoft identity platform, "ID token claims reference").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `tid` claim.
    pub tenant_id: String,
    /// `oid` claim.
    pub object_id: String,
    /// Login name (`preferred_username` / `userPrincipalName`).
    pub login_name: String,
    /// Name for people.
    pub display_name: String,
    /// The mailbox's primary address.
    pub primary: Option<EmailAddress>,
    /// Its other addresses (`proxyAddresses`).
    pub aliases: Vec<EmailAddress>,
}

/// An app registration and where it lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Sign-in service without tenant, for instance `https://login.microsoftonline.com/`; of an issuer, its address.
    pub authority: Url,
    /// Graph's root without version, for instance `https://graph.microsoft.com/`.
    pub graph_url: Url,
    /// Tenant id, a domain of the tenant, or `organizations`.
    pub tenant: String,
    /// Client id.
    pub client_id: String,
    /// The issuer, where it is not Entra. Then `tenant` is empty and `graph_url` says nothing. Rows are compared by
    /// their text, so Entra's stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Issuer>,
}

/// Any sign-in service that describes itself (OpenID Connect Discovery 1.0, RFC 8414).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    /// Its identifier, to the letter: what the description and the ID tokens must bear.
    pub name: String,
    /// Scopes to ask for.
    pub scopes: Vec<String>,
    /// Further parameters of the sign-in and of the token request, for instance `resource` (RFC 8707).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

/// An IMAP server and how to sign in to it. The password or the tokens are kept elsewhere, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ImapServer {
    /// Host name; the server's certificate must bear it.
    pub host: String,
    /// Port; by convention 993, and 143 with STARTTLS.
    pub port: u16,
    /// How the line is encrypted.
    #[serde(default)]
    pub tls: Tls,
    /// Login name.
    pub login: String,
    /// What proves who we are.
    pub auth: ImapAuth,
}

/// How the line to a mail server is encrypted. There is no third way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Tls {
    /// From the first byte (RFC 8314 §3.2).
    #[default]
    Implicit,
    /// After the command STARTTLS (RFC 9051 §6.2.1, RFC 3207); nothing is said before it.
    StartTls,
}

/// An SMTP server that takes the mail of an address (RFC 6409), and how to sign in to it. The password or the tokens are
/// kept elsewhere, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct SmtpServer {
    /// Host name; the server's certificate must bear it.
    pub host: String,
    /// Port; by convention 587 with STARTTLS, and 465.
    pub port: u16,
    /// How the line is encrypted.
    pub tls: Tls,
    /// Login name: for a shared mailbox that of the person who may send as it.
    pub login: String,
    /// What proves who we are.
    pub auth: ImapAuth,
    /// Addresses that mail may be sent from beside the connection's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "bindings", ts(type = "Array<string>", optional))]
    pub from: Vec<EmailAddress>,
}

/// What proves to a mail server who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum ImapAuth {
    /// A password.
    Password,
    /// An access token (XOAUTH2, or OAUTHBEARER of RFC 7628).
    Token,
}

impl EmailAddress {
    /// Checks and normalises `text`. Returns nothing when it is no address of the form `local@domain`
    /// (RFC 5321 §4.1.2, without quoted local parts and address literals).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@')?;
        let local_ok = !local.is_empty()
            && local.len() <= 64
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local
                .chars()
                .all(|c| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c));
        let labels: Vec<&str> = domain.split('.').collect();
        let domain_ok = domain.len() <= 253
            && labels.len() >= 2
            && labels.iter().all(|label| {
                !label.is_empty()
                    && label.len() <= 63
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            });
        (local_ok && domain_ok).then(|| Self(format!("{local}@{}", domain.to_lowercase())))
    }

    /// The address as written, with the domain in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The form to compare and to store under: all in lower case.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for EmailAddress {}

impl std::fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("no e-mail address: {text}"))
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

impl Registration {
    /// The multi-tenant registration that this build brings, if `MAILROOM_CLIENT_ID` was set when it was compiled.
    pub fn of_this_build() -> Option<Self> {
        Some(Self {
            authority: Url::parse("https://login.microsoftonline.com/").ok()?,
            graph_url: Url::parse("https://graph.microsoft.com/").ok()?,
            tenant: "organizations".to_owned(),
            client_id: option_env!("MAILROOM_CLIENT_ID")?.to_owned(),
            issuer: None,
        })
    }
}

impl Identity {
    /// Whether `address` is the primary address, an alias or the login name of this account.
    pub fn owns(&self, address: &EmailAddress) -> bool {
        self.primary.as_ref() == Some(address)
            || self.aliases.contains(address)
            || EmailAddress::parse(&self.login_name).as_ref() == Some(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    #[test]
    fn takes_addresses_as_people_have_them() {
        for text in [
            "support@contoso.example",
            "first.last+tag@mail.contoso.example",
            "o'neil_x@contoso-gmbh.example",
            "büro@müller.example",
            "1@2.example",
        ] {
            assert_eq!(address(text).as_str(), text);
        }
    }

    #[test]
    fn refuses_what_is_no_address() {
        for text in [
            "",
            "support",
            "@contoso.example",
            "support@",
            "support@contoso",
            ".a@contoso.example",
            "a.@contoso.example",
            "a..b@contoso.example",
            "a b@contoso.example",
            "a@-contoso.example",
            "a@contoso-.example",
            "a@contoso..example",
            "a@contoso.example.",
            "a@b@contoso.example",
            "a\r\nb@contoso.example",
            "a@contoso.example\r\nBcc: b@contoso.example",
            "Support <support@contoso.example>",
            "a;b@contoso.example",
        ] {
            assert!(EmailAddress::parse(text).is_none(), "{text:?}");
        }
        assert!(EmailAddress::parse(&format!("{}@contoso.example", "a".repeat(65))).is_none());
    }

    #[test]
    fn compares_without_case_but_shows_the_local_part_as_written() {
        let written = address("  Support@Contoso.EXAMPLE ");
        assert_eq!(written.as_str(), "Support@contoso.example");
        assert_eq!(written.key(), "support@contoso.example");
        assert_eq!(written.domain(), "contoso.example");
        assert_eq!(written, address("sUPPORT@contoso.example"));
        assert_ne!(written, address("sales@contoso.example"));
    }

    #[test]
    fn is_checked_when_read_back() {
        let json = serde_json::to_string(&address("Support@contoso.example")).unwrap();
        assert_eq!(json, "\"Support@contoso.example\"");
        assert!(serde_json::from_str::<EmailAddress>("\"no address\"").is_err());
    }

    #[test]
    fn what_was_stored_without_newer_members_is_read_and_written_as_it_was() {
        let stored = r#"{"authority":"https://login.microsoftonline.com/","graph_url":"https://graph.microsoft.com/","tenant":"t","client_id":"c"}"#;
        let registration: Registration = serde_json::from_str(stored).unwrap();
        assert_eq!(registration.issuer, None);
        assert_eq!(serde_json::to_string(&registration).unwrap(), stored);
        let stored = r#"{"host":"h","port":993,"login":"l","auth":"password"}"#;
        let server: ImapServer = serde_json::from_str(stored).unwrap();
        assert_eq!(server.tls, Tls::Implicit);
    }

    #[test]
    fn an_account_owns_its_primary_address_its_aliases_and_its_login_name() {
        let identity = Identity {
            tenant_id: "tenant".into(),
            object_id: "object".into(),
            login_name: "kim@contoso.example".into(),
            display_name: "Kim".into(),
            primary: Some(address("support@contoso.example")),
            aliases: vec![address("help@contoso.example")],
        };
        for own in [
            "KIM@contoso.example",
            "Support@contoso.example",
            "HELP@contoso.example",
        ] {
            assert!(identity.owns(&address(own)), "{own}");
        }
        for other in ["sales@contoso.example", "support@fabrikam.example"] {
            assert!(!identity.owns(&address(other)), "{other}");
        }
        let guest = Identity {
            login_name: "no address".into(),
            primary: None,
            aliases: Vec::new(),
            ..identity
        };
        assert!(!guest.owns(&address("support@contoso.example")));
    }
}
