//! The worklist: filters at the left, rows in the middle, the chosen request beside them.

use super::request_panel::{RequestLocal, request_ui};
use super::text::Words;
use super::widgets::{caption, elided, quiet_button, search_field};
use super::worklist_row::{Columns, row_ui};
use super::{failure, format, ime, names, theme};
use crate::app::{Action, App, Filter, Language, SortKey, WorklistAction};
use crate::study::hidden_debug;
use egui::{
    Align, Frame, Layout, Margin, Panel, Rect, RichText, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};

/// State of the list's widgets.
#[derive(Default)]
pub struct WorklistLocal {
    search: String,
    /// The caret is to go into the search field.
    pub focus_search: bool,
    /// The row that was chosen when the list was last scrolled to it.
    followed: Option<String>,
    request: RequestLocal,
}

hidden_debug!(WorklistLocal { focus_search });

const FILTERS: f32 = 128.0;
/// Width of the request: in a small window the list keeps its room.
const REQUEST: [f32; 2] = [320.0, 368.0];
const SMALL: f32 = 1500.0;

/// Draws list and preview.
pub fn worklist_ui(ui: &mut Ui, words: Words, app: &App, local: &mut WorklistLocal, out: &mut Vec<Action>) {
    let plain = |margin: Margin| Frame::new().fill(theme::PANEL).inner_margin(margin);
    Panel::left("worklist-filters")
        .exact_size(FILTERS)
        .resizable(false)
        .frame(plain(Margin::symmetric(0, 8)))
        .show(ui, |ui| filters(ui, words, app, out));
    if app.settings.preview_open
        && let Some(assignment) = app.worklist.selected()
    {
        Panel::right("worklist-request")
            .default_size(if ui.max_rect().width() < SMALL { REQUEST[0] } else { REQUEST[1] })
            .size_range(320.0..=560.0)
            .frame(plain(Margin::same(0)))
            .show(ui, |ui| request_ui(ui, words, app, assignment, &mut local.request, out));
    }
    egui::CentralPanel::default()
        .frame(Frame::new().fill(theme::GROUND))
        .show(ui, |ui| list(ui, words, app, local, out));
}

fn filters(ui: &mut Ui, words: Words, app: &App, out: &mut Vec<Action>) {
    ui.spacing_mut().item_spacing.y = 0.0;
    for filter in Filter::ALL {
        let chosen = app.worklist.filter == filter;
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::click());
        let name = names::filter(words, filter);
        let count = app.worklist.count(filter, app.now);
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, name));
        if chosen || response.hovered() {
            ui.painter().rect_filled(rect, 0, theme::RAISED);
        }
        if chosen {
            ui.painter().rect_filled(Rect::from_min_size(rect.min, vec2(2.0, rect.height())), 0, theme::ACCENT);
        }
        if response.has_focus() {
            ui.painter().rect_stroke(rect.shrink(1.0), 0, theme::focus(), egui::StrokeKind::Inside);
        }
        let color = if chosen { theme::TEXT_STRONG } else { theme::TEXT };
        let galley = elided(ui.painter(), name, theme::font(theme::BODY), color, rect.width() - 60.0);
        ui.painter().galley(pos2(rect.left() + 12.0, rect.center().y - galley.size().y / 2.0), galley, color);
        let harm = filter == Filter::Overdue && count > 0;
        let number_color = if harm { theme::HARM } else { color };
        let at = pos2(rect.right() - 12.0, rect.center().y);
        let number = elided(ui.painter(), &count.to_string(), theme::digits(theme::BODY), number_color, 48.0);
        let at = egui::Align2::RIGHT_CENTER.anchor_size(at, number.size()).min;
        ui.painter().galley(at, number, number_color);
        if response.clicked() {
            out.push(Action::Worklist(WorklistAction::Filter(filter)));
        }
    }
}

fn list(ui: &mut Ui, words: Words, app: &App, local: &mut WorklistLocal, out: &mut Vec<Action>) {
    let rows = app.worklist.rows(app.now);
    head(ui, words, app, local, rows.len(), out);
    let columns = Columns::fit(ui.max_rect().left(), ui.available_width());
    column_heads(ui, words, app, &columns, out);
    let foot_height = theme::ROW;
    let room = ui.available_height() - foot_height;
    if rows.is_empty() {
        empty(ui, words, app, room);
    } else {
        ui.spacing_mut().item_spacing.y = 0.0;
        let mut area = ScrollArea::vertical().auto_shrink(false).max_height(room).animated(false);
        let chosen = app.worklist.selected.clone();
        if local.followed != chosen {
            // Keys move the choice: keep it in sight.
            if let Some(at) = rows.iter().position(|a| Some(&a.id) == chosen.as_ref()) {
                let top = at as f32 * theme::ROW_TALL;
                let id = ui.make_persistent_id(ROWS);
                let seen =
                    egui::containers::scroll_area::State::load(ui.ctx(), id).map_or(0.0, |s| s.clamped_offset().y);
                if top < seen {
                    area = area.vertical_scroll_offset(top);
                } else if top + theme::ROW_TALL > seen + room {
                    area = area.vertical_scroll_offset(top + theme::ROW_TALL - room);
                }
            }
            local.followed = chosen;
        }
        area.id_salt(ROWS).show_rows(ui, theme::ROW_TALL, rows.len(), |ui, range| {
            for assignment in rows.get(range).unwrap_or_default() {
                row_ui(ui, words, app, assignment, &columns, out);
            }
        });
    }
    foot(ui, words, app, rows.len());
}

const ROWS: &str = "worklist-scroll";

