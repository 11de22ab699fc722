//! A small HTTP server in the test's own process, and other doubles for the tests of signing in and providers.

use super::tokens::{TokenRecords, TokenSet};
use crate::account::Registration;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use url::Url;

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// A field of a form body.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.body.as_bytes())
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// An answer to give.
pub(crate) type Told = http::Response<Bytes>;

/// A JSON answer.
pub(crate) fn json(status: u16, body: &serde_json::Value) -> Told {
    text(status, "application/json; charset=utf-8", body.to_string())
}

/// An answer of any type.
pub(crate) fn text(status: u16, content_type: &str, body: impl Into<Bytes>) -> Told {
    http::Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(body.into())
        .unwrap()
}

/// The server. It ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) url: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Serves by `answer`, called with the request and how many came before it.
    pub(crate) async fn start<F>(answer: F) -> Self
    where
        F: Fn(&Asked, usize) -> Told + Send + Sync + 'static,
    {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (seen, answer) = (Arc::clone(&asked), Arc::new(answer));
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move {
                    let service =
                        hyper::service::service_fn(move |request: http::Request<Incoming>| {
                            let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                            async move {
                                let (parts, body) = request.into_parts();
                                let body = body.collect().await.unwrap().to_bytes();
                                let asked = Asked {
                                    method: parts.method.to_string(),
                                    target: parts.uri.to_string(),
                                    headers: parts.headers,
                                    body: String::from_utf8_lossy(&body).into_owned(),
                                };
                                let before = {
                                    let mut seen = seen.lock().unwrap();
                                    seen.push(asked.clone());
                                    seen.len() - 1
                                };
                                Ok::<_, Infallible>(answer(&asked, before).map(Full::new))
                            }
                        });
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { url, asked }
    }

    /// Everything asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// A registration whose sign-in service and Graph are this server.
    pub(crate) fn registration(&self) -> Registration {
        Registration {
            authority: self.url.clone(),
            graph_url: self.url.clone(),
            tenant: "contoso.example".to_owned(),
            client_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            issuer: None,
        }
    }
}

/// Records in memory.
#[derive(Default)]
pub(crate) struct Records {
    pub(crate) set: Mutex<Option<TokenSet>>,
    pub(crate) is_full: std::sync::atomic::AtomicBool,
}

impl Records {
    pub(crate) fn with(set: TokenSet) -> Arc<Self> {
        let records = Self::default();
        *records.set.lock().unwrap() = Some(set);
        Arc::new(records)
    }
}

impl TokenRecords for Records {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, String>> {
        let set = self.set.lock().unwrap().clone();
        Box::pin(async move { Ok(set) })
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            if self.is_full.load(std::sync::atomic::Ordering::SeqCst) {
                return Err("disk full".to_owned());
            }
            *self.set.lock().unwrap() = Some(tokens.clone());
            Ok(())
        })
    }
}

/// A set of tokens named after `name`.
pub(crate) fn tokens(name: &str, expires_at: crate::Millis) -> TokenSet {
    TokenSet {
        access: format!("access-{name}").into(),
        expires_at,
        refresh: format!("refresh-{name}").into(),
        scopes: vec![
            "openid".into(),
            "Mail.ReadWrite".into(),
            "Calendars.Read".into(),
        ],
    }
}
