//! Many small requests in one (`POST /$batch`, "Combine multiple HTTP requests using JSON batching"). Each item is
//! judged and throttled alone, so what fails in the batch is asked once more on its own.

use super::answer::{Answer, retry_after};
use super::request::{Ask, IMMUTABLE, JSON_LIMIT};
use super::wire::{BatchAnswer, BatchItem};
use super::{GraphMailbox, IN_FLIGHT, MESSAGE_LIMIT};
use crate::diagnosis::Evidence;
use crate::provider::ProviderError;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Map, Value, json};
use std::sync::Mutex;
use std::time::Duration;
use url::Url;

/// Most requests in one batch.
const BATCH: usize = 20;
/// Longest answer to a batch, in bytes; beyond it every message is fetched alone.
const BATCH_LIMIT: usize = 60 << 20;
/// Longest wait before asking once more; a longer one is handed on.
const SHORT_WAIT: Duration = Duration::from_secs(5);

const FORGIVING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, FORGIVING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, FORGIVING);

/// One request of many.
pub(super) struct Part {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Option<Value>,
    /// The answer is no JSON but bytes.
    pub(super) is_raw: bool,
}

/// What became of one request in the batch.
enum Outcome {
    Done(Result<Bytes, ProviderError>),
    /// To be asked once more on its own, after a wait.
    Again(Duration),
}

impl GraphMailbox {
    /// Makes all requests, and gives one result each, in order.
    pub(super) async fn many(&self, parts: &[Part]) -> Vec<Result<Bytes, ProviderError>> {
        let mut results = Vec::with_capacity(parts.len());
        for parts in parts.chunks(BATCH) {
            results.extend(self.up_to_twenty(parts).await);
        }
        results
    }

    async fn up_to_twenty(&self, parts: &[Part]) -> Vec<Result<Bytes, ProviderError>> {
        let outcomes = match parts {
            [_] => vec![Outcome::Again(Duration::ZERO)],
            parts => match self.batch(parts).await {
                Ok(outcomes) => outcomes,
                // Too large as a whole, or a server (or something before it) that knows no batches.
                Err(
                    ProviderError::Protocol(..)
                    | ProviderError::NotFound(_)
                    | ProviderError::Server(_),
                ) => parts
                    .iter()
                    .map(|_| Outcome::Again(Duration::ZERO))
                    .collect(),
                Err(error) => return parts.iter().map(|_| Err(error.clone())).collect(),
            },
        };
        let wait = outcomes.iter().map(|outcome| match outcome {
            Outcome::Again(wait) => *wait,
            Outcome::Done(_) => Duration::ZERO,
        });
        tokio::time::sleep(wait.max().unwrap_or_default()).await;
        let stopped = Mutex::new(None);
        let settling: Vec<_> = outcomes
            .into_iter()
            .zip(parts)
            .map(|(outcome, part)| self.settle(outcome, part, &stopped))
            .collect();
        futures_util::stream::iter(settling)
            .buffered(IN_FLIGHT)
            .collect()
            .await
    }

    /// Asks once more where needed. Once one request is throttled or the line is gone, asking for the others would
    /// only make it worse: they get the same error from `stopped`.
    async fn settle(
        &self,
        outcome: Outcome,
        part: &Part,
        stopped: &Mutex<Option<ProviderError>>,
    ) -> Result<Bytes, ProviderError> {
        if let Outcome::Done(result) = outcome {
            return result;
        }
        if let Some(error) = stopped.lock().ok().and_then(|error| error.clone()) {
            return Err(error);
        }
        let result = self.one(part).await;
        if let Err(
            error @ (ProviderError::Throttled(..)
            | ProviderError::Offline(_)
            | ProviderError::Token(_)),
        ) = &result
            && let Ok(mut stopped) = stopped.lock()
        {
            *stopped = Some(error.clone());
        }
        result
    }

    /// Makes one request on its own.
    async fn one(&self, part: &Part) -> Result<Bytes, ProviderError> {
        let limit = if part.is_raw {
            MESSAGE_LIMIT
        } else {
            JSON_LIMIT
        };
        let answer = self
            .ask(Ask {
                method: part.method.clone(),
                body: part
                    .body
                    .as_ref()
                    .map(|body| ("application/json", Bytes::from(body.to_string()))),
                ..Ask::get(part.url.clone(), limit)
            })
            .await?;
        match part.is_raw {
            true if answer.is_html() => Err(answer.protocol("not_mime")),
            false if !answer.is_json() => Err(answer.protocol("not_json")),
            _ => Ok(answer.body),
        }
    }

