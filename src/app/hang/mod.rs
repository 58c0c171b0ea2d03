//! How an exam is laid out when it opens: steps by kind of exam (domain reference §2.2, ui reference §5).
//! Pure: display sets in, steps out; the same sets always give the same steps.

mod mammography;
mod orientation;

pub use orientation::{Laid, mammogram_view, orientation_of};

use super::presets::presets;
use crate::study::{DisplaySet, DisplaySetId, ExamKind, StudyUid, Voi};
use crate::viewport::{DataPresentation, Layout, ViewPresentation};
use std::sync::Arc;

/// What a step shows, for its name in `ui::text`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepName {
    /// The series of the exam, by page from 1.
    Series(u32),
    /// Current beside prior.
    WithPrior,
    /// Current and prior, soft tissue above lung window.
    WithPriorTwoWindows,
    /// One stack, soft tissue beside lung window.
    TwoWindows,
    /// Both MLO views.
    Mlo,
    /// Both CC views.
    Cc,
    /// CC above MLO.
    FourViews,
    /// Prior MLO above current.
    MloWithPrior,
    /// Prior CC above current.
    CcWithPrior,
    /// One mammogram at one screen pixel per image pixel, by number from 1.
    FullResolution(u32),
    /// Further mammograms.
    FurtherViews,
    /// Whole-body diffusion, all stations as one stack.
    WholeBody,
    /// Whole-body diffusion, by station from 1.
    Station(u32),
    /// Exposures side by side, by page from 1.
    Filmstrip(u32),
    /// A cine run, by number from 1.
    CineRun(u32),
}

/// One viewport of a step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hung {
    /// Its display set; `None` leaves it empty.
    pub set: Option<DisplaySetId>,
    /// The study it belongs to.
    pub study: Option<StudyUid>,
    /// First frame shown, from 0.
    pub position: usize,
    /// How it lies.
    pub view: ViewPresentation,
    /// How values become grey.
    pub data: DataPresentation,
    /// The orientation (or the view's name) is not stated in the object: assumed, to be marked on screen.
    pub assumed: bool,
    /// A view that belongs here but is not in the study, e.g. `RMLO`: told on screen, never passed over.
    pub missing: Option<String>,
}

/// One step of a hanging.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What it shows.
    pub name: StepName,
    /// Its grid.
    pub layout: Layout,
    /// Its viewports, row by row; as many as the grid has.
    pub views: Vec<Hung>,
}

/// A display set and its study.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// The study.
    pub study: &'a StudyUid,
    /// The display set.
    pub set: &'a Arc<DisplaySet>,
}

/// What is to be hung.
#[derive(Debug, Clone)]
pub struct Case<'a> {
    /// Kind of exam.
    pub kind: ExamKind,
    /// Display sets of the studies to read, in series order.
    pub current: Vec<Item<'a>>,
    /// Whole bodies of the studies to read: stations of `current`, each as one stack.
    pub bodies: Vec<Item<'a>>,
    /// Display sets of earlier studies, newest study first.
    pub priors: Vec<Item<'a>>,
    /// The chest is in the exam: a lung window is worth a viewport.
    pub chest: bool,
}

impl Hung {
    fn of(item: Item<'_>) -> Self {
        Self { set: Some(item.set.id.clone()), study: Some(item.study.clone()), ..Self::default() }
    }
    fn at(mut self, position: usize) -> Self {
        self.position = position;
        self
    }
    fn window(mut self, voi: Voi) -> Self {
        self.data.voi = Some(voi);
        self
    }
}

impl Step {
    /// Fills up with empty viewports, or cuts, to the grid's number.
    fn new(name: StepName, rows: u8, columns: u8, mut views: Vec<Hung>) -> Self {
        let layout = Layout::new(rows, columns);
        views.resize(layout.views().count(), Hung::default());
        Self { name, layout, views }
    }
}

