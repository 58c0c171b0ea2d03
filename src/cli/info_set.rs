//! One display set in the words and names of `dokuei info`.

use crate::dicom::{LocalTree, voi_choices};
use crate::study::{
    BreastView, Component, DisplaySet, GeometryWarning, Mammogram, RelatedBy, Voi, VoiFunction, Volume, WholeBody,
};
use serde::Serialize;
use serde_json::{Value, json};

/// A display set with the names of the contract.
pub(super) fn set_json(set: &DisplaySet, tree: &LocalTree) -> Value {
    let in_plane = set.spacing_mm(0);
    let spacing = in_plane.map(|[row, column]| json!([row, column, set.slice_spacing_mm]));
    let detail = &set.detail;
    let stack = &detail.stack;
    let orientation = set.info.first().and_then(|i| i.plane).map(|p| p.orientation());
    let first = set.info.first().map(|i| &i.traits);
    let mut warnings: Vec<String> = set.warnings.iter().map(warning_text).collect();
    warnings.extend(side_conflict(set));
    json!({
        "label": set.label,
        "frames": set.frames.len(),
        "rows": set.rows,
        "columns": set.columns,
        "spacing_mm": spacing,
        "orientation": orientation,
        "plane": plane_name(set),
        "frame_of_reference": set.frame_of_reference,
        "b_value": set.b_value,
        "b_value_source": first.and_then(|t| t.b_source).map(|s| word(&s)),
        "gradient": first.and_then(|t| t.gradient),
        "echo_time_ms": detail.echo_time_ms,
        "kind": detail.kind.map(|k| k.label()),
        "component": (detail.component != Component::Magnitude).then(|| word(&detail.component)),
        "split_by": detail.split_by.iter().map(word).collect::<Vec<_>>(),
        "phase": detail.phase.iter().map(|p| json!({
            "axis": word(&p.axis), "number": p.index + 1, "count": p.count, "value": p.value,
        })).collect::<Vec<_>>(),
        "phases": detail.phases.iter().map(|p| json!({ "axis": word(&p.axis), "count": p.count })).collect::<Vec<_>>(),
        "places": stack.places,
        "extent_mm": stack.extent_mm,
        "thickness_mm": stack.thickness_mm,
        "overlap_mm": stack.overlap_mm,
        "gaps": stack.gaps.iter().map(|g| json!({
            "after_frame": g.after_frame + 1, "distance_mm": g.distance_mm, "missing": g.missing,
        })).collect::<Vec<_>>(),
        "volume": match stack.volume {
            Volume::Regular => "regular",
            Volume::Irregular => "irregular",
            Volume::None => "none",
        },
        "laterality": set.laterality.map(|l| format!("{l:?}")),
        "laterality_conflict": detail.side_conflict.iter().map(|s| json!({
            "attribute": s.source, "side": format!("{:?}", s.side),
        })).collect::<Vec<_>>(),
        "view": set.view,
        "patient_orientation": set.patient_orientation,
        "mammogram": detail.mammogram.as_ref().map(mammogram_json),
        "voi": choices(set, tree).iter().map(|(voi, name)| voi_json(voi, name)).collect::<Vec<_>>(),
        "warnings": warnings,
    })
}

