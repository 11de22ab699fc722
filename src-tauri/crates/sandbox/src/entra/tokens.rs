//! Access and ID tokens: what they say, and checking them.

use super::grants::{Ended, Grant};
use super::scopes::OUTLOOK;
use crate::scenarios::Scenario;
use crate::tenant::directory::{Registration, User, UserKind};
use crate::world::World;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as B64};
use jiff::SignedDuration;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Resource URI of Microsoft Graph.
pub(crate) const GRAPH: &str = "https://graph.microsoft.com";
/// Application id of Microsoft Graph, which is accepted as an audience too.
pub(crate) const GRAPH_APP: &str = "00000003-0000-0000-c000-000000000000";

/// What a valid access token says.
#[derive(Debug, Clone)]
pub(crate) struct Claims {
    /// Granted permissions.
    pub(crate) scp: BTreeSet<String>,
    /// Object id of the account.
    pub(crate) oid: String,
    /// Directory id.
    pub(crate) tid: String,
    /// Application id.
    pub(crate) appid: String,
}

/// Why Graph does not accept a token; always HTTP 401.
#[derive(Debug, Clone)]
pub(crate) struct TokenRefusal {
    /// `error.code` of the OData error.
    pub(crate) code: &'static str,
    /// `error.message` of the OData error.
    pub(crate) message: String,
    /// Value of the `WWW-Authenticate` header.
    pub(crate) challenge: String,
}

/// Checks the `Authorization` header of a Graph request: signature, time, audience, revocation.
///
/// # Errors
/// What Graph says in each case.
pub(crate) fn authenticate(
    world: &World,
    authorization_header: Option<&str>,
) -> Result<Claims, TokenRefusal> {
    let authority = world.description.get().map_or("", |d| d.authority.as_str());
    let realm = format!(
        "Bearer realm=\"\", authorization_uri=\"{authority}/common/oauth2/authorize\", client_id=\"{GRAPH_APP}\""
    );
    let refuse = |message: &str| TokenRefusal {
        code: "InvalidAuthenticationToken",
        message: message.to_owned(),
        challenge: realm.clone(),
    };
    let header = authorization_header.unwrap_or("").trim();
    let token = header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map_or("", |(_, token)| token.trim());
    if token.is_empty() {
        return Err(refuse("Access token is empty."));
    }
    if !token.contains('.') {
        return Err(refuse(
            "IDX14100: JWT is not well formed, there are no dots (.).\nThe token needs to be in JWS or JWE Compact Serialization Format. (JWS): 'EncodedHeader.EncodedPayload.EncodedSignature'.",
        ));
    }
    let Some(json) = world.keys.verify(token) else {
        return Err(refuse(
            "Access token validation failure. Invalid signature.",
        ));
    };
    let text = |name: &str| json[name].as_str().unwrap_or("").to_owned();
    let aud = text("aud");
    // An ID token is signed with the same key; its audience is the app.
    if aud != GRAPH && aud != GRAPH_APP {
        return Err(refuse("Access token validation failure. Invalid audience."));
    }
    let exp = json["exp"].as_i64().unwrap_or(0);
    let ended = world.grants.lock().ended(&text("uti"));
    if exp <= world.now().as_second() || ended == Some(Ended::Expired) {
        return Err(refuse("Lifetime validation failed, the token is expired."));
    }
    if let Some(Ended::Revoked(at)) = ended {
        if json["xms_cc"].as_array().is_none_or(Vec::is_empty) {
            return Err(refuse("Lifetime validation failed, the token is expired."));
        }
        let claims = json!({"access_token": {"nbf": {"essential": true, "value": at.as_second().to_string()}}});
        return Err(TokenRefusal {
            code: "InvalidAuthenticationToken",
            message: "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp".to_owned(),
            challenge: format!(
                "{realm}, error=\"insufficient_claims\", claims=\"{}\"",
                STANDARD.encode(claims.to_string())
            ),
        });
    }
    if world.has(Scenario::ClaimsChallenge) && json["acrs"].as_array().is_none_or(Vec::is_empty) {
        let claims = json!({"access_token": {"acrs": {"essential": true, "value": "c1"}}});
        return Err(TokenRefusal {
            code: "InvalidAuthenticationToken",
            message: "The presented access token does not meet the Conditional Access policy of the resource; insufficient claims.".to_owned(),
            challenge: format!(
                "{realm}, error=\"insufficient_claims\", claims=\"{}\"",
                STANDARD.encode(claims.to_string())
            ),
        });
    }
    Ok(Claims {
        scp: text("scp").split(' ').map(str::to_owned).collect(),
        oid: text("oid"),
        tid: text("tid"),
        appid: text("appid"),
    })
}

