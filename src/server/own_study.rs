//! What the center's own archive says of a study: enough for an assignment when no form says more.

use super::error::Error;
use crate::study::{Patient, PersonName, Sex, StudyUid};
use crate::worklist::{Archive, ArchiveAuth, Request, StudyToRead};
use jiff::civil::Date;
use rusqlite::{OptionalExtension as _, Transaction};
use serde_json::Value;

/// Most earlier studies of a patient that are put beside a new one.
const MOST_PRIORS: usize = 20;

/// A study of the center's own archive.
pub struct OwnStudy {
    /// As an assignment names it.
    pub study: StudyToRead,
    /// Patient as the images name them.
    pub patient: Patient,
    attributes: Value,
    body_parts: Vec<String>,
}

/// What the images say, for a form that says less.
#[derive(Default)]
pub(super) struct Seen {
    accession: String,
    physician: String,
    body_parts: Vec<String>,
}

impl Seen {
    pub(super) fn take(&mut self, own: &OwnStudy) {
        if self.accession.is_empty() {
            self.accession = text(&own.attributes, "00080050").unwrap_or_default();
        }
        if self.physician.is_empty() {
            self.physician = name(&own.attributes, "00080090").display();
        }
        self.body_parts.extend(own.body_parts.iter().filter(|p| !p.is_empty()).cloned());
        self.body_parts.sort();
        self.body_parts.dedup();
    }

    pub(super) fn complete(self, form: &mut Request, first: &StudyToRead) {
        let fill = |field: &mut String, value: String| {
            if field.is_empty() {
                *field = value;
            }
        };
        fill(&mut form.accession, self.accession);
        fill(&mut form.physician, self.physician);
        fill(&mut form.exam, format!("{} {}", first.modalities.join("/"), first.description).trim().to_owned());
        if form.body_parts.is_empty() {
            form.body_parts = self.body_parts;
        }
    }
}

fn value<'a>(attributes: &'a Value, tag: &str) -> Option<&'a Value> {
    attributes.get(tag)?.get("Value")?.get(0)
}

fn text(attributes: &Value, tag: &str) -> Option<String> {
    value(attributes, tag)?.as_str().map(str::to_owned)
}

fn name(attributes: &Value, tag: &str) -> PersonName {
    let group = |g: &str| value(attributes, tag).and_then(|v| v.get(g)).and_then(Value::as_str).unwrap_or_default();
    PersonName::parse(&format!("{}={}={}", group("Alphabetic"), group("Ideographic"), group("Phonetic")))
}

fn day(attributes: &Value, tag: &str) -> Option<Date> {
    Date::strptime("%Y%m%d", text(attributes, tag)?).ok()
}

fn patient_of(attributes: &Value) -> Patient {
    Patient {
        id: text(attributes, "00100020").unwrap_or_default(),
        issuer: text(attributes, "00100021"),
        name: name(attributes, "00100010"),
        birth_date: day(attributes, "00100030"),
        sex: match text(attributes, "00100040").as_deref() {
            Some("M") => Some(Sex::Male),
            Some("F") => Some(Sex::Female),
            Some("O") => Some(Sex::Other),
            _ => None,
        },
    }
}

/// A study of the center's own archive, if it is there.
pub fn own_study(t: &Transaction<'_>, uid: &StudyUid) -> Result<Option<OwnStudy>, Error> {
    let attributes: Option<String> =
        t.query_row("SELECT attributes FROM study WHERE uid = ?1", [uid.as_str()], |r| r.get(0)).optional()?;
    let Some(attributes) = attributes else { return Ok(None) };
    let attributes: Value = serde_json::from_str(&attributes)?;
    let mut statement =
        t.prepare("SELECT modality, attributes FROM series WHERE study_uid = ?1 ORDER BY number, uid")?;
    let rows = statement.query_map([uid.as_str()], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)))?;
    let (mut modalities, mut body_parts) = (Vec::new(), Vec::new());
    for row in rows {
        let (modality, series) = row?;
        if !modality.is_empty() && !modalities.contains(&modality) {
            modalities.push(modality);
        }
        body_parts.extend(text(&serde_json::from_str(&series)?, "00180015"));
    }
    Ok(Some(OwnStudy {
        study: StudyToRead {
            study_uid: uid.clone(),
            archive: Archive { root: String::new(), auth: ArchiveAuth::CenterToken, credentials: None },
            modalities,
            date: day(&attributes, "00080020"),
            description: text(&attributes, "00081030").unwrap_or_default(),
            // Counted whenever the assignment is read.
            series: 0,
            instances: 0,
            bytes: 0,
        },
        patient: patient_of(&attributes),
        attributes,
        body_parts,
    }))
}

/// Studies of the same patient (id and issuer) before the ones to read, newest first.
pub(super) fn earlier(
    t: &Transaction<'_>,
    patient: &Patient,
    studies: &[StudyToRead],
) -> Result<Vec<StudyToRead>, Error> {
    let Some(newest) = studies.iter().filter_map(|s| s.date).max() else { return Ok(Vec::new()) };
    let mut statement = t.prepare("SELECT uid FROM study ORDER BY uid")?;
    let uids = statement.query_map([], |r| r.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let mut found = Vec::new();
    for uid in uids {
        let uid = StudyUid::new(&uid).map_err(|e| Error::Interrupted(e.to_string()))?;
        if studies.iter().any(|s| s.study_uid == uid) {
            continue;
        }
        if let Some(own) = own_study(t, &uid)?
            && own.patient.same_identity(patient)
            && own.study.date.is_some_and(|d| d < newest)
        {
            found.push(own.study);
        }
    }
    found.sort_by_key(|s| std::cmp::Reverse(s.date));
    found.truncate(MOST_PRIORS);
    Ok(found)
}
