//! A shared mailbox: somebody signs in with an account of their own and opens a mailbox that is not theirs. Only the
//! account is looked up under `/me`; mail is never.

use super::{Plan, Proven, folder_of, provider_finding, trial};
use crate::account::{EmailAddress, Identity};
use crate::api::view::{ConnectStage, ScopeView, SharedMailbox};
use crate::app::App;
use crate::app::views::identity_view;
use crate::diagnosis::Finding;
use crate::diagnosis::checks::{mailbox, mailbox_right};
use crate::diagnosis::evidence::MailboxEvidence;
use crate::provider::ProviderError;
use crate::sync::HeldTokens;

/// Opens the inbox of `shared` with the sign-in of `person`. That it opens proves Full Access; sending is proved later,
/// and only when somebody agrees to a test mail.
pub(super) async fn check(
    app: &App,
    plan: &Plan,
    shared: &EmailAddress,
    person: Identity,
    (tokens, scopes): (HeldTokens, Vec<ScopeView>),
) -> Result<(ConnectStage, Option<Proven>), Finding> {
    let provider = trial(app, plan, &tokens);
    let inbox = provider.folder(None).await;
    let seen = MailboxEvidence {
        address: shared.to_string(),
        shared: Some(shared.to_string()),
        identity: None,
        inbox: Some(inbox.clone()),
        wait: None,
    };
    for judgement in [mailbox::check(&seen), mailbox_right::check(&seen)] {
        if let Some(mut finding) = judgement.finding {
            let login = person.login_name.clone();
            finding.args.insert("login".to_owned(), login);
            return Err(finding);
        }
    }
    let inbox = inbox.map_err(provider_finding)?;
    // Needs `User.Read.All` (or its basic form), which is not asked for: where it was granted anyway, it is used.
    let owner = match provider.identity().await {
        Ok(owner) => Some(owner),
        Err(ProviderError::Forbidden(_)) => None,
        Err(error) => return Err(provider_finding(error)),
    };
    let moved = |owner| mailbox::moved(shared.as_str(), owner);
    if let Some(finding) = owner.as_ref().and_then(moved) {
        return Err(finding);
    }
    let folder = folder_of(plan, &provider, Some(inbox)).await?;
    let stage = ConnectStage::Ready {
        identity: identity_view(&person),
        shared: Some(drawn(shared, owner.as_ref())),
        scopes,
        folder: folder.name.clone(),
        folder_messages: folder.total,
    };
    let proven = Proven {
        identity: person,
        tokens,
        folder,
        mailbox: owner,
    };
    Ok((stage, Some(proven)))
}

fn drawn(shared: &EmailAddress, owner: Option<&Identity>) -> SharedMailbox {
    let name = owner.map(|owner| owner.display_name.clone());
    SharedMailbox {
        address: shared.to_string(),
        display_name: name.filter(|name| !name.is_empty()),
        primary_address: owner
            .and_then(|owner| owner.primary.as_ref())
            .map(ToString::to_string),
        aliases: owner
            .iter()
            .flat_map(|owner| &owner.aliases)
            .map(ToString::to_string)
            .collect(),
        looked_up: owner.is_some(),
    }
}
