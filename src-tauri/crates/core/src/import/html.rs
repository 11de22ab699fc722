//! HTML made safe to show in a sandboxed frame: ammonia behind a nesting cap, inline images as `data:`,
//! remote content left out.

mod policy;

use std::collections::HashMap;

use base64::Engine as _;

use super::body::{self, Wanted};
use super::structure::Tree;

/// Bytes of one inline image, and of all together; larger ones stay attachments.
const IMAGE: usize = 2 * 1024 * 1024;
const IMAGES: usize = 8 * 1024 * 1024;

/// The sanitised HTML body of a raw mail, or nothing when it has none.
pub fn safe_html(raw: &[u8]) -> Option<SafeHtml> {
    let tree = Tree::read(raw);
    let pieces = body::pieces(&tree, Wanted::Html);
    if !pieces.iter().any(|piece| piece.html) {
        return None;
    }
    let images = images(&tree);
    let mut out = SafeHtml {
        html: String::new(),
        remote_left_out: 0,
        cut: false,
    };
    // Every part is sanitised by itself, so that markup opened in one cannot swallow another.
    for piece in pieces {
        let (characters, cut) = body::characters(&tree, &tree.parts[piece.part]);
        out.cut |= cut;
        if piece.html {
            let clean = policy::sanitise(&characters, &images);
            out.html.push_str(&clean.html);
            out.remote_left_out = out.remote_left_out.saturating_add(clean.remote_left_out);
            out.cut |= clean.cut;
        } else {
            out.html.push_str(&plain(&characters));
        }
    }
    Some(out)
}

/// Plain text between HTML parts, as HTML.
fn plain(text: &str) -> String {
    let text = text.trim().replace("\r\n", "\n").replace('\0', "");
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\u{a0}', "&nbsp;");
    if text.is_empty() {
        String::new()
    } else {
        format!("<p>{}</p>", text.replace('\n', "<br>"))
    }
}

/// The images of a mail by Content-ID in lower case, as `data:` addresses.
fn images(tree: &Tree<'_>) -> HashMap<String, String> {
    let mut out = HashMap::new();
    let mut total = 0;
    for part in tree.parts.iter().filter(|part| !part.multipart) {
        let Some(id) = part.content_id() else {
            continue;
        };
        let bytes = tree.decoded(part);
        let Some(media_type) = policy::image_type(&bytes) else {
            continue;
        };
        if bytes.len() > IMAGE || total + bytes.len() > IMAGES {
            continue;
        }
        total += bytes.len();
        let data = base64::engine::general_purpose::STANDARD.encode(&bytes);
        out.insert(
            id.to_lowercase(),
            format!("data:{media_type};base64,{data}"),
        );
    }
    out
}

/// HTML that may be shown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct SafeHtml {
    /// A fragment for a frame without scripts.
    pub html: String,
    /// How many remote images, style sheets and the like were left out.
    pub remote_left_out: u32,
    /// Whether it was cut because it is too large or nested too deeply.
    pub cut: bool,
}

#[cfg(test)]
mod tests;
