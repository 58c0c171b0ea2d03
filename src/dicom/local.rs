//! Local files and folders → studies, with every regular file accounted for: shown, or listed with the reason.

use super::decode::{DecodeError, Object};
use super::image;
use super::metadata::{Tree, project, seed_of};
use super::read::Header;
use crate::study::{FrameIndex, NotShown, Study};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Checked {
    /// A picture: its projection and what was odd.
    Image {
        /// One study with one series with one instance.
        projection: Box<Study>,
        /// Oddities for the reader.
        warnings: Vec<String>,
    },
    /// DICOM, but nothing to show as a picture.
    Other {
        /// As above, where the object has identifiers.
        projection: Option<Box<Study>>,
        /// Why it is not shown.
        reason: String,
    },
    /// No DICOM, or not readable.
    Unreadable {
        /// Why.
        reason: String,
    },
}

/// An instance's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it lies.
    pub path: PathBuf,
    /// Oddities met while opening it.
    pub warnings: Vec<String>,
}

/// What a tree of files holds.
#[derive(Debug, Default)]
pub struct LocalTree {
    /// Studies with all instances found, pictures or not.
    pub studies: Vec<Study>,
    /// File of each shown instance, by SOP Instance UID.
    pub files: BTreeMap<String, Found>,
    /// File of each object without a picture, by SOP Instance UID; each is among the not shown as well.
    pub objects: BTreeMap<String, Found>,
    /// Regular files met.
    pub files_seen: usize,
    /// Files that are shown.
    pub files_shown: usize,
    /// The others, each with its reason; `what` is the path.
    pub not_shown: Vec<NotShown>,
}

/// From here on files are opened one at a time.
const HEAVY_BYTES: usize = 64 << 20;

/// Opens one file: header, and for compressed or doubtful pixel data the first frame as a proof.
///
/// With `prove` false the pixel data are looked at from outside only (there, decodable, long enough).
pub fn check_file(path: &Path, prove: bool) -> Checked {
    check(path, prove, &Mutex::new(()))
}

/// `heavy` is held while much memory is taken, so that several large files are not open at once.
fn check(path: &Path, prove: bool, heavy: &Mutex<()>) -> Checked {
    let header = match Header::read(path) {
        Ok(header) => header,
        Err(error) => return Checked::Unreadable { reason: error.to_string() },
    };
    let warnings = header.warnings();
    let mut projection = match project(&header, Some(seed_of(&path.to_string_lossy()))) {
        Ok(projection) => projection,
        Err(error) => return Checked::Other { projection: None, reason: error.to_string() },
    };
    let stated = projection.series.iter().flat_map(|s| &s.instances).find_map(|i| i.not_an_image.clone());
    let outcome = match stated {
        Some(reason) => Err(reason),
        None => frames_there(path, &header, prove, heavy),
    };
    match outcome {
        Ok((frames, mut more)) => {
            for instance in projection.series.iter_mut().flat_map(|s| &mut s.instances) {
                if frames < instance.frames {
                    more.push(format!("{} frames are declared, {frames} are there", instance.frames));
                    instance.frames = frames;
                }
            }
            let mut warnings = warnings;
            warnings.extend(more);
            Checked::Image { projection: Box::new(projection), warnings }
        }
        Err(reason) => {
            for instance in projection.series.iter_mut().flat_map(|s| &mut s.instances) {
                instance.not_an_image.get_or_insert_with(|| reason.clone());
            }
            Checked::Other { projection: Some(Box::new(projection)), reason }
        }
    }
}

