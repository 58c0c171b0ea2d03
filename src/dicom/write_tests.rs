//! Tests of the writer: bytes of the standard's examples, refusals, and reading back.

use std::fs;

use super::write::*;

fn small(charset: Charset) -> Dataset {
    let mut set = Dataset::new(charset);
    set.text(tags::SOP_CLASS_UID, uids::SECONDARY_CAPTURE_IMAGE_STORAGE)
        .text(tags::SOP_INSTANCE_UID, &uid_from_name("a"));
    set
}

#[test]
fn standard_annex_h_example_byte_for_byte() {
    let bytes = Charset::Iso2022Jp.encode("Yamada^Tarou=山田^太郎=やまだ^たろう").expect("in JIS X 0208");
    let wanted = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B";
    assert_eq!(bytes, wanted);
}

#[test]
fn characters_outside_jis_x_0208_are_refused() {
    for text in ["髙橋", "㈱", "﨑", "ﾔﾏﾀﾞ", "𠮷", "é"] {
        assert_eq!(Charset::Iso2022Jp.encode(text), None, "{text}");
        let mut set = small(Charset::Iso2022Jp);
        set.text(tags::PATIENT_NAME, text);
        assert!(matches!(set.to_bytes(), Err(Error::Unrepresentable { .. })), "{text}");
        let mut set = small(Charset::Utf8);
        set.text(tags::PATIENT_NAME, text);
        assert!(set.to_bytes().is_ok());
    }
}

#[test]
fn kanji_with_a_backslash_half_stay_whole() {
    // 本 is 4B 5C: the second byte is a backslash in ASCII.
    let bytes = Charset::Iso2022Jp.encode("Honda^Keiko=本田^恵子").expect("in JIS X 0208");
    assert!(bytes.windows(2).any(|w| w == [0x4b, 0x5c]));
    let mut set = small(Charset::Iso2022Jp);
    set.text(tags::PATIENT_NAME, "Honda^Keiko=本田^恵子");
    let file = set.to_bytes().expect("valid");
    assert!(file.windows(bytes.len()).any(|w| w == bytes));
}

#[test]
fn file_reads_back() {
    let mut inner = Dataset::item(Charset::Utf8);
    inner.text(tags::LONG_CODE_VALUE, "x");
    let mut set = small(Charset::Utf8);
    set.text(tags::PATIENT_NAME, "A^B=山田^太郎")
        .decimal(tags::PIXEL_SPACING, &[0.123_456_789_012_345_68, -1e-9])
        .code(tags::VIEW_CODE_SEQUENCE, "399162004", "SCT", "cranio-caudal");
    set.unsigned(tags::ROWS, &[1]).unsigned(tags::COLUMNS, &[3]).pixels_u8(vec![1, 2, 3]);
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a/b.dcm");
    set.write(&path).expect("written");
    let read = dicom_object::open_file(&path).expect("reads");
    assert_eq!(read.element(tags::PATIENT_NAME).expect("name").to_str().expect("text"), "A^B=山田^太郎");
    let spacing: Vec<f64> = read.element(tags::PIXEL_SPACING).expect("spacing").to_multi_float64().expect("numbers");
    assert!((spacing[0] - 0.123_456_789_012_345_68).abs() < 1e-12 && (spacing[1] + 1e-9).abs() < 1e-15);
    assert_eq!(read.element(tags::PIXEL_DATA).expect("pixels").to_bytes().expect("bytes").as_ref(), [1, 2, 3, 0]);
    assert_eq!(read.meta().media_storage_sop_instance_uid(), uid_from_name("a"));
    assert_eq!(fs::read_dir(folder.path().join("a")).expect("folder").count(), 1, "no temporary file is left");
}

#[test]
fn mistakes_are_told_and_leave_no_file() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("x.dcm");
    let mut long = small(Charset::Utf8);
    long.text(tags::ACCESSION_NUMBER, "12345678901234567");
    assert!(matches!(long.write(&path), Err(Error::Value { .. })));
    let mut lower = small(Charset::Utf8);
    lower.text(tags::MODALITY, "ct");
    assert!(matches!(lower.write(&path), Err(Error::Value { .. })));
    assert!(matches!(Dataset::new(Charset::Utf8).write(&path), Err(Error::Missing(_))));
    assert!(!path.exists());
}

#[test]
fn uids_are_stable_short_and_distinct() {
    assert_eq!(uid_from_name("study"), uid_from_name("study"));
    assert_ne!(uid_from_name("study"), uid_from_name("series"));
    for name in 0..200 {
        let uid = uid_from_name(&name.to_string());
        assert!(uid.len() <= 44 && uid.starts_with("2.25.") && !uid.starts_with("2.25.0"), "{uid}");
    }
}

#[test]
fn decimal_strings_fit() {
    for v in [0.0, 1.0 / 3.0, -1.0 / 3.0, 1e-7 / 3.0, -123456.789012345, 1e20 / 3.0, 0.703125, -1e-300] {
        let text = decimal_string(v);
        assert!(text.len() <= 16, "{text}");
        let back: f64 = text.parse().expect("a number");
        assert!((back - v).abs() <= v.abs() * 1e-6, "{v} {text}");
    }
}
