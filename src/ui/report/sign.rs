//! From the open points to the signature: the whole signed content left, what is open right.

use crate::app::{Action, App, ReportState, SignAction, SignFlow};
use crate::engine::message::{Failure, Prepared, Secret};
use crate::report::Template;
use crate::report::gate::{OpenPoint, PointCode};
use crate::ui::document_view::document_ui;
use crate::ui::text::Words;
use crate::ui::widgets::{caption, name, primary_button, quiet_button, rule, section, state_word, value};
use crate::ui::{ime, theme};
use crate::worklist::Kind;
use egui::{Frame, Id, Key, Margin, Modal, Modifiers, RichText, ScrollArea, TextEdit, TextureHandle, Ui, vec2};
use zeroize::Zeroizing;

/// Widget state of the dialog.
#[derive(Default)]
pub struct SignLocal {
    password: Zeroizing<String>,
    focused: bool,
    /// The open points have been on screen: the first reason had its caret.
    reasons_begun: bool,
    /// Key images of the preview with this number.
    pictures: (u64, Vec<(String, TextureHandle)>),
}

impl SignLocal {
    fn picture(&mut self, ctx: &egui::Context, prepared: &Prepared, name: &str) -> Option<TextureHandle> {
        if self.pictures.0 != prepared.id {
            self.pictures = (prepared.id, Vec::new());
        }
        if let Some((_, known)) = self.pictures.1.iter().find(|(n, _)| n == name) {
            return Some(known.clone());
        }
        let picture = prepared.pictures.iter().find(|p| p.name == name)?;
        let size = picture.size.map(|v| v as usize);
        // A picture of another size than it says is none.
        if picture.rgb.len() != size.iter().product::<usize>() * 3 {
            return None;
        }
        let image = egui::ColorImage::from_rgb(size, &picture.rgb);
        let handle = ctx.load_texture(name, image, egui::TextureOptions::LINEAR);
        self.pictures.1.push((name.to_owned(), handle.clone()));
        Some(handle)
    }
}

/// Draws the dialog while the flow is not [`SignFlow::Writing`].
pub fn sign_dialog_ui(ctx: &egui::Context, app: &App, local: &mut SignLocal, out: &mut Vec<Action>) {
    let words = Words(app.settings.shown_language());
    let Some(report) = app.report.as_ref().filter(|r| r.sign.modal()) else {
        local.password.clear();
        local.focused = false;
        local.reasons_begun = false;
        local.pictures = (0, Vec::new());
        return;
    };
    let screen = ctx.content_rect().size();
    let size = vec2((screen.x - 64.0).min(1180.0), (screen.y - 64.0).min(980.0));
    let frame = Frame::new().fill(theme::PANEL).stroke(theme::line()).corner_radius(theme::RADIUS);
    let modal = Modal::new(Id::unique("sign")).frame(frame.inner_margin(Margin::same(16)));
    modal.backdrop_color(theme::dimmed(theme::SURROUND, 0.7)).show(ctx, |ui| {
        ui.set_width(size.x);
        // Without it a modal gets some part of the screen; the preview shall have all of it.
        ui.set_max_height(size.y);
        identity_ui(ui, words, app);
        rule(ui);
        match &report.sign {
            SignFlow::Writing => {}
            SignFlow::Points { points, reasons, .. } => {
                let opinion = app.open_assignment().is_some_and(|a| a.kind == Kind::Opinion);
                let names = Names { words, report, template: &report.template, opinion };
                points_ui(ui, names, size.y - 10.0 * theme::ROW, (points, reasons), local, out);
            }
            SignFlow::Preparing { .. } => {
                caption(ui, words.t("sign.preparing"));
                if quiet_button(ui, words.t("sign.back"), true).clicked() {
                    out.push(Action::Sign(SignAction::Cancel));
                }
            }
            SignFlow::Preview { prepared, signing, failure } => {
                let preview = (prepared, *signing, failure.as_ref());
                preview_ui(ui, words, size.y - 7.0 * theme::ROW, preview, local, out);
            }
            SignFlow::Signed { sha256, receipt, next } => {
                signed_ui(ui, words, sha256, receipt.as_ref(), next.is_some(), out);
            }
        }
    });
    let cancel = !matches!(report.sign, SignFlow::Signed { .. });
    if cancel && !ime::composing(ctx) && ctx.input(|i| i.key_pressed(Key::Escape)) {
        out.push(Action::Sign(SignAction::Cancel));
    }
}

