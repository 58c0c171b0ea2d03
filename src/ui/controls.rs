//! Small controls in the program's own look: buttons, chips, labels.

use super::theme;
use egui::{Align2, Button, Color32, Response, RichText, Role, Sense, Stroke, Ui, WidgetInfo, vec2};

/// The one button of a screen that goes on.
pub fn primary_button(ui: &mut Ui, text: &str, enabled: bool) -> Response {
    let button = Button::new(RichText::new(text).color(theme::TEXT_STRONG).size(theme::BODY))
        .fill(if enabled { theme::ACCENT_DIM } else { theme::RAISED })
        .stroke(Stroke::new(1.0, if enabled { theme::ACCENT } else { theme::LINE }))
        .min_size(vec2(0.0, theme::ROW + 2.0 * theme::GRID));
    ui.add_enabled(enabled, button)
}

/// A button beside the primary one.
pub fn quiet_button(ui: &mut Ui, text: &str) -> Response {
    ui.add(Button::new(RichText::new(text).color(theme::TEXT_STRONG)).fill(theme::RAISED).stroke(theme::line()))
}

/// A small control inside a row: only words until the pointer comes.
pub fn bare_button(ui: &mut Ui, text: &str) -> Response {
    ui.add(Button::new(RichText::new(text).color(theme::TEXT).size(theme::CAPTION)).frame(false))
}

/// A choice among several that lie side by side.
pub fn chip(ui: &mut Ui, text: &str, chosen: bool, enabled: bool) -> Response {
    let color = if chosen { theme::TEXT_STRONG } else { theme::TEXT };
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
    ui.painter().rect(rect, theme::RADIUS, fill, stroke, egui::StrokeKind::Inside);
    ui.painter().galley(Align2::CENTER_CENTER.anchor_size(rect.center(), galley.size()).min, galley, color);
    response
}

/// A section head.
pub fn section(ui: &mut Ui, text: &str) {
    ui.add_space(2.0 * theme::GRID);
    ui.label(RichText::new(text).size(theme::SECTION).color(theme::TEXT_STRONG));
    ui.add_space(theme::GRID);
}

/// A label above or before a value.
pub fn caption(ui: &mut Ui, text: &str) -> Response {
    ui.label(RichText::new(text).size(theme::CAPTION).color(theme::TEXT))
}

/// A value.
pub fn value(ui: &mut Ui, text: &str) -> Response {
    ui.label(RichText::new(text).color(theme::TEXT_STRONG))
}

/// Prose of several lines.
pub fn prose(ui: &mut Ui, text: &str) -> Response {
    ui.label(RichText::new(text).color(theme::TEXT_STRONG).line_height(Some(theme::LINE_HEIGHT)))
}

/// A state word with its colour; the word carries the meaning, the colour only helps.
pub fn state(ui: &mut Ui, text: &str, color: Color32) -> Response {
    ui.label(RichText::new(text).size(theme::CAPTION).color(color))
}

/// A hairline across.
pub fn rule(ui: &mut Ui) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 1.0), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.center().y, theme::line());
}

/// Gives a text field its name for assistive technology (and tests) where no visible label is tied to it.
pub fn name(ui: &Ui, response: &Response, label: &str) {
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(label));
}
