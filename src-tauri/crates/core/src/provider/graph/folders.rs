//! `…/mailFolders`: finding the folder to fetch from, and all folders.

use super::GraphMailbox;
use super::answer::parse;
use super::batch::Part;
use super::wire::{FolderId, MailFolder, Page};
use crate::diagnosis::Evidence;
use crate::provider::{Folder, FolderEntry, ProviderError, SpecialUse};
use http::Method;
use std::collections::{BTreeMap, BTreeSet};

const SELECT: &str = "$select=id,displayName,totalItemCount,childFolderCount";
/// Most pages read of one level: beyond it a mailbox is not a mailbox.
const PAGES: usize = 50;
/// Most folders listed.
const MOST_FOLDERS: usize = 10_000;
/// Folders by the names that every mailbox has, whatever its language ("mailFolder resource type").
const WELL_KNOWN: [(&str, SpecialUse); 6] = [
    ("inbox", SpecialUse::Inbox),
    ("archive", SpecialUse::Archive),
    ("drafts", SpecialUse::Drafts),
    ("sentitems", SpecialUse::Sent),
    ("deleteditems", SpecialUse::Trash),
    ("junkemail", SpecialUse::Junk),
];

impl GraphMailbox {
    /// Looks a folder up by its path of display names (`Requests/Tech support`), level by level and without regard
    /// to case; nothing, or an empty path, means the inbox. A folder whose own name has a slash is found too, with or
    /// without a `\` before it.
    pub(crate) async fn folder(&self, path: Option<&str>) -> Result<Folder, ProviderError> {
        let names = names(path.unwrap_or_default());
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
                    let missing = rest.first().map(String::as_str).unwrap_or_default();
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

    /// A folder by its id, which stays the same when it is renamed or moved.
    pub(crate) async fn folder_by_id(&self, id: &str) -> Result<Folder, ProviderError> {
        let url = self.url(&["mailFolders", id], Some(SELECT));
        let folder: MailFolder = self.get(url, None).await?;
        Ok(folder.into())
    }

    /// All folders but hidden ones, each behind the one that it lies in, level by level in batches.
    pub(crate) async fn folders(&self) -> Result<Vec<FolderEntry>, ProviderError> {
        let special = self.well_known().await?;
        let mut below: BTreeMap<Option<String>, Vec<FolderEntry>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut parents: Vec<Option<(String, String)>> = vec![None];
        while !parents.is_empty() {
            let mut next = Vec::new();
            for (parent, level) in parents.iter().zip(self.levels(&parents).await) {
                let entries = below.entry(parent.as_ref().map(|(id, _)| id.clone()));
                let entries = entries.or_default();
                for folder in level? {
                    if seen.len() >= MOST_FOLDERS || !seen.insert(folder.id.clone()) {
                        continue;
                    }
                    let name = escaped(&folder.display_name);
                    let path = match parent {
                        Some((_, above)) => format!("{above}/{name}"),
                        None => name,
                    };
                    // Without the count nobody knows but by asking.
                    if folder.child_folder_count != Some(0) {
                        next.push(Some((folder.id.clone(), path.clone())));
                    }
                    entries.push(FolderEntry {
                        special: special.get(&folder.id).copied(),
                        selectable: true,
                        total: count(folder.total_item_count),
                        parent: parent.as_ref().map(|(id, _)| id.clone()),
                        id: folder.id,
                        name: folder.display_name,
                        path,
                    });
                }
            }
            parents = next;
        }
        Ok(in_order(below))
    }

    /// The ids of the folders that every mailbox has. An archive, say, may be missing.
    async fn well_known(&self) -> Result<BTreeMap<String, SpecialUse>, ProviderError> {
        let parts: Vec<Part> = WELL_KNOWN
            .iter()
            .map(|(name, _)| self.reading(self.url(&["mailFolders", name], Some("$select=id"))))
            .collect();
        let mut ids = BTreeMap::new();
        for ((_, special), answer) in WELL_KNOWN.iter().zip(self.many(&parts).await) {
            match answer.and_then(|body| parse::<FolderId>(&body, None)) {
                Ok(folder) => {
                    ids.insert(folder.id, *special);
                }
                Err(ProviderError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(ids)
    }

    /// The folders below each of `parents`.
    async fn levels(
        &self,
        parents: &[Option<(String, String)>],
    ) -> Vec<Result<Vec<MailFolder>, ProviderError>> {
        let parts: Vec<Part> = parents
            .iter()
            .map(|parent| {
                let id = parent.as_ref().map(|(id, _)| id.as_str());
                self.reading(self.level_url(id))
            })
            .collect();
        let mut levels = Vec::with_capacity(parents.len());
        for answer in self.many(&parts).await {
            let first = answer.and_then(|body| parse::<Page<MailFolder>>(&body, None));
            levels.push(match first {
                Ok(first) => self.rest(first).await,
                // Deleted since its parent was listed.
                Err(ProviderError::NotFound(_)) if parents.len() > 1 => Ok(Vec::new()),
                Err(error) => Err(error),
            });
        }
        levels
    }

    fn reading(&self, url: url::Url) -> Part {
        Part {
            method: Method::GET,
            url,
            body: None,
            is_raw: false,
        }
    }

    async fn inbox(&self) -> Result<Folder, ProviderError> {
        self.folder_by_id("inbox").await
    }

    /// All folders directly below `parent`, or at the top.
    async fn level(&self, parent: Option<&str>) -> Result<Vec<MailFolder>, ProviderError> {
        let first = self.get(self.level_url(parent), None).await?;
        self.rest(first).await
    }

    fn level_url(&self, parent: Option<&str>) -> url::Url {
        let query = format!("{SELECT}&$top=100");
        match parent {
            Some(id) => self.url(&["mailFolders", id, "childFolders"], Some(&query)),
            None => self.url(&["mailFolders"], Some(&query)),
        }
    }

    /// The folders of a page and of those behind it.
    async fn rest(&self, first: Page<MailFolder>) -> Result<Vec<MailFolder>, ProviderError> {
        let mut page = first;
        let mut folders = Vec::new();
        let mut seen = BTreeSet::new();
        for _ in 0..PAGES {
            folders.extend(page.value);
            let Some(next) = page.next_link else {
                return Ok(folders);
            };
            let url = self.own_link(&next)?;
            if !seen.insert(url.to_string()) {
                break;
            }
            page = self.get(url, None).await?;
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
            total: count(folder.total_item_count).unwrap_or(0),
            has_had_mail: folder.total_item_count.is_some_and(|total| total > 0),
        }
    }
}

fn count(count: Option<i64>) -> Option<u32> {
    u32::try_from(count?).ok()
}

/// The tree as a list, each folder behind the one that it lies in.
fn in_order(mut below: BTreeMap<Option<String>, Vec<FolderEntry>>) -> Vec<FolderEntry> {
    let mut stack: Vec<FolderEntry> = below.remove(&None).unwrap_or_default();
    stack.reverse();
    let mut list = Vec::new();
    while let Some(entry) = stack.pop() {
        let children = below.remove(&Some(entry.id.clone())).unwrap_or_default();
        list.push(entry);
        stack.extend(children.into_iter().rev());
    }
    list
}

/// A name as a level of a path.
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('/', "\\/")
}

/// The levels of a path. A backslash takes the slash or backslash behind it as it is, and is itself elsewhere.
fn names(path: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut rest = path.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.next_if(|next| c == '\\' && matches!(next, '\\' | '/'));
        match (next, names.last_mut()) {
            (None, _) if c == '/' => names.push(String::new()),
            (next, Some(name)) => name.push(next.unwrap_or(c)),
            (_, None) => {}
        }
    }
    names.retain_mut(|name| {
        *name = name.trim().to_owned();
        !name.is_empty()
    });
    names
}

fn fold(name: &str) -> String {
    name.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_it_is_written() {
        for (path, levels) in [
            ("", vec![]),
            (
                "/Requests/ Tech support /",
                vec!["Requests", "Tech support"],
            ),
            (r"Q\/A/2025", vec!["Q/A", "2025"]),
            (r"a\b/c", vec![r"a\b", "c"]),
            (r"a\\/c", vec![r"a\", "c"]),
            (r"end\", vec![r"end\"]),
        ] {
            assert_eq!(names(path), levels, "{path}");
        }
        for name in ["Q/A", r"a\b", r"\/\", "plain", "サポート/受信"] {
            assert_eq!(names(&escaped(name)), [name]);
        }
    }
}
