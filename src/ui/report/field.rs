//! One typed field: text, choice, choices or number, with its value in the draft.
#![expect(clippy::option_option, reason = "outer: whether the reader changed it; inner: the new value, or none")]

use crate::app::FieldWish;
use crate::report::{Choice, Field, FieldKind, Value};
use crate::study::hidden_debug;
use crate::ui::text::Words;
use crate::ui::widgets::{caption, chip, name};
use crate::ui::{hands, ime, theme};
use egui::{Align, Id, Layout, RichText, TextEdit, Ui, vec2};

/// The text being typed into the one field that has the caret.
#[derive(Debug, Default)]
pub struct Typing {
    editing: Option<Editing>,
    /// Where the caret is wanted, until it is there.
    wanted: Option<Wanted>,
    /// The number of the app's last wish that was taken over.
    honoured: u64,
    /// The text field that had the caret last.
    last: Option<Id>,
}

#[derive(Debug, Clone, PartialEq)]
enum Wanted {
    /// The app's wish.
    Field(FieldWish),
    /// The field that had it before.
    Again(Id),
    /// The first that takes text.
    First,
}

impl Typing {
    /// Takes over the app's wish for the caret, once per wish.
    pub fn want(&mut self, wish: Option<&FieldWish>) {
        if let Some(wish) = wish
            && self.honoured != wish.number
        {
            self.wanted = Some(Wanted::Field(wish.clone()));
            self.honoured = wish.number;
        }
    }

    /// The caret is to go where it was last, or into the first field.
    pub fn want_again(&mut self) {
        self.wanted = Some(self.last.map_or(Wanted::First, Wanted::Again));
    }

    /// All fields have been drawn: one that is no longer there cannot have the caret.
    pub fn give_up(&mut self) {
        self.wanted = match self.wanted.take() {
            Some(Wanted::Again(_)) => Some(Wanted::First),
            // The field of a finding that has just been added is drawn in the next pass.
            Some(Wanted::Field(wish)) => Some(Wanted::Field(wish)),
            _ => None,
        };
    }

    /// Whether this field is to have the caret now; asked once.
    fn takes(&mut self, input: &FieldInput<'_>, id: Option<Id>) -> bool {
        let fits = match &self.wanted {
            Some(Wanted::Field(wish)) => {
                let scope = wish.finding.map_or(0, |f| f.0);
                scope == input.scope && wish.field == input.field.id
            }
            Some(Wanted::Again(last)) => id == Some(*last),
            Some(Wanted::First) => id.is_some(),
            None => false,
        };
        if fits && input.editable {
            self.wanted = None;
        }
        fits && input.editable
    }
}

struct Editing {
    field: Id,
    /// What the field shows, preedit included.
    buffer: String,
    /// The draft's text as this field last knew it; another text there means undo, or another terminal's draft.
    known: String,
}

hidden_debug!(Editing { field });

/// How a field is drawn.
pub struct FieldInput<'a> {
    /// Language.
    pub words: Words,
    /// The field.
    pub field: &'a Field,
    /// Its label (it may differ by legal kind).
    pub label: &'a str,
    /// Its value.
    pub value: Option<&'a Value>,
    /// It holds what was known beforehand; the reader has not written in it.
    pub prefilled: bool,
    /// Edits are taken.
    pub editable: bool,
    /// Distinguishes the same field of several findings.
    pub scope: u64,
}

/// Draws the field; returns the new value where the reader changed it (`Some(None)`: cleared).
pub fn field_ui(ui: &mut Ui, input: &FieldInput<'_>, typing: &mut Typing) -> Option<Option<Value>> {
    let required = input.field.required && input.value.is_none_or(Value::is_blank);
    let mut change = None;
    ui.horizontal_top(|ui| {
        // Labels stand in a column of their own: dense, and the eye finds each field at once.
        ui.allocate_ui_with_layout(vec2(theme::LABEL, theme::ROW), Layout::top_down(Align::Min), |ui| {
            ui.set_width(theme::LABEL);
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.add_space(theme::GRID);
            caption(ui, input.label);
            if required {
                let text = RichText::new(input.words.t("report.required")).size(theme::CAPTION).color(theme::CAUTION);
                ui.label(text);
            }
            if input.prefilled && input.editable {
                let text = input.words.t("report.prefilled");
                ui.label(RichText::new(text).size(theme::CAPTION).color(theme::TEXT_FAINT));
            }
        });
        ui.vertical(|ui| {
            change = match &input.field.kind {
                FieldKind::Text { multiline } => text_ui(ui, input, typing, *multiline, None),
                FieldKind::Number { unit, .. } => text_ui(ui, input, typing, false, Some(unit)),
                FieldKind::Choice { choices } => choice_ui(ui, input, typing, choices),
                FieldKind::Choices { choices } => choices_ui(ui, input, typing, choices),
            };
        });
    });
    ui.add_space(theme::GRID);
    change
}

/// Typed text with the line height of Japanese prose.
fn paragraphs(ui: &Ui, text: &dyn egui::TextBuffer, wrap_width: f32) -> std::sync::Arc<egui::Galley> {
    let color = theme::TEXT_STRONG;
    let mut job = egui::text::LayoutJob::simple(text.as_str().to_owned(), theme::font(theme::BODY), color, wrap_width);
    for section in &mut job.sections {
        section.format.line_height = Some(theme::LINE_HEIGHT);
    }
    ui.fonts_mut(|fonts| fonts.layout_job(job))
}

fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        None => String::new(),
    }
}

