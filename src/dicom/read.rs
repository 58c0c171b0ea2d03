//! Opening an object: where its data set begins, how it is coded, and its header within a budget.
//!
//! Takes Part 10 files, files without preamble or meta group, and objects whose meta group lies about the
//! coding. Nothing here reads pixel data: [`Header::read`] stops before them.

use super::charset;
use super::dataset::{DataSet, Endian, View};
use super::inflate::{self, Inflated};
use super::parse::{self, Coding, PixelElement, Stop, Walked};
use crate::study::Why;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// Largest object taken into memory, bytes.
pub const MAX_OBJECT_BYTES: u64 = 2 << 30;
/// Most bytes that a deflated data set may open to.
pub const MAX_INFLATED_BYTES: usize = 512 << 20;
/// Most bytes read in search of the end of a header.
const MAX_HEADER_BYTES: usize = 256 << 20;
/// Most bytes that the header of a deflated data set may open to.
const MAX_INFLATED_HEADER_BYTES: usize = 64 << 20;
/// What is looked at to learn how large a deflated data set is.
const LIKELY_HEADER_BYTES: usize = 16 << 10;
/// How deflated data sets are coded (PS3.5 A.5).
const DEFLATED: Coding = Coding { endian: Endian::Little, explicit: true };
/// First bite of a file; most headers are smaller.
const FIRST_BITE: usize = 16 * 1024;
/// Implicit little endian with big-endian pixel data, private to GE.
const GE_PRIVATE_BIG_ENDIAN: &str = "1.2.840.113619.5.2";

