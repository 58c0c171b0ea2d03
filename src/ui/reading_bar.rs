//! The bar above the pictures: whose, which study, how they are laid out, whether all is here, how long is left.

use super::icons::{chain_icon, fold_icon, grid_icon, tool_icon};
use super::identity::Identity;
use super::text::Words;
use super::widgets::{bare_button, icon_button};
use super::{format, theme, top_bar};
use crate::app::{Action, App, Intent, LayoutAction, LinkMark, Place};
use crate::viewport::{Layout as Grid, Tool};
use crate::worklist::{Remaining, remaining};
use egui::{Align, Color32, Layout, Painter, Pos2, Rect, Role, Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2, vec2};

const GRIDS: [(u8, u8); 5] = [(1, 1), (1, 2), (2, 2), (2, 3), (2, 4)];

const TOOLS: [(Tool, Intent); 7] = [
    (Tool::Scroll, Intent::ToolScroll),
    (Tool::Window, Intent::ToolWindow),
    (Tool::Pan, Intent::ToolPan),
    (Tool::Zoom, Intent::ToolZoom),
    (Tool::Length, Intent::ToolLength),
    (Tool::Ellipse, Intent::ToolEllipse),
    (Tool::Probe, Intent::ToolProbe),
];

/// How much the controls have given way to the patient's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Yield {
    /// Everything in view.
    Nothing,
    /// Layouts behind one button.
    Layouts,
    /// Tools too.
    Tools,
    /// The count of images in its shortest form, no language button (it is in the settings as well).
    Words,
}

/// Draws the bar's content; true if the completeness dialog is asked for.
pub fn reading_bar_ui(ui: &mut Ui, words: Words, app: &App, out: &mut Vec<Action>) -> bool {
    let mut completeness = false;
    let room = ui.max_rect();
    ui.spacing_mut().item_spacing.x = theme::GRID;
    let mut left = ui.new_child(UiBuilder::new().max_rect(room).layout(Layout::left_to_right(Align::Center)));
    if !app.access.local && icon_button(&mut left, words.t("reading.back"), false, true, back_icon).clicked() {
        out.push(Action::Go(Place::Worklist));
    }
    // Identity has its width first; the controls yield, and what they leave is for the rest of the texts.
    let identity = Identity::of(ui, words, app);
    let start = left.cursor().left();
    let gap = 2.0 * theme::GRID;
    let left_over = |needed: f32| room.right() - start - needed - gap;
    let bar = Bar { words, app };
    let needed = identity.as_ref().map_or(0.0, Identity::width);
    let all = [Yield::Nothing, Yield::Layouts, Yield::Tools, Yield::Words];
    let fits = all.into_iter().find(|y| bar.width(ui, *y) <= left_over(needed));
    let mut right = ui.new_child(UiBuilder::new().max_rect(room).layout(Layout::right_to_left(Align::Center)));
    let least = start + identity.as_ref().map_or(0.0, Identity::least_width) + gap;
    right.set_clip_rect(right.clip_rect().intersect(Rect::everything_right_of(least)));
    completeness |= right_side(&mut right, bar, fits.unwrap_or(Yield::Words), out);
    let used = right.min_rect().left().max(least);
    let between = Rect::from_min_max(pos2(start, room.min.y), pos2((used - gap).max(start), room.max.y));
    if let Some(identity) = identity {
        let mut middle = ui.new_child(UiBuilder::new().max_rect(between).layout(Layout::left_to_right(Align::Center)));
        identity.draw(&mut middle);
    }
    completeness
}

/// What the bar speaks of.
#[derive(Clone, Copy)]
struct Bar<'a> {
    words: Words,
    app: &'a App,
}

