//! Microsoft Graph v1.0, mail. The file layout follows the URL paths of the manual.

use super::{ChangePage, Cursor, Folder, MailboxName, Mark, NewestPage, ProviderError};
use crate::Millis;
use crate::account::Identity;
use crate::oauth::tokens::Tokens;
use bytes::Bytes;
use url::Url;

/// A mailbox reached by Microsoft Graph. Cheap to clone; at most two requests are in flight for all clones.
#[derive(Clone)]
pub struct GraphMailbox {
    _root: Url,
    _name: MailboxName,
}

impl GraphMailbox {
    /// `root` without version (`https://graph.microsoft.com/`).
    pub fn new(_http: reqwest::Client, root: Url, _tokens: Tokens, name: MailboxName) -> Self {
        Self {
            _root: root,
            _name: name,
        }
    }

    pub(crate) async fn identity(&self) -> Result<Identity, ProviderError> {
        todo!()
    }
    pub(crate) async fn folder(&self, _path: Option<&str>) -> Result<Folder, ProviderError> {
        todo!()
    }
    pub(crate) async fn newest(
        &self,
        _folder_id: &str,
        _until: Millis,
        _size: u32,
        _page: Option<&str>,
    ) -> Result<NewestPage, ProviderError> {
        todo!()
    }
    pub(crate) fn cursor_since(
        &self,
        _folder_id: &str,
        _since: Millis,
    ) -> Result<Cursor, ProviderError> {
        todo!()
    }
    pub(crate) async fn changes(&self, _cursor: &Cursor) -> Result<ChangePage, ProviderError> {
        todo!()
    }
    pub(crate) async fn fetch(&self, _server_ids: &[String]) -> Vec<Result<Bytes, ProviderError>> {
        todo!()
    }
    pub(crate) async fn mark(&self, _marks: &[Mark]) -> Vec<Result<(), ProviderError>> {
        todo!()
    }
}