/// Why an object cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes are no DICOM object.
    #[error("{}", Why::NotDicom.with(.0))]
    NotDicom(&'static str),
    /// They are, but broken.
    #[error("{}", Why::Broken.with(.0))]
    Broken(String),
    /// Larger than this program takes into memory.
    #[error("{}: {size} bytes, at most {limit} are taken", Why::TooLarge.sentence())]
    TooLarge {
        /// Bytes found or declared.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// The file cannot be read.
    #[error("{}", Why::Unreadable.with(.0))]
    Io(#[from] std::io::Error),
}

/// An object's header: everything before the pixel data, pointing into the bytes it was read from.
#[derive(Clone)]
pub struct Header {
    pub(crate) source: Arc<Vec<u8>>,
    pub(crate) root: DataSet,
    pub(crate) coding: Coding,
    pub(crate) pixel: Option<PixelElement>,
    /// Bytes of the whole object (inflated, where known); more than `source` if only the header was read.
    pub(crate) total: usize,
    pub(crate) cut_at: Option<usize>,
    /// The pixel data are elsewhere (DICOM JSON names them by URI, or leaves them out).
    pub(crate) referenced_pixels: bool,
    /// Made from UTF-8 text, not from a file.
    utf8: bool,
    /// Media Storage SOP Class UID (0002,0002).
    media_class: String,
    transfer_syntax: String,
    warnings: Vec<String>,
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Header").field("transfer_syntax", &self.transfer_syntax).finish_non_exhaustive()
    }
}

impl Header {
    /// Reads a file up to its pixel data.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        Self::read_from(&mut file, size, &mut |_| {})
    }

    /// The header of an object held in memory; copies no more than the header.
    pub fn of(mut object: &[u8]) -> Result<Self, ReadError> {
        let size = object.len() as u64;
        Self::read_from(&mut object, size, &mut |_| {})
    }

    /// Reads an object of `size` bytes up to its pixel data; what follows stays in `file`. `before` is told how many
    /// bytes are going to be held, each time that more are read.
    pub(super) fn read_from(file: &mut dyn Read, size: u64, before: &mut dyn FnMut(usize)) -> Result<Self, ReadError> {
        let total = usize::try_from(size).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        let mut wanted = FIRST_BITE;
        loop {
            let limit = wanted.min(total);
            if limit > MAX_HEADER_BYTES {
                return Err(ReadError::TooLarge { size: limit as u64, limit: MAX_HEADER_BYTES as u64 });
            }
            if limit > bytes.len() {
                before(limit);
                let missing = (limit - bytes.len()) as u64;
                bytes.reserve_exact(limit - bytes.len());
                if (&mut *file).take(missing).read_to_end(&mut bytes)? as u64 != missing {
                    return Err(ReadError::Broken("the file became shorter while it was read".into()));
                }
            }
            match Self::open(&mut bytes, total, false) {
                Ok(header) => return Ok(header),
                Err(Failure::NeedMore(more)) => {
                    // Grow in steps so that the walk, which starts again, stays linear over all.
                    wanted = more.max(bytes.len().saturating_mul(4));
                }
                Err(Failure::Error(error)) => return Err(error),
            }
        }
    }

    /// Opens a whole object held in memory; deflated ones are inflated within a budget.
    pub fn from_bytes(mut bytes: Vec<u8>) -> Result<Self, ReadError> {
        if bytes.len() as u64 > MAX_OBJECT_BYTES {
            return Err(ReadError::TooLarge { size: bytes.len() as u64, limit: MAX_OBJECT_BYTES });
        }
        let total = bytes.len();
        match Self::open(&mut bytes, total, true) {
            Ok(header) => Ok(header),
            Err(Failure::Error(error)) => Err(error),
            Err(Failure::NeedMore(at)) => Err(ReadError::Broken(format!("cut off before byte {at}"))),
        }
    }

    /// Takes `bytes` on success.
    fn open(bytes: &mut Vec<u8>, total: usize, whole: bool) -> Result<Self, Failure> {
        let start = find_start(bytes, total)?;
        let mut warnings = start.warnings;
        if start.transfer_syntax == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN {
            let deflated = bytes.get(start.at..).unwrap_or_default();
            return Self::open_deflated(deflated, bytes.len() < total, whole, start.transfer_syntax, warnings);
        }
        let coding = sniff(bytes.get(start.at..).unwrap_or_default(), &start.transfer_syntax, &mut warnings);
        let walked = parse::walk(bytes, start.at, total, coding)?;
        let swapped = start.transfer_syntax == GE_PRIVATE_BIG_ENDIAN;
        // A bare data set with native pixels is what its coding is; with compressed ones the name stays unknown.
        let native = walked.pixel.as_ref().is_none_or(|pixel| pixel.length.is_some());
        let transfer_syntax = match (start.transfer_syntax.is_empty() && native, coding.endian, coding.explicit) {
            (true, Endian::Little, false) => uids::IMPLICIT_VR_LITTLE_ENDIAN.to_owned(),
            (true, Endian::Little, true) => uids::EXPLICIT_VR_LITTLE_ENDIAN.to_owned(),
            (true, Endian::Big, true) => "1.2.840.10008.1.2.2".to_owned(),
            _ => start.transfer_syntax,
        };
        let mut header = Self::assemble(std::mem::take(bytes), walked, coding, total, transfer_syntax, warnings);
        if let Some(pixel) = &mut header.pixel {
            pixel.swapped = swapped;
        }
        header.media_class = start.media_class;
        Ok(header)
    }

    fn open_deflated(
        deflated: &[u8],
        partial: bool,
        whole: bool,
        transfer_syntax: String,
        mut warnings: Vec<String>,
    ) -> Result<Self, Failure> {
        if partial {
            return Err(Failure::NeedMore(usize::MAX));
        }
        let most = if whole { MAX_INFLATED_BYTES } else { MAX_INFLATED_HEADER_BYTES };
        let mut limit = if whole { most } else { 64 * 1024 };
        loop {
            let inflated = if whole {
                inflate::whole(deflated, limit, likely_size(deflated))
            } else {
                inflate::beginning(deflated, limit)
            };
            let (plain, ended) = match inflated {
                Inflated::Whole(plain) => (plain, true),
                Inflated::More(plain) => (plain, false),
                Inflated::Damaged(plain, error) if plain.is_empty() => {
                    return Err(ReadError::Broken(format!("the deflated data set is damaged: {error}")).into());
                }
                Inflated::Damaged(plain, _) => {
                    warnings.push("the deflated data set is cut off or damaged".into());
                    (plain, true)
                }
            };
            let too_large = || Failure::from(ReadError::TooLarge { size: most as u64 + 1, limit: most as u64 });
            if !ended && whole {
                return Err(too_large());
            }
            let total = if ended { plain.len() } else { usize::MAX / 2 };
            match parse::walk(&plain, 0, total, DEFLATED) {
                Ok(walked) => return Ok(Self::assemble(plain, walked, DEFLATED, total, transfer_syntax, warnings)),
                Err(Stop::NeedMore(more)) if !ended => {
                    if limit >= most || more > most {
                        return Err(too_large());
                    }
                    limit = more.max(limit.saturating_mul(8)).min(most);
                }
                Err(stop) => return Err(stop.into()),
            }
        }
    }

    fn assemble(
        source: Vec<u8>,
        walked: Walked,
        coding: Coding,
        total: usize,
        transfer_syntax: String,
        mut warnings: Vec<String>,
    ) -> Self {
        warnings.extend(walked.warnings);
        Self {
            source: Arc::new(source),
            root: walked.root,
            coding,
            pixel: walked.pixel,
            total,
            cut_at: walked.cut_at,
            referenced_pixels: false,
            utf8: false,
            media_class: String::new(),
            transfer_syntax,
            warnings,
        }
    }

    /// From a data set made in memory (DICOM JSON); UTF-8, explicit little endian.
    pub(crate) fn from_parts(source: Vec<u8>, root: DataSet, transfer_syntax: String, warnings: Vec<String>) -> Self {
        let coding = Coding { endian: Endian::Little, explicit: true };
        let walked = Walked { root, warnings, ..Walked::default() };
        let total = source.len();
        Self { utf8: true, ..Self::assemble(source, walked, coding, total, transfer_syntax, Vec::new()) }
    }

    /// The root data set.
    pub fn view(&self) -> View<'_> {
        let inherited = if self.utf8 { &charset::UTF8 } else { &charset::DEFAULT };
        View::new(&self.source, &self.root, self.coding.endian, inherited)
    }

    /// Transfer Syntax UID; the guessed one where the file names none.
    pub fn transfer_syntax(&self) -> &str {
        &self.transfer_syntax
    }

    /// SOP Class UID; from the meta group where the data set has none (DICOMDIR).
    pub fn sop_class(&self) -> String {
        self.view().string(tags::SOP_CLASS_UID).unwrap_or_else(|| self.media_class.clone())
    }

    /// True if a pixel data element was met, here or by reference.
    pub fn has_pixel_data(&self) -> bool {
        self.pixel.is_some() || self.referenced_pixels
    }

    /// True if there are surely no pixels: a file without the element, or metadata that name neither pixel data
    /// nor a picture's size.
    pub(crate) fn lacks_pixel_data(&self) -> bool {
        let described = self.utf8 && self.view().int(tags::ROWS).is_some();
        !self.has_pixel_data() && !described
    }

    /// True if the object ends within its header.
    pub fn is_cut(&self) -> bool {
        self.cut_at.is_some()
    }

    /// Specific Character Set (0008,0005) as the object states it; empty if it does not.
    pub fn declared_character_set(&self) -> String {
        self.view().text(tags::SPECIFIC_CHARACTER_SET)
    }

    /// What was odd, for the reader: structure first, then text.
    pub fn warnings(&self) -> Vec<String> {
        let mut out = self.warnings.clone();
        out.extend(self.text_notes().into_iter().map(str::to_owned).filter(|note| !self.warnings.contains(note)));
        out
    }

    /// What is odd about the coding of the names and descriptions that people know a study by, each once.
    pub fn text_notes(&self) -> Vec<&'static str> {
        let view = self.view();
        let mut out = Vec::new();
        for tag in [
            tags::PATIENT_NAME,
            tags::PATIENT_ID,
            tags::STUDY_DESCRIPTION,
            tags::SERIES_DESCRIPTION,
            tags::INSTITUTION_NAME,
        ] {
            out.extend(view.text_note(tag).filter(|note| !out.contains(note)));
        }
        out
    }
}

