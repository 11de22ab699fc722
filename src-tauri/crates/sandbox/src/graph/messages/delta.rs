//! `GET …/mailFolders/{id}/messages/delta` ("message: delta").

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::resource::{PROPERTIES, TYPE, View};
use crate::graph::access::{Visit, Wish};
use crate::graph::answer::{Answer, Refusal};
use crate::graph::mail_folders;
use crate::graph::query::Options;
use crate::scenarios::Scenario;
use crate::tenant::mailboxes::Mailbox;
use crate::tenant::mailboxes::delta::Round;
use crate::tenant::mailboxes::folder::Change;
use crate::tenant::mailboxes::ids::{IdKind, folder_id, immutable_id, ordinary_id};

/// How many entries a page has when neither `$top` nor `Prefer: odata.maxpagesize` says so.
const PAGE: usize = 10;
/// The largest page.
const LARGEST_PAGE: usize = 1_000;

/// What a token carries: the place in the changes, and the options of the first request.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Token {
    round: Round,
    select: Option<Vec<String>>,
    kind: Option<String>,
    top: Option<usize>,
}

/// One page.
pub(super) fn delta(visit: &Visit<'_>, folder: &str) -> Result<Answer, Refusal> {
    let call = visit.call;
    let allowed = [
        "select",
        "top",
        "filter",
        "orderby",
        "expand",
        "skiptoken",
        "deltatoken",
    ];
    let options = Options::read(call, &allowed, TYPE, &PROPERTIES)?;
    visit.allow(Wish::Read)?;
    let asked = options
        .token
        .as_ref()
        .filter(|(token, _)| !token.is_empty());
    let starts_round = asked.is_some_and(|(_, is_delta)| *is_delta);
    if starts_round && visit.world.has(Scenario::DeltaExpired) {
        let mut mailboxes = visit.world.mailboxes.lock();
        if mailboxes.next_round_expires() {
            return Err(expired(visit, folder));
        }
    }
    if starts_round && visit.world.has(Scenario::SyncStateNotFound) {
        let text = "Resync is required; the sync state is not found.";
        return Err(Refusal::new(410, "resyncRequired", text));
    }
    visit.read(|mailbox| {
        let key = mail_folders::find(mailbox, folder)?.key;
        let token = match asked {
            Some((text, _)) => {
                let token = open(text)?;
                if token.round.folder != key {
                    return Err(badly_formed());
                }
                token
            }
            None => first(mailbox, key, &options)?,
        };
        answer(visit, folder, mailbox, &token, &options)
    })
}

fn first(mailbox: &Mailbox, key: u64, options: &Options) -> Result<Token, Refusal> {
    let from = match options.filter.as_slice() {
        [] => None,
        [clause] => Some(
            clause
                .received_from()
                .ok_or_else(|| unsupported("$filter"))?,
        ),
        _ => return Err(unsupported("$filter")),
    };
    let order = options
        .order
        .as_deref()
        .map(|order| order.split_whitespace().collect::<Vec<_>>());
    if order.is_some_and(|order| order != ["receivedDateTime", "desc"]) {
        return Err(unsupported("$orderby"));
    }
    let kind = options.change_type.clone();
    if kind
        .as_deref()
        .is_some_and(|kind| !matches!(kind, "created" | "updated" | "deleted"))
    {
        return Err(Refusal::bad(
            "Invalid value for the query parameter 'changeType'.",
        ));
    }
    Ok(Token {
        round: mailbox.first_round(key, from),
        select: options.select.clone(),
        kind,
        top: options.top,
    })
}

