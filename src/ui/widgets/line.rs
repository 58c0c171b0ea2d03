//! Lines of text and hairlines.

use super::super::theme;
use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Color32, FontFamily, FontId, Galley, Painter, Response, RichText, Sense, Ui, vec2};
use std::sync::Arc;

/// One line, cut with an ellipsis where it does not fit.
pub fn elided(painter: &Painter, text: &str, font: FontId, color: Color32, max_width: f32) -> Arc<Galley> {
    // A line feed in somebody's text must not open a second line.
    let text = text.replace(['\r', '\n'], " ");
    let mut job = if font.family == FontFamily::Monospace {
        tabular(&text, font.size, color)
    } else {
        LayoutJob::single_section(text, TextFormat { font_id: font, color, ..TextFormat::default() })
    };
    job.wrap = TextWrapping {
        max_width: max_width.max(0.0),
        max_rows: 1,
        break_anywhere: true,
        overflow_character: Some('…'),
    };
    painter.layout_job(job)
}

/// How much narrower the 1 of the bundled font is than its other digits, in font sizes (1290 of 1556 units of
/// 2048).
const NARROW_ONE: f32 = 266.0 / 2048.0;

/// Digits of one width in the text's own font: the 1 gets the room that the others have.
pub fn tabular(text: &str, size: f32, color: Color32) -> LayoutJob {
    let mut job = LayoutJob::default();
    let format = TextFormat { font_id: theme::font(size), color, ..TextFormat::default() };
    let side = size * NARROW_ONE / 2.0;
    for (n, part) in text.split('1').enumerate() {
        if n > 0 {
            job.append("1", side, TextFormat { extra_letter_spacing: side, ..format.clone() });
        }
        if !part.is_empty() {
            job.append(part, 0.0, format.clone());
        }
    }
    job
}

/// A section head.
pub fn section(ui: &mut Ui, text: &str) -> Response {
    ui.add_space(3.0 * theme::GRID);
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

/// Prose of several lines.
pub fn prose(ui: &mut Ui, text: &str) -> Response {
    ui.label(RichText::new(text).color(theme::TEXT_STRONG).line_height(Some(theme::LINE_HEIGHT)))
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
    let wrap = (width - label_width).max(theme::HIT);
    let mut job = LayoutJob::simple(text.to_owned(), theme::font(theme::BODY), theme::TEXT_STRONG, wrap);
    for section in &mut job.sections {
        section.format.line_height = Some(theme::LINE_HEIGHT);
    }
    let body = painter.layout_job(job);
    let height = body.size().y.max(name.size().y);
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, format!("{label} {text}")));
    // Caption and body share the base line of the first row.
    painter.galley(top + vec2(0.0, (theme::LINE_HEIGHT - name.size().y) / 2.0), name, theme::TEXT);
    painter.galley(rect.min + vec2(label_width, 0.0), body, theme::TEXT_STRONG);
}

/// A hairline across.
pub fn rule(ui: &mut Ui) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 1.0), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.center().y, theme::line());
}
