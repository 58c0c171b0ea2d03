//! Writing the report: edits, findings, key images, measurements, conflicts, addenda.

use super::action::ReportAction;
use super::notice::NoticeCode;
use super::reporting::{ReportState, Saving, SignFlow};
use super::state::App;
use super::{keep, link, measure, place};
use crate::engine::message::Command;
use crate::report::{Draft, Edit, FieldKind, FindingId, History, KeyImage, Predecessor, Value, templates};
use crate::study::{SeriesUid, StudyUid};
use crate::viewport::{AnnotationId, Measured, ViewId};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Does what the reader asked of the report.
pub(super) fn act(app: &mut App, now: Timestamp, action: ReportAction, out: &mut Vec<Command>) {
    match action {
        ReportAction::Edit(edit) => {
            apply_edit(app, now, edit);
        }
        ReportAction::Undo => change(app, now, |h| h.undo()),
        ReportAction::Redo => change(app, now, |h| h.redo()),
        ReportAction::OpenFinding(finding) => {
            if let Some(report) = &mut app.report {
                let known = |id: &FindingId| report.draft().is_some_and(|d| d.finding(*id).is_some());
                report.open_finding = finding.filter(known);
            }
            touch(app, now);
        }
        ReportAction::NewFinding => {
            if let Some(finding) = new_finding(app, now)
                && let Some(report) = &mut app.report
                && let Some(first) = report.template.findings.fields.first().map(|f| f.id.clone())
            {
                report.want_caret(Some(finding), &first);
            }
        }
        ReportAction::JumpTo(finding) => jump(app, now, finding),
        ReportAction::KeyImage => {
            if let Some(view) = app.active_view() {
                key_image(app, now, view, false);
            }
        }
        ReportAction::UseMeasurement(annotation) => use_measurement(app, now, annotation),
        ReportAction::Template(id) => template(app, now, &id),
        ReportAction::Save => keep::save_draft(app, out),
        ReportAction::Resolve { keep_local } => resolve(app, now, keep_local, out),
        ReportAction::StartAddendum => start_addendum(app, now, out),
        ReportAction::ShowSigned => {
            if let Some(id) = app.open_assignment().map(|a| a.id.clone()) {
                out.push(Command::LoadReports { assignment: id });
            }
            if let Some(report) = &mut app.report {
                report.show_signed = !report.show_signed;
            }
        }
    }
}

fn touch(app: &mut App, now: Timestamp) {
    if let Some(reading) = &mut app.reading {
        reading.touch(now);
    }
}

/// The report, if it may be edited; otherwise the reader is told.
fn editable(app: &mut App, now: Timestamp) -> Option<&mut ReportState> {
    let may = app.report.as_ref().is_some_and(ReportState::editable);
    if !may {
        app.notices.add(now, NoticeCode::NothingToEdit);
        return None;
    }
    app.report.as_mut()
}

/// Changes the draft through its history. Whether anything changed.
fn with_history(app: &mut App, now: Timestamp, f: impl FnOnce(&mut History) -> bool) -> bool {
    let Some(report) = editable(app, now) else { return false };
    let changed = report.history.as_mut().is_some_and(f);
    if changed {
        report.saving.changed_at = Some(now);
        let draft = report.history.as_ref().map(History::draft);
        let gone = |id: &FindingId| draft.is_none_or(|d| d.finding(*id).is_none());
        if report.open_finding.as_ref().is_some_and(gone) {
            report.open_finding = None;
        }
    }
    changed
}

fn change(app: &mut App, now: Timestamp, f: impl FnOnce(&mut History) -> bool) {
    with_history(app, now, f);
}

fn apply_edit(app: &mut App, now: Timestamp, edit: Edit) -> bool {
    with_history(app, now, |h| h.apply(edit))
}

fn new_finding(app: &mut App, now: Timestamp) -> Option<FindingId> {
    // An addendum is one text; a finding would stand nowhere in it.
    let listed = app.report.as_ref().is_some_and(|r| r.template.sections.iter().any(|s| s.findings));
    if !listed {
        app.notices.add(now, NoticeCode::NothingToEdit);
        return None;
    }
    let changed = apply_edit(app, now, Edit::AddFinding);
    let report = app.report.as_mut().filter(|_| changed)?;
    report.open_finding = report.draft()?.findings.last().map(|f| f.id);
    touch(app, now);
    app.report.as_ref()?.open_finding
}

/// A series as it is named on screen: its description, else its modality.
fn series_name(app: &App, study: &StudyUid, series: &SeriesUid) -> String {
    let found = app.pictures.study(study).and_then(|s| s.study.as_ref()).and_then(|s| s.series(series));
    found.map_or_else(String::new, |s| if s.description.is_empty() { &s.modality } else { &s.description }.clone())
}

