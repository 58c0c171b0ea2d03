//! `App::apply`: a fact from the engine changes the state; sometimes it gives commands.

use super::notice::NoticeCode;
use super::reporting::SignFlow;
use super::settings::Settings;
use super::state::{AccessState, App, LockState, Place};
use super::worklist::{DraftMark, WorklistState};
use super::{demand, keep, masks, measure, objects, open, outboxing, pictures, place, sign, worklisting};
use crate::engine::message::{Command, Event, Failure, Link, Session, StudyProgress};
use crate::report::{Draft, Receipt};
use crate::study::{NotShown, Study, StudyUid};
use crate::worklist::Assignment;
use jiff::Timestamp;
use std::sync::Arc;

/// The reader is warned of a clock difference beyond this (the center's API, discovery: the strictest of the rules).
const CLOCK_WARNS_S: i64 = 60;

/// So many drafts are looked for after sign-in.
const DRAFTS_ASKED: usize = 20;

impl App {
    /// Takes a fact from the engine; gives what is to be done because of it, in order.
    pub fn apply(&mut self, now: Timestamp, event: Event) -> Vec<Command> {
        let mut out = Vec::new();
        self.now = now;
        let only_a_frame = matches!(event, Event::Frame(..));
        apply(self, now, event, &mut out);
        // A frame does not change what is wanted: hundreds come in a second.
        if !only_a_frame {
            demand::settle(self);
        }
        masks::settle(self, &mut out);
        out
    }
}

