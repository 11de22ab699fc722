//! The command line's words.

mod servers;

pub(crate) use servers::{OutboundArguments, ServersArguments, TlsChoice};

use clap::{Args, Parser, Subcommand, ValueEnum};
use mailroom_core::api::view::{AfterImport, Station};
use std::path::PathBuf;

/// Connects a team's mailboxes, turns mail into tickets and shows where a connection breaks.
#[derive(Parser)]
#[command(name = "mailroom", version)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that all commands share.
#[derive(Args, Clone)]
pub(crate) struct Common {
    /// Folder that holds everything [default: the platform's data folder]
    #[arg(long, global = true, env = "MAILROOM_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Where the key to stored sign-ins is kept
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "os",
        env = "MAILROOM_SECRETS"
    )]
    pub(crate) secrets: SecretsChoice,
    /// With --secrets file: read the passphrase from this descriptor instead of MAILROOM_PASSPHRASE
    #[arg(long, global = true, value_name = "NUMBER")]
    pub(crate) passphrase_fd: Option<u32>,
    /// Command that opens the sign-in page; gets the link as its last argument
    #[arg(long, global = true, env = "BROWSER", value_name = "COMMAND")]
    pub(crate) browser: Option<String>,
    /// PEM file with a further certificate authority to trust
    #[arg(long, global = true, value_name = "PEM")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How progress is reported on standard error
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "text",
        value_name = "FORM"
    )]
    pub(crate) progress: Progress,
    /// Language of texts: en, de or ja [default: the system's]
    #[arg(
        long,
        global = true,
        env = "MAILROOM_LANGUAGE",
        value_name = "LANGUAGE"
    )]
    pub(crate) language: Option<String>,
}

/// Where the key is kept.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SecretsChoice {
    /// The operating system's keychain
    Os,
    /// An encrypted key file; the passphrase comes from MAILROOM_PASSPHRASE or --passphrase-fd
    File,
}

