//! Arguments about mail servers.

use clap::{Args, ValueEnum};
use mailroom_core::account::Tls;

/// The server that takes mail.
#[derive(Args)]
pub(crate) struct OutboundArguments {
    /// Send through this server; it is tried before it is kept
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) smtp: Option<String>,
    /// With --smtp: how the line is encrypted [default: STARTTLS, at port 465 implicit]
    #[arg(long, value_enum, requires = "smtp")]
    pub(crate) smtp_tls: Option<TlsChoice>,
    /// With --smtp: login name [default: that of the inbound server]
    #[arg(long, value_name = "NAME", requires = "smtp")]
    pub(crate) smtp_login: Option<String>,
    /// With --smtp: an address that mail may be sent from beside its own; may be repeated
    #[arg(long, value_name = "ADDRESS", requires = "smtp")]
    pub(crate) from: Vec<String>,
    /// With --smtp: a password for this server alone is the next line of standard input; the stored one goes to no
    /// other provider's server
    #[arg(long, requires = "smtp")]
    pub(crate) smtp_password_stdin: bool,
}

/// Options of `servers`.
#[derive(Args)]
pub(crate) struct ServersArguments {
    /// Only this address
    pub(crate) address: Option<String>,
    /// Say which servers this address may have: known providers, and what its own domain publishes
    #[arg(long, value_name = "ADDRESS", conflicts_with = "address")]
    pub(crate) propose: Option<String>,
    /// Sign in to the address's servers and say how each one is; nothing is fetched or sent
    #[arg(long, requires = "address", conflicts_with_all = ["imap", "smtp"])]
    pub(crate) check: bool,
    /// Read from this server from now on; it is tried before it is kept
    #[arg(long, value_name = "HOST:PORT", requires = "address")]
    pub(crate) imap: Option<String>,
    /// With --imap: how the line is encrypted [default: as before]
    #[arg(long, value_enum, requires = "imap")]
    pub(crate) imap_tls: Option<TlsChoice>,
    /// With --imap: login name [default: as before]; with --smtp alone: the one there
    #[arg(long, value_name = "NAME")]
    pub(crate) login: Option<String>,
    /// The password is the first line of standard input: the one for --imap, or for --smtp alone
    #[arg(long)]
    pub(crate) password_stdin: bool,
    #[command(flatten)]
    pub(crate) outbound: OutboundArguments,
    /// Forget the server that takes mail, and its password: nothing is sent from the address any more
    #[arg(long, requires = "address", conflicts_with_all = ["check", "imap", "smtp"])]
    pub(crate) remove_smtp: bool,
    /// With --imap or --smtp: keep a server although its try failed, with a warning that stays until a try succeeds
    #[arg(long)]
    pub(crate) anyway: bool,
}

/// How the line to a server is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TlsChoice {
    /// From the first byte
    Implicit,
    /// After the command STARTTLS
    Starttls,
}

impl From<TlsChoice> for Tls {
    fn from(choice: TlsChoice) -> Self {
        match choice {
            TlsChoice::Implicit => Self::Implicit,
            TlsChoice::Starttls => Self::StartTls,
        }
    }
}