fn text_ui(
    ui: &mut Ui,
    input: &FieldInput<'_>,
    typing: &mut Typing,
    multiline: bool,
    unit: Option<&String>,
) -> Option<Option<Value>> {
    let id = Id::unique(("report-field", input.scope, &input.field.id));
    let draft = shown(input.value);
    let composing = ime::composing(ui.ctx());
    let mut editing = typing.editing.take_if(|e| e.field == id);
    if let Some(editing) = &mut editing
        && editing.known != draft
        && !composing
    {
        editing.buffer.clone_from(&draft);
        editing.known.clone_from(&draft);
    }
    let mut buffer = editing.as_ref().map_or_else(|| draft.clone(), |e| e.buffer.clone());
    let response = ui
        .horizontal(|ui| {
            let width = if unit.is_some() { 96.0 } else { ui.available_width() };
            let edit = if multiline { TextEdit::multiline(&mut buffer) } else { TextEdit::singleline(&mut buffer) };
            let mut layouter = paragraphs;
            let edit = edit
                .id(id)
                .layouter(&mut layouter)
                .desired_width(width)
                .desired_rows(if multiline { 2 } else { 1 })
                .interactive(input.editable)
                .margin(egui::Margin::symmetric(6, 4));
            // Asked before the field is drawn: what is typed in this very pass is already its text.
            let takes = typing.takes(input, Some(id));
            if takes {
                ui.memory_mut(|m| m.request_focus(id));
            }
            let response = ui.add(edit);
            hands::note_field(&response);
            name(ui, &response, input.label);
            if takes {
                // And afterwards: under a dialog that has just gone egui takes the focus away once more.
                response.request_focus();
                response.scroll_to_me(Some(Align::Center));
            }
            if let Some(unit) = unit {
                caption(ui, unit);
            }
            response
        })
        .inner;
    if !response.has_focus() && editing.is_none() {
        return None;
    }
    let known = editing.as_ref().map_or_else(|| draft.clone(), |e| e.known.clone());
    let mut change = None;
    let mut known_now = known.clone();
    // Text that an input method still holds is not the reader's yet.
    if buffer != known && !composing {
        change = read(&buffer, unit.is_some());
        if let Some(value) = &change {
            // A number is known by its own spelling; what cannot be read yet stays only on the screen.
            known_now = if unit.is_some() { shown(value.as_ref()) } else { buffer.clone() };
        }
    }
    if response.has_focus() {
        typing.last = Some(id);
        typing.editing = Some(Editing { field: id, buffer, known: known_now });
    }
    change
}

/// What typed text means: `None` = nothing that could be kept yet (an unfinished number).
fn read(buffer: &str, number: bool) -> Option<Option<Value>> {
    if buffer.trim().is_empty() {
        return Some(None);
    }
    if !number {
        return Some(Some(Value::Text(buffer.to_owned())));
    }
    // Full-width digits come from a Japanese keyboard.
    let folded: String = buffer
        .trim()
        .chars()
        .map(|c| match c {
            '０'..='９' => char::from_u32(c as u32 - '０' as u32 + '0' as u32).unwrap_or(c),
            '．' => '.',
            '－' | 'ー' => '-',
            other => other,
        })
        .collect();
    folded.parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| Some(Value::Number(n)))
}

/// The caret's place in a field of choices: its first one.
fn first_chip(typing: &mut Typing, input: &FieldInput<'_>, place: usize, chip: &egui::Response) {
    if place == 0 && typing.takes(input, None) {
        chip.request_focus();
        chip.scroll_to_me(Some(Align::Center));
    }
}

fn choice_ui(ui: &mut Ui, input: &FieldInput<'_>, typing: &mut Typing, choices: &[Choice]) -> Option<Option<Value>> {
    let current = input.value.map_or("", Value::as_text);
    let mut change = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = theme::GRID;
        for (place, choice) in choices.iter().enumerate() {
            let chosen = choice.code == current;
            let response = chip(ui, input.words.pick(&choice.label), chosen, input.editable);
            first_chip(typing, input, place, &response);
            if response.clicked() && input.editable {
                change = Some((!chosen).then(|| Value::Text(choice.code.clone())));
            }
        }
    });
    change
}

fn choices_ui(ui: &mut Ui, input: &FieldInput<'_>, typing: &mut Typing, choices: &[Choice]) -> Option<Option<Value>> {
    let current: Vec<&str> = input.value.map_or("", Value::as_text).split(' ').filter(|c| !c.is_empty()).collect();
    let mut change = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = theme::GRID;
        for (place, choice) in choices.iter().enumerate() {
            let chosen = current.contains(&choice.code.as_str());
            let response = chip(ui, input.words.pick(&choice.label), chosen, input.editable);
            first_chip(typing, input, place, &response);
            if response.clicked() && input.editable {
                // Kept in the template's order, so that the same choice is the same text.
                let codes = choices
                    .iter()
                    .map(|c| c.code.as_str())
                    .filter(|code| if *code == choice.code { !chosen } else { current.contains(code) });
                let text = codes.collect::<Vec<_>>().join(" ");
                change = Some((!text.is_empty()).then_some(Value::Text(text)));
            }
        }
    });
    change
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_typed_here() {
        assert!(matches!(read("12.5", true), Some(Some(Value::Number(n))) if n == 12.5));
        assert!(matches!(read("１２．５", true), Some(Some(Value::Number(n))) if n == 12.5));
        assert!(read("12,", true).is_none());
        assert!(read("inf", true).is_none());
        assert!(matches!(read(" ", true), Some(None)));
        assert!(matches!(read("結節", false), Some(Some(Value::Text(t))) if t == "結節"));
    }
}