impl Bar<'_> {
    /// What the controls take, in points: as [`right_side`] draws them.
    fn width(self, ui: &Ui, given: Yield) -> f32 {
        let (app, words) = (self.app, self.words);
        let text = |text: &str, size: f32| {
            ui.painter().layout_no_wrap(text.to_owned(), theme::font(size), theme::TEXT).size().x
        };
        let icon = theme::HIT + theme::GRID;
        let mut width = icon; // The link.
        if given < Yield::Words {
            width += text(top_bar::other_language(words).1, theme::BODY) + 4.0 * theme::GRID;
        }
        width += if app.report.is_some() { icon } else { 0.0 };
        if let Some(assignment) = app.open_assignment() {
            width += text(&format::time_left(words, assignment.due.at, app.now), theme::BODY) + 3.0 * theme::GRID;
        }
        width += text(&self.arrival(given).0, theme::BODY) + 4.0 * theme::GRID;
        if let Some((state, _)) = self.link() {
            width += text(&state, theme::BODY) + 4.0 * theme::GRID;
        }
        let marks = top_bar::standing_notices(words, app);
        width += marks.iter().map(|(short, _)| text(short, theme::CAPTION) + 3.0 * theme::GRID).sum::<f32>();
        width += icon * if given < Yield::Layouts { GRIDS.len() as f32 } else { 1.0 };
        width += self.steps().map_or(0.0, |count| steps_width(count) + theme::GRID);
        width += icon * if given < Yield::Tools { TOOLS.len() as f32 } else { 1.0 };
        width + 2.0 * theme::GRID
    }

    /// Whether there is a line to the center and what waits to be sent, in words and colour; nothing without a center.
    fn link(self) -> Option<(String, Color32)> {
        let (app, words) = (self.app, self.words);
        if app.access.local {
            return None;
        }
        let mut parts = Vec::new();
        if !app.link.online {
            parts.push(words.t("link.offline").to_owned());
        }
        if !app.outbox.is_empty() {
            parts.push(words.f("link.waiting", &[("n", &app.outbox.len())]));
        }
        let color = match (app.outbox.iter().any(|e| e.wedged.is_some()), parts.is_empty()) {
            (true, _) => theme::HARM,
            (false, false) => theme::CAUTION,
            (false, true) => theme::OK,
        };
        // A dot also where all is well: that the line is up must be seen, not supposed.
        parts.insert(0, "●".to_owned());
        Some((parts.join("  "), color))
    }

    /// Number of steps of the hanging, if there is a choice.
    fn steps(self) -> Option<usize> {
        self.app.reading.as_ref().map(|r| r.steps.len()).filter(|count| (2..=12).contains(count))
    }

    /// Received of named, over all studies to read, in words and colour.
    fn arrival(self, given: Yield) -> (String, Color32) {
        let (mut received, mut named, mut not_shown) = (0, 0, 0);
        for (_, study) in self.app.open_studies() {
            let announced = study.ledger.announced.unwrap_or(0) as usize;
            received += study.ledger.received();
            named += study.ledger.expected().max(announced);
            not_shown += study.ledger.not_shown(study.finished).len();
        }
        let words = self.words;
        let counts: [(&str, &dyn std::fmt::Display); 3] =
            [("received", &received), ("named", &named), ("n", &not_shown)];
        let (key, color) = match () {
            () if named == 0 => ("reading.no_count", theme::TEXT),
            () if not_shown > 0 => ("reading.not_shown", theme::CAUTION),
            () if received < named => ("reading.arriving", theme::TEXT_STRONG),
            () => ("reading.complete", theme::OK),
        };
        match (given, not_shown) {
            (Yield::Words, 0) if named > 0 => (format!("{received} / {named}"), color),
            (Yield::Words, _) if named > 0 => (format!("{received} / {named}  !{not_shown}"), color),
            _ => (words.f(key, &counts), color),
        }
    }
}

fn right_side(ui: &mut Ui, bar: Bar<'_>, given: Yield, out: &mut Vec<Action>) -> bool {
    let Bar { words, app } = bar;
    let mut completeness = false;
    let tip = |intent: Intent| {
        let name = super::names::intent(words, intent);
        match app.settings.keymap.chords(intent).next() {
            Some(chord) => format!("{name}  {chord}"),
            None => name,
        }
    };
    if given < Yield::Words {
        top_bar::language_button(ui, words, out);
    }
    let report = app.settings.report_open;
    if app.report.is_some() && icon_button(ui, &tip(Intent::ToggleReport), report, true, fold_icon).clicked() {
        out.push(Action::Layout(LayoutAction::ToggleReport));
    }
    if let Some(assignment) = app.open_assignment() {
        let text = format::time_left(words, assignment.due.at, app.now);
        let color = match remaining(assignment.due.at, app.now) {
            Remaining::Overdue(_) => theme::HARM,
            Remaining::Soon(_) => theme::CAUTION,
            Remaining::Later(_) => theme::TEXT_STRONG,
        };
        ui.add_space(theme::GRID);
        let rule = super::names::due_rule(words, &assignment.due.rule);
        ui.label(egui::RichText::new(text).color(color)).on_hover_text(rule);
        ui.add_space(theme::GRID);
    }
    completeness |= arrival(ui, bar, given);
    if let Some((state, color)) = bar.link() {
        let online = if app.link.online { words.t("link.online") } else { words.t("link.offline_hint") };
        if bare_button(ui, &state, color).on_hover_text(online).clicked() {
            out.push(Action::Go(Place::Outbox));
        }
    }
    top_bar::standing_notices_ui(ui, words, app);
    ui.add_space(theme::GRID);
    let record = app.reading.as_ref().map(|r| &r.record);
    let linked = record.is_some_and(|r| r.linked);
    let shown = record.into_iter().flat_map(|r| r.shown_views());
    let estimated = shown.into_iter().any(|(id, _)| app.link_mark(id) == Some(LinkMark::Estimated));
    let chain = |painter: &Painter, at: Pos2, color: Color32| chain_icon(painter, at, color, estimated);
    let mut link_tip = tip(Intent::ToggleLink);
    if estimated {
        link_tip = format!("{link_tip}\n{}", words.t("scroll_link.hint"));
    }
    if icon_button(ui, &link_tip, linked, true, chain).clicked() {
        out.push(Action::Layout(LayoutAction::ToggleLink));
    }
    let layout = record.map(|r| r.layout).unwrap_or_default();
    let draw = |ui: &mut Ui, (rows, columns): (u8, u8), out: &mut Vec<Action>| {
        let grid = Grid::new(rows, columns);
        let name = words.f("reading.grid", &[("rows", &rows), ("columns", &columns)]);
        let icon = |painter: &Painter, at: Pos2, color: Color32| grid_icon(painter, at, color, rows, columns);
        let clicked = icon_button(ui, &name, layout == grid, true, icon).clicked();
        if clicked {
            out.push(Action::Layout(LayoutAction::Grid(grid)));
        }
        clicked
    };
    if given < Yield::Layouts {
        for grid in GRIDS.into_iter().rev() {
            draw(ui, grid, out);
        }
    } else {
        let icon = |painter: &Painter, at: Pos2, color: Color32| {
            grid_icon(painter, at, color, layout.rows(), layout.columns());
        };
        behind(ui, words.t("reading.layouts"), icon, |ui| GRIDS.into_iter().any(|grid| draw(ui, grid, out)));
    }
    steps(ui, words, app, out);
    ui.add_space(theme::GRID);
    let chosen = record.map(|r| r.tool).unwrap_or_default();
    let draw = |ui: &mut Ui, (tool, intent): (Tool, Intent), out: &mut Vec<Action>| {
        let icon = |painter: &Painter, at: Pos2, color: Color32| tool_icon(painter, at, color, tool);
        let clicked = icon_button(ui, &tip(intent), chosen == tool, true, icon).clicked();
        if clicked {
            out.push(Action::Layout(LayoutAction::Tool(tool)));
        }
        clicked
    };
    if given < Yield::Tools {
        for tool in TOOLS.into_iter().rev() {
            draw(ui, tool, out);
        }
    } else {
        let icon = |painter: &Painter, at: Pos2, color: Color32| tool_icon(painter, at, color, chosen);
        behind(ui, words.t("reading.tools"), icon, |ui| TOOLS.into_iter().any(|tool| draw(ui, tool, out)));
    }
    completeness
}

