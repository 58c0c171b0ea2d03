//! The bar above worklist and outbox: whose center, the link, what waits to be sent, who is signed in.

use super::text::Words;
use super::widgets::{bare_button, menu_button};
use super::{format, theme};
use crate::app::{AccessAction, Action, App, BuildClass, Intent, Language, Place, SettingsAction};
use egui::{Align, Color32, Layout, RichText, Sense, Ui, vec2};
use std::collections::BTreeSet;

/// A dot and a word; one thing, so that it stands alike in rows of either direction.
pub fn dot_word(ui: &mut Ui, text: &str, color: Color32) -> egui::Response {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::font(theme::BODY), theme::TEXT_STRONG);
    let size = vec2(galley.size().x + 4.0 * theme::GRID, theme::HIT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, text));
    ui.painter().circle_filled(rect.left_center() + vec2(4.0, 0.0), 3.5, color);
    let at = rect.left_center() + vec2(3.0 * theme::GRID, -galley.size().y / 2.0);
    ui.painter().galley(at, galley, theme::TEXT_STRONG);
    response
}

/// State of the link in words.
pub fn link_ui(ui: &mut Ui, words: Words, app: &App) {
    if app.link.online {
        let rate = format::rate(app.link.bytes_per_s);
        let text = match rate {
            Some(rate) => format!("{}  {rate}", words.t("link.online")),
            None => words.t("link.online").to_owned(),
        };
        dot_word(ui, &text, theme::OK);
    } else {
        dot_word(ui, words.t("link.offline"), theme::CAUTION).on_hover_text(words.t("link.offline_hint"));
    }
}

/// What every screen says while it is true: not for diagnosis, drawn by the processor. In short, and at length.
pub(super) fn standing_notices(words: Words, app: &App) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    if app.platform.build == BuildClass::Research {
        all.push((words.t("build.not_for_diagnosis_short"), words.t("build.not_for_diagnosis").to_owned()));
    }
    if app.platform.software_adapter {
        let name = app.platform.adapter.as_deref().unwrap_or("");
        all.push((words.t("build.software_short"), words.f("build.software", &[("name", &name)])));
    }
    let open = app.open_studies().filter(|_| app.reading.is_some()).filter_map(|(_, s)| s.study.as_ref());
    let notes: BTreeSet<&str> = open.flat_map(|s| &s.text_notes).map(String::as_str).collect();
    if !notes.is_empty() {
        let notes = notes.into_iter().collect::<Vec<_>>().join("\n");
        all.push((words.t("build.text_short"), words.f("build.text", &[("notes", &notes)])));
    }
    all
}

/// Draws them.
pub fn standing_notices_ui(ui: &mut Ui, words: Words, app: &App) {
    for (short, more) in standing_notices(words, app) {
        mark(ui, short, &more);
    }
}

fn mark(ui: &mut Ui, text: &str, more: &str) {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::font(theme::CAPTION), theme::CAUTION);
    let size = galley.size() + vec2(2.0 * theme::GRID, theme::GRID);
    // It takes the focus: what it means is read by key as well as with the pointer.
    let (rect, response) = ui.allocate_exact_size(size, Sense::focusable_noninteractive());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, text));
    let edge = egui::Stroke::new(1.0, theme::dimmed(theme::CAUTION, 0.5));
    let edge = if response.has_focus() { theme::focus() } else { edge };
    ui.painter().rect_stroke(rect, theme::RADIUS, edge, egui::StrokeKind::Inside);
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, theme::CAUTION);
    if response.has_focus() {
        response.show_tooltip_text(more);
    } else {
        response.on_hover_text(more);
    }
}

/// The other language, by its own name.
pub(super) fn other_language(words: Words) -> (Language, &'static str) {
    match words.0 {
        Language::Ja => (Language::En, "English"),
        Language::En => (Language::Ja, "日本語"),
    }
}

/// Switches to the other language.
pub fn language_button(ui: &mut Ui, words: Words, out: &mut Vec<Action>) {
    let (other, name) = other_language(words);
    if bare_button(ui, name, theme::TEXT).clicked() {
        out.push(Action::Settings(SettingsAction::Language(other)));
    }
}

/// Draws the bar's content.
pub fn top_bar_ui(ui: &mut Ui, words: Words, app: &App, out: &mut Vec<Action>) {
    ui.horizontal_centered(|ui| {
        ui.label(RichText::new("Dokuei").size(theme::SECTION).color(theme::TEXT_STRONG));
        ui.label(RichText::new(&app.link.center).color(theme::TEXT));
        ui.add_space(2.0 * theme::GRID);
        for (place, name) in [(Place::Worklist, words.t("bar.worklist")), (Place::Outbox, words.t("bar.outbox"))] {
            place_tab(ui, app, place, name, out);
        }
        if let Some(patient) = app.open_patient().filter(|_| app.reading.is_some()) {
            let name = words.f("bar.back_to", &[("name", &patient.name.display())]);
            if bare_button(ui, &name, theme::ACCENT).clicked() {
                out.push(Action::Go(Place::Reading));
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            language_button(ui, words, out);
            if let Some(session) = &app.access.session {
                menu_button(ui, &session.name, |ui| {
                    let mut item = |ui: &mut Ui, text: &str, action: Action| {
                        if bare_button(ui, text, theme::TEXT_STRONG).clicked() {
                            out.push(action);
                            ui.close();
                        }
                    };
                    item(ui, words.t("bar.settings"), Action::Intent(Intent::Settings));
                    item(ui, words.t("bar.lock"), Action::Access(AccessAction::Lock));
                    item(ui, words.t("bar.sign_out"), Action::Access(AccessAction::SignOut));
                });
            }
            link_ui(ui, words, app);
            ui.add_space(2.0 * theme::GRID);
            standing_notices_ui(ui, words, app);
        });
    });
}

fn place_tab(ui: &mut Ui, app: &App, place: Place, name: &str, out: &mut Vec<Action>) {
    let here = app.place == place;
    let color = if here { theme::TEXT_STRONG } else { theme::TEXT };
    let (text, color) = match place {
        Place::Outbox if app.outbox.iter().any(|e| e.wedged.is_some()) => {
            (format!("{name} {}", app.outbox.len()), theme::HARM)
        }
        Place::Outbox => (format!("{name} {}", app.outbox.len()), color),
        _ => (name.to_owned(), color),
    };
    let response = bare_button(ui, &text, color);
    if here {
        let rect = response.rect;
        ui.painter().hline(rect.x_range(), rect.bottom() + 2.0, egui::Stroke::new(2.0, theme::ACCENT));
    }
    if response.clicked() {
        out.push(Action::Go(place));
    }
}
