//! How much is here: a ring for rows, a bar for series.

use super::super::theme;
use egui::{Color32, Painter, Pos2, Rect, Stroke, pos2};
use std::f32::consts::TAU;

/// A ring filled clockwise from the top. Whole: a disc, so that "all" differs in shape too.
pub fn ring(painter: &Painter, center: Pos2, radius: f32, share: Option<f32>, color: Color32) {
    painter.circle_stroke(center, radius, Stroke::new(1.5, theme::LINE));
    let Some(share) = share.filter(|s| *s > 0.0) else { return };
    if share >= 1.0 {
        painter.circle_filled(center, radius, color);
        return;
    }
    let steps = ((share * 48.0).ceil() as usize).max(2);
    let point = |i: usize| {
        let angle = share * TAU * i as f32 / steps as f32;
        pos2(center.x + radius * angle.sin(), center.y - radius * angle.cos())
    };
    painter.line((0..=steps).map(point).collect(), Stroke::new(2.0, color));
}

/// A thin bar, filled from the left.
pub fn bar(painter: &Painter, rect: Rect, share: f32, color: Color32) {
    painter.rect_filled(rect, 0, theme::LINE);
    let mut full = rect;
    full.set_width(rect.width() * share.clamp(0.0, 1.0));
    painter.rect_filled(full, 0, color);
}
