//! A whole reading day without a window: center, engine and app as in the program, on generated studies and on
//! real ones. OpenSSL judges every signature.

use dokuei::cli::demo::{DemoOptions, headless};
use dokuei::cli::verify::{VerifyArgs, run as verify};
use dokuei::imaging::{Frame, render_rgb};
use dokuei::study::Voi;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

fn day(dir: &Path, import: Vec<PathBuf>) -> (bool, Value, String) {
    let options = DemoOptions { dir: dir.to_owned(), import, small: true };
    let mut draw = |frame: &Arc<Frame>, voi: Voi| Ok((render_rgb(frame, &voi, false), [frame.columns, frame.rows]));
    let mut said = Vec::new();
    let whole = headless(&options, ("cpu", &mut draw), &mut said).expect("the day ends");
    let summary = std::fs::read(dir.join("summary.json")).expect("summary");
    (whole, serde_json::from_slice(&summary).expect("JSON"), String::from_utf8_lossy(&said).into_owned())
}

fn openssl_says(dir: &Path, report: &Value) -> (bool, String) {
    let file = |name: &str| dir.join(report[name].as_str().expect("a file name"));
    let output = Command::new("openssl")
        .args(["cms", "-verify", "-inform", "DER", "-binary", "-in"])
        .arg(file("signature"))
        .arg("-content")
        .arg(file("report"))
        .arg("-CAfile")
        .arg(file("ca"))
        .args(["-out"])
        .arg(dir.join("verified"))
        .output()
        .expect("openssl is installed (Debian: openssl)");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn check_reports(dir: &Path, summary: &Value) {
    for report in summary["reports"].as_array().expect("reports") {
        assert_eq!(report["verified"], true, "{report}");
        let (good, said) = openssl_says(dir, report);
        assert!(good && said.to_lowercase().contains("successful"), "openssl: {said}");
        for name in ["assignment", "exam_kind", "modality", "kind", "sha256"] {
            assert!(report[name].as_str().is_some_and(|t| !t.is_empty()), "{name} of {report}");
        }
        for name in ["report", "signature", "signer", "ca", "receipt"] {
            assert!(dir.join(report[name].as_str().expect("file")).is_file(), "{name} of {report}");
        }
    }
}

/// Nothing that was named is missing without a reason.
fn check_studies(summary: &Value) {
    for study in summary["studies"].as_array().expect("studies") {
        let count = |name: &str| study[name].as_u64().expect(name);
        assert_eq!(count("received"), count("expected"), "{study}");
        let not_shown = study["not_shown"].as_array().expect("not_shown");
        assert_eq!(count("shown") + not_shown.len() as u64, count("expected"), "{study}");
        for listed in not_shown {
            assert!(listed["reason"].as_str().is_some_and(|r| !r.is_empty()), "{listed}");
        }
        if count("shown") > 0 {
            let first = study["first_image_ms"].as_u64().unwrap_or_else(|| panic!("no first picture: {study}"));
            assert!(first <= count("all_ms") + 60_000, "{study}");
        }
    }
}

#[test]
fn every_generated_study_is_read_and_one_report_of_each_kind_is_received() {
    let dir = tempfile::tempdir().expect("folder");
    let (whole, summary, said) = day(dir.path(), Vec::new());
    assert!(whole, "{said}");
    check_studies(&summary);
    check_reports(dir.path(), &summary);
    let kinds: BTreeSet<&str> =
        summary["reports"].as_array().expect("reports").iter().filter_map(|r| r["exam_kind"].as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(["CR", "CT", "DWIBS", "MMG", "MRI", "RF"]));
    for study in summary["studies"].as_array().expect("studies") {
        assert_eq!(study["not_shown"], serde_json::json!([]), "generated studies are shown whole: {study}");
        for picture in study["pictures"].as_array().expect("pictures") {
            let path = dir.path().join("pictures").join(picture.as_str().expect("name"));
            let image = image::open(&path).expect("a PNG").to_luma8();
            let (darkest, brightest) = image.pixels().fold((255, 0), |(a, b), p| (p.0[0].min(a), p.0[0].max(b)));
            // A station of the legs at b = 800 is dim, but nothing is empty.
            assert!(brightest - darkest > 15, "{} has no contrast", path.display());
        }
    }
    changes_are_noticed(dir.path(), &summary);
    the_center_exports_by_command(dir.path(), &summary);
}

/// `dokuei-center report export`, and `dokuei verify` on what it wrote, with signature and root in other folders.
fn the_center_exports_by_command(dir: &Path, summary: &Value) {
    let folder = dir.join("exported");
    let done = Command::new(env!("CARGO_BIN_EXE_dokuei-center"))
        .arg("--data")
        .arg(dir.join("center"))
        .args(["report", "export", summary["reports"][0]["assignment"].as_str().expect("id"), "--out"])
        .arg(&folder)
        .output()
        .expect("dokuei-center runs");
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let report = walkdir::WalkDir::new(&folder).into_iter().flatten().find(|e| e.file_name() == "report.json");
    let report = report.expect("a report").into_path();
    let beside = report.parent().expect("folder");
    assert!(beside.join("report.html").is_file() && beside.join("receipt.json").is_file());
    let (signatures, roots) = (dir.join("signatures"), dir.join("roots"));
    for (folder, name) in [(&signatures, "signature.p7s"), (&roots, "ca.pem")] {
        std::fs::create_dir(folder).expect("folder");
        std::fs::rename(beside.join(name), folder.join(name)).expect("moved");
    }
    let stranger = rcgen::generate_simple_self_signed(vec!["center.example".to_owned()]).expect("certificate");
    std::fs::write(roots.join("wrong.pem"), stranger.cert.pem()).expect("writes");
    let judge = |root: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dokuei"));
        command.arg("verify").arg(&report).arg("--signature").arg(signatures.join("signature.p7s"));
        let done = command.arg("--ca").arg(roots.join(root)).output().expect("dokuei runs");
        (done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned())
    };
    let (code, said) = judge("ca.pem");
    assert!(code == Some(0) && said.ends_with("\nVALID\n"), "{code:?} {said}");
    let (code, said) = judge("wrong.pem");
    assert!(code == Some(1) && said.ends_with("\nNOT VALID\n"), "{code:?} {said}");
    assert!(said.contains("the certificate is not of this center"), "{said}");
}

