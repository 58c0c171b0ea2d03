use super::turbojpeg::How;
use super::*;

const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
const LOSSLESS: &str = "1.2.840.10008.1.2.4.70";
const BASELINE: &str = "1.2.840.10008.1.2.4.50";

fn grey(syntax: &'static str, rows: u32, columns: u32) -> Declared<'static> {
    Declared { syntax, rows, columns, samples: 1, allocated: 16, photometric: "MONOCHROME2" }
}

fn ramp(columns: u16, rows: u16) -> Vec<u16> {
    (0..rows).flat_map(|y| (0..columns).map(move |x| (x * 7 + y * 31 + x * y) & 0x0FFF)).collect()
}

/// Encodes with the CharLS that dicom-rs ships: planes of 16 bits.
fn jpeg_ls(values: &[u16], columns: u32) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|v| v.to_ne_bytes()).collect();
    let info = ::charls::FrameInfo {
        width: columns,
        height: values.len() as u32 / columns,
        bits_per_sample: 16,
        component_count: 1,
    };
    ::charls::CharLS::default().encode(info, 0, &raw).expect("encodes")
}

#[test]
fn jpeg_ls_is_exact_and_never_hangs_on_damage() {
    let values: Vec<u16> = (0..32 * 32u32).map(|i| (i.wrapping_mul(i).wrapping_mul(7919) % 65521) as u16).collect();
    let stream = jpeg_ls(&values, 32);
    let out = decompress(&stream, &grey(JPEG_LS, 32, 32)).expect("decodes");
    assert_eq!((out.samples, out.warnings.len()), (Samples::Words(values.clone()), 0));
    let scan = stream.windows(2).position(|w| w == [0xFF, 0xDA]).expect("scan") + 10;
    let mut partial = 0;
    for end in (0..stream.len() - 4).step_by(7) {
        match decompress(&stream[..end], &grey(JPEG_LS, 32, 32)) {
            Ok(out) => {
                let Samples::Words(found) = out.samples else { panic!("16 bits") };
                assert!(end > scan && found.len() < values.len() && values.starts_with(&found), "cut at {end}");
                assert_eq!(out.warnings.len(), 1);
                partial = partial.max(found.len());
            }
            Err(_) => assert!(end < stream.len() / 2, "cut at {end}"),
        }
    }
    assert!(partial > 512, "only {partial} values before a late cut");
    // Noise in place of the scan, without a marker at the end: CharLS alone would run for minutes.
    for (seed, tail) in [(1u8, 40usize), (7, 200), (91, 900)] {
        let mut noisy = stream[..scan].to_vec();
        noisy.extend((0..tail).map(|i| (i as u8).wrapping_mul(seed) & 0x7F));
        noisy.extend([0; 64]);
        let _ = decompress(&noisy, &grey(JPEG_LS, 32, 32));
    }
    let other = decompress(&stream, &grey(JPEG_LS, 32, 31));
    assert!(matches!(other, Err(CodecError::Contradiction { .. })));
}

/// Fault of dicom-rs 0.10: planes one after another came back as if they were interleaved.
#[test]
fn planar_jpeg_ls_becomes_pixels() {
    let rgb: Vec<u8> = (0..5 * 4 * 3).map(|i| (i * 4) as u8).collect();
    let planes: Vec<u8> = (0..3).flat_map(|c| rgb.iter().skip(c).step_by(3).copied()).collect();
    let info = ::charls::FrameInfo { width: 5, height: 4, bits_per_sample: 8, component_count: 3 };
    let stream = ::charls::CharLS::default().encode(info, 0, &planes).expect("encodes");
    let declared = Declared { syntax: JPEG_LS, rows: 4, columns: 5, samples: 3, allocated: 8, photometric: "RGB" };
    let out = decompress(&stream, &declared).expect("decodes");
    assert!(out.codestream.is_some_and(|c| c.planar));
    assert_eq!((out.samples, out.photometric), (Samples::Bytes(rgb), Some("RGB")));
}

