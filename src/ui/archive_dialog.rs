//! Signing in at an archive beside the center's own: the dialog, and what the settings list of it.

use super::chooser::{Chooser, Wanted, path_field};
use super::text::Words;
use super::widgets::{
    Dialog, bare_button, caption, chip, dialog, labelled_field, password_field, primary_button, quiet_button, section,
    value,
};
use super::{failure, ime, theme};
use crate::app::{Action, App, ArchiveAction, ArchiveDialog};
use crate::engine::message::{ArchiveCa, ArchiveCredentials, ArchiveNeed, Secret};
use egui::{Context, Key, Margin, RichText, ScrollArea, TextEdit, Ui};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// By whom the archive's certificate is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Authority {
    Kept,
    System,
    Own,
}

/// What is typed and not yet kept. Wiped when the dialog closes.
#[derive(Default)]
pub struct ArchiveLocal {
    /// The archive that the fields are for.
    archive: Option<String>,
    user: String,
    password: Zeroizing<String>,
    authority: Option<Authority>,
    ca_file: String,
    chooser: Chooser,
    ca_text: String,
    /// Passes drawn: a dialog's first is only measured, and a caret put into it then is lost.
    passes: u8,
}

impl std::fmt::Debug for ArchiveLocal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ArchiveLocal(…)")
    }
}

impl ArchiveLocal {
    /// The reader's choice, or what is likely meant.
    fn authority(&self, state: &ArchiveDialog) -> Authority {
        self.authority.unwrap_or(match state.need {
            Some(ArchiveNeed::Ca) => Authority::Own,
            _ if state.own_ca => Authority::Kept,
            _ => Authority::System,
        })
    }

    fn ca(&self, state: &ArchiveDialog) -> Option<ArchiveCa> {
        match self.authority(state) {
            Authority::Kept => Some(ArchiveCa::AsKept),
            Authority::System => Some(ArchiveCa::System),
            Authority::Own if !self.ca_text.trim().is_empty() => Some(ArchiveCa::Pem(self.ca_text.clone())),
            Authority::Own if !self.ca_file.trim().is_empty() => {
                Some(ArchiveCa::File(PathBuf::from(self.ca_file.trim())))
            }
            Authority::Own => None,
        }
    }
}

/// Draws the dialog if it is open.
pub fn archive_dialog_ui(ctx: &Context, words: Words, app: &App, local: &mut ArchiveLocal, out: &mut Vec<Action>) {
    let Some(state) = &app.archives.dialog else {
        *local = ArchiveLocal::default();
        return;
    };
    if local.archive.as_ref() != Some(&state.archive) {
        *local =
            ArchiveLocal { archive: Some(state.archive.clone()), user: state.user.clone(), ..ArchiveLocal::default() };
    }
    let what = Dialog { id: "archive-dialog", title: words.t("archive.title"), width: 520.0 };
    dialog(ctx, what, |ui| {
        ui.spacing_mut().item_spacing.y = theme::GRID;
        value(ui, if state.host.is_empty() { &state.archive } else { &state.host });
        if !state.host.is_empty() && state.host != state.archive {
            caption(ui, &state.archive);
        }
        told(ui, words, state);
        fields(ui, words, state, local, out);
    });
}

/// Why the dialog is here, or why it still is.
fn told(ui: &mut Ui, words: Words, state: &ArchiveDialog) {
    let host = if state.host.is_empty() { &state.archive } else { &state.host };
    let (what, todo) = match state.need {
        Some(ArchiveNeed::Credentials) | None => ("", words.t("archive.wants_do")),
        Some(ArchiveNeed::Others) => ("archive.refuses", words.t("archive.refuses_do")),
        Some(ArchiveNeed::Ca) => ("archive.untrusted", words.t("archive.untrusted_do")),
        Some(ArchiveNeed::Moved) => ("archive.moved", words.t("archive.moved_do")),
    };
    if !what.is_empty() {
        let color = if state.failure.is_some() { theme::HARM } else { theme::CAUTION };
        ui.label(RichText::new(words.f(what, &[("host", host)])).color(color));
    } else if let Some(problem) = &state.failure {
        ui.label(RichText::new(failure::what(words, problem)).color(theme::HARM));
    }
    if let (Some(problem), false) = (&state.failure, what.is_empty()) {
        caption(ui, problem.detail());
    }
    ui.label(RichText::new(todo).color(theme::TEXT));
    ui.add_space(theme::GRID);
}

