//! An object without a picture beside the pictures: a report's text, the pictures it names to go to, why it cannot
//! be read.

use super::object_save::{SaveLocal, save_ui};
use super::oddities::{document_oddity, oddity};
use super::text::Words;
use super::widgets::{bare_button, caption, elided, quiet_button, rule, section, value};
use super::{theme, why};
use crate::app::{Action, App, NamedPicture, ObjectAction, OpenObject};
use crate::engine::message::Unread;
use crate::study::document::{Document, Item};
use crate::study::{ObjectKind, ObjectRef, SopInstanceUid};
use crate::viewport::ObjectContent;
use crate::viewport::mask::MaskFrames;
use egui::{Label, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

/// Items on one page of a long report.
const PAGE: usize = 500;
/// Pictures that are offered at once.
const PICTURES: usize = 200;
/// Indent of one level, points, and the deepest level that is indented further.
const INDENT: f32 = 12.0;
const DEEPEST: u8 = 8;

/// State of the panel's widgets.
#[derive(Debug, Default)]
pub struct ObjectLocal {
    /// The object that the page is of.
    of: Option<SopInstanceUid>,
    page: usize,
    save: SaveLocal,
}

/// The word for a kind.
pub fn kind_word(words: Words, kind: ObjectKind) -> &'static str {
    words.t(match kind {
        ObjectKind::Report => "object.report",
        ObjectKind::KeyObjects => "object.key_objects",
        ObjectKind::PresentationState => "object.presentation_state",
        ObjectKind::Segmentation => "object.segmentation",
        ObjectKind::StructureSet => "object.structure_set",
        ObjectKind::Document => "object.document",
        ObjectKind::Waveform => "object.waveform",
        ObjectKind::Other => "object.other",
    })
}

/// The list of a study's objects, below its series in the tray.
pub fn objects_ui(ui: &mut Ui, words: Words, app: &App, objects: &[crate::app::ListedObject], out: &mut Vec<Action>) {
    if objects.is_empty() {
        return;
    }
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 26.0), Sense::hover());
    let head =
        elided(ui.painter(), words.t("object.list"), theme::font(theme::CAPTION), theme::TEXT, rect.width() - 24.0);
    ui.painter().galley(rect.min + vec2(12.0, 8.0), head, theme::TEXT);
    let open = app.reading.as_ref().and_then(|r| r.object.as_ref()).and_then(|o| o.listed.as_ref());
    for object in objects {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), Sense::click());
        let kind = kind_word(words, object.kind);
        let number = object.series.map_or_else(String::new, |n| format!("#{n} "));
        let spoken = format!("{kind} {number}{}", object.description);
        response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &spoken));
        let chosen = open.is_some_and(|o| o.instance == object.instance);
        if chosen || response.hovered() {
            ui.painter().rect_filled(rect, 0, theme::RAISED);
        }
        if response.has_focus() {
            ui.painter().rect_stroke(rect.shrink(1.0), 0, theme::focus(), egui::StrokeKind::Inside);
        }
        let width = rect.width() - 24.0;
        let first = elided(ui.painter(), kind, theme::font(theme::CAPTION), theme::TEXT_STRONG, width);
        ui.painter().galley(pos2(rect.left() + 12.0, rect.top() + 2.0), first, theme::TEXT_STRONG);
        let below = format!("{number}{}", object.description);
        let second = elided(ui.painter(), &below, theme::font(theme::CAPTION), theme::TEXT, width);
        ui.painter().galley(pos2(rect.left() + 12.0, rect.top() + 18.0), second, theme::TEXT);
        if response.clicked() {
            out.push(Action::Object(ObjectAction::Open(object.instance.clone())));
        }
        response.on_hover_text(spoken);
    }
}

