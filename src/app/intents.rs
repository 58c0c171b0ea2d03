//! Named intents (keys, palette, buttons) carried out as actions on what is active.

use super::action::{Action, LayoutAction, OutboxAction, ReportAction, SettingsAction, SignAction, WorklistAction};
use super::keymap::Intent;
use super::reporting::SignFlow;
use super::state::{App, Place};
use super::update;
use crate::engine::message::Command;
use crate::viewport::{Action as View, Tool, ViewId};
use jiff::Timestamp;

/// Slices that page up and page down move by.
const PAGE: i32 = 10;

/// Carries an intent out.
pub(super) fn act(app: &mut App, now: Timestamp, intent: Intent, out: &mut Vec<Command>) {
    if let Some(action) = action_of(app, intent) {
        update::act(app, now, action, out);
    }
}

fn action_of(app: &App, intent: Intent) -> Option<Action> {
    let active = app.active_view();
    let on_view = |action: View| active.map(|id| Action::Viewport(id, action));
    let list = |action: WorklistAction| Some(Action::Worklist(action));
    let report = |action: ReportAction| Some(Action::Report(action));
    let tool = |tool: Tool| Some(Action::Layout(LayoutAction::Tool(tool)));
    let layout = |action: LayoutAction| Some(Action::Layout(action));
    match intent {
        Intent::Preset(n) => on_view(View::Preset(n)),
        Intent::NextStep => layout(LayoutAction::NextStep(true)),
        Intent::PreviousStep => layout(LayoutAction::NextStep(false)),
        Intent::NextSeries => on_view(View::StepDisplaySet(1)),
        Intent::PreviousSeries => on_view(View::StepDisplaySet(-1)),
        Intent::NextSlice => on_view(View::Scroll(1)),
        Intent::PreviousSlice => on_view(View::Scroll(-1)),
        Intent::PageDown => on_view(View::Scroll(PAGE)),
        Intent::PageUp => on_view(View::Scroll(-PAGE)),
        Intent::FirstSlice => on_view(View::ScrollTo(0)),
        Intent::LastSlice => on_view(View::ScrollTo(usize::MAX)),
        Intent::NextView => {
            let shown: Vec<ViewId> = app.reading.as_ref()?.record.shown_views().map(|(id, _)| id).collect();
            let at = shown.iter().position(|id| Some(*id) == active)?;
            shown.get((at + 1) % shown.len()).map(|id| Action::Layout(LayoutAction::Activate(*id)))
        }
        Intent::Fit => on_view(View::Fit),
        Intent::OneToOne => on_view(View::OneToOne),
        Intent::Reset => on_view(View::Reset),
        Intent::Invert => on_view(View::Invert),
        Intent::NextVoi => on_view(View::NextVoi),
        Intent::ToggleOverlays => on_view(View::ToggleOverlays),
        Intent::ToggleShutters => on_view(View::ToggleShutters),
        Intent::FlipHorizontal => on_view(View::FlipHorizontal),
        Intent::FlipVertical => on_view(View::FlipVertical),
        Intent::Rotate => on_view(View::Rotate(1)),
        Intent::ToolScroll => tool(Tool::Scroll),
        Intent::ToolWindow => tool(Tool::Window),
        Intent::ToolPan => tool(Tool::Pan),
        Intent::ToolZoom => tool(Tool::Zoom),
        Intent::ToolLength => tool(Tool::Length),
        Intent::ToolEllipse => tool(Tool::Ellipse),
        Intent::ToolProbe => tool(Tool::Probe),
        Intent::KeyImage => report(ReportAction::KeyImage),
        Intent::ToggleLink => layout(LayoutAction::ToggleLink),
        Intent::ToggleTexts => on_view(View::CycleTexts),
        Intent::ToggleMaximise => on_view(View::ToggleMaximise),
        Intent::ToggleCine => active.map(|id| Action::View(id, super::action::ViewAction::ToggleCine)),
        Intent::ToggleReport => layout(LayoutAction::ToggleReport),
        Intent::NewFinding => report(ReportAction::NewFinding),
        Intent::Sign => Some(Action::Sign(SignAction::Begin)),
        Intent::Undo => report(ReportAction::Undo),
        Intent::Redo => report(ReportAction::Redo),
        Intent::Save => report(ReportAction::Save),
        Intent::SelectNext => list(WorklistAction::Move(1)),
        Intent::SelectPrevious => list(WorklistAction::Move(-1)),
        Intent::OpenSelected => app.worklist.selected.clone().and_then(|id| list(WorklistAction::Open(id))),
        Intent::TogglePreview => list(WorklistAction::TogglePreview),
        Intent::Refresh => list(WorklistAction::Refresh),
        Intent::ShowWorklist => Some(Action::Go(Place::Worklist)),
        Intent::ShowOutbox => Some(Action::Go(Place::Outbox)),
        Intent::SendNow => Some(Action::Outbox(OutboxAction::SendNow)),
        Intent::Settings => Some(Action::Settings(SettingsAction::ToggleDialog)),
        Intent::Lock => Some(Action::Access(super::action::AccessAction::Lock)),
        Intent::Cancel => cancel(app),
        // The caret, the palette and the card of keys are `ui`'s own.
        Intent::SwitchFocus | Intent::Palette | Intent::Help | Intent::FocusSearch => None,
    }
}

/// Closes what lies on top.
fn cancel(app: &App) -> Option<Action> {
    if app.outbox_dialog.is_some() {
        return Some(Action::Outbox(OutboxAction::Close));
    }
    if app.archives.dialog.is_some() {
        return Some(Action::Archive(super::action::ArchiveAction::Close));
    }
    if app.settings.dialog_open {
        return Some(Action::Settings(SettingsAction::ToggleDialog));
    }
    if app.worklist.return_dialog.is_some() {
        return Some(Action::Worklist(WorklistAction::CancelReturn));
    }
    if let Some(report) = &app.report {
        match &report.sign {
            SignFlow::Writing => {}
            // What is signed cannot be cancelled; the panel closes with "next" only.
            SignFlow::Signed { .. } => return None,
            _ => return Some(Action::Sign(SignAction::Cancel)),
        }
    }
    let maximised = app.reading.as_ref().and_then(|r| r.record.maximised);
    maximised.map(|id| Action::Layout(LayoutAction::ToggleMaximise(ViewId(id))))
}
