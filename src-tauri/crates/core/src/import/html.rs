//! HTML made safe to show in a sandboxed frame: ammonia behind a nesting cap, inline images as `data:`,
//! remote content left out.

/// The sanitised HTML body of a raw mail, or nothing when it has none.
pub fn safe_html(_raw: &[u8]) -> Option<SafeHtml> {
    todo!()
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
