//! Patients, facilities and what every image of a study has in common (PS3.3 C.7.1 to C.7.5).

use jiff::civil::Date;

use super::truth::{FacilityTruth, PatientTruth, RequestTruth, SeriesTruth, StudyTruth};
use crate::dicom::write::{Charset, Dataset, tags, uid_from_name};

/// Fixed text of one case. Everything else follows from it and the date.
#[derive(Debug, Clone)]
pub struct Case {
    /// Short stable name.
    pub key: &'static str,
    /// Exam kind, `CT`, `MRI`, …
    pub exam_kind: &'static str,
    /// Modality.
    pub modality: &'static str,
    /// Repertoire of the files.
    pub charset: Charset,
    /// Alphabetic, ideographic and phonetic name.
    pub name: [&'static str; 3],
    /// Patient ID, issuer.
    pub id: [&'static str; 2],
    /// Birth date.
    pub birth: Date,
    /// Sex.
    pub sex: &'static str,
    /// Days before the base date.
    pub days_before: i64,
    /// Study Time.
    pub time: &'static str,
    /// Study Description.
    pub description: &'static str,
    /// Accession Number.
    pub accession: &'static str,
    /// Facility: code, name, department, physician.
    pub facility: [&'static str; 4],
    /// Manufacturer's Model Name (0008,1090) under the manufacturer "DOKUEI PHANTOM".
    pub model: &'static str,
    /// Request: kind, flow, priority, clinical information, question, history, contrast.
    pub request: [&'static str; 7],
    /// Body parts.
    pub body_parts: &'static [&'static str],
    /// A prior exists.
    pub comparison: bool,
}

/// Says which series an instance belongs to.
#[derive(Debug, Clone)]
pub struct SeriesPlan {
    /// Series Number.
    pub number: i32,
    /// Series Description.
    pub description: String,
    /// Body Part Examined (0018,0015), a defined term.
    pub body_part: &'static str,
    /// b value of a diffusion series.
    pub b_value: Option<f64>,
    /// SD of the noise after rescale.
    pub noise_sd: Option<f64>,
}

impl Case {
    /// Study Instance UID.
    pub fn study_uid(&self) -> String {
        uid_from_name(&format!("dokuei phantom study {}", self.key))
    }

    /// Series Instance UID.
    pub fn series_uid(&self, number: i32) -> String {
        uid_from_name(&format!("dokuei phantom series {} {number}", self.key))
    }

    /// SOP Instance UID; `instance` counts from 1.
    pub fn instance_uid(&self, series: i32, instance: usize) -> String {
        uid_from_name(&format!("dokuei phantom instance {} {series} {instance}", self.key))
    }

    /// Frame of Reference UID of the study.
    pub fn frame_uid(&self) -> String {
        uid_from_name(&format!("dokuei phantom frame of reference {}", self.key))
    }

    /// Study Date.
    pub fn date(&self, base: Date) -> Date {
        use jiff::ToSpan as _;
        base.saturating_sub(self.days_before.days())
    }

    fn age(&self, base: Date) -> i16 {
        let date = self.date(base);
        let before = (date.month(), date.day()) < (self.birth.month(), self.birth.day());
        date.year() - self.birth.year() - i16::from(before)
    }

    /// Folder of a series below the root.
    pub fn folder(&self, series: i32) -> String {
        format!("{}/S{series:03}", self.key)
    }

    /// Path of an instance below the root.
    pub fn file(&self, series: i32, instance: usize) -> String {
        format!("{}/IM{instance:05}.dcm", self.folder(series))
    }

    /// Patient, study, series, equipment and the general image attributes of an instance (from 1).
    pub fn dataset(&self, base: Date, series: &SeriesPlan, instance: usize, sop_class: &str) -> Dataset {
        let mut set = Dataset::new(self.charset);
        let date = da(self.date(base));
        let minute = |add: i32| {
            let clock: i32 = self.time.parse().unwrap_or(90_000);
            let seconds = clock / 10_000 * 3600 + clock / 100 % 100 * 60 + clock % 100 + add;
            format!("{:02}{:02}{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
        };
        let series_time = minute(60 + series.number * 90);
        let content_time = minute(60 + series.number * 90 + instance as i32 / 8);
        set.text(tags::SOP_CLASS_UID, sop_class)
            .text(tags::SOP_INSTANCE_UID, &self.instance_uid(series.number, instance))
            .text(tags::INSTANCE_CREATION_DATE, &date)
            .text(tags::INSTANCE_CREATION_TIME, &content_time)
            .text(tags::STUDY_DATE, &date)
            .text(tags::SERIES_DATE, &date)
            .text(tags::ACQUISITION_DATE, &date)
            .text(tags::CONTENT_DATE, &date)
            .text(tags::STUDY_TIME, self.time)
            .text(tags::SERIES_TIME, &series_time)
            .text(tags::ACQUISITION_TIME, &content_time)
            .text(tags::CONTENT_TIME, &content_time)
            .text(tags::TIMEZONE_OFFSET_FROM_UTC, "+0900")
            .text(tags::ACCESSION_NUMBER, self.accession)
            .text(tags::MODALITY, self.modality)
            .text(tags::MANUFACTURER, "DOKUEI PHANTOM")
            .text(tags::MANUFACTURER_MODEL_NAME, self.model)
            .text(tags::DEVICE_SERIAL_NUMBER, "1")
            .text(tags::SOFTWARE_VERSIONS, env!("CARGO_PKG_VERSION"))
            .text(tags::INSTITUTION_NAME, self.facility[1])
            .text(tags::INSTITUTIONAL_DEPARTMENT_NAME, self.facility[2])
            .text(tags::REFERRING_PHYSICIAN_NAME, "")
            .text(tags::STUDY_DESCRIPTION, self.description)
            .text(tags::SERIES_DESCRIPTION, &series.description)
            .text(tags::PATIENT_NAME, &self.name.join("="))
            .text(tags::PATIENT_ID, self.id[0])
            .text(tags::ISSUER_OF_PATIENT_ID, self.id[1])
            .text(tags::PATIENT_BIRTH_DATE, &da(self.birth))
            .text(tags::PATIENT_SEX, self.sex)
            .text(tags::PATIENT_AGE, &format!("{:03}Y", self.age(base)))
            .text(tags::STUDY_INSTANCE_UID, &self.study_uid())
            .text(tags::SERIES_INSTANCE_UID, &self.series_uid(series.number))
            .text(tags::STUDY_ID, self.accession)
            .integer(tags::SERIES_NUMBER, &[series.number])
            .integer(tags::INSTANCE_NUMBER, &[instance as i32])
            .text(tags::BODY_PART_EXAMINED, series.body_part);
        set
    }

    /// What the truth says of a series.
    pub fn series_truth(&self, plan: &SeriesPlan, instances: usize, frames: usize) -> SeriesTruth {
        SeriesTruth {
            series_uid: self.series_uid(plan.number),
            number: plan.number,
            modality: self.modality.to_owned(),
            description: plan.description.clone(),
            folder: self.folder(plan.number),
            instances,
            frames,
            b_value: plan.b_value,
            noise_sd: plan.noise_sd,
        }
    }

    /// The study's truth, series and regions still to come.
    pub fn truth(&self, base: Date, prior_of: Option<&Case>, frame: bool) -> StudyTruth {
        let own = |s: &str| s.to_owned();
        let [kind, flow, priority, clinical, question, history, contrast] = self.request;
        StudyTruth {
            key: own(self.key),
            study_uid: self.study_uid(),
            exam_kind: own(self.exam_kind),
            modality: own(self.modality),
            character_set: own(self.charset.declared()),
            prior_of: prior_of.map(Case::study_uid),
            study_date: self.date(base),
            study_time: own(self.time),
            description: own(self.description),
            accession_number: own(self.accession),
            frame_of_reference_uid: frame.then(|| self.frame_uid()),
            patient: PatientTruth {
                alphabetic: own(self.name[0]),
                ideographic: own(self.name[1]),
                phonetic: own(self.name[2]),
                patient_id: own(self.id[0]),
                issuer: own(self.id[1]),
                birth_date: self.birth,
                sex: own(self.sex),
                age: self.age(base),
            },
            facility: FacilityTruth {
                code: own(self.facility[0]),
                name: own(self.facility[1]),
                department: own(self.facility[2]),
                physician: own(self.facility[3]),
            },
            request: RequestTruth {
                kind: own(kind),
                flow: own(flow),
                priority: own(priority),
                clinical_information: own(clinical),
                question: own(question),
                history: own(history),
                body_parts: self.body_parts.iter().map(|s| own(s)).collect(),
                contrast: own(contrast),
                comparison: self.comparison,
            },
            series: Vec::new(),
            lesions: Vec::new(),
            even_places: Vec::new(),
            tissues: Vec::new(),
        }
    }
}

/// A date as DA (PS3.5 §6.2).
pub fn da(date: Date) -> String {
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}