/// The pairwise subject of an account in an app.
pub(crate) fn subject(oid: &str, client_id: &str) -> String {
    B64.encode(Sha256::digest(format!("{oid} {client_id}")))
}

/// `client_info`, which MSAL asks for: the account's home.
pub(crate) fn client_info(user: &User) -> String {
    B64.encode(json!({"uid": user.oid, "utid": user.tenant}).to_string())
}

/// Signs an access token for a resource.
pub(crate) fn access_token(
    world: &World,
    app: &Registration,
    user: &User,
    grant: &Grant,
    resource: &str,
    scp: &BTreeSet<String>,
    life: SignedDuration,
) -> Result<String, String> {
    let now = world.now();
    let expires = now.checked_add(life).map_err(|e| e.to_string())?;
    let uti = B64.encode(uuid::Uuid::new_v4().as_bytes());
    world
        .grants
        .lock()
        .note_access(&uti, user.oid, expires, now);
    // Entra dates tokens five minutes back, for clocks that are behind.
    let issued = now.as_second() - 300;
    let amr: &[&str] = if grant.mfa { &["pwd", "mfa"] } else { &["pwd"] };
    let roles: &[&str] = match user.kind {
        UserKind::Admin => &["62e90394-69f5-4237-9190-012177145e10"],
        UserKind::User | UserKind::Shared => &["b79fbf4d-3ef9-4689-8143-76b194e85509"],
    };
    let mut claims = json!({
        "aud": if resource == OUTLOOK { OUTLOOK } else { GRAPH },
        "iss": format!("https://sts.windows.net/{}/", user.tenant),
        "iat": issued, "nbf": issued, "exp": expires.as_second(),
        "acct": 0, "acr": "1", "amr": amr,
        "app_displayname": app.name, "appid": app.client_id, "appidacr": "0",
        "given_name": user.given_name, "family_name": user.surname, "name": user.name,
        "idtyp": "user", "ipaddr": "127.0.0.1",
        "oid": user.oid, "tid": user.tenant,
        "sub": subject(user.oid, GRAPH_APP),
        "scp": scp.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
        "tenant_region_scope": "EU",
        "unique_name": user.upn, "upn": user.upn,
        "uti": uti, "ver": "1.0", "wids": roles,
    });
    if grant.understands_challenges {
        claims["xms_cc"] = json!(["CP1"]);
    }
    if grant.steps_up {
        claims["acrs"] = json!(["c1"]);
    }
    world.keys.sign(&claims)
}

/// Signs an ID token. `base` is where the sign-in happened, for the issuer.
pub(crate) fn id_token(
    world: &World,
    app: &Registration,
    user: &User,
    grant: &Grant,
    base: &str,
    nonce: Option<&str>,
) -> Result<String, String> {
    let issued = world.now().as_second() - 300;
    let mut claims = json!({
        "aud": app.client_id,
        "iss": format!("{base}/{}/v2.0", user.tenant),
        "iat": issued, "nbf": issued, "exp": issued + 3_900,
        "oid": user.oid, "tid": user.tenant,
        "sub": subject(user.oid, app.client_id),
        "uti": B64.encode(uuid::Uuid::new_v4().as_bytes()),
        "ver": "2.0",
    });
    if grant.scopes.openid.contains("profile") {
        claims["name"] = user.name.into();
        claims["preferred_username"] = user.upn.into();
    }
    if grant.scopes.openid.contains("email") {
        claims["email"] = user.mail.into();
    }
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    world.keys.sign(&claims)
}
