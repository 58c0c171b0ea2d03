//! The faults that dicom-rs 0.10.1 was seen to have, each with the right picture; and dicom-pixeldata as a second
//! opinion: it must give the same samples, or have the fault that is named here.

use super::codec::openjpeg::encode as jpeg_2000;
use super::codec::turbojpeg::{How, encode as jpeg};
use super::codestream;
use super::image::{DEFLATED_FRAMES, ENCAPSULATED_UNCOMPRESSED, is_encapsulated};
use super::test_object::{As, BIG, Build, EXPLICIT, IMPLICIT};
use super::*;
use crate::imaging::Pixels;
use crate::study::FrameIndex;
use dicom_encoding::transfer_syntax::TransferSyntaxIndex;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use dicom_pixeldata::PixelDecoder;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;

const RLE: &str = "1.2.840.10008.1.2.5";
const BASELINE: &str = "1.2.840.10008.1.2.4.50";
const EXTENDED: &str = "1.2.840.10008.1.2.4.51";
const LOSSLESS: &str = "1.2.840.10008.1.2.4.70";
const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
const JPEG_2000: &str = "1.2.840.10008.1.2.4.90";
const HTJ2K: &str = "1.2.840.10008.1.2.4.201";
const ROWS: u16 = 8;
const COLUMNS: u16 = 12;
const SIZE: [u16; 2] = [ROWS, COLUMNS];

/// What dicom-pixeldata makes of the same object.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Second {
    /// The same samples.
    Agrees,
    /// Other samples or an error: the fault of this number in the list of `docs/decisions/004-codecs.md`.
    Fault(u8),
}

struct Case {
    name: &'static str,
    syntax: &'static str,
    build: Build,
    frames: Vec<Pixels>,
    /// Most difference of a sample (lossy coding).
    within: i64,
    second: Second,
}

/// Samples over the whole range of `bits`, its ends included, different in each frame.
fn values(bits: u32, frame: usize) -> Vec<u32> {
    let most = u32::MAX >> (32 - bits);
    let count = u32::from(ROWS) * u32::from(COLUMNS);
    let mut out: Vec<u32> = (0..count).map(|k| (k.wrapping_mul(0x9E37_79B9) >> 7).wrapping_add(k) & most).collect();
    out[0] = 0;
    out[1] = most;
    out[2] = frame as u32 & most;
    out
}

fn words(bits: u32, frame: usize) -> Vec<u16> {
    values(bits, frame).into_iter().map(|v| v as u16).collect()
}

