//! Lines of text and hairlines.

use super::super::theme;
use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Color32, FontId, Galley, Painter, Response, RichText, Sense, Ui, vec2};
use std::sync::Arc;

/// One line, cut with an ellipsis where it does not fit.
pub fn elided(painter: &Painter, text: &str, font: FontId, color: Color32, max_width: f32) -> Arc<Galley> {
    let format = TextFormat { font_id: font, color, ..TextFormat::default() };
    // A line feed in somebody's text must not open a second line.
    let mut job = LayoutJob::single_section(text.replace(['\r', '\n'], " "), format);
    job.wrap = TextWrapping {
        max_width: max_width.max(0.0),
        max_rows: 1,
        break_anywhere: true,
        overflow_character: Some('…'),
    };
    painter.layout_job(job)
}

/// A section head.
pub fn section(ui: &mut Ui, text: &str) -> Response {
    ui.add_space(theme::GRID);
    ui.label(RichText::new(text).size(theme::SECTION).color(theme::TEXT_STRONG))
}

/// A label above or before a value.
pub fn caption(ui: &mut Ui, text: &str) -> Response {
    ui.label(RichText::new(text).size(theme::CAPTION).color(theme::TEXT))
}

/// A value.
pub fn value(ui: &mut Ui, text: &str) -> Response {
    ui.label(RichText::new(text).color(theme::TEXT_STRONG))
}

/// A state word with its colour; the word carries the meaning, the colour only helps.
pub fn state_word(ui: &mut Ui, text: &str, color: Color32) -> Response {
    ui.label(RichText::new(text).size(theme::CAPTION).color(color))
}

/// Label in a column of fixed width, value beside it, wrapped.
pub fn label_value(ui: &mut Ui, label_width: f32, label: &str, text: &str) {
    let top = ui.cursor().min;
    let width = ui.available_width();
    let painter = ui.painter().clone();
    let name = elided(&painter, label, theme::font(theme::CAPTION), theme::TEXT, label_width - theme::GRID);
    let body = painter.layout(
        text.to_owned(),
        theme::font(theme::BODY),
        theme::TEXT_STRONG,
        (width - label_width).max(theme::HIT),
    );
    let height = body.size().y.max(name.size().y);
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, format!("{label} {text}")));
    // Caption and body share the base line of the first row.
    painter.galley(top + vec2(0.0, theme::BODY - theme::CAPTION), name, theme::TEXT);
    painter.galley(rect.min + vec2(label_width, 0.0), body, theme::TEXT_STRONG);
}

/// A hairline across.
pub fn rule(ui: &mut Ui) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 1.0), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.center().y, theme::line());
}
