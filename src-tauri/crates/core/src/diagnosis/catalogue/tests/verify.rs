//! The check that the build makes.

#[path = "../verify.rs"]
mod check;

use super::super::load::FILES;
use check::problems;

fn files() -> Vec<(&'static str, String)> {
    FILES
        .iter()
        .map(|(name, text, _)| (*name, (*text).to_owned()))
        .collect()
}

/// The problems of the catalogue with `added` at the end of `file`, or with `from` replaced by `added` there.
fn with(file: &str, from: Option<&str>, added: &str) -> Vec<String> {
    let mut files = files();
    for (name, text) in &mut files {
        if *name == file {
            match from {
                Some(from) => {
                    assert!(text.contains(from), "{from}");
                    *text = text.replacen(from, added, 1);
                }
                None => text.push_str(added),
            }
        }
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    problems(&files)
}

#[test]
fn the_catalogue_has_no_defect() {
    assert_eq!(with("words.toml", None, ""), Vec::<String>::new());
}

#[test]
fn every_kind_of_defect_fails_the_build() {
    let entry = |code: &str, rest: &str| {
        format!(
            "\n[[entry]]\ncode = \"{code}\"\nfixers = [\"you\"]\n{rest}\n\
             en = {{ title = \"One\", meaning = \"Two\" }}\nde = {{ title = \"Eins\", meaning = \"Zwei\" }}\n"
        )
    };
    let ja = "ja = { title = \"一\", meaning = \"二\" }";
    let steps = "steps = [\"check_again\"]";
    let whole = format!("{steps}\n{ja}");
    assert_eq!(
        with("entra.toml", None, &entry("new_one", &whole)),
        Vec::<String>::new()
    );
    for (defect, told) in [
        (entry("new_one", steps), "no words in ja"),
        (entry("aadsts65001", &whole), "doubles"),
        (entry("new_one", ja), "no steps"),
        (
            entry("new_one", &format!("steps = [\"fly\"]\n{ja}")),
            "there is no step fly",
        ),
        (
            entry("new_one", &format!("{whole}\nlinks = [\"moon\"]")),
            "there is no link moon",
        ),
        (entry("", &whole), "without a code"),
        ("\n[[entry]]\ncode = ".to_owned(), "entra.toml"),
        ("\n[nonsense]\na = 1\n".to_owned(), "nobody knows"),
    ] {
        let problems = with("entra.toml", None, &defect);
        assert!(
            problems.iter().any(|problem| problem.contains(told)),
            "{told}: {problems:?}"
        );
    }
    let words =
        |en: &str| format!("\n[step.new]\nen = \"{en}\"\nde = \"Warten.\"\nja = \"待ちます。\"\n");
    for (file, defect, told) in [
        (
            "steps.toml",
            words("Wait for {mood}."),
            "nobody fills in {mood}",
        ),
        (
            "steps.toml",
            words("Wait for {login}."),
            "other placeholders in de",
        ),
        ("steps.toml", words(" "), "no words in en"),
        (
            "steps.toml",
            "\n[step.check_again]\nen = \"a\"\nde = \"b\"\nja = \"c\"\n".to_owned(),
            "steps.toml",
        ),
    ] {
        let problems = with(file, None, &defect);
        assert!(
            problems.iter().any(|problem| problem.contains(told)),
            "{told}: {problems:?}"
        );
    }
    let link = "url = \"https://admin.microsoft.com/#/users\"";
    for url in [
        "http://a.example/",
        "https://a.example/{mood}",
        "https://a b.example/",
        "https://a.example/{tenant",
        "javascript:x",
    ] {
        let problems = with("links.toml", Some(link), &format!("url = \"{url}\""));
        assert!(!problems.is_empty(), "{url}");
    }
    let command = "text = \"Get-EXOMailboxPermission -Identity {address} -User {login}\"";
    for text in ["Get-X -Identity '{address}'", "Get-X {mood}", ""] {
        let problems = with(
            "commands.toml",
            Some(command),
            &format!("text = \"{text}\""),
        );
        assert!(!problems.is_empty(), "{text}");
    }
}
