//! Microsoft Graph v1.0, mail. The file layout follows the URL paths of the manual.

mod answer;
mod batch;
mod folders;
mod marks;
mod messages;
mod request;
mod rules;
#[cfg(test)]
mod tests;
mod wire;

use super::{MailboxName, ProviderError};
use crate::account::{EmailAddress, Identity};
use crate::oauth::http::below;
use crate::oauth::tokens::Tokens;
use batch::Part;
use bytes::Bytes;
use http::{Method, StatusCode};
use request::{Ask, JSON_LIMIT};
use std::sync::Arc;
use tokio::sync::Semaphore;
use url::Url;

/// Requests in flight per mailbox. Graph allows four, for all programs of one app together ("Microsoft Graph
/// service-specific throttling limits", Outlook).
const IN_FLIGHT: usize = 2;

/// Longest single message, in bytes: what Exchange Online can store at most.
const MESSAGE_LIMIT: usize = 150 << 20;

/// A mailbox reached by Microsoft Graph. Cheap to clone; at most two requests are in flight for all clones.
#[derive(Clone)]
pub struct GraphMailbox {
    shared: Arc<Shared>,
}

struct Shared {
    http: reqwest::Client,
    /// With version: `https://graph.microsoft.com/v1.0`.
    root: Url,
    tokens: Tokens,
    name: MailboxName,
    in_flight: Semaphore,
}

impl GraphMailbox {
    /// `root` without version (`https://graph.microsoft.com/`).
    pub fn new(http: reqwest::Client, root: Url, tokens: Tokens, name: MailboxName) -> Self {
        Self {
            shared: Arc::new(Shared {
                http,
                root: below(&root, &["v1.0"]),
                tokens,
                name,
                in_flight: Semaphore::new(IN_FLIGHT),
            }),
        }
    }

    /// The URL of something in this mailbox. `query` is taken as it is, save for blanks.
    fn url(&self, segments: &[&str], query: Option<&str>) -> Url {
        let mut url = match &self.shared.name {
            MailboxName::Own => below(&self.shared.root, &["me"]),
            MailboxName::Shared(address) => below(&self.shared.root, &["users", address.as_str()]),
        };
        url = below(&url, segments);
        url.set_query(query);
        url
    }

    /// Who the mailbox belongs to (`GET /me` or `/users/{address}`; `User.Read`, for others `User.Read.All`).
    /// Graph does not tell the tenant, so `tenant_id` is empty: the sign-in's `tid` claim has it.
    pub(crate) async fn identity(&self) -> Result<Identity, ProviderError> {
        let query = "$select=id,displayName,mail,userPrincipalName,proxyAddresses";
        let user: wire::User = self.get(self.url(&[], Some(query)), None).await?;
        let mut primary = None;
        let mut aliases = Vec::new();
        for proxy in user.proxy_addresses.into_iter().flatten() {
            // `SMTP:` is the primary address, `smtp:` an alias; others are no mail addresses.
            let Some((kind, address)) = proxy.split_once(':') else {
                continue;
            };
            match (kind, EmailAddress::parse(address)) {
                ("SMTP", Some(address)) => primary = Some(address),
                ("smtp", Some(address)) => aliases.push(address),
                _ => {}
            }
        }
        let mail = user.mail.as_deref().and_then(EmailAddress::parse);
        match (&primary, mail) {
            (None, mail) => primary = mail,
            (Some(primary), Some(mail)) if *primary != mail && !aliases.contains(&mail) => {
                aliases.push(mail);
            }
            _ => {}
        }
        aliases.retain(|alias| primary.as_ref() != Some(alias));
        Ok(Identity {
            tenant_id: String::new(),
            object_id: user.id,
            login_name: user.user_principal_name.unwrap_or_default(),
            display_name: user.display_name.unwrap_or_default(),
            primary,
            aliases,
        })
    }

    /// Raw MIME (`GET …/messages/{id}/$value`).
    pub(crate) async fn fetch(&self, server_ids: &[String]) -> Vec<Result<Bytes, ProviderError>> {
        let parts: Vec<Part> = server_ids
            .iter()
            .map(|id| Part {
                method: Method::GET,
                url: self.url(&["messages", id, "$value"], None),
                body: None,
                is_raw: true,
            })
            .collect();
        self.many(&parts).await
    }

    /// Sends a message given as MIME (`POST …/sendMail` with base64; `Mail.Send`). A copy goes to Sent Items of
    /// the mailbox. On [`ProviderError::Offline`] and [`ProviderError::Server`] it is not known whether the message left.
    ///
    /// # Errors
    /// Any [`ProviderError`]. Only 202 is success.
    pub async fn send_mime(&self, raw: &[u8]) -> Result<(), ProviderError> {
        use base64::Engine as _;
        let body = base64::engine::general_purpose::STANDARD.encode(raw);
        let answer = self
            .ask(Ask {
                method: Method::POST,
                body: Some(("text/plain", Bytes::from(body))),
                ..Ask::get(self.url(&["sendMail"], None), JSON_LIMIT)
            })
            .await?;
        if answer.status == StatusCode::ACCEPTED {
            return Ok(());
        }
        Err(answer.protocol("not_accepted"))
    }
}
