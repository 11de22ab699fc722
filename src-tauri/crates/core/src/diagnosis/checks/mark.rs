//! Telling the server what was imported: judged by the queue, so that a check writes nothing.

use super::{facts, instant};
use crate::diagnosis::evidence::MarkEvidence;
use crate::diagnosis::map::Judgement;
use crate::diagnosis::stations::MARK;
use crate::diagnosis::{Evidence, Finding, Severity};

/// What the queue notes when the folder that mail is moved to is gone.
const TARGET_GONE: &str = "target_folder_gone";

/// Judges marking. Waiting marks are everyday business until the server has refused one.
pub fn check(seen: &MarkEvidence) -> Judgement {
    let refused_at = seen.last_refusal.as_ref().map(|(_, at)| *at);
    let facts = facts([
        ("pending", seen.pending.to_string()),
        ("refused_at", instant(refused_at)),
    ]);
    if seen.pending == 0 || seen.attempts == 0 {
        return Judgement::ok(facts);
    }
    let code = seen.last_refusal.as_ref().map(|(code, _)| code.as_str());
    let evidence = Evidence::of(code, None, code.unwrap_or_default(), &[]);
    let name = match code {
        Some(TARGET_GONE) => "after_import_folder_gone",
        Some(code) if MARK.contains(&code) => code,
        Some(_) | None => "marks_waiting",
    };
    let mut finding = Finding::seen(name, Severity::Warning, &evidence);
    let count = seen.pending.to_string();
    finding.args.insert("count".to_owned(), count);
    Judgement::warning(finding, facts)
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;
    use super::*;
    use crate::diagnosis::map::StationState as S;

    #[test]
    fn only_refused_marks_need_a_look() {
        for (pending, attempts, expected) in [
            (0, 0, (S::Ok, "", false)),
            (7, 0, (S::Ok, "", false)),
            (7, 2, (S::Warning, "marks_waiting", false)),
            (0, 2, (S::Ok, "", false)),
        ] {
            let evidence = MarkEvidence {
                pending,
                attempts,
                last_refusal: Some(("ErrorAccessDenied".into(), 5)),
            };
            let judgement = check(&evidence);
            assert_eq!(seen(&judgement), expected, "{evidence:?}");
            assert_eq!(judgement.facts["pending"], pending.to_string());
        }
        for code in MARK {
            let refused = MarkEvidence {
                pending: 1,
                attempts: 1,
                last_refusal: Some((code.to_string(), 5)),
            };
            assert_eq!(seen(&check(&refused)), (S::Warning, *code, false));
        }
        let no_target = MarkEvidence {
            pending: 1,
            attempts: 1,
            last_refusal: Some((TARGET_GONE.into(), 5)),
        };
        let expected = (S::Warning, "after_import_folder_gone", false);
        assert_eq!(seen(&check(&no_target)), expected);
    }
}
