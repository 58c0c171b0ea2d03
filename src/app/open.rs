//! Opening and closing a reading. Another patient: the screen is cleared first, always.

use super::notice::NoticeCode;
use super::reading::{Reading, ReadingRecord, ViewState};
use super::reporting::ReportState;
use super::settings::Language;
use super::state::{App, Place};
use super::{keep, place};
use crate::engine::message::{Command, Transition};
use crate::report::{Draft, FindingId, History, PRIORS, Template, templates};
use crate::study::{Mismatch, Patient, Study, StudyUid, mismatches};
use crate::viewport::Layout;
use crate::worklist::{Assignment, AssignmentState};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Opens an assignment, with what was on screen before a crash if `restore` is given.
pub(super) fn open(app: &mut App, now: Timestamp, id: &str, restore: Option<ReadingRecord>, out: &mut Vec<Command>) {
    let Some(assignment) = app.worklist.get(id).cloned() else { return };
    app.worklist.selected = Some(id.to_owned());
    if app.open_assignment().is_some_and(|open| open.id == id) {
        app.place = Place::Reading;
        return;
    }
    close(app, out);
    let mut record = restore.unwrap_or_default();
    record.assignment = Some(id.to_owned());
    record.studies = assignment.studies.iter().map(|s| s.study_uid.clone()).collect();
    record.priors = assignment.prior_studies.iter().map(|s| s.study_uid.clone()).collect();
    if record.views.len() == record.layout.views().count() {
        // Kept arrangement: what the reader had on screen stays, whatever the hanging would say.
        record.by_hand = true;
    } else {
        record.views = vec![ViewState::empty()];
        record.layout = Layout::default();
        record.by_hand = false;
    }
    let finding = record.open_finding.map(FindingId);
    let mut reading = Reading { record, assignment: Some(assignment.clone()), ..Reading::default() };
    reading.touch(now);
    app.reading = Some(reading);
    drop_local(app);
    note_open(app);
    app.place = Place::Reading;
    app.report = report_for(app, now, &assignment);
    if let Some(report) = &mut app.report {
        report.open_finding = finding;
    }
    let signed = app.worklist.signed.contains(id);
    if assignment.state.open() && !signed && !app.worklist.suspected(id) {
        app.worklist.pending.insert(id.to_owned());
        out.push(Command::Transition { assignment: id.to_owned(), transition: Transition::Start });
    }
    // Signed, but refused: opened again, it takes its lease back and goes once more.
    let refused = app.outbox.iter().find(|e| e.assignment == id && e.wedged.is_some()).map(|e| e.id);
    if let Some(id) = refused.filter(|_| assignment.state.open()) {
        out.push(Command::RetryOutbox { id });
    }
    out.push(Command::LoadDraft { assignment: id.to_owned() });
    if !assignment.state.open() || signed {
        out.push(Command::LoadReports { assignment: id.to_owned() });
    }
    for uid in open_uids(app) {
        place::relocate(app, &uid);
    }
    check_identity(app, now);
    place::rehang(app, now);
}

fn open_uids(app: &App) -> Vec<StudyUid> {
    app.open_studies().chain(app.open_priors()).map(|(uid, _)| uid.clone()).collect()
}

fn report_for(app: &mut App, now: Timestamp, assignment: &Assignment) -> Option<ReportState> {
    let template = templates::for_assignment(assignment);
    if let Some(named) = assignment.template_ids.first()
        && template.as_ref().is_none_or(|t| !assignment.template_ids.contains(&t.id))
    {
        app.notices.add(now, NoticeCode::TemplateMissing(named.clone()));
    }
    let mut report = ReportState::loading(template?);
    let done = !assignment.state.open() || app.worklist.signed.contains(&assignment.id);
    report.read_only = done;
    report.show_signed = done;
    Some(report)
}

/// Which studies are found by the UIDs in them.
pub(super) fn note_open(app: &mut App) {
    let record = app.reading.as_ref().map(|r| &r.record);
    app.pictures.open = record.into_iter().flat_map(|r| r.studies.iter().chain(&r.priors)).cloned().collect();
}

/// The reader's own files are another source: what is known of them goes before the center's studies are shown.
fn drop_local(app: &mut App) {
    for uid in std::mem::take(&mut app.access.local_studies) {
        app.pictures.studies.remove(&uid);
    }
}

/// The center names a study that is open as files of the reader's own: those are closed.
pub(super) fn local_gives_way(app: &mut App, now: Timestamp, out: &mut Vec<Command>) {
    let named = |uid: &StudyUid| {
        let mut all = app.worklist.assignments.values().flat_map(|a| a.studies.iter().chain(&a.prior_studies));
        all.any(|s| s.study_uid == *uid)
    };
    let gone: Vec<_> = app.access.local_studies.iter().filter(|uid| named(uid)).cloned().collect();
    if gone.is_empty() {
        return;
    }
    let shown = app.reading.as_ref().is_some_and(|r| {
        r.assignment.is_none() && r.record.studies.iter().chain(&r.record.priors).any(|uid| gone.contains(uid))
    });
    if shown {
        leave(app, out);
        app.place = Place::Worklist;
    }
    for uid in &gone {
        app.pictures.studies.remove(uid);
    }
    app.access.local_studies.retain(|uid| !gone.contains(uid));
    app.notices.add(now, NoticeCode::LocalGaveWay);
}

