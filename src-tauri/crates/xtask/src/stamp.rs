//! Skipping what is done already: a stamp holds the fingerprint of the files that a step was done from.

use crate::place;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// A fingerprint of the names and contents of all files at `paths` (files or whole folders), leaving out
/// folders called `skip`.
pub(crate) fn fingerprint(paths: &[PathBuf], skip: &[&str]) -> Result<String, String> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, skip, &mut files)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.hash(&mut hasher);
        std::fs::read(&file)
            .map_err(|error| format!("cannot read {}: {error}", file.display()))?
            .hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Whether the step `name` was last done from this fingerprint.
pub(crate) fn fresh(name: &str, fingerprint: &str) -> bool {
    std::fs::read_to_string(path(name)).is_ok_and(|text| text == fingerprint)
}

/// Remembers that the step `name` was done from this fingerprint.
pub(crate) fn set(name: &str, fingerprint: &str) -> Result<(), String> {
    let path = path(name);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    }
    std::fs::write(&path, fingerprint).map_err(|error| format!("{}: {error}", path.display()))
}

fn path(name: &str) -> PathBuf {
    place::target().join("xtask").join(format!("{name}.stamp"))
}

fn collect(path: &Path, skip: &[&str], files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if path.is_file() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        if !skip.iter().any(|skipped| name == *skipped) {
            collect(&entry.path(), skip, files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_changes_the_fingerprint_and_a_skipped_folder_does_not() {
        let folder = std::env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("dist")).unwrap();
        std::fs::write(folder.join("a"), "1").unwrap();
        let take = || fingerprint(std::slice::from_ref(&folder), &["dist"]).unwrap();
        let before = take();
        std::fs::write(folder.join("dist/b"), "1").unwrap();
        assert_eq!(before, take());
        std::fs::write(folder.join("a"), "2").unwrap();
        assert_ne!(before, take());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
