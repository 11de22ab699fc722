//! The mailbox: it exists, it can be reached through the mail server, and its address is still the connected one.

use super::{facts, refused};
use crate::account::{EmailAddress, Identity};
use crate::diagnosis::evidence::MailboxEvidence;
use crate::diagnosis::map::{Facts, Judgement};
use crate::diagnosis::{Finding, Severity};
use crate::provider::{ProviderError, Quota};

/// Judges the mailbox. For a shared one, refusals of access belong to [`super::mailbox_right`].
pub fn check(seen: &MailboxEvidence) -> Judgement {
    if let Some(wait) = seen.wait {
        let finding = Finding::plain("throttled", Severity::Warning);
        let facts = facts([("wait_ms", wait.as_millis().to_string())]);
        return Judgement::not_now(finding, facts);
    }
    let mut facts = Facts::new();
    match &seen.identity {
        Some(Err(error)) => return refused(error, facts),
        Some(Ok(identity)) => {
            facts = describe(identity);
            if let Some(finding) = moved(&seen.address, identity) {
                return Judgement::failed(finding, facts);
            }
        }
        None => {}
    }
    if let Some(shared) = &seen.shared {
        facts.insert("mailbox".to_owned(), shared.clone());
    }
    match &seen.inbox {
        Some(Ok(inbox)) => {
            facts.insert("messages".to_owned(), inbox.total.to_string());
            Judgement::ok(facts)
        }
        Some(Err(error)) if seen.shared.is_some() && is_about_access(error) => Judgement::ok(facts),
        Some(Err(error)) => refused(error, facts),
        None => Judgement::ok(facts),
    }
}

/// From so many percent on there is little room.
const LITTLE_ROOM: u64 = 95;

/// Judges how full a mailbox is that can be opened. Into a full one no mail arrives any more.
pub fn room(quota: Option<Quota>) -> Judgement {
    let Some(quota) = quota else {
        return Judgement::ok(Facts::new());
    };
    let percent = quota.percent();
    let facts = facts([("room_taken", format!("{percent} %"))]);
    match percent {
        100.. => Judgement::failed(Finding::plain("mailbox_full", Severity::Failed), facts),
        LITTLE_ROOM.. => Judgement::warning(
            Finding::plain("mailbox_nearly_full", Severity::Warning),
            facts,
        ),
        _ => Judgement::ok(facts),
    }
}

/// Whether the mail server refuses access to a mailbox that exists. A mailbox that the account may not open looks as if
/// it had no folders ("Default folder Root not found.").
pub(super) fn is_about_access(error: &ProviderError) -> bool {
    match error {
        ProviderError::Forbidden(_) => true,
        ProviderError::NotFound(evidence) => {
            matches!(
                evidence.code.as_deref(),
                Some("ErrorItemNotFound" | "DefaultFolderNotFound") | None
            )
        }
        ProviderError::Offline(_)
        | ProviderError::Token(_)
        | ProviderError::Unauthorized(_)
        | ProviderError::Untrusted(_)
        | ProviderError::Throttled(..)
        | ProviderError::CursorExpired(_)
        | ProviderError::QuotaFull(_)
        | ProviderError::Server(_)
        | ProviderError::Protocol(..) => false,
    }
}

fn describe(identity: &Identity) -> Facts {
    let primary = identity.primary.as_ref().map(ToString::to_string);
    facts([
        ("login", identity.login_name.clone()),
        ("primary", primary.unwrap_or_default()),
        ("aliases", identity.aliases.len().to_string()),
    ])
}

