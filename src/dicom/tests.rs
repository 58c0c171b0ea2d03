//! Whole objects through the whole way: bytes → header → frame, sound and hostile.

use super::test_object::{As, BIG, Build, EXPLICIT, IMPLICIT};
use super::*;
use crate::imaging::{Modality, Padding, Photometric, Pixels};
use crate::study::FrameIndex;

const VALUES: [i16; 6] = [-1000, 0, 40, 1000, -2000, 3];

fn little(values: &[i16]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn grey() -> Build {
    Build::image(As::Explicit, 2, 3)
}

fn open(bytes: Vec<u8>) -> Object {
    Object::from_bytes(bytes).expect("opens")
}

fn first(bytes: Vec<u8>) -> Result<crate::imaging::Frame, DecodeError> {
    open(bytes).frame(FrameIndex(0))
}

#[test]
fn the_same_picture_in_every_native_coding() {
    let big: Vec<u8> = VALUES.iter().flat_map(|v| v.to_be_bytes()).collect();
    let files = [
        (As::Implicit, IMPLICIT, little(&VALUES)),
        (As::Explicit, EXPLICIT, little(&VALUES)),
        (As::BigEndian, BIG, big.clone()),
        // The meta group lies about the coding.
        (As::Explicit, BIG, little(&VALUES)),
        (As::Implicit, EXPLICIT, little(&VALUES)),
        (As::BigEndian, EXPLICIT, big),
    ];
    for (coding, syntax, pixels) in files {
        let build = Build::image(coding, 2, 3).bytes(0x7FE0_0010, b"OW", &pixels);
        for bytes in [build.clone().file(syntax), build.bytes] {
            let object = open(bytes);
            let study = project(object.header(), None).expect("identity");
            assert_eq!(study.patient.name.alphabetic, "Yamada^Tarou");
            let frame = object.frame(FrameIndex(0)).expect("decodes");
            assert_eq!(*frame.pixels, Pixels::I16(VALUES.to_vec()), "{coding:?} {syntax}");
            assert!(object.frame(FrameIndex(1)).is_err());
        }
    }
}

#[test]
fn a_bare_data_set_is_named_by_its_coding() {
    for (coding, syntax) in [(As::Implicit, IMPLICIT), (As::Explicit, EXPLICIT), (As::BigEndian, BIG)] {
        let bare = Build::image(coding, 2, 3).bytes(0x7FE0_0010, b"OW", &little(&VALUES));
        assert_eq!(open(bare.bytes).header().transfer_syntax(), syntax);
    }
    // Compressed pixels do not tell which codec made them.
    let unknown = grey().fragments(&[], &[&[1, 2]]);
    assert_eq!(open(unknown.bytes).header().transfer_syntax(), "");
}

#[test]
fn meaning_of_values() {
    let build = grey()
        .bytes(0x0028_0120, b"SS", &(-2000i16).to_le_bytes())
        .text(0x0028_1050, b"DS", "40\\x\\-600")
        .text(0x0028_1051, b"DS", "400\\100\\1500")
        .text(0x0028_1052, b"DS", "-1024")
        .text(0x0028_1053, b"DS", "2")
        .bytes(0x7FE0_0010, b"OW", &little(&VALUES));
    let frame = first(build.file(EXPLICIT)).expect("decodes");
    assert_eq!(frame.modality, Modality::Rescale { slope: 2.0, intercept: -1024.0 });
    assert_eq!((frame.unit.as_str(), frame.padding), ("HU", Some(Padding { low: -2000.0, high: -2000.0 })));
    assert_eq!(frame.modality_value(1, 1), None);
    let windows: Vec<_> = frame.voi.iter().map(|v| (v.center, v.width)).collect();
    assert_eq!(windows, [(40.0, 400.0), (-600.0, 1500.0)]);
}

#[test]
fn cut_pixel_data_show_what_is_sound() {
    let whole = grey().bytes(0x7FE0_0010, b"OW", &little(&VALUES)).file(EXPLICIT);
    let frame = first(whole[..whole.len() - 5].to_vec()).expect("partial");
    assert_eq!(frame.modality_value(2, 0), Some(40.0));
    assert_eq!(frame.modality_value(2, 1), None);
    assert_eq!(frame.warnings.len(), 1);
    // Fifty frames declared, one and a half there.
    let mut pixels = little(&VALUES);
    pixels.extend([1, 0, 2, 0]);
    let many = grey().text(0x0028_0008, b"IS", "50").bytes(0x7FE0_0010, b"OW", &pixels).file(EXPLICIT);
    let object = open(many);
    assert_eq!(object.frame_count(), Ok(2));
    assert_eq!(object.frame(FrameIndex(1)).expect("half").modality_value(1, 0), Some(2.0));
    assert!(matches!(object.frame(FrameIndex(2)), Err(DecodeError::NoSuchFrame { number: 3, held: 2 })));
}

#[test]
fn memory_bombs_are_refused_before_allocation() {
    let huge = Build::image(As::Explicit, 65535, 65535)
        .text(0x0028_0008, b"IS", "10000")
        .bytes(0x7FE0_0010, b"OW", &[0; 64])
        .file(EXPLICIT);
    assert!(matches!(first(huge), Err(DecodeError::TooLarge { rows: 65535, .. })));
    let long = grey().raw(0x7FE0_0010, b"OW", 0x7FFF_FFFE, &little(&VALUES)).file(EXPLICIT);
    assert_eq!(first(long).expect("what is there").pixels.len(), 6);
    let private = grey().raw(0x0029_1010, b"OB", 0xC000_0000, &[1, 2, 3]).file(EXPLICIT);
    assert!(open(private).header().is_cut());
    let mut nested = Build::new(As::Explicit);
    for _ in 0..5000 {
        nested.bytes.extend([0x40, 0x00, 0x30, 0xA7, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
        nested.bytes.extend([0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF]);
    }
    assert!(matches!(Object::from_bytes(nested.file(EXPLICIT)), Err(ReadError::Broken(_))));
}

#[test]
fn a_sequence_whose_file_is_cut_keeps_its_sound_elements() {
    let item = Build::new(As::Explicit).text(0x0008_1090, b"LO", "Zapper").text(0x0008_1010, b"SH", "unit");
    let mut value = vec![0xFE, 0xFF, 0x00, 0xE0];
    value.extend((item.bytes.len() as u32).to_le_bytes());
    value.extend(&item.bytes);
    let file = grey().raw(0x300A_00B0, b"SQ", value.len() as u32, &value).file(EXPLICIT);
    let header = Header::from_bytes(file[..file.len() - 6].to_vec()).expect("opens");
    assert!(header.is_cut());
    let kept = header.view().items(dicom_core::Tag(0x300A, 0x00B0)).next().expect("the item");
    assert_eq!(kept.text(dicom_core::Tag(0x0008, 0x1090)), "Zapper");
}

#[test]
fn no_cut_and_no_flipped_byte_panics() {
    let item = Build::new(As::Explicit).text(0x0008_0100, b"SH", "399368009");
    let sound =
        grey().sequence(0x0054_0220, &[item]).fragments(&[0], &[&[1, 2, 3, 4], &[5, 6]]).file("1.2.840.10008.1.2.5");
    let try_all = |bytes: Vec<u8>| {
        if let Ok(object) = Object::from_bytes(bytes) {
            let _ = project(object.header(), Some(1));
            let _ = object.frame(FrameIndex(0));
        }
    };
    for end in 0..sound.len() {
        try_all(sound[..end].to_vec());
    }
    for at in 128..sound.len() {
        for value in [0x00, 0x01, 0x7F, 0xFF] {
            let mut bytes = sound.clone();
            bytes[at] = value;
            try_all(bytes);
        }
    }
}

#[test]
fn colour_in_its_native_forms() {
    let rgb = vec![255, 0, 0, 0, 255, 0];
    let pixel = Build::colour("RGB", 0, 1, 2).bytes(0x7FE0_0010, b"OB", &rgb).file(EXPLICIT);
    assert_eq!(*first(pixel).expect("rgb").pixels, Pixels::Rgb8(rgb.clone()));
    let planes = Build::colour("RGB", 1, 1, 2).bytes(0x7FE0_0010, b"OB", &[255, 0, 0, 255, 0, 0]).file(EXPLICIT);
    assert_eq!(*first(planes).expect("planes").pixels, Pixels::Rgb8(rgb));
    let packed = Build::colour("YBR_FULL_422", 0, 1, 2).bytes(0x7FE0_0010, b"OB", &[76, 150, 128, 128]).file(EXPLICIT);
    let frame = first(packed).expect("4:2:2");
    assert_eq!(*frame.pixels, Pixels::Rgb8(vec![76, 76, 76, 150, 150, 150]));
    assert_eq!(frame.photometric, Photometric::Color);
    let table = |n: u8| (0..4u8).flat_map(|i| [0, i * n]).collect::<Vec<u8>>();
    let palette = Build::colour("PALETTE COLOR", 0, 1, 2)
        .us(0x0028_1101, &[4, 0, 16])
        .us(0x0028_1102, &[4, 0, 16])
        .us(0x0028_1103, &[4, 0, 16])
        .bytes(0x0028_1201, b"OW", &table(10))
        .bytes(0x0028_1202, b"OW", &table(20))
        .bytes(0x0028_1203, b"OW", &table(30))
        .bytes(0x7FE0_0010, b"OB", &[2, 9])
        .file(EXPLICIT);
    assert_eq!(*first(palette).expect("palette").pixels, Pixels::Rgb8(vec![20, 40, 60, 30, 60, 90]));
    let none = Build::colour("PALETTE COLOR", 0, 1, 2).bytes(0x7FE0_0010, b"OB", &[2, 9]).file(EXPLICIT);
    assert!(matches!(first(none), Err(DecodeError::Contradiction(_))));
}

/// The JPEG of `imaging` is YCbCr with a JFIF marker; what the object calls it must not matter.
#[test]
fn jpeg_colour_follows_the_codestream() {
    let rgb: Vec<u8> = [200u8, 30, 40].repeat(64);
    let jpeg = crate::imaging::encode_jpeg(&rgb, 8, 8, 95).expect("encodes");
    for photometric in ["YBR_FULL_422", "YBR_FULL", "RGB"] {
        let bytes = Build::colour(photometric, 0, 8, 8).fragments(&[], &[&jpeg]).file("1.2.840.10008.1.2.4.50");
        let Pixels::Rgb8(found) = &*first(bytes).expect("decodes").pixels else { panic!("no colour") };
        for (a, b) in found.iter().zip(&rgb) {
            assert!(a.abs_diff(*b) <= 3, "{photometric} {a} {b}");
        }
    }
    // Without any marker, and declared RGB, samples are RGB as they stand (dicom-rs would convert them).
    let start = jpeg.windows(2).position(|w| w == [0xFF, 0xE0]).expect("JFIF");
    let length = usize::from(u16::from_be_bytes([jpeg[start + 2], jpeg[start + 3]]));
    let bare = [&jpeg[..start], &jpeg[start + 2 + length..]].concat();
    let bytes = Build::colour("RGB", 0, 8, 8).fragments(&[], &[&bare]).file("1.2.840.10008.1.2.4.50");
    let Pixels::Rgb8(found) = &*first(bytes).expect("decodes").pixels else { panic!("no colour") };
    // The YCbCr of (200, 30, 40), shown as if it were RGB: that is what this object says it is.
    for (found, wanted) in found.iter().zip([82, 104, 212]) {
        assert!(found.abs_diff(wanted) <= 3, "{found} {wanted}");
    }
}

#[test]
fn a_codestream_that_contradicts_the_object_is_an_error() {
    let jpeg = crate::imaging::encode_jpeg(&[90; 192], 8, 8, 95).expect("encodes");
    let bytes = Build::colour("RGB", 0, 8, 9).fragments(&[], &[&jpeg]).file("1.2.840.10008.1.2.4.50");
    assert!(matches!(first(bytes), Err(DecodeError::Contradiction(_))));
    let bytes = Build::colour("RGB", 0, 8, 8).fragments(&[], &[&jpeg[..40]]).file("1.2.840.10008.1.2.4.50");
    assert!(matches!(first(bytes), Err(DecodeError::Damaged(_))));
    let bytes = Build::colour("RGB", 0, 8, 8).fragments(&[], &[&jpeg]).file("1.2.840.10008.1.2.4.102");
    assert!(matches!(first(bytes), Err(DecodeError::NotAnImage(_))));
}

/// Frames of several fragments each, no offset table: told apart by their codestreams' beginnings.
#[test]
fn several_fragments_a_frame() {
    let dark = crate::imaging::encode_jpeg(&[10; 192], 8, 8, 95).expect("encodes");
    let light = crate::imaging::encode_jpeg(&[240; 192], 8, 8, 95).expect("encodes");
    let cut = |jpeg: &[u8]| (jpeg[..100].to_vec(), jpeg[100..].to_vec());
    let ((a, b), (c, d)) = (cut(&dark), cut(&light));
    let bytes = Build::colour("YBR_FULL_422", 0, 8, 8)
        .text(0x0028_0008, b"IS", "2")
        .fragments(&[], &[&a, &b, &c, &d])
        .file("1.2.840.10008.1.2.4.50");
    let object = open(bytes);
    for (index, wanted) in [(0, 10u8), (1, 240)] {
        let Pixels::Rgb8(found) = &*object.frame(FrameIndex(index)).expect("decodes").pixels else {
            panic!("no colour")
        };
        assert!(found.iter().all(|v| v.abs_diff(wanted) <= 2), "frame {index}: {:?}", &found[..3]);
    }
}

#[test]
fn thirty_two_bits_big_endian() {
    let big = Build::image(As::BigEndian, 1, 1).bytes.clone();
    let mut build = Build::new(As::BigEndian);
    build.bytes = big;
    let build = build.us(0x0028_0104, &[0]).bytes(0x7FE0_0010, b"OW", &0x0001_0203u32.to_be_bytes());
    let mut bytes = build.file(BIG);
    // Bits Allocated 32, Bits Stored 32, High Bit 31.
    for (element, value) in [(0x0100u16, 32u16), (0x0101, 32), (0x0102, 31)] {
        let key = [&[0x00, 0x28][..], &element.to_be_bytes()].concat();
        let at = bytes.windows(4).position(|w| w == key).expect("attribute");
        bytes[at + 8..at + 10].copy_from_slice(&value.to_be_bytes());
    }
    assert_eq!(*first(bytes).expect("decodes").pixels, Pixels::I32(vec![0x0001_0203]));
}

#[test]
fn items_inherit_or_override_the_character_set() {
    let plain = Build::new(As::Explicit).bytes(0x0008_0104, b"LO", b"\x1b$B;3ED\x1b(B");
    let own = Build::new(As::Explicit).text(0x0008_0005, b"CS", "ISO_IR 192").text(0x0008_0104, b"LO", "山田");
    let build =
        Build::new(As::Explicit).text(0x0008_0005, b"CS", "\\ISO 2022 IR 87").sequence(0x0040_A730, &[plain, own]);
    let header = Header::from_bytes(build.file(EXPLICIT)).expect("opens");
    let names: Vec<String> =
        header.view().items(dicom_core::Tag(0x0040, 0xA730)).map(|i| i.text(dicom_core::Tag(0x0008, 0x0104))).collect();
    assert_eq!(names, ["山田", "山田"]);
}

#[test]
fn json_metadata_one_by_one() {
    let text = r#"[
      {"00080018": {"vr":"UI","Value":["1.2.3.4"]}, "0020000D": {"vr":"UI","Value":["1.2.3"]},
       "0020000E": {"vr":"UI","Value":["1.2.3.1"]}, "00280010": {"vr":"US","Value":[4]}, "00280011": {"vr":"US","Value":[5]},
       "00280030": {"vr":"DS","Value":[0.5, "0.25"]}, "7FE00010": {"vr":"OW","BulkDataURI":"http://x/1"},
       "00100010": {"vr":"PN","Value":[{"Alphabetic":"^","Ideographic":"山田^太郎","Phonetic":"やまだ"}]}},
      {"00080018": {"vr":"UI","Value":["1.2.3.5"]}},
      {"x": 1}
    ]"#;
    let mut results = Vec::new();
    assert_eq!(for_each_instance(text.as_bytes(), |r| results.push(r)).expect("JSON"), 3);
    let study = results.remove(0).expect("sound");
    assert_eq!(study.patient.name.display(), "山田\u{3000}太郎");
    assert_eq!(study.patient.name.alphabetic, "");
    let instance = &study.series[0].instances[0];
    assert_eq!((instance.rows, instance.columns, instance.frames), (4, 5, 1));
    assert_eq!(instance.not_an_image, None);
    assert_eq!(instance.frame_info[0].spacing_mm, Some([0.5, 0.25]));
    assert!(results.iter().all(Result::is_err));
    assert!(for_each_instance(&b"[{}"[..], |_| {}).is_err());
    // A header of a kilobyte cannot make the lists of what is shown endless.
    let many = text.replace(r#""00280010""#, r#""00280008": {"vr":"IS","Value":[400280102]}, "00280010""#);
    let mut declared = Vec::new();
    for_each_instance(many.as_bytes(), |r| declared.extend(r)).expect("JSON");
    let instance = &declared[0].series[0].instances[0];
    assert_eq!(instance.frames, 0);
    assert!(instance.not_an_image.as_deref().is_some_and(|why| why.contains("400280102")));
}

#[test]
fn trees_account_for_every_file() {
    let folder = tempfile::tempdir().expect("folder");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("writes");
    let sound = grey().bytes(0x7FE0_0010, b"OW", &little(&VALUES)).file(EXPLICIT);
    write("a.dcm", &sound);
    write("again.dcm", &sound);
    write("empty", b"");
    write("notes.txt", b"plain text");
    write("report.dcm", &Build::image(As::Explicit, 0, 0).file(EXPLICIT));
    let missing = folder.path().join("missing");
    let tree = open_tree(&[folder.path().to_owned(), missing], true);
    assert_eq!((tree.files_seen, tree.files_shown, tree.not_shown.len()), (6, 1, 5));
    assert_eq!(tree.studies.len(), 1);
    assert_eq!(tree.files["1.2.3.4"].file, LocalFile::from(folder.path().join("a.dcm")));
}