#[test]
fn a_truncated_jpeg_gives_its_sound_lines_only() {
    let values = ramp(64, 64);
    let whole = turbojpeg::encode(&values, 64, 1, 12, How::Predictor(1));
    let out = decompress(&whole[..whole.len() * 2 / 3], &grey(LOSSLESS, 64, 64)).expect("decodes in part");
    let Samples::Words(found) = out.samples else { panic!("12 bits") };
    assert!(found.len() > 20 * 64 && found.len() < 60 * 64 && values.starts_with(&found), "{}", found.len());
    assert_eq!(out.warnings.len(), 1);
    let values: Vec<u16> = values.iter().map(|v| v >> 4).collect();
    let lossy = turbojpeg::encode(&values, 64, 1, 8, How::Quality(98));
    let Samples::Bytes(wanted) = decompress(&lossy, &grey(BASELINE, 64, 64)).expect("decodes").samples else {
        panic!("8 bits")
    };
    let out = decompress(&lossy[..lossy.len() * 2 / 3], &grey(BASELINE, 64, 64)).expect("decodes in part");
    let Samples::Bytes(found) = out.samples else { panic!("8 bits") };
    assert!(found.len() >= 16 * 64 && found.len() < 64 * 64 && wanted.starts_with(&found), "{}", found.len());
}

#[test]
fn what_the_frame_is_counts_not_what_the_syntax_says() {
    let values = ramp(16, 16);
    let stream = turbojpeg::encode(&values, 16, 1, 12, How::Predictor(4));
    let out = decompress(&stream, &grey(JPEG_LS, 16, 16)).expect("decodes");
    assert_eq!(out.samples, Samples::Words(values));
    let said: Vec<String> = out.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["the transfer syntax says JPEG-LS, the compressed frame is JPEG"]);
    let unknown = decompress(&stream, &grey("1.2.840.10008.1.2.4.102", 16, 16));
    assert!(matches!(unknown, Err(CodecError::Unsupported(_))));
}

#[test]
fn colour_follows_marker_then_object() {
    let rgb: Vec<u16> = [200u16, 30, 40].repeat(64);
    // TurboJPEG writes YCbCr with a JFIF marker.
    let stream = turbojpeg::encode(&rgb, 8, 3, 8, How::Quality(98));
    let colour =
        |photometric| Declared { syntax: BASELINE, rows: 8, columns: 8, samples: 3, allocated: 8, photometric };
    let near = |out: Decompressed, wanted: [u8; 3]| {
        assert_eq!(out.photometric, Some("RGB"));
        let Samples::Bytes(found) = out.samples else { panic!("8 bits") };
        assert!(found.iter().zip(wanted.repeat(64)).all(|(a, b)| a.abs_diff(b) <= 3), "{:?}", &found[..3]);
    };
    for photometric in ["YBR_FULL_422", "RGB"] {
        near(decompress(&stream, &colour(photometric)).expect("decodes"), [200, 30, 40]);
    }
    // The same data said to be RGB by an Adobe marker, or by the object where no marker speaks.
    let plain = codestream::with_transform(&stream, 0);
    near(decompress(&plain, &colour("YBR_FULL")).expect("decodes"), [82, 104, 212]);
    let start = plain.windows(5).position(|w| w == b"Adobe").expect("marker") - 4;
    let bare = [&plain[..start], &plain[start + 16..]].concat();
    near(decompress(&bare, &colour("RGB")).expect("decodes"), [82, 104, 212]);
    near(decompress(&bare, &colour("YBR_FULL_422")).expect("decodes"), [200, 30, 40]);
}

#[test]
fn lossless_colour_is_never_converted() {
    let rgb: Vec<u16> = (0..192).map(|i| (i * 5) & 0xFF).collect();
    let stream = turbojpeg::encode(&rgb, 8, 3, 8, How::Predictor(1));
    let wanted: Vec<u8> = rgb.iter().map(|v| *v as u8).collect();
    for (photometric, space) in [("RGB", "RGB"), ("YBR_FULL", "YBR_FULL")] {
        for frame in [stream.clone(), codestream::with_transform(&stream, 1)] {
            let declared = Declared { syntax: LOSSLESS, rows: 8, columns: 8, samples: 3, allocated: 8, photometric };
            let out = decompress(&frame, &declared).expect("decodes");
            assert_eq!((out.samples, out.photometric), (Samples::Bytes(wanted.clone()), Some(space)));
        }
    }
}