/// The steps for an exam, the first to be shown first. At least one, if only an empty viewport.
pub fn hang(case: &Case<'_>) -> Vec<Step> {
    let mut steps = match case.kind {
        ExamKind::MMG => mammography::steps(case),
        ExamKind::CT => ct(case),
        ExamKind::DWIBS => dwibs(case),
        ExamKind::RF => fluoroscopy(case),
        ExamKind::CR => radiograph(case),
        ExamKind::MRI | ExamKind::US | ExamKind::PET | ExamKind::OTHER => general(case),
    };
    if steps.is_empty() {
        steps = pages(&case.current, StepName::Series);
    }
    if steps.is_empty() {
        steps.push(Step::new(StepName::Series(1), 1, 1, Vec::new()));
    }
    steps
}

/// Stacks worth a viewport of their own: localizers and single captures step back behind real stacks.
fn main_stacks<'a>(items: &[Item<'a>]) -> Vec<Item<'a>> {
    let most = items.iter().map(|i| i.set.frames.len()).max().unwrap_or(0);
    let least = if most >= 12 { (most / 10).clamp(4, 12) } else { 1 };
    items.iter().copied().filter(|i| i.set.frames.len() >= least).collect()
}

fn largest<'a>(items: &[Item<'a>]) -> Option<Item<'a>> {
    // `max_by_key` takes the last of equals; the first in series order is wanted.
    items.iter().rev().max_by_key(|i| i.set.frames.len()).copied()
}

/// The display set of an earlier study that is most like this one: same modality, plane, side, view and
/// b-value, with or without contrast medium like this one, then nearest slice distance, then the newer study. `None`
/// if none is comparable.
pub(super) fn matching_prior<'a>(item: Item<'_>, priors: &[Item<'a>]) -> Option<Item<'a>> {
    most_alike(item, priors).map(|(_, prior)| prior)
}

/// Contrast medium is stated for the set's frames.
fn enhanced(set: &DisplaySet) -> bool {
    set.info.first().is_some_and(|i| i.traits.contrast.is_some())
}

/// [`matching_prior`] with how far it is from alike, 0 if in nothing.
fn most_alike<'a>(item: Item<'_>, priors: &[Item<'a>]) -> Option<(i64, Item<'a>)> {
    let plane = |set: &DisplaySet| set.info.first().and_then(|i| i.plane);
    let score = |prior: &Item<'_>| -> Option<(i64, i64)> {
        let (a, b) = (item.set, prior.set);
        let same_plane = match (plane(a), plane(b)) {
            (Some(p), Some(q)) => p.parallel_to(&q) || p.normal().dot(q.normal()).abs() > 0.9,
            (None, None) => true,
            _ => false,
        };
        let comparable = a.modality == b.modality && same_plane && a.laterality == b.laterality && a.view == b.view;
        if !comparable || a.b_value.is_some() != b.b_value.is_some() {
            return None;
        }
        let b_value = (a.b_value.unwrap_or(0.0) - b.b_value.unwrap_or(0.0)).abs() as i64;
        let spacing = |s: &DisplaySet| s.slice_spacing_mm.unwrap_or(0.0);
        let spacing_off = ((spacing(a) - spacing(b)).abs() * 100.0) as i64;
        let label_off = i64::from(a.label != b.label);
        let stack_off = i64::from((a.frames.len() > 1) != (b.frames.len() > 1)) * 1000;
        let medium_off = i64::from(enhanced(a) != enhanced(b)) * 5000;
        Some((b_value + stack_off + medium_off + label_off * 50 + spacing_off, -(b.frames.len() as i64)))
    };
    // `min_by_key` takes the first of equals: the newest study.
    priors.iter().filter_map(|p| score(p).map(|s| (s, *p))).min_by_key(|(s, _)| *s).map(|((off, _), p)| (off, p))
}

/// The pair to begin with: of the large stacks (at least half of the largest) the one whose prior is most like it, so
/// that a plain phase does not stand beside an enhanced one where its like exists.
fn best_pair<'a>(stacks: &[Item<'a>], priors: &[Item<'a>]) -> Option<(Item<'a>, Item<'a>)> {
    let most = largest(stacks)?.set.frames.len();
    let pair = |i: &Item<'a>| most_alike(*i, priors).map(|(off, prior)| (off, *i, prior));
    let large = stacks.iter().filter(|i| i.set.frames.len() * 2 >= most);
    let best = large.filter_map(pair).min_by_key(|(off, i, _)| (*off, std::cmp::Reverse(i.set.frames.len())));
    // No large one has a prior: another may.
    let best = best.or_else(|| stacks.iter().find_map(pair));
    best.map(|(_, now, before)| (now, before))
}

