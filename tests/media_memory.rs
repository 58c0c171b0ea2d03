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

#[test]
fn members_of_an_archive_are_looked_at_without_holding_them() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("disc.zip");
    let mut archive = ZipWriter::new(std::fs::File::create(&path).expect("creates"));
    for number in 1..=MEMBERS {
        // Half of them packed; not so well that they were taken for bombs.
        let packed = number % 2 == 0;
        let method = if packed { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let options = SimpleFileOptions::default().compression_method(method).compression_level(packed.then_some(1));
        archive.start_file(format!("IM{number}"), options).expect("begins");
        let mut object = slice("1.2.392.9", 1, number, EDGE);
        let header = object.len() - 2 * usize::from(EDGE) * usize::from(EDGE);
        for (at, byte) in object.iter_mut().enumerate().skip(header).step_by(16) {
            *byte = (at.wrapping_mul(0x9e37_79b9) >> 13) as u8;
        }
        archive.write_all(&object).expect("writes");
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
    let took = said.lines().find_map(|l| l.strip_prefix("took ")).expect("told").parse::<usize>().expect("a number");
    println!("{} KiB for {MEMBERS} members of {} MiB", took >> 10, (2 * usize::from(EDGE).pow(2)) >> 20);
    assert!(took <= MOST, "{took} bytes");
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
