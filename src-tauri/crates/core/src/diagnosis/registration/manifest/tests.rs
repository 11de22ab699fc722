use super::*;
use crate::diagnosis::catalogue::{Language, get};
use serde_json::json;

const NOW: Millis = 1_780_000_000_000;

fn permissions(access: Access) -> Value {
    let ids: Vec<Value> = access
        .permissions()
        .iter()
        .map(|name| {
            PERMISSIONS
                .iter()
                .find(|(known, _)| known == name)
                .unwrap()
                .1
        })
        .map(|id| json!({ "id": id, "type": "Scope" }))
        .collect();
    json!([{ "resourceAppId": GRAPH, "resourceAccess": ids }])
}

/// As it should be, in the Microsoft Graph format.
fn good() -> Value {
    json!({
        "appId": "11111111-2222-3333-4444-555555555555",
        "displayName": "Mailroom",
        "signInAudience": "AzureADMyOrg",
        "isFallbackPublicClient": true,
        "publicClient": { "redirectUris": ["http://localhost"] },
        "web": { "redirectUris": [] },
        "spa": { "redirectUris": [] },
        "requiredResourceAccess": permissions(Access::Graph),
        "passwordCredentials": [],
        "keyCredentials": [],
    })
}

/// The same in the older format.
fn old() -> Value {
    json!({
        "appId": "11111111-2222-3333-4444-555555555555",
        "name": "Mailroom",
        "signInAudience": "AzureADMyOrg",
        "allowPublicClient": true,
        "replyUrlsWithType": [{ "url": "http://localhost", "type": "InstalledClient" }],
        "requiredResourceAccess": permissions(Access::Graph),
        "passwordCredentials": [],
        "keyCredentials": [],
    })
}

fn codes(manifest: &Value, tenant: &str) -> Vec<String> {
    let audit = audit(&manifest.to_string(), Access::Graph, tenant, NOW).unwrap();
    audit.deviations.into_iter().map(|one| one.code).collect()
}

fn with(mut manifest: Value, name: &str, value: Value) -> Value {
    manifest[name] = value;
    manifest
}

#[test]
fn a_registration_as_it_should_be_deviates_in_nothing_in_either_format() {
    for manifest in [good(), old()] {
        assert_eq!(codes(&manifest, "contoso.example"), [] as [&str; 0]);
        let text = format!("\u{feff}{manifest}");
        let seen = audit(&text, Access::Graph, "", NOW).unwrap();
        assert_eq!(seen.name, "Mailroom");
    }
}

#[test]
fn every_deviation_is_named_alone_and_has_a_card_with_a_fix() {
    let web = json!({ "redirectUris": ["http://localhost"] });
    let none = json!({ "redirectUris": [] });
    let reply = |kind: &str, url: &str| json!([{ "url": url, "type": kind }]);
    let secret = |end: &str| json!([{ "displayName": "s", "endDateTime": end }]);
    let mut fewer = permissions(Access::Graph);
    fewer[0]["resourceAccess"].as_array_mut().unwrap().pop();
    let mut role = permissions(Access::Graph);
    let application = json!({ "id": "b633e1c5-b582-4048-a93e-9f11b44c7e96", "type": "Role" });
    role[0]["resourceAccess"]
        .as_array_mut()
        .unwrap()
        .push(application);
    let no_redirect = with(good(), "publicClient", none);
    for (manifest, tenant, expected) in [
        (
            with(no_redirect.clone(), "web", web.clone()),
            "",
            "registration_platform_web",
        ),
        (
            with(no_redirect.clone(), "spa", web),
            "",
            "registration_platform_spa",
        ),
        (no_redirect, "", "registration_redirect_missing"),
        (
            with(
                good(),
                "publicClient",
                json!({ "redirectUris": ["https://localhost/x"] }),
            ),
            "",
            "registration_redirect_differs",
        ),
        (
            with(old(), "replyUrlsWithType", reply("Web", "http://localhost")),
            "",
            "registration_platform_web",
        ),
        (
            with(
                old(),
                "replyUrlsWithType",
                reply("Spa", "http://localhost/"),
            ),
            "",
            "registration_platform_spa",
        ),
        (
            with(good(), "isFallbackPublicClient", json!(null)),
            "",
            "registration_public_client_off",
        ),
        (
            with(old(), "allowPublicClient", json!(false)),
            "",
            "registration_public_client_off",
        ),
        (good(), "organizations", "registration_single_tenant"),
        (
            with(good(), "signInAudience", json!("PersonalMicrosoftAccount")),
            "",
            "registration_personal_only",
        ),
        (
            with(good(), "requiredResourceAccess", fewer),
            "",
            "registration_permission_missing",
        ),
        (
            with(good(), "requiredResourceAccess", role),
            "",
            "registration_application_permission",
        ),
        (
            with(
                good(),
                "passwordCredentials",
                secret("2020-01-01T00:00:00Z"),
            ),
            "",
            "registration_secret_over",
        ),
        (
            with(good(), "keyCredentials", secret("2090-01-01T00:00:00Z")),
            "",
            "registration_secret",
        ),
    ] {
        assert_eq!(codes(&manifest, tenant), [expected], "{manifest}");
        assert!(get(expected).is_some(), "{expected}");
        for language in Language::ALL {
            let card = Deviation::new(expected, []).card(language);
            assert!(!card.steps.is_empty(), "{expected}");
        }
    }
}

#[test]
fn a_port_of_localhost_does_not_matter_and_imap_needs_its_own_permissions() {
    let port = json!({ "redirectUris": ["http://localhost:8080"] });
    assert_eq!(
        codes(&with(good(), "publicClient", port), ""),
        [] as [&str; 0]
    );
    let seen = audit(&good().to_string(), Access::Imap, "", NOW).unwrap();
    let missing = &seen.deviations[0].args["scope"];
    assert_eq!(missing, "IMAP.AccessAsUser.All SMTP.Send");
}

#[test]
fn what_is_no_manifest_is_refused() {
    let long = " ".repeat(LONGEST + 1);
    let deep = "[".repeat(100_000);
    for text in ["", "{}", "[]", "hello", "{\"appId\":5}", &long, &deep] {
        assert!(audit(text, Access::Graph, "", NOW).is_err());
    }
    let odd = json!({ "appId": "x", "publicClient": 7, "replyUrlsWithType": [[], 1], "requiredResourceAccess": "y" });
    assert!(audit(&odd.to_string(), Access::Graph, "", NOW).is_ok());
}
