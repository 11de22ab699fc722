//! The servers of all addresses: listed, tried, and proposed for an address that is not connected yet.

mod reach;
mod save;
mod trying;

pub(super) use reach::{Passwords, kept_apart};
pub use save::{InboundInput, ServerPasswords, ServersInput, check_outbound, save_servers};
pub(super) use trying::{has_own_secret, outbound_server};

use super::addresses::not_found;
use super::error::{ApiError, ErrorCode};
use super::smtp::try_outbound;
use super::view::{
    Direction, ProposedServer, ProposedSignIn, ServerKind, ServerProposal, ServerResult,
    ServerSignIn, ServerView,
};
use crate::account::{EmailAddress, ImapAuth, Tls};
use crate::app::App;
use crate::diagnosis::checks::finding_of;
use crate::diagnosis::{Finding, Severity};
use crate::discovery::{self, Found, FoundServer, FoundSignIn};
use crate::provider::ProviderError;
use crate::store::accounts::{self, AccountRow};
use crate::store::addresses::{self, AddressRow};

/// The servers of all addresses, or of one: inbound before outbound.
///
/// # Errors
/// [`ErrorCode::NotFound`], the database.
pub async fn servers(app: &App, id: Option<i64>) -> Result<Vec<ServerView>, ApiError> {
    let rows = rows(app).await?;
    if let Some(id) = id
        && rows.iter().all(|(row, _)| row.id != id)
    {
        return Err(not_found());
    }
    Ok(rows
        .iter()
        .filter(|(row, _)| id.is_none_or(|id| id == row.id))
        .flat_map(|(row, account)| of_address(row, account))
        .collect())
}

/// Signs in to the servers of an address as they are stored: opens the folder of the inbound one, and greets the outbound
/// one. Nothing is fetched or sent. Each server has its own result, and a warning that an earlier one left is over where it
/// is well now.
///
/// # Errors
/// [`ErrorCode::NotFound`], what keeps the keychain shut, the database.
pub async fn try_servers(app: &App, id: i64) -> Result<Vec<ServerResult>, ApiError> {
    let (row, account) = rows(app)
        .await?
        .into_iter()
        .find(|(row, _)| row.id == id)
        .ok_or_else(not_found)?;
    let provider = app.context.connections.provider(&row, &account).await?;
    let inbound = async { provider.folder(row.folder_path.as_deref()).await };
    let outbound = async {
        match &row.outbound {
            Some(server) => Some(try_outbound(app, &row, server, None).await),
            None => None,
        }
    };
    let (inbound, outbound) = tokio::join!(inbound, outbound);
    let mut results = vec![ServerResult {
        direction: Direction::Inbound,
        finding: inbound
            .err()
            .map(|error| about(&error, &row, &account, row.server.as_ref().map(|s| &s.host))),
    }];
    if let (Some(outcome), Some(server)) = (outbound, &row.outbound) {
        results.push(ServerResult {
            direction: Direction::Outbound,
            finding: outcome?
                .err()
                .map(|error| about(&error, &row, &account, Some(&server.host))),
        });
    }
    let well = |direction| {
        let is_it = |result: &ServerResult| result.direction == direction;
        results
            .iter()
            .any(|result| is_it(result) && result.finding.is_none())
    };
    let inbound = row.cause.is_some() && well(Direction::Inbound);
    let outbound = row.outbound_warning.is_some() && well(Direction::Outbound);
    if inbound || outbound {
        let now = app.context.clock.now();
        app.context
            .store
            .write(move |tx| {
                match inbound {
                    true if row.paused => addresses::record_recovery(tx, id)?,
                    // There may be more to it than signing in: a poll tells.
                    true => addresses::set_next_poll(tx, id, Some(now))?,
                    false => {}
                }
                match outbound {
                    true => addresses::set_outbound_warning(tx, id, None),
                    false => Ok(()),
                }
            })
            .await?;
        app.context.nudge.notify_one();
    }
    Ok(results)
}

