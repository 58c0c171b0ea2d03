//! The outbox: sending, and what a person does with a report that the center refused for good.

use super::action::{OutboxAction, OutboxAsk};
use super::notice::NoticeCode;
use super::state::App;
use crate::engine::message::{Command, Failure, HandingCommand, HandingEvent, OutboxEntry};
use jiff::Timestamp;
use std::path::PathBuf;

/// The dialog about a refused entry. What is typed in it is `ui`'s until it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxDialog {
    /// The entry.
    pub id: i64,
    /// What is asked.
    pub ask: OutboxAsk,
    /// It is being done.
    pub busy: bool,
    /// Why it was not done.
    pub failure: Option<Failure>,
    /// The folder with the signed files, once they are written.
    pub exported: Option<PathBuf>,
}

/// Does what the reader asked of the outbox.
pub(super) fn act(app: &mut App, action: OutboxAction, out: &mut Vec<Command>) {
    if app.access.session.is_none() {
        return;
    }
    match action {
        OutboxAction::SendNow => out.push(Command::SendOutbox),
        // What is no longer there cannot be sent.
        OutboxAction::Retry(id) => {
            if app.outbox.iter().chain(&app.handed).any(|e| e.id == id) {
                out.push(Command::RetryOutbox { id });
            }
        }
        OutboxAction::Ask(id, ask) => {
            let refused = app.outbox.iter().any(|e| e.id == id && e.wedged.is_some());
            let handed = app.handed.iter().any(|e| e.id == id);
            if refused || (handed && ask == OutboxAsk::Export) {
                app.outbox_dialog = Some(OutboxDialog { id, ask, busy: false, failure: None, exported: None });
            }
        }
        OutboxAction::Confirm(text) => {
            let text = text.trim();
            if let Some(dialog) = app.outbox_dialog.as_mut().filter(|d| !d.busy && d.exported.is_none())
                && !text.is_empty()
            {
                (dialog.busy, dialog.failure) = (true, None);
                let id = dialog.id;
                out.push(Command::Handing(match dialog.ask {
                    OutboxAsk::Export => HandingCommand::Export { id, folder: PathBuf::from(text) },
                    OutboxAsk::HandOver => HandingCommand::HandOver { id, reason: text.to_owned() },
                }));
            }
        }
        OutboxAction::Close => app.outbox_dialog = None,
    }
}

/// What waits and what was handed over.
pub(super) fn told(app: &mut App, now: Timestamp, entries: Vec<OutboxEntry>) {
    app.notices.clear(|n| matches!(n, NoticeCode::OutboxWedged { .. }));
    let (handed, waiting): (Vec<_>, Vec<_>) = entries.into_iter().partition(|e| e.handed.is_some());
    for entry in handed.iter().chain(&waiting) {
        app.worklist.signed.insert(entry.assignment.clone());
    }
    for entry in &waiting {
        if let Some(reason) = &entry.wedged {
            let (assignment, reason) = (entry.assignment.clone(), reason.clone());
            app.notices.add(now, NoticeCode::OutboxWedged { assignment, reason });
        }
    }
    (app.outbox, app.handed) = (waiting, handed);
}

/// What became of a wish.
pub(super) fn apply(app: &mut App, now: Timestamp, event: HandingEvent) {
    let dialog = app.outbox_dialog.as_mut();
    match event {
        HandingEvent::Listed(_) => {}
        HandingEvent::Exported { id, folder } => {
            if let Some(dialog) = dialog.filter(|d| d.id == id && d.ask == OutboxAsk::Export) {
                dialog.busy = false;
                dialog.exported = Some(folder);
            }
        }
        HandingEvent::HandedOver { id } => {
            if dialog.is_some_and(|d| d.id == id && d.ask == OutboxAsk::HandOver) {
                app.outbox_dialog = None;
            }
        }
        HandingEvent::Failed { id, failure } => match dialog.filter(|d| Some(d.id) == id && d.busy) {
            Some(dialog) => {
                dialog.busy = false;
                dialog.failure = Some(failure);
            }
            None => super::apply::notice(app, now, failure),
        },
    }
}
