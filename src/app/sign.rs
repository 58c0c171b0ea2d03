//! From the open points to the signature.

use super::action::SignAction;
use super::notice::NoticeCode;
use super::reporting::{ReportState, SignFlow};
use super::state::{App, Place};
use super::{keep, open, place};
use crate::engine::message::{Command, Failure};
use crate::report::gate::{self, GateInput, OpenPoint, PointCode, SeriesSeen};
use crate::report::manifest::Acknowledged;
use crate::study::{Ledger, StudyUid};
use crate::worklist::AssignmentState;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// A clock this far off signs nothing (domain reference §14).
const CLOCK_BLOCKS_S: i64 = 3600;

/// Series of the studies to read, and how much of each was on screen.
pub fn series_seen(app: &App) -> Vec<SeriesSeen> {
    let mut all = Vec::new();
    for (_, state) in app.open_studies() {
        for series in state.study.iter().flat_map(|s| &s.series) {
            let sets: Vec<_> = state.sets_of(&series.uid).collect();
            let label = if series.description.is_empty() { &series.modality } else { &series.description };
            all.push(SeriesSeen {
                uid: series.uid.to_string(),
                label: label.clone(),
                frames: sets.iter().map(|s| s.frames.len()).sum(),
                seen: sets.iter().map(|s| app.seen_frames(s)).sum(),
            });
        }
    }
    all
}

/// What the gate says now; `None` without a draft.
pub fn open_points(app: &App) -> Option<Vec<OpenPoint>> {
    let reading = app.reading.as_ref()?;
    let assignment = reading.assignment.as_ref()?;
    let report = app.report.as_ref()?;
    let series = series_seen(app);
    let nothing = Ledger { announced: None, ..Ledger::default() };
    let ledgers: Vec<(StudyUid, &Ledger, bool)> = reading
        .record
        .studies
        .iter()
        .map(|uid| match app.pictures.study(uid) {
            Some(state) => (uid.clone(), state.ledger.as_ref(), state.finished),
            None => (uid.clone(), &nothing, false),
        })
        .collect();
    Some(gate::check(&GateInput {
        draft: report.draft()?,
        template: &report.template,
        assignment,
        series: &series,
        ledgers: &ledgers,
        patient_mismatch: !reading.mismatches.is_empty(),
        wrong_patient_suspected: app.worklist.suspected(&assignment.id),
    }))
}

/// Does what the reader asked on the way to the signature.
pub(super) fn act(app: &mut App, now: Timestamp, action: SignAction, out: &mut Vec<Command>) {
    match action {
        SignAction::Begin => begin(app, now, out),
        SignAction::Reason(index, text) => {
            if let Some(report) = &mut app.report
                && let SignFlow::Points { points, reasons, .. } = &mut report.sign
                && let Some(point) = points.get(index).filter(|p| !p.code.blocking()).cloned()
                && let Some(reason) = reasons.get_mut(index)
            {
                reason.clone_from(&text);
                report.keep_reason(&point, &text);
            }
        }
        SignAction::GoToPoint(index) => go_to_point(app, now, index),
        SignAction::Proceed => proceed(app, now, out),
        SignAction::Sign(password) => {
            if let Some(SignFlow::Preview { prepared, signing, failure }) = flow(app)
                && !*signing
            {
                *signing = true;
                *failure = None;
                let prepared = prepared.id;
                out.push(Command::Sign { prepared, password });
            }
        }
        SignAction::Cancel => cancel(app, out),
        SignAction::Next => next(app, now, out),
    }
}

fn flow(app: &mut App) -> Option<&mut SignFlow> {
    app.report.as_mut().map(|r| &mut r.sign)
}

/// Whether the assignment stands so that a signature can be taken at all; tells the reader if not.
fn may_sign(app: &mut App, now: Timestamp) -> bool {
    let Some(assignment) = app.open_assignment().cloned() else { return false };
    let Some(report) = app.report.as_ref().filter(|r| r.editable()) else { return false };
    let addendum = report.draft().is_some_and(|d| d.addendum_to.is_some());
    let fits = match assignment.state {
        // Received here already, while the worklist has not said so yet: an addendum may follow.
        AssignmentState::InProgress => !addendum || app.worklist.receipts.contains_key(&assignment.id),
        AssignmentState::Submitted | AssignmentState::Finalized => addendum,
        _ => false,
    };
    if !fits {
        app.notices.add(now, NoticeCode::NotInProgress { assignment: assignment.id.clone() });
        return false;
    }
    if app.link.clock_skew_s.saturating_abs() > CLOCK_BLOCKS_S {
        app.notices.add(now, NoticeCode::ClockBlocksSigning(app.link.clock_skew_s));
        return false;
    }
    true
}

