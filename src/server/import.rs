//! `import`: any tree of files into the archive, and one assignment per study unless told otherwise.

use super::assign::{self, AssignmentRequest};
use super::error::Error;
use super::intake::{self, Taken, Understood};
use super::state::Center;
use crate::dicom::MAX_OBJECT_BYTES;
use crate::study::{Study, StudyUid};
use crate::worklist::{Archive, ArchiveAuth, StudyToRead};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Files per transaction.
const BATCH: usize = 32;

/// What is wanted beside the images.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Reader of the assignments; `None` makes none.
    pub reader: Option<String>,
    /// The images lie in another archive (root and name of the credentials): nothing is stored here, only assignments are made.
    pub archive: Option<(String, String)>,
}

/// A file that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedFile {
    /// Which.
    pub path: PathBuf,
    /// Why, for people.
    pub reason: String,
}

/// What an import did.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Regular files looked at.
    pub files: usize,
    /// Taken for the first time.
    pub new: usize,
    /// There already.
    pub known: usize,
    /// Not taken.
    pub refused: Vec<RefusedFile>,
    /// Studies met, with instances taken or known.
    pub studies: BTreeMap<StudyUid, usize>,
    /// New assignments, by id.
    pub assignments: Vec<String>,
    /// Studies that an assignment named already.
    pub assigned_before: Vec<StudyUid>,
}

/// Imports files and folders. `progress` is told the number of files done. Blocks.
pub fn import(
    center: &Center,
    paths: &[PathBuf],
    options: &Options,
    progress: &mut dyn FnMut(usize),
) -> Result<Report, Error> {
    let mut report = Report::default();
    let mut elsewhere: BTreeMap<StudyUid, Elsewhere> = BTreeMap::new();
    let mut batch: Vec<(PathBuf, Understood)> = Vec::new();
    let mut staging = center.files().stage()?;
    for path in files(paths, &mut report) {
        report.files += 1;
        progress(report.files);
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(reason) => {
                report.refused.push(RefusedFile { path, reason });
                continue;
            }
        };
        let size = bytes.len() as u64;
        match intake::understand(&staging, &format!("{}.dcm", report.files), bytes)? {
            Err(refused) => report.refused.push(RefusedFile { path, reason: refused.to_string() }),
            Ok(object) if options.archive.is_some() => {
                // Only its identity counts; the next file takes its place in the staging folder.
                Elsewhere::add(&mut elsewhere, object.study, size, &mut report);
                drop(std::mem::replace(&mut staging, center.files().stage()?));
            }
            Ok(object) => batch.push((path, object)),
        }
        if batch.len() >= BATCH {
            keep(center, std::mem::take(&mut batch), &mut report)?;
            // What was known or refused stays behind in the old folder and goes with it.
            drop(std::mem::replace(&mut staging, center.files().stage()?));
        }
    }
    keep(center, batch, &mut report)?;
    drop(staging);
    make_assignments(center, options, &elsewhere, &mut report)?;
    Ok(report)
}

fn files(paths: &[PathBuf], report: &mut Report) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut seen = BTreeSet::new();
    for path in paths {
        for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() => {
                    let path = entry.into_path();
                    if seen.insert(path.clone()) {
                        out.push(path);
                    }
                }
                Ok(_) => {}
                Err(error) => report.refused.push(RefusedFile {
                    path: error.path().map_or_else(|| path.clone(), Path::to_path_buf),
                    reason: error.to_string(),
                }),
            }
        }
    }
    out
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > MAX_OBJECT_BYTES {
        return Err(format!("larger than {MAX_OBJECT_BYTES} bytes"));
    }
    std::fs::read(path).map_err(|e| e.to_string())
}

fn keep(center: &Center, batch: Vec<(PathBuf, Understood)>, report: &mut Report) -> Result<(), Error> {
    if batch.is_empty() {
        return Ok(());
    }
    let results = center.db().write_now(|t| {
        batch.iter().map(|(_, object)| intake::keep(t, center, object)).collect::<Result<Vec<_>, Error>>()
    })?;
    for ((path, object), result) in batch.into_iter().zip(results) {
        match result {
            Ok(taken) => {
                match taken {
                    Taken::New => report.new += 1,
                    Taken::Known => report.known += 1,
                }
                // By its study, not by its path: folders are named after patients.
                for warning in &object.warnings {
                    tracing::debug!(study = object.study.uid.as_str(), %warning, "taken with a warning");
                }
                *report.studies.entry(object.study.uid).or_default() += 1;
            }
            Err(refused) => report.refused.push(RefusedFile { path, reason: refused.to_string() }),
        }
    }
    Ok(())
}

/// A study that lies in another archive, as its files describe it.
struct Elsewhere {
    study: Study,
    series: BTreeSet<String>,
    instances: BTreeSet<String>,
    modalities: BTreeSet<String>,
    bytes: u64,
}

impl Elsewhere {
    fn add(all: &mut BTreeMap<StudyUid, Self>, study: Study, bytes: u64, report: &mut Report) {
        let held = all.entry(study.uid.clone()).or_insert_with(|| Self {
            study: study.clone(),
            series: BTreeSet::new(),
            instances: BTreeSet::new(),
            modalities: BTreeSet::new(),
            bytes: 0,
        });
        for series in &study.series {
            held.series.insert(series.uid.to_string());
            held.modalities.insert(series.modality.clone());
            for instance in &series.instances {
                if held.instances.insert(instance.uid.to_string()) {
                    held.bytes += bytes;
                    report.new += 1;
                    *report.studies.entry(study.uid.clone()).or_default() += 1;
                } else {
                    report.known += 1;
                }
            }
        }
    }

    fn to_read(&self, root: &str, credentials: &str) -> StudyToRead {
        StudyToRead {
            study_uid: self.study.uid.clone(),
            archive: Archive {
                root: root.trim_end_matches('/').to_owned(),
                auth: ArchiveAuth::Named,
                credentials: Some(credentials.to_owned()),
            },
            modalities: self.modalities.iter().cloned().collect(),
            date: self.study.date,
            description: self.study.description.clone(),
            series: self.series.len() as u64,
            instances: self.instances.len() as u64,
            bytes: self.bytes,
        }
    }
}

fn make_assignments(
    center: &Center,
    options: &Options,
    elsewhere: &BTreeMap<StudyUid, Elsewhere>,
    report: &mut Report,
) -> Result<(), Error> {
    let Some(reader) = &options.reader else { return Ok(()) };
    for study in report.studies.keys().cloned().collect::<Vec<_>>() {
        if center.db().read_now(|t| assign::is_assigned(t, &study))? {
            report.assigned_before.push(study);
            continue;
        }
        let request = match (&options.archive, elsewhere.get(&study)) {
            (Some((root, credentials)), Some(described)) => AssignmentRequest {
                studies: vec![described.to_read(root, credentials)],
                patient: Some(described.study.patient.clone()),
                ..AssignmentRequest::for_studies(reader, Vec::new())
            },
            _ => AssignmentRequest::for_studies(reader, vec![study]),
        };
        report.assignments.push(assign::assign(center, &request)?.id);
    }
    Ok(())
}
