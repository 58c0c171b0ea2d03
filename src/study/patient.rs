//! The patient as a study names them. Identity is id **and** issuer; ids are never normalised.

use super::PersonName;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Patient's Sex (0010,0040).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sex {
    /// Male.
    #[serde(rename = "M")]
    Male,
    /// Female.
    #[serde(rename = "F")]
    Female,
    /// Other.
    #[serde(rename = "O")]
    Other,
}

/// Patient module (PS3.3 C.7.1.1), as far as the workstation shows it. Debug output hides it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patient {
    /// Patient ID (0010,0020), exactly as sent.
    pub id: String,
    /// Issuer of Patient ID (0010,0021): the facility namespace.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Patient's Name (0010,0010).
    pub name: PersonName,
    /// Patient's Birth Date (0010,0030).
    #[serde(default)]
    pub birth_date: Option<Date>,
    /// Patient's Sex (0010,0040).
    #[serde(default)]
    pub sex: Option<Sex>,
}

impl Patient {
    /// Same person for sure: same id in the same namespace. Names are never compared.
    pub fn same_identity(&self, other: &Self) -> bool {
        !self.id.is_empty() && self.id == other.id && self.issuer == other.issuer
    }

    /// Takes from another statement about the same patient what this one leaves out.
    pub fn complete(&mut self, other: &Self) {
        if self.id.is_empty() {
            self.id.clone_from(&other.id);
        }
        if self.name.alphabetic.is_empty() {
            self.name.alphabetic.clone_from(&other.name.alphabetic);
        }
        let Self { issuer, name, birth_date, sex, .. } = self;
        *issuer = issuer.take().or_else(|| other.issuer.clone());
        name.ideographic = name.ideographic.take().or_else(|| other.name.ideographic.clone());
        name.phonetic = name.phonetic.take().or_else(|| other.name.phonetic.clone());
        *birth_date = birth_date.or(other.birth_date);
        *sex = sex.or(other.sex);
    }
}

impl fmt::Debug for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Patient(…)")
    }
}

/// Completed years (満年齢) at `day`; `None` if `day` is before birth.
pub fn age_at(birth: Date, day: Date) -> Option<i16> {
    if day < birth {
        return None;
    }
    let had_birthday = (day.month(), day.day()) >= (birth.month(), birth.day());
    Some(day.year() - birth.year() - i16::from(!had_birthday))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn age_vectors() {
        assert_eq!(age_at(date(1985, 3, 4), date(2026, 3, 3)), Some(40));
        assert_eq!(age_at(date(1985, 3, 4), date(2026, 3, 4)), Some(41));
        assert_eq!(age_at(date(2000, 2, 29), date(2023, 2, 28)), Some(22));
        assert_eq!(age_at(date(2000, 2, 29), date(2023, 3, 1)), Some(23));
        assert_eq!(age_at(date(2000, 2, 29), date(1999, 3, 1)), None);
    }

    #[test]
    fn identity_needs_id_and_issuer() {
        let a = Patient { id: "0123".into(), issuer: Some("F1".into()), ..Patient::default() };
        let b = Patient { issuer: Some("F2".into()), ..a.clone() };
        assert!(a.same_identity(&a.clone()));
        assert!(!a.same_identity(&b));
        assert!(!Patient::default().same_identity(&Patient::default()));
        assert_eq!(format!("{a:?}"), "Patient(…)");
    }
}