/// A row of controls behind one button, which shows what is chosen; `content` says whether one was pressed.
fn behind(ui: &mut Ui, name: &str, icon: impl FnOnce(&Painter, Pos2, Color32), content: impl FnOnce(&mut Ui) -> bool) {
    let with_corner = |painter: &Painter, at: Pos2, color: Color32| {
        icon(painter, at, color);
        let tip = at + vec2(10.0, 10.0);
        let corner = vec![tip, tip - vec2(5.0, 0.0), tip - vec2(0.0, 5.0)];
        painter.add(egui::Shape::convex_polygon(corner, color, Stroke::NONE));
    };
    let button = icon_button(ui, name, false, true, with_corner);
    egui::Popup::menu(&button).show(|ui| {
        if ui.horizontal(content).inner {
            ui.close();
        }
    });
}

fn back_icon(painter: &Painter, at: Pos2, color: Color32) {
    let points = vec![at + vec2(2.0, -5.0), at + vec2(-3.0, 0.0), at + vec2(2.0, 5.0)];
    painter.line(points, Stroke::new(1.5, color));
}

fn steps_width(count: usize) -> f32 {
    count as f32 * 12.0 + 8.0
}

/// Steps of the hanging: a dot each, the one on screen filled.
fn steps(ui: &mut Ui, words: Words, app: &App, out: &mut Vec<Action>) {
    let Some(reading) = &app.reading else { return };
    let count = reading.steps.len();
    if !(2..=12).contains(&count) {
        return;
    }
    let (rect, response) = ui.allocate_exact_size(vec2(steps_width(count), theme::HIT), Sense::click());
    let name = words.f("reading.step", &[("n", &(reading.record.step + 1)), ("of", &count)]);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    for n in 0..count {
        let at = pos2(rect.left() + 10.0 + n as f32 * 12.0, rect.center().y);
        if n == reading.record.step {
            ui.painter().circle_filled(at, 3.5, theme::TEXT_STRONG);
        } else {
            ui.painter().circle_stroke(at, 3.0, Stroke::new(1.0, theme::TEXT));
        }
    }
    if response.clicked()
        && let Some(pointer) = response.interact_pointer_pos()
    {
        let n = ((pointer.x - rect.left() - 4.0) / 12.0).floor().max(0.0) as usize;
        out.push(Action::Layout(LayoutAction::Step(n.min(count - 1))));
    }
    response.on_hover_text(name);
}

/// Received of named: a click shows what is missing and why.
fn arrival(ui: &mut Ui, bar: Bar<'_>, given: Yield) -> bool {
    let (text, color) = bar.arrival(given);
    let hint = bar.words.t("reading.completeness_hint");
    let hint =
        if given == Yield::Words { format!("{}\n{hint}", bar.arrival(Yield::Nothing).0) } else { hint.to_owned() };
    bare_button(ui, &text, color).on_hover_text(hint).clicked()
}
