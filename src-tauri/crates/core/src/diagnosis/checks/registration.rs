//! The tenant, and the app registration in it.

use super::{facts, finding_of_sign_in, own};
use crate::diagnosis::evidence::RegistrationEvidence;
use crate::diagnosis::map::{Judgement, Station};

/// Judges the registration: does the tenant exist, and does the sign-in service know and accept the app.
pub fn check(seen: &RegistrationEvidence) -> Judgement {
    let issuer = match &seen.discovery {
        Ok(issuer) => issuer.clone(),
        Err(error) => return Judgement::failed(finding_of_sign_in(error), facts([])),
    };
    let facts = facts([("issuer", issuer)]);
    match own(seen.refusal.as_ref(), Station::Registration) {
        Some(finding) => Judgement::failed(finding, facts),
        None => Judgement::ok(facts),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refusal, said, seen};
    use super::*;
    use crate::diagnosis::map::StationState as S;
    use crate::oauth::error::SignInError;

    const ISSUER: &str = "https://login.contoso.example/t/v2.0";

    #[test]
    fn finds_a_missing_tenant_and_a_refused_app_and_leaves_the_rest_to_others() {
        for (code, expected) in [
            ("AADSTS700016", (S::Failed, "AADSTS700016", true)),
            ("AADSTS7000112", (S::Failed, "AADSTS7000112", true)),
            ("AADSTS65001", (S::Ok, "", false)),
            ("AADSTS50173", (S::Ok, "", false)),
        ] {
            let evidence = RegistrationEvidence {
                discovery: Ok(ISSUER.into()),
                refusal: refusal(code),
            };
            assert_eq!(seen(&check(&evidence)), expected, "{code}");
        }
        let missing = RegistrationEvidence {
            discovery: Err(SignInError::TenantNotFound(said("AADSTS90002", 400))),
            refusal: None,
        };
        assert_eq!(
            seen(&check(&missing)),
            (S::Failed, "tenant_not_found", true)
        );
    }

    #[test]
    fn shows_the_issuer_when_all_is_well() {
        let judgement = check(&RegistrationEvidence {
            discovery: Ok(ISSUER.into()),
            refusal: None,
        });
        assert_eq!(seen(&judgement), (S::Ok, "", false));
        assert_eq!(judgement.facts["issuer"], ISSUER);
    }
}