/// Draws the panel's content.
pub fn object_panel_ui(ui: &mut Ui, words: Words, open: &OpenObject, local: &mut ObjectLocal, out: &mut Vec<Action>) {
    // Every object is read from its beginning.
    let of = open.listed.as_ref().map(|l| &l.instance);
    if local.of.as_ref() != of {
        *local = ObjectLocal { of: of.cloned(), ..ObjectLocal::default() };
    }
    if let Some(listed) = &open.listed {
        ui.horizontal(|ui| {
            let kind = RichText::new(kind_word(words, listed.kind)).size(theme::SECTION);
            ui.label(kind.color(theme::TEXT_STRONG));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if quiet_button(ui, words.t("object.close"), true).clicked() {
                    out.push(Action::Object(ObjectAction::Close));
                }
            });
        });
        let number = listed.series.map_or_else(String::new, |n| format!("#{n} "));
        caption(ui, &format!("{number}{}", listed.description));
        // Of which examination: what an earlier one said must never pass for this one's.
        let date = super::format::date(listed.study_date);
        if open.prior {
            let told = format!("{}  {date}", words.t("tray.prior"));
            ui.label(RichText::new(told).size(theme::CAPTION).color(theme::CAUTION));
        } else {
            caption(ui, &format!("{}  {date}", words.t("tray.current")));
        }
    }
    rule(ui);
    match &open.content {
        None => {
            caption(ui, words.t("object.reading"));
        }
        Some(Err(Unread::NotHere)) => {
            ui.label(RichText::new(words.t("object.not_here")).color(theme::CAUTION));
            caption(ui, words.t("object.not_here_means"));
        }
        Some(Err(Unread::Unfetched(reason))) => {
            ui.label(RichText::new(words.t("object.unfetched")).color(theme::CAUTION));
            value(ui, reason);
            caption(ui, words.t("object.not_here_means"));
        }
        Some(Err(Unread::Unreadable(reason))) => {
            ui.label(RichText::new(words.t("object.listed_only")).color(theme::CAUTION));
            value(ui, reason);
        }
        Some(Ok(content)) => {
            if content.can_be_laid() {
                let mut laid = open.laid;
                if ui.checkbox(&mut laid, words.t("object.lay")).changed() {
                    out.push(Action::Object(ObjectAction::Lay(laid)));
                }
            }
            let scroll = ScrollArea::vertical().id_salt(("object", of)).auto_shrink(false);
            scroll.show(ui, |ui| match &**content {
                ObjectContent::Document(document) => document_ui(ui, words, open, document, local, out),
                other => other_ui(ui, words, open, other, &mut local.save, out),
            });
        }
    }
}

fn document_ui(
    ui: &mut Ui,
    words: Words,
    open: &OpenObject,
    document: &Document,
    local: &mut ObjectLocal,
    out: &mut Vec<Action>,
) {
    ui.add(Label::new(RichText::new(document.title.text()).size(theme::SECTION).color(theme::TEXT_STRONG)).wrap());
    if !document.written.is_empty() {
        caption(ui, &document.written);
    }
    for (told, good) in states(words, document) {
        ui.label(RichText::new(told).size(theme::CAPTION).color(if good { theme::OK } else { theme::CAUTION }));
    }
    for verifier in &document.verifiers {
        let who = format!("{}  {}", verifier.name.display(), verifier.organization);
        caption(ui, &words.f("object.verified_by", &[("who", &who.trim()), ("at", &verifier.at)]));
    }
    for warning in &document.warnings {
        ui.label(RichText::new(document_oddity(words, warning)).color(theme::CAUTION));
    }
    let images = open.images.as_slice();
    if !images.is_empty() {
        section(ui, &words.f("object.images", &[("n", &images.len())]));
        ui.horizontal_wrapped(|ui| {
            for to in images.iter().take(PICTURES) {
                picture_ui(ui, words, open, to, out);
            }
        });
        if images.len() > PICTURES {
            caption(ui, &words.f("object.more_images", &[("n", &(images.len() - PICTURES))]));
        }
    }
    ui.add_space(2.0 * theme::GRID);
    rule(ui);
    let pages = document.items.len().div_ceil(PAGE).max(1);
    local.page = local.page.min(pages - 1);
    if pages > 1 {
        ui.horizontal(|ui| {
            if quiet_button(ui, words.t("object.previous_page"), local.page > 0).clicked() {
                local.page = local.page.saturating_sub(1);
            }
            caption(ui, &format!("{} / {pages}", local.page + 1));
            if quiet_button(ui, words.t("object.next_page"), local.page + 1 < pages).clicked() {
                local.page += 1;
            }
        });
    }
    for item in document.items.iter().skip(local.page * PAGE).take(PAGE) {
        item_ui(ui, words, open, item, out);
    }
}

/// Presentation states, segmentations, structure sets and encapsulated documents.
fn other_ui(
    ui: &mut Ui,
    words: Words,
    open: &OpenObject,
    content: &ObjectContent,
    save: &mut SaveLocal,
    out: &mut Vec<Action>,
) {
    let mut parts = Vec::new();
    let mut part = |ui: &mut Ui, number: i64, name: &str, rgb: [u8; 3], count: &str| {
        ui.horizontal_wrapped(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
            ui.painter().rect_filled(rect, 0, theme::recommended(rgb, 255));
            let mut shown = !open.hidden.contains(&number);
            if ui.checkbox(&mut shown, RichText::new(name).color(theme::TEXT_STRONG)).changed() {
                parts.push(Action::Object(ObjectAction::Part(number, shown)));
            }
            caption(ui, count);
        });
    };
    for warning in content.warnings() {
        ui.label(RichText::new(oddity(words, &warning)).color(theme::CAUTION));
    }
    match content {
        ObjectContent::Document(_) => {}
        ObjectContent::PresentationState(state) => {
            section(ui, &state.label);
            for text in [&state.description, &state.made] {
                if !text.is_empty() {
                    caption(ui, text);
                }
            }
            if state.modality.is_none() && !state.vois.is_empty() {
                caption(ui, words.t("object.no_modality"));
            }
            match state.mask.as_ref().map(|mask| &mask.frames) {
                None => {}
                Some(MaskFrames::Average(numbers)) => {
                    let frames = numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                    caption(ui, &words.f("object.mask_average", &[("frames", &frames)]));
                }
                Some(MaskFrames::Before(offset)) => {
                    caption(ui, &words.f("object.mask_before", &[("n", offset)]));
                }
            }
            section(ui, &words.f("object.images", &[("n", &state.images.len())]));
            ui.horizontal_wrapped(|ui| {
                for to in state.images.iter().take(PICTURES) {
                    picture_ui(ui, words, open, to, out);
                }
            });
        }
        ObjectContent::Segmentation(segmentation) => {
            section(ui, &segmentation.label);
            for segment in &segmentation.segments {
                let count = words.f("object.pixels", &[("n", &segment.pixels)]);
                let name = format!("{} {}", segment.number, segment.label);
                part(ui, i64::from(segment.number), &name, segment.rgb, &count);
            }
        }
        ObjectContent::StructureSet(set) => {
            section(ui, &set.label);
            for structure in &set.structures {
                let count = words.f("object.contours", &[("n", &structure.contours.len())]);
                part(ui, structure.number, &structure.name, structure.rgb, &count);
            }
        }
        ObjectContent::Encapsulated(document) => {
            section(ui, &document.title);
            let size = match document.bytes as f64 {
                bytes if bytes < 1e6 => format!("{:.0} kB", (bytes / 1e3).ceil()),
                bytes => format!("{:.1} MB", bytes / 1e6),
            };
            caption(ui, &words.f("object.encapsulated", &[("mime", &document.mime), ("size", &size)]));
            save_ui(ui, words, open, save, out);
        }
    }
    out.extend(parts);
}

