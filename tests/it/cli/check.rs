//! `mailroom check`: the map in a terminal.

use super::terminal::Terminal;
use crate::world::SUPPORT;
use serde_json::Value;

fn stations(map: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = map["stations"].as_array().unwrap().iter();
    all.map(|view| (text(&view["station"]), text(&view["state"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_shows_thirteen_stations_proves_sending_and_explains_the_first_failure() {
    let terminal = Terminal::new(&[]).await;
    assert_eq!(terminal.run(&terminal.connect(SUPPORT)).await.code, 0);

    let well = terminal.run(&["check", SUPPORT, "--json"]).await;
    assert_eq!(well.code, 0, "{well:?}");
    let seen = stations(&well.json());
    assert_eq!(seen.len(), 13);
    assert_eq!(seen[0], ("computer".to_owned(), "ok".to_owned()));
    assert_eq!(seen[12], ("round_trip".to_owned(), "unknown".to_owned()));

    let proved = terminal.run(&["check", SUPPORT, "--prove-sending"]).await;
    assert_eq!(proved.code, 0, "{proved:?}");
    assert!(proved.stdout.contains("there and back in"), "{proved:?}");
    assert_eq!(proved.stdout.lines().count(), 14, "{proved:?}");

    terminal
        .control(reqwest::Method::PUT, "scenarios/token-revoked")
        .await;
    let failed = terminal.run(&["check", SUPPORT, "--language", "de"]).await;
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.stdout.contains("[AADSTS50173]"), "{failed:?}");
    assert!(failed.stdout.contains("first: token"), "{failed:?}");
    assert!(failed.stdout.contains("Server: "), "{failed:?}");
    let again = terminal
        .run(&["check", SUPPORT, "--station", "sign-in", "--json"])
        .await;
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(stations(&again.json())[3].1, "ok");

    let wrong = terminal.run(&["check", SUPPORT, "--station", "moon"]).await;
    assert_eq!(wrong.code, 2, "{wrong:?}");
    let unknown = terminal.run(&["check", "nobody@contoso.example"]).await;
    assert_eq!(unknown.code, 1, "{unknown:?}");
}
