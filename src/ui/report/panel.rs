//! The report panel: title and saved state, the question pinned, sections, findings, and the way on.

use super::field::{FieldInput, Typing, field_ui};
use super::findings::{FindingsInput, findings_ui};
use super::signed::signed_ui;
use super::versions::{conflict_ui, left_ui};
use crate::app::{Action, App, ReportAction, ReportState, SignAction};
use crate::report::gate::document_title;
use crate::report::{Edit, Section};
use crate::ui::document_view::document_ui;
use crate::ui::text::Words;
use crate::ui::widgets::{caption, primary_button, prose, quiet_button, rule, section, state_word};
use crate::ui::{format, theme};
use crate::worklist::{Assignment, Kind};
use egui::{RichText, ScrollArea, Ui};

/// Widget state of the panel.
#[derive(Debug, Default)]
pub struct ReportLocal {
    typing: Typing,
    signed_shown: usize,
    left_shown: bool,
}

impl ReportLocal {
    /// The caret is to go into the field that had it last, or into the first one.
    pub fn want_caret(&mut self) {
        self.typing.want_again();
    }
}

/// Draws the report of the open assignment.
pub fn report_panel_ui(ui: &mut Ui, app: &App, local: &mut ReportLocal, out: &mut Vec<Action>) {
    let words = Words(app.settings.shown_language());
    let (Some(report), Some(assignment)) = (&app.report, app.open_assignment()) else {
        caption(ui, words.t("report.none"));
        return;
    };
    head_ui(ui, words, report, assignment);
    rule(ui);
    if !assignment.request.question.trim().is_empty() {
        caption(ui, words.t("report.question"));
        prose(ui, &assignment.request.question);
        rule(ui);
    }
    if report.conflict.is_some() {
        conflict_ui(ui, words, report, assignment.kind, out);
        return;
    }
    if left_ui(ui, words, report, assignment.kind, &mut local.left_shown) {
        return;
    }
    if report.show_signed || report.history.is_none() {
        signed_ui(ui, words, report, assignment, &mut local.signed_shown, out);
        return;
    }
    local.typing.want(report.focus_field.as_ref());
    addendum_ui(ui, words, report);
    let footer = theme::ROW + 5.0 * theme::GRID;
    let height = (ui.available_height() - footer).max(0.0);
    let place_of = |frame: &crate::study::FrameRef| app.pictures.locate(frame).map(|(_, place)| place + 1);
    ScrollArea::vertical().auto_shrink(false).max_height(height).show(ui, |ui| {
        ui.set_width(ui.available_width() - 2.0 * theme::GRID);
        for part in &report.template.sections {
            section_ui(ui, words, (report, assignment), part, local, &place_of, out);
        }
        ui.add_space(4.0 * theme::GRID);
    });
    local.typing.give_up();
    rule(ui);
    ui.add_space(theme::GRID);
    foot_ui(ui, words, report, out);
}

fn head_ui(ui: &mut Ui, words: Words, report: &ReportState, assignment: &Assignment) {
    ui.horizontal(|ui| {
        let title = document_title(assignment.kind);
        let addendum = report.draft().is_some_and(|d| d.addendum_to.is_some()) && !report.show_signed;
        let title = if addendum { words.t("report.addendum_title") } else { words.pick(&title) };
        ui.label(RichText::new(title).size(theme::TITLE).color(theme::TEXT_STRONG));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let (text, color) = saved_text(words, report);
            state_word(ui, &text, color);
        });
    });
    caption(ui, words.pick(&report.template.name));
}

