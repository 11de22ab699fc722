//! The message resource: a stored message as JSON.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::attachments;
use crate::graph::call::Call;
use crate::graph::query::Options;
use crate::tenant::mailboxes::Mailbox;
use crate::tenant::mailboxes::ids::{IdKind, folder_id};
use crate::tenant::mailboxes::message::Message;
use crate::tenant::mailboxes::summary::{self, Person, Summary};

/// Its OData type.
pub(in crate::graph) const TYPE: &str = "microsoft.graph.message";

/// Its properties; the last two are shown only when selected.
pub(in crate::graph) const PROPERTIES: [&str; 31] = [
    "id",
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "categories",
    "receivedDateTime",
    "sentDateTime",
    "hasAttachments",
    "internetMessageId",
    "subject",
    "bodyPreview",
    "importance",
    "parentFolderId",
    "conversationId",
    "conversationIndex",
    "isDeliveryReceiptRequested",
    "isReadReceiptRequested",
    "isRead",
    "isDraft",
    "webLink",
    "inferenceClassification",
    "body",
    "sender",
    "from",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "flag",
    "internetMessageHeaders",
    "uniqueBody",
];
const WHEN_SELECTED: usize = 2;

/// How a caller wants to see messages.
#[derive(Debug, Clone)]
pub(in crate::graph) struct View {
    /// Which ids.
    pub(in crate::graph) ids: IdKind,
    /// Which properties; nothing for the usual ones.
    pub(in crate::graph) select: Option<Vec<String>>,
    /// With attachments.
    pub(in crate::graph) attachments: bool,
    /// With the size as an extended property.
    pub(in crate::graph) size: bool,
    /// Bodies as text (`Prefer: outlook.body-content-type="text"`).
    pub(in crate::graph) as_text: bool,
}

impl View {
    /// The view a call asks for.
    pub(in crate::graph) fn new(call: &Call, options: &Options) -> Self {
        let body = call.preference("outlook.body-content-type");
        Self {
            ids: call.id_kind(),
            select: options.select.clone(),
            attachments: options.attachments,
            size: options.size,
            as_text: body.is_some_and(|kind| kind.eq_ignore_ascii_case("text")),
        }
    }

    /// One message.
    pub(in crate::graph) fn message(&self, mailbox: &Mailbox, message: &Message) -> Value {
        let mut out = Map::new();
        out.insert(
            "@odata.etag".into(),
            format!("W/\"{}\"", change_key(message)).into(),
        );
        out.insert("id".into(), message.id(mailbox.guid, self.ids).into());
        let usual = &PROPERTIES[1..PROPERTIES.len() - WHEN_SELECTED];
        match &self.select {
            Some(names) => {
                for name in names {
                    out.insert(name.clone(), self.property(mailbox, message, name));
                }
            }
            None => {
                for name in usual {
                    out.insert((*name).into(), self.property(mailbox, message, name));
                }
            }
        }
        if self.attachments {
            let files = attachments::collection(mailbox, message, self.ids, true);
            out.insert("attachments".into(), files.into());
        }
        if self.size {
            let size = json!([{"id": "Long 0xe08", "value": message.raw.len().to_string()}]);
            out.insert("singleValueExtendedProperties".into(), size);
        }
        Value::Object(out)
    }

    fn property(&self, mailbox: &Mailbox, message: &Message, name: &str) -> Value {
        let summary = message.summary();
        match name {
            "id" => message.id(mailbox.guid, self.ids).into(),
            "createdDateTime" => seconds(message.created),
            "lastModifiedDateTime" => seconds(message.modified),
            "receivedDateTime" => seconds(message.received),
            "sentDateTime" => seconds(summary.sent.unwrap_or(message.received)),
            "changeKey" => change_key(message).into(),
            "categories" => json!(message.categories),
            "hasAttachments" => summary.has_attachments.into(),
            "internetMessageId" => json!(summary.message_id),
            "subject" => summary.subject.as_deref().unwrap_or_default().into(),
            "bodyPreview" => summary.preview.as_str().into(),
            "importance" => summary.importance.into(),
            "parentFolderId" => folder_id(mailbox.guid, message.folder).into(),
            "conversationId" => conversation_id(summary).into(),
            "conversationIndex" => {
                let mut index = vec![1, 0xdc];
                index.extend_from_slice(&message.received.as_second().to_be_bytes()[4..]);
                index.extend_from_slice(&summary.conversation);
                STANDARD.encode(index).into()
            }
            "isDeliveryReceiptRequested" | "isReadReceiptRequested" => false.into(),
            "isRead" => message.is_read.into(),
            "isDraft" => message.draft.is_some().into(),
            "webLink" => {
                let id = message.id(mailbox.guid, IdKind::Ordinary);
                format!("https://outlook.office365.com/owa/?ItemID={id}&exvsurl=1&viewmodel=ReadMessageItem").into()
            }
            "inferenceClassification" => "focused".into(),
            "body" | "uniqueBody" => self.body(message),
            "sender" => summary.sender.as_ref().map_or(Value::Null, person),
            "from" => summary.from.as_ref().map_or(Value::Null, person),
            "toRecipients" => people(&summary.to),
            "ccRecipients" => people(&summary.cc),
            "bccRecipients" => people(&summary.bcc),
            "replyTo" => people(&summary.reply_to),
            "flag" => json!({"flagStatus": message.flag}),
            "internetMessageHeaders" => summary::headers(&message.raw)
                .into_iter()
                .map(|(name, value)| json!({"name": name, "value": value}))
                .collect(),
            _ => Value::Null,
        }
    }

    fn body(&self, message: &Message) -> Value {
        if self.as_text {
            return json!({"contentType": "text", "content": summary::plain_text(&message.raw)});
        }
        let body = summary::body(&message.raw);
        let kind = if body.is_html { "html" } else { "text" };
        json!({"contentType": kind, "content": body.content})
    }
}

/// `conversationId` of the thread.
pub(in crate::graph) fn conversation_id(summary: &Summary) -> String {
    let mut bytes = b"\x00\x03\x24\x00practice-tenant-conversation-index\x00\x10\x00".to_vec();
    bytes.extend_from_slice(&summary.conversation);
    URL_SAFE.encode(bytes)
}

/// `changeKey`; changes with every change.
fn change_key(message: &Message) -> String {
    let mut bytes = b"\x09\x00\x00\x00\x16\x00\x00\x00\x5e\xa1".to_vec();
    bytes.extend_from_slice(&message.key.to_be_bytes());
    bytes.extend_from_slice(&message.change.to_be_bytes());
    STANDARD.encode(bytes)
}

/// Graph writes instants of mail in whole seconds.
fn seconds(at: Timestamp) -> Value {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()
}

fn person(person: &Person) -> Value {
    json!({"emailAddress": {"name": person.name, "address": person.address}})
}

fn people(all: &[Person]) -> Value {
    all.iter().map(person).collect()
}
