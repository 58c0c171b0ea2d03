//! What the reader does in the worklist.

use super::action::WorklistAction;
use super::notice::NoticeCode;
use super::open;
use super::setting;
use super::state::App;
use super::worklist::ReturnDialog;
use crate::engine::message::{Command, FlagEntry, Transition};
use crate::worklist::ReturnReason;
use jiff::Timestamp;

pub(super) fn act(app: &mut App, now: Timestamp, action: WorklistAction, out: &mut Vec<Command>) {
    let list = &mut app.worklist;
    match action {
        WorklistAction::Refresh => {
            list.refreshing = true;
            out.push(Command::RefreshWorklist);
        }
        WorklistAction::Filter(filter) => {
            list.filter = filter;
            keep_selection_visible(app, now);
        }
        WorklistAction::Search(text) => {
            list.search = text;
            keep_selection_visible(app, now);
        }
        WorklistAction::Sort(key) => {
            list.descending = list.sort == key && !list.descending;
            list.sort = key;
        }
        WorklistAction::Select(id) => {
            if list.get(&id).is_some() {
                list.selected = Some(id);
            }
        }
        WorklistAction::Move(by) => move_selection(app, now, by),
        WorklistAction::TogglePreview => setting::toggle_preview(app, out),
        WorklistAction::Accept(id) => transition(app, id, Transition::Accept, out),
        WorklistAction::Open(id) => open::open(app, now, &id, None, out),
        WorklistAction::Suspend(id) => {
            if app.open_assignment().is_some_and(|a| a.id == id) {
                // Closing suspends what was being read.
                open::close(app, out);
                app.place = super::state::Place::Worklist;
            } else {
                transition(app, id, Transition::Suspend, out);
            }
        }
        WorklistAction::Release(id) => leave(app, id, Transition::Release, out),
        WorklistAction::Decline(id, reason, text) => leave(app, id, Transition::Decline(reason, text), out),
        WorklistAction::AskReturn(id) => {
            if list.get(&id).is_some_and(|a| a.state.open()) && !list.signed.contains(&id) {
                let reason = ReturnReason::ImageUnreadable;
                list.return_dialog = Some(ReturnDialog { assignment: id, reason, text: String::new() });
            }
        }
        WorklistAction::ReturnReason(reason) => {
            if let Some(dialog) = &mut list.return_dialog {
                dialog.reason = reason;
            }
        }
        WorklistAction::ReturnText(text) => {
            if let Some(dialog) = &mut list.return_dialog {
                dialog.text = text;
            }
        }
        WorklistAction::ConfirmReturn => {
            // The facility must be told what to mend: no return without words.
            if list.return_dialog.as_ref().is_some_and(|d| !d.text.trim().is_empty())
                && let Some(dialog) = list.return_dialog.take()
            {
                if dialog.reason == ReturnReason::WrongPatientSuspected {
                    suspect(app, dialog.assignment, dialog.text.trim().to_owned(), out);
                    return;
                }
                let step = Transition::Return(dialog.reason, dialog.text.trim().to_owned());
                leave(app, dialog.assignment, step, out);
            }
        }
        WorklistAction::CancelReturn => list.return_dialog = None,
    }
}

/// Another patient is suspected: from this moment on nothing here may be signed. It counts as set when it is kept on
/// this terminal; the center gets it as soon as it can be reached.
fn suspect(app: &mut App, id: String, text: String, out: &mut Vec<Command>) {
    if app.worklist.get(&id).is_none() {
        return;
    }
    if app.open_assignment().is_some_and(|a| a.id == id) {
        open::leave(app, out);
        app.place = super::state::Place::Worklist;
    }
    app.worklist.flagging.insert(id.clone(), text.clone());
    out.push(Command::SuspectPatient { assignment: id, text: text.into() });
}

/// The flags that are kept here and that the center does not have yet.
pub(super) fn flags(app: &mut App, now: Timestamp, entries: Vec<FlagEntry>) {
    app.notices.clear(|n| matches!(n, NoticeCode::PatientFlagRefused { .. }));
    app.worklist.wrong_patient = entries.iter().map(|e| e.assignment.clone()).collect();
    let kept = app.worklist.wrong_patient.clone();
    app.worklist.flagging.retain(|id, _| !kept.contains(id));
    app.notices.clear(|n| matches!(n, NoticeCode::PatientFlagFailed { assignment, .. } if kept.contains(assignment)));
    for entry in entries {
        if let Some(reason) = entry.refused {
            app.notices.add(now, NoticeCode::PatientFlagRefused { assignment: entry.assignment, reason });
        }
    }
}

/// The "cannot read" dialog with the suspicion of another patient chosen.
pub(super) fn ask_wrong_patient(app: &mut App, assignment: &str) {
    if app.worklist.get(assignment).is_some_and(|a| a.state.open()) {
        app.worklist.return_dialog = Some(ReturnDialog {
            assignment: assignment.to_owned(),
            reason: ReturnReason::WrongPatientSuspected,
            text: String::new(),
        });
    }
}

fn transition(app: &mut App, id: String, transition: Transition, out: &mut Vec<Command>) {
    if app.worklist.get(&id).is_some() && app.worklist.pending.insert(id.clone()) {
        out.push(Command::Transition { assignment: id, transition });
    }
}

/// A step after which the assignment is no longer this reader's: the screen is cleared. A step that is
/// still unanswered does not stand in its way: the reader's "no" must reach the center.
fn leave(app: &mut App, id: String, transition: Transition, out: &mut Vec<Command>) {
    if app.worklist.get(&id).is_none() {
        return;
    }
    if app.open_assignment().is_some_and(|a| a.id == id) {
        open::leave(app, out);
        app.place = super::state::Place::Worklist;
    }
    app.worklist.pending.insert(id.clone());
    out.push(Command::Transition { assignment: id, transition });
}

fn move_selection(app: &mut App, now: Timestamp, by: i32) {
    let rows: Vec<String> = app.worklist.rows(now).iter().map(|a| a.id.clone()).collect();
    let at = app.worklist.selected.as_ref().and_then(|id| rows.iter().position(|r| r == id));
    let next = match at {
        Some(at) => at.saturating_add_signed(by as isize).min(rows.len().saturating_sub(1)),
        None => 0,
    };
    if let Some(id) = rows.get(next) {
        app.worklist.selected = Some(id.clone());
    }
}

/// The selection is always a row on screen, so that Enter never opens something unseen.
pub(super) fn keep_selection_visible(app: &mut App, now: Timestamp) {
    let rows = app.worklist.rows(now);
    let visible = app.worklist.selected.as_ref().is_some_and(|id| rows.iter().any(|a| &a.id == id));
    if !visible {
        app.worklist.selected = rows.first().map(|a| a.id.clone());
    }
}
