//! The tray of series: every one, also those not hung; what of it is here and what has been seen.

use super::object_panel::objects_ui;
use super::text::Words;
use super::theme;
use super::widgets::{bar, elided, icon_button};
use crate::app::{Action, App, StudyAction, StudyState, Thumbnail, ViewAction};
use crate::study::{DisplaySet, DisplaySetId, SeriesUid, StudyUid};
use egui::{
    Color32, ColorImage, Painter, Pos2, Rect, Role, ScrollArea, Sense, Stroke, TextureHandle, TextureOptions, Ui,
    WidgetInfo, pos2, vec2,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Thumbnails on the device.
#[derive(Default)]
pub struct TrayLocal {
    textures: BTreeMap<DisplaySetId, (Arc<[u8]>, TextureHandle)>,
}

impl std::fmt::Debug for TrayLocal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrayLocal").field("textures", &self.textures.len()).finish()
    }
}

impl TrayLocal {
    /// The texture of a thumbnail, made when it is new.
    fn texture(&mut self, ui: &Ui, id: &DisplaySetId, thumbnail: &Thumbnail) -> Option<TextureHandle> {
        if let Some((bytes, handle)) = self.textures.get(id)
            && Arc::ptr_eq(bytes, &thumbnail.rgb)
        {
            return Some(handle.clone());
        }
        let [width, height] = thumbnail.size.map(|v| v as usize);
        if width == 0 || height == 0 || thumbnail.rgb.len() != width * height * 3 {
            return None;
        }
        let image = ColorImage::from_rgb([width, height], &thumbnail.rgb);
        let handle = ui.ctx().load_texture("thumbnail", image, TextureOptions::LINEAR);
        self.textures.insert(id.clone(), (thumbnail.rgb.clone(), handle.clone()));
        Some(handle)
    }

    /// Nothing of another patient stays on the device.
    fn forget_others(&mut self, app: &App) {
        self.textures.retain(|id, _| app.pictures.thumbnails.contains_key(id));
    }
}

const PICTURE: f32 = 84.0;
const ENTRY: f32 = PICTURE + 54.0;

/// Draws the tray.
pub fn tray_ui(ui: &mut Ui, words: Words, app: &App, local: &mut TrayLocal, out: &mut Vec<Action>) {
    local.forget_others(app);
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let current: Vec<_> = app.open_studies().collect();
        let priors: Vec<_> = app.open_priors().collect();
        for (prior, studies) in [(false, current), (true, priors)] {
            for (uid, state) in studies {
                study_head(ui, words, uid, state, prior, out);
                for set in state.showable() {
                    entry(ui, words, app, state, set, local, out);
                }
                objects_ui(ui, words, app, &state.objects, out);
            }
        }
    });
}

fn study_head(ui: &mut Ui, words: Words, uid: &StudyUid, state: &StudyState, prior: bool, out: &mut Vec<Action>) {
    let date = super::format::date(state.study.as_ref().and_then(|s| s.date));
    let name = if prior { words.t("tray.prior") } else { words.t("tray.current") };
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 44.0), Sense::hover());
    let painter = ui.painter();
    let color = if prior { theme::TEXT } else { theme::TEXT_STRONG };
    let top = elided(painter, &date, theme::digits(theme::CAPTION), color, rect.width() - 16.0);
    painter.galley(rect.min + vec2(12.0, 6.0), top, color);
    let below = match (state.share(), &state.failure) {
        (_, Some(_)) => words.t("tray.waiting").to_owned(),
        (Some(share), None) if share < 1.0 => format!("{name} {}", super::format::percent(share)),
        _ => name.to_owned(),
    };
    let galley = elided(painter, &below, theme::font(theme::CAPTION), theme::TEXT, rect.width() - 44.0);
    painter.galley(rect.min + vec2(12.0, 23.0), galley, theme::TEXT);
    if state.finished && state.failure.is_none() {
        return;
    }
    let button = Rect::from_min_size(pos2(rect.right() - 32.0, rect.top() + 18.0), vec2(24.0, 24.0));
    let mut at = ui.new_child(egui::UiBuilder::new().max_rect(button).id_salt(("pause", uid)));
    let (name, action) = if state.paused || state.failure.is_some() {
        (words.t("tray.resume"), StudyAction::Resume(uid.clone()))
    } else {
        (words.t("tray.pause"), StudyAction::Pause(uid.clone()))
    };
    let go = state.paused || state.failure.is_some();
    if icon_button(&mut at, name, false, true, |painter, at, color| pause_icon(painter, at, color, go)).clicked() {
        out.push(Action::Study(action));
    }
}

fn pause_icon(painter: &Painter, at: Pos2, color: Color32, go: bool) {
    if go {
        let points = vec![at + vec2(-3.0, -5.0), at + vec2(5.0, 0.0), at + vec2(-3.0, 5.0)];
        painter.add(egui::Shape::convex_polygon(points, color, Stroke::NONE));
    } else {
        for x in [-3.0, 3.0] {
            painter.vline(at.x + x, at.y - 5.0..=at.y + 5.0, Stroke::new(2.0, color));
        }
    }
}

