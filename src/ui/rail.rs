//! The rail at a viewport's right edge: where in the stack, what of it is here, where the key images are.

use super::{strokes, theme};
use crate::viewport::Action;
use egui::{Color32, Event, Id, PointerButton, Rect, Sense, Stroke, Ui, pos2, vec2};

/// How far one frame has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FrameMark {
    /// Cannot be had or decoded.
    Failed,
    /// Shown, but it lacks pixels or its decoder met an error.
    Damaged,
    /// Not here.
    #[default]
    Missing,
    /// On this disk.
    Stored,
    /// Decoded, in memory.
    Decoded,
}

/// Width, points. The hit area is wider ([`theme::HIT`] with the picture's edge).
pub const WIDTH: f32 = 8.0;

/// What the rail tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rail<'a> {
    /// Frames of the display set.
    pub frames: usize,
    /// The one shown, from 0.
    pub position: usize,
    /// Per frame.
    pub marks: &'a [FrameMark],
    /// Places of key images.
    pub key_images: &'a [usize],
}

/// Draws the rail into the right edge of `rect` and answers to clicks and drags.
pub(super) fn rail_ui(ui: &mut Ui, id: Id, rect: Rect, rail: Rail<'_>, out: &mut Vec<Action>) {
    let Rail { frames, position, marks, key_images } = rail;
    if frames < 2 {
        return;
    }
    let track = Rect::from_min_max(pos2(rect.right() - WIDTH, rect.top()), rect.max).shrink2(vec2(2.0, 2.0));
    let hit = Rect::from_min_max(pos2(rect.right() - theme::HIT / 2.0, rect.top()), rect.max);
    let response = ui.interact(hit, id, Sense::click_and_drag());
    let label = format!("{} / {frames}", position + 1);
    response.widget_info(|| egui::WidgetInfo::slider(true, position as f64 + 1.0, &label));
    // A press, drag and release within one slow frame is nothing to egui: where the pointer was last counts.
    let pressed = ui.input(|i| {
        i.events.iter().find_map(|event| match event {
            Event::PointerButton { pos, button: PointerButton::Primary, pressed: true, .. } => Some(*pos),
            _ => None,
        })
    });
    let at_once =
        pressed.filter(|at| strokes::over(ui, &response, *at)).and_then(|_| ui.input(|i| i.pointer.latest_pos()));
    let held = response.dragged() || response.clicked() || response.is_pointer_button_down_on();
    if let Some(pointer) = response.interact_pointer_pos().filter(|_| held).or(at_once) {
        let share = ((pointer.y - track.top()) / track.height()).clamp(0.0, 1.0);
        let wanted = (f64::from(share) * frames as f64).floor().min(frames as f64 - 1.0) as usize;
        if wanted != position {
            out.push(Action::ScrollTo(wanted));
        }
    }
    let painter = ui.painter();
    let y = |frame: f32| track.top() + track.height() * frame / frames as f32;
    painter.rect_filled(track, 0.0, theme::PANEL);
    // Neighbours of one kind are one rectangle; a pixel that stands for several frames shows the worst of them.
    let rows = (track.height() * painter.pixels_per_point()).max(1.0) as usize;
    let bands = frames.min(rows);
    let band = |n: usize| {
        let (from, to) = (n * frames / bands, ((n + 1) * frames / bands).max(n * frames / bands + 1));
        marks.get(from..to.min(marks.len())).and_then(|m| m.iter().min().copied()).unwrap_or_default()
    };
    let mut from = 0;
    while from < bands {
        let kind = band(from);
        let mut to = from + 1;
        while to < bands && band(to) == kind {
            to += 1;
        }
        if let Some(color) = color(kind) {
            let scale = frames as f32 / bands as f32;
            let band = Rect::from_x_y_ranges(track.x_range(), y(from as f32 * scale)..=y(to as f32 * scale));
            painter.rect_filled(band, 0.0, color);
        }
        from = to;
    }
    for key in key_images.iter().filter(|k| **k < frames) {
        let at = y(*key as f32 + 0.5);
        painter.line_segment([pos2(track.left() - 3.0, at), pos2(track.right(), at)], Stroke::new(2.0, theme::MARK));
    }
    let height = (track.height() / frames as f32).max(3.0);
    let center = y(position as f32 + 0.5);
    let here = Rect::from_center_size(pos2(track.center().x, center), vec2(WIDTH, height));
    painter.rect_filled(here, 0.0, theme::ACCENT);
}

fn color(mark: FrameMark) -> Option<Color32> {
    match mark {
        FrameMark::Failed => Some(theme::HARM),
        FrameMark::Damaged => Some(theme::CAUTION),
        FrameMark::Missing => None,
        FrameMark::Stored => Some(theme::LINE),
        FrameMark::Decoded => Some(theme::TEXT_FAINT),
    }
}