/// What a viewport shows becomes the key image of the open finding (a new one if none is open). With
/// `toggle`, the same picture again takes it away.
pub(super) fn key_image(app: &mut App, now: Timestamp, view: ViewId, toggle: bool) {
    let Some(voi) = measure::shown_voi(app, view) else { return };
    let Some(state) = app.view(view) else { return };
    let (Some(study), Some(set), Some(frame)) = (state.study.clone(), state.set.clone(), state.frame.clone()) else {
        return;
    };
    // It is drawn from the object itself: not as it is seen now.
    if app.under_state(&frame) {
        app.notices.add(now, NoticeCode::UnderPresentationState);
        return;
    }
    // A whole body is shown as one stack; its slices belong to the series of their stations all the same.
    let own = app.pictures.locate(&frame).map(|(set, place)| (set.id.series.clone(), place));
    let (series, place) = own.unwrap_or((set.series, state.position));
    let slice = u32::try_from(place + 1).ok();
    let (invert, label) = (state.data.invert, series_name(app, &study, &series));
    let key = KeyImage { study, series, frame, voi, invert, label, slice };
    if editable(app, now).is_none() {
        return;
    }
    let open = app.report.as_ref().and_then(|r| r.open_finding);
    let Some(finding) = open.or_else(|| new_finding(app, now)) else { return };
    let there = app.report.as_ref().and_then(ReportState::draft).and_then(|d| d.finding(finding));
    let same = there.and_then(|f| f.key_image.as_ref()).is_some_and(|k| k.frame == key.frame);
    apply_edit(app, now, Edit::SetKeyImage(finding, (!(toggle && same)).then_some(key)));
}

/// Ties a measurement to the open finding; a length in mm also fills the finding's first empty size field.
fn use_measurement(app: &mut App, now: Timestamp, annotation: AnnotationId) {
    let measured = app.annotations().find(|a| a.id == annotation).and_then(|a| a.measured.clone());
    let Some(measured) = measured else { return };
    if editable(app, now).is_none() {
        return;
    }
    let open = app.report.as_ref().and_then(|r| r.open_finding);
    let Some(finding) = open.or_else(|| new_finding(app, now)) else { return };
    let field = app.report.as_ref().and_then(|r| {
        let Measured::Length { value, unit } = &measured else { return None };
        let filled = &r.draft()?.finding(finding)?.fields;
        let fits = |kind: &FieldKind| matches!(kind, FieldKind::Number { unit: u, .. } if u == unit);
        let mut fields = r.template.findings.fields.iter().filter(|f| fits(&f.kind));
        let first = fields.find(|f| !filled.contains_key(&f.id))?;
        // A tenth of a millimetre is below what a reader can place.
        Some((first.id.clone(), (value * 10.0).round() / 10.0))
    });
    apply_edit(app, now, Edit::SetMeasurement(finding, Some((annotation, measured))));
    if let Some((id, value)) = field {
        apply_edit(app, now, Edit::SetFindingField(finding, id, Some(Value::Number(value))));
    }
}

/// Shows a finding's key image as it was seen, else the frame of its measurement.
fn jump(app: &mut App, now: Timestamp, finding: FindingId) {
    let found = app.report.as_ref().and_then(ReportState::draft).and_then(|d| d.finding(finding)).cloned();
    let Some(found) = found else { return };
    if let Some(report) = &mut app.report {
        report.open_finding = Some(finding);
        report.chosen = found.annotation;
    }
    let measured_on = found.annotation.and_then(|id| app.annotations().find(|a| a.id == id)).map(|a| a.frame.clone());
    let Some(frame) = found.key_image.as_ref().map(|k| k.frame.clone()).or(measured_on) else { return };
    let Some(view) = place::show_or_tell(app, now, &frame) else { return };
    link::follow(app, view);
    if let (Some(key), Some(reading)) = (found.key_image, &mut app.reading)
        && let Some(state) = reading.record.views.get_mut(view.0 as usize)
    {
        state.data.voi = Some(key.voi);
        state.data.invert = key.invert;
    }
}

