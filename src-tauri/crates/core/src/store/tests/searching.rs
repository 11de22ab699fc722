//! Searching in three languages.

use super::{NOW, address, database, new_ticket, person, ticket};
use crate::store::messages::{self, NewMessage};
use crate::store::tickets::{self, TicketQuery};
use rusqlite::Connection;

pub(super) fn search(words: &str) -> TicketQuery {
    TicketQuery {
        search: Some(words.into()),
        limit: 500,
        ..TicketQuery::default()
    }
}

/// Subjects of the tickets found, in order of their making.
fn found(conn: &Connection, words: &str) -> Vec<String> {
    let page = tickets::list(conn, &search(words)).unwrap();
    assert_eq!(page.total as usize, page.tickets.len());
    let mut tickets = page.tickets;
    tickets.sort_by_key(|ticket| ticket.id);
    tickets.into_iter().map(|ticket| ticket.subject).collect()
}

fn world() -> (tempfile::TempDir, Connection) {
    let (folder, conn) = database();
    let id = address(&conn, "support@contoso.example");
    for (subject, text) in [
        (
            "Invoice 4711",
            "The invoice is wrong. Please check \"item #3\" (50% off).",
        ),
        (
            "Vertrag",
            "Die Kündigungsfrist der Rechtsschutzversicherung; Straße 7.",
        ),
        (
            "返金のお願い",
            "先日購入した商品の返金をお願いいたします。税",
        ),
        (
            "ガイド",
            "スマートフォンの設定ガイドをください。ＡＢＣ１２３",
        ),
    ] {
        ticket(&conn, id, subject, text, NOW);
    }
    (folder, conn)
}

#[test]
fn finds_english_words_and_parts_of_them_in_any_case() {
    let (_folder, conn) = world();
    for words in [
        "invoice",
        "INVOICE",
        "voic",
        "4711",
        "wrong invoice",
        "wr in ch",
        "47",
    ] {
        assert_eq!(found(&conn, words), ["Invoice 4711"], "{words}");
    }
}

#[test]
fn finds_parts_of_german_compounds_and_ignores_umlaut_dots() {
    let (_folder, conn) = world();
    for words in [
        "versicherung",
        "schutzvers",
        "Kündigung",
        "KÜNDIGUNG",
        "kundigung",
        "ku\u{308}ndigung",
        "Straße",
        "STRASSE",
        "kü",
    ] {
        assert_eq!(found(&conn, words), ["Vertrag"], "{words}");
    }
}

#[test]
fn finds_japanese_by_one_two_or_more_characters_in_every_width() {
    let (_folder, conn) = world();
    for words in [
        "返金",
        "返",
        "税",
        "お願い",
        "購入した",
        "返金　商品",
        "す。税",
    ] {
        assert_eq!(found(&conn, words), ["返金のお願い"], "{words}");
    }
    for words in [
        "ガイド",
        "ｶﾞｲﾄﾞ",
        "スマートフォン",
        "abc123",
        "ＡＢＣ",
        "bc",
        "１２",
    ] {
        assert_eq!(found(&conn, words), ["ガイド"], "{words}");
    }
    assert!(
        found(&conn, "カイト").is_empty(),
        "a voiced sound is another letter"
    );
}

#[test]
fn wants_every_word() {
    let (_folder, conn) = world();
    for words in [
        "invoice vertrag",
        "返金 ガイド",
        "invoice 返金",
        "vo 返",
        "zz",
        "q",
        "zzz",
    ] {
        assert!(found(&conn, words).is_empty(), "{words}");
    }
    assert_eq!(found(&conn, "  ").len(), 4, "no word is no condition");
}

#[test]
fn finds_people_of_every_kind() {
    let (_folder, conn) = database();
    let id = address(&conn, "support@contoso.example");
    let ticket_id = tickets::insert(&conn, &new_ticket(id, NOW)).unwrap();
    let message = NewMessage {
        ticket_id,
        address_id: id,
        from: person("Zoë Brandt", "zoe@fabrikam.example"),
        to: vec![person("", "support@contoso.example")],
        cc: vec![person("田中", "tanaka@northwind.example")],
        ..NewMessage::default()
    };
    let message_id = messages::insert(&conn, &message).unwrap();
    messages::index(&conn, message_id, &message).unwrap();
    for words in [
        "zoe brandt",
        "Zoë",
        "zoe@fabrikam.example",
        "tanaka",
        "田中",
        "support@",
    ] {
        assert_eq!(found(&conn, words), ["Subject"], "{words}");
    }
}

#[test]
fn takes_special_characters_literally() {
    let (_folder, conn) = world();
    for words in ["\"item", "#3\"", "50%", "(50%", "item #3"] {
        assert_eq!(found(&conn, words), ["Invoice 4711"], "{words}");
    }
    for words in [
        "\"",
        "\"\"",
        "'",
        "*",
        "invoice*",
        "NEAR(",
        "NOT",
        "AND",
        "OR",
        "-x",
        "^inv",
        "a:b",
        "subject:invoice",
        "%",
        "_",
        "__",
        "___",
        "\\",
        "\0",
        "in\0voice",
        "{",
        ";",
        "--",
        "\u{10ffff}",
        "\u{10ffff}\u{10ffff}",
        "😀",
        "\u{301}",
        "%%%",
        "() () ()",
    ] {
        tickets::list(&conn, &search(words)).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    }
    assert!(found(&conn, "invo%ce").is_empty());
    assert!(found(&conn, "invo_ce").is_empty());
    assert!(found(&conn, "__").is_empty());
}

#[test]
fn searches_within_an_address_and_counts_beyond_the_page() {
    let (_folder, conn) = database();
    let one = address(&conn, "support@contoso.example");
    let two = address(&conn, "sales@contoso.example");
    for number in 0..30 {
        ticket(&conn, one, "One", "the same words", NOW + number);
        ticket(&conn, two, "Two", "the same words", NOW + number);
    }
    let query = TicketQuery {
        address: Some("Support@Contoso.example".into()),
        search: Some("same".into()),
        offset: 25,
        limit: 10,
    };
    let page = tickets::list(&conn, &query).unwrap();
    assert_eq!((page.total, page.tickets.len()), (30, 5));
    assert!(page.tickets.iter().all(|ticket| ticket.subject == "One"));
    assert_eq!(page.tickets[4].updated_at, NOW);
    let unknown = TicketQuery {
        address: Some("nobody@contoso.example".into()),
        ..query
    };
    assert_eq!(tickets::list(&conn, &unknown).unwrap().total, 0);
}