fn fields(ui: &mut Ui, words: Words, state: &ArchiveDialog, local: &mut ArchiveLocal, out: &mut Vec<Action>) {
    let width = ui.available_width();
    let user = labelled_field(ui, words.t("archive.user"), &mut local.user, width);
    let password = password_field(ui, words.t("archive.password"), &mut local.password, width);
    local.passes = local.passes.saturating_add(1);
    if local.passes <= 2 {
        if local.user.is_empty() { user.request_focus() } else { password.request_focus() }
    }
    caption(ui, words.t("archive.authority"));
    let authority = local.authority(state);
    ui.horizontal(|ui| {
        let kept = state.own_ca.then_some((Authority::Kept, "archive.ca_kept"));
        let others = [(Authority::System, "archive.ca_system"), (Authority::Own, "archive.ca_own")];
        for (choice, name) in kept.into_iter().chain(others) {
            if chip(ui, words.t(name), authority == choice, true).clicked() {
                local.authority = Some(choice);
            }
        }
    });
    let pasting = authority == Authority::Own && own_authority(ui, words, local, width);
    ui.add_space(2.0 * theme::GRID);
    let ca = local.ca(state);
    let ready = !local.password.is_empty() && ca.is_some() && !state.busy;
    let enter = !pasting && !ime::composing(ui.ctx()) && ui.input(|i| i.key_pressed(Key::Enter));
    ui.horizontal(|ui| {
        let pressed = primary_button(ui, words.t("archive.keep"), ready, None).clicked();
        // Enter on the other button is that button's.
        let cancel = quiet_button(ui, words.t("archive.cancel"), true);
        if cancel.clicked() {
            out.push(Action::Archive(ArchiveAction::Close));
        } else if let Some(ca) = ca.filter(|_| ready && (pressed || (enter && !cancel.has_focus()))) {
            out.push(Action::Archive(ArchiveAction::Keep(ArchiveCredentials {
                archive: state.archive.clone(),
                user: local.user.trim().to_owned(),
                // It stays in the field until it is kept: what is missing may be the certificate.
                password: Secret(local.password.clone()),
                ca,
                trial: state.trial.clone(),
            })));
        }
        if state.busy {
            caption(ui, words.t("archive.busy"));
        }
    });
}

/// A file or its text. True while Enter is theirs: in the text it begins a line, on the button it opens the dialog.
fn own_authority(ui: &mut Ui, words: Words, local: &mut ArchiveLocal, width: f32) -> bool {
    caption(ui, words.t("archive.ca_hint"));
    let name = words.t("archive.ca_file");
    let wanted = Wanted::File { kind: name, endings: &["pem", "crt", "cer", "der"] };
    let field = path_field(ui, words, name, &mut local.ca_file, wanted, &mut local.chooser);
    let dropped = ui.input(|i| i.raw.dropped_files.first().map(|f| f.path().to_owned()));
    if let Some(path) = &dropped {
        local.ca_file = path.display().to_string();
    }
    if field.chosen || dropped.is_some() {
        local.ca_text.clear();
    }
    let label = caption(ui, words.t("archive.ca_text"));
    let text = TextEdit::multiline(&mut local.ca_text)
        .desired_rows(3)
        .desired_width(width)
        .font(theme::digits(theme::CAPTION))
        .margin(Margin::symmetric(8, 6));
    let scroll = ScrollArea::vertical().id_salt("ca-text").max_height(72.0);
    let typing = scroll.show(ui, |ui| ui.add(text).labelled_by(label.id).has_focus()).inner;
    typing || field.button.has_focus()
}