/// Sets by fours (or fewer), in order.
fn pages(items: &[Item<'_>], name: impl Fn(u32) -> StepName) -> Vec<Step> {
    let grid = |n: usize| match n {
        1 => (1, 1),
        2 => (1, 2),
        _ => (2, 2),
    };
    items
        .chunks(4)
        .enumerate()
        .map(|(page, chunk)| {
            // All pages but a single one keep the same grid, so that nothing jumps.
            let (rows, columns) = if items.len() > 4 { (2, 2) } else { grid(chunk.len()) };
            Step::new(name(page as u32 + 1), rows, columns, chunk.iter().map(|i| Hung::of(*i)).collect())
        })
        .collect()
}

fn ct(case: &Case<'_>) -> Vec<Step> {
    let stacks = main_stacks(&case.current);
    let Some(first) = largest(&stacks) else { return Vec::new() };
    let [lung, soft] = [0, 1].map(|n| presets("CT").get(n).map(|p| p.voi(Voi::linear(0.0, 1.0))));
    let mut steps = Vec::new();
    if let Some((first, prior)) = best_pair(&stacks, &case.priors) {
        steps.push(Step::new(StepName::WithPrior, 1, 2, vec![Hung::of(first), Hung::of(prior)]));
        if let (true, Some(lung), Some(soft)) = (case.chest, lung, soft) {
            let rows = [soft, lung].iter().flat_map(|w| [first, prior].map(|i| Hung::of(i).window(*w))).collect();
            steps.push(Step::new(StepName::WithPriorTwoWindows, 2, 2, rows));
        }
    } else if let (true, 1, Some(lung), Some(soft)) = (case.chest, stacks.len(), lung, soft) {
        let views = [soft, lung].iter().map(|w| Hung::of(first).window(*w)).collect();
        steps.push(Step::new(StepName::TwoWindows, 1, 2, views));
    }
    if stacks.len() > 1 || steps.is_empty() {
        steps.extend(pages(&stacks, StepName::Series));
    }
    steps
}

/// MR, US, PET and others: by fours; with a prior, each matched stack beside its own.
fn general(case: &Case<'_>) -> Vec<Step> {
    let stacks = main_stacks(&case.current);
    let mut steps = pages(&stacks, StepName::Series);
    let pairs: Vec<_> = stacks.iter().filter_map(|i| matching_prior(*i, &case.priors).map(|p| (*i, p))).collect();
    for pair in pairs.chunks(2) {
        let rows = pair.len() as u8;
        let views = pair.iter().flat_map(|(now, before)| [Hung::of(*now), Hung::of(*before)]).collect();
        steps.push(Step::new(StepName::WithPrior, rows, 2, views));
    }
    steps
}

/// What of a whole-body diffusion exam a set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Diffusion {
    High,
    Low,
    Adc,
    T2,
    Other,
}

fn diffusion(set: &DisplaySet) -> Diffusion {
    let label = set.label.to_ascii_uppercase();
    let words: Vec<&str> = label.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    if words.contains(&"ADC") {
        return Diffusion::Adc;
    }
    match set.b_value {
        Some(b) if b >= 500.0 => Diffusion::High,
        Some(b) if b < 100.0 => Diffusion::Low,
        None if words.iter().any(|w| w.starts_with("T2") || *w == "STIR") => Diffusion::T2,
        Some(_) | None => Diffusion::Other,
    }
}

/// Middle of a stack along its normal, mm.
fn middle_mm(set: &DisplaySet) -> Option<f64> {
    set.info.get(set.info.len() / 2).and_then(|i| i.plane).map(|p| p.distance_along_normal())
}

