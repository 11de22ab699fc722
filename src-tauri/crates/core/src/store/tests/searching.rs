//! Searching in three languages.

use super::{NOW, address, database, index, new_ticket, person, ticket};
use crate::store::messages::{self, NewMessage};
use crate::store::open::{MIGRATIONS, open_file};
use crate::store::search::fold;
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
    index(&conn, message_id, &message);
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

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

#[test]
fn finds_a_term_exactly_where_the_text_holds_it() {
    const PIECES: [&str; 24] = [
        "Rechnung",
        "s",
        "an",
        "Schutz",
        "versicherung",
        "é",
        "ß",
        "4711",
        "E-Mail",
        "@contoso.example",
        "#",
        " ",
        " ",
        "\n",
        "。",
        "返金",
        "の",
        "設定",
        "ガイド",
        "ｶﾞ",
        "สวัสดี",
        "한국어",
        "😀",
        "x\"y",
    ];
    let (_folder, conn) = database();
    let id = address(&conn, "support@contoso.example");
    let mut dice = Dice(7);
    let mut texts = Vec::new();
    for number in 0..150 {
        let mut text: String = (0..1 + dice.below(12))
            .map(|_| PIECES[dice.below(PIECES.len())])
            .collect();
        if number % 25 == 0 {
            text.extend((0..500).map(|_| char::from(b'a' + u8::try_from(dice.below(26)).unwrap())));
        }
        let (ticket, _) = ticket(&conn, id, "", &text, NOW + number);
        texts.push((ticket, fold(&text)));
    }
    let mut hits = 0;
    for _ in 0..1_500 {
        let (_, text) = &texts[dice.below(texts.len())];
        let characters: Vec<char> = text.chars().collect();
        let begin = dice.below(characters.len());
        let longest = [1, 2, 3, 6, 20, 200][dice.below(6)];
        let length = (1 + dice.below(longest)).min(characters.len() - begin);
        let words: String = characters[begin..begin + length].iter().collect();
        let terms: Vec<&str> = words.split_whitespace().collect();
        // A sender and his address are in every message.
        if terms
            .iter()
            .any(|term| "robin@fabrikam.example".contains(term))
        {
            continue;
        }
        let expected: Vec<i64> = texts
            .iter()
            .filter(|(_, text)| terms.iter().all(|term| text.contains(term)))
            .map(|(ticket, _)| *ticket)
            .collect();
        let page = tickets::list(&conn, &search(&words)).unwrap();
        let mut found: Vec<i64> = page.tickets.iter().map(|ticket| ticket.id).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{words:?}");
        hits += found.len();
    }
    assert!(hits > 3_000, "{hits}");
}

#[test]
fn a_database_of_an_earlier_version_is_indexed_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mailroom.db");
    // What writes rows knows the newest columns only, so the rows are copied from a database that has them.
    let newest_path = folder.path().join("newest.db");
    let newest = open_file(&newest_path, MIGRATIONS).unwrap();
    let id = address(&newest, "support@contoso.example");
    let ticket_id = tickets::insert(&newest, &new_ticket(id, NOW)).unwrap();
    let message = NewMessage {
        ticket_id,
        address_id: id,
        from: person("Zoë Brandt", "zoe@fabrikam.example"),
        cc: vec![person("田中", "tanaka@northwind.example")],
        subject: "Kündigung".into(),
        text: "先日購入した商品の返金".into(),
        ..NewMessage::default()
    };
    messages::insert(&newest, &message).unwrap();
    drop(newest);
    let older = open_file(&path, &MIGRATIONS[..9]).unwrap();
    let attach = "ATTACH DATABASE ?1 AS newest";
    older
        .execute(attach, [newest_path.to_str().unwrap()])
        .unwrap();
    for table in [
        "brands",
        "accounts",
        "addresses",
        "tickets",
        "messages",
        "bodies",
    ] {
        let columns: String = older
            .query_row(
                "SELECT group_concat(name) FROM pragma_table_info(?1, 'main')",
                [table],
                |row| row.get(0),
            )
            .unwrap();
        let copy =
            format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newest.{table}");
        assert_eq!(older.execute(&copy, []).unwrap(), 1, "{table}");
    }
    drop(older);
    let conn = open_file(&path, MIGRATIONS).unwrap();
    for words in ["ndigung", "zoe@", "田中", "northwind", "購入した"] {
        assert_eq!(found(&conn, words), ["Subject"], "{words}");
    }
}
