//! The picture's own choices in words and in the menu: windows and LUTs by name, overlays, shutters.

use super::corners::number;
use super::text::Words;
use super::viewport_panel::ViewportInput;
use crate::imaging::Frame;
use crate::study::{Voi, VoiFunction};
use crate::viewport::Action;
use egui::Ui;

/// A window or LUT in words; by the name that the frame gives it, if it is one of the frame's own choices.
pub(super) fn voi_text(words: Words, frame: Option<&Frame>, voi: Voi) -> String {
    let own = frame.and_then(|f| Some((f, f.voi.iter().position(|v| *v == voi)?)));
    let name = own.map_or("", |(f, at)| f.display.voi_name(at));
    let numbers = format!("C {}  W {}", number(voi.center), number(voi.width));
    match voi.function {
        VoiFunction::Lut(lut) => {
            // Stretched: named by the choice that the frame has under this LUT's number.
            let stored = frame.and_then(|f| f.voi.iter().position(|v| v.function == voi.function).map(|at| (f, at)));
            let name = stored.map_or("", |(f, at)| f.display.voi_name(at));
            let name = if name.is_empty() { (lut + 1).to_string() } else { name.to_owned() };
            let text = words.f("viewport.lut", &[("name", &name)]);
            if own.is_some() { text } else { format!("{text}  {numbers}") }
        }
        function => {
            let function = if function == VoiFunction::Sigmoid { " sigmoid" } else { "" };
            format!("{numbers}{function}  {name}").trim_end().to_owned()
        }
    }
}

/// What the reader has taken away or opened on this frame, in words; empty if nothing.
pub(super) fn taken_away(input: &ViewportInput<'_>) -> String {
    let Some(frame) = input.ready_frame() else { return String::new() };
    let words = input.words;
    let mut out = Vec::new();
    if input.data.open_shutters && frame.display.shutter.is_some() {
        out.push(words.t("viewport.shutter_open"));
    }
    if input.data.hide_overlays && !frame.display.overlays.is_empty() {
        out.push(words.t("viewport.overlays_hidden"));
    }
    out.join(" / ")
}

/// Real-world values of a pixel, each with its unit and what it measures.
pub(super) fn real_world_text(frame: &Frame, column: u32, row: u32) -> String {
    let mut out = String::new();
    for (map, value) in frame.real_world_values(column, row) {
        let unit = if map.unit == "1" { "" } else { &map.unit };
        let what = if map.quantity.is_empty() { &map.label } else { &map.quantity };
        let digits = if value != 0.0 && value.abs() < 0.01 { format!("{value:.3e}") } else { number(value) };
        out.push_str(format!("  {digits} {unit} {what}").trim_end());
    }
    out
}

/// Entries of the viewport's menu: the frame's own windows and LUTs, overlays and shutters where there are any.
pub(super) fn menu_ui(ui: &mut Ui, input: &ViewportInput<'_>, out: &mut Vec<Action>) {
    let Some(frame) = input.ready_frame() else { return };
    let words = input.words;
    if !frame.voi.is_empty() {
        ui.separator();
        for voi in &frame.voi {
            let chosen = input.voi == Some(*voi);
            if ui.selectable_label(chosen, voi_text(words, Some(frame), *voi)).clicked() {
                out.push(Action::SetVoi(*voi));
                ui.close();
            }
        }
    }
    let toggles = [
        (
            !frame.display.overlays.is_empty(),
            !input.data.hide_overlays,
            "viewport.menu_overlays",
            Action::ToggleOverlays,
        ),
        (frame.display.shutter.is_some(), !input.data.open_shutters, "viewport.menu_shutters", Action::ToggleShutters),
    ];
    if toggles.iter().any(|(there, ..)| *there) {
        ui.separator();
    }
    for (there, on, key, action) in toggles {
        if there && ui.selectable_label(on, words.t(key)).clicked() {
            out.push(action);
            ui.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Language;
    use crate::imaging::{Display, Pixels, RealWorldMap, RealWorldTransform};

    fn frame() -> Frame {
        let lut = |center, width, n| Voi { center, width, function: VoiFunction::Lut(n) };
        let window = Voi { function: VoiFunction::Sigmoid, ..Voi::linear(2653.0, 900.0) };
        Frame {
            voi: vec![lut(100.0, 200.0, 0), lut(50.0, 100.0, 1), window, Voi::linear(40.0, 400.0)],
            display: Display {
                voi_names: ["NORMAL", "", "HARDER", ""].map(str::to_owned).to_vec(),
                real_world: vec![RealWorldMap {
                    first: 0.0,
                    last: 10.0,
                    transform: RealWorldTransform::Linear { slope: 1e-4, intercept: 0.0 },
                    unit: "mm2/s".into(),
                    unit_meaning: String::new(),
                    label: "ADC".into(),
                    quantity: String::new(),
                }],
                ..Display::default()
            },
            ..Frame::plain(1, 1, Pixels::U16(vec![4]))
        }
    }

    #[test]
    fn choices_have_the_objects_names() {
        let frame = frame();
        let texts: Vec<String> = frame.voi.iter().map(|v| voi_text(Words(Language::En), Some(&frame), *v)).collect();
        assert_eq!(texts, ["LUT: NORMAL", "LUT: 2", "C 2653  W 900 sigmoid  HARDER", "C 40  W 400"]);
        let stretched = Voi { width: 150.0, ..frame.voi[0] };
        assert_eq!(voi_text(Words(Language::Ja), Some(&frame), stretched), "LUT: NORMAL  C 100  W 150");
        assert_eq!(voi_text(Words(Language::En), None, Voi::linear(1.0, 2.0)), "C 1  W 2");
    }

    #[test]
    fn real_world_values_have_their_unit() {
        assert_eq!(real_world_text(&frame(), 0, 0), "  4.000e-4 mm2/s ADC");
    }
}
