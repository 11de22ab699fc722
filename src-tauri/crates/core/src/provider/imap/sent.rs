//! Copies of what was sent, in the folder for sent mail (RFC 6154 §2), by APPEND (RFC 3501 §6.3.11).

use super::listing::search;
use super::name::{decoded, quoted};
use super::refusal::Asked;
use super::session::{Session, Work, protocol};
use super::{ImapMailbox, folders, with_session};
use crate::provider::ProviderError;
use crate::provider::outbound::lines_ended;
use mail_parser::MessageParser;
use zeroize::Zeroizing;

impl ImapMailbox {
    /// The folder for sent mail, as people see it; nothing where the server has none.
    ///
    /// # Errors
    /// Any [`ProviderError`].
    pub(crate) async fn sent_folder(&self) -> Result<Option<String>, ProviderError> {
        let found = with_session!(self, session => folders::sent(session))?;
        Ok(found.map(|wire| decoded(&wire)))
    }

    /// Puts a copy of `raw` into the folder for sent mail, marked as read, unless the server has put one there by
    /// itself. Gives the folder, as people see it; nothing where the server has none.
    ///
    /// # Errors
    /// Any [`ProviderError`]; then there may be no copy.
    pub(crate) async fn keep_copy(&self, raw: &[u8]) -> Result<Option<String>, ProviderError> {
        let raw = lines_ended(raw);
        // A line of this session is text; what Mailroom writes is.
        let text = String::from_utf8(raw).map_err(|_| protocol("copy_not_text"))?;
        let folder = with_session!(self, session => keep(session, &text))?;
        Ok(folder.map(|wire| decoded(&wire)))
    }
}

async fn keep(session: &mut Session, text: &str) -> Result<Option<String>, ProviderError> {
    let Some(folder) = folders::sent(session).await? else {
        return Ok(None);
    };
    if is_there(session, &folder, text).await? {
        return Ok(Some(folder));
    }
    let name = quoted(&folder).ok_or_else(|| protocol("folder_name"))?;
    let command = format!("APPEND {name} (\\Seen) {{{}}}", text.len());
    let work = Work {
        time: session.patience.bodies,
        more: Some(Zeroizing::new(text.to_owned())),
        ..session.talk(Asked::Other)
    };
    session.command(&command, work, |_, _| {}).await?;
    Ok(Some(folder))
}

/// Whether the folder holds the message already: some servers keep what they send.
async fn is_there(session: &mut Session, folder: &str, text: &str) -> Result<bool, ProviderError> {
    let parsed = MessageParser::default().parse_headers(text.as_bytes());
    let id = parsed.as_ref().and_then(|message| message.message_id());
    let Some(id) = id.and_then(quoted) else {
        return Ok(false);
    };
    session.select(folder).await?;
    let found = search(session, &format!("HEADER Message-ID {id}")).await?;
    Ok(!found.is_empty())
}
