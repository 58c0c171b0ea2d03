//! DICOMDIR (PS3.3 F, PS3.10 8): which files the index of a medium names, and whether its offsets hold together.

use super::dataset::{Value, View};
use super::read::Header;
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// SOP class of a DICOMDIR.
const DIRECTORY: &str = "1.2.840.10008.1.3.10";
/// Most records that are read.
const MOST_RECORDS: usize = 2_000_000;

/// A file that the index names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indexed {
    /// Referenced File ID (0004,1500), its components.
    pub(super) components: Vec<String>,
    /// Referenced SOP Instance UID in File (0004,1511).
    pub(super) instance: Option<String>,
}

/// What an index says.
#[derive(Debug, Default)]
pub struct Index {
    pub(super) files: Vec<Indexed>,
    /// What is wrong with its offsets and names.
    pub(super) faults: Vec<String>,
}

/// Reads the index; `None` if the object is none.
pub(super) fn index(header: &Header) -> Option<Index> {
    let view = header.view();
    if header.sop_class() != DIRECTORY && !view.has(tags::DIRECTORY_RECORD_SEQUENCE) {
        return None;
    }
    let mut out = Index::default();
    let mut records: Vec<(u64, View<'_>)> = Vec::new();
    for item in view.items(tags::DIRECTORY_RECORD_SEQUENCE).take(MOST_RECORDS) {
        records.push((offset_of(&item).unwrap_or(0), item));
    }
    if let Some(faults) = offsets(&view, &records) {
        out.faults.push(faults);
    }
    for (_, record) in &records {
        // Record In-use Flag: 0 means deleted.
        if record.int(tags::RECORD_IN_USE_FLAG) == Some(0) || !record.has(tags::REFERENCED_FILE_ID) {
            continue;
        }
        let components: Vec<String> =
            record.strings(tags::REFERENCED_FILE_ID).into_iter().filter(|c| !c.is_empty()).collect();
        if components.is_empty() {
            continue;
        }
        out.files.push(Indexed { components, instance: record.string(tags::REFERENCED_SOP_INSTANCE_UID_IN_FILE) });
    }
    Some(out)
}

/// Byte of the file at which a record's item begins: 16 before the value of its first element, whose tag, VR and
/// length take 8 bytes, as the item's own header does.
fn offset_of(record: &View<'_>) -> Option<u64> {
    let first = record.set.elements().first()?;
    match &first.value {
        Value::Bytes(range) if first.tag == Tag(0x0004, 0x1400) => Some(range.start.checked_sub(16)? as u64),
        _ => None,
    }
}

/// Follows the offsets from the root; what does not hold together, in words.
fn offsets(view: &View<'_>, records: &[(u64, View<'_>)]) -> Option<String> {
    let at: HashMap<u64, usize> = records.iter().enumerate().map(|(n, (offset, _))| (*offset, n)).collect();
    let number = |view: &View<'_>, tag| view.int(tag).and_then(|v| u64::try_from(v).ok()).unwrap_or(0);
    let root = number(view, tags::OFFSET_OF_THE_FIRST_DIRECTORY_RECORD_OF_THE_ROOT_DIRECTORY_ENTITY);
    let mut open = vec![root];
    let (mut reached, mut lost, mut twice) = (HashSet::new(), 0usize, 0usize);
    while let Some(offset) = open.pop() {
        if offset == 0 {
            continue;
        }
        let Some(n) = at.get(&offset) else {
            lost += 1;
            continue;
        };
        if !reached.insert(*n) {
            twice += 1;
            continue;
        }
        if let Some((_, record)) = records.get(*n) {
            open.push(number(record, tags::OFFSET_OF_REFERENCED_LOWER_LEVEL_DIRECTORY_ENTITY));
            open.push(number(record, tags::OFFSET_OF_THE_NEXT_DIRECTORY_RECORD));
        }
    }
    let in_use = records.iter().filter(|(_, r)| r.int(tags::RECORD_IN_USE_FLAG) != Some(0)).count();
    let unreached = in_use.saturating_sub(reached.len());
    let mut parts = Vec::new();
    for (count, what) in [
        (lost, "offsets point at no record"),
        (twice, "records are pointed at twice"),
        (unreached, "records are reached by no offset (taken all the same)"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Whether every component is a plain name: nothing may lead out of the medium.
pub(super) fn stays_inside(file: &Indexed) -> bool {
    file.components
        .iter()
        .all(|c| c != "." && c != ".." && !c.contains(['/', '\\', ':', '\0']) && !Path::new(c).is_absolute())
}

/// Finds the files that indexes name. A folder whose names are not those of the index letter by letter is read once,
/// however many names there are.
#[derive(Debug, Default)]
pub(super) struct Finder {
    /// Entries by folded name, by folder.
    folders: HashMap<PathBuf, HashMap<String, PathBuf>>,
}

impl Finder {
    /// The file that a name means below `folder`; media are mounted in capital or small letters, and with or without
    /// the version (`IM1;1`) of ISO 9660.
    pub(super) fn find(&mut self, folder: &Path, file: &Indexed) -> Option<PathBuf> {
        if !stays_inside(file) {
            return None;
        }
        let mut path = folder.to_owned();
        for component in &file.components {
            let straight = path.join(component);
            path = if straight.exists() { straight } else { self.folded(path)?.get(&folded(component))?.clone() };
        }
        // A link may point anywhere: what it leads to must lie on the medium as well.
        let inside = path.canonicalize().ok()?.starts_with(folder.canonicalize().ok()?);
        (inside && path.is_file()).then_some(path)
    }

    fn folded(&mut self, folder: PathBuf) -> Option<&HashMap<String, PathBuf>> {
        match self.folders.entry(folder) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(new) => {
                let mut names = HashMap::new();
                for entry in std::fs::read_dir(new.key()).ok()?.filter_map(Result::ok) {
                    if let Some(name) = entry.file_name().to_str() {
                        names.entry(folded(name)).or_insert_with(|| entry.path());
                    }
                }
                Some(new.insert(names))
            }
        }
    }
}

/// A member's name in an archive, so that [`indexed_member`] of an index finds it.
pub(super) fn folded_member(name: &str) -> String {
    name.split(['/', '\\']).map(folded).collect::<Vec<_>>().join("/")
}

/// What [`folded_member`] gives for the member that the index `own` in the same archive names.
pub(super) fn indexed_member(own: &str, file: &Indexed) -> String {
    let folder = own.rfind(['/', '\\']).map_or("", |at| own.get(..=at).unwrap_or_default());
    folded_member(&format!("{folder}{}", file.components.join("/")))
}

/// A name without what differs from mount to mount.
fn folded(name: &str) -> String {
    name.split(';').next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(components: &[&str]) -> Indexed {
        Indexed { components: components.iter().map(|c| (*c).to_owned()).collect(), instance: None }
    }

    #[test]
    fn names_of_mounted_media() {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::create_dir_all(folder.path().join("dicom/st1")).expect("creates");
        std::fs::write(folder.path().join("dicom/st1/im1.;1"), b"x").expect("writes");
        let mut finder = Finder::default();
        let mut find = |folder: &Path, file: &Indexed| finder.find(folder, file);
        let found = find(folder.path(), &named(&["DICOM", "ST1", "IM1"])).expect("found");
        assert!(found.ends_with("im1.;1"));
        assert!(find(folder.path(), &named(&["DICOM", "ST1", "IM2"])).is_none());
        assert!(find(folder.path(), &named(&["..", "etc"])).is_none());
        assert!(find(folder.path(), &named(&["/etc", "passwd"])).is_none());
        assert!(find(folder.path(), &named(&["DICOM", "ST1"])).is_none(), "a folder is no file");
        #[cfg(unix)]
        {
            let elsewhere = tempfile::tempdir().expect("folder");
            std::fs::write(elsewhere.path().join("secret"), b"x").expect("writes");
            std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("OUT")).expect("links");
            assert!(find(folder.path(), &named(&["OUT", "SECRET"])).is_none(), "a link leads out of the medium");
        }
    }

    #[test]
    fn a_folder_is_read_once_for_all_names() {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("im1"), b"x").expect("writes");
        let mut finder = Finder::default();
        assert!(finder.find(folder.path(), &named(&["IM1"])).is_some());
        // Only who reads the folder again would see it under another spelling.
        std::fs::write(folder.path().join("im2"), b"x").expect("writes");
        assert!(finder.find(folder.path(), &named(&["IM2"])).is_none());
        assert!(finder.find(folder.path(), &named(&["im2"])).is_some(), "letter by letter it needs no reading");
    }

    #[test]
    fn names_within_archives() {
        let there = |member: &str| folded_member(member) == indexed_member("Disc\\DICOMDIR", &named(&["DICOM", "IM1"]));
        assert!(there("disc/dicom/IM1") && there("DISC\\DICOM\\im1.;1"));
        assert!(!there("disc/dicom/IM1/x") && !there("disc/dicom") && !there("dicom/IM1"));
        assert_eq!(indexed_member("DICOMDIR", &named(&["A"])), "a");
    }
}