/// Every syntax has its back end, and what has none is not claimed.
#[test]
fn the_table_of_back_ends() {
    for tail in ["50", "51", "57", "70", "80", "81", "90", "91", "201", "202", "203", "110", "111", "112"] {
        assert!(supported(&format!("{JPEG_FAMILY}{tail}")), "{tail}");
    }
    for tail in ["94", "100", "102", "106", "107", "108", "58", "204"] {
        assert!(!supported(&format!("{JPEG_FAMILY}{tail}")), "{tail}");
    }
}

/// OpenJPEG is built with its assertions, which would end the program: no altered frame reaches one.
#[test]
fn altered_jpeg_2000_ends_no_process() {
    const ALTERED: u32 = 3000;
    let plane = |step: i32| (0..33 * 29).map(|k| (k * step + k / 33 * 11) & 0xFF).collect::<Vec<i32>>();
    let streams = [
        (openjpeg::encode(&[plane(7)], 33, 8, false), 33, 29, 1),
        (openjpeg::encode(&[plane(7), plane(5), plane(3)], 33, 8, false), 33, 29, 3),
        (crate::dicom::fault_tests::HTJ2K_16.to_vec(), 12, 8, 1),
    ];
    let mut state = 0x2545_F491u32;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % below
    };
    let mut decoded = 0;
    for n in 0..ALTERED {
        let (stream, columns, rows, samples) = &streams[n as usize % streams.len()];
        let mut altered = stream.clone();
        let scan = stream.windows(2).position(|w| w == [0xFF, 0x93]).expect("a tile");
        // Headers and packets alike, one to eight bytes, sometimes cut as well.
        let from = if next(2) == 0 { 0 } else { scan };
        for _ in 0..=next(8) {
            altered[from + next(stream.len() - from)] = next(256) as u8;
        }
        if next(8) == 0 {
            altered.truncate(next(stream.len()));
        }
        let syntax = "1.2.840.10008.1.2.4.201";
        let (rows, columns, photometric) = (*rows, *columns, "RGB");
        let declared = Declared { syntax, rows, columns, samples: *samples, allocated: 8, photometric };
        decoded += u32::from(decompress(&altered, &declared).is_ok());
    }
    assert!(decoded > ALTERED / 10, "only {decoded} of {ALTERED} got as far as the decoder's end");
}

/// 4 × 3 values by libjxl (imagecodecs 2026.3.6, lossless): k × 341.
#[test]
fn jpeg_xl_lossless_is_exact() {
    let stream = JXL_16.as_slice();
    let declared = grey("1.2.840.10008.1.2.4.110", 3, 4);
    let out = decompress(stream, &declared).expect("decodes");
    let wanted: Vec<u16> = (0..12).map(|k| k * 341).collect();
    assert_eq!((out.samples, out.codestream.map(|c| c.precision)), (Samples::Words(wanted), Some(16)));
    assert!(matches!(
        decompress(stream, &grey("1.2.840.10008.1.2.4.110", 4, 4)),
        Err(CodecError::Contradiction { .. })
    ));
    for end in 0..stream.len() {
        let _ = decompress(&stream[..end], &declared);
    }
}

const JXL_16: [u8; 93] = [
    0x00, 0x00, 0x00, 0x0C, 0x4A, 0x58, 0x4C, 0x20, 0x0D, 0x0A, 0x87, 0x0A, 0x00, 0x00, 0x00, 0x14, 0x66, 0x74, 0x79,
    0x70, 0x6A, 0x78, 0x6C, 0x20, 0x00, 0x00, 0x00, 0x00, 0x6A, 0x78, 0x6C, 0x20, 0x00, 0x00, 0x00, 0x09, 0x6A, 0x78,
    0x6C, 0x6C, 0x0A, 0x00, 0x00, 0x00, 0x34, 0x6A, 0x78, 0x6C, 0x63, 0xFF, 0x0A, 0x10, 0x30, 0xFC, 0x00, 0x45, 0x8B,
    0x08, 0x04, 0x01, 0x00, 0x78, 0x00, 0x4B, 0x18, 0x8B, 0x15, 0x52, 0x6C, 0x08, 0xB8, 0x0D, 0xFD, 0x4E, 0xF9, 0x25,
    0x64, 0x74, 0x47, 0x23, 0x54, 0x54, 0xD4, 0x0F, 0xEB, 0xBC, 0x4B, 0xC3, 0xFB, 0x3B, 0xC7, 0x27, 0x02,
];
