//! Text fields. Each has a name; passwords leave no copies in the field's undo.

use super::super::theme;
use super::button::before_button;
use super::caption;
use crate::ui::hands;
use egui::widgets::text_edit::TextEditState;
use egui::{Color32, Margin, Response, Role, TextEdit, Ui, WidgetInfo, vec2};

fn ring(ui: &Ui, response: &Response, edge: Option<Color32>) {
    hands::note_field(response);
    let stroke = match (response.has_focus(), edge) {
        (true, _) => theme::focus(),
        (false, Some(color)) => egui::Stroke::new(1.0, color),
        (false, None) => return,
    };
    ui.painter().rect_stroke(response.rect, theme::RADIUS, stroke, egui::StrokeKind::Inside);
}

fn edit(text: &mut String, width: f32) -> TextEdit<'_> {
    TextEdit::singleline(text)
        .desired_width(width)
        .margin(Margin::symmetric(8, 6))
        .min_size(vec2(0.0, 30.0))
        .align(egui::Align2::LEFT_CENTER)
}

/// A field under its name.
pub fn labelled_field(ui: &mut Ui, name: &str, text: &mut String, width: f32) -> Response {
    let label = caption(ui, name);
    let response = ui.add(edit(text, width)).labelled_by(label.id);
    ring(ui, &response, None);
    response
}

/// A field under its name, and a button beside it; both responses.
pub fn field_with_button(
    ui: &mut Ui,
    name: &str,
    text: &mut String,
    button: &str,
    enabled: bool,
) -> (Response, Response) {
    let label = caption(ui, name);
    before_button(ui, button, enabled, |ui, width| {
        // As high as the button.
        let response = ui.add(edit(text, width).min_size(vec2(0.0, 32.0))).labelled_by(label.id);
        ring(ui, &response, None);
        response
    })
}

/// A hidden field under its name.
pub fn password_field(ui: &mut Ui, name: &str, text: &mut String, width: f32) -> Response {
    let label = caption(ui, name);
    let response = ui.add(edit(text, width).password(true)).labelled_by(label.id);
    if response.changed()
        && let Some(mut state) = TextEditState::load(ui.ctx(), response.id)
    {
        // egui keeps former texts for undo; of a secret nothing may be kept.
        state.clear_undoer();
        state.store(ui.ctx(), response.id);
    }
    ring(ui, &response, None);
    response
}

/// A field with a magnifier; `name` is its hint and accessible name. `id` keeps the caret in it, whatever comes and
/// goes around it.
pub fn search_field(ui: &mut Ui, id: &'static str, name: &str, text: &mut String, width: f32) -> Response {
    let field =
        edit(text, width - 26.0).hint_text(name.to_owned()).margin(Margin { left: 26, right: 8, top: 4, bottom: 4 });
    let response = ui.add(field.id(egui::Id::unique(id)).min_size(vec2(width, theme::HIT)));
    response.widget_info(|| WidgetInfo {
        hint_text: Some(name.to_owned()),
        ..WidgetInfo::labeled(Role::SearchInput, true, name)
    });
    let center = response.rect.left_center() + vec2(12.0, -1.0);
    let stroke = egui::Stroke::new(1.5, theme::TEXT);
    ui.painter().circle_stroke(center, 4.0, stroke);
    ui.painter().line_segment([center + vec2(3.0, 3.0), center + vec2(7.0, 7.0)], stroke);
    ring(ui, &response, None);
    response
}

/// Gives a text field its name for assistive technology (and tests) where no visible label is tied to it.
pub fn name(ui: &Ui, response: &Response, label: &str) {
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(label));
}
