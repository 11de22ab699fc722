//! When to do what. Pure: time and chance are arguments.

use crate::Millis;
use std::time::Duration;

/// The longest pause between two tries while something is wrong.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(15 * 60);
/// The first pause after a failure.
const FIRST_BACK_OFF: Duration = Duration::from_secs(15);
/// How often to look whether the network is back.
const OFFLINE_RETRY: Duration = Duration::from_secs(15);
/// While a person must act, trying more often than this would only wear out the sign-in service.
const WAIT_FOR_A_PERSON: Duration = Duration::from_secs(5 * 60);

/// Why the next poll is when it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// The last poll went well.
    Regular {
        /// Seconds between polls.
        interval_s: u32,
    },
    /// Something failed this many times in a row.
    BackOff {
        /// At least 1.
        failures: u32,
    },
    /// The server said how long to wait.
    AskedToWait(Duration),
    /// There is no network.
    Offline,
    /// Somebody must mend something first.
    NeedsPerson,
}

/// The instant of the next try. `chance` is in 0..1 and spreads tries by a tenth, so that addresses do not
/// poll in step; a time that the server asked for is never shortened.
pub fn next_try(now: Millis, pace: Pace, chance: f64) -> Millis {
    let chance = chance.clamp(0.0, 1.0);
    let (wait, least) = match pace {
        Pace::Regular { interval_s } => (Duration::from_secs(u64::from(interval_s)), 0.95),
        Pace::BackOff { failures } => {
            let doublings = failures.saturating_sub(1).min(10);
            (
                FIRST_BACK_OFF
                    .saturating_mul(1 << doublings)
                    .min(LONGEST_BACK_OFF),
                0.95,
            )
        }
        Pace::AskedToWait(wait) => (wait.min(LONGEST_BACK_OFF), 1.0),
        Pace::Offline => (OFFLINE_RETRY, 0.95),
        Pace::NeedsPerson => (WAIT_FOR_A_PERSON, 1.0),
    };
    let factor = least + chance * 0.1;
    now + i64::try_from(wait.mul_f64(factor).as_millis()).unwrap_or(i64::MAX / 2)
}

/// How long the computer slept between two looks at both clocks: the wall clock goes on during sleep, the
/// monotonic one does not. Small differences (clock corrections) do not count.
pub fn slept(wall: Duration, monotonic: Duration) -> Option<Duration> {
    let missing = wall.saturating_sub(monotonic);
    (missing >= Duration::from_secs(30)).then_some(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(pace: Pace, chance: f64) -> i64 {
        next_try(0, pace, chance) / 1000
    }

    #[test]
    fn polls_at_the_interval_with_a_tenth_of_spread() {
        for (chance, expected) in [(0.0, 57), (0.5, 60), (1.0, 63)] {
            assert_eq!(seconds(Pace::Regular { interval_s: 60 }, chance), expected);
        }
    }

    #[test]
    fn backs_off_twofold_up_to_a_quarter_of_an_hour() {
        let waits = [1, 2, 3, 7, 50].map(|failures| seconds(Pace::BackOff { failures }, 0.5));
        assert_eq!(waits, [15, 30, 60, 900, 900]);
    }

    #[test]
    fn never_comes_earlier_than_the_server_asked() {
        for step in 0..=10 {
            let wait = seconds(
                Pace::AskedToWait(Duration::from_secs(40)),
                f64::from(step) / 10.0,
            );
            assert!((40..=44).contains(&wait), "{wait}");
        }
    }

    #[test]
    fn an_absurd_wait_is_capped() {
        assert!(seconds(Pace::AskedToWait(Duration::from_secs(1_000_000_000)), 1.0) <= 990);
    }

    #[test]
    fn notices_sleep_but_not_a_clock_correction() {
        let slept =
            |wall, monotonic| slept(Duration::from_secs(wall), Duration::from_secs(monotonic));
        assert_eq!(slept(3600, 5), Some(Duration::from_secs(3595)));
        assert_eq!(slept(70, 60), None);
        assert_eq!(slept(1, 60), None);
    }
}
