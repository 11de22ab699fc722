//! Marks, gathered into as few orders as possible.

use super::after::{After, settle};
use super::folders;
use super::place::MessageId;
use super::session::protocol;
use super::{ImapMailbox, with_session};
use crate::provider::{Mark, ProviderError, Then, Trash};
use std::collections::BTreeMap;
use tokio::sync::OnceCell;

/// What is done alike: folder, UIDVALIDITY, whether to mark as read, and what comes then.
type Alike = (String, u32, bool, After);

impl ImapMailbox {
    /// Marks as read, and moves or deletes. Servers without keywords are common, Exchange Online among them, so there
    /// is no category. A message that is gone needs no mark.
    pub(crate) async fn mark(&self, marks: &[Mark]) -> Vec<Result<(), ProviderError>> {
        let mut results = vec![Ok(()); marks.len()];
        let mut groups: BTreeMap<Alike, Vec<(usize, u32)>> = BTreeMap::new();
        let trash = OnceCell::new();
        for (index, mark) in marks.iter().enumerate() {
            let Some(id) = MessageId::parse(&mark.server_id, &mark.folder_id) else {
                continue;
            };
            let after = match &mark.then {
                Then::Stay => After::Stay,
                Then::Move { folder_id } => After::Move(folder_id.clone()),
                Then::Delete {
                    folder_id: Some(folder_id),
                } => After::Move(folder_id.clone()),
                // It was rehearsed for the folder that the mark names.
                Then::Remove if id.folder != mark.folder_id => After::Stay,
                Then::Remove => After::Delete,
                // In the folder for deleted mail itself, moving there is staying.
                Then::Delete { folder_id: None } => {
                    match trash.get_or_try_init(|| self.trash()).await {
                        Ok(Some(Trash { id, .. })) => After::Move(id.clone()),
                        Ok(None) => After::Delete,
                        Err(error) => {
                            if let Some(result) = results.get_mut(index) {
                                *result = Err(error);
                            }
                            continue;
                        }
                    }
                }
            };
            let alike = (id.folder, id.validity, mark.read, after);
            groups.entry(alike).or_default().push((index, id.uid));
        }
        for ((folder, validity, read, after), members) in groups {
            let uids: Vec<u32> = members.iter().map(|(_, uid)| *uid).collect();
            let settled = self.settle(&folder, validity, &uids, read, &after).await;
            let Err(error) = settled else { continue };
            for (index, _) in members {
                if let Some(result) = results.get_mut(index) {
                    *result = Err(error.clone());
                }
            }
        }
        results
    }

    async fn settle(
        &self,
        folder: &str,
        validity: u32,
        uids: &[u32],
        read: bool,
        after: &After,
    ) -> Result<(), ProviderError> {
        with_session!(self, session => settle(session, folder, validity, uids, read, after))
    }

    /// The folder for deleted mail. It is asked for each time: somebody may make one, or name another.
    pub(crate) async fn trash(&self) -> Result<Option<Trash>, ProviderError> {
        with_session!(self, session => folders::trash(session))
    }
}