/// Another template, while nothing is written that would be lost.
fn template(app: &mut App, now: Timestamp, id: &str) {
    let Some(template) = templates::find(id) else {
        app.notices.add(now, NoticeCode::TemplateMissing(id.to_owned()));
        return;
    };
    let Some(assignment) = app.open_assignment().cloned() else { return };
    let Some(report) = editable(app, now) else { return };
    if report.draft().is_none_or(|d| !d.findings.is_empty() || d.template_id == id) {
        return;
    }
    let Some(old) = report.draft().cloned() else { return };
    report.template = template;
    let Some(report) = &app.report else { return };
    let mut draft = super::open::new_draft(app, &assignment, report).draft().clone();
    // Fields of the same name keep what was written; revision and numbers go on.
    for (field, value) in old.fields {
        if report.template.field(&field).is_some() {
            if !old.untouched.contains(&field) {
                draft.untouched.remove(&field);
            }
            draft.fields.insert(field, value);
        }
    }
    draft.annotations = old.annotations;
    draft.next_id = old.next_id;
    draft.revision = old.revision + 1;
    draft.addendum_to = old.addendum_to;
    if let Some(report) = &mut app.report {
        report.history = Some(History::new(draft));
        report.saving.changed_at = Some(now);
    }
}

/// The reader chose between two versions of the draft.
fn resolve(app: &mut App, now: Timestamp, keep_local: bool, out: &mut Vec<Command>) {
    let Some(report) = &mut app.report else { return };
    let Some(center) = report.conflict.take() else { return };
    let assignment = center.assignment_id.clone();
    let left = if keep_local { Some(center.clone()) } else { report.draft().cloned() };
    if !keep_local {
        // Nothing is written until it is here; what stands comes back if that fails.
        report.replaced = report.history.take().map(|history| (history, center));
        report.loading = true;
        report.saving = Saving::default();
        report.open_finding = None;
    } else if report.draft().is_some_and(|d| report.saving.saved.is_none_or(|s| s.revision != d.revision)) {
        report.saving.changed_at = Some(now);
    }
    app.notices.clear(|n| matches!(n, NoticeCode::DraftConflict { assignment: a } if *a == assignment));
    out.push(Command::ResolveDraft { assignment, keep_local, left: left.map(Box::new) });
}

/// Begins an addendum to the newest signed version; without it, that is loaded first.
fn start_addendum(app: &mut App, now: Timestamp, out: &mut Vec<Command>) {
    let Some(assignment) = app.open_assignment().cloned() else { return };
    let receipt = app.worklist.receipts.get(&assignment.id);
    let Some(report) = &app.report else { return };
    if !report.read_only || report.sign.modal() && !matches!(report.sign, SignFlow::Signed { .. }) {
        return;
    }
    // Two versions on their way would follow the same one: the second could never be signed.
    let waits = app.outbox.iter().chain(&app.handed).any(|e| e.assignment == assignment.id)
        || matches!(&report.sign, SignFlow::Signed { receipt: None, .. })
        || report.signed.iter().any(|r| r.report_id.is_empty() && receipt.is_none_or(|k| k.sha256 != r.sha256));
    if waits {
        app.notices.add(now, NoticeCode::AddendumWaits);
        out.push(Command::LoadReports { assignment: assignment.id.clone() });
        return;
    }
    let on_file = report.signed.iter().rev().find(|r| !r.report_id.is_empty()).map(|r| Predecessor {
        report_id: r.report_id.clone(),
        sha256: r.sha256.clone(),
        version: r.version,
    });
    let received =
        receipt.map(|r| Predecessor { report_id: r.report_id.clone(), sha256: r.sha256.clone(), version: r.version });
    let newest = [on_file, received].into_iter().flatten().max_by_key(|p| p.version);
    let Some(predecessor) = newest else {
        // Not known here yet: the next press finds it.
        app.notices.add(now, NoticeCode::NothingToEdit);
        out.push(Command::LoadReports { assignment: assignment.id.clone() });
        return;
    };
    let Some(template) = templates::find(templates::ADDENDUM) else {
        app.notices.add(now, NoticeCode::TemplateMissing(templates::ADDENDUM.to_owned()));
        return;
    };
    if report.signed.is_empty() {
        out.push(Command::LoadReports { assignment: assignment.id.clone() });
    }
    let mut draft = Draft::new(&assignment, &template, &BTreeMap::new());
    draft.addendum_to = Some(predecessor);
    // A revision above any earlier draft of this assignment, so that stores take it for newer.
    draft.revision = report.draft().map_or(0, |d| d.revision) + 1;
    if let Some(report) = &mut app.report {
        report.template = template;
        report.history = Some(History::new(draft));
        report.want_caret(None, templates::ADDENDUM);
        report.read_only = false;
        report.show_signed = false;
        report.sign = SignFlow::Writing;
        report.open_finding = None;
        report.reasons.clear();
        report.saving = Saving { changed_at: Some(now), ..Saving::default() };
    }
}
