//! `dokuei validate`: what is wrong with DICOM files, each finding with severity, place and the rule it breaks.
//!
//! Exit code 0: no error was found. 1: errors were found. Warnings and notes do not change it.

use crate::cli::info_set::{side_conflict, warning_text};
use crate::dicom::{Finding, Header, LocalFile, LocalTree, Severity, findings, open_tree};
use crate::study::{DisplaySet, FrameIndex, GeometryWarning, group};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A finding with the file, series or study it is about.
struct Located {
    /// A path, or `series UID`, `study UID`.
    subject: String,
    finding: Finding,
}

/// Writes the findings. `true`: none is an error.
pub fn run(paths: &[PathBuf], as_json: bool, out: &mut dyn Write) -> std::io::Result<bool> {
    let tree = open_tree(paths, true);
    let mut found = Vec::new();
    lost(&tree, &mut found);
    let mut kept: Vec<&LocalFile> = tree.files.values().map(|f| &f.file).collect();
    kept.sort();
    for local in kept {
        file(local, &mut found);
    }
    groups(&tree, &mut found);
    let count = |severity| found.iter().filter(|f| f.finding.severity == severity).count();
    let (errors, warnings, notes) = (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
    if as_json {
        let list: Vec<_> = found
            .iter()
            .map(|f| {
                json!({
                    "subject": f.subject,
                    "severity": severity_name(f.finding.severity),
                    "rule": f.finding.rule,
                    "place": f.finding.place,
                    "message": f.finding.message,
                    "cite": f.finding.cite,
                })
            })
            .collect();
        let counts = json!({ "error": errors, "warning": warnings, "note": notes });
        serde_json::to_writer_pretty(
            &mut *out,
            &json!({ "files": tree.files_seen, "counts": counts, "findings": list }),
        )?;
        writeln!(out)?;
    } else {
        let mut subject = "";
        for f in &found {
            if f.subject != subject {
                writeln!(out, "{}", f.subject)?;
                subject = &f.subject;
            }
            let Finding { severity, rule, place, message, cite } = &f.finding;
            let place = if place.is_empty() { String::new() } else { format!(" {place}") };
            writeln!(out, "  {:7} {rule}{place}: {message} [{cite}]", severity_name(*severity))?;
        }
        writeln!(out, "{} files: {errors} errors, {warnings} warnings, {notes} notes", tree.files_seen)?;
    }
    Ok(errors == 0)
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn put(
    found: &mut Vec<Located>,
    subject: &str,
    severity: Severity,
    rule: &'static str,
    message: String,
    cite: &'static str,
) {
    let finding = Finding { severity, rule, place: String::new(), message, cite };
    found.push(Located { subject: subject.to_owned(), finding });
}

/// Files that are not shown: objects without a picture are looked at as well; others say why they cannot be read.
fn lost(tree: &LocalTree, found: &mut Vec<Located>) {
    let objects: BTreeMap<String, &LocalFile> = tree.objects.values().map(|f| (f.file.to_string(), &f.file)).collect();
    for one in &tree.not_shown {
        if one.reason.starts_with("the same S") {
            put(found, &one.what, Severity::Error, "duplicate", one.reason.clone(), "PS3.5 9, PS3.3 C.12.1");
            continue;
        }
        if one.reason.starts_with("its header names another patient") {
            put(found, &one.what, Severity::Error, "patient", one.reason.clone(), "PS3.3 A.1.2");
            continue;
        }
        let header = match objects.get(&one.what) {
            Some(file) => file.header(),
            None if Path::new(&one.what).is_file() => Header::read(Path::new(&one.what)),
            // A member of an archive that does not open, or what an index names and is not there.
            None => {
                put(found, &one.what, Severity::Error, "unreadable", one.reason.clone(), "PS3.10 7");
                continue;
            }
        };
        match header {
            Ok(header) => {
                let about = header.has_pixel_data() || header.is_cut();
                if about {
                    put(found, &one.what, Severity::Error, "pixels", one.reason.clone(), "PS3.5 8");
                }
                found.extend(
                    findings(&header).into_iter().map(|finding| Located { subject: one.what.clone(), finding }),
                );
            }
            Err(error) => {
                put(found, &one.what, Severity::Error, "unreadable", error.to_string(), "PS3.10 7");
            }
        }
    }
}

/// One picture: its header, and its first frame where coding and header may disagree.
fn file(file: &LocalFile, found: &mut Vec<Located>) {
    let subject = file.to_string();
    let header = match file.header() {
        Ok(header) => header,
        Err(error) => return put(found, &subject, Severity::Error, "unreadable", error.to_string(), "PS3.10 7"),
    };
    found.extend(findings(&header).into_iter().map(|finding| Located { subject: subject.clone(), finding }));
    let frame = file.object().map_err(|e| e.to_string());
    match frame.and_then(|o| o.frame(FrameIndex(0)).map_err(|e| e.to_string())) {
        Ok(frame) => {
            for warning in frame.warnings {
                put(found, &subject, Severity::Warning, "codestream", warning.to_string(), "PS3.5 8.2, PS3.3 C.7.6.3");
            }
        }
        Err(error) => put(found, &subject, Severity::Error, "pixels", error, "PS3.5 8"),
    }
}

/// What only several objects together show.
fn groups(tree: &LocalTree, found: &mut Vec<Located>) {
    for study in &tree.studies {
        let mut sides: BTreeMap<&str, usize> = BTreeMap::new();
        for series in &study.series {
            let subject = format!("series {}", series.uid);
            for set in group(series).sets {
                geometry(&subject, &set, found);
            }
            for instance in &series.instances {
                *sides.entry(instance.uid.as_str()).or_default() += 1;
            }
        }
        let repeated = sides.values().filter(|n| **n > 1).count();
        if repeated > 0 {
            let text = format!("{repeated} SOP Instance UIDs are in several series");
            put(found, &format!("study {}", study.uid), Severity::Error, "duplicate", text, "PS3.5 9");
        }
    }
}

fn geometry(subject: &str, set: &DisplaySet, found: &mut Vec<Located>) {
    for warning in &set.warnings {
        let severity = match warning {
            GeometryWarning::MissingSlices { .. }
            | GeometryWarning::SeveralReferences { .. }
            | GeometryWarning::DuplicatePositions { .. }
            | GeometryWarning::Shifted { .. }
            | GeometryWarning::NoGeometry
            | GeometryWarning::IncompletePhases { .. } => Severity::Warning,
            _ => Severity::Note,
        };
        let label = if set.label.is_empty() { String::new() } else { format!("{}: ", set.label) };
        put(found, subject, severity, "stack", format!("{label}{}", warning_text(warning)), "PS3.3 C.7.6.2");
    }
    // Told per file as well; here it names the set whose side stays open.
    if side_conflict(set).is_some() {
        put(found, subject, Severity::Error, "laterality", "no side is shown for this set".into(), "PS3.3 C.8.11.3");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phantom::{DEFAULT_BASE_DATE, Scale, write_some};

    #[test]
    fn our_own_mammograms_have_no_error_and_a_cut_or_doubled_file_has() {
        let folder = tempfile::tempdir().expect("folder");
        let dir = folder.path();
        write_some(dir, DEFAULT_BASE_DATE, Scale::Small, &|key| key == "mmg-current", &|_| {}).expect("writes");
        std::fs::remove_file(dir.join("truth.json")).expect("removes");
        let check = || {
            let mut out = Vec::new();
            let sound = run(&[dir.to_owned()], true, &mut out).expect("writes");
            (sound, serde_json::from_slice::<serde_json::Value>(&out).expect("JSON"))
        };
        let (sound, found) = check();
        assert!(sound, "{found}");
        assert_eq!(found["counts"]["error"], 0);
        let files = walkdir_files(dir);
        std::fs::copy(&files[0], dir.join("copy.dcm")).expect("copies");
        let bytes = std::fs::read(&files[1]).expect("reads");
        std::fs::write(&files[1], &bytes[..bytes.len() - 100]).expect("writes");
        let (sound, found) = check();
        assert!(!sound);
        let rules: Vec<&str> = found["findings"]
            .as_array()
            .expect("list")
            .iter()
            .filter(|f| f["severity"] == "error")
            .filter_map(|f| f["rule"].as_str())
            .collect();
        assert!(rules.contains(&"duplicate") && rules.contains(&"length"), "{rules:?}");
        assert!(
            found["findings"]
                .as_array()
                .expect("list")
                .iter()
                .all(|f| f["cite"].as_str().is_some_and(|c| c.starts_with("PS3")))
        );
    }

    fn walkdir_files(dir: &Path) -> Vec<PathBuf> {
        let mut out = Vec::new();
        for entry in std::fs::read_dir(dir).expect("folder").flatten() {
            let path = entry.path();
            if path.is_dir() { out.extend(walkdir_files(&path)) } else { out.push(path) }
        }
        out.sort();
        out
    }
}
