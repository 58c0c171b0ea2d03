//! Local files and folders → studies, with every regular file accounted for: shown, or listed with the reason.

use super::decode::DecodeError;
use super::local_file::LocalFile;
use super::media::{Index, Indexed};
use super::metadata::{Tree, project, seed_of};
use super::read::Header;
use super::{archive, image, media};
use crate::study::{FrameIndex, NotShown, Study, Why};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a file turned out to be.
#[derive(Debug)]
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
    /// A ZIP archive: its members are files of their own.
    Archive,
    /// The index of a medium (DICOMDIR).
    Index(Index),
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
    pub file: LocalFile,
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
    /// Regular files met; members of ZIP archives in place of the archives, and what an index names but is not there.
    pub files_seen: usize,
    /// Files that are shown.
    pub files_shown: usize,
    /// The others, each with its reason; `what` is the path.
    pub not_shown: Vec<NotShown>,
}

/// From here on files are opened one at a time.
const HEAVY_BYTES: usize = 64 << 20;
/// From here on headers are read one at a time: beside them other files' headers and pictures are held.
const HEAVY_HEADER_BYTES: usize = 8 << 20;

/// Opens one file: header, and for compressed or doubtful pixel data the first frame as a proof.
///
/// With `prove` false the pixel data are looked at from outside only (there, decodable, long enough).
pub fn check_file(file: &LocalFile, prove: bool) -> Checked {
    check(file, prove, &Mutex::new(()))
}

