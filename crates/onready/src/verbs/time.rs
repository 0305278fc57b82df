//! Times for people and for JSON.

use std::time::Duration;

/// A moment in milliseconds since 1970 as `2026-11-22T10:11:12Z`.
pub fn moment(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// Days since 1970 as a date of the Gregorian calendar, counted in years that begin in March, so that the leap day
/// is their last, and in eras of 400 years, which are all of one length.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + later, month, day)
}

/// A time without blanks, for tables: `41ms`, `1.5s`, `5m12s`, `3h5m`, `4d3h`.
pub fn short(time: Duration) -> String {
    let (ms, seconds) = (time.as_millis(), time.as_secs());
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match seconds {
        0 => format!("{ms}ms"),
        1..10 => format!("{}.{}s", seconds, time.subsec_millis() / 100),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m{}s", seconds % 60),
        3600..86_400 => format!("{hours}h{}m", minutes % 60),
        _ => format!("{}d{}h", hours / 24, hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_795_342_272, "2026-11-22T10:11:12Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(moment(seconds * 1000 + 999), text);
        }
    }

    #[test]
    fn short_times_have_no_blank() {
        for (ms, text) in [
            (0, "0ms"),
            (999, "999ms"),
            (1550, "1.5s"),
            (42_000, "42s"),
            (312_000, "5m12s"),
            (11_100_000, "3h5m"),
            (4 * 86_400_000 + 3 * 3_600_000, "4d3h"),
        ] {
            assert_eq!(short(Duration::from_millis(ms)), text);
        }
    }
}
