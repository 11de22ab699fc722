//! Reading how many tests passed out of what test programs print.

/// Passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Passed.
    pub(crate) passed: u32,
    /// Failed.
    pub(crate) failed: u32,
}

impl Count {
    /// One check that passed.
    pub(crate) const ONE: Self = Self {
        passed: 1,
        failed: 0,
    };

    /// Both added up.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }
}

/// Adds up the lines `test result: ok. 12 passed; 0 failed; …` of `cargo test`.
pub(crate) fn cargo_test(output: &str) -> Count {
    output
        .lines()
        .filter(|line| line.starts_with("test result: "))
        .map(|line| Count {
            passed: number_before(line, " passed"),
            failed: number_before(line, " failed"),
        })
        .fold(Count::default(), Count::plus)
}

/// Reads the line `Tests  1 failed | 12 passed (13)` of vitest.
pub(crate) fn vitest(output: &str) -> Count {
    let plain = without_colours(output);
    plain
        .lines()
        .filter(|line| line.trim_start().starts_with("Tests "))
        .map(|line| Count {
            passed: number_before(line, " passed"),
            failed: number_before(line, " failed"),
        })
        .fold(Count::default(), Count::plus)
}

/// Counts lines that begin with `ok ` or end with `: ok`, and lines that begin with `not ok `.
pub(crate) fn lines(output: &str) -> Count {
    let count = |fits: fn(&str) -> bool| {
        let fitting = output.lines().filter(|line| fits(line.trim()));
        u32::try_from(fitting.count()).unwrap_or(u32::MAX)
    };
    Count {
        passed: count(|line| line.starts_with("ok ") || line.ends_with(": ok")),
        failed: count(|line| line.starts_with("not ok ")),
    }
}

/// The number right before `word`, or 0.
fn number_before(line: &str, word: &str) -> u32 {
    let before = line
        .split(word)
        .next()
        .filter(|before| before.len() < line.len());
    before
        .and_then(|before| before.rsplit([' ', '|']).next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut escaped = false;
    for c in text.chars() {
        match (escaped, c) {
            (false, '\u{1b}') => escaped = true,
            (false, c) => plain.push(c),
            (true, c) if c.is_ascii_alphabetic() => escaped = false,
            (true, _) => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_all_test_binaries() {
        let output = "running 2 tests\n\
            test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
            test result: FAILED. 10 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(
            cargo_test(output),
            Count {
                passed: 12,
                failed: 3
            }
        );
    }

    #[test]
    fn reads_vitest_with_and_without_failures() {
        let coloured = " Test Files  3 passed (3)\n\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m12 passed\u{1b}[22m (12)\n";
        assert_eq!(
            vitest(coloured),
            Count {
                passed: 12,
                failed: 0
            }
        );
        assert_eq!(
            vitest("      Tests  1 failed | 11 passed (12)\n"),
            Count {
                passed: 11,
                failed: 1
            }
        );
    }

    #[test]
    fn counts_ok_and_not_ok_lines() {
        let output = "ok signs in\nmsal: renews: ok\nnot ok 2 - reads\nokay, done\n";
        assert_eq!(
            lines(output),
            Count {
                passed: 2,
                failed: 1
            }
        );
    }
}
