//! Header → the small projection that the workstation keeps of each instance.

use super::dataset::View;
use super::functional;
use super::laterality;
use super::mammogram;
use super::read::Header;
use super::sop_class;
use super::view_code;
use crate::study::{
    Instance, InstanceTraits, Laterality, Patient, Series, SeriesUid, Sex, SopInstanceUid, Study, StudyUid, Why,
    names_another,
};
use dicom_dictionary_std::tags;
use jiff::civil::{Date, Time};
use std::collections::BTreeMap;

/// An object that cannot take a place in a study.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// A unique identifier is missing or is none.
    #[error("{0} is missing or not valid")]
    Uid(&'static str),
}

/// Projects a header onto a study with one series with one instance.
///
/// `stand_in` makes up identifiers (`2.25.…`) for local files that have none or no valid ones; from a center, `None`.
pub fn project(header: &Header, stand_in: Option<u64>) -> Result<Study, MetadataError> {
    let view = header.view();
    let uid = |tag, place: u64, what| {
        let stated = view.string(tag);
        if stated.as_deref().is_some_and(|text| SopInstanceUid::new(text).is_ok()) {
            return stated.ok_or(MetadataError::Uid(what));
        }
        // Identifiers that are none still tell what belongs together; missing ones tell nothing.
        let seed = match (&stated, stand_in) {
            (_, None) => return Err(MetadataError::Uid(what)),
            (Some(text), Some(_)) => seed_of(text),
            (None, Some(seed)) => seed,
        };
        Ok(format!("2.25.{}", u128::from(seed) * 4 + u128::from(place)))
    };
    let study_uid = uid(tags::STUDY_INSTANCE_UID, 1, "Study Instance UID")?;
    let series_uid = uid(tags::SERIES_INSTANCE_UID, 2, "Series Instance UID")?;
    let instance_uid = uid(tags::SOP_INSTANCE_UID, 3, "SOP Instance UID")?;
    let series = Series {
        uid: SeriesUid::new(&series_uid).map_err(|_| MetadataError::Uid("Series Instance UID"))?,
        modality: view.string(tags::MODALITY).unwrap_or_default(),
        number: number(&view, tags::SERIES_NUMBER),
        description: view.text(tags::SERIES_DESCRIPTION),
        body_part: view.string(tags::BODY_PART_EXAMINED).unwrap_or_default(),
        instances: vec![instance(header, &instance_uid)?],
    };
    Ok(Study {
        uid: StudyUid::new(&study_uid).map_err(|_| MetadataError::Uid("Study Instance UID"))?,
        patient: Patient {
            id: view.text(tags::PATIENT_ID).trim_start_matches(' ').to_owned(),
            issuer: view.string(tags::ISSUER_OF_PATIENT_ID),
            name: view.name(tags::PATIENT_NAME),
            birth_date: view.string(tags::PATIENT_BIRTH_DATE).and_then(|s| date(&s)),
            sex: match view.string(tags::PATIENT_SEX).as_deref() {
                Some("M") => Some(Sex::Male),
                Some("F") => Some(Sex::Female),
                Some("O") => Some(Sex::Other),
                _ => None,
            },
        },
        date: view.string(tags::STUDY_DATE).and_then(|s| date(&s)),
        time: view.string(tags::STUDY_TIME).and_then(|s| time(&s)),
        accession: view.string(tags::ACCESSION_NUMBER).unwrap_or_default(),
        description: view.text(tags::STUDY_DESCRIPTION),
        institution: view.text(tags::INSTITUTION_NAME),
        other_patients: Vec::new(),
        strange_series: Vec::new(),
        text_notes: header.text_notes().into_iter().map(str::to_owned).collect(),
        series: vec![series],
    })
}

/// The same number for the same text, in every run (FNV-1a).
pub(super) fn seed_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Most frames of one instance: every frame takes some hundred bytes in the lists of what can be shown, and a header of
/// a kilobyte can declare thousands of millions.
const MOST_FRAMES: u32 = 100_000;

