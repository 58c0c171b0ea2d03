//! Clinic days: national holidays of Japan by rule, a facility's own week, and deadlines that count in clinic days.
//!
//! Holidays follow the Public Holiday Law as it stands since 2022 (years with moved Olympic holidays are not in it). The equinox days are
//! by the usual formula for 1980 to 2099; the dates gazetted each February win over it where a facility lists them.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

/// Longest closure that is looked across.
const MOST_DAYS: u32 = 60;

/// A holiday by its own rule, without substitutes.
fn named_holiday(day: Date) -> bool {
    let (month, of_month) = (day.month(), day.day());
    let nth_monday = |n: i8| day.weekday() == Weekday::Monday && (of_month - 1) / 7 + 1 == n;
    match month {
        1 => of_month == 1 || nth_monday(2),
        2 => matches!(of_month, 11 | 23),
        3 => of_month == equinox(day.year(), 20.8431),
        4 => of_month == 29,
        5 => matches!(of_month, 3..=5),
        7 => nth_monday(3),
        8 => of_month == 11,
        9 => nth_monday(3) || of_month == equinox(day.year(), 23.2488),
        10 => nth_monday(2),
        11 => matches!(of_month, 3 | 23),
        _ => false,
    }
}

/// Day of the month of an equinox, 1980 to 2099.
fn equinox(year: i16, base: f64) -> i8 {
    let years = f64::from(year - 1980);
    (base + 0.242_194 * years - (years / 4.0).floor()).floor() as i8
}

/// National holiday 国民の祝日 with its substitute 振替休日 and the day between two holidays 国民の休日.
pub fn national_holiday(day: Date) -> bool {
    if named_holiday(day) {
        return true;
    }
    // 振替休日: a run of holidays that holds a Sunday moves it to the first day after the run.
    let mut before = day;
    while let Ok(previous) = before.yesterday() {
        if !named_holiday(previous) {
            break;
        }
        if previous.weekday() == Weekday::Sunday {
            return true;
        }
        before = previous;
    }
    let between = |a: Result<Date, _>, b: Result<Date, _>| matches!((a, b), (Ok(a), Ok(b)) if named_holiday(a) && named_holiday(b));
    day.weekday() != Weekday::Sunday && between(day.yesterday(), day.tomorrow())
}

/// A facility's clinic days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClinicCalendar {
    /// Open on Monday … Sunday.
    pub week: [bool; 7],
    /// Closed although the week says open (休診日).
    pub closed: Vec<Date>,
    /// Open although week or holiday says closed.
    pub open: Vec<Date>,
    /// Closed from 29 December to 3 January.
    pub year_end: bool,
    /// When reports must be there on a clinic day.
    pub report_by: Time,
}

impl Default for ClinicCalendar {
    /// Monday to Friday, 17:00.
    fn default() -> Self {
        Self {
            week: [true, true, true, true, true, false, false],
            closed: Vec::new(),
            open: Vec::new(),
            year_end: true,
            report_by: Time::constant(17, 0, 0, 0),
        }
    }
}

impl ClinicCalendar {
    /// Whether the clinic is open on a day.
    pub fn is_open(&self, day: Date) -> bool {
        if self.open.contains(&day) {
            return true;
        }
        let weekday = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0);
        let year_end =
            self.year_end && ((day.month() == 12 && day.day() >= 29) || (day.month() == 1 && day.day() <= 3));
        !self.closed.contains(&day)
            && !year_end
            && !national_holiday(day)
            && self.week.get(weekday).copied().unwrap_or(false)
    }

    /// The `n`th clinic day after `day` (1 = 翌診療日). `None` for a clinic that does not open for two months.
    pub fn clinic_day_after(&self, day: Date, n: u32) -> Option<Date> {
        let mut at = day;
        for _ in 0..n.max(1) {
            let mut looked = 0;
            loop {
                at = at.tomorrow().ok()?;
                if self.is_open(at) {
                    break;
                }
                looked += 1;
                if looked > MOST_DAYS {
                    return None;
                }
            }
        }
        Some(at)
    }

    /// The moment at which reports must be there on a day.
    pub fn deadline(&self, day: Date) -> Option<Timestamp> {
        day.to_datetime(self.report_by).to_zoned(japan()).ok().map(|z| z.timestamp())
    }
}

