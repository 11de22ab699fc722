//! The offline decoder of error texts.

use crate::args::Common;
use crate::{Failure, print, session};
use mailroom_core::diagnosis::catalogue::Language;
use mailroom_core::diagnosis::explain;
use std::io::{IsTerminal, Read};

/// The most that is read from standard input, in bytes.
const MOST: u64 = 1024 * 1024;

/// `explain`
pub(crate) fn run(common: &Common, text: &[String]) -> Result<(), Failure> {
    let text = match text {
        [only] if only == "-" => pasted()?,
        words => words.join(" "),
    };
    let language = Language::from_tag(&session::language(common));
    let explanations = explain::explain(&text, language);
    if common.json {
        print::json(&explanations);
        return Ok(());
    }
    for (number, explanation) in explanations.iter().enumerate() {
        if number > 0 {
            print::line("");
        }
        print::card(&explanation.card);
        for (name, value) in &explanation.details {
            print::line(&format!("     {name}: {}", print::cut(value, 200)));
        }
    }
    Ok(())
}

fn pasted() -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        print::note("Paste the text, then press Ctrl-D.");
    }
    let mut bytes = Vec::new();
    stdin
        .take(MOST)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::Usage(format!("standard input: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
