use super::*;
use std::collections::BTreeSet;

fn first(text: &str) -> Explanation {
    explain(text, Language::En).remove(0)
}

fn found(text: &str) -> Vec<String> {
    codes(text)
}

#[test]
fn what_servers_literally_say_is_recognised() {
    let mut wrong = Vec::new();
    let mut families = BTreeSet::new();
    let mut count = 0;
    for line in include_str!("samples.tsv").lines() {
        if line.starts_with('#') {
            continue;
        }
        let (code, text) = line.split_once('\t').unwrap();
        let text = text.replace("\\n", "\r\n");
        let got = first(&text);
        count += 1;
        if got.card.code != code || !got.card.known {
            wrong.push(format!("{text}\n  wanted {code}, got {:?}", found(&text)));
        }
        families.insert(format!("{:?}", catalogue::get(code).unwrap().family()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 150, "{count}");
    assert_eq!(families.len(), 6);
}

#[test]
fn every_pattern_finds_its_own_entry_first() {
    let mut wrong = Vec::new();
    for entry in catalogue::entries() {
        let own: Vec<&str> = entry.codes().collect();
        let patterns: Vec<&str> = match &entry.patterns {
            Some(patterns) => patterns.iter().map(String::as_str).collect(),
            None => own.clone(),
        };
        for pattern in patterns {
            let words = pattern.trim_start_matches('~').replace('…', "something");
            let text = if entry.family() == Family::Ews {
                format!("<m:Text>x {words} y</m:Text>")
            } else {
                format!("x: {words}, y")
            };
            let got = first(&text).card.code;
            if !own.contains(&got.as_str()) {
                wrong.push(format!("{pattern}: wanted {}, got {got}", entry.code));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_alone_is_explained_by_its_own_card() {
    for entry in catalogue::entries()
        .iter()
        .filter(|entry| entry.code != "unknown")
    {
        for code in entry.codes() {
            let card = first(&format!("  {code}\n")).card;
            assert_eq!((card.code.as_str(), card.known), (code, true));
        }
    }
}

#[test]
fn all_numbers_of_a_page_come_in_its_order() {
    let text = "AADSTS50076: … AADSTS65001: … aadsts50076 again, AADSTS1234567: new";
    let explanations = explain(text, Language::De);
    let codes: Vec<&str> = explanations
        .iter()
        .map(|one| one.card.code.as_str())
        .collect();
    assert_eq!(codes, ["AADSTS50076", "AADSTS65001", "AADSTS1234567"]);
    assert!(explanations[1].card.known && !explanations[2].card.known);
    assert_eq!(found(text), ["AADSTS50076", "AADSTS65001"]);
    assert_eq!(
        explanations[2].card.links[0].url,
        "https://login.microsoftonline.com/error?code=1234567"
    );
}

#[test]
fn a_number_is_not_found_inside_of_a_longer_one() {
    assert_eq!(found("550 5.7.301 x"), Vec::<String>::new());
    assert_eq!(found("host 10.5.7.30 answered"), Vec::<String>::new());
    assert_eq!(found("550-5.7.30 x"), ["SMTP 5.7.30"]);
    assert_eq!(found("MyErrorAccessDeniedException"), Vec::<String>::new());
}

#[test]
fn ids_and_addresses_are_taken_from_the_page() {
    let text = "AADSTS50020: User account 'kai@contoso.example' from identity provider 'live.com' does not exist in \
        tenant 'fabrikam.example' and cannot access the application.\nTrace ID: 0a1b2c3d-1111-4222-8333-444455556666 \
        Correlation ID: 9f8e7d6c-1111-4222-8333-444455556666 Timestamp: 2026-03-01 10:00:00Z";
    let got = first(text);
    let detail = |name: &str| got.details.get(name).map(String::as_str);
    assert_eq!(
        detail("trace_id"),
        Some("0a1b2c3d-1111-4222-8333-444455556666")
    );
    assert_eq!(
        detail("correlation_id"),
        Some("9f8e7d6c-1111-4222-8333-444455556666")
    );
    assert_eq!(detail("timestamp"), Some("2026-03-01 10:00:00Z"));
    assert_eq!(detail("tenant"), Some("fabrikam.example"));
    assert_eq!(detail("login"), Some("kai@contoso.example"));
    assert!(
        got.card
            .steps
            .iter()
            .any(|step| step.contains("fabrikam.example"))
    );

    let graph = first(
        r#"{"error":{"code":"ErrorAccessDenied","message":"Access is denied. Check credentials and try again.","innerError":{"date":"2026-03-01T10:00:00","request-id":"0a1b2c3d-1111-4222-8333-444455556666"}}}"#,
    );
    assert_eq!(
        graph.details["request_id"],
        "0a1b2c3d-1111-4222-8333-444455556666"
    );
}

#[test]
fn who_may_not_send_as_whom_goes_into_the_command() {
    let text = "554 5.2.252 SendAsDenied; kai@contoso.example not allowed to send as help@contoso.example; STOREDRV";
    let card = first(text).card;
    let command = card.commands.iter().find(|command| command.writes).unwrap();
    assert!(
        command
            .text
            .contains("-Identity 'help@contoso.example' -Trustee 'kai@contoso.example'"),
        "{}",
        command.text
    );
}

#[test]
fn of_several_addresses_none_is_guessed() {
    let text = "From: a@contoso.example\nTo: b@contoso.example\n550 5.7.60 SMTP; Client does not have\r\n permissions \
        to send as this sender";
    let got = first(text);
    assert_eq!(got.card.code, "SMTP 5.7.60");
    assert_eq!(
        got.details["addresses"],
        "a@contoso.example b@contoso.example"
    );
    assert!(
        got.card
            .commands
            .last()
            .unwrap()
            .text
            .contains("'<address>'")
    );
}

#[test]
fn the_sentence_beside_a_shared_code_decides_which_card_a_finding_gets() {
    for (code, message, card) in [
        (
            "ErrorAccessDenied",
            "Access to OData is disabled.",
            "ODataDisabled",
        ),
        (
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
            "ErrorAccessDenied",
        ),
        (
            "ErrorItemNotFound",
            "Default folder Root not found.",
            "DefaultFolderNotFound",
        ),
        ("ErrorItemNotFound", "AADSTS65001", "ErrorItemNotFound"),
        ("offline", "", "offline"),
    ] {
        let raw = format!(r#"{{"error":{{"code":"{code}","message":"{message}"}}}}"#);
        let finding = Finding {
            code: code.to_owned(),
            severity: crate::diagnosis::Severity::Failed,
            args: BTreeMap::new(),
            evidence: Some(crate::diagnosis::Evidence {
                raw,
                ..Default::default()
            }),
            sign_in_again: false,
            hand_off: None,
        };
        assert_eq!(card_of(&finding, Language::En).code, card);
    }
}

#[test]
fn a_bounce_with_encoded_line_ends_is_read() {
    let text = "Diagnostic-Code: smtp;550 5.7.30 Basic authentication is not sup=\r\nported for Client Submission.";
    let got = first(text);
    assert_eq!(got.card.code, "SMTP 5.7.30");
    assert!(
        got.matched.contains("sup=\r\nported for"),
        "{}",
        got.matched
    );
}

#[test]
fn what_is_unknown_is_called_unknown_with_the_whole_text() {
    for (text, code) in [
        ("nothing of interest", "unknown"),
        ("", "unknown"),
        (
            r#"{"error":{"code":"ErrorBrandNew","message":"x"}}"#,
            "ErrorBrandNew",
        ),
        (
            "<m:ResponseCode>ErrorBrandNew</m:ResponseCode>",
            "ErrorBrandNew",
        ),
        ("550 5.9.123 brand new", "SMTP 5.9.123"),
    ] {
        let all = explain(text, Language::Ja);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].card.code, code);
        assert!(!all[0].card.known);
        assert_eq!(all[0].raw, text);
        assert!(all[0].matched.is_empty());
        assert!(codes(text).is_empty());
    }
}

#[test]
fn secrets_in_a_pasted_text_are_taken_out() {
    let text = "http://localhost:1/?code=0.AAAAsecretsecret&state=abc AADSTS65001 access_token=eyJhbGciOi.eyJzdWIi.c2ln";
    for one in explain(text, Language::En) {
        let all = serde_json::to_string(&one).unwrap();
        assert!(
            !all.contains("secretsecret") && !all.contains("eyJhbGciOi"),
            "{all}"
        );
    }
}

#[test]
fn a_log_of_many_codes_ends_somewhere() {
    let text: String = (0..5_000)
        .map(|n| format!("AADSTS{} ", 10_000 + n))
        .collect();
    assert_eq!(explain(&text, Language::En).len(), MOST);
}

/// Numbers that look random and are the same in every run (xorshift64).
fn numbers_from(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    }
}

#[test]
fn no_text_makes_it_fail() {
    let pieces = [
        "AADSTS",
        "65001",
        "AADSTS65001",
        "5.7.139",
        ".",
        "…",
        "‘",
        "\u{202e}",
        "\r\n",
        "=\n",
        "&#39;",
        "\\u0027",
        "\\",
        "%",
        "%3",
        "%C3%A9",
        "error=",
        "+",
        "@",
        "a@b.c",
        "ErrorAccessDenied",
        "Access is denied",
        "{\"error\":",
        "<m:ResponseCode>",
        "correlation id: ",
        "timestamp ",
        "tenant '",
        "日本語",
        "é",
        "\0",
        "🙂",
        "not allowed to send as",
        "ResponseCode>",
        "error_codes\":[",
        "client_id=",
        "ß",
        " ",
        "'",
        "\"",
    ];
    let mut pick = numbers_from(0x9E37_79B9_7F4A_7C15);
    for _ in 0..500 {
        let length = pick(24);
        let text: String = (0..length).map(|_| pieces[pick(pieces.len())]).collect();
        for one in explain(&text, Language::ALL[pick(3)]) {
            assert!(!one.card.title.is_empty());
        }
    }
}

#[test]
fn a_huge_text_is_read_in_reasonable_time() {
    let start = std::time::Instant::now();
    for piece in [
        "error_codes\":[",
        "5.7.139 ",
        "…",
        "ErrorAccessDenied ",
        "a@b.c ",
        "\\u0027",
        "日",
        "<m:",
    ] {
        explain(&piece.repeat(200_000), Language::En);
    }
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