/// Leaves the open reading: saves the draft, gives the lease back if it was being read, clears the screen.
pub(super) fn close(app: &mut App, out: &mut Vec<Command>) {
    let being_read = app.open_assignment().filter(|a| {
        let starting = app.worklist.pending.contains(&a.id) && a.state.open();
        (a.state == AssignmentState::InProgress || starting)
            && !app.worklist.signed.contains(&a.id)
            && !app.worklist.suspected(&a.id)
    });
    let being_read = being_read.map(|a| a.id.clone());
    leave(app, out);
    if let Some(assignment) = being_read {
        out.push(Command::Transition { assignment, transition: Transition::Suspend });
    }
}

/// Clears the screen after saving the draft; the assignment's own next step is the caller's.
pub(super) fn leave(app: &mut App, out: &mut Vec<Command>) {
    keep::save_draft(app, out);
    keep::discard_prepared(app, out);
    if app.reading.take().is_some() {
        // An empty text: nothing to restore.
        out.push(Command::SaveReadingState(String::new()));
    }
    app.report = None;
    app.pictures.open.clear();
    app.pictures.frames.clear();
    app.pictures.failed.clear();
    app.pictures.damaged.clear();
    app.pictures.thumbnails.clear();
}

/// Shows local files: the study named, with the patient's other local studies as priors.
pub(super) fn open_local(app: &mut App, now: Timestamp, study: &StudyUid, out: &mut Vec<Command>) {
    close(app, out);
    let patient = app.pictures.study(study).and_then(|s| s.study.as_ref()).map(|s| s.patient.clone());
    let same = |uid: &&StudyUid| {
        let other = app.pictures.study(uid).and_then(|s| s.study.as_ref());
        *uid != study && matches!((&patient, other), (Some(a), Some(b)) if a.same_identity(&b.patient))
    };
    let priors = app.access.local_studies.iter().filter(same).cloned().collect();
    let record = ReadingRecord {
        studies: vec![study.clone()],
        priors,
        views: vec![ViewState::empty()],
        ..ReadingRecord::default()
    };
    app.reading = Some(Reading { record, ..Reading::default() });
    note_open(app);
    app.place = Place::Reading;
    place::rehang(app, now);
}

/// Compares the patients of all open studies with the request; told once, and looked at by the gate.
pub(super) fn check_identity(app: &mut App, now: Timestamp) {
    let Some(assignment) = app.open_assignment().cloned() else { return };
    let check = |uid: &StudyUid, study: &Study, prior| {
        let against_request = |pictures: &Patient| mismatches(&assignment.patient, pictures, prior);
        let mut found = against_request(&study.patient);
        // A study that names two people stays a mismatch, also where the request leaves out what differs.
        for other in &study.other_patients {
            found.extend(against_request(other));
            found.extend(mismatches(&study.patient, other, false));
        }
        found.sort_unstable();
        found.dedup();
        (!found.is_empty()).then(|| (uid.clone(), found))
    };
    let current = app.open_studies().map(|(uid, s)| (uid, s, false));
    let all = current.chain(app.open_priors().map(|(uid, s)| (uid, s, true)));
    let found: Vec<_> =
        all.filter_map(|(uid, s, prior)| s.study.as_ref().and_then(|study| check(uid, study, prior))).collect();
    let told = disagreeing(app, &found, &assignment);
    let same = |n: &NoticeCode| matches!(n, NoticeCode::IdentityMismatch { series, .. } if *series == told);
    // Told again where more series turn out to disagree; one that the reader took away stays away otherwise.
    let grown = app.notices.any(|n| matches!(n, NoticeCode::IdentityMismatch { .. })) && !app.notices.any(same);
    let known = !grown && app.reading.as_ref().is_some_and(|r| r.mismatches == found);
    if !found.is_empty() && !known {
        app.notices.add(now, NoticeCode::IdentityMismatch { assignment: assignment.id.clone(), series: told });
    }
    if let Some(reading) = &mut app.reading {
        reading.mismatches = found;
    }
}

/// Names of the series that disagree with the request: number and description, as the tray shows them.
fn disagreeing(app: &App, found: &[(StudyUid, Vec<Mismatch>)], assignment: &Assignment) -> Vec<String> {
    let mut out = Vec::new();
    let priors: Vec<_> = app.open_priors().map(|(uid, _)| uid.clone()).collect();
    for (uid, _) in found {
        let Some(study) = app.pictures.study(uid).and_then(|s| s.study.as_ref()) else { continue };
        let whole = !mismatches(&assignment.patient, &study.patient, priors.contains(uid)).is_empty();
        for series in &study.series {
            if whole || study.strange_series.contains(&series.uid) {
                let said = if series.description.is_empty() { &series.modality } else { &series.description };
                let number = series.number.map(|n| format!("{n} ")).unwrap_or_default();
                out.push(format!("{number}{said}"));
            }
        }
    }
    out
}

