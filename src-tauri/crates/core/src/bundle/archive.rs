//! The zip.

use super::BundleFile;
use std::io::{self, Write as _};
use std::path::Path;
use zip::write::SimpleFileOptions;

/// Writes `files` as a zip at `path`: beside it first and then renamed, so that there is never half a bundle, readable
/// for its owner alone. Blocks.
///
/// # Errors
/// Any [`io::Error`]; nothing is left behind then, and a file that was there stays.
pub fn write_zip(path: &Path, files: &[BundleFile]) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.part", uuid::Uuid::new_v4().simple()));
    let beside = path.with_file_name(beside);
    let written = pack(&beside, files).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // What is reported is why it could not be written.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn pack(path: &Path, files: &[BundleFile]) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut zip = zip::ZipWriter::new(options.open(path)?);
    let form = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for file in files {
        zip.start_file(&file.name, form)?;
        zip.write_all(file.text.as_bytes())?;
    }
    zip.finish()?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn what_is_packed_comes_out_again_and_nothing_lies_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bundle.zip");
        let file = BundleFile {
            name: "a.txt".to_owned(),
            text: "line\n".repeat(1_000),
        };
        std::fs::write(&path, "older").unwrap();
        write_zip(&path, std::slice::from_ref(&file)).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(std::fs::metadata(&path).unwrap().len() < 1_000);
        let mut zip = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
        let mut text = String::new();
        zip.by_name("a.txt")
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, file.text);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_and_stays_away() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write_zip(&folder.path().join("none/bundle.zip"), &[]).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
