//! The grey-scale chain and what lies over the picture, read from whole objects.

use super::Object;
use super::test_object::{As, BIG, Build, EXPLICIT};
use crate::imaging::{Frame, Modality, OverlayKind, Pixels, render_rgb};
use crate::study::{FrameIndex, VoiFunction};

fn frame_at(build: Build, syntax: &str, at: u32) -> Frame {
    Object::from_bytes(build.file(syntax)).expect("opens").frame(FrameIndex(at)).expect("decodes")
}

fn frame(build: Build) -> Frame {
    frame_at(build, EXPLICIT, 0)
}

/// 1 × 4 pixels, 16 bits signed.
fn grey(coding: As) -> Build {
    Build::image(coding, 1, 4)
}

fn pixels(build: Build, values: [i16; 4]) -> Build {
    let big = build.clone().us(0, &[1]).bytes.ends_with(&[0, 1]);
    let bytes: Vec<u8> = values.iter().flat_map(|v| if big { v.to_be_bytes() } else { v.to_le_bytes() }).collect();
    build.bytes(0x7FE0_0010, b"OW", &bytes)
}

fn lut_item(coding: As, descriptor: [u16; 3], name: &str, data: &[u16]) -> Build {
    Build::new(coding).us(0x0028_3002, &descriptor).text(0x0028_3003, b"LO", name).us(0x0028_3006, data)
}

#[test]
fn luts_come_before_windows_and_all_have_names() {
    let items = [
        lut_item(As::Explicit, [3, 10, 12], "NORMAL", &[0, 2048, 4095]),
        lut_item(As::Explicit, [2, 0, 16], "", &[0, 65535]),
    ];
    let build = grey(As::Explicit)
        .text(0x0028_1050, b"DS", "40\\50")
        .text(0x0028_1051, b"DS", "400\\60")
        .text(0x0028_1055, b"LO", "SOFT")
        .text(0x0028_1056, b"CS", "SIGMOID")
        .sequence(0x0028_3010, &items);
    let f = frame(pixels(build, [9, 10, 11, 99]));
    let seen: Vec<_> = f.voi.iter().map(|v| (v.function, v.center, v.width)).collect();
    assert_eq!(
        seen,
        [
            (VoiFunction::Lut(0), 11.5, 3.0),
            (VoiFunction::Lut(1), 1.0, 2.0),
            (VoiFunction::Sigmoid, 40.0, 400.0),
            (VoiFunction::Sigmoid, 50.0, 60.0)
        ]
    );
    assert_eq!(f.display.voi_names, ["NORMAL", "", "SOFT", ""]);
    let greys: Vec<u8> = render_rgb(&f, &f.voi[0], false).into_iter().step_by(3).collect();
    assert_eq!(greys, [0, 0, 128, 255]);
    assert_eq!(f.warnings, []);
}

#[test]
fn the_first_input_value_has_the_sign_of_what_comes_in() {
    // 0xFFFE is −2 where the modality transform may give negative values, 65534 where it cannot (C.11.2.1.1).
    let item = [lut_item(As::Explicit, [4, 0xFFFE, 16], "", &[0, 100, 200, 65535])];
    let first = |build: Build| frame(pixels(build.sequence(0x0028_3010, &item), [0; 4])).display.voi_luts[0].first;
    assert_eq!(first(grey(As::Explicit)), -2);
    assert_eq!(first(grey(As::Explicit).text(0x0028_1052, b"DS", "32768").text(0x0028_1053, b"DS", "1")), 65534);
    let unsigned = || {
        let mut build = Build::new(As::Explicit);
        let image = Build::image(As::Explicit, 1, 4);
        // Pixel Representation 0: the last element of the template.
        build.bytes = image.bytes[..image.bytes.len() - 10].to_vec();
        build.us(0x0028_0103, &[0])
    };
    assert_eq!(first(unsigned()), 65534);
    assert_eq!(first(unsigned().text(0x0028_1052, b"DS", "-1024").text(0x0028_1053, b"DS", "1")), -2);
    // A Modality LUT never gives negative values.
    let modality = [lut_item(As::Explicit, [2, 0, 16], "", &[0, 65535])];
    assert_eq!(first(grey(As::Explicit).sequence(0x0028_3000, &modality)), 65534);
    // Stated as signed: it is.
    let item =
        Build::new(As::Explicit).bytes(0x0028_3002, b"SS", &[4, 0, 0xFE, 0xFF, 16, 0]).us(0x0028_3006, &[0, 1, 2, 3]);
    let f = frame(pixels(unsigned().sequence(0x0028_3010, &[item]), [0; 4]));
    assert_eq!(f.display.voi_luts[0].first, -2);
}

