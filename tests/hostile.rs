//! Files made to break a reader, through the real ways in: each ends in a clear answer, within [`ADDRESS_SPACE`] and
//! [`SECONDS`], and takes nothing else with it. And what an index of many instances keeps.

use crate::support::dicom::slice;
use crate::support::memory;
use crate::support::process::DEADLINE;
use crate::support::reading_center::SharedClock;
use crate::support::terminal::Terminal;
use dokuei::dicom::{Header, Tree, project};
use dokuei::engine::message::{Command as Wish, Event};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// All that a command may ever map, KiB: its own code, its threads' stacks and the C library's arenas included. The
/// kernel refuses more, and a refused allocation ends the command in a way that the test does not take for an answer.
const ADDRESS_SPACE: u64 = 1 << 20;
/// All the processor time that a command may ever take, seconds: far beyond what is needed, and the same on a machine that
/// does other things too. The kernel ends what takes more, which the test does not take for an answer either.
const SECONDS: u64 = 60;

const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const DEFLATED_FRAMES: &str = "1.2.840.10008.1.2.8.1";

/// What must come of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    /// A picture, if with warnings.
    Shown,
    /// No picture, and the reason.
    Refused,
    /// A picture marked as missing, or the reason.
    Either,
}

fn element(tag: u32, vr: &str, length: u32, value: &[u8]) -> Vec<u8> {
    let mut out = [((tag >> 16) as u16).to_le_bytes(), (tag as u16).to_le_bytes()].concat();
    out.extend(vr.as_bytes());
    if matches!(vr, "OB" | "OW" | "UN" | "SQ" | "OV") {
        out.extend([0, 0]);
        out.extend(length.to_le_bytes());
    } else {
        out.extend((length as u16).to_le_bytes());
    }
    out.extend(value);
    out
}

fn even(tag: u32, vr: &str, value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    if value.len() % 2 == 1 {
        value.push(if vr == "UI" { 0 } else { b' ' });
    }
    element(tag, vr, value.len() as u32, &value)
}

/// Identity and a grey picture's attributes, then `rest` from group 0029 on.
fn picture(name: &str, rows: u16, columns: u16, frames: u32, rest: &[u8]) -> Vec<u8> {
    let us = |tag, v: u16| element(tag, "US", 2, &v.to_le_bytes());
    let number = name.bytes().fold(7u64, |h, b| (h * 31 + u64::from(b)) % 1_000_000_007);
    let uid = |tag, tail: &str| even(tag, "UI", format!("1.2.392.66.{number}{tail}").as_bytes());
    [
        even(0x0008_0016, "UI", b"1.2.840.10008.5.1.4.1.1.7"),
        uid(0x0008_0018, ".1.1.1"),
        even(0x0008_0060, "CS", b"OT"),
        uid(0x0020_000D, ".1"),
        uid(0x0020_000E, ".1.1"),
        us(0x0028_0002, 1),
        even(0x0028_0004, "CS", b"MONOCHROME2"),
        even(0x0028_0008, "IS", frames.to_string().as_bytes()),
        us(0x0028_0010, rows),
        us(0x0028_0011, columns),
        us(0x0028_0100, 16),
        us(0x0028_0101, 16),
        us(0x0028_0102, 15),
        us(0x0028_0103, 0),
        rest.to_vec(),
    ]
    .concat()
}

fn file(syntax: &str, data_set: &[u8]) -> Vec<u8> {
    [vec![0; 128], b"DICM".to_vec(), even(0x0002_0010, "UI", syntax.as_bytes()), data_set.to_vec()].concat()
}

fn item(bytes: &[u8]) -> Vec<u8> {
    [&[0xFE, 0xFF, 0x00, 0xE0][..], &(bytes.len() as u32).to_le_bytes(), bytes].concat()
}

