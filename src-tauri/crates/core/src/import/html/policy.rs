//! What may stay in HTML that is shown: ammonia with a list of our own, run until nothing changes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use ammonia::{Builder, UrlRelative};

use super::SafeHtml;
use crate::import::markup;

/// Times the sanitiser runs at most; mail is stable after one, hostile HTML after two or three.
const ROUNDS: usize = 5;
/// Properties kept in `style`: letters and boxes, nothing that moves content over other content.
const PROPERTIES: &[&str] = &[
    "background-color",
    "border",
    "border-bottom",
    "border-collapse",
    "border-color",
    "border-left",
    "border-right",
    "border-spacing",
    "border-style",
    "border-top",
    "border-width",
    "color",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "line-height",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "text-align",
    "text-decoration",
    "text-indent",
    "vertical-align",
    "white-space",
    "width",
];
/// Longest address of a link.
const LINK: usize = 4_096;

/// Sanitises a fragment; `images` are what `cid:` addresses stand for.
pub(super) fn sanitise(html: &str, images: &HashMap<String, String>) -> SafeHtml {
    let tamed = markup::tame(html);
    let mut cut = tamed.cut;
    let mut current = clean(&tamed.html);
    for _ in 1..ROUNDS {
        let again = markup::tame(&current);
        cut |= again.cut;
        let next = clean(&again.html);
        if next == current {
            return SafeHtml {
                html: put_images(&current, images),
                remote_left_out: tamed.remote,
                cut,
            };
        }
        current = next;
    }
    // Never seen; what does not come to rest is shown as text.
    let text = super::plain(&markup::to_text(&current));
    SafeHtml {
        html: text,
        remote_left_out: tamed.remote,
        cut: true,
    }
}

fn clean(html: &str) -> String {
    static BUILDER: OnceLock<Builder<'static>> = OnceLock::new();
    BUILDER.get_or_init(builder).clean(html).to_string()
}

fn builder() -> Builder<'static> {
    let mut builder = Builder::empty();
    builder
        .tags(markup::elements().iter().copied().collect())
        .clean_content_tags(HashSet::from([
            "script", "style", "title", "template", "noscript", "textarea", "iframe",
        ]))
        .generic_attributes(HashSet::from([
            "align", "dir", "lang", "style", "title", "valign",
        ]))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("font", HashSet::from(["color", "face", "size"])),
            ("img", HashSet::from(["alt", "height", "src", "width"])),
            ("ol", HashSet::from(["start"])),
            (
                "table",
                HashSet::from(["bgcolor", "border", "cellpadding", "cellspacing", "width"]),
            ),
            (
                "td",
                HashSet::from(["bgcolor", "colspan", "height", "rowspan", "width"]),
            ),
            (
                "th",
                HashSet::from(["bgcolor", "colspan", "height", "rowspan", "width"]),
            ),
            ("tr", HashSet::from(["bgcolor"])),
        ]))
        .url_schemes(HashSet::from(["http", "https", "mailto", "cid", "data"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer"))
        .strip_comments(true)
        .filter_style_properties(PROPERTIES.iter().copied().collect())
        .attribute_filter(|element: &str, attribute: &str, value: &str| {
            filter(element, attribute, value).map(Cow::Owned)
        });
    builder
}

/// The value an attribute may have, if any.
fn filter(element: &str, attribute: &str, value: &str) -> Option<String> {
    let kept = match (element, attribute) {
        ("a", "href") => link(value)?,
        ("img", "src") if is_image(value) => value.to_owned(),
        (_, "href" | "src") => return None,
        (_, "style") => {
            let style = style(value);
            if style.is_empty() {
                return None;
            }
            style
        }
        (
            _,
            "colspan" | "rowspan" | "start" | "size" | "border" | "cellpadding" | "cellspacing",
        ) => number(value, 1_000, false)?,
        (_, "width" | "height") => number(value, 10_000, true)?,
        (_, "align" | "valign" | "dir" | "lang" | "bgcolor" | "color") => {
            let plain = value.len() <= 40
                && value
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '#' | '-' | ' '));
            plain.then(|| value.to_owned())?
        }
        _ => value.chars().filter(|c| *c != '\0').collect(),
    };
    Some(kept)
}

