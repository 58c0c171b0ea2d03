//! What is painted is what the CPU reference says, in every viewport with its own window.

use super::*;
use dokuei::engine::message::{Unshown, UnshownKind};
use dokuei::imaging::{Look, Resampling, render_placed};
use dokuei::study::{Patient, PersonName};
use dokuei::viewport::{Fidelity, Geometry, Zoom};
use egui::{Rect, pos2, vec2};
use egui_kittest::kittest::Queryable;
use std::sync::Mutex;

/// Grey bytes of a rectangle (physical pixels) of the window.
fn greys(window: &mut Harness<'_>, [left, top, width, height]: [u32; 4]) -> Vec<[u8; 3]> {
    let picture = window.render().expect("the window renders");
    let at = |i: u32| picture.get_pixel(left + i % width, top + i / width).0;
    (0..width * height)
        .map(|i| {
            let [r, g, b, _] = at(i);
            [r, g, b]
        })
        .collect()
}

fn reference(frame: &Frame, size: [u32; 2], view: ViewPresentation, voi: &Voi, invert: bool) -> Vec<[u8; 3]> {
    let geometry = Geometry::new(size.map(f64::from), frame.columns, frame.rows, frame.pixel_aspect, view);
    let map = geometry.pixel_from_screen_affine();
    let rgb = render_placed(frame, &Look::of(frame, *voi, invert), &map, size, Resampling::default());
    rgb.chunks_exact(3).map(|p| [p[0], p[1], p[2]]).collect()
}

fn assert_near(what: &str, drawn: &[[u8; 3]], reference: &[[u8; 3]]) {
    assert_eq!(drawn.len(), reference.len());
    let far = drawn.iter().zip(reference).position(|(d, r)| d.iter().zip(r).any(|(a, b)| a.abs_diff(*b) > 1));
    if let Some(at) = far {
        panic!("{what}: pixel {at} is {:?}, not {:?}", drawn[at], reference[at]);
    }
}

#[test]
fn four_viewports_with_four_windows() {
    let voi = |n: u32| Voi::linear(-500.0 + f64::from(n) * 700.0, 400.0 + f64::from(n) * 600.0);
    let (set, frame) = (display_set(100, 80, 1), frame(100, 80));
    let painted = Arc::clone(&frame);
    let mut locals: Vec<ViewportLocal> = vec![ViewportLocal::default(); 4];
    let mut window = window([400.0, 320.0], 1.0, move |ui, pictures| {
        for n in 0..4u32 {
            let rect = Rect::from_min_size(pos2((n % 2) as f32 * 200.0, (n / 2) as f32 * 160.0), vec2(200.0, 160.0));
            let data = DataPresentation { invert: n == 2, ..DataPresentation::default() };
            let plain = input(&set, FrameState::Ready(&painted), voi(n));
            let input = ViewportInput { id: ViewId(n), data, ..plain };
            let mut out = Vec::new();
            let shown = viewport_ui(ui, rect, &input, Some(pictures), &mut locals[n as usize], &mut out);
            assert_eq!(shown.fidelity, Fidelity::Exact);
        }
    });
    window.run();
    for n in 0..4u32 {
        let drawn = greys(&mut window, [(n % 2) * 200, (n / 2) * 160, 200, 160]);
        let expected = reference(&frame, [200, 160], ViewPresentation::default(), &voi(n), n == 2);
        assert_near(&format!("viewport {n}"), &drawn, &expected);
    }
}

