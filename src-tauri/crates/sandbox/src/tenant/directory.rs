//! Who there is: tenants, accounts, app registrations, consents and rights on shared mailboxes.

mod apps;
mod decisions;
mod people;

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub(crate) use apps::{Platform, Registration};
pub(crate) use decisions::{ApprovalRequest, Decisions, RequestState, Right};

/// Contoso, the tenant people practise with.
pub(crate) const CONTOSO: &str = "c0a70503-5a4d-4b6f-9d3e-7f10c0470501";
/// Fabrikam, another company, for sign-ins in the wrong place.
pub(crate) const FABRIKAM: &str = "fab21ca3-1e0c-4c39-8d52-6b1f0ab21ca3";
/// The registration "Mailroom": a public client for accounts of any organisation.
pub(crate) const MAILROOM: &str = "3a117007-9f2b-4b7e-8a55-0c0ffee0a110";
/// The registration "Mailroom (web)": its redirect URI is on the platform "Web", which is the wrong one.
pub(crate) const MAILROOM_WEB: &str = "3a117007-9f2b-4b7e-8a55-0c0ffee0a111";
/// The registration "Fabrikam Inbox": for accounts of Fabrikam only.
pub(crate) const FABRIKAM_INBOX: &str = "3a117007-9f2b-4b7e-8a55-0c0ffee0a112";

/// A directory (tenant).
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    /// Directory id.
    pub(crate) id: &'static str,
    /// Display name.
    pub(crate) name: &'static str,
    /// Verified domains, the initial one first.
    pub(crate) domains: &'static [&'static str],
}

/// What an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserKind {
    /// A person, or a mailbox that can sign in.
    User,
    /// A Global Administrator.
    Admin,
    /// A shared mailbox: an account whose sign-in is blocked.
    Shared,
}

impl UserKind {
    /// The word in the description.
    pub(crate) fn word(self) -> &'static str {
        match self {
            UserKind::User => "user",
            UserKind::Admin => "admin",
            UserKind::Shared => "shared",
        }
    }
}

/// An account.
#[derive(Debug, Clone)]
pub(crate) struct User {
    /// Object id.
    pub(crate) oid: &'static str,
    /// Directory id of its tenant.
    pub(crate) tenant: &'static str,
    /// User principal name: the login name.
    pub(crate) upn: &'static str,
    /// Primary SMTP address.
    pub(crate) mail: &'static str,
    /// Further addresses of the mailbox.
    pub(crate) aliases: &'static [&'static str],
    /// Display name.
    pub(crate) name: &'static str,
    /// First name.
    pub(crate) given_name: &'static str,
    /// Family name.
    pub(crate) surname: &'static str,
    /// Job title.
    pub(crate) job_title: &'static str,
    /// Preferred language.
    pub(crate) language: &'static str,
    /// Practice password; empty: cannot sign in.
    pub(crate) password: &'static str,
    /// What it is.
    pub(crate) kind: UserKind,
}

impl User {
    /// Does this account answer to the given object id, login name, address or alias?
    pub(crate) fn answers_to(&self, name: &str) -> bool {
        self.is_login(name)
            || self.oid.eq_ignore_ascii_case(name)
            || self.mail.eq_ignore_ascii_case(name)
            || self.aliases.iter().any(|a| a.eq_ignore_ascii_case(name))
    }

    /// Is this the login name of the account?
    pub(crate) fn is_login(&self, name: &str) -> bool {
        self.upn.eq_ignore_ascii_case(name.trim())
    }

    /// `proxyAddresses` as Graph prints them: `SMTP:` is the primary one.
    pub(crate) fn proxy_addresses(&self) -> Vec<String> {
        let mut all = vec![format!("SMTP:{}", self.mail)];
        all.extend(self.aliases.iter().map(|a| format!("smtp:{a}")));
        if !self.upn.eq_ignore_ascii_case(self.mail) {
            all.push(format!("smtp:{}", self.upn));
        }
        all
    }
}

