//! Commands of `dokuei` as programs of their own: what they write, say and end with.

use crate::support::dicom::element;
use crate::support::reading_center::TestCenter;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs `dokuei` on a profile; gives its exit code and all that it said.
fn dokuei(profile: &Path, arguments: &[&str], typed: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dokuei"));
    command.arg("--profile").arg(profile).args(arguments).env_remove("DBUS_SESSION_BUS_ADDRESS");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("dokuei runs");
    // A program that asks for nothing may have ended already.
    if let Err(error) = child.stdin.take().expect("piped").write_all(typed.as_bytes()) {
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    }
    let out = child.wait_with_output().expect("ended");
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    (out.status.code(), said)
}

/// Two frames of 30 × 20 pixels of 2 × 1 mm: the first grey throughout, the second dark on the left and bright on the right.
fn two_frames() -> Vec<u8> {
    let class = "1.2.840.10008.5.1.4.1.1.7.3";
    let mut meta = Vec::new();
    let text = |out: &mut Vec<u8>, group, number, vr, value: &str| element(out, group, number, vr, value.as_bytes());
    text(&mut meta, 2, 2, "UI", class);
    text(&mut meta, 2, 3, "UI", "1.2.392.1");
    text(&mut meta, 2, 0x10, "UI", "1.2.840.10008.1.2.1");
    let mut out = vec![0; 128];
    out.extend_from_slice(b"DICM");
    element(&mut out, 2, 0, "UL", &u32::try_from(meta.len()).expect("short").to_le_bytes());
    out.extend_from_slice(&meta);
    text(&mut out, 8, 0x16, "UI", class);
    text(&mut out, 8, 0x18, "UI", "1.2.392.1");
    text(&mut out, 8, 0x60, "CS", "OT");
    text(&mut out, 0x20, 0xd, "UI", "1.2.392");
    text(&mut out, 0x20, 0xe, "UI", "1.2.392.2");
    element(&mut out, 0x28, 2, "US", &1u16.to_le_bytes());
    text(&mut out, 0x28, 4, "CS", "MONOCHROME2");
    text(&mut out, 0x28, 8, "IS", "2");
    element(&mut out, 0x28, 0x10, "US", &20u16.to_le_bytes());
    element(&mut out, 0x28, 0x11, "US", &30u16.to_le_bytes());
    text(&mut out, 0x28, 0x30, "DS", "1\\2");
    for (number, value) in [(0x100, 16u16), (0x101, 16), (0x102, 15), (0x103, 0)] {
        element(&mut out, 0x28, number, "US", &value.to_le_bytes());
    }
    let second = (0..600).map(|at| if at % 30 < 15 { 200u16 } else { 1000 });
    let pixels: Vec<u8> = std::iter::repeat_n(600u16, 600).chain(second).flat_map(u16::to_le_bytes).collect();
    element(&mut out, 0x7fe0, 0x10, "OW", &pixels);
    out
}

#[test]
fn a_second_frame_is_drawn_in_its_shape_by_both_renderers() {
    let folder = tempfile::tempdir().expect("folder");
    let (file, profile) = (folder.path().join("two.dcm"), folder.path().join("profile"));
    std::fs::write(&file, two_frames()).expect("written");
    let file = file.to_str().expect("UTF-8");
    let draw = |renderer: &str, frame: &str, size: &str| {
        let out = folder.path().join("out.png");
        let arguments = ["render", file, "--frame", frame, "--window", "600,1000", "--size", size];
        let rest = ["--renderer", renderer, "-o", out.to_str().expect("UTF-8")];
        let (code, said) = dokuei(&profile, &[&arguments[..], &rest[..]].concat(), "");
        assert_eq!(code, Some(0), "{said}");
        image::open(&out).expect("a picture").to_rgb8()
    };
    // 60 × 20 mm: in 300 × 150 a picture of 300 × 100 between black bars, in 400 × 100 one of 300 × 100 beside them.
    for (size, bars, left, right) in [
        ("300x150", [(150, 12), (150, 137)], (75, 75), (225, 75)),
        ("400x100", [(25, 50), (375, 50)], (125, 50), (275, 50)),
    ] {
        let cpu = draw("cpu", "2", size);
        let (width, height) = size.split_once('x').expect("two");
        assert_eq!(cpu.dimensions(), (width.parse().expect("a number"), height.parse().expect("a number")));
        let at = |(x, y): (u32, u32)| cpu.get_pixel(x, y).0;
        assert_eq!(bars.map(at), [[0; 3]; 2], "{size}");
        // LINEAR (PS3.3 C.11.2.1.2.1): ((200 - 599.5) / 999 + 0.5) × 255 = 25.5, and 229.7 for 1000.
        assert!((25..=26).contains(&at(left)[0]) && at(right) == [230; 3], "{size}: {:?} {:?}", at(left), at(right));
        if cfg!(feature = "gui") {
            let gpu = draw("gpu", "2", size);
            assert_eq!(gpu.dimensions(), cpu.dimensions());
            let apart = cpu.iter().zip(gpu.iter()).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(apart <= Some(1), "{size}: {apart:?}");
        }
    }
    // Not the first one: that is 600 throughout, 127.6.
    let first = draw("cpu", "1", "native");
    assert_eq!(first.dimensions(), (30, 20));
    assert!(first.iter().all(|v| *v == 128), "{:?}", first.get_pixel(0, 0));
}

