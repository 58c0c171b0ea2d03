//! The whole screen, drawn from the state: what a window shows in one pass, and what the reader wanted in it.

use super::archive_dialog::{ArchiveLocal, archive_dialog_ui};
use super::completeness_dialog::completeness_ui;
use super::hands::{Hands, Region};
use super::notices::notices_ui;
use super::outbox_dialog::{OutboxLocal, outbox_dialog_ui};
use super::outbox_panel::outbox_ui;
use super::palette::{PaletteLocal, key_card_ui, palette_ui};
use super::picture::Pictures;
use super::reading::{self, ReadingLocal};
use super::report::{SignLocal, sign_dialog_ui};
use super::return_dialog::{ReturnLocal, return_dialog_ui};
use super::settings_dialog::{SettingsLocal, settings_dialog_ui};
use super::sign_in::{SignInLocal, sign_in_ui};
use super::text::Words;
use super::worklist_panel::{WorklistLocal, worklist_ui};
use super::{input, theme, top_bar};
use crate::app::{Action, App, Intent, Place, ReportAction, Screen};
use egui::{Frame, Margin, Panel, Ui};

/// State of all widgets of a window. Decides nothing clinical.
#[derive(Default)]
pub struct Local {
    sign_in: SignInLocal,
    worklist: WorklistLocal,
    reading: ReadingLocal,
    hands: Hands,
    returning: ReturnLocal,
    settings: SettingsLocal,
    archive: ArchiveLocal,
    outbox: OutboxLocal,
    sign: SignLocal,
    palette: Option<PaletteLocal>,
    key_card: bool,
}

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Local(…)")
    }
}

impl Local {
    /// A dialog of `ui`'s own has the keyboard.
    fn covered(&self) -> bool {
        self.palette.is_some() || self.key_card || self.reading.completeness || self.settings.capturing()
    }
}

/// Draws the screen and collects what the reader wants. `pictures` is `None` without a graphics device.
pub fn screen_ui(ui: &mut Ui, app: &App, pictures: Option<&Pictures>, local: &mut Local, out: &mut Vec<Action>) {
    let words = Words(app.settings.shown_language());
    if app.screen() != Screen::At(Place::Reading) {
        local.hands = Hands::default();
    }
    let covered = local.covered();
    let keys = input::keys(ui.ctx(), app, covered, &mut local.hands, out);
    for intent in keys.intents {
        intend(intent, app, local, out);
    }
    let Screen::At(place) = app.screen() else {
        // Nothing of any patient outlives the screen it was on.
        *local = Local { sign_in: std::mem::take(&mut local.sign_in), ..Local::default() };
        sign_in_ui(ui, words, app, &mut local.sign_in, out);
        return;
    };
    local.sign_in = SignInLocal::default();
    let bar = if place == Place::Reading { theme::BAR } else { theme::BAR + 8.0 };
    Panel::top("bar")
        .exact_size(bar)
        .resizable(false)
        .frame(Frame::new().fill(theme::PANEL).inner_margin(Margin::symmetric(12, 0)))
        .show(ui, |ui| match place {
            Place::Reading => reading::bar_ui(ui, words, app, &mut local.reading, out),
            Place::Worklist | Place::Outbox => top_bar::top_bar_ui(ui, words, app, out),
        });
    notices_ui(ui, words, app, out);
    match place {
        Place::Worklist => worklist_ui(ui, words, app, &mut local.worklist, out),
        Place::Reading => reading::reading_ui(ui, words, app, pictures, &mut local.reading, out),
        Place::Outbox => outbox_ui(ui, words, app, out),
    }
    // Who took a measurement or a picture into the report goes on with the pictures.
    let taken = |a: &Action| matches!(a, Action::Report(ReportAction::UseMeasurement(_) | ReportAction::KeyImage));
    if out.iter().any(taken) {
        local.hands.region = Region::Pictures;
    }
    local.hands.report = local.reading.report_at.take().filter(|_| place == Place::Reading);
    dialogs(ui, words, app, local, &keys.chords, out);
    if !local.covered() && !app.modal() {
        local.hands.end(ui.ctx());
    }
}

fn dialogs(
    ui: &mut Ui,
    words: Words,
    app: &App,
    local: &mut Local,
    chords: &[crate::app::Chord],
    out: &mut Vec<Action>,
) {
    let ctx = ui.ctx().clone();
    sign_dialog_ui(&ctx, app, &mut local.sign, out);
    return_dialog_ui(&ctx, words, app, &mut local.returning, out);
    settings_dialog_ui(&ctx, words, app, &mut local.settings, chords, out);
    archive_dialog_ui(&ctx, words, app, &mut local.archive, out);
    outbox_dialog_ui(&ctx, words, app, &mut local.outbox, out);
    if local.reading.completeness {
        local.reading.completeness = completeness_ui(&ctx, words, app);
    }
    if local.key_card {
        local.key_card = key_card_ui(&ctx, words, app);
    }
    if let Some(palette) = &mut local.palette {
        let (picked, stays) = palette_ui(&ctx, words, app, palette);
        if !stays {
            local.palette = None;
        }
        if let Some(intent) = picked {
            intend(intent, app, local, out);
        }
    }
}

/// Carries out what is `ui`'s own; hands the rest on.
fn intend(intent: Intent, app: &App, local: &mut Local, out: &mut Vec<Action>) {
    match intent {
        Intent::Palette => local.palette = Some(PaletteLocal::default()),
        Intent::Help => local.key_card = true,
        Intent::FocusSearch => local.worklist.focus_search = true,
        Intent::SwitchFocus => {
            to_report(app, local, out);
            local.reading.report.want_caret();
        }
        other => {
            if other == Intent::NewFinding {
                to_report(app, local, out);
            }
            out.push(Action::Intent(other));
        }
    }
}

/// The hand goes to the report; a folded one opens.
fn to_report(app: &App, local: &mut Local, out: &mut Vec<Action>) {
    if app.report.is_none() {
        return;
    }
    local.hands.region = Region::Report;
    if !app.settings.report_open {
        out.push(Action::Intent(Intent::ToggleReport));
    }
}
