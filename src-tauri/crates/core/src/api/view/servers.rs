//! Servers as the contact centre lists them.

use crate::account::Tls;
use crate::diagnosis::Finding;
use serde::{Deserialize, Serialize};

/// Which way mail goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Direction {
    /// From the server to Mailroom.
    Inbound,
    /// From Mailroom to the server.
    Outbound,
}

/// What a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum ServerKind {
    /// Microsoft Graph.
    Graph,
    /// IMAP.
    Imap,
    /// SMTP.
    Smtp,
}

/// How a server is signed in to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum ServerSignIn {
    /// With a password.
    Password,
    /// In the browser (OAuth).
    Browser,
}

/// One server of one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ServerView {
    /// The address's id.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub address_id: i64,
    /// The address.
    pub address: String,
    /// Inbound or outbound.
    pub direction: Direction,
    /// What it speaks.
    pub kind: ServerKind,
    /// Host name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the line is encrypted.
    pub tls: Tls,
    /// How it is signed in to.
    pub sign_in: ServerSignIn,
    /// Login name; for Graph that of the account.
    pub user: String,
    /// Who issues the tokens, where that is not Microsoft.
    pub issuer: Option<String>,
    /// The brand whose tickets the mail becomes, or whose answers leave here.
    pub flow: String,
    /// Addresses that mail may be sent from, the connection's own first; nothing for inbound servers.
    pub from: Vec<String>,
    /// Whether it is in use: neither paused nor disconnected.
    pub enabled: bool,
    /// What stood against it when it was last used.
    pub warning: Option<Finding>,
}

/// What trying one server brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ServerResult {
    /// Which of the address's servers.
    pub direction: Direction,
    /// Nothing where all is well.
    pub finding: Option<Finding>,
}

/// What became of one server that was to be saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ServerSaved {
    /// Which of the address's servers.
    pub direction: Direction,
    /// Whether it is in use from now on.
    pub stored: bool,
    /// Whether it is another place than before, where reading begins anew.
    pub fresh_start: bool,
    /// What its try brought; nothing where all is well.
    pub finding: Option<Finding>,
}

/// A server that may be the right one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ProposedServer {
    /// Host name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the line is encrypted.
    pub tls: Tls,
    /// Login name.
    pub login: String,
}

/// How the proposed servers are signed in to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum ProposedSignIn {
    /// With the password of the mailbox.
    Password,
    /// With a password that is made for one program at the provider.
    AppPassword,
    /// In the browser, at Microsoft.
    Microsoft,
    /// In the browser, at an issuer that has to be named.
    Issuer,
}

/// Servers that may be the right ones for an address. Nothing is signed in to before somebody has agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ServerProposal {
    /// Who says so: a provider's name, or where the address's domain published it.
    pub source: String,
    /// Whether the settings are built in.
    pub built_in: bool,
    /// For reading, by IMAP.
    pub inbound: ProposedServer,
    /// For sending, by SMTP.
    pub outbound: Option<ProposedServer>,
    /// How to sign in.
    pub sign_in: ProposedSignIn,
    /// Code of the catalogue's card about what has to be done at the provider first.
    pub hint: Option<String>,
    /// Servers outside the address's domain that settings published there name: they belong to somebody else, and a
    /// person has to say that this is right. Empty for settings that are built in.
    pub elsewhere: Vec<String>,
    /// The provider whose servers these are, where it is known.
    pub owner: Option<String>,
}
