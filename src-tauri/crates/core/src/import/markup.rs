//! HTML before anybody parses it: one pass that keeps a list of harmless elements and attributes, caps
//! nesting and drops the rest. html5ever takes quadratic time on deep nesting, many attributes and content
//! misplaced in tables; what leaves here has none of these. This is no sanitiser: [`super::html`] runs
//! ammonia afterwards.

mod text;
mod tokens;

pub(super) use text::to_text;

use super::body::floor;
use tokens::{Attribute, Token, Tokens};

/// Elements kept; the position is the number used on the stack.
const ELEMENTS: &[&str] = &[
    "p",
    "li",
    "dt",
    "dd",
    "td",
    "th",
    "tr",
    "thead",
    "tbody",
    "tfoot",
    "caption",
    "table",
    "div",
    "blockquote",
    "ul",
    "ol",
    "dl",
    "pre",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "a",
    "abbr",
    "b",
    "bdi",
    "center",
    "cite",
    "code",
    "del",
    "em",
    "font",
    "i",
    "ins",
    "kbd",
    "mark",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "tt",
    "u",
    "var",
    "br",
    "hr",
    "img",
    "wbr",
];
/// Attributes kept.
pub(super) const ATTRIBUTES: &[&str] = &[
    "align",
    "alt",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "color",
    "colspan",
    "dir",
    "face",
    "height",
    "href",
    "lang",
    "rowspan",
    "size",
    "src",
    "start",
    "style",
    "title",
    "valign",
    "width",
];
/// Attributes that make a reader fetch something.
const FETCHING: &[&str] = &[
    "src",
    "srcset",
    "background",
    "poster",
    "data",
    "lowsrc",
    "dynsrc",
    "xlink:href",
    "archive",
];
/// Open elements in a view; browsers stop at 512.
const DEEPEST_VIEW: usize = 200;
/// Tags in the wrong place (directly in a table where only rows belong, letters closed over a paragraph)
/// before such are dropped: the parser moves whole subtrees for each.
const MISPLACED: usize = 200;
/// Tags kept; long newsletters have some five thousand.
const TAGS: usize = 20_000;
/// Bytes of HTML looked at.
const LARGEST: usize = 2 * 1024 * 1024;
/// Longest address shown behind a link's text.
const LINK: usize = 200;

/// HTML with bounded nesting.
pub(super) struct Tamed {
    pub(super) html: String,
    /// Whether something was left out because of a cap.
    pub(super) cut: bool,
    /// Remote images, style sheets and the like that were named.
    pub(super) remote: u32,
}

/// Elements that [`super::html`] allows too.
pub(super) fn elements() -> &'static [&'static str] {
    ELEMENTS
}

/// Bounded HTML for a view.
pub(super) fn tame(html: &str) -> Tamed {
    let mut pass = Pass::default();
    pass.run(&html[..floor(html, LARGEST)]);
    Tamed {
        html: pass.out,
        cut: pass.cut || html.len() > LARGEST,
        remote: pass.remote,
    }
}

#[derive(Default)]
struct Pass {
    out: String,
    open: Vec<u8>,
    skipped: Vec<u8>,
    cut: bool,
    remote: u32,
    misplaced: usize,
    tags: usize,
}

impl Pass {
    fn run(&mut self, html: &str) {
        self.out.reserve(html.len());
        for token in Tokens::new(html) {
            match token {
                Token::Text(text) => text.split('\0').for_each(|piece| self.out.push_str(piece)),
                Token::Less(count) => self.out.push_str(&"&lt;".repeat(count)),
                Token::Raw(name, text) => {
                    if name == "style" {
                        self.remote = self.remote.saturating_add(addresses_in_css(text));
                    }
                }
                Token::Open(name, attributes) => self.start(&name, &attributes),
                Token::Close(name) => self.end(&name),
            }
        }
    }

