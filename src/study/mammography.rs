//! Which pictures of a breast show the same view: exposure, synthetic picture and tomosynthesis of one compression.

use super::{DisplaySet, DisplaySetId, Laterality, MammogramKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How pictures of one view are known to belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RelatedBy {
    /// One frame of reference: taken in one compression, positions can be compared.
    FrameOfReference,
    /// Same side and view only: weaker, positions cannot be compared.
    ViewAndSide,
}

/// Pictures of one view of one breast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreastView {
    /// Side.
    pub side: Laterality,
    /// View with its modifiers: `MLO`, `CCID` …
    pub view: String,
    /// What ties them together.
    pub by: RelatedBy,
    /// The sets: exposures, then synthetic pictures, then tomosynthesis.
    pub members: Vec<(DisplaySetId, MammogramKind)>,
}

/// Views that are shown by more than one set. Sets of one frame of reference are told first; sets of the same view
/// and side with different or no frame of reference make another, weaker group. Pictures for processing are left out.
pub fn breast_views(sets: &[DisplaySet]) -> Vec<BreastView> {
    let mut views: BTreeMap<(Laterality, &str), Vec<&DisplaySet>> = BTreeMap::new();
    for set in sets {
        let readable = set.detail.mammogram.as_ref().is_some_and(|m| !m.for_processing);
        if let (true, Some(side), Some(view)) = (readable, set.laterality, set.view.as_deref()) {
            views.entry((side, view)).or_default().push(set);
        }
    }
    let mut out = Vec::new();
    for ((side, view), sets) in views {
        let mut references: BTreeMap<&str, Vec<&DisplaySet>> = BTreeMap::new();
        for set in &sets {
            if let Some(reference) = set.frame_of_reference.as_deref() {
                references.entry(reference).or_default().push(set);
            }
        }
        let one = |members: &[&DisplaySet], by| {
            let mut members: Vec<(DisplaySetId, MammogramKind)> = members
                .iter()
                .map(|s| (s.id.clone(), s.detail.mammogram.as_ref().map(|m| m.kind).unwrap_or_default()))
                .collect();
            members.sort_by_key(|(_, kind)| *kind);
            BreastView { side, view: view.to_owned(), by, members }
        };
        let whole = references.values().any(|members| members.len() == sets.len());
        out.extend(references.values().filter(|m| m.len() > 1).map(|m| one(m, RelatedBy::FrameOfReference)));
        if sets.len() > 1 && !whole {
            out.push(one(&sets, RelatedBy::ViewAndSide));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::grouping_tests::{series, slice};
    use super::super::{Mammogram, display_sets};
    use super::*;

    fn picture(number: i32, reference: Option<&str>, kind: MammogramKind) -> DisplaySet {
        let mut one = slice(number, 0.0);
        one.frame_of_reference = reference.map(Into::into);
        one.laterality = Some(Laterality::R);
        one.view = Some("MLO".into());
        one.traits.mammogram = Some(Box::new(Mammogram { kind, ..Mammogram::default() }));
        let mut set = display_sets(&series("MG", vec![one])).remove(0);
        set.id.index = number as u32;
        set
    }

    #[test]
    fn by_compression_else_by_view_and_side() {
        use MammogramKind::{Exposure, Synthetic, Tomosynthesis};
        let combo = [picture(1, Some("1.1"), Tomosynthesis), picture(2, Some("1.1"), Exposure)];
        let found = breast_views(&combo);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].by, RelatedBy::FrameOfReference);
        assert_eq!(found[0].members.iter().map(|m| m.1).collect::<Vec<_>>(), [Exposure, Tomosynthesis]);
        let [a, b] = combo;
        let found = breast_views(&[a, b, picture(3, Some("1.2"), Synthetic)]);
        assert_eq!(
            found.iter().map(|f| (f.by, f.members.len())).collect::<Vec<_>>(),
            [(RelatedBy::FrameOfReference, 2), (RelatedBy::ViewAndSide, 3)]
        );
        assert_eq!(
            breast_views(&[picture(1, None, Exposure), picture(2, None, Synthetic)])[0].by,
            RelatedBy::ViewAndSide
        );
        assert!(breast_views(&[picture(1, None, Exposure)]).is_empty());
    }
}
