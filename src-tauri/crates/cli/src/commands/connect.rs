//! Connecting: opens the browser, follows the sign-in, confirms.

use super::{addresses, folders, servers, wait};
use crate::args::{
    AuthChoice, CloudChoice, Common, ConnectArguments, ConvertChoice, ProviderChoice,
    ReconnectArguments, RegistrationArguments,
};
use crate::{Failure, print, session};
use mailroom_core::api::view::{
    AddressView, AfterImport, CloudInput, ConnectAttempt, ConnectChoices, ConnectRequest,
    ConnectStage, Opens, RegistrationInput, Status,
};
use mailroom_core::api::{ConvertTo, ImapInput, IssuerInput, ServerPasswords};
use mailroom_core::{api, app::App};
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;

/// `connect`
pub(crate) async fn connect(common: &Common, options: ConnectArguments) -> Result<(), Failure> {
    let by_imap = options.provider == ProviderChoice::Imap;
    let input = ImapInput {
        server: options.imap.clone(),
        login: options
            .login
            .clone()
            .unwrap_or_else(|| options.address.clone()),
        folder: options.folder.clone(),
        tls: options.imap_tls.into(),
        issuer: issuer(&options.registration),
    };
    if by_imap && options.shared && options.auth == AuthChoice::Password {
        let text = "A shared mailbox has no password: leave out --auth password and sign in with your own account.";
        return Err(Failure::Usage(text.into()));
    }
    let password = match options.auth {
        AuthChoice::Password if by_imap => Some(password(&options)?),
        AuthChoice::Password | AuthChoice::Oauth => None,
    };
    if options.after_import.takes_away() {
        let typed = options.confirm.as_deref().unwrap_or_default();
        if !typed.trim().eq_ignore_ascii_case(options.address.trim()) {
            let text = "Moving and deleting need a confirmation: --confirm with the address itself. \
                `mailroom after-import` shows first what it would do.";
            return Err(Failure::Usage(text.into()));
        }
    }
    let outbound = servers::outbound(&options.outbound);
    if let Some(input) = &outbound {
        if !by_imap {
            let text = "--smtp goes with --provider imap: Graph sends by itself.";
            return Err(Failure::Usage(text.into()));
        }
        api::check_outbound(input)?;
    }
    let passwords = ServerPasswords {
        inbound: None,
        outbound: match options.outbound.smtp_password_stdin {
            true => Some(password_line()?),
            // It came with the name of this server.
            false => password.clone(),
        },
    };
    let app = session::open(common, true).await?;
    if options.although_requester {
        api::allow_requester(&app, &options.address)?;
    }
    let request = ConnectRequest {
        address: options.address.clone(),
        opens: match options.shared {
            true => Opens::Shared,
            false => Opens::Own,
        },
        registration: registration(&options.registration),
        private_window: options.private_window,
        language: session::language(common),
    };
    let is_usual = options.after_import == AfterImport::Read;
    let choices = ConnectChoices {
        brand: options.brand.clone(),
        // Mail is to be moved or deleted with the first import already.
        import_newest: options.newest.filter(|_| is_usual),
        folder: options.folder.clone().filter(|_| !by_imap),
    };
    let view = match password {
        Some(password) => {
            let address = &options.address;
            api::connect_imap(&app, address, input, password, choices).await?
        }
        None if by_imap => {
            let attempt = api::begin_connect_imap(&app, request, input).await?;
            follow(&app, common, attempt, choices).await?
        }
        None => {
            let attempt = api::begin_connect(&app, request).await?;
            follow(&app, common, attempt, choices).await?
        }
    };
    let sends = match outbound {
        Some(mut input) => {
            if options.shared && input.login.is_none() {
                // Nobody signs in as a shared mailbox.
                let details = api::address_details(&app, view.id).await?;
                input.login = Some(details.identity.login_name);
            }
            servers::send_through(&app, common, view.id, input, passwords).await?
        }
        None => true,
    };
    let view = settle(&app, common, view.id).await?;
    let view = match is_usual {
        true => view,
        false => choose(&app, common, view.id, &options).await?,
    };
    session::close(&app).await;
    addresses::show(common, std::slice::from_ref(&view));
    match sends {
        true => verdict(&view),
        false => Err(Failure::Findings),
    }
}

/// `reconnect`
pub(crate) async fn reconnect(common: &Common, options: ReconnectArguments) -> Result<(), Failure> {
    let app = session::open(common, true).await?;
    let id = api::find_address(&app, &options.address).await?;
    let before = api::address_details(&app, id).await?.address;
    let language = session::language(common);
    let privately = options.private_window;
    let attempt = match options.auth {
        None => api::reconnect_address(&app, id, privately, &language).await?,
        Some(ConvertChoice::Oauth) => {
            let registration = registration(&options.registration);
            let to = match (options.provider, issuer(&options.registration)) {
                (ProviderChoice::Graph, _) => ConvertTo::Graph(registration),
                (ProviderChoice::Imap, Some(issuer)) => ConvertTo::ImapIssuer(issuer),
                (ProviderChoice::Imap, None) => ConvertTo::ImapToken(registration),
            };
            api::convert_to_oauth(&app, id, to, privately, &language).await?
        }
    };
    let choices = ConnectChoices {
        brand: before.brand.clone(),
        import_newest: None,
        folder: None,
    };
    follow(&app, common, attempt, choices).await?;
    let view = wait::for_poll(&app, id, Some(&before)).await?;
    session::close(&app).await;
    addresses::show(common, std::slice::from_ref(&view));
    verdict(&view)
}

