//! What the token grants, against what is needed. What Exchange allows is [`super::mailbox_right`]'s.

use super::{facts, instant, own};
use crate::diagnosis::evidence::ConsentEvidence;
use crate::diagnosis::map::{Judgement, Station};
use crate::diagnosis::stations::needs_approval;
use crate::diagnosis::{Finding, Severity};

/// Judges consent.
pub fn check(seen: &ConsentEvidence) -> Judgement {
    let has = |scope: &String| {
        seen.granted
            .iter()
            .any(|granted| granted.eq_ignore_ascii_case(scope))
    };
    let missing: Vec<&str> = seen
        .needed
        .iter()
        .filter(|scope| !has(scope))
        .map(String::as_str)
        .collect();
    let facts = facts([
        ("needed", seen.needed.len().to_string()),
        ("granted", (seen.needed.len() - missing.len()).to_string()),
        ("missing", missing.join(" ")),
        ("waiting_since_at", instant(seen.asked.map(|(at, _)| at))),
    ]);
    let refusal = own(seen.refusal.as_ref(), Station::Consent);
    let finding = match (refusal, missing.is_empty()) {
        (Some(finding), _) => finding,
        (None, true) => return Judgement::ok(facts),
        (None, false) => {
            let mut finding = Finding::plain("missing_scope", Severity::Failed);
            finding.args.insert("scope".to_owned(), missing.join(" "));
            finding
        }
    };
    let denied = seen.asked.is_some_and(|(_, denied)| denied) && needs_approval(&finding.code);
    let finding = if denied {
        finding.called("approval_denied")
    } else {
        finding
    };
    Judgement::failed(finding, facts)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refusal, seen};
    use super::*;
    use crate::diagnosis::map::StationState as S;

    fn evidence(granted: &[&str]) -> ConsentEvidence {
        ConsentEvidence {
            needed: ["User.Read", "Mail.ReadWrite", "Mail.Send"]
                .map(str::to_owned)
                .to_vec(),
            granted: granted.iter().map(ToString::to_string).collect(),
            refusal: None,
            asked: None,
        }
    }

    #[test]
    fn compares_scope_by_scope_without_regard_to_case() {
        let all = evidence(&["mail.send", "User.Read", "Mail.ReadWrite", "Calendars.Read"]);
        assert_eq!(seen(&check(&all)), (S::Ok, "", false));
        let judgement = check(&evidence(&["User.Read"]));
        assert_eq!(seen(&judgement), (S::Failed, "missing_scope", true));
        assert_eq!(judgement.facts["missing"], "Mail.ReadWrite Mail.Send");
        assert_eq!(judgement.facts["granted"], "1");
        let finding = judgement.finding.unwrap();
        assert_eq!(finding.args["scope"], "Mail.ReadWrite Mail.Send");
    }

    #[test]
    fn the_sign_in_services_own_word_comes_first() {
        for (code, expected) in [
            ("AADSTS65001", (S::Failed, "AADSTS65001", true)),
            ("AADSTS90094", (S::Failed, "AADSTS90094", true)),
            ("AADSTS50173", (S::Ok, "", false)),
            ("ErrorAccessDenied", (S::Ok, "", false)),
            ("DefaultFolderNotFound", (S::Ok, "", false)),
        ] {
            let evidence = ConsentEvidence {
                refusal: refusal(code),
                ..evidence(&["User.Read", "Mail.ReadWrite", "Mail.Send"])
            };
            assert_eq!(seen(&check(&evidence)), expected, "{code}");
        }
    }

    #[test]
    fn waiting_is_shown_and_a_denial_is_a_denial() {
        let asked = |denied| ConsentEvidence {
            refusal: refusal("AADSTS65001"),
            asked: Some((1_700_000_000_000, denied)),
            ..evidence(&["User.Read", "Mail.ReadWrite", "Mail.Send"])
        };
        let waiting = check(&asked(false));
        assert_eq!(seen(&waiting), (S::Failed, "AADSTS65001", true));
        assert_eq!(waiting.facts["waiting_since_at"], "1700000000000");
        assert_eq!(
            seen(&check(&asked(true))),
            (S::Failed, "approval_denied", true)
        );
    }
}