/// How many frames the object really holds; the reason if none can be shown.
fn frames_there(path: &Path, header: &Header, prove: bool, heavy: &Mutex<()>) -> Result<(u32, Vec<String>), String> {
    let text = |error: DecodeError| error.to_string();
    let outline = image::image(header).map_err(text)?;
    if let Some(whole) = image::native_frames(header, &outline)
        && whole >= outline.declared_frames
    {
        return Ok((outline.declared_frames, Vec::new()));
    }
    if !prove {
        image::decodable(header).map_err(text)?;
        return Ok((outline.declared_frames, Vec::new()));
    }
    // A codec takes up to 8 bytes a sample; what a deflated object opens to is not known.
    let samples = u64::from(outline.rows) * u64::from(outline.columns) * u64::from(outline.samples);
    let light = header.total < HEAVY_BYTES && samples < HEAVY_BYTES as u64 / 8;
    let _held = (!light).then(|| heavy.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    let object = Object::read(path).map_err(|e| e.to_string())?;
    let frames = object.frame_count().map_err(text)?;
    let first = object.frame(FrameIndex(0)).map_err(text)?;
    Ok((u32::try_from(frames).unwrap_or(u32::MAX), first.warnings))
}

/// Opens every regular file under the paths (folders are walked, links to files followed, sorted by name).
/// Never fails as a whole: a path that does not exist is listed as well.
pub fn open_tree(paths: &[PathBuf], prove: bool) -> LocalTree {
    let (files, mut not_shown) = regular_files(paths);
    let mut tree = Tree::default();
    let mut out = LocalTree { files_seen: files.len() + not_shown.len(), ..LocalTree::default() };
    // In batches, so that only the gathered projections are kept.
    for batch in files.chunks(4096) {
        for (path, checked) in batch.iter().zip(check_all(batch, prove)) {
            let what = path.display().to_string();
            match checked {
                Checked::Unreadable { reason } => not_shown.push(NotShown { what, reason }),
                Checked::Other { projection, reason } => {
                    if let Some(projection) = projection
                        && tree.misfit(&projection).is_none()
                    {
                        let uid = uid_of(&projection);
                        if tree.add(*projection) {
                            out.objects.insert(uid, Found { path: path.clone(), warnings: Vec::new() });
                        }
                    }
                    not_shown.push(NotShown { what, reason });
                }
                Checked::Image { projection, warnings } => {
                    let uid = uid_of(&projection);
                    if let Some(reason) = tree.misfit(&projection) {
                        not_shown.push(NotShown { what, reason: reason.to_owned() });
                    } else if tree.add_shown(*projection) {
                        out.files_shown += 1;
                        out.objects.remove(&uid);
                        out.files.insert(uid, Found { path: path.clone(), warnings });
                    } else {
                        let first = out.files.get(&uid).map(|f| f.path.display().to_string()).unwrap_or_default();
                        not_shown.push(NotShown { what, reason: format!("the same SOP Instance UID as {first}") });
                    }
                }
            }
        }
    }
    out.studies = tree.finish();
    out.not_shown = not_shown;
    out
}

/// SOP Instance UID of a projection, which has one instance.
fn uid_of(projection: &Study) -> String {
    let instances = projection.series.iter().flat_map(|s| &s.instances);
    instances.map(|i| i.uid.to_string()).next().unwrap_or_default()
}

fn regular_files(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<NotShown>) {
    let (mut files, mut lost) = (Vec::new(), Vec::new());
    for path in paths {
        for entry in walkdir::WalkDir::new(path).follow_links(true).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() => files.push(entry.into_path()),
                Ok(_) => {}
                Err(error) => {
                    let what = error.path().unwrap_or(path).display().to_string();
                    lost.push(NotShown { what, reason: format!("cannot be read: {error}") });
                }
            }
        }
    }
    (files, lost)
}

/// Checks files on all processors; answers in the files' order.
fn check_all(files: &[PathBuf], prove: bool) -> Vec<Checked> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(4).min(files.len().max(1));
    let next = AtomicUsize::new(0);
    let heavy = Mutex::new(());
    let results: Mutex<Vec<(usize, Checked)>> = Mutex::new(Vec::with_capacity(files.len()));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(path) = files.get(index) else { break };
                    let checked = check(path, prove, &heavy);
                    results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, checked));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, checked)| checked).collect()
}
