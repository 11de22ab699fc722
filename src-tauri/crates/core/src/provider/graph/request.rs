//! One request to Graph: at most two in flight per mailbox, a token that is renewed once after 401, and a body
//! that cannot grow beyond its cap.

use super::GraphMailbox;
use super::answer::{Answer, parse};
use crate::diagnosis::Evidence;
use crate::oauth::http::{BodyError, failure_text, is_allowed, read_capped};
use crate::provider::ProviderError;
use bytes::Bytes;
use http::{Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use std::time::Duration;
use url::Url;

/// Longest JSON answer, in bytes.
pub(super) const JSON_LIMIT: usize = 16 << 20;
/// Longest error body looked at, in bytes.
const ERROR_LIMIT: usize = 256 << 10;
/// Longest link of Graph's that is followed, in bytes.
const LINK_LIMIT: usize = 32 << 10;

/// The `Prefer` of every request: ids that survive a move ("Obtain immutable identifiers for Outlook resources").
pub(super) const IMMUTABLE: &str = "IdType=\"ImmutableId\"";

/// A request to make.
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) prefer: &'static str,
    pub(super) body: Option<(&'static str, Bytes)>,
    /// Longest body of the answer, in bytes.
    pub(super) limit: usize,
    /// Time for the whole exchange.
    pub(super) time: Duration,
}

impl Ask {
    /// `GET url`.
    pub(super) fn get(url: Url, limit: usize) -> Self {
        Self {
            method: Method::GET,
            url,
            prefer: IMMUTABLE,
            body: None,
            limit,
            // Long messages over slow lines take minutes; a line that stands still is cut by the client's read time-out.
            time: Duration::from_secs(if limit > JSON_LIMIT { 600 } else { 120 }),
        }
    }
}

impl GraphMailbox {
    /// Gets JSON.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        url: Url,
        prefer: Option<&'static str>,
    ) -> Result<T, ProviderError> {
        let answer = self
            .ask(Ask {
                prefer: prefer.unwrap_or(IMMUTABLE),
                ..Ask::get(url, JSON_LIMIT)
            })
            .await?;
        if !answer.is_json() {
            return Err(answer.protocol("not_json"));
        }
        parse(&answer.body, Some(&answer))
    }

    /// Makes a request. Success is any 2xx.
    pub(super) async fn ask(&self, ask: Ask) -> Result<Answer, ProviderError> {
        if !self.is_below_root(&ask.url) || !is_allowed(&ask.url) {
            return Err(foreign(&ask.url));
        }
        let Ok(_place) = self.shared.in_flight.acquire().await else {
            let evidence = Evidence::of(None, None, "closed", &[]);
            return Err(ProviderError::Offline(evidence));
        };
        let token = self.shared.tokens.access().await?;
        let first = self.ask_once(&ask, &token).await?;
        if first.status != StatusCode::UNAUTHORIZED {
            return judge(first, &token);
        }
        // Expired early, or access was revoked: a fresh token tells which.
        self.shared.tokens.refused(&token).await;
        let token = self.shared.tokens.access().await?;
        judge(self.ask_once(&ask, &token).await?, &token)
    }

    async fn ask_once(&self, ask: &Ask, token: &SecretString) -> Result<Answer, ProviderError> {
        let offline = |error: reqwest::Error| {
            let known = [token.expose_secret()];
            ProviderError::Offline(Evidence::of(None, None, &failure_text(error), &known))
        };
        let asked_as = uuid::Uuid::new_v4().to_string();
        let mut request = self
            .shared
            .http
            .request(ask.method.clone(), ask.url.clone())
            .bearer_auth(token.expose_secret())
            .header("client-request-id", &asked_as)
            .header("return-client-request-id", "true")
            .header("prefer", ask.prefer)
            .timeout(ask.time);
        if let Some((kind, body)) = &ask.body {
            request = request
                .header(header::CONTENT_TYPE, *kind)
                .body(body.clone());
        } else if ask.method != Method::GET {
            request = request.header(header::CONTENT_LENGTH, 0);
        }
        let response = request.send().await.map_err(offline)?;
        let mut answer = Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: Bytes::new(),
            asked_as,
        };
        let limit = match answer.status.is_success() {
            true => ask.limit,
            false => ERROR_LIMIT,
        };
        match read_capped(response, limit).await {
            Ok(body) => answer.body = body,
            Err(BodyError::TooLarge) if answer.status.is_success() => {
                return Err(answer.protocol("too_large"));
            }
            // What the status says counts more than an endless error page.
            Err(BodyError::TooLarge) => {}
            Err(BodyError::Broken(error)) => return Err(offline(error)),
        }
        Ok(answer)
    }

    /// Reads a link that Graph gave. Links are followed with our token, so they must not lead elsewhere.
    pub(super) fn own_link(&self, link: &str) -> Result<Url, ProviderError> {
        let broken = || {
            let start: String = link.chars().take(200).collect();
            ProviderError::Protocol("broken_link", Evidence::of(None, None, &start, &[]))
        };
        if link.len() > LINK_LIMIT {
            return Err(broken());
        }
        let url = Url::parse(link).map_err(|_| broken())?;
        match self.is_below_root(&url) {
            true => Ok(url),
            false => Err(foreign(&url)),
        }
    }

    fn is_below_root(&self, url: &Url) -> bool {
        let root = &self.shared.root;
        url.scheme() == root.scheme()
            && url.host() == root.host()
            && url.port_or_known_default() == root.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none()
            && url
                .path()
                .strip_prefix(root.path())
                .is_some_and(|rest| rest.starts_with('/'))
    }

    /// The part of a URL that a batch names: behind the version.
    pub(super) fn relative(&self, url: &Url) -> String {
        let path = url.path();
        let path = path.strip_prefix(self.shared.root.path()).unwrap_or(path);
        match url.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        }
    }
}

fn judge(answer: Answer, token: &SecretString) -> Result<Answer, ProviderError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    Err(answer.refusal(&[token.expose_secret()]))
}

fn foreign(url: &Url) -> ProviderError {
    let text = format!("a link to {}", url.origin().ascii_serialization());
    ProviderError::Protocol("foreign_link", Evidence::of(None, None, &text, &[]))
}
