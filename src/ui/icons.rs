//! Drawn signs of layouts and tools.

use super::theme;
use crate::viewport::Tool;
use egui::{Align2, Color32, Painter, Pos2, Rect, Stroke, Vec2, vec2};

pub(super) fn grid_icon(painter: &Painter, at: Pos2, color: Color32, rows: u8, columns: u8) {
    let frame = Rect::from_center_size(at, vec2(16.0, 12.0));
    let stroke = Stroke::new(1.0, color);
    painter.rect_stroke(frame, 0, stroke, egui::StrokeKind::Inside);
    for c in 1..columns {
        let x = frame.left() + frame.width() * f32::from(c) / f32::from(columns);
        painter.vline(x, frame.y_range(), stroke);
    }
    for r in 1..rows {
        let y = frame.top() + frame.height() * f32::from(r) / f32::from(rows);
        painter.hline(frame.x_range(), y, stroke);
    }
}

pub(super) fn tool_icon(painter: &Painter, at: Pos2, color: Color32, tool: Tool) {
    let stroke = Stroke::new(1.5, color);
    let line = |a: Vec2, b: Vec2| {
        painter.line_segment([at + a, at + b], stroke);
    };
    match tool {
        Tool::Scroll => {
            line(vec2(-3.0, -3.0), vec2(0.0, -6.0));
            line(vec2(3.0, -3.0), vec2(0.0, -6.0));
            line(vec2(0.0, -6.0), vec2(0.0, 6.0));
            line(vec2(-3.0, 3.0), vec2(0.0, 6.0));
            line(vec2(3.0, 3.0), vec2(0.0, 6.0));
        }
        Tool::Window => {
            painter.circle_stroke(at, 6.0, stroke);
            let half = (0..=12).map(|i| {
                let a = std::f32::consts::PI * i as f32 / 12.0;
                at + vec2(6.0 * a.sin(), -6.0 * a.cos())
            });
            painter.add(egui::Shape::convex_polygon(half.collect(), color, Stroke::NONE));
        }
        Tool::Pan => {
            line(vec2(-6.0, 0.0), vec2(6.0, 0.0));
            line(vec2(0.0, -6.0), vec2(0.0, 6.0));
            for (tip, a, b) in [
                (vec2(-6.0, 0.0), vec2(-4.0, -2.0), vec2(-4.0, 2.0)),
                (vec2(6.0, 0.0), vec2(4.0, -2.0), vec2(4.0, 2.0)),
                (vec2(0.0, -6.0), vec2(-2.0, -4.0), vec2(2.0, -4.0)),
                (vec2(0.0, 6.0), vec2(-2.0, 4.0), vec2(2.0, 4.0)),
            ] {
                line(tip, a);
                line(tip, b);
            }
        }
        Tool::Zoom => {
            painter.circle_stroke(at + vec2(-1.5, -1.5), 4.5, stroke);
            line(vec2(2.0, 2.0), vec2(6.0, 6.0));
        }
        Tool::Length => {
            line(vec2(-6.0, 4.0), vec2(6.0, -4.0));
            line(vec2(-7.0, 1.5), vec2(-5.0, 6.5));
            line(vec2(5.0, -6.5), vec2(7.0, -1.5));
        }
        Tool::Ellipse => {
            painter.add(egui::Shape::ellipse_stroke(at, vec2(7.0, 4.5), stroke));
        }
        Tool::Probe => {
            painter.circle_stroke(at, 4.0, stroke);
            for (a, b) in [
                (vec2(-7.0, 0.0), vec2(-2.0, 0.0)),
                (vec2(2.0, 0.0), vec2(7.0, 0.0)),
                (vec2(0.0, -7.0), vec2(0.0, -2.0)),
                (vec2(0.0, 2.0), vec2(0.0, 7.0)),
            ] {
                line(a, b);
            }
        }
    }
}

/// Two rings of a chain; with a wave below where the link is estimated.
pub(super) fn chain_icon(painter: &Painter, at: Pos2, color: Color32, estimated: bool) {
    let at = if estimated { at - vec2(0.0, 3.0) } else { at };
    painter.circle_stroke(at + vec2(-3.0, 0.0), 4.0, Stroke::new(1.5, color));
    painter.circle_stroke(at + vec2(3.0, 0.0), 4.0, Stroke::new(1.5, color));
    if estimated {
        painter.text(at + vec2(0.0, 9.0), Align2::CENTER_CENTER, "≈", theme::font(theme::CAPTION), color);
    }
}

/// A window with a panel at its side.
pub(super) fn fold_icon(painter: &Painter, at: Pos2, color: Color32) {
    let frame = Rect::from_center_size(at, vec2(15.0, 12.0));
    painter.rect_stroke(frame, 1, Stroke::new(1.5, color), egui::StrokeKind::Inside);
    painter.vline(at.x + 2.5, frame.y_range(), Stroke::new(1.5, color));
}
