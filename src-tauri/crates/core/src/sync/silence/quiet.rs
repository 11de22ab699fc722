//! Hours in which nobody wants a notice.

use crate::Millis;
use crate::store::settings::Settings;
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// From one local time of day to another; over midnight where the second is the earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    from: Time,
    to: Time,
}

impl QuietHours {
    /// Reads two times such as `22:00` and `07:30`. Nothing when one is no time or both are the same.
    pub fn parse(from: &str, to: &str) -> Option<Self> {
        let hours = Self {
            from: Time::strptime("%H:%M", from.trim()).ok()?,
            to: Time::strptime("%H:%M", to.trim()).ok()?,
        };
        (hours.from != hours.to).then_some(hours)
    }

    /// The person's.
    pub fn of(settings: &Settings) -> Option<Self> {
        Self::parse(
            settings.quiet_from.as_deref()?,
            settings.quiet_to.as_deref()?,
        )
    }

    /// Whether they hold notices back at `now`, in this computer's time zone.
    pub fn hold(self, now: Millis) -> bool {
        jiff::Timestamp::from_millisecond(now)
            .is_ok_and(|at| self.contain(at.to_zoned(TimeZone::system()).time()))
    }

    fn contain(self, time: Time) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::time;

    #[test]
    fn hours_may_go_over_midnight() {
        let night = QuietHours::parse("22:00", "07:30").unwrap();
        for (hour, minute, quiet) in [
            (21, 59, false),
            (22, 0, true),
            (3, 0, true),
            (7, 29, true),
            (7, 30, false),
        ] {
            assert_eq!(
                night.contain(time(hour, minute, 0, 0)),
                quiet,
                "{hour}:{minute}"
            );
        }
        let noon = QuietHours::parse("12:00", "13:00").unwrap();
        assert!(noon.contain(time(12, 30, 0, 0)) && !noon.contain(time(13, 0, 0, 0)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for (from, to) in [
            ("25:00", "07:00"),
            ("", "07:00"),
            ("night", "day"),
            ("07:00", "07:00"),
        ] {
            assert_eq!(QuietHours::parse(from, to), None);
        }
    }
}
