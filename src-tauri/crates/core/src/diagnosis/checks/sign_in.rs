//! Who signed in, and whether they need to do so again.

use super::{facts, own};
use crate::diagnosis::evidence::SignInEvidence;
use crate::diagnosis::map::{Judgement, Station};
use crate::diagnosis::{Finding, Severity};

/// Judges the sign-in.
pub fn check(seen: &SignInEvidence) -> Judgement {
    let Some(identity) = &seen.identity else {
        let finding = Finding::plain("sign_in_again", Severity::Failed);
        return Judgement::failed(finding, facts([]));
    };
    let facts = facts([
        ("login", identity.login_name.clone()),
        ("name", identity.display_name.clone()),
        ("tenant_id", identity.tenant_id.clone()),
        ("object_id", identity.object_id.clone()),
    ]);
    match own(seen.refusal.as_ref(), Station::SignIn) {
        Some(finding) => Judgement::failed(finding, facts),
        None => Judgement::ok(facts),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refusal, seen};
    use super::*;
    use crate::account::Identity;
    use crate::diagnosis::map::StationState as S;

    fn identity() -> Option<Identity> {
        Some(Identity {
            tenant_id: "t".into(),
            object_id: "o".into(),
            login_name: "support@contoso.example".into(),
            display_name: String::new(),
            primary: None,
            aliases: Vec::new(),
        })
    }

    #[test]
    fn a_person_is_needed_where_the_sign_in_service_wants_one() {
        for (code, expected) in [
            ("AADSTS50076", (S::Failed, "AADSTS50076", true)),
            ("AADSTS53003", (S::Failed, "AADSTS53003", true)),
            (
                "interaction_required",
                (S::Failed, "interaction_required", true),
            ),
            ("AADSTS65001", (S::Ok, "", false)),
            ("AADSTS700082", (S::Ok, "", false)),
        ] {
            let evidence = SignInEvidence {
                identity: identity(),
                refusal: refusal(code),
            };
            assert_eq!(seen(&check(&evidence)), expected, "{code}");
        }
    }

    #[test]
    fn nobody_signed_in_is_said_and_names_are_shown_otherwise() {
        let nobody = SignInEvidence {
            identity: None,
            refusal: None,
        };
        assert_eq!(seen(&check(&nobody)), (S::Failed, "sign_in_again", true));
        let judgement = check(&SignInEvidence {
            identity: identity(),
            refusal: None,
        });
        assert_eq!(judgement.facts["login"], "support@contoso.example");
        assert!(!judgement.facts.contains_key("name"));
    }
}