fn head(ui: &mut Ui, words: Words, app: &App, local: &mut WorklistLocal, shown: usize, out: &mut Vec<Action>) {
    Frame::new().inner_margin(Margin::symmetric(12, 8)).show(ui, |ui| {
        ui.horizontal(|ui| {
            let width = 320.0_f32.min(ui.available_width());
            let response = search_field(ui, "worklist-search", words.t("worklist.search"), &mut local.search, width);
            if std::mem::take(&mut local.focus_search) {
                response.request_focus();
            }
            let escaped = response.has_focus() || response.lost_focus();
            let escaped = escaped && !ime::composing(ui.ctx()) && ui.input(|i| i.key_pressed(egui::Key::Escape));
            let mut clear = escaped && !(local.search.is_empty() && app.worklist.search.is_empty());
            if !app.worklist.search.is_empty() {
                // A list that is shorter than the day's work says so where the eye is.
                let of = app.worklist.count(app.worklist.filter, app.now);
                caption(ui, &words.f("worklist.found", &[("n", &shown), ("of", &of)]));
                clear |= quiet_button(ui, words.t("worklist.clear_search"), true).clicked();
            }
            if clear {
                local.search.clear();
                out.push(Action::Worklist(WorklistAction::Search(String::new())));
                return;
            }
            // While text is composed the field holds what is not yet said.
            if !ime::composing(ui.ctx()) {
                if response.changed() && local.search != app.worklist.search {
                    out.push(Action::Worklist(WorklistAction::Search(local.search.clone())));
                } else if !response.has_focus() {
                    local.search.clone_from(&app.worklist.search);
                }
            }
            if response.has_focus() && ui.input(|i| i.key_pressed(egui::Key::ArrowDown)) {
                response.surrender_focus();
            }
        });
    });
}

fn column_heads(ui: &mut Ui, words: Words, app: &App, columns: &Columns, out: &mut Vec<Action>) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW), Sense::hover());
    ui.painter().rect_filled(rect, 0, theme::PANEL);
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, theme::line());
    for (index, cell) in columns.cells(rect).into_iter().enumerate() {
        let (name, key) = match index {
            0 => (words.t("column.due"), Some(SortKey::Due)),
            1 => (words.t("column.kind"), Some(SortKey::Priority)),
            2 => (words.t("column.exam"), Some(SortKey::Exam)),
            3 => (words.t("column.patient"), Some(SortKey::Patient)),
            4 => (words.t("column.facility"), Some(SortKey::Facility)),
            5 => (words.t("column.question"), None),
            6 => (words.t("column.images"), None),
            _ => (words.t("column.state"), Some(SortKey::State)),
        };
        let sorted = key == Some(app.worklist.sort);
        let color = if sorted { theme::TEXT_STRONG } else { theme::TEXT };
        let galley = elided(ui.painter(), name, theme::font(theme::CAPTION), color, cell.width() - 12.0);
        let end = cell.left() + galley.size().x;
        ui.painter().galley(pos2(cell.left(), cell.center().y - galley.size().y / 2.0), galley, color);
        let Some(key) = key else { continue };
        let id = ui.scope_id().with(("sort", index));
        let response = ui.interact(cell, id, Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::ColumnHeader, true, name));
        if sorted {
            let up = if app.worklist.descending { -1.0 } else { 1.0 };
            let tip = pos2(end + 8.0, cell.center().y - 2.0 * up);
            let stroke = Stroke::new(1.5, theme::ACCENT);
            ui.painter().line(vec![tip + vec2(-3.5, 4.0 * up), tip, tip + vec2(3.5, 4.0 * up)], stroke);
        }
        if response.has_focus() {
            ui.painter().rect_stroke(cell, 0, theme::focus(), egui::StrokeKind::Inside);
        }
        if response.clicked() {
            out.push(Action::Worklist(WorklistAction::Sort(key)));
        }
    }
}

fn empty(ui: &mut Ui, words: Words, app: &App, room: f32) {
    let text = if app.worklist.as_of.is_none() {
        words.t("worklist.loading")
    } else if !app.worklist.search.is_empty() {
        words.t("worklist.nothing_found")
    } else {
        words.t("worklist.empty")
    };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), room.max(0.0)), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    let font = theme::font(theme::SECTION);
    ui.painter().text(rect.center(), egui::Align2::CENTER_CENTER, text, font, theme::TEXT_FAINT);
}

fn foot(ui: &mut Ui, words: Words, app: &App, shown: usize) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW), Sense::hover());
    ui.painter().rect_filled(rect, 0, theme::PANEL);
    ui.painter().hline(rect.x_range(), rect.top() + 0.5, theme::line());
    let mut row = ui.new_child(
        egui::UiBuilder::new().max_rect(rect.shrink2(vec2(12.0, 0.0))).layout(Layout::left_to_right(Align::Center)),
    );
    let caption = |text: String, color| RichText::new(text).size(theme::CAPTION).color(color);
    row.label(caption(words.f("worklist.rows", &[("n", &shown)]), theme::TEXT));
    if let Some(at) = app.worklist.as_of {
        row.label(caption(words.f("worklist.as_of", &[("time", &format::clock(at))]), theme::TEXT));
    }
    if let Some(problem) = &app.worklist.failure {
        row.label(caption(failure::what(words, problem), theme::CAUTION));
    } else if app.worklist.refreshing {
        row.label(caption(words.t("worklist.refreshing").to_owned(), theme::TEXT));
    }
    row.with_layout(Layout::right_to_left(Align::Center), |ui| {
        // Only where there is room: the card of keys (F1) has it all.
        if ui.available_width() > if words.0 == Language::Ja { 420.0 } else { 520.0 } {
            ui.label(caption(words.t("worklist.keys").to_owned(), theme::TEXT_FAINT));
        }
    });
}
