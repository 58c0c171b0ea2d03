//! Numbers that the reader measures: from stored values, through `imaging`, never from the screen.

use super::notice::NoticeCode;
use super::state::App;
use crate::imaging::{EllipseRoi, Frame, auto_window, length_mm};
use crate::report::Edit;
use crate::study::{DisplaySet, FrameRef, Voi};
use crate::viewport::{Annotation, AnnotationId, Measured, Shape, ViewId};

/// Measures a shape. A length needs only the spacing (pixels where there is none, and says so); values need
/// the frame: `None` until it is there.
pub(super) fn measure(shape: &Shape, spacing_mm: Option<[f64; 2]>, frame: Option<&Frame>) -> Option<Measured> {
    match *shape {
        Shape::Length { a, b } => Some(match spacing_mm {
            Some(spacing) => Measured::Length { value: length_mm(a, b, spacing), unit: "mm".into() },
            None => Measured::Length { value: length_mm(a, b, [1.0, 1.0]), unit: "px".into() },
        }),
        Shape::Probe { at } => {
            let frame = frame?;
            let inside = at.iter().all(|v| v.is_finite() && *v > -0.5);
            let [column, row] = at.map(|v| v.round().max(0.0) as u32);
            let value = if inside { frame.modality_value(column, row) } else { None };
            Some(Measured::Value { value, unit: frame.unit.clone() })
        }
        Shape::Ellipse { center, half } => {
            let frame = frame?;
            let Some(s) = (EllipseRoi { center, half }).statistics(frame, spacing_mm) else {
                // Colour, or nothing but padding inside: there is no number, and that is the answer.
                return Some(Measured::Value { value: None, unit: frame.unit.clone() });
            };
            Some(Measured::Region {
                mean: s.mean,
                sd: s.sd,
                min: s.min,
                max: s.max,
                area_mm2: s.area_mm2,
                count: s.count as u64,
                unit: frame.unit.clone(),
            })
        }
    }
}

fn measured_on(app: &App, frame: &FrameRef, shape: &Shape) -> Option<Measured> {
    let spacing = app.pictures.locate(frame).and_then(|(set, place)| set.spacing_mm(place));
    measure(shape, spacing, app.pictures.frame(frame).map(std::convert::AsRef::as_ref))
}

/// Every number of the geometry is finite.
fn sound(shape: &Shape) -> bool {
    let points = match *shape {
        Shape::Length { a, b } => [a, b],
        Shape::Probe { at } => [at, at],
        Shape::Ellipse { center, half } => [center, half],
    };
    points.iter().flatten().all(|v| v.is_finite())
}

/// Puts a new or changed annotation where it belongs: into the draft while that may be edited, else loose.
/// Gives its number.
pub(super) fn put(app: &mut App, mut annotation: Annotation) -> Option<AnnotationId> {
    if !sound(&annotation.shape) {
        return None;
    }
    annotation.measured = measured_on(app, &annotation.frame, &annotation.shape);
    let is_loose = app.reading.as_ref().is_some_and(|r| r.loose.iter().any(|a| a.id == annotation.id));
    if let Some(report) = app.report.as_mut().filter(|r| r.editable() && !is_loose) {
        let history = report.history.as_mut()?;
        let (id, next) = (annotation.id, history.draft().next_id);
        history.apply(Edit::PutAnnotation(annotation));
        let id = if id == AnnotationId(0) { AnnotationId(next) } else { id };
        report.saving.changed_at = Some(app.now);
        report.chosen = Some(id);
        return Some(id);
    }
    let reading = app.reading.as_mut()?;
    if annotation.id == AnnotationId(0) {
        reading.next_loose += 1;
        // From the top down, so that a loose number never names one of the draft's.
        annotation.id = AnnotationId(u64::MAX - reading.next_loose);
    } else if !is_loose {
        return None;
    }
    let id = annotation.id;
    reading.loose.retain(|a| a.id != id);
    reading.loose.push(annotation);
    Some(id)
}

/// Draws a shape on the frame that a viewport shows.
pub(super) fn add(app: &mut App, view: ViewId, shape: Shape) -> Option<AnnotationId> {
    let frame = app.view(view)?.frame.clone()?;
    draw(app, Annotation { id: AnnotationId(0), frame, shape, measured: None })
}

/// As [`put`], by the reader's hand: what measures values is not drawn where other ones are on screen.
pub(super) fn draw(app: &mut App, annotation: Annotation) -> Option<AnnotationId> {
    if !matches!(annotation.shape, Shape::Length { .. }) && app.other_values(&annotation.frame) {
        app.notices.add(app.now, NoticeCode::UnderPresentationState);
        return None;
    }
    put(app, annotation)
}

/// Takes an annotation away.
pub(super) fn remove(app: &mut App, id: AnnotationId) {
    if let Some(reading) = &mut app.reading {
        reading.loose.retain(|a| a.id != id);
    }
    if let Some(report) = app.report.as_mut().filter(|r| r.editable())
        && let Some(history) = &mut report.history
        && history.apply(Edit::RemoveAnnotation(id))
    {
        report.saving.changed_at = Some(app.now);
        report.chosen = report.chosen.filter(|c| *c != id);
    }
}

/// A frame has come: measures what was waiting for it.
pub(super) fn frame_arrived(app: &mut App, frame: &FrameRef) {
    let waiting = |a: &&Annotation| a.measured.is_none() && &a.frame == frame;
    let all: Vec<Annotation> = app.annotations().filter(waiting).cloned().collect();
    for annotation in all {
        put(app, annotation);
    }
}

/// Frames that annotations wait for.
pub(super) fn frames_waited_for(app: &App) -> impl Iterator<Item = &FrameRef> {
    app.annotations().filter(|a| a.measured.is_none()).map(|a| &a.frame)
}

/// The window that a frame is seen in: the reader's, else the frame's own, else one from its values.
pub(super) fn shown_voi(app: &App, view: ViewId) -> Option<Voi> {
    app.view(view)?.data.voi.or_else(|| own_voi(app, view))
}

/// The frame's own first window, else one from its values (if they are here).
pub(super) fn own_voi(app: &App, view: ViewId) -> Option<Voi> {
    let state = app.view(view)?;
    let stored = |set: &DisplaySet| set.info.get(state.position).and_then(|i| i.voi.first().copied());
    let frame = state.frame.as_ref().and_then(|f| app.shown_frame(f));
    frame
        .as_ref()
        .and_then(|f| f.voi.first().copied())
        .or_else(|| app.view_set(view).and_then(|s| stored(s)))
        .or_else(|| frame.map(|f| auto_window(&f)))
}
