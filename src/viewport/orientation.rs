//! Letters at the edges of a picture: where right, head or front lies, as it is turned and mirrored now.

use super::Geometry;
use crate::study::{DisplaySet, orientation_letters};

/// Letters at left, top, right, bottom; `None` where the object does not say.
pub fn edge_letters(set: &DisplaySet, position: usize, geometry: &Geometry) -> Option<[String; 4]> {
    let [right, bottom] = geometry.pixel_directions();
    let letters: Box<dyn Fn([f64; 2]) -> String> =
        if let Some(plane) = set.info.get(position).and_then(|i| i.plane.as_ref()) {
            Box::new(|d: [f64; 2]| orientation_letters(plane.row_direction * d[0] + plane.column_direction * d[1]))
        } else {
            let [row, column] = set.patient_orientation.as_ref()?;
            if row.is_empty() && column.is_empty() {
                return None;
            }
            Box::new(move |d: [f64; 2]| match (d[0].abs() > d[1].abs(), d[0] + d[1] > 0.0) {
                (true, true) => row.clone(),
                (true, false) => opposite(row),
                (false, true) => column.clone(),
                (false, false) => opposite(column),
            })
        };
    Some([letters(right.map(|v| -v)), letters(bottom.map(|v| -v)), letters(right), letters(bottom)])
}

/// The letters of the other way (PS3.3 C.7.6.1.1.1).
fn opposite(letters: &str) -> String {
    let other = |c| match c {
        'A' => 'P',
        'P' => 'A',
        'R' => 'L',
        'L' => 'R',
        'H' => 'F',
        'F' => 'H',
        c => c,
    };
    letters.chars().map(other).collect()
}

/// Length in mm of a scale bar that takes at most `longest_px` at `mm_per_px`: 1, 2 or 5 times a power of ten.
pub fn scale_bar_mm(mm_per_px: f64, longest_px: f64) -> Option<f64> {
    let longest = mm_per_px * longest_px;
    if !(longest.is_finite() && longest > 0.0) {
        return None;
    }
    let power = 10f64.powf(longest.log10().floor());
    [5.0, 2.0, 1.0].iter().map(|n| n * power).find(|mm| *mm <= longest * (1.0 + 1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{DisplaySetId, FrameInfo, ImagePlane, SeriesUid};
    use crate::viewport::{Action, DataPresentation, ViewPresentation};

    fn set(plane: bool, patient_orientation: Option<[&str; 2]>) -> DisplaySet {
        DisplaySet {
            id: DisplaySetId { series: SeriesUid::new("1.2").expect("uid"), index: 0 },
            modality: "CT".into(),
            label: String::new(),
            rows: 4,
            columns: 4,
            frames: vec![],
            info: vec![FrameInfo {
                plane: plane.then(|| ImagePlane::new([0.0; 3], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [1.0, 1.0])).flatten(),
                ..FrameInfo::default()
            }],
            slice_spacing_mm: None,
            b_value: None,
            laterality: None,
            view: None,
            patient_orientation: patient_orientation.map(|o| o.map(str::to_owned)),
            frame_of_reference: None,
            warnings: vec![],
            detail: crate::study::SetDetail::default(),
        }
    }

    fn after(actions: &[Action]) -> Geometry {
        let (mut view, mut data) = (ViewPresentation::default(), DataPresentation::default());
        for action in actions {
            action.present(&mut view, &mut data);
        }
        Geometry::new([40.0, 40.0], 4, 4, 1.0, view)
    }

    #[test]
    fn letters_follow_turn_and_mirror() {
        let letters =
            |actions: &[Action]| edge_letters(&set(true, None), 0, &after(actions)).expect("letters").concat();
        // An axial slice: right of the patient at the left, front at the top.
        assert_eq!(letters(&[]), "RALP");
        assert_eq!(letters(&[Action::Rotate(1)]), "PRAL");
        assert_eq!(letters(&[Action::FlipHorizontal]), "LARP");
        assert_eq!(letters(&[Action::Rotate(1), Action::FlipHorizontal]), "ARPL");
    }

    #[test]
    fn projections_say_it_in_words() {
        let letters = |o, actions: &[Action]| edge_letters(&set(false, o), 0, &after(actions));
        let mammogram = Some(["P", "FR"]);
        assert_eq!(letters(mammogram, &[]).expect("letters"), ["A", "HL", "P", "FR"]);
        assert_eq!(letters(mammogram, &[Action::FlipHorizontal]).expect("letters"), ["P", "HL", "A", "FR"]);
        assert_eq!(letters(None, &[]), None);
        assert_eq!(letters(Some(["", ""]), &[]), None);
    }

    #[test]
    fn bars_have_round_lengths() {
        assert_eq!(scale_bar_mm(0.5, 120.0), Some(50.0));
        assert_eq!(scale_bar_mm(0.1, 45.0), Some(2.0));
        assert_eq!(scale_bar_mm(1.0, 100.0), Some(100.0));
        assert_eq!(scale_bar_mm(0.0, 100.0), None);
        assert_eq!(scale_bar_mm(f64::NAN, 100.0), None);
    }
}