fn apply(app: &mut App, now: Timestamp, event: Event, out: &mut Vec<Command>) {
    match event {
        Event::Started(start) => {
            app.access.start = Some(start);
            app.access.busy = false;
            if app.platform.build == super::state::BuildClass::Research {
                app.notices.add(now, NoticeCode::UncertifiedBuild);
            }
        }
        Event::Settings(kept) => {
            for (name, value) in kept {
                if !app.settings.load(&name, &value) {
                    app.notices.add(now, NoticeCode::SettingUnreadable(name));
                }
            }
        }
        Event::ReadingState(text) => reading_state(app, now, &text),
        Event::Link(link) => self::link(app, now, link),
        Event::SignedIn(session) => signed_in(app, now, session, out),
        Event::SignInFailed(failure) => {
            app.access.busy = false;
            app.access.failure = Some(failure);
        }
        Event::SignedOut(failure) => signed_out(app, now, failure, out),
        Event::Unlocked(right) => {
            app.lock = LockState { locked: app.lock.locked && !right, checking: false, wrong: !right };
            if right {
                app.last_input = now;
            }
        }
        Event::Worklist { assignments, at } => worklist(app, now, assignments, at, out),
        Event::Assignment(assignment) => {
            self::assignment(app, now, assignment);
            // The center told of a change by itself: the list is as new as this.
            app.worklist.as_of = app.worklist.as_of.map(|at| at.max(now));
            open::local_gives_way(app, now, out);
            restore(app, now, out);
        }
        Event::WorklistFailed(failure) => {
            app.worklist.refreshing = false;
            app.worklist.failure = Some(failure.clone());
            app.notices.add(now, NoticeCode::WorklistFailed(failure));
        }
        Event::TransitionFailed { assignment, failure } => {
            app.worklist.pending.remove(&assignment);
            app.notices.add(now, NoticeCode::TransitionFailed { assignment, failure });
        }
        Event::Study(study) => self::study(app, now, study),
        Event::StudyProgress(progress) => {
            let finished = progress.finished;
            self::progress(app, now, progress);
            objects::arrived(app, finished, out);
        }
        Event::Frame(frame, pixels) => {
            app.pictures.failed.remove(&frame);
            if pixels.spoiled() {
                app.pictures.damaged.insert(frame.clone());
            } else {
                app.pictures.damaged.remove(&frame);
            }
            if app.wanted_frames.contains(&frame) {
                app.pictures.frames.insert(frame.clone(), pixels);
                measure::frame_arrived(app, &frame);
            }
        }
        Event::FrameFailed(frame, reason) => {
            if app.wanted_frames.contains(&frame) {
                app.pictures.damaged.remove(&frame);
                app.pictures.failed.insert(frame, reason);
            }
        }
        Event::Thumbnail { display_set, size, rgb } => {
            let here = app.open_studies().chain(app.open_priors()).flat_map(|(_, s)| s.showable());
            let fits = rgb.len() as u64 == u64::from(size[0]) * u64::from(size[1]) * 3;
            if fits && here.into_iter().any(|s| s.id == display_set) {
                app.pictures.thumbnails.insert(display_set, pictures::Thumbnail { size, rgb });
            }
        }
        Event::Draft { assignment, draft } => {
            // After the signature only the draft of an addendum counts.
            let may = |d: &&crate::report::Draft| {
                let sent = app.worklist.get(&assignment).is_some_and(|a| !a.state.open());
                d.addendum_to.is_some() || !(sent || app.worklist.signed.contains(&assignment))
            };
            let found = draft.as_ref().filter(may).map(|d| d.revision);
            open::draft_loaded(app, now, &assignment, draft);
            if let Some(revision) = found {
                let mark = DraftMark { revision, at_center: false, at: now };
                let open = app.open_assignment().is_some_and(|a| a.id == assignment);
                let mark = *app.worklist.drafts.entry(assignment).or_insert(mark);
                // What was found is kept: it must not be called unwritten.
                if let Some(report) = app.report.as_mut().filter(|_| open)
                    && report.draft().is_some_and(|d| d.revision == revision)
                {
                    report.saving.saved.get_or_insert(DraftMark { revision, ..mark });
                }
            }
        }
        Event::DraftSaved { assignment, revision, at_center, at } => {
            draft_saved(app, assignment, DraftMark { revision, at_center, at });
        }
        Event::DraftConflict { assignment, center, replaces: None } => conflict(app, now, assignment, center),
        Event::DraftConflict { assignment, center, replaces: Some(revision) } => {
            newer_draft(app, now, assignment, center, revision, out);
        }
        Event::DraftsLeft { assignment, drafts } => {
            let open = app.open_assignment().is_some_and(|a| a.id == assignment);
            if let Some(report) = app.report.as_mut().filter(|_| open) {
                report.left = drafts;
            }
        }
        Event::DraftFailed { assignment, failure } => draft_failed(app, now, assignment, failure),
        Event::Prepared(prepared) => sign::prepared(app, prepared, out),
        Event::SignFailed(failure) => sign::failed(app, now, failure),
        Event::Signed { assignment, sha256 } => sign::signed(app, &assignment, sha256),
        // Facts about somebody's work come to that reader's session only.
        Event::Outbox(_) | Event::Flags(_) | Event::Receipt(_) if app.access.session.is_none() => {}
        Event::Flags(entries) => worklisting::flags(app, now, entries),
        Event::FlagFailed { assignment, failure } => {
            app.notices.add(now, NoticeCode::PatientFlagFailed { assignment, failure });
        }
        Event::Receipt(receipt) => received(app, now, receipt, out),
        Event::Outbox(entries) => outboxing::told(app, now, entries),
        Event::Handing(event) => outboxing::apply(app, now, event),
        Event::Reports { assignment, reports } => {
            let open = app.open_assignment().is_some_and(|a| a.id == assignment);
            if let Some(report) = app.report.as_mut().filter(|_| open) {
                report.signed = reports;
            }
        }
        Event::LocalOpened { studies, not_shown } => local(app, now, studies, &not_shown, out),
        Event::Object(event) => objects::apply(app, now, event, out),
        Event::Archive(event) => super::archives::apply(app, now, event),
        Event::Notice(failure) => notice(app, now, failure),
    }
}

pub(super) fn notice(app: &mut App, now: Timestamp, failure: Failure) {
    // Before sign-in the answer belongs to what was asked there.
    if app.access.session.is_none() && app.access.busy {
        app.access.busy = false;
        app.access.failure = Some(failure.clone());
        if matches!(app.access.start, None | Some(crate::engine::message::Start::NotEnrolled)) {
            app.notices.add(now, NoticeCode::EnrolmentFailed(failure));
        }
        return;
    }
    app.notices.add(now, NoticeCode::Other(failure));
}

fn reading_state(app: &mut App, now: Timestamp, text: &str) {
    if text.trim().is_empty() {
        return;
    }
    match serde_json::from_str(text) {
        Ok(record) => app.to_restore = Some(record),
        Err(_) => app.notices.add(now, NoticeCode::ReadingStateUnreadable),
    }
}

fn link(app: &mut App, now: Timestamp, link: Link) {
    let skew = link.clock_skew_s;
    app.link = link;
    if skew.saturating_abs() > CLOCK_WARNS_S {
        app.notices.add(now, NoticeCode::ClockSkew(skew));
    } else {
        app.notices.clear(|n| matches!(n, NoticeCode::ClockSkew(_) | NoticeCode::ClockBlocksSigning(_)));
    }
}

