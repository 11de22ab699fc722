//! Clients that other people wrote, against the practice tenant: they cannot share our mistakes.
//!
//! `tests/independent/*_client.py` and `*_sdk.py` run in a virtual environment made from requirements.txt,
//! `*_client.mjs` under node with the packages of package-lock.json. Each gets a file with the tenant's
//! description (the first line of `mailroom sandbox`) as its argument and prints a line per case.

use crate::count::{self, Count};
use crate::{npm, place, process, rust, stamp};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What the names of runnable scripts end with; other files are read by these, and `test_*` run them for other runners.
const ENDINGS: [&str; 3] = ["_client.py", "_sdk.py", "_client.mjs"];

/// Runs them all against one tenant.
pub(super) fn all() -> Result<Count, String> {
    let folder = place::root().join("tests/independent");
    let scripts = scripts(&folder)?;
    let python = python(&folder)?;
    npm::install_in(&folder, "npm-independent")?;
    rust::build_everything()?;
    let tenant = Tenant::start()?;
    let mut total = Count::default();
    for script in scripts {
        println!(
            "-- {}",
            script.file_name().unwrap_or_default().to_string_lossy()
        );
        let is_python = script
            .extension()
            .is_some_and(|extension| extension == "py");
        let mut command = Command::new(if is_python {
            python.as_path()
        } else {
            Path::new("node")
        });
        command
            .arg(&script)
            .arg(&tenant.description)
            .current_dir(&folder)
            .env("NODE_EXTRA_CA_CERTS", &tenant.ca_file)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let (ok, output) = process::tee(&mut command)?;
        let count = match (ok, count::lines(&output)) {
            (false, Count { passed, failed: 0 }) => Count { passed, failed: 1 },
            (
                true,
                Count {
                    passed: 0,
                    failed: 0,
                },
            ) => {
                println!("{} ran no case", script.display());
                Count {
                    passed: 0,
                    failed: 1,
                }
            }
            (_, count) => count,
        };
        total = total.plus(count);
    }
    Ok(total)
}

fn scripts(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries =
        std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut scripts: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_for_a_runner = name.starts_with("test_");
            !is_for_a_runner && ENDINGS.iter().any(|ending| name.ends_with(ending))
        })
        .collect();
    scripts.sort();
    if scripts.is_empty() {
        return Err(format!("no test in {}", folder.display()));
    }
    Ok(scripts)
}

/// The virtual environment's interpreter, made anew when requirements.txt changed.
fn python(folder: &Path) -> Result<PathBuf, String> {
    let requirements = folder.join("requirements.txt");
    let environment = place::target().join("independent");
    let python = environment.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let wanted = stamp::fingerprint(std::slice::from_ref(&requirements), &[])?;
    if stamp::fresh("python", &wanted) && python.is_file() {
        return Ok(python);
    }
    let system = if cfg!(windows) { "python" } else { "python3" };
    process::run(
        Command::new(system)
            .args(["-m", "venv", "--clear"])
            .arg(&environment),
    )?;
    process::run(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "-r",
            ])
            .arg(&requirements),
    )?;
    stamp::set("python", &wanted)?;
    Ok(python)
}

/// A running practice tenant; it ends with this value.
struct Tenant {
    child: Child,
    /// The file with its description.
    description: PathBuf,
    /// The authority that signed its certificate.
    ca_file: String,
}

impl Tenant {
    fn start() -> Result<Self, String> {
        let mut child = Command::new(place::built("mailroom"))
            .args(["sandbox", "--port", "0", "--https", "--json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("mailroom sandbox: {error}"))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            let mut lines = BufReader::new(stdout);
            let _ = lines.read_line(&mut line);
            // The rest is read and dropped, so that the tenant never waits for a full pipe.
            std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        }
        let tenant = Self {
            child,
            description: place::target().join("xtask/sandbox.json"),
            ca_file: ca_file(&line).ok_or("mailroom sandbox named no certificate authority")?,
        };
        std::fs::write(&tenant.description, line)
            .map_err(|error| format!("{}: {error}", tenant.description.display()))?;
        Ok(tenant)
    }
}

/// The value of `ca_file` in the description. The path holds no quote.
fn ca_file(description: &str) -> Option<String> {
    let (_, rest) = description.split_once("\"ca_file\"")?;
    let value = rest.trim_start_matches([':', ' ']).strip_prefix('"')?;
    Some(value.split('"').next()?.replace("\\\\", "\\"))
}

impl Drop for Tenant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_certificate_authority_on_every_system() {
        let found = |json| ca_file(json);
        assert_eq!(
            found(r#"{"https":{"ca_file":"/tmp/ca.pem"}}"#).as_deref(),
            Some("/tmp/ca.pem")
        );
        assert_eq!(
            found(r#"{"ca_file": "C:\\t\\ca.pem"}"#).as_deref(),
            Some(r"C:\t\ca.pem")
        );
        assert_eq!(found(r#"{"https":null}"#), None);
        assert_eq!(found(r#"{"ca_file":null}"#), None);
    }
}