    async fn batch(&self, parts: &[Part]) -> Result<Vec<Outcome>, ProviderError> {
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let requests: Vec<Value> = parts
            .iter()
            .enumerate()
            .map(|(index, part)| {
                let mut headers = json!({ "Prefer": IMMUTABLE });
                let mut request = json!({
                    "id": index.to_string(),
                    "method": part.method.as_str(),
                    "url": self.relative(&part.url),
                });
                if let Some(body) = &part.body {
                    headers["Content-Type"] = json!("application/json");
                    request["body"] = body.clone();
                }
                request["headers"] = headers;
                request
            })
            .collect();
        let body = json!({ "requests": requests }).to_string();
        let answer = self
            .ask(Ask {
                method: Method::POST,
                body: Some(("application/json", Bytes::from(body))),
                ..Ask::get(self.batch_url(), BATCH_LIMIT)
            })
            .await?;
        if !answer.is_json() {
            return Err(answer.protocol("not_json"));
        }
        let items: BatchAnswer = serde_json::from_slice(&answer.body).map_err(|_| {
            // No evidence from the body: it is made of mail.
            let evidence = Evidence::of(None, Some(answer.status.as_u16()), "no batch answer", &[]);
            ProviderError::Protocol("bad_json", evidence)
        })?;
        Ok(sort(parts, items, &answer.asked_as))
    }

    fn batch_url(&self) -> Url {
        crate::oauth::http::below(&self.shared.root, &["$batch"])
    }
}

/// Puts the answers, which come in any order, to their requests. What is missing is asked again.
fn sort(parts: &[Part], answer: BatchAnswer, asked_as: &str) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = parts
        .iter()
        .map(|_| Outcome::Again(Duration::ZERO))
        .collect();
    for item in answer.responses {
        let id = item.id.as_u64().and_then(|id| usize::try_from(id).ok());
        let index = id.or_else(|| item.id.as_str()?.parse().ok());
        if let Some((index, part)) = index.and_then(|index| Some((index, parts.get(index)?)))
            && let Some(place) = outcomes.get_mut(index)
        {
            *place = judge(part, item, asked_as);
        }
    }
    outcomes
}

fn judge(part: &Part, item: BatchItem, asked_as: &str) -> Outcome {
    let Ok(status) = StatusCode::from_u16(item.status) else {
        return Outcome::Again(Duration::ZERO);
    };
    if status.is_success() {
        return match content(part.is_raw, item.body) {
            Some(bytes) => Outcome::Done(Ok(bytes)),
            None => Outcome::Again(Duration::ZERO),
        };
    }
    let headers = item_headers(item.headers);
    let body = item.body.map(text_of).unwrap_or_default();
    let wait = retry_after(&headers, jiff::Timestamp::now());
    let answer = Answer {
        status,
        headers,
        body: Bytes::from(body),
        asked_as: asked_as.to_owned(),
    };
    let error = answer.refusal(&[]);
    if matches!(error, ProviderError::Throttled(..)) {
        let wait = wait.unwrap_or(Duration::from_secs(1));
        if wait <= SHORT_WAIT {
            return Outcome::Again(wait);
        }
    }
    if matches!(
        error,
        ProviderError::Server(_) | ProviderError::Unauthorized(_)
    ) {
        return Outcome::Again(wait.unwrap_or_default().min(SHORT_WAIT));
    }
    Outcome::Done(Err(error))
}

/// Headers of a batch's item.
fn item_headers(items: Option<Map<String, Value>>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in items.into_iter().flatten() {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(&text_of(value)),
        ) {
            headers.append(name, value);
        }
    }
    headers
}

/// A text as it is, anything else as JSON.
fn text_of(value: Value) -> String {
    if let Value::String(text) = value {
        return text;
    }
    value.to_string()
}

/// The bytes of an item's body. Bodies that are no JSON come as base64; some servers send text as it is.
fn content(is_raw: bool, body: Option<Value>) -> Option<Bytes> {
    match (is_raw, body) {
        (true, Some(Value::String(text))) => raw(text),
        (true, _) => None,
        (false, Some(body)) => Some(Bytes::from(body.to_string())),
        (false, None) => Some(Bytes::new()),
    }
}

fn raw(text: String) -> Option<Bytes> {
    // Every message has a header field, so a colon; base64 never has one (RFC 4648 §4).
    if text.contains(':') {
        return Some(Bytes::from(text));
    }
    let packed: Vec<u8> = text.bytes().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = STANDARD
        .decode(&packed)
        .or_else(|_| URL_SAFE.decode(&packed));
    bytes.ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_bodies_as_base64_or_as_they_are() {
        for (text, expected) in [
            ("U3ViamVjdDogaGkNCg0K", Some("Subject: hi\r\n\r\n")),
            ("U3ViamVjdDog\r\naGkNCg0KeA==", Some("Subject: hi\r\n\r\nx")),
            ("U3ViamVjdDogaGkNCg0KeA", Some("Subject: hi\r\n\r\nx")),
            ("Subject: hi\r\n\r\n", Some("Subject: hi\r\n\r\n")),
            ("", Some("")),
            ("***", None),
        ] {
            let bytes = raw(text.to_owned());
            assert_eq!(bytes.as_deref(), expected.map(str::as_bytes), "{text}");
        }
    }
}
