//! The bar above the pictures: whose, which study, how they are laid out, whether all is here, how long is left.

use super::text::Words;
use super::widgets::{bare_button, elided, icon_button};
use super::{format, theme, top_bar};
use crate::app::{Action, App, Intent, LayoutAction, LinkMark, Place};
use crate::viewport::{Layout as Grid, Tool};
use crate::worklist::{Remaining, remaining};
use egui::{
    Align, Align2, Color32, Layout, Painter, Pos2, Rect, Role, Sense, Stroke, Ui, UiBuilder, Vec2, WidgetInfo, pos2,
    vec2,
};

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

/// Draws the bar's content; true if the completeness dialog is asked for.
pub fn reading_bar_ui(ui: &mut Ui, words: Words, app: &App, out: &mut Vec<Action>) -> bool {
    let mut completeness = false;
    let room = ui.max_rect();
    ui.spacing_mut().item_spacing.x = theme::GRID;
    // The right side first: it has its width, the names take the rest.
    let mut right = ui.new_child(UiBuilder::new().max_rect(room).layout(Layout::right_to_left(Align::Center)));
    completeness |= right_side(&mut right, words, app, out);
    let used = right.min_rect().left();
    let left = Rect::from_min_max(room.min, pos2(used - 2.0 * theme::GRID, room.max.y));
    let mut left_ui = ui.new_child(UiBuilder::new().max_rect(left).layout(Layout::left_to_right(Align::Center)));
    if !app.access.local
        && icon_button(&mut left_ui, words.t("reading.back"), false, true, |painter, at, color| {
            painter
                .line(vec![at + vec2(2.0, -5.0), at + vec2(-3.0, 0.0), at + vec2(2.0, 5.0)], Stroke::new(1.5, color));
        })
        .clicked()
    {
        out.push(Action::Go(Place::Worklist));
    }
    identity(&mut left_ui, words, app);
    completeness
}

/// Name, reading, id and namespace, sex and age, study: as much of it as fits, in this order.
fn identity(ui: &mut Ui, words: Words, app: &App) {
    let Some(patient) = app.open_patient() else { return };
    let study = app.open_studies().find_map(|(_, s)| s.study.as_ref());
    let assignment = app.open_assignment();
    let date = study.and_then(|s| s.date).or_else(|| assignment.and_then(|a| a.studies.first()?.date));
    let on = date.unwrap_or_else(|| format::day(app.now));
    let facility = patient
        .issuer
        .clone()
        .or_else(|| assignment.map(|a| a.facility.name.clone()))
        .or_else(|| study.map(|s| s.institution.clone()))
        .unwrap_or_default();
    let exam = assignment.map_or_else(
        || study.map_or_else(String::new, |s| s.description.clone()),
        |a| if a.request.exam.is_empty() { a.exam_kind.as_str().to_owned() } else { a.request.exam.clone() },
    );
    let name = patient.name.display();
    let born = format::date(patient.birth_date);
    let rest = [
        patient.name.reading(),
        words.f("patient.id_at", &[("id", &patient.id), ("issuer", &facility)]),
        format!("{} ({born})", format::sex_age(words, patient, on)),
        format!("{}  {exam}", format::date(date)),
    ];
    let rest = rest.iter().filter(|t| !t.trim().is_empty()).cloned().collect::<Vec<_>>().join("   ");
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width().max(0.0), theme::HIT), Sense::hover());
    let spoken = format!("{name} {rest}");
    response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, &spoken));
    let painter = ui.painter().with_clip_rect(rect.expand2(vec2(0.0, 4.0)));
    let strong = elided(&painter, &name, theme::font(theme::SECTION), theme::TEXT_STRONG, rect.width());
    let after = rect.left() + strong.size().x + 3.0 * theme::GRID;
    let faint = elided(&painter, &rest, theme::font(theme::BODY), theme::TEXT, rect.right() - after);
    let middle = rect.center().y;
    painter.galley(pos2(rect.left(), middle - strong.size().y / 2.0), strong, theme::TEXT_STRONG);
    painter.galley(pos2(after, middle - faint.size().y / 2.0), faint, theme::TEXT);
    response.on_hover_text(spoken);
}

