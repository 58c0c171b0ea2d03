//! Media as a whole: archives, indexes and folders, each file counted.

use super::open_tree;
use super::test_object::{As, Build, EXPLICIT};
use std::fs;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn picture(uid: &str) -> Vec<u8> {
    // Tags in order, so the identity is put anew by hand.
    let build = Build::new(As::Explicit)
        .text(0x0008_0016, b"UI", "1.2.840.10008.5.1.4.1.1.2")
        .text(0x0008_0018, b"UI", uid)
        .text(0x0008_0060, b"CS", "CT")
        .text(0x0020_000D, b"UI", "1.2.3")
        .text(0x0020_000E, b"UI", "1.2.3.1")
        .us(0x0028_0002, &[1])
        .text(0x0028_0004, b"CS", "MONOCHROME2")
        .us(0x0028_0010, &[2])
        .us(0x0028_0011, &[3])
        .us(0x0028_0100, &[16])
        .us(0x0028_0101, &[16])
        .us(0x0028_0102, &[15])
        .us(0x0028_0103, &[1]);
    build.bytes(0x7FE0_0010, b"OW", &[7; 12]).file(EXPLICIT)
}

/// An index that names these files; `broken`: the first record's next offset points nowhere.
fn index(files: &[(&str, &str)], broken: bool) -> Vec<u8> {
    let head = 132 + Build::new(As::Explicit).text(0x0002_0010, b"UI", EXPLICIT).bytes.len();
    let record = |next: u32, file: &str, uid: &str| {
        Build::new(As::Explicit)
            .raw(0x0004_1400, b"UL", 4, &next.to_le_bytes())
            .us(0x0004_1410, &[0xFFFF])
            .raw(0x0004_1420, b"UL", 4, &[0; 4])
            .text(0x0004_1430, b"CS", "IMAGE")
            .text(0x0004_1500, b"CS", file)
            .text(0x0004_1511, b"UI", uid)
    };
    // The root's offset, then the sequence: each item's header is 8 bytes, its delimiter 8.
    let first = head + Build::new(As::Explicit).raw(0x0004_1200, b"UL", 4, &[0; 4]).bytes.len() + 12;
    let mut at = first;
    let mut items = Vec::new();
    for (n, (file, uid)) in files.iter().enumerate() {
        let next = at + record(0, file, uid).bytes.len() + 16;
        let last = n + 1 == files.len();
        let said = if broken {
            99_999
        } else if last {
            0
        } else {
            next
        };
        items.push(record(said as u32, file, uid));
        at = next;
    }
    Build::new(As::Explicit)
        .raw(0x0004_1200, b"UL", 4, &(first as u32).to_le_bytes())
        .sequence(0x0004_1220, &items)
        .file(EXPLICIT)
}

fn archive(members: &[(&str, &[u8], CompressionMethod)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes, method) in members {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(*method)).expect("starts");
        zip.write_all(bytes).expect("writes");
    }
    zip.finish().expect("finishes").into_inner()
}

#[test]
fn an_index_brings_its_files_and_tells_what_is_missing() {
    let folder = tempfile::tempdir().expect("folder");
    fs::create_dir_all(folder.path().join("dicom")).expect("creates");
    fs::write(folder.path().join("dicom/im1"), picture("1.2.9.1")).expect("writes");
    fs::write(folder.path().join("dicom/im2"), picture("1.2.9.2")).expect("writes");
    let files = [("DICOM\\IM1", "1.2.9.1"), ("DICOM\\IM2", "1.2.9.7"), ("DICOM\\IM3", "1.2.9.3"), ("..\\X", "1.2.9.4")];
    let path = folder.path().join("DICOMDIR");
    fs::write(&path, index(&files, false)).expect("writes");
    // The index alone, and the folder as a whole, give the same.
    for start in [path.clone(), folder.path().to_owned()] {
        let tree = open_tree(&[start], true);
        assert_eq!((tree.files_seen, tree.files_shown), (5, 2), "{:?}", tree.not_shown);
        assert_eq!(tree.files_seen, tree.files_shown + tree.not_shown.len());
        let reason = |end: &str| tree.not_shown.iter().find(|n| n.what.ends_with(end)).map(|n| n.reason.clone());
        let own = reason("DICOMDIR").expect("the index is listed");
        assert!(own.contains("4 files named, 2 of them missing"), "{own}");
        assert!(!own.contains("offset"), "{own}");
        assert!(reason("DICOM/IM3").is_some_and(|r| r.contains("not there")));
        assert!(reason("../X").is_some());
    }
    fs::write(&path, index(&files[..2], true)).expect("writes");
    let tree = open_tree(&[path], true);
    let own = &tree.not_shown[0].reason;
    assert!(
        own.contains("1 offsets point at no record") && own.contains("1 records are reached by no offset"),
        "{own}"
    );
    assert_eq!(tree.files_shown, 2);
}

