//! A mail to oneself, from sending to arrival.

use super::{facts, instant};
use crate::diagnosis::evidence::SendEvidence;
use crate::diagnosis::map::Judgement;
use crate::diagnosis::{Finding, Severity};

/// Judges the round trip.
pub fn check(seen: &SendEvidence) -> Judgement {
    let unproven = || {
        let finding = Finding::plain("sending_unproven", Severity::Ok);
        Judgement::unknown(Some(finding), facts([]))
    };
    let Some(test) = &seen.test else {
        return unproven();
    };
    if test.refusal.is_some() {
        return unproven();
    }
    let facts = facts([
        ("tested_at", instant(Some(test.sent_at))),
        ("arrived_at", instant(test.arrived_at)),
        (
            "round_trip_ms",
            test.took_ms.map_or(String::new(), |took| took.to_string()),
        ),
    ]);
    if test.arrived_at.is_some() && test.in_inbox {
        // Mail gets there and back. What a rule moves into the folder, a mail to oneself need not be.
        let mut finding = Finding::plain("round_trip_in_inbox", Severity::Ok);
        let folder = seen.folder.clone();
        finding.args.insert("folder".to_owned(), folder);
        Judgement {
            finding: Some(finding),
            ..Judgement::ok(facts)
        }
    } else if test.arrived_at.is_some() {
        Judgement::ok(facts)
    } else {
        let finding = Finding::plain("round_trip_lost", Severity::Failed);
        Judgement::failed(finding, facts)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refusal, seen};
    use super::*;
    use crate::diagnosis::evidence::{SendingWay, SentPlace};
    use crate::diagnosis::map::StationState as S;
    use crate::store::own_tests::OwnTest;

    #[test]
    fn a_test_mail_arrives_or_is_missed() {
        let test = |arrived_at: Option<i64>, refusal| SendEvidence {
            way: SendingWay::Provider,
            folder: "Requests".into(),
            copies: SentPlace::Unknown,
            test: Some(OwnTest {
                id: 1,
                sent_at: 5,
                arrived_at,
                took_ms: arrived_at.map(|_| 1_200),
                refusal,
                in_inbox: false,
            }),
        };
        let beside = |mut seen: SendEvidence| {
            if let Some(test) = &mut seen.test {
                test.in_inbox = true;
            }
            seen
        };
        for (evidence, expected) in [
            (
                SendEvidence::default(),
                (S::Unknown, "sending_unproven", false),
            ),
            (test(Some(9), None), (S::Ok, "", false)),
            (
                beside(test(Some(9), None)),
                (S::Ok, "round_trip_in_inbox", false),
            ),
            (test(None, None), (S::Failed, "round_trip_lost", true)),
            (
                test(None, refusal("ErrorSendAsDenied")),
                (S::Unknown, "sending_unproven", false),
            ),
        ] {
            assert_eq!(seen(&check(&evidence)), expected, "{evidence:?}");
        }
        let finding = check(&beside(test(Some(9), None))).finding.unwrap();
        assert_eq!(finding.args["folder"], "Requests");
        let facts = check(&test(Some(9), None)).facts;
        assert_eq!(facts["round_trip_ms"], "1200");
    }
}
