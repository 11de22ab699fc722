//! `/messages/{id}/attachments`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::find;
use crate::graph::access::Visit;
use crate::graph::answer::{Answer, Refusal};
use crate::graph::query::Options;
use crate::tenant::mailboxes::Mailbox;
use crate::tenant::mailboxes::draft::DraftFile;
use crate::tenant::mailboxes::ids::IdKind;
use crate::tenant::mailboxes::message::Message;
use crate::tenant::mailboxes::summary::{self, Attachment};

const PROPERTIES: [&str; 9] = [
    "id",
    "name",
    "contentType",
    "size",
    "isInline",
    "lastModifiedDateTime",
    "contentId",
    "contentLocation",
    "contentBytes",
];

/// Everything from `/attachments` on.
pub(super) fn route(visit: &Visit<'_>, id: &str, path: &[&str]) -> Result<Answer, Refusal> {
    let call = visit.call;
    if path.is_empty() && *visit.method() == Method::POST {
        return add(visit, id);
    }
    if *visit.method() != Method::GET {
        return Err(Refusal::no_method());
    }
    let options = Options::read(
        call,
        &["select", "top", "count"],
        "microsoft.graph.attachment",
        &PROPERTIES,
    )?;
    let choose = |mut file: Value| {
        if let (Some(select), Some(file)) = (&options.select, file.as_object_mut()) {
            file.retain(|name, _| name.starts_with('@') || name == "id" || select.contains(name));
        }
        file
    };
    let ids = call.id_kind();
    let context = format!(
        "{}/v1.0/$metadata#{}/messages('{id}')/attachments",
        call.root,
        visit.owner()
    );
    visit.read(|mailbox| {
        let message = find(mailbox, id)?;
        match path {
            [] => {
                let with_bytes = options
                    .select
                    .as_ref()
                    .is_none_or(|s| s.iter().any(|n| n == "contentBytes"));
                let files: Vec<Value> = collection(mailbox, message, ids, with_bytes)
                    .into_iter()
                    .map(choose)
                    .collect();
                Ok(Answer::json(
                    json!({"@odata.context": context, "value": files}),
                ))
            }
            [file] => {
                let (position, file) = one(message, file)?;
                let mut file = choose(resource(mailbox, message, ids, position, &file, true));
                file["@odata.context"] = format!("{context}/$entity").into();
                Ok(Answer::json(file))
            }
            [file, "$value"] => {
                let (_, file) = one(message, file)?;
                Ok(Answer::raw(&file.content_type, Bytes::from(file.bytes)))
            }
            [_, segment, ..] => Err(Refusal::no_segment(segment)),
        }
    })
}

/// All attachments of a message as JSON.
pub(super) fn collection(
    mailbox: &Mailbox,
    message: &Message,
    ids: IdKind,
    with_bytes: bool,
) -> Vec<Value> {
    let files = summary::attachments(&message.raw);
    files
        .iter()
        .enumerate()
        .map(|(position, file)| resource(mailbox, message, ids, position, file, with_bytes))
        .collect()
}

/// An attachment's id is its message's with its position behind, so it follows the message's habits.
fn file_id(message_id: &str, position: usize) -> String {
    URL_SAFE.encode(format!("{message_id}\u{0}{position}"))
}

fn one(message: &Message, id: &str) -> Result<(usize, Attachment), Refusal> {
    let malformed = || Refusal::new(400, "ErrorInvalidIdMalformed", "Id is malformed.");
    let text = URL_SAFE
        .decode(id)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or_else(malformed)?;
    let (_, position) = text.split_once('\u{0}').ok_or_else(malformed)?;
    let position: usize = position.parse().map_err(|_| malformed())?;
    let file = summary::attachments(&message.raw).into_iter().nth(position);
    file.map(|file| (position, file)).ok_or_else(Refusal::gone)
}

fn resource(
    mailbox: &Mailbox,
    message: &Message,
    ids: IdKind,
    position: usize,
    file: &Attachment,
    with_bytes: bool,
) -> Value {
    let mut out = json!({
        "@odata.type": if file.is_message { "#microsoft.graph.itemAttachment" } else { "#microsoft.graph.fileAttachment" },
        "@odata.mediaContentType": file.content_type,
        "id": file_id(&message.id(mailbox.guid, ids), position),
        "lastModifiedDateTime": message.modified.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "name": file.name,
        "contentType": file.content_type,
        "size": file.bytes.len(),
        "isInline": file.is_inline,
    });
    if !file.is_message {
        out["contentId"] = json!(file.content_id);
        out["contentLocation"] = Value::Null;
        if with_bytes {
            out["contentBytes"] = STANDARD.encode(&file.bytes).into();
        }
    }
    out
}

/// `POST …/attachments`: a file under 3 MB for a draft.
fn add(visit: &Visit<'_>, id: &str) -> Result<Answer, Refusal> {
    let body = visit.call.json()?;
    let file = super::draft::file(&body)?;
    let now = visit.world.now();
    let ids = visit.call.id_kind();
    visit.write(|mailbox| {
        let key = find(mailbox, id)?.key;
        super::change::edit_draft(mailbox, key, now, |draft| {
            draft.attachments.push(DraftFile::clone(&file))
        })?;
        let message = mailbox.message(key).ok_or_else(Refusal::gone)?;
        let added = collection(mailbox, message, ids, true)
            .into_iter()
            .rfind(|f| f["name"] == file.name.as_str());
        Ok(Answer::created(added.unwrap_or_default()))
    })
}
