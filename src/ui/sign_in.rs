//! Getting in: enrolment, the passphrase store, sign-in, and the lock. No patient is named here.

use super::chooser::{Chooser, Wanted, path_field};
use super::failure::Asked;
use super::text::Words;
use super::top_bar::{dot_word, language_button};
use super::widgets::{caption, labelled_field, password_field, primary_button, quiet_button};
use super::{failure, ime, theme};
use crate::app::{AccessAction, Action, App, BuildClass, Screen};
use crate::engine::message::{Failure, SHORTEST_PASSPHRASE, Secret, Start};
use egui::{Align, Align2, Key, Layout, RichText, Sense, Stroke, StrokeKind, Ui, UiBuilder, vec2};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// What is typed and not yet sent. Wiped when sent and when dropped.
#[derive(Default)]
pub struct SignInLocal {
    user: Option<String>,
    password: Zeroizing<String>,
    code: Zeroizing<String>,
    again: Zeroizing<String>,
    path: String,
    chooser: Chooser,
    /// The field to begin with has had its caret.
    begun: Option<Screen>,
    /// An answer was awaited when this was last drawn.
    awaited: bool,
}

impl std::fmt::Debug for SignInLocal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignInLocal(…)")
    }
}

/// Takes what was typed out of a field; nothing stays in it.
fn take(text: &mut Zeroizing<String>) -> Secret {
    Secret(std::mem::take(text))
}

/// Draws the screen before sign-in, or the lock.
pub fn sign_in_ui(ui: &mut Ui, words: Words, app: &App, local: &mut SignInLocal, out: &mut Vec<Action>) {
    let room = ui.max_rect();
    ui.painter().rect_filled(room, 0, theme::GROUND);
    let screen = app.screen();
    let height = 420.0_f32.min(room.height() - 80.0);
    let column = Align2::CENTER_CENTER.align_size_within_rect(vec2(theme::SIGN_IN, height), room.shrink(40.0));
    let mut column_ui = ui.new_child(UiBuilder::new().max_rect(column).layout(Layout::top_down(Align::Min)));
    head(&mut column_ui, words, app);
    // Refused: the field that was wrong has the caret again, empty.
    let awaits = if screen == Screen::Locked { app.lock.checking } else { app.access.busy };
    let answered = std::mem::replace(&mut local.awaited, awaits) && !awaits;
    let first = local.begun != Some(screen) || answered;
    match screen {
        Screen::Starting => {
            column_ui.label(RichText::new(words.t("sign_in.starting")).color(theme::TEXT));
        }
        Screen::Enrol => enrol(&mut column_ui, words, app, local, out),
        Screen::Passphrase => passphrase(&mut column_ui, words, app, local, first, out),
        Screen::SignIn => sign_in(&mut column_ui, words, app, local, first, out),
        Screen::Locked => locked(&mut column_ui, words, app, local, first, out),
        Screen::At(_) => {}
    }
    local.begun = Some(screen);
    foot(ui, words, app, out);
}

fn head(ui: &mut Ui, words: Words, app: &App) {
    ui.label(RichText::new("Dokuei").size(2.0 * theme::TITLE).color(theme::TEXT_STRONG));
    let center = match &app.access.start {
        Some(Start::Ready { center, .. }) => center.as_str(),
        _ => words.t("sign_in.product"),
    };
    ui.label(RichText::new(center).size(theme::SECTION).color(theme::TEXT));
    ui.add_space(6.0 * theme::GRID);
}

/// Something is under way, in words; or why the last attempt failed.
fn outcome(ui: &mut Ui, words: Words, asked: Asked, busy: Option<&str>, failed: Option<&Failure>) {
    ui.add_space(2.0 * theme::GRID);
    if let Some(text) = busy {
        ui.label(RichText::new(text).color(theme::TEXT));
    } else if let Some(problem) = failed {
        let (what, todo) = failure::at_door(words, asked, problem);
        ui.label(RichText::new(what).color(theme::HARM));
        ui.label(RichText::new(todo).color(theme::TEXT));
    }
}

fn enter(ui: &Ui) -> bool {
    !ime::composing(ui.ctx()) && ui.input(|i| i.key_pressed(Key::Enter))
}

