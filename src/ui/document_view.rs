//! A report as it will be, or has been, signed: drawn from the very bytes, by the same list as the page that leaves.

use super::text::Words;
use super::theme;
use super::widgets::{caption, prose, rule, section, value};
use crate::report::manifest;
use crate::report::page::{Line, Page, PageFinding, PageSection, page};
use egui::{RichText, TextureHandle, Ui, vec2};

/// Where the picture of an attachment comes from.
pub type PictureOf<'a> = dyn FnMut(&str) -> Option<TextureHandle> + 'a;

/// Edge of a key image, points.
const PICTURE: f32 = 220.0;

/// Draws the content of `report.json`, or why it cannot be read.
pub fn document_ui(ui: &mut Ui, words: Words, report_json: &[u8], picture: &mut PictureOf<'_>) {
    match manifest::parse(report_json) {
        Ok(document) => draw(ui, &page(&document), picture),
        Err(problem) => {
            ui.label(RichText::new(words.f("document.unreadable", &[("why", &problem)])).color(theme::HARM));
        }
    }
}

fn draw(ui: &mut Ui, page: &Page, picture: &mut PictureOf<'_>) {
    ui.label(RichText::new(&page.title).size(theme::TITLE).color(theme::TEXT_STRONG));
    if let Some(subtitle) = &page.subtitle {
        value(ui, subtitle);
    }
    if let Some(notice) = &page.notice {
        ui.label(RichText::new(notice).color(theme::CAUTION));
    }
    ui.add_space(theme::GRID);
    head(ui, page);
    rule(ui);
    sections_ui(ui, &page.sections, picture);
    if let Some(statement) = &page.statement {
        ui.add_space(2.0 * theme::GRID);
        prose(ui, statement);
    }
    ui.add_space(2.0 * theme::GRID);
    rule(ui);
    ui.add_space(theme::GRID);
    for text in &page.foot {
        caption(ui, text);
    }
}

/// Draws the sections of a report, signed or not.
pub fn sections_ui(ui: &mut Ui, sections: &[PageSection], picture: &mut PictureOf<'_>) {
    for part in sections {
        section(ui, &part.title);
        for line in &part.lines {
            line_ui(ui, line);
        }
        for finding in &part.findings {
            finding_ui(ui, finding, picture);
        }
    }
}

fn head(ui: &mut Ui, page: &Page) {
    ui.scope(|ui| {
        ui.spacing_mut().interact_size.y = theme::LINE_HEIGHT;
        egui::Grid::new("document-head").num_columns(2).spacing([4.0 * theme::GRID, theme::GRID]).show(ui, |ui| {
            for line in page.head.iter().flatten() {
                caption(ui, &line.label);
                value(ui, &line.text);
                ui.end_row();
            }
        });
    });
    ui.add_space(theme::GRID);
}

fn line_ui(ui: &mut Ui, line: &Line) {
    if !line.label.is_empty() {
        caption(ui, &line.label);
    }
    prose(ui, &line.text);
    ui.add_space(theme::GRID);
}

fn finding_ui(ui: &mut Ui, finding: &PageFinding, picture: &mut PictureOf<'_>) {
    ui.horizontal_top(|ui| {
        ui.label(RichText::new(finding.number.to_string()).font(theme::digits(theme::BODY)).color(theme::ACCENT));
        ui.vertical(|ui| {
            for line in &finding.lines {
                ui.label(RichText::new(format!("{}: {}", line.label, line.text)).color(theme::TEXT_STRONG));
            }
            if let Some(handle) = finding.picture.as_deref().and_then(picture) {
                let size = handle.size_vec2();
                let scale = PICTURE / size.max_elem().max(1.0);
                let image = egui::Image::new((handle.id(), vec2(size.x * scale, size.y * scale)));
                let alt = finding.caption.clone().unwrap_or_default();
                ui.add(image.alt_text(alt));
            }
            if let Some(text) = &finding.caption {
                caption(ui, text);
            }
        });
    });
}
