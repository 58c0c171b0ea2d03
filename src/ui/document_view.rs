//! A report as it will be, or has been, signed: drawn from the very bytes.

use super::controls::{caption, prose, rule, section, value};
use super::text::Words;
use super::theme;
use crate::report::manifest::{self, FieldContent, Manifest};
use crate::report::measured_text;
use egui::{RichText, Ui};

/// Draws the content of `report.json`, or why it cannot be read.
pub fn document_ui(ui: &mut Ui, words: Words, report_json: &[u8]) {
    match manifest::parse(report_json) {
        Ok(document) => draw(ui, words, &document),
        Err(problem) => {
            ui.label(RichText::new(words.f("document.unreadable", &[("why", &problem)])).color(theme::HARM));
        }
    }
}

fn draw(ui: &mut Ui, words: Words, document: &Manifest) {
    ui.label(RichText::new(&document.title).size(theme::TITLE).color(theme::TEXT_STRONG));
    ui.add_space(theme::GRID);
    head(ui, words, document);
    rule(ui);
    for part in &document.sections {
        let empty_findings = !part.findings || document.findings.is_empty();
        if part.fields.is_empty() && empty_findings {
            continue;
        }
        section(ui, &part.title);
        for field in &part.fields {
            field_ui(ui, field, field.label != part.title);
        }
        if part.findings {
            findings_ui(ui, words, document);
        }
    }
    if !document.acknowledged.is_empty() {
        section(ui, words.t("document.acknowledged"));
        for point in &document.acknowledged {
            caption(ui, &point.subject);
            prose(ui, &point.reason);
        }
    }
    ui.add_space(2.0 * theme::GRID);
    rule(ui);
    ui.add_space(theme::GRID);
    caption(ui, &words.f("document.signer", &[("name", &document.signer.name), ("user", &document.signer.user)]));
    for attachment in &document.attachments {
        let size = attachment.size.div_ceil(1024);
        caption(ui, &words.f("document.attachment", &[("name", &attachment.name), ("kib", &size)]));
    }
}

fn head(ui: &mut Ui, words: Words, document: &Manifest) {
    let name = &document.patient.name;
    let birth = document.patient.birth_date.map_or_else(|| "—".to_owned(), |d| d.to_string());
    let issuer = document.patient.issuer.as_deref().unwrap_or("");
    let rows = [
        ("document.patient", format!("{}  {}", name.display(), name.reading())),
        ("document.patient_id", format!("{}  {issuer}", document.patient.id)),
        ("document.born", birth),
        ("document.exam", document.exam.clone()),
        ("document.requested_by", format!("{}  {}", document.facility.name, document.facility.code)),
        ("document.read_by", format!("{}  {}", document.reading_facility.name, document.reading_facility.code)),
        ("document.images", document.images.count.to_string()),
    ];
    ui.scope(|ui| {
        ui.spacing_mut().interact_size.y = theme::LINE_HEIGHT;
        head_rows(ui, words, rows);
    });
    ui.add_space(theme::GRID);
}

fn head_rows(ui: &mut Ui, words: Words, rows: [(&'static str, String); 7]) {
    egui::Grid::new("document-head").num_columns(2).spacing([4.0 * theme::GRID, theme::GRID]).show(ui, |ui| {
        for (key, text) in rows {
            caption(ui, words.t(key));
            value(ui, text.trim());
            ui.end_row();
        }
    });
}

fn field_ui(ui: &mut Ui, field: &FieldContent, with_label: bool) {
    if with_label {
        caption(ui, &field.label);
    }
    prose(ui, &field.text);
    ui.add_space(theme::GRID);
}

fn findings_ui(ui: &mut Ui, words: Words, document: &Manifest) {
    for finding in &document.findings {
        ui.horizontal_top(|ui| {
            ui.label(RichText::new(finding.number.to_string()).font(theme::digits(theme::BODY)).color(theme::ACCENT));
            ui.vertical(|ui| {
                let line = finding.fields.iter().map(|f| format!("{}: {}", f.label, f.text));
                ui.label(RichText::new(line.collect::<Vec<_>>().join("  ")).color(theme::TEXT_STRONG));
                if let Some(measured) = &finding.measured {
                    caption(ui, &words.f("document.measured", &[("value", &measured_text(measured))]));
                }
                if let Some(key) = &finding.key_image {
                    let picture = key.attachment.as_deref().unwrap_or("—");
                    caption(ui, &words.f("document.key_image", &[("file", &picture), ("frame", &key.frame)]));
                }
            });
        });
    }
}
