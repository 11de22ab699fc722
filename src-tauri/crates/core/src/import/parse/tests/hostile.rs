//! Generators of mail that wants to break the reader, and random damage.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::*;
use crate::import::test_clock::ran;

const HEADER: &str = "From: a@x.example\nSubject: hostile\nMessage-ID: <h@x.example>\n";

/// Parses within a second per MB of processor time, which catches what grows with the square; the bench measures how fast
/// it is. The best of three counts: a busy machine only ever adds to the time.
fn in_time(what: &str, raw: &[u8]) -> ParsedMail {
    let allowed = Duration::from_secs(1).mul_f64((raw.len() as f64 / 1e6).max(1.0));
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let start = ran();
        let mail = parse(raw);
        best = best.min(ran() - start);
        if best <= allowed {
            return mail;
        }
    }
    panic!(
        "{what}: {} bytes took {best:?}, allowed {allowed:?}",
        raw.len()
    );
}

#[test]
fn multiparts_nested_forty_thousand_deep() {
    let mut raw = HEADER.to_owned();
    for n in 0..40_000 {
        raw.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n"
        ));
    }
    raw.push_str("\nthe text at the bottom\n");
    let mail = in_time("multiparts", raw.as_bytes());
    assert!(mail.damage.contains(&"too_deep"), "{:?}", mail.damage);
    assert_eq!(
        (mail.subject.as_str(), mail.text.as_str()),
        ("hostile", "the text at the bottom")
    );
}

#[test]
fn messages_nested_forty_thousand_deep() {
    let raw = format!(
        "{HEADER}{}\nbottom\n",
        "Content-Type: message/rfc822\n\n".repeat(40_000)
    );
    let mail = in_time("messages", raw.as_bytes());
    assert_eq!(
        (mail.subject.as_str(), mail.attachments.len()),
        ("hostile", 1)
    );
    let mixed =
        "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: message/rfc822\n\n"
            .repeat(20_000);
    assert_eq!(
        in_time(
            "messages in multiparts",
            format!("{HEADER}{mixed}").as_bytes()
        )
        .subject,
        "hostile"
    );
}

#[test]
fn a_million_parts() {
    let raw = format!(
        "{HEADER}Content-Type: multipart/mixed; boundary=x\n\n{}--x--\n",
        "--x\n\na\n".repeat(300_000)
    );
    let mail = in_time("parts", raw.as_bytes());
    assert!(mail.damage.contains(&"too_many_parts"));
    assert!(mail.text.starts_with("a\n\na"));
}

#[test]
fn multiparts_whose_boundary_never_comes() {
    let part = "--x\nContent-Type: multipart/mixed; boundary=\"never\"\n\ntext\n";
    let raw = format!(
        "{HEADER}Content-Type: multipart/mixed; boundary=x\n\n{}",
        part.repeat(15_000)
    );
    assert!(in_time("boundaries", raw.as_bytes()).text.contains("text"));
    let deep = (0..64).map(|n| {
        format!(
            "Content-Type: multipart/mixed; boundary={}{n}\n\n--{0}{n}\n",
            "y".repeat(900)
        )
    });
    let raw = format!(
        "{HEADER}{}{}",
        deep.collect::<String>(),
        format!("--{}\n", "y".repeat(950)).repeat(1_000)
    );
    in_time("boundaries alike", raw.as_bytes());
}