fn instance(header: &Header, uid: &str) -> Result<Instance, MetadataError> {
    let view = header.view();
    let sop_class = header.sop_class();
    let size = |tag| view.int(tag).and_then(|v| u32::try_from(v).ok()).unwrap_or(0);
    let (rows, columns) = (size(tags::ROWS), size(tags::COLUMNS));
    let not_an_image = sop_class::reason_without_picture(header, &sop_class, rows, columns);
    let frames = view.int(tags::NUMBER_OF_FRAMES).and_then(|n| u32::try_from(n).ok()).unwrap_or(1).max(1);
    let too_many = frames > MOST_FRAMES;
    let not_an_image = not_an_image
        .or_else(|| too_many.then(|| Why::TooManyFrames.with(format!("{frames}, at most {MOST_FRAMES} are taken"))));
    let frames = if rows == 0 || columns == 0 || too_many { 0 } else { frames };
    let (laterality, side_conflict) = laterality::laterality(&view);
    let mammogram = mammogram::mammogram(&view, &sop_class).map(Box::new);
    Ok(Instance {
        uid: SopInstanceUid::new(uid).map_err(|_| MetadataError::Uid("SOP Instance UID"))?,
        sop_class,
        transfer_syntax: Some(header.transfer_syntax().to_owned()).filter(|s| !s.is_empty()),
        number: number(&view, tags::INSTANCE_NUMBER),
        rows,
        columns,
        frames,
        image_type: image_type(&view),
        photometric: view.string(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default(),
        frame_of_reference: view
            .string(tags::FRAME_OF_REFERENCE_UID)
            .or_else(|| view.string(tags::VOLUME_FRAME_OF_REFERENCE_UID)),
        acquisition_number: number(&view, tags::ACQUISITION_NUMBER),
        laterality,
        view: view_code::view_label(&view),
        patient_orientation: patient_orientation(&view),
        frame_info: functional::frame_infos(&view, frames),
        not_an_image,
        traits: InstanceTraits { side_conflict, mammogram },
    })
}

/// Image Type; for enhanced objects value 3 and 4 of the first frame say more than the object's.
fn image_type(view: &View<'_>) -> Vec<String> {
    let own = view.strings(tags::IMAGE_TYPE);
    for group in [tags::MR_IMAGE_FRAME_TYPE_SEQUENCE, tags::CT_IMAGE_FRAME_TYPE_SEQUENCE, tags::PET_FRAME_TYPE_SEQUENCE]
    {
        if let Some(item) = functional::group(view, 0, group) {
            let frame_type = item.strings(tags::FRAME_TYPE);
            if !frame_type.is_empty() && own.len() < 3 {
                return frame_type;
            }
        }
    }
    own
}

fn patient_orientation(view: &View<'_>) -> Option<[String; 2]> {
    let mut values = view.strings(tags::PATIENT_ORIENTATION).into_iter();
    let both = [values.next()?, values.next()?];
    both.iter().all(|v| !v.is_empty()).then_some(both)
}

fn number(view: &View<'_>, tag: dicom_core::Tag) -> Option<i32> {
    view.int(tag).and_then(|v| i32::try_from(v).ok())
}

/// DA: `YYYYMMDD`, also with dots or dashes as old writers put them.
pub(crate) fn date(text: &str) -> Option<Date> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() != 8 {
        return None;
    }
    Date::new(digits.get(..4)?.parse().ok()?, digits.get(4..6)?.parse().ok()?, digits.get(6..8)?.parse().ok()?).ok()
}

/// TM: `HH[MM[SS[.F]]]`, also with colons.
pub(crate) fn time(text: &str) -> Option<Time> {
    let whole: String = text.split('.').next()?.chars().filter(char::is_ascii_digit).collect();
    let part = |at: usize| match whole.get(at..at + 2) {
        Some(two) => two.parse::<i8>().ok(),
        None => (whole.len() <= at).then_some(0),
    };
    if whole.len() < 2 {
        return None;
    }
    Time::new(part(0)?, part(2)?, part(4)?.min(59), 0).ok()
}

/// Gathers projections into studies; an instance that comes twice counts once.
#[derive(Debug, Default)]
pub struct Tree {
    studies: Vec<Study>,
    study_at: BTreeMap<StudyUid, usize>,
    series_at: BTreeMap<(usize, SeriesUid), usize>,
    /// The one study that an instance belongs to, and whether it is there as a picture.
    homes: BTreeMap<SopInstanceUid, (usize, bool)>,
    /// The one study that a series belongs to.
    series_homes: BTreeMap<SeriesUid, StudyUid>,
}

