//! Changing settings: each change is kept at once.

use super::action::SettingsAction;
use super::keymap::Keymap;
use super::settings::Name;
use super::state::App;
use crate::engine::message::{ArchiveCommand, Command};

pub(super) fn act(app: &mut App, action: SettingsAction, out: &mut Vec<Command>) {
    let settings = &mut app.settings;
    let name = match action {
        SettingsAction::Language(language) => {
            settings.language = Some(language);
            Name::Language
        }
        SettingsAction::Overlay(level) => {
            settings.overlay = level;
            Name::Overlay
        }
        SettingsAction::IdleLockMinutes(minutes) => {
            settings.idle_lock_minutes = minutes.clamp(1, 60);
            Name::IdleLock
        }
        SettingsAction::CacheAhead(on) => {
            settings.cache_ahead = on;
            Name::CacheAhead
        }
        SettingsAction::Bind(intent, chord) => {
            settings.keymap.bind(intent, chord);
            Name::Keys
        }
        SettingsAction::ResetKeys => {
            settings.keymap = Keymap::default();
            Name::Keys
        }
        SettingsAction::ToggleDialog => {
            settings.dialog_open = !settings.dialog_open;
            if settings.dialog_open {
                out.push(Command::Archive(ArchiveCommand::List));
            }
            return;
        }
    };
    out.push(settings.save(name));
}

pub(super) fn cycle_overlay(app: &mut App, out: &mut Vec<Command>) {
    app.settings.overlay = app.settings.overlay.next();
    out.push(app.settings.save(Name::Overlay));
}

pub(super) fn toggle_report(app: &mut App, out: &mut Vec<Command>) {
    app.settings.report_open = !app.settings.report_open;
    out.push(app.settings.save(Name::ReportOpen));
}

pub(super) fn toggle_tray(app: &mut App, out: &mut Vec<Command>) {
    app.settings.tray_open = !app.settings.tray_open;
    out.push(app.settings.save(Name::TrayOpen));
}

pub(super) fn toggle_preview(app: &mut App, out: &mut Vec<Command>) {
    app.settings.preview_open = !app.settings.preview_open;
    out.push(app.settings.save(Name::PreviewOpen));
}
