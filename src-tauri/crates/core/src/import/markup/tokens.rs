//! HTML taken apart the way the WHATWG tokenizer does, as far as mail needs it.

use std::borrow::Cow;

/// Attributes read of one tag; the parser compares each with all before.
const ATTRIBUTES: usize = 64;

/// A piece of HTML.
#[derive(Debug)]
pub(super) enum Token<'a> {
    /// Text as written, without `<`.
    Text(&'a str),
    /// So many `<` in a row that begin nothing.
    Less(usize),
    /// Content of an element whose content is not HTML (its tags come not as tokens).
    Raw(Cow<'a, str>, &'a str),
    /// A start tag, name in lower case.
    Open(Cow<'a, str>, Vec<Attribute<'a>>),
    /// An end tag, name in lower case.
    Close(Cow<'a, str>),
}

/// An attribute, its value as written: character references are not resolved.
#[derive(Debug)]
pub(super) struct Attribute<'a> {
    pub(super) name: String,
    pub(super) value: &'a str,
}

/// The tokens of a document; comments and declarations are passed over.
pub(super) struct Tokens<'a> {
    html: &'a str,
    pos: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self { html, pos: 0 }
    }

    fn byte(&self) -> Option<u8> {
        self.html.as_bytes().get(self.pos).copied()
    }

    /// Moves behind `end`, or to the end of the document.
    fn skip_past(&mut self, end: &str) {
        self.pos = self.html[self.pos..]
            .find(end)
            .map_or(self.html.len(), |at| self.pos + at + end.len());
    }

    fn skip_comment(&mut self) {
        let rest = &self.html[self.pos + 4..];
        if rest.starts_with('>') || rest.starts_with("->") {
            return self.skip_past(">");
        }
        let end = rest
            .match_indices('>')
            .find(|(at, _)| rest[..*at].ends_with("--") || rest[..*at].ends_with("--!"));
        self.pos = end.map_or(self.html.len(), |(at, _)| self.pos + 4 + at + 1);
    }

    fn name(&mut self) -> Cow<'a, str> {
        let rest = &self.html[self.pos..];
        let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'/' | b'>');
        let end = rest.bytes().position(|b| ends(&b)).unwrap_or(rest.len());
        self.pos += end;
        let name = &rest[..end];
        if name.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        }
    }

    /// Reads attributes up to and with `>`; nothing when the document ends within the tag.
    fn attributes(&mut self) -> Option<Vec<Attribute<'a>>> {
        let mut out = Vec::new();
        if self.byte() == Some(b'>') {
            self.pos += 1;
            return Some(out);
        }
        loop {
            let rest = &self.html[self.pos..];
            self.pos += rest.find(|c: char| !c.is_ascii_whitespace() && c != '/')?;
            if self.byte()? == b'>' {
                self.pos += 1;
                return Some(out);
            }
            let rest = &self.html[self.pos..];
            // A name may begin with `=`.
            let first = rest.chars().next().map_or(0, char::len_utf8);
            let end = first
                + rest[first..]
                    .find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '='))?;
            let name = &rest[..end];
            self.pos += end;
            let after = self.html[self.pos..].find(|c: char| !c.is_ascii_whitespace())?;
            let value = if self.html[self.pos + after..].starts_with('=') {
                self.pos += after + 1;
                self.value()?
            } else {
                ""
            };
            if out.len() < ATTRIBUTES {
                out.push(Attribute {
                    name: name.to_ascii_lowercase(),
                    value,
                });
            }
        }
    }

    fn value(&mut self) -> Option<&'a str> {
        self.pos += self.html[self.pos..].find(|c: char| !c.is_ascii_whitespace())?;
        let html = self.html;
        match self.byte()? {
            quote @ (b'"' | b'\'') => {
                let rest = &html[self.pos + 1..];
                let end = rest.find(char::from(quote))?;
                self.pos += end + 2;
                Some(&rest[..end])
            }
            _ => {
                let rest = &html[self.pos..];
                let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '>')?;
                self.pos += end;
                Some(&rest[..end])
            }
        }
    }

    /// The content of a raw text element up to its end tag, which is passed over.
    fn raw(&mut self, name: &str) -> &'a str {
        let html = self.html;
        let rest = &html[self.pos..];
        let end = rest.match_indices("</").find(|(at, _)| {
            let after = &rest.as_bytes()[at + 2..];
            after
                .get(..name.len())
                .is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()))
                && after
                    .get(name.len())
                    .is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'))
        });
        let Some((end, _)) = end else {
            self.pos = html.len();
            return rest;
        };
        self.pos += end;
        self.skip_past(">");
        &rest[..end]
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let html = self.html;
            let rest = html.get(self.pos..).filter(|rest| !rest.is_empty())?;
            let bytes = rest.as_bytes();
            if bytes[0] != b'<' {
                let end = rest.find('<').unwrap_or(rest.len());
                self.pos += end;
                return Some(Token::Text(&rest[..end]));
            }
            match (bytes.get(1), bytes.get(2)) {
                (Some(b'!'), _) if rest.starts_with("<!--") => self.skip_comment(),
                (Some(b'!' | b'?'), _) => self.skip_past(">"),
                (Some(b'/'), Some(letter)) if letter.is_ascii_alphabetic() => {
                    self.pos += 2;
                    let name = self.name();
                    let Some(_) = self.attributes() else {
                        self.pos = html.len();
                        return None;
                    };
                    return Some(Token::Close(name));
                }
                (Some(b'/'), Some(_)) => self.skip_past(">"),
                (Some(letter), _) if letter.is_ascii_alphabetic() => {
                    self.pos += 1;
                    let name = self.name();
                    let Some(attributes) = self.attributes() else {
                        self.pos = html.len();
                        return None;
                    };
                    if is_raw(&name) {
                        let text = self.raw(&name);
                        return Some(Token::Raw(name, text));
                    }
                    return Some(Token::Open(name, attributes));
                }
                _ => {
                    // The last of several may begin a tag.
                    let run = bytes
                        .iter()
                        .position(|b| *b != b'<')
                        .map_or(bytes.len(), |end| end - 1);
                    self.pos += run.max(1);
                    return Some(Token::Less(run.max(1)));
                }
            }
        }
    }
}

/// Elements whose content a browser does not read as HTML.
fn is_raw(name: &str) -> bool {
    matches!(
        name,
        "script" | "style" | "textarea" | "title" | "xmp" | "iframe" | "noembed" | "noframes"
    )
}
