//! Scrolling, alone or linked in mm.
//!
//! While linked, each viewport has an anchor: its position along its own normal that counts as equal to the
//! others' anchors. In one frame of reference anchors are the same patient plane; between studies they are
//! what was on screen together, so the offset that the reader chose is kept and rounding never adds up.

use super::state::App;
use crate::study::DisplaySet;
use crate::viewport::ViewId;
use glam::DVec3;
use jiff::Timestamp;

/// Normal of a stack, if its frames lie in the patient.
fn normal(set: &DisplaySet) -> Option<DVec3> {
    if set.frames.len() < 2 {
        return None;
    }
    set.info.iter().find_map(|i| i.plane).map(|p| p.normal())
}

/// Position of a frame along a direction, at the middle of the picture, mm.
fn along(set: &DisplaySet, place: usize, direction: DVec3) -> Option<f64> {
    let plane = set.info.get(place)?.plane?;
    let middle = plane.patient_from_pixel(f64::from(set.columns) / 2.0, f64::from(set.rows) / 2.0);
    Some(middle.dot(direction))
}

fn nearest(set: &DisplaySet, wanted_mm: f64, direction: DVec3) -> Option<usize> {
    (0..set.frames.len())
        .filter_map(|i| along(set, i, direction).map(|mm| (i, (mm - wanted_mm).abs())))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(i, _)| i)
}

fn put(app: &mut App, id: ViewId, place: usize) {
    let Some(set) = app.view_set(id).cloned() else { return };
    let Some(reading) = &mut app.reading else { return };
    let Some(view) = reading.record.views.get_mut(id.0 as usize) else { return };
    let place = place.min(set.frames.len().saturating_sub(1));
    match place.cmp(&view.position) {
        std::cmp::Ordering::Less => view.direction = -1,
        std::cmp::Ordering::Greater => view.direction = 1,
        std::cmp::Ordering::Equal => {}
    }
    view.position = place;
    view.frame = set.frames.get(place).cloned();
}

/// Goes to a place in the stack (ends are held); linked viewports come along.
pub(super) fn go_to(app: &mut App, now: Timestamp, id: ViewId, place: usize) {
    put(app, id, place);
    if let Some(reading) = &mut app.reading {
        reading.touch(now);
    }
    follow(app, id);
}

/// Sets the anchors from what is on screen, the active viewport being the reference; viewports in its frame
/// of reference go to the same patient plane.
pub(super) fn anchor(app: &mut App) {
    let Some(active) = app.active_view() else { return };
    let reference = app.view(active).and_then(|view| {
        let set = app.view_set(active)?.clone();
        let n = normal(&set)?;
        let plane = set.info.get(view.position)?.plane?;
        let middle = plane.patient_from_pixel(f64::from(set.columns) / 2.0, f64::from(set.rows) / 2.0);
        Some((set, n, middle))
    });
    let number = app.reading.as_ref().map_or(0, |r| r.record.views.len());
    let mut anchors = vec![None; number];
    for (i, anchor) in anchors.iter_mut().enumerate() {
        let id = ViewId(i as u32);
        let (Some(view), Some(set)) = (app.view(id), app.view_set(id)) else { continue };
        let Some(own) = normal(set) else { continue };
        let shared = reference.as_ref().filter(|(r, n, _)| {
            r.frame_of_reference.is_some() && r.frame_of_reference == set.frame_of_reference && n.dot(own).abs() > 0.9
        });
        *anchor = match shared {
            Some((_, _, middle)) => Some(middle.dot(own)),
            None => along(set, view.position, own),
        };
    }
    if let Some(reading) = &mut app.reading {
        for (view, anchor) in reading.record.views.iter_mut().zip(anchors) {
            view.anchor_mm = anchor;
        }
    }
    follow(app, active);
}

/// Brings the other viewports to where the source is, in mm from the anchors. Nothing if not linked.
pub(super) fn follow(app: &mut App, source: ViewId) {
    let Some(reading) = app.reading.as_ref().filter(|r| r.record.linked) else { return };
    let moved = reading.record.view(source).and_then(|view| {
        let set = app.view_set(source)?;
        let n = normal(set)?;
        Some((along(set, view.position, n)? - view.anchor_mm?, n))
    });
    let Some((by_mm, direction)) = moved else { return };
    let mut places = Vec::new();
    for (i, view) in reading.record.views.iter().enumerate() {
        let id = ViewId(i as u32);
        let (Some(anchor), Some(set)) = (view.anchor_mm, app.view_set(id)) else { continue };
        let Some(own) = normal(set).filter(|_| id != source) else { continue };
        let agreement = direction.dot(own);
        if agreement.abs() > 0.9
            && let Some(place) = nearest(set, anchor + by_mm * agreement.signum(), own)
        {
            places.push((id, place));
        }
    }
    for (id, place) in places {
        put(app, id, place);
    }
}

/// Links or unlinks.
pub(super) fn toggle(app: &mut App, now: Timestamp) {
    let Some(reading) = &mut app.reading else { return };
    reading.record.linked = !reading.record.linked;
    reading.touch(now);
    if reading.record.linked {
        anchor(app);
    } else {
        for view in &mut reading.record.views {
            view.anchor_mm = None;
        }
    }
}
