//! What is painted over a picture: corner texts, orientation letters, scale bar, truth light.

use super::corners::{Line, Tone, corners, spoiled};
use super::scale_bar::scale_bar;
use super::theme;
use super::viewport_panel::ViewportInput;
use crate::app::OverlayLevel;
use crate::viewport::{Fidelity, Geometry, edge_letters};
use egui::{Align2, Color32, Painter, Pos2, Rect, Stroke, pos2, vec2};

/// Margin and line height, points.
pub(super) const MARGIN: f32 = 6.0;
const LINE_HEIGHT: f32 = 14.0;

fn color(tone: Tone) -> Color32 {
    match tone {
        Tone::Strong => theme::TEXT_STRONG,
        Tone::Plain => theme::TEXT,
        Tone::Caution => theme::CAUTION,
    }
}

/// One line, cut with an ellipsis where it is too long, with a thin dark edge against bright pictures.
pub(super) fn line(painter: &Painter, at: Pos2, align: Align2, text: &str, color: Color32, width: f32) -> Rect {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), theme::font(theme::CAPTION), color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(8.0));
    let galley = painter.layout_job(job);
    let rect = align.anchor_size(at, galley.size());
    for by in [vec2(1.0, 0.0), vec2(-1.0, 0.0), vec2(0.0, 1.0), vec2(0.0, -1.0)] {
        painter.galley_with_override_text_color(rect.min + by, galley.clone(), theme::SURROUND);
    }
    painter.galley(rect.min, galley, color);
    rect
}

/// Paints corner texts, orientation letters, scale bar and truth light into the picture's rectangle.
pub(super) fn paint(
    painter: &Painter,
    rect: Rect,
    input: &ViewportInput<'_>,
    geometry: &Geometry,
    shown: Fidelity,
    probe: Option<&str>,
) {
    let corners = corners(input, geometry, shown, probe);
    // Mammograms: all texts on the side away from the chest wall.
    let side = input.set.filter(|s| s.modality == "MG").map_or(0, |_| input.view.justify.signum());
    let light = !matches!(shown, Fidelity::None) && input.level != OverlayLevel::None;
    let width = if side == 0 { rect.width() / 2.0 - 2.0 * MARGIN } else { rect.width() * 0.4 };
    let draw = |lines: &[Line], left: bool, top: bool, offset: f32| {
        let x = if left { rect.left() + MARGIN } else { rect.right() - MARGIN };
        let count = lines.len() as f32;
        for (n, text) in lines.iter().enumerate() {
            let y = if top {
                rect.top() + MARGIN + offset + n as f32 * LINE_HEIGHT
            } else {
                rect.bottom() - MARGIN - offset - (count - n as f32) * LINE_HEIGHT
            };
            // The truth light stands before the last line at the bottom left.
            let is_truth = !top && std::ptr::eq(lines, corners.bottom_left.as_slice()) && n + 1 == lines.len() && light;
            let align = if left { Align2::LEFT_TOP } else { Align2::RIGHT_TOP };
            let room = if is_truth && left { LINE_HEIGHT } else { 0.0 };
            let drawn = line(painter, pos2(x + room, y), align, &text.text, color(text.tone), width - room);
            if is_truth {
                let at = if left { pos2(x + 5.0, y + 6.0) } else { pos2(drawn.left() - 9.0, y + 6.0) };
                truth_light(painter, at, shown, spoiled(input));
            }
        }
    };
    let height = |lines: &[Line]| lines.len() as f32 * LINE_HEIGHT;
    match side {
        0 => {
            draw(&corners.top_left, true, true, 0.0);
            draw(&corners.top_right, false, true, 0.0);
            draw(&corners.bottom_left, true, false, 0.0);
            draw(&corners.bottom_right, false, false, 0.0);
        }
        side => {
            // Flush left (-1): the free side is the right one.
            let left = side > 0;
            draw(&corners.top_left, left, true, 0.0);
            draw(&corners.top_right, left, true, height(&corners.top_left) + MARGIN);
            draw(&corners.bottom_left, left, false, 0.0);
            draw(&corners.bottom_right, left, false, height(&corners.bottom_left) + MARGIN);
        }
    }
    letters(painter, rect, input, geometry);
    if input.level != OverlayLevel::None {
        scale_bar(painter, rect, input, geometry);
    }
}

fn letters(painter: &Painter, rect: Rect, input: &ViewportInput<'_>, geometry: &Geometry) {
    let Some(edges) = input.set.and_then(|s| edge_letters(s, input.position, geometry)) else {
        return;
    };
    let mark = if input.orientation_assumed { "?" } else { "" };
    let center = rect.center();
    let places = [
        (pos2(rect.left() + MARGIN, center.y), Align2::LEFT_CENTER),
        (pos2(center.x, rect.top() + MARGIN), Align2::CENTER_TOP),
        (pos2(rect.right() - MARGIN, center.y), Align2::RIGHT_CENTER),
        (pos2(center.x, rect.bottom() - MARGIN), Align2::CENTER_BOTTOM),
    ];
    for ((at, align), text) in places.into_iter().zip(edges) {
        if !text.is_empty() {
            let tone = if mark.is_empty() { theme::TEXT_STRONG } else { theme::CAUTION };
            line(painter, at, align, &format!("{text}{mark}"), tone, 60.0);
        }
    }
}

/// A shape for each truth: full disc, filling ring, open diamond; a cross for a damaged picture.
fn truth_light(painter: &Painter, at: Pos2, shown: Fidelity, spoiled: bool) {
    let radius = 4.0;
    match shown {
        Fidelity::Exact | Fidelity::Reduced(_) if spoiled => {
            for tip in [vec2(radius, radius), vec2(radius, -radius)] {
                painter.line_segment([at - tip, at + tip], Stroke::new(2.0, theme::CAUTION));
            }
        }
        Fidelity::Exact => {
            painter.circle_stroke(at, radius, Stroke::new(1.0, theme::OK));
            painter.circle_filled(at, radius - 2.0, theme::OK);
        }
        Fidelity::Arriving(share) => {
            painter.circle_stroke(at, radius, Stroke::new(1.0, theme::CAUTION));
            painter.circle_filled(at, (radius - 1.0) * share.clamp(0.0, 1.0), theme::CAUTION);
        }
        Fidelity::Reduced(_) => {
            let tips = [vec2(0.0, -radius), vec2(radius, 0.0), vec2(0.0, radius), vec2(-radius, 0.0)].map(|d| at + d);
            painter.add(egui::Shape::closed_line(tips.to_vec(), Stroke::new(1.0, theme::TEXT)));
        }
        Fidelity::None => {}
    }
}