#[test]
fn one_to_one_on_a_monitor_of_one_and_a_half() {
    // 101 points are 151.5 pixels: the picture still lies on whole ones.
    let (set, frame) = (display_set(60, 50, 1), frame(60, 50));
    let painted = Arc::clone(&frame);
    let voi = Voi::linear(500.0, 3000.0);
    let view = ViewPresentation { zoom: Zoom::PixelScale(1.0), quarter_turns: 1, ..ViewPresentation::default() };
    let mut local = ViewportLocal::default();
    let mut window = window([140.0, 120.0], 1.5, move |ui, pictures| {
        let rect = Rect::from_min_size(pos2(7.0, 5.0), vec2(101.0, 90.0));
        let input = ViewportInput { view, ..input(&set, FrameState::Ready(&painted), voi) };
        viewport_ui(ui, rect, &input, Some(pictures), &mut local, &mut Vec::new());
    });
    window.run();
    // 7 × 1.5 = 10.5 → 11; 108 × 1.5 = 162; 5 × 1.5 = 7.5 → 8; 95 × 1.5 = 142.5 → 143.
    let (left, top, width, height) = (11, 8, 151, 135);
    let drawn = greys(&mut window, [left, top, width, height]);
    let expected = reference(&frame, [width, height], view, &voi, false);
    assert_near("1:1", &drawn, &expected);
    assert!(expected.iter().filter(|p| p[0] > 0).count() > 1000, "the picture is in it");
}

#[test]
fn another_picture_never_shows_the_one_before() {
    // A frame that has not been decoded: the ground is black and a text stands there.
    let (set, frame) = (display_set(64, 64, 2), frame(64, 64));
    let stage = Arc::new(Mutex::new(0));
    let broken = Unshown::new(UnshownKind::Damaged, "broken");
    let (shared, mut local) = (Arc::clone(&stage), ViewportLocal::default());
    let mut window = window([300.0, 200.0], 1.0, move |ui, pictures| {
        let state = match *shared.lock().expect("stage") {
            0 => FrameState::Ready(&frame),
            1 => FrameState::Arriving,
            _ => FrameState::Failed(&broken),
        };
        let input = input(&set, state, Voi::linear(500.0, 3000.0));
        viewport_ui(ui, ui.ctx().content_rect(), &input, Some(pictures), &mut local, &mut Vec::new());
    });
    window.run();
    assert!(greys(&mut window, [100, 20, 100, 40]).iter().any(|p| p[0] > 50));
    for (n, said) in [
        (1, "Viewport 1: phantom, 1 / 2, Arriving"),
        (
            2,
            "Viewport 1: phantom, 1 / 2, Cannot be shown: damaged (broken)\nAsk the center or the facility to send it again.",
        ),
    ] {
        *stage.lock().expect("stage") = n;
        window.run();
        assert!(greys(&mut window, [100, 20, 100, 40]).iter().all(|p| *p == [0, 0, 0]), "stage {n}");
        window.get_by_label(said);
    }
}

#[test]
fn texts_name_the_patient_at_every_level_in_both_languages() {
    // Glyphs that the bundled font lacks would make the harness fail.
    let patient = Patient {
        id: "0012345".into(),
        issuer: Some("東北クリニック".into()),
        name: PersonName::parse("YAMADA^TARO=山田^太郎=ヤマダ^タロウ"),
        ..Patient::default()
    };
    for language in [Language::Ja, Language::En] {
        for level in [OverlayLevel::Full, OverlayLevel::Short, OverlayLevel::None] {
            let (set, frame, patient) = (display_set(64, 64, 3), frame(64, 64), patient.clone());
            let mut local = ViewportLocal::default();
            let mut window = window([500.0, 400.0], 1.0, move |ui, pictures| {
                let plain = input(&set, FrameState::Ready(&frame), Voi::linear(500.0, 3000.0));
                let input = ViewportInput { patient: Some(&patient), level, words: Words(language), ..plain };
                viewport_ui(ui, ui.ctx().content_rect(), &input, Some(pictures), &mut local, &mut Vec::new());
            });
            window.run();
            // The square picture leaves the corner black, but for the name.
            let corner = greys(&mut window, [4, 4, 44, 30]);
            assert!(corner.iter().any(|p| p[0] > 150), "{language:?} {level:?}");
        }
    }
}
