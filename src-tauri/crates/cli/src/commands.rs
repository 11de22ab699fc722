//! One file per group of commands.

mod addresses;
mod agents;
mod bundle;
mod check;
mod connect;
mod explain;
mod folders;
mod forecast;
mod handoff;
mod practice;
mod registration;
mod reply;
mod sandbox;
mod servers;
mod tickets;
mod wait;

use crate::Failure;
pub(crate) use folders::parse as after_import_choice;
pub(crate) use reply::ReplyArguments;

use crate::args::{Arguments, Command};
use mailroom_core::api::error::{ApiError, ErrorCode};

/// Does what was asked for.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let common = arguments.common;
    match arguments.command {
        Command::Sandbox(options) => sandbox::run(options, common.json).await,
        Command::Practice => practice::run(&common).await,
        Command::Connect(options) => connect::connect(&common, *options).await,
        Command::Reconnect(options) if options.undo => {
            addresses::undo_disconnect(&common, &options.address).await
        }
        Command::Reconnect(options) => connect::reconnect(&common, *options).await,
        Command::Status { address } => addresses::status(&common, address.as_deref()).await,
        Command::Check(options) => check::run(&common, options).await,
        Command::Import {
            address,
            newest,
            rehearse,
        } => addresses::import(&common, &address, newest, rehearse).await,
        Command::Sync { address, once: _ } => addresses::sync(&common, address.as_deref()).await,
        Command::Run => addresses::run(&common).await,
        Command::Disconnect { address } => addresses::disconnect(&common, &address).await,
        Command::Default { address } => addresses::make_default(&common, &address).await,
        Command::Agents { what } => agents::run(&common, what).await,
        Command::Registration { what } => registration::run(&common, what).await,
        Command::HandOff(options) => handoff::run(&common, options).await,
        Command::Servers(options) => servers::run(&common, options).await,
        Command::Folder {
            address,
            path,
            list,
        } => folders::folder(&common, &address, path.as_deref(), list).await,
        Command::AfterImport {
            address,
            choice,
            newest,
            confirm,
            also_imported,
        } => {
            let options = folders::Choice {
                choice,
                newest,
                confirm,
                also_imported,
            };
            folders::after_import(&common, &address, options).await
        }
        Command::Forecast { address } => forecast::forecast(&common, address.as_deref()).await,
        Command::Bundle {
            output,
            with_names,
            preview,
        } => bundle::save(&common, output, with_names, preview).await,
        Command::Tickets {
            address,
            search,
            offset,
            limit,
        } => tickets::list(&common, address, search, offset, limit).await,
        Command::Ticket { id } => tickets::show(&common, id).await,
        Command::Reply(options) => reply::run(&common, options).await,
        Command::Ledger {
            address,
            message_id,
            outcome,
            offset,
            limit,
        } => tickets::ledger(&common, &address, message_id, outcome, offset, limit).await,
        Command::Explain { text } => explain::run(&common, &text),
    }
}

