//! The millimetre scale at the picture's edge.

use super::corners::number;
use super::overlay::{MARGIN, line};
use super::theme;
use super::viewport_panel::ViewportInput;
use crate::viewport::{Geometry, scale_bar_mm};
use egui::{Align2, Painter, Rect, Stroke, pos2};

/// Upright at the left edge, in the lower half; on mammograms on the side that the texts are on.
pub(super) fn scale_bar(painter: &Painter, rect: Rect, input: &ViewportInput<'_>, geometry: &Geometry) {
    let Some(set) = input.set else {
        return;
    };
    let Some(spacing) = set.spacing_mm(input.position) else {
        return;
    };
    // Upright at the left edge, lower half: along rows, or along columns where the picture lies on its side.
    let turned = usize::from(input.view.quarter_turns % 2 == 1);
    let px_per_mm = geometry.axis_scale()[1 - turned] / spacing[turned];
    let ppp = f64::from(painter.pixels_per_point());
    let Some(mm) = scale_bar_mm(ppp / px_per_mm, f64::from(rect.height()) * 0.25) else {
        return;
    };
    let length = (mm * px_per_mm / ppp) as f32;
    if length < 12.0 {
        return;
    }
    // Beside the orientation letter; on mammograms on the side that the texts are on.
    let right = set.modality == "MG" && input.view.justify < 0;
    let x = if right { rect.right() - MARGIN - 2.0 } else { rect.left() + MARGIN + 2.0 };
    let top = rect.center().y + 16.0;
    let stroke = Stroke::new(1.0, theme::TEXT_STRONG);
    let inward = if right { -5.0 } else { 5.0 };
    // The dark edge first: a white picture must not swallow the bar.
    for stroke in [Stroke::new(3.0, theme::SURROUND), stroke] {
        painter.line_segment([pos2(x, top), pos2(x, top + length)], stroke);
        for y in [top, top + length] {
            painter.line_segment([pos2(x, y), pos2(x + inward, y)], stroke);
        }
    }
    let text = format!("{} mm", number(mm));
    let align = if right { Align2::RIGHT_CENTER } else { Align2::LEFT_CENTER };
    line(painter, pos2(x + inward * 1.6, top + length / 2.0), align, &text, theme::TEXT, rect.width() / 3.0);
}
