//! `mailroom` as scripts and servers use it: the real program, its exit codes, its JSON.

mod check;
mod mailboxes;
mod proxy;
mod refusals;
mod reply;
mod secrets;
mod terminal;

use crate::world::{SUPPORT, mail};
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;
use terminal::{Answer, Terminal, program};
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sandbox_says_where_it_is_in_its_first_line_and_ends_when_asked() {
    let mut child = program()
        .args([
            "sandbox",
            "--port",
            "0",
            "--scenario",
            "throttled",
            "--json",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = tokio::time::timeout(Duration::from_secs(30), lines.next_line());
    let first: Value = serde_json::from_str(&first.await.unwrap().unwrap().unwrap()).unwrap();
    for name in ["authority", "graph_url", "client_id", "tenant"] {
        assert!(first[name].is_string(), "{name}: {first}");
    }
    assert_eq!(first["scenarios"], serde_json::json!(["throttled"]));
    let users = first["users"].as_array().unwrap();
    let support = users.iter().find(|user| user["address"] == SUPPORT);
    assert!(support.unwrap()["password"].is_string());
    let discovery = format!(
        "{}/{}/v2.0/.well-known/openid-configuration",
        first["authority"].as_str().unwrap(),
        first["tenant"].as_str().unwrap()
    );
    assert!(reqwest::get(discovery).await.unwrap().status().is_success());
    terminal::terminate(&child);
    let ended = tokio::time::timeout(Duration::from_secs(10), child.wait());
    assert_eq!(ended.await.unwrap().unwrap().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_main_job_and_the_life_of_an_address_in_a_terminal() {
    let terminal = Terminal::new(&[]).await;

    let none = terminal.run(&["status", "--json"]).await;
    assert_eq!((none.code, none.json()), (0, serde_json::json!([])));

    let mut connect = terminal.connect(SUPPORT);
    connect.extend(["--import", "30", "--json", "--progress", "json"]);
    let connected = terminal.run(&connect).await;
    assert_eq!(connected.code, 0, "{connected:?}");
    let view = connected.json()[0].clone();
    assert_eq!(view["address"], SUPPORT);
    assert_eq!(view["status"], "verified");
    assert_eq!(view["import"]["totals"]["found"], 30);
    assert_eq!(view["import"]["pending"], 0);
    let progress: Vec<Value> = connected
        .stderr
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    assert_eq!(
        progress.last().unwrap()["totals"]["found"],
        30,
        "{connected:?}"
    );

    let again = terminal.run(&terminal.connect(SUPPORT)).await;
    assert_eq!(again.code, 1, "in use: {again:?}");

    let status = terminal.run(&["status", SUPPORT, "--json"]).await;
    assert_eq!(status.code, 0);
    for name in [
        "address",
        "brand",
        "provider",
        "status",
        "cause",
        "last_success_at",
        "next_poll_at",
        "new_tickets_today",
        "open_tickets",
    ] {
        assert!(status.json()[0].get(name).is_some(), "{name}");
    }
    let table = terminal.run(&["status", "--language", "de"]).await;
    assert!(
        table.stdout.contains(SUPPORT) && table.stdout.starts_with("ADDRESS"),
        "{table:?}"
    );

    terminal
        .deliver(&mail("terminal-1@t.example", "Wasserschaden im Keller", ""))
        .await;
    let synced = terminal.run(&["sync", SUPPORT, "--once", "--json"]).await;
    assert_eq!(
        (synced.code, &synced.json()[0]["new_tickets_today"]),
        (0, &Value::from(1)),
        "{synced:?}"
    );

    let found = terminal
        .run(&[
            "tickets",
            "--address",
            SUPPORT,
            "--search",
            "schaden",
            "--json",
        ])
        .await;
    let page = found.json();
    let ours: Vec<&Value> = page["tickets"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|ticket| ticket["subject"] == "Wasserschaden im Keller")
        .collect();
    assert_eq!(ours.len(), 1, "{page}");
    let id = ours[0]["id"].to_string();
    let ticket = terminal.run(&["ticket", &id, "--json"]).await.json();
    assert!(
        ticket["messages"][0]["text"]
            .as_str()
            .unwrap()
            .contains("Wasserschaden")
    );
    let shown = terminal.run(&["ticket", &id]).await;
    assert!(shown.stdout.contains("ida@fabrikam.example"), "{shown:?}");

    let why = terminal
        .run(&[
            "ledger",
            SUPPORT,
            "--message-id",
            "<terminal-1@t.example>",
            "--json",
        ])
        .await
        .json();
    assert_eq!(why["messages"].as_array().unwrap().len(), 1);
    assert_eq!(why["messages"][0]["outcome"], "imported");
    assert_eq!(why["messages"][0]["ticket_id"].to_string(), id);
    adds_up(&why["totals"]);

    let rehearsed = terminal
        .run(&["import", SUPPORT, "--newest", "40", "--rehearse", "--json"])
        .await;
    assert_eq!(rehearsed.code, 0, "{rehearsed:?}");
    assert_eq!(rehearsed.json()["totals"]["found"], 40);
    let imported = terminal
        .run(&[
            "import",
            SUPPORT,
            "--newest",
            "40",
            "--json",
            "--progress",
            "none",
        ])
        .await;
    assert_eq!(imported.code, 0, "{imported:?}");
    let totals = imported.json()["totals"].clone();
    assert_eq!(totals, rehearsed.json()["totals"], "as rehearsed");
    adds_up(&totals);
    assert_eq!(imported.stderr, "");

    let early = terminal.run(&["default", SUPPORT]).await;
    assert_eq!(early.code, 1, "{early:?}");
    let next_step = format!("mailroom check {SUPPORT} --prove-sending");
    assert!(early.stderr.contains(&next_step), "{early:?}");
    let proof = terminal
        .run(&["check", SUPPORT, "--prove-sending", "--json"])
        .await;
    assert_eq!(proof.code, 0, "{proof:?}");
    let default = terminal.run(&["default", SUPPORT, "--json"]).await;
    assert_eq!(
        (default.code, &default.json()[0]["is_default"]),
        (0, &Value::from(true))
    );

    let parted = terminal.run(&["disconnect", SUPPORT, "--json"]).await;
    assert_eq!(
        (parted.code, &parted.json()[0]["status"]),
        (0, &Value::from("disconnected"))
    );
    let undo = format!("mailroom reconnect {SUPPORT} --undo");
    assert!(parted.stderr.contains(&undo), "{parted:?}");
    let undone = terminal
        .run(&["reconnect", SUPPORT, "--undo", "--json"])
        .await;
    assert_eq!(
        (undone.code, &undone.json()[0]["status"]),
        (0, &Value::from("verified")),
        "{undone:?}"
    );
    let undone = terminal.run(&["reconnect", SUPPORT, "--undo"]).await;
    assert_eq!(undone.code, 1, "{undone:?}");
    let parted = terminal.run(&["disconnect", SUPPORT]).await;
    assert_eq!(parted.code, 0, "{parted:?}");
    assert_eq!(terminal.run(&["status"]).await.code, 0);
    assert_eq!(
        terminal
            .run(&["import", SUPPORT, "--newest", "5"])
            .await
            .code,
        1
    );
    terminal
        .deliver(&mail("terminal-2@t.example", "While disconnected", ""))
        .await;

    let back = terminal
        .run(&[
            "reconnect",
            SUPPORT,
            "--browser",
            &terminal.browser(),
            "--json",
        ])
        .await;
    assert_eq!(
        (back.code, &back.json()[0]["status"]),
        (0, &Value::from("verified")),
        "{back:?}"
    );
    let why = terminal
        .run(&[
            "ledger",
            SUPPORT,
            "--message-id",
            "terminal-2@t.example",
            "--json",
        ])
        .await
        .json();
    assert_eq!(why["messages"][0]["outcome"], "imported", "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agent_polls_until_it_is_asked_to_end_and_other_commands_work_beside_it() {
    let terminal = Terminal::new(&[]).await;
    assert_eq!(terminal.run(&terminal.connect(SUPPORT)).await.code, 0);
    let mut agent = terminal
        .command(&["run", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(agent.stdout.take().unwrap()).lines();
    tokio::time::sleep(Duration::from_millis(500)).await;
    terminal
        .deliver(&mail("agent@t.example", "For the agent", ""))
        .await;
    // This process does not poll: it hands the request over.
    let synced = terminal.run(&["sync", "--json"]).await;
    assert_eq!(synced.code, 0, "{synced:?}");
    let told = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("new_tickets") && line.contains("kind") {
                return true;
            }
        }
        false
    };
    let told = tokio::time::timeout(Duration::from_secs(20), told).await;
    assert!(told.unwrap(), "the agent tells of the new ticket");
    terminal::terminate(&agent);
    let ended = tokio::time::timeout(Duration::from_secs(10), agent.wait());
    assert_eq!(ended.await.unwrap().unwrap().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn error_texts_are_explained_without_a_network() {
    let explain = async |args: &[&str]| -> Answer {
        let mut command = program();
        command
            .arg("explain")
            .args(args)
            .env("MAILROOM_LANGUAGE", "en");
        terminal::answer(command).await
    };
    let known = explain(&[
        "AADSTS65001:",
        "The",
        "user",
        "has",
        "not",
        "consented",
        "--json",
    ])
    .await;
    assert_eq!(known.code, 0, "{known:?}");
    let card = known.json()[0]["card"].clone();
    assert_eq!(
        (&card["code"], &card["known"]),
        (&Value::from("AADSTS65001"), &Value::from(true))
    );
    assert!(!card["steps"].as_array().unwrap().is_empty());
    let text = explain(&["AADSTS65001"]).await;
    assert!(
        text.stdout.contains("[AADSTS65001]") && text.stdout.contains("1. "),
        "{text:?}"
    );
    let unknown = explain(&["something else", "--json"]).await;
    assert_eq!(
        (unknown.code, &unknown.json()[0]["card"]["known"]),
        (0, &Value::from(false))
    );
    assert_eq!(explain(&[]).await.code, 2);
}

fn adds_up(totals: &Value) {
    let of = |name: &str| totals[name].as_u64().unwrap();
    assert_eq!(
        of("found"),
        of("imported") + of("duplicate") + of("skipped") + of("failed"),
        "{totals}"
    );
}