#[test]
fn members_of_an_archive_are_files() {
    let folder = tempfile::tempdir().expect("folder");
    let (first, second) = (picture("1.2.9.1"), picture("1.2.9.2"));
    let index = index(&[("A\\IM1", "1.2.9.1"), ("A\\IM9", "1.2.9.9")], false);
    let inner = archive(&[("x", &second, CompressionMethod::Stored)]);
    let zip = archive(&[
        ("disc/DICOMDIR", &index, CompressionMethod::Deflated),
        ("disc/A/IM1", &first, CompressionMethod::Deflated),
        ("disc/../../../IM2", &second, CompressionMethod::Stored),
        ("disc/readme.txt", b"plain text, not a picture", CompressionMethod::Stored),
        ("disc/inner.zip", &inner, CompressionMethod::Stored),
    ]);
    let path = folder.path().join("disc.bin");
    fs::write(&path, &zip).expect("writes");
    let tree = open_tree(&[folder.path().to_owned()], true);
    assert_eq!((tree.files_seen, tree.files_shown), (6, 2), "{:?}", tree.not_shown);
    assert_eq!(tree.files_seen, tree.files_shown + tree.not_shown.len());
    let shown = &tree.files["1.2.9.1"].file;
    assert_eq!(shown.member(), Some("disc/A/IM1"));
    assert_eq!(shown.bytes().expect("opens"), first);
    assert!(tree.not_shown.iter().any(|n| n.what.ends_with("A/IM9")), "{:?}", tree.not_shown);
    assert_eq!(fs::read_dir(folder.path()).expect("reads").count(), 1, "nothing was unpacked");

    // A damaged member is told apart from a damaged archive.
    let mut broken = zip.clone();
    let at = broken.windows(second.len()).position(|w| w == second).expect("stored as it is");
    broken[at + second.len() - 1] ^= 1;
    fs::write(&path, &broken).expect("writes");
    let tree = open_tree(&[folder.path().to_owned()], true);
    assert!(tree.not_shown.iter().any(|n| n.reason.contains("check sum")), "{:?}", tree.not_shown);
    fs::write(&path, &zip[..zip.len() / 2]).expect("writes");
    let tree = open_tree(&[folder.path().to_owned()], true);
    assert_eq!((tree.files_seen, tree.files_shown, tree.not_shown.len()), (1, 0, 1));
    assert!(tree.not_shown[0].reason.contains("ZIP archive that cannot be read"));
}

#[test]
fn bombs_are_refused_unopened() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("bomb.zip");
    let zeros = vec![0u8; 70 << 20];
    fs::write(&path, archive(&[("zeros", &zeros, CompressionMethod::Deflated)])).expect("writes");
    let tree = open_tree(std::slice::from_ref(&path), true);
    assert_eq!(tree.not_shown.len(), 1);
    assert!(tree.not_shown[0].reason.contains("bomb"), "{:?}", tree.not_shown);
    // A member that declares less than it holds: no more than declared is taken.
    let mut zip = archive(&[("zeros", &zeros[..1 << 20], CompressionMethod::Deflated)]);
    let central = zip.windows(4).rposition(|w| w == b"PK\x01\x02").expect("central directory");
    zip[central + 24..central + 28].copy_from_slice(&1000u32.to_le_bytes());
    fs::write(&path, &zip).expect("writes");
    let tree = open_tree(std::slice::from_ref(&path), true);
    assert!(tree.not_shown[0].reason.contains("another length"), "{:?}", tree.not_shown);
    // Two members that are the same bytes.
    let zip =
        archive(&[("a", b"one member", CompressionMethod::Stored), ("b", b"two member", CompressionMethod::Stored)]);
    let mut twice = zip.clone();
    let entries: Vec<usize> = (0..zip.len() - 4).filter(|at| &zip[*at..at + 4] == b"PK\x01\x02").collect();
    let (first, second) = (entries[0], entries[1]);
    twice.copy_within(first + 42..first + 46, second + 42);
    fs::write(&path, &twice).expect("writes");
    let tree = open_tree(&[path], true);
    assert!(tree.not_shown.iter().any(|n| n.reason.contains("overlap")), "{:?}", tree.not_shown);
}
