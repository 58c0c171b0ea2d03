//! The findings list: one row each, the open one unfolded, its key image and measurement a click away.

use super::field::{FieldInput, Typing, field_ui};
use crate::app::{Action, ReportAction};
use crate::report::{Edit, FieldKind, Finding, Template, Value, measured_text};
use crate::ui::text::Words;
use crate::ui::theme;
use crate::ui::widgets::{bare_button, caption};
use crate::viewport::Annotation;
use egui::{Align, Frame, Layout, Margin, RichText, Sense, Stroke, Ui};

/// What the list is drawn from.
pub struct FindingsInput<'a> {
    /// Language.
    pub words: Words,
    /// Template.
    pub template: &'a Template,
    /// Findings.
    pub findings: &'a [Finding],
    /// The one that is unfolded.
    pub open: Option<crate::report::FindingId>,
    /// Edits are taken.
    pub editable: bool,
    /// The measurement chosen on the picture, which the open finding may take.
    pub chosen: Option<&'a Annotation>,
    /// Place of a frame in its series, counted from 1, where the series is here.
    pub place_of: &'a dyn Fn(&crate::study::FrameRef) -> Option<usize>,
}

/// Draws the list and the button for a new finding.
pub fn findings_ui(ui: &mut Ui, input: &FindingsInput<'_>, typing: &mut Typing, out: &mut Vec<Action>) {
    let words = input.words;
    for (place, finding) in input.findings.iter().enumerate() {
        let open = input.open == Some(finding.id);
        let frame = Frame::new()
            .fill(if open { theme::RAISED } else { theme::PANEL })
            .stroke(if open { Stroke::new(1.0, theme::ACCENT) } else { theme::line() })
            .corner_radius(theme::RADIUS)
            .inner_margin(Margin::symmetric(8, 6));
        frame.show(ui, |ui| {
            ui.set_width(ui.available_width());
            row_ui(ui, input, place, finding, out);
            if open {
                open_ui(ui, input, finding, typing, out);
            }
        });
    }
    if input.editable {
        ui.horizontal(|ui| {
            if crate::ui::widgets::quiet_button(ui, words.t("report.add_finding"), true).clicked() {
                out.push(Action::Report(ReportAction::NewFinding));
            }
            caption(ui, "Ctrl+N");
        });
    }
}

fn row_ui(ui: &mut Ui, input: &FindingsInput<'_>, place: usize, finding: &Finding, out: &mut Vec<Action>) {
    let words = input.words;
    let summary = summary(words, input.template, finding);
    let response = ui
        .horizontal(|ui| {
            let number = RichText::new((place + 1).to_string()).font(theme::digits(theme::BODY)).color(theme::ACCENT);
            ui.label(number);
            let text = if summary.is_empty() { words.t("report.empty_finding").to_owned() } else { summary.clone() };
            let color = if summary.is_empty() { theme::TEXT_FAINT } else { theme::TEXT_STRONG };
            // From the right, so that the mark has its place before the text takes the rest: the row must not grow
            // beyond the panel, which would take its width from the pictures.
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if finding.key_image.is_some() {
                    caption(ui, words.t("report.has_key_image"));
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(egui::Label::new(RichText::new(text).color(color)).truncate());
                });
            });
        })
        .response
        .interact(Sense::click())
        .on_hover_text(words.t("report.jump_hint"));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &summary));
    if response.clicked() {
        out.push(Action::Report(ReportAction::OpenFinding(Some(finding.id))));
        out.push(Action::Report(ReportAction::JumpTo(finding.id)));
    }
}

/// Site, kind, size and the like in the template's order.
fn summary(words: Words, template: &Template, finding: &Finding) -> String {
    let parts = template.findings.fields.iter().filter_map(|field| {
        let value = finding.fields.get(&field.id).filter(|v| !v.is_blank())?;
        Some(match (&field.kind, value) {
            (FieldKind::Choice { choices } | FieldKind::Choices { choices }, Value::Text(codes)) => {
                let word = |code: &str| {
                    choices
                        .iter()
                        .find(|c| c.code == code)
                        .map_or_else(|| code.to_owned(), |c| words.pick(&c.label).to_owned())
                };
                codes.split(' ').map(word).collect::<Vec<_>>().join("・")
            }
            (FieldKind::Number { unit, .. }, Value::Number(n)) => format!("{n}\u{2009}{unit}"),
            (_, Value::Text(text)) => text.lines().next().unwrap_or_default().to_owned(),
            (_, Value::Number(n)) => n.to_string(),
        })
    });
    parts.collect::<Vec<_>>().join("  ")
}

fn open_ui(ui: &mut Ui, input: &FindingsInput<'_>, finding: &Finding, typing: &mut Typing, out: &mut Vec<Action>) {
    let words = input.words;
    ui.add_space(theme::GRID);
    for field in &input.template.findings.fields {
        let draw = FieldInput {
            words,
            field,
            label: words.pick(&field.label),
            value: finding.fields.get(&field.id),
            prefilled: false,
            editable: input.editable,
            scope: finding.id.0,
        };
        if let Some(value) = field_ui(ui, &draw, typing) {
            out.push(edit(Edit::SetFindingField(finding.id, field.id.clone(), value)));
        }
    }
    if let Some(measured) = &finding.measured {
        caption(ui, &words.f("report.measured", &[("value", &measured_text(measured))]));
    }
    if let Some(key) = &finding.key_image {
        // What the corner of the viewport says, too; a single-frame object alone would always be the first.
        let frame = (input.place_of)(&key.frame).map_or_else(|| "?".to_owned(), |place| place.to_string());
        let [center, width] = [key.voi.center.round(), key.voi.width.round()];
        caption(ui, &words.f("report.key_image", &[("frame", &frame), ("center", &center), ("width", &width)]));
    }
    if !input.editable {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        if bare_button(ui, words.t("report.take_key_image"), theme::TEXT).clicked() {
            out.push(Action::Report(ReportAction::KeyImage));
        }
        if finding.key_image.is_some() && bare_button(ui, words.t("report.drop_key_image"), theme::TEXT).clicked() {
            out.push(edit(Edit::SetKeyImage(finding.id, None)));
        }
        if let Some(annotation) = input.chosen.filter(|a| finding.annotation != Some(a.id))
            && let Some(measured) = &annotation.measured
        {
            let name = words.f("report.use_measurement", &[("value", &measured_text(measured))]);
            if bare_button(ui, &name, theme::TEXT).clicked() {
                out.push(Action::Report(ReportAction::UseMeasurement(annotation.id)));
            }
        }
        if finding.measured.is_some() && bare_button(ui, words.t("report.drop_measurement"), theme::TEXT).clicked() {
            out.push(edit(Edit::SetMeasurement(finding.id, None)));
        }
        if bare_button(ui, words.t("report.move_up"), theme::TEXT).clicked() {
            out.push(edit(Edit::MoveFinding(finding.id, -1)));
        }
        if bare_button(ui, words.t("report.move_down"), theme::TEXT).clicked() {
            out.push(edit(Edit::MoveFinding(finding.id, 1)));
        }
        // No question before deleting: undo brings it back.
        if bare_button(ui, words.t("report.remove_finding"), theme::TEXT).clicked() {
            out.push(edit(Edit::RemoveFinding(finding.id)));
        }
    });
}

fn edit(edit: Edit) -> Action {
    Action::Report(ReportAction::Edit(edit))
}
