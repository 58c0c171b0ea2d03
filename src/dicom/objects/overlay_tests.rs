//! Presentation states, segmentations, structure sets and encapsulated documents written element by element.

use super::*;
use crate::dicom::test_object::{As, Build, EXPLICIT};
use crate::imaging::Presentation;
use crate::study::VoiFunction;
use crate::viewport::Span;
use crate::viewport::segmentation::Segmentation;

fn new() -> Build {
    Build::new(As::Explicit)
}

fn read(bytes: Vec<u8>) -> Result<ObjectContent, ObjectError> {
    let object = Object::from_bytes(bytes).expect("opens");
    read_object(object.header(), &|| Ok(object.clone()))
}

fn to(uid: &str) -> Build {
    new().text(0x0008_1150, b"UI", "1.2.840.10008.5.1.4.1.1.2").text(0x0008_1155, b"UI", uid)
}

fn floats(build: Build, tag: u32, values: &[f32]) -> Build {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    build.bytes(tag, b"FL", &bytes)
}

fn longs(build: Build, tag: u32, values: &[i32]) -> Build {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    build.bytes(tag, b"SL", &bytes)
}

#[test]
fn a_presentation_state_whole() {
    let text = floats(
        new().text(0x0070_0004, b"CS", "PIXEL").text(0x0070_0006, b"ST", "nodule\r\n12 mm"),
        0x0070_0014,
        &[5.0, 6.0],
    )
    .text(0x0070_0015, b"CS", "Y");
    let circle = floats(new().text(0x0070_0005, b"CS", "DISPLAY"), 0x0070_0022, &[0.5, 0.5, 0.5, 0.75])
        .text(0x0070_0023, b"CS", "CIRCLE")
        .text(0x0070_0024, b"CS", "N");
    let drawing = new()
        .sequence(0x0008_1140, &[to("1.2.1")])
        .text(0x0070_0002, b"CS", "MARKS")
        .sequence(0x0070_0008, &[text])
        .sequence(0x0070_0009, &[circle]);
    let area =
        longs(longs(new(), 0x0070_0052, &[30, 1]), 0x0070_0053, &[11, 20]).text(0x0070_0100, b"CS", "SCALE TO FIT");
    let layer = new().text(0x0070_0002, b"CS", "MARKS").us(0x0070_0401, &[65535, 32896, 32896]);
    let window = new().text(0x0028_1050, b"DS", "40").text(0x0028_1051, b"DS", "400");
    let table = new().us(0x0028_3002, &[4, 0, 16]).text(0x0028_3003, b"LO", "HARD").bytes(
        0x0028_3006,
        b"OW",
        &[0, 0, 10, 0, 100, 0, 255, 255],
    );
    let curve = new().sequence(0x0008_1140, &[to("1.2.2")]).sequence(0x0028_3010, &[table]);
    let series = new().sequence(0x0008_1140, &[to("1.2.1"), to("1.2.2")]);
    let bytes = new()
        .text(0x0008_0005, b"CS", "ISO_IR 192")
        .text(0x0008_0016, b"UI", "1.2.840.10008.5.1.4.1.1.11.1")
        .text(0x0008_0018, b"UI", "1.2.9")
        .sequence(0x0008_1115, &[series])
        .text(0x0018_1600, b"CS", "RECTANGULAR")
        .text(0x0018_1602, b"IS", "2")
        .text(0x0018_1604, b"IS", "9")
        .text(0x0018_1606, b"IS", "3")
        .text(0x0018_1608, b"IS", "8")
        .sequence(0x0028_3110, &[window.clone(), curve])
        .sequence(0x0070_0001, &[drawing])
        .text(0x0070_0041, b"CS", "Y")
        .us(0x0070_0042, &[90])
        .sequence(0x0070_005A, &[area])
        .sequence(0x0070_0060, &[layer])
        .text(0x0070_0080, b"CS", "CHEST")
        .text(0x0070_0081, b"LO", "肺野")
        .text(0x2050_0020, b"CS", "INVERSE")
        .file(EXPLICIT);
    let ObjectContent::PresentationState(state) = read(bytes).expect("reads") else { panic!("a presentation state") };
    assert_eq!((state.label.as_str(), state.description.as_str()), ("CHEST", "肺野"));
    assert_eq!((state.quarter_turns, state.flip), (1, true));
    assert_eq!(state.images.len(), 2);
    assert_eq!(state.areas[0].edges, [11, 1, 30, 20], "corners of a turned picture");
    assert_eq!(state.presentation, Some(Presentation::Inverse));
    assert_eq!(state.shutter.as_ref().and_then(|s| s.rectangle), Some([2, 9, 3, 8]));
    assert_eq!((state.vois[0].voi.center, state.vois[0].voi.width), (40.0, 400.0));
    assert!(state.vois[0].images.is_empty() && state.vois[1].images.len() == 1);
    assert_eq!((state.vois[1].voi.function, state.vois[1].name.as_str()), (VoiFunction::Lut(0), "HARD"));
    let drawing = &state.drawings[0];
    assert_eq!((drawing.layer.as_str(), drawing.rgb), ("MARKS", Some([255, 255, 255])));
    assert!(drawing.graphics[0].of_display && !drawing.texts[0].of_display);
    assert_eq!((drawing.texts[0].text.as_str(), drawing.texts[0].at), ("nodule\n12 mm", [5.0, 6.0]));
    assert!(state.warnings.is_empty(), "{:?}", state.warnings);
}

