//! Test control of the mailboxes, under `/_sandbox`: put mail in, look at what is there, disturb it.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::mail;
use crate::tenant::mailboxes::Mailbox;
use crate::tenant::mailboxes::ids::{IdKind, Key};
use crate::world::World;

/// The largest mail that can be delivered: what Exchange Online accepts.
const LARGEST: usize = 150 * 1024 * 1024;
/// The most mails one call makes.
const MOST: u32 = 1_000_000;

type Shared = State<Arc<World>>;
type Options = Query<HashMap<String, String>>;

/// Everything under `/_sandbox` that touches mail.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new()
        .route(
            "/deliver",
            post(deliver).layer(DefaultBodyLimit::max(LARGEST)),
        )
        .route("/mailbox/{address}", get(list))
        .route("/mailbox/{address}/fill", post(fill))
        .route("/mailbox/{address}/message/{id}", delete(remove))
        .route("/move", post(relocate))
        .route("/folder", post(folder))
        .route("/rule", post(rule))
        .route("/mark", post(mark))
        .route("/expire-delta", post(expire_delta))
        .route("/sent-out", get(sent_out))
}

fn refuse(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({"error": reason}))).into_response()
}

fn no_mailbox() -> Response {
    refuse(StatusCode::NOT_FOUND, "no such mailbox")
}

fn no_message() -> Response {
    refuse(StatusCode::NOT_FOUND, "no such message")
}

/// `POST /deliver?mailbox=ADDRESS[&folder=PATH]`: the body is a raw message. Answers its immutable id.
async fn deliver(State(world): Shared, Query(options): Options, raw: Bytes) -> Response {
    let address = options.get("mailbox").map_or("", String::as_str);
    let now = world.now();
    let mut all = world.mailboxes.lock();
    let Some(mailbox) = all.get_mut(address) else {
        return no_mailbox();
    };
    let key = match options.get("folder") {
        Some(path) => {
            let folder = mailbox.folder_at(path);
            mailbox.add(
                folder,
                crate::tenant::mailboxes::message::Message::new(raw, now),
            )
        }
        None => mailbox.receive(raw, now),
    };
    Json(json!({"id": immutable(mailbox, key)})).into_response()
}

/// `POST /folder {"mailbox": ADDRESS, "path": PATH, "name": NAME}` renames a folder (also named by "id"), and makes
/// it where there is none at the path; without a name it is deleted as Outlook deletes folders: it goes to Deleted Items.
async fn folder(State(world): Shared, Json(body): Json<Value>) -> Response {
    let mut all = world.mailboxes.lock();
    let Some(mailbox) = all.get_mut(body["mailbox"].as_str().unwrap_or_default()) else {
        return no_mailbox();
    };
    let found = body["id"].as_str().and_then(|id| mailbox.find_folder(id));
    let key = match (found.map(|folder| folder.key), body["path"].as_str()) {
        (Some(key), _) => key,
        (None, Some(path)) => mailbox.folder_at(path),
        (None, None) => return refuse(StatusCode::NOT_FOUND, "no such folder"),
    };
    let deleted = mailbox.well_known("deleteditems");
    let changed = mailbox.change_folder(key, |folder| match body["name"].as_str() {
        Some(name) => folder.name = name.to_owned(),
        None => folder.parent = Some(deleted),
    });
    match changed {
        Some(()) => Json(json!({})).into_response(),
        None => refuse(StatusCode::FORBIDDEN, "this folder stays"),
    }
}

/// `POST /rule {"mailbox": ADDRESS, "displayName": NAME, "actions": {…}, "isEnabled": true}` adds an inbox rule with Graph's
/// own members ("messageRule resource type"); without actions all that were added are removed.
async fn rule(State(world): Shared, Json(body): Json<Value>) -> Response {
    let mut all = world.mailboxes.lock();
    let Some(mailbox) = all.get_mut(body["mailbox"].as_str().unwrap_or_default()) else {
        return no_mailbox();
    };
    if !body["actions"].is_object() {
        mailbox.rules.clear();
        return Json(json!({"rules": 0})).into_response();
    }
    let number = mailbox.rules.len() + 2;
    mailbox.rules.push(json!({
        "id": format!("AQAAAJ5dZq{number:02}"),
        "displayName": body["displayName"].as_str().unwrap_or("Rule"),
        "sequence": number,
        "isEnabled": body["isEnabled"].as_bool().unwrap_or(true),
        "hasError": false,
        "isReadOnly": false,
        "conditions": body["conditions"],
        "actions": body["actions"],
    }));
    Json(json!({"rules": mailbox.rules.len()})).into_response()
}

fn immutable(mailbox: &Mailbox, key: Key) -> Option<String> {
    mailbox
        .message(key)
        .map(|message| message.id(mailbox.guid, IdKind::Immutable))
}

