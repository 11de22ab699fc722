//! The documents that clients read before anything else, and `userinfo`.

use super::authority::{Authority, Caller};
use super::errors::Trace;
use super::tokens;
use crate::world::World;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::json;
use std::sync::Arc;

/// `/{tenant}/v2.0/.well-known/openid-configuration` (OpenID Connect Discovery 1.0). For `organizations` and
/// `common` the issuer holds the placeholder `{tenantid}`, as Entra prints it.
pub(super) async fn openid_configuration(
    State(world): State<Arc<World>>,
    Path(segment): Path<String>,
    caller: Caller,
) -> Response {
    let authority = match Authority::parse(&world, &segment) {
        Ok(authority) => authority,
        Err(refusal) => return refusal.json(&caller, &Trace::new(&world, &caller)),
    };
    let base = &caller.base;
    let at = format!("{base}/{}", authority.segment());
    Json(json!({
        "token_endpoint": format!("{at}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic", "self_signed_tls_client_auth"],
        "jwks_uri": format!("{at}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": format!("{base}/{}/v2.0", authority.issuer_segment()),
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": format!("{base}/oidc/userinfo"),
        "authorization_endpoint": format!("{at}/oauth2/v2.0/authorize"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{at}/oauth2/v2.0/logout"),
        "claims_supported": ["sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email"],
        "tenant_region_scope": if matches!(authority, Authority::Tenant(_)) { json!("EU") } else { json!(null) },
        "cloud_instance_name": host(base),
        "cloud_graph_host_name": host(base),
        "msgraph_host": host(base),
    }))
    .into_response()
}

/// `/{tenant}/discovery/v2.0/keys`.
pub(super) async fn keys(
    State(world): State<Arc<World>>,
    Path(segment): Path<String>,
    caller: Caller,
) -> Response {
    match Authority::parse(&world, &segment) {
        Ok(authority) => {
            let issuer = format!("{}/{}/v2.0", caller.base, authority.issuer_segment());
            Json(world.keys.jwks(&issuer)).into_response()
        }
        Err(refusal) => refusal.json(&caller, &Trace::new(&world, &caller)),
    }
}

/// `/common/discovery/instance`: which hosts belong together. Here there is only one.
pub(super) async fn instance(caller: Caller) -> Response {
    let host = host(&caller.base);
    Json(json!({
        "tenant_discovery_endpoint": format!("{}/common/v2.0/.well-known/openid-configuration", caller.base),
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }))
    .into_response()
}

/// `/oidc/userinfo`, which Entra serves from Graph ("Microsoft identity platform UserInfo endpoint").
pub(super) async fn userinfo(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    let authorization = headers
        .get(header::AUTHORIZATION)
        .and_then(|h| h.to_str().ok());
    match tokens::authenticate(&world, authorization) {
        Ok(claims) if claims.scp.contains("openid") => {
            let directory = world.directory.lock();
            let Some(user) = directory.find(&claims.oid) else {
                return StatusCode::NOT_FOUND.into_response();
            };
            let mut body = json!({
                "sub": tokens::subject(&claims.oid, &claims.appid),
                "name": user.name,
                "given_name": user.given_name,
                "family_name": user.surname,
            });
            if claims.scp.contains("email") {
                body["email"] = user.mail.into();
            }
            Json(body).into_response()
        }
        Ok(_) => (
            StatusCode::FORBIDDEN,
            Json(json!({"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges to complete the operation."}})),
        )
            .into_response(),
        Err(refusal) => (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, refusal.challenge)],
            Json(json!({"error": {"code": refusal.code, "message": refusal.message}})),
        )
            .into_response(),
    }
}

fn host(base: &str) -> &str {
    base.split_once("://").map_or(base, |(_, host)| host)
}
