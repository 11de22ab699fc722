//! May this authorization code be redeemed by this request?

use super::authority::Authority;
use super::errors::Refusal;
use super::grants::Code;
use super::request::Parameters;
use crate::tenant::directory::{Platform, Registration};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use sha2::{Digest, Sha256};

/// Refuses a code that does not belong to this request.
///
/// # Errors
/// What the token endpoint says.
pub(super) fn check(
    code: &Code,
    authority: &Authority,
    app: &Registration,
    redirect_uri: &str,
    p: &Parameters,
) -> Result<(), Refusal> {
    if code.grant.client_id != app.client_id {
        return Err(Refusal::new(
            "invalid_grant",
            70_000,
            "The provided value for the input parameter 'code' is not valid: it was issued to another application.",
        ));
    }
    if !code.grant.authority.redeems(authority) {
        return Err(Refusal::new(
            "invalid_grant",
            700_005,
            "Provided Authorization Code is intended to use against other tenant, thus rejected.",
        ));
    }
    if code.redirect_uri != redirect_uri {
        return Err(Refusal::new(
            "invalid_grant",
            500_112,
            format!(
                "The reply address '{redirect_uri}' does not match the reply address '{}' provided when requesting Authorization code.",
                code.redirect_uri
            ),
        ));
    }
    if code.platform == Platform::Web || !app.public_client {
        let id = app.client_id;
        return Err(
            if p.contains_key("client_secret") || p.contains_key("client_assertion") {
                let text = format!(
                    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{id}'."
                );
                Refusal::new("invalid_client", 7_000_215, text)
            } else {
                no_secret()
            },
        );
    }
    let Some(challenge) = &code.challenge else {
        return Ok(());
    };
    let verifier = p
        .get("code_verifier")
        .ok_or_else(|| Refusal::missing("code_verifier"))?;
    let computed = if challenge.s256 {
        B64.encode(Sha256::digest(verifier))
    } else {
        verifier.clone()
    };
    if computed != challenge.value {
        return Err(Refusal::new(
            "invalid_grant",
            501_481,
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        ));
    }
    Ok(())
}

/// The body lacks the secret that a confidential client has to send.
pub(super) fn no_secret() -> Refusal {
    let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
    Refusal::new("invalid_client", 7_000_218, text)
}
