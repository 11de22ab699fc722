//! This computer: can anything be stored, is the key to the sign-in at hand, is the clock right.

use super::facts;
use crate::diagnosis::evidence::ComputerEvidence;
use crate::diagnosis::map::Judgement;
use crate::diagnosis::{Evidence, Finding, Severity};

/// Entra accepts tokens whose times are off by this much (Microsoft identity platform, "Access tokens": up to five
/// minutes of clock skew).
const SKEW_MS: i64 = 5 * 60 * 1000;

/// Judges this computer.
pub fn check(seen: &ComputerEvidence) -> Judgement {
    let facts = facts([(
        "clock_ahead_ms",
        // Ahead of the server is behind from here.
        seen.skew_ms.map(|ms| (-ms).to_string()).unwrap_or_default(),
    )]);
    if let Some(trouble) = &seen.trouble {
        return Judgement::failed(trouble.clone(), facts);
    }
    if let Some(reason) = &seen.data_folder {
        let evidence = Evidence::of(None, None, reason, &[]);
        let finding = Finding::seen("database_trouble", Severity::Failed, &evidence);
        return Judgement::failed(finding, facts);
    }
    match seen.skew_ms {
        Some(ms) if ms.abs() > SKEW_MS => {
            let mut finding = Finding::plain("clock_skew", Severity::Warning);
            let minutes = (ms.abs() / 60_000).to_string();
            finding.args.insert("minutes".to_owned(), minutes);
            Judgement::warning(finding, facts)
        }
        Some(_) | None => Judgement::ok(facts),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;
    use super::*;
    use crate::diagnosis::map::StationState as S;

    #[test]
    fn finds_what_keeps_this_computer_from_working() {
        let trouble = |code| Some(Finding::plain(code, Severity::Failed));
        for (evidence, expected) in [
            (ComputerEvidence::default(), (S::Ok, "", false)),
            (
                ComputerEvidence {
                    data_folder: Some("Permission denied".into()),
                    ..Default::default()
                },
                (S::Failed, "database_trouble", true),
            ),
            (
                ComputerEvidence {
                    trouble: trouble("keychain_locked"),
                    ..Default::default()
                },
                (S::Failed, "keychain_locked", true),
            ),
            (
                ComputerEvidence {
                    trouble: trouble("disk_full"),
                    skew_ms: Some(900_000),
                    ..Default::default()
                },
                (S::Failed, "disk_full", true),
            ),
            (
                ComputerEvidence {
                    skew_ms: Some(900_000),
                    ..Default::default()
                },
                (S::Warning, "clock_skew", false),
            ),
            (
                ComputerEvidence {
                    skew_ms: Some(-301_000),
                    ..Default::default()
                },
                (S::Warning, "clock_skew", false),
            ),
            (
                ComputerEvidence {
                    skew_ms: Some(299_000),
                    ..Default::default()
                },
                (S::Ok, "", false),
            ),
        ] {
            assert_eq!(seen(&check(&evidence)), expected, "{evidence:?}");
        }
    }

    #[test]
    fn says_how_far_this_clock_is_ahead() {
        let judgement = check(&ComputerEvidence {
            skew_ms: Some(-2_000),
            ..Default::default()
        });
        assert_eq!(judgement.facts["clock_ahead_ms"], "2000");
    }
}
