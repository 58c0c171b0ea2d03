//! Requests become assignments: from a whole 依頼票, or from what the images say. Deadlines come from the rules of the contract.

use super::error::Error;
use super::own_study::{Seen, earlier, own_study};
use super::state::{Center, stamp};
use super::work::{self, LeaseEnd};
use super::{reports, users};
use crate::report::{manifest, templates};
use crate::study::{ExamKind, Patient, StudyUid};
use crate::vault::random;
use crate::worklist::calendar::{ClinicCalendar, japan_day, same_day_deadline};
use crate::worklist::{
    Assignment, AssignmentState, Due, DueRule, Facility, Kind, PriorReport, Priority, Request, Role, StudyToRead,
};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};

/// Business days of routine work, where the contract says nothing else.
const ROUTINE_DAYS: u32 = 5;
/// Hours of urgent work 至急, where the contract says nothing else.
const STAT_HOURS: u32 = 1;
/// An exam older than this was not sent for its own deadline (migration, second opinion): the deadline counts from receipt.
const OLD_EXAM_DAYS: i64 = 7;

/// A request 依頼票 as `assign --request` reads it.
#[derive(Clone, Serialize, Deserialize)]
pub struct AssignmentRequest {
    /// User id of the reader.
    pub reader: String,
    /// Studies in the center's own archive. Others are described in `studies`.
    #[serde(default)]
    pub study_uids: Vec<StudyUid>,
    /// Studies in another archive, with counts as that archive states them.
    #[serde(default)]
    pub studies: Vec<StudyToRead>,
    /// Earlier studies; absent: those of the same patient in the center's own archive.
    #[serde(default)]
    pub prior_study_uids: Option<Vec<StudyUid>>,
    /// Earlier studies in another archive.
    #[serde(default)]
    pub prior_studies: Vec<StudyToRead>,
    /// Earlier reports as text.
    #[serde(default)]
    pub prior_reports: Vec<PriorReport>,
    /// 遠隔画像診断 or 遠隔読影.
    pub kind: Kind,
    /// Priority.
    pub priority: Priority,
    /// Kind of exam; absent: by the modalities.
    #[serde(default)]
    pub exam_kind: Option<ExamKind>,
    /// When the center got the request; absent: now.
    #[serde(default)]
    pub received_at: Option<Timestamp>,
    /// A deadline of one's own; absent: by priority and calendar.
    #[serde(default)]
    pub due: Option<Due>,
    /// The requesting facility's clinic days.
    #[serde(default)]
    pub calendar: ClinicCalendar,
    /// Management-fee class 画像診断管理加算 for the next-clinic-day rule.
    #[serde(default)]
    pub fee_class: Option<u32>,
    /// Requesting facility.
    #[serde(default)]
    pub facility: Facility,
    /// Facility that answers for the report.
    #[serde(default)]
    pub reading_facility: Facility,
    /// Patient; absent: as the first study names them.
    #[serde(default)]
    pub patient: Option<Patient>,
    /// The form itself.
    #[serde(default)]
    pub request: Request,
    /// Templates to choose from; empty: those for the kind of exam.
    #[serde(default)]
    pub template_ids: Vec<String>,
    /// Messages of the coordinator.
    #[serde(default)]
    pub messages: Vec<String>,
    /// 担当医.
    #[serde(default)]
    pub preferred_reader: Option<String>,
}

impl std::fmt::Debug for AssignmentRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssignmentRequest").field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl AssignmentRequest {
    /// A request that only names reader and studies; the rest comes from the images.
    pub fn for_studies(reader: &str, study_uids: Vec<StudyUid>) -> Self {
        Self {
            reader: reader.to_owned(),
            study_uids,
            studies: Vec::new(),
            prior_study_uids: None,
            prior_studies: Vec::new(),
            prior_reports: Vec::new(),
            kind: Kind::Opinion,
            priority: Priority::NextClinicDay,
            exam_kind: None,
            received_at: None,
            due: None,
            calendar: ClinicCalendar::default(),
            fee_class: None,
            facility: Facility::default(),
            reading_facility: Facility::default(),
            patient: None,
            request: Request::default(),
            template_ids: Vec::new(),
            messages: Vec::new(),
            preferred_reader: None,
        }
    }
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The assignment.
    pub id: String,
    /// False if the same request was there already.
    pub new: bool,
}