/// Japan Standard Time: no daylight saving, so no time-zone database is needed.
pub fn japan() -> TimeZone {
    TimeZone::fixed(Offset::constant(9))
}

/// The calendar day in Japan at a moment.
pub fn japan_day(at: Timestamp) -> Date {
    at.to_zoned(japan()).date()
}

/// The end of urgent work 当日: 18:00 in Japan of the day of receipt, or of the next day for what came later.
pub fn same_day_deadline(received: Timestamp) -> Option<Timestamp> {
    let local = received.to_zoned(japan());
    let end = local.date().to_datetime(Time::constant(18, 0, 0, 0)).to_zoned(japan()).ok()?;
    let end = if local < end { end } else { end.checked_add(1.day()).ok()? };
    Some(end.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn next_clinic_day_vectors() {
        // domain reference §1.4: exam day → next clinic day with Saturday closed, with Saturday open.
        let closed = ClinicCalendar::default();
        let open = ClinicCalendar { week: [true, true, true, true, true, true, false], ..ClinicCalendar::default() };
        for (exam, weekdays, saturdays) in [
            (date(2026, 4, 28), date(2026, 4, 30), date(2026, 4, 30)),
            (date(2026, 5, 1), date(2026, 5, 7), date(2026, 5, 2)),
            (date(2026, 9, 18), date(2026, 9, 24), date(2026, 9, 19)),
            (date(2026, 11, 20), date(2026, 11, 24), date(2026, 11, 21)),
            (date(2026, 12, 28), date(2027, 1, 4), date(2027, 1, 4)),
            (date(2027, 1, 8), date(2027, 1, 12), date(2027, 1, 9)),
        ] {
            assert_eq!(closed.clinic_day_after(exam, 1), Some(weekdays), "{exam} Saturday closed");
            assert_eq!(open.clinic_day_after(exam, 1), Some(saturdays), "{exam} Saturday open");
        }
    }

    #[test]
    fn holidays_of_2026_and_2027() {
        let of_2026 = [
            (1, 1),
            (1, 12),
            (2, 11),
            (2, 23),
            (3, 20),
            (4, 29),
            (5, 3),
            (5, 4),
            (5, 5),
            (5, 6),
            (7, 20),
            (8, 11),
            (9, 21),
            (9, 22),
            (9, 23),
            (10, 12),
            (11, 3),
            (11, 23),
        ];
        let mut day = date(2026, 1, 1);
        let mut found = Vec::new();
        while day.year() == 2026 {
            if national_holiday(day) {
                found.push((day.month(), day.day()));
            }
            day = day.tomorrow().expect("in range");
        }
        assert_eq!(found, of_2026);
        assert!(national_holiday(date(2027, 3, 21)) && national_holiday(date(2027, 3, 22)));
        assert!(!national_holiday(date(2027, 3, 23)));
    }

    #[test]
    fn own_days_win() {
        let calendar = ClinicCalendar {
            open: vec![date(2026, 11, 23)],
            closed: vec![date(2026, 11, 24)],
            ..ClinicCalendar::default()
        };
        assert_eq!(calendar.clinic_day_after(date(2026, 11, 20), 1), Some(date(2026, 11, 23)));
        assert_eq!(calendar.clinic_day_after(date(2026, 11, 20), 2), Some(date(2026, 11, 25)));
        let never = ClinicCalendar { week: [false; 7], ..ClinicCalendar::default() };
        assert_eq!(never.clinic_day_after(date(2026, 11, 20), 1), None);
    }

    #[test]
    fn moments_are_japanese() {
        let due = ClinicCalendar::default().deadline(date(2026, 11, 24)).expect("moment");
        assert_eq!(due.to_string(), "2026-11-24T08:00:00Z");
        let at = |t: &str| t.parse::<Timestamp>().expect("time");
        assert_eq!(same_day_deadline(at("2026-11-20T01:00:00Z")), Some(at("2026-11-20T09:00:00Z")));
        assert_eq!(same_day_deadline(at("2026-11-20T09:00:00Z")), Some(at("2026-11-21T09:00:00Z")));
        assert_eq!(japan_day(at("2026-11-20T15:30:00Z")), date(2026, 11, 21));
    }
}
