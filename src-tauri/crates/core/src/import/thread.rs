//! Which ticket a mail belongs to.

use super::ParsedMail;

/// Most Message-IDs kept of a mail; some senders never shorten `References`.
const MOST: usize = 100;
/// Longest Message-ID taken seriously; RFC 5322 lines end at 998 characters.
const LONGEST: usize = 998;

/// Message-IDs to look for, nearest first: In-Reply-To, then References from right to left, then the mail
/// that a bounce returns.
pub fn parents(mail: &ParsedMail) -> Vec<String> {
    let mut out = mail.references.clone();
    if let Some(bounced) = &mail.bounced_message_id
        && !out.contains(bounced)
    {
        out.push(bounced.clone());
    }
    out
}

/// The Message-IDs in a field, without angle brackets, in order. Where a field has no brackets at all,
/// words with an `@` count.
pub(super) fn ids(field: &str) -> Vec<String> {
    let mut out = Vec::new();
    if field.contains('<') {
        for piece in field.split('<').skip(1) {
            if let Some((inside, _)) = piece.split_once('>') {
                out.extend(id(inside));
            }
        }
    } else {
        let words = field.split(|c: char| c.is_whitespace() || matches!(c, ',' | '"' | '>'));
        out.extend(words.filter(|word| word.contains('@')).filter_map(id));
    }
    out
}

fn id(text: &str) -> Option<String> {
    // Folding may have put white space into it.
    let id = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>();
    let sound = !id.is_empty()
        && id.len() <= LONGEST
        && !id.chars().any(|c| c.is_control() || matches!(c, '<' | '>'));
    sound.then_some(id)
}

/// `In-Reply-To` and `References`, nearest first and without repetition.
pub(super) fn references(in_reply_to: &str, references: &str, own: Option<&str>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for id in ids(in_reply_to)
        .into_iter()
        .chain(ids(references).into_iter().rev())
    {
        if out.len() < MOST && own != Some(id.as_str()) && !out.contains(&id) {
            out.push(id);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_first_without_repetition() {
        let found = references("<c@x>", "<a@x> <b@x>\t<c@x> <own@x>", Some("own@x"));
        assert_eq!(found, ["c@x", "b@x", "a@x"]);
    }

    #[test]
    fn passes_over_what_is_no_message_id() {
        assert_eq!(ids("Your message of \"Mon\" <1@x> junk <> <2@x"), ["1@x"]);
        assert_eq!(ids("bare@x other, third@x"), ["bare@x", "third@x"]);
        assert_eq!(ids("<AB CD@x>"), ["ABCD@x"]);
    }

    #[test]
    fn at_most_a_hundred() {
        let many = (0..5_000).map(|n| format!("<{n}@x>")).collect::<String>();
        let found = references("", &many, None);
        assert_eq!((found.len(), found[0].as_str()), (100, "4999@x"));
    }

    #[test]
    fn a_bounce_belongs_to_the_mail_it_returns() {
        let mail = ParsedMail {
            references: vec!["a@x".into()],
            bounced_message_id: Some("b@x".into()),
            ..ParsedMail::default()
        };
        assert_eq!(parents(&mail), ["a@x", "b@x"]);
    }
}