fn begin(app: &mut App, now: Timestamp, out: &mut Vec<Command>) {
    if app.input.composing || !may_sign(app, now) {
        return;
    }
    keep::save_draft(app, out);
    let Some(points) = open_points(app) else { return };
    if points.is_empty() {
        prepare(app, Vec::new(), out);
        return;
    }
    if let Some(report) = &mut app.report {
        let revision = report.draft().map_or(0, |d| d.revision);
        let reasons = points.iter().map(|p| report.reason_for(p)).collect();
        report.sign = SignFlow::Points { reasons, points, revision };
    }
}

/// All reasons are there and the gate still says the same: freeze. Anything new is shown instead.
fn proceed(app: &mut App, now: Timestamp, out: &mut Vec<Command>) {
    let Some(SignFlow::Points { points, reasons, .. }) = app.report.as_ref().map(|r| r.sign.clone()) else { return };
    let Some(present) = open_points(app) else { return };
    let reason_for = |p: &OpenPoint| {
        points.iter().zip(&reasons).find(|(q, _)| p.same_matter(q)).map_or("", |(_, r)| r.trim()).to_owned()
    };
    let kept: Vec<String> = present.iter().map(reason_for).collect();
    let ready = present.iter().zip(&kept).all(|(p, reason)| !p.code.blocking() && !reason.is_empty());
    if !ready {
        if let Some(report) = &mut app.report {
            let revision = report.draft().map_or(0, |d| d.revision);
            report.sign = SignFlow::Points { points: present, reasons: kept, revision };
        }
        return;
    }
    let acknowledged = present
        .iter()
        .zip(kept)
        .map(|(p, reason)| Acknowledged { point: p.code, subject: p.subject.clone(), detail: p.detail.clone(), reason })
        .collect();
    if let Some(report) = &mut app.report {
        report.sign = SignFlow::Writing;
    }
    if may_sign(app, now) {
        prepare(app, acknowledged, out);
    }
}

fn prepare(app: &mut App, acknowledged: Vec<Acknowledged>, out: &mut Vec<Command>) {
    let language = app.settings.shown_language().as_str().to_owned();
    let Some(reading) = &app.reading else { return };
    let Some(assignment) = reading.assignment.clone() else { return };
    let shown: BTreeSet<String> = reading.record.seen.iter().map(|f| f.instance.to_string()).collect();
    let Some(report) = &mut app.report else { return };
    let Some(draft) = report.draft().cloned() else { return };
    report.sign = SignFlow::Preparing { revision: draft.revision };
    out.push(Command::Prepare {
        draft,
        template: report.template.clone(),
        assignment,
        acknowledged,
        shown: shown.into_iter().collect(),
        language,
    });
}

/// Back to the report. A signature that is being made cannot be called back.
pub(super) fn cancel(app: &mut App, out: &mut Vec<Command>) {
    let signing = matches!(flow(app), Some(SignFlow::Preview { signing: true, .. }));
    if signing {
        return;
    }
    keep::discard_prepared(app, out);
    if let Some(flow) = flow(app) {
        *flow = SignFlow::Writing;
    }
}

/// Goes to what a point is about.
fn go_to_point(app: &mut App, now: Timestamp, index: usize) {
    let Some(SignFlow::Points { points, .. }) = flow(app) else { return };
    let Some(point) = points.get(index).cloned() else { return };
    if let Some(report) = &mut app.report {
        report.sign = SignFlow::Writing;
        if point.finding.is_some() {
            report.open_finding = point.finding;
        }
        let in_field = matches!(
            point.code,
            PointCode::RequiredEmpty
                | PointCode::OutOfRange
                | PointCode::UnknownChoice
                | PointCode::Placeholder
                | PointCode::CategoryWithoutFinding
                | PointCode::FindingAboveCategory
                | PointCode::ChangeWithoutPrior
        );
        if in_field {
            // The category that a finding exceeds is a field of the report.
            let finding = point.finding.filter(|_| point.code != PointCode::FindingAboveCategory);
            report.want_caret(finding, &point.subject);
        }
    }
    if matches!(point.code, PointCode::SeriesNotOpened | PointCode::SeriesPartlySeen) {
        let unseen = app.open_studies().flat_map(|(_, s)| &s.sets).find_map(|set| {
            let seen = |f| app.reading.as_ref().is_some_and(|r| r.record.seen.contains(f));
            let place = set.frames.iter().position(|f| !seen(f))?;
            (set.id.series.as_str() == point.subject).then(|| (set.id.clone(), place))
        });
        if let (Some((set, place)), Some(view)) = (unseen, app.active_view()) {
            place::show(app, now, view, &set, Some(place));
        }
    }
}