/// A name of ours in the snake case of JSON.
fn word<T: Serialize>(value: &T) -> String {
    let name = serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    let mut out = String::new();
    for (n, c) in name.chars().enumerate() {
        if c.is_ascii_uppercase() && n > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// Choices of the VOI transform of the set's first frame, by their explanations; read from its file's header.
fn choices(set: &DisplaySet, tree: &LocalTree) -> Vec<(Voi, String)> {
    let stored = || set.info.first().map_or_else(Vec::new, |i| i.voi.iter().map(|v| (*v, String::new())).collect());
    let Some(first) = set.frames.first() else { return Vec::new() };
    let Some(found) = tree.files.get(first.instance.as_str()) else { return stored() };
    match found.file.header() {
        Ok(header) => voi_choices(&header, first.frame),
        Err(_) => stored(),
    }
}

fn voi_json(voi: &Voi, name: &str) -> Value {
    let function = match voi.function {
        VoiFunction::Linear => "LINEAR",
        VoiFunction::LinearExact => "LINEAR_EXACT",
        VoiFunction::Sigmoid => "SIGMOID",
        VoiFunction::Lut(_) => "LUT",
    };
    json!({ "function": function, "center": voi.center, "width": voi.width, "explanation": name })
}

fn mammogram_json(m: &Mammogram) -> Value {
    json!({
        "view": m.view,
        "view_from_code": m.view.is_some() && !m.uncoded,
        "modifiers": m.modifiers,
        "spot": m.spot,
        "magnification": m.magnification,
        "implant": m.implant,
        "partial": m.partial,
        "partial_parts": m.partial_parts,
        "kind": word(&m.kind),
        "for_processing": m.for_processing,
        "slice_progression": m.progression,
    })
}

/// `axial`, `coronal`, `sagittal`, or `oblique` where no axis is nearer than 15 degrees.
fn plane_name(set: &DisplaySet) -> Option<&'static str> {
    let normal = set.info.first()?.plane?.normal().abs();
    let names = [(normal.x, "sagittal"), (normal.y, "coronal"), (normal.z, "axial")];
    let (size, name) = names.into_iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(if size > 0.966 { name } else { "oblique" })
}

pub(super) fn bodies_json(bodies: &[WholeBody]) -> Value {
    let station = |s: &crate::study::Station| {
        json!({
            "number": s.number,
            "series_uid": s.set.series.as_str(),
            "display_set": s.set.index,
            "top_mm": s.extent_mm[0],
            "bottom_mm": s.extent_mm[1],
            "overlap_with_next_mm": s.overlap_with_next_mm,
        })
    };
    let one = |b: &WholeBody| {
        json!({
            "label": b.label,
            "b_value": b.b_value,
            "stacked": b.stacked,
            "stations": b.stations.iter().map(station).collect::<Vec<_>>(),
        })
    };
    bodies.iter().map(one).collect()
}

pub(super) fn views_json(views: &[BreastView]) -> Value {
    let one = |v: &BreastView| {
        json!({
            "laterality": format!("{:?}", v.side),
            "view": v.view,
            "related_by": word(&v.by),
            "members": v.members.iter().map(|(id, kind)| json!({
                "series_uid": id.series.as_str(), "display_set": id.index, "kind": word(kind),
            })).collect::<Vec<_>>(),
        })
    };
    views.iter().map(one).collect()
}

/// What ties views together, for people.
pub(super) fn related(by: RelatedBy) -> &'static str {
    match by {
        RelatedBy::FrameOfReference => "one frame of reference",
        RelatedBy::ViewAndSide => "same view and side only",
    }
}

/// One line for people: what was measured, phases, windows.
pub(super) fn in_words(set: &DisplaySet, tree: &LocalTree) -> String {
    let mut parts = Vec::new();
    parts.extend(plane_name(set).map(str::to_owned));
    if let Some([row, column]) = set.spacing_mm(0) {
        let slices = set.slice_spacing_mm.map(|s| format!(" x {s:.2}")).unwrap_or_default();
        parts.push(format!("{row:.3} x {column:.3}{slices} mm"));
    }
    for phases in &set.detail.phases {
        parts.push(format!("{} places, {} phases by {}", set.detail.stack.places, phases.count, word(&phases.axis)));
    }
    for phase in &set.detail.phase {
        let value = phase.value.as_ref().map(|v| format!(" = {v}")).unwrap_or_default();
        parts.push(format!("{}{value}", word(&phase.axis)));
    }
    match set.detail.stack.volume {
        Volume::Regular => parts.push("regular volume".into()),
        Volume::Irregular => parts.push("irregular".into()),
        Volume::None => {}
    }
    if let Some(m) = &set.detail.mammogram {
        parts.extend(m.modifiers.iter().map(ToString::to_string));
        for (mark, text) in [(m.implant, "implant"), (m.partial, "partial view")] {
            if mark == Some(true) {
                parts.push(text.into());
            }
        }
    }
    let windows: Vec<String> = choices(set, tree)
        .iter()
        .take(4)
        .map(|(voi, name)| {
            format!("{}{}/{}", if name.is_empty() { String::new() } else { format!("{name} ") }, voi.center, voi.width)
        })
        .collect();
    if !windows.is_empty() {
        parts.push(format!("window {}", windows.join(", ")));
    }
    parts.join("; ")
}

/// Statements of the side that contradict each other, in one sentence.
pub(super) fn side_conflict(set: &DisplaySet) -> Option<String> {
    let said: Vec<String> =
        set.detail.side_conflict.iter().map(|s| format!("{} says {:?}", s.source, s.side)).collect();
    (!said.is_empty()).then(|| format!("contradicting laterality: {}", said.join(", ")))
}

/// A geometry warning in words.
pub(super) fn warning_text(warning: &GeometryWarning) -> String {
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
