//! Listing and reading a message.

use super::{facts, instant, refused};
use crate::diagnosis::evidence::FetchEvidence;
use crate::diagnosis::map::Judgement;

/// Judges fetching.
pub fn check(seen: &FetchEvidence) -> Judgement {
    let last = instant(seen.last_success_at);
    match &seen.newest {
        Err(error) => refused(error, facts([("last_success_at", last)])),
        Ok(newest) => {
            let size = newest.map(|(_, size)| size).filter(|size| *size > 0);
            Judgement::ok(facts([
                ("last_success_at", last),
                ("newest_at", instant(newest.map(|(at, _)| at))),
                (
                    "newest_bytes",
                    size.map_or(String::new(), |s| s.to_string()),
                ),
            ]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{said, seen};
    use super::*;
    use crate::diagnosis::map::StationState as S;
    use crate::provider::ProviderError;
    use std::time::Duration;

    #[test]
    fn reads_a_message_or_says_why_not() {
        let evidence = |newest| FetchEvidence {
            newest,
            last_success_at: Some(5),
        };
        for (newest, expected) in [
            (Ok(None), (S::Ok, "", false)),
            (Ok(Some((9, 1_000))), (S::Ok, "", false)),
            (
                Err(ProviderError::Protocol("foreign_link", said("x", 200))),
                (S::Failed, "protocol", true),
            ),
            (
                Err(ProviderError::Throttled(
                    Duration::from_secs(1),
                    said("x", 429),
                )),
                (S::Warning, "throttled", true),
            ),
        ] {
            assert_eq!(seen(&check(&evidence(newest))), expected);
        }
        let facts = check(&evidence(Ok(Some((9, 1_000))))).facts;
        assert_eq!(
            (facts["newest_at"].as_str(), facts["newest_bytes"].as_str()),
            ("9", "1000")
        );
        assert!(!check(&evidence(Ok(None))).facts.contains_key("newest_at"));
    }
}