/// Encapsulated pixel data: an offset table, then fragments.
fn fragments(table: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut value = item(table);
    for part in parts {
        value.extend(item(part));
    }
    value.extend([0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
    element(0x7FE0_0010, "OB", u32::MAX, &value)
}

/// Two GiB of zeros as raw DEFLATE, in two MiB: one piece that ends at a byte, again and again.
fn bomb() -> Vec<u8> {
    let mut packer = flate2::Compress::new(flate2::Compression::best(), false);
    let mut piece = Vec::with_capacity(1 << 20);
    packer.compress_vec(&vec![0; 16 << 20], &mut piece, flate2::FlushCompress::Full).expect("deflates");
    let mut out = piece.repeat(128);
    // A last, empty block.
    out.extend([0x03, 0x00]);
    out
}

fn be(v: u32) -> [u8; 4] {
    v.to_be_bytes()
}

/// Headers of codestreams of this size, with nothing behind them.
fn headers(rows: u32, columns: u32) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let [_, _, r1, r2] = be(rows);
    let [_, _, c1, c2] = be(columns);
    let jpeg = |start: u8, bits: u8| {
        let scan: &[u8] = if start == 0xF7 { &[0, 0, 0] } else { &[1, 0, 0] };
        let mut out = vec![0xFF, 0xD8, 0xFF, start, 0, 11, bits, r1, r2, c1, c2, 1, 1, 0x11, 0];
        out.extend([0xFF, 0xDA, 0, 8, 1, 1, 0]);
        out.extend(scan);
        out.extend([0xFF, 0xD9]);
        out
    };
    let mut j2k = vec![0xFF, 0x4F, 0xFF, 0x51, 0, 41, 0, 0];
    for v in [columns, rows, 0, 0, columns, rows, 0, 0] {
        j2k.extend(be(v));
    }
    j2k.extend([0, 1, 15, 1, 1, 0xFF, 0x52, 0, 12, 0, 0, 0, 1, 0, 5, 4, 4, 0, 1]);
    j2k.extend([0xFF, 0x5C, 0, 19, 0x40]);
    j2k.extend([0x80; 16]);
    j2k.extend([0xFF, 0x90, 0, 10, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF, 0x93, 0xFF, 0xD9]);
    // After the signature: not small; height less one in 30 bits; no ratio; width less one in 30 bits; defaults.
    let mut bits: Vec<bool> = vec![false];
    for (size, ratio) in [(rows, 3), (columns, 0)] {
        bits.extend([true, true]);
        bits.extend((0..30).map(|n| (size - 1) >> n & 1 == 1));
        bits.extend(vec![false; ratio]);
    }
    let mut jxl = vec![0xFF, 0x0A];
    jxl.extend(bits.chunks(8).map(|c| c.iter().enumerate().fold(0u8, |b, (n, bit)| b | u8::from(*bit) << n)));
    jxl.extend([0; 8]);
    let mut rle = vec![0u8; 64];
    rle[0] = 2;
    rle[4] = 64;
    rle[8] = 64;
    rle.extend([0x81, 0]);
    vec![
        ("baseline", "1.2.840.10008.1.2.4.50", jpeg(0xC0, 8)),
        ("progressive", "1.2.840.10008.1.2.4.55", jpeg(0xC2, 8)),
        ("lossless", "1.2.840.10008.1.2.4.70", jpeg(0xC3, 16)),
        ("jpeg-ls", "1.2.840.10008.1.2.4.80", jpeg(0xF7, 16)),
        ("jpeg-2000", "1.2.840.10008.1.2.4.90", j2k.clone()),
        ("htj2k", "1.2.840.10008.1.2.4.201", j2k),
        ("jpeg-xl", "1.2.840.10008.1.2.4.110", jxl),
        ("rle", "1.2.840.10008.1.2.5", rle),
    ]
}

/// Every hostile file by its name, with what must come of it.
fn files() -> Vec<(String, Outcome, Vec<u8>)> {
    let mut out: Vec<(String, Outcome, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, outcome, bytes| out.push((name.to_owned(), outcome, bytes));
    let sound: Vec<u8> = element(0x7FE0_0010, "OW", 32, &[7; 32]);
    let small = |name: &str, rest: &[u8]| picture(name, 4, 4, 1, rest);

    // A hundred thousand sequences in each other, of undefined and of stated length.
    let open =
        [element(0x0040_A730, "SQ", u32::MAX, &[]), vec![0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF]].concat();
    add("nested", Outcome::Refused, file(EXPLICIT, &small("nested", &open.repeat(100_000))));
    let implicit = [0x40, 0x00, 0x30, 0xA7, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF];
    add(
        "nested-implicit",
        Outcome::Refused,
        [&[8, 0, 0x60, 0, 2, 0, 0, 0, b'C', b'T'][..], &implicit.repeat(100_000)].concat(),
    );
    let mut stated = Vec::new();
    for _ in 0..100_000 {
        stated.extend(element(0x0040_A730, "SQ", 0x00FF_FFF0, &[0xFE, 0xFF, 0x00, 0xE0, 0xE0, 0xFF, 0xFF, 0x00]));
    }
    add("nested-stated", Outcome::Refused, file(EXPLICIT, &small("nested-stated", &stated)));
    // Four million empty items.
    let items = [element(0x0040_A730, "SQ", u32::MAX, &[]), [0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0].repeat(4_000_000)];
    add("items", Outcome::Refused, file(EXPLICIT, &small("items", &items.concat())));

    // Lengths that nothing can have.
    for (name, tag, vr) in [("length-private", 0x0029_1010, "OB"), ("length-sequence", 0x0040_A730, "SQ")] {
        let long = element(tag, vr, 0xFFFF_FFFE, &sound);
        add(name, Outcome::Refused, file(EXPLICIT, &small(name, &long)));
    }
    let long = element(0x7FE0_0010, "OW", 0xFFFF_FFFE, &[7; 32]);
    add("length-pixels", Outcome::Shown, file(EXPLICIT, &small("length-pixels", &long)));

    // Sizes that nothing can have: uncompressed, and in every codec with headers that say the same or something else.
    let huge = picture("huge", 65535, 65535, 10_000, &sound);
    add("huge", Outcome::Refused, file(EXPLICIT, &huge));
    for (name, syntax, stream) in headers(65535, 65535) {
        let part = fragments(&[], &[&stream]);
        add(&format!("{name}-huge"), Outcome::Refused, file(syntax, &picture(name, 65535, 65535, 10_000, &part)));
        let lies = format!("{name}-lies");
        if name != "rle" {
            add(&lies, Outcome::Refused, file(syntax, &picture(&lies, 512, 512, 1, &part)));
        }
    }
    // A large picture of which nothing is there: each codec takes its memory, and finds no line that is sound.
    for (name, syntax, stream) in headers(4096, 4096) {
        let empty = format!("{name}-empty");
        let part = fragments(&[], &[&stream]);
        add(&empty, Outcome::Either, file(syntax, &picture(&empty, 4096, 4096, 1, &part)));
    }

    // A sound picture of 12 x 12 whose one tile-part says that it has 2.5 GiB: it has what is there.
    let mut stream = include_bytes!("../fuzz/corpus/jpeg-2000/4.90-1")[5..].to_vec();
    let tile_part = stream.windows(4).position(|w| w == [0xFF, 0x90, 0, 10]).expect("a tile-part") + 6;
    stream[tile_part..tile_part + 4].copy_from_slice(&be(0x9FFF_FFFF));
    let part = fragments(&[], &[&stream]);
    add("tile-part", Outcome::Shown, file("1.2.840.10008.1.2.4.90", &picture("tile-part", 12, 12, 1, &part)));

    // Bombs: a data set, and a frame, which stops at its own size.
    add("bomb", Outcome::Refused, file(DEFLATED, &bomb()));
    let frame = picture("bomb-frame", 512, 512, 1, &fragments(&[], &[&bomb()]));
    add("bomb-frame", Outcome::Shown, file(DEFLATED_FRAMES, &frame));

    // Tables that point anywhere, fragments without end.
    let mut rle = vec![0u8; 64];
    (rle[0], rle[4], rle[8]) = (2, 64, 66);
    rle.extend([0xF1, 1, 0xF1, 2]);
    let half = rle.split_at(34);
    let basic: Vec<u8> = [0u32, u32::MAX].iter().flat_map(|v| v.to_le_bytes()).collect();
    let two = |name: &str, rest: &[u8]| picture(name, 4, 4, 2, rest);
    let parts = [half.0, half.1, half.0, half.1];
    add("table", Outcome::Refused, file("1.2.840.10008.1.2.5", &two("table", &fragments(&basic, &parts))));
    let far: Vec<u8> = [0u64, u64::MAX].iter().flat_map(|v| v.to_le_bytes()).collect();
    let extended = [element(0x7FE0_0001, "OV", 16, &far), element(0x7FE0_0002, "OV", 16, &far)].concat();
    let both = two("table-extended", &[extended, fragments(&[], &parts)].concat());
    add("table-extended", Outcome::Refused, file("1.2.840.10008.1.2.5", &both));
    let none = vec![&[][..]; 1_000_000];
    add("fragments", Outcome::Refused, file("1.2.840.10008.1.2.5", &two("fragments", &fragments(&[], &none))));
    let mut endless = fragments(&[], &[]);
    let at = endless.len() - 8;
    endless.splice(at.., [0xFE, 0xFF, 0x00, 0xE0, 0xFE, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4]);
    add("fragment-length", Outcome::Refused, file("1.2.840.10008.1.2.5", &small("fragment-length", &endless)));
    out
}

/// Runs `dokuei` under the limit; gives its exit code, what it said, and how long it took.
fn dokuei(arguments: &[&str]) -> (Option<i32>, String) {
    // What stands still takes no processor time: `timeout` ends it with a code that is no answer.
    let deadline = DEADLINE.as_secs();
    let limit = format!("ulimit -v {ADDRESS_SPACE} && ulimit -t {SECONDS} && exec timeout {deadline} \"$0\" \"$@\"");
    let out = Command::new("sh")
        .args(["-c", &limit, env!("CARGO_BIN_EXE_dokuei")])
        .args(arguments)
        .output()
        .expect("a shell starts it");
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    (out.status.code(), said)
}

fn written(folder: &Path) -> Vec<(String, Outcome, PathBuf)> {
    let write = |(name, outcome, bytes): (String, Outcome, Vec<u8>)| {
        let path = folder.join(format!("{name}.dcm"));
        fs::write(&path, bytes).expect("written");
        (name, outcome, path)
    };
    files().into_iter().map(write).collect()
}

/// The commands give an answer for each: a picture, or code 1 or 2 with the reason.
#[test]
#[cfg(target_os = "linux")]
fn hostile_files_get_an_answer_from_every_command() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("out");
    let out = out.to_str().expect("a name");
    let mut wrong = Vec::new();
    for (name, outcome, path) in written(folder.path()) {
        let path = path.to_str().expect("a name");
        for arguments in [
            vec!["pixels", path, "-o", out],
            vec!["render", path, "--renderer", "cpu", "-o", out],
            vec!["info", path, "--json"],
        ] {
            let (code, said) = dokuei(&arguments);
            let answered = matches!(code, Some(0..=2)) && !said.contains("panicked");
            let picture = matches!(arguments[0], "pixels" | "render");
            let right = !picture || outcome == Outcome::Either || (code == Some(0)) == (outcome == Outcome::Shown);
            if !answered || !right || (code != Some(0) && said.trim().is_empty()) {
                let first: String = said.chars().take(300).collect();
                wrong.push(format!("{name}: {}: code {code:?}: {first}", arguments[0]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All at once: `info` accounts for each, and the window's engine goes on.
#[test]
#[cfg(target_os = "linux")]
fn hostile_files_are_listed_and_the_engine_goes_on() {
    let folder = tempfile::tempdir().expect("folder");
    let files = written(folder.path());
    let path = folder.path().to_str().expect("a name");
    let (code, said) = dokuei(&["info", path, "--json"]);
    assert_eq!(code, Some(1), "{}", said.chars().take(500).collect::<String>());
    let info: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let not_shown = info["not_shown"].as_array().expect("a list");
    assert!(not_shown.iter().all(|n| n["reason"].as_str().is_some_and(|r| !r.is_empty())), "{not_shown:?}");
    assert_eq!(info["files_seen"], files.len());
    assert_eq!(info["files_shown"].as_u64().expect("a count") as usize + not_shown.len(), files.len());
    let refused = files.iter().filter(|(_, outcome, _)| *outcome == Outcome::Refused).count();
    assert!(not_shown.len() >= refused, "{} of {refused}: {not_shown:?}", not_shown.len());

    let terminal = Terminal::at(SharedClock::start());
    let mut session = terminal.start();
    let open = |folder: PathBuf| Wish::OpenLocal(vec![folder]);
    let opened = |e: &Event| match e {
        Event::LocalOpened { studies, not_shown } => Some((studies.len(), not_shown.len())),
        _ => None,
    };
    session.send(open(folder.path().to_owned()));
    let (studies, not_shown) = session.wait("the hostile folder", opened);
    // The window opens files by their headers; what no frame can be made of is told when it is asked for.
    assert!(studies > 0 && not_shown > 0, "{studies} studies, {not_shown} not shown");
    let sound = tempfile::tempdir().expect("folder");
    fs::write(sound.path().join("a.dcm"), slice("1.2.392.67", 1, 1, 16)).expect("written");
    session.send(open(sound.path().to_owned()));
    assert_eq!(session.wait("a sound file after it", opened), (1, 0));
}

/// Ten thousand instances of one slice: what the index keeps of each, its file's place included.
#[test]
fn an_index_keeps_two_kib_of_an_instance() {
    const INSTANCES: u16 = 10_000;
    let (_index, bytes) = memory::kept(|| {
        let mut tree = Tree::default();
        let mut places: BTreeMap<String, PathBuf> = BTreeMap::new();
        for number in 1..=INSTANCES {
            let header = Header::from_bytes(slice("1.2.392.68", 1, number, 2)).expect("opens");
            let study = project(&header, None).expect("identity");
            let uid = study.series[0].instances[0].uid.to_string();
            places.insert(uid, PathBuf::from(format!("/archive/of/the/hospital/2026/study/{number:06}.dcm")));
            assert!(tree.add_shown(study));
        }
        let studies = tree.finish();
        assert_eq!(studies[0].instance_count(), usize::from(INSTANCES));
        (studies, places)
    });
    let each = bytes / isize::try_from(INSTANCES).expect("small");
    assert!((200..=2048).contains(&each), "{each} bytes an instance");
}
