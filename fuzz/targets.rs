//! What is done with hostile bytes, one function per target. The fuzzer calls them with bytes of its own making, and
//! `tests/fuzz_corpus.rs` with every kept find. Each must return: no panic, no hang, no memory beyond its budget.
#![allow(dead_code, reason = "each fuzz target uses one of these")]

use dokuei::center::dicomweb::Multipart;
use dokuei::dicom::{
    Header, Object, encapsulated, for_each_instance, header_from_json, open_tree, project, project_json, read_object,
    text_notes, to_dicom_json,
};
use dokuei::imaging::{auto_window, render_rgb};
use dokuei::study::{FrameIndex, display_sets};

/// What is done with an input.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus folder.
pub const ALL: [(&str, Target); 14] = [
    ("info", info),
    ("pixels", pixels),
    ("text", text),
    ("rle", rle),
    ("deflated", deflated),
    ("jpeg", jpeg),
    ("jpeg-ls", jpeg_ls),
    ("jpeg-2000", jpeg_2000),
    ("htj2k", htj2k),
    ("jpeg-xl", jpeg_xl),
    ("json", json),
    ("multipart", multipart),
    ("objects", objects),
    ("media", media),
];

/// The fuzzer ends at every panic, also at one that is caught. Jxl-oxide's are, by design (`dicom::codec`): not at those.
pub fn spare_caught_panics() {
    let end = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|at| at.file().contains("/jxl-")) {
            end(panic);
        }
    }));
}

/// A file → all that is known of it without its pixels.
pub fn info(data: &[u8]) {
    let Ok(header) = Header::from_bytes(data.to_vec()) else { return };
    describe(&header);
}

fn describe(header: &Header) {
    let _ = header.warnings();
    let _ = text_notes(header);
    let _ = to_dicom_json(header, &|path| Some(path.to_owned()));
    if let Ok(study) = project(header, Some(1)) {
        for series in &study.series {
            let frames: usize = display_sets(series).iter().map(|set| set.frames.len()).sum();
            let declared: usize =
                series.instances.iter().filter(|i| i.not_an_image.is_none()).map(|i| i.frames as usize).sum();
            assert!(frames <= declared, "a frame stands in two display sets");
        }
    }
}

/// A file → its first and last frames, windowed.
pub fn pixels(data: &[u8]) {
    let Ok(object) = Object::from_bytes(data.to_vec()) else { return };
    let Ok(count) = object.frame_count() else { return };
    for index in [0, 1, count.saturating_sub(1)] {
        if let Ok(frame) = object.frame(FrameIndex(index as u32)) {
            assert_eq!(frame.pixels.len() as u64, u64::from(frame.rows) * u64::from(frame.columns));
            if frame.pixels.len() <= 1 << 20 {
                let voi = frame.voi.first().copied().unwrap_or_else(|| auto_window(&frame));
                let _ = render_rgb(&frame, &voi, index == 1);
            }
        }
    }
}

/// A file → what an object without a picture says, and its document.
pub fn objects(data: &[u8]) {
    let Ok(header) = Header::from_bytes(data.to_vec()) else { return };
    let whole = || Object::from_bytes(data.to_vec());
    if let Ok(content) = read_object(&header, &whole) {
        let named = content.images().len();
        assert!(named <= data.len(), "more pictures are named than the object has bytes");
        let _ = content.warnings();
    }
    let _ = encapsulated(&header);
}

/// A medium of one file: a ZIP archive with its members, or, where it is none, the index of a folder.
pub fn media(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    std::fs::write(folder.path().join("DICOMDIR"), data).expect("room for a small file");
    let tree = open_tree(&[folder.path().to_owned()], true);
    assert_eq!(tree.files_seen, tree.files_shown + tree.not_shown.len(), "a file is neither shown nor listed");
}

/// A character set (up to the first zero byte) and a text in it, as a name, a line, and a text of several lines.
pub fn text(data: &[u8]) {
    let split = data.iter().position(|b| *b == 0).unwrap_or(0);
    let (set, value) = (&data[..split], data.get(split + 1..).unwrap_or_default());
    let mut body = element(0x0008, 0x0005, *b"CS", set);
    body.extend(element(0x0010, 0x0010, *b"PN", value));
    body.extend(element(0x0010, 0x0020, *b"LO", value));
    body.extend(element(0x0010, 0x4000, *b"LT", value));
    let header = Header::from_bytes(part10(b"1.2.840.10008.1.2.1", &body)).expect("a sound object");
    describe(&header);
}

/// RLE: coding and shape in five bytes, then the codestream of one frame.
pub fn rle(data: &[u8]) {
    codec(data, &["5"]);
}

/// Deflated frames, and uncompressed ones encapsulated: coding and shape in five bytes, then the codestream of one frame.
pub fn deflated(data: &[u8]) {
    codec(data, &["8.1", "1.98"]);
}

