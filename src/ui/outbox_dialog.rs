//! A report refused for good: its signed files out of the sealed store, or its entry closed with a reason.

use super::chooser::{Chooser, Wanted, path_field};
use super::text::Words;
use super::widgets::{Dialog, caption, dialog, primary_button, quiet_button, value};
use super::{failure, ime, theme};
use crate::app::{Action, App, OutboxAction, OutboxAsk, OutboxDialog};
use egui::{Context, RichText, TextEdit, Ui};

/// What is typed and not yet sent. Debug output hides it.
#[derive(Default)]
pub struct OutboxLocal {
    of: Option<(i64, OutboxAsk)>,
    text: String,
    chooser: Chooser,
}

impl std::fmt::Debug for OutboxLocal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OutboxLocal(…)")
    }
}

/// Draws the dialog if it is open.
pub fn outbox_dialog_ui(ctx: &Context, words: Words, app: &App, local: &mut OutboxLocal, out: &mut Vec<Action>) {
    let Some(state) = &app.outbox_dialog else {
        *local = OutboxLocal::default();
        return;
    };
    if local.of != Some((state.id, state.ask)) {
        *local = OutboxLocal { of: Some((state.id, state.ask)), ..OutboxLocal::default() };
    }
    let export = state.ask == OutboxAsk::Export;
    let title = words.t(if export { "outbox.export_title" } else { "outbox.hand_over_title" });
    dialog(ctx, Dialog { id: "outbox-dialog", title, width: 520.0 }, |ui| {
        ui.spacing_mut().item_spacing.y = theme::GRID;
        if let Some(entry) = app.outbox.iter().chain(&app.handed).find(|e| e.id == state.id) {
            value(ui, &super::outbox_panel::who(app, &entry.assignment));
            caption(ui, &entry.assignment);
        }
        ui.add_space(theme::GRID);
        match &state.exported {
            Some(folder) => {
                ui.label(RichText::new(words.t("outbox.exported")).color(theme::OK));
                value(ui, &folder.display().to_string());
                caption(ui, words.t("outbox.exported_do"));
                ui.add_space(2.0 * theme::GRID);
                if primary_button(ui, words.t("outbox.close"), true, None).clicked() {
                    out.push(Action::Outbox(OutboxAction::Close));
                }
            }
            None => asking(ui, words, state, local, out),
        }
    });
}

fn asking(ui: &mut Ui, words: Words, state: &OutboxDialog, local: &mut OutboxLocal, out: &mut Vec<Action>) {
    let export = state.ask == OutboxAsk::Export;
    let means = words.t(if export { "outbox.export_means" } else { "outbox.hand_over_means" });
    ui.label(RichText::new(means).color(if export { theme::CAUTION } else { theme::TEXT }));
    ui.add_space(theme::GRID);
    if export {
        let name = words.t("outbox.export_folder");
        path_field(ui, words, name, &mut local.text, Wanted::Folder, &mut local.chooser);
        caption(ui, words.t("outbox.export_hint"));
    } else {
        let label = caption(ui, words.t("outbox.hand_over_reason"));
        let field = TextEdit::multiline(&mut local.text).desired_rows(3).desired_width(f32::INFINITY);
        ui.add(field).labelled_by(label.id);
    }
    if let Some(problem) = &state.failure {
        let (what, todo) = if export {
            failure::writing_out(words, problem)
        } else {
            (failure::what(words, problem), failure::todo(words, problem))
        };
        ui.label(RichText::new(what).color(theme::HARM));
        caption(ui, todo);
    }
    ui.add_space(2.0 * theme::GRID);
    ui.horizontal(|ui| {
        let ready = !state.busy && !local.text.trim().is_empty() && !ime::composing(ui.ctx());
        let name = words.t(if export { "outbox.export_confirm" } else { "outbox.hand_over_confirm" });
        if primary_button(ui, name, ready, None).clicked() {
            out.push(Action::Outbox(OutboxAction::Confirm(local.text.clone())));
        }
        if quiet_button(ui, words.t("outbox.cancel"), true).clicked() {
            out.push(Action::Outbox(OutboxAction::Close));
        }
    });
}