/// Begins a draft: what request and headers already say is filled in, nothing else.
pub(super) fn new_draft(app: &App, assignment: &Assignment, report: &ReportState) -> History {
    History::new(Draft::new(assignment, &report.template, &prefill(app, assignment, &report.template)))
}

fn prefill(app: &App, assignment: &Assignment, template: &Template) -> BTreeMap<String, String> {
    Draft::prefill(assignment, &technique(app), &priors(app, assignment, template))
}

/// Other pictures were hung, or headers arrived: the draft takes what became known, never over the reader's words.
pub(super) fn refill(app: &mut App, now: Timestamp) {
    let Some(reading) = &mut app.reading else { return };
    for study in reading.record.views.iter().filter_map(|v| v.study.as_ref()) {
        if reading.record.priors.contains(study) && !reading.compared.contains(study) {
            reading.compared.push(study.clone());
        }
    }
    let Some(report) = app.report.as_ref().filter(|r| r.editable()) else { return };
    // An addendum says what it adds, not what was compared before.
    if report.draft().is_none_or(|d| d.addendum_to.is_some() || d.untouched.is_empty()) {
        return;
    }
    let Some(prefill) = app.open_assignment().map(|a| prefill(app, a, &report.template)) else { return };
    let Some(report) = &mut app.report else { return };
    let changed = report.history.as_mut().is_some_and(|h| h.refill(&report.template, &prefill));
    if changed && report.draft().is_some_and(|d| d.revision > 0) {
        report.saving.changed_at = Some(now);
    }
}

/// Modality and series descriptions of the studies to read, each once.
fn technique(app: &App) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut add = |text: &str| {
        let text = text.trim();
        if !text.is_empty() && !parts.iter().any(|p| p == text) {
            parts.push(text.to_owned());
        }
    };
    for (_, state) in app.open_studies() {
        for series in state.study.iter().flat_map(|s| &s.series) {
            let pictures = series.instances.iter().any(|i| i.not_an_image.is_none());
            if pictures {
                add(&series.modality);
                add(&series.description);
            }
        }
    }
    parts.join(", ")
}

/// Earlier studies that were hung beside, with modality and date; the template's "none" where there is no earlier
/// study or report at all. Empty where there is one and nobody looked at it: then the reader must say.
fn priors(app: &App, assignment: &Assignment, template: &Template) -> String {
    if assignment.prior_studies.is_empty() && assignment.prior_reports.is_empty() {
        let field = template.fields().find(|f| f.prefill.as_deref() == Some(PRIORS));
        return field.and_then(|f| f.prefill_none.as_ref()).map_or_else(String::new, |none| {
            match app.settings.shown_language() {
                Language::Ja => none.ja.clone(),
                Language::En => none.en.clone(),
            }
        });
    }
    let compared = app.reading.iter().flat_map(|r| &r.compared);
    let all = compared.filter_map(|uid| assignment.prior_studies.iter().find(|s| s.study_uid == *uid));
    let name = |s: &crate::worklist::StudyToRead| {
        let date = s.date.map(|d| d.to_string());
        let modalities = s.modalities.join("/");
        [Some(modalities), date].into_iter().flatten().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" ")
    };
    all.map(name).collect::<Vec<_>>().join(", ")
}

/// A draft (or none) was found for the open assignment.
pub(super) fn draft_loaded(app: &mut App, now: Timestamp, assignment: &str, draft: Option<Draft>) {
    let Some(open) = app.open_assignment().filter(|a| a.id == assignment).cloned() else { return };
    let Some(report) = &app.report else { return };
    // Typing that is not saved yet is newer than anything that a load can bring.
    let typed = report.saving.changed_at.is_some() || report.saving.underway.is_some();
    let newer = |d: &Draft| report.draft().is_none_or(|mine| d.revision > mine.revision);
    if typed || draft.as_ref().is_some_and(|d| !newer(d)) {
        return;
    }
    // On a submitted report only the draft of an addendum may be written.
    if report.read_only && draft.as_ref().is_none_or(|d| d.addendum_to.is_none()) {
        if let Some(report) = &mut app.report {
            report.loading = false;
        }
        return;
    }
    let (template, history) = match draft {
        None if report.history.is_some() => return,
        None => (report.template.clone(), new_draft(app, &open, report)),
        Some(draft) => match templates::find(&draft.template_id) {
            Some(template) => (template, History::new(draft)),
            None => {
                // The text stays where it is kept; it must not be written on with other fields.
                app.notices.add(now, NoticeCode::TemplateMissing(draft.template_id));
                if let Some(report) = &mut app.report {
                    report.loading = false;
                    report.read_only = true;
                }
                return;
            }
        },
    };
    if let Some(report) = &mut app.report {
        let addendum = history.draft().addendum_to.is_some();
        report.template = Arc::clone(&template);
        report.history = Some(history);
        report.replaced = None;
        report.loading = false;
        report.saving.failure = None;
        if addendum {
            report.read_only = false;
            report.show_signed = false;
        }
    }
    refill(app, now);
}