fn answer(
    visit: &Visit<'_>,
    folder: &str,
    mailbox: &Mailbox,
    token: &Token,
    options: &Options,
) -> Result<Answer, Refusal> {
    let call = visit.call;
    let preferred = call
        .preference("odata.maxpagesize")
        .and_then(|size| size.parse().ok());
    let limit = preferred
        .or(token.top)
        .unwrap_or(PAGE)
        .clamp(1, LARGEST_PAGE);
    let mut view = View::new(call, options);
    view.select.clone_from(&token.select);
    let wanted = |change: &Change| match (token.kind.as_deref(), change) {
        (None, _)
        | (Some("created"), Change::Created(_))
        | (Some("updated"), Change::Updated(_))
        | (Some("deleted"), Change::Removed(_)) => true,
        (Some(_), _) => false,
    };
    let page = mailbox
        .delta_page(&token.round, limit, view.ids, wanted)
        .map_err(|_| expired(visit, folder))?;
    let value: Vec<Value> = page
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Created(key) | Change::Updated(key) => {
                let mut entry = view.message(mailbox, mailbox.message(*key)?);
                entry["@odata.type"] = "#microsoft.graph.message".into();
                Some(entry)
            }
            Change::Removed(removal) => {
                let id = match view.ids {
                    IdKind::Ordinary => {
                        ordinary_id(mailbox.guid, token.round.folder, removal.instance)
                    }
                    IdKind::Immutable => immutable_id(mailbox.guid, removal.key),
                };
                Some(json!({
                    "@odata.type": "#microsoft.graph.message",
                    "id": id,
                    "@removed": {"reason": "deleted"},
                }))
            }
        })
        .collect();
    let next = Token {
        round: page.next,
        ..token.clone()
    };
    let (name, option) = if page.more {
        ("@odata.nextLink", "$skiptoken")
    } else {
        ("@odata.deltaLink", "$deltatoken")
    };
    let mut body = Map::new();
    let context = format!("{}/v1.0/$metadata#Collection(message)", call.root);
    body.insert("@odata.context".into(), context.into());
    let place = place(visit, &folder_id(mailbox.guid, token.round.folder));
    body.insert(
        name.into(),
        format!("{place}?{option}={}", seal(&next)).into(),
    );
    body.insert("value".into(), value.into());
    let mut answer = Answer::json(Value::Object(body));
    if preferred.is_some() {
        answer = answer.with("Preference-Applied", format!("odata.maxpagesize={limit}"));
    }
    Ok(answer)
}

/// The URL of this folder's delta without options. It begins as the request's did: `me` or `users`.
fn place(visit: &Visit<'_>, folder: &str) -> String {
    let call = visit.call;
    let path = call.path();
    let owner = match path.get(1) {
        Some(me) if me.eq_ignore_ascii_case("me") => "me".to_owned(),
        _ => visit.owner(),
    };
    format!(
        "{}/v1.0/{owner}/mailFolders('{folder}')/messages/delta",
        call.root
    )
}

/// 410: a new first round is needed; `Location` says where ("Use delta query", synchronization reset).
fn expired(visit: &Visit<'_>, folder: &str) -> Refusal {
    let text = "The sync state generation is not found; resync is required.";
    let location = format!("{}?$deltatoken=", place(visit, folder));
    Refusal::new(410, "SyncStateNotFound", text).with("Location", location)
}

fn unsupported(option: &str) -> Refusal {
    let text = format!("The {option} expression is not supported when change tracking messages.");
    Refusal::new(400, "ErrorInvalidUrlQuery", text)
}

fn badly_formed() -> Refusal {
    Refusal::new(400, "badRequest", "Badly formed token.")
}

/// A token is opaque to clients: JSON behind base64, with a checksum that catches cut or altered ones.
fn seal(token: &Token) -> String {
    let json = serde_json::to_vec(token).unwrap_or_default();
    let mut bytes = Sha256::digest(&json)[..6].to_vec();
    bytes.extend_from_slice(&json);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn open(text: &str) -> Result<Token, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| badly_formed())?;
    let (sum, json) = bytes.split_at_checked(6).ok_or_else(badly_formed)?;
    if Sha256::digest(json)[..6] != *sum {
        return Err(badly_formed());
    }
    serde_json::from_slice(json).map_err(|_| badly_formed())
}
