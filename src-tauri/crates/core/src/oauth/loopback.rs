//! The redirect's end: a small HTTP listener on 127.0.0.1 and ::1, same port, for one sign-in (RFC 8252 §7.3).
//!
//! Any program or web page on this computer can send requests here, so only the one with this attempt's `state`
//! counts; everything else gets an error page and changes nothing.

mod page;
mod request;
#[cfg(test)]
pub(in crate::oauth) mod tests;

pub(super) use page::Page;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use request::Verdict;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};

/// Connections served at once.
const CONNECTIONS: usize = 128;
/// Time for a request's head to arrive. A browser sends it at once.
const HEAD_TIME: Duration = Duration::from_secs(2);
/// Time for a whole connection that is not the awaited one.
const NOISE_TIME: Duration = Duration::from_secs(4);
/// Longest request head, URL included, in bytes. Entra's codes have one to two kilobytes.
const HEAD_LIMIT: usize = 32 << 10;
/// Attempts to find a port that is free in both address families.
const PORT_ATTEMPTS: usize = 20;
/// How long the browser may take to fetch the last page.
const FAREWELL: Duration = Duration::from_secs(2);

/// Words of the page that the browser shows at the end, in the person's language.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct PageWords {
    /// `lang` attribute.
    pub language: String,
    /// "Signed in"
    pub done_title: String,
    /// "You can close this tab and return to Mailroom."
    pub done_text: String,
    /// "Not signed in"
    pub failed_title: String,
    /// "Mailroom explains what happened and what to do."
    pub failed_text: String,
    /// "This link is not from the sign-in that Mailroom started." (wrong or replayed state)
    pub stale_title: String,
    /// "Return to Mailroom and start again."
    pub stale_text: String,
}

/// The open port. Dropping it closes the port and every connection.
pub(super) struct Loopback {
    port: u16,
    returns: mpsc::Receiver<Return>,
    accepting: AbortHandle,
}

/// The browser came back with the right state.
pub(super) struct Return {
    /// The query, without repeated names.
    pub(super) parameters: BTreeMap<String, String>,
    /// The waiting browser.
    pub(super) reply: Reply,
}

/// A browser that waits for its page.
pub(super) struct Reply {
    page: oneshot::Sender<Page>,
    /// Ends when the connection does.
    gone: oneshot::Receiver<Infallible>,
}

/// What all connections of one attempt share.
struct Desk {
    port: u16,
    state: SecretString,
    words: PageWords,
    decided: AtomicBool,
    returns: mpsc::Sender<Return>,
}

impl Reply {
    /// Shows `page`, and waits a moment until the browser has it: the port is closed afterwards.
    pub(super) async fn send(self, page: Page) {
        if self.page.send(page).is_ok() {
            let _ = tokio::time::timeout(FAREWELL, self.gone).await;
        }
    }
}

impl Loopback {
    /// Opens a free port on both loopback addresses (on one, where the computer has no other) and waits for a
    /// request with `state`.
    pub(super) async fn open(state: SecretString, words: PageWords) -> io::Result<Self> {
        let (port, listeners) = bind().await?;
        let (sender, returns) = mpsc::channel(1);
        let desk = Arc::new(Desk {
            port,
            state,
            words,
            decided: AtomicBool::new(false),
            returns: sender,
        });
        let accepting = tokio::spawn(accept(listeners, desk)).abort_handle();
        Ok(Self {
            port,
            returns,
            accepting,
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the browser.
    pub(super) async fn next(&mut self) -> Option<Return> {
        self.returns.recv().await
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Browsers resolve `localhost` to either address, so a port counts only if nobody else has it on the other one.
async fn bind() -> io::Result<(u16, Vec<TcpListener>)> {
    let mut last = None;
    for _ in 0..PORT_ATTEMPTS {
        let v4 = match TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await {
            Ok(listener) => listener,
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
                let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await?;
                return Ok((v6.local_addr()?.port(), vec![v6]));
            }
            Err(error) => return Err(error),
        };
        let port = v4.local_addr()?.port();
        match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
            Ok(v6) => return Ok((port, vec![v4, v6])),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
                ) =>
            {
                last = Some(error);
            }
            Err(_no_ipv6) => return Ok((port, vec![v4])),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()))
}

async fn accept(listeners: Vec<TcpListener>, desk: Arc<Desk>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut all = JoinSet::new();
    for listener in listeners {
        let (desk, places) = (Arc::clone(&desk), Arc::clone(&places));
        all.spawn(accept_on(listener, desk, places));
    }
    while all.join_next().await.is_some() {}
}

async fn accept_on(listener: TcpListener, desk: Arc<Desk>, places: Arc<Semaphore>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let desk = Arc::clone(&desk);
                connections.spawn(async move {
                    serve(stream, desk).await;
                    drop(place);
                });
            }
            // Out of file handles, for instance: later ones may be served again.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Serves the one request of a connection.
async fn serve(stream: TcpStream, desk: Arc<Desk>) {
    let (_alive, gone) = oneshot::channel::<Infallible>();
    let gone = Mutex::new(Some(gone));
    let is_awaited = AtomicBool::new(false);
    let connection = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_LIMIT)
        .max_headers(64)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(|request| answer(request, &desk, &gone, &is_awaited)),
        );
    let mut connection = std::pin::pin!(connection);
    let in_time = tokio::time::timeout(NOISE_TIME, connection.as_mut()).await;
    if in_time.is_err() && is_awaited.load(Ordering::Acquire) {
        // Redeeming the code takes as long as it takes; the attempt's end closes this connection.
        let _ = connection.await;
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    desk: &Desk,
    gone: &Mutex<Option<oneshot::Receiver<Infallible>>>,
    is_awaited: &AtomicBool,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let parameters = match request::judge(&request, desk.port, &desk.state) {
        Verdict::Refuse(status) => return Ok(page::bare(status)),
        Verdict::Head => return Ok(page::bare(http::StatusCode::OK)),
        Verdict::Stale => return Ok(Page::Stale.response(&desk.words)),
        Verdict::Return(parameters) => parameters,
    };
    let gone = gone.lock().ok().and_then(|mut gone| gone.take());
    let (Some(gone), false) = (gone, desk.decided.swap(true, Ordering::AcqRel)) else {
        return Ok(Page::Stale.response(&desk.words));
    };
    is_awaited.store(true, Ordering::Release);
    let (page, shown) = oneshot::channel();
    let reply = Reply { page, gone };
    let page = match desk.returns.send(Return { parameters, reply }).await {
        Ok(()) => shown.await.unwrap_or(Page::Failed),
        Err(_) => Page::Failed,
    };
    Ok(page.response(&desk.words))
}
