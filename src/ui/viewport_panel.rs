//! One viewport: picture, texts, measurements, rail and the hands on it. A pure function of what it is given;
//! what the reader wants goes out as [`Action`]s.

use super::laid::LaidDrawn;
use super::overlay;

use super::picture::{Pictures, rect_px};
use super::rail::{FrameMark, Rail, WIDTH, rail_ui};
use super::strokes::{BUTTONS, Strokes};
use super::text::Words;
use super::{corners, marks, oddities, theme};
use crate::app::{LinkMark, OverlayLevel};
use crate::engine::message::Unshown;
use crate::imaging::{Frame, Photometric, Resampling, Weight};
use crate::render::{Picture, Shown};
use crate::study::{DisplaySet, Patient, Voi};
use crate::viewport::tool::{self, Context, Hand, Pace, ToolState, Wheel};
use crate::viewport::{
    Action, Annotation, AnnotationId, DataPresentation, Fidelity, Geometry, Tool, ViewId, ViewPresentation, Zoom,
};
use egui::{Event, PointerButton, Pos2, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo};
use std::sync::Arc;

/// What is known of the frame to be shown.
#[derive(Debug, Clone, Copy)]
pub enum FrameState<'a> {
    /// Decoded.
    Ready(&'a Arc<Frame>),
    /// On its way.
    Arriving,
    /// Cannot be had; why.
    Failed(&'a Unshown),
}

/// What a viewport shows. Built by the shell from the app's state for each screen frame.
#[derive(Debug, Clone, Copy)]
pub struct ViewportInput<'a> {
    /// Its number.
    pub id: ViewId,
    /// It is the active one.
    pub active: bool,
    /// The patient of the study shown.
    pub patient: Option<&'a Patient>,
    /// Study date.
    pub study_date: Option<jiff::civil::Date>,
    /// Study description.
    pub study_description: &'a str,
    /// The study is an earlier one.
    pub prior: bool,
    /// Display set; `None` = empty viewport.
    pub set: Option<&'a DisplaySet>,
    /// Frame shown, from 0.
    pub position: usize,
    /// That frame.
    pub frame: FrameState<'a>,
    /// How the picture lies.
    pub view: ViewPresentation,
    /// The reader's inversion and window.
    pub data: DataPresentation,
    /// The window in force; `None` until the frame is there.
    pub voi: Option<Voi>,
    /// The left button's tool.
    pub tool: Tool,
    /// Annotations on the frame shown.
    pub annotations: &'a [&'a Annotation],
    /// The chosen one.
    pub chosen: Option<AnnotationId>,
    /// The object does not state its orientation; the hanging assumed it.
    pub orientation_assumed: bool,
    /// How it scrolls along with the others; `None` where there is nothing to say.
    pub link: Option<LinkMark>,
    /// Per frame of the display set: how far it has come.
    pub marks: &'a [FrameMark],
    /// Places of key images in the display set.
    pub key_images: &'a [usize],
    /// What an object lays over the picture.
    pub laid: Option<&'a LaidDrawn>,
    /// Corner texts.
    pub level: OverlayLevel,
    /// From how many screen pixels per image pixel on no interpolation is done.
    pub nearest_from: f64,
    /// Words.
    pub words: Words,
}

impl<'a> ViewportInput<'a> {
    /// The frame, if it can be drawn.
    pub fn ready_frame(&self) -> Option<&'a Arc<Frame>> {
        match self.frame {
            FrameState::Ready(frame) if self.set.is_some() => Some(frame),
            _ => None,
        }
    }

    pub(super) fn frame_is_grey(&self) -> bool {
        self.ready_frame().is_none_or(|f| f.photometric != Photometric::Color)
    }
}

/// What belongs to the widget alone: a drag under way. Decides nothing.
#[derive(Debug, Clone, Default)]
pub struct ViewportLocal {
    tools: [ToolState; 3],
    strokes: Strokes,
    wheel: Wheel,
    /// Display set and frame that the drag began on: another picture ends it.
    held: Option<(crate::study::DisplaySetId, usize)>,
}