/// Identity never leaves: it stands in every dialog that acts on a patient.
fn identity_ui(ui: &mut Ui, words: Words, app: &App) {
    let Some(assignment) = app.open_assignment() else { return };
    ui.horizontal(|ui| {
        ui.label(RichText::new(words.t("sign.title")).size(theme::TITLE).color(theme::TEXT_STRONG));
        ui.add_space(4.0 * theme::GRID);
        let patient = &assignment.patient;
        value(ui, &patient.name.display());
        caption(ui, &patient.name.reading());
        caption(ui, &format!("{} @ {}", patient.id, assignment.facility.name));
    });
}

/// What a point's subject is called.
#[derive(Clone, Copy)]
struct Names<'a> {
    words: Words,
    report: &'a ReportState,
    template: &'a Template,
    opinion: bool,
}

impl Names<'_> {
    fn subject(self, point: &OpenPoint) -> String {
        let field = match point.finding {
            Some(_) => self.template.findings.fields.iter().find(|f| f.id == point.subject),
            None => self.template.field(&point.subject),
        };
        let subject = field.map_or_else(
            || point.detail.clone(),
            |f| self.words.pick(f.label_opinion.as_ref().filter(|_| self.opinion).unwrap_or(&f.label)).to_owned(),
        );
        let findings = self.report.draft().into_iter().flat_map(|d| &d.findings);
        let number = findings.zip(1..).find(|(f, _)| Some(f.id) == point.finding).map(|(_, n): (_, usize)| n);
        let subject = match number {
            Some(n) => self.words.f("point.of_finding", &[("n", &n), ("subject", &subject)]),
            None => subject,
        };
        if point.code == PointCode::RequiredEmpty {
            return self.words.f("point.empty", &[("subject", &subject)]);
        }
        subject
    }
}

fn points_ui(
    ui: &mut Ui,
    names: Names<'_>,
    height: f32,
    (points, reasons): (&[OpenPoint], &[String]),
    local: &mut SignLocal,
    out: &mut Vec<Action>,
) {
    let words = names.words;
    move_among_reasons(ui, points, reasons, local);
    let blocking = points.iter().any(|p| p.code.blocking());
    section(ui, words.t("sign.open_points"));
    caption(ui, words.t(if blocking { "sign.blocking_hint" } else { "sign.reason_hint" }));
    ScrollArea::vertical().max_height(height.max(theme::ROW_TALL)).auto_shrink([false, true]).show(ui, |ui| {
        for (place, point) in points.iter().enumerate() {
            // Other points of the same kind that still want a reason: one may serve them all.
            let alike = points.iter().zip(reasons).enumerate();
            let alike = alike.filter(|(n, (p, r))| *n != place && p.code == point.code && r.trim().is_empty());
            let alike: Vec<usize> = alike.map(|(n, _)| n).collect();
            point_ui(ui, names, point, place, (reasons.get(place).map_or("", String::as_str), &alike), out);
        }
    });
    rule(ui);
    ui.add_space(theme::GRID);
    let missing = points.iter().zip(reasons).any(|(p, r)| !p.code.blocking() && r.trim().is_empty());
    ui.horizontal(|ui| {
        if quiet_button(ui, words.t("sign.back"), true).clicked() {
            out.push(Action::Sign(SignAction::Cancel));
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if primary_button(ui, words.t("sign.proceed"), !blocking && !missing, None).clicked() {
                out.push(Action::Sign(SignAction::Proceed));
            }
        });
    });
}