/// What an error means, in a sentence.
pub(crate) fn words_for(error: &ApiError) -> String {
    let text = match error.code {
        ErrorCode::InvalidAddress => "This is no e-mail address.",
        ErrorCode::InvalidClientId => {
            "A client id looks like 12345678-1234-1234-1234-123456789abc."
        }
        ErrorCode::InvalidTenant => {
            "A tenant is named by its id, by one of its domains, or as `organizations`; its endpoints need HTTPS."
        }
        ErrorCode::InvalidIssuer => {
            "An issuer is named exactly as the mail provider does, beginning with https://."
        }
        ErrorCode::TenantNotFound => "The sign-in service does not know this tenant.",
        ErrorCode::OutOfRange => "This value is outside its limits.",
        ErrorCode::AddressInUse => return in_use(error),
        ErrorCode::RegistrationNeeded => {
            "Name your app registration with --client-id and --tenant."
        }
        ErrorCode::NotFound => "There is no such address, ticket, message or attachment.",
        ErrorCode::WrongState => "This does not fit the present state; `mailroom status` shows it.",
        ErrorCode::NoKeychain => {
            "This system has no keychain service. On a server, choose --secrets file."
        }
        ErrorCode::KeychainLocked => "The keychain is locked. Unlock it and run the command again.",
        ErrorCode::KeyMissing => {
            "The key to the stored sign-ins is not in the keychain. `mailroom reconnect ADDRESS` signs in again."
        }
        ErrorCode::WrongPassphrase => "The passphrase for the key file is missing or does not fit.",
        ErrorCode::DiskFull => {
            "The disk is full. Free some space; nothing that was stored is lost."
        }
        ErrorCode::DatabaseNewer => {
            "The database was written by a newer Mailroom and was left untouched. Update Mailroom."
        }
        ErrorCode::DatabaseDamaged => {
            "The database was damaged and was set aside. The next start begins with a new one."
        }
        ErrorCode::DataFolder => "The data folder cannot be read or written.",
        ErrorCode::Offline => "There is no network.",
        ErrorCode::NoBrowser => {
            "No browser could be opened. Open the link by hand, or name a browser with --browser."
        }
        ErrorCode::SignInFailed => "Signing in did not work out.",
        ErrorCode::ServerRefused => "The server refused.",
        ErrorCode::NotProven => {
            let address = error.args.get("value").map_or("ADDRESS", String::as_str);
            return format!(
                "It is not proven yet that this address can send. Prove it first: `mailroom check {address} --prove-sending`."
            );
        }
        ErrorCode::UndoOver => {
            let address = error.args.get("value").map_or("ADDRESS", String::as_str);
            return format!(
                "The time for undo is over and the sign-in is gone. Sign in again: `mailroom reconnect {address}`."
            );
        }
        ErrorCode::DefaultAddress => {
            "This is the default address. Make another one the default first: `mailroom default ADDRESS`."
        }
        ErrorCode::FolderNotFound => {
            let nearest = error.args.get("nearest").map_or("", String::as_str);
            return format!(
                "There is no such folder; the nearest one is `{nearest}`. `mailroom folder ADDRESS --list` shows all."
            );
        }
        ErrorCode::SharedNeedsBrowser => {
            "A shared mailbox has no password; sign in through the browser with your own account."
        }
        ErrorCode::FolderInUse => "Mailroom reads this folder itself; choose another one.",
        ErrorCode::NotExchange => {
            let expected = error.args.get("expected").map_or("", String::as_str);
            return format!(
                "The sign-in at Microsoft is shown to Microsoft's servers only: name {expected}, or sign in another way."
            );
        }
        ErrorCode::ImportRunning => {
            let address = error.args.get("value").map_or("ADDRESS", String::as_str);
            return format!(
                "An import of {address} is under way. Wait until `mailroom status` shows its end, or cancel it in the window."
            );
        }
        ErrorCode::PasswordNeeded => {
            let arg = |name: &str| error.args.get(name).map_or("", String::as_str);
            return format!(
                "The stored password is not sent to another server or for another login name. Give the one of {} at {} with --password-stdin.",
                arg("value"),
                arg("host")
            );
        }
        ErrorCode::ConfirmationNeeded => {
            "Moving and deleting need a confirmation: --confirm ADDRESS, with the address itself."
        }
        ErrorCode::RehearsalNeeded => "Rehearse this choice first.",
        ErrorCode::NobodyToAnswer => match error.args.get("how").map_or("", String::as_str) {
            "automatic" => {
                "A machine wrote this mail; an answer could be answered by it again and again."
            }
            "own" => "Only the team's own addresses have written in this ticket.",
            _ => "This mail names no sender that an answer can be sent to.",
        },
        ErrorCode::NoOutbound => {
            let address = error.args.get("value").map_or("ADDRESS", String::as_str);
            return format!(
                "This address has no server to send with yet: `mailroom servers {address} --smtp HOST:PORT`."
            );
        }
        ErrorCode::SenderNotAllowed => {
            let arg = |name: &str| error.args.get(name).map_or("", String::as_str);
            return format!(
                "Mail of this address does not leave from {}. It may leave from: {}.",
                arg("value"),
                arg("allowed")
            );
        }
        ErrorCode::ReplyUnsure => {
            "Nobody knows whether a reply to this ticket left. Look into the mailbox's sent mail; --again sends it once more."
        }
        ErrorCode::InvalidManifest => {
            "This is no manifest: copy all of it from App registrations › Manifest in Entra."
        }
        ErrorCode::CannotWriteFile => "The file cannot be written.",
        ErrorCode::Internal => {
            return format!("Mailroom met a defect of its own: {}", error.message);
        }
    };
    text.to_owned()
}

/// Who uses an address, and what to do about it.
fn in_use(error: &ApiError) -> String {
    let arg = |name: &str| error.args.get(name).map_or("", String::as_str);
    let by = arg("by");
    match arg("how") {
        "alias" => format!("This address is another name of {by}, which is connected."),
        "agent" => format!(
            "This is the own address of {by}, who is in the team. If mail to it is for everybody: `mailroom agents remove {}`.",
            arg("value")
        ),
        "requester" => format!(
            "{by} wrote in from this address: {} ticket(s). If it is the team's own all the same, add --although-requester.",
            arg("tickets")
        ),
        _ => format!("This address is connected already, as {by}."),
    }
}