/// The engine froze the draft, or could not.
pub(super) fn prepared(app: &mut App, prepared: crate::engine::message::Prepared, out: &mut Vec<Command>) {
    let open = app.open_assignment().is_some_and(|a| a.id == prepared.assignment);
    let Some(report) = app.report.as_mut().filter(|_| open) else {
        out.push(Command::DiscardPrepared(prepared.id));
        return;
    };
    let current = report.draft().map(|d| d.revision) == Some(prepared.revision);
    if matches!(report.sign, SignFlow::Preparing { .. }) && current {
        report.sign = SignFlow::Preview { prepared, signing: false, failure: None };
    } else {
        out.push(Command::DiscardPrepared(prepared.id));
    }
}

/// Preparing or signing failed.
pub(super) fn failed(app: &mut App, now: Timestamp, failure: Failure) {
    match flow(app) {
        Some(SignFlow::Preview { signing, failure: slot, .. }) => {
            *signing = false;
            *slot = Some(failure);
        }
        Some(flow @ SignFlow::Preparing { .. }) => {
            *flow = SignFlow::Writing;
            app.notices.add(now, NoticeCode::SignFailed(failure));
        }
        _ => app.notices.add(now, NoticeCode::SignFailed(failure)),
    }
}

/// Signed and durably in the outbox: read-only from now on; the next assignment is chosen.
pub(super) fn signed(app: &mut App, assignment: &str, sha256: String) {
    app.worklist.signed.insert(assignment.to_owned());
    app.worklist.drafts.remove(assignment);
    let next = app.worklist.upcoming().first().map(|a| a.id.clone());
    if next.is_some() {
        app.worklist.selected.clone_from(&next);
    }
    let open = app.open_assignment().is_some_and(|a| a.id == assignment);
    if let Some(report) = app.report.as_mut().filter(|_| open) {
        report.read_only = true;
        report.saving.changed_at = None;
        report.sign = SignFlow::Signed { sha256, receipt: None, next };
    }
}

/// The center has it.
pub(super) fn received(app: &mut App, now: Timestamp, receipt: crate::report::Receipt) {
    let open = app.open_assignment().is_some_and(|a| a.id == receipt.assignment_id);
    if let Some(report) = app.report.as_mut().filter(|_| open)
        && let SignFlow::Signed { sha256, receipt: slot, .. } = &mut report.sign
        && *sha256 == receipt.sha256
    {
        *slot = Some(receipt.clone());
    }
    let (assignment, report_id) = (receipt.assignment_id.clone(), receipt.report_id.clone());
    app.notices.add(now, NoticeCode::ReportReceived { assignment: assignment.clone(), report_id });
    app.worklist.receipts.insert(assignment, receipt);
}

/// On with the next assignment, or back to the worklist if there is none.
fn next(app: &mut App, now: Timestamp, out: &mut Vec<Command>) {
    let Some(SignFlow::Signed { .. }) = flow(app) else { return };
    let done = app.open_assignment().map(|a| a.id.clone());
    let next = app.worklist.upcoming().into_iter().map(|a| a.id.clone()).find(|id| Some(id) != done.as_ref());
    open::close(app, out);
    match next {
        Some(id) => open::open(app, now, &id, None, out),
        None => app.place = Place::Worklist,
    }
}

/// The report, if the reader may see how far it is: number of blocking and other open points.
pub fn open_point_counts(app: &App) -> Option<(usize, usize)> {
    app.report.as_ref().filter(|r: &&ReportState| r.history.is_some() && !r.read_only)?;
    let points = open_points(app)?;
    let blocking = points.iter().filter(|p| p.code.blocking()).count();
    Some((blocking, points.len() - blocking))
}