/// Only addresses that a browser and we read alike: a plain scheme at the very start, no white space, no
/// control characters.
fn link(value: &str) -> Option<String> {
    let value = value.trim_matches(|c: char| c.is_ascii_whitespace());
    let lower = value
        .get(..8.min(value.len()))
        .unwrap_or_default()
        .to_ascii_lowercase();
    let known = ["http://", "https://", "mailto:"]
        .iter()
        .any(|scheme| lower.starts_with(scheme));
    let sound = value.len() <= LINK
        && !value.chars().any(|c| {
            c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}')
        });
    (known && sound).then(|| value.to_owned())
}

/// An image of this mail: `cid:`, or `data:` with one of four bitmap types.
fn is_image(value: &str) -> bool {
    if let Some(id) = value
        .strip_prefix("cid:")
        .or_else(|| value.strip_prefix("CID:"))
    {
        return !id.is_empty()
            && id.len() <= 500
            && id.chars().all(|c| !c.is_control() && !c.is_whitespace());
    }
    let Some((kind, data)) = value
        .strip_prefix("data:image/")
        .and_then(|rest| rest.split_once(";base64,"))
    else {
        return false;
    };
    matches!(kind, "png" | "jpeg" | "gif" | "webp")
        && data.len() <= super::IMAGE / 3 * 4 + 8
        && data
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
}

/// Declarations with plain values; functions only for colours, so nothing can be fetched or computed.
fn style(value: &str) -> String {
    let mut out = String::new();
    for declaration in value.split(';').take(60) {
        let Some((name, value)) = declaration.split_once(':') else {
            continue;
        };
        // Font names need no quotes, and serialisers disagree about them.
        let (name, value) = (
            name.trim().to_ascii_lowercase(),
            value.replace(['\'', '"'], ""),
        );
        let value = value.trim();
        let plain = value.chars().all(|c| {
            c.is_alphanumeric() || matches!(c, ' ' | '#' | '%' | '.' | ',' | '-' | '(' | ')' | '!')
        });
        let colours = value.to_ascii_lowercase();
        let functions = colours.match_indices('(').all(|(at, _)| {
            ["rgb", "rgba", "hsl", "hsla"]
                .iter()
                .any(|f| colours[..at].ends_with(f))
        });
        if PROPERTIES.contains(&name.as_str())
            && !value.is_empty()
            && value.len() <= 200
            && plain
            && functions
        {
            if !out.is_empty() {
                out.push(';');
            }
            out.push_str(&name);
            out.push(':');
            out.push_str(value);
        }
    }
    out
}

fn number(value: &str, most: u32, percent: bool) -> Option<String> {
    let value = value.trim();
    let digits = if percent {
        value.strip_suffix('%').unwrap_or(value)
    } else {
        value
    };
    let digits = digits.strip_suffix("px").unwrap_or(digits);
    let sound = !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && digits.parse::<u32>().is_ok_and(|n| n <= most);
    sound.then(|| value.to_owned())
}

/// Puts the images of the mail where `cid:` addresses stand, and takes the others out. The fragment is
/// serialised HTML: a `<` begins a tag, and attribute values have double quotes.
fn put_images(html: &str, images: &HashMap<String, String>) -> String {
    const SOURCE: &str = " src=\"";
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find("<img") {
        let end = tag_end(&rest[at..]).map_or(rest.len(), |end| at + end);
        let (tag_start, tag) = (at, &rest[at..end]);
        out.push_str(&rest[..tag_start]);
        rest = &rest[end..];
        let source = tag.find(SOURCE).and_then(|from| {
            let value = &tag[from + SOURCE.len()..];
            value.find('"').map(|length| (from, &value[..length]))
        });
        match source {
            Some((from, value))
                if value
                    .get(..4)
                    .is_some_and(|s| s.eq_ignore_ascii_case("cid:")) =>
            {
                out.push_str(&tag[..from]);
                let id = value[4..]
                    .replace("&amp;", "&")
                    .replace("%40", "@")
                    .to_lowercase();
                if let Some(data) = images.get(&id) {
                    out.push_str(SOURCE);
                    out.push_str(data);
                    out.push('"');
                }
                out.push_str(&tag[from + SOURCE.len() + value.len() + 1..]);
            }
            _ => out.push_str(tag),
        }
    }
    out.push_str(rest);
    out
}

/// Where a tag ends: the first `>` outside quotes.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in tag.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// What bytes are, by their beginning; labels are not believed, SVG is never an image here.
pub(super) fn image_type(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some("image/gif")
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else {
        None
    }
}