/// The account no longer owns the address: it was renamed, or the address was given to somebody else.
pub(crate) fn moved(address: &str, identity: &Identity) -> Option<Finding> {
    let address = EmailAddress::parse(address)?;
    if identity.owns(&address) {
        return None;
    }
    let mut finding = Finding::plain("address_moved", Severity::Failed);
    let primary = identity.primary.as_ref().map(ToString::to_string);
    for (name, value) in [
        ("address", address.to_string()),
        ("login", identity.login_name.clone()),
        ("primary", primary.unwrap_or_default()),
    ] {
        finding.args.insert(name.to_owned(), value);
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{said, seen};
    use super::*;
    use crate::diagnosis::Evidence;
    use crate::diagnosis::map::StationState as S;
    use crate::provider::Folder;
    use std::time::Duration;

    fn identity(primary: &str) -> Identity {
        Identity {
            tenant_id: "t".into(),
            object_id: "o".into(),
            login_name: "s.box@contoso.example".into(),
            display_name: "Support".into(),
            primary: EmailAddress::parse(primary),
            aliases: Vec::new(),
        }
    }

    fn inbox() -> Folder {
        Folder {
            id: "f".into(),
            name: "Inbox".into(),
            total: 12,
            has_had_mail: true,
        }
    }

    fn well() -> MailboxEvidence {
        MailboxEvidence {
            address: "Support@contoso.example".into(),
            shared: None,
            identity: Some(Ok(identity("support@contoso.example"))),
            inbox: Some(Ok(inbox())),
            wait: None,
        }
    }

    #[test]
    fn finds_what_is_wrong_with_the_mailbox() {
        use ProviderError as E;
        let of_identity = |error| MailboxEvidence {
            identity: Some(Err(error)),
            inbox: None,
            ..well()
        };
        let of_inbox = |error| MailboxEvidence {
            inbox: Some(Err(error)),
            ..well()
        };
        for (evidence, expected) in [
            (well(), (S::Ok, "", false)),
            (
                of_inbox(E::NotFound(said("MailboxNotEnabledForRESTAPI", 404))),
                (S::Failed, "MailboxNotEnabledForRESTAPI", true),
            ),
            (
                of_inbox(E::Forbidden(said("ErrorAccessDenied", 403))),
                (S::Failed, "ErrorAccessDenied", true),
            ),
            (
                of_identity(E::Server(said("UnknownError", 503))),
                (S::Failed, "server_trouble", true),
            ),
            (
                of_identity(E::Throttled(
                    Duration::from_secs(5),
                    said("TooManyRequests", 429),
                )),
                (S::Warning, "throttled", true),
            ),
            (
                of_identity(E::Protocol("bad_json", Evidence::default())),
                (S::Failed, "protocol", true),
            ),
            (
                MailboxEvidence {
                    wait: Some(Duration::from_secs(9)),
                    identity: None,
                    inbox: None,
                    ..well()
                },
                (S::Warning, "throttled", true),
            ),
        ] {
            assert_eq!(seen(&check(&evidence)), expected, "{evidence:?}");
        }
    }

    #[test]
    fn little_room_is_a_warning_and_none_a_failure() {
        for (used, limit, expected) in [
            (0, 100, (S::Ok, "", false)),
            (949, 1000, (S::Ok, "", false)),
            (950, 1000, (S::Warning, "mailbox_nearly_full", false)),
            (999, 1000, (S::Warning, "mailbox_nearly_full", false)),
            (1000, 1000, (S::Failed, "mailbox_full", true)),
            (u64::MAX, 1, (S::Failed, "mailbox_full", true)),
            (0, 0, (S::Failed, "mailbox_full", true)),
        ] {
            let judgement = room(Some(Quota { used, limit }));
            assert_eq!(seen(&judgement), expected, "{used} of {limit}");
        }
        assert_eq!(seen(&room(None)), (S::Ok, "", false));
    }

    #[test]
    fn notices_that_the_address_belongs_to_somebody_else_by_now() {
        let judgement = check(&MailboxEvidence {
            identity: Some(Ok(identity("helpdesk@contoso.example"))),
            ..well()
        });
        assert_eq!(seen(&judgement), (S::Failed, "address_moved", true));
        let finding = judgement.finding.unwrap();
        assert_eq!(finding.args["primary"], "helpdesk@contoso.example");
    }

    #[test]
    fn leaves_refused_access_to_a_shared_mailbox_to_the_lamp_of_the_right() {
        let shared = |error| MailboxEvidence {
            shared: Some("team@contoso.example".into()),
            identity: None,
            inbox: Some(Err(error)),
            ..well()
        };
        let access = ProviderError::Forbidden(said("ErrorAccessDenied", 403));
        assert_eq!(seen(&check(&shared(access))), (S::Ok, "", false));
        let gone = ProviderError::NotFound(said("ErrorInvalidUser", 404));
        assert_eq!(
            seen(&check(&shared(gone))),
            (S::Failed, "ErrorInvalidUser", true)
        );
    }
}
