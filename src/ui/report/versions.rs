//! Two versions of a draft: the choice between them, and what was not chosen.

use crate::app::{Action, Language, ReportAction, ReportState};
use crate::report::page::{PageSection, differences, page_of_draft};
use crate::report::{Draft, templates};
use crate::ui::document_view::sections_ui;
use crate::ui::text::Words;
use crate::ui::theme;
use crate::ui::widgets::{caption, quiet_button, rule};
use crate::worklist::Kind;
use egui::{RichText, ScrollArea, Ui};

/// The center holds another draft: what each says that the other does not, with the button that keeps it.
pub(super) fn conflict_ui(ui: &mut Ui, words: Words, report: &ReportState, kind: Kind, out: &mut Vec<Action>) {
    ui.label(RichText::new(words.t("report.conflict")).color(theme::CAUTION));
    caption(ui, words.t("report.conflict_meaning"));
    let sections =
        |draft: Option<&Draft>| draft.map_or_else(Vec::new, |d| sections_of(words, d, kind).unwrap_or_default());
    let (local, center) = (sections(report.draft()), sections(report.conflict.as_ref()));
    let [only_local, only_center] = differences(&local, &center);
    let same = only_local.is_empty() && only_center.is_empty();
    caption(ui, words.t(if same { "report.version_same" } else { "report.version_differences" }));
    let half = (ui.available_height() / 2.0 - theme::ROW - 4.0 * theme::GRID).max(theme::ROW);
    let versions = [
        (only_local, "report.version_local", "report.keep_local", true),
        (only_center, "report.version_center", "report.keep_center", false),
    ];
    for (sections, name, keep, keep_local) in versions {
        rule(ui);
        ui.horizontal(|ui| {
            ui.label(RichText::new(words.t(name)).size(theme::SECTION).color(theme::TEXT_STRONG));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if quiet_button(ui, words.t(keep), true).clicked() {
                    out.push(Action::Report(ReportAction::Resolve { keep_local }));
                }
            });
        });
        let area = ScrollArea::vertical().id_salt(name).auto_shrink([false, true]).max_height(half);
        area.show(ui, |ui| {
            if sections.is_empty() && !same {
                caption(ui, words.t("report.version_nothing"));
            }
            sections_ui(ui, &sections, &mut |_| None);
        });
    }
}

/// What was not chosen, read-only, newest first. True while it stands in the place of the report.
pub(super) fn left_ui(ui: &mut Ui, words: Words, report: &ReportState, kind: Kind, shown: &mut bool) -> bool {
    if report.left.is_empty() {
        *shown = false;
        return false;
    }
    let key = if *shown { "report.left_back" } else { "report.left_show" };
    if quiet_button(ui, &words.f(key, &[("n", &report.left.len())]), true).clicked() {
        *shown = !*shown;
    }
    ui.add_space(theme::GRID);
    if !*shown {
        return false;
    }
    caption(ui, words.t("report.left_meaning"));
    ScrollArea::vertical().id_salt("left").auto_shrink(false).show(ui, |ui| {
        for draft in report.left.iter().rev() {
            rule(ui);
            version_ui(ui, words, draft, kind);
        }
    });
    true
}

fn version_ui(ui: &mut Ui, words: Words, draft: &Draft, kind: Kind) {
    match sections_of(words, draft, kind) {
        None => {
            caption(ui, &words.f("report.template_unknown", &[("id", &draft.template_id)]));
        }
        Some(sections) if sections.is_empty() => {
            caption(ui, words.t("report.nothing_yet"));
        }
        Some(sections) => sections_ui(ui, &sections, &mut |_| None),
    }
}

/// What a draft says; `None` where its form is not known here.
fn sections_of(words: Words, draft: &Draft, kind: Kind) -> Option<Vec<PageSection>> {
    let template = templates::find(&draft.template_id)?;
    Some(page_of_draft(draft, &template, kind, if words.0 == Language::Ja { "ja" } else { "en" }))
}