impl Tree {
    /// Why what [`project`] gave does not fit what was added before: a UID that another study has, or another patient
    /// than the rest of its study (who then counts among its other patients).
    pub fn misfit(&mut self, projection: &Study) -> Option<&'static str> {
        let series = projection.series.first()?;
        let elsewhere = |home: Option<&StudyUid>| home.is_some_and(|study| *study != projection.uid);
        let home = |uid: &SopInstanceUid| Some(&self.studies.get(self.homes.get(uid)?.0)?.uid);
        if series.instances.iter().any(|i| elsewhere(home(&i.uid))) {
            return Some(Why::InstanceElsewhere.sentence());
        }
        if elsewhere(self.series_homes.get(&series.uid)) {
            return Some(Why::SeriesElsewhere.sentence());
        }
        let known = self.study_at.get(&projection.uid).and_then(|at| self.studies.get_mut(*at))?;
        if !names_another(&known.patient, &projection.patient) {
            known.patient.complete(&projection.patient);
            return None;
        }
        if !known.other_patients.contains(&projection.patient) {
            known.other_patients.push(projection.patient.clone());
        }
        if !known.strange_series.contains(&series.uid) {
            known.strange_series.push(series.uid.clone());
        }
        Some(Why::OtherPatient.sentence())
    }

    /// Adds what [`project`] gave. False if the study already has this instance.
    pub fn add(&mut self, projection: Study) -> bool {
        let Study { series, .. } = &projection;
        let fresh = series.iter().flat_map(|s| &s.instances).all(|i| !self.contains(&projection.uid, &i.uid));
        if !fresh {
            return false;
        }
        for series in &projection.series {
            self.series_homes.insert(series.uid.clone(), projection.uid.clone());
        }
        let study = *self.study_at.entry(projection.uid.clone()).or_insert_with(|| {
            self.studies.push(Study { series: Vec::new(), ..projection.clone() });
            self.studies.len() - 1
        });
        for instance in projection.series.iter().flat_map(|s| &s.instances) {
            self.homes.insert(instance.uid.clone(), (study, false));
        }
        let Some(target) = self.studies.get_mut(study) else { return false };
        target.note_text(&projection.text_notes);
        for series in projection.series {
            match self.series_at.get(&(study, series.uid.clone())).and_then(|at| target.series.get_mut(*at)) {
                Some(known) => known.instances.extend(series.instances),
                None => {
                    self.series_at.insert((study, series.uid.clone()), target.series.len());
                    target.series.push(series);
                }
            }
        }
        true
    }

    /// Adds a picture; one that was met before without a picture (a damaged copy) is replaced.
    pub fn add_shown(&mut self, projection: Study) -> bool {
        let Some(wanted) = projection.series.iter().flat_map(|s| &s.instances).map(|i| i.uid.clone()).next() else {
            return self.add(projection);
        };
        if self.contains(&projection.uid, &wanted) {
            let shown = self.homes.get(&wanted).is_some_and(|home| home.1);
            if shown {
                return false;
            }
            if let Some(at) = self.study_at.get(&projection.uid)
                && let Some(study) = self.studies.get_mut(*at)
            {
                for series in &mut study.series {
                    series.instances.retain(|i| i.uid != wanted);
                }
            }
            self.homes.remove(&wanted);
        }
        let added = self.add(projection);
        if let Some(home) = self.homes.get_mut(&wanted) {
            home.1 = true;
        }
        added
    }

    /// Whether the study already has the instance.
    pub fn contains(&self, study: &StudyUid, instance: &SopInstanceUid) -> bool {
        let home = self.homes.get(instance).and_then(|home| self.studies.get(home.0));
        home.is_some_and(|home| home.uid == *study)
    }

    /// The studies: series by number, instances by number within each.
    pub fn finish(mut self) -> Vec<Study> {
        for study in &mut self.studies {
            study
                .series
                .sort_by(|a, b| (a.number.unwrap_or(i32::MAX), &a.uid).cmp(&(b.number.unwrap_or(i32::MAX), &b.uid)));
            for series in &mut study.series {
                series.instances.sort_by(|a, b| {
                    (a.number.unwrap_or(i32::MAX), &a.uid).cmp(&(b.number.unwrap_or(i32::MAX), &b.uid))
                });
            }
        }
        self.studies
    }
}

/// Laterality of a code string.
pub(crate) fn laterality(text: &str) -> Option<Laterality> {
    match text {
        "R" => Some(Laterality::R),
        "L" => Some(Laterality::L),
        "B" => Some(Laterality::B),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_of_the_field() {
        assert_eq!(date("20260304"), Some(jiff::civil::date(2026, 3, 4)));
        assert_eq!(date("1998.12.31"), Some(jiff::civil::date(1998, 12, 31)));
        assert_eq!(date("20261304"), None);
        assert_eq!(time("0830"), Some(jiff::civil::time(8, 30, 0, 0)));
        assert_eq!(time("235960.5"), Some(jiff::civil::time(23, 59, 59, 0)));
        assert_eq!(time("08:30:15"), Some(jiff::civil::time(8, 30, 15, 0)));
        assert_eq!(time("x"), None);
    }
}