fn reason_id(place: usize) -> Id {
    Id::unique(("sign-reason", place))
}

/// Tab goes from reason to reason, past the buttons between them; the first one still empty has the caret at first.
fn move_among_reasons(ui: &Ui, points: &[OpenPoint], reasons: &[String], local: &mut SignLocal) {
    let places: Vec<usize> = (0..points.len()).filter(|n| points.get(*n).is_some_and(|p| !p.code.blocking())).collect();
    // Asked for until it is there: what had the caret below the dialog may give it up only in the dialog's first screens.
    let there = places.iter().any(|n| ui.memory(|m| m.has_focus(reason_id(*n))));
    if !local.reasons_begun && !there && places.len() == points.len() {
        let empty = |n: &&usize| reasons.get(**n).is_none_or(|r| r.trim().is_empty());
        if let Some(first) = places.iter().find(empty) {
            ui.memory_mut(|m| m.request_focus(reason_id(*first)));
            ui.ctx().request_repaint();
            return;
        }
    }
    local.reasons_begun = true;
    let step = ui.input(|i| {
        let back = i.modifiers.shift;
        i.key_pressed(Key::Tab).then_some(if back { -1 } else { 1 })
    });
    let at = places.iter().position(|n| ui.memory(|m| m.has_focus(reason_id(*n))));
    let next = at.zip(step).and_then(|(at, step)| at.checked_add_signed(step)).and_then(|n| places.get(n));
    if let Some(next) = next {
        ui.memory_mut(|m| {
            m.move_focus(egui::FocusDirection::None);
            m.request_focus(reason_id(*next));
        });
    }
}

fn point_ui(
    ui: &mut Ui,
    names: Names<'_>,
    point: &OpenPoint,
    place: usize,
    (reason, alike): (&str, &[usize]),
    out: &mut Vec<Action>,
) {
    let words = names.words;
    ui.add_space(theme::GRID);
    ui.horizontal(|ui| {
        let blocking = point.code.blocking();
        let (key, color) = if blocking { ("sign.blocks", theme::HARM) } else { ("sign.needs_reason", theme::CAUTION) };
        state_word(ui, words.t(key), color);
        value(ui, words.t(point_key(point.code)));
        caption(ui, &names.subject(point));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            // A space is text that missed its field: it must not carry the reader away.
            let space = ui.input(|i| i.key_pressed(Key::Space));
            if quiet_button(ui, words.t("sign.go_there"), true).clicked() && !space {
                out.push(Action::Sign(SignAction::GoToPoint(place)));
            }
        });
    });
    if point.code.blocking() {
        return;
    }
    let mut text = reason.to_owned();
    let spread = !text.trim().is_empty() && !alike.is_empty();
    let row = |ui: &mut Ui| {
        let same = words.f("sign.same_reason", &[("n", &alike.len())]);
        let mut wanted = spread && quiet_button(ui, &same, true).clicked();
        let edit = TextEdit::singleline(&mut text)
            .id(reason_id(place))
            .hint_text(words.t("sign.reason"))
            .desired_width(f32::INFINITY);
        let response = ui.add(edit);
        let label = words.f("sign.reason_for", &[("n", &(place + 1))]);
        name(ui, &response, &label);
        if response.changed() {
            out.push(Action::Sign(SignAction::Reason(place, text.clone())));
        }
        wanted |= spread && response.has_focus() && ui.input_mut(|i| i.consume_key(Modifiers::COMMAND, Key::D));
        if wanted {
            out.extend(alike.iter().map(|n| Action::Sign(SignAction::Reason(*n, text.clone()))));
        }
    };
    ui.horizontal(|ui| ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), row));
}