/// What the settings remember between passes.
#[derive(Debug, Default)]
pub struct ArchiveListLocal {
    /// Asked once whether to remove it.
    removing: Option<String>,
}

/// The archives that are kept or waited for, in the settings.
pub fn archive_list_ui(ui: &mut Ui, words: Words, app: &App, local: &mut ArchiveListLocal, out: &mut Vec<Action>) {
    section(ui, words.t("archive.section"));
    let archives = &app.archives;
    let waiting = archives.wants.values().filter(|w| !archives.kept.iter().any(|k| k.archive == w.archive));
    if archives.kept.is_empty() && archives.wants.is_empty() {
        caption(ui, words.t("archive.none"));
        return;
    }
    let scroll = ScrollArea::vertical().id_salt("archives").max_height(LIST_HEIGHT).auto_shrink([false, true]);
    scroll.show(ui, |ui| {
        for want in waiting {
            row(ui, words, &want.archive, &[&want.host, words.t("archive.waits")], None, local, out);
        }
        for kept in &archives.kept {
            let origin = kept.origin.as_deref().unwrap_or(words.t("archive.first_use"));
            let user = if kept.user.is_empty() { words.t("archive.token") } else { &kept.user };
            let ca = kept
                .ca_sha256
                .as_deref()
                .map(|hex| words.f("archive.own_ca", &[("ca", &hex.get(..16).unwrap_or(hex))]));
            let mut facts = vec![user];
            if origin != kept.archive {
                facts.insert(0, origin);
            }
            facts.extend(ca.as_deref());
            if archives.wants.contains_key(&kept.archive) {
                facts.push(words.t("archive.waits"));
            }
            row(ui, words, &kept.archive, &facts, Some(&kept.archive), local, out);
        }
    });
}

/// Height that the list has at most in the settings.
const LIST_HEIGHT: f32 = 88.0;

/// Height that the section needs in the settings.
pub fn archive_list_height(app: &App) -> f32 {
    let archives = &app.archives;
    let waiting = archives.wants.keys().filter(|w| !archives.kept.iter().any(|k| k.archive == **w)).count();
    let rows = archives.kept.len() + waiting;
    44.0 + (rows as f32 * 44.0).clamp(20.0, LIST_HEIGHT)
}

fn row(
    ui: &mut Ui,
    words: Words,
    archive: &str,
    facts: &[&str],
    removable: Option<&str>,
    local: &mut ArchiveListLocal,
    out: &mut Vec<Action>,
) {
    ui.horizontal(|ui| {
        let room = (ui.available_width() - 200.0).max(120.0);
        ui.allocate_ui(egui::vec2(room, 40.0), |ui| {
            ui.vertical(|ui| {
                ui.set_width(room);
                ui.spacing_mut().item_spacing.y = 0.0;
                ui.add(egui::Label::new(RichText::new(archive).color(theme::TEXT_STRONG)).truncate());
                let line = RichText::new(facts.join("  ·  ")).size(theme::CAPTION).color(theme::TEXT_FAINT);
                ui.add(egui::Label::new(line).truncate());
            });
        });
        let name = words.f("archive.replace_of", &[("archive", &archive)]);
        if bare_button(ui, words.t("archive.replace"), theme::ACCENT).on_hover_text(name).clicked() {
            local.removing = None;
            out.push(Action::Archive(ArchiveAction::Open(archive.to_owned())));
        }
        let Some(kept) = removable else { return };
        let sure = local.removing.as_deref() == Some(kept);
        let (text, color) = if sure { ("archive.remove_sure", theme::HARM) } else { ("archive.remove", theme::TEXT) };
        let name = words.f("archive.remove_of", &[("archive", &kept)]);
        if bare_button(ui, words.t(text), color).on_hover_text(name).clicked() {
            if sure {
                local.removing = None;
                out.push(Action::Archive(ArchiveAction::Remove(kept.to_owned())));
            } else {
                local.removing = Some(kept.to_owned());
            }
        }
    });
}
