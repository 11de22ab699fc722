//! The build ends where the catalogue of errors has a defect: a card that a person needs must never be half a card.

// Cargo reads what is printed.
#![allow(clippy::print_stdout)]

#[path = "src/diagnosis/catalogue/verify.rs"]
mod verify;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let folder = Path::new("src/diagnosis/catalogue");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", folder.display());
    let files = match read(folder) {
        Ok(files) => files,
        Err(error) => {
            println!("cargo::error=the catalogue cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    let texts: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let problems = verify::problems(&texts);
    for problem in &problems {
        println!("cargo::error=catalogue: {}", problem.replace('\n', " "));
    }
    match problems.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// The catalogue's files, by name.
fn read(folder: &Path) -> std::io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            files.push((name.into_owned(), std::fs::read_to_string(&path)?));
        }
    }
    files.sort();
    Ok(files)
}
