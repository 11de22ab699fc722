//! Exchange Online as a mail server. It exists once per cloud, each with a resource and host names of its own, and its
//! tokens are shown to no other host: whoever got hold of one could read the mailbox with it.
//!
//! Sources: Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth"; the pages "URLs and IP address ranges"
//! of Microsoft 365 Worldwide, "Microsoft 365 U.S. Government GCC High endpoints" (IMAP and SMTP at one host) and "URLs
//! and IP address ranges for Microsoft 365 operated by 21Vianet"; "API endpoints of Office 365 operated by 21Vianet"
//! (resource); "POP, IMAP, and SMTP settings for Outlook.com"; Microsoft Entra, "National clouds".

use super::{OUTLOOK, is_openid_scope};
use crate::account::Registration;
use url::Url;

/// Exchange Online in one cloud.
#[derive(Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Hosts of the cloud's sign-in service.
    sign_in: &'static [&'static str],
    /// What a token is asked for, and the beginning of its scopes.
    pub resource: &'static str,
    /// Host to read mail from, at port 993.
    pub imap: &'static str,
    /// Host that takes mail, at port 587 with STARTTLS.
    pub smtp: &'static str,
    /// Further hosts of the same servers.
    further: &'static [&'static str],
}

/// The clouds that a registration can live in. The U.S. Department of Defense has a cloud of its own, which none can be
/// chosen for.
const CLOUDS: [Exchange; 3] = [
    Exchange {
        sign_in: &[
            "login.microsoftonline.com",
            "login.microsoft.com",
            "login.windows.net",
            "sts.windows.net",
            "login.live.com",
        ],
        resource: OUTLOOK,
        imap: "outlook.office365.com",
        smtp: "smtp.office365.com",
        further: &[
            "outlook.office.com",
            "imap-mail.outlook.com",
            "smtp-mail.outlook.com",
        ],
    },
    Exchange {
        sign_in: &["login.microsoftonline.us"],
        resource: "https://outlook.office365.us/",
        imap: "outlook.office365.us",
        smtp: "outlook.office365.us",
        further: &["smtp.office365.us"],
    },
    Exchange {
        sign_in: &["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"],
        resource: "https://partner.outlook.cn/",
        imap: "partner.outlook.cn",
        smtp: "smtp.partner.outlook.cn",
        further: &[],
    },
];

/// Domains in which Microsoft's own services are named as the resources of tokens.
const OF_MICROSOFT: [&str; 9] = [
    "microsoft.com",
    "microsoft.us",
    "windows.net",
    "office.com",
    "office365.com",
    "office365.us",
    "outlook.com",
    "outlook.cn",
    "chinacloudapi.cn",
];

impl Exchange {
    /// Whether `host` is a server of Exchange Online in this cloud.
    pub fn is_at(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let host = host.as_str();
        [self.imap, self.smtp].contains(&host) || self.further.contains(&host)
    }
}

/// The cloud whose Exchange Online is served at `host`, if it is one.
pub fn serving(host: &str) -> Option<&'static Exchange> {
    CLOUDS.iter().find(|cloud| cloud.is_at(host))
}

/// `given`, asking for tokens for the Exchange Online of its cloud. A test's cloud says `outlook.office.com`, too.
pub fn registration(given: Registration) -> Result<Registration, url::ParseError> {
    let resource = at_microsoft(&given).map_or(OUTLOOK, |cloud| cloud.resource);
    let graph_url = Url::parse(resource)?;
    Ok(Registration { graph_url, ..given })
}

/// Whether the tokens of `registration` are for Exchange Online: its scopes are then spelled with the resource.
pub(super) fn is_resource(registration: &Registration) -> bool {
    let asked = registration.graph_url.as_str();
    registration.issuer.is_none() && CLOUDS.iter().any(|cloud| cloud.resource == asked)
}

/// The only servers that a mail token of `registration` may be shown to; nothing where that is nobody's business but the
/// person's. A test's cloud signs people in elsewhere than Microsoft, and an organisation may let its own mail server ask
/// Entra: then the token is for an API of its own.
pub fn only_door(registration: &Registration) -> Option<&'static Exchange> {
    let cloud = at_microsoft(registration)?;
    let Some(issuer) = &registration.issuer else {
        return Some(cloud);
    };
    let opens_microsoft = |scope: &String| match Url::parse(scope) {
        Ok(url) => url.host_str().is_some_and(|host| {
            let within = |domain: &&str| {
                let rest = host.strip_suffix(*domain);
                rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            };
            OF_MICROSOFT.iter().any(within)
        }),
        // Without a resource in front it is a scope of Graph.
        Err(_) => !is_openid_scope(scope) && !scope.contains('/'),
    };
    issuer.scopes.iter().any(opens_microsoft).then_some(cloud)
}