    fn top(&self) -> &'static str {
        self.open.last().map_or("", |id| name_of(*id))
    }

    fn start(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        self.count_remote(name, attributes);
        let Some(id) = id(name) else { return };
        if self.skipped.is_empty() {
            self.close_implied(name);
        }
        if matches!(self.top(), "table" | "thead" | "tbody" | "tfoot" | "tr")
            && !belongs_in_table(name)
        {
            self.misplaced += 1;
            if self.misplaced > MISPLACED {
                self.cut = true;
                return;
            }
        }
        if self.tags >= TAGS {
            self.cut = true;
            return;
        }
        let void = matches!(name, "br" | "hr" | "img" | "wbr");
        if !void {
            // What stands in an element left out is left out too, or it would close what stands around.
            if !self.skipped.is_empty() || self.open.len() >= DEEPEST_VIEW {
                self.cut = true;
                return self.skipped.push(id);
            }
            self.open.push(id);
        }
        self.tags += 1;
        self.out.push('<');
        self.out.push_str(name);
        let mut seen = 0u32;
        for attribute in attributes {
            let Some(known) = ATTRIBUTES.iter().position(|a| *a == attribute.name) else {
                continue;
            };
            if seen & (1 << known) == 0 {
                seen |= 1 << known;
                self.attribute(ATTRIBUTES[known], attribute.value);
            }
        }
        self.out.push('>');
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        for c in value.chars() {
            match c {
                '"' => self.out.push_str("&quot;"),
                '\0' => {}
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    /// Elements whose end tag may be left out end where the next one begins.
    fn close_implied(&mut self, name: &str) {
        let ends: &[&str] = match name {
            "li" => &["p", "li"],
            "dt" | "dd" => &["p", "dt", "dd"],
            "td" | "th" => &["p", "td", "th"],
            "tr" => &["p", "td", "th", "tr", "caption"],
            "thead" | "tbody" | "tfoot" => {
                &["p", "td", "th", "tr", "thead", "tbody", "tfoot", "caption"]
            }
            "p" | "div" | "blockquote" | "ul" | "ol" | "dl" | "pre" | "center" | "h1" | "h2"
            | "h3" | "h4" | "h5" | "h6" | "hr" => {
                if self.top() == "p" {
                    self.open.pop();
                }
                return;
            }
            _ => return,
        };
        for end in ends {
            if self.top() == *end {
                self.open.pop();
            }
        }
    }

    fn end(&mut self, name: &str) {
        let Some(id) = id(name) else { return };
        let near = self.skipped.len().saturating_sub(64);
        if let Some(at) = self.skipped[near..]
            .iter()
            .rposition(|skipped| *skipped == id)
        {
            return self.skipped.truncate(near + at);
        }
        if !self.open.contains(&id) {
            return;
        }
        if is_letters(name) && self.open.last() != Some(&id) {
            self.misplaced += 1;
            if self.misplaced > MISPLACED {
                self.cut = true;
                return;
            }
        }
        // Only what the parser surely closes too counts as closed: this element on top of ones whose end
        // tags may be left out. Counting too many open elements is harmless, too few is not.
        let optional = |id: &u8| {
            matches!(
                name_of(*id),
                "p" | "li"
                    | "dt"
                    | "dd"
                    | "td"
                    | "th"
                    | "tr"
                    | "thead"
                    | "tbody"
                    | "tfoot"
                    | "caption"
            )
        };
        if let Some(at) = self
            .open
            .iter()
            .rposition(|open| *open == id || !optional(open))
            && self.open[at] == id
        {
            self.open.truncate(at);
        }
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn count_remote(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        for attribute in attributes {
            let fetching = FETCHING.contains(&attribute.name.as_str())
                || (attribute.name == "href"
                    && matches!(name, "link" | "image" | "use" | "feimage"));
            let more = if attribute.name == "style" {
                addresses_in_css(attribute.value)
            } else {
                u32::from(fetching && remote(attribute.value))
            };
            self.remote = self.remote.saturating_add(more);
        }
    }
}

/// Elements that the parser closes by its adoption procedure (HTML Standard, "formatting").
fn is_letters(name: &str) -> bool {
    matches!(
        name,
        "a" | "b" | "code" | "em" | "font" | "i" | "s" | "small" | "strike" | "strong" | "tt" | "u"
    )
}

fn belongs_in_table(name: &str) -> bool {
    matches!(
        name,
        "caption" | "thead" | "tbody" | "tfoot" | "tr" | "td" | "th"
    )
}

fn id(name: &str) -> Option<u8> {
    ELEMENTS
        .iter()
        .position(|element| *element == name)
        .and_then(|at| u8::try_from(at).ok())
}

fn name_of(id: u8) -> &'static str {
    ELEMENTS.get(usize::from(id)).copied().unwrap_or_default()
}

/// Whether an address in an attribute leads out of the mail.
fn remote(value: &str) -> bool {
    let value = value.trim().as_bytes();
    let starts = |scheme: &str| {
        value
            .get(..scheme.len())
            .is_some_and(|s| s.eq_ignore_ascii_case(scheme.as_bytes()))
    };
    !value.is_empty()
        && ![
            "cid:",
            "data:",
            "about:",
            "javascript:",
            "vbscript:",
            "blob:",
            "#",
        ]
        .iter()
        .any(|s| starts(s))
}

/// How many addresses a piece of CSS would fetch.
fn addresses_in_css(css: &str) -> u32 {
    let css = css.to_ascii_lowercase();
    let urls = css
        .match_indices("url(")
        .filter(|(at, _)| remote(css[at + 4..].trim_start_matches([' ', '"', '\''])));
    let imports = css
        .match_indices("@import")
        .filter(|(at, _)| !css[at + 7..].trim_start().starts_with("url("));
    u32::try_from(urls.count() + imports.count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
