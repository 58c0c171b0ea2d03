//! The grid of viewports: what each one shows, put together from the state.

use super::laid::LaidDrawn;
use super::picture::Pictures;
use super::rail::FrameMark;
use super::text::Words;
use super::theme;
use super::viewport_panel::{FrameState, ViewportInput, ViewportLocal, viewport_ui};
use crate::app::{Action, App, Masked, ViewAction, ViewState};
use crate::imaging::{Frame, auto_window};
use crate::study::{DisplaySet, DisplaySetId, FrameRef, SeriesUid, Voi};
use crate::viewport::{Annotation, ObjectContent, Under, ViewId};
use egui::{DragAndDrop, Rect, Stroke, Ui, pos2, vec2};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// State of the viewports' widgets.
#[derive(Debug, Default)]
pub struct GridLocal {
    views: BTreeMap<ViewId, ViewportLocal>,
    /// Windows worked out from values, where the object states none; by viewport.
    windows: BTreeMap<ViewId, (FrameRef, Voi)>,
    /// What an object lays over the frames on screen, and how a presentation state dresses them.
    over: BTreeMap<ViewId, Over>,
}

/// An object over a frame: worked out once, not at every look.
#[derive(Debug)]
struct Over {
    content: Arc<ObjectContent>,
    hidden: BTreeSet<i64>,
    at: FrameRef,
    frame: Option<Arc<Frame>>,
    dressed: Dressed,
    laid: LaidDrawn,
}

/// The frame as a presentation state shows it.
#[derive(Debug, Clone)]
enum Dressed {
    /// As it is: there is no presentation state for it.
    Not,
    /// Its mask is being subtracted, or this was not looked at yet.
    Awaited,
    /// So; and whether that was made without a mask that cannot be had.
    Here(Arc<Frame>, bool),
}

/// What lies over a viewport's frame, and the frame as a presentation state shows it.
fn over<'a>(
    ui: &Ui,
    app: &App,
    id: ViewId,
    view: &ViewState,
    known: &'a mut BTreeMap<ViewId, Over>,
) -> Option<&'a Over> {
    let found = app.laid().zip(view.frame.as_ref()).zip(app.view_set(id));
    let Some((((content, hidden), at), set)) = found else {
        known.remove(&id);
        return None;
    };
    let frame = app.pictures.frame(at);
    let same = |a: Option<&Arc<Frame>>, b: Option<&Arc<Frame>>| match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    };
    let masked = app.masked(at);
    let fresh = known.get(&id).is_some_and(|o| {
        let as_masked = match (masked, &o.dressed) {
            (Masked::Not, dressed) => !matches!(dressed, Dressed::Awaited),
            (Masked::Awaited, dressed) => matches!(dressed, Dressed::Awaited),
            (Masked::WithoutMask, dressed) => frame.is_none() || matches!(dressed, Dressed::Here(_, true)),
            (Masked::Here(made), dressed) => matches!(dressed, Dressed::Here(known, _) if Arc::ptr_eq(known, made)),
        };
        let same_object = Arc::ptr_eq(&o.content, content) && o.hidden == *hidden;
        same_object && as_masked && o.at == *at && same(o.frame.as_ref(), frame)
    });
    if !fresh {
        let info = set.info.get(view.position).cloned().unwrap_or_default();
        let under = Under {
            frame: at,
            info: &info,
            reference: set.frame_of_reference.as_deref(),
            size: [set.columns, set.rows],
            slice_mm: set.slice_spacing_mm,
        };
        let mut laid = content.laid_over(&under);
        laid.hide(hidden);
        let laid = LaidDrawn::new(ui.ctx(), laid);
        // Without a mask only what is said of the pixels changes; the pixels themselves are shared.
        let plainly = |without| {
            let dressed = content.dress(at, frame?, &[])?;
            Some(Dressed::Here(Arc::new(dressed), without))
        };
        let dressed = match masked {
            Masked::Not => plainly(false).unwrap_or(Dressed::Not),
            Masked::Awaited => Dressed::Awaited,
            Masked::WithoutMask => plainly(true).unwrap_or(Dressed::Awaited),
            Masked::Here(made) => Dressed::Here(Arc::clone(made), false),
        };
        let (content, hidden) = (Arc::clone(content), hidden.clone());
        known.insert(id, Over { content, hidden, at: at.clone(), frame: frame.cloned(), dressed, laid });
    }
    known.get(&id)
}

