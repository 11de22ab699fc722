//! Permissions (scopes): what exists, how a request names them, and what they mean in words.

use super::errors::Refusal;
use super::tokens::{GRAPH, GRAPH_APP};
use crate::tenant::directory::Registration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Resource URI of Exchange Online's mail protocols.
pub(crate) const OUTLOOK: &str = "https://outlook.office.com";

/// One delegated permission.
pub(crate) struct Permission {
    /// Resource URI.
    pub(crate) resource: &'static str,
    /// Name, such as `Mail.Read`.
    pub(crate) name: &'static str,
    /// What the consent page calls it.
    pub(crate) title: &'static str,
    /// What the consent page says below the title.
    pub(crate) words: &'static str,
    /// Needs an administrator always.
    pub(crate) admin: bool,
}

macro_rules! permissions {
    ($($resource:ident $name:literal $admin:literal $title:literal $words:literal;)+) => {
        /// Every permission the tenant knows, after "Microsoft Graph permissions reference".
        pub(crate) const PERMISSIONS: &[Permission] = &[$(Permission {
            resource: $resource, name: $name, title: $title, words: $words, admin: $admin,
        },)+];
    };
}

permissions! {
    GRAPH "User.Read" false "Sign you in and read your profile" "Allows you to sign in to the app with your organizational account and let the app read your profile.";
    GRAPH "offline_access" false "Maintain access to data you have given it access to" "Allows the app to see and update the data you gave it access to, even when you are not currently using the app. This does not give the app any additional permissions.";
    GRAPH "openid" false "Sign you in" "Allows you to sign in to the app with your work or school account and allows the app to read your basic profile information.";
    GRAPH "profile" false "View your basic profile" "Allows the app to see your basic profile (for example, name, picture, user name, email address).";
    GRAPH "email" false "View your email address" "Allows the app to read your primary email address.";
    GRAPH "Mail.Read" false "Read your mail" "Allows the app to read email in your mailbox.";
    GRAPH "Mail.ReadBasic" false "Read your basic mail" "Allows the app to read email in your mailbox, except its body and attachments.";
    GRAPH "Mail.ReadWrite" false "Read and write access to your mail" "Allows the app to read, update, create and delete email in your mailbox. Does not include permission to send mail.";
    GRAPH "Mail.Send" false "Send mail as you" "Allows the app to send mail as you.";
    GRAPH "Mail.Read.Shared" false "Read mail you can access" "Allows the app to read mail you can access, including shared mail.";
    GRAPH "Mail.ReadWrite.Shared" false "Read and write mail you can access" "Allows the app to read, update, create and delete mail you have permission to access, including your own and shared mail. Does not allow the app to send mail on your behalf.";
    GRAPH "Mail.Send.Shared" false "Send mail on behalf of others or yourself" "Allows the app to send mail as you or on behalf of someone else.";
    GRAPH "MailboxSettings.Read" false "Read your mailbox settings" "Allows the app to read your mailbox settings.";
    GRAPH "MailboxSettings.ReadWrite" false "Read and write your mailbox settings" "Allows the app to read, update, create and delete your mailbox settings.";
    GRAPH "Calendars.Read" false "Read your calendars" "Allows the app to read events in your calendars.";
    GRAPH "Contacts.Read" false "Read your contacts" "Allows the app to read contacts in your contact folders.";
    GRAPH "User.Read.All" true "Read all users' full profiles" "Allows the app to read the full set of profile properties of other users in your organization, on your behalf.";
    GRAPH "Directory.Read.All" true "Read directory data" "Allows the app to read data in your organization's directory.";
    OUTLOOK "IMAP.AccessAsUser.All" false "Read and write access to your mail via IMAP" "Allows the app to read, update, create and delete email in your mailbox. Does not include permission to send mail.";
    OUTLOOK "SMTP.Send" false "Send emails from your mailbox using SMTP AUTH" "Allows the app to send emails from your mailbox using the SMTP AUTH client submission protocol.";
}

const OPENID: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// What was asked of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// Resource URI.
    pub(crate) resource: String,
    /// Names of permissions.
    pub(crate) names: BTreeSet<String>,
    /// `.default`: everything listed in the registration.
    pub(crate) all: bool,
    /// Were they asked for with the resource URI in front? Entra answers in the same spelling.
    pub(crate) qualified: bool,
}

/// A parsed `scope` parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scopes {
    /// Of `openid profile email offline_access`.
    pub(crate) openid: BTreeSet<String>,
    /// Permissions by resource, in the order of the request.
    pub(crate) asked: Vec<Asked>,
}