fn little(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn smooth() -> Vec<u16> {
    (0..ROWS).flat_map(|y| (0..COLUMNS).map(move |x| x * 17 + y * 29 + 1000)).collect()
}

fn rgb() -> Vec<u8> {
    values(24, 0).iter().flat_map(|v| [*v as u8, (v >> 8) as u8, (v >> 16) as u8]).collect()
}

/// Segments of bytes, most significant first, as literal runs (PS3.5 annex G).
fn run_length(segments: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![0u8; 64];
    out[0] = segments.len() as u8;
    for (n, segment) in segments.iter().enumerate() {
        let at = out.len() as u32;
        out[4 + 4 * n..8 + 4 * n].copy_from_slice(&at.to_le_bytes());
        for run in segment.chunks(128) {
            out.push(run.len() as u8 - 1);
            out.extend(run);
        }
        out.resize(out.len().next_multiple_of(2), 0x80);
    }
    out
}

fn jpeg_ls(bytes: &[u8], bits: i32, components: i32) -> Vec<u8> {
    let info = ::charls::FrameInfo {
        width: u32::from(COLUMNS),
        height: u32::from(ROWS),
        bits_per_sample: bits,
        component_count: components,
    };
    ::charls::CharLS::default().encode(info, 0, bytes).expect("encodes")
}

fn planes(rgb: &[u8]) -> Vec<Vec<u8>> {
    (0..3).map(|c| rgb.iter().skip(c).step_by(3).copied().collect()).collect()
}

fn grey(bits: [u16; 2], signed: bool, frames: usize) -> Build {
    Build::grey(As::Explicit, SIZE, bits, signed, frames)
}

fn colour(photometric: &str) -> Build {
    Build::colour(photometric, 0, ROWS, COLUMNS)
}

/// The stream without its JFIF segment, so that nothing in it speaks of colour.
fn without_markers(stream: &[u8]) -> Vec<u8> {
    let plain = codestream::with_transform(stream, 0);
    let at = plain.windows(5).position(|w| w == b"Adobe").expect("marker") - 4;
    [&plain[..at], &plain[at + 16..]].concat()
}

/// Two cuts through a stream.
fn thirds(stream: &[u8]) -> [&[u8]; 3] {
    let third = stream.len() / 3 / 2 * 2;
    [&stream[..third], &stream[third..2 * third], &stream[2 * third..]]
}

fn sound() -> Vec<Case> {
    let w16 = words(16, 0);
    let big: Vec<u8> = w16.iter().flat_map(|v| v.to_be_bytes()).collect();
    let signed = Pixels::I16(w16.iter().map(|v| *v as i16).collect());
    let w12 = words(12, 0);
    let s12: Vec<i32> = w12.iter().map(|v| i32::from(*v) - 2048).collect();
    let bytes: Vec<u8> = values(8, 0).into_iter().map(|v| v as u8).collect();
    let fine = smooth().iter().map(|v| v >> 4).collect::<Vec<u16>>();
    let case = |name, syntax, build: Build, pixels| Case {
        name,
        syntax,
        build,
        frames: vec![pixels],
        within: 0,
        second: Second::Agrees,
    };
    let native = |coding, signed| Build::grey(coding, SIZE, [16, 16], signed, 1);
    let segments = |v: &[u16]| [v.iter().map(|w| (w >> 8) as u8).collect(), v.iter().map(|w| *w as u8).collect()];
    let rgb = rgb();
    let wide = |v: &[u16]| v.iter().map(|w| i32::from(*w)).collect::<Vec<i32>>();
    let colour_planes: Vec<Vec<i32>> = planes(&rgb).iter().map(|p| p.iter().map(|b| i32::from(*b)).collect()).collect();
    vec![
        case("implicit", IMPLICIT, native(As::Implicit, true).bytes(0x7FE0_0010, b"OW", &little(&w16)), signed.clone()),
        case("explicit", EXPLICIT, native(As::Explicit, true).bytes(0x7FE0_0010, b"OW", &little(&w16)), signed),
        case("big endian", BIG, native(As::BigEndian, false).bytes(0x7FE0_0010, b"OW", &big), Pixels::U16(w16.clone())),
        case(
            "RLE 8 bits",
            RLE,
            grey([8, 8], false, 1).fragments(&[], &[&run_length(std::slice::from_ref(&bytes))]),
            Pixels::U8(bytes),
        ),
        case(
            "RLE 16 bits",
            RLE,
            grey([16, 16], false, 1).fragments(&[], &[&run_length(&segments(&w16))]),
            Pixels::U16(w16.clone()),
        ),
        case("RLE colour", RLE, colour("RGB").fragments(&[], &[&run_length(&planes(&rgb))]), Pixels::Rgb8(rgb.clone())),
        Case {
            within: 2,
            ..case(
                "JPEG baseline",
                BASELINE,
                grey([8, 8], false, 1).fragments(&[], &[&jpeg(&fine, COLUMNS.into(), 1, 8, How::Quality(100))]),
                Pixels::U8(fine.iter().map(|v| *v as u8).collect()),
            )
        },
        case(
            "JPEG lossless 12 bits",
            LOSSLESS,
            grey([16, 12], false, 1).fragments(&[], &[&jpeg(&w12, COLUMNS.into(), 1, 12, How::Predictor(1))]),
            Pixels::U16(w12.clone()),
        ),
        case(
            "JPEG lossless 16 bits, predictor 6",
            "1.2.840.10008.1.2.4.57",
            grey([16, 16], false, 1).fragments(&[], &[&jpeg(&w16, COLUMNS.into(), 1, 16, How::Predictor(6))]),
            Pixels::U16(w16.clone()),
        ),
        case(
            "JPEG-LS 16 bits",
            JPEG_LS,
            grey([16, 16], false, 1).fragments(&[], &[&jpeg_ls(&little(&w16), 16, 1)]),
            Pixels::U16(w16),
        ),
        case(
            "JPEG 2000 12 bits",
            JPEG_2000,
            grey([16, 12], false, 1).fragments(&[], &[&jpeg_2000(&[wide(&w12)], COLUMNS.into(), 12, false)]),
            Pixels::U16(w12),
        ),
        case(
            "JPEG 2000 12 bits signed",
            JPEG_2000,
            grey([16, 12], true, 1).fragments(&[], &[&jpeg_2000(std::slice::from_ref(&s12), COLUMNS.into(), 12, true)]),
            Pixels::I16(s12.iter().map(|v| *v as i16).collect()),
        ),
        case(
            "JPEG 2000 colour",
            JPEG_2000,
            colour("YBR_RCT").fragments(&[], &[&jpeg_2000(&colour_planes, COLUMNS.into(), 8, false)]),
            Pixels::Rgb8(rgb),
        ),
        case(
            // Its samples are not extended from the stored bits; those bits are right.
            "JPEG 2000 unsigned, read as signed",
            JPEG_2000,
            grey([16, 12], true, 1).fragments(&[], &[&jpeg_2000(&[wide(&words(12, 0))], COLUMNS.into(), 12, false)]),
            Pixels::I16(words(12, 0).iter().map(|v| (v << 4) as i16 >> 4).collect()),
        ),
        case("HTJ2K", HTJ2K, grey([16, 16], false, 1).fragments(&[], &[&HTJ2K_16]), Pixels::U16(smooth())),
    ]
}

fn faults() -> Vec<Case> {
    let rgb = rgb();
    let w12 = words(12, 0);
    let wide: Vec<u32> = values(31, 0);
    let case = |number, name, syntax, build: Build, frames| Case {
        name,
        syntax,
        build,
        frames,
        within: 0,
        second: Second::Fault(number),
    };
    let flat = [200u16, 30, 40].repeat(usize::from(ROWS) * usize::from(COLUMNS));
    let plain = without_markers(&jpeg(&flat, COLUMNS.into(), 3, 8, How::Quality(100)));
    let big: Vec<u8> = wide.iter().flat_map(|v| v.to_be_bytes()).collect();
    let signed: Vec<i32> = w12.iter().map(|v| i32::from(*v) - 2048).collect();
    let segments: Vec<Vec<u8>> = (0..4).map(|n| wide.iter().map(|v| v.to_be_bytes()[n]).collect::<Vec<u8>>()).collect();
    let whole = Pixels::I32(wide.iter().map(|v| *v as i32).collect());
    let pairs = [76u8, 150, 128, 128].repeat(usize::from(ROWS) * usize::from(COLUMNS) / 2);
    let darker: Vec<u8> = pairs.chunks(4).flat_map(|p| [p[0] - 40, p[1] - 40, 128, 128]).collect();
    let shown = |by: u8| Pixels::Rgb8([[76 - by; 3], [150 - by; 3]].concat().repeat(pairs.len() / 4));
    let stack: Vec<Vec<u16>> = (0..3).map(|n| words(12, n)).collect();
    let frames: Vec<Pixels> = stack.iter().cloned().map(Pixels::U16).collect();
    let lossless: Vec<Vec<u8>> = stack.iter().map(|v| jpeg(v, COLUMNS.into(), 1, 12, How::Predictor(1))).collect();
    let ls: Vec<Vec<u8>> = stack.iter().map(|v| jpeg_ls(&little(v), 16, 1)).collect();
    let cut =
        |streams: &[Vec<u8>]| -> Vec<Vec<u8>> { streams.iter().flat_map(|s| thirds(s).map(<[u8]>::to_vec)).collect() };
    let fragmented = |streams: &[Vec<u8>], build: Build, extended: bool| {
        let parts = cut(streams);
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        // Offsets of each frame's first fragment from the first item header.
        let padded = |s: &[u8]| s.len().next_multiple_of(2) as u64 + 8;
        let lengths: Vec<u64> = streams.iter().map(|s| thirds(s).iter().map(|p| padded(p)).sum()).collect();
        let offsets: Vec<u8> = lengths
            .iter()
            .scan(0u64, |at, length| Some(std::mem::replace(at, *at + length)))
            .flat_map(u64::to_le_bytes)
            .collect();
        let build = if extended {
            build.bytes(0x7FE0_0001, b"OV", &offsets).bytes(
                0x7FE0_0002,
                b"OV",
                &lengths.iter().flat_map(|l| l.to_le_bytes()).collect::<Vec<u8>>(),
            )
        } else {
            build
        };
        build.fragments(&[], &parts)
    };
    let grey12 = || grey([16, 12], false, 3);
    vec![
        case(
            1,
            "colour JPEG-LS, plane after plane",
            JPEG_LS,
            colour("RGB").fragments(&[], &[&jpeg_ls(&planes(&rgb).concat(), 8, 3)]),
            vec![Pixels::Rgb8(rgb)],
        ),
        Case {
            within: 3,
            // The YCbCr of (200, 30, 40) shown as if it were RGB: that is what this object says it is.
            ..case(
                2,
                "RGB JPEG without a marker",
                BASELINE,
                colour("RGB").fragments(&[], &[&plain]),
                vec![Pixels::Rgb8([82, 104, 212].repeat(usize::from(ROWS) * usize::from(COLUMNS)))],
            )
        },
        case(
            3,
            "32 bits, big endian",
            BIG,
            Build::grey(As::BigEndian, SIZE, [32, 32], false, 1).bytes(0x7FE0_0010, b"OW", &big),
            vec![whole.clone()],
        ),
        case(
            4,
            "JPEG 2000 signed, read as unsigned",
            JPEG_2000,
            grey([16, 12], false, 1)
                .fragments(&[], &[&jpeg_2000(std::slice::from_ref(&signed), COLUMNS.into(), 12, true)]),
            vec![Pixels::U16(signed.iter().map(|v| *v as u16 & 0xFFF).collect())],
        ),
        case(
            5,
            "RLE with 32 bits",
            RLE,
            grey([32, 32], false, 1).fragments(&[], &[&run_length(&segments)]),
            vec![whole],
        ),
        Case {
            within: 2,
            ..case(
                5,
                "JPEG extended, 12 bits",
                EXTENDED,
                grey([16, 12], false, 1).fragments(&[], &[&jpeg(&smooth(), COLUMNS.into(), 1, 12, How::Quality(100))]),
                vec![Pixels::U16(smooth())],
            )
        },
        case(
            6,
            "native 4:2:2, two frames",
            EXPLICIT,
            colour("YBR_FULL_422").text(0x0028_0008, b"IS", "2").bytes(
                0x7FE0_0010,
                b"OB",
                &[pairs.clone(), darker].concat(),
            ),
            vec![shown(0), shown(40)],
        ),
        case(7, "JPEG in fragments, no table", LOSSLESS, fragmented(&lossless, grey12(), false), frames.clone()),
        case(7, "JPEG-LS in fragments, no table", JPEG_LS, fragmented(&ls, grey12(), false), frames.clone()),
        case(7, "JPEG-LS in fragments, extended table", JPEG_LS, fragmented(&ls, grey12(), true), frames),
    ]
}

fn difference(a: &Pixels, b: &Pixels) -> Option<i64> {
    let samples = |p: &Pixels| -> Vec<i64> {
        match p {
            Pixels::U8(v) | Pixels::Rgb8(v) => v.iter().map(|v| i64::from(*v)).collect(),
            Pixels::U16(v) => v.iter().map(|v| i64::from(*v)).collect(),
            Pixels::I16(v) => v.iter().map(|v| i64::from(*v)).collect(),
            Pixels::I32(v) => v.iter().map(|v| i64::from(*v)).collect(),
            Pixels::F32(v) => v.iter().map(|v| *v as i64).collect(),
        }
    };
    let same = std::mem::discriminant(a) == std::mem::discriminant(b) && a.len() == b.len();
    same.then(|| samples(a).iter().zip(samples(b)).map(|(a, b)| (a - b).abs()).max().unwrap_or(0))
}

#[test]
fn every_coding_shows_the_right_picture() {
    for case in sound().into_iter().chain(faults()) {
        let object = Object::from_bytes(case.build.file(case.syntax)).expect(case.name);
        assert_eq!(object.frame_count(), Ok(case.frames.len()), "{}", case.name);
        // The last frame first: none may need the ones before it.
        for (n, wanted) in case.frames.iter().enumerate().rev() {
            let frame = object.frame(FrameIndex(n as u32)).expect(case.name);
            let found = difference(&frame.pixels, wanted).unwrap_or(i64::MAX);
            assert!(found <= case.within, "{}, frame {}: {found}", case.name, n + 1);
        }
    }
}

/// What dicom-pixeldata gives for a frame, in the type of ours.
fn second_opinion(case: &Case, frame: usize) -> Option<Pixels> {
    let syntax = TransferSyntaxRegistry.get(case.syntax)?;
    let object = InMemDicomObject::read_dataset_with_ts(case.build.bytes.as_slice(), syntax).expect(case.name);
    let meta = FileMetaTableBuilder::new().transfer_syntax(case.syntax);
    let object = object.with_meta(meta).expect(case.name);
    let decoded = object.decode_pixel_data_frame(frame as u32).ok()?;
    let bytes = decoded.data();
    let wide = || bytes.as_chunks::<2>().0.iter();
    Some(match case.frames.first()? {
        Pixels::U8(_) => Pixels::U8(bytes.to_vec()),
        Pixels::Rgb8(_) => Pixels::Rgb8(bytes.to_vec()),
        Pixels::U16(_) => Pixels::U16(wide().map(|b| u16::from_ne_bytes(*b)).collect()),
        // Its samples are not extended from the stored bits.
        Pixels::I16(_) => {
            let at = case.build.bytes.windows(4).position(|w| w == [0x28, 0, 1, 1]).expect("Bits Stored");
            let stored = case.build.bytes[at + 8];
            Pixels::I16(wide().map(|b| i16::from_ne_bytes(*b) << (16 - stored) >> (16 - stored)).collect())
        }
        Pixels::I32(_) | Pixels::F32(_) => {
            Pixels::I32(bytes.as_chunks::<4>().0.iter().map(|b| i32::from_ne_bytes(*b)).collect())
        }
    })
}

#[test]
fn every_syntax_that_dicom_pixeldata_decodes_is_decoded_here() {
    let theirs: Vec<&str> =
        TransferSyntaxRegistry.iter().filter(|t| t.pixel_data_reader().is_some()).map(|t| t.uid()).collect();
    assert!(theirs.contains(&"1.2.840.10008.1.2.4.90") && theirs.len() > 10, "{theirs:?}");
    let native =
        |syntax: &str| !is_encapsulated(syntax) || [DEFLATED_FRAMES, ENCAPSULATED_UNCOMPRESSED].contains(&syntax);
    for syntax in theirs {
        assert!(native(syntax) || super::codec::supported(syntax), "{syntax}");
    }
}

#[test]
fn dicom_pixeldata_agrees_or_has_the_named_fault() {
    let mut other = Vec::new();
    for case in sound().into_iter().chain(faults()) {
        let agrees = case.frames.iter().enumerate().all(|(n, wanted)| {
            second_opinion(&case, n)
                .and_then(|theirs| difference(&theirs, wanted))
                // Its JPEG decoder rounds otherwise.
                .is_some_and(|most| most <= case.within + i64::from(case.within > 0))
        });
        if agrees != (case.second == Second::Agrees) {
            other.push((case.name, case.second));
        }
    }
    assert_eq!(other, [], "dicom-pixeldata is not as it was");
}

/// Fault 8: the work for a frame does not grow with the number of frames.
#[test]
fn a_frame_costs_its_own_bytes_only() {
    for (syntax, streams) in [
        (LOSSLESS, [0, 1].map(|n| jpeg(&words(12, n), COLUMNS.into(), 1, 12, How::Predictor(1)))),
        (JPEG_LS, [0, 1].map(|n| jpeg_ls(&little(&words(12, n)), 16, 1))),
    ] {
        let mut costs = Vec::new();
        for count in [15usize, 480] {
            // All frames but the last are noise that no decoder takes: it is not looked at.
            let noise = vec![0xABu8; streams[0].len()];
            let mut parts: Vec<&[u8]> = vec![&noise; count - 1];
            parts.push(&streams[1]);
            let build = grey([16, 12], false, count).fragments(&[], &parts);
            let object = Object::from_bytes(build.file(syntax)).expect("opens");
            decode::touched::reset();
            let last = object.frame(FrameIndex(count as u32 - 1)).expect("decodes");
            assert_eq!(*last.pixels, Pixels::U16(words(12, 1)));
            costs.push(decode::touched::read());
            assert!(object.frame(FrameIndex(0)).is_err());
        }
        let own = streams[1].len().next_multiple_of(2);
        assert_eq!(costs, [(1, own), (1, own)], "fragments and bytes, {syntax}");
    }
}

/// Fault 9: an uncompressed frame is looked at where it lies, and padding is none of it.
#[test]
fn an_uncompressed_frame_is_borrowed() {
    let rows: Vec<u8> = (0..3 * 5 * 3).collect();
    let build = Build::grey(As::Explicit, [3, 5], [8, 8], false, 3).bytes(0x7FE0_0010, b"OB", &rows);
    let object = Object::from_bytes(build.file(EXPLICIT)).expect("opens");
    let file = object.header().source.as_ptr_range();
    for n in 0..3u32 {
        let at = n as usize * 15;
        let bytes = object.borrowed_frame(FrameIndex(n)).expect("uncompressed");
        assert_eq!(bytes, &rows[at..at + 15]);
        assert!(file.contains(&bytes.as_ptr()), "a copy");
        assert_eq!(*object.frame(FrameIndex(n)).expect("decodes").pixels, Pixels::U8(bytes.to_vec()));
    }
    assert_eq!(object.borrowed_frame(FrameIndex(3)), None);
    let stream = jpeg_ls(&little(&words(16, 0)), 16, 1);
    let compressed = grey([16, 16], false, 1).fragments(&[], &[&stream]).file(JPEG_LS);
    assert_eq!(Object::from_bytes(compressed).expect("opens").borrowed_frame(FrameIndex(0)), None);
}

/// Some writers name 4:2:2 and store every pixel's colour.
#[test]
fn four_two_two_by_name_only() {
    let whole = [76u8, 128, 128, 150, 128, 128].repeat(usize::from(ROWS) * usize::from(COLUMNS) / 2);
    let build = colour("YBR_FULL_422").bytes(0x7FE0_0010, b"OB", &whole);
    let object = Object::from_bytes(build.file(EXPLICIT)).expect("opens");
    let frame = object.frame(FrameIndex(0)).expect("decodes");
    let wanted: Vec<u8> = whole.chunks(3).flat_map(|p| [p[0]; 3]).collect();
    assert_eq!((object.frame_count(), frame.pixels), (Ok(1), std::sync::Arc::new(Pixels::Rgb8(wanted))));
    assert!(frame.warnings.contains(&crate::imaging::Trouble::FullColour), "{:?}", frame.warnings);
    let stored = StoredFrames::of(object.header().clone()).expect("frames");
    assert_eq!(stored.bytes(0), Some(whole));
}

/// x * 17 + y * 29 + 1000 by OpenJPH (imagecodecs 2026.3.6, lossless).
pub(super) const HTJ2K_16: [u8; 218] = [
    0xFF, 0x4F, 0xFF, 0x51, 0x00, 0x29, 0x40, 0x00, 0x00, 0x00, 0x00, 0x0C, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0C, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x01, 0x0F, 0x01, 0x01, 0xFF, 0x50, 0x00, 0x08, 0x00, 0x02, 0x00, 0x00, 0x00, 0x0A, 0xFF, 0x52,
    0x00, 0x0C, 0x00, 0x02, 0x00, 0x01, 0x00, 0x05, 0x04, 0x04, 0x40, 0x01, 0xFF, 0x5C, 0x00, 0x13, 0x20, 0x88, 0x90,
    0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x88, 0x88, 0x88, 0xFF, 0x64, 0x00, 0x17, 0x00,
    0x01, 0x4F, 0x70, 0x65, 0x6E, 0x4A, 0x50, 0x48, 0x20, 0x56, 0x65, 0x72, 0x20, 0x30, 0x2E, 0x32, 0x36, 0x2E, 0x33,
    0x2E, 0xFF, 0x90, 0x00, 0x0A, 0x00, 0x00, 0x00, 0x00, 0x00, 0x65, 0x00, 0x01, 0xFF, 0x93, 0xC0, 0x00, 0x26, 0x1D,
    0xF7, 0x05, 0x07, 0x74, 0x00, 0x00, 0xC0, 0x00, 0x12, 0x80, 0x22, 0x01, 0x87, 0x74, 0x00, 0xC0, 0x00, 0x12, 0xC0,
    0x00, 0x13, 0x80, 0xF9, 0x00, 0x47, 0x74, 0x00, 0x06, 0x0D, 0xFE, 0x00, 0x62, 0x34, 0x00, 0xC0, 0x00, 0x13, 0x40,
    0x00, 0x15, 0x20, 0x4A, 0xE5, 0x80, 0x8B, 0x74, 0x00, 0x80, 0x00, 0xC0, 0x00, 0x00, 0x00, 0x77, 0x56, 0x00, 0xC0,
    0x00, 0x2A, 0x20, 0x00, 0x15, 0x80, 0x00, 0x00, 0xF0, 0xDA, 0x70, 0x02, 0x75, 0x00, 0x38, 0xC6, 0x18, 0xE3, 0xE0,
    0x00, 0xF6, 0x00, 0x01, 0xEC, 0xB8, 0x00, 0xFF, 0xD9,
];
