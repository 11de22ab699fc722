//! Inbox rules that send mail on, looked for when somebody wants to know. They need a permission of their own, which
//! an ordinary sign-in never asks for.

use super::addresses::row_and_account;
use super::connect::begin_again;
use super::error::{ApiError, ErrorCode};
use super::view::ConnectAttempt;
use crate::Millis;
use crate::app::App;
use crate::app::handoffs::includes_rules;
use crate::diagnosis::{Finding, Severity};
use crate::oauth::RULES_SCOPE;
use crate::provider::{ForwardingRule, ProviderError};
use crate::store::accounts::AccountRow;
use crate::store::addresses::AddressRow;
use crate::sync::StepError;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What looking for forwarding rules has shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum ForwardingCheck {
    /// Nothing was looked at: the permission is missing, and [`ask_for_forwarding`] asks for it.
    NeedsConsent {
        /// The permission.
        scope: String,
    },
    /// The rules were read.
    Looked {
        /// When.
        #[cfg_attr(feature = "bindings", ts(type = "number"))]
        at: Millis,
        /// One for each rule that is on and sends mail on: `forwarding_rule`, or `forwarding_rule_takes` where the mail
        /// does not stay in the inbox. `args.rule` and `args.target` name it.
        findings: Vec<Finding>,
    },
}

/// Looks for inbox rules that send mail on. Nothing is changed. Forwarding that an admin has set on the mailbox itself
/// is no rule, and Graph does not show it.
///
/// # Errors
/// [`ErrorCode::NotFound`]; [`ErrorCode::WrongState`] where rules cannot be read (IMAP, a shared mailbox, a disconnected
/// address); what keeps the keychain shut, and what the server said.
pub async fn look_for_forwarding(app: &App, id: i64) -> Result<ForwardingCheck, ApiError> {
    let (row, account) = readable(app, id).await?;
    if !includes_rules(&account.scopes) {
        return Ok(needs_consent());
    }
    let provider = app.context.connections.provider(&row, &account).await?;
    let rules = match provider.forwarding_rules().await {
        // The permission may have been withdrawn since it was stored; or the mailbox is closed, and consent opens nothing.
        Err(ProviderError::Forbidden(_)) if !still_granted(app, &account).await? => {
            return Ok(needs_consent());
        }
        rules => rules.map_err(StepError::Provider)?,
    };
    let rules = rules.ok_or_else(|| wrong_state(&row))?;
    let findings = rules
        .into_iter()
        .map(|rule| {
            finding(rule).about(
                &row.address,
                Some(&account.identity.login_name),
                &account.registration,
            )
        })
        .collect();
    Ok(ForwardingCheck::Looked {
        at: app.context.clock.now(),
        findings,
    })
}

/// Opens the browser to ask for the permission to read the mailbox's rules beside those that are there already. The
/// attempt goes on as any other: [`super::finish_connect`] keeps what was granted, and a refusal is a finding that can be
/// handed over.
///
/// # Errors
/// As [`look_for_forwarding`].
pub async fn ask_for_forwarding(
    app: &Arc<App>,
    id: i64,
    private_window: bool,
    language: &str,
) -> Result<ConnectAttempt, ApiError> {
    let known = readable(app, id).await?;
    begin_again(app, known, Some(RULES_SCOPE), private_window, language).await
}

fn needs_consent() -> ForwardingCheck {
    ForwardingCheck::NeedsConsent {
        scope: RULES_SCOPE.to_owned(),
    }
}

/// Whether the sign-in service itself still lists the permission, by a renewal unless there has just been one.
async fn still_granted(app: &App, account: &AccountRow) -> Result<bool, ApiError> {
    let tokens = app.context.connections.tokens(account).await?;
    tokens.doubt().await;
    let renewed = match tokens.access().await {
        Ok(_) => tokens.scopes().await,
        Err(error) => Err(error),
    };
    let granted = renewed.map_err(|error| StepError::Provider(error.into()))?;
    Ok(includes_rules(&granted))
}

/// Only one's own mailbox shows its rules, and only by Graph ("List rules": delegated, `MailboxSettings.Read`).
async fn readable(app: &App, id: i64) -> Result<(AddressRow, AccountRow), ApiError> {
    let (row, account) = row_and_account(app, id).await?;
    match row.server.is_some() || row.mailbox.is_some() || row.disconnected {
        true => Err(wrong_state(&row)),
        false => Ok((row, account)),
    }
}

fn wrong_state(row: &AddressRow) -> ApiError {
    ApiError::new(ErrorCode::WrongState).arg("value", &row.address)
}

fn finding(rule: ForwardingRule) -> Finding {
    let code = match rule.takes_away {
        true => "forwarding_rule_takes",
        false => "forwarding_rule",
    };
    let mut finding = Finding::plain(code, Severity::Warning);
    let args = [("rule", rule.name), ("target", rule.targets.join(", "))];
    for (name, value) in args {
        if !value.trim().is_empty() {
            finding.args.insert(name.to_owned(), value);
        }
    }
    finding
}
