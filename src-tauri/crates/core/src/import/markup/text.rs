//! HTML written as plain mail would be: paragraphs, lists, quotes, addresses behind links. One pass that
//! keeps no tree, because renderers that do take quadratic time on nested lists and long words.

use mail_parser::decoders::html::add_html_token;

use super::tokens::{Attribute, Token, Tokens};
use super::{LARGEST, LINK};
use crate::import::body::{TEXT, floor};

/// Marks of the deepest quotation that is shown as nested.
const MARKS: &str = ">>>>>>>>>>>>>>>>>>>>";
/// Longest character reference.
const REFERENCE: usize = 32;

/// Readable text of a document; what goes beyond the text that is kept is not written.
pub(in crate::import) fn to_text(html: &str) -> String {
    let mut page = Page::default();
    for token in Tokens::new(&html[..floor(html, LARGEST)]) {
        if page.out.len() > TEXT {
            break;
        }
        match token {
            Token::Text(text) => page.text(&references(text)),
            Token::Less(count) => page.text(&"<".repeat(count)),
            Token::Raw(..) => {}
            Token::Open(name, attributes) => page.start(&name, &attributes),
            Token::Close(name) => page.end(&name),
        }
    }
    page.out
}

#[derive(Default)]
struct Page {
    out: String,
    /// Line ends owed before the next character: 1 begins a line, 2 leaves an empty one.
    breaks: usize,
    space: bool,
    quotes: usize,
    /// Depth of quotation of the last line written.
    quoted: usize,
    preformatted: usize,
    /// Numbers of the open lists; 0 for bullets.
    lists: Vec<usize>,
    link: Option<(String, usize)>,
}

impl Page {
    fn text(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(is_special).unwrap_or(rest.len());
            let (plain, after) = rest.split_at(end);
            self.put(plain);
            let Some(special) = after.chars().next() else {
                return;
            };
            rest = &after[special.len_utf8()..];
            match special {
                '\n' if self.preformatted > 0 => self.line_end(),
                // Filling that keeps previews of newsletters empty.
                '\u{200b}'..='\u{200d}' | '\u{ad}' | '\u{34f}' | '\u{feff}' | '\0' => {}
                _ if self.preformatted > 0 => self.put(" "),
                _ => self.space = true,
            }
        }
    }

    /// Writes characters without line ends, after the line ends and the space that are owed.
    fn put(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.breaks > 0 {
            let breaks = if self.out.is_empty() { 0 } else { self.breaks };
            for line in 0..breaks {
                self.out.push('\n');
                if line + 1 < breaks {
                    self.out.push_str(&MARKS[..self.quotes.min(self.quoted)]);
                }
            }
            self.quoted = self.quotes;
            if self.quotes > 0 {
                self.out.push_str(&MARKS[..self.quotes]);
                self.out.push(' ');
            }
            self.breaks = 0;
            self.space = false;
        }
        if std::mem::take(&mut self.space) && !self.out.is_empty() {
            self.out.push(' ');
        }
        self.out.push_str(text);
    }

    fn block(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
    }

    fn line_end(&mut self) {
        self.breaks = (self.breaks + 1).min(2);
    }

    fn start(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        let value = |name: &str| {
            attributes
                .iter()
                .find(|a| a.name == name)
                .map(|a| references(a.value))
        };
        match name {
            "br" => self.line_end(),
            "hr" => {
                self.block(2);
                self.text("---");
                self.block(2);
            }
            "img" => self.text(&value("alt").unwrap_or_default()),
            "li" => {
                self.block(1);
                self.put(&"        "[..2 * self.lists.len().clamp(1, 5) - 2]);
                match self.lists.last_mut() {
                    Some(number) if *number > 0 => {
                        *number += 1;
                        let bullet = format!("{}. ", *number - 1);
                        self.put(&bullet);
                    }
                    _ => self.put("* "),
                }
            }
            "td" | "th" => self.space = true,
            "a" => {
                let address = value("href")
                    .map(|href| href.trim().to_owned())
                    .filter(|href| is_web(href));
                self.link = address.map(|address| (address, self.out.len()));
            }
            _ => self.edge(name, true),
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "a" => self.put_link(),
            "br" => self.line_end(),
            _ => self.edge(name, false),
        }
    }

    fn edge(&mut self, name: &str, opens: bool) {
        match name {
            "span" | "b" | "font" | "strong" | "i" | "u" | "em" | "tbody" => {}
            "ul" | "ol" => {
                self.block(if self.lists.len() + usize::from(!opens) > 1 {
                    1
                } else {
                    2
                });
                if opens && self.lists.len() < 64 {
                    self.lists.push(usize::from(name == "ol"));
                } else if !opens {
                    self.lists.pop();
                }
            }
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.block(2),
            "div" | "tr" | "table" | "dl" | "dt" | "dd" | "center" | "section" | "article"
            | "header" | "footer" | "form" | "address" | "option" | "caption" | "body" | "li" => {
                self.block(1)
            }
            "blockquote" => {
                self.block(2);
                self.quotes = if opens {
                    (self.quotes + 1).min(MARKS.len())
                } else {
                    self.quotes.saturating_sub(1)
                };
            }
            "pre" => {
                self.block(2);
                self.preformatted = if opens {
                    self.preformatted + 1
                } else {
                    self.preformatted.saturating_sub(1)
                };
            }
            _ => {}
        }
    }

    fn put_link(&mut self) {
        let Some((address, from)) = self.link.take() else {
            return;
        };
        let text = self.out.get(from..).unwrap_or_default();
        if !text.trim().is_empty() && !text.contains(address.trim_end_matches('/')) {
            self.space = true;
            self.put(&format!("<{address}>"));
        }
    }
}

fn is_special(c: char) -> bool {
    matches!(
        c,
        '\0' | '\t'
            | '\n'
            | '\r'
            | '\u{c}'
            | ' '
            | '\u{a0}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{2007}'
            | '\u{200b}'..='\u{200d}' | '\u{feff}'
    )
}

fn is_web(address: &str) -> bool {
    let lower = address.get(..8).unwrap_or_default().to_ascii_lowercase();
    lower.starts_with("http") && address.len() <= LINK && !address.contains(['<', '>', ' '])
}

/// Character references resolved.
fn references(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if !rest
            .as_bytes()
            .get(1)
            .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'#')
        {
            out.push('&');
            rest = &rest[1..];
            continue;
        }
        let end = rest
            .bytes()
            .skip(1)
            .take(REFERENCE)
            .position(|b| !b.is_ascii_alphanumeric() && b != b'#');
        match end.map(|end| end + 1) {
            Some(end) if rest.as_bytes()[end] == b';' => {
                add_html_token(&mut out, &rest.as_bytes()[..=end], false);
                rest = &rest[end + 1..];
            }
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}