fn right_side(ui: &mut Ui, words: Words, app: &App, out: &mut Vec<Action>) -> bool {
    let mut completeness = false;
    let tip = |intent: Intent| {
        let name = super::names::intent(words, intent);
        match app.settings.keymap.chords(intent).next() {
            Some(chord) => format!("{name}  {chord}"),
            None => name,
        }
    };
    top_bar::language_button(ui, words, out);
    let report = app.settings.report_open;
    let fold = |painter: &Painter, at: Pos2, color: Color32| {
        let frame = Rect::from_center_size(at, vec2(15.0, 12.0));
        painter.rect_stroke(frame, 1, Stroke::new(1.5, color), egui::StrokeKind::Inside);
        painter.vline(at.x + 2.5, frame.y_range(), Stroke::new(1.5, color));
    };
    if app.report.is_some() && icon_button(ui, &tip(Intent::ToggleReport), report, true, fold).clicked() {
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
    completeness |= arrival(ui, words, app);
    if !app.link.online && !app.access.local {
        ui.label(egui::RichText::new(words.t("link.offline")).color(theme::CAUTION));
    }
    top_bar::standing_notices_ui(ui, words, app);
    ui.add_space(theme::GRID);
    let record = app.reading.as_ref().map(|r| &r.record);
    let linked = record.is_some_and(|r| r.linked);
    let shown = record.into_iter().flat_map(|r| r.shown_views());
    let estimated = shown.into_iter().any(|(id, _)| app.link_mark(id) == Some(LinkMark::Estimated));
    let chain = |painter: &Painter, at: Pos2, color: Color32| {
        let at = if estimated { at - vec2(0.0, 3.0) } else { at };
        painter.circle_stroke(at + vec2(-3.0, 0.0), 4.0, Stroke::new(1.5, color));
        painter.circle_stroke(at + vec2(3.0, 0.0), 4.0, Stroke::new(1.5, color));
        if estimated {
            painter.text(at + vec2(0.0, 9.0), Align2::CENTER_CENTER, "≈", theme::font(theme::CAPTION), color);
        }
    };
    let mut link_tip = tip(Intent::ToggleLink);
    if estimated {
        link_tip = format!("{link_tip}\n{}", words.t("scroll_link.hint"));
    }
    if icon_button(ui, &link_tip, linked, true, chain).clicked() {
        out.push(Action::Layout(LayoutAction::ToggleLink));
    }
    let layout = record.map(|r| r.layout).unwrap_or_default();
    for (rows, columns) in GRIDS.into_iter().rev() {
        let grid = Grid::new(rows, columns);
        let name = words.f("reading.grid", &[("rows", &rows), ("columns", &columns)]);
        let draw = |painter: &Painter, at: Pos2, color: Color32| grid_icon(painter, at, color, rows, columns);
        if icon_button(ui, &name, layout == grid, true, draw).clicked() {
            out.push(Action::Layout(LayoutAction::Grid(grid)));
        }
    }
    steps(ui, words, app, out);
    ui.add_space(theme::GRID);
    let chosen = record.map(|r| r.tool).unwrap_or_default();
    for (tool, intent) in TOOLS.into_iter().rev() {
        let draw = |painter: &Painter, at: Pos2, color: Color32| tool_icon(painter, at, color, tool);
        if icon_button(ui, &tip(intent), chosen == tool, true, draw).clicked() {
            out.push(Action::Layout(LayoutAction::Tool(tool)));
        }
    }
    completeness
}

/// Steps of the hanging: a dot each, the one on screen filled.
fn steps(ui: &mut Ui, words: Words, app: &App, out: &mut Vec<Action>) {
    let Some(reading) = &app.reading else { return };
    let count = reading.steps.len();
    if !(2..=12).contains(&count) {
        return;
    }
    let width = count as f32 * 12.0 + 8.0;
    let (rect, response) = ui.allocate_exact_size(vec2(width, theme::HIT), Sense::click());
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

/// Received of named, over all studies to read: a click shows what is missing and why.
fn arrival(ui: &mut Ui, words: Words, app: &App) -> bool {
    let (mut received, mut named, mut not_shown) = (0, 0, 0);
    for (_, study) in app.open_studies() {
        let announced = study.ledger.announced.unwrap_or(0) as usize;
        received += study.ledger.received();
        named += study.ledger.expected().max(announced);
        not_shown += study.ledger.not_shown(study.finished).len();
    }
    let (text, color) = if named == 0 {
        (words.t("reading.no_count").to_owned(), theme::TEXT)
    } else if not_shown > 0 {
        let text = words.f("reading.not_shown", &[("received", &received), ("named", &named), ("n", &not_shown)]);
        (text, theme::CAUTION)
    } else if received < named {
        (words.f("reading.arriving", &[("received", &received), ("named", &named)]), theme::TEXT_STRONG)
    } else {
        (words.f("reading.complete", &[("received", &received), ("named", &named)]), theme::OK)
    };
    bare_button(ui, &text, color).on_hover_text(words.t("reading.completeness_hint")).clicked()
}

fn grid_icon(painter: &Painter, at: Pos2, color: Color32, rows: u8, columns: u8) {
    let frame = Rect::from_center_size(at, vec2(16.0, 12.0));
    let stroke = Stroke::new(1.0, color);
    painter.rect_stroke(frame, 0, stroke, egui::StrokeKind::Inside);
    for c in 1..columns {
        let x = frame.left() + frame.width() * f32::from(c) / f32::from(columns);
        painter.vline(x, frame.y_range(), stroke);
    }
    for r in 1..rows {
        let y = frame.top() + frame.height() * f32::from(r) / f32::from(rows);
        painter.hline(frame.x_range(), y, stroke);
    }
}

fn tool_icon(painter: &Painter, at: Pos2, color: Color32, tool: Tool) {
    let stroke = Stroke::new(1.5, color);
    let line = |a: Vec2, b: Vec2| {
        painter.line_segment([at + a, at + b], stroke);
    };
    match tool {
        Tool::Scroll => {
            line(vec2(-3.0, -3.0), vec2(0.0, -6.0));
            line(vec2(3.0, -3.0), vec2(0.0, -6.0));
            line(vec2(0.0, -6.0), vec2(0.0, 6.0));
            line(vec2(-3.0, 3.0), vec2(0.0, 6.0));
            line(vec2(3.0, 3.0), vec2(0.0, 6.0));
        }
        Tool::Window => {
            painter.circle_stroke(at, 6.0, stroke);
            let half = (0..=12).map(|i| {
                let a = std::f32::consts::PI * i as f32 / 12.0;
                at + vec2(6.0 * a.sin(), -6.0 * a.cos())
            });
            painter.add(egui::Shape::convex_polygon(half.collect(), color, Stroke::NONE));
        }
        Tool::Pan => {
            line(vec2(-6.0, 0.0), vec2(6.0, 0.0));
            line(vec2(0.0, -6.0), vec2(0.0, 6.0));
            for (tip, a, b) in [
                (vec2(-6.0, 0.0), vec2(-4.0, -2.0), vec2(-4.0, 2.0)),
                (vec2(6.0, 0.0), vec2(4.0, -2.0), vec2(4.0, 2.0)),
                (vec2(0.0, -6.0), vec2(-2.0, -4.0), vec2(2.0, -4.0)),
                (vec2(0.0, 6.0), vec2(-2.0, 4.0), vec2(2.0, 4.0)),
            ] {
                line(tip, a);
                line(tip, b);
            }
        }
        Tool::Zoom => {
            painter.circle_stroke(at + vec2(-1.5, -1.5), 4.5, stroke);
            line(vec2(2.0, 2.0), vec2(6.0, 6.0));
        }
        Tool::Length => {
            line(vec2(-6.0, 4.0), vec2(6.0, -4.0));
            line(vec2(-7.0, 1.5), vec2(-5.0, 6.5));
            line(vec2(5.0, -6.5), vec2(7.0, -1.5));
        }
        Tool::Ellipse => {
            painter.add(egui::Shape::ellipse_stroke(at, vec2(7.0, 4.5), stroke));
        }
        Tool::Probe => {
            painter.circle_stroke(at, 4.0, stroke);
            for (a, b) in [
                (vec2(-7.0, 0.0), vec2(-2.0, 0.0)),
                (vec2(2.0, 0.0), vec2(7.0, 0.0)),
                (vec2(0.0, -7.0), vec2(0.0, -2.0)),
                (vec2(0.0, 2.0), vec2(0.0, 7.0)),
            ] {
                line(a, b);
            }
        }
    }
}
