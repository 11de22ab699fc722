//! What Exchange allows: Full Access to a shared mailbox. What the token grants is [`super::consent`]'s.

use super::mailbox::is_about_access;
use super::{facts, finding_of, refused};
use crate::diagnosis::evidence::MailboxEvidence;
use crate::diagnosis::map::Judgement;

/// Judges the right to open the mailbox. The account's own needs none.
pub fn check(seen: &MailboxEvidence) -> Judgement {
    let Some(shared) = &seen.shared else {
        return Judgement::not_needed(facts([]));
    };
    let facts = facts([("mailbox", shared.clone())]);
    match &seen.inbox {
        Some(Err(error)) if is_about_access(error) => {
            Judgement::failed(finding_of(error).called("full_access_missing"), facts)
        }
        Some(Err(error)) => refused(error, facts),
        Some(Ok(_)) => Judgement::ok(facts),
        None => Judgement::unknown(None, facts),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{said, seen};
    use super::*;
    use crate::diagnosis::map::StationState as S;
    use crate::provider::{Folder, ProviderError};

    fn evidence(
        shared: Option<&str>,
        inbox: Option<Result<Folder, ProviderError>>,
    ) -> MailboxEvidence {
        MailboxEvidence {
            address: "team@contoso.example".into(),
            shared: shared.map(str::to_owned),
            identity: None,
            inbox,
            wait: None,
        }
    }

    #[test]
    fn only_shared_mailboxes_need_a_right() {
        let folder = Folder {
            id: "f".into(),
            name: "Inbox".into(),
            total: 0,
            has_had_mail: false,
        };
        let team = Some("team@contoso.example");
        for (evidence, expected) in [
            (evidence(None, None), (S::NotNeeded, "", false)),
            (evidence(team, None), (S::Unknown, "", false)),
            (evidence(team, Some(Ok(folder))), (S::Ok, "", false)),
            (
                evidence(
                    team,
                    Some(Err(ProviderError::NotFound(said("ErrorItemNotFound", 404)))),
                ),
                (S::Failed, "full_access_missing", true),
            ),
            (
                evidence(
                    team,
                    Some(Err(ProviderError::Forbidden(said(
                        "ErrorAccessDenied",
                        403,
                    )))),
                ),
                (S::Failed, "full_access_missing", true),
            ),
        ] {
            assert_eq!(seen(&check(&evidence)), expected, "{evidence:?}");
        }
    }
}
