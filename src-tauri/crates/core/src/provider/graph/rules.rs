//! `…/mailFolders/inbox/messageRules`: rules that send mail on ("List rules", "messageRule resource type",
//! "messageRuleActions resource type").

use super::GraphMailbox;
use super::wire::Page;
use crate::provider::{ForwardingRule, ProviderError};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Most pages read: Exchange keeps a few hundred rules at most.
const PAGES: usize = 20;

impl GraphMailbox {
    /// The rules of the inbox that are switched on and forward or redirect, in the order in which they run.
    pub(crate) async fn forwarding_rules(&self) -> Result<Vec<ForwardingRule>, ProviderError> {
        let mut url = self.url(&["mailFolders", "inbox", "messageRules"], None);
        let mut rules: Vec<Rule> = Vec::new();
        let mut seen = BTreeSet::new();
        for _ in 0..PAGES {
            let page: Page<Rule> = self.get(url.clone(), None).await?;
            rules.extend(page.value);
            seen.insert(url.to_string());
            let Some(next) = page.next_link else { break };
            url = self.own_link(&next)?;
            if seen.contains(url.as_str()) {
                break;
            }
        }
        rules.sort_by_key(|rule| rule.sequence);
        Ok(rules.into_iter().filter_map(Rule::forwarding).collect())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    display_name: Option<String>,
    sequence: Option<i64>,
    is_enabled: Option<bool>,
    actions: Option<Actions>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Actions {
    forward_to: Option<Vec<Recipient>>,
    forward_as_attachment_to: Option<Vec<Recipient>>,
    redirect_to: Option<Vec<Recipient>>,
    delete: Option<bool>,
    permanent_delete: Option<bool>,
    move_to_folder: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
    address: Option<String>,
}

impl Rule {
    fn forwarding(self) -> Option<ForwardingRule> {
        if self.is_enabled == Some(false) {
            return None;
        }
        let actions = self.actions?;
        let lists = [
            actions.forward_to,
            actions.forward_as_attachment_to,
            actions.redirect_to,
        ];
        let mut targets: Vec<String> = Vec::new();
        for recipient in lists.into_iter().flatten().flatten() {
            let target = recipient.email_address.and_then(Named::shown);
            if let Some(target) = target.filter(|target| !targets.contains(target)) {
                targets.push(target);
            }
        }
        let gone = [actions.delete, actions.permanent_delete].contains(&Some(true));
        (!targets.is_empty()).then(|| ForwardingRule {
            name: self.display_name.unwrap_or_default(),
            targets,
            takes_away: gone || actions.move_to_folder.is_some_and(|id| !id.is_empty()),
        })
    }
}

impl Named {
    /// Recipients within the organisation may come with an X.500 name in place of an address.
    fn shown(self) -> Option<String> {
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        match (filled(self.address), filled(self.name)) {
            (Some(address), _) if address.contains('@') => Some(address),
            (_, Some(name)) => Some(name),
            (address, None) => address,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<ForwardingRule> {
        serde_json::from_str::<Rule>(json).unwrap().forwarding()
    }

    #[test]
    fn every_way_of_sending_on_counts_and_everybody_is_named_once() {
        let rule = read(
            r#"{"displayName": "Copies", "isEnabled": true, "actions": {
                "forwardTo": [{"emailAddress": {"name": "Ida", "address": "ida@fabrikam.example"}}],
                "redirectTo": [{"emailAddress": {"name": "Ida", "address": "ida@fabrikam.example"}}],
                "forwardAsAttachmentTo": [{"emailAddress": {"name": "Jo", "address": "/o=Contoso/cn=jo"}}],
                "delete": true}}"#,
        );
        let rule = rule.unwrap();
        assert_eq!(rule.targets, ["ida@fabrikam.example", "Jo"]);
        assert!(rule.takes_away);
    }

    #[test]
    fn rules_that_are_off_or_send_nothing_on_do_not_count() {
        let off = r#"{"isEnabled": false, "actions": {"forwardTo": [{"emailAddress": {"address": "a@b.example"}}]}}"#;
        assert_eq!(read(off), None);
        let moves = r#"{"displayName": "Offers", "isEnabled": true, "actions": {"moveToFolder": "AAMk", "forwardTo": []}}"#;
        assert_eq!(read(moves), None);
        assert_eq!(read(r#"{"displayName": null, "actions": null}"#), None);
    }
}
