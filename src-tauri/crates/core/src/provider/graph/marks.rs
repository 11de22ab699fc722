//! What the server is told about an imported message: `PATCH …/messages/{id}` and `POST …/messages/{id}/move`.

use super::answer::parse;
use super::batch::Part;
use super::{GraphMailbox, wire};
use crate::provider::{Mark, ProviderError, Then};
use http::Method;
use serde_json::json;

/// The folder of deleted mail. Messages are moved there and not deleted: deleting a message twice would take it out of
/// the folder where people look for it ("Delete message", "Move message").
const DELETED: &str = "deleteditems";

impl GraphMailbox {
    /// Sets read and category, then moves. The list of categories is replaced as a whole, so it is read first. A
    /// message that is gone needs no mark, and one that lies in another folder by now is not moved.
    pub(crate) async fn mark(&self, marks: &[Mark]) -> Vec<Result<(), ProviderError>> {
        let looks: Vec<Part> = marks
            .iter()
            .map(|mark| Part {
                method: Method::GET,
                url: self.url(
                    &["messages", &mark.server_id],
                    Some("$select=categories,isRead,parentFolderId"),
                ),
                body: None,
                is_raw: false,
            })
            .collect();
        let mut results = Vec::with_capacity(marks.len());
        let mut patches = Vec::new();
        let mut moves = Vec::new();
        for (index, (mark, seen)) in marks.iter().zip(self.many(&looks).await).enumerate() {
            let seen = seen.and_then(|body| parse::<wire::Marks>(&body, None));
            results.push(match seen {
                Ok(seen) => {
                    if let Some(to) = seen.destination(mark) {
                        moves.push((index, self.moving(&mark.server_id, to)));
                    }
                    if let Some(body) = seen.missing(mark) {
                        patches.push((index, self.patch(&mark.server_id, body)));
                    }
                    Ok(())
                }
                Err(ProviderError::NotFound(_)) => Ok(()),
                Err(error) => Err(error),
            });
        }
        self.tell(patches, &mut results).await;
        // What could not be marked stays, so that the next attempt finds it where it looks.
        moves.retain(|(index, _)| matches!(results.get(*index), Some(Ok(()))));
        let missing = self.tell(moves, &mut results).await;
        self.settle_missing(missing, marks, &mut results).await;
        results
    }

    fn patch(&self, id: &str, body: serde_json::Value) -> Part {
        Part {
            method: Method::PATCH,
            url: self.url(&["messages", id], None),
            body: Some(body),
            is_raw: false,
        }
    }

    fn moving(&self, id: &str, to: &str) -> Part {
        Part {
            method: Method::POST,
            url: self.url(&["messages", id, "move"], None),
            body: Some(json!({ "destinationId": to })),
            is_raw: false,
        }
    }

    /// Makes requests for some of the messages and puts what became of them into `results`. Gives the places of
    /// those that were not found.
    async fn tell(
        &self,
        asked: Vec<(usize, Part)>,
        results: &mut [Result<(), ProviderError>],
    ) -> Vec<(usize, ProviderError)> {
        let (places, parts): (Vec<usize>, Vec<Part>) = asked.into_iter().unzip();
        let mut missing = Vec::new();
        for (place, told) in places.into_iter().zip(self.many(&parts).await) {
            match told {
                Ok(_) => {}
                Err(error @ ProviderError::NotFound(_)) => missing.push((place, error)),
                Err(error) => {
                    if let Some(result) = results.get_mut(place) {
                        *result = Err(error);
                    }
                }
            }
        }
        missing
    }

    /// "Not found" from a move is said of the message or of the folder: the folder, if the message is still there.
    async fn settle_missing(
        &self,
        missing: Vec<(usize, ProviderError)>,
        marks: &[Mark],
        results: &mut [Result<(), ProviderError>],
    ) {
        for (place, error) in missing {
            let Some(mark) = marks.get(place) else {
                continue;
            };
            let url = self.url(&["messages", &mark.server_id], Some("$select=id"));
            let looked: Result<serde_json::Value, ProviderError> = self.get(url, None).await;
            if let Some(result) = results.get_mut(place) {
                *result = match looked {
                    Ok(_) => Err(no_target(&error)),
                    Err(ProviderError::NotFound(_)) => Ok(()),
                    Err(error) => Err(error),
                };
            }
        }
    }
}

/// The folder to move to is gone.
fn no_target(error: &ProviderError) -> ProviderError {
    ProviderError::Protocol(
        "target_folder_gone",
        error.evidence().cloned().unwrap_or_default(),
    )
}

impl wire::Marks {
    /// The PATCH body that adds what `mark` wants and the message lacks.
    fn missing(self, mark: &Mark) -> Option<serde_json::Value> {
        let mut body = serde_json::Map::new();
        if mark.read && self.is_read != Some(true) {
            body.insert("isRead".to_owned(), json!(true));
        }
        let mut categories = self.categories.unwrap_or_default();
        if let Some(new) = &mark.category
            // Outlook compares category names without regard to case.
            && !categories.iter().any(|old| old.to_lowercase() == new.to_lowercase())
        {
            categories.push(new.clone());
            body.insert("categories".to_owned(), json!(categories));
        }
        (!body.is_empty()).then(|| body.into())
    }

    /// Where `mark` wants the message to go, if it is still where it was read.
    fn destination<'a>(&self, mark: &'a Mark) -> Option<&'a str> {
        let is_there = self.parent_folder_id.as_deref() == Some(mark.folder_id.as_str());
        match &mark.then {
            Then::Move { folder_id } if is_there && *folder_id != mark.folder_id => Some(folder_id),
            Then::Delete { .. } | Then::Remove if is_there => Some(DELETED),
            Then::Stay | Then::Move { .. } | Then::Delete { .. } | Then::Remove => None,
        }
    }
}