#[test]
fn luts_that_lie_are_read_and_told() {
    let voi = |item: Build| frame(pixels(grey(As::Explicit).sequence(0x0028_3010, &[item]), [0; 4]));
    // 65536 entries are declared as 0.
    let all: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
    let item = Build::new(As::Explicit).us(0x0028_3002, &[0, 0, 16]).bytes(0x0028_3006, b"OW", &all);
    let f = voi(item);
    assert_eq!((f.display.voi_luts[0].entries.len(), f.voi[0].width), (65536, 65536.0));
    assert_eq!(f.warnings, []);
    // Fewer entries than declared.
    let f = voi(lut_item(As::Explicit, [9, 0, 16], "", &[0, 7]));
    assert_eq!(f.display.voi_luts[0].entries.len(), 2);
    assert!(f.warnings[0].to_string().contains("9 entries, 2 are there"), "{:?}", f.warnings);
    // 16 bits declared, 8-bit entries one a byte.
    let item = Build::new(As::Explicit).us(0x0028_3002, &[4, 0, 16]).bytes(0x0028_3006, b"OW", &[0, 9, 200, 255]);
    let f = voi(item);
    assert_eq!((&*f.display.voi_luts[0].entries, f.display.voi_luts[0].bits), (&[0u16, 9, 200, 255][..], 8));
    assert_eq!(f.warnings.len(), 1);
    // 8 bits declared, entries of 12.
    let f = voi(lut_item(As::Explicit, [2, 0, 8], "", &[0, 4095]));
    assert_eq!((f.display.voi_luts[0].bits, f.warnings.len()), (12, 1));
    // Nothing there: not offered, told.
    let f = voi(Build::new(As::Explicit).us(0x0028_3002, &[2, 0, 8]));
    assert!(f.voi.is_empty() && f.display.voi_luts.is_empty() && f.warnings.len() == 1);
}

#[test]
fn big_endian_luts_and_the_modality_lut_with_its_type() {
    let item = [lut_item(As::BigEndian, [2, 1, 16], "X", &[1, 0x1234]).text(0x0028_3004, b"LO", "OD")];
    let build = grey(As::BigEndian).sequence(0x0028_3000, &item);
    let f = frame_at(pixels(build, [0, 1, 2, 3]), BIG, 0);
    assert_eq!(*f.pixels, Pixels::I16(vec![0, 1, 2, 3]));
    assert_eq!(f.modality, Modality::Lut { first: 1, data: vec![1, 0x1234].into() });
    assert_eq!((f.unit.as_str(), f.modality_value(3, 0)), ("OD", Some(f64::from(0x1234))));
}

fn overlay(build: Build, group: u32, rows: u16, columns: u16) -> Build {
    let tag = |element: u32| group << 16 | element;
    build.us(tag(0x10), &[rows]).us(tag(0x11), &[columns])
}

#[test]
fn overlays_in_their_own_data() {
    let build = overlay(grey(As::Explicit), 0x6000, 1, 3)
        .text(0x6000_0040, b"CS", "R")
        .bytes(0x6000_0050, b"SS", &[1, 0, 2, 0])
        .text(0x6000_1500, b"LO", "lesion")
        .bytes(0x6000_3000, b"OW", &[0b101, 0]);
    // A second plane without data: told, not drawn.
    let build = overlay(build, 0x6002, 1, 3);
    let bytes: Vec<u8> = [0i16; 4].iter().flat_map(|v| v.to_le_bytes()).collect();
    let f = frame(build.bytes(0x7FE0_0010, b"OW", &bytes));
    let [plane] = &f.display.overlays[..] else { panic!("one plane") };
    assert_eq!((plane.kind, plane.label.as_str(), plane.origin), (OverlayKind::Roi, "lesion", [1, 2]));
    assert_eq!(f.mask(), Some(vec![0, 1, 0, 1]));
    assert!(f.warnings.iter().any(|w| w.to_string().contains("6002")), "{:?}", f.warnings);
}

#[test]
fn overlays_of_several_frames_follow_them() {
    let image = || {
        let b = grey(As::Explicit).text(0x0028_0008, b"IS", "3");
        overlay(b, 0x6000, 1, 4)
    };
    let with = |b: Build, at| frame_at(b.bytes(0x7FE0_0010, b"OW", &[0; 24]), EXPLICIT, at).mask();
    // Two planes of 4 bits, the first on frame 2.
    let two =
        || image().text(0x6000_0015, b"IS", "2").us(0x6000_0051, &[2]).bytes(0x6000_3000, b"OW", &[0b1000_0001, 0]);
    assert_eq!(with(two(), 0), None);
    assert_eq!(with(two(), 1), Some(vec![1, 0, 0, 0]));
    assert_eq!(with(two(), 2), Some(vec![0, 0, 0, 1]));
    // One plane holds for all frames.
    let one = || image().bytes(0x6000_3000, b"OW", &[0b10, 0]);
    assert!((0..3).all(|at| with(one(), at) == Some(vec![0, 1, 0, 0])));
}