fn sign_in(ui: &mut Ui, words: Words, app: &App, local: &mut SignInLocal, first: bool, out: &mut Vec<Action>) {
    let last = match &app.access.start {
        Some(Start::Ready { last_user, .. }) => last_user.clone(),
        _ => String::new(),
    };
    let known = !last.is_empty();
    let user = local.user.get_or_insert(last);
    ui.spacing_mut().item_spacing.y = theme::GRID;
    let width = theme::SIGN_IN;
    let user_field = labelled_field(ui, words.t("sign_in.user"), user, width);
    ui.add_space(theme::GRID);
    let password_at = password_field(ui, words.t("sign_in.password"), &mut local.password, width);
    ui.add_space(theme::GRID);
    labelled_field(ui, words.t("sign_in.code"), &mut local.code, width);
    if first {
        if known || !user.trim().is_empty() { password_at.request_focus() } else { user_field.request_focus() }
    }
    ui.add_space(4.0 * theme::GRID);
    let ready = !user.trim().is_empty() && !local.password.is_empty() && !local.code.trim().is_empty();
    let ready = ready && !app.access.busy;
    let pressed = primary_button(ui, words.t("sign_in.enter"), ready, Some(width)).clicked();
    if ready && (pressed || enter(ui)) {
        let user = user.trim().to_owned();
        // Codes are often shown and pasted in two groups.
        let code: String = local.code.chars().filter(|c| !c.is_whitespace()).collect();
        local.code = Zeroizing::default();
        let (password, otp) = (take(&mut local.password), Secret(Zeroizing::new(code)));
        out.push(Action::Access(AccessAction::SignIn { user, password, otp }));
    }
    let busy = app.access.busy.then(|| words.t("sign_in.busy"));
    outcome(ui, words, Asked::PasswordAndCode, busy, app.access.failure.as_ref());
}

fn locked(ui: &mut Ui, words: Words, app: &App, local: &mut SignInLocal, first: bool, out: &mut Vec<Action>) {
    ui.label(RichText::new(words.t("lock.title")).size(theme::TITLE).color(theme::TEXT_STRONG));
    ui.label(RichText::new(words.t("lock.saved")).color(theme::TEXT));
    ui.add_space(4.0 * theme::GRID);
    if let Some(session) = &app.access.session {
        ui.label(RichText::new(&session.name).color(theme::TEXT_STRONG));
        ui.add_space(theme::GRID);
    }
    let field = password_field(ui, words.t("sign_in.password"), &mut local.password, theme::SIGN_IN);
    if first {
        field.request_focus();
    }
    ui.add_space(4.0 * theme::GRID);
    let ready = !local.password.is_empty() && !app.lock.checking;
    let pressed = primary_button(ui, words.t("lock.unlock"), ready, Some(theme::SIGN_IN)).clicked();
    if ready && (pressed || enter(ui)) {
        out.push(Action::Access(AccessAction::Unlock(take(&mut local.password))));
    }
    ui.add_space(theme::GRID);
    if quiet_button(ui, words.t("bar.sign_out"), true).clicked() {
        out.push(Action::Access(AccessAction::SignOut));
    }
    let denied = Failure::Denied(String::new());
    let busy = app.lock.checking.then(|| words.t("lock.checking"));
    outcome(ui, words, Asked::Password, busy, app.lock.wrong.then_some(&denied));
}