/// The body's contrasts, high b first and inverted; `None` without high b.
fn whole_body(case: &Case<'_>) -> Option<Step> {
    // A body is what its first station is.
    let station = |body: &Item<'_>| {
        let first = body.set.detail.stations.first();
        case.current.iter().find(|i| Some(&i.set.id) == first).map(|i| diffusion(i.set))
    };
    let of = |what: Diffusion| case.bodies.iter().copied().find(|i| station(i) == Some(what));
    let high = of(Diffusion::High)?;
    let others = [Diffusion::Adc, Diffusion::T2, Diffusion::Low, Diffusion::Other].into_iter().filter_map(of);
    let one_window = |item: Item<'_>| {
        let mut hung = Hung::of(item);
        // One window for the whole stack: each station's own would make it jump from station to station.
        hung.data.voi = item.set.info.get(item.set.info.len() / 2).and_then(|i| i.voi.first().copied());
        hung
    };
    let mut views: Vec<Hung> = std::iter::once(high).chain(others).map(one_window).take(4).collect();
    views[0].data.invert = true;
    let (rows, columns) = if views.len() > 2 { (2, 2) } else { (1, views.len() as u8) };
    Some(Step::new(StepName::WholeBody, rows, columns, views))
}

/// High b (inverted, as such exams are read), ADC or T2, b = 0, and one more: the whole body, then station by station.
fn dwibs(case: &Case<'_>) -> Vec<Step> {
    let of = |what: Diffusion| case.current.iter().copied().filter(move |i| diffusion(i.set) == what);
    let nearest = |what: Diffusion, at: Option<f64>, number: usize| -> Option<Item<'_>> {
        let all: Vec<_> = of(what).collect();
        match at {
            Some(at) if all.iter().all(|i| middle_mm(i.set).is_some()) => all
                .into_iter()
                .map(|i| ((middle_mm(i.set).unwrap_or(f64::MAX) - at).abs(), i))
                .min_by(|a, b| a.0.total_cmp(&b.0))
                .map(|(_, i)| i),
            _ => all.get(number).copied(),
        }
    };
    let high: Vec<_> = of(Diffusion::High).collect();
    let mut steps: Vec<Step> = whole_body(case).into_iter().collect();
    for (number, item) in high.iter().enumerate() {
        let at = middle_mm(item.set);
        let mut first = Hung::of(*item);
        first.data.invert = true;
        let mut views = vec![first];
        for what in [Diffusion::Adc, Diffusion::T2, Diffusion::Low, Diffusion::Other] {
            views.extend(nearest(what, at, number).map(Hung::of));
        }
        views.truncate(4);
        let (rows, columns) = if views.len() > 2 { (2, 2) } else { (1, views.len() as u8) };
        steps.push(Step::new(StepName::Station(number as u32 + 1), rows, columns, views));
    }
    if steps.is_empty() { general(case) } else { steps }
}

/// Exposures side by side, then each cine run alone.
fn fluoroscopy(case: &Case<'_>) -> Vec<Step> {
    let one_instance = |set: &DisplaySet| {
        set.frames.len() > 1 && set.frames.windows(2).all(|pair| pair[0].instance == pair[1].instance)
    };
    let (runs, stills): (Vec<_>, Vec<_>) = case.current.iter().copied().partition(|i| one_instance(i.set));
    let frames: Vec<Hung> =
        stills.iter().flat_map(|i| (0..i.set.frames.len()).map(|place| Hung::of(*i).at(place))).collect();
    let mut steps: Vec<Step> = frames
        .chunks(8)
        .enumerate()
        .map(|(page, chunk)| {
            let name = StepName::Filmstrip(page as u32 + 1);
            if frames.len() == 1 {
                Step::new(name, 1, 1, chunk.to_vec())
            } else {
                Step::new(name, 2, 4, chunk.to_vec())
            }
        })
        .collect();
    for (number, run) in runs.iter().enumerate() {
        steps.push(Step::new(StepName::CineRun(number as u32 + 1), 1, 1, vec![Hung::of(*run)]));
    }
    steps
}

fn radiograph(case: &Case<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    let pairs: Vec<_> = case.current.iter().map(|i| (*i, matching_prior(*i, &case.priors))).collect();
    for (now, before) in &pairs {
        if let Some(before) = before {
            steps.push(Step::new(StepName::WithPrior, 1, 2, vec![Hung::of(*now), Hung::of(*before)]));
        }
    }
    if steps.len() < pairs.len() {
        steps.extend(pages(&case.current, StepName::Series));
    }
    steps
}

#[cfg(test)]
mod tests;
