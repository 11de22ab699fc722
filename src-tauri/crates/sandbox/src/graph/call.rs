//! A request to Graph, taken apart: from the network or from inside a batch.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method};
use percent::decode;
use serde_json::Value;
use uuid::Uuid;

use super::answer::Refusal;
use crate::tenant::mailboxes::ids::IdKind;

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The HTTP method.
    pub(super) method: Method,
    /// Path segments, decoded; `users('a')` has become `users`, `a`.
    segments: Vec<String>,
    /// Query options, decoded, in order.
    pub(super) query: Vec<(String, String)>,
    /// Header fields.
    pub(super) headers: HeaderMap,
    /// The body.
    pub(super) body: Bytes,
    /// Where Graph was reached, without `/v1.0`: links start with it.
    pub(super) root: String,
    /// The `request-id` of the answer.
    pub(super) request_id: Uuid,
    /// Whether it stands inside a batch.
    pub(super) in_batch: bool,
}

impl Call {
    /// A request from the network, still without its body.
    pub(super) fn new(parts: &Parts, root: String) -> Self {
        Self {
            method: parts.method.clone(),
            segments: segments(parts.uri.path()),
            query: query(parts.uri.query().unwrap_or_default()),
            headers: parts.headers.clone(),
            body: Bytes::new(),
            root,
            request_id: Uuid::new_v4(),
            in_batch: false,
        }
    }

    /// A request of a batch. `url` is relative to the version: `/me/messages?$top=1`.
    pub(super) fn inner(&self, method: Method, url: &str, headers: HeaderMap, body: Bytes) -> Self {
        // The SDKs write whole URLs into batches; what counts is the part behind the version.
        let url = url.strip_prefix(&self.root).unwrap_or(url);
        let url = url.strip_prefix("/v1.0/").unwrap_or(url);
        let (path, options) = url.split_once('?').unwrap_or((url, ""));
        let mut inner = vec!["v1.0".to_owned()];
        inner.extend(segments(path));
        Self {
            method,
            segments: inner,
            query: query(options),
            headers,
            body,
            root: self.root.clone(),
            request_id: self.request_id,
            in_batch: true,
        }
    }

    /// The path, segment by segment, the version first.
    pub(super) fn path(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// A header field as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The preferences of all `Prefer` fields (RFC 7240): name in lower case, value without quotes.
    pub(super) fn preferences(&self) -> Vec<(String, String)> {
        let fields = self
            .headers
            .get_all("prefer")
            .iter()
            .filter_map(|v| v.to_str().ok());
        let each = fields.flat_map(|field| field.split(','));
        each.map(|preference| {
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            (
                name.trim().to_lowercase(),
                value.trim().trim_matches('"').to_owned(),
            )
        })
        .collect()
    }

    /// The value of one preference; `name` in lower case.
    pub(super) fn preference(&self, name: &str) -> Option<String> {
        self.preferences()
            .into_iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value)
    }

    /// Which ids the caller wants (`Prefer: IdType="ImmutableId"`).
    pub(super) fn id_kind(&self) -> IdKind {
        match self.preference("idtype") {
            Some(kind) if kind.eq_ignore_ascii_case("ImmutableId") => IdKind::Immutable,
            _ => IdKind::Ordinary,
        }
    }

    /// The body as JSON; an empty body is an empty object.
    pub(super) fn json(&self) -> Result<Value, Refusal> {
        if self.body.is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        serde_json::from_slice(&self.body)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| Refusal::new(400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."))
    }
}

/// Query options of a URL.
pub(super) fn query(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

fn segments(path: &str) -> Vec<String> {
    let mut out = Vec::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let segment = decode(segment);
        let bare = segment.strip_prefix("microsoft.graph.").unwrap_or(&segment);
        match bare.strip_suffix("')").and_then(|s| s.split_once("('")) {
            Some((name, key)) => {
                out.push(name.to_owned());
                out.push(key.replace("''", "'"));
            }
            None => out.push(bare.strip_suffix("()").unwrap_or(bare).to_owned()),
        }
    }
    out
}

mod percent {
    /// Decodes `%XX`; a `+` stays what it is.
    pub(super) fn decode(text: &str) -> String {
        let hex = |digit: u8| {
            char::from(digit)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        };
        let bytes = text.as_bytes();
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let high = bytes.get(at + 1).copied().and_then(hex);
            let low = bytes.get(at + 2).copied().and_then(hex);
            if let (b'%', Some(high), Some(low)) = (bytes[at], high, low) {
                out.push(high * 16 + low);
                at += 3;
            } else {
                out.push(bytes[at]);
                at += 1;
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_parentheses_and_function_calls_are_segments() {
        let path =
            "/v1.0/users('a%40b.example')/mailFolders('in''box')/messages/microsoft.graph.delta()";
        let wanted = [
            "v1.0",
            "users",
            "a@b.example",
            "mailFolders",
            "in'box",
            "messages",
            "delta",
        ];
        assert_eq!(segments(path), wanted);
        assert_eq!(
            segments("/v1.0/users/a+b@c.example/messages/%24count")[4],
            "$count"
        );
    }
}