/// Where the draft stands, in words that are true.
fn saved_text(words: Words, report: &ReportState) -> (String, egui::Color32) {
    let saving = &report.saving;
    if report.read_only {
        return (words.t("report.read_only").to_owned(), theme::TEXT);
    }
    if report.loading {
        return (words.t("report.loading").to_owned(), theme::TEXT);
    }
    if saving.failure.is_some() {
        return (words.t("report.not_saved").to_owned(), theme::HARM);
    }
    if saving.changed_at.is_some() || saving.underway.is_some() {
        return (words.t("report.saving").to_owned(), theme::TEXT);
    }
    match &saving.saved {
        Some(mark) => {
            let time = format::clock_seconds(mark.at);
            let key = if mark.at_center { "report.saved_center" } else { "report.saved_here" };
            (words.f(key, &[("time", &time)]), theme::TEXT)
        }
        None => (words.t("report.nothing_yet").to_owned(), theme::TEXT_FAINT),
    }
}

fn section_ui(
    ui: &mut Ui,
    words: Words,
    (report, assignment): (&ReportState, &Assignment),
    part: &Section,
    local: &mut ReportLocal,
    place_of: &dyn Fn(&crate::study::FrameRef) -> Option<usize>,
    out: &mut Vec<Action>,
) {
    let Some(draft) = report.draft() else { return };
    let opinion = assignment.kind == Kind::Opinion;
    let title = part.title_opinion.as_ref().filter(|_| opinion).unwrap_or(&part.title);
    section(ui, words.pick(title));
    if part.findings {
        let input = FindingsInput {
            words,
            template: &report.template,
            findings: &draft.findings,
            open: report.open_finding,
            editable: report.editable(),
            chosen: report.chosen.and_then(|id| draft.annotations.iter().find(|a| a.id == id)),
            place_of,
        };
        findings_ui(ui, &input, &mut local.typing, out);
        ui.add_space(2.0 * theme::GRID);
    }
    for field in &part.fields {
        let label = field.label_opinion.as_ref().filter(|_| opinion).unwrap_or(&field.label);
        let input = FieldInput {
            words,
            field,
            label: words.pick(label),
            value: draft.fields.get(&field.id),
            prefilled: draft.prefilled(&field.id),
            editable: report.editable(),
            scope: 0,
        };
        if let Some(value) = field_ui(ui, &input, &mut local.typing) {
            out.push(Action::Report(ReportAction::Edit(Edit::SetField(field.id.clone(), value))));
        }
    }
}

/// What an addendum adds to: the signed text, read-only, above the new one.
fn addendum_ui(ui: &mut Ui, words: Words, report: &ReportState) {
    let Some(follows) = report.draft().and_then(|d| d.addendum_to.as_ref()) else { return };
    ui.label(RichText::new(words.f("report.addendum_to", &[("n", &follows.version)])).color(theme::TEXT_STRONG));
    caption(ui, words.t("report.signed_text"));
    let height = ui.available_height() * 0.5;
    let frame = egui::Frame::new().fill(theme::GROUND).inner_margin(egui::Margin::same(12));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        let area = ScrollArea::vertical().id_salt("addendum-to").auto_shrink([false, true]).max_height(height);
        area.show(ui, |ui| match report.signed.iter().find(|v| v.sha256 == follows.sha256) {
            Some(version) => document_ui(ui, words, &version.report_json, &mut |_| None),
            None => {
                caption(ui, words.t("report.loading"));
            }
        });
    });
}

fn foot_ui(ui: &mut Ui, words: Words, report: &ReportState, out: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        let undo = report.history.as_ref().is_some_and(crate::report::History::can_undo);
        let redo = report.history.as_ref().is_some_and(crate::report::History::can_redo);
        for (key, enabled, action) in
            [("report.undo", undo, ReportAction::Undo), ("report.redo", redo, ReportAction::Redo)]
        {
            let enabled = enabled && report.editable();
            if quiet_button(ui, words.t(key), enabled).clicked() {
                out.push(Action::Report(action));
            }
        }
        if !report.signed.is_empty() && quiet_button(ui, words.t("report.show_signed"), true).clicked() {
            out.push(Action::Report(ReportAction::ShowSigned));
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if primary_button(ui, words.t("report.to_sign"), report.editable(), None).clicked() {
                out.push(Action::Sign(SignAction::Begin));
            }
            caption(ui, "Ctrl+Enter");
        });
    });
}
