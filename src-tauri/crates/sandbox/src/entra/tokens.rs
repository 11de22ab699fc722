//! Access and ID tokens: what they say, and checking them.

use crate::world::World;
use serde_json::Value;
use std::collections::BTreeSet;

/// Resource URI of Microsoft Graph.
pub(crate) const GRAPH: &str = "https://graph.microsoft.com";
/// Application id of Microsoft Graph, which is accepted as an audience too.
pub(crate) const GRAPH_APP: &str = "00000003-0000-0000-c000-000000000000";

/// What a valid access token says.
#[derive(Debug, Clone)]
pub(crate) struct Claims {
    /// Resource URI it is for.
    pub(crate) aud: String,
    /// Granted permissions.
    pub(crate) scp: BTreeSet<String>,
    /// Object id of the account.
    pub(crate) oid: String,
    /// Directory id.
    pub(crate) tid: String,
    /// Login name.
    pub(crate) upn: String,
    /// Application id.
    pub(crate) appid: String,
    /// End of validity, seconds since 1970.
    pub(crate) exp: i64,
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

/// Checks the `Authorization` header of a Graph request: signature, time, audience.
///
/// # Errors
/// What Graph says in each case.
pub(crate) fn authenticate(
    world: &World,
    authorization_header: Option<&str>,
) -> Result<Claims, TokenRefusal> {
    let refuse = |message: &str| TokenRefusal {
        code: "InvalidAuthenticationToken",
        message: message.to_owned(),
        challenge: format!(
            "Bearer realm=\"\", authorization_uri=\"{}/common/oauth2/authorize\", client_id=\"{GRAPH_APP}\"",
            world.description.get().map_or("", |d| d.authority.as_str())
        ),
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
    if aud != GRAPH && aud != GRAPH_APP {
        return Err(refuse("Access token validation failure. Invalid audience."));
    }
    let now = world.now();
    let exp = json["exp"].as_i64().unwrap_or(0);
    if exp <= now.as_second() || ended(world, &json) {
        return Err(refuse("Lifetime validation failed, the token is expired."));
    }
    Ok(Claims {
        aud,
        scp: text("scp").split(' ').map(str::to_owned).collect(),
        oid: text("oid"),
        tid: text("tid"),
        upn: text("upn"),
        appid: text("appid"),
        exp,
    })
}

fn ended(world: &World, claims: &Value) -> bool {
    claims["iat"].as_i64().unwrap_or(0) * 1000 <= world.grants.lock().access_ended_ms
}
