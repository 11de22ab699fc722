//! No secret in any file or output, in whatever form.

use super::proxy::Proxy;
use super::terminal::{PASSPHRASE, Terminal};
use crate::world::{SUPPORT, mail};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use std::path::Path;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_password_or_code_is_written_anywhere() {
    let mut terminal = Terminal::new(&[]).await;
    let port = terminal.tenant.authority.rsplit(':').next().unwrap();
    let proxy = Proxy::before(port.parse().unwrap());
    terminal.endpoint.clone_from(&proxy.url);
    terminal.log = "trace";

    let mut outputs = Vec::new();
    let mut connect = terminal.connect(SUPPORT);
    connect.extend(["--import", "10", "--json", "--progress", "json"]);
    let connected = terminal.run(&connect).await;
    assert_eq!(connected.code, 0, "{}", connected.stdout);
    outputs.push(connected);
    // A second set of tokens, then a refusal whose text is kept as evidence.
    terminal
        .control(reqwest::Method::POST, "expire-access-tokens")
        .await;
    terminal
        .deliver(&mail("secret@t.example", "With new tokens", ""))
        .await;
    let synced = terminal.run(&["sync"]).await;
    assert_eq!(synced.code, 0, "{}", synced.stdout);
    outputs.push(synced);
    terminal
        .control(reqwest::Method::PUT, "scenarios/token-revoked")
        .await;
    let refused = terminal.run(&["sync"]).await;
    assert_eq!(refused.code, 1, "{}", refused.stdout);
    outputs.push(refused);
    outputs.push(terminal.run(&["status", "--json"]).await);

    let mut secrets = proxy.secrets();
    let tokens = secrets.iter().filter(|secret| secret.len() > 100).count();
    assert!(
        tokens >= 4 && secrets.len() >= 7,
        "{tokens} of {}",
        secrets.len()
    );
    secrets.push(PASSPHRASE.to_owned());
    secrets.extend(
        terminal
            .tenant
            .users
            .iter()
            .map(|user| user.password.clone())
            .filter(|password| !password.is_empty()),
    );

    let mut places: Vec<(String, Vec<u8>)> = Vec::new();
    collect(terminal.folder.path(), &mut places);
    assert!(places.iter().any(|(name, _)| name.ends_with("mailroom.db")));
    for (number, output) in outputs.into_iter().enumerate() {
        places.push((
            format!("stdout of command {number}"),
            output.stdout.into_bytes(),
        ));
        places.push((
            format!("stderr of command {number}"),
            output.stderr.into_bytes(),
        ));
    }
    let forms: Vec<Vec<u8>> = secrets.iter().flat_map(|secret| forms(secret)).collect();
    for (name, bytes) in &places {
        for form in &forms {
            assert!(
                !contains(bytes, form),
                "{name} holds {}",
                String::from_utf8_lossy(form)
            );
        }
    }
    // The search finds what is there.
    let (_, database) = places
        .iter()
        .find(|(name, _)| name.ends_with("mailroom.db"))
        .unwrap();
    assert!(contains(database, SUPPORT.as_bytes()));
    assert!(contains(
        BASE64_STANDARD_NO_PAD
            .encode(format!("xy{PASSPHRASE}z"))
            .as_bytes(),
        &forms_of(PASSPHRASE)
    ));
}

fn forms_of(secret: &str) -> Vec<u8> {
    // The third: two bytes before it.
    forms(secret).swap_remove(2 + 2)
}

/// The secret plain, URL-encoded, and in base64 wherever in a longer text it stands.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mut forms = vec![secret.as_bytes().to_vec(), encoded.into_bytes()];
    for engine in [&BASE64_STANDARD_NO_PAD, &BASE64_URL_SAFE_NO_PAD] {
        for before in 0..3 {
            let text = engine.encode([&vec![0; before][..], secret.as_bytes()].concat());
            // Letters that depend on the neighbours are left out.
            let first = (before * 8).div_ceil(6);
            let whole = (before + secret.len()) * 8 / 6;
            forms.push(text.as_bytes()[first..whole].to_vec());
        }
    }
    forms
}

fn collect(folder: &Path, into: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, into);
        } else {
            into.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

/// Quick where the first bytes are rare; the database has a few megabytes.
fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    let Some(first) = wanted.first() else {
        return false;
    };
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        if rest[at..].starts_with(wanted) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}