impl Scopes {
    /// Reads a `scope` parameter.
    pub(crate) fn parse(text: &str, app: &Registration, tenant: &str) -> Result<Self, Refusal> {
        let mut scopes = Scopes::default();
        for word in text.split_whitespace() {
            let lower = word.to_ascii_lowercase();
            if OPENID.contains(&lower.as_str()) {
                scopes.openid.insert(lower);
                continue;
            }
            let plain = word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-._~:/".contains(c));
            if !plain {
                return Err(Refusal::new(
                    "invalid_scope",
                    70_011,
                    format!(
                        "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {text} is not valid."
                    ),
                ));
            }
            let (resource, name, qualified) = match word.rsplit_once('/') {
                Some((resource, name)) => (known_resource(resource, tenant)?, name, true),
                None => (GRAPH, word, false),
            };
            let slot = scopes.slot(resource, qualified);
            if name == ".default" {
                slot.all = true;
                continue;
            }
            let known = PERMISSIONS
                .iter()
                .find(|p| p.resource == resource && p.name.eq_ignore_ascii_case(name));
            let Some(known) = known else {
                return Err(Refusal::new(
                    "invalid_client",
                    650_053,
                    format!(
                        "The application '{}' asked for scope '{name}' that doesn't exist on the resource '{}'. Contact the app vendor.",
                        app.name,
                        resource_app(resource)
                    ),
                ));
            };
            slot.names.insert(known.name.to_owned());
        }
        Ok(scopes)
    }

    fn slot(&mut self, resource: &str, qualified: bool) -> &mut Asked {
        let at = match self.asked.iter().position(|a| a.resource == resource) {
            Some(at) => at,
            None => {
                self.asked.push(Asked {
                    resource: resource.to_owned(),
                    names: BTreeSet::new(),
                    all: false,
                    qualified: false,
                });
                self.asked.len() - 1
            }
        };
        let slot = &mut self.asked[at];
        slot.qualified |= qualified;
        slot
    }

    /// Every permission that has to be granted, as (resource, name), in the order of [`PERMISSIONS`].
    pub(crate) fn needed(&self, app: &Registration) -> Vec<(String, String)> {
        PERMISSIONS
            .iter()
            .filter(|p| {
                let openid = p.resource == GRAPH && self.openid.contains(p.name);
                openid
                    || self.asked.iter().any(|a| {
                        a.resource == p.resource
                            && (a.names.contains(p.name)
                                || (a.all && app.permissions.contains(&(p.resource, p.name))))
                    })
            })
            .map(|p| (p.resource.to_owned(), p.name.to_owned()))
            .collect()
    }

    /// Refuses (AADSTS650057) a resource of which the registration lists nothing.
    pub(crate) fn listed(&self, app: &Registration) -> Result<(), Refusal> {
        let listed = |resource: &str| app.permissions.iter().any(|(r, _)| *r == resource);
        let Some(asked) = self.asked.iter().find(|a| !listed(&a.resource)) else {
            return Ok(());
        };
        let mut valid: Vec<&str> = app
            .permissions
            .iter()
            .map(|(r, _)| resource_app(r))
            .collect();
        valid.dedup();
        Err(Refusal::new(
            "invalid_resource",
            650_057,
            format!(
                "Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration. Client app ID: {}({}). Resource value from request: {}. Resource app ID: {}. List of valid resources from app registration: {}.",
                app.client_id,
                app.name,
                asked.resource,
                resource_app(&asked.resource),
                valid.join(", ")
            ),
        ))
    }

    /// The one resource a token is for: Graph where only OpenID scopes are named.
    ///
    /// # Errors
    /// AADSTS28000 where there are several.
    pub(crate) fn single(&self, text: &str) -> Result<Asked, Refusal> {
        match self.asked.as_slice() {
            [] => Ok(Asked {
                resource: GRAPH.to_owned(),
                names: BTreeSet::new(),
                all: false,
                qualified: false,
            }),
            [one] => Ok(one.clone()),
            _ => Err(Refusal::new(
                "invalid_scope",
                28_000,
                format!(
                    "Provided value for the input parameter scope is not valid because it contains more than one resource. Scope {text} is not valid."
                ),
            )),
        }
    }
}

fn known_resource(uri: &str, tenant: &str) -> Result<&'static str, Refusal> {
    match uri.trim_end_matches('/').to_ascii_lowercase().as_str() {
        GRAPH | GRAPH_APP => Ok(GRAPH),
        OUTLOOK | "https://outlook.office365.com" => Ok(OUTLOOK),
        _ => Err(Refusal::new(
            "invalid_resource",
            500_011,
            format!(
                "The resource principal named {uri} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."
            ),
        )),
    }
}

fn resource_app(resource: &str) -> &'static str {
    if resource == GRAPH {
        GRAPH_APP
    } else {
        "00000002-0000-0ff1-ce00-000000000000"
    }
}

/// Does one of these need an administrator in any case?
pub(crate) fn needs_admin(needed: &[(String, String)]) -> bool {
    PERMISSIONS.iter().any(|p| {
        p.admin
            && needed
                .iter()
                .any(|(resource, name)| resource == p.resource && name == p.name)
    })
}
