//! Fitted, magnified, cut into tiles: against `imaging::render_placed`.

use super::*;
use dokuei::imaging::render_placed;
use dokuei::viewport::Zoom;

fn reference(scene: &Scene) -> Vec<u8> {
    let p = scene.picture.as_ref().expect("a picture");
    render_placed(&p.frame, &p.look, &p.pixel_from_screen, scene.size_px, p.resampling)
}

fn wide(frame: &Frame) -> Voi {
    windows(frame)[3]
}

#[test]
fn shrunk_by_area_and_magnified_linearly() {
    let mut device = offscreen();
    for (name, plain) in one_of_each(61, 47) {
        for padding in [None, Some(PADDING)] {
            let frame = Arc::new(Frame { padding, ..plain.clone() });
            for size in [[20, 20], [7, 31], [61, 50], [200, 90]] {
                for turns in [0, 1] {
                    let view = ViewPresentation { quarter_turns: turns, ..ViewPresentation::default() };
                    let scene = scene(&frame, size, view, wide(&frame), padding.is_some());
                    let (drawn, _) = device.render(&scene).expect("renders");
                    let (largest, count) = difference(&drawn, &reference(&scene));
                    assert!(largest <= 1, "{name} {size:?} turns {turns}: off by {largest} in {count} bytes");
                }
            }
        }
    }
}

#[test]
fn pixels_that_are_not_square() {
    let mut device = offscreen();
    for aspect in [0.5, 1.0 / 3.0, 2.5] {
        let (_, plain) = one_of_each(40, 40).remove(1);
        let frame = Arc::new(Frame { pixel_aspect: aspect, padding: Some(PADDING), ..plain });
        for zoom in [Zoom::Fit, Zoom::PixelScale(0.6), Zoom::PixelScale(1.7)] {
            let view = ViewPresentation { zoom, ..ViewPresentation::default() };
            let scene = scene(&frame, [64, 48], view, wide(&frame), false);
            let (drawn, _) = device.render(&scene).expect("renders");
            let (largest, count) = difference(&drawn, &reference(&scene));
            assert!(largest <= 1, "{aspect} {zoom:?}: off by {largest} in {count} bytes");
        }
    }
}

#[test]
fn an_edge_on_the_middle_of_a_screen_pixel() {
    // 256 × 120 pixels of 4:3 in 300 × 260: the lower edge halves a row of the screen. With 2:3, in both ways.
    let mut device = offscreen();
    for (aspect, size) in [(4.0 / 3.0, [300, 260]), (0.75, [300, 260]), (1.0, [150, 91]), (1.0, [640, 301])] {
        let mut next = noise(3);
        let values: Vec<u8> = (0..256 * 120).map(|_| 200 + (next() % 50) as u8).collect();
        let frame = Arc::new(Frame { pixel_aspect: aspect, ..frame(256, 120, Pixels::U8(values)) });
        let voi = Voi { center: 127.5, width: 255.0, function: VoiFunction::LinearExact };
        let scene = scene(&frame, size, ViewPresentation::default(), voi, false);
        let (drawn, _) = device.render(&scene).expect("renders");
        let (largest, count) = difference(&drawn, &reference(&scene));
        assert!(largest <= 1, "{aspect} {size:?}: off by {largest} in {count} bytes");
    }
}

#[test]
fn nearest_where_wished() {
    let mut device = offscreen();
    let (_, plain) = one_of_each(9, 9).remove(2);
    let mut scene = scene(&Arc::new(plain), [63, 63], ViewPresentation::default(), Voi::linear(0.0, 40000.0), false);
    if let Some(picture) = &mut scene.picture {
        picture.resampling = Resampling { nearest_from: 7.0 };
    }
    let (drawn, _) = device.render(&scene).expect("renders");
    assert!(difference(&drawn, &reference(&scene)).0 <= 1);
    let row: Vec<u8> = drawn[..63 * 3].iter().step_by(3).copied().collect();
    assert!(row.chunks(7).all(|block| block.iter().all(|v| *v == block[0])), "{row:?}");
}

#[test]
fn a_small_calcification_neither_vanishes_nor_sparkles() {
    // Two by two bright pixels of a mammogram, fitted to a fifth, at every phase of the screen's grid.
    let mut device = offscreen();
    let (columns, rows) = (600u32, 500u32);
    let mut values = vec![1000u16; (columns * rows) as usize];
    for (x, y) in [(300, 250), (301, 250), (300, 251), (301, 251)] {
        values[(y * columns + x) as usize] = 9000;
    }
    let frame = Arc::new(frame(columns, rows, Pixels::U16(values)));
    let voi = Voi { center: 1500.0, width: 2000.0, function: VoiFunction::LinearExact };
    let mut sums = Vec::new();
    for phase in 0..10 {
        let view = ViewPresentation { zoom: Zoom::PixelScale(0.2), ..ViewPresentation::default() };
        let mut scene = scene(&frame, [120, 100], view, voi, false);
        if let Some(picture) = &mut scene.picture {
            picture.pixel_from_screen.translation += glam::DVec2::splat(f64::from(phase) * 0.5);
        }
        let (drawn, _) = device.render(&scene).expect("renders");
        let background = drawn[0];
        let excess: u32 = drawn.iter().step_by(3).map(|v| u32::from(v.saturating_sub(background))).sum();
        assert!(drawn.iter().step_by(3).any(|v| *v >= background + 40), "vanished at phase {phase}");
        sums.push(excess);
    }
    let (low, high) = (sums.iter().min().expect("sums"), sums.iter().max().expect("sums"));
    assert!(high - low <= 4, "sparkles: {sums:?}");
}

#[test]
fn tiles_leave_no_seam() {
    let mut device = Offscreen::new(offscreen().renderer().gpu().clone(), Budgets::default());
    device.renderer().pages_mut().limit_edge(20);
    for (name, plain) in one_of_each(70, 50) {
        let frame = Arc::new(plain);
        for (size, zoom) in [([70, 50], Zoom::PixelScale(1.0)), ([33, 21], Zoom::Fit), ([150, 110], Zoom::Fit)] {
            let view = ViewPresentation { zoom, ..ViewPresentation::default() };
            let scene = scene(&frame, size, view, wide(&frame), false);
            let (drawn, _) = device.render(&scene).expect("renders");
            let (largest, count) = difference(&drawn, &reference(&scene));
            assert!(largest <= 1, "{name} {size:?}: off by {largest} in {count} bytes");
        }
    }
}

#[test]
fn thumbnails_are_bounded_in_work_and_still_right() {
    let mut device = offscreen();
    let values: Vec<u16> = (0..2000u32 * 1000).map(|i| ((i % 2000) / 2 + (i / 2000)) as u16).collect();
    let frame = Arc::new(frame(2000, 1000, Pixels::U16(values)));
    let voi = Voi { center: 1000.0, width: 2000.0, function: VoiFunction::LinearExact };
    let scene = scene(&frame, [24, 16], ViewPresentation::default(), voi, false);
    let (drawn, _) = device.render(&scene).expect("renders");
    assert!(difference(&drawn, &reference(&scene)).0 <= 1);
}
