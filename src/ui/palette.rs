//! All commands by name (Ctrl+K), and the card of keys (F1).

use super::text::Words;
use super::widgets::{Dialog, caption, dialog, search_field, section};
use super::{ime, names, theme};
use crate::app::{App, Context as KeyContext, Intent, Keymap, Language, Place, Screen};
use crate::study::hidden_debug;
use crate::study::search_key;
use egui::{Context, Key, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};

/// State of the palette.
#[derive(Default)]
pub struct PaletteLocal {
    query: String,
    chosen: usize,
    begun: bool,
}

hidden_debug!(PaletteLocal { chosen });

/// Intents that mean something here, each once, in the order of the keys as delivered.
fn intents(app: &App) -> Vec<Intent> {
    let here = match app.screen() {
        Screen::At(Place::Worklist) => Some(KeyContext::Worklist),
        Screen::At(Place::Reading) => Some(KeyContext::Reading),
        _ => None,
    };
    let mut out: Vec<Intent> = Vec::new();
    for (_, _, intent) in Keymap::default().bindings() {
        let context = Keymap::context_of(*intent);
        let reachable = context == Some(KeyContext::Everywhere) || (here.is_some() && context == here);
        if reachable && !out.contains(intent) && !matches!(intent, Intent::Palette | Intent::Cancel) {
            out.push(*intent);
        }
    }
    out
}

/// Names in both languages count: a reader may remember either.
fn matches(intent: Intent, query: &str) -> bool {
    [Language::Ja, Language::En].into_iter().any(|l| search_key(&names::intent(Words(l), intent)).contains(query))
}

fn keys_of(app: &App, intent: Intent) -> String {
    app.settings.keymap.chords(intent).map(|c| c.to_string()).collect::<Vec<_>>().join("  ")
}

/// Draws the palette; gives the intent chosen, and whether it is to stay open.
pub fn palette_ui(ctx: &Context, words: Words, app: &App, local: &mut PaletteLocal) -> (Option<Intent>, bool) {
    let mut picked = None;
    let what = Dialog { id: "palette-dialog", title: words.t("palette.title"), width: 520.0 };
    let closed = dialog(ctx, what, |ui| {
        let width = ui.available_width();
        let field = search_field(ui, "palette-search", words.t("palette.hint"), &mut local.query, width);
        if !std::mem::replace(&mut local.begun, true) {
            field.request_focus();
        }
        if field.changed() {
            local.chosen = 0;
        }
        let query = search_key(&local.query);
        let found: Vec<Intent> = intents(app).into_iter().filter(|i| matches(*i, &query)).collect();
        if !ime::composing(ctx) {
            let (down, up, enter) =
                ctx.input(|i| (i.key_pressed(Key::ArrowDown), i.key_pressed(Key::ArrowUp), i.key_pressed(Key::Enter)));
            let last = found.len().saturating_sub(1);
            if down {
                local.chosen = (local.chosen + 1).min(last);
            }
            if up {
                local.chosen = local.chosen.saturating_sub(1);
            }
            if enter {
                picked = found.get(local.chosen).copied();
            }
        }
        ui.add_space(theme::GRID);
        ScrollArea::vertical().max_height(360.0).auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for (at, intent) in found.iter().enumerate() {
                let row = row(ui, &names::intent(words, *intent), &keys_of(app, *intent), at == local.chosen);
                if at == local.chosen {
                    row.scroll_to_me(None);
                }
                if row.clicked() {
                    picked = Some(*intent);
                }
            }
            if found.is_empty() {
                caption(ui, words.t("palette.nothing"));
            }
        });
    });
    let stays = !closed && picked.is_none();
    (picked, stays)
}

fn row(ui: &mut Ui, name: &str, keys: &str, chosen: bool) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, chosen, name));
    if chosen || response.hovered() {
        ui.painter().rect_filled(rect, theme::RADIUS, if chosen { theme::PRESSED } else { theme::RAISED });
    }
    let color = theme::TEXT_STRONG;
    let middle = rect.shrink2(vec2(10.0, 0.0));
    ui.painter().text(middle.left_center(), egui::Align2::LEFT_CENTER, name, theme::font(theme::BODY), color);
    let keys = super::widgets::elided(ui.painter(), keys, theme::font(theme::CAPTION), theme::TEXT, 160.0);
    let at = egui::Align2::RIGHT_CENTER.anchor_size(middle.right_center(), keys.size()).min;
    ui.painter().galley(at, keys, theme::TEXT);
    response
}

/// Draws the card of keys; true while it stays open.
pub fn key_card_ui(ctx: &Context, words: Words, app: &App) -> bool {
    let what = Dialog { id: "keys-dialog", title: words.t("keys.title"), width: 960.0 };
    let closed = dialog(ctx, what, |ui| {
        let height = (ctx.content_rect().height() - 200.0).max(120.0);
        ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
            let groups = [
                (KeyContext::Everywhere, words.t("keys.everywhere")),
                (KeyContext::Worklist, words.t("keys.worklist")),
                (KeyContext::Reading, words.t("keys.reading")),
            ];
            for (context, title) in groups {
                section(ui, title);
                group(ui, words, app, context);
            }
            section(ui, words.t("keys.mouse"));
            for line in words.t("keys.mouse_lines").split('·') {
                caption(ui, line.trim());
            }
        });
        ui.add_space(2.0 * theme::GRID);
        ui.label(RichText::new(words.t("keys.change")).size(theme::CAPTION).color(theme::TEXT_FAINT));
    });
    !closed
}

fn group(ui: &mut Ui, words: Words, app: &App, context: KeyContext) {
    let mut listed: Vec<Intent> = Vec::new();
    for (_, _, intent) in Keymap::default().bindings() {
        if Keymap::context_of(*intent) == Some(context) && !listed.contains(intent) {
            listed.push(*intent);
        }
    }
    let columns = if ui.available_width() > 720.0 { 3 } else { 2 };
    let rows = listed.len().div_ceil(columns);
    let width = (ui.available_width() / columns as f32).floor();
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), rows as f32 * theme::ROW), Sense::hover());
    for (at, intent) in listed.iter().enumerate() {
        let (column, row) = (at / rows, at % rows);
        let left = rect.left() + column as f32 * width;
        let y = rect.top() + (row as f32 + 0.5) * theme::ROW;
        let keys = keys_of(app, *intent);
        let painter = ui.painter();
        let galley = super::widgets::elided(painter, &keys, theme::digits(theme::BODY), theme::TEXT_STRONG, 120.0);
        painter.galley(egui::pos2(left, y - galley.size().y / 2.0), galley, theme::TEXT_STRONG);
        let name = names::intent(words, *intent);
        let galley = super::widgets::elided(painter, &name, theme::font(theme::BODY), theme::TEXT, width - 136.0);
        painter.galley(egui::pos2(left + 124.0, y - galley.size().y / 2.0), galley, theme::TEXT);
    }
}
