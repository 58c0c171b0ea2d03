//! Measurements drawn on the picture, each with its value.

use super::corners::number;
use super::overlay::line;
use super::text::Words;
use super::theme;
use crate::viewport::tool::handles;
use crate::viewport::{Annotation, AnnotationId, Geometry, Measured, Shape};
use egui::{Align2, Color32, Painter, Pos2, Rect, Stroke, pos2, vec2};

/// Where a pixel position lies in the window, points.
fn point(rect: Rect, geometry: &Geometry, pixel: [f64; 2], px_per_point: f32) -> Pos2 {
    let [x, y] = geometry.screen_from_pixel(pixel);
    rect.min + vec2(x as f32, y as f32) / px_per_point
}

/// Draws one shape; `text` stands beside it.
pub(super) fn shape(painter: &Painter, rect: Rect, geometry: &Geometry, shape: &Shape, text: &str, chosen: bool) {
    let color = if chosen { theme::MARK_CHOSEN } else { theme::MARK };
    let ppp = painter.pixels_per_point();
    let at = |p: [f64; 2]| point(rect, geometry, p, ppp);
    let anchor = match *shape {
        Shape::Length { a, b } => {
            let (a, b) = (at(a), at(b));
            segment(painter, a, b, color);
            // Short ticks across the ends, so that the ends are seen on bright tissue.
            let across = (b - a).normalized().rot90() * 4.0;
            for end in [a, b] {
                segment(painter, end - across, end + across, color);
            }
            if a.x > b.x { a } else { b }
        }
        Shape::Probe { at: pixel } => {
            let p = at(pixel);
            for d in [vec2(1.0, 0.0), vec2(0.0, 1.0)] {
                segment(painter, p - d * 7.0, p - d * 2.0, color);
                segment(painter, p + d * 2.0, p + d * 7.0, color);
            }
            p + vec2(6.0, -6.0)
        }
        Shape::Ellipse { center, half } => {
            let corner = [center[0] + half[0], center[1] + half[1]];
            let (middle, far) = (at(center), at(corner));
            let radius = (far - middle).abs();
            for (stroke, width) in [(theme::SURROUND, 3.0), (color, 1.0)] {
                painter.add(egui::Shape::ellipse_stroke(middle, radius, Stroke::new(width, stroke)));
            }
            pos2(middle.x + radius.x * 0.75, middle.y + radius.y * 0.75)
        }
    };
    if chosen {
        for handle in handles(shape) {
            painter.circle_filled(at(handle), 3.0, color);
        }
    }
    for (n, part) in text.lines().enumerate() {
        let y = anchor.y + 4.0 + n as f32 * (theme::CAPTION + 3.0);
        line(painter, pos2(anchor.x + 6.0, y), Align2::LEFT_TOP, part, color, rect.width());
    }
}

/// A thin line with a dark edge on both sides: seen on white as on black.
fn segment(painter: &Painter, a: Pos2, b: Pos2, color: Color32) {
    painter.line_segment([a, b], Stroke::new(3.0, theme::SURROUND));
    painter.line_segment([a, b], Stroke::new(1.0, color));
}

/// All annotations of the frame shown, but the one that is being moved.
pub(super) fn all(
    painter: &Painter,
    rect: Rect,
    geometry: &Geometry,
    annotations: &[&Annotation],
    chosen: Option<AnnotationId>,
    moved: Option<AnnotationId>,
    words: Words,
) {
    for annotation in annotations.iter().filter(|a| Some(a.id) != moved) {
        let text = annotation.measured.as_ref().map(|m| measured(m, words)).unwrap_or_default();
        shape(painter, rect, geometry, &annotation.shape, &text, chosen == Some(annotation.id));
    }
}

/// What an annotation measured, as it stands beside it.
pub fn measured(measured: &Measured, words: Words) -> String {
    match measured {
        Measured::Length { value, unit } => format!("{value:.1} {unit}"),
        Measured::Value { value: Some(value), unit } => format!("{} {unit}", number(*value)).trim_end().to_owned(),
        Measured::Value { value: None, .. } => words.t("viewport.no_value").to_owned(),
        Measured::Region { mean, sd, min, max, area_mm2, unit, .. } => {
            let area = area_mm2.map(|a| format!("\n{a:.1} mm²")).unwrap_or_default();
            let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
            format!("{mean:.1} ± {sd:.1}{unit}\nmin {}  max {}{area}", number(*min), number(*max))
        }
    }
}
