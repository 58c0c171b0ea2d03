//! How much time is left.

use jiff::Timestamp;

/// Time to a deadline, in whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remaining {
    /// Overdue by so many minutes.
    Overdue(i64),
    /// Due within two hours.
    Soon(i64),
    /// Later.
    Later(i64),
}

/// Remaining time at `now`; a begun minute of delay counts.
pub fn remaining(due: Timestamp, now: Timestamp) -> Remaining {
    let seconds = due.as_second() - now.as_second();
    if seconds < 0 {
        Remaining::Overdue((-seconds + 59) / 60)
    } else if seconds <= 2 * 3600 {
        Remaining::Soon(seconds / 60)
    } else {
        Remaining::Later(seconds / 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders() {
        let at = |s| Timestamp::from_second(s).expect("in range");
        assert_eq!(remaining(at(0), at(1)), Remaining::Overdue(1));
        assert_eq!(remaining(at(60), at(0)), Remaining::Soon(1));
        assert_eq!(remaining(at(7200), at(0)), Remaining::Soon(120));
        assert_eq!(remaining(at(7201), at(0)), Remaining::Later(120));
    }
}