fn signed_in(app: &mut App, now: Timestamp, session: Session, out: &mut Vec<Command>) {
    app.access.busy = false;
    app.access.failure = None;
    // The place that another reader left is none of this one's business.
    if app.restore_for.take().is_some_and(|user| user != session.user) {
        app.to_restore = None;
    }
    app.access.session = Some(session);
    app.lock = LockState::default();
    app.last_input = now;
    app.place = Place::Worklist;
    app.notices.clear(|n| matches!(n, NoticeCode::SessionEnded(_) | NoticeCode::EnrolmentFailed(_)));
    app.worklist.refreshing = true;
    out.push(Command::RefreshWorklist);
}

/// The session is over: nothing of any patient stays in memory. If it ended by itself, typing is saved first
/// and the place on screen is kept for the same reader's return.
fn signed_out(app: &mut App, now: Timestamp, failure: Option<Failure>, out: &mut Vec<Command>) {
    keep::save_draft(app, out);
    keep::discard_prepared(app, out);
    let place = app.reading.take().filter(|r| r.assignment.is_some() && failure.is_some()).map(|r| r.record);
    let restore_for = app.access.session.as_ref().map(|s| s.user.clone());
    let settings: Settings = app.settings.clone();
    let start = app.access.start.take();
    let (link, platform, last_input) = (app.link.clone(), app.platform.clone(), app.last_input);
    *app = App { settings, link, platform, last_input, to_restore: place, restore_for, ..App::new(now) };
    app.access = AccessState { start, ..AccessState::default() };
    if app.platform.build == super::state::BuildClass::Research {
        app.notices.add(now, NoticeCode::UncertifiedBuild);
    }
    if let Some(name) = app.platform.adapter.clone().filter(|_| app.platform.software_adapter) {
        app.notices.add(now, NoticeCode::SoftwareAdapter(name));
    }
    if let Some(failure) = failure {
        app.access.failure = Some(failure.clone());
        app.notices.add(now, NoticeCode::SessionEnded(failure));
    }
}

fn worklist(app: &mut App, now: Timestamp, all: Vec<Arc<Assignment>>, at: Timestamp, out: &mut Vec<Command>) {
    let list: &mut WorklistState = &mut app.worklist;
    list.refreshing = false;
    list.failure = None;
    list.as_of = Some(at);
    let before = std::mem::take(&mut list.assignments);
    app.notices.clear(|n| matches!(n, NoticeCode::WorklistFailed(_)));
    for assignment in all {
        // A list that left the center before a step was taken must not take the step back.
        let newer = before.get(&assignment.id).filter(|known| known.updated_at > assignment.updated_at);
        self::assignment(app, now, newer.cloned().unwrap_or(assignment));
    }
    // The open one is no longer on the list: somebody took it away. It stays on screen, but cannot be signed.
    let gone = app.open_assignment().filter(|a| app.worklist.get(&a.id).is_none()).map(|a| a.id.clone());
    if let Some(id) = gone {
        assignment_gone(app, now, id);
    }
    let known = &app.worklist.assignments;
    let (drafts, signed) = (&mut app.worklist.drafts, &mut app.worklist.signed);
    drafts.retain(|id, _| known.contains_key(id));
    signed.retain(|id| known.get(id).is_none_or(|a| a.state.open()));
    open::local_gives_way(app, now, out);
    restore(app, now, out);
    look_for_drafts(app, out);
    worklisting::keep_selection_visible(app, now);
}

/// The list marks assignments that have a draft: asked once after sign-in, for the most urgent that were begun.
fn look_for_drafts(app: &mut App, out: &mut Vec<Command>) {
    if std::mem::replace(&mut app.worklist.drafts_asked, true) {
        return;
    }
    use crate::worklist::AssignmentState::{Accepted, Finalized, InProgress, Submitted};
    let open = app.open_assignment().map(|a| a.id.clone());
    let begun = app.worklist.upcoming().into_iter().filter(|a| matches!(a.state, Accepted | InProgress));
    let ids = begun.map(|a| a.id.clone()).filter(|id| Some(id) != open.as_ref()).take(DRAFTS_ASKED);
    // An addendum may have been begun to what was sent last.
    let mut sent: Vec<_> =
        app.worklist.assignments.values().filter(|a| matches!(a.state, Submitted | Finalized)).collect();
    sent.sort_by_key(|a| std::cmp::Reverse(a.updated_at));
    let sent = sent.into_iter().map(|a| a.id.clone()).filter(|id| Some(id) != open.as_ref()).take(DRAFTS_ASKED);
    out.extend(ids.chain(sent).map(|assignment| Command::LoadDraft { assignment }));
}

