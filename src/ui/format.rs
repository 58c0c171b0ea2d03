//! Numbers, times and dates as the screen writes them. Times of the day are Japan's: deadlines are told in it.

use super::text::Words;
use crate::study::{Patient, Sex, age_at};
use crate::worklist::{Remaining, remaining};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned, civil::Date};

/// Between number and unit.
pub const THIN_SPACE: char = '\u{2009}';

fn japan(at: Timestamp) -> Zoned {
    at.to_zoned(TimeZone::fixed(jiff::tz::offset(9)))
}

/// `14:05`.
pub fn clock(at: Timestamp) -> String {
    japan(at).strftime("%H:%M").to_string()
}

/// `14:05:31`.
pub fn clock_seconds(at: Timestamp) -> String {
    japan(at).strftime("%H:%M:%S").to_string()
}

/// `2026-11-22 14:05`.
pub fn moment(at: Timestamp) -> String {
    japan(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// The day in Japan.
pub fn day(at: Timestamp) -> Date {
    japan(at).date()
}

/// `2026-11-22`, or a dash.
pub fn date(date: Option<Date>) -> String {
    date.map_or_else(|| "–".to_owned(), |d| d.to_string())
}

/// `0:42`, `3d 4:05`.
pub fn minutes(words: Words, minutes: i64) -> String {
    let (days, rest) = (minutes / (24 * 60), minutes % (24 * 60));
    let time = format!("{}:{:02}", rest / 60, rest % 60);
    if days > 0 { words.f("time.days", &[("days", &days), ("time", &time)]) } else { time }
}

/// `あと 0:42`, `超過 0:12`.
pub fn time_left(words: Words, due: Timestamp, now: Timestamp) -> String {
    match remaining(due, now) {
        Remaining::Overdue(n) => words.f("time.overdue", &[("time", &minutes(words, n))]),
        Remaining::Soon(n) | Remaining::Later(n) => words.f("time.left", &[("time", &minutes(words, n))]),
    }
}

/// `男`, `女`, `他`; nothing where it is not stated.
pub fn sex(words: Words, patient: &Patient) -> &'static str {
    match patient.sex {
        Some(Sex::Male) => words.t("patient.male"),
        Some(Sex::Female) => words.t("patient.female"),
        Some(Sex::Other) => words.t("patient.other"),
        None => words.t("patient.unknown_sex"),
    }
}

/// `58歳` on a day; nothing where the birth date is not stated.
pub fn age(words: Words, patient: &Patient, on: Date) -> String {
    let years = patient.birth_date.and_then(|birth| age_at(birth, on));
    years.map_or_else(String::new, |years| words.f("patient.age", &[("years", &years)]))
}

/// `男 58歳`.
pub fn sex_age(words: Words, patient: &Patient, on: Date) -> String {
    let age = age(words, patient, on);
    let sex = sex(words, patient);
    if age.is_empty() { sex.to_owned() } else { format!("{sex} {age}") }
}

/// Bytes per second as `24 Mbit/s`; nothing below 0.1 Mbit/s.
pub fn rate(bytes_per_s: u64) -> Option<String> {
    let mbit = bytes_per_s as f64 * 8.0 / 1e6;
    if mbit < 0.1 {
        None
    } else if mbit < 10.0 {
        Some(format!("{mbit:.1}{THIN_SPACE}Mbit/s"))
    } else {
        Some(format!("{mbit:.0}{THIN_SPACE}Mbit/s"))
    }
}

/// Share in whole percent, 100 only when all is there.
pub fn percent(share: f32) -> String {
    let whole = (share.clamp(0.0, 1.0) * 100.0).floor() as u32;
    format!("{whole}%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Language;

    #[test]
    fn times_are_japans_and_delays_are_told() {
        let at = Timestamp::from_second(0).expect("in range");
        assert_eq!(clock(at), "09:00");
        assert_eq!(moment(at), "1970-01-01 09:00");
        let ja = Words(Language::Ja);
        let due = Timestamp::from_second(42 * 60).expect("in range");
        assert_eq!(time_left(ja, due, at), "あと 0:42");
        assert_eq!(time_left(ja, at, due), "超過 0:42");
        assert!(minutes(ja, 25 * 60).contains("1:00"));
    }

    #[test]
    fn a_share_is_never_rounded_up_to_all() {
        assert_eq!(percent(0.9999), "99%");
        assert_eq!(percent(1.0), "100%");
        assert_eq!(rate(3_000_000).as_deref(), Some("24\u{2009}Mbit/s"));
        assert_eq!(rate(10), None);
    }
}