/// A permission that somebody has consented to (an `oauth2PermissionGrant`, one row per scope).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Consent {
    /// Application id.
    pub(crate) client_id: String,
    /// In which tenant.
    pub(crate) tenant: String,
    /// Object id of the account; `None`: everybody in the tenant, by an administrator.
    pub(crate) user: Option<String>,
    /// Resource URI, such as `https://graph.microsoft.com`.
    pub(crate) resource: String,
    /// Name of the permission, such as `Mail.Read`.
    pub(crate) scope: String,
}

/// The directory of both tenants.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    tenants: Vec<Tenant>,
    users: Vec<User>,
    registrations: Vec<Registration>,
    /// What was consented to.
    pub(crate) consents: BTreeSet<Consent>,
    /// What the administrator has decided beside consent.
    pub(crate) decisions: Decisions,
}

impl Directory {
    /// The directory as it is at the first start: nobody has consented to anything.
    pub(crate) fn contoso() -> Self {
        Directory {
            tenants: people::tenants(),
            users: people::users(),
            registrations: apps::registrations(),
            consents: BTreeSet::new(),
            decisions: Decisions::first(),
        }
    }

    /// Finds a tenant by its id or one of its domains.
    pub(crate) fn tenant(&self, name: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|t| {
            t.id.eq_ignore_ascii_case(name)
                || t.domains.iter().any(|d| d.eq_ignore_ascii_case(name))
        })
    }

    /// Finds an account of any tenant by object id, login name, address or alias.
    pub(crate) fn find(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|u| u.answers_to(name))
    }

    /// Finds an account by its login name only, as the sign-in page does.
    pub(crate) fn by_login(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|u| u.is_login(name))
    }

    /// The accounts of a tenant.
    pub(crate) fn users<'a>(&'a self, tenant: &'a str) -> impl Iterator<Item = &'a User> {
        self.users.iter().filter(move |u| u.tenant == tenant)
    }

    /// The accounts of all tenants.
    pub(crate) fn everybody(&self) -> impl Iterator<Item = &User> {
        self.users.iter()
    }

    /// Does some registration have this redirect URI?
    pub(crate) fn has_redirect(&self, uri: &str) -> bool {
        self.registrations
            .iter()
            .any(|r| r.redirect_platform(uri).is_some())
    }

    /// Withdraws what an account has consented to for an app; consent for everybody stays.
    pub(crate) fn withdraw(&mut self, client_id: &str, oid: &str) {
        self.consents
            .retain(|c| c.client_id != client_id || c.user.as_deref() != Some(oid));
    }

    /// Finds an app registration by its application id.
    pub(crate) fn registration(&self, client_id: &str) -> Option<&Registration> {
        self.registrations
            .iter()
            .find(|r| r.client_id.eq_ignore_ascii_case(client_id))
    }

    /// May this account open that mailbox (both object ids)? Its own always, others with Full Access.
    pub(crate) fn may_open(&self, user_oid: &str, mailbox_oid: &str) -> bool {
        user_oid == mailbox_oid
            || self
                .decisions
                .has_right(Right::FullAccess, user_oid, mailbox_oid)
    }

    /// May this account send as that mailbox (both object ids)?
    pub(crate) fn may_send_as(&self, user_oid: &str, mailbox_oid: &str) -> bool {
        user_oid == mailbox_oid
            || self
                .decisions
                .has_right(Right::SendAs, user_oid, mailbox_oid)
    }

    /// The permissions of a resource that the app has for this account, by the account's own consent or an administrator's.
    pub(crate) fn granted(&self, client_id: &str, user: &User, resource: &str) -> BTreeSet<String> {
        self.consents
            .iter()
            .filter(|c| {
                c.client_id == client_id
                    && c.tenant == user.tenant
                    && c.resource == resource
                    && c.user.as_deref().is_none_or(|oid| oid == user.oid)
            })
            .map(|c| c.scope.clone())
            .collect()
    }

    /// Writes consent down: for one account, or (`user` is `None`) for everybody in the tenant.
    pub(crate) fn consent(
        &mut self,
        client_id: &str,
        tenant: &str,
        user: Option<&str>,
        scopes: impl IntoIterator<Item = (String, String)>,
    ) {
        for (resource, scope) in scopes {
            self.consents.insert(Consent {
                client_id: client_id.to_owned(),
                tenant: tenant.to_owned(),
                user: user.map(str::to_owned),
                resource,
                scope,
            });
        }
    }
}
