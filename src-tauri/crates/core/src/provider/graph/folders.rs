//! `…/mailFolders`: finding the folder to fetch from.

use super::GraphMailbox;
use super::wire::{MailFolder, Page};
use crate::diagnosis::Evidence;
use crate::provider::{Folder, ProviderError};
use std::collections::BTreeSet;

const SELECT: &str = "$select=id,displayName,totalItemCount";
/// Most pages read of one level: beyond it a mailbox is not a mailbox.
const PAGES: usize = 50;

impl GraphMailbox {
    /// Looks a folder up by its path of display names (`Requests/Tech support`), level by level and without regard
    /// to case; nothing, or an empty path, means the inbox. A folder whose own name has a slash is found too.
    pub(crate) async fn folder(&self, path: Option<&str>) -> Result<Folder, ProviderError> {
        let names: Vec<&str> = path
            .unwrap_or_default()
            .split('/')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        if names.is_empty() {
            return self.inbox().await;
        }
        let mut found: Option<MailFolder> = None;
        let mut rest = names.as_slice();
        while !rest.is_empty() {
            let level = self.level(found.as_ref().map(|f| f.id.as_str())).await?;
            let step = (1..=rest.len()).find_map(|taken| {
                let name = fold(&rest.get(..taken)?.join("/"));
                let at = level.iter().position(|f| fold(&f.display_name) == name)?;
                Some((taken, at))
            });
            match step {
                Some((taken, at)) => {
                    found = level.into_iter().nth(at);
                    rest = rest.get(taken..).unwrap_or_default();
                }
                // Only English mailboxes call their inbox so, but everybody may.
                None if found.is_none()
                    && rest.first().is_some_and(|name| fold(name) == "inbox") =>
                {
                    let inbox = self.url(&["mailFolders", "inbox"], Some(SELECT));
                    found = Some(self.get(inbox, None).await?);
                    rest = rest.get(1..).unwrap_or_default();
                }
                None => {
                    let missing = rest.first().copied().unwrap_or_default();
                    let text = format!("no folder \"{missing}\" on the way {}", names.join("/"));
                    let evidence = Evidence::of(None, None, &text, &[]);
                    return Err(ProviderError::NotFound(evidence));
                }
            }
        }
        match found {
            Some(folder) => Ok(folder.into()),
            None => self.inbox().await,
        }
    }

    async fn inbox(&self) -> Result<Folder, ProviderError> {
        let url = self.url(&["mailFolders", "inbox"], Some(SELECT));
        let folder: MailFolder = self.get(url, None).await?;
        Ok(folder.into())
    }

    /// All folders directly below `parent`, or at the top.
    async fn level(&self, parent: Option<&str>) -> Result<Vec<MailFolder>, ProviderError> {
        let query = format!("{SELECT}&$top=100");
        let mut url = match parent {
            Some(id) => self.url(&["mailFolders", id, "childFolders"], Some(&query)),
            None => self.url(&["mailFolders"], Some(&query)),
        };
        let mut folders = Vec::new();
        let mut seen = BTreeSet::new();
        for _ in 0..PAGES {
            seen.insert(url.to_string());
            let page: Page<MailFolder> = self.get(url, None).await?;
            folders.extend(page.value);
            let Some(next) = page.next_link else {
                return Ok(folders);
            };
            url = self.own_link(&next)?;
            if seen.contains(url.as_str()) {
                break;
            }
        }
        let evidence = Evidence::of(None, None, "the list of folders does not end", &[]);
        Err(ProviderError::Protocol("link_loop", evidence))
    }
}

impl From<MailFolder> for Folder {
    fn from(folder: MailFolder) -> Self {
        Self {
            id: folder.id,
            name: folder.display_name,
            total: folder
                .total_item_count
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or(0),
        }
    }
}

fn fold(name: &str) -> String {
    name.trim().to_lowercase()
}
