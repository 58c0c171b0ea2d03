//! LUTs, presentation LUTs, overlays and shutters on the GPU against the CPU reference.

use super::*;
use dokuei::imaging::{Display, Lut, Overlay, OverlayKind, Presentation, Shutter, render_look, render_placed};
use dokuei::viewport::Zoom;

fn lut(first: i32, entries: Vec<u16>, bits: u8) -> Arc<Lut> {
    Arc::new(Lut::new(first, entries, bits).expect("entries"))
}

fn own(lut: &Lut, number: u8) -> Voi {
    let (center, width) = lut.range();
    Voi { center, width, function: VoiFunction::Lut(number) }
}

fn draw(
    device: &mut Offscreen,
    frame: &Arc<Frame>,
    look: &Look,
    size: [u32; 2],
    view: ViewPresentation,
) -> (Vec<u8>, Scene) {
    let mut scene = scene(frame, size, view, look.voi, look.invert);
    if let Some(picture) = &mut scene.picture {
        picture.look = look.clone();
    }
    (device.render(&scene).expect("renders").0, scene)
}

/// 1:1, equal but for levels on the edge of rounding.
fn assert_reference(what: &str, device: &mut Offscreen, frame: &Arc<Frame>, look: &Look) {
    let size = [frame.columns, frame.rows];
    let (drawn, _) = draw(device, frame, look, size, ViewPresentation::default());
    let reference = render_look(frame, look);
    for (index, (d, r)) in drawn.chunks_exact(3).zip(reference.chunks_exact(3)).enumerate() {
        if d != r {
            let level = look.luminance(frame, index).map_or(0.0, |l| l * 255.0);
            let from_edge = ((level - level.floor()) - 0.5).abs();
            assert!(d[0].abs_diff(r[0]) <= 1 && from_edge < 2e-3, "{what}: pixel {index} {d:?} {r:?} {level}");
        }
    }
}

#[test]
fn a_table_of_every_size_and_depth() {
    let mut device = offscreen();
    let (columns, rows) = (128, 64);
    let mut next = noise(11);
    let values: Vec<i16> = (0..columns * rows).map(|_| (next() >> 16) as u16 as i16).collect();
    let plain = frame(columns, rows, Pixels::I16(values));
    let mut random =
        |count: usize, bits: u32| -> Vec<u16> { (0..count).map(|_| (next() >> 16) as u16 >> (16 - bits)).collect() };
    let tables = [
        lut(-32768, random(65536, 16), 16),
        lut(-32768, (0..=u16::MAX).collect(), 16),
        lut(-1000, random(2000, 12), 12),
        lut(0, random(1025, 8), 8),
        lut(5, vec![9], 8),
        lut(-3, vec![65535, 0], 16),
    ];
    for (number, table) in tables.iter().enumerate() {
        for modality in [Modality::IDENTITY, Modality::Rescale { slope: 2.0, intercept: -1024.0 }] {
            for invert in [false, true] {
                let display = Display { voi_luts: tables.to_vec(), ..Display::default() };
                let frame =
                    Arc::new(Frame { modality: modality.clone(), display, padding: Some(PADDING), ..plain.clone() });
                let look = Look::of(&frame, own(table, number as u8), invert);
                assert_reference(&format!("table {number} {modality:?} {invert}"), &mut device, &frame, &look);
            }
        }
    }
}

#[test]
fn a_smooth_table_stretched_and_under_fractional_rescale() {
    let mut device = offscreen();
    let curve: Vec<u16> = (0..4096u32).map(|v| (f64::from(v).sqrt() * 1023.0 / 64.0) as u16).collect();
    let table = lut(0, curve, 10);
    for (name, plain) in one_of_each(61, 47) {
        if plain.photometric == Photometric::Color {
            continue;
        }
        let display = Display { voi_luts: vec![Arc::clone(&table)], ..Display::default() };
        let modality = match plain.modality {
            Modality::Lut { .. } => plain.modality.clone(),
            Modality::Rescale { .. } => Modality::Rescale { slope: 0.37, intercept: -3.5 },
        };
        let frame = Arc::new(Frame { modality, display, ..plain });
        for (shift, factor) in [(0.0, 1.0), (100.0, 2.5), (-5000.0, 7.0)] {
            let voi = own(&table, 0);
            let voi = Voi { center: voi.center + shift, width: voi.width * factor, ..voi };
            for size in [[61, 47], [20, 31], [150, 90]] {
                let look = Look::of(&frame, voi, false);
                let (drawn, scene) = draw(&mut device, &frame, &look, size, ViewPresentation::default());
                let picture = scene.picture.expect("a picture");
                let reference = render_placed(&frame, &look, &picture.pixel_from_screen, size, Resampling::default());
                let (largest, count) = difference(&drawn, &reference);
                assert!(largest <= 1, "{name} {size:?} {shift} {factor}: off by {largest} in {count} bytes");
            }
        }
    }
}