fn assignment_gone(app: &mut App, now: Timestamp, id: String) {
    // What the reader signed here left the list by the reader's own doing.
    if app.worklist.signed.contains(&id) || app.worklist.receipts.contains_key(&id) {
        return;
    }
    if let Some(report) = &mut app.report {
        report.read_only = true;
        if matches!(report.sign, SignFlow::Points { .. }) {
            report.sign = SignFlow::Writing;
        }
    }
    app.notices.add(now, NoticeCode::AssignmentGone { assignment: id });
}

fn assignment(app: &mut App, now: Timestamp, assignment: Arc<Assignment>) {
    let id = assignment.id.clone();
    app.worklist.pending.remove(&id);
    if !assignment.state.open() {
        app.worklist.signed.remove(&id);
    }
    let is_open = app.open_assignment().is_some_and(|a| a.id == id);
    let was_mine = app.open_assignment().is_some_and(|a| a.state.open());
    app.worklist.assignments.insert(id.clone(), assignment.clone());
    if !is_open {
        return;
    }
    if let Some(reading) = &mut app.reading {
        reading.record.studies = assignment.studies.iter().map(|s| s.study_uid.clone()).collect();
        reading.record.priors = assignment.prior_studies.iter().map(|s| s.study_uid.clone()).collect();
        reading.assignment = Some(assignment.clone());
    }
    open::note_open(app);
    let submitted = matches!(
        assignment.state,
        crate::worklist::AssignmentState::Submitted | crate::worklist::AssignmentState::Finalized
    );
    if was_mine && !assignment.state.open() && !submitted {
        assignment_gone(app, now, id);
    }
}

/// After a crash: opens what was open, once its assignment is on the list and still to be done.
fn restore(app: &mut App, now: Timestamp, out: &mut Vec<Command>) {
    if app.reading.is_some() || app.access.session.is_none() || app.worklist.as_of.is_none() {
        return;
    }
    let Some(record) = app.to_restore.take() else { return };
    let Some(id) = record.assignment.clone() else { return };
    if app.worklist.get(&id).is_some_and(|a| a.state.open()) && !app.worklist.suspected(&id) {
        open::open(app, now, &id, Some(record), out);
    }
}

fn study(app: &mut App, now: Timestamp, study: Arc<Study>) {
    let uid = study.uid.clone();
    app.pictures.studies.entry(uid.clone()).or_default().set_study(study);
    let open = app.open_studies().chain(app.open_priors()).any(|(u, _)| *u == uid);
    if !open {
        return;
    }
    objects::name_pictures(app);
    place::relocate(app, &uid);
    open::check_identity(app, now);
    place::rehang(app, now);
    open::refill(app, now);
}

fn progress(app: &mut App, now: Timestamp, progress: StudyProgress) {
    let (uid, finished) = (progress.study.clone(), progress.finished);
    app.pictures.studies.entry(uid.clone()).or_default().set_progress(progress);
    let Some(assignment) = app.open_assignment().filter(|_| finished) else { return };
    if !assignment.studies.iter().any(|s| s.study_uid == uid) {
        return;
    }
    // The facility's own count is for all studies together; the ledger's announcement for each.
    let states: Vec<_> = assignment.studies.iter().filter_map(|s| app.pictures.study(&s.study_uid)).collect();
    let all_finished = states.len() == assignment.studies.len() && states.iter().all(|s| s.finished);
    let named: u64 = states.iter().map(|s| s.ledger.expected() as u64).sum();
    let sent = assignment.request.images_sent.filter(|sent| all_finished && *sent != named).map(|sent| (sent, named));
    let announced = states.iter().find_map(|s| s.ledger.disagrees_with_announcement()).map(|(a, n)| (a, n as u64));
    if let Some((announced, named)) = sent.or(announced) {
        let assignment = assignment.id.clone();
        app.notices.add(now, NoticeCode::CountMismatch { assignment, announced, named });
    }
}