/// How progress is reported.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// Lines for people
    Text,
    /// JSON lines
    Json,
    /// Not at all
    None,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the practice tenant until interrupted; the first line tells where it is, as JSON
    Sandbox(SandboxArguments),
    /// Do the whole main job with the practice tenant: connect, import 300 mails, show the status
    Practice,
    /// Connect a mailbox: sign in through the browser, check, connect
    Connect(Box<ConnectArguments>),
    /// Show addresses and how they are
    Status {
        /// Only this address
        address: Option<String>,
    },
    /// Check a connection, station by station, and say what to do about the first failure
    Check(CheckArguments),
    /// Create tickets from the newest mails
    Import {
        /// The connected address
        address: String,
        /// How many mails
        #[arg(long, value_name = "N")]
        newest: u32,
        /// Only say what would become of them
        #[arg(long)]
        rehearse: bool,
    },
    /// Fetch what is new
    Sync {
        /// Only this address
        address: Option<String>,
        /// Fetch once and end (as it does without this word)
        #[arg(long)]
        once: bool,
    },
    /// Poll until interrupted
    Run,
    /// Sign in again for an address; everything that arrived meanwhile is fetched
    Reconnect(Box<ReconnectArguments>),
    /// Stop using a mailbox; its tickets stay, and it can be undone for ten minutes
    Disconnect {
        /// The address
        address: String,
    },
    /// Make an address the one that mail without another sender leaves from
    Default {
        /// The address
        address: String,
    },
    /// List the people of the team, add one, or remove one; their own addresses are not connected by mistake
    Agents {
        #[command(subcommand)]
        what: Option<AgentsCommand>,
    },
    /// Set up the app registration in Entra, or see what deviates in one
    Registration {
        #[command(subcommand)]
        what: RegistrationCommand,
    },
    /// Hand the first failure of an address over to whoever can mend it: a ready message with link or commands
    #[command(visible_alias = "approval")]
    HandOff(HandOffArguments),
    /// Show the servers of addresses, try them, or ask which ones an address may have
    Servers(ServersArguments),
    /// Show or choose the folder that is read
    Folder {
        /// The address
        address: String,
        /// The folder's path, such as `Requests/Tech support`; `` is the inbox. A `/` in a name is written `\\/`
        path: Option<String>,
        /// List all folders
        #[arg(long)]
        list: bool,
    },
    /// Show or choose what becomes of mail on the server once it is imported
    AfterImport {
        /// The address
        address: String,
        /// leave, read, move:FOLDER or delete; moving and deleting are rehearsed first
        #[arg(value_name = "CHOICE", value_parser = crate::commands::after_import_choice)]
        choice: Option<AfterImport>,
        /// How many of the newest mails to rehearse it with
        #[arg(long, value_name = "N")]
        newest: Option<u32>,
        /// The address once more: makes the choice instead of rehearsing it only
        #[arg(long, value_name = "ADDRESS")]
        confirm: Option<String>,
        /// Also for mail that was imported earlier and still lies in the folder
        #[arg(long)]
        also_imported: bool,
    },
    /// Show what will end, and when, if nobody does anything
    Forecast {
        /// Only this address
        address: Option<String>,
    },
    /// Save what somebody who helps needs to know: no secrets, nothing of any mail
    Bundle {
        /// The zip to write
        #[arg(long, value_name = "FILE", required_unless_present = "preview")]
        output: Option<PathBuf>,
        /// Leave addresses and names of people as they are instead of covering them
        #[arg(long)]
        with_names: bool,
        /// Show what would be in it
        #[arg(long)]
        preview: bool,
    },
    /// List tickets, newest first
    Tickets {
        /// Only tickets of this address
        #[arg(long)]
        address: Option<String>,
        /// Only tickets with these words
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// How many to leave out
        #[arg(long, default_value_t = 0)]
        offset: u32,
        /// How many to list, at most 500
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show one ticket
    Ticket {
        /// Its number
        id: i64,
    },
    /// Answer a ticket: from its address, to whoever wrote last
    Reply(crate::commands::ReplyArguments),
    /// Why is this mail (not) a ticket? What became of every server message
    Ledger {
        /// The address
        address: String,
        /// Only the mail with this Message-ID
        #[arg(long)]
        message_id: Option<String>,
        /// Only this outcome: imported, duplicate, skipped or failed
        #[arg(long, value_enum)]
        outcome: Option<OutcomeChoice>,
        /// How many to leave out
        #[arg(long, default_value_t = 0)]
        offset: u32,
        /// How many to list, at most 500
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Say what an error code or a pasted error text means, and who can mend it; needs no network
    Explain {
        /// The text, for instance `AADSTS65001` or a whole bounce; `-` reads standard input
        #[arg(required = true, value_name = "TEXT")]
        text: Vec<String>,
    },
}

/// What to do with the people of the team; nothing lists them.
#[derive(Subcommand)]
pub(crate) enum AgentsCommand {
    /// Add somebody, or give them another name
    Add {
        /// Their own address
        address: String,
        /// Their name
        #[arg(long, default_value = "")]
        name: String,
    },
    /// Remove somebody; nothing else changes
    Remove {
        /// Their own address
        address: String,
    },
}

/// Options of `sandbox`.
#[derive(Args)]
pub(crate) struct SandboxArguments {
    /// Port on 127.0.0.1 and ::1; 0 takes any free one
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// Also serve HTTPS, with a certificate authority of its own
    #[arg(long)]
    pub(crate) https: bool,
    /// Switch a scenario on; may be repeated
    #[arg(long = "scenario", value_name = "NAME")]
    pub(crate) scenarios: Vec<String>,
    /// List the scenarios and end
    #[arg(long)]
    pub(crate) list_scenarios: bool,
    /// Load .eml, mbox or Maildir from here into the support mailbox; may be repeated
    #[arg(long, value_name = "DIR")]
    pub(crate) mail: Vec<PathBuf>,
    /// Seconds between mails that arrive by themselves; 0 for none [default: 45 in a terminal, else 0]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) arrivals: Option<u64>,
    /// Folder that keeps keys, consents and mailboxes over a restart
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
}

/// Options of `connect`.
#[derive(Args)]
pub(crate) struct ConnectArguments {
    /// The address that customers write to
    pub(crate) address: String,
    /// How the mailbox is reached
    #[arg(long, value_enum, default_value = "graph")]
    pub(crate) provider: ProviderChoice,
    /// Create tickets from the newest N mails
    #[arg(long = "import", value_name = "N")]
    pub(crate) newest: Option<u32>,
    /// Brand that the address belongs to; a new name makes a new brand
    #[arg(long, default_value = "Support")]
    pub(crate) brand: String,
    #[command(flatten)]
    pub(crate) registration: RegistrationArguments,
    /// Open the sign-in in a private window
    #[arg(long)]
    pub(crate) private_window: bool,
    /// Connect the address although it wrote in and is somebody's in tickets: it is the team's own
    #[arg(long)]
    pub(crate) although_requester: bool,
    /// With --provider imap: the server
    #[arg(
        long,
        value_name = "HOST:PORT",
        default_value = "outlook.office365.com:993"
    )]
    pub(crate) imap: String,
    /// With --provider imap: how the line is encrypted
    #[arg(long, value_enum, default_value = "implicit")]
    pub(crate) imap_tls: TlsChoice,
    /// With --provider imap: login name [default: the address]
    #[arg(long, value_name = "NAME")]
    pub(crate) login: Option<String>,
    /// With --provider imap: how to sign in
    #[arg(long, value_enum, default_value = "oauth")]
    pub(crate) auth: AuthChoice,
    /// With --auth password: the password is the first line of standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
    #[command(flatten)]
    pub(crate) outbound: OutboundArguments,
    /// The address is a shared mailbox: sign in with your own account, which may open it
    #[arg(long)]
    pub(crate) shared: bool,
    /// What becomes of mail on the server once it is imported: leave, read, move:FOLDER or delete
    #[arg(long, value_name = "CHOICE", default_value = "read", value_parser = crate::commands::after_import_choice)]
    pub(crate) after_import: AfterImport,
    /// With --after-import move or delete: the address once more, as a confirmation
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) confirm: Option<String>,
    /// Path of the folder to read, such as `Requests/Tech support` [default: the inbox]
    #[arg(long, value_name = "PATH")]
    pub(crate) folder: Option<String>,
}