/// Whether a mail token of `registration` may be shown to `host`.
pub fn may_see_token(registration: &Registration, host: &str) -> bool {
    only_door(registration).is_none_or(|cloud| cloud.is_at(host))
}

fn at_microsoft(registration: &Registration) -> Option<&'static Exchange> {
    let host = registration.authority.host_str()?;
    CLOUDS.iter().find(|cloud| cloud.sign_in.contains(&host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Issuer;

    fn signing_in_at(authority: &str, scopes: Option<&[&str]>) -> Registration {
        Registration {
            authority: authority.parse().unwrap(),
            graph_url: "https://graph.microsoft.com/".parse().unwrap(),
            tenant: "contoso.example".into(),
            client_id: "c".into(),
            issuer: scopes.map(|scopes| Issuer {
                name: authority.into(),
                scopes: scopes.iter().map(ToString::to_string).collect(),
                parameters: [].into(),
            }),
        }
    }

    #[test]
    fn a_token_of_microsofts_is_shown_to_exchange_of_its_own_cloud_only() {
        let world = signing_in_at("https://login.microsoftonline.com/", None);
        let us = signing_in_at("https://login.microsoftonline.us/", None);
        let china = signing_in_at("https://login.chinacloudapi.cn/", None);
        for (host, cloud) in [
            ("outlook.office365.com", Some(&world)),
            ("Outlook.Office365.com.", Some(&world)),
            ("smtp.office365.com", Some(&world)),
            ("outlook.office.com", Some(&world)),
            ("outlook.office365.us", Some(&us)),
            ("partner.outlook.cn", Some(&china)),
            ("smtp.partner.outlook.cn", Some(&china)),
            ("outlook.office356.com", None),
            ("outlook.office365.com.contoso.example", None),
            ("xoutlook.office365.com", None),
            ("office365.com", None),
            ("mail.contoso.example", None),
            ("127.0.0.1", None),
            ("", None),
        ] {
            for registration in [&world, &us, &china] {
                assert_eq!(
                    may_see_token(registration, host),
                    cloud == Some(registration),
                    "{host} {}",
                    registration.authority
                );
            }
        }
    }

    #[test]
    fn each_cloud_has_a_resource_of_its_own() {
        for (authority, resource) in [
            ("https://login.microsoftonline.com/", OUTLOOK),
            (
                "https://login.microsoftonline.us/",
                "https://outlook.office365.us/",
            ),
            (
                "https://login.chinacloudapi.cn/",
                "https://partner.outlook.cn/",
            ),
            ("http://127.0.0.1:4000/", OUTLOOK),
        ] {
            let asked = registration(signing_in_at(authority, None)).unwrap();
            assert_eq!(asked.graph_url.as_str(), resource, "{authority}");
            assert!(is_resource(&asked));
        }
    }

    #[test]
    fn an_issuers_token_goes_where_the_person_says_unless_it_opens_microsofts_services() {
        let entra = "https://login.microsoftonline.com/contoso.example/v2.0";
        for (authority, scopes, restricted) in [
            ("https://id.contoso.example/", &["Mail.Read"][..], false),
            (entra, &["openid", "offline_access", "email"], false),
            (entra, &["openid", "api://mail.contoso.example/read"], false),
            (
                entra,
                &["openid", "https://mail.contoso.example/read"],
                false,
            ),
            (
                entra,
                &["https://outlook.office.com/IMAP.AccessAsUser.All"],
                true,
            ),
            (entra, &["https://outlook.office365.com/.default"], true),
            (entra, &["https://graph.microsoft.com/Mail.Read"], true),
            (entra, &["openid", "Mail.Read"], true),
        ] {
            let registration = signing_in_at(authority, Some(scopes));
            assert_eq!(
                may_see_token(&registration, "mail.contoso.example"),
                !restricted,
                "{authority} {scopes:?}"
            );
            assert!(may_see_token(&registration, "outlook.office365.com"));
        }
        // A test's cloud.
        let own = signing_in_at("http://127.0.0.1:4000/", None);
        assert!(may_see_token(&own, "127.0.0.1"));
    }
}
