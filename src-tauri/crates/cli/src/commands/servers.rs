//! Servers: listed, tried, proposed, and changed.

use super::connect::password_line;
use crate::args::{Common, OutboundArguments, ServersArguments};
use crate::{Failure, print, session};
use mailroom_core::account::Tls;
use mailroom_core::api;
use mailroom_core::api::view::{
    Direction, ProposedSignIn, ServerKind, ServerResult, ServerSaved, ServerSignIn,
};
use mailroom_core::api::{InboundInput, ServerPasswords, ServersInput, SmtpInput};
use mailroom_core::app::App;

/// `servers`
pub(crate) async fn run(common: &Common, options: ServersArguments) -> Result<(), Failure> {
    if let Some(address) = &options.propose {
        return propose(common, address).await;
    }
    let sets = options.imap.is_some() || options.outbound.smtp.is_some();
    if !sets && (options.login.is_some() || options.password_stdin || options.anyway) {
        let text = "--login, --password-stdin and --anyway go with --imap or --smtp.";
        return Err(Failure::Usage(text.into()));
    }
    if options.outbound.smtp.is_some() && options.address.is_none() {
        return Err(Failure::Usage("--smtp needs the address.".into()));
    }
    let change = match sets {
        true => Some(change(&options)?),
        false => None,
    };
    let app = session::open(common, false).await?;
    let id = match &options.address {
        Some(address) => Some(api::find_address(&app, address).await?),
        None => None,
    };
    let well = match (id, change) {
        (Some(id), Some((input, passwords))) => {
            let results = api::save_servers(&app, id, input, passwords).await?;
            told(common, &results)
        }
        (Some(id), None) if options.remove_smtp => {
            api::remove_outbound(&app, id).await?;
            print::note("Nothing is sent from this address any more.");
            list(common, &api::servers(&app, Some(id)).await?);
            true
        }
        (Some(id), None) if options.check => {
            let results = api::try_servers(&app, id).await?;
            tried(common, &results)
        }
        _ => {
            list(common, &api::servers(&app, id).await?);
            true
        }
    };
    session::close(&app).await;
    if well { Ok(()) } else { Err(Failure::Findings) }
}

/// What is to change, with its passwords from standard input.
fn change(options: &ServersArguments) -> Result<(ServersInput, ServerPasswords), Failure> {
    let inbound = options.imap.as_ref().map(|server| InboundInput {
        server: server.clone(),
        tls: options.imap_tls.map(Tls::from),
        login: options.login.clone(),
    });
    let alone = inbound.is_none();
    let outbound = outbound(&options.outbound).map(|input| SmtpInput {
        login: input.login.or(options.login.clone().filter(|_| alone)),
        ..input
    });
    let mut passwords = ServerPasswords::default();
    if options.password_stdin {
        let line = Some(password_line()?);
        match alone {
            true => passwords.outbound = line,
            false => passwords.inbound = line,
        }
    }
    if options.outbound.smtp_password_stdin {
        passwords.outbound = Some(password_line()?);
    }
    let input = ServersInput {
        inbound,
        outbound,
        anyway: options.anyway,
    };
    Ok((input, passwords))
}

/// The server that takes mail, as the options name it; nothing without `--smtp`.
pub(super) fn outbound(options: &OutboundArguments) -> Option<SmtpInput> {
    Some(SmtpInput {
        server: options.smtp.clone()?,
        tls: options.smtp_tls.map(Tls::from),
        login: options.smtp_login.clone(),
        auth: None,
        from: options.from.clone(),
    })
}

/// Sets up sending for an address that was just connected. Gives whether the server took the sign-in; what it said
/// otherwise stands beside the result.
pub(super) async fn send_through(
    app: &App,
    common: &Common,
    id: i64,
    input: SmtpInput,
    passwords: ServerPasswords,
) -> Result<bool, Failure> {
    let input = ServersInput {
        outbound: Some(input),
        ..ServersInput::default()
    };
    let results = api::save_servers(app, id, input, passwords).await?;
    let refused = results.iter().filter_map(|result| result.finding.as_ref());
    let mut well = true;
    for finding in refused {
        well = false;
        print::note("The address is connected, but nothing can be sent from it yet:");
        match common.json {
            true => print::progress_json(finding),
            false => print::note(&print::in_short(finding, &session::language(common))),
        }
    }
    Ok(well)
}