/// Options of `reconnect`.
#[derive(Args)]
pub(crate) struct ReconnectArguments {
    /// The address
    pub(crate) address: String,
    /// Open the sign-in in a private window
    #[arg(long)]
    pub(crate) private_window: bool,
    /// Sign in through the browser from now on instead of with a password; nothing else changes
    #[arg(long, value_name = "oauth", value_enum)]
    pub(crate) auth: Option<ConvertChoice>,
    /// With --auth: by IMAP at the same server, or by Microsoft Graph
    #[arg(long, value_enum, default_value = "imap", requires = "auth")]
    pub(crate) provider: ProviderChoice,
    #[command(flatten)]
    pub(crate) registration: RegistrationArguments,
    /// Undo `disconnect` without signing in, which is possible for ten minutes: everything is as it was
    #[arg(long, conflicts_with = "private_window")]
    pub(crate) undo: bool,
}

/// The app registration to sign in with.
#[derive(Args)]
pub(crate) struct RegistrationArguments {
    /// Client id of the app registration
    #[arg(long, env = "MAILROOM_CLIENT_ID", value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// Tenant id, a domain of the tenant, or `organizations`
    #[arg(long, default_value = "organizations", value_name = "ID")]
    pub(crate) tenant: String,
    /// Cloud that the tenant lives in
    #[arg(long, value_enum, default_value = "global")]
    pub(crate) cloud: CloudChoice,
    /// Sign-in service, for instance the practice tenant's
    #[arg(long, value_name = "URL", requires = "graph_url")]
    pub(crate) authority: Option<String>,
    /// Graph's root without the version
    #[arg(long, value_name = "URL", requires = "authority")]
    pub(crate) graph_url: Option<String>,
    /// With --provider imap: sign in at this OpenID issuer instead of Microsoft's (needs --client-id)
    #[arg(long, value_name = "URL", requires = "client_id", conflicts_with_all = ["authority", "graph_url"])]
    pub(crate) issuer: Option<String>,
    /// With --issuer: a scope to ask for; may be repeated [default: openid offline_access email]
    #[arg(long = "scope", value_name = "SCOPE", requires = "issuer")]
    pub(crate) scopes: Vec<String>,
    /// With --issuer: a further parameter of sign-in and token requests, for instance resource=…; may be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", requires = "issuer", value_parser = name_and_value)]
    pub(crate) parameters: Vec<(String, String)>,
}

