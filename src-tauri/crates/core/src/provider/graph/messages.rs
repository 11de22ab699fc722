//! `…/mailFolders/{id}/messages` and its delta: the newest messages, and the stream of changes.

use super::GraphMailbox;
use super::answer::parse;
use super::batch::Part;
use super::wire::{Message, Page};
use crate::Millis;
use crate::diagnosis::Evidence;
use crate::provider::{ChangePage, Cursor, NewestPage, ProviderError, RemoteMessage};
use http::Method;

const SELECT: &str = "$select=id,receivedDateTime,internetMessageId,subject,from,isRead,categories";

/// `Prefer` of the delta function, on every page: parameters of the first call travel in the links, headers do not.
const DELTA_PREFER: &str = "IdType=\"ImmutableId\", odata.maxpagesize=50";

impl GraphMailbox {
    /// The newest messages received at or before `until`, newest first.
    pub(crate) async fn newest(
        &self,
        folder_id: &str,
        until: Millis,
        size: u32,
        page: Option<&str>,
    ) -> Result<NewestPage, ProviderError> {
        let url = match page {
            Some(link) => self.own_link(link)?,
            None => {
                let query = format!(
                    "$filter=receivedDateTime le {}&$orderby=receivedDateTime desc&$top={}&{SELECT}",
                    instant(until)?,
                    size.clamp(1, 1000),
                );
                self.url(&["mailFolders", folder_id, "messages"], Some(&query))
            }
        };
        let page: Page<Message> = self.get(url.clone(), None).await?;
        let next = match &page.next_link {
            Some(link) => Some(self.next(link, url.as_str())?),
            None => None,
        };
        let messages: Result<Vec<RemoteMessage>, ProviderError> =
            page.value.into_iter().map(remote).collect();
        Ok(NewestPage {
            messages: messages?,
            next,
        })
    }

    /// The first delta URL ("message: delta" allows `$filter` by `receivedDateTime ge` only, and `$select`).
    pub(crate) fn cursor_since(
        &self,
        folder_id: &str,
        since: Millis,
    ) -> Result<Cursor, ProviderError> {
        let query = format!("$filter=receivedDateTime ge {}&{SELECT}", instant(since)?);
        let url = self.url(
            &["mailFolders", folder_id, "messages", "delta"],
            Some(&query),
        );
        Ok(Cursor(url.into()))
    }

    /// One page of changes. Links are opaque and kept whole.
    pub(crate) async fn changes(&self, cursor: &Cursor) -> Result<ChangePage, ProviderError> {
        let url = self.own_link(&cursor.0)?;
        let page: Page<Message> = self.get(url.clone(), Some(DELTA_PREFER)).await?;
        let (next, more) = match (&page.next_link, &page.delta_link) {
            (Some(link), _) => (self.next(link, url.as_str())?, true),
            // A deltaLink may stay the same while nothing changes.
            (None, Some(link)) => (self.own_link(link).map(|_| link.clone())?, false),
            (None, None) => {
                let evidence = Evidence::of(None, None, "neither nextLink nor deltaLink", &[]);
                return Err(ProviderError::Protocol("no_link", evidence));
            }
        };
        let mut removed = Vec::new();
        let mut whole = Vec::new();
        let mut partial = Vec::new();
        for message in page.value {
            match (&message.removed, &message.received_date_time) {
                (Some(_), _) => removed.push(message.id),
                (None, Some(_)) => whole.push(message),
                (None, None) => partial.push(message.id),
            }
        }
        let (looked_up, gone) = self.look_up(&partial).await?;
        whole.extend(looked_up);
        removed.extend(gone);
        let changed = whole
            .into_iter()
            .map(remote)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(ChangePage {
            changed,
            removed,
            next: Cursor(next),
            more,
        })
    }

    /// Reads messages of which a change names only what changed ("at least the updated properties", says the
    /// manual). Gives them, and the ids of those that are gone by now.
    async fn look_up(&self, ids: &[String]) -> Result<(Vec<Message>, Vec<String>), ProviderError> {
        let parts: Vec<Part> = ids
            .iter()
            .map(|id| Part {
                method: Method::GET,
                url: self.url(&["messages", id], Some(SELECT)),
                body: None,
                is_raw: false,
            })
            .collect();
        let mut found = Vec::new();
        let mut gone = Vec::new();
        for (id, answer) in ids.iter().zip(self.many(&parts).await) {
            match answer {
                Ok(body) => found.push(parse(&body, None)?),
                Err(ProviderError::NotFound(_)) => gone.push(id.clone()),
                Err(error) => return Err(error),
            }
        }
        Ok((found, gone))
    }

    /// A nextLink, which must be ours and must lead on from `asked`.
    fn next(&self, link: &str, asked: &str) -> Result<String, ProviderError> {
        if self.own_link(link)?.as_str() == asked {
            let evidence = Evidence::of(None, None, "a page names itself as the next one", &[]);
            return Err(ProviderError::Protocol("link_loop", evidence));
        }
        Ok(link.to_owned())
    }
}

fn instant(at: Millis) -> Result<jiff::Timestamp, ProviderError> {
    jiff::Timestamp::from_millisecond(at).map_err(|_| {
        let evidence = Evidence::of(None, None, &format!("no instant: {at}"), &[]);
        ProviderError::Protocol("instant", evidence)
    })
}

fn bad_message(what: &str, id: &str) -> ProviderError {
    let evidence = Evidence::of(None, None, &format!("{what} in message {id}"), &[]);
    ProviderError::Protocol("bad_message", evidence)
}

fn remote(message: Message) -> Result<RemoteMessage, ProviderError> {
    if message.id.is_empty() {
        return Err(bad_message("no id", ""));
    }
    let received_at = message
        .received_date_time
        .as_deref()
        .and_then(|text| text.parse::<jiff::Timestamp>().ok())
        .ok_or_else(|| bad_message("no receivedDateTime", &message.id))?
        .as_millisecond();
    let message_id = message.internet_message_id.as_deref().map(bare_message_id);
    Ok(RemoteMessage {
        server_id: message.id,
        received_at,
        message_id: message_id.filter(|id| !id.is_empty()).map(str::to_owned),
        subject: message.subject.unwrap_or_default(),
        from: message
            .from
            .and_then(|from| from.email_address)
            .and_then(|address| address.address)
            .unwrap_or_default(),
        is_read: message.is_read.unwrap_or(false),
        categories: message.categories.unwrap_or_default(),
    })
}

fn bare_message_id(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('<')
        .and_then(|text| text.strip_suffix('>'))
        .unwrap_or(text)
        .trim()
}
