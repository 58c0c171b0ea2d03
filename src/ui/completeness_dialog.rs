//! What the center named, what came, and what cannot be shown and why. Nothing is silently missing.

use super::text::Words;
use super::widgets::{Dialog, caption, dialog, elided, quiet_button, section};
use super::{failure, format, theme, why};
use crate::app::{App, StudyState};
use crate::study::NotShown;
use egui::{Context, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

/// Draws the dialog; true while it stays open.
pub fn completeness_ui(ctx: &Context, words: Words, app: &App) -> bool {
    let mut open = true;
    let what = Dialog { id: "complete-dialog", title: words.t("complete.title"), width: 720.0 };
    let escaped = dialog(ctx, what, |ui| {
        if let Some(patient) = app.open_patient() {
            caption(ui, &format!("{}  {}", patient.name.display(), patient.id));
        }
        let height = (ctx.content_rect().height() - 260.0).max(120.0);
        ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
            for (_, state) in app.open_studies() {
                study_ui(ui, words, state, words.t("tray.current"));
            }
            for (_, state) in app.open_priors() {
                study_ui(ui, words, state, words.t("tray.prior"));
            }
            if !app.access.local_not_shown.is_empty() {
                section(ui, words.t("complete.local"));
                not_shown_ui(ui, words, &app.access.local_not_shown);
            }
        });
        ui.add_space(2.0 * theme::GRID);
        if quiet_button(ui, words.t("complete.close"), true).clicked() {
            open = false;
        }
    });
    open && !escaped
}

fn study_ui(ui: &mut Ui, words: Words, state: &StudyState, name: &str) {
    let date = format::date(state.study.as_ref().and_then(|s| s.date));
    let description = state.study.as_ref().map_or("", |s| s.description.as_str());
    section(ui, &format!("{name}  {date}  {description}"));
    let ledger = &state.ledger;
    let announced = ledger.announced.map_or_else(|| "–".to_owned(), |n| n.to_string());
    let counts = words.f(
        "complete.counts",
        &[
            ("announced", &announced),
            ("expected", &ledger.expected()),
            ("received", &ledger.received()),
            ("shown", &ledger.shown()),
        ],
    );
    ui.label(RichText::new(counts).color(theme::TEXT_STRONG));
    if ledger.disagrees_with_announcement().is_some() {
        ui.label(RichText::new(words.t("complete.disagrees")).color(theme::CAUTION));
    }
    if let Some(problem) = &state.failure {
        ui.label(RichText::new(failure::what(words, problem)).color(theme::CAUTION));
        caption(ui, failure::todo(words, problem));
    } else if !state.finished {
        caption(ui, words.t("complete.under_way"));
    }
    if let Some(study) = &state.study {
        for series in &study.series {
            let Some(entry) = ledger.series.get(&series.uid) else { continue };
            let number = series.number.map_or_else(String::new, |n| n.to_string());
            let label = format!("{} {}", series.modality, series.description);
            let count = format!("{} / {}", entry.received.len(), entry.expected.len());
            let whole = entry.received.len() >= entry.expected.len() && entry.failed.is_empty();
            row(ui, [&number, &label, &count], whole);
        }
    }
    if ledger.listed() > 0 {
        ui.label(RichText::new(words.f("complete.listed", &[("n", &ledger.listed())])).color(theme::TEXT));
    }
    not_shown_ui(ui, words, &ledger.not_shown(state.finished));
}

fn not_shown_ui(ui: &mut Ui, words: Words, missing: &[NotShown]) {
    if missing.is_empty() {
        return;
    }
    ui.add_space(theme::GRID);
    ui.label(RichText::new(words.f("complete.not_shown", &[("n", &missing.len())])).color(theme::CAUTION));
    for item in missing {
        ui.label(RichText::new(why::reason(words, &item.reason)).color(theme::TEXT_STRONG));
        ui.label(RichText::new(&item.what).font(theme::digits(theme::CAPTION)).color(theme::TEXT_FAINT));
    }
}

fn row(ui: &mut Ui, [number, label, count]: [&str; 3], whole: bool) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, format!("{number} {label} {count}")));
    let painter = ui.painter();
    let middle = rect.center().y;
    let color = if whole { theme::OK } else { theme::CAUTION };
    let put = |galley: std::sync::Arc<egui::Galley>, x: f32| {
        painter.galley(pos2(x, middle - galley.size().y / 2.0), galley, theme::TEXT);
    };
    put(elided(painter, number, theme::digits(theme::BODY), theme::TEXT, 44.0), rect.left());
    put(elided(painter, label, theme::font(theme::BODY), theme::TEXT_STRONG, rect.width() - 200.0), rect.left() + 48.0);
    let galley = elided(painter, count, theme::digits(theme::BODY), color, 120.0);
    let x = rect.right() - galley.size().x - 8.0;
    put(galley, x);
}