/// Draws one viewport into `rect` (points) and gives what came of the picture.
///
/// `pictures` is `None` where there is no graphics device: then a text says so.
pub fn viewport_ui(
    ui: &mut Ui,
    rect: Rect,
    input: &ViewportInput<'_>,
    pictures: Option<&Pictures>,
    local: &mut ViewportLocal,
    out: &mut Vec<Action>,
) -> Shown {
    let id = ui.make_persistent_id(("viewport", input.id.0));
    let has_rail = input.set.is_some_and(|s| s.frames.len() > 1);
    let area = if has_rail { Rect::from_min_max(rect.min, rect.max - egui::vec2(WIDTH, 0.0)) } else { rect };
    let response = ui.interact(area, id, Sense::click_and_drag());
    let words = input.words;

    let ppp = ui.ctx().pixels_per_point();
    let [left, top, width, height] = rect_px(area, ppp);
    // Positions count from the whole screen pixel at which the picture's viewport begins.
    let origin = Pos2::new(left as f32, top as f32);
    let on_screen = |p: Pos2| -> [f64; 2] { [f64::from(p.x * ppp - origin.x), f64::from(p.y * ppp - origin.y)] };
    let (columns, rows, aspect) = input.ready_frame().map_or_else(
        || input.set.map_or((1, 1, 1.0), |s| (s.columns, s.rows, 1.0)),
        |f| (f.columns, f.rows, f.pixel_aspect),
    );
    let size = [f64::from(width.max(1)), f64::from(height.max(1))];
    let geometry = Geometry::new(size, columns, rows, aspect, input.view);
    let context = Context {
        geometry: &geometry,
        px_per_point: f64::from(ppp),
        voi: input.voi.filter(|_| input.frame_is_grey()),
        position: input.position,
        frames: input.set.map_or(0, |s| s.frames.len()),
        annotations: input.annotations,
    };
    let dragged_at_once = input.set.is_some() && hands(ui, &response, input, &context, &on_screen, local, out);
    if response.double_clicked_by(PointerButton::Primary) {
        out.push(Action::ToggleMaximise);
    }
    if response.clicked() || response.drag_started() || response.secondary_clicked() || dragged_at_once {
        out.push(Action::Activate);
    }

    let painter = ui.painter_at(area);
    painter.rect_filled(area, 0.0, theme::SURROUND);
    let picture = input.ready_frame().zip(input.voi).map(|(frame, voi)| Picture {
        frame: Arc::clone(frame),
        pixel_from_screen: geometry.pixel_from_screen_affine(),
        look: input.data.look(frame, voi),
        resampling: Resampling { nearest_from: input.nearest_from },
    });
    let mut shown = Shown { fidelity: Fidelity::None, failure: None };
    if let Some(pictures) = pictures {
        shown = pictures.show(ui, id, area, picture);
    }
    if let FrameState::Arriving = input.frame
        && input.set.is_some()
    {
        shown.fidelity = Fidelity::Arriving(0.0);
    }
    let visible = matches!(shown.fidelity, Fidelity::Exact | Fidelity::Reduced(_));
    // Text over a picture lies beside it, not on it: over the area's edge nothing is drawn.
    let text_rect = Rect::from_min_size(origin / ppp, egui::vec2(width as f32, height as f32) / ppp);
    if visible {
        let preview = local.tools.iter().find_map(ToolState::preview);
        let moved = preview.and_then(|(_, id)| id);
        if let Some(laid) = input.laid {
            laid.paint(&painter, text_rect, &geometry);
        }
        marks::all(&painter, text_rect, &geometry, input.annotations, input.chosen, moved, words);
        if let Some((shape, _)) = preview {
            marks::shape(&painter, text_rect, &geometry, &shape, "", true);
        }
    }
    let missing = (!visible).then(|| instead(input, pictures.is_some(), &shown));
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, spoken(input, missing.as_ref().map(|m| &*m.0))));
    if let Some((text, color)) = missing {
        let mut middle = egui::text::LayoutJob::simple(
            text,
            theme::font(theme::BODY),
            color,
            (area.width() - 8.0 * theme::GRID).max(40.0),
        );
        middle.halign = egui::Align::Center;
        middle.sections.iter_mut().for_each(|s| s.format.line_height = Some(theme::LINE_HEIGHT));
        let galley = painter.layout_job(middle);
        // Lines are centred on the place where they are painted.
        painter.galley(area.center() - egui::vec2(0.0, galley.size().y / 2.0), galley, color);
    }
    let probe = response.hover_pos().filter(|_| visible && !local.tools.iter().any(ToolState::busy));
    let probe = probe.and_then(|p| corners::probe_text(input, &geometry, on_screen(p)));
    overlay::paint(&painter, text_rect, input, &geometry, shown.fidelity, probe.as_deref());
    if let Some(set) = input.set {
        let frames = set.frames.len();
        let rail = Rail { frames, position: input.position, marks: input.marks, key_images: input.key_images };
        rail_ui(ui, id.with("rail"), rect, rail, out);
    }
    if input.active {
        let frame = rect.shrink(0.5);
        ui.painter().rect_stroke(frame, 0.0, Stroke::new(1.0, theme::ACCENT), egui::StrokeKind::Middle);
    }
    menu(&response, input, &context, &on_screen, out);
    shown
}

