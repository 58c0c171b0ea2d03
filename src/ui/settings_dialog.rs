//! Settings: what a reader may choose for this terminal.

use super::archive_dialog::{ArchiveListLocal, archive_list_height, archive_list_ui};
use super::text::Words;
use super::widgets::{Dialog, bare_button, caption, chip, dialog, quiet_button, section, value};
use super::{names, theme};
use crate::app::{Action, App, Chord, Intent, Key, Keymap, Language, OverlayLevel, SettingsAction};
use egui::{Context, RichText, ScrollArea, Ui};

/// State of the dialog's widgets.
#[derive(Debug, Default)]
pub struct SettingsLocal {
    /// The intent whose key is being chosen.
    capturing: Option<Intent>,
    archives: ArchiveListLocal,
}

/// Draws the dialog if it is open. `pressed`: chords of this pass.
pub fn settings_dialog_ui(
    ctx: &Context,
    words: Words,
    app: &App,
    local: &mut SettingsLocal,
    pressed: &[Chord],
    out: &mut Vec<Action>,
) {
    if !app.settings.dialog_open {
        *local = SettingsLocal::default();
        return;
    }
    capture(local, pressed, out);
    let what = Dialog { id: "settings-dialog", title: words.t("settings.title"), width: 560.0 };
    dialog(ctx, what, |ui| {
        choices(ui, words, app, out);
        archive_list_ui(ui, words, app, &mut local.archives, out);
        section(ui, words.t("settings.keys"));
        caption(ui, words.t("settings.keys_hint"));
        let height = (ctx.content_rect().height() - 460.0 - archive_list_height(app)).clamp(96.0, 320.0);
        ScrollArea::vertical().max_height(height).auto_shrink([false, false]).show(ui, |ui| {
            keys(ui, words, app, local, out);
        });
        ui.add_space(2.0 * theme::GRID);
        ui.horizontal(|ui| {
            if quiet_button(ui, words.t("settings.close"), true).clicked() {
                out.push(Action::Settings(SettingsAction::ToggleDialog));
            }
            if bare_button(ui, words.t("settings.reset_keys"), theme::TEXT).clicked() {
                out.push(Action::Settings(SettingsAction::ResetKeys));
            }
        });
    });
}

/// While a key is being chosen the next chord is it; Esc leaves it as it was.
fn capture(local: &mut SettingsLocal, pressed: &[Chord], out: &mut Vec<Action>) {
    let (Some(intent), Some(chord)) = (local.capturing, pressed.first()) else { return };
    local.capturing = None;
    match chord.key {
        Key::Escape => {}
        Key::Delete => out.push(Action::Settings(SettingsAction::Bind(intent, None))),
        _ => out.push(Action::Settings(SettingsAction::Bind(intent, Some(*chord)))),
    }
}

impl SettingsLocal {
    /// The keyboard chooses a key just now.
    pub fn capturing(&self) -> bool {
        self.capturing.is_some()
    }
}

fn choices(ui: &mut Ui, words: Words, app: &App, out: &mut Vec<Action>) {
    let settings = &app.settings;
    let mut set = |action| out.push(Action::Settings(action));
    let row = |ui: &mut Ui, label: &str, content: &mut dyn FnMut(&mut Ui)| {
        ui.horizontal(|ui| {
            ui.set_min_height(32.0);
            ui.allocate_ui(egui::vec2(200.0, theme::ROW), |ui| {
                ui.set_min_width(200.0);
                ui.label(RichText::new(label).color(theme::TEXT));
            });
            content(ui);
        });
    };
    row(ui, words.t("settings.language"), &mut |ui| {
        for (language, name) in [(Language::Ja, "日本語"), (Language::En, "English")] {
            if chip(ui, name, settings.shown_language() == language, true).clicked() {
                set(SettingsAction::Language(language));
            }
        }
    });
    row(ui, words.t("settings.overlay"), &mut |ui| {
        for level in [OverlayLevel::Full, OverlayLevel::Short, OverlayLevel::None] {
            if chip(ui, names::overlay(words, level), settings.overlay == level, true).clicked() {
                set(SettingsAction::Overlay(level));
            }
        }
    });
    row(ui, words.t("settings.lock_minutes"), &mut |ui| {
        for minutes in [3u8, 5, 10, 15, 30] {
            if chip(ui, &minutes.to_string(), settings.idle_lock_minutes == minutes, true).clicked() {
                set(SettingsAction::IdleLockMinutes(minutes));
            }
        }
    });
    row(ui, words.t("settings.ahead"), &mut |ui| {
        for (on, name) in [(true, words.t("settings.yes")), (false, words.t("settings.no"))] {
            if chip(ui, name, settings.cache_ahead == on, true).clicked() {
                set(SettingsAction::CacheAhead(on));
            }
        }
    });
}

fn keys(ui: &mut Ui, words: Words, app: &App, local: &mut SettingsLocal, out: &mut Vec<Action>) {
    let mut listed: Vec<Intent> = Vec::new();
    for (_, _, intent) in Keymap::default().bindings() {
        if listed.contains(intent) {
            continue;
        }
        listed.push(*intent);
        ui.horizontal(|ui| {
            ui.allocate_ui(egui::vec2(280.0, theme::ROW), |ui| {
                ui.set_min_width(280.0);
                value(ui, &names::intent(words, *intent));
            });
            let chords: Vec<String> = app.settings.keymap.chords(*intent).map(|c| c.to_string()).collect();
            let waiting = local.capturing == Some(*intent);
            let text = if waiting {
                words.t("settings.press").to_owned()
            } else if chords.is_empty() {
                "–".to_owned()
            } else {
                chords.join("  ")
            };
            let name = names::intent(words, *intent);
            let response =
                chip(ui, &text, waiting, true).on_hover_text(words.f("settings.change_key", &[("name", &name)]));
            if response.clicked() {
                local.capturing = if waiting { None } else { Some(*intent) };
            }
            if !chords.is_empty() && bare_button(ui, words.t("settings.no_key"), theme::TEXT_FAINT).clicked() {
                out.push(Action::Settings(SettingsAction::Bind(*intent, None)));
            }
        });
    }
}
