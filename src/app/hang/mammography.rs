//! Mammograms back to back: right breast on the viewer's left, chest walls together (domain reference §2.2).

use super::{Case, Hung, Item, Step, StepName, orientation};
use crate::study::Laterality;
use crate::viewport::Zoom;

struct Mammogram<'a> {
    item: Item<'a>,
    side: Laterality,
    view: String,
    guessed: bool,
}

fn named<'a>(items: &[Item<'a>]) -> Vec<Mammogram<'a>> {
    items
        .iter()
        .filter_map(|item| {
            let (side, view, guessed) = orientation::mammogram_view(item.set)?;
            Some(Mammogram { item: *item, side, view, guessed })
        })
        .collect()
}

fn hung(mammogram: &Mammogram<'_>) -> Hung {
    let laid = orientation::lay(mammogram.item.set, mammogram.side, &mammogram.view);
    Hung { view: laid.view, assumed: laid.assumed || mammogram.guessed, ..Hung::of(mammogram.item) }
}

/// The view of a side; a view that is not there leaves an empty place that says so.
fn place(all: &[Mammogram<'_>], side: Laterality, view: &str) -> Hung {
    all.iter()
        .find(|m| m.side == side && m.view == view)
        .map_or_else(|| Hung { missing: Some(format!("{side:?}{view}")), ..Hung::default() }, hung)
}

fn pair(all: &[Mammogram<'_>], view: &str) -> Vec<Hung> {
    vec![place(all, Laterality::R, view), place(all, Laterality::L, view)]
}

pub(super) fn steps(case: &Case<'_>) -> Vec<Step> {
    let current = named(&case.current);
    if current.is_empty() {
        return Vec::new();
    }
    // The newest study that has mammograms, not a mixture of several.
    let newest = case.priors.iter().find(|i| orientation::mammogram_view(i.set).is_some()).map(|i| i.study);
    let of_newest: Vec<Item<'_>> = case.priors.iter().copied().filter(|i| Some(i.study) == newest).collect();
    let prior = named(&of_newest);
    let has = |all: &[Mammogram<'_>], view: &str| all.iter().any(|m| m.view == view);
    let (mlo, cc) = (has(&current, "MLO"), has(&current, "CC"));
    let mut steps = Vec::new();
    if mlo {
        steps.push(Step::new(StepName::Mlo, 1, 2, pair(&current, "MLO")));
    }
    if cc {
        steps.push(Step::new(StepName::Cc, 1, 2, pair(&current, "CC")));
    }
    if mlo && cc {
        let views = [pair(&current, "CC"), pair(&current, "MLO")].concat();
        steps.push(Step::new(StepName::FourViews, 2, 2, views));
    }
    for (view, name) in [("MLO", StepName::MloWithPrior), ("CC", StepName::CcWithPrior)] {
        if has(&current, view) && has(&prior, view) {
            let views = [pair(&prior, view), pair(&current, view)].concat();
            steps.push(Step::new(name, 2, 2, views));
        }
    }
    let standard = [(Laterality::R, "MLO"), (Laterality::L, "MLO"), (Laterality::R, "CC"), (Laterality::L, "CC")];
    let mut number = 0;
    for (side, view) in standard {
        let there = place(&current, side, view);
        if there.set.is_some() {
            number += 1;
            let mut one = there;
            one.view.zoom = Zoom::PixelScale(1.0);
            steps.push(Step::new(StepName::FullResolution(number), 1, 1, vec![one]));
        }
    }
    // Whatever no step has shown yet: further views, second exposures, captures.
    let shown: Vec<_> = steps.iter().flat_map(|s| s.views.iter().filter_map(|v| v.set.clone())).collect();
    let further: Vec<Hung> = case
        .current
        .iter()
        .filter(|i| !shown.contains(&i.set.id))
        .map(|i| {
            let as_mammogram = current.iter().find(|m| m.item.set.id == i.set.id);
            as_mammogram.map_or_else(|| Hung { assumed: true, ..Hung::of(*i) }, hung)
        })
        .collect();
    for chunk in further.chunks(4) {
        let (rows, columns) = if chunk.len() > 2 { (2, 2) } else { (1, chunk.len() as u8) };
        steps.push(Step::new(StepName::FurtherViews, rows, columns, chunk.to_vec()));
    }
    steps
}
