//! "Cannot read": back to the facility with a reason, instead of a report.

use super::request_panel::identity_ui;
use super::text::Words;
use super::widgets::{Dialog, caption, dialog, primary_button, quiet_button};
use super::{ime, names, theme};
use crate::app::{Action, App, WorklistAction};
use crate::study::hidden_debug;
use crate::worklist::ReturnReason;
use egui::{Context, Margin, RichText, Role, Sense, Stroke, TextEdit, Ui, WidgetInfo, vec2};

const REASONS: [ReturnReason; 4] = [
    ReturnReason::RequestIncomplete,
    ReturnReason::ImageMissing,
    ReturnReason::ImageUnreadable,
    ReturnReason::WrongPatientSuspected,
];

/// Text being typed.
#[derive(Default)]
pub struct ReturnLocal {
    assignment: String,
    text: String,
}

hidden_debug!(ReturnLocal { assignment });

/// Draws the dialog if it is open.
pub fn return_dialog_ui(ctx: &Context, words: Words, app: &App, local: &mut ReturnLocal, out: &mut Vec<Action>) {
    let Some(state) = &app.worklist.return_dialog else {
        *local = ReturnLocal::default();
        return;
    };
    let Some(assignment) = app.worklist.get(&state.assignment) else { return };
    if local.assignment != state.assignment {
        *local = ReturnLocal { assignment: state.assignment.clone(), text: state.text.clone() };
    }
    let what = Dialog { id: "return-dialog", title: words.t("return.title"), width: 480.0 };
    dialog(ctx, what, |ui| {
        identity_ui(ui, words, app, assignment);
        ui.add_space(3.0 * theme::GRID);
        for reason in REASONS {
            if radio(ui, names::return_reason(words, reason), state.reason == reason).clicked() {
                out.push(Action::Worklist(WorklistAction::ReturnReason(reason)));
            }
        }
        ui.add_space(2.0 * theme::GRID);
        let label = caption(ui, words.t("return.text"));
        let field = TextEdit::multiline(&mut local.text)
            .desired_rows(3)
            .desired_width(f32::INFINITY)
            .margin(Margin::symmetric(8, 6));
        let response = ui.add(field).labelled_by(label.id);
        if response.changed() && !ime::composing(ctx) && local.text != state.text {
            out.push(Action::Worklist(WorklistAction::ReturnText(local.text.clone())));
        }
        ui.add_space(2.0 * theme::GRID);
        let (meaning, color) = if state.reason == ReturnReason::WrongPatientSuspected {
            (words.t("return.means_wrong_patient"), theme::HARM)
        } else {
            (words.t("return.means"), theme::TEXT)
        };
        ui.label(RichText::new(meaning).color(color));
        ui.add_space(3.0 * theme::GRID);
        ui.horizontal(|ui| {
            if primary_button(ui, words.t("return.confirm"), !ime::composing(ctx), None).clicked() {
                out.push(Action::Worklist(WorklistAction::ReturnText(local.text.clone())));
                out.push(Action::Worklist(WorklistAction::ConfirmReturn));
            }
            if quiet_button(ui, words.t("return.cancel"), true).clicked() {
                out.push(Action::Worklist(WorklistAction::CancelReturn));
            }
        });
    });
}

/// One of several, with a round mark.
pub fn radio(ui: &mut Ui, text: &str, chosen: bool) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, text));
    if response.hovered() {
        ui.painter().rect_filled(rect, theme::RADIUS, theme::RAISED);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, theme::RADIUS, theme::focus(), egui::StrokeKind::Inside);
    }
    let center = rect.left_center() + vec2(14.0, 0.0);
    let edge = if chosen { theme::ACCENT } else { theme::TEXT };
    ui.painter().circle_stroke(center, 6.0, Stroke::new(1.5, edge));
    if chosen {
        ui.painter().circle_filled(center, 3.0, theme::ACCENT);
    }
    let font = theme::font(theme::BODY);
    ui.painter().text(rect.left_center() + vec2(30.0, 0.0), egui::Align2::LEFT_CENTER, text, font, theme::TEXT_STRONG);
    response
}