#[test]
fn headers_without_end() {
    let body = "\n\nbody\n";
    let cases = [
        (
            "fields",
            format!("{HEADER}{}{body}", "X-Y: z\n".repeat(400_000)),
        ),
        (
            "subjects",
            format!("{HEADER}{}{body}", "Subject: z\n".repeat(200_000)),
        ),
        (
            "folds",
            format!(
                "{HEADER}To: a@x.example\n{}{body}",
                " ,a@x.example\n".repeat(100_000)
            ),
        ),
        (
            "one line",
            format!("{HEADER}To: {}{body}", "x".repeat(3_000_000)),
        ),
        (
            "addresses",
            format!(
                "{HEADER}To: {}{body}",
                "A B <a@x.example>, ".repeat(100_000)
            ),
        ),
        (
            "brackets",
            format!("{HEADER}To: {}{body}", "<".repeat(1_000_000)),
        ),
        (
            "comments",
            format!("{HEADER}To: {}{body}", "(".repeat(1_000_000)),
        ),
        (
            "quotes",
            format!("{HEADER}To: {}{body}", "\"\\".repeat(500_000)),
        ),
        (
            "encoded words",
            format!("{HEADER}To: {}{body}", "=?utf-8?Q?a?= ".repeat(100_000)),
        ),
        (
            "words to join",
            format!("Subject: {}{body}", "=?utf-8?Q?a?=\n ".repeat(100_000)),
        ),
        (
            "words without end",
            format!("{HEADER}To: {}{body}", "=?utf-8?Q?a".repeat(100_000)),
        ),
        (
            "question marks",
            format!("{HEADER}Cc: {}{body}", "=?".repeat(500_000)),
        ),
        (
            "parameters",
            format!(
                "{HEADER}Content-Type: text/plain{}{body}",
                "; a*0*=x".repeat(100_000)
            ),
        ),
        (
            "spaces",
            format!(
                "{HEADER}Content-Type: text/plain; a={}{body}",
                " ".repeat(1_000_000)
            ),
        ),
        (
            "references",
            format!(
                "{HEADER}References: {}{body}",
                "<a@x.example> ".repeat(100_000)
            ),
        ),
        (
            "dates",
            format!("{HEADER}Date: {}{body}", "Mon, ".repeat(200_000)),
        ),
    ];
    for (what, raw) in cases {
        let mail = in_time(what, raw.as_bytes());
        assert!(
            mail.text == "body" || what == "parameters",
            "{what}: {:?}",
            mail.text.get(..40)
        );
        assert!(mail.to.len() <= 1_000 && mail.references.len() <= 100);
    }
}

#[test]
fn bodies_without_sense() {
    let html = "Content-Type: text/html\n\n";
    let cases = [
        (
            "no line end",
            format!("{HEADER}\n{}", "x".repeat(4_000_000)),
        ),
        (
            "dashes",
            format!(
                "{HEADER}Content-Type: multipart/mixed; boundary=x\n\n{}",
                "--\n".repeat(700_000)
            ),
        ),
        ("zeroes", format!("{HEADER}\n{}", "\0".repeat(3_000_000))),
        ("line ends", format!("{HEADER}\n{}", "\n".repeat(3_000_000))),
        ("returns", format!("{HEADER}\n{}", "\r".repeat(3_000_000))),
        (
            "quotes",
            format!(
                "{HEADER}Content-Type: text/plain; format=flowed\n\n{}",
                "> \n".repeat(500_000)
            ),
        ),
        (
            "equals",
            format!(
                "{HEADER}Content-Transfer-Encoding: quoted-printable\n\n{}",
                "=".repeat(2_000_000)
            ),
        ),
        ("divs", format!("{HEADER}{html}{}", "<div>".repeat(200_000))),
        (
            "blockquotes",
            format!("{HEADER}{html}{}", "<blockquote>x".repeat(80_000)),
        ),
        (
            "tables",
            format!("{HEADER}{html}{}", "<table><tr><td>x".repeat(60_000)),
        ),
        (
            "lists",
            format!("{HEADER}{html}{}", "<ul><li>x".repeat(100_000)),
        ),
        (
            "letters",
            format!("{HEADER}{html}{}", "<b><i><u>x</b>".repeat(60_000)),
        ),
        (
            "rows",
            format!("{HEADER}{html}<table>{}", "<tr><td>x<td>y".repeat(60_000)),
        ),
        (
            "misplaced",
            format!("{HEADER}{html}<table>{}", "<p>x</p>".repeat(100_000)),
        ),
        (
            "comments",
            format!("{HEADER}{html}{}", "<!-- ".repeat(200_000)),
        ),
        (
            "closed comments",
            format!("{HEADER}{html}{}", "<!--a-->".repeat(120_000)),
        ),
        ("less", format!("{HEADER}{html}{}", "<".repeat(1_000_000))),
        (
            "tags",
            format!("{HEADER}{html}{}", "<a href=\"".repeat(100_000)),
        ),
        (
            "attributes",
            format!(
                "{HEADER}{html}<p {}>x",
                (0..100_000).map(|n| format!("a{n} ")).collect::<String>()
            ),
        ),
        (
            "links",
            format!(
                "{HEADER}{html}{}",
                "<a href=http://x.example/a>x</a>".repeat(30_000)
            ),
        ),
        (
            "ampersands",
            format!("{HEADER}{html}{}", "&".repeat(1_000_000)),
        ),
    ];
    for (what, raw) in cases {
        let mail = in_time(what, raw.as_bytes());
        assert_eq!(mail.subject, "hostile", "{what}");
        assert!(mail.text.len() <= 1024 * 1024);
    }
}

