//! Generated studies with known answers, written as valid DICOM. Nothing here comes from a living person.
//!
//! The body is a set of signed distance fields ([`field`], [`body`], [`organs`], [`bones`], [`anatomy`]) that are painted slice by
//! slice ([`canvas`]); trees of vessels and airways are grown ([`tree`]); noise is correlated and has a stated SD ([`noise`]).
//! Every number that a test may ask for is in [`Truth`], written as `truth.json` beside the files.
//! Same program, same base date: same bytes.

mod anatomy;
mod body;
mod bones;
mod canvas;
mod case;
mod cases;
mod ct;
mod field;
mod head;
mod mammo;
mod mammo_image;
mod mr;
mod noise;
mod organs;
mod radiograph;
mod stomach;
mod tissue;
mod tree;
mod truth;
mod vessels;
mod work;

use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};

pub use truth::{
    FacilityTruth, ImagePlace, PatientTruth, RegionTruth, RequestTruth, SeriesTruth, StudyTruth, TissueTruth, Truth,
    ValueTruth,
};
pub use work::Progress;
use work::Work;

/// Date of the current studies unless told otherwise.
pub const DEFAULT_BASE_DATE: Date = date(2026, 11, 20);

/// Why the studies could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be built or written.
    #[error(transparent)]
    Write(#[from] crate::dicom::write::Error),
    /// The truth file could not be written.
    #[error("cannot write {path}")]
    Truth {
        /// File.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// A worker thread ended before its work was done.
    #[error("a worker thread was lost")]
    Threads,
}

/// How much to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Clinical matrix and number of slices.
    Full,
    /// A quarter of the matrix and few slices: for tests.
    Small,
}

/// Writes all studies as a tree of DICOM files below `dir`, and `truth.json`.
pub fn write_demo(dir: &Path, progress: &dyn Fn(Progress)) -> Result<Truth, Error> {
    write(dir, DEFAULT_BASE_DATE, Scale::Full, progress)
}

/// Writes the small studies, in seconds even without optimisation.
pub fn small(dir: &Path) -> Result<Truth, Error> {
    write(dir, DEFAULT_BASE_DATE, Scale::Small, &|_| {})
}

/// Writes all studies at a scale; current studies carry the date `base`.
pub fn write(dir: &Path, base: Date, scale: Scale, progress: &dyn Fn(Progress)) -> Result<Truth, Error> {
    write_some(dir, base, scale, &|_| true, progress)
}

type Study = fn(&Path, Date, Scale, &Work) -> Result<StudyTruth, Error>;

/// Studies in the order of writing.
const STUDIES: &[(&str, Study)] = &[
    ("ct-current", ct::write_current),
    ("ct-prior", ct::write_prior),
    ("mmg-current", mammo::write_current),
    ("mmg-prior", mammo::write_prior),
    ("mr-brain", mr::write_brain),
    ("dwibs", mr::write_dwibs),
    ("rf-stomach", stomach::write),
    ("cr-chest", radiograph::write),
];

/// The studies' keys, in the order of writing.
pub fn keys() -> impl Iterator<Item = &'static str> {
    STUDIES.iter().map(|(key, _)| *key)
}

/// Writes the studies whose key (`ct-current`, …) is wanted, and a truth of these.
pub fn write_some(
    dir: &Path,
    base: Date,
    scale: Scale,
    wanted: &dyn Fn(&str) -> bool,
    progress: &dyn Fn(Progress),
) -> Result<Truth, Error> {
    let mut studies = Vec::new();
    for (key, study) in STUDIES.iter().filter(|(key, _)| wanted(key)) {
        studies.push(study(dir, base, scale, &Work::new(key, progress))?);
    }
    let truth = Truth { base_date: base, studies };
    let path = dir.join("truth.json");
    let json = serde_json::to_vec_pretty(&truth).map_err(|e| Error::Truth { path: path.clone(), source: e.into() })?;
    std::fs::write(&path, json).map_err(|source| Error::Truth { path, source })?;
    Ok(truth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(dir: &Path) -> usize {
        std::fs::read_dir(dir).map_or(0, |entries| {
            entries
                .flatten()
                .map(|e| {
                    if e.path().is_dir() {
                        files(&e.path())
                    } else {
                        usize::from(e.path().extension().is_some_and(|x| x == "dcm"))
                    }
                })
                .sum()
        })
    }

    #[test]
    fn the_small_demonstration_is_complete_and_repeats_itself() {
        let (a, b) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
        let truth = small(a.path()).expect("written");
        let kinds: Vec<&str> = truth.studies.iter().map(|s| s.exam_kind.as_str()).collect();
        for kind in ["CT", "MRI", "MMG", "DWIBS", "RF", "CR"] {
            assert!(kinds.contains(&kind), "{kind}");
        }
        assert_eq!(files(a.path()), truth.studies.iter().flat_map(|s| &s.series).map(|s| s.instances).sum::<usize>());
        for study in &truth.studies {
            for series in &study.series {
                assert_eq!(files(&a.path().join(&series.folder)), series.instances, "{}", series.folder);
            }
            if let Some(current) = &study.prior_of {
                let current =
                    truth.studies.iter().find(|s| s.study_uid == *current).expect("the current study is there");
                assert_eq!(current.patient.patient_id, study.patient.patient_id);
                assert!(current.study_date > study.study_date && current.request.comparison);
            }
        }
        let read: Truth =
            serde_json::from_slice(&std::fs::read(a.path().join("truth.json")).expect("truth")).expect("reads");
        assert_eq!(read, truth);
        // Each study by itself and in another order, to the byte. (Not held to a digest: sine and logarithm are the
        // platform's own, and may differ in the last bit.)
        for key in keys().collect::<Vec<_>>().into_iter().rev() {
            write_some(b.path(), DEFAULT_BASE_DATE, Scale::Small, &|k| k == key, &|_| {}).expect("written");
        }
        for series in truth.studies.iter().flat_map(|s| &s.series) {
            for n in 1..=series.instances {
                let file = format!("{}/IM{n:05}.dcm", series.folder);
                let read = |root: &Path| std::fs::read(root.join(&file)).expect("written");
                assert!(read(a.path()) == read(b.path()), "{file}");
            }
        }
    }
}
