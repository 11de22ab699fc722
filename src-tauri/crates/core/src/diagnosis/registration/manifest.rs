//! Auditing a registration by its manifest, as Entra shows it under "Manifest": in the Microsoft Graph format or in the
//! older Azure AD Graph format ("Understand the app manifest"). Nothing leaves the computer.

use super::{Access, Audit, Deviation, EXCHANGE, Expiry, GRAPH, PERMISSIONS};
use crate::Millis;
use serde_json::Value;
use std::collections::BTreeSet;

/// A manifest has some kilobytes.
const LONGEST: usize = 1 << 20;

/// The pasted text is no manifest.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotAManifest(String);

/// Compares the manifest with what Mailroom needs for `access` in `tenant` (a domain, an id, `organizations`, or
/// nothing).
///
/// # Errors
/// [`NotAManifest`].
pub fn audit(text: &str, access: Access, tenant: &str, now: Millis) -> Result<Audit, NotAManifest> {
    if text.len() > LONGEST {
        return Err(NotAManifest("it is too long".to_owned()));
    }
    // Editors on Windows begin a file with a byte order mark.
    let json: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| NotAManifest(error.to_string()))?;
    if !json.is_object() || json["appId"].as_str().is_none() {
        return Err(NotAManifest("it has no appId".to_owned()));
    }
    let mut deviations = Vec::new();
    redirects(&json, &mut deviations);
    if public_client(&json) != Some(true) {
        deviations.push(Deviation::new("registration_public_client_off", []));
    }
    accounts(&json, tenant, &mut deviations);
    permissions(&json, access, &mut deviations);
    let expiries = expiries(&json);
    for one in &expiries {
        let code = if one.ends_at <= now {
            "registration_secret_over"
        } else {
            "registration_secret"
        };
        deviations.push(Deviation::new(code, [("what", &one.name)]));
    }
    let name = json["displayName"]
        .as_str()
        .or_else(|| json["name"].as_str());
    Ok(Audit {
        name: name.unwrap_or_default().to_owned(),
        client_id: json["appId"].as_str().unwrap_or_default().to_owned(),
        deviations,
        expiries,
    })
}

/// Where a redirect address may stand.
#[derive(PartialEq, Eq)]
enum Platform {
    Desktop,
    Web,
    SinglePage,
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn all_redirects(json: &Value) -> Vec<(Platform, &str)> {
    let mut all = Vec::new();
    all.extend(texts(&json["publicClient"]["redirectUris"]).map(|uri| (Platform::Desktop, uri)));
    all.extend(texts(&json["web"]["redirectUris"]).map(|uri| (Platform::Web, uri)));
    all.extend(texts(&json["spa"]["redirectUris"]).map(|uri| (Platform::SinglePage, uri)));
    for one in json["replyUrlsWithType"].as_array().into_iter().flatten() {
        let platform = match one["type"].as_str() {
            Some("InstalledClient") => Platform::Desktop,
            Some("Spa") => Platform::SinglePage,
            _ => Platform::Web,
        };
        all.extend(one["url"].as_str().map(|uri| (platform, uri)));
    }
    all
}

/// Entra ignores the port of `http://localhost`, and nothing else of it.
fn is_ours(uri: &str) -> bool {
    let Ok(url) = url::Url::parse(uri) else {
        return false;
    };
    url.scheme() == "http"
        && url.host_str() == Some("localhost")
        && url.path() == "/"
        && url.query().is_none()
}

fn redirects(json: &Value, deviations: &mut Vec<Deviation>) {
    let all = all_redirects(json);
    let ours = |platform| {
        all.iter()
            .any(|(place, uri)| *place == platform && is_ours(uri))
    };
    if ours(Platform::Desktop) {
        return;
    }
    let deviation = if ours(Platform::Web) {
        Deviation::new("registration_platform_web", [])
    } else if ours(Platform::SinglePage) {
        Deviation::new("registration_platform_spa", [])
    } else if let Some((_, other)) = all.iter().find(|(place, _)| *place == Platform::Desktop) {
        Deviation::new("registration_redirect_differs", [("what", *other)])
    } else {
        Deviation::new("registration_redirect_missing", [])
    };
    deviations.push(deviation);
}

fn public_client(json: &Value) -> Option<bool> {
    json["isFallbackPublicClient"]
        .as_bool()
        .or_else(|| json["allowPublicClient"].as_bool())
}

fn accounts(json: &Value, tenant: &str, deviations: &mut Vec<Deviation>) {
    let tenant = tenant.trim();
    let common =
        tenant.eq_ignore_ascii_case("common") || tenant.eq_ignore_ascii_case("organizations");
    match json["signInAudience"].as_str() {
        Some("AzureADMyOrg") if common => {
            deviations.push(Deviation::new(
                "registration_single_tenant",
                [("tenant", tenant)],
            ));
        }
        Some("PersonalMicrosoftAccount") => {
            deviations.push(Deviation::new("registration_personal_only", []));
        }
        _ => {}
    }
}

fn permissions(json: &Value, access: Access, deviations: &mut Vec<Deviation>) {
    let mut delegated = BTreeSet::new();
    let mut application = false;
    for resource in json["requiredResourceAccess"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let id = resource["resourceAppId"].as_str().unwrap_or_default();
        if ![GRAPH, EXCHANGE]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(id))
        {
            continue;
        }
        for one in resource["resourceAccess"].as_array().into_iter().flatten() {
            match (one["type"].as_str(), one["id"].as_str()) {
                (Some("Scope"), Some(id)) => {
                    delegated.insert(id.to_ascii_lowercase());
                }
                (Some("Role"), _) => application = true,
                _ => {}
            }
        }
    }
    let id = |name: &str| PERMISSIONS.iter().find(|(known, _)| *known == name);
    let missing: Vec<&str> = access
        .permissions()
        .into_iter()
        .filter(|name| id(name).is_some_and(|(_, id)| !delegated.contains(*id)))
        .collect();
    if !missing.is_empty() {
        let scope = missing.join(" ");
        deviations.push(Deviation::new(
            "registration_permission_missing",
            [("scope", &scope)],
        ));
    }
    if application {
        deviations.push(Deviation::new("registration_application_permission", []));
    }
}

fn expiries(json: &Value) -> Vec<Expiry> {
    let mut all = Vec::new();
    for (list, certificate) in [("passwordCredentials", false), ("keyCredentials", true)] {
        for one in json[list].as_array().into_iter().flatten() {
            let end = one["endDateTime"]
                .as_str()
                .or_else(|| one["endDate"].as_str());
            let end = end.and_then(|end| end.parse::<jiff::Timestamp>().ok());
            let name = one["displayName"]
                .as_str()
                .or_else(|| one["keyId"].as_str());
            if let Some(end) = end {
                all.push(Expiry {
                    certificate,
                    name: name.unwrap_or_default().to_owned(),
                    ends_at: end.as_millisecond(),
                });
            }
        }
    }
    all.sort_by_key(|one| one.ends_at);
    all
}

#[cfg(test)]
mod tests;
