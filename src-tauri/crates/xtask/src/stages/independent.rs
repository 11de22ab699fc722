//! Clients that other people wrote, against the practice tenant: they cannot share our mistakes.
//!
//! `tests/independent/test_*.py` run in a virtual environment made from requirements.txt and
//! `tests/independent/*.test.mjs` under node with the packages of package-lock.json. Each gets the
//! tenant's description (the first line of `mailroom sandbox`) in `MAILROOM_SANDBOX` and prints
//! `ok NAME` or `not ok NAME` per case.

use crate::count::{self, Count};
use crate::{npm, place, process, rust, stamp};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Runs them all against one tenant.
pub(super) fn all() -> Result<Count, String> {
    let folder = place::root().join("tests/independent");
    let scripts = scripts(&folder)?;
    let python = python(&folder)?;
    if folder.join("package-lock.json").is_file() {
        npm::install_in(&folder, "npm-independent")?;
    }
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
            .current_dir(&folder)
            .env("MAILROOM_SANDBOX", &tenant.description)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let (ok, output) = process::tee(&mut command)?;
        let count = match (ok, count::tap(&output)) {
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
            (name.starts_with("test_") && name.ends_with(".py")) || name.ends_with(".test.mjs")
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
    description: String,
}

impl Tenant {
    fn start() -> Result<Self, String> {
        let mut child = Command::new(place::built("mailroom"))
            .args(["sandbox", "--port", "0", "--https", "--json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("mailroom sandbox: {error}"))?;
        let mut description = String::new();
        if let Some(stdout) = child.stdout.take() {
            let mut lines = BufReader::new(stdout);
            let _ = lines.read_line(&mut description);
            // The rest is read and dropped, so that the tenant never waits for a full pipe.
            std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        }
        let tenant = Self { child, description };
        if tenant.description.starts_with('{') {
            Ok(tenant)
        } else {
            Err("mailroom sandbox did not describe itself".to_owned())
        }
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
