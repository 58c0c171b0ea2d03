//! The system's own dialog for a file or a folder, beside a field for its path.
//!
//! On Windows and macOS the system's dialog; on Linux the desktop portal's, or zenity where there is none. Where there is
//! neither, nothing opens: the field beside stays usable all the time, and says so once the dialog came back empty.

use super::text::Words;
use super::widgets::{caption, field_with_button};
use egui::{Context, Response, Ui};
use rfd::FileHandle;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

/// A dialog that is open: ends with the path, or without one.
type Pending = Pin<Box<dyn Future<Output = Option<FileHandle>> + Send>>;

/// What is to be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// A file of a kind, which has one of these endings as a rule.
    File {
        /// The kind, in words.
        kind: &'a str,
        /// Without the dot.
        endings: &'a [&'a str],
    },
    /// A folder.
    Folder,
}

/// One field's dialog.
pub struct Chooser {
    open: fn(Wanted<'_>, &str) -> Pending,
    under_way: Option<Pending>,
    /// The last dialog ended without a path.
    empty: bool,
}

impl Default for Chooser {
    fn default() -> Self {
        Self { open: system_dialog, under_way: None, empty: false }
    }
}

fn system_dialog(wanted: Wanted<'_>, title: &str) -> Pending {
    let dialog = rfd::AsyncFileDialog::new().set_title(title);
    match wanted {
        Wanted::File { kind, endings } => {
            // A file that was renamed on its way is still to be seen.
            Box::pin(dialog.add_filter(kind, endings).add_filter("*", &["*"]).pick_file())
        }
        Wanted::Folder => Box::pin(dialog.pick_folder()),
    }
}

/// Draws the screen again when the dialog has ended.
struct Repaint(Context);

impl Wake for Repaint {
    fn wake(self: Arc<Self>) {
        self.0.request_repaint();
    }
}

impl Chooser {
    /// The path, once, when the dialog has ended with one. Never waits.
    fn poll(&mut self, ctx: &Context) -> Option<PathBuf> {
        let waker = Waker::from(Arc::new(Repaint(ctx.clone())));
        let pending = self.under_way.as_mut()?;
        let Poll::Ready(chosen) = pending.as_mut().poll(&mut std::task::Context::from_waker(&waker)) else {
            return None;
        };
        self.under_way = None;
        self.empty = chosen.is_none();
        chosen.map(PathBuf::from)
    }
}

/// What a [`path_field`] did in this pass.
#[derive(Debug)]
pub struct PathField {
    /// The dialog ended with a path, which stands in the field now.
    pub chosen: bool,
    /// The dialog's button: Enter on it is its own.
    pub button: Response,
}

/// A field for a path under its name, and the dialog's button beside it.
pub fn path_field(
    ui: &mut Ui,
    words: Words,
    name: &str,
    path: &mut String,
    wanted: Wanted<'_>,
    chooser: &mut Chooser,
) -> PathField {
    let chosen = chooser.poll(ui.ctx());
    if let Some(chosen) = &chosen {
        *path = chosen.display().to_string();
    }
    let under_way = chooser.under_way.is_some();
    let (_, button) = field_with_button(ui, name, path, words.t("choose.button"), !under_way);
    if button.clicked() {
        chooser.under_way = Some((chooser.open)(wanted, name));
        chooser.empty = false;
        ui.ctx().request_repaint();
    }
    if under_way {
        caption(ui, words.t("choose.open"));
    } else if chooser.empty {
        caption(ui, words.t("choose.empty"));
    }
    PathField { chosen: chosen.is_some(), button }
}

#[cfg(test)]
mod tests {
    use super::super::fonts;
    use super::*;
    use crate::app::Language;
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable as _;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct State {
        language: Language,
        chooser: Chooser,
        path: String,
        chosen: usize,
        fonts: bool,
    }

    fn window(language: Language, open: fn(Wanted<'_>, &str) -> Pending) -> Harness<'static, State> {
        let chooser = Chooser { open, ..Chooser::default() };
        let draw = |ui: &mut Ui, state: &mut State| {
            if !std::mem::replace(&mut state.fonts, true) {
                // They count from the next pass on.
                return fonts::install(ui.ctx());
            }
            let wanted = Wanted::File { kind: "a kind", endings: &["end"] };
            let field = path_field(ui, Words(state.language), "the name", &mut state.path, wanted, &mut state.chooser);
            state.chosen += usize::from(field.chosen);
        };
        Harness::new_ui_state(draw, State { language, chooser, path: "typed".into(), chosen: 0, fonts: false })
    }

    #[test]
    fn what_was_chosen_stands_in_the_field_once() {
        fn found(wanted: Wanted<'_>, title: &str) -> Pending {
            assert_eq!((wanted, title), (Wanted::File { kind: "a kind", endings: &["end"] }, "the name"));
            Box::pin(std::future::ready(Some(PathBuf::from("/media/登録.end").into())))
        }
        let mut window = window(Language::En, found);
        window.run();
        assert_eq!((window.state().path.as_str(), window.state().chosen), ("typed", 0));
        window.get_by_label("Choose…").click();
        window.run();
        window.run();
        assert_eq!((window.state().path.as_str(), window.state().chosen), ("/media/登録.end", 1));
    }

    #[test]
    fn an_empty_end_leaves_what_was_typed_and_says_what_to_do() {
        for language in [Language::Ja, Language::En] {
            let mut window = window(language, |_, _| Box::pin(std::future::ready(None)));
            window.run();
            assert!(window.query_by_label(Words(language).t("choose.empty")).is_none());
            window.get_by_label(Words(language).t("choose.button")).click();
            window.run();
            window.get_by_label(Words(language).t("choose.empty"));
            assert_eq!((window.state().path.as_str(), window.state().chosen), ("typed", 0));
        }
    }

    #[test]
    fn while_it_is_open_it_is_not_opened_again() {
        static OPENED: AtomicUsize = AtomicUsize::new(0);
        let mut window = window(Language::En, |_, _| {
            OPENED.fetch_add(1, Ordering::Relaxed);
            Box::pin(std::future::pending())
        });
        window.run();
        window.get_by_label("Choose…").click();
        window.run();
        window.get_by_label(Words(Language::En).t("choose.open"));
        window.get_by_label("Choose…").click();
        window.run();
        window.get_by_label(Words(Language::En).t("choose.open"));
        assert_eq!(OPENED.load(Ordering::Relaxed), 1);
    }
}
