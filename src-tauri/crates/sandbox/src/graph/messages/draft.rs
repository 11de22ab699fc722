//! Drafts: from the JSON of a request to a message that can be sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::change::entity;
use super::resource::View;
use crate::graph::access::Visit;
use crate::graph::answer::{Answer, Refusal};
use crate::graph::query::Options;
use crate::graph::{mail_folders, send_mail};
use crate::tenant::directory::User;
use crate::tenant::mailboxes::draft::{Draft, DraftFile};
use crate::tenant::mailboxes::message::Message;
use crate::tenant::mailboxes::summary::Person;

/// The largest file that may stand inside a request ("Attach large files").
const LARGEST_FILE: usize = 3 * 1024 * 1024;

/// `POST …/messages`: a new draft, from JSON or from base64 MIME.
pub(super) fn create(visit: &Visit<'_>, folder: Option<&str>) -> Result<Answer, Refusal> {
    let now = visit.world.now();
    let mut message = if send_mail::is_mime(visit.call) {
        let raw = send_mail::decode_mime(visit.call)?;
        let mut message = Message::new(raw.into(), now);
        // It can be sent as it is; editing starts from what its headers say.
        message.draft = Some(Box::new(of_mime(&message, visit.user)));
        message
    } else {
        let mut draft = empty(visit.user);
        fill(&mut draft, &visit.call.json()?)?;
        stored(draft, now)
    };
    message.is_read = true;
    let view = View::new(visit.call, &Options::default());
    visit.write(|mailbox| {
        let folder = match folder {
            Some(name) => mail_folders::find(mailbox, name)?.key,
            None => mailbox.well_known("drafts"),
        };
        let key = mailbox.add(folder, message);
        let message = mailbox.message(key).ok_or_else(Refusal::gone)?;
        Ok(Answer::created(entity(
            visit,
            view.message(mailbox, message),
        )))
    })
}

/// A message made of a draft.
pub(in crate::graph) fn stored(draft: Draft, now: Timestamp) -> Message {
    let mut message = Message::new(draft.to_mime(now), now);
    message.is_read = true;
    message.draft = Some(Box::new(draft));
    message
}

/// An empty draft of a user's.
pub(in crate::graph) fn empty(user: &User) -> Draft {
    Draft {
        message_id: format!("<{}@contoso.example>", Uuid::new_v4().simple()),
        from: Person {
            name: user.name.to_owned(),
            address: user.mail.to_owned(),
        },
        importance: "normal".to_owned(),
        ..Draft::default()
    }
}

fn of_mime(message: &Message, user: &User) -> Draft {
    let summary = message.summary();
    let body = crate::tenant::mailboxes::summary::body(&message.raw);
    let base = empty(user);
    Draft {
        message_id: summary.message_id.clone().unwrap_or(base.message_id),
        subject: summary.subject.clone().unwrap_or_default(),
        is_html: body.is_html,
        content: body.content,
        from: summary.from.clone().unwrap_or(base.from),
        to: summary.to.clone(),
        cc: summary.cc.clone(),
        bcc: summary.bcc.clone(),
        reply_to: summary.reply_to.clone(),
        references: summary.references.clone(),
        in_reply_to: summary.references.last().cloned(),
        importance: summary.importance.to_owned(),
        ..Draft::default()
    }
}

/// Puts what a message in JSON says into a draft; what it does not name stays.
pub(in crate::graph) fn fill(draft: &mut Draft, body: &Value) -> Result<(), Refusal> {
    if let Some(subject) = body["subject"].as_str() {
        draft.subject = subject.to_owned();
    }
    if let Some(content) = body["body"]["content"].as_str() {
        draft.content = content.to_owned();
        let kind = body["body"]["contentType"].as_str().unwrap_or("text");
        draft.is_html = kind.eq_ignore_ascii_case("html");
    }
    for (name, target) in [
        ("toRecipients", &mut draft.to),
        ("ccRecipients", &mut draft.cc),
        ("bccRecipients", &mut draft.bcc),
        ("replyTo", &mut draft.reply_to),
    ] {
        if let Some(list) = body.get(name).filter(|list| !list.is_null()) {
            *target = people(list, name)?;
        }
    }
    if body.get("from").is_some_and(Value::is_object) {
        draft.from = person(&body["from"]).ok_or_else(|| invalid("from"))?;
    }
    if let Some(importance) = body["importance"].as_str() {
        draft.importance = importance.to_lowercase();
    }
    if let Some(id) = body["internetMessageId"]
        .as_str()
        .filter(|id| !id.trim().is_empty())
    {
        draft.message_id = id.replace(['\r', '\n'], "");
    }
    for header in body["internetMessageHeaders"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = header["name"].as_str().unwrap_or_default();
        let custom = name.to_lowercase().starts_with("x-");
        if !custom || HeaderName::try_from(name).is_err() {
            let text = format!(
                "The internet message header name '{name}' should start with 'x-' or 'X-'."
            );
            return Err(Refusal::new(400, "InvalidInternetMessageHeader", text));
        }
        let value = header["value"]
            .as_str()
            .unwrap_or_default()
            .replace(['\r', '\n'], " ");
        draft
            .headers
            .retain(|(old, _)| !old.eq_ignore_ascii_case(name));
        draft.headers.push((name.to_owned(), value));
    }
    for file_json in body["attachments"].as_array().into_iter().flatten() {
        draft.attachments.push(file(file_json)?);
    }
    Ok(())
}

/// A `fileAttachment` in JSON.
pub(super) fn file(body: &Value) -> Result<DraftFile, Refusal> {
    let base64 = body["contentBytes"].as_str().unwrap_or_default().to_owned();
    let bytes = STANDARD
        .decode(&base64)
        .map_err(|_| invalid("contentBytes"))?;
    if bytes.len() > LARGEST_FILE {
        let text = "The attachment is too large; use an upload session.";
        return Err(Refusal::new(413, "ErrorAttachmentSizeLimitExceeded", text));
    }
    let name = body["name"].as_str().ok_or_else(|| invalid("name"))?;
    let inline = body["isInline"].as_bool().unwrap_or(false);
    Ok(DraftFile {
        name: name.to_owned(),
        content_type: body["contentType"]
            .as_str()
            .unwrap_or("application/octet-stream")
            .to_owned(),
        base64,
        content_id: body["contentId"]
            .as_str()
            .filter(|_| inline)
            .map(str::to_owned),
    })
}

/// A list of recipients in JSON.
pub(super) fn people(list: &Value, name: &str) -> Result<Vec<Person>, Refusal> {
    let list = list.as_array().ok_or_else(|| invalid(name))?;
    list.iter()
        .map(|entry| person(entry).ok_or_else(|| invalid(name)))
        .collect()
}

fn person(value: &Value) -> Option<Person> {
    let address = value["emailAddress"]["address"].as_str()?.trim().to_owned();
    let name = value["emailAddress"]["name"]
        .as_str()
        .unwrap_or(&address)
        .to_owned();
    (!address.is_empty() && !address.contains(['\r', '\n'])).then_some(Person { name, address })
}

fn invalid(name: &str) -> Refusal {
    Refusal::new(
        400,
        "RequestBodyRead",
        format!("The value of property '{name}' is missing or invalid."),
    )
}