fn enrol(ui: &mut Ui, words: Words, app: &App, local: &mut SignInLocal, out: &mut Vec<Action>) {
    ui.label(RichText::new(words.t("enrol.explain")).color(theme::TEXT));
    ui.add_space(3.0 * theme::GRID);
    let hovering = ui.input(|i| !i.raw.hovered_files.is_empty());
    let (rect, zone) = ui.allocate_exact_size(vec2(theme::SIGN_IN, 96.0), Sense::hover());
    zone.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Group, true, words.t("enrol.drop")));
    let (fill, edge) = if hovering { (theme::RAISED, theme::ACCENT) } else { (theme::PANEL, theme::LINE) };
    ui.painter().rect(rect, theme::RADIUS, fill, Stroke::new(1.0, edge), StrokeKind::Inside);
    let color = if hovering { theme::TEXT_STRONG } else { theme::TEXT };
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, words.t("enrol.drop"), theme::font(theme::BODY), color);
    ui.add_space(3.0 * theme::GRID);
    let wanted = Wanted::File { kind: words.t("enrol.file"), endings: &["dokuei-enrol"] };
    let field = path_field(ui, words, words.t("enrol.path"), &mut local.path, wanted, &mut local.chooser);
    ui.add_space(3.0 * theme::GRID);
    let ready = !local.path.trim().is_empty() && !app.access.busy;
    let pressed = primary_button(ui, words.t("enrol.take"), ready, Some(theme::SIGN_IN)).clicked();
    if ready && (pressed || field.chosen || (enter(ui) && !field.button.has_focus())) {
        out.push(Action::Access(AccessAction::Enrol(PathBuf::from(local.path.trim()))));
    }
    let dropped = ui.input(|i| i.raw.dropped_files.first().map(|f| f.path().to_owned()));
    if let Some(path) = dropped.filter(|_| !app.access.busy) {
        local.path = path.display().to_string();
        out.push(Action::Access(AccessAction::Enrol(path)));
    }
    let busy = app.access.busy.then(|| words.t("enrol.busy"));
    outcome(ui, words, Asked::PasswordAndCode, busy, app.access.failure.as_ref());
}

fn passphrase(ui: &mut Ui, words: Words, app: &App, local: &mut SignInLocal, first: bool, out: &mut Vec<Action>) {
    let Some(Start::NeedsPassphrase { reason, exists }) = &app.access.start else { return };
    let create = !exists;
    let text = if create { words.t("passphrase.explain_new") } else { words.t("passphrase.explain_open") };
    ui.label(RichText::new(text).color(theme::TEXT));
    if create && !reason.is_empty() {
        caption(ui, &words.f("passphrase.reason", &[("reason", reason)]));
    }
    ui.add_space(3.0 * theme::GRID);
    let field = password_field(ui, words.t("passphrase.phrase"), &mut local.password, theme::SIGN_IN);
    if first {
        field.request_focus();
    }
    let mut ready = !local.password.is_empty();
    if create {
        ui.add_space(theme::GRID);
        password_field(ui, words.t("passphrase.again"), &mut local.again, theme::SIGN_IN);
        ready = local.password.chars().count() >= SHORTEST_PASSPHRASE && *local.password == *local.again;
        let hint = if !local.again.is_empty() && *local.password != *local.again {
            words.t("passphrase.differ").to_owned()
        } else {
            words.f("passphrase.length", &[("n", &SHORTEST_PASSPHRASE)])
        };
        caption(ui, &hint);
    }
    ui.add_space(3.0 * theme::GRID);
    let name = if create { words.t("passphrase.create") } else { words.t("passphrase.open") };
    let ready = ready && !app.access.busy;
    let pressed = primary_button(ui, name, ready, Some(theme::SIGN_IN)).clicked();
    if ready && (pressed || enter(ui)) {
        local.again = Zeroizing::default();
        let passphrase = take(&mut local.password);
        out.push(Action::Access(AccessAction::Passphrase { passphrase, create }));
    }
    let busy = app.access.busy.then(|| words.t("passphrase.busy"));
    outcome(ui, words, Asked::Passphrase, busy, app.access.failure.as_ref());
}

/// At the bottom: the link, the build, the language.
fn foot(ui: &mut Ui, words: Words, app: &App, out: &mut Vec<Action>) {
    let room = ui.max_rect().shrink2(vec2(24.0, 16.0));
    let strip = Align2::CENTER_BOTTOM.align_size_within_rect(vec2(room.width(), 48.0), room);
    let mut foot = ui.new_child(UiBuilder::new().max_rect(strip).layout(Layout::bottom_up(Align::Min)));
    foot.horizontal(|ui| {
        if matches!(app.screen(), Screen::SignIn | Screen::Locked) {
            let (text, color) = if app.link.online {
                (words.t("link.online"), theme::OK)
            } else {
                (words.t("link.offline"), theme::CAUTION)
            };
            dot_word(ui, text, color);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            language_button(ui, words, out);
            caption(ui, &words.f("sign_in.version", &[("version", &env!("CARGO_PKG_VERSION"))]));
        });
    });
    if app.platform.build == BuildClass::Research {
        foot.label(RichText::new(words.t("build.not_for_diagnosis")).size(theme::CAPTION).color(theme::CAUTION));
    }
}
