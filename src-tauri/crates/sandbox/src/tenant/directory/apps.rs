//! App registrations.

use super::{CONTOSO, FABRIKAM, FABRIKAM_INBOX, MAILROOM, MAILROOM_WEB};

/// Platform of a redirect URI, as the portal calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    /// "Mobile and desktop applications": public client, any port on localhost.
    Desktop,
    /// "Web": needs a client secret when the code is redeemed.
    Web,
}

/// An app registration.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    /// Application (client) id.
    pub(crate) client_id: &'static str,
    /// Display name.
    pub(crate) name: &'static str,
    /// Name of the company that publishes it.
    pub(crate) publisher: &'static str,
    /// Directory that owns it.
    pub(crate) home_tenant: &'static str,
    /// `AzureADMultipleOrgs` (true) or `AzureADMyOrg` (false).
    pub(crate) multi_tenant: bool,
    /// Redirect URIs with their platform.
    pub(crate) redirects: &'static [(&'static str, Platform)],
    /// "Allow public client flows".
    pub(crate) public_client: bool,
    /// API permissions listed in the registration: (resource URI, permission).
    pub(crate) permissions: Vec<(&'static str, &'static str)>,
}

const GRAPH: &str = "https://graph.microsoft.com";
const OUTLOOK: &str = "https://outlook.office.com";

const MAIL_PERMISSIONS: &[(&str, &str)] = &[
    (GRAPH, "openid"),
    (GRAPH, "profile"),
    (GRAPH, "offline_access"),
    (GRAPH, "email"),
    (GRAPH, "User.Read"),
    (GRAPH, "Mail.Read"),
    (GRAPH, "Mail.ReadWrite"),
    (GRAPH, "Mail.Send"),
    (GRAPH, "Mail.ReadWrite.Shared"),
    (GRAPH, "Mail.Send.Shared"),
    (GRAPH, "MailboxSettings.Read"),
    (OUTLOOK, "IMAP.AccessAsUser.All"),
    (OUTLOOK, "SMTP.Send"),
];

pub(super) fn registrations() -> Vec<Registration> {
    vec![
        Registration {
            client_id: MAILROOM,
            name: "Mailroom",
            publisher: "Contoso",
            home_tenant: CONTOSO,
            multi_tenant: true,
            redirects: &[("http://localhost", Platform::Desktop)],
            public_client: true,
            permissions: MAIL_PERMISSIONS.to_vec(),
        },
        Registration {
            client_id: MAILROOM_WEB,
            name: "Mailroom (web)",
            publisher: "Contoso",
            home_tenant: CONTOSO,
            multi_tenant: false,
            redirects: &[("http://localhost", Platform::Web)],
            public_client: false,
            permissions: MAIL_PERMISSIONS.to_vec(),
        },
        Registration {
            client_id: FABRIKAM_INBOX,
            name: "Fabrikam Inbox",
            publisher: "Fabrikam",
            home_tenant: FABRIKAM,
            multi_tenant: false,
            redirects: &[("http://localhost", Platform::Desktop)],
            public_client: true,
            permissions: MAIL_PERMISSIONS.to_vec(),
        },
    ]
}

impl Registration {
    /// The platform of the redirect URI that was sent, if it matches a registered one. On
    /// `http://localhost` the port is ignored and the path is not; an empty path and `/` are the same
    /// (learn.microsoft.com, "Redirect URI (reply URL) best practices and limitations").
    pub(crate) fn redirect_platform(&self, sent: &str) -> Option<Platform> {
        let sent = url::Url::parse(sent).ok()?;
        if sent.fragment().is_some() || !sent.username().is_empty() || sent.password().is_some() {
            return None;
        }
        self.redirects.iter().find_map(|(registered, platform)| {
            let registered = url::Url::parse(registered).ok()?;
            let loopback = matches!(registered.host_str(), Some("localhost" | "127.0.0.1"))
                && registered.scheme() == "http";
            let same = registered.scheme() == sent.scheme()
                && registered.host_str() == sent.host_str()
                && registered.path() == sent.path()
                && registered.query() == sent.query()
                && (loopback || registered.port_or_known_default() == sent.port_or_known_default());
            same.then_some(*platform)
        })
    }

    /// May accounts of this tenant use the app at all?
    pub(crate) fn serves(&self, tenant: &str) -> bool {
        self.multi_tenant || self.home_tenant == tenant
    }
}