#[test]
fn overlays_in_unused_bits() {
    for (coding, syntax) in [(As::Explicit, EXPLICIT), (As::BigEndian, BIG)] {
        let mut build = Build::new(coding)
            .text(0x0008_0018, b"UI", "1.2.3.4")
            .us(0x0028_0002, &[1])
            .text(0x0028_0004, b"CS", "MONOCHROME2")
            .us(0x0028_0010, &[1])
            .us(0x0028_0011, &[4])
            .us(0x0028_0100, &[16])
            .us(0x0028_0101, &[12])
            .us(0x0028_0102, &[11])
            .us(0x0028_0103, &[0]);
        build = overlay(build, 0x6000, 1, 4).us(0x6000_0100, &[16]).us(0x6000_0102, &[13]);
        // A plane in the pixels' own bits is none.
        build = overlay(build, 0x6002, 1, 4).us(0x6002_0100, &[16]).us(0x6002_0102, &[3]);
        let words = [0x2FFFi16, 0x0008, 0x2000, 0x1008];
        let f = frame_at(pixels(build, words), syntax, 0);
        assert_eq!(*f.pixels, Pixels::U16(vec![0xFFF, 8, 0, 8]));
        assert_eq!(f.mask(), Some(vec![1, 0, 1, 0]), "{coding:?}");
        assert_eq!((f.display.overlays.len(), f.warnings.len()), (1, 1));
    }
}

#[test]
fn shutters_cover_and_damaged_ones_do_not() {
    let shutter = |b: Build| {
        let bytes: Vec<u8> = [0i16; 4].iter().flat_map(|v| v.to_le_bytes()).collect();
        // Group 0018 comes before group 0028.
        let image = Build::image(As::Explicit, 1, 4);
        let mut whole = b;
        whole.bytes.extend(image.bytes);
        frame(whole.bytes(0x7FE0_0010, b"OW", &bytes))
    };
    let rectangle = Build::new(As::Explicit)
        .text(0x0018_1600, b"CS", "RECTANGULAR\\CIRCULAR")
        .text(0x0018_1602, b"IS", "2")
        .text(0x0018_1604, b"IS", "4")
        .text(0x0018_1606, b"IS", "1")
        .text(0x0018_1608, b"IS", "1")
        .text(0x0018_1610, b"IS", "1\\2")
        .text(0x0018_1612, b"IS", "1")
        .us(0x0018_1622, &[0x8000]);
    let f = shutter(rectangle);
    assert_eq!(f.mask(), Some(vec![2, 0, 0, 2]));
    assert_eq!(render_rgb(&f, &crate::study::Voi::linear(5.0, 2.0), true)[..3], [128; 3]);
    let damaged = Build::new(As::Explicit).text(0x0018_1600, b"CS", "POLYGONAL").text(0x0018_1620, b"IS", "1\\1\\2\\2");
    let f = shutter(damaged);
    assert_eq!((f.mask(), f.warnings.len()), (None, 1));
}

#[test]
fn real_world_values_with_their_unit() {
    let code = Build::new(As::Explicit).text(0x0008_0100, b"SH", "mm2/s").text(0x0008_0104, b"LO", "square mm per s");
    let item = Build::new(As::Explicit)
        .text(0x0028_3003, b"LO", "diffusion")
        .sequence(0x0040_08EA, &[code])
        .text(0x0040_9210, b"SH", "ADC")
        .us(0x0040_9211, &[100])
        .us(0x0040_9216, &[0])
        .bytes(0x0040_9224, b"FD", &1.0f64.to_le_bytes())
        .bytes(0x0040_9225, b"FD", &0.5f64.to_le_bytes());
    let f = frame(pixels(grey(As::Explicit).sequence(0x0040_9096, &[item]), [3, -1, 100, 101]));
    let seen: Vec<f64> = (0..4).flat_map(|c| f.real_world_values(c, 0)).map(|(_, v)| v).collect();
    assert_eq!(seen, [2.5, 51.0]);
    let map = &f.display.real_world[0];
    assert_eq!((map.unit.as_str(), map.label.as_str(), map.quantity.as_str()), ("mm2/s", "ADC", "diffusion"));
}