/// A frame's functional groups: segment and source.
fn groups(segment: Option<u16>, source: &str) -> Build {
    let derivation = new().sequence(0x0008_2112, &[to(source)]);
    let build = new().sequence(0x0008_9124, &[derivation]);
    match segment {
        Some(number) => build.sequence(0x0062_000A, &[new().us(0x0062_000B, &[number])]),
        None => build,
    }
}

fn segmentation(kind: &str, bits: u16, photometric: &str, frames: &[Build], pixels: &[u8]) -> Segmentation {
    let segment = |number, label: &str| {
        new().us(0x0062_0004, &[number]).text(0x0062_0005, b"LO", label).us(0x0062_000D, &[0, 32896, 32896])
    };
    let mut build = new()
        .text(0x0008_0005, b"CS", "ISO_IR 192")
        .text(0x0008_0016, b"UI", "1.2.840.10008.5.1.4.1.1.66.4")
        .text(0x0008_0018, b"UI", "1.2.9")
        .us(0x0028_0002, &[1])
        .text(0x0028_0004, b"CS", photometric)
        .text(0x0028_0008, b"IS", &frames.len().to_string())
        .us(0x0028_0010, &[3])
        .us(0x0028_0011, &[3])
        .us(0x0028_0100, &[bits])
        .us(0x0028_0101, &[bits])
        .us(0x0028_0102, &[bits - 1])
        .us(0x0028_0103, &[0]);
    if photometric == "PALETTE COLOR" {
        for (descriptor, data) in [(0x0028_1101, 0x0028_1201), (0x0028_1102, 0x0028_1202), (0x0028_1103, 0x0028_1203)] {
            build = build.us(descriptor, &[3, 0, 16]).bytes(data, b"OW", &[0, 0, 255, 255, 0, 128]);
        }
    }
    let bytes = build
        .text(0x0062_0001, b"CS", kind)
        .sequence(0x0062_0002, &[segment(1, "肝"), segment(2, "腫瘍")])
        .us(0x0062_000E, &[200])
        .sequence(0x5200_9230, frames)
        .bytes(0x7FE0_0010, b"OB", pixels)
        .file(EXPLICIT);
    let ObjectContent::Segmentation(found) = read(bytes).expect("reads") else { panic!("a segmentation") };
    *found
}