/// JPEG of all processes, also one that is only listed: coding and shape in five bytes, then the codestream of one frame.
pub fn jpeg(data: &[u8]) {
    codec(data, &["4.50", "4.51", "4.53", "4.57", "4.70"]);
}

/// JPEG-LS: coding and shape in five bytes, then the codestream of one frame.
pub fn jpeg_ls(data: &[u8]) {
    codec(data, &["4.80", "4.81"]);
}

/// JPEG 2000: coding and shape in five bytes, then the codestream of one frame.
pub fn jpeg_2000(data: &[u8]) {
    codec(data, &["4.90", "4.91", "4.92", "4.93"]);
}

/// High-throughput JPEG 2000: coding and shape in five bytes, then the codestream of one frame.
pub fn htj2k(data: &[u8]) {
    codec(data, &["4.201", "4.202", "4.203"]);
}

/// JPEG XL: coding and shape in five bytes, then the codestream of one frame.
pub fn jpeg_xl(data: &[u8]) {
    codec(data, &["4.110", "4.111", "4.112"]);
}

/// One frame in one of these codings; the last parts of the transfer syntaxes' identifiers.
fn codec(data: &[u8], codings: &[&str]) {
    let Some((&[coding, depth, colour, rows, columns], stream)) = data.split_first_chunk::<5>() else { return };
    let syntax = format!("1.2.840.10008.1.2.{}", codings[usize::from(coding) % codings.len()]);
    let allocated: u16 = [8, 16, 16, 32][usize::from(depth & 3)];
    let stored = (u16::from(depth >> 3) % allocated) + 1;
    let samples: u16 = if colour & 1 == 1 { 3 } else { 1 };
    let photometric: &[u8] = match (samples, colour >> 1 & 3) {
        (1, 0) => b"MONOCHROME1 ",
        (1, _) => b"MONOCHROME2 ",
        (_, 0) => b"RGB ",
        (_, 1) => b"YBR_FULL",
        (_, 2) => b"YBR_FULL_422",
        _ => b"YBR_RCT ",
    };
    let short = |v: u16| v.to_le_bytes();
    let mut body = element(0x0028, 0x0002, *b"US", &short(samples));
    body.extend(element(0x0028, 0x0004, *b"CS", photometric));
    body.extend(element(0x0028, 0x0006, *b"US", &short(u16::from(colour >> 3 & 1))));
    body.extend(element(0x0028, 0x0010, *b"US", &short(u16::from(rows) + 1)));
    body.extend(element(0x0028, 0x0011, *b"US", &short(u16::from(columns) + 1)));
    body.extend(element(0x0028, 0x0100, *b"US", &short(allocated)));
    body.extend(element(0x0028, 0x0101, *b"US", &short(stored)));
    body.extend(element(0x0028, 0x0102, *b"US", &short(stored - 1)));
    body.extend(element(0x0028, 0x0103, *b"US", &short(u16::from(depth >> 2 & 1))));
    body.extend([0xE0, 0x7F, 0x10, 0x00, b'O', b'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    body.extend([0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0]);
    let even = stream.len() + stream.len() % 2;
    body.extend([0xFE, 0xFF, 0x00, 0xE0]);
    body.extend((even as u32).to_le_bytes());
    body.extend(stream);
    body.resize(body.len() + even - stream.len(), 0);
    body.extend([0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
    pixels(&part10(syntax.as_bytes(), &body));
}

/// DICOM JSON of one instance, or an array of them.
pub fn json(data: &[u8]) {
    let _ = for_each_instance(data, drop);
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(data) else { return };
    let _ = project_json(&value);
    if let Ok(header) = header_from_json(&value) {
        describe(&header);
    }
}

/// A multipart answer, arriving in pieces whose length the first byte says.
pub fn multipart(data: &[u8]) {
    let Some((&step, body)) = data.split_first() else { return };
    let Ok(mut reader) = Multipart::new("boundary", 1 << 16) else { return };
    let mut held = 0;
    for piece in body.chunks(usize::from(step).max(1)) {
        reader.push(piece);
        while let Ok(Some(part)) = reader.next_part() {
            held += part.len();
        }
    }
    assert!(held <= body.len(), "more came out than went in");
}

fn element(group: u16, number: u16, vr: [u8; 2], value: &[u8]) -> Vec<u8> {
    let value = &value[..value.len().min(65_000)];
    let even = value.len() + value.len() % 2;
    let mut out = [group.to_le_bytes(), number.to_le_bytes()].concat();
    out.extend(vr);
    out.extend((even as u16).to_le_bytes());
    out.extend(value);
    out.resize(out.len() + even - value.len(), b' ');
    out
}

fn part10(syntax: &[u8], body: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 128];
    out.extend(b"DICM");
    out.extend(element(0x0002, 0x0010, *b"UI", syntax));
    out.extend(body);
    out
}
