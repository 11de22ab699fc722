//! The way to a server: name look-up, connection, and one plain HTTP request without a sign-in.
//!
//! The request decides, because it goes the way that everything else goes (proxies included); the look-up and the
//! bare connection only explain a failure.

use crate::Millis;
use crate::account::Registration;
use crate::oauth::http::failure_text;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use tokio::net::{TcpStream, lookup_host};
use url::Url;

/// Time for the look-up, and for the bare connection.
const STEP: Duration = Duration::from_secs(3);
/// Time for the request.
const REQUEST: Duration = Duration::from_secs(8);

/// What was seen of one server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostSeen {
    /// Its name.
    pub host: String,
    /// The addresses its name has, or why it has none.
    pub addresses: Option<Result<Vec<IpAddr>, String>>,
    /// The address that took the connection and how long that lasted, or why none did.
    pub connected: Option<Result<(IpAddr, Duration), String>>,
    /// What it answered.
    pub http: Option<Result<HttpSeen, HttpFailure>>,
}

/// An answer, whatever it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpSeen {
    /// The status.
    pub status: u16,
    /// The kind of body, in lower case.
    pub content_type: String,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// The server's clock minus this computer's, in milliseconds.
    pub skew_ms: Option<i64>,
    /// How long the answer took.
    pub took: Duration,
    /// Whether the way was encrypted; without TLS only on this computer.
    pub tls: bool,
    /// The version of HTTP, for instance `HTTP/2.0`.
    pub version: String,
}

/// No answer came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpFailure {
    /// The causes in one line.
    pub text: String,
    /// Whether time ran out.
    pub timed_out: bool,
}

/// Looks at the sign-in service and at the mail server at the same time.
pub async fn look_at_hosts(
    http: &reqwest::Client,
    authority: &Url,
    graph: &Url,
    clock: impl Fn() -> Millis,
) -> (HostSeen, HostSeen) {
    // Both answer without a sign-in: the one with its keys' place, the other with 401.
    let discovery = crate::oauth::http::below(
        authority,
        &["common", ".well-known", "openid-configuration"],
    );
    let root = crate::oauth::http::below(graph, &["v1.0", "me"]);
    tokio::join!(
        look_at(http, discovery, &clock),
        look_at(http, root, &clock)
    )
}

/// Looks at the sign-in service of `registration` alone: at its description, which needs no sign-in.
pub async fn look_at_sign_in_service(
    http: &reqwest::Client,
    registration: &Registration,
    clock: impl Fn() -> Millis,
) -> HostSeen {
    let place: &[&str] = match registration.issuer {
        Some(_) => &[".well-known", "openid-configuration"],
        None => &["common", ".well-known", "openid-configuration"],
    };
    let description = crate::oauth::http::below(&registration.authority, place);
    look_at(http, description, clock).await
}

async fn look_at(http: &reqwest::Client, url: Url, clock: impl Fn() -> Millis) -> HostSeen {
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let bare = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let (answer, (addresses, connected)) = tokio::join!(ask(http, url, clock), reach(&bare, port));
    HostSeen {
        host,
        addresses,
        connected,
        http: Some(answer),
    }
}

type Reached = (
    Option<Result<Vec<IpAddr>, String>>,
    Option<Result<(IpAddr, Duration), String>>,
);

async fn reach(host: &str, port: u16) -> Reached {
    let sockets = match tokio::time::timeout(STEP, lookup_host((host, port))).await {
        Err(_) => return (Some(Err("no answer in time".to_owned())), None),
        Ok(Err(error)) => return (Some(Err(error.to_string())), None),
        Ok(Ok(sockets)) => sockets.collect::<Vec<_>>(),
    };
    let addresses: Vec<IpAddr> = sockets.iter().map(std::net::SocketAddr::ip).collect();
    let begun = Instant::now();
    let mut failure = "no address".to_owned();
    let connecting = async {
        for socket in sockets {
            match TcpStream::connect(socket).await {
                Ok(_) => return Some((socket.ip(), begun.elapsed())),
                Err(error) => failure = error.to_string(),
            }
        }
        None
    };
    let connected = match tokio::time::timeout(STEP, connecting).await {
        Ok(Some(connected)) => Ok(connected),
        Ok(None) => Err(failure),
        Err(_) => Err("no answer in time".to_owned()),
    };
    (Some(Ok(addresses)), Some(connected))
}

async fn ask(
    http: &reqwest::Client,
    url: Url,
    clock: impl Fn() -> Millis,
) -> Result<HttpSeen, HttpFailure> {
    let tls = url.scheme() == "https";
    let begun = Instant::now();
    let answer = http
        .get(url)
        .header(http::header::ACCEPT, "application/json")
        .timeout(REQUEST)
        .send()
        .await
        .map_err(|error| HttpFailure {
            timed_out: error.is_timeout(),
            text: failure_text(error),
        })?;
    let header = |name: http::HeaderName| {
        let value = answer.headers().get(name)?;
        Some(value.to_str().ok()?.to_owned())
    };
    let theirs = header(http::header::DATE).and_then(|date| {
        jiff::fmt::rfc2822::DateTimeParser::new()
            .relaxed_weekday(true)
            .parse_timestamp(&date)
            .ok()
    });
    Ok(HttpSeen {
        status: answer.status().as_u16(),
        content_type: header(http::header::CONTENT_TYPE)
            .unwrap_or_default()
            .to_ascii_lowercase(),
        location: header(http::header::LOCATION),
        skew_ms: theirs.map(|theirs| theirs.as_millisecond() - clock()),
        took: begun.elapsed(),
        tls,
        version: format!("{:?}", answer.version()),
    })
}
