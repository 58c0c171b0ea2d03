//! A center for trying things out: generated studies, believable requests, one reader. Nobody in it exists.

use super::assign::{self, AssignmentRequest};
use super::error::Error;
use super::import::{self, Options};
use super::state::Center;
use super::users::{self, Enrolment};
use crate::center::contract::UserRole;
use crate::study::{ExamKind, StudyUid};
use crate::vault::random;
use crate::worklist::{Contrast, Facility, Kind, PriorReport, Priority, Request};
use jiff::civil::Date;
use serde::Deserialize;
use std::path::Path;

/// User id of the demo's reader.
pub const READER: &str = "reader1";
const READER_NAME: &str = "読影 花子";
const CENTER_CODE: &str = "1310000001";

/// What the demo needs to sign in.
#[derive(Debug)]
pub struct Filled {
    /// Enrolment file, TOTP secret.
    pub enrolment: Enrolment,
    /// The reader's password, made for this center only.
    pub password: crate::vault::secrets::Zeroizing<String>,
    /// What the import said.
    pub import: import::Report,
    /// Assignments in order of their making.
    pub assignments: Vec<String>,
}

/// The parts of `truth.json` that requests are made from.
#[derive(Debug, Deserialize)]
struct Truth {
    studies: Vec<StudyTruth>,
}

#[derive(Debug, Deserialize)]
struct StudyTruth {
    study_uid: StudyUid,
    exam_kind: ExamKind,
    prior_of: Option<StudyUid>,
    study_date: Date,
    description: String,
    accession_number: String,
    facility: FacilityTruth,
    request: RequestTruth,
    #[serde(default)]
    lesions: Vec<LesionTruth>,
    #[serde(default)]
    series: Vec<SeriesTruth>,
}

#[derive(Debug, Deserialize)]
struct FacilityTruth {
    code: String,
    name: String,
    physician: String,
}

#[derive(Debug, Deserialize)]
struct RequestTruth {
    kind: Kind,
    flow: String,
    priority: Priority,
    clinical_information: String,
    question: String,
    history: String,
    body_parts: Vec<String>,
    contrast: String,
    comparison: bool,
}

#[derive(Debug, Deserialize)]
struct LesionTruth {
    name: String,
    size_mm: [f64; 2],
}

#[derive(Debug, Deserialize)]
struct SeriesTruth {
    instances: u64,
}

/// Imports the generated studies of `dir` (with their `truth.json`), makes the reader and the requests. Twice makes no duplicate
/// assignment, but a new enrolment. Blocks.
pub fn fill(center: &Center, dir: &Path, progress: &mut dyn FnMut(usize)) -> Result<Filled, Error> {
    let path = dir.join("truth.json");
    let text = std::fs::read(&path).map_err(Error::io(&path))?;
    let truth: Truth = serde_json::from_slice(&text)?;
    let (enrolment, password) = reader(center)?;
    let mut import = import::import(center, &[dir.to_owned()], &Options::default(), progress)?;
    import.refused.retain(|r| r.path != path);
    let mut assignments = Vec::new();
    for study in truth.studies.iter().filter(|s| s.prior_of.is_none()) {
        let priors: Vec<&StudyTruth> =
            truth.studies.iter().filter(|p| p.prior_of.as_ref() == Some(&study.study_uid)).collect();
        assignments.push(assign::assign(center, &request(study, &priors))?.id);
    }
    Ok(Filled { enrolment, password, import, assignments })
}

/// Makes (or renews) the demo's reader.
pub fn reader(center: &Center) -> Result<(Enrolment, crate::vault::secrets::Zeroizing<String>), Error> {
    // A letter, a digit and a sign for the rule; the rest is random.
    let password = crate::vault::secrets::Zeroizing::new(format!("Demo-7{}", random::random_id()?));
    if users::list(center)?.iter().any(|u| u.user.id == READER) {
        users::set_password(center, READER, &password)?;
    } else {
        users::create(center, READER, READER_NAME, &[UserRole::Reader], &password)?;
    }
    Ok((users::enrol(center, READER)?, password))
}

fn request(study: &StudyTruth, priors: &[&StudyTruth]) -> AssignmentRequest {
    let asked = &study.request;
    AssignmentRequest {
        prior_study_uids: Some(priors.iter().map(|p| p.study_uid.clone()).collect()),
        prior_reports: priors.iter().map(|p| prior_report(p)).collect(),
        kind: asked.kind,
        priority: asked.priority,
        exam_kind: Some(study.exam_kind),
        facility: Facility { name: study.facility.name.clone(), code: study.facility.code.clone() },
        reading_facility: Facility { name: "読影センター附属診療所".into(), code: CENTER_CODE.into() },
        request: Request {
            request_id: format!("R-{}", study.accession_number),
            accession: study.accession_number.clone(),
            exam: study.description.clone(),
            body_parts: asked.body_parts.clone(),
            contrast: contrast(&asked.contrast),
            question: asked.question.clone(),
            clinical_information: asked.clinical_information.clone(),
            history: asked.history.clone(),
            physician: study.facility.physician.clone(),
            images_sent: Some(study.series.iter().map(|s| s.instances).sum()),
            comparison_wanted: asked.comparison,
            screening: asked.flow == "screening",
        },
        ..AssignmentRequest::for_studies(READER, vec![study.study_uid.clone()])
    }
}

fn contrast(text: &str) -> Contrast {
    let plain = text.contains("単純");
    let enhanced = text.contains("造影") && !text.contains("なし");
    match (plain, enhanced) {
        (true, true) => Contrast::PlainAndEnhanced,
        (true, false) => Contrast::Plain,
        (false, true) => Contrast::Enhanced,
        (false, false) => Contrast::None,
    }
}

/// What a colleague would have written of the earlier study.
fn prior_report(prior: &StudyTruth) -> PriorReport {
    let mut text = String::from("【所見】\n");
    if prior.lesions.is_empty() {
        text.push_str("有意な異常所見を認めません。\n");
    }
    for lesion in &prior.lesions {
        let [long, short] = lesion.size_mm;
        text.push_str(&format!("{}を認めます（{long:.0} × {short:.0} mm）。\n", lesion.name));
    }
    text.push_str("【結論】\n");
    text.push_str(if prior.lesions.is_empty() {
        "明らかな異常を認めません。"
    } else {
        "上記について経過観察をお勧めします。"
    });
    PriorReport {
        study_uid: Some(prior.study_uid.clone()),
        date: Some(prior.study_date),
        title: prior.description.clone(),
        text,
        report_id: None,
    }
}