/// Makes an assignment. The same request number with the same reader and studies gives the one that is there. Blocks.
pub fn assign(center: &Center, request: &AssignmentRequest) -> Result<Assigned, Error> {
    center.db().write_now(|t| assign_in(t, center, request))
}

fn assign_in(t: &Transaction<'_>, center: &Center, request: &AssignmentRequest) -> Result<Assigned, Error> {
    let reader = users::get(t, &request.reader)?
        .ok_or_else(|| Error::Refused(format!("there is no active user {}", request.reader)))?;
    let mut studies = Vec::new();
    let mut patient = request.patient.clone();
    let mut seen = Seen::default();
    for uid in &request.study_uids {
        let own = own_study(t, uid)?.ok_or_else(|| Error::Refused(format!("study {uid} is not in the archive")))?;
        patient = patient.or_else(|| Some(own.patient.clone()));
        seen.take(&own);
        studies.push(own.study);
    }
    studies.extend(request.studies.iter().cloned());
    let (Some(first), Some(patient)) = (studies.first(), patient) else {
        return Err(Error::Refused(
            "a request names at least one study and, for studies elsewhere, the patient".into(),
        ));
    };
    if let Some(id) = same_request(t, &reader.id, request, &studies)? {
        return Ok(Assigned { id, new: false });
    }
    let mut prior_studies = match &request.prior_study_uids {
        Some(uids) => uids
            .iter()
            .map(|uid| {
                own_study(t, uid)?
                    .map(|o| o.study)
                    .ok_or_else(|| Error::Refused(format!("prior {uid} is not in the archive")))
            })
            .collect::<Result<Vec<_>, Error>>()?,
        None => earlier(t, &patient, &studies)?,
    };
    prior_studies.extend(request.prior_studies.iter().cloned());
    let mut prior_reports = request.prior_reports.clone();
    prior_reports.extend(reports_about(t, center, &prior_studies)?);
    let modalities = studies.iter().flat_map(|s| s.modalities.iter().map(String::as_str));
    let exam_kind = request.exam_kind.unwrap_or_else(|| ExamKind::from_modalities(modalities));
    let received_at = request.received_at.unwrap_or_else(|| center.now());
    let due = match &request.due {
        Some(due) => due.clone(),
        None => deadline(request, received_at, first.date)?,
    };
    let mut form = request.request.clone();
    seen.complete(&mut form, first);
    let assignment = Assignment {
        id: random::random_id()?,
        etag: "1".into(),
        role: Role::Primary,
        state: AssignmentState::Assigned,
        kind: request.kind,
        priority: request.priority,
        exam_kind,
        received_at,
        updated_at: center.now(),
        due,
        facility: request.facility.clone(),
        reading_facility: request.reading_facility.clone(),
        patient,
        request: form,
        studies,
        prior_studies,
        prior_reports,
        template_ids: if request.template_ids.is_empty() {
            templates_for(exam_kind)
        } else {
            request.template_ids.clone()
        },
        messages: request.messages.clone(),
        reason: None,
        lease: None,
        preferred_reader: request.preferred_reader.clone(),
        report_id: None,
    };
    work::insert(t, center, &reader.id, &assignment)?;
    Ok(Assigned { id: assignment.id, new: true })
}

/// Whether some assignment asks to read this study already.
pub fn is_assigned(t: &Transaction<'_>, study: &StudyUid) -> Result<bool, Error> {
    Ok(t.query_row(
        "SELECT EXISTS (SELECT 1 FROM assignment_study WHERE study_uid = ?1 AND NOT prior)",
        [study.as_str()],
        |r| r.get(0),
    )?)
}