/// What a screen reader says: number, display set, place in it, and what stands in place of a picture.
fn spoken(input: &ViewportInput<'_>, missing: Option<&str>) -> String {
    let words = input.words;
    let Some(set) = input.set else {
        return words.f("viewport.name", &[("n", &(input.id.0 + 1)), ("label", &words.t("viewport.empty"))]);
    };
    let mut text = words.f("viewport.name", &[("n", &(input.id.0 + 1)), ("label", &set.label)]);
    if set.frames.len() > 1 {
        text.push_str(", ");
        text.push_str(&words.f("view.slice", &[("n", &(input.position + 1)), ("of", &set.frames.len())]));
    }
    let told = [Weight::Spoils, Weight::Alters].into_iter().flat_map(|weight| corners::troubles(input, weight));
    for told in missing.map(str::to_owned).into_iter().chain(told) {
        text.push_str(", ");
        text.push_str(&told);
    }
    text
}

/// The text in place of a picture, and its colour.
fn instead(input: &ViewportInput<'_>, device: bool, shown: &Shown) -> (String, egui::Color32) {
    let words = input.words;
    if input.set.is_none() {
        return (words.t("viewport.empty").to_owned(), theme::TEXT_FAINT);
    }
    if let FrameState::Failed(reason) = input.frame {
        let told = words.f("viewport.failed", &[("reason", &oddities::unshown(words, reason))]);
        return (format!("{told}\n{}", oddities::unshown_do(words, reason.kind)), theme::HARM);
    }
    if let Some(failure) = &shown.failure {
        return (words.f("viewport.failed", &[("reason", failure)]), theme::HARM);
    }
    if !device {
        return (words.t("viewport.no_device").to_owned(), theme::HARM);
    }
    (words.t("viewport.waiting").to_owned(), theme::TEXT)
}

/// Pointer and wheel to actions. True if a drag began and ended between two looks.
fn hands(
    ui: &Ui,
    response: &Response,
    input: &ViewportInput<'_>,
    context: &Context<'_>,
    on_screen: &dyn Fn(Pos2) -> [f64; 2],
    local: &mut ViewportLocal,
    out: &mut Vec<Action>,
) -> bool {
    let modifiers = ui.input(|i| i.modifiers);
    let pace = if modifiers.shift {
        Pace::Fine
    } else if modifiers.alt {
        Pace::Coarse
    } else {
        Pace::Normal
    };
    let tools = [input.tool, Tool::Window, Tool::Pan];
    // Scrolling keeps its drag from frame to frame; what lies on one frame does not.
    let here = input.set.map(|s| (s.id.clone(), input.position));
    let other_set = |a: &Option<(crate::study::DisplaySetId, usize)>| {
        a.as_ref().map(|(set, _)| set) != here.as_ref().map(|(set, _)| set)
    };
    let draws = local.tools.iter().any(|t| t.preview().is_some());
    if other_set(&local.held) || (draws && local.held != here) {
        local.tools.iter_mut().for_each(ToolState::cancel);
    }
    local.held = here;
    let mut at_once = false;
    for ended in local.strokes.follow(ui, response) {
        let state = &mut local.tools[ended.button];
        if !state.busy() && ended.unseen_drag {
            // It came and went since the last look: egui never saw it.
            state.press(tools[ended.button], Hand { at: on_screen(ended.origin), pace }, context, ended.button == 0);
            at_once = true;
        }
        if state.busy() {
            out.extend(state.drag(Hand { at: on_screen(ended.end), pace }, context));
            out.extend(state.release(context));
        }
    }
    for (n, button) in BUTTONS.into_iter().enumerate() {
        let state = &mut local.tools[n];
        if response.drag_started_by(button)
            && let Some(origin) = ui.input(|i| i.pointer.press_origin())
        {
            local.strokes.seen(n);
            state.press(tools[n], Hand { at: on_screen(origin), pace }, context, n == 0);
        }
        if response.dragged_by(button)
            && let Some(pointer) = response.interact_pointer_pos()
        {
            out.extend(state.drag(Hand { at: on_screen(pointer), pace }, context));
        }
        if response.drag_stopped_by(button) {
            out.extend(state.release(context));
        }
    }
    if response.clicked()
        && let Some(pointer) = response.interact_pointer_pos()
    {
        out.extend(tool::click(input.tool, Hand { at: on_screen(pointer), pace }, context));
    }
    if let Some(pointer) = response.hover_pos() {
        wheel(ui, on_screen(pointer), context, &mut local.wheel, out);
    }
    at_once
}

