//! From a host name to an encrypted line: TLS from the first byte, or by STARTTLS where the person chose so. Without
//! TLS nothing is said but `STARTTLS`, nothing is believed, and what came before it is thrown away.

use super::parsed::parsed;
use super::patience::Patience;
use super::refusal::{Asked, broken, io_failure, refusal};
use super::room::Room;
use super::session::protocol;
use super::wire::{Wire, WireError};
use crate::account::{ImapServer, Tls};
use crate::diagnosis::Evidence;
use crate::provider::ProviderError;
use crate::provider::tls::Trust;
use imap_proto::{Response, Status};
use rustls::pki_types::ServerName;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Untagged responses before the answer to `STARTTLS`.
const MOST_PREFACE: u32 = 20;

/// An encrypted line, and whether the server's greeting is still to come: with STARTTLS it came before, and there is
/// no second one (RFC 9051 §6.2.1).
pub(super) struct Line {
    pub(super) wire: Wire<TlsStream<TcpStream>>,
    pub(super) greets: bool,
}

/// Connects and makes sure of the server's certificate. `held` counts the bytes kept.
pub(super) async fn connect(
    server: &ImapServer,
    trust: &Trust,
    patience: Patience,
    held: Arc<AtomicUsize>,
) -> Result<Line, ProviderError> {
    let tls = trust.config()?;
    let name = ServerName::try_from(server.host.clone()).map_err(|_| protocol("host_name"))?;
    let failed = |error| io_failure(&error);
    let late = |_| broken(WireError::TimedOut);
    let tcp = TcpStream::connect((server.host.as_str(), server.port));
    let tcp = timeout(patience.connect, tcp)
        .await
        .map_err(late)?
        .map_err(failed)?;
    tcp.set_nodelay(true).map_err(failed)?;
    let (tcp, greets) = match server.tls {
        Tls::Implicit => (tcp, true),
        Tls::StartTls => (ask_for_tls(tcp, patience, held.clone()).await?, false),
    };
    let handshake = TlsConnector::from(tls).connect(name, tcp);
    let stream = timeout(patience.silence, handshake)
        .await
        .map_err(late)?
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => broken(WireError::Closed),
            _ => io_failure(&error),
        })?;
    trust.note(&server.host, server.port, &stream);
    Ok(Line {
        wire: Wire::new(stream, patience.silence, held),
        greets,
    })
}

/// The plain part of STARTTLS.
async fn ask_for_tls(
    tcp: TcpStream,
    patience: Patience,
    held: Arc<AtomicUsize>,
) -> Result<TcpStream, ProviderError> {
    let mut wire = Wire::new(tcp, patience.silence, held);
    let deadline = Instant::now() + patience.silence;
    let mut room = Room::talk();
    let greeting = wire.response(deadline, &mut room).await.map_err(broken)?;
    match parsed(&greeting.bytes) {
        Some(Response::Data {
            status: Status::Ok, ..
        }) => {}
        Some(Response::Data {
            status: Status::Bye,
            ..
        }) => return Err(super::session::farewell_of(&greeting.bytes, &[])),
        // After PREAUTH no TLS can be asked for any more (RFC 9051 §11.1): whoever sends it wants a plain line.
        Some(Response::Data {
            status: Status::PreAuth,
            ..
        }) => return Err(refusal("PREAUTH before TLS.", Asked::Encryption, &[])),
        _ => return Err(protocol("greeting")),
    }
    wire.send("M0 STARTTLS").await.map_err(broken)?;
    for _ in 0..MOST_PREFACE {
        let answer = wire.response(deadline, &mut room).await.map_err(broken)?;
        match parsed(&answer.bytes) {
            Some(Response::Done { tag, status, .. }) if tag.0 == "M0" => {
                if status != Status::Ok {
                    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
                    return Err(refusal(&text, Asked::Encryption, &[]));
                }
                // What was put behind the answer came over the plain line, and no honest server does so.
                return wire.into_inner().ok_or_else(injected);
            }
            Some(Response::Data {
                status: Status::Bye,
                ..
            }) => return Err(super::session::farewell_of(&answer.bytes, &[])),
            // Whatever is claimed here, anybody may have written.
            Some(Response::Data { .. } | Response::Capabilities(_)) => {}
            _ => return Err(protocol("not_imap")),
        }
    }
    Err(protocol("endless"))
}

fn injected() -> ProviderError {
    let text = "Somebody wrote into the line before it was encrypted.";
    ProviderError::Untrusted(Evidence::of(Some("tls_handshake"), None, text, &[]))
}