#[test]
fn what_cannot_be_drawn_says_why_and_writes_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let (file, out) = (folder.path().join("two.dcm"), folder.path().join("out.png"));
    std::fs::write(&file, two_frames()).expect("written");
    let (file, to) = (file.to_str().expect("UTF-8"), out.to_str().expect("UTF-8"));
    for (more, expected) in [
        (["--frame", "3"], "frame 3 is not in the object, which holds 2"),
        (["--frame", "0"], "frames count from 1"),
        (["--size", "0x5"], "--size takes `native` or WIDTHxHEIGHT"),
        (["--size", "99999x99999"], "up to 16384"),
        (["--window", "600"], "--window takes CENTER,WIDTH"),
    ] {
        let arguments = [&["render", file, "--renderer", "cpu", "-o", to][..], &more[..]].concat();
        let (code, said) = dokuei(&folder.path().join("profile"), &arguments, "");
        assert!(code == Some(2) && said.contains(expected), "{more:?}: {code:?} {said}");
        assert!(!out.exists(), "{more:?}");
    }
}

/// Whether a text stands in clear in any file of a folder.
fn in_clear(folder: &Path, text: &str) -> bool {
    walkdir::WalkDir::new(folder).into_iter().map(|e| e.expect("readable")).filter(|e| e.file_type().is_file()).any(
        |e| {
            let bytes = std::fs::read(e.path()).expect("readable");
            bytes.windows(text.len()).any(|w| w == text.as_bytes())
        },
    )
}

#[test]
fn an_enrolment_file_is_taken_in_by_command() {
    let center = TestCenter::start(None);
    let good = center.enrolment_file();
    let code_of_it = center.enrolment.file.enrolment_code.clone();
    let folder = tempfile::tempdir().expect("folder");
    let profile = folder.path().join("profile");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let good = good.to_str().expect("UTF-8").to_owned();
    let passphrase = "a passphrase of one's own";
    let enrol = |file: &str, typed: &str| dokuei(&profile, &["--secrets", "passphrase", "enrol", file], typed);

    // Without a keyring nothing is kept by itself.
    let (code, said) = dokuei(&profile, &["enrol", &good], "");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--secrets passphrase"), "{said}");
    let (code, said) = enrol(&good, "short\n");
    assert!(code == Some(2) && said.contains("at least 12 characters"), "{code:?} {said}");

    let broken = write("broken.dokuei-enrol", "{ \"format\": ");
    let other = write("other.dokuei-enrol", "{ \"format\": \"something else\" }");
    let line = format!("{passphrase}\n");
    for (file, expected) in [("nowhere.dokuei-enrol", "cannot be read"), (&broken, "enrolment"), (&other, "enrolment")]
    {
        let (code, said) = enrol(file, &line);
        assert!(code == Some(2) && said.contains(expected), "{file}: {code:?} {said}");
    }
    let (code, said) = enrol(&good, "not that passphrase\n");
    assert!(code == Some(2) && said.contains("passphrase is wrong"), "{code:?} {said}");
    // Taken, and taken again.
    for _ in 0..2 {
        let (code, said) = enrol(&good, &line);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("Start `dokuei` and sign in") && !said.contains(&code_of_it), "{said}");
    }
    assert!(!in_clear(&profile, &code_of_it) && !in_clear(&profile, passphrase), "a secret lies in clear");
}
