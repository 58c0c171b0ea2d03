//! Whether the patient of the pictures is the patient of the request. A difference stops the signature.

use super::{Patient, PersonName, romaji, search_key};

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mismatch {
    /// Patient ID (0010,0020).
    Id,
    /// Issuer of Patient ID (0010,0021).
    Issuer,
    /// Patient's Birth Date (0010,0030).
    BirthDate,
    /// Patient's Sex (0010,0040).
    Sex,
    /// Patient's Name (0010,0010), in every group that both sides have.
    Name,
}

/// Compares what both sides state; what one side leaves out cannot differ. Ids are compared as they are
/// (never normalised); `prior` studies may come from another facility, whose ids are its own.
pub fn mismatches(request: &Patient, pictures: &Patient, prior: bool) -> Vec<Mismatch> {
    let mut out = Vec::new();
    let issuers_differ = matches!((&request.issuer, &pictures.issuer), (Some(a), Some(b)) if a != b);
    let other_namespace = prior && issuers_differ;
    if !other_namespace {
        if !request.id.is_empty() && !pictures.id.is_empty() && request.id != pictures.id {
            out.push(Mismatch::Id);
        }
        if issuers_differ {
            out.push(Mismatch::Issuer);
        }
    }
    if matches!((request.birth_date, pictures.birth_date), (Some(a), Some(b)) if a != b) {
        out.push(Mismatch::BirthDate);
    }
    if matches!((request.sex, pictures.sex), (Some(a), Some(b)) if a != b) {
        out.push(Mismatch::Sex);
    }
    if names_differ(&request.name, &pictures.name) {
        out.push(Mismatch::Name);
    }
    out
}

/// Whether headers within **one** study name different people. As [`mismatches`], but a name in kanji alone and
/// one in letters alone (equipment of one hospital differs in that) cannot be compared.
pub fn names_another(study: &Patient, other: &Patient) -> bool {
    if study == other {
        return false;
    }
    let comparable = || {
        let kanji = study.name.ideographic.is_some() && other.name.ideographic.is_some();
        let readable = |n: &PersonName| readings(n).iter().any(|k| k.is_ascii());
        kanji || readable(&study.name) == readable(&other.name)
    };
    mismatches(study, other, false).into_iter().any(|m| m != Mismatch::Name || comparable())
}

/// Kanji against kanji where both have them (variants such as 髙 and 高 count as different people); else
/// readings against readings, whatever the script.
fn names_differ(a: &PersonName, b: &PersonName) -> bool {
    if let (Some(x), Some(y)) = (&a.ideographic, &b.ideographic) {
        return search_key(x) != search_key(y);
    }
    let (x, y) = (readings(a), readings(b));
    !x.is_empty() && !y.is_empty() && !x.iter().any(|k| y.contains(k))
}

fn readings(n: &PersonName) -> Vec<String> {
    [Some(n.alphabetic.as_str()), n.phonetic.as_deref(), n.ideographic.as_deref()]
        .into_iter()
        .flatten()
        .map(romaji::key)
        .filter(|k| !k.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn patient(id: &str, issuer: Option<&str>, name: &str) -> Patient {
        Patient {
            id: id.into(),
            issuer: issuer.map(Into::into),
            name: PersonName::parse(name),
            birth_date: Some(date(1968, 3, 4)),
            sex: None,
        }
    }

    #[test]
    fn same_patient_in_other_spelling_agrees() {
        let request = patient("0012345", Some("F1"), "Yamada^Tarou=山田^太郎=やまだ^たろう");
        for name in ["ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎", "YAMADA^TARO", "ヤマダ^タロウ", "", "x=山田^太郎"]
        {
            assert_eq!(mismatches(&request, &patient("0012345", None, name), false), vec![], "{name}");
        }
    }

    #[test]
    fn within_a_study_scripts_may_differ_but_people_may_not() {
        let first = patient("1", None, "YAMADA^TARO");
        assert!(!names_another(&first, &patient("1", None, "=山田^太郎")));
        assert!(!names_another(&first, &patient("", Some("F1"), "")));
        assert!(names_another(&first, &patient("1", None, "SUZUKI^HANAKO")));
        assert!(names_another(&first, &patient("2", None, "YAMADA^TARO")));
        assert!(names_another(&patient("1", None, "=山田^太郎"), &patient("1", None, "=鈴木^花子")));
    }

    #[test]
    fn every_difference_is_named() {
        let request = patient("0012345", Some("F1"), "Yamada^Tarou=山田^太郎");
        let mut other = patient("12345", Some("F2"), "Suzuki^Hanako=鈴木^花子");
        other.birth_date = Some(date(1968, 4, 3));
        use Mismatch::{BirthDate, Id, Issuer, Name};
        assert_eq!(mismatches(&request, &other, false), vec![Id, Issuer, BirthDate, Name]);
        // A prior of another facility carries that facility's id.
        let prior = patient("999", Some("F2"), "Yamada^Tarou=山田^太郎");
        assert_eq!(mismatches(&request, &prior, true), vec![]);
        assert_eq!(mismatches(&request, &patient("0012345", None, "高橋^太郎=髙橋^太郎"), false), vec![Name]);
    }
}