/// How many bytes a deflated data set probably has, by the pixel data's place and length, if its beginning tells.
fn likely_size(deflated: &[u8]) -> Option<usize> {
    let (Inflated::More(head) | Inflated::Whole(head)) = inflate::beginning(deflated, LIKELY_HEADER_BYTES) else {
        return None;
    };
    let pixel = parse::walk(&head, 0, usize::MAX / 2, DEFLATED).ok()?.pixel?;
    pixel.start.checked_add(usize::try_from(pixel.length?).ok()?)
}

enum Failure {
    NeedMore(usize),
    Error(ReadError),
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::NeedMore(n) => Self::NeedMore(n),
            Stop::Broken(reason) => Self::Error(ReadError::Broken(reason)),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::Error(error)
    }
}

struct Start {
    at: usize,
    transfer_syntax: String,
    media_class: String,
    warnings: Vec<String>,
}

/// Finds the data set: after preamble and meta group, after a bare meta group, or at byte 0.
fn find_start(data: &[u8], total: usize) -> Result<Start, Failure> {
    if total == 0 {
        return Err(ReadError::NotDicom("the file is empty").into());
    }
    if data.len() < total && data.len() < 1024 {
        return Err(Failure::NeedMore(1024.min(total)));
    }
    let mut warnings = Vec::new();
    let at = if data.get(128..132) == Some(b"DICM") {
        132
    } else if data.starts_with(b"DICM") {
        warnings.push("no preamble".into());
        4
    } else if data.starts_with(&[2, 0]) && data.get(3) == Some(&0) {
        warnings.push("no preamble".into());
        0
    } else {
        plausible_data_set(data, total)?;
        warnings.push("no file meta information: the coding is guessed".into());
        return Ok(Start { at: 0, transfer_syntax: String::new(), media_class: String::new(), warnings });
    };
    let (at, transfer_syntax, media_class) = meta_group(data, at, total)?;
    if transfer_syntax.is_empty() {
        warnings.push("no transfer syntax is named: the coding is guessed".into());
    }
    if at >= total {
        return Err(ReadError::Broken("the file ends after its meta information".into()).into());
    }
    Ok(Start { at, transfer_syntax, media_class, warnings })
}