/// Options of `check`.
#[derive(Args)]
pub(crate) struct CheckArguments {
    /// The connected address
    pub(crate) address: String,
    /// Look at this station only, and at what it depends on
    #[arg(long, value_name = "NAME", value_parser = station)]
    pub(crate) station: Option<Station>,
    /// Send a test mail from the address to itself and measure the round trip
    #[arg(long, conflicts_with = "station")]
    pub(crate) prove_sending: bool,
    /// Look for inbox rules that send mail on; asks for the permission in the browser where it is missing
    #[arg(long, conflicts_with_all = ["station", "prove_sending"])]
    pub(crate) forwarding: bool,
    /// With --forwarding: sign in in a private window
    #[arg(long, requires = "forwarding")]
    pub(crate) private_window: bool,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it has the form NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// What to do about the app registration.
#[derive(Subcommand)]
pub(crate) enum RegistrationCommand {
    /// Say what deviates from what Mailroom needs, why it breaks, and the fix; needs no network
    Audit {
        /// The manifest as Entra shows it, old or new format; `-` reads standard input
        #[arg(long, value_name = "FILE")]
        manifest: PathBuf,
        /// Tenant that Mailroom is set to
        #[arg(long, default_value = "", value_name = "ID")]
        tenant: String,
        /// How mail is to be read
        #[arg(long, value_enum, default_value = "graph")]
        access: AccessChoice,
    },
    /// Print a script that makes or mends the registration; it only looks until it is told to change something
    Script {
        /// What runs it
        #[arg(long, value_enum, default_value = "powershell")]
        shell: ShellChoice,
        /// Name of the registration
        #[arg(long, default_value = "Mailroom")]
        name: String,
        /// Its client id, where it exists already
        #[arg(long, value_name = "ID")]
        client_id: Option<String>,
        /// Tenant to make it in
        #[arg(long, default_value = "", value_name = "ID")]
        tenant: String,
        /// How mail is to be read
        #[arg(long, value_enum, default_value = "graph")]
        access: AccessChoice,
        /// Write it to a file
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// How mail is to be read: decides the permissions.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccessChoice {
    /// Microsoft Graph
    Graph,
    /// Microsoft Graph, shared mailboxes too
    GraphShared,
    /// IMAP and SMTP
    Imap,
}

/// What runs a script.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShellChoice {
    /// PowerShell with the Microsoft Graph module
    Powershell,
    /// A shell with the Azure command line
    Az,
}

/// Options of `hand-off`. `--language` is the language of the message.
#[derive(Args)]
pub(crate) struct HandOffArguments {
    /// The address
    #[arg(required_unless_present = "list")]
    pub(crate) address: Option<String>,
    /// List what is waited for
    #[arg(long, conflicts_with_all = ["output", "to", "withdraw"])]
    pub(crate) list: bool,
    /// Save the message as a text file
    #[arg(long, value_name = "FILE", conflicts_with = "withdraw")]
    pub(crate) output: Option<PathBuf>,
    /// Mail the message to this address
    #[arg(
        long,
        value_name = "ADDRESS",
        requires = "from",
        conflicts_with = "withdraw"
    )]
    pub(crate) to: Option<String>,
    /// With --to: the connected address that the mail leaves from
    #[arg(long, value_name = "ADDRESS", requires = "to")]
    pub(crate) from: Option<String>,
    /// With --to: really send; without it the mail is only shown
    #[arg(long, requires = "to")]
    pub(crate) send: bool,
    /// Stop waiting
    #[arg(long)]
    pub(crate) withdraw: bool,
}

fn station(name: &str) -> Result<Station, String> {
    Station::from_name(name).ok_or_else(|| {
        let names = Station::ALL.map(Station::name).join(", ");
        format!("stations are {names}")
    })
}

/// How the mailbox is reached.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProviderChoice {
    /// Microsoft Graph
    Graph,
    /// IMAP over TLS
    Imap,
}

/// What takes the place of a password.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConvertChoice {
    /// Through the browser
    Oauth,
}

/// How to sign in to an IMAP server.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuthChoice {
    /// Through the browser, as Microsoft 365 wants it
    Oauth,
    /// With a password
    Password,
}

/// Cloud that a tenant lives in.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CloudChoice {
    /// Worldwide, and GCC
    Global,
    /// US Government
    UsGov,
    /// China, operated by 21Vianet
    China,
}

/// An outcome in the ledger.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutcomeChoice {
    /// Became a ticket or joined one
    Imported,
    /// Was here already
    Duplicate,
    /// Left out for a reason
    Skipped,
    /// Could not be read
    Failed,
}
