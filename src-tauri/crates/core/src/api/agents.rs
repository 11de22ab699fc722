//! Agents: the people of the team, whose own addresses are refused as addresses of the team.

use super::error::{ApiError, ErrorCode};
use super::view::AgentView;
use crate::account::EmailAddress;
use crate::app::App;
use crate::store::{addresses, agents};

/// Characters that a name may have.
const LONGEST_NAME: usize = 120;

/// Everybody of the team.
///
/// # Errors
/// The database cannot be read.
pub async fn list_agents(app: &App) -> Result<Vec<AgentView>, ApiError> {
    Ok(app.context.store.read(agents::all).await?)
}

/// Adds somebody, or gives the one with this address another name; gives the whole list back. The name may be empty.
///
/// # Errors
/// [`ErrorCode::InvalidAddress`], [`ErrorCode::OutOfRange`] for a name that is too long, [`ErrorCode::AddressInUse`]
/// for an address that is connected: mail to it is everybody's.
pub async fn add_agent(app: &App, name: &str, address: &str) -> Result<Vec<AgentView>, ApiError> {
    let asked = EmailAddress::parse(address)
        .ok_or_else(|| ApiError::new(ErrorCode::InvalidAddress).arg("value", address))?;
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(ApiError::new(ErrorCode::OutOfRange)
            .arg("value", name)
            .arg("least", 0)
            .arg("most", LONGEST_NAME));
    }
    let now = app.context.clock.now();
    let refused = asked.clone();
    let added = app
        .context
        .store
        .write(move |tx| {
            match addresses::user_of(tx, &asked.key())? {
                Some(user) if user.1 != "agent" => return Ok(Err(user)),
                Some(_) | None => {}
            }
            agents::put(tx, &name, &asked, now)?;
            Ok(Ok(agents::all(tx)?))
        })
        .await?;
    added.map_err(|user| super::connect::in_use(&refused, &user))
}

/// Removes somebody; gives the whole list back. Nothing else changes.
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub async fn remove_agent(app: &App, id: i64) -> Result<Vec<AgentView>, ApiError> {
    let left = app
        .context
        .store
        .write(move |tx| match agents::remove(tx, id)? {
            true => agents::all(tx).map(Some),
            false => Ok(None),
        })
        .await?;
    left.ok_or_else(super::addresses::not_found)
}

/// The id of somebody of the team, by their address as written.
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub async fn find_agent(app: &App, address: &str) -> Result<i64, ApiError> {
    let key = address.trim().to_lowercase();
    let found = app
        .context
        .store
        .read(move |db| agents::by_key(db, &key))
        .await?;
    found.ok_or_else(|| super::addresses::not_found().arg("value", address))
}
