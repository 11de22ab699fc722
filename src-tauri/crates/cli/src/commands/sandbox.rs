//! The practice tenant.

use crate::args::SandboxArguments;
use crate::{Failure, print, session};
use mailroom_sandbox::{Options, Sandbox, StartError, exercises};
use std::io::IsTerminal;
use std::time::Duration;

/// How often a mail arrives while somebody watches.
const ARRIVALS: Duration = Duration::from_secs(45);

/// `sandbox`
pub(crate) async fn run(options: SandboxArguments, json: bool) -> Result<(), Failure> {
    if options.list_scenarios {
        list_scenarios(json);
        return Ok(());
    }
    let watched = std::io::stdout().is_terminal();
    let arrivals = match options.arrivals {
        Some(0) => None,
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => watched.then_some(ARRIVALS),
    };
    let sandbox = Sandbox::start(Options {
        port: options.port,
        https: options.https,
        scenarios: options.scenarios,
        mail: options.mail,
        arrivals,
        state_dir: options.state_dir,
    })
    .await
    .map_err(failure)?;
    match serde_json::to_string(sandbox.description()) {
        Ok(text) => print::line(&text),
        Err(error) => print::note(&error.to_string()),
    }
    if watched {
        print::note("The practice tenant runs. Ctrl-C ends it.");
    }
    session::interrupted().await;
    sandbox.stop().await;
    Ok(())
}

fn list_scenarios(json: bool) {
    let all = exercises();
    if json {
        print::json(&all);
        return;
    }
    for one in all {
        print::line(one.name);
        print::line(&format!("    {}", one.description));
        print::line(&format!("    Mended: {}", one.mend_by));
    }
}

/// A start that did not work out, as wrong usage where it is one.
pub(crate) fn failure(error: StartError) -> Failure {
    let text = error.to_string();
    match error {
        StartError::UnknownScenario { .. } => Failure::Usage(text),
        StartError::Listen { .. }
        | StartError::File { .. }
        | StartError::State { .. }
        | StartError::Key(_) => Failure::Other(text),
    }
}
