//! Who may import whom, read from the sources. src-tauri/ARCHITECTURE.md draws the picture.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The core's parts and what each may import of the others. Everything may use `Millis`.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("account", &[]),
    ("secrets", &["account"]),
    // `diagnosis::evidence` is what a server said, without secrets: a value that errors carry.
    ("oauth", &["account", "secrets", "diagnosis"]),
    ("import", &[]),
    ("provider", &["account", "oauth", "diagnosis", "discovery"]),
    ("discovery", &["account", "oauth"]),
    // The store keeps the values that shells draw; findings are stored as they are.
    ("store", &["account", "diagnosis", "api::view"]),
    (
        "diagnosis",
        &[
            "account",
            "oauth",
            "provider",
            "import",
            "store",
            "api::view",
        ],
    ),
    (
        "sync",
        &[
            "account",
            "secrets",
            "oauth",
            "import",
            "provider",
            "store",
            "diagnosis",
            "api::view",
        ],
    ),
    ("words", &["api::view", "oauth"]),
    ("log", &["diagnosis"]),
    ("bundle", &["oauth", "store", "diagnosis", "sync", "log"]),
    (
        "app",
        &[
            "account",
            "secrets",
            "oauth",
            "import",
            "provider",
            "store",
            "diagnosis",
            "sync",
            "words",
            "api::view",
            "api::error",
        ],
    ),
    (
        "api",
        &[
            "account",
            "secrets",
            "oauth",
            "import",
            "provider",
            "store",
            "diagnosis",
            "sync",
            "words",
            "app",
            "discovery",
            "bundle",
            "log",
        ],
    ),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "no sources in {}", folder.display());
    found
}

/// The source without comments and without what only tests see.
fn product(source: &str) -> String {
    let before_tests = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = before_tests
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Modules named behind `crate::`, with their second part: `api::view`, `store::tickets`. Groups are opened.
fn imports(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in source.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group_members(group).map(first_two)),
            None => drop(found.insert(first_two(rest))),
        }
    }
    found.retain(|path| path.starts_with(|c: char| c.is_lowercase()));
    found
}

/// The members of a group, up to the brace that closes it.
fn group_members(group: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    let mut starts = vec![0];
    let mut end = group.len();
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                end = at;
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => starts.push(at + 1),
            _ => {}
        }
    }
    starts
        .into_iter()
        .filter(move |start| *start < end)
        .map(move |start| group[start..end].trim_start())
}

fn first_two(path: &str) -> String {
    let path: String = path
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
        .collect();
    let parts: Vec<&str> = path
        .split("::")
        .filter(|part| !part.is_empty())
        .take(2)
        .collect();
    parts.join("::")
}

#[test]
fn the_cores_parts_import_only_what_they_may() {
    let core = root().join("src-tauri/crates/core/src");
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (path, source) in sources(&core) {
        let inside = path.strip_prefix(&core).unwrap();
        let part = inside
            .iter()
            .next()
            .unwrap()
            .to_string_lossy()
            .trim_end_matches(".rs")
            .to_owned();
        if part == "lib"
            || inside
                .iter()
                .any(|name| name == "tests" || name == "tests.rs")
        {
            continue;
        }
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(known, _)| *known == part) else {
            wrong.push(format!(
                "{part} is new: say in this table what it may import"
            ));
            continue;
        };
        seen.insert(part.clone());
        for import in imports(&product(&source)) {
            let top = import.split("::").next().unwrap_or_default();
            if top != part && !allowed.contains(&top) && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{} imports {import}", inside.display()));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        seen.len(),
        MAY_IMPORT.len(),
        "a part of the table is gone: {seen:?}"
    );
}

#[test]
fn provider_import_and_store_do_not_know_one_another() {
    let trio = ["provider", "import", "store"];
    for (part, allowed) in MAY_IMPORT.iter().filter(|(part, _)| trio.contains(part)) {
        assert!(!trio.iter().any(|other| allowed.contains(other)), "{part}");
    }
}

#[test]
fn only_the_shell_names_tauri() {
    for (path, source) in sources(&root().join("src-tauri/crates")) {
        let inside = path.strip_prefix(root().join("src-tauri/crates")).unwrap();
        if !inside.starts_with("xtask") {
            let named = product(&source).contains("tauri::") || product(&source).contains("tauri_");
            assert!(!named, "{}", inside.display());
        }
    }
    for name in ["core", "sandbox", "cli", "xtask"] {
        let manifest = root()
            .join("src-tauri/crates")
            .join(name)
            .join("Cargo.toml");
        assert!(
            !std::fs::read_to_string(manifest).unwrap().contains("tauri"),
            "{name}"
        );
    }
}

#[test]
fn the_practice_tenant_imports_nothing_of_the_product() {
    let folder = root().join("src-tauri/crates/sandbox");
    assert!(
        !std::fs::read_to_string(folder.join("Cargo.toml"))
            .unwrap()
            .contains("mailroom-core")
    );
    for (path, source) in sources(&folder.join("src")) {
        assert!(!source.contains("mailroom_core"), "{}", path.display());
    }
}

#[test]
fn no_program_that_is_shipped_contains_the_rigs() {
    let crates = root().join("src-tauri/crates");
    for name in ["core", "sandbox", "cli", "xtask"] {
        let manifest = std::fs::read_to_string(crates.join(name).join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("mailroom-rigs"), "{name}");
    }
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let package = manifest.split_once("\n[package]").unwrap().1;
    let (product, _) = package.split_once("\n[dev-dependencies]").unwrap();
    assert!(!product.contains("mailroom-rigs"), "mailroom-desktop");
    for (path, source) in sources(&crates.join("rigs/src")) {
        assert!(!source.contains("mailroom_core"), "{}", path.display());
    }
}

#[test]
fn the_core_knows_neither_its_shells_nor_the_practice_tenant() {
    let manifest =
        std::fs::read_to_string(root().join("src-tauri/crates/core/Cargo.toml")).unwrap();
    for other in [
        "mailroom-sandbox",
        "mailroom-cli",
        "mailroom-desktop",
        "clap",
        "webkit",
    ] {
        assert!(!manifest.contains(other), "{other}");
    }
}

#[test]
fn shells_ask_the_api_and_never_the_store_or_a_provider() {
    for folder in ["src-tauri/src", "src-tauri/crates/cli/src"] {
        for (path, source) in sources(&root().join(folder)) {
            for inner in ["store", "provider"] {
                let named = product(&source).contains(&format!("mailroom_core::{inner}"));
                assert!(!named, "{} names {inner}", path.display());
            }
        }
    }
}

#[test]
fn files_stay_short() {
    for folder in ["src-tauri/src", "src-tauri/crates"] {
        for (path, source) in sources(&root().join(folder)) {
            let lines = source.lines().count();
            assert!(lines <= 600, "{} has {lines} lines", path.display());
        }
    }
}

#[test]
fn imports_are_found_in_every_spelling() {
    let source = "use crate::{Failure, api::view::Status, store::{self, tickets}};\n\
        use crate::sync::Engine;\nfn f() { crate::oauth::http::client() }";
    let found = imports(source);
    let expected = ["api::view", "oauth::http", "store", "sync::Engine"];
    assert_eq!(
        found.iter().map(String::as_str).collect::<Vec<_>>(),
        expected
    );
}
