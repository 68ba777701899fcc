//! Dates in header fields.

const SECONDS_PER_DAY: u64 = 86_400;
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The IMF-fixdate of RFC 9110 section 5.6.7, such as
/// `Sun, 06 Nov 1994 08:49:37 GMT`, of a number of seconds since 1970.
pub fn http_date(unix_seconds: u64) -> String {
    let days = unix_seconds / SECONDS_PER_DAY;
    let second = unix_seconds % SECONDS_PER_DAY;
    let (year, month, day) = civil_from_days(days);
    // Both indices are below the arrays' lengths: a remainder of 7, and a month of 0..12.
    let weekday = DAYS[usize::try_from(days % 7).unwrap_or(0)];
    let month = MONTHS[usize::try_from(month).unwrap_or(0)];
    format!(
        "{weekday}, {day:02} {month} {year:04} {:02}:{:02}:{:02} GMT",
        second / 3600,
        second / 60 % 60,
        second % 60,
    )
}

/// Year, month (0 to 11) and day (from 1) of a number of days since 1970.
///
/// Years are counted from March, which puts the leap day at a year's end, and
/// in eras of 400 years, which all have the same number of days.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    const DAYS_PER_ERA: u64 = 146_097;
    const DAYS_FROM_0000_03_01_TO_1970: u64 = 719_468;

    let days = days + DAYS_FROM_0000_03_01_TO_1970;
    let era = days / DAYS_PER_ERA;
    let day_of_era = days % DAYS_PER_ERA;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12;
    let year = era * 400 + year_of_era + u64::from(month < 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_dates() {
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(951_782_399), "Mon, 28 Feb 2000 23:59:59 GMT");
        assert_eq!(http_date(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(http_date(951_868_800), "Wed, 01 Mar 2000 00:00:00 GMT");
        assert_eq!(http_date(4_107_542_399), "Sun, 28 Feb 2100 23:59:59 GMT");
        assert_eq!(http_date(4_107_542_400), "Mon, 01 Mar 2100 00:00:00 GMT");
        assert_eq!(http_date(253_402_300_799), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn no_number_is_too_large() {
        assert!(http_date(u64::MAX).ends_with(" GMT"));
    }

    proptest! {
        #[test]
        fn the_next_day_is_the_next_date(days in 0_u64..3_000_000) {
            let (year, month, day) = civil_from_days(days);
            let next = civil_from_days(days + 1);
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                1 => 28 + u64::from(leap),
                3 | 5 | 8 | 10 => 30,
                _ => 31,
            };
            let expected = match (month, day) {
                (11, 31) => (year + 1, 0, 1),
                (month, day) if day == length => (year, month + 1, 1),
                (month, day) => (year, month, day + 1),
            };
            prop_assert_eq!(next, expected);
        }
    }
}
