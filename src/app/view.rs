//! One viewport: intents of pointer and keys.

use super::presets::presets;
use super::reading::{Cine, ViewState};
use super::state::App;
use super::{link, measure, place, setting, write};
use crate::engine::message::Command;
use crate::viewport::{Action, Tool, ViewId};
use jiff::Timestamp;

/// Cine speed where the object recommends none, frames per second: fluoroscopy of the stomach runs at 15.
const CINE_HZ: f64 = 15.0;

pub(super) fn act(app: &mut App, now: Timestamp, id: ViewId, action: Action, out: &mut Vec<Command>) {
    if app.view(id).is_none() {
        return;
    }
    match action {
        Action::Activate => activate(app, now, id),
        Action::ToggleMaximise => maximise(app, now, id),
        Action::Scroll(by) => {
            let at = app.view(id).map_or(0, |v| v.position);
            stop_cine(app, id);
            link::go_to(app, now, id, at.saturating_add_signed(by as isize));
        }
        Action::ScrollTo(place) => {
            stop_cine(app, id);
            link::go_to(app, now, id, place);
        }
        Action::StepDisplaySet(by) => place::step_set(app, now, id, by),
        Action::Preset(n) => preset(app, now, id, n),
        Action::NextVoi => next_voi(app, now, id),
        Action::Reset => with(app, now, id, |view| {
            view.view = view.hung;
            view.data = view.hung_data;
        }),
        Action::UseTool(tool) => self::tool(app, now, tool),
        Action::AddShape(shape) => {
            measure::add(app, id, shape);
        }
        Action::PutAnnotation(annotation) => {
            measure::draw(app, annotation);
        }
        Action::ChooseAnnotation(chosen) => {
            if let Some(report) = &mut app.report {
                report.chosen = chosen;
            }
        }
        Action::RemoveAnnotation(annotation) => measure::remove(app, annotation),
        Action::CycleTexts => setting::cycle_overlay(app, out),
        Action::ToggleKeyImage => write::key_image(app, now, id, true),
        presentation => with(app, now, id, |view| {
            presentation.present(&mut view.view, &mut view.data);
        }),
    }
}

fn with(app: &mut App, now: Timestamp, id: ViewId, change: impl FnOnce(&mut ViewState)) {
    let Some(reading) = &mut app.reading else { return };
    if let Some(view) = reading.record.views.get_mut(id.0 as usize) {
        change(view);
        reading.touch(now);
    }
}

/// Makes a viewport the active one.
pub(super) fn activate(app: &mut App, now: Timestamp, id: ViewId) {
    let Some(reading) = &mut app.reading else { return };
    if (id.0 as usize) < reading.record.views.len() {
        reading.record.active = id.0;
        reading.touch(now);
    }
}

/// One viewport alone, or all again.
pub(super) fn maximise(app: &mut App, now: Timestamp, id: ViewId) {
    activate(app, now, id);
    if let Some(reading) = &mut app.reading {
        let known = (id.0 as usize) < reading.record.views.len();
        let record = &mut reading.record;
        record.maximised = if record.maximised.is_some() { None } else { known.then_some(id.0) };
        reading.touch(now);
    }
}

/// The left button's tool.
pub(super) fn tool(app: &mut App, now: Timestamp, tool: Tool) {
    if let Some(reading) = &mut app.reading {
        reading.record.tool = tool;
        reading.touch(now);
    }
}

fn preset(app: &mut App, now: Timestamp, id: ViewId, number: u8) {
    let modality = app.view_set(id).map(|s| s.modality.clone()).unwrap_or_default();
    let preset = usize::from(number).checked_sub(1).and_then(|n| presets(&modality).get(n));
    // CT presets need no window of the frame; the others are relative to it.
    let own = measure::own_voi(app, id).or((modality == "CT").then_some(crate::study::Voi::linear(0.0, 1.0)));
    if let (Some(preset), Some(own)) = (preset, own) {
        let voi = preset.voi(own);
        with(app, now, id, |view| view.data.voi = Some(voi));
    }
}

/// The choice after the one in force, of those that the frame brings; from any other window to the first.
fn next_voi(app: &mut App, now: Timestamp, id: ViewId) {
    let shown = measure::shown_voi(app, id);
    let frame = app.view(id).and_then(|v| v.frame.as_ref()).and_then(|f| app.shown_frame(f));
    let Some(frame) = frame else { return };
    let next = frame.voi.iter().position(|v| Some(*v) == shown).map_or(0, |at| (at + 1) % frame.voi.len());
    if let Some(voi) = frame.voi.get(next).copied() {
        with(app, now, id, |view| view.data.voi = Some(voi));
    }
}

fn stop_cine(app: &mut App, id: ViewId) {
    if let Some(view) = app.reading.as_mut().and_then(|r| r.record.views.get_mut(id.0 as usize)) {
        view.cine = None;
    }
}

/// Starts or stops a cine loop; a single frame has none.
pub(super) fn toggle_cine(app: &mut App, now: Timestamp, id: ViewId) {
    let set = app.view_set(id);
    let frames = set.map_or(0, |s| s.frames.len());
    let stated = set.and_then(|s| s.info.first()).and_then(|i| i.cine_rate_hz);
    let rate_hz = stated.filter(|r| r.is_finite()).map_or(CINE_HZ, |r| r.clamp(1.0, 60.0));
    if let Some(view) = app.reading.as_mut().and_then(|r| r.record.views.get_mut(id.0 as usize)) {
        view.cine = match view.cine {
            Some(_) => None,
            None => (frames > 1).then_some(Cine { rate_hz, at: now }),
        };
    }
}

/// Cine speed, held between 1 and 60.
pub(super) fn cine_rate(app: &mut App, id: ViewId, rate_hz: f64) {
    if let Some(view) = app.reading.as_mut().and_then(|r| r.record.views.get_mut(id.0 as usize))
        && let Some(cine) = view.cine.as_mut().filter(|_| rate_hz.is_finite())
    {
        cine.rate_hz = rate_hz.clamp(1.0, 60.0);
    }
}

/// Empties a viewport.
pub(super) fn clear(app: &mut App, now: Timestamp, id: ViewId) {
    if let Some(reading) = &mut app.reading {
        reading.record.by_hand = true;
    }
    with(app, now, id, |view| *view = ViewState::empty());
}
