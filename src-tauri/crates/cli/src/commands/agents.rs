//! The people of the team.

use crate::args::{AgentsCommand, Common};
use crate::{Failure, print, session};
use mailroom_core::api;

/// `agents`
pub(crate) async fn run(common: &Common, what: Option<AgentsCommand>) -> Result<(), Failure> {
    let app = session::open(common, false).await?;
    let agents = match what {
        None => api::list_agents(&app).await?,
        Some(AgentsCommand::Add { address, name }) => api::add_agent(&app, &name, &address).await?,
        Some(AgentsCommand::Remove { address }) => {
            let id = api::find_agent(&app, &address).await?;
            api::remove_agent(&app, id).await?
        }
    };
    if common.json {
        print::json(&agents);
        return Ok(());
    }
    if agents.is_empty() {
        print::note("Nobody yet. Add somebody: mailroom agents add ADDRESS --name NAME");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = agents
        .into_iter()
        .map(|agent| vec![agent.address, agent.name])
        .collect();
    print::table(&["ADDRESS", "NAME"], &rows);
    Ok(())
}
