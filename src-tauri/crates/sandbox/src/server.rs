//! The HTTP server: plain on both loopback addresses, and HTTPS beside it when asked for.

mod watch;

pub(crate) use watch::GrantType;

use crate::certificates::Certificates;
use crate::options::{Description, Https, Options, StartError, User};
use crate::scenarios::Scenario;
use crate::state;
use crate::tenant::directory::{CONTOSO, MAILROOM};
use crate::world::World;
use crate::{admin, control, control_mail, entra, faults, graph, mail};
use axum::Router;
use axum::extract::FromRequestParts;
use axum_server::tls_rustls::RustlsConfig;
use http::StatusCode;
use http::request::Parts;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

type Handle = axum_server::Handle<SocketAddr>;

/// How long requests under way may take to end when the sandbox stops.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A running practice tenant. Dropping it stops it without waiting; [`Sandbox::stop`] waits.
pub struct Sandbox {
    world: Arc<World>,
    description: Description,
    handle: Handle,
    servers: Vec<JoinHandle<()>>,
    scratch: Option<PathBuf>,
}

/// `http` or `https`, set on each request by the server that took it.
#[derive(Clone, Copy)]
struct Scheme(&'static str);

/// Scheme and host as the client used them, such as `http://localhost:8080`: links in answers start with it.
#[derive(Debug, Clone)]
pub(crate) struct Base(pub(crate) String);

impl<S: Sync> FromRequestParts<S> for Base {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let scheme = parts.extensions.get::<Scheme>().map_or("http", |s| s.0);
        let host = watch::host(parts).ok_or(StatusCode::BAD_REQUEST)?;
        Ok(Base(format!("{scheme}://{host}")))
    }
}

impl Sandbox {
    /// Starts a practice tenant; it runs until [`Sandbox::stop`] or until it is dropped.
    ///
    /// # Errors
    /// An unknown scenario, a port that is taken, files that cannot be read.
    pub async fn start(options: Options) -> Result<Sandbox, StartError> {
        let scenarios = scenarios(&options.scenarios)?;
        let keys = state::signing_key(options.state_dir.as_deref())?;
        let (port, listeners) = listen(options.port)?;
        let world = Arc::new(World::new(options.clone(), keys, scenarios));
        state::restore(&world)?;
        let on = world.scenarios.lock().clone();
        for scenario in on {
            faults::break_it(&world, scenario);
        }
        mail::open(&world)?;
        mail::keep_alive(&world);

        let handle = Handle::new();
        let mut servers = Vec::new();
        for listener in listeners {
            let server = axum_server::from_tcp(listener)
                .map_err(|source| StartError::Listen { port, source })?
                .handle(handle.clone());
            let app = app(&world, "http").into_make_service();
            servers.push(tokio::spawn(async move {
                if let Err(error) = server.serve(app).await {
                    tracing::error!(%error, "the practice tenant's HTTP server ended");
                }
            }));
        }

        let (mut https, mut scratch) = (None, None);
        if options.https {
            let dir = match &options.state_dir {
                Some(dir) => dir.clone(),
                None => {
                    let dir = std::env::temp_dir()
                        .join(format!("mailroom-sandbox-{}", uuid::Uuid::new_v4()));
                    scratch = Some(dir.clone());
                    dir
                }
            };
            let certificates = Certificates::in_dir(&dir)?;
            let (port, listeners) = listen(0)?;
            let tls = RustlsConfig::from_config(certificates.server);
            for listener in listeners {
                let server = axum_server::from_tcp_rustls(listener, tls.clone())
                    .map_err(|source| StartError::Listen { port, source })?
                    .handle(handle.clone());
                let app = app(&world, "https").into_make_service();
                servers.push(tokio::spawn(async move {
                    if let Err(error) = server.serve(app).await {
                        tracing::error!(%error, "the practice tenant's HTTPS server ended");
                    }
                }));
            }
            https = Some(Https {
                authority: format!("https://localhost:{port}"),
                graph_url: format!("https://localhost:{port}"),
                ca_file: certificates.ca_file,
            });
        }

        let description = describe(&world, port, https);
        let _ = world.description.set(description.clone());
        Ok(Sandbox {
            world,
            description,
            handle,
            servers,
            scratch,
        })
    }

    /// Where it is found and who lives in it. Scenarios are those of the start.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// What its parts share.
    pub(crate) fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Ends it: requests under way get half a second, the state is written.
    pub async fn stop(mut self) {
        self.handle.graceful_shutdown(Some(LAST_WORDS));
        for server in self.servers.drain(..) {
            let _ = server.await;
        }
        state::save(&self.world);
        mail::save(&self.world);
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.handle.shutdown();
        for server in &self.servers {
            server.abort();
        }
        if let Some(dir) = &self.scratch {
            let _ = std::fs::remove_dir_all(dir);
        }
    }
}

/// Graph is served at `/graph/v1.0` and at `/v1.0`: Microsoft's own SDKs want it at the root of a host.
fn app(world: &Arc<World>, scheme: &'static str) -> Router {
    Router::new()
        .merge(entra::router())
        .merge(admin::router())
        .merge(graph::router())
        .nest("/graph", graph::router())
        .nest(
            "/_sandbox",
            control::router()
                .merge(control_mail::router())
                .merge(admin::control()),
        )
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(world),
            watch::watch,
        ))
        .layer(axum::Extension(Scheme(scheme)))
        .with_state(Arc::clone(world))
}

fn scenarios(names: &[String]) -> Result<BTreeSet<Scenario>, StartError> {
    names
        .iter()
        .map(|name| {
            Scenario::from_name(name).ok_or_else(|| StartError::UnknownScenario {
                name: name.clone(),
                known: Scenario::ALL
                    .iter()
                    .map(|s| s.name())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
        })
        .collect()
}

fn describe(world: &World, port: u16, https: Option<Https>) -> Description {
    let directory = world.directory.lock();
    Description {
        authority: format!("http://localhost:{port}"),
        graph_url: format!("http://localhost:{port}"),
        client_id: MAILROOM.to_owned(),
        tenant: CONTOSO.to_owned(),
        users: directory
            .users(CONTOSO)
            .map(|u| User {
                address: u.mail.to_owned(),
                login: u.upn.to_owned(),
                password: u.password.to_owned(),
                name: u.name.to_owned(),
                kind: u.kind.word().to_owned(),
            })
            .collect(),
        scenarios: world
            .scenarios
            .lock()
            .iter()
            .map(|s| s.name().to_owned())
            .collect(),
        https,
    }
}

/// Listens on 127.0.0.1 and, where the computer has it, on the same port of ::1: browsers resolve
/// `localhost` to either.
fn listen(wanted: u16) -> Result<(u16, Vec<TcpListener>), StartError> {
    let failed = |source| StartError::Listen {
        port: wanted,
        source,
    };
    let mut tries = 0;
    loop {
        tries += 1;
        let v4 = bind(Ipv4Addr::LOCALHOST.into(), wanted).map_err(failed)?;
        let port = v4.local_addr().map_err(failed)?.port();
        match bind(Ipv6Addr::LOCALHOST.into(), port) {
            Ok(v6) => return Ok((port, vec![v4, v6])),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                if wanted != 0 || tries >= 20 {
                    return Err(failed(error));
                }
            }
            Err(_) => return Ok((port, vec![v4])),
        }
    }
}

fn bind(address: IpAddr, port: u16) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(SocketAddr::new(address, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