#[test]
fn long_text_is_cut_at_a_mebibyte() {
    let mail = parse(format!("{HEADER}\n{}", "語\n".repeat(500_000)).as_bytes());
    assert_eq!(mail.damage, ["text_cut"]);
    assert!(mail.text.len() <= 1024 * 1024 && mail.text.len() > 1024 * 1024 - 8);
}

#[test]
fn random_damage_never_panics() {
    let seeds = std::fs::read_dir(folder())
        .unwrap()
        .flatten()
        .filter(|f| f.path().extension().is_some_and(|e| e == "eml"))
        .map(|f| std::fs::read(f.path()).unwrap())
        .collect::<Vec<_>>();
    let spice: &[&[u8]] = &[
        b"\n\n",
        b"--",
        b"=?",
        b"?=",
        b"\"",
        b"<",
        b">",
        b"(",
        b"\\",
        b"\0",
        b"\x1b$B",
        b"\xff\xfe",
        b"\r",
        b";",
        b"=",
        b"Content-Type: multipart/mixed; boundary=m\n",
        b"Content-Type: message/rfc822\n\n",
        b"<!--",
        b"%00",
        b"'",
        b"Content-Transfer-Encoding: base64\n",
        b"\n--m\n",
        b"\xe2\x80\xae",
        b"charset=utf-7",
        b":",
        b",",
        b"@",
        b"&#0;",
    ];
    let mut random = StdRng::seed_from_u64(0x6d61_696c);
    let start = Instant::now();
    let mut done = 0;
    for round in 0..8_000 {
        if start.elapsed() > Duration::from_secs(4) {
            break;
        }
        let mut raw = seeds[round % seeds.len()].clone();
        for _ in 0..random.random_range(1..8) {
            let at = random.random_range(0..=raw.len());
            match random.random_range(0..5) {
                0 if at < raw.len() => raw[at] = random.random(),
                1 => raw.truncate(at.max(20)),
                2 => {
                    let piece = spice[random.random_range(0..spice.len())];
                    raw.splice(at..at, piece.iter().copied());
                }
                3 => {
                    let other = &seeds[random.random_range(0..seeds.len())];
                    let from = random.random_range(0..other.len());
                    raw.truncate(at);
                    raw.extend_from_slice(&other[from..]);
                }
                _ => {
                    let end = (at + random.random_range(0..40)).min(raw.len());
                    raw.drain(at..end);
                }
            }
        }
        let mail = parse(&raw);
        for found in &mail.attachments {
            let bytes = attachment(&raw, found.part).unwrap();
            assert_eq!(bytes.len() as u64, found.size);
            assert!(
                !found.name.is_empty()
                    && !found.name.contains(['/', '\\', '\0'])
                    && found.name.len() <= 200
            );
        }
        let _ = safe_html(&raw);
        done += 1;
    }
    assert!(done >= 1_000, "only {done} mails in four seconds");
}