/// `heavy` is held while much memory is taken, so that several large files are not open at once.
fn check(file: &LocalFile, prove: bool, heavy: &Mutex<()>) -> Checked {
    let mut held = None;
    let header = file.header_told(&mut |bytes| {
        if bytes > HEAVY_HEADER_BYTES {
            held.get_or_insert_with(|| hold(heavy));
        }
    });
    let header = match header {
        Ok(header) => header,
        Err(_) if file.member().is_none() && archive::is_archive(file.path()) => return Checked::Archive,
        Err(error) => return Checked::Unreadable { reason: error.to_string() },
    };
    if let Some(index) = media::index(&header) {
        return Checked::Index(index);
    }
    let warnings = header.warnings();
    let mut projection = match project(&header, Some(seed_of(&file.to_string()))) {
        Ok(projection) => projection,
        Err(error) => return Checked::Other { projection: None, reason: error.to_string() },
    };
    let stated = projection.series.iter().flat_map(|s| &s.instances).find_map(|i| i.not_an_image.clone());
    let outcome = match stated {
        Some(reason) => Err(reason),
        None => frames_there(file, &header, prove, || {
            held.get_or_insert_with(|| hold(heavy));
        }),
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

fn hold(heavy: &Mutex<()>) -> MutexGuard<'_, ()> {
    heavy.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many frames the object really holds; the reason if none can be shown. `alone` waits for the right to take much
/// memory.
fn frames_there(
    file: &LocalFile,
    header: &Header,
    prove: bool,
    alone: impl FnOnce(),
) -> Result<(u32, Vec<String>), String> {
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
    if !light {
        alone();
    }
    let object = file.object().map_err(|e| e.to_string())?;
    let frames = object.frame_count().map_err(text)?;
    let first = object.frame(FrameIndex(0)).map_err(text)?;
    Ok((u32::try_from(frames).unwrap_or(u32::MAX), first.warnings.iter().map(ToString::to_string).collect()))
}

/// Opens every regular file under the paths (folders are walked, links to files followed, sorted by name). Members of
/// ZIP archives count as files; a DICOMDIR brings the files that it names. Never fails as a whole: a path that does not
/// exist is listed as well.
pub fn open_tree(paths: &[PathBuf], prove: bool) -> LocalTree {
    let (files, not_shown) = regular_files(paths);
    let known = files.iter().cloned().collect();
    let mut gather = Gather { out: LocalTree { not_shown, ..LocalTree::default() }, known, ..Gather::default() };
    gather.out.files_seen = gather.out.not_shown.len();
    // First the files themselves, then what archives and indexes among them bring; archives within archives stay shut.
    let mut wave: Vec<LocalFile> = files.into_iter().map(LocalFile::from).collect();
    while !wave.is_empty() {
        gather.out.files_seen += wave.len();
        // In batches, so that only the gathered projections are kept.
        for batch in wave.chunks(4096) {
            for (file, checked) in batch.iter().zip(check_all(batch, prove)) {
                gather.take(file, checked);
            }
        }
        wave = std::mem::take(&mut gather.next);
    }
    gather.finish()
}

/// What has been found so far.
#[derive(Default)]
struct Gather {
    tree: Tree,
    out: LocalTree,
    /// Files on the disk that are looked at.
    known: BTreeSet<PathBuf>,
    /// What was found to be looked at next.
    next: Vec<LocalFile>,
    /// Folded names of the members of archives, by archive.
    members: BTreeMap<PathBuf, HashSet<String>>,
    /// Indexes, and where the files are that they name; of an index in an archive, nothing.
    indexes: Vec<(LocalFile, Index, Vec<Option<PathBuf>>)>,
    finder: media::Finder,
}

impl Gather {
    fn list(&mut self, what: String, reason: impl Into<String>) {
        self.out.not_shown.push(NotShown { what, reason: reason.into() });
    }

    fn take(&mut self, file: &LocalFile, checked: Checked) {
        match checked {
            Checked::Unreadable { reason } => self.list(file.to_string(), reason),
            Checked::Archive => self.archive(file),
            Checked::Index(index) => self.index(file, index),
            Checked::Other { projection, reason } => {
                if let Some(projection) = projection
                    && self.tree.misfit(&projection).is_none()
                {
                    let uid = uid_of(&projection);
                    if self.tree.add(*projection) {
                        self.out.objects.insert(uid, Found { file: file.clone(), warnings: Vec::new() });
                    }
                }
                self.list(file.to_string(), reason);
            }
            Checked::Image { projection, warnings } => {
                let uid = uid_of(&projection);
                if let Some(reason) = self.tree.misfit(&projection) {
                    self.list(file.to_string(), reason);
                } else if self.tree.add_shown(*projection) {
                    self.out.files_shown += 1;
                    self.out.objects.remove(&uid);
                    self.out.files.insert(uid, Found { file: file.clone(), warnings });
                } else {
                    let first = self.out.files.get(&uid).map(|f| f.file.to_string()).unwrap_or_default();
                    self.list(file.to_string(), Why::SameInstance.with(first));
                }
            }
        }
    }

    /// The members take the archive's place.
    fn archive(&mut self, file: &LocalFile) {
        match archive::contents(file.path()) {
            Ok(contents) if contents.members.is_empty() && contents.refused.is_empty() => {
                self.list(file.to_string(), Why::EmptyArchive.sentence());
            }
            Ok(contents) => {
                let names = contents.members.iter().filter_map(|m| m.member().map(media::folded_member)).collect();
                self.members.insert(file.path().to_owned(), names);
                // The archive itself is no file of its own any more.
                self.out.files_seen = self.out.files_seen + contents.refused.len() - 1;
                self.out.not_shown.extend(contents.refused);
                self.next.extend(contents.members);
            }
            Err(reason) => self.list(file.to_string(), reason),
        }
    }

    /// Looks where the files are that an index on the disk names; those not met yet are looked at next.
    fn index(&mut self, file: &LocalFile, index: Index) {
        let mut places = Vec::new();
        if file.member().is_none() {
            let folder = file.path().parent().unwrap_or(Path::new("."));
            places = index.files.iter().map(|named| self.finder.find(folder, named)).collect();
            for found in places.iter().flatten() {
                if self.known.insert(found.clone()) {
                    self.next.push(found.clone().into());
                }
            }
        }
        self.indexes.push((file.clone(), index, places));
    }

    fn finish(mut self) -> LocalTree {
        for (file, index, places) in std::mem::take(&mut self.indexes) {
            let place = |n: usize| places.get(n).and_then(Option::as_deref);
            let missing: Vec<String> = (0..)
                .zip(&index.files)
                .filter(|(n, named)| place(*n).is_none() && !self.is_member(&file, named))
                .map(|(_, named)| named.components.join("/"))
                .collect();
            let mut parts = vec![format!("{} files named", index.files.len())];
            if !missing.is_empty() {
                parts.push(format!("{} of them missing", missing.len()));
            }
            let others = (0..).zip(&index.files).filter(|(n, named)| self.is_another(place(*n), named)).count();
            if others > 0 {
                parts.push(format!("{others} of them hold another object than it says"));
            }
            parts.extend(index.faults);
            self.list(file.to_string(), Why::Index.with(parts.join(", ")));
            self.out.files_seen += missing.len();
            for name in missing {
                self.list(format!("{file}: {name}"), Why::IndexedMissing.sentence());
            }
        }
        self.out.studies = self.tree.finish();
        self.out
    }

    /// Whether an index in an archive names a member that is there.
    fn is_member(&self, index: &LocalFile, named: &Indexed) -> bool {
        let names = index.member().and_then(|own| Some((own, self.members.get(index.path())?)));
        names.is_some_and(|(own, names)| names.contains(&media::indexed_member(own, named)))
    }

    /// Whether the object that the index names was found, but in another file.
    fn is_another(&self, place: Option<&Path>, named: &Indexed) -> bool {
        let Some(uid) = &named.instance else { return false };
        let Some(found) = self.out.files.get(uid).or_else(|| self.out.objects.get(uid)) else { return false };
        place.is_some_and(|path| path != found.file.path())
    }
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
                    lost.push(NotShown { what, reason: Why::Unreadable.with(error) });
                }
            }
        }
    }
    (files, lost)
}

/// Checks files on all processors; answers in the files' order.
fn check_all(files: &[LocalFile], prove: bool) -> Vec<Checked> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(4).min(files.len().max(1));
    let next = AtomicUsize::new(0);
    let heavy = Mutex::new(());
    let results: Mutex<Vec<(usize, Checked)>> = Mutex::new(Vec::with_capacity(files.len()));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(index) else { break };
                    let checked = check(file, prove, &heavy);
                    results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, checked));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, checked)| checked).collect()
}
