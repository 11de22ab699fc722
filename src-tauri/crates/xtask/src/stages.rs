//! `cargo xtask test`: every check and test in stages, one closing line.

mod checks;
mod independent;
mod tests;
mod ui;
mod window;

use crate::count::Count;
use crate::{npm, packages};
use std::time::{Duration, Instant};

/// A named part of the whole run. Order matters: what fails fast comes first.
struct Stage {
    name: &'static str,
    words: &'static str,
    work: fn() -> Result<Count, String>,
}

const STAGES: &[Stage] = &[
    stage("format", "Rust sources are formatted", checks::format),
    stage("ui", "UI: prettier, svelte-check, vitest", ui::all),
    stage("lint", "clippy, warnings denied", checks::lint),
    stage(
        "deny",
        "licences, bans and sources of dependencies",
        checks::deny,
    ),
    stage("build", "every program and test compiles", tests::build),
    stage(
        "bindings",
        "ui/src/bindings.ts matches the core",
        checks::bindings,
    ),
    stage("rust", "unit and integration tests", tests::rust),
    stage(
        "independent",
        "other people's clients against the practice tenant",
        independent::all,
    ),
    stage("window", "the real window, driven end to end", window::all),
    stage(
        "a11y",
        "axe-core on every screen, three languages, two themes",
        ui::accessible,
    ),
];

const fn stage(
    name: &'static str,
    words: &'static str,
    work: fn() -> Result<Count, String>,
) -> Stage {
    Stage { name, words, work }
}

struct Done {
    name: &'static str,
    count: Count,
    took: Duration,
    why: Option<String>,
}

/// Runs all stages, or those named with `--only`. An error when anything failed.
pub(crate) fn test(args: &[String]) -> Result<(), String> {
    let Some(chosen) = choose(args)? else {
        for stage in STAGES {
            println!("{:12} {}", stage.name, stage.words);
        }
        return Ok(());
    };
    let began = Instant::now();
    set_up(&chosen)?;
    println!("Set-up took {}", seconds(began.elapsed()));
    let done: Vec<Done> = chosen.into_iter().map(perform).collect();
    summarise(&done, began.elapsed())
}

/// Drives the window once and keeps pictures of it.
pub(crate) fn pictures() -> Result<(), String> {
    packages::ensure(&[packages::BUILD, packages::WINDOW, packages::TEST])?;
    npm::install()?;
    npm::build()?;
    window::pictures()
}

/// Reads the arguments; nothing when the stages are only to be listed.
fn choose(args: &[String]) -> Result<Option<Vec<&'static Stage>>, String> {
    let mut chosen = Vec::new();
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        let name = match arg {
            "--list" => return Ok(None),
            "--only" => args.next().unwrap_or_default(),
            other => other.strip_prefix("--only=").unwrap_or_default(),
        };
        let found = STAGES.iter().find(|stage| stage.name == name);
        chosen.push(found.ok_or("cargo xtask test [--only STAGE]… | --list")?);
    }
    if chosen.is_empty() {
        chosen.extend(STAGES);
    }
    Ok(Some(chosen))
}

fn set_up(chosen: &[&Stage]) -> Result<(), String> {
    let needs = |names: &[&str]| chosen.iter().any(|stage| names.contains(&stage.name));
    let mut groups = vec![packages::BUILD];
    if needs(&["lint", "build", "bindings", "rust", "independent", "window"]) {
        groups.push(packages::WINDOW);
    }
    if needs(&["rust", "independent", "window", "a11y"]) {
        groups.push(packages::TEST);
    }
    packages::ensure(&groups)?;
    if chosen
        .iter()
        .any(|stage| !["format", "deny"].contains(&stage.name))
    {
        npm::install()?;
        npm::build()?;
    }
    if needs(&["rust"]) {
        npm::install_issuer()?;
    }
    Ok(())
}

fn perform(stage: &'static Stage) -> Done {
    println!("\n== {}: {}", stage.name, stage.words);
    let began = Instant::now();
    let (count, why) = match (stage.work)() {
        Ok(count) => (count, None),
        Err(why) => (
            Count {
                passed: 0,
                failed: 1,
            },
            Some(why),
        ),
    };
    let took = began.elapsed();
    if let Some(why) = &why {
        println!("{why}");
    }
    let verdict = match count {
        Count {
            failed: 0,
            passed: 0,
        } => "skipped",
        Count { failed: 0, .. } => "ok",
        Count { .. } => "FAILED",
    };
    println!("== {}: {verdict}, {}", stage.name, seconds(took));
    Done {
        name: stage.name,
        count,
        took,
        why,
    }
}

fn summarise(done: &[Done], took: Duration) -> Result<(), String> {
    println!("\n== summary");
    for stage in done {
        println!(
            "{:12} {:>5} passed {:>4} failed {:>9}  {}",
            stage.name,
            stage.count.passed,
            stage.count.failed,
            seconds(stage.took),
            stage
                .why
                .as_deref()
                .and_then(|why| why.lines().next())
                .unwrap_or_default()
        );
    }
    println!("{:12} {:>34}", "all", seconds(took));
    let total = done
        .iter()
        .map(|stage| stage.count)
        .fold(Count::default(), Count::plus);
    println!("{} passed, {} failed", total.passed, total.failed);
    // The closing line is printed last; the exit code says the rest.
    if total.failed == 0 {
        Ok(())
    } else {
        std::process::exit(1)
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod unit {
    use super::*;

    fn names(args: &[&str]) -> Vec<&'static str> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        choose(&args)
            .unwrap()
            .unwrap()
            .iter()
            .map(|stage| stage.name)
            .collect()
    }

    #[test]
    fn runs_everything_unless_told_otherwise() {
        assert_eq!(names(&[]).len(), STAGES.len());
        assert_eq!(names(&["--only", "ui", "--only=lint"]), ["ui", "lint"]);
    }

    #[test]
    fn refuses_a_stage_that_does_not_exist() {
        assert!(choose(&["--only".into(), "nothing".into()]).is_err());
        assert!(choose(&["ui".into()]).is_err());
    }
}
