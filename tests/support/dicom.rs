//! Small DICOM files made for tests: explicit VR little endian, one grey picture each.

use std::fs;
use std::path::{Path, PathBuf};

/// One element with an even length.
pub fn element(out: &mut Vec<u8>, group: u16, number: u16, vr: &str, value: &[u8]) {
    out.extend_from_slice(&group.to_le_bytes());
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(vr.as_bytes());
    let odd = value.len() % 2;
    let length = value.len() + odd;
    if matches!(vr, "OB" | "OW" | "UN" | "SQ" | "UT") {
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&u32::try_from(length).expect("short").to_le_bytes());
    } else {
        out.extend_from_slice(&u16::try_from(length).expect("short").to_le_bytes());
    }
    out.extend_from_slice(value);
    if odd == 1 {
        out.push(if vr == "UI" || vr == "OB" { 0 } else { b' ' });
    }
}

/// One CT slice: `edge` × `edge` pixels, every pixel `number`.
pub fn slice(study: &str, series: u32, number: u16, edge: u16) -> Vec<u8> {
    let instance = format!("{study}.{series}.{number}");
    let class = b"1.2.840.10008.5.1.4.1.1.2";
    let mut meta = Vec::new();
    element(&mut meta, 2, 1, "OB", &[0, 1]);
    element(&mut meta, 2, 2, "UI", class);
    element(&mut meta, 2, 3, "UI", instance.as_bytes());
    element(&mut meta, 2, 0x10, "UI", b"1.2.840.10008.1.2.1");
    element(&mut meta, 2, 0x12, "UI", b"1.2.3.4");
    let mut out = vec![0; 128];
    out.extend_from_slice(b"DICM");
    element(&mut out, 2, 0, "UL", &u32::try_from(meta.len()).expect("short").to_le_bytes());
    out.extend_from_slice(&meta);
    let text = |out: &mut Vec<u8>, group, number, vr, value: &str| element(out, group, number, vr, value.as_bytes());
    text(&mut out, 8, 5, "CS", "ISO_IR 192");
    text(&mut out, 8, 8, "CS", "ORIGINAL\\PRIMARY\\AXIAL");
    element(&mut out, 8, 0x16, "UI", class);
    text(&mut out, 8, 0x18, "UI", &instance);
    text(&mut out, 8, 0x20, "DA", "20260401");
    text(&mut out, 8, 0x30, "TM", "101500");
    text(&mut out, 8, 0x50, "SH", "A-1");
    text(&mut out, 8, 0x60, "CS", "CT");
    text(&mut out, 8, 0x80, "LO", "試験病院");
    text(&mut out, 8, 0x1030, "LO", "胸部CT");
    text(&mut out, 8, 0x103e, "LO", &format!("axial {series}"));
    text(&mut out, 0x10, 0x10, "PN", "Yamada^Tarou=山田^太郎=やまだ^たろう");
    text(&mut out, 0x10, 0x20, "LO", &format!("P-{study}"));
    text(&mut out, 0x10, 0x30, "DA", "19600102");
    text(&mut out, 0x10, 0x40, "CS", "M");
    text(&mut out, 0x18, 0x15, "CS", "CHEST");
    text(&mut out, 0x20, 0xd, "UI", study);
    text(&mut out, 0x20, 0xe, "UI", &format!("{study}.{series}"));
    text(&mut out, 0x20, 0x10, "SH", "1");
    text(&mut out, 0x20, 0x11, "IS", &series.to_string());
    text(&mut out, 0x20, 0x13, "IS", &number.to_string());
    text(&mut out, 0x20, 0x32, "DS", &format!("0\\0\\{}", f32::from(number) * 2.0));
    text(&mut out, 0x20, 0x37, "DS", "1\\0\\0\\0\\1\\0");
    text(&mut out, 0x20, 0x52, "UI", &format!("{study}.9"));
    element(&mut out, 0x28, 2, "US", &1u16.to_le_bytes());
    text(&mut out, 0x28, 4, "CS", "MONOCHROME2");
    element(&mut out, 0x28, 0x10, "US", &edge.to_le_bytes());
    element(&mut out, 0x28, 0x11, "US", &edge.to_le_bytes());
    text(&mut out, 0x28, 0x30, "DS", "0.5\\0.5");
    element(&mut out, 0x28, 0x100, "US", &16u16.to_le_bytes());
    element(&mut out, 0x28, 0x101, "US", &16u16.to_le_bytes());
    element(&mut out, 0x28, 0x102, "US", &15u16.to_le_bytes());
    element(&mut out, 0x28, 0x103, "US", &0u16.to_le_bytes());
    text(&mut out, 0x28, 0x1050, "DS", "40");
    text(&mut out, 0x28, 0x1051, "DS", "400");
    text(&mut out, 0x28, 0x1052, "DS", "-1024");
    text(&mut out, 0x28, 0x1053, "DS", "1");
    let pixels: Vec<u8> = (0..usize::from(edge) * usize::from(edge)).flat_map(|_| number.to_le_bytes()).collect();
    element(&mut out, 0x7fe0, 0x10, "OW", &pixels);
    out
}

/// Writes a study of `series` series with `slices` slices each; gives the files' folder.
pub fn write_study(folder: &Path, study: &str, series: u32, slices: u16, edge: u16) -> PathBuf {
    let folder = folder.join(study);
    fs::create_dir_all(&folder).expect("folder");
    for s in 1..=series {
        for n in 1..=slices {
            fs::write(folder.join(format!("{s}-{n}.dcm")), slice(study, s, n, edge)).expect("file");
        }
    }
    folder
}
