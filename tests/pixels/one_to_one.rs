//! One image pixel on one screen pixel: the same greys as `imaging::render_rgb`, for everything a frame can be.

use super::*;
use dokuei::imaging::render_rgb;
use dokuei::viewport::Zoom;

/// Rendered bytes equal the reference; where the exact level lies on the edge of rounding, within 1.
fn assert_equal(what: &str, frame: &Frame, voi: &Voi, invert: bool, drawn: &[u8]) {
    let reference = render_rgb(frame, voi, invert);
    assert_eq!(drawn.len(), reference.len(), "{what}");
    for (index, (d, r)) in drawn.chunks_exact(3).zip(reference.chunks_exact(3)).enumerate() {
        if d == r {
            continue;
        }
        let level = Look::of(frame, *voi, invert).luminance(frame, index).map_or(0.0, |l| l * 255.0);
        let from_edge = ((level - level.floor()) - 0.5).abs();
        let near = d.iter().zip(r).all(|(a, b)| a.abs_diff(*b) <= 1);
        assert!(near && from_edge < 1e-3, "{what}: pixel {index} is {d:?}, not {r:?} (level {level})");
    }
}

#[test]
fn every_form_window_and_inversion() {
    let mut device = offscreen();
    for (name, plain) in one_of_each(13, 9) {
        for padding in [None, Some(PADDING)] {
            for mono1 in [false, true] {
                if mono1 && plain.photometric == Photometric::Color {
                    continue;
                }
                let photometric = if mono1 { Photometric::Monochrome1 } else { plain.photometric };
                let frame = Arc::new(Frame { padding, photometric, ..plain.clone() });
                for voi in windows(&frame) {
                    for invert in [false, true] {
                        let what =
                            format!("{name} padding {} mono1 {mono1} {voi:?} invert {invert}", padding.is_some());
                        let (drawn, _) = device
                            .render(&scene(&frame, [13, 9], ViewPresentation::default(), voi, invert))
                            .expect("renders");
                        assert_equal(&what, &frame, &voi, invert, &drawn);
                    }
                }
            }
        }
    }
}

#[test]
fn turned_and_mirrored() {
    let mut device = offscreen();
    let (columns, rows) = (11u32, 6u32);
    let values: Vec<u16> = (0..columns * rows).map(|v| (v * 3) as u16).collect();
    let frame = Arc::new(frame(columns, rows, Pixels::U16(values)));
    let voi = Voi { center: 127.5, width: 255.0, function: VoiFunction::LinearExact };
    for turns in 0..4u8 {
        for (h, v) in [(false, false), (true, false), (false, true), (true, true)] {
            let view = ViewPresentation {
                zoom: Zoom::PixelScale(1.0),
                quarter_turns: turns,
                flip_horizontal: h,
                flip_vertical: v,
                ..ViewPresentation::default()
            };
            let size = if turns % 2 == 1 { [rows, columns] } else { [columns, rows] };
            let (drawn, _) = device.render(&scene(&frame, size, view, voi, false)).expect("renders");
            for y in 0..size[1] {
                for x in 0..size[0] {
                    // By hand: undo the turn, then the mirror.
                    let (c, r) = match turns {
                        0 => (x, y),
                        1 => (y, rows - 1 - x),
                        2 => (columns - 1 - x, rows - 1 - y),
                        _ => (columns - 1 - y, x),
                    };
                    let c = if h { columns - 1 - c } else { c };
                    let r = if v { rows - 1 - r } else { r };
                    let at = ((y * size[0] + x) * 3) as usize;
                    let expected = ((r * columns + c) * 3) as u8;
                    assert_eq!(drawn[at], expected, "turns {turns} mirror {h} {v} at {x}, {y}");
                }
            }
        }
    }
}

#[test]
fn values_far_from_zero_keep_their_last_digit() {
    // 24 bits of mantissa would lose the units here: 1e9 ± a few.
    let mut device = offscreen();
    let values: Vec<i32> = (0..64).map(|v| 1_000_000_000 + v).collect();
    let frame = Arc::new(frame(8, 8, Pixels::I32(values)));
    let voi = Voi { center: 1_000_000_032.0, width: 64.0, function: VoiFunction::LinearExact };
    let (drawn, _) = device.render(&scene(&frame, [8, 8], ViewPresentation::default(), voi, false)).expect("renders");
    assert_equal("large", &frame, &voi, false, &drawn);
}

#[test]
fn what_is_no_number_is_black() {
    let mut device = offscreen();
    let values = vec![f32::NAN, 0.0, 1.0, f32::INFINITY, f32::NEG_INFINITY, 0.5];
    let frame = Arc::new(frame(3, 2, Pixels::F32(values)));
    let voi = Voi { center: 0.5, width: 1.0, function: VoiFunction::LinearExact };
    for (invert, expected) in [(false, [0, 0, 255, 255, 0, 128]), (true, [0, 255, 0, 0, 255, 128])] {
        let (drawn, _) =
            device.render(&scene(&frame, [3, 2], ViewPresentation::default(), voi, invert)).expect("renders");
        let greys: Vec<u8> = drawn.iter().step_by(3).copied().collect();
        assert_eq!(greys[..5], expected[..5], "invert {invert}");
        assert!(greys[5].abs_diff(expected[5]) <= 1);
    }
}