/// `GET /mailbox/ADDRESS`: every message, oldest first.
async fn list(State(world): Shared, Path(address): Path<String>) -> Response {
    let all = world.mailboxes.lock();
    let Some(mailbox) = all.get(&address) else {
        return no_mailbox();
    };
    let messages = mailbox
        .by_time()
        .iter()
        .filter_map(|(_, key)| mailbox.message(*key));
    let list: Vec<Value> = messages
        .map(|message| {
            let summary = message.summary();
            json!({
                "id": message.id(mailbox.guid, IdKind::Immutable),
                "folder": mailbox.path(message.folder),
                "internetMessageId": summary.message_id,
                "subject": summary.subject,
                "receivedDateTime": message.received.to_string(),
                "isRead": message.is_read,
                "isDraft": message.draft.is_some(),
                "categories": message.categories,
                "size": message.raw.len(),
                "sha256": hex(&Sha256::digest(&message.raw)),
            })
        })
        .collect();
    Json(list).into_response()
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// `POST /mailbox/ADDRESS/fill?count=N[&seed=S]`: adds generated mails to the inbox.
async fn fill(
    State(world): Shared,
    Path(address): Path<String>,
    Query(options): Options,
) -> Response {
    let number = |name: &str| options.get(name).and_then(|text| text.parse::<u64>().ok());
    let count = number("count")
        .and_then(|count| u32::try_from(count).ok())
        .unwrap_or(0)
        .min(MOST);
    let now = world.now();
    let mut all = world.mailboxes.lock();
    let Some(mailbox) = all.get_mut(&address) else {
        return no_mailbox();
    };
    // Another fill writes other mails: their Message-IDs must differ.
    let seed = number("seed").unwrap_or(1_000 + mailbox.len() as u64);
    mail::add(mailbox, count, seed, now);
    Json(json!({"added": count, "messages": mailbox.len()})).into_response()
}

/// `DELETE /mailbox/ADDRESS/message/ID`: removes a message for good.
async fn remove(State(world): Shared, Path((address, id)): Path<(String, String)>) -> Response {
    let mut all = world.mailboxes.lock();
    let Some(mailbox) = all.get_mut(&address) else {
        return no_mailbox();
    };
    let Ok(Some(key)) = mailbox
        .find(&id)
        .map(|found| found.map(|message| message.key))
    else {
        return no_message();
    };
    mailbox.remove(key);
    StatusCode::NO_CONTENT.into_response()
}

/// What `POST /move` says.
#[derive(Deserialize)]
struct Move {
    mailbox: String,
    id: String,
    /// A path below the root, `Requests/Tech support`; made if it is not there.
    folder: String,
}

/// `POST /move {mailbox, id, folder}`.
async fn relocate(State(world): Shared, Json(order): Json<Move>) -> Response {
    let now = world.now();
    let mut all = world.mailboxes.lock();
    let Some(mailbox) = all.get_mut(&order.mailbox) else {
        return no_mailbox();
    };
    let Ok(Some(key)) = mailbox
        .find(&order.id)
        .map(|found| found.map(|message| message.key))
    else {
        return no_message();
    };
    let folder = mailbox.find_folder(&order.folder).map(|folder| folder.key);
    let folder = folder.unwrap_or_else(|| mailbox.folder_at(&order.folder));
    let moved = mailbox.relocate(key, folder, now);
    if moved.is_none() {
        no_message()
    } else {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// What `POST /mark` says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mark {
    mailbox: String,
    id: String,
    is_read: Option<bool>,
    categories: Option<Vec<String>>,
}

/// `POST /mark {mailbox, id, isRead, categories}`: what a colleague does in Outlook.
async fn mark(State(world): Shared, Json(order): Json<Mark>) -> Response {
    let now = world.now();
    let mut all = world.mailboxes.lock();
    let Some(mailbox) = all.get_mut(&order.mailbox) else {
        return no_mailbox();
    };
    let Ok(Some(key)) = mailbox
        .find(&order.id)
        .map(|found| found.map(|message| message.key))
    else {
        return no_message();
    };
    mailbox.change(key, now, |message| {
        message.is_read = order.is_read.unwrap_or(message.is_read);
        if let Some(categories) = order.categories {
            message.categories = categories;
        }
    });
    StatusCode::NO_CONTENT.into_response()
}

/// `POST /expire-delta`: every delta token given so far answers 410.
async fn expire_delta(State(world): Shared) -> StatusCode {
    world.mailboxes.lock().expire_delta();
    StatusCode::NO_CONTENT
}

/// `GET /sent-out`: mail that left the tenant, oldest first.
async fn sent_out(State(world): Shared) -> Json<Value> {
    let all = world.mailboxes.lock();
    let list = all.sent_out.iter().map(|sent| {
        json!({
            "at": sent.at.to_string(),
            "mailbox": sent.mailbox,
            "to": sent.to,
            "size": sent.raw.len(),
            "raw": String::from_utf8_lossy(&sent.raw),
        })
    });
    Json(list.collect())
}
