//! What the webview may do, read from the files that say so: it shows hostile mail, so nothing more than this.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self'; connect-src ipc: http://ipc.localhost; frame-src 'self' data: about:";

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn config() -> Value {
    serde_json::from_str(&read("tauri.conf.json")).unwrap()
}

/// The quoted words between two markers.
fn quoted(text: &str, from: &str, to: &str) -> BTreeSet<String> {
    let (_, rest) = text.split_once(from).unwrap();
    let (list, _) = rest.split_once(to).unwrap();
    list.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn permitted() -> BTreeSet<String> {
    quoted(
        &read("src-tauri/permissions/commands.toml"),
        "commands.allow = [",
        "]",
    )
}

#[test]
fn the_content_security_policy_is_exactly_this() {
    let security = &config()["app"]["security"];
    assert_eq!(security["csp"], CSP);
    assert_eq!(security["assetProtocol"]["enable"], false);
    // Tauri adds a nonce to every list it may touch; in `style-src` that would switch 'unsafe-inline' off.
    assert_eq!(
        security["dangerousDisableAssetCspModification"],
        json!(["style-src"])
    );
    assert!(security.get("dangerousRemoteDomainIpcAccess").is_none());
}

#[test]
fn there_is_one_capability_with_our_commands_and_listening() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src-tauri/capabilities");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().collect();
    assert_eq!(files.len(), 1);
    let capability: Value =
        serde_json::from_str(&read("src-tauri/capabilities/main.json")).unwrap();
    let expected = json!([
        "commands",
        "core:event:allow-listen",
        "core:event:allow-unlisten"
    ]);
    assert_eq!(capability["permissions"], expected);
    assert_eq!(capability["windows"], json!(["main"]));
    assert!(capability.get("remote").is_none());
    assert_eq!(config()["app"]["security"]["capabilities"], json!(["main"]));
}

#[test]
fn the_permitted_commands_are_those_that_exist() {
    let source = read("src-tauri/src/commands.rs");
    let (_, rest) = source.split_once("generate_handler![").unwrap();
    let (list, _) = rest.split_once(']').unwrap();
    let handled: BTreeSet<String> = list
        .split(',')
        .filter_map(|path| Some(path.trim().rsplit("::").next()?.to_owned()))
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(handled, permitted());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src-tauri/src/commands");
    let beside: String = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|file| std::fs::read_to_string(file.path()).unwrap())
        .collect();
    let commands = [&source, &beside].map(|text| text.matches("#[tauri::command]").count());
    assert_eq!(commands.iter().sum::<usize>(), handled.len());
}

#[test]
fn the_window_calls_only_permitted_commands_and_all_of_them() {
    let source = read("ui/src/ipc.ts");
    let called: BTreeSet<String> = source
        .split("call<")
        .skip(1)
        .filter_map(|rest| {
            rest.split_once("(")
                .and_then(|(_, rest)| rest.trim_start().strip_prefix('"'))
        })
        .filter_map(|rest| rest.split_once('"').map(|(name, _)| name.to_owned()))
        .collect();
    assert_eq!(called, permitted());
}

/// The demonstration in a plain browser stands in for the shell and is no part of the window.
#[test]
fn only_one_file_of_the_window_talks_to_the_shell() {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src");
    let mut talkers = Vec::new();
    let mut folders = vec![ui];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "demo") {
                folders.push(path);
            } else if std::fs::read_to_string(&path).is_ok_and(|text| text.contains("@tauri-apps/"))
            {
                talkers.push(path.file_name().unwrap().to_string_lossy().into_owned());
            }
        }
    }
    talkers.sort();
    assert_eq!(talkers, ["ipc.ts"]);
}

#[test]
fn the_window_is_not_made_before_the_program_is_ready_and_has_its_size() {
    let window = &config()["app"]["windows"][0];
    assert_eq!(window["create"], false);
    assert_eq!(
        (&window["width"], &window["height"]),
        (&json!(1100), &json!(720))
    );
    assert_eq!(
        (&window["minWidth"], &window["minHeight"]),
        (&json!(480), &json!(400))
    );
}
