//! `registration`: a script that sets the app registration up, and an audit of one.

use crate::args::{AccessChoice, Common, RegistrationCommand, ShellChoice};
use crate::{Failure, print, session};
use mailroom_core::api;
use mailroom_core::api::error::{ApiError, ErrorCode};
use mailroom_core::api::view::{Access, Audit, Shell};
use serde_json::json;
use std::io::Read;
use std::path::Path;

/// Does what was asked for.
pub(crate) async fn run(common: &Common, what: RegistrationCommand) -> Result<(), Failure> {
    match what {
        RegistrationCommand::Audit {
            manifest,
            tenant,
            access,
        } => audit(common, &manifest, &tenant, access.into()).await,
        RegistrationCommand::Script {
            shell,
            name,
            client_id,
            tenant,
            access,
            output,
        } => {
            let shell = match shell {
                ShellChoice::Powershell => Shell::Powershell,
                ShellChoice::Az => Shell::Az,
            };
            let id = client_id.as_deref();
            let text = api::registration_script(shell, access.into(), &name, &tenant, id);
            match output {
                Some(path) => {
                    api::save_registration_script(&path, text).await?;
                    print::note(&format!("Saved as {}.", path.display()));
                }
                None if common.json => print::json(&json!({ "script": text })),
                None => print::line(text.trim_end()),
            }
            Ok(())
        }
    }
}

/// Fails where something deviates. Where Mailroom is in use, the forecast knows from now on when something in it ends.
async fn audit(common: &Common, path: &Path, tenant: &str, access: Access) -> Result<(), Failure> {
    let text = read(path)?;
    let now = jiff::Timestamp::now().as_millisecond();
    let language = session::language(common);
    let (audit, cards) = api::audit_manifest(&text, access, tenant, &language, now)?;
    if common.json {
        print::json(&json!({ "audit": audit, "cards": cards }));
    } else {
        print::line(&print::plain(&format!(
            "{} ({})",
            audit.name, audit.client_id
        )));
        for card in &cards {
            print::line("");
            print::line(&print::plain(&card.title));
            print::line(&print::plain(&card.meaning));
            for step in &card.steps {
                print::line(&print::plain(&format!("  - {step}")));
            }
            for link in &card.links {
                print::line(&print::plain(&format!("  {}", link.url)));
            }
        }
    }
    if session::is_begun(common) && !keep(common, &audit).await {
        print::note("When its secrets end could not be noted for the forecast.");
    }
    if audit.deviations.is_empty() {
        Ok(())
    } else {
        Err(Failure::Findings)
    }
}

async fn keep(common: &Common, audit: &Audit) -> bool {
    let Ok(app) = session::open(common, false).await else {
        return false;
    };
    let kept = api::keep_expiries(&app, audit).await;
    session::close(&app).await;
    kept.is_ok()
}

fn read(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text))
    };
    match read {
        Ok(_) => Ok(text),
        Err(error) => {
            let unreadable = ApiError::new(ErrorCode::InvalidManifest);
            Err(unreadable
                .because(format!("{}: {error}", path.display()))
                .into())
        }
    }
}

impl From<AccessChoice> for Access {
    fn from(choice: AccessChoice) -> Self {
        match choice {
            AccessChoice::Graph => Self::Graph,
            AccessChoice::GraphShared => Self::GraphShared,
            AccessChoice::Imap => Self::Imap,
        }
    }
}