/// Points that a touch pad moves for one notch.
const POINTS_PER_NOTCH: f64 = 40.0;

fn wheel(ui: &Ui, at: [f64; 2], context: &Context<'_>, wheel: &mut Wheel, out: &mut Vec<Action>) {
    // The events as they came: egui smooths them over time, and Shift would turn them sideways.
    let turns: Vec<(f64, egui::Modifiers)> = ui.input(|i| {
        let turn = |event: &Event| match event {
            Event::MouseWheel { unit, delta, modifiers, .. } => {
                let amount = f64::from(if delta.y == 0.0 { delta.x } else { delta.y });
                let notches = match unit {
                    egui::MouseWheelUnit::Point => amount / POINTS_PER_NOTCH,
                    egui::MouseWheelUnit::Line => amount,
                    egui::MouseWheelUnit::Page => amount * 10.0,
                };
                Some((notches, *modifiers))
            }
            _ => None,
        };
        i.events.iter().filter_map(turn).collect()
    });
    let (mut scale, mut last) = (1.0, None);
    for (notches, modifiers) in turns {
        if modifiers.command || modifiers.ctrl {
            let step: f64 = if modifiers.shift { 1.03 } else { 1.15 };
            scale *= step.powf(notches.clamp(-20.0, 20.0));
            last = Some(context.geometry.zoomed(scale, at));
        } else {
            out.extend(wheel.turn(notches, if modifiers.alt { Pace::Coarse } else { Pace::Normal }));
        }
    }
    if let Some((zoom, pan_px)) = last {
        out.push(Action::Place { zoom, pan_px });
    }
}

/// The menu of what is under the pointer.
fn menu(
    response: &Response,
    input: &ViewportInput<'_>,
    context: &Context<'_>,
    on_screen: &dyn Fn(Pos2) -> [f64; 2],
    out: &mut Vec<Action>,
) {
    if input.set.is_none() {
        return;
    }
    let words = input.words;
    // Opened by a click that was no drag: chosen at the press, so that the menu is about what was under it.
    if response.secondary_clicked()
        && let Some(pointer) = response.interact_pointer_pos()
    {
        let hit = tool::under(Hand { at: on_screen(pointer), pace: Pace::Normal }, context);
        out.extend(hit.map(|id| Action::ChooseAnnotation(Some(id))));
    }
    response.context_menu(|ui| {
        let centre = context.geometry.viewport().map(|v| v / 2.0);
        let (_, held) = context.geometry.zoomed_to(1.0, centre);
        let one_to_one = Action::Place { zoom: Zoom::PixelScale(1.0), pan_px: held };
        let entries = [
            ("viewport.menu_fit", Action::Fit),
            ("viewport.menu_one_to_one", one_to_one),
            ("viewport.menu_own_window", Action::OwnVoi),
            ("viewport.menu_invert", Action::Invert),
            ("viewport.menu_rotate", Action::Rotate(1)),
            ("viewport.menu_flip_horizontal", Action::FlipHorizontal),
            ("viewport.menu_flip_vertical", Action::FlipVertical),
            ("viewport.menu_reset", Action::Reset),
            ("viewport.menu_key_image", Action::ToggleKeyImage),
        ];
        for (key, action) in entries {
            if ui.button(words.t(key)).clicked() {
                out.push(action);
                ui.close();
            }
        }
        super::choices::menu_ui(ui, input, out);
        if let Some(chosen) = input.chosen.filter(|c| input.annotations.iter().any(|a| a.id == *c)) {
            ui.separator();
            if ui.button(words.t("viewport.menu_remove")).clicked() {
                out.push(Action::RemoveAnnotation(chosen));
                ui.close();
            }
        }
    });
}