fn point_key(code: PointCode) -> &'static str {
    match code {
        PointCode::PatientMismatch => "point.patient_mismatch",
        PointCode::WrongPatientSuspected => "point.wrong_patient_suspected",
        PointCode::DraftMismatch => "point.draft_mismatch",
        PointCode::RequiredEmpty => "point.required_empty",
        PointCode::OutOfRange => "point.out_of_range",
        PointCode::UnknownChoice => "point.unknown_choice",
        PointCode::Placeholder => "point.placeholder",
        PointCode::CategoryWithoutFinding => "point.category_without_finding",
        PointCode::FindingAboveCategory => "point.finding_above_category",
        PointCode::ForeignKeyImage => "point.foreign_key_image",
        PointCode::ChangeWithoutPrior => "point.change_without_prior",
        PointCode::ImagesMissing => "point.images_missing",
        PointCode::ImagesNotShown => "point.images_not_shown",
        PointCode::SeriesNotOpened => "point.series_not_opened",
        PointCode::SeriesPartlySeen => "point.series_partly_seen",
    }
}

fn preview_ui(
    ui: &mut Ui,
    words: Words,
    height: f32,
    (prepared, signing, failure): (&crate::engine::message::Prepared, bool, Option<&Failure>),
    local: &mut SignLocal,
    out: &mut Vec<Action>,
) {
    let ui_ctx = &ui.ctx().clone();
    let page = Frame::new().fill(theme::GROUND).inner_margin(Margin::same(16));
    page.show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).max_height(height.max(theme::ROW_TALL)).show(ui, |ui| {
            document_ui(ui, words, &prepared.report_json, &mut |name| local.picture(ui_ctx, prepared, name));
        });
    });
    caption(ui, &words.f("sign.sha256", &[("digest", &prepared.sha256)]));
    if let Some(failure) = failure {
        let key = if matches!(failure, Failure::Denied(_)) { "sign.wrong_password" } else { "sign.failed" };
        state_word(ui, &words.f(key, &[("why", &failure.detail())]), theme::HARM);
    }
    ui.horizontal(|ui| {
        if quiet_button(ui, words.t("sign.back"), true).clicked() {
            out.push(Action::Sign(SignAction::Cancel));
        }
        caption(ui, words.t("sign.password_again"));
        let edit = TextEdit::singleline(&mut *local.password).password(true).desired_width(220.0);
        let response = ui.add_enabled(!signing, edit.id(Id::unique("sign-password")));
        name(ui, &response, words.t("sign.password"));
        if !local.focused && !signing {
            response.request_focus();
            local.focused = true;
        }
        let entered = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        let ready = !signing && !local.password.is_empty();
        let key = if signing { "sign.signing" } else { "sign.sign" };
        if (primary_button(ui, words.t(key), ready, None).clicked() || entered) && ready {
            let password = std::mem::take(&mut local.password);
            out.push(Action::Sign(SignAction::Sign(Secret(password))));
            local.focused = false;
        }
    });
}

fn signed_ui(
    ui: &mut Ui,
    words: Words,
    sha256: &str,
    receipt: Option<&crate::report::Receipt>,
    has_next: bool,
    out: &mut Vec<Action>,
) {
    section(ui, words.t("sign.signed"));
    caption(ui, &words.f("sign.sha256", &[("digest", &sha256)]));
    match receipt {
        Some(receipt) => {
            let places: [(&str, &dyn std::fmt::Display); 3] = [
                ("id", &receipt.report_id),
                ("version", &receipt.version),
                ("at", &crate::ui::format::moment(receipt.received_at)),
            ];
            state_word(ui, &words.f("sign.receipt", &places), theme::OK);
        }
        None => {
            state_word(ui, words.t("sign.waiting"), theme::CAUTION);
        }
    }
    ui.add_space(2.0 * theme::GRID);
    let key = if has_next { "sign.next" } else { "sign.close" };
    let button = primary_button(ui, words.t(key), true, None);
    if !ui.memory(|m| m.has_focus(button.id)) {
        button.request_focus();
    }
    if button.clicked() {
        out.push(Action::Sign(SignAction::Next));
    }
}
