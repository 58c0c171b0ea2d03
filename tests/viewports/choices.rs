//! The picture's own LUTs, overlays and shutter in a viewport: what is painted, and the menu that chooses.

use super::*;
use dokuei::imaging::{Display, Lut, Overlay, OverlayKind, Shutter, render_look};
use dokuei::study::VoiFunction;
use dokuei::viewport::Zoom;
use egui::{Event, Modifiers, PointerButton, pos2};
use egui_kittest::kittest::Queryable;
use std::sync::Mutex;

/// 100 × 80 pixels with two LUTs, a drawn frame and a round shutter.
fn picture() -> Arc<Frame> {
    let plain = Arc::unwrap_or_clone(frame(100, 80));
    let curve = |power: f64| {
        let entries = (0..4096).map(|v| ((f64::from(v) / 4095.0).powf(power) * 4095.0) as u16).collect();
        Arc::new(Lut::new(-1024, entries, 12).expect("entries"))
    };
    let voi_luts = vec![curve(2.0), curve(0.5)];
    let (center, width) = voi_luts[0].range();
    let lut = |n| Voi { center, width, function: VoiFunction::Lut(n) };
    // A line along row 10.
    let overlay = Overlay {
        group: 0x6000,
        rows: 1,
        columns: 100,
        origin: [11, 1],
        kind: OverlayKind::Graphics,
        label: String::new(),
        bits: vec![0xFF; 13].into(),
    };
    let shutter = Shutter { circle: Some([40, 50, 39]), value: 0x3000, ..Shutter::default() };
    Arc::new(Frame {
        voi: vec![lut(0), lut(1), Voi::linear(40.0, 400.0)],
        display: Display {
            voi_names: ["DARK", "BRIGHT", ""].map(str::to_owned).to_vec(),
            voi_luts,
            overlays: vec![overlay],
            shutter: Some(shutter),
            ..Display::default()
        },
        ..plain
    })
}

fn seat() -> (Harness<'static>, Arc<Mutex<Seat>>, Arc<Frame>) {
    let (set, frame) = (display_set(100, 80, 1), picture());
    let view = ViewPresentation { zoom: Zoom::PixelScale(4.0), ..ViewPresentation::default() };
    let seat = Arc::new(Mutex::new(Seat { view, ..Seat::default() }));
    let (shared, shown) = (Arc::clone(&seat), Arc::clone(&frame));
    let mut window = window([400.0, 520.0], 1.0, move |ui, pictures| {
        let plain = input(&set, FrameState::Ready(&shown), shown.voi[0]);
        shared.lock().expect("seat").draw(ui, pictures, &plain);
    });
    window.run();
    (window, seat, frame)
}

/// The middle of every image pixel, as drawn: the picture lies 100 pixels below the window's edge, so that the menu
/// finds room.
fn drawn(window: &mut Harness<'_>) -> Vec<u8> {
    let picture = window.render().expect("the window renders");
    (0..80 * 100).map(|i| picture.get_pixel(i % 100 * 4 + 2, 100 + i / 100 * 4 + 2).0[0]).collect()
}

/// Chooses an entry of the menu under the pointer.
fn choose(window: &mut Harness<'_>, label: &str) {
    let at = pos2(200.0, 100.0);
    window.event(Event::PointerMoved(at));
    for pressed in [true, false] {
        let modifiers = Modifiers::NONE;
        window.event(Event::PointerButton { pos: at, button: PointerButton::Secondary, pressed, modifiers });
        window.step();
    }
    window.run();
    window.get_by_label(label).click();
    window.run();
    window.event(Event::PointerGone);
    window.run();
}

#[test]
fn chosen_by_name_and_painted_so() {
    let (mut window, seat, frame) = seat();
    let look = |seat: &Arc<Mutex<Seat>>| {
        let data = seat.lock().expect("seat").data;
        data.look(&frame, data.voi.unwrap_or(frame.voi[0]))
    };
    let check = |window: &mut Harness<'_>, seat: &Arc<Mutex<Seat>>, what: &str| {
        let reference = render_look(&frame, &look(seat));
        let drawn = drawn(window);
        // The middle of a magnified pixel lies an eighth beside its centre: values are compared where neighbours
        // agree, that is under overlay and shutter, and by mean elsewhere.
        let mean = |values: &mut dyn Iterator<Item = u8>| {
            let all: Vec<f64> = values.map(f64::from).collect();
            all.iter().sum::<f64>() / all.len() as f64
        };
        let of = |row: usize, rgb: bool| -> f64 {
            if rgb {
                mean(&mut reference[row * 300..row * 300 + 300].iter().step_by(3).copied())
            } else {
                mean(&mut drawn[row * 100..row * 100 + 100].iter().copied())
            }
        };
        for row in [0, 10, 40, 79] {
            let (a, b) = (of(row, false), of(row, true));
            assert!((a - b).abs() < 3.0, "{what}: row {row} is {a:.1}, not {b:.1}");
        }
        (of(10, false), of(40, false))
    };
    let (line, dark) = check(&mut window, &seat, "as opened");
    assert_eq!(line, 255.0);
    choose(&mut window, "LUT: BRIGHT");
    assert_eq!(seat.lock().expect("seat").data.voi, Some(frame.voi[1]));
    let (_, bright) = check(&mut window, &seat, "the second LUT");
    assert!(bright > dark + 40.0, "{dark} {bright}");
    choose(&mut window, "Overlays");
    assert!(check(&mut window, &seat, "without overlays").0 < 250.0);
    choose(&mut window, "Shutter");
    check(&mut window, &seat, "behind the shutter");
    let data = seat.lock().expect("seat").data;
    assert!(data.hide_overlays && data.open_shutters);
}
