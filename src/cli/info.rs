//! `dokuei info`: what lies under these paths, as JSON or for people.
//!
//! Exit code 0: every file is shown. 1: some are listed as not shown. The JSON's names are a contract
//! (`docs/info.md`); fields may be added, none renamed.

use crate::cli::info_objects;
use crate::cli::info_set::{self, set_json, warning_text};
use crate::dicom::{LocalTree, open_tree};
use crate::study::{DisplaySet, Grouping, PersonName, Series, Study, breast_views, group, whole_bodies};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

/// Writes what the paths hold. `true`: every regular file is shown.
pub fn run(paths: &[PathBuf], as_json: bool, out: &mut dyn Write) -> std::io::Result<bool> {
    let tree = open_tree(paths, true);
    if as_json {
        serde_json::to_writer_pretty(&mut *out, &to_json(&tree))?;
        writeln!(out)?;
    } else {
        for_people(&tree, out)?;
    }
    Ok(tree.not_shown.is_empty())
}

/// The `info` document of the contract.
fn to_json(tree: &LocalTree) -> Value {
    let not_shown: Vec<Value> = tree.not_shown.iter().map(|n| json!({ "path": n.what, "reason": n.reason })).collect();
    json!({
        "files_seen": tree.files_seen,
        "files_shown": tree.files_shown,
        "not_shown": not_shown,
        "studies": tree.studies.iter().map(|s| study_json(s, tree)).collect::<Vec<_>>(),
    })
}

fn study_json(study: &Study, tree: &LocalTree) -> Value {
    let groups: Vec<Grouping> = study.series.iter().map(group).collect();
    let series: Vec<Value> = study.series.iter().zip(&groups).map(|(s, g)| series_json(s, g, tree)).collect();
    let frames: usize = groups.iter().flat_map(|g| &g.sets).map(|s| s.frames.len()).sum();
    let not_placed: usize = groups.iter().map(|g| g.not_placed.len()).sum();
    let instances = study.instance_count();
    // What relates several series.
    let sets: Vec<DisplaySet> = groups.into_iter().flat_map(|g| g.sets).collect();
    json!({
        "study_uid": study.uid.as_str(),
        "patient_name": name_json(&study.patient.name),
        "patient_id": study.patient.id,
        "patient_id_issuer": study.patient.issuer,
        "other_patients": study.other_patients.iter().map(|p| json!({
            "patient_name": name_json(&p.name),
            "patient_id": p.id,
        })).collect::<Vec<_>>(),
        "study_date": study.date.map(|d| d.to_string()),
        "accession": study.accession,
        "institution": study.institution,
        "description": study.description,
        "series": series,
        "ledger": {
            "instances": instances,
            "shown": instances - not_placed,
            "not_shown": not_placed,
            "frames": frames,
        },
        "whole_body": info_set::bodies_json(&whole_bodies(&sets)),
        "breast_views": info_set::views_json(&breast_views(&sets)),
        "objects": info_objects::objects(study, tree).iter().map(info_objects::Listed::json).collect::<Vec<_>>(),
    })
}

fn name_json(name: &PersonName) -> Value {
    json!({
        "alphabetic": name.alphabetic,
        "ideographic": name.ideographic.as_deref().unwrap_or_default(),
        "phonetic": name.phonetic.as_deref().unwrap_or_default(),
    })
}

fn series_json(series: &Series, grouping: &Grouping, tree: &LocalTree) -> Value {
    let sets: Vec<Value> = grouping.sets.iter().map(|s| set_json(s, tree)).collect();
    let frames: u64 = series.instances.iter().filter(|i| i.not_an_image.is_none()).map(|i| u64::from(i.frames)).sum();
    let warnings: BTreeSet<&str> = series
        .instances
        .iter()
        .filter_map(|i| tree.files.get(i.uid.as_str()))
        .flat_map(|f| f.warnings.iter().map(String::as_str))
        .collect();
    let syntaxes: BTreeSet<&str> = series.instances.iter().filter_map(|i| i.transfer_syntax.as_deref()).collect();
    let classes: BTreeSet<&str> = series.instances.iter().map(|i| i.sop_class.as_str()).collect();
    let sizes: BTreeSet<(u32, u32)> =
        series.instances.iter().filter(|i| i.not_an_image.is_none()).map(|i| (i.rows, i.columns)).collect();
    let b_values: BTreeSet<i64> = grouping.sets.iter().filter_map(|s| s.b_value).map(|b| b.round() as i64).collect();
    let echoes: BTreeSet<i64> =
        grouping.sets.iter().filter_map(|s| s.detail.echo_time_ms).map(|t| (t * 1000.0).round() as i64).collect();
    json!({
        "series_uid": series.uid.as_str(),
        "modality": series.modality,
        "number": series.number,
        "description": series.description,
        "body_part": series.body_part,
        "instances": series.instances.len(),
        "frames": frames,
        "transfer_syntaxes": syntaxes,
        "sop_classes": classes,
        "sizes": sizes,
        "b_values": b_values,
        "echo_times_ms": echoes.into_iter().map(|t| t as f64 / 1000.0).collect::<Vec<_>>(),
        "warnings": warnings,
        "display_sets": sets,
        "not_placed": grouping.not_placed.iter().map(|n| json!({
            "instance": n.instance.as_str(),
            "reason": n.reason,
        })).collect::<Vec<_>>(),
    })
}

