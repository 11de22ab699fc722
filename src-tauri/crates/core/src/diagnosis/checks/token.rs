//! Renewing the sign-in without a person.

use super::{facts, finding_of_token, instant};
use crate::diagnosis::evidence::TokenEvidence;
use crate::diagnosis::map::Judgement;

/// Judges the silent renewal.
pub fn check(seen: &TokenEvidence) -> Judgement {
    match &seen.renewal {
        Err(error) => {
            let finding = finding_of_token(error);
            Judgement::failed(finding, facts([]))
        }
        Ok(expires_at) => {
            let facts = facts([("expires_at", instant(*expires_at))]);
            match &seen.unauthorized {
                Some(finding) => Judgement::failed(finding.clone(), facts),
                None => Judgement::ok(facts),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refusal, said, seen};
    use super::*;
    use crate::diagnosis::Evidence;
    use crate::diagnosis::map::StationState as S;
    use crate::oauth::error::TokenError;

    fn evidence(renewal: Result<Option<i64>, TokenError>) -> TokenEvidence {
        TokenEvidence {
            renewal,
            unauthorized: None,
        }
    }

    #[test]
    fn tells_why_no_token_could_be_had() {
        let again = |code: &str| TokenError::SignInAgain {
            error: "invalid_grant".into(),
            suberror: None,
            claims: None,
            evidence: said(code, 400),
        };
        for (error, code) in [
            (again("AADSTS50173"), "AADSTS50173"),
            (again("AADSTS700082"), "AADSTS700082"),
            (TokenError::NoTokens, "key_missing"),
            (TokenError::NotStored("full".into()), "disk_full"),
            (TokenError::Offline(Evidence::default()), "offline"),
            (TokenError::Offline(said("x", 503)), "server_trouble"),
            (
                TokenError::Offline(Evidence {
                    status: None,
                    ..said("connection_timeout", 0)
                }),
                "connection_timeout",
            ),
        ] {
            let judgement = check(&evidence(Err(error)));
            assert_eq!(seen(&judgement), (S::Failed, code, true));
        }
    }

    #[test]
    fn shows_when_the_token_ends_and_believes_the_mail_server() {
        let judgement = check(&evidence(Ok(Some(77))));
        assert_eq!(seen(&judgement), (S::Ok, "", false));
        assert_eq!(judgement.facts["expires_at"], "77");
        let refused = TokenEvidence {
            unauthorized: refusal("InvalidAuthenticationToken"),
            ..evidence(Ok(Some(77)))
        };
        assert_eq!(
            seen(&check(&refused)),
            (S::Failed, "InvalidAuthenticationToken", true)
        );
    }
}
