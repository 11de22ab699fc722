//! OData query options of a request.

use super::answer::Refusal;
use super::call::Call;
use super::filter::{self, Clause};

/// The query options of a list or an item.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// `$top`.
    pub(super) top: Option<usize>,
    /// `$skip`.
    pub(super) skip: usize,
    /// `$count=true`.
    pub(super) count: bool,
    /// `$select`, checked against the resource's properties.
    pub(super) select: Option<Vec<String>>,
    /// `$filter`.
    pub(super) filter: Vec<Clause>,
    /// `$orderby`.
    pub(super) order: Option<String>,
    /// `$expand=attachments`.
    pub(super) attachments: bool,
    /// `$expand=singleValueExtendedProperties(…)` asking for the size, `LONG 0x0E08` (PidTagMessageSize).
    pub(super) size: bool,
    /// `$skiptoken` or `$deltatoken`, with whether it was the latter.
    pub(super) token: Option<(String, bool)>,
    /// `changeType`.
    pub(super) change_type: Option<String>,
    /// `includeHiddenFolders=true`.
    pub(super) hidden: bool,
}

impl Options {
    /// Reads the options of `call`; those of OData that are not in `allowed` (names without `$`) are
    /// refused, and so are properties that are not in `properties`.
    pub(super) fn read(
        call: &Call,
        allowed: &[&str],
        type_name: &str,
        properties: &[&str],
    ) -> Result<Self, Refusal> {
        let mut options = Self::default();
        for (key, value) in &call.query {
            // Graph takes the OData options with and without the dollar sign.
            let name = key.strip_prefix('$').unwrap_or(key).to_lowercase();
            let known = [
                "top",
                "skip",
                "count",
                "select",
                "filter",
                "orderby",
                "expand",
                "search",
                "format",
                "skiptoken",
                "deltatoken",
                "apply",
                "compute",
            ];
            if !known.contains(&name.as_str()) && !key.starts_with('$') {
                match name.as_str() {
                    "changetype" => options.change_type = Some(value.to_lowercase()),
                    "includehiddenfolders" => options.hidden = value.eq_ignore_ascii_case("true"),
                    _ => {}
                }
                continue;
            }
            if !allowed.contains(&name.as_str()) {
                let text = format!("The query parameter '{key}' is not supported.");
                return Err(Refusal::bad(text));
            }
            match name.as_str() {
                "top" => options.top = Some(number(key, value, 1..=1000)?),
                "skip" => options.skip = number(key, value, 0..=usize::MAX)?,
                "count" => options.count = flag(key, value)?,
                "select" => options.select = select(value, type_name, properties)?,
                "filter" => options.filter = filter::parse(value)?,
                "orderby" => options.order = Some(value.clone()),
                "expand" => options.expand(value)?,
                "skiptoken" => options.token = Some((value.clone(), false)),
                "deltatoken" => options.token = Some((value.clone(), true)),
                _ => {}
            }
        }
        Ok(options)
    }

    fn expand(&mut self, value: &str) -> Result<(), Refusal> {
        let lower = value.to_lowercase();
        self.size = lower.contains("singlevalueextendedproperties") && lower.contains("0x0e08");
        self.attachments = lower
            .split(',')
            .any(|part| part.trim().starts_with("attachments"));
        if self.size || self.attachments || lower.starts_with("singlevalueextendedproperties") {
            Ok(())
        } else {
            let text = format!(
                "Parsing OData Select and Expand failed: Could not find a property named '{value}' on type 'microsoft.graph.message'."
            );
            Err(Refusal::bad(text))
        }
    }
}

/// The link to the next page: the request's own options with `$skip` replaced.
pub(super) fn next_link(call: &Call, skip: usize) -> String {
    let mut url = format!("{}/{}", call.root, escaped_path(call));
    let mut separator = '?';
    let others = call
        .query
        .iter()
        .filter(|(key, _)| !key.eq_ignore_ascii_case("$skip") && !key.eq_ignore_ascii_case("skip"));
    let skip = ("$skip".to_owned(), skip.to_string());
    for (key, value) in others.chain([&skip]) {
        url.push(separator);
        url.extend(url::form_urlencoded::byte_serialize(key.as_bytes()));
        url.push('=');
        url.extend(url::form_urlencoded::byte_serialize(value.as_bytes()));
        separator = '&';
    }
    url
}

/// The path of the call, version included, ready for a URL.
pub(super) fn escaped_path(call: &Call) -> String {
    let mut segments: Vec<String> = Vec::new();
    for segment in call.path() {
        let escaped: String = url::form_urlencoded::byte_serialize(segment.as_bytes()).collect();
        segments.push(escaped.replace('+', "%20"));
    }
    segments.join("/")
}

fn number(
    key: &str,
    value: &str,
    range: std::ops::RangeInclusive<usize>,
) -> Result<usize, Refusal> {
    value.trim().parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        let text = format!("Invalid value '{value}' for {key} query option found. The {key} query option requires a non-negative integer value within its limits.");
        Refusal::bad(text)
    })
}

fn flag(key: &str, value: &str) -> Result<bool, Refusal> {
    value.trim().to_lowercase().parse().map_err(|_| {
        Refusal::bad(format!(
            "Invalid value '{value}' for {key} query option found."
        ))
    })
}

fn select(
    value: &str,
    type_name: &str,
    properties: &[&str],
) -> Result<Option<Vec<String>>, Refusal> {
    let mut names = Vec::new();
    for name in value
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        if name == "*" {
            return Ok(None);
        }
        let known = properties
            .iter()
            .find(|known| known.eq_ignore_ascii_case(name));
        let known = known.ok_or_else(|| {
            let text = format!("Parsing OData Select and Expand failed: Could not find a property named '{name}' on type '{type_name}'.");
            Refusal::bad(text)
        })?;
        names.push((*known).to_owned());
    }
    Ok((!names.is_empty()).then_some(names))
}