#[test]
fn presentation_luts_follow_the_window() {
    let mut device = offscreen();
    let values: Vec<u16> = (0..64 * 64).collect();
    let plain = frame(64, 64, Pixels::U16(values));
    let table = lut(0, (0..1024u32).map(|v| (v * v / 1023) as u16).collect(), 10);
    for photometric in [Photometric::Monochrome1, Photometric::Monochrome2] {
        let frame = Arc::new(Frame { photometric, ..plain.clone() });
        for presentation in [
            Presentation::Identity,
            Presentation::Inverse,
            Presentation::Lut(Arc::clone(&table)),
            Presentation::Lut(lut(0, vec![65535, 0], 16)),
        ] {
            for invert in [false, true] {
                let what = format!("{photometric:?} {presentation:?} {invert}");
                let voi = Voi { center: 2000.0, width: 3000.0, function: VoiFunction::LinearExact };
                let presentation = Some(presentation.clone());
                let look = Look { presentation, ..Look::of(&frame, voi, invert) };
                assert_reference(&what, &mut device, &frame, &look);
            }
        }
    }
}

fn covered(columns: u32, rows: u32) -> Display {
    let mut next = noise(5);
    let bits: Vec<u8> = (0..(columns * rows).div_ceil(8)).map(|_| (next() & next() & next()) as u8).collect();
    let plane = |origin, bits: Vec<u8>| Overlay {
        group: 0x6000,
        rows,
        columns,
        origin,
        kind: OverlayKind::Graphics,
        label: String::new(),
        bits: bits.into(),
    };
    Display {
        overlays: vec![plane([1, 1], bits.clone()), plane([rows as i32 / 2, -3], bits)],
        shutter: Some(Shutter {
            rectangle: Some([4, columns as i32 - 5, 3, rows as i32]),
            circle: Some([rows as i32 / 2, columns as i32 / 2, columns as i32 / 2]),
            value: 0x5555,
            ..Shutter::default()
        }),
        ..Display::default()
    }
}

#[test]
fn overlays_and_shutters_lie_over_everything() {
    let mut device = offscreen();
    for (name, plain) in one_of_each(61, 47) {
        let frame = Arc::new(Frame { display: covered(61, 47), padding: Some(PADDING), ..plain });
        let voi = windows(&frame)[3];
        for (overlays, shutters) in [(true, true), (false, true), (true, false), (false, false)] {
            let look = Look { overlays, shutters, ..Look::of(&frame, voi, overlays == shutters) };
            assert_reference(&format!("{name} {overlays} {shutters}"), &mut device, &frame, &look);
            for (size, turns) in [([30, 23], 0), ([122, 94], 0), ([17, 60], 1), ([61, 94], 0)] {
                let view = ViewPresentation { quarter_turns: turns, ..ViewPresentation::default() };
                let (drawn, scene) = draw(&mut device, &frame, &look, size, view);
                let picture = scene.picture.expect("a picture");
                let reference = render_placed(&frame, &look, &picture.pixel_from_screen, size, Resampling::default());
                let (largest, count) = difference(&drawn, &reference);
                assert!(largest <= 1, "{name} {size:?} {overlays} {shutters}: off by {largest} in {count} bytes");
            }
        }
    }
}

#[test]
fn masks_are_cut_into_tiles_with_their_pages() {
    let mut device =
        Offscreen::new(offscreen().renderer().gpu().clone(), Budgets { upload: 900, ..Budgets::default() });
    device.renderer().pages_mut().limit_edge(20);
    let (_, plain) = one_of_each(70, 50).remove(2);
    let frame = Arc::new(Frame { display: covered(70, 50), ..plain });
    let look = Look::of(&frame, windows(&frame)[3], false);
    assert_reference("tiles", &mut device, &frame, &look);
    let view = ViewPresentation { zoom: Zoom::Fit, ..ViewPresentation::default() };
    let (drawn, scene) = draw(&mut device, &frame, &look, [35, 25], view);
    let picture = scene.picture.expect("a picture");
    let reference = render_placed(&frame, &look, &picture.pixel_from_screen, [35, 25], Resampling::default());
    assert!(difference(&drawn, &reference).0 <= 1);
}
