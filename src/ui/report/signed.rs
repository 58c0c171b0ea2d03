//! Signed versions, read-only: the content from the signed bytes, the verdict, the receipt, and the addendum.

use crate::app::{Action, ReportAction, ReportState};
use crate::ui::document_view::document_ui;
use crate::ui::text::Words;
use crate::ui::theme;
use crate::ui::widgets::{caption, chip, primary_button, rule, state_word};
use crate::worklist::{Assignment, AssignmentState};
use egui::{ScrollArea, Ui};

/// Draws the versions on file; the newest is shown first.
pub fn signed_ui(
    ui: &mut Ui,
    words: Words,
    report: &ReportState,
    assignment: &Assignment,
    shown: &mut usize,
    out: &mut Vec<Action>,
) {
    if report.signed.is_empty() {
        let key = if report.loading { "report.loading" } else { "report.no_version" };
        caption(ui, words.t(key));
        return;
    }
    let last = report.signed.len() - 1;
    *shown = (*shown).min(last);
    ui.horizontal(|ui| {
        for (back, version) in report.signed.iter().rev().enumerate() {
            let label = words.f("report.version", &[("n", &version.version)]);
            if chip(ui, &label, back == *shown, true).clicked() {
                *shown = back;
            }
        }
    });
    let Some(version) = report.signed.get(last - *shown) else { return };
    let (key, color) = if version.valid { ("report.valid", theme::OK) } else { ("report.not_valid", theme::HARM) };
    state_word(ui, &words.f(key, &[("verdict", &version.verdict)]), color);
    match &version.receipt {
        Some(receipt) => {
            let text = words.f(
                "report.receipt",
                &[("id", &receipt.report_id), ("at", &crate::ui::format::moment(receipt.received_at))],
            );
            state_word(ui, &text, theme::OK);
        }
        None => {
            state_word(ui, words.t("report.waiting"), theme::CAUTION);
        }
    }
    rule(ui);
    let addendum = matches!(assignment.state, AssignmentState::Submitted | AssignmentState::Finalized);
    let foot = if addendum || report.history.is_some() { theme::ROW + 5.0 * theme::GRID } else { 0.0 };
    let height = (ui.available_height() - foot).max(0.0);
    ScrollArea::vertical().auto_shrink(false).max_height(height).show(ui, |ui| {
        document_ui(ui, words, &version.report_json, &mut |_| None);
    });
    ui.horizontal(|ui| {
        if report.history.is_some() {
            if crate::ui::widgets::quiet_button(ui, words.t("report.back_to_draft"), true).clicked() {
                out.push(Action::Report(ReportAction::ShowSigned));
            }
        } else if addendum && primary_button(ui, words.t("report.addendum"), version.receipt.is_some(), None).clicked()
        {
            out.push(Action::Report(ReportAction::StartAddendum));
        }
    });
}
