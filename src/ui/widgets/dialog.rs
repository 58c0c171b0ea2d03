//! A dialog over the screen: what lies below is dimmed and takes no clicks.

use super::super::theme;
use egui::{Context, Frame, Id, Margin, Modal, RichText, Ui};

/// What a dialog is called and how wide it is.
#[derive(Debug, Clone, Copy)]
pub struct Dialog<'a> {
    /// Names it among others.
    pub id: &'static str,
    /// Head line.
    pub title: &'a str,
    /// Width of its content.
    pub width: f32,
}

/// Shows a dialog; gives true if Esc was pressed on it. Clicking beside it does not close it: nothing is lost
/// by a slip of the hand.
pub fn dialog(ctx: &Context, what: Dialog<'_>, content: impl FnOnce(&mut Ui)) -> bool {
    let frame = Frame::new()
        .fill(theme::PANEL)
        .stroke(theme::line())
        .corner_radius(theme::RADIUS)
        .inner_margin(Margin::same(20));
    let area = Modal::default_area(Id::unique(what.id)).accessible_name(what.title).role(egui::Role::Dialog);
    let room = ctx.content_rect();
    let response = Modal::new(Id::unique(what.id))
        .area(area)
        .frame(frame)
        .backdrop_color(theme::dimmed(theme::SURROUND, 0.6))
        .show(ctx, |ui| {
            ui.set_width(what.width.min(room.width() - 64.0));
            ui.set_max_height(room.height() - 96.0);
            ui.label(RichText::new(what.title).size(theme::TITLE).color(theme::TEXT_STRONG));
            ui.add_space(2.0 * theme::GRID);
            content(ui);
        });
    response.is_top_modal && ctx.input(|i| i.key_pressed(egui::Key::Escape))
}