#[test]
fn segmentations_of_every_kind() {
    let span = |row, start, length, share| Span { row, start, length, share };
    // Nine bits a frame: the second begins within a byte.
    let bits: u32 = 0b0_0000_0110 | 0b1_1100_0001 << 9;
    let frames = [groups(Some(1), "1.2.1"), groups(Some(2), "1.2.2")];
    let binary = segmentation("BINARY", 1, "MONOCHROME2", &frames, &bits.to_le_bytes());
    assert_eq!(
        binary.segments.iter().map(|s| (s.label.as_str(), s.pixels)).collect::<Vec<_>>(),
        [("肝", 2), ("腫瘍", 4)]
    );
    assert_eq!(binary.segments[0].rgb, [0, 0, 0]);
    assert_eq!(binary.pieces[0].spans, [span(0, 1, 2, 255)]);
    assert_eq!(binary.pieces[1].spans, [span(0, 0, 1, 255), span(2, 0, 3, 255)]);
    assert_eq!(binary.pieces[1].sources[0].instance.as_str(), "1.2.2");
    assert!(binary.warnings.is_empty(), "{:?}", binary.warnings);

    let fractional = segmentation("FRACTIONAL", 8, "MONOCHROME2", &frames[..1], &[0, 100, 100, 0, 0, 200, 0, 0, 0]);
    assert_eq!(fractional.pieces[0].spans, [span(0, 1, 2, 128), span(1, 2, 1, 255)]);

    // Labels are stored values, whatever the palette makes of them.
    for photometric in ["MONOCHROME2", "PALETTE COLOR"] {
        let frame = [groups(None, "1.2.1")];
        let labels = segmentation("LABELMAP", 8, photometric, &frame, &[0, 1, 1, 2, 2, 0, 7, 0, 1]);
        assert_eq!(labels.segments.iter().map(|s| s.pixels).collect::<Vec<_>>(), [3, 2], "{photometric}");
        assert_eq!(labels.pieces[0].spans, [span(0, 1, 2, 255), span(2, 2, 1, 255)]);
        assert_eq!(labels.pieces[1].spans, [span(1, 0, 2, 255)]);
    }

    let lost = segmentation("BINARY", 1, "MONOCHROME2", &[groups(Some(9), "1.2.1")], &[0xFF, 1]);
    assert!(lost.warnings[0].to_string().contains("names no segment"), "{:?}", lost.warnings);
}

#[test]
fn structures_with_their_contours() {
    let contour = |kind: &str, data: &str| {
        new().sequence(0x3006_0016, &[to("1.2.1")]).text(0x3006_0042, b"CS", kind).text(0x3006_0050, b"DS", data)
    };
    let roi = new()
        .text(0x3006_002A, b"IS", "255\\128\\0")
        .sequence(
            0x3006_0040,
            &[
                contour("CLOSED_PLANAR", "1\\2\\3\\4\\5\\3\\1\\5\\3"),
                contour("POINT", "1\\2\\3"),
                contour("CLOSED_PLANAR", "1\\2"),
                contour("CLOSED_PLANAR", "1\\x\\3"),
            ],
        )
        .text(0x3006_0084, b"IS", "4");
    let stray = new().text(0x3006_0084, b"IS", "99");
    let bytes = new()
        .text(0x0008_0016, b"UI", "1.2.840.10008.5.1.4.1.1.481.3")
        .text(0x0008_0018, b"UI", "1.2.9")
        .text(0x3006_0002, b"SH", "plan 1")
        .sequence(
            0x3006_0020,
            &[new().text(0x3006_0022, b"IS", "4").text(0x3006_0024, b"UI", "1.9").text(0x3006_0026, b"LO", "Heart")],
        )
        .sequence(0x3006_0039, &[roi, stray])
        .file(EXPLICIT);
    let ObjectContent::StructureSet(set) = read(bytes).expect("reads") else { panic!("a structure set") };
    let heart = &set.structures[0];
    assert_eq!((heart.name.as_str(), heart.rgb, heart.reference.as_deref()), ("Heart", [255, 128, 0], Some("1.9")));
    assert_eq!(
        heart.contours.iter().map(|c| (c.closed, c.points_mm.len())).collect::<Vec<_>>(),
        [(true, 3), (false, 1)]
    );
    assert!(set.warnings[0].to_string().starts_with("3 contours"), "{:?}", set.warnings);
}

#[test]
fn an_encapsulated_document_is_only_told() {
    let bytes = new()
        .text(0x0008_0016, b"UI", "1.2.840.10008.5.1.4.1.1.104.1")
        .text(0x0042_0010, b"ST", "Report")
        .bytes(0x0042_0011, b"OB", b"%PDF-1.7 x y")
        .text(0x0042_0012, b"LO", "application/pdf")
        .raw(0x0042_0015, b"UL", 4, &11u32.to_le_bytes());
    let bytes = bytes.file(EXPLICIT);
    assert_eq!(encapsulated(&Header::from_bytes(bytes.clone()).expect("opens")), Some(&b"%PDF-1.7 x "[..]));
    let ObjectContent::Encapsulated(document) = read(bytes).expect("reads") else { panic!("a document") };
    assert_eq!((document.title.as_str(), document.mime.as_str(), document.bytes), ("Report", "application/pdf", 11));
}
