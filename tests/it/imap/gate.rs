//! A gate before a Dovecot: it hears what is asked and, at a command of the test's choice, lets nothing more through.

use super::dovecot::Dovecot;
use super::scripted::acceptor;
use crate::world::wait;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsConnector;

/// Where the gate falls: at a command that contains this text.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// The server does not hear the command.
    Before(&'static str),
    /// The server has done it, and the client does not hear so.
    After(&'static str),
}

#[derive(Default)]
struct State {
    stop: Option<Stop>,
    /// The tag of the command whose answer is held back.
    held: Option<String>,
    /// The gate has fallen, and the server has done what it was to do.
    has_fallen: bool,
    heard: Vec<String>,
}

pub struct Gate {
    pub port: u16,
    state: Arc<Mutex<State>>,
    lift: Arc<Notify>,
}

impl Gate {
    pub async fn before(server: &Dovecot) -> Self {
        let acceptor = acceptor(&server.papers);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gate = Self {
            port: listener.local_addr().unwrap().port(),
            state: Arc::default(),
            lift: Arc::default(),
        };
        let mut roots = rustls::RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(server.papers.ca.as_bytes()).unwrap();
        roots.add(ca).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        let (behind, state, lift) = (server.port, gate.state.clone(), gate.lift.clone());
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, connector) = (acceptor.clone(), connector.clone());
                let (state, lift) = (state.clone(), lift.clone());
                tokio::spawn(async move {
                    tcp.set_nodelay(true)?;
                    let client = acceptor.accept(tcp).await?;
                    let server = TcpStream::connect(("127.0.0.1", behind)).await?;
                    server.set_nodelay(true)?;
                    let name = ServerName::try_from("127.0.0.1").unwrap();
                    let server = connector.connect(name, server).await?;
                    let (client_reads, client_hears) = tokio::io::split(client);
                    let (server_reads, server_hears) = tokio::io::split(server);
                    // Whoever ends first ends both.
                    tokio::select! {
                        done = asked(client_reads, server_hears, &state, &lift) => done,
                        done = answered(server_reads, client_hears, &state, &lift) => done,
                    }
                });
            }
        });
        gate
    }

    /// It falls at the next command of this kind.
    pub fn stop(&self, stop: Stop) {
        let mut state = self.state.lock().unwrap();
        state.stop = Some(stop);
        state.has_fallen = false;
    }

    /// As [`Gate::lift`], and it falls again at `stop`.
    pub fn stop_next(&self, stop: Stop) {
        self.lift();
        self.stop(stop);
    }

    pub async fn has_fallen(&self, what: &str) {
        wait(what, async || {
            self.state.lock().unwrap().has_fallen.then_some(())
        })
        .await;
    }

    /// It lets everything through again; lines that were held are cut.
    pub fn lift(&self) {
        let mut state = self.state.lock().unwrap();
        state.stop = None;
        state.held = None;
        self.lift.notify_waiters();
    }

    /// The commands heard since this was last asked, without their tags.
    pub fn heard(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().heard)
    }
}

async fn asked(
    client: impl AsyncRead + Unpin,
    mut server: impl AsyncWrite + Unpin,
    state: &Mutex<State>,
    lift: &Notify,
) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    loop {
        let mut line = String::new();
        if client.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let lifted = lift.notified();
        let falls = {
            let mut state = state.lock().unwrap();
            let (tag, command) = line.trim_end().split_once(' ').unwrap_or((&line, ""));
            if !command.is_empty() {
                state.heard.push(command.to_owned());
            }
            match state.stop {
                Some(Stop::Before(text)) if command.contains(text) => {
                    state.stop = None;
                    state.has_fallen = true;
                    true
                }
                Some(Stop::After(text)) if command.contains(text) => {
                    state.stop = None;
                    state.held = Some(format!("{tag} "));
                    false
                }
                _ => false,
            }
        };
        if falls {
            lifted.await;
            return Ok(());
        }
        server.write_all(line.as_bytes()).await?;
        server.flush().await?;
    }
}

async fn answered(
    server: impl AsyncRead + Unpin,
    mut client: impl AsyncWrite + Unpin,
    state: &Mutex<State>,
    lift: &Notify,
) -> std::io::Result<()> {
    let mut server = BufReader::new(server);
    let mut is_held = false;
    loop {
        let mut line = Vec::new();
        if server.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let lifted = lift.notified();
        let done = {
            let mut state = state.lock().unwrap();
            let ends = |tag: &String| line.starts_with(tag.as_bytes());
            let done = state.held.as_ref().is_some_and(ends);
            if done {
                state.held = None;
                state.has_fallen = true;
            }
            is_held |= done;
            done
        };
        if done {
            lifted.await;
            return Ok(());
        }
        if !is_held {
            client.write_all(&line).await?;
            client.flush().await?;
        }
    }
}
