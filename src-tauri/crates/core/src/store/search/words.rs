//! Words of folded text, as they are indexed.

/// How a word came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It stood between spaces or punctuation, or a piece of it where it was very long.
    Spaced,
    /// Two characters of a script without spaces, or the last one of such a passage.
    Dense,
}

/// A word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    pub(super) kind: Kind,
    /// Whether it ends here; otherwise the text searched may go on with more of it.
    pub(super) complete: bool,
}

/// Characters of a spaced word in the index. Longer ones (encoded attachments, tracking links) are cut into pieces.
const LONGEST: usize = 120;
/// Characters that a piece has in common with the one before: parts up to this long are found.
pub(super) const OVERLAP: usize = 40;

/// The words of `text`, in order. `whole` is said of a mail's text; without it the text is a term, which may be the
/// beginning of something longer: its end is left open.
pub(super) fn words(text: &str, whole: bool) -> impl Iterator<Item = Word<'_>> {
    let mut rest = text;
    let mut passage = Passage::default();
    std::iter::from_fn(move || {
        loop {
            if let Some(word) = passage.next(whole) {
                return Some(word);
            }
            let start = rest.find(is_part)?;
            rest = &rest[start..];
            let dense = rest.starts_with(is_dense);
            let end = rest
                .find(|c| !is_part(c) || is_dense(c) != dense)
                .unwrap_or(rest.len());
            let (text, after) = rest.split_at(end);
            rest = after;
            passage = Passage {
                text,
                kind: if dense { Kind::Dense } else { Kind::Spaced },
                last: rest.is_empty(),
                begun: false,
            };
        }
    })
}

/// What is left of a passage of one kind.
struct Passage<'a> {
    text: &'a str,
    kind: Kind,
    /// Whether the text ends with it.
    last: bool,
    /// Whether a word was taken from it.
    begun: bool,
}

impl Default for Passage<'_> {
    fn default() -> Self {
        Self {
            text: "",
            kind: Kind::Spaced,
            last: false,
            begun: false,
        }
    }
}

impl<'a> Passage<'a> {
    fn next(&mut self, whole: bool) -> Option<Word<'a>> {
        let text = self.text;
        let open = self.last && !whole;
        let mut ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
        match self.kind {
            Kind::Spaced => {
                let end = ends.nth(LONGEST - 1).unwrap_or(text.len());
                self.text = match text.char_indices().nth(LONGEST - OVERLAP) {
                    Some((next, _)) if end < text.len() => &text[next..],
                    _ => "",
                };
                (!text.is_empty()).then_some(Word {
                    text: &text[..end],
                    kind: Kind::Spaced,
                    complete: !open,
                })
            }
            Kind::Dense => {
                let one = ends.next()?;
                let two = ends.next();
                self.text = &text[one..];
                let begun = std::mem::replace(&mut self.begun, true);
                match two {
                    Some(two) => Some(Word {
                        text: &text[..two],
                        kind: Kind::Dense,
                        complete: true,
                    }),
                    // What follows the last character of a term is not known; two characters said all there is.
                    None if open && begun => None,
                    None => Some(Word {
                        text,
                        kind: Kind::Dense,
                        complete: !open,
                    }),
                }
            }
        }
    }
}

/// Whether words are made of `c`: letters, digits and marks, but no space, punctuation or symbol.
pub(super) fn is_part(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    match c {
        '\u{80}'..='\u{bf}' => c.is_alphanumeric(),
        // General punctuation to symbols and arrows; CJK punctuation; small and presentation forms; private use; pictures.
        '\u{d7}' | '\u{f7}' | '\u{2000}'..='\u{2bff}' | '\u{2e00}'..='\u{2e7f}' => false,
        '\u{3000}'..='\u{3004}' | '\u{3008}'..='\u{3030}' | '\u{303d}'..='\u{303f}' => false,
        '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe6f}' | '\u{fff0}'..='\u{ffff}' => false,
        '\u{1f000}'..='\u{1faff}' | '\u{e0000}'..='\u{10ffff}' => false,
        c => !c.is_whitespace() && !c.is_control(),
    }
}

/// Whether `c` belongs to a script that puts no spaces between words.
pub(super) fn is_dense(c: char) -> bool {
    matches!(c,
        // Thai and Lao, Burmese, Khmer.
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        // Radicals to kana, bopomofo and Chinese characters.
        | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3031}'..='\u{312f}' | '\u{31a0}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{1aff0}'..='\u{1b16f}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, whole: bool) -> Vec<(&str, bool)> {
        words(text, whole)
            .map(|word| (word.text, word.complete))
            .collect()
    }

    #[test]
    fn takes_words_between_spaces_and_punctuation() {
        assert_eq!(
            of("please check \"item #3\" (50% off).", true),
            ["please", "check", "item", "3", "50", "off"].map(|word| (word, true))
        );
        assert_eq!(of("...", true), []);
    }

    #[test]
    fn takes_every_two_characters_and_the_last_where_there_are_no_spaces() {
        let all =
            |words: &[&'static str]| words.iter().map(|word| (*word, true)).collect::<Vec<_>>();
        assert_eq!(of("返金、税", true), all(&["返金", "金", "税"]));
        assert_eq!(
            of("office の設定x", true),
            all(&["office", "の設", "設定", "定", "x"])
        );
    }

    #[test]
    fn leaves_the_end_of_a_term_open() {
        assert_eq!(of("inv", false), [("inv", false)]);
        assert_eq!(of("a-b", false), [("a", true), ("b", false)]);
        assert_eq!(of("税", false), [("税", false)]);
        assert_eq!(of("返金の", false), [("返金", true), ("金の", true)]);
        assert_eq!(of("す。税", false), [("す", true), ("税", false)]);
    }

    #[test]
    fn cuts_what_is_too_long_to_be_a_word_into_pieces_that_overlap() {
        let text: String = ('a'..='z').cycle().take(300).collect();
        let pieces: Vec<&str> = words(&text, true).map(|word| word.text).collect();
        assert!(pieces.iter().all(|piece| piece.len() <= LONGEST));
        for start in 0..=text.len() - OVERLAP {
            let part = &text[start..start + OVERLAP];
            assert!(pieces.iter().any(|piece| piece.contains(part)), "{start}");
        }
    }
}