fn draft_saved(app: &mut App, assignment: String, mark: DraftMark) {
    let open = app.open_assignment().is_some_and(|a| a.id == assignment);
    if let Some(report) = app.report.as_mut().filter(|_| open) {
        let revision = report.draft().map(|d| d.revision);
        let saving = &mut report.saving;
        saving.underway = saving.underway.filter(|underway| *underway > mark.revision);
        // The center's word of a revision may come when this terminal has saved, or failed to save, a later one.
        let of_this_draft = |later: &u64| *later > mark.revision && Some(*later) <= revision;
        if saving.failed.as_ref().is_some_and(of_this_draft) {
            return;
        }
        (saving.failure, saving.failed) = (None, None);
        app.notices.clear(|n| matches!(n, NoticeCode::DraftFailed { assignment: a, .. } if *a == assignment));
        if saving.saved.is_some_and(|saved| of_this_draft(&saved.revision)) {
            return;
        }
        saving.saved = Some(mark);
    }
    app.notices.clear(|n| matches!(n, NoticeCode::DraftFailed { assignment: a, .. } if *a == assignment));
    let addendum =
        app.report.as_ref().filter(|_| open).and_then(|r| r.draft()).is_some_and(|d| d.addendum_to.is_some());
    if addendum || !app.worklist.signed.contains(&assignment) {
        app.worklist.drafts.insert(assignment, mark);
    }
}

fn draft_failed(app: &mut App, now: Timestamp, assignment: String, failure: Failure) {
    let open = app.open_assignment().is_some_and(|a| a.id == assignment);
    if let Some(report) = app.report.as_mut().filter(|_| open) {
        // It was being looked for: without an answer nothing may be begun that would hide what is kept.
        report.loading = false;
        if let Some((history, center)) = report.replaced.take() {
            // The choice was not carried out: it is asked again.
            report.saving.unsaved_since = Some(now);
            report.saving.changed_at = Some(now);
            (report.history, report.conflict) = (Some(history), Some(center));
        }
        report.saving.failed = report.saving.underway.or(report.saving.failed);
        if report.saving.underway.take().is_some() && report.saving.changed_at.is_none() {
            // Tried again by itself, not with every tick.
            report.saving.changed_at = Some(now.saturating_add(keep::RETRY).unwrap_or(now));
        }
        report.saving.failure = Some(failure.clone());
    }
    app.notices.add(now, NoticeCode::DraftFailed { assignment, failure });
}

fn conflict(app: &mut App, now: Timestamp, assignment: String, center: Draft) {
    let open = app.open_assignment().is_some_and(|a| a.id == assignment);
    if let Some(report) = app.report.as_mut().filter(|_| open) {
        report.conflict = Some(center);
        report.saving.underway = None;
        if matches!(report.sign, SignFlow::Points { .. }) {
            report.sign = SignFlow::Writing;
        }
    }
    app.notices.add(now, NoticeCode::DraftConflict { assignment });
}

/// The center has a newer version of what was loaded (`revision`; 0: nothing). While nobody has written on, it takes
/// that one's place; else both are shown.
fn newer_draft(
    app: &mut App,
    now: Timestamp,
    assignment: String,
    center: Draft,
    revision: u64,
    out: &mut Vec<Command>,
) {
    let mark = DraftMark { revision: center.revision, at_center: true, at: now };
    if !app.worklist.signed.contains(&assignment) {
        app.worklist.drafts.insert(assignment.clone(), mark);
    }
    let open = app.open_assignment().is_some_and(|a| a.id == assignment);
    // Asked for the list only: opening asks again.
    let Some(report) = app.report.as_mut().filter(|_| open) else { return };
    let typed = report.saving.changed_at.is_some() || report.saving.underway.is_some();
    let untouched = !typed && report.draft().is_none_or(|d| d.revision == revision);
    if !untouched || report.sign.modal() {
        return conflict(app, now, assignment, center);
    }
    // Nothing is written until it is here.
    report.history = None;
    report.loading = true;
    out.push(Command::ResolveDraft { assignment, keep_local: false, left: None });
}

fn received(app: &mut App, now: Timestamp, receipt: Receipt, out: &mut Vec<Command>) {
    let open = app.open_assignment().is_some_and(|a| a.id == receipt.assignment_id);
    let id = receipt.assignment_id.clone();
    sign::received(app, now, receipt);
    if open {
        out.push(Command::LoadReports { assignment: id });
    }
}

fn local(app: &mut App, now: Timestamp, studies: Vec<StudyUid>, not_shown: &[NotShown], out: &mut Vec<Command>) {
    if !not_shown.is_empty() {
        app.notices.add(now, NoticeCode::LocalNotShown(not_shown.len()));
    }
    app.access.local_not_shown = not_shown.to_vec();
    let Some(first) = studies.first().cloned() else { return };
    for old in std::mem::replace(&mut app.access.local_studies, studies) {
        if !app.access.local_studies.contains(&old) {
            app.pictures.studies.remove(&old);
        }
    }
    // Within a session local files open in the reading window too; without one, this is all there is.
    app.access.local = app.access.session.is_none();
    open::open_local(app, now, &first, out);
}
