//! What Graph answers: bodies, headers, and errors in the OData shape.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::call::Call;
use crate::scenarios::Scenario;
use crate::tenant::mailboxes::MalformedId;
use crate::tenant::mailboxes::ids::IdKind;
use crate::world::World;

/// The host that next links point to in the scenario `foreign-next-link`.
const FOREIGN: &str = "https://graph.adversary.example";

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// Header fields beyond the usual ones.
    pub(super) headers: Vec<(&'static str, String)>,
    /// The body.
    pub(super) content: Content,
}

/// The body of an answer.
#[derive(Debug)]
pub(super) enum Content {
    /// Nothing.
    Empty,
    /// JSON.
    Json(Value),
    /// Anything else, with its media type.
    Raw(String, Bytes),
}

/// An answer that refuses.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    code: String,
    message: String,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal with `error.code` and `error.message`.
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            headers: Vec::new(),
        }
    }

    /// Adds a header field.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A path segment that does not exist.
    pub(super) fn no_segment(segment: &str) -> Self {
        let text = format!("Resource not found for the segment '{segment}'.");
        Self::new(400, "BadRequest", text)
    }

    /// A method the resource does not know.
    pub(super) fn no_method() -> Self {
        let text = "Specified HTTP method is not allowed for the request target.";
        Self::new(405, "Request_BadRequest", text)
    }

    /// An item or folder that is not (or no longer) there.
    pub(super) fn gone() -> Self {
        let text = "The specified object was not found in the store., The process failed to get the correct properties.";
        Self::new(404, "ErrorItemNotFound", text)
    }

    /// A request that makes no sense.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// The token or the mailbox's rights do not suffice.
    pub(super) fn denied() -> Self {
        Self::new(
            403,
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
        )
    }
}

impl From<MalformedId> for Refusal {
    fn from(_: MalformedId) -> Self {
        Self::new(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        // The ids are filled in by `finish`, which knows the call.
        let error =
            json!({"error": {"code": refusal.code, "message": refusal.message, "innerError": {}}});
        Self {
            status: refusal.status,
            headers: refusal.headers,
            content: Content::Json(error),
        }
    }
}

impl Answer {
    /// 200 with JSON.
    pub(super) fn json(value: Value) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            content: Content::Json(value),
        }
    }

    /// 201 with JSON.
    pub(super) fn created(value: Value) -> Self {
        Self {
            status: 201,
            ..Self::json(value)
        }
    }

    /// A status without a body.
    pub(super) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content: Content::Empty,
        }
    }

    /// 200 with bytes of a media type.
    pub(super) fn raw(media_type: &str, bytes: Bytes) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            content: Content::Raw(media_type.to_owned(), bytes),
        }
    }

    /// Adds a header field.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds what every answer carries: ids, the preferences that were honoured, the scenario's faults.
    pub(super) fn finish(mut self, world: &World, call: &Call) -> Self {
        let request_id = call.request_id.to_string();
        let client_id = call
            .header("client-request-id")
            .unwrap_or(&request_id)
            .to_owned();
        if let Content::Json(value) = &mut self.content {
            if let Some(inner) = value.pointer_mut("/error/innerError") {
                let date = world.now().strftime("%Y-%m-%dT%H:%M:%S").to_string();
                *inner =
                    json!({"date": date, "request-id": request_id, "client-request-id": client_id});
            }
            if world.has(Scenario::ForeignNextLink)
                && let Some(Value::String(link)) = value.get_mut("@odata.nextLink")
            {
                *link = link.replacen(&call.root, FOREIGN, 1);
            }
        }
        if self.status < 300 && call.id_kind() == IdKind::Immutable {
            self.headers
                .push(("Preference-Applied", "IdType=\"ImmutableId\"".to_owned()));
        }
        if !call.in_batch {
            self.headers.push(("request-id", request_id));
            self.headers.push(("client-request-id", client_id));
            let diagnostic = r#"{"ServerInfo":{"DataCenter":"Practice","Slice":"E","Ring":"5","ScaleUnit":"000","RoleInstance":"SANDBOX0001"}}"#;
            self.headers
                .push(("x-ms-ags-diagnostic", diagnostic.to_owned()));
        }
        self
    }

    /// Its headers as they leave, the media type among them.
    pub(super) fn all_headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = self.headers.clone();
        match &self.content {
            Content::Empty => {}
            Content::Json(_) => {
                let kind = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
                headers.push(("Content-Type", kind.to_owned()));
                headers.push(("OData-Version", "4.0".to_owned()));
            }
            Content::Raw(kind, _) => headers.push(("Content-Type", kind.clone())),
        }
        headers
    }

    /// The HTTP response. `cut` breaks JSON off in the middle (scenario `malformed-json`).
    pub(super) fn into_response(self, cut: bool) -> Response {
        let headers = self.all_headers();
        let body = match self.content {
            Content::Empty => Bytes::new(),
            Content::Json(value) => {
                let mut bytes = serde_json::to_vec(&value).unwrap_or_default();
                if cut && self.status < 300 {
                    bytes.truncate(bytes.len() * 2 / 3);
                }
                Bytes::from(bytes)
            }
            Content::Raw(_, bytes) => bytes,
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(name.as_bytes()),
                HeaderValue::from_str(&value),
            ) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}
