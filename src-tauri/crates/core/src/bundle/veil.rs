//! Hides who is meant. The same name has the same cover in every bundle of one installation, and no other
//! installation's cover is the same: a salt goes into the hash.

use sha2::{Digest as _, Sha256};

/// Covers names, unless the person wants them in the bundle.
pub(super) struct Veil {
    salt: String,
    hides: bool,
    /// Names to look for in texts, longest first, with their kind.
    known: Vec<(String, &'static str)>,
}

impl Veil {
    /// A veil; with `hides` false everything shows.
    pub(super) fn new(salt: &str, hides: bool) -> Self {
        Self {
            salt: salt.to_owned(),
            hides,
            known: Vec::new(),
        }
    }

    /// From now on `name` is also covered where it stands inside a text.
    pub(super) fn know(&mut self, kind: &'static str, name: &str) {
        let name = name.trim();
        if name.chars().count() >= 3 && !self.known.iter().any(|(known, _)| known == name) {
            self.known.push((name.to_owned(), kind));
            self.known
                .sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        }
    }

    /// The cover of `name`, for instance `brand-1f3a5c7e`.
    pub(super) fn name(&self, kind: &str, name: &str) -> String {
        if !self.hides || name.is_empty() {
            return name.to_owned();
        }
        self.cover(kind, name)
    }

    fn cover(&self, kind: &str, name: &str) -> String {
        let mut hash = Sha256::new();
        for part in [&self.salt, kind, &name.trim().to_lowercase()] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let hash: String = hash
            .finalize()
            .iter()
            .take(5)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{kind}-{hash}")
    }

    /// `text` with known names and with everything that looks like an address covered.
    pub(super) fn text(&self, text: &str) -> String {
        if !self.hides {
            return text.to_owned();
        }
        // Addresses first, so that they have the cover of the whole and not of their domain.
        let mut out = self.addresses(&self.addresses(text, "@"), "%40");
        for (name, kind) in &self.known {
            if out.contains(name.as_str()) {
                out = out.replace(name.as_str(), &self.cover(kind, name));
            }
        }
        out
    }

    fn addresses(&self, text: &str, sign: &str) -> String {
        let is_local = |c: char| c.is_alphanumeric() || "._-+'=#&~".contains(c);
        let is_domain = |c: char| c.is_alphanumeric() || ".-".contains(c);
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(sign) {
            let (before, after) = rest.split_at(at);
            let after = after.get(sign.len()..).unwrap_or_default();
            let local = before.trim_end_matches(is_local).len();
            let domain = after.find(|c| !is_domain(c)).unwrap_or(after.len());
            let (domain, tail) = after.split_at(domain);
            let (trimmed, local) = before.split_at(local);
            if local.is_empty() || domain.is_empty() {
                out.push_str(before);
                out.push_str(sign);
                rest = after;
                continue;
            }
            out.push_str(trimmed);
            let name = domain.trim_end_matches('.');
            out.push_str(&self.cover("address", &format!("{local}@{name}")));
            out.push_str(domain.get(name.len()..).unwrap_or_default());
            rest = tail;
        }
        out.push_str(rest);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_has_the_same_cover_and_another_salt_another() {
        let veil = Veil::new("salt", true);
        let cover = veil.name("address", "Support@Contoso.example");
        assert_eq!(cover, veil.name("address", "support@contoso.example"));
        assert_eq!(
            veil.text("to <support@contoso.example>."),
            format!("to <{cover}>.")
        );
        assert!(
            !veil
                .text("login_hint=support%40contoso.example&x=1")
                .contains("contoso")
        );
        assert_ne!(
            cover,
            Veil::new("pepper", true).name("address", "support@contoso.example")
        );
        assert_eq!(
            Veil::new("salt", false).text("support@contoso.example"),
            "support@contoso.example"
        );
    }

    #[test]
    fn covers_known_names_inside_texts() {
        let mut veil = Veil::new("salt", true);
        veil.know("person", "Ida Test");
        veil.know("tenant", "contoso.example");
        let text = veil.text("User Ida Test <ida@contoso.example> of contoso.example @ 5, a@b");
        for name in ["Ida", "contoso", "a@b"] {
            assert!(!text.contains(name), "{text}");
        }
        assert!(text.contains("person-") && text.contains("tenant-") && text.contains(" @ 5"));
    }
}
