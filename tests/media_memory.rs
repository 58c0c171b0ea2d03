//! What a ZIP archive takes of memory while it is looked at: asked of the system, by a process of its own.

use crate::offline::{status, this_program};
use crate::support::dicom::slice;
use dokuei::dicom::open_tree;
use std::io::Write as _;
use std::process::Command;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Large pictures, of 72 MiB each.
const MEMBERS: u16 = 4;
const EDGE: u16 = 6144;
/// All that looking may take (headers, buffers, the threads' own heaps): less than one of them.
const MOST: usize = 64 << 20;
/// Bytes of a header with a large private element.
const LARGE_HEADER: usize = 48 << 20;

#[test]
fn members_of_an_archive_are_looked_at_without_holding_them() {
    let took = looked_at(|number| {
        // Half of them packed; not so well that they were taken for bombs.
        let mut object = slice("1.2.392.9", 1, number, EDGE);
        let header = object.len() - 2 * usize::from(EDGE) * usize::from(EDGE);
        sprinkle(&mut object[header..]);
        object
    });
    println!("{} KiB for {MEMBERS} members of {} MiB", took >> 10, (2 * usize::from(EDGE).pow(2)) >> 20);
    assert!(took <= MOST, "{took} bytes");
}

#[test]
fn large_headers_are_read_one_at_a_time() {
    // A private element before the pixel data: in group 0011, after the patient's name and the like.
    let took = looked_at(|number| {
        let mut object = slice("1.2.392.10", 1, number, 2);
        let place = object.windows(4).position(|w| w == [0x18, 0, 0x15, 0]).expect("a body part");
        let mut element = [0x11, 0, 0x10, 0, b'L', b'O', 4, 0].to_vec();
        element.extend(b"TEST");
        element.extend([0x11, 0, 0x01, 0x10, b'O', b'B', 0, 0]);
        element.extend((LARGE_HEADER as u32).to_le_bytes());
        let value = element.len();
        element.resize(value + LARGE_HEADER, 0);
        sprinkle(&mut element[value..]);
        object.splice(place..place, element);
        object
    });
    println!("{} KiB for {MEMBERS} members with headers of {} MiB", took >> 10, LARGE_HEADER >> 20);
    assert!(took <= LARGE_HEADER * 3 / 2 + MOST / 4, "{took} bytes");
}

/// A byte here and there, so that the bytes do not pack too well.
fn sprinkle(bytes: &mut [u8]) {
    for (at, byte) in bytes.iter_mut().enumerate().step_by(16) {
        *byte = (at.wrapping_mul(0x9e37_79b9) >> 13) as u8;
    }
}

/// The memory that a process of its own takes for looking at an archive of these members, every other one packed.
fn looked_at(member: impl Fn(u16) -> Vec<u8>) -> usize {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("disc.zip");
    let mut archive = ZipWriter::new(std::fs::File::create(&path).expect("creates"));
    for number in 1..=MEMBERS {
        let packed = number % 2 == 0;
        let method = if packed { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let options = SimpleFileOptions::default().compression_method(method).compression_level(packed.then_some(1));
        archive.start_file(format!("IM{number}"), options).expect("begins");
        archive.write_all(&member(number)).expect("writes");
    }
    archive.finish().expect("ends");
    let ended = Command::new(this_program())
        .args(["--exact", "media_memory::child", "--ignored", "--nocapture"])
        // What threads keep back for themselves would grow with the number of processors.
        .env("MALLOC_ARENA_MAX", "2")
        .env("DOKUEI_TEST_ARCHIVE", &path)
        .output()
        .expect("starts");
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{said}{}", String::from_utf8_lossy(&ended.stderr));
    said.lines().find_map(|l| l.strip_prefix("took ")).expect("told").parse().expect("a number")
}

/// What the other runs as a program of its own.
#[test]
#[ignore = "a program that another test starts"]
fn child() {
    let path = std::env::var_os("DOKUEI_TEST_ARCHIVE").expect("started by another test");
    let before = status("VmRSS");
    let tree = open_tree(&[path.into()], true);
    assert_eq!((tree.files_seen, tree.files_shown), (MEMBERS.into(), MEMBERS.into()), "{:?}", tree.not_shown);
    println!("took {}", status("VmHWM").saturating_sub(before));
}
