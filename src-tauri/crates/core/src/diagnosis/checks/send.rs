//! Sending as the address: known only by the test mail that somebody agreed to. That `Mail.Send` is granted is
//! [`super::consent`]'s.

use super::{facts, instant};
use crate::diagnosis::evidence::SendEvidence;
use crate::diagnosis::map::Judgement;
use crate::diagnosis::{Finding, Severity};

/// Judges sending.
pub fn check(seen: &SendEvidence) -> Judgement {
    let Some(test) = &seen.test else {
        let finding = Finding::plain("sending_unproven", Severity::Ok);
        return Judgement::unknown(Some(finding), facts([]));
    };
    let facts = facts([("tested_at", instant(Some(test.sent_at)))]);
    match &test.refusal {
        Some(refusal) => Judgement::failed(refusal.clone(), facts),
        None => Judgement::ok(facts),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refusal, seen};
    use super::*;
    use crate::diagnosis::map::StationState as S;
    use crate::store::own_tests::OwnTest;

    #[test]
    fn sending_is_unknown_until_it_was_tried() {
        let test = |refusal| SendEvidence {
            test: Some(OwnTest {
                id: 1,
                sent_at: 5,
                arrived_at: None,
                took_ms: None,
                refusal,
            }),
        };
        for (evidence, expected) in [
            (
                SendEvidence::default(),
                (S::Unknown, "sending_unproven", false),
            ),
            (test(None), (S::Ok, "", false)),
            (
                test(refusal("ErrorSendAsDenied")),
                (S::Failed, "ErrorSendAsDenied", true),
            ),
        ] {
            assert_eq!(seen(&check(&evidence)), expected, "{evidence:?}");
        }
    }
}
