//! Small DICOM objects, written by hand: the center must not be tested with its own writer.

use std::path::{Path, PathBuf};

fn element(tag: (u16, u16), vr: &str, value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    if !value.len().is_multiple_of(2) {
        value.push(if vr == "UI" { 0 } else { b' ' });
    }
    let mut out = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
    out.extend(vr.as_bytes());
    if matches!(vr, "OB" | "OW" | "SQ" | "UN" | "UT") {
        out.extend([0, 0]);
        out.extend((value.len() as u32).to_le_bytes());
    } else {
        out.extend((value.len() as u16).to_le_bytes());
    }
    out.extend(value);
    out
}

/// What an object is.
#[derive(Clone)]
pub struct Object<'a> {
    pub study: &'a str,
    pub series: &'a str,
    pub instance: &'a str,
    pub number: u16,
    pub patient: &'a str,
    pub date: &'a str,
    pub frames: u16,
}

impl Object<'_> {
    /// Samples of a frame (8 × 8, 16 bit), counted from 0.
    pub fn frame(&self, index: u16) -> Vec<u8> {
        (0..64u16).flat_map(|i| (i * 16 + self.number * 3 + index * 100).to_le_bytes()).collect()
    }

    pub fn bytes(&self) -> Vec<u8> {
        let class = b"1.2.840.10008.5.1.4.1.1.2";
        let meta = [
            element((2, 1), "OB", &[0, 1]),
            element((2, 2), "UI", class),
            element((2, 3), "UI", self.instance.as_bytes()),
            element((2, 0x10), "UI", b"1.2.840.10008.1.2.1"),
        ]
        .concat();
        let u16s = |v: u16| v.to_le_bytes();
        let pixels: Vec<u8> = (0..self.frames).flat_map(|f| self.frame(f)).collect();
        let body = [
            element((8, 5), "CS", b"\\ISO 2022 IR 87"),
            element((8, 0x16), "UI", class),
            element((8, 0x18), "UI", self.instance.as_bytes()),
            element((8, 0x20), "DA", self.date.as_bytes()),
            element((8, 0x50), "SH", b"A1"),
            element((8, 0x60), "CS", b"CT"),
            element((8, 0x1030), "LO", b"CHEST"),
            element((0x10, 0x10), "PN", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"),
            element((0x10, 0x20), "LO", self.patient.as_bytes()),
            element((0x10, 0x21), "LO", b"F1"),
            element((0x18, 0x15), "CS", b"CHEST"),
            element((0x20, 0xD), "UI", self.study.as_bytes()),
            element((0x20, 0xE), "UI", self.series.as_bytes()),
            element((0x20, 0x11), "IS", b"1"),
            element((0x20, 0x13), "IS", self.number.to_string().as_bytes()),
            element((0x28, 2), "US", &u16s(1)),
            element((0x28, 4), "CS", b"MONOCHROME2"),
            element((0x28, 8), "IS", self.frames.to_string().as_bytes()),
            element((0x28, 0x10), "US", &u16s(8)),
            element((0x28, 0x11), "US", &u16s(8)),
            element((0x28, 0x100), "US", &u16s(16)),
            element((0x28, 0x101), "US", &u16s(16)),
            element((0x28, 0x102), "US", &u16s(15)),
            element((0x28, 0x103), "US", &u16s(0)),
            element((0x7FE0, 0x10), "OW", &pixels),
        ]
        .concat();
        let length = element((2, 0), "UL", &(meta.len() as u32).to_le_bytes());
        [vec![0; 128], b"DICM".to_vec(), length, meta, body].concat()
    }
}

pub const STUDY: &str = "1.2.3.100";
pub const PRIOR: &str = "1.2.3.50";
pub const FOREIGN: &str = "1.2.3.900";

/// A study of three instances (one with two frames), a prior of one, and another patient's study; with what is no DICOM.
pub fn write_tree(folder: &Path) -> Vec<PathBuf> {
    let base = Object {
        study: STUDY,
        series: "1.2.3.100.1",
        instance: "",
        number: 1,
        patient: "0001",
        date: "20261119",
        frames: 1,
    };
    let objects = [
        Object { instance: "1.2.3.100.1.1", ..base.clone() },
        Object { instance: "1.2.3.100.1.2", number: 2, ..base.clone() },
        Object { series: "1.2.3.100.2", instance: "1.2.3.100.2.1", number: 3, frames: 2, ..base.clone() },
        Object { study: PRIOR, series: "1.2.3.50.1", instance: "1.2.3.50.1.1", date: "20251101", ..base.clone() },
        Object { study: FOREIGN, series: "1.2.3.900.1", instance: "1.2.3.900.1.1", patient: "0002", ..base },
    ];
    let mut paths = Vec::new();
    for object in objects {
        let path = folder.join(format!("{}.dcm", object.instance));
        std::fs::write(&path, object.bytes()).expect("write");
        paths.push(path);
    }
    std::fs::write(folder.join("notes.txt"), b"not DICOM").expect("write");
    paths
}