fn same_request(
    t: &Transaction<'_>,
    reader: &str,
    request: &AssignmentRequest,
    studies: &[StudyToRead],
) -> Result<Option<String>, Error> {
    let mut statement = t.prepare("SELECT id, body FROM assignment WHERE reader = ?1")?;
    let mut rows = statement.query([reader])?;
    while let Some(row) = rows.next()? {
        let (id, body): (String, String) = (row.get(0)?, row.get(1)?);
        let held: Assignment = serde_json::from_str(&body)?;
        let same_studies = held.studies.iter().map(|s| &s.study_uid).eq(studies.iter().map(|s| &s.study_uid));
        if same_studies && held.request.request_id == request.request.request_id {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// The deadline by priority, from the exam day where that is recent.
fn deadline(request: &AssignmentRequest, received: Timestamp, exam: Option<Date>) -> Result<Due, Error> {
    let none = || Error::Refused("the facility's calendar has no clinic day within two months".into());
    let received_day = japan_day(received);
    let recent = |day: &Date| {
        let age = received_day.duration_since(*day);
        (SignedDuration::ZERO..=SignedDuration::from_hours(24 * OLD_EXAM_DAYS)).contains(&age)
    };
    let from = exam.filter(recent).unwrap_or(received_day);
    let after = |days: u32| {
        let day = request.calendar.clinic_day_after(from, days).ok_or_else(none)?;
        request.calendar.deadline(day).ok_or_else(none)
    };
    Ok(match request.priority {
        Priority::Stat => Due {
            at: received.saturating_add(SignedDuration::from_hours(STAT_HOURS.into())).unwrap_or(received),
            rule: DueRule::ContractHours { hours: STAT_HOURS },
        },
        Priority::Urgent => {
            Due { at: same_day_deadline(received).unwrap_or(received), rule: DueRule::BusinessDays { days: 0 } }
        }
        Priority::NextClinicDay => {
            Due { at: after(1)?, rule: DueRule::NextClinicDay { class: request.fee_class.unwrap_or(2) } }
        }
        Priority::Routine => Due { at: after(ROUTINE_DAYS)?, rule: DueRule::BusinessDays { days: ROUTINE_DAYS } },
    })
}

fn templates_for(kind: ExamKind) -> Vec<String> {
    let fitting: Vec<String> =
        templates::all().iter().filter(|t| t.exam_kinds.contains(&kind)).map(|t| t.id.clone()).collect();
    if fitting.is_empty() { templates::all().iter().map(|t| t.id.clone()).take(1).collect() } else { fitting }
}

/// The center's own reports about earlier studies, as text.
fn reports_about(t: &Transaction<'_>, center: &Center, studies: &[StudyToRead]) -> Result<Vec<PriorReport>, Error> {
    let mut out = Vec::new();
    for study in studies {
        let mut statement = t.prepare("SELECT report_id FROM report_study WHERE study_uid = ?1 ORDER BY report_id")?;
        let ids = statement
            .query_map([study.study_uid.as_str()], |r| r.get::<_, String>(0))?
            .collect::<Result<Vec<_>, _>>()?;
        for id in ids {
            let Some(newest) = reports::newest(t, &id)? else { continue };
            let path = center.files().report_file(&id, newest.version, manifest::REPORT_JSON)?;
            let bytes = std::fs::read(&path).map_err(Error::io(&path))?;
            let signed = manifest::parse(&bytes).map_err(|e| Error::Refused(format!("{}: {e}", path.display())))?;
            out.push(PriorReport {
                study_uid: Some(study.study_uid.clone()),
                date: study.date,
                title: format!("{} {}", signed.exam, signed.title),
                text: plain_text(&signed),
                report_id: Some(id),
            });
        }
    }
    Ok(out)
}

fn plain_text(signed: &manifest::Manifest) -> String {
    let mut out = String::new();
    for section in signed.sections.iter().filter(|s| !s.fields.is_empty()) {
        out.push_str(&format!("【{}】\n", section.title));
        for field in &section.fields {
            out.push_str(&format!("{}: {}\n", field.label, field.text));
        }
    }
    out
}

/// Takes an assignment away: cancelled, or given to another reader. Its leases are revoked; a draft stays with its author. Blocks.
pub fn withdraw(center: &Center, id: &str, to: Option<&str>, reason: &str) -> Result<Option<String>, Error> {
    center.db().write_now(|t| {
        let reader: Option<String> =
            t.query_row("SELECT reader FROM assignment WHERE id = ?1", [id], |r| r.get(0)).optional()?;
        let reader = reader.ok_or_else(|| Error::Refused(format!("there is no assignment {id}")))?;
        let mut held = work::get(t, center, id, &reader).map_err(|e| Error::Interrupted(e.to_string()))?;
        if !held.assignment.state.open() {
            return Err(Error::Refused(format!("assignment {id} is {} already", work::word(&held.assignment.state)?)));
        }
        work::end_leases(t, id, LeaseEnd::Revoked)?;
        let copy = held.assignment.clone();
        held.assignment.state = if to.is_some() { AssignmentState::Reassigned } else { AssignmentState::Cancelled };
        held.assignment.reason = (!reason.is_empty()).then(|| reason.to_owned());
        work::update(t, center, &mut held)?;
        super::audit::administered(
            t,
            center,
            match to {
                Some(to) => format!("reassign {id} to {to}"),
                None => format!("cancel {id}"),
            },
        )?;
        let Some(to) = to else { return Ok(None) };
        if to == reader {
            return Err(Error::Refused(format!("{to} has the assignment already")));
        }
        let reader = users::get(t, to)?.ok_or_else(|| Error::Refused(format!("there is no active user {to}")))?;
        let next = Assignment {
            id: random::random_id()?,
            state: AssignmentState::Assigned,
            reason: None,
            lease: None,
            ..copy
        };
        work::insert(t, center, &reader.id, &next)?;
        Ok(Some(next.id))
    })
}

/// Frees an assignment for its reader: leases end (work signed under them still counts), and what was returned or
/// declined may be read again. One with a suspected wrong patient only where the patient was checked. Blocks.
pub fn release(center: &Center, id: &str, patient_checked: bool) -> Result<(), Error> {
    center.db().write_now(|t| {
        let reader: Option<String> =
            t.query_row("SELECT reader FROM assignment WHERE id = ?1", [id], |r| r.get(0)).optional()?;
        let reader = reader.ok_or_else(|| Error::Refused(format!("there is no assignment {id}")))?;
        let mut held = work::get(t, center, id, &reader).map_err(|e| Error::Interrupted(e.to_string()))?;
        let state = held.assignment.state;
        if !state.open() && !matches!(state, AssignmentState::Returned | AssignmentState::Declined) {
            return Err(Error::Refused(format!("assignment {id} is {} already", work::word(&state)?)));
        }
        if held.signing_stopped && !patient_checked {
            return Err(Error::Refused(format!(
                "in assignment {id} another patient is suspected: check the patient, then release it with --patient-checked"
            )));
        }
        // Unlike a withdrawal: what the reader signed meanwhile is still taken. An end that was final before is
        // lifted for the reader whom it is released for.
        t.execute("UPDATE lease SET ended = ?2 WHERE assignment_id = ?1", [id, work::LeaseEnd::GivenUp.word()])?;
        held.signing_stopped = false;
        held.assignment.state = AssignmentState::Assigned;
        held.assignment.reason = None;
        work::update(t, center, &mut held)?;
        let checked = if patient_checked { ", patient checked" } else { "" };
        super::audit::administered(t, center, format!("release {id}{checked}"))
    })
}

/// An assignment in a list for people at the center.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Id.
    pub id: String,
    /// Reader.
    pub reader: String,
    /// State.
    pub state: String,
    /// Deadline.
    pub due_at: String,
    /// Exam.
    pub exam: String,
}

/// Assignments, earliest deadline first. Blocks.
pub fn list(center: &Center, open_only: bool) -> Result<Vec<Entry>, Error> {
    center.db().read_now(|t| {
        let mut statement = t.prepare(
            "SELECT id, reader, state, due_at, body FROM assignment
             WHERE NOT ?1 OR state IN ('assigned', 'accepted', 'in_progress') ORDER BY due_at, id",
        )?;
        let mut rows = statement.query(params![open_only])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let body: String = row.get(4)?;
            let assignment: Assignment = serde_json::from_str(&body)?;
            out.push(Entry {
                id: row.get(0)?,
                reader: row.get(1)?,
                state: row.get(2)?,
                due_at: row.get(3)?,
                exam: assignment.request.exam,
            });
        }
        Ok(out)
    })
}

/// Marks submitted work as finalized (delivered to the facility). Blocks.
pub fn finalize(center: &Center, id: &str) -> Result<(), Error> {
    let now = stamp(center.now());
    center.db().write_now(|t| {
        let reader: Option<String> = t
            .query_row("SELECT reader FROM assignment WHERE id = ?1 AND state = 'submitted'", [id], |r| r.get(0))
            .optional()?;
        let reader = reader.ok_or_else(|| Error::Refused(format!("assignment {id} is not submitted")))?;
        let mut held = work::get(t, center, id, &reader).map_err(|e| Error::Interrupted(e.to_string()))?;
        held.assignment.state = AssignmentState::Finalized;
        work::update(t, center, &mut held)?;
        tracing::info!(at = %now, "an assignment was finalized");
        Ok(())
    })
}