/// `dokuei verify` on what the day left, and on the same with one byte changed.
fn changes_are_noticed(dir: &Path, summary: &Value) {
    let report = dir.join(summary["reports"][0]["report"].as_str().expect("file"));
    let folder = report.parent().expect("folder").to_owned();
    let args = VerifyArgs { path: folder.clone(), signature: None, ca: None };
    let now = "2030-01-01T00:00:00Z".parse().expect("time");
    let mut said = Vec::new();
    assert!(verify(&args, now, &mut said).expect("verdict"), "{}", String::from_utf8_lossy(&said));
    for name in ["report.json", "report.html", "receipt.json", "signature.p7s"] {
        let path = folder.join(name);
        let whole = std::fs::read(&path).expect("file");
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        std::fs::write(&path, &changed).expect("writes");
        let mut said = Vec::new();
        let good = verify(&args, now, &mut said).unwrap_or(false);
        assert!(!good, "{name} changed: {}", String::from_utf8_lossy(&said));
        std::fs::write(&path, &whole).expect("writes");
    }
}

#[test]
fn real_studies_open_from_the_worklist_and_a_real_ct_is_signed() {
    let Some(data) = std::env::var_os("DOKUEI_TEST_DATA") else {
        eprintln!("reading day: NOT RUN on real studies (DOKUEI_TEST_DATA is not set)");
        return;
    };
    let data = PathBuf::from(data);
    let import = ["ct", "mr", "dwi", "mg", "rf", "cr", "us"].map(|folder| data.join(folder));
    let dir = tempfile::tempdir().expect("folder");
    let (_, summary, said) = day(dir.path(), import.to_vec());
    check_studies(&summary);
    check_reports(dir.path(), &summary);
    let studies = summary["studies"].as_array().expect("studies");
    let shown = |s: &&Value| s["shown"].as_u64() > Some(0);
    for modality in ["CT", "PT", "MR", "MG", "RF", "CR", "US"] {
        let of = |s: &&Value| s["modality"].as_str().is_some_and(|m| m.split('\\').any(|m| m == modality));
        assert!(studies.iter().filter(of).any(|s| shown(&s)), "no {modality} study was shown\n{said}");
    }
    // Each diffusion study by its UID, since its modality is MR like many others'.
    let diffusion = dokuei::dicom::open_tree(&[data.join("dwi")], false).studies;
    assert!(!diffusion.is_empty());
    for study in diffusion {
        let of = |s: &&Value| s["study_uid"].as_str() == Some(study.uid.as_str());
        assert!(studies.iter().filter(of).any(|s| shown(&s)), "diffusion study {}: not shown\n{said}", study.uid);
    }
    // A study of which nothing is shown says why for each of its instances.
    for study in studies.iter().filter(|s| !shown(s)) {
        eprintln!("nothing shown of {}: {}", study["study_uid"], study["not_shown"]);
        let reasons = study["not_shown"].as_array().expect("a list");
        assert_eq!(Some(reasons.len() as u64), study["expected"].as_u64(), "{study}");
        assert!(reasons.iter().all(|r| r["reason"].as_str().is_some_and(|r| !r.is_empty())), "{study}");
    }
    let generated = 6;
    let real_ct =
        summary["reports"].as_array().expect("reports").iter().skip(generated).any(|r| r["exam_kind"] == "CT");
    assert!(real_ct, "no report on a real CT\n{said}");
}
