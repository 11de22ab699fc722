use super::super::kind_of;
use super::*;
use crate::diagnosis::catalogue;

const HOSTILE: &str = "x'; Remove-Mailbox \u{2019}*\u{2018} $(calc) `whoami` \"&\"\r\nBcc: canary@evil.example\u{202e}\u{2028}Stop-Computer";

fn registration(tenant: &str, client_id: &str) -> Registration {
    Registration {
        authority: Url::parse("https://login.contoso.example/").unwrap(),
        graph_url: Url::parse("https://graph.contoso.example/").unwrap(),
        tenant: tenant.into(),
        client_id: client_id.into(),
        issuer: None,
    }
}

fn scopes() -> Vec<String> {
    ["openid", "Mail.ReadWrite"].map(str::to_owned).to_vec()
}

fn link(tenant: &str, client_id: &str, state: &str) -> Url {
    consent_link(&registration(tenant, client_id), &scopes(), state, REDIRECT)
}

fn values(value: &str) -> Values {
    [
        "address",
        "login",
        "tenant",
        "client_id",
        "scope",
        "correlation_id",
        "service_account",
        "virtual_directory",
        "request_id",
        "seen_at",
        "what",
        "host",
    ]
    .map(|name| (name.to_owned(), value.to_owned()))
    .into()
}

fn all(messages: &HandOffMessages) -> [&HandOffMessage; 3] {
    Language::ALL.map(|language| messages.of(language))
}

/// All requests of the catalogue that can be handed over, with every value the same.
fn requests(value: &str) -> Vec<(&'static str, HandOffMessages)> {
    let values = values(value);
    catalogue::entries()
        .iter()
        .filter_map(|entry| {
            let kind = kind_of(&entry.code)?;
            let messages = messages(kind, &entry.code, &values, &[], None);
            Some((entry.code.as_str(), messages))
        })
        .collect()
}