/// Connects and waits for the import and the first poll.
pub(crate) async fn run(
    app: &Arc<App>,
    common: &Common,
    request: ConnectRequest,
    choices: ConnectChoices,
) -> Result<AddressView, Failure> {
    let attempt = api::begin_connect(app, request).await?;
    let view = follow(app, common, attempt, choices).await?;
    settle(app, common, view.id).await
}

/// Waits for the import and the first poll.
async fn settle(app: &Arc<App>, common: &Common, id: i64) -> Result<AddressView, Failure> {
    wait::for_import(app, common, id).await?;
    wait::for_poll(app, id, None).await
}

/// Chooses what becomes of imported mail, then imports.
async fn choose(
    app: &Arc<App>,
    common: &Common,
    id: i64,
    options: &ConnectArguments,
) -> Result<AddressView, Failure> {
    let (wanted, confirm) = (&options.after_import, options.confirm.clone());
    if common.json {
        // Standard output holds one document: the address.
        if wanted.takes_away() {
            api::rehearse_after_import(app, id, wanted.clone(), folders::NEWEST).await?;
        }
        api::set_after_import(app, id, wanted.clone(), confirm.as_deref(), false).await?;
    } else {
        let choice = folders::Choice {
            choice: None,
            newest: None,
            confirm,
            also_imported: false,
        };
        folders::choose(app, common, id, wanted, &choice).await?;
    }
    if let Some(newest) = options.newest {
        api::start_import(app, id, newest).await?;
    }
    settle(app, common, id).await
}

/// The password from standard input: arguments and environments are seen by other programs.
fn password(options: &ConnectArguments) -> Result<SecretString, Failure> {
    if !options.password_stdin {
        let text = "--auth password needs --password-stdin, with the password as the first line.";
        return Err(Failure::Usage(text.into()));
    }
    password_line()
}

/// The first line of standard input, as a password.
pub(super) fn password_line() -> Result<SecretString, Failure> {
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .map_err(|error| Failure::Usage(format!("--password-stdin: {error}")))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::Usage("--password-stdin: no password came.".into()));
    }
    Ok(SecretString::from(password))
}

fn verdict(view: &AddressView) -> Result<(), Failure> {
    let well = matches!(view.status, Status::Verified | Status::Importing);
    if well { Ok(()) } else { Err(Failure::Findings) }
}

/// One `--scope` may hold several, as RFC 6749 §3.3 writes them.
fn issuer(options: &RegistrationArguments) -> Option<IssuerInput> {
    let scopes = options.scopes.iter().flat_map(|text| text.split(' '));
    Some(IssuerInput {
        issuer: options.issuer.clone()?,
        client_id: options.client_id.clone().unwrap_or_default(),
        scopes: scopes
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned)
            .collect(),
        parameters: options.parameters.iter().cloned().collect(),
    })
}

fn registration(options: &RegistrationArguments) -> Option<RegistrationInput> {
    let client_id = options.client_id.clone()?;
    let cloud = match (&options.authority, &options.graph_url) {
        (Some(authority), Some(graph_url)) => CloudInput::Custom {
            authority: authority.clone(),
            graph_url: graph_url.clone(),
        },
        _ => match options.cloud {
            CloudChoice::Global => CloudInput::Global,
            CloudChoice::UsGov => CloudInput::UsGov,
            CloudChoice::China => CloudInput::China,
        },
    };
    Some(RegistrationInput {
        client_id,
        tenant: options.tenant.clone(),
        cloud,
    })
}

/// Follows the attempt to its end and confirms it.
pub(super) async fn follow(
    app: &Arc<App>,
    common: &Common,
    attempt: ConnectAttempt,
    choices: ConnectChoices,
) -> Result<AddressView, Failure> {
    let mut told = false;
    let interrupted = session::interrupted();
    tokio::pin!(interrupted);
    loop {
        match api::connect_attempt(app, &attempt.id)?.stage {
            ConnectStage::Preparing | ConnectStage::Checking => {}
            ConnectStage::WaitingForBrowser {
                url,
                browser_opened,
                ..
            } => {
                if !told {
                    told = true;
                    let opened = if browser_opened {
                        "Your browser shows the sign-in. If it does not, open this link:"
                    } else {
                        "No browser could be started. Open this link to sign in:"
                    };
                    print::note(opened);
                    print::note(&url);
                }
            }
            ConnectStage::WrongAccount {
                asked, signed_in, ..
            } => {
                return Err(Failure::Other(format!(
                    "{signed_in} signed in, but {asked} was asked for. Nothing was connected and nothing was fetched.\n\
                     Run the command again with --private-window, or sign out of {signed_in} in the browser first."
                )));
            }
            ConnectStage::Failed { finding } => {
                if common.json {
                    print::json(&finding);
                } else {
                    print::finding(&finding, &session::language(common));
                }
                return Err(Failure::Findings);
            }
            ConnectStage::Ready {
                identity, shared, ..
            } => {
                let verb = if shared.is_some() { "opens" } else { "reads" };
                print::note(&format!(
                    "Signed in as {}; {verb} {}.",
                    identity.login_name, attempt.address
                ));
                if shared.is_some_and(|shared| !shared.looked_up) {
                    print::note(
                        "Its name and other addresses cannot be seen without User.Read.All; that it opens is what counts.",
                    );
                }
                return Ok(api::finish_connect(app, &attempt.id, choices).await?);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
            () = &mut interrupted => {
                api::cancel_connect(app, &attempt.id)?;
                return Err(Failure::Other("Cancelled. Nothing was connected.".into()));
            }
        }
    }
}