fn name(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "Inbound",
        Direction::Outbound => "Outbound",
    }
}

/// Prints what became of changed servers; gives whether all are kept.
fn told(common: &Common, results: &[ServerSaved]) -> bool {
    if common.json {
        print::json(&results);
    } else {
        for result in results {
            let kept = match (result.stored, result.finding.is_some()) {
                (true, false) => "saved",
                (true, true) => "saved with a warning",
                (false, _) => "not saved",
            };
            print::line(&format!("{}: {kept}", name(result.direction)));
            if let Some(finding) = &result.finding {
                print::finding(finding, &session::language(common));
            }
            if result.fresh_start {
                print::line(
                    "Reading goes on there from three days before the newest mail that is here; older mail comes by an import.",
                );
            }
        }
    }
    results.iter().all(|result| result.stored)
}

/// Prints how servers are; gives whether all are well.
fn tried(common: &Common, results: &[ServerResult]) -> bool {
    if common.json {
        print::json(&results);
    } else {
        for result in results {
            match &result.finding {
                None => print::line(&format!("{}: in order", name(result.direction))),
                Some(finding) => {
                    print::line(&format!("{}:", name(result.direction)));
                    print::finding(finding, &session::language(common));
                }
            }
        }
    }
    results.iter().all(|result| result.finding.is_none())
}

fn list(common: &Common, servers: &[api::view::ServerView]) {
    if common.json {
        print::json(&servers);
        return;
    }
    let rows: Vec<Vec<String>> = servers
        .iter()
        .map(|server| {
            vec![
                server.address.clone(),
                match server.direction {
                    Direction::Inbound => "in".to_owned(),
                    Direction::Outbound => "out".to_owned(),
                },
                match server.kind {
                    ServerKind::Graph => "Graph".to_owned(),
                    ServerKind::Imap => "IMAP".to_owned(),
                    ServerKind::Smtp => "SMTP".to_owned(),
                },
                format!("{}:{}", server.host, server.port),
                tls(server.tls).to_owned(),
                match server.sign_in {
                    ServerSignIn::Password => "password".to_owned(),
                    ServerSignIn::Browser => "OAuth".to_owned(),
                },
                server.user.clone(),
                server.flow.clone(),
                if server.enabled { "yes" } else { "no" }.to_owned(),
                server
                    .warning
                    .as_ref()
                    .map_or_else(String::new, |finding| format!("! {}", finding.code)),
            ]
        })
        .collect();
    let head = [
        "Address", "", "Type", "Server", "TLS", "Sign-in", "User", "Flow", "Enabled", "",
    ];
    print::table(&head, &rows);
}

fn tls(tls: Tls) -> &'static str {
    match tls {
        Tls::Implicit => "TLS",
        Tls::StartTls => "STARTTLS",
    }
}

async fn propose(common: &Common, address: &str) -> Result<(), Failure> {
    let app = session::open(common, false).await?;
    let proposals = api::propose_servers(&app, address).await?;
    session::close(&app).await;
    if common.json {
        print::json(&proposals);
        return Ok(());
    }
    let mut rows = Vec::new();
    for proposal in &proposals {
        let sign_in = match proposal.sign_in {
            ProposedSignIn::Password => "password",
            ProposedSignIn::AppPassword => "app password",
            ProposedSignIn::Microsoft => "OAuth, Microsoft",
            ProposedSignIn::Issuer => "OAuth, --issuer",
        };
        let both = [
            ("in", Some(&proposal.inbound)),
            ("out", proposal.outbound.as_ref()),
        ];
        for (way, server) in both {
            let Some(server) = server else { continue };
            rows.push(vec![
                proposal.source.clone(),
                way.to_owned(),
                format!("{}:{}", server.host, server.port),
                tls(server.tls).to_owned(),
                sign_in.to_owned(),
                server.login.clone(),
            ]);
        }
    }
    print::table(&["Source", "", "Server", "TLS", "Sign-in", "User"], &rows);
    let language = session::language(common);
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    for proposal in &proposals {
        if !proposal.elsewhere.is_empty() {
            let owner = proposal.owner.as_deref().unwrap_or("somebody else");
            print::line(&format!(
                "! {} belongs to {owner}, not to {domain}: use it only if you know that the mail is there.",
                proposal.elsewhere.join(", ")
            ));
        }
        if let Some(code) = &proposal.hint {
            print::hint(code, &language);
        }
    }
    Ok(())
}