#[test]
fn the_link_asks_for_exactly_our_scopes_for_the_whole_tenant() {
    let link = link("contoso.example", "c-1", "s-1");
    assert_eq!(link.path(), "/contoso.example/v2.0/adminconsent");
    let pairs: Vec<(String, String)> = link.query_pairs().into_owned().collect();
    let expected = [
        ("client_id", "c-1"),
        ("scope", "openid Mail.ReadWrite"),
        ("redirect_uri", "http://localhost"),
        ("state", "s-1"),
    ];
    assert_eq!(
        pairs,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let common = self::link("common", "c-1", "s-1");
    assert_eq!(common.path(), "/organizations/v2.0/adminconsent");
}

#[test]
fn hostile_values_stay_inside_their_part_of_link_and_approval() {
    let canary = "x/../y?scope=Directory.ReadWrite.All&a=b#c\r\nBcc: canary@evil.example";
    let link = link(canary, canary, canary);
    assert_eq!(link.host_str(), Some("login.contoso.example"));
    assert_eq!(link.path_segments().unwrap().count(), 3);
    assert_eq!(link.query_pairs().count(), 4);
    assert_eq!(link.fragment(), None);
    let values = values("\"{link}\"\r\nBcc: canary@evil.example");
    let (kind, code) = (HandOffKind::Approval, "AADSTS65001");
    let messages = messages(kind, code, &values, &scopes(), Some(&link));
    for message in all(&messages) {
        let mut lines = message.text.lines().chain(message.subject.lines());
        assert!(!lines.any(|line| line.starts_with("Bcc:")), "{message:?}");
        // The address's own braces were not filled in.
        assert!(message.text.contains("\"{link}\""), "{message:?}");
        assert_eq!(message.subject.lines().count(), 1);
    }
}

#[test]
fn every_approval_has_the_link_and_says_what_comes_after_accepting() {
    let link = link("contoso.example", "c-1", "s-1");
    let values = [
        ("address".to_owned(), "support@contoso.example".to_owned()),
        ("client_id".to_owned(), "c-1".to_owned()),
    ]
    .into();
    let (kind, code) = (HandOffKind::Approval, "AADSTS65001");
    let messages = messages(kind, code, &values, &scopes(), Some(&link));
    for message in all(&messages) {
        for part in [
            link.as_str(),
            "support@contoso.example",
            "c-1",
            "openid, Mail.ReadWrite",
            "http://localhost",
            "ERR_CONNECTION_REFUSED",
        ] {
            assert!(message.text.contains(part), "{part}: {message:?}");
        }
        assert!(!message.text.contains('{'), "{message:?}");
        assert!(!message.subject.is_empty());
    }
    assert_ne!(messages.en, messages.de);
    assert_ne!(messages.de, messages.ja);
}

/// `line` without its single-quoted strings, as PowerShell reads them; nothing where one does not end.
fn without_strings(line: &str) -> Option<String> {
    let mut rest = line.chars().peekable();
    let mut bare = String::new();
    let is_quote = |c: char| matches!(c, '\'' | '\u{2018}'..='\u{201b}');
    while let Some(c) = rest.next() {
        if !is_quote(c) {
            bare.push(c);
            continue;
        }
        loop {
            match rest.next()? {
                c if is_quote(c) && rest.peek().copied().is_some_and(is_quote) => {
                    rest.next();
                }
                c if is_quote(c) => break,
                _ => {}
            }
        }
    }
    Some(bare)
}

#[test]
fn no_value_leaves_its_quotes_its_line_or_its_paragraph() {
    let mut seen = 0;
    for ((code, calm), (_, hostile)) in requests("x").into_iter().zip(requests(HOSTILE)) {
        for (calm, hostile) in all(&calm).into_iter().zip(all(&hostile)) {
            let lines = |message: &HandOffMessage| message.text.lines().count();
            assert_eq!(lines(calm), lines(hostile), "{code}");
            assert_eq!(hostile.subject.lines().count(), 1);
            assert!(!hostile.text.contains(['\u{202e}', '\u{2028}', '\r']));
            assert_eq!(calm.commands.len(), hostile.commands.len());
            for (calm, hostile) in calm.commands.iter().zip(&hostile.commands) {
                seen += 1;
                let bare = without_strings(&hostile.text);
                assert!(bare.is_some(), "{}", hostile.text);
                assert_eq!(without_strings(&calm.text), bare, "{}", hostile.text);
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn commands_that_only_look_come_before_those_that_change_something() {
    for (code, messages) in requests("x") {
        let writes = messages.en.commands.iter().map(|command| command.writes);
        assert!(writes.is_sorted(), "{code}");
    }
}

#[test]
fn a_request_says_what_to_do_how_long_exchange_takes_and_how_it_goes_on() {
    let values: Values = [
        ("address", "team@contoso.example"),
        ("login", "alex@contoso.example"),
        ("client_id", "c-1"),
        ("tenant", "contoso.example"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let text = |code: &str| {
        let kind = kind_of(code).unwrap();
        messages(kind, code, &values, &[], None).en.text
    };
    let right = text("full_access_missing");
    for part in [
        "1. Open the mailbox team@contoso.example",
        "Get-EXOMailboxPermission -Identity 'team@contoso.example' -User 'alex@contoso.example'",
        "Add-MailboxPermission -Identity 'team@contoso.example'",
        "(changes)",
        "up to 60 minutes",
        "by itself every few minutes",
        "alex@contoso.example",
    ] {
        assert!(right.contains(part), "{part}: {right}");
    }
    for part in ["next mail that", "client ID", "Ask your", "Check again"] {
        assert!(!right.contains(part), "{part}: {right}");
    }
    let sending = text("ErrorSendAsDenied");
    assert!(sending.contains("next mail that"), "{sending}");
    assert!(!sending.contains("every few minutes"), "{sending}");
    let app = text("AADSTS7000218");
    assert!(app.contains("client ID c-1"), "{app}");
    assert!(!app.contains("Exchange can take"), "{app}");
    let japanese = messages(
        HandOffKind::Mailbox,
        "full_access_missing",
        &values,
        &[],
        None,
    )
    .ja;
    assert!(japanese.text.contains("最大 60 分"), "{}", japanese.text);
}