impl GridLocal {
    /// The window in force: the reader's, else the object's, else one from the values.
    fn voi(&mut self, app: &App, id: ViewId, view: &ViewState, dressed: Option<&Arc<Frame>>) -> Option<Voi> {
        if view.data.voi.is_some() {
            return view.data.voi;
        }
        let at = view.frame.as_ref()?;
        let frame = dressed.or_else(|| app.pictures.frame(at));
        let stated = frame.and_then(|f| f.voi.first().copied());
        let of_set = || app.view_set(id)?.info.get(view.position)?.voi.first().copied();
        stated.or_else(of_set).or_else(|| {
            let frame = frame?;
            match self.windows.get(&id) {
                Some((known, voi)) if known == at => Some(*voi),
                _ => {
                    let voi = auto_window(frame);
                    self.windows.insert(id, (at.clone(), voi));
                    Some(voi)
                }
            }
        })
    }
}

/// Draws the viewports on screen into what room there is.
pub fn grid_ui(
    ui: &mut Ui,
    words: Words,
    app: &App,
    pictures: Option<&Pictures>,
    local: &mut GridLocal,
    out: &mut Vec<Action>,
) {
    let room = ui.max_rect();
    ui.painter().rect_filled(room, 0, theme::SURROUND);
    let Some(reading) = &app.reading else { return };
    let record = &reading.record;
    let shown: Vec<ViewId> = record.shown_views().map(|(id, _)| id).collect();
    local.views.retain(|id, _| shown.contains(id));
    local.windows.retain(|id, _| shown.contains(id));
    let (rows, columns) = if record.maximised.is_some() {
        (1, 1)
    } else {
        (usize::from(record.layout.rows()), usize::from(record.layout.columns()))
    };
    for (place, id) in shown.into_iter().enumerate().take(rows * columns) {
        let rect = cell(room, rows, columns, place);
        view_ui(ui, words, app, pictures, id, rect, local, out);
    }
    let stroke = Stroke::new(1.0, theme::LINE);
    for column in 1..columns {
        let x = cell(room, rows, columns, column).left() - 0.5;
        ui.painter().vline(x, room.y_range(), stroke);
    }
    for row in 1..rows {
        let y = cell(room, rows, columns, row * columns).top() - 0.5;
        ui.painter().hline(room.x_range(), y, stroke);
    }
}

/// The place of a viewport: whole points, 1 point between neighbours.
fn cell(room: Rect, rows: usize, columns: usize, place: usize) -> Rect {
    let (row, column) = (place / columns, place % columns);
    let edge = |from: f32, length: f32, n: usize, of: usize| (from + length * n as f32 / of as f32).round();
    let left = edge(room.left(), room.width() + 1.0, column, columns);
    let right = edge(room.left(), room.width() + 1.0, column + 1, columns) - 1.0;
    let top = edge(room.top(), room.height() + 1.0, row, rows);
    let bottom = edge(room.top(), room.height() + 1.0, row + 1, rows) - 1.0;
    Rect::from_min_max(pos2(left, top), pos2(right, bottom))
}

#[expect(clippy::too_many_arguments, reason = "one viewport's share of the grid's own arguments")]
fn view_ui(
    ui: &mut Ui,
    words: Words,
    app: &App,
    pictures: Option<&Pictures>,
    id: ViewId,
    rect: Rect,
    local: &mut GridLocal,
    out: &mut Vec<Action>,
) {
    let Some(view) = app.view(id) else { return };
    let record = app.reading.as_ref().map(|r| &r.record);
    let set = app.view_set(id).map(std::convert::AsRef::as_ref);
    let study = view.study.as_ref().and_then(|uid| app.pictures.study(uid));
    let header = study.and_then(|s| s.study.as_ref());
    let dressed = over(ui, app, id, view, &mut local.over).map_or(Dressed::Not, |o| o.dressed.clone());
    let frame = match (&dressed, frame_state(app, view)) {
        (Dressed::Here(frame, _), _) => FrameState::Ready(frame),
        (Dressed::Awaited, FrameState::Ready(_)) => FrameState::Arriving,
        (_, state) => state,
    };
    let dressed = if let Dressed::Here(frame, _) = &dressed { Some(frame) } else { None };
    let voi = local.voi(app, id, view, dressed);
    let annotations: Vec<&Annotation> = app.annotations().filter(|a| view.frame.as_ref() == Some(&a.frame)).collect();
    let marks = set.map_or_else(Vec::new, |set| frame_marks(app, view, set));
    let keys = set.map_or_else(Vec::new, |set| key_images(app, set));
    let input = ViewportInput {
        id,
        active: app.active_view() == Some(id),
        patient: header.map(|s| &s.patient),
        study_date: header.and_then(|s| s.date),
        study_description: header.map_or("", |s| s.description.as_str()),
        prior: record.is_some_and(|r| view.study.as_ref().is_some_and(|uid| r.priors.contains(uid))),
        set,
        position: view.position,
        frame,
        view: view.view,
        data: view.data,
        voi,
        tool: record.map(|r| r.tool).unwrap_or_default(),
        annotations: &annotations,
        chosen: app.report.as_ref().and_then(|r| r.chosen),
        link: app.link_mark(id),
        orientation_assumed: view.orientation_assumed,
        marks: &marks,
        key_images: &keys,
        laid: local.over.get(&id).map(|o| &o.laid).filter(|l| !l.is_empty()),
        level: app.settings.overlay,
        nearest_from: NEAREST_FROM,
        words,
    };
    let mut wanted = Vec::new();
    let panel = local.views.entry(id).or_default();
    viewport_ui(ui, rect, &input, pictures, panel, &mut wanted);
    out.extend(wanted.into_iter().map(|action| Action::Viewport(id, action)));
    if let Some(missing) = view.missing.as_ref().filter(|_| set.is_none()) {
        let at = rect.center() + vec2(0.0, 24.0);
        let text = words.f("reading.view_missing", &[("view", missing)]);
        ui.painter().text(at, egui::Align2::CENTER_CENTER, text, theme::font(theme::BODY), theme::CAUTION);
    }
    drop_target(ui, id, rect, out);
}

