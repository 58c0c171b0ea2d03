//! ZIP archives of DICOM files: which members they have, within budgets. Stored and deflated members only.

use super::local_file::{LocalFile, Member};
use super::read::MAX_OBJECT_BYTES;
use crate::study::{NotShown, Why};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use zip::{CompressionMethod, ZipArchive};

/// Most members of one archive.
const MOST_MEMBERS: usize = 500_000;
/// Most bytes that all members together may open to.
const MOST_BYTES: u64 = 256 << 30;
/// From this size on a member that opens to more than [`MOST_TIMES`] its size is a bomb; empty pictures are smaller.
const LARGE: u64 = 64 << 20;
/// Deflate reaches 1,032.
const MOST_TIMES: u64 = 200;

/// What an archive holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) members: Vec<LocalFile>,
    /// Members that are not opened, and why.
    pub(super) refused: Vec<NotShown>,
}

/// Whether a file begins as a ZIP archive does.
pub(super) fn is_archive(path: &Path) -> bool {
    let mut start = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && matches!(&start, b"PK\x03\x04" | b"PK\x05\x06")
}

/// Lists an archive's members; why it cannot be opened at all.
pub(super) fn contents(path: &Path) -> Result<Contents, String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("a ZIP archive that cannot be read: {error}");
    let file = File::open(path).map_err(|e| unreadable(&e))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|e| unreadable(&e))?;
    if archive.len() > MOST_MEMBERS {
        return Err(format!("a ZIP archive of {} members: at most {MOST_MEMBERS} are taken", archive.len()));
    }
    let mut out = Contents::default();
    let mut spans: Vec<(u64, u64)> = Vec::new();
    let mut total = 0u64;
    for index in 0..archive.len() {
        let member = match archive.by_index_raw(index) {
            Ok(member) => member,
            Err(error) => {
                let what = format!("{}: member {}", path.display(), index + 1);
                out.refused.push(NotShown { what, reason: unreadable(&error) });
                continue;
            }
        };
        if member.is_dir() {
            continue;
        }
        let name = member.name().map_or_else(|_| format!("member {}", index + 1), |n| plain(&n));
        let (size, packed) = (member.size(), member.compressed_size());
        let method = member.compression();
        let reason = if member.encrypted() {
            Some(Why::Encrypted.sentence().to_owned())
        } else if member.is_symlink() {
            Some(Why::ArchiveLink.sentence().to_owned())
        } else if !matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated) {
            Some(Why::ArchiveMethod.with(method))
        } else if size > MAX_OBJECT_BYTES {
            Some(Why::TooLarge.with(format!("{size} bytes, at most {MAX_OBJECT_BYTES} are taken")))
        } else if size > LARGE && size / packed.max(1) > MOST_TIMES {
            Some(Why::Bomb.with(format!("it opens to {} times its packed size", size / packed.max(1))))
        } else if total.saturating_add(size) > MOST_BYTES {
            Some(Why::Bomb.with(format!("the archive opens to more than {MOST_BYTES} bytes")))
        } else {
            None
        };
        match (reason, member.data_start()) {
            (None, Some(at)) => {
                total = total.saturating_add(size);
                spans.push((at, at.saturating_add(packed)));
                let deflated = method == CompressionMethod::Deflated;
                let member = Member { name, at, packed, size, deflated, crc: member.crc32() };
                out.members.push(LocalFile::member_of(path, member));
            }
            (reason, _) => {
                let reason = reason.unwrap_or_else(|| "the archive does not say where it lies".to_owned());
                out.refused.push(NotShown { what: format!("{}: {name}", path.display()), reason });
            }
        }
    }
    out.members.sort_by(|a, b| a.member().cmp(&b.member()));
    spans.sort_unstable();
    if spans.windows(2).any(|w| matches!(w, [a, b] if b.0 < a.1)) {
        return Err(Why::Bomb.with("members of the ZIP archive overlap"));
    }
    Ok(out)
}

/// A name for people: no control characters. Nothing is ever written under it.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