fn for_people(tree: &LocalTree, out: &mut dyn Write) -> std::io::Result<()> {
    for study in &tree.studies {
        study_for_people(study, tree, out)?;
    }
    for lost in &tree.not_shown {
        writeln!(out, "not shown: {}: {}", lost.what, lost.reason)?;
    }
    let (seen, shown, lost) = (tree.files_seen, tree.files_shown, tree.not_shown.len());
    writeln!(out, "{seen} files: {shown} shown, {lost} not shown")
}

fn study_for_people(study: &Study, tree: &LocalTree, out: &mut dyn Write) -> std::io::Result<()> {
    let date = study.date.map(|d| d.to_string()).unwrap_or_default();
    writeln!(out, "{}  {}  {date}  {}", study.patient.name.display(), study.patient.id, study.description)?;
    for other in &study.other_patients {
        writeln!(out, "  ! objects of this study name another patient: {}  {}", other.name.display(), other.id)?;
    }
    let mut sets = Vec::new();
    for series in &study.series {
        let (count, modality, text) = (series.instances.len(), &series.modality, &series.description);
        writeln!(out, "  {modality:4} {text}  ({count} instances)")?;
        let grouping = group(series);
        for set in &grouping.sets {
            let (rows, columns, frames) = (set.rows, set.columns, set.frames.len());
            writeln!(out, "       {}: {frames} frames of {rows} x {columns}", set.label)?;
            let line = info_set::in_words(set, tree);
            if !line.is_empty() {
                writeln!(out, "         {line}")?;
            }
            for warning in set.warnings.iter().map(warning_text).chain(info_set::side_conflict(set)) {
                writeln!(out, "         ! {warning}")?;
            }
        }
        sets.extend(grouping.sets);
    }
    for object in info_objects::objects(study, tree) {
        writeln!(out, "  {}", object.line())?;
    }
    for body in whole_bodies(&sets) {
        writeln!(out, "  whole body {}: {} stations, head to feet", body.label, body.stations.len())?;
        for station in &body.stations {
            let [top, bottom] = station.extent_mm;
            let next = match station.overlap_with_next_mm {
                Some(mm) if mm >= 0.0 => format!(", overlaps the next by {mm:.1} mm"),
                Some(mm) => format!(", {:.1} mm before the next", -mm),
                None => String::new(),
            };
            writeln!(out, "       {}: z {top:.1} to {bottom:.1} mm{next}", station.number)?;
        }
    }
    for view in breast_views(&sets) {
        let kinds: Vec<String> = view.members.iter().map(|(_, kind)| format!("{kind:?}").to_lowercase()).collect();
        writeln!(out, "  {:?}{}: {} ({})", view.side, view.view, kinds.join(", "), info_set::related(view.by))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_contract_and_the_count_of_files() {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("notes.txt"), b"plain text").expect("writes");
        let mut out = Vec::new();
        let all_shown = run(&[folder.path().to_owned()], true, &mut out).expect("writes");
        assert!(!all_shown);
        let found: Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(found["files_seen"], 1);
        assert_eq!(found["files_shown"], 0);
        assert!(found["not_shown"][0]["path"].as_str().is_some_and(|p| p.ends_with("notes.txt")));
        assert!(found["not_shown"][0]["reason"].as_str().is_some_and(|r| r.contains("not a DICOM object")));
        assert_eq!(found["studies"], json!([]));
    }

    #[test]
    fn people_get_the_same_answer() {
        let mut out = Vec::new();
        assert!(!run(&[PathBuf::from("/nonexistent/folder")], false, &mut out).expect("writes"));
        let text = String::from_utf8(out).expect("text");
        assert!(text.ends_with("1 files: 0 shown, 1 not shown\n"), "{text}");
    }

    /// The generated whole-body exam: five stations of four kinds, each a series, recognised by geometry alone.
    #[test]
    fn whole_body_of_the_phantom() {
        use crate::phantom::{DEFAULT_BASE_DATE, Scale, write_some};
        let folder = tempfile::tempdir().expect("folder");
        write_some(folder.path(), DEFAULT_BASE_DATE, Scale::Small, &|key| key == "dwibs", &|_| {}).expect("writes");
        std::fs::remove_file(folder.path().join("truth.json")).expect("removes");
        let mut out = Vec::new();
        assert!(run(&[folder.path().to_owned()], true, &mut out).expect("writes"));
        let found: Value = serde_json::from_slice(&out).expect("JSON");
        let bodies = found["studies"][0]["whole_body"].as_array().expect("bodies").clone();
        assert_eq!(bodies.len(), 4, "T1, T2, b0, b800");
        for body in &bodies {
            let stations = body["stations"].as_array().expect("stations");
            assert_eq!(stations.len(), 5);
            let tops: Vec<f64> = stations.iter().filter_map(|s| s["top_mm"].as_f64()).collect();
            assert!(tops.is_sorted_by(|a, b| a > b), "{tops:?}");
            assert!(stations[0]["overlap_with_next_mm"].as_f64().is_some_and(|mm| mm.abs() < 0.01));
        }
        assert!(bodies.iter().any(|b| b["b_value"] == 800.0));
        let set = &found["studies"][0]["series"][0]["display_sets"][0];
        assert_eq!((&set["volume"], &set["plane"]), (&json!("regular"), &json!("axial")));
    }
}
