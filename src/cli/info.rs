//! `dokuei info`: what lies under these paths, as JSON or for people.
//!
//! Exit code 0: every file is shown. 1: some are listed as not shown. The JSON's names are a contract
//! (`docs/`); fields may be added, none renamed.

use crate::dicom::{LocalTree, open_tree};
use crate::study::{DisplaySet, GeometryWarning, PersonName, Series, display_sets};
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
    let studies: Vec<Value> = tree
        .studies
        .iter()
        .map(|study| {
            let series: Vec<Value> = study.series.iter().map(|s| series_json(s, tree)).collect();
            json!({
                "study_uid": study.uid.as_str(),
                "patient_name": name_json(&study.patient.name),
                "patient_id": study.patient.id,
                "study_date": study.date.map(|d| d.to_string()),
                "description": study.description,
                "series": series,
            })
        })
        .collect();
    json!({
        "files_seen": tree.files_seen,
        "files_shown": tree.files_shown,
        "not_shown": not_shown,
        "studies": studies,
    })
}

fn name_json(name: &PersonName) -> Value {
    json!({
        "alphabetic": name.alphabetic,
        "ideographic": name.ideographic.as_deref().unwrap_or_default(),
        "phonetic": name.phonetic.as_deref().unwrap_or_default(),
    })
}

fn series_json(series: &Series, tree: &LocalTree) -> Value {
    let sets: Vec<Value> = display_sets(series).iter().map(set_json).collect();
    let frames: u64 = series.instances.iter().filter(|i| i.not_an_image.is_none()).map(|i| u64::from(i.frames)).sum();
    let warnings: BTreeSet<&str> = series
        .instances
        .iter()
        .filter_map(|i| tree.files.get(i.uid.as_str()))
        .flat_map(|f| f.warnings.iter().map(String::as_str))
        .collect();
    let syntaxes: BTreeSet<&str> = series.instances.iter().filter_map(|i| i.transfer_syntax.as_deref()).collect();
    json!({
        "series_uid": series.uid.as_str(),
        "modality": series.modality,
        "number": series.number,
        "description": series.description,
        "instances": series.instances.len(),
        "frames": frames,
        "transfer_syntaxes": syntaxes,
        "warnings": warnings,
        "display_sets": sets,
    })
}

fn set_json(set: &DisplaySet) -> Value {
    let in_plane = set.spacing_mm(0);
    let spacing = in_plane.map(|[row, column]| json!([row, column, set.slice_spacing_mm]));
    let orientation = set.info.first().and_then(|i| i.plane).map(|p| p.orientation());
    json!({
        "label": set.label,
        "frames": set.frames.len(),
        "rows": set.rows,
        "columns": set.columns,
        "spacing_mm": spacing,
        "orientation": orientation,
        "b_value": set.b_value,
        "laterality": set.laterality.map(|l| format!("{l:?}")),
        "view": set.view,
        "warnings": set.warnings.iter().map(warning_text).collect::<Vec<_>>(),
    })
}

fn warning_text(warning: &GeometryWarning) -> String {
    match warning {
        GeometryWarning::VariableSpacing { smallest_mm, largest_mm } => {
            format!("slice distances vary from {smallest_mm:.2} to {largest_mm:.2} mm")
        }
        GeometryWarning::DuplicatePositions { count } => format!("{count} frames share another's position"),
        GeometryWarning::Tilt { degrees } => format!("slices are shifted obliquely (tilt {degrees:.1} degrees)"),
        GeometryWarning::MissingSlices { count, gaps, largest_mm } => {
            format!("{count} slices are missing in {gaps} gaps (up to {largest_mm:.2} mm)")
        }
        GeometryWarning::Shifted { largest_mm } => {
            format!("slices are shifted in their planes, up to {largest_mm:.2} mm")
        }
        GeometryWarning::MixedOrientations { count } => format!("{count} directions, one run: no volume"),
        GeometryWarning::SeveralReferences { count } => {
            format!("{count} frames of reference: positions cannot be compared")
        }
        GeometryWarning::IncompletePhases { missing } => format!("{missing} frames of the phases are missing"),
        GeometryWarning::Mosaic { tiles } => format!("a mosaic of {tiles} slices: its position is none of theirs"),
        GeometryWarning::NoGeometry => "no position in the patient: sorted by instance number".to_owned(),
    }
}

fn for_people(tree: &LocalTree, out: &mut dyn Write) -> std::io::Result<()> {
    for study in &tree.studies {
        let date = study.date.map(|d| d.to_string()).unwrap_or_default();
        writeln!(out, "{}  {}  {date}  {}", study.patient.name.display(), study.patient.id, study.description)?;
        for series in &study.series {
            let (count, modality, text) = (series.instances.len(), &series.modality, &series.description);
            writeln!(out, "  {modality:4} {text}  ({count} instances)")?;
            for set in display_sets(series) {
                let (rows, columns, frames) = (set.rows, set.columns, set.frames.len());
                writeln!(out, "       {}: {frames} frames of {rows} x {columns}", set.label)?;
                for warning in &set.warnings {
                    writeln!(out, "         ! {}", warning_text(warning))?;
                }
            }
        }
    }
    for lost in &tree.not_shown {
        writeln!(out, "not shown: {}: {}", lost.what, lost.reason)?;
    }
    let (seen, shown, lost) = (tree.files_seen, tree.files_shown, tree.not_shown.len());
    writeln!(out, "{seen} files: {shown} shown, {lost} not shown")
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
}
