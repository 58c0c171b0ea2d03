//! Which way a mammogram must be turned to hang back to back.

use crate::study::{DisplaySet, Laterality};
use crate::viewport::ViewPresentation;

/// A mammogram laid for the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Laid {
    /// Flips, turns and justification.
    pub view: ViewPresentation,
    /// The object states no usable orientation: it is shown as it is stored, and marked.
    pub assumed: bool,
}

/// Side, view (`CC`, `MLO`, …) and whether they were guessed from the description.
pub fn mammogram_view(set: &DisplaySet) -> Option<(Laterality, String, bool)> {
    if let (Some(side @ (Laterality::R | Laterality::L)), Some(view)) = (set.laterality, set.view.as_deref()) {
        return Some((side, view.trim().to_ascii_uppercase(), false));
    }
    guess(&set.label, set.laterality, set.view.as_deref())
}

/// From a description such as `R MLO`, `L-CC`, `RMLO`. Only whole words count.
fn guess(label: &str, side: Option<Laterality>, view: Option<&str>) -> Option<(Laterality, String, bool)> {
    let label = label.to_ascii_uppercase();
    let words: Vec<&str> = label.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let view_word = |w: &str| ["MLO", "CC", "ML", "LM"].contains(&w);
    let split = |w: &'_ str| -> Option<(Laterality, String)> {
        let side = match w.chars().next()? {
            'R' => Laterality::R,
            'L' => Laterality::L,
            _ => return None,
        };
        w.get(1..).filter(|rest| view_word(rest)).map(|rest| (side, rest.to_owned()))
    };
    let joined = words.iter().find_map(|w| if view_word(w) { None } else { split(w) });
    let side = side.filter(|s| *s != Laterality::B).or(joined.as_ref().map(|(s, _)| *s)).or_else(|| {
        match words.iter().find(|w| ["R", "L", "RIGHT", "LEFT"].contains(w)) {
            Some(w) if w.starts_with('R') => Some(Laterality::R),
            Some(_) => Some(Laterality::L),
            None => None,
        }
    });
    let view = view
        .map(|v| v.trim().to_ascii_uppercase())
        .or(joined.map(|(_, v)| v))
        .or_else(|| words.iter().find(|w| view_word(w)).map(|w| (*w).to_owned()));
    Some((side?, view?, true))
}

fn opposite(letter: char) -> char {
    match letter {
        'A' => 'P',
        'P' => 'A',
        'L' => 'R',
        'R' => 'L',
        'H' => 'F',
        'F' => 'H',
        other => other,
    }
}

/// What must point right and down (domain reference §2.2): chest walls meet in the middle, lateral side up
/// on CC, axilla up on the others.
fn wanted(side: Laterality, view: &str) -> [char; 2] {
    let right = if side == Laterality::R { 'P' } else { 'A' };
    let down = match (view.ends_with("CC") || view.starts_with("XCC") || view == "FB", side) {
        (true, Laterality::R) => 'L',
        (true, _) => 'R',
        (false, _) => 'F',
    };
    [right, down]
}

/// Lays a mammogram: the fewest flips and turns that bring the stored Patient Orientation (0020,0020) to the
/// wanted one; the chest wall flush with the inner edge.
pub fn lay(set: &DisplaySet, side: Laterality, view: &str) -> Laid {
    let justify = if side == Laterality::R { 1 } else { -1 };
    let as_stored = ViewPresentation { justify, ..ViewPresentation::default() };
    let stored = set.patient_orientation.as_ref().and_then(|[right, down]| {
        let letter = |s: &String| s.chars().next().map(|c| c.to_ascii_uppercase());
        Some([letter(right)?, letter(down)?])
    });
    let Some(stored) = stored else { return Laid { view: as_stored, assumed: true } };
    let goal = wanted(side, view);
    for quarter_turns in [0u8, 1, 2, 3] {
        for (flip_horizontal, flip_vertical) in [(false, false), (true, false), (false, true), (true, true)] {
            let [mut right, mut down] = stored;
            if flip_horizontal {
                right = opposite(right);
            }
            if flip_vertical {
                down = opposite(down);
            }
            for _ in 0..quarter_turns {
                // Clockwise: what pointed up points right, what pointed right points down.
                (right, down) = (opposite(down), right);
            }
            if [right, down] == goal {
                let view = ViewPresentation { quarter_turns, flip_horizontal, flip_vertical, ..as_stored };
                return Laid { view, assumed: false };
            }
        }
    }
    Laid { view: as_stored, assumed: true }
}

/// How a display set lies by itself, outside a hanging: mammograms as above, others as stored.
pub fn orientation_of(set: &DisplaySet) -> (ViewPresentation, bool) {
    match mammogram_view(set).filter(|_| set.modality == "MG") {
        Some((side, view, guessed)) => {
            let laid = lay(set, side, &view);
            (laid.view, laid.assumed || guessed)
        }
        None => (ViewPresentation::default(), set.modality == "MG"),
    }
}
