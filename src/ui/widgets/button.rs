//! Buttons and chips.

use super::super::theme;
use egui::{Align2, Color32, Pos2, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2};

struct Look {
    fill: Color32,
    edge: Stroke,
    text: Color32,
}

fn look(response: &Response, enabled: bool, rest: Look) -> Look {
    if !enabled {
        return Look { fill: theme::CLEAR, edge: theme::line(), text: theme::TEXT_FAINT };
    }
    if response.has_focus() {
        return Look { edge: theme::focus(), ..rest };
    }
    if response.is_pointer_button_down_on() {
        return Look { edge: Stroke::new(1.0, theme::ACCENT), ..rest };
    }
    rest
}

fn draw(ui: &Ui, response: &Response, look: &Look, text: &str) {
    let rect = response.rect;
    ui.painter().rect(rect, theme::RADIUS, look.fill, look.edge, StrokeKind::Inside);
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::font(theme::BODY), look.text);
    ui.painter().galley(Align2::CENTER_CENTER.anchor_size(rect.center(), galley.size()).min, galley, look.text);
}

/// How wide a button is that fits its words.
fn fitting(ui: &Ui, text: &str) -> f32 {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::font(theme::BODY), theme::TEXT_STRONG);
    galley.size().x + 6.0 * theme::GRID
}

fn place(ui: &mut Ui, text: &str, enabled: bool, height: f32, width: Option<f32>) -> Response {
    let width = width.unwrap_or_else(|| fitting(ui, text));
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    let (_, response) = ui.allocate_exact_size(vec2(width, height), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, text));
    response
}

/// The one button of a screen that goes on. `width`: `None` fits the words.
pub fn primary_button(ui: &mut Ui, text: &str, enabled: bool, width: Option<f32>) -> Response {
    let response = place(ui, text, enabled, 32.0, width);
    let fill = if response.hovered() { theme::dimmed(theme::ACCENT, 0.55) } else { theme::ACCENT_DIM };
    let rest = Look { fill, edge: Stroke::new(1.0, theme::ACCENT), text: theme::TEXT_STRONG };
    let look = look(&response, enabled, rest);
    draw(ui, &response, &look, text);
    response
}

/// A button beside the primary one.
pub fn quiet_button(ui: &mut Ui, text: &str, enabled: bool) -> Response {
    let response = place(ui, text, enabled, 32.0, None);
    let fill = if response.hovered() { theme::PRESSED } else { theme::RAISED };
    let rest = Look { fill, edge: theme::line(), text: theme::TEXT_STRONG };
    let look = look(&response, enabled, rest);
    draw(ui, &response, &look, text);
    response
}

/// A row of a quiet button and, before it, what takes the rest of the width.
pub fn before_button<R>(ui: &mut Ui, text: &str, enabled: bool, rest: impl FnOnce(&mut Ui, f32) -> R) -> (R, Response) {
    let room = ui.available_width() - fitting(ui, text) - ui.spacing().item_spacing.x;
    ui.horizontal(|ui| (rest(ui, room), quiet_button(ui, text, enabled))).inner
}

/// A small control inside a bar or row: only words until the pointer comes.
pub fn bare_button(ui: &mut Ui, text: &str, color: Color32) -> Response {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::font(theme::BODY), color);
    let size = vec2(galley.size().x + 3.0 * theme::GRID, theme::HIT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, text));
    let fill = if response.hovered() { theme::RAISED } else { theme::CLEAR };
    let edge = if response.has_focus() { theme::focus() } else { Stroke::NONE };
    ui.painter().rect(rect, theme::RADIUS, fill, edge, StrokeKind::Inside);
    ui.painter().galley(Align2::CENTER_CENTER.anchor_size(rect.center(), galley.size()).min, galley, color);
    response
}

/// A square control with a drawn sign; `name` is what it does, and its tooltip.
pub fn icon_button(
    ui: &mut Ui,
    name: &str,
    chosen: bool,
    enabled: bool,
    draw_icon: impl FnOnce(&egui::Painter, Pos2, Color32),
) -> Response {
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(theme::HIT), sense);
    response.widget_info(|| WidgetInfo::selected(Role::Button, enabled, chosen, name));
    let fill = match (chosen, response.hovered() && enabled) {
        (true, _) => theme::ACCENT_DIM,
        (false, true) => theme::RAISED,
        (false, false) => theme::CLEAR,
    };
    let edge = if response.has_focus() { theme::focus() } else { Stroke::NONE };
    ui.painter().rect(rect, theme::RADIUS, fill, edge, StrokeKind::Inside);
    let color = match (enabled, chosen) {
        (false, _) => theme::TEXT_FAINT,
        (true, true) => theme::TEXT_STRONG,
        (true, false) => theme::TEXT,
    };
    draw_icon(ui.painter(), rect.center(), color);
    response.on_hover_text(name)
}

/// A choice among several that lie side by side.
pub fn chip(ui: &mut Ui, text: &str, chosen: bool, enabled: bool) -> Response {
    let color = match (enabled, chosen) {
        (false, _) => theme::TEXT_FAINT,
        (true, true) => theme::TEXT_STRONG,
        (true, false) => theme::TEXT,
    };
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::font(theme::BODY), color);
    let size = vec2(galley.size().x + 4.0 * theme::GRID, theme::ROW);
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(size, sense);
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, enabled, chosen, text));
    let (fill, edge) = match (chosen, response.hovered() && enabled) {
        (true, _) => (theme::ACCENT_DIM, theme::ACCENT),
        (false, true) => (theme::PRESSED, theme::LINE),
        (false, false) => (theme::RAISED, theme::LINE),
    };
    let stroke = if response.has_focus() { theme::focus() } else { Stroke::new(1.0, edge) };
    ui.painter().rect(rect, theme::RADIUS, fill, stroke, StrokeKind::Inside);
    ui.painter().galley(Align2::CENTER_CENTER.anchor_size(rect.center(), galley.size()).min, galley, color);
    response
}

/// A word with a chevron that opens a list below it.
pub fn menu_button(ui: &mut Ui, text: &str, content: impl FnOnce(&mut Ui)) -> Response {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::font(theme::BODY), theme::TEXT_STRONG);
    let size = vec2(galley.size().x + 8.0 * theme::GRID, theme::HIT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, text));
    let fill = if response.hovered() { theme::RAISED } else { theme::CLEAR };
    let edge = if response.has_focus() { theme::focus() } else { Stroke::NONE };
    ui.painter().rect(rect, theme::RADIUS, fill, edge, StrokeKind::Inside);
    let at = pos2(rect.left() + 2.0 * theme::GRID, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, theme::TEXT_STRONG);
    let tip = pos2(rect.right() - 3.0 * theme::GRID, rect.center().y + 2.0);
    let stroke = Stroke::new(1.5, theme::TEXT);
    ui.painter().line(vec![tip + vec2(-4.0, -4.0), tip, tip + vec2(4.0, -4.0)], stroke);
    egui::Popup::menu(&response).show(content);
    response
}
