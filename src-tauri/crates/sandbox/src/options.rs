//! What a sandbox can be told at its start, and what it tells about itself.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// How to start a sandbox. The default takes any free port, speaks plain HTTP and keeps nothing.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Port of the plain HTTP server on 127.0.0.1 and ::1; 0 takes any free one.
    pub port: u16,
    /// Also serve HTTPS on a second port, with a certificate of its own authority.
    pub https: bool,
    /// Scenarios to switch on, by name; see [`crate::scenario_names`].
    pub scenarios: Vec<String>,
    /// Files and folders (.eml, mbox, Maildir) to load into the support mailbox.
    pub mail: Vec<PathBuf>,
    /// How often a new mail arrives in the support mailbox; `None`: none arrives by itself.
    pub arrivals: Option<Duration>,
    /// Folder that keeps keys, consents, refresh tokens and mailboxes over a restart; `None` keeps nothing.
    pub state_dir: Option<PathBuf>,
}

/// Where a running sandbox is found and who lives in it. The first line of `mailroom sandbox --json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Description {
    /// Where people sign in: the counterpart of `https://login.microsoftonline.com`, without a trailing slash.
    pub authority: String,
    /// The counterpart of `https://graph.microsoft.com`, without `/v1.0` and without a trailing slash.
    pub graph_url: String,
    /// Application (client) id of the registration "Mailroom".
    pub client_id: String,
    /// Directory (tenant) id of Contoso.
    pub tenant: String,
    /// The accounts of Contoso and their practice passwords.
    pub users: Vec<User>,
    /// Scenarios that are on.
    pub scenarios: Vec<String>,
    /// The same by HTTPS, when it was asked for.
    pub https: Option<Https>,
}

/// The HTTPS half of a [`Description`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Https {
    /// As [`Description::authority`].
    pub authority: String,
    /// As [`Description::graph_url`].
    pub graph_url: String,
    /// PEM file with the certificate authority to trust.
    pub ca_file: PathBuf,
}

/// An account of the practice tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// Primary SMTP address.
    pub address: String,
    /// User principal name: what is typed on the sign-in page. Usually, not always, the address.
    pub login: String,
    /// Practice password; empty when the account cannot sign in.
    pub password: String,
    /// Display name.
    pub name: String,
    /// `user`, `admin` or `shared`.
    pub kind: String,
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// [`Options::scenarios`] names something unknown.
    #[error("unknown scenario \"{name}\"; known are: {known}")]
    UnknownScenario {
        /// What was asked for.
        name: String,
        /// The known names, comma separated.
        known: String,
    },
    /// The port is taken, or there is no loopback interface.
    #[error("cannot listen on port {port}: {source}")]
    Listen {
        /// The wanted port; 0 is "any".
        port: u16,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file of [`Options::state_dir`] or [`Options::mail`] cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The state on disk was not written by this program, or is damaged.
    #[error("{path} is not a sandbox state: {reason}")]
    State {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Making the signing key or the certificates failed.
    #[error("cannot make a key: {0}")]
    Key(String),
}