/// Without any signature the bytes must begin as data sets of the field do.
fn plausible_data_set(data: &[u8], total: usize) -> Result<(), ReadError> {
    const REASON: &str = "neither its signature nor a data set at the beginning";
    let Some(&[a, b, c, d, e, f, g, h]) = data.first_chunk::<8>() else {
        return Err(ReadError::NotDicom("shorter than any data element"));
    };
    for endian in [Endian::Little, Endian::Big] {
        let tag = Tag(endian.u16([a, b]), endian.u16([c, d]));
        if !matches!(tag.group(), 0x0004 | 0x0008 | 0x0010) || parse::dictionary_vr(tag) == VR::UN {
            continue;
        }
        let explicit = VR::from_binary([e, f]).is_some();
        if explicit || endian.u32([e, f, g, h]) as usize <= total {
            return Ok(());
        }
    }
    Err(ReadError::NotDicom(REASON))
}

/// Walks group 0002 (always explicit little endian); its group length is often wrong and not needed.
fn meta_group(data: &[u8], mut at: usize, total: usize) -> Result<(usize, String, String), Failure> {
    let (mut syntax, mut class) = (String::new(), String::new());
    let need = |end: usize| {
        if end > total {
            Failure::Error(ReadError::Broken(
                "its meta information runs past the end of the file (cut off or damaged)".into(),
            ))
        } else {
            Failure::NeedMore(end)
        }
    };
    loop {
        if at == total {
            return Ok((at, syntax, class));
        }
        let Some(&[a, b, c, d, e, f, g, h]) = data.get(at..).and_then(|x| x.first_chunk::<8>()) else {
            return Err(need(at + 8));
        };
        if u16::from_le_bytes([a, b]) != 2 {
            return Ok((at, syntax, class));
        }
        let vr = VR::from_binary([e, f]);
        let (length, value_at) = match vr {
            Some(VR::OB | VR::UN | VR::OW | VR::SQ | VR::UT | VR::UC | VR::UR) => {
                let Some(long) = data.get(at + 8..).and_then(|x| x.first_chunk::<4>()) else {
                    return Err(need(at + 12));
                };
                (u32::from_le_bytes(*long) as usize, at + 12)
            }
            Some(_) => (usize::from(u16::from_le_bytes([g, h])), at + 8),
            None => (u32::from_le_bytes([e, f, g, h]) as usize, at + 8),
        };
        let end = value_at.saturating_add(length);
        let Some(value) = data.get(value_at..end) else { return Err(need(end)) };
        let text = || String::from_utf8_lossy(value).trim_matches([' ', '\0']).to_owned();
        match u16::from_le_bytes([c, d]) {
            0x0002 => class = text(),
            0x0010 => syntax = text(),
            _ => {}
        }
        at = end;
    }
}

/// The coding that the first element shows, whatever was declared.
fn sniff(data: &[u8], declared: &str, warnings: &mut Vec<String>) -> Coding {
    let claimed = match declared {
        uids::IMPLICIT_VR_LITTLE_ENDIAN | GE_PRIVATE_BIG_ENDIAN => {
            Some(Coding { endian: Endian::Little, explicit: false })
        }
        "1.2.840.10008.1.2.2" => Some(Coding { endian: Endian::Big, explicit: true }),
        "" => None,
        _ => Some(Coding { endian: Endian::Little, explicit: true }),
    };
    let Some(&[a, b, _, _, e, f, ..]) = data.first_chunk::<8>() else {
        return claimed.unwrap_or(Coding { endian: Endian::Little, explicit: false });
    };
    // First groups are small numbers (0008, 0004, 0010 …), so one byte of the group is zero.
    let endian = match (a, b) {
        (1.., 0) => Endian::Little,
        (0, 1..) => Endian::Big,
        _ => claimed.map_or(Endian::Little, |c| c.endian),
    };
    let found = Coding { endian, explicit: VR::from_binary([e, f]).is_some() };
    if claimed.is_some_and(|c| c != found) {
        warnings.push("the data set is not coded as its transfer syntax says: read as found".into());
    }
    found
}