fn entry(
    ui: &mut Ui,
    words: Words,
    app: &App,
    state: &StudyState,
    set: &Arc<DisplaySet>,
    local: &mut TrayLocal,
    out: &mut Vec<Action>,
) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ENTRY), Sense::click_and_drag());
    let number = state.study.as_ref().and_then(|s| s.series(&set.id.series)).and_then(|s| s.number);
    // A whole body is made of several series.
    let number = number.filter(|_| !set.id.is_body()).map_or_else(String::new, |n| format!("{n} "));
    let seen = app.seen_frames(set);
    let state_word = match seen {
        0 => words.t("tray.unseen"),
        n if n >= set.frames.len() => words.t("tray.seen"),
        _ => words.t("tray.partly"),
    };
    let spoken = format!("{number}{} {state_word}", set.label);
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &spoken));
    let painter = ui.painter().clone();
    let shown =
        app.reading.as_ref().is_some_and(|r| r.record.shown_views().any(|(_, v)| v.set.as_ref() == Some(&set.id)));
    if response.hovered() {
        painter.rect_filled(rect, 0, theme::RAISED);
    }
    let picture = Rect::from_min_size(pos2(rect.center().x - PICTURE / 2.0, rect.top() + 4.0), vec2(PICTURE, PICTURE));
    painter.rect_filled(picture, 0, theme::SURROUND);
    if let Some(thumbnail) = app.pictures.thumbnails.get(&set.id)
        && let Some(texture) = local.texture(ui, &set.id, thumbnail)
    {
        let size = texture.size_vec2();
        let scale = (PICTURE / size.x).min(PICTURE / size.y);
        let at = Rect::from_center_size(picture.center(), size * scale);
        let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        painter.image(texture.id(), at, whole, theme::UNTINTED);
    }
    if shown {
        painter.rect_stroke(picture, 0, Stroke::new(1.0, theme::TEXT_STRONG), egui::StrokeKind::Inside);
    }
    if response.has_focus() {
        painter.rect_stroke(rect.shrink(1.0), 0, theme::focus(), egui::StrokeKind::Inside);
    }
    arrived(&painter, state, set, picture);
    let count = words.f("tray.count", &[("n", &set.frames.len())]);
    let caption = theme::font(theme::CAPTION);
    let mark = if number.is_empty() { "" } else { "#" };
    let first = elided(&painter, &format!("{mark}{number}{count}"), caption, theme::TEXT_STRONG, PICTURE - 12.0);
    painter.galley(pos2(picture.left(), picture.bottom() + 4.0), first, theme::TEXT_STRONG);
    seen_mark(&painter, pos2(picture.right() - 5.0, picture.bottom() + 11.0), seen, set.frames.len());
    let label = label(&painter, &set.label, PICTURE + 8.0);
    painter.galley(pos2(picture.left(), picture.bottom() + 19.0), label, theme::TEXT);
    if response.clicked()
        && let Some(view) = app.active_view()
    {
        out.push(Action::View(view, ViewAction::Show(set.id.clone())));
    }
    response.dnd_set_drag_payload(set.id.clone());
    response.on_hover_text(spoken);
}

/// The series' name in up to two lines. What tells series of one examination apart stands at the end of the name more often
/// than at its beginning: where two lines are too few, the middle is left out.
fn label(painter: &Painter, text: &str, width: f32) -> Arc<egui::Galley> {
    let text = text.replace(['\r', '\n'], " ");
    let laid = |text: String| {
        let mut job = egui::text::LayoutJob::simple(text, theme::font(theme::CAPTION), theme::TEXT, width);
        job.wrap.max_rows = 2;
        job.wrap.break_anywhere = true;
        painter.layout_job(job)
    };
    let whole = laid(text.clone());
    if !whole.elided {
        return whole;
    }
    let characters: Vec<char> = text.chars().collect();
    for kept in (4..characters.len()).rev() {
        let (head, tail) = (kept / 2, kept - kept / 2);
        let (first, last) = (&characters[..head], &characters[characters.len() - tail..]);
        let short = laid(first.iter().chain(&['…']).chain(last).collect());
        if !short.elided {
            return short;
        }
    }
    whole
}

/// A bar below the picture while the series is arriving.
fn arrived(painter: &Painter, state: &StudyState, set: &DisplaySet, picture: Rect) {
    let stations = set.detail.stations.iter().map(|s| &s.series);
    let uids: BTreeSet<&SeriesUid> = stations.chain([&set.id.series]).collect();
    let series: Vec<_> = uids.into_iter().filter_map(|uid| state.ledger.series.get(uid)).collect();
    let expected: usize = series.iter().map(|s| s.expected.len()).sum();
    if expected == 0 || series.iter().all(|s| s.settled()) {
        return;
    }
    let share = series.iter().map(|s| s.received.len()).sum::<usize>() as f32 / expected as f32;
    let track = Rect::from_min_size(pos2(picture.left(), picture.bottom() - 3.0), vec2(picture.width(), 3.0));
    bar(painter, track, share, theme::ACCENT);
}

/// A filled dot: not seen; a ring: partly; a tick: seen whole.
fn seen_mark(painter: &Painter, at: Pos2, seen: usize, of: usize) {
    if seen == 0 {
        painter.circle_filled(at, 3.5, theme::ACCENT);
    } else if seen < of {
        painter.circle_stroke(at, 3.5, Stroke::new(1.5, theme::ACCENT));
    } else {
        let tick = vec![at + vec2(-4.0, 0.0), at + vec2(-1.0, 3.0), at + vec2(4.0, -4.0)];
        painter.line(tick, Stroke::new(1.5, theme::OK));
    }
}
