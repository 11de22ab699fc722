//! The first part of every path (`/organizations/…`, `/{tenant id}/…`) and who is calling.

use super::errors::{Refusal, Trace};
use crate::server::Base;
use crate::world::World;
use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

/// The tenant that Microsoft's personal accounts live in.
pub(crate) const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Whose accounts may sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Authority {
    /// One directory, by id (a domain in the path is looked up).
    Tenant(String),
    /// Any work or school account.
    Organizations,
    /// Any account.
    Common,
    /// Personal accounts only.
    Consumers,
}

impl Authority {
    /// Reads the path segment.
    pub(crate) fn parse(world: &World, segment: &str) -> Result<Self, Refusal> {
        match segment.to_ascii_lowercase().as_str() {
            "organizations" => Ok(Authority::Organizations),
            "common" => Ok(Authority::Common),
            "consumers" | PERSONAL => Ok(Authority::Consumers),
            name => match world.directory.lock().tenant(name) {
                Some(tenant) => Ok(Authority::Tenant(tenant.id.to_owned())),
                None if name.contains('.') || uuid::Uuid::try_parse(name).is_ok() => {
                    Err(Refusal::unknown_tenant(segment))
                }
                None => Err(Refusal::new(
                    "invalid_tenant",
                    900_023,
                    format!(
                        "Specified tenant identifier '{segment}' is neither a valid DNS name, nor a valid external domain."
                    ),
                )),
            },
        }
    }

    /// The segment that links in answers use.
    pub(crate) fn segment(&self) -> &str {
        match self {
            Authority::Tenant(id) => id,
            Authority::Organizations => "organizations",
            Authority::Common => "common",
            Authority::Consumers => "consumers",
        }
    }

    /// The segment of the issuer in the discovery document.
    pub(crate) fn issuer_segment(&self) -> &str {
        match self {
            Authority::Tenant(id) => id,
            Authority::Organizations | Authority::Common => "{tenantid}",
            Authority::Consumers => PERSONAL,
        }
    }

    /// May a code issued here be redeemed there? "Must be redeemed against the same tenant it was acquired for
    /// (/common or /{tenant-ID} as appropriate)" (AADSTS700005).
    pub(crate) fn redeems(&self, other: &Authority) -> bool {
        let shared = |a: &Authority| matches!(a, Authority::Organizations | Authority::Common);
        self == other || (shared(self) && shared(other))
    }
}

/// Who is calling: their base URL, correlation id, browser cookie and wish for HTML.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Scheme and host as the caller used them.
    pub(crate) base: String,
    /// `client-request-id` from header or query, or a new one.
    pub(crate) correlation_id: String,
    /// Value of the session cookie.
    pub(crate) cookie: Option<String>,
    /// Is this a browser that shows pages?
    pub(crate) wants_html: bool,
}

/// Name of the session cookie, as Entra's persistent one.
pub(crate) const COOKIE: &str = "ESTSAUTHPERSISTENT";

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StatusCode> {
        let Base(base) = Base::from_request_parts(parts, state).await?;
        let text = |name: HeaderName| parts.headers.get(name).and_then(|v| v.to_str().ok());
        let query = parts.uri.query().unwrap_or("");
        let correlation_id = text(HeaderName::from_static("client-request-id"))
            .map(str::to_owned)
            .or_else(|| {
                url::form_urlencoded::parse(query.as_bytes())
                    .find(|(k, _)| k == "client-request-id")
                    .map(|(_, v)| v.into_owned())
            })
            .filter(|id| uuid::Uuid::try_parse(id).is_ok())
            .unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        let cookie = text(header::COOKIE).and_then(|all| {
            all.split(';')
                .filter_map(|pair| pair.trim().split_once('='))
                .find(|(name, _)| *name == COOKIE)
                .map(|(_, value)| value.to_owned())
        });
        let wants_html = text(header::ACCEPT).is_some_and(|a| a.contains("text/html"));
        Ok(Caller {
            base,
            correlation_id,
            cookie,
            wants_html,
        })
    }
}

/// Headers of every answer of the sign-in service.
pub(crate) fn no_store(response: &mut Response, trace: &Trace) {
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-store, no-cache"),
    );
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
    for (name, value) in [
        ("x-ms-request-id", &trace.trace_id),
        ("client-request-id", &trace.correlation_id),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
