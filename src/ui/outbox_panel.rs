//! What waits to be sent, and what the center has confirmed in this session.

use super::text::Words;
use super::widgets::{caption, elided, quiet_button, section};
use super::{format, theme};
use crate::app::{Action, App, OutboxAction, OutboxAsk};
use crate::engine::message::OutboxEntry;
use egui::{Color32, Frame, Margin, Painter, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

/// Draws the outbox.
pub fn outbox_ui(ui: &mut Ui, words: Words, app: &App, out: &mut Vec<Action>) {
    egui::CentralPanel::default().frame(Frame::new().fill(theme::GROUND).inner_margin(Margin::symmetric(24, 16))).show(
        ui,
        |ui| {
            let width = ui.available_width().min(1100.0);
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                ui.set_max_width(width);
                ui.spacing_mut().item_spacing.y = 0.0;
                section(ui, &words.f("outbox.waiting", &[("n", &app.outbox.len())]));
                caption(
                    ui,
                    if app.link.online { words.t("outbox.explain") } else { words.t("outbox.explain_offline") },
                );
                ui.add_space(2.0 * theme::GRID);
                let waits = !app.outbox.is_empty() || !app.worklist.wrong_patient.is_empty();
                if quiet_button(ui, words.t("outbox.send_now"), waits).clicked() {
                    out.push(Action::Outbox(OutboxAction::SendNow));
                }
                ui.add_space(2.0 * theme::GRID);
                if app.outbox.is_empty() {
                    caption(ui, words.t("outbox.empty"));
                }
                for entry in &app.outbox {
                    entry_ui(ui, words, app, entry, out);
                }
                if !app.handed.is_empty() {
                    ui.add_space(6.0 * theme::GRID);
                    section(ui, &words.f("outbox.handed", &[("n", &app.handed.len())]));
                    ui.add_space(2.0 * theme::GRID);
                    for entry in &app.handed {
                        entry_ui(ui, words, app, entry, out);
                    }
                }
                ui.add_space(6.0 * theme::GRID);
                section(ui, &words.f("outbox.received", &[("n", &app.worklist.receipts.len())]));
                ui.add_space(2.0 * theme::GRID);
                for receipt in app.worklist.receipts.values() {
                    let who = who(app, &receipt.assignment_id);
                    let what = words.f("outbox.receipt", &[("id", &receipt.report_id), ("version", &receipt.version)]);
                    row(
                        ui,
                        &format::moment(receipt.received_at),
                        &who,
                        &what,
                        &digest(&receipt.sha256),
                        theme::OK,
                        words.t("outbox.state_received"),
                    );
                }
            });
        },
    );
}

/// Whose report it is: patient and exam, or the bare id where the assignment is gone.
pub(super) fn who(app: &App, assignment: &str) -> String {
    app.worklist
        .get(assignment)
        .map_or_else(|| assignment.to_owned(), |a| format!("{}  {}", a.patient.name.display(), a.request.exam))
}

/// The first and last characters of a digest: enough to compare by eye.
fn digest(sha256: &str) -> String {
    let (head, tail) = (sha256.get(..12), sha256.get(sha256.len().saturating_sub(6)..));
    match (head, tail) {
        (Some(head), Some(tail)) if sha256.len() > 18 => format!("SHA-256 {head}…{tail}"),
        _ => format!("SHA-256 {sha256}"),
    }
}

fn entry_ui(ui: &mut Ui, words: Words, app: &App, entry: &OutboxEntry, out: &mut Vec<Action>) {
    let (color, state, what) = match (&entry.handed, &entry.wedged) {
        (Some(reason), _) => (theme::TEXT, words.t("outbox.state_handed"), reason.clone()),
        (None, Some(reason)) => (theme::HARM, words.t("outbox.state_wedged"), reason.clone()),
        (None, None) => {
            (theme::CAUTION, words.t("outbox.state_waiting"), words.f("outbox.attempts", &[("n", &entry.attempts)]))
        }
    };
    let at = format::moment(entry.signed_at);
    row(ui, &at, &who(app, &entry.assignment), &what, &digest(&entry.sha256), color, state);
    if entry.wedged.is_none() {
        return;
    }
    ui.add_space(theme::GRID);
    if entry.handed.is_none() {
        caption(ui, words.t("notice.wedged_means"));
        ui.add_space(theme::GRID);
        caption(ui, words.t("notice.wedged_do"));
        ui.add_space(theme::GRID);
    }
    ui.horizontal(|ui| {
        if quiet_button(ui, words.t("outbox.retry"), true).clicked() {
            out.push(Action::Outbox(OutboxAction::Retry(entry.id)));
        }
        if quiet_button(ui, words.t("outbox.export"), true).clicked() {
            out.push(Action::Outbox(OutboxAction::Ask(entry.id, OutboxAsk::Export)));
        }
        if entry.handed.is_none() && quiet_button(ui, words.t("outbox.hand_over"), true).clicked() {
            out.push(Action::Outbox(OutboxAction::Ask(entry.id, OutboxAsk::HandOver)));
        }
    });
    ui.add_space(theme::GRID);
}

fn row(ui: &mut Ui, at: &str, who: &str, what: &str, digest: &str, color: Color32, state: &str) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW_TALL), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, format!("{who} {state}")));
    let painter = ui.painter();
    painter.hline(rect.x_range(), rect.bottom() - 0.5, theme::line());
    painter.circle_filled(rect.left_center() + vec2(6.0, 0.0), 4.0, color);
    let put = |painter: &Painter, x: f32, width: f32, text: &str, font, color, y: f32| {
        let galley = elided(painter, text, font, color, width);
        painter.galley(pos2(x, rect.top() + y - galley.size().y / 2.0), galley, color);
    };
    let Rect { min, max } = rect;
    let middle = min.x + 24.0 + 96.0;
    put(painter, min.x + 24.0, 92.0, state, theme::font(theme::BODY), color, 20.0);
    let width = max.x - middle - 260.0;
    put(painter, middle, width, who, theme::font(theme::BODY), theme::TEXT_STRONG, 13.0);
    put(painter, middle, width, what, theme::font(theme::CAPTION), theme::TEXT, 29.0);
    put(painter, max.x - 248.0, 248.0, at, theme::digits(theme::BODY), theme::TEXT_STRONG, 13.0);
    put(painter, max.x - 248.0, 248.0, digest, theme::digits(theme::CAPTION), theme::TEXT, 29.0);
}
