//! What is kept without being asked: drafts after a pause, the reading state, and the idle lock.

use super::reporting::SignFlow;
use super::state::App;
use crate::engine::message::Command;
use jiff::{SignedDuration, Timestamp};

/// A pause in typing after which the draft is saved.
const DRAFT_PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// Typing without a pause is saved after this long.
const DRAFT_LIMIT: SignedDuration = SignedDuration::from_secs(15);
/// A pause in moving about after which the reading state is saved.
const READING_PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// How long a failed save waits before it is tried again.
pub(super) const RETRY: SignedDuration = SignedDuration::from_secs(10);

fn passed(since: Timestamp, now: Timestamp, pause: SignedDuration) -> bool {
    now.duration_since(since) >= pause
}

/// Saves the draft now, if it changed.
pub(super) fn save_draft(app: &mut App, out: &mut Vec<Command>) {
    let Some(report) = &mut app.report else { return };
    // A conflict waits for the reader: saving would decide it.
    if report.conflict.is_some() || report.saving.changed_at.is_none() {
        return;
    }
    let Some(history) = &mut report.history else { return };
    history.pause();
    let draft = history.draft().clone();
    report.saving.changed_at = None;
    report.saving.unsaved_since = None;
    report.saving.underway = Some(draft.revision);
    out.push(Command::SaveDraft(draft));
}

/// Keeps the reading state now, if it changed.
pub(super) fn save_reading(app: &mut App, out: &mut Vec<Command>) {
    let finding = app.report.as_ref().and_then(|r| r.open_finding).map(|f| f.0);
    let Some(reading) = &mut app.reading else { return };
    if reading.changed_at.take().is_none() || reading.assignment.is_none() {
        return;
    }
    reading.record.open_finding = finding;
    match serde_json::to_string(&reading.record) {
        Ok(text) => out.push(Command::SaveReadingState(text)),
        // Plain data with text keys; should it ever fail, only the place on screen is lost.
        Err(error) => tracing::error!(%error, "reading state not kept"),
    }
}

/// A report frozen for signing is no longer wanted.
pub(super) fn discard_prepared(app: &mut App, out: &mut Vec<Command>) {
    let Some(report) = &mut app.report else { return };
    if let SignFlow::Preview { prepared, .. } = &report.sign {
        out.push(Command::DiscardPrepared(prepared.id));
    }
}

/// Locks the screen: the draft is saved, pictures and names are blanked by `App::screen`.
pub(super) fn lock(app: &mut App, out: &mut Vec<Command>) {
    if app.access.session.is_none() || app.lock.locked {
        return;
    }
    save_draft(app, out);
    save_reading(app, out);
    app.lock = super::state::LockState { locked: true, ..Default::default() };
    if let Some(reading) = &mut app.reading {
        for view in &mut reading.record.views {
            view.cine = None;
        }
    }
}

/// Time passed.
pub(super) fn tick(app: &mut App, now: Timestamp, out: &mut Vec<Command>) {
    let changed = app.report.as_ref().and_then(|r| r.saving.changed_at);
    if let Some(report) = &mut app.report {
        report.saving.unsaved_since = changed.and(report.saving.unsaved_since.or(Some(now)));
    }
    let since = app.report.as_ref().and_then(|r| r.saving.unsaved_since);
    let due =
        changed.is_some_and(|at| passed(at, now, DRAFT_PAUSE)) || since.is_some_and(|at| passed(at, now, DRAFT_LIMIT));
    if due && !app.input.composing {
        save_draft(app, out);
    }
    if app.reading.as_ref().and_then(|r| r.changed_at).is_some_and(|at| passed(at, now, READING_PAUSE)) {
        save_reading(app, out);
    }
    let limit = SignedDuration::from_mins(i64::from(app.settings.idle_lock_minutes));
    if passed(app.last_input, now, limit) {
        lock(app, out);
    }
    cine(app, now);
}

/// Moves running cine loops on. A frame that is not here yet holds the loop: nothing is shown out of order.
fn cine(app: &mut App, now: Timestamp) {
    let Some(reading) = &mut app.reading else { return };
    for view in &mut reading.record.views {
        let (Some(mut cine), Some(id)) = (view.cine, &view.set) else { continue };
        let Some(set) = app.pictures.set(id) else { continue };
        let elapsed_s = now.duration_since(cine.at).as_secs_f64();
        let due = (elapsed_s * cine.rate_hz).floor();
        if due < 1.0 || set.frames.is_empty() {
            continue;
        }
        let mut place = view.position;
        // After a stall the loop goes on from where it is instead of racing.
        for _ in 0..(due as usize).min(set.frames.len()) {
            let next = (place + 1) % set.frames.len();
            let Some(frame) = set.frames.get(next) else { break };
            if !app.pictures.frames.contains_key(frame) && !app.pictures.failed.contains_key(frame) {
                break;
            }
            place = next;
        }
        // What is left over of the last frame's time counts for the next one.
        cine.at = cine.at.saturating_add(SignedDuration::from_secs_f64(due / cine.rate_hz)).unwrap_or(now);
        view.cine = Some(cine);
        view.direction = 1;
        view.position = place;
        view.frame = set.frames.get(place).cloned();
    }
}
