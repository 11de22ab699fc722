//! `$batch`: up to twenty requests in one ("Combine multiple HTTP requests using JSON batching").

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};

use super::answer::{Answer, Content, Refusal};
use super::call::Call;
use crate::world::World;

/// The most requests in one batch.
const MOST: usize = 20;
/// Outlook works on so many of a batch's requests at a time.
const AT_ONCE: usize = 4;

/// One request of a batch.
struct Item {
    id: String,
    call: Call,
    depends_on: Vec<String>,
}

/// `POST /v1.0/$batch`.
pub(super) async fn run(world: &Arc<World>, call: &Call) -> Result<Answer, Refusal> {
    super::access::claims(world, call)?;
    let body = call.json()?;
    let requests = body["requests"].as_array().ok_or_else(|| {
        Refusal::bad(
            "Write request id : missing. 'requests' property is required in the batch payload.",
        )
    })?;
    if requests.len() > MOST {
        let text = format!("Number of batch request steps exceeds the maximum value of {MOST}.");
        return Err(Refusal::bad(text));
    }
    let mut waiting = Vec::new();
    for request in requests {
        let item = item(call, request)?;
        let ahead = |id: &String| waiting.iter().any(|earlier: &Item| earlier.id == *id);
        if ahead(&item.id) {
            return Err(Refusal::bad(format!(
                "Request Id {} has to be unique in a batch.",
                item.id
            )));
        }
        if !item.depends_on.iter().all(ahead) {
            let text = format!(
                "Request Id {} depends on a request that does not stand before it.",
                item.id
            );
            return Err(Refusal::bad(text));
        }
        waiting.push(item);
    }
    let mut done: HashMap<String, u16> = HashMap::new();
    let mut responses = Vec::new();
    while !waiting.is_empty() {
        let (ready, later): (Vec<Item>, Vec<Item>) = waiting
            .into_iter()
            .partition(|item| item.depends_on.iter().all(|id| done.contains_key(id)));
        waiting = later;
        let failed = |item: &Item| {
            item.depends_on
                .iter()
                .any(|id| done.get(id).is_some_and(|s| *s >= 400))
        };
        let (failed, ready): (Vec<Item>, Vec<Item>) = ready.into_iter().partition(failed);
        for item in failed {
            let refusal = Refusal::new(
                424,
                "FailedDependency",
                "A request this one depends on has failed.",
            );
            responses.push(response(world, &item, refusal.into()));
            done.insert(item.id, 424);
        }
        let answers: Vec<(Item, Answer)> = stream::iter(ready)
            .map(|item| async move {
                // Lets the others of the four begin before this one ends, as they would on a real server.
                tokio::task::yield_now().await;
                let answer = respond(world, &item.call);
                (item, answer)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for (item, answer) in answers {
            done.insert(item.id.clone(), answer.status);
            responses.push(response(world, &item, answer));
        }
    }
    Ok(Answer::json(json!({"responses": responses})))
}

fn respond(world: &Arc<World>, call: &Call) -> Answer {
    match call.path().as_slice() {
        ["v1.0", "$batch", ..] => Refusal::bad("A batch inside a batch is not allowed.").into(),
        ["v1.0", rest @ ..] => super::route(world, call, rest).unwrap_or_else(Answer::from),
        _ => Refusal::bad("Invalid batch payload format.").into(),
    }
}

fn item(outer: &Call, request: &Value) -> Result<Item, Refusal> {
    let text = |name: &str| request[name].as_str().filter(|text| !text.is_empty());
    let missing = |name: &str| {
        Refusal::bad(format!(
            "Invalid batch payload format: '{name}' is missing."
        ))
    };
    let id = text("id").ok_or_else(|| missing("id"))?.to_owned();
    let method = text("method")
        .ok_or_else(|| missing("method"))?
        .to_uppercase();
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| missing("method"))?;
    let url = text("url").ok_or_else(|| missing("url"))?;
    let mut headers = HeaderMap::new();
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_str(value.as_str().unwrap_or_default());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    if let Some(token) = outer.headers.get(http::header::AUTHORIZATION) {
        headers.insert(http::header::AUTHORIZATION, token.clone());
    }
    let body = match &request["body"] {
        Value::Null => Bytes::new(),
        Value::String(text) => Bytes::from(text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            if !headers.contains_key(http::header::CONTENT_TYPE) {
                let text = format!(
                    "Write request id : {id} does not contain Content-Type header or body."
                );
                return Err(Refusal::bad(text));
            }
            Bytes::from(request["body"].to_string())
        }
    };
    let depends_on = request["dependsOn"].as_array().into_iter().flatten();
    let depends_on = depends_on
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect();
    Ok(Item {
        id,
        call: outer.inner(method, url, headers, body),
        depends_on,
    })
}

fn response(world: &World, item: &Item, answer: Answer) -> Value {
    let answer = answer.finish(world, &item.call);
    let headers: Map<String, Value> = answer
        .all_headers()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let mut out = json!({"id": item.id, "status": answer.status, "headers": headers});
    match answer.content {
        Content::Empty => {}
        Content::Json(value) => out["body"] = value,
        // "For other content types the body is base64 URL-encoded" by JSON batching; standard base64 is what arrives.
        Content::Raw(_, bytes) => out["body"] = STANDARD.encode(bytes).into(),
    }
    out
}