/// State of the document in words; true: nothing to heed.
fn states(words: Words, document: &Document) -> Vec<(&'static str, bool)> {
    let mut out = Vec::new();
    if document.preliminary {
        out.push((words.t("object.preliminary"), false));
    }
    match document.complete {
        Some(true) => out.push((words.t("object.complete"), true)),
        Some(false) => out.push((words.t("object.partial"), false)),
        None => {}
    }
    match document.verified {
        Some(true) => out.push((words.t("object.verified"), true)),
        Some(false) => out.push((words.t("object.unverified"), false)),
        None => {}
    }
    out
}

fn item_ui(ui: &mut Ui, words: Words, open: &OpenObject, item: &Item, out: &mut Vec<Action>) {
    ui.horizontal_top(|ui| {
        ui.add_space(INDENT * f32::from(item.depth.min(DEEPEST)));
        ui.vertical(|ui| {
            let name = item.name.as_ref().map(crate::study::Code::text).unwrap_or_default();
            if let Some(to) = item.value.image() {
                if !name.is_empty() {
                    caption(ui, &name);
                }
                picture_ui(ui, words, open, to, out);
                return;
            }
            let said = item.value.text();
            let heading = said.is_empty();
            if !name.is_empty() {
                let color = if heading { theme::TEXT_STRONG } else { theme::TEXT };
                ui.add(Label::new(RichText::new(&name).size(theme::CAPTION).color(color)).wrap());
            }
            if !heading {
                let text = RichText::new(said.replace('\r', "")).color(theme::TEXT_STRONG);
                ui.add(Label::new(text.line_height(Some(theme::LINE_HEIGHT))).wrap());
            }
        });
    });
}

/// A picture that is named: a way to it, if it is in the open studies.
fn picture_ui(ui: &mut Ui, words: Words, open: &OpenObject, to: &ObjectRef, out: &mut Vec<Action>) {
    let Some(named) = open.pictures.get(&to.instance) else {
        caption(ui, words.t("object.not_open")).on_hover_text(to.instance.as_str());
        return;
    };
    if let Some(reason) = &named.not_shown {
        let told = format!("{}: {}", picture_name(words, named, None), why::reason(words, reason));
        let told = RichText::new(told).size(theme::CAPTION).color(theme::CAUTION);
        ui.label(told).on_hover_text(to.instance.as_str());
        return;
    }
    let frames = to.frame_refs();
    let more = frames.len().saturating_sub(PICTURES);
    for frame in frames.into_iter().take(PICTURES) {
        let of_many = !to.frames.is_empty();
        let name = picture_name(words, named, of_many.then_some(frame.frame.0 + 1));
        if bare_button(ui, &name, theme::ACCENT).on_hover_text(to.instance.as_str()).clicked() {
            out.push(Action::Object(ObjectAction::Show(frame)));
        }
    }
    if more > 0 {
        ui.label(RichText::new(words.f("object.more_frames", &[("n", &more)])).color(theme::CAUTION));
    }
}

/// `Series 3, image 17` with the frame where one is meant.
fn picture_name(words: Words, named: &NamedPicture, frame: Option<u32>) -> String {
    let number = |n: Option<i32>| n.map_or_else(|| "–".to_owned(), |n| n.to_string());
    let name = words.f("object.picture", &[("series", &number(named.series)), ("image", &number(named.number))]);
    match frame {
        Some(frame) => format!("{name} {}", words.f("object.frame", &[("n", &frame)])),
        None => name,
    }
}