/// Servers that may be the right ones for `address`, likeliest first. Only the address's own domain is asked, by HTTPS.
/// A proposal is to be shown; connecting with it is the person's decision.
///
/// # Errors
/// [`ErrorCode::InvalidAddress`].
pub async fn propose_servers(app: &App, address: &str) -> Result<Vec<ServerProposal>, ApiError> {
    let address = EmailAddress::parse(address)
        .ok_or_else(|| ApiError::new(ErrorCode::InvalidAddress).arg("value", address))?;
    let found = discovery::propose(app.context.connections.http(), &address).await;
    Ok(found.into_iter().map(proposal).collect())
}

async fn rows(app: &App) -> Result<Vec<(AddressRow, AccountRow)>, ApiError> {
    let rows = app.context.store.read(|db| {
        let mut rows = Vec::new();
        for row in addresses::all(db)? {
            if let Some(account) = accounts::get(db, row.account_id)? {
                rows.push((row, account));
            }
        }
        Ok(rows)
    });
    Ok(rows.await?)
}

fn of_address(row: &AddressRow, account: &AccountRow) -> Vec<ServerView> {
    let own = row.address.clone();
    let graph = &account.registration.graph_url;
    // Graph has one door for both ways, and neither path nor TLS to choose.
    let by_graph = ServerView {
        address_id: row.id,
        address: own.clone(),
        direction: Direction::Inbound,
        kind: ServerKind::Graph,
        host: graph.host_str().unwrap_or_default().to_owned(),
        port: graph.port_or_known_default().unwrap_or(443),
        tls: Tls::Implicit,
        sign_in: ServerSignIn::Browser,
        user: account.identity.login_name.clone(),
        issuer: account.registration.issuer.as_ref().map(|i| i.name.clone()),
        flow: row.brand.clone(),
        from: Vec::new(),
        enabled: !row.paused && !row.disconnected,
        warning: row.cause.clone(),
    };
    let Some(server) = &row.server else {
        let outbound = ServerView {
            direction: Direction::Outbound,
            from: vec![own],
            enabled: !row.disconnected,
            warning: None,
            ..by_graph.clone()
        };
        return vec![by_graph, outbound];
    };
    let inbound = ServerView {
        kind: ServerKind::Imap,
        host: server.host.clone(),
        port: server.port,
        tls: server.tls,
        sign_in: sign_in(server.auth),
        user: server.login.clone(),
        ..by_graph
    };
    let outbound = row.outbound.as_ref().map(|server| ServerView {
        direction: Direction::Outbound,
        kind: ServerKind::Smtp,
        host: server.host.clone(),
        port: server.port,
        tls: server.tls,
        sign_in: sign_in(server.auth),
        user: server.login.clone(),
        from: [own]
            .into_iter()
            .chain(server.from.iter().map(ToString::to_string))
            .collect(),
        enabled: !row.disconnected,
        warning: row.outbound_warning.clone(),
        ..inbound.clone()
    });
    [Some(inbound), outbound].into_iter().flatten().collect()
}

fn sign_in(auth: ImapAuth) -> ServerSignIn {
    match auth {
        ImapAuth::Password => ServerSignIn::Password,
        ImapAuth::Token => ServerSignIn::Browser,
    }
}

fn about(
    error: &ProviderError,
    row: &AddressRow,
    account: &AccountRow,
    host: Option<&String>,
) -> Finding {
    let mut finding = Finding {
        severity: Severity::Failed,
        ..finding_of(error)
    };
    if let Some(host) = host {
        finding.args.insert("host".to_owned(), host.clone());
    }
    let login = account.identity.login_name.as_str();
    finding.about(&row.address, Some(login), &account.registration)
}

fn proposal(found: Found) -> ServerProposal {
    let server = |found: FoundServer| ProposedServer {
        host: found.host,
        port: found.port,
        tls: found.tls,
        login: found.login,
    };
    ServerProposal {
        source: found.source,
        built_in: found.built_in,
        inbound: server(found.inbound),
        outbound: found.outbound.map(server),
        sign_in: match found.sign_in {
            FoundSignIn::Password => ProposedSignIn::Password,
            FoundSignIn::AppPassword => ProposedSignIn::AppPassword,
            FoundSignIn::Microsoft => ProposedSignIn::Microsoft,
            FoundSignIn::Issuer => ProposedSignIn::Issuer,
        },
        hint: found.hint.map(str::to_owned),
        elsewhere: found.elsewhere,
        owner: found.owner.map(str::to_owned),
    }
}
