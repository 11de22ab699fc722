//! Changing, moving, copying and deleting a message.

use jiff::Timestamp;
use serde_json::Value;

use super::resource::{PROPERTIES, TYPE, View};
use super::{draft, find};
use crate::graph::access::Visit;
use crate::graph::answer::{Answer, Refusal};
use crate::graph::mail_folders;
use crate::graph::query::Options;
use crate::tenant::mailboxes::Mailbox;
use crate::tenant::mailboxes::draft::Draft;
use crate::tenant::mailboxes::ids::Key;

/// What may be changed only while a message is a draft ("Update message").
const DRAFT_ONLY: [&str; 11] = [
    "subject",
    "body",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "from",
    "sender",
    "importance",
    "internetMessageId",
    "internetMessageHeaders",
];

/// `PATCH …/messages/{id}`.
pub(super) fn patch(visit: &Visit<'_>, id: &str) -> Result<Answer, Refusal> {
    let body = visit.call.json()?;
    let options = Options::read(visit.call, &["select"], TYPE, &PROPERTIES)?;
    let view = View::new(visit.call, &options);
    let is_read = optional(&body, "isRead", Value::as_bool)?;
    let flag = match body.get("flag") {
        Some(flag) => Some(flag_status(flag)?),
        None => None,
    };
    let categories = optional(&body, "categories", |value| {
        let names = value
            .as_array()?
            .iter()
            .map(|name| name.as_str().map(str::to_owned));
        names.collect::<Option<Vec<String>>>()
    })?;
    let now = visit.world.now();
    visit.write(|mailbox| {
        let message = find(mailbox, id)?;
        let key = message.key;
        if let Some(etag) = visit.call.header("if-match")
            && etag != "*"
            && view.message(mailbox, message)["@odata.etag"] != etag
        {
            let text = "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.";
            return Err(Refusal::new(412, "ErrorIrresolvableConflict", text));
        }
        if DRAFT_ONLY.iter().any(|name| body.get(*name).is_some()) {
            if message.draft.is_none() {
                let text = "Update operation is not supported for this property on a message that is not a draft.";
                return Err(Refusal::new(400, "ErrorInvalidPropertySet", text));
            }
            let mut result = Ok(());
            edit_draft(mailbox, key, now, |edited| result = draft::fill(edited, &body))?;
            result?;
        }
        mailbox.change(key, now, |message| {
            if let Some(is_read) = is_read {
                message.is_read = is_read;
            }
            if let Some(categories) = categories {
                message.categories = categories;
            }
            if let Some(flag) = flag {
                message.flag = flag;
            }
        });
        let message = mailbox.message(key).ok_or_else(Refusal::gone)?;
        Ok(Answer::json(entity(visit, view.message(mailbox, message))))
    })
}

/// Edits a draft and writes its MIME anew.
pub(super) fn edit_draft(
    mailbox: &mut Mailbox,
    key: Key,
    now: Timestamp,
    edit: impl FnOnce(&mut Draft),
) -> Result<(), Refusal> {
    let edited = mailbox.change(key, now, |message| {
        let mut draft = message.draft.take()?;
        edit(&mut draft);
        message.set_raw(draft.to_mime(now));
        message.draft = Some(draft);
        Some(())
    });
    edited
        .flatten()
        .ok_or_else(|| Refusal::new(400, "ErrorInvalidOperation", "The message is not a draft."))
}

/// `DELETE …/messages/{id}`: to Deleted Items, from there to Recoverable Items.
pub(super) fn delete(visit: &Visit<'_>, id: &str) -> Result<Answer, Refusal> {
    let now = visit.world.now();
    visit.write(|mailbox| {
        let message = find(mailbox, id)?;
        let (key, lies_in) = (message.key, message.folder);
        let deleted = mailbox.well_known("deleteditems");
        let dump = mailbox.well_known("recoverableitemsdeletions");
        if lies_in == dump {
            mailbox.remove(key);
        } else {
            mailbox.relocate(key, if lies_in == deleted { dump } else { deleted }, now);
        }
        Ok(Answer::empty(204))
    })
}

/// `POST …/messages/{id}/move` and `/copy`.
pub(super) fn relocate(visit: &Visit<'_>, id: &str, copy: bool) -> Result<Answer, Refusal> {
    let body = visit.call.json()?;
    let name = ["destinationId", "DestinationId"]
        .iter()
        .find_map(|key| body[*key].as_str());
    let name = name.ok_or_else(|| {
        Refusal::new(
            400,
            "ErrorInvalidRequest",
            "The parameter 'DestinationId' is missing.",
        )
    })?;
    let view = View::new(visit.call, &Options::default());
    let now = visit.world.now();
    visit.write(|mailbox| {
        let folder = mail_folders::find(mailbox, name)?.key;
        let key = find(mailbox, id)?.key;
        let key = if copy {
            mailbox.copy(key, folder, now).ok_or_else(Refusal::gone)?
        } else {
            mailbox
                .relocate(key, folder, now)
                .ok_or_else(Refusal::gone)?;
            key
        };
        let message = mailbox.message(key).ok_or_else(Refusal::gone)?;
        Ok(Answer::created(entity(
            visit,
            view.message(mailbox, message),
        )))
    })
}

/// Adds the context of a single message.
pub(super) fn entity(visit: &Visit<'_>, mut message: Value) -> Value {
    let context = format!(
        "{}/v1.0/$metadata#{}/messages/$entity",
        visit.call.root,
        visit.owner()
    );
    message["@odata.context"] = context.into();
    message
}

fn optional<T>(
    body: &Value,
    name: &str,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    match body.get(name) {
        None => Ok(None),
        Some(value) => read(value).map(Some).ok_or_else(|| {
            let text = format!("Cannot convert the value of property '{name}' to its type.");
            Refusal::new(400, "RequestBodyRead", text)
        }),
    }
}

fn flag_status(flag: &Value) -> Result<String, Refusal> {
    let status = flag["flagStatus"].as_str().unwrap_or_default();
    if matches!(status, "notFlagged" | "flagged" | "complete") {
        return Ok(status.to_owned());
    }
    Err(Refusal::new(
        400,
        "RequestBodyRead",
        "The value of 'flagStatus' is not a followupFlagStatus.",
    ))
}
