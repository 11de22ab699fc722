//! Servers: listed, tried, proposed, and the outbound one chosen.

use crate::args::{Common, TlsChoice};
use crate::{Failure, print, session};
use clap::Args;
use mailroom_core::account::Tls;
use mailroom_core::api;
use mailroom_core::api::SmtpInput;
use mailroom_core::api::view::{Direction, ProposedSignIn, ServerKind, ServerSignIn};

/// Options of `servers`.
#[derive(Args)]
pub(crate) struct ServersArguments {
    /// Only this address
    pub(crate) address: Option<String>,
    /// Say which servers this address may have: known providers, and what its own domain publishes
    #[arg(long, value_name = "ADDRESS", conflicts_with = "address")]
    pub(crate) propose: Option<String>,
    /// Sign in to the address's servers and say how each one is; nothing is fetched or sent
    #[arg(long, requires = "address")]
    pub(crate) check: bool,
    /// Send through this server from now on; it is tried before it is kept
    #[arg(long, value_name = "HOST:PORT", requires = "address")]
    pub(crate) smtp: Option<String>,
    /// With --smtp: how the line is encrypted [default: STARTTLS, at port 465 implicit]
    #[arg(long, value_enum, requires = "smtp")]
    pub(crate) smtp_tls: Option<TlsChoice>,
    /// With --smtp: login name [default: that of the inbound server]
    #[arg(long, value_name = "NAME", requires = "smtp")]
    pub(crate) login: Option<String>,
    /// With --smtp: an address that mail may be sent from beside its own; may be repeated
    #[arg(long, value_name = "ADDRESS", requires = "smtp")]
    pub(crate) from: Vec<String>,
    /// With --smtp: a password for this server alone is the first line of standard input
    #[arg(long, requires = "smtp")]
    pub(crate) password_stdin: bool,
}

/// `servers`
pub(crate) async fn run(common: &Common, options: ServersArguments) -> Result<(), Failure> {
    if let Some(address) = &options.propose {
        return propose(common, address).await;
    }
    let app = session::open(common, false).await?;
    let id = match &options.address {
        Some(address) => Some(api::find_address(&app, address).await?),
        None => None,
    };
    if let (Some(id), Some(server)) = (id, &options.smtp) {
        let input = SmtpInput {
            server: server.clone(),
            tls: options.smtp_tls.map(Tls::from),
            login: options.login.clone(),
            auth: None,
            from: options.from.clone(),
        };
        let password = match options.password_stdin {
            true => Some(super::connect::password_line()?),
            false => None,
        };
        api::set_outbound(&app, id, input, password).await?;
    }
    let mut failed = false;
    if let (Some(id), true) = (id, options.check) {
        let results = api::try_servers(&app, id).await?;
        let language = session::language(common);
        failed = results.iter().any(|result| result.finding.is_some());
        if common.json {
            print::json(&results);
        } else {
            for result in &results {
                let name = match result.direction {
                    Direction::Inbound => "Inbound",
                    Direction::Outbound => "Outbound",
                };
                match &result.finding {
                    None => print::line(&format!("{name}: in order")),
                    Some(finding) => {
                        print::line(&format!("{name}:"));
                        print::finding(finding, &language);
                    }
                }
            }
        }
    } else {
        list(common, &api::servers(&app, id).await?);
    }
    session::close(&app).await;
    if failed {
        Err(Failure::Findings)
    } else {
        Ok(())
    }
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