/// From here on single image pixels are large enough to be wanted as such.
const NEAREST_FROM: f64 = 8.0;

fn frame_state<'a>(app: &'a App, view: &ViewState) -> FrameState<'a> {
    let Some(at) = &view.frame else { return FrameState::Arriving };
    if let Some(frame) = app.pictures.frame(at) {
        return FrameState::Ready(frame);
    }
    app.pictures.failed.get(at).map_or(FrameState::Arriving, FrameState::Failed)
}

fn frame_marks(app: &App, view: &ViewState, set: &DisplaySet) -> Vec<FrameMark> {
    let study = view.study.as_ref().and_then(|uid| app.pictures.study(uid));
    let stations = set.detail.stations.iter().map(|s| &s.series);
    let uids: BTreeSet<&SeriesUid> = stations.chain([&set.id.series]).collect();
    let series: Vec<_> = uids.into_iter().filter_map(|uid| study?.ledger.series.get(uid)).collect();
    let mark = |frame: &FrameRef| {
        let failed = app.pictures.failed.contains_key(frame);
        if app.pictures.damaged.contains(frame) && !failed {
            FrameMark::Damaged
        } else if app.pictures.frames.contains_key(frame) {
            FrameMark::Decoded
        } else if failed || series.iter().any(|s| s.failed.contains_key(&frame.instance)) {
            FrameMark::Failed
        } else if series.iter().any(|s| s.received.contains(&frame.instance))
            // Local files are all here.
            || (series.is_empty() && app.access.local)
        {
            FrameMark::Stored
        } else {
            FrameMark::Missing
        }
    };
    set.frames.iter().map(mark).collect()
}

fn key_images(app: &App, set: &DisplaySet) -> Vec<usize> {
    let draft = app.report.as_ref().and_then(|r| r.draft());
    let keys = draft.into_iter().flat_map(|d| &d.findings).filter_map(|f| f.key_image.as_ref());
    keys.filter_map(|key| set.frames.iter().position(|f| *f == key.frame)).collect()
}

/// A series dragged from the tray and let go here is shown here.
fn drop_target(ui: &Ui, id: ViewId, rect: Rect, out: &mut Vec<Action>) {
    if !DragAndDrop::has_payload_of_type::<DisplaySetId>(ui.ctx()) || !ui.rect_contains_pointer(rect) {
        return;
    }
    ui.painter().rect_stroke(rect, 0, theme::focus(), egui::StrokeKind::Inside);
    if ui.input(|i| i.pointer.any_released())
        && let Some(set) = DragAndDrop::take_payload::<DisplaySetId>(ui.ctx())
    {
        out.push(Action::View(id, ViewAction::Show((*set).clone())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_fill_the_room_with_one_point_between() {
        let room = Rect::from_min_size(pos2(108.0, 32.0), vec2(1131.0, 733.0));
        for (rows, columns) in [(1, 1), (1, 2), (2, 2), (2, 4), (3, 3)] {
            let cells: Vec<Rect> = (0..rows * columns).map(|n| cell(room, rows, columns, n)).collect();
            assert_eq!(cells[0].min, room.min);
            assert_eq!(cells[rows * columns - 1].max, room.max);
            for pair in cells.windows(2).filter(|p| p[0].top() == p[1].top()) {
                assert_eq!(pair[1].left() - pair[0].right(), 1.0);
            }
            assert!(cells.iter().all(|c| c.width() > 100.0 && c.height() > 100.0));
        }
    }
}
