//! The document within an object, out of the sealed store into a folder that the reader names.

use super::chooser::{Chooser, Wanted, path_field};
use super::text::Words;
use super::widgets::{caption, quiet_button, value};
use super::{failure, ime, theme};
use crate::app::{Action, ObjectAction, OpenObject, Saved};
use egui::{RichText, Ui};

/// What is typed and not yet sent. Debug output hides it.
#[derive(Default)]
pub struct SaveLocal {
    folder: String,
    chooser: Chooser,
}

impl std::fmt::Debug for SaveLocal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SaveLocal(…)")
    }
}

/// The folder, the button, and what became of it.
pub fn save_ui(ui: &mut Ui, words: Words, open: &OpenObject, local: &mut SaveLocal, out: &mut Vec<Action>) {
    ui.add_space(theme::GRID);
    caption(ui, words.t("object.save_means"));
    let name = words.t("object.save_folder");
    path_field(ui, words, name, &mut local.folder, Wanted::Folder, &mut local.chooser);
    let busy = open.saved == Some(Saved::UnderWay);
    let ready = !busy && !local.folder.trim().is_empty() && !ime::composing(ui.ctx());
    if quiet_button(ui, words.t("object.save"), ready).clicked() {
        out.push(Action::Object(ObjectAction::Save(local.folder.clone())));
    }
    match &open.saved {
        None => {}
        Some(Saved::UnderWay) => {
            caption(ui, words.t("object.saving"));
        }
        Some(Saved::Here(file)) => {
            ui.label(RichText::new(words.t("object.saved")).color(theme::OK));
            value(ui, &file.display().to_string());
            caption(ui, words.t("object.saved_do"));
        }
        Some(Saved::Failed(problem)) => {
            let (what, todo) = failure::writing_out(words, problem);
            ui.label(RichText::new(what).color(theme::HARM));
            caption(ui, todo);
        }
    }
}
