//! The element walk: bytes → [`DataSet`], within stated limits.
//!
//! dicom-rs's own reader is not used for input: it takes only the first value of Specific Character Set
//! and splits text at byte 5C before decoding, recurses without a depth limit (a file of 3000 nested
//! sequences ends the process) and refuses a whole file whose pixel data are cut. Its dictionary and
//! value representations are used here.

use super::dataset::{DataSet, Element, Endian, Value};
use crate::study::hidden_debug;
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;
use std::ops::Range;

/// Deepest nesting of sequences; real objects stay under 20.
pub(crate) const MAX_DEPTH: usize = 64;
/// Most elements of one object, all levels together (about 170 MB of bookkeeping).
pub(crate) const MAX_ELEMENTS: usize = 3_000_000;
const UNDEFINED: u32 = u32::MAX;
const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// Why the walk cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// More of the file is needed: at least this many bytes.
    NeedMore(usize),
    /// It cannot be read, with the reason.
    Broken(String),
}

/// The pixel data element of the root, found but not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PixelElement {
    /// (7FE0,0010), (7FE0,0008) or (7FE0,0009).
    pub(crate) tag: Tag,
    pub(crate) vr: VR,
    /// Start of the value in the source.
    pub(crate) start: usize,
    /// Declared length; `None` = undefined.
    pub(crate) length: Option<u32>,
    /// The samples' byte order differs from the data set's.
    pub(crate) swapped: bool,
}

/// What the walk over the root gave.
#[derive(Default)]
pub(crate) struct Walked {
    pub(crate) root: DataSet,
    pub(crate) pixel: Option<PixelElement>,
    /// Byte at which the data ended too early, if they did.
    pub(crate) cut_at: Option<usize>,
    pub(crate) warnings: Vec<String>,
}

hidden_debug!(Walked { pixel, cut_at, warnings });

/// How a data set is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Coding {
    pub(crate) endian: Endian,
    pub(crate) explicit: bool,
}

struct Walker<'a> {
    data: &'a [u8],
    /// Bytes that exist in all, of which `data` may be a beginning.
    total: usize,
    elements: usize,
    cut_at: Option<usize>,
    warnings: Vec<String>,
}

struct ElementHeader {
    tag: Tag,
    vr: VR,
    length: u32,
    value_at: usize,
}

/// Walks the root data set from `start` up to the pixel data (not into it).
///
/// `data` may be only the beginning of `total` bytes; then [`Stop::NeedMore`] asks for more.
pub(crate) fn walk(data: &[u8], start: usize, total: usize, coding: Coding) -> Result<Walked, Stop> {
    let mut walker = Walker { data, total, elements: 0, cut_at: None, warnings: Vec::new() };
    let (root, pixel) = walker.data_set(start, total, coding, 0, false)?;
    Ok(Walked { root: root.0, pixel, cut_at: walker.cut_at, warnings: walker.warnings })
}

/// Fragments of an encapsulated value beginning at `start`: offset table first. The flag tells that the
/// data ended, or the lengths lied, before the delimiter.
pub(crate) fn fragments(data: &[u8], start: usize, endian: Endian) -> (Vec<Range<usize>>, bool) {
    let mut out = Vec::new();
    let mut at = start;
    loop {
        let Some(header) = data.get(at..).and_then(|d| d.first_chunk::<8>()) else { return (out, true) };
        let [a, b, c, d, e, f, g, h] = *header;
        let tag = Tag(endian.u16([a, b]), endian.u16([c, d]));
        let length = endian.u32([e, f, g, h]) as usize;
        at += 8;
        if tag == SEQUENCE_END {
            return (out, false);
        }
        if tag != ITEM {
            return (out, true);
        }
        let end = at.saturating_add(length);
        if end > data.len() {
            out.push(at..data.len());
            return (out, true);
        }
        out.push(at..end);
        at = end;
    }
}

/// The dictionary's VR; ambiguous ones in their unsigned or byte-order-safe reading.
pub(crate) fn dictionary_vr(tag: Tag) -> VR {
    if tag.element() == 0 {
        return VR::UL;
    }
    if tag.group() % 2 == 1 {
        return if (0x10..=0xFF).contains(&tag.element()) { VR::LO } else { VR::UN };
    }
    StandardDataDictionary.by_tag(tag).map_or(VR::UN, |entry| entry.vr().relaxed())
}

fn is_pixel_data(tag: Tag) -> bool {
    tag.group() == 0x7FE0 && matches!(tag.element(), 0x0008 | 0x0009 | 0x0010)
}

type SetAndEnd = (DataSet, usize);

impl Walker<'_> {
    fn broken<T>(text: impl Into<String>) -> Result<T, Stop> {
        Err(Stop::Broken(text.into()))
    }

    fn warn(&mut self, text: &str) {
        if self.warnings.len() < 20 && !self.warnings.iter().any(|w| w == text) {
            self.warnings.push(text.to_owned());
        }
    }

    /// `n` bytes at `at`; asks for more, or `None` where the object itself ends.
    fn take(&mut self, at: usize, n: usize) -> Result<Option<&[u8]>, Stop> {
        let end = at.saturating_add(n);
        if end > self.total {
            self.cut_at.get_or_insert(self.total);
            return Ok(None);
        }
        match self.data.get(at..end) {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(Stop::NeedMore(end)),
        }
    }

    fn header(&mut self, at: usize, coding: Coding) -> Result<Option<ElementHeader>, Stop> {
        let endian = coding.endian;
        let Some(&[a, b, c, d, e, f, g, h]) = self.take(at, 8)?.and_then(|x| x.first_chunk::<8>()) else {
            return Ok(None);
        };
        let tag = Tag(endian.u16([a, b]), endian.u16([c, d]));
        let long = endian.u32([e, f, g, h]);
        if tag.group() == 0xFFFE {
            return Ok(Some(ElementHeader { tag, vr: VR::UN, length: long, value_at: at + 8 }));
        }
        if !coding.explicit {
            return Ok(Some(ElementHeader { tag, vr: dictionary_vr(tag), length: long, value_at: at + 8 }));
        }
        if !(e.is_ascii_uppercase() && f.is_ascii_uppercase()) {
            // No VR where one must be: elements coded implicitly within an explicit data set.
            if long != UNDEFINED && long as usize > self.total.saturating_sub(at) {
                return Self::broken(format!("byte {at}: neither a value representation nor a sound length"));
            }
            self.warn("an element without value representation in an explicit data set");
            return Ok(Some(ElementHeader { tag, vr: dictionary_vr(tag), length: long, value_at: at + 8 }));
        }
        let vr = VR::from_binary([e, f]);
        let short = vr.is_some_and(|vr| {
            !matches!(
                vr,
                VR::OB
                    | VR::OD
                    | VR::OF
                    | VR::OL
                    | VR::OV
                    | VR::OW
                    | VR::SQ
                    | VR::SV
                    | VR::UC
                    | VR::UN
                    | VR::UR
                    | VR::UT
                    | VR::UV
            )
        });
        if short {
            let length = u32::from(endian.u16([g, h]));
            return Ok(Some(ElementHeader { tag, vr: vr.unwrap_or(VR::UN), length, value_at: at + 8 }));
        }
        if vr.is_none() {
            self.warn("an unknown value representation");
        }
        let Some(&[i, j, k, l]) = self.take(at + 8, 4)?.and_then(|x| x.first_chunk::<4>()) else {
            return Ok(None);
        };
        Ok(Some(ElementHeader { tag, vr: vr.unwrap_or(VR::UN), length: endian.u32([i, j, k, l]), value_at: at + 12 }))
    }

    /// Elements from `at` to `end` (or to the item's delimiter); gives the set, the byte after it, and for
    /// the root the pixel data.
    fn data_set(
        &mut self,
        mut at: usize,
        end: usize,
        coding: Coding,
        depth: usize,
        delimited: bool,
    ) -> Result<(SetAndEnd, Option<PixelElement>), Stop> {
        if depth > MAX_DEPTH {
            return Self::broken(format!("sequences nested deeper than {MAX_DEPTH} levels"));
        }
        let mut elements: Vec<Element> = Vec::new();
        let mut pixel = None;
        while at < end && self.cut_at.is_none() {
            if depth == 0 && end - at < 8 {
                // A few padding bytes after the last element are harmless.
                break;
            }
            let Some(head) = self.header(at, coding)? else { break };
            self.elements += 1;
            if self.elements > MAX_ELEMENTS {
                return Self::broken(format!("more than {MAX_ELEMENTS} elements"));
            }
            if head.tag.group() == 0xFFFE {
                at = head.value_at;
                if head.tag == ITEM_END && delimited {
                    return Ok(((DataSet::new(elements, self.data), at), None));
                }
                if depth == 0 {
                    self.warn("a sequence delimiter outside any sequence");
                    continue;
                }
                // A sequence delimiter where an item still runs: the item ends here as well.
                self.warn("an item without its delimiter");
                return Ok(((DataSet::new(elements, self.data), at - 8), None));
            }
            if depth == 0 && is_pixel_data(head.tag) {
                let length = (head.length != UNDEFINED).then_some(head.length);
                pixel = Some(PixelElement { tag: head.tag, vr: head.vr, start: head.value_at, length, swapped: false });
                break;
            }
            let (element, next) = self.element(&head, end, coding, depth)?;
            if depth == 0 && elements.last().is_some_and(|last| last.tag >= element.tag) {
                self.warn("elements doubled or out of order");
            }
            elements.push(element);
            at = next;
        }
        Ok(((DataSet::new(elements, self.data), at.min(end)), pixel))
    }

    fn element(
        &mut self,
        head: &ElementHeader,
        end: usize,
        coding: Coding,
        depth: usize,
    ) -> Result<(Element, usize), Stop> {
        let at = head.value_at;
        let (tag, mut vr) = (head.tag, head.vr);
        if head.length == UNDEFINED {
            if matches!(vr, VR::OB | VR::OW) {
                return self.encapsulated(head, coding);
            }
            // PS3.5 6.2.2 note: UN of undefined length is a sequence in implicit little endian.
            let inner = if vr == VR::UN && coding.explicit {
                Coding { endian: Endian::Little, explicit: false }
            } else {
                coding
            };
            let (items, next) = self.items(at, end, inner, depth, true)?;
            return Ok((Element { tag, vr: VR::SQ, value: Value::Items(items) }, next));
        }
        let length = head.length as usize;
        let mut stop = at.saturating_add(length);
        let cut = stop > self.total;
        if cut {
            stop = self.total;
            if vr != VR::SQ {
                self.cut_at.get_or_insert(self.total);
                return Ok((Element { tag, vr, value: Value::Bytes(at.min(stop)..at.min(stop)) }, stop));
            }
        } else if stop > end && depth > 0 {
            self.warn("a value longer than the item that holds it");
        }
        let mut inner = coding;
        if vr == VR::UN && length >= 8 {
            // A sequence kept as UN by a writer that did not know the tag: implicit little endian inside.
            let known = dictionary_vr(tag);
            let begins = self.take(at, 8)?.is_some_and(|b| b.starts_with(&[0xFE, 0xFF, 0x00, 0xE0]));
            if begins && (known == VR::SQ || tag.group() % 2 == 1) {
                vr = VR::SQ;
                inner = Coding { endian: Endian::Little, explicit: false };
            } else if known != VR::UN && known != VR::SQ {
                vr = known;
            }
        } else if vr == VR::UN {
            vr = match dictionary_vr(tag) {
                VR::SQ => VR::UN,
                known => known,
            };
        }
        if vr == VR::SQ {
            let (items, _) = self.items(at, stop, inner, depth, false)?;
            if cut {
                // Only now: what is sound of the sequence has been read.
                self.cut_at.get_or_insert(self.total);
            }
            return Ok((Element { tag, vr, value: Value::Items(items) }, stop));
        }
        if stop > self.data.len() {
            return Err(Stop::NeedMore(stop));
        }
        Ok((Element { tag, vr, value: Value::Bytes(at..stop) }, stop))
    }

    fn items(
        &mut self,
        mut at: usize,
        end: usize,
        coding: Coding,
        depth: usize,
        delimited: bool,
    ) -> Result<(Vec<DataSet>, usize), Stop> {
        let mut items = Vec::new();
        while (delimited || at < end) && self.cut_at.is_none() {
            let Some(head) = self.header(at, coding)? else { break };
            match head.tag {
                SEQUENCE_END => return Ok((items, head.value_at)),
                ITEM => {}
                _ => {
                    self.warn("a sequence without its delimiter");
                    return Ok((items, at));
                }
            }
            self.elements += 1;
            if self.elements > MAX_ELEMENTS {
                return Self::broken(format!("more than {MAX_ELEMENTS} elements"));
            }
            let open = head.length == UNDEFINED;
            let stop = if open { self.total } else { head.value_at.saturating_add(head.length as usize) };
            let cut = stop > self.total;
            let stop = stop.min(self.total);
            let ((set, next), _) = self.data_set(head.value_at, stop, coding, depth + 1, open)?;
            if cut {
                self.cut_at.get_or_insert(self.total);
            }
            items.push(set);
            at = if open { next } else { stop };
        }
        if delimited && self.cut_at.is_none() {
            self.warn("a sequence without its delimiter");
        }
        Ok((items, at.min(self.total)))
    }

    /// Encapsulated pixel data below the root (icons): kept as ranges, never decoded here.
    fn encapsulated(&mut self, head: &ElementHeader, coding: Coding) -> Result<(Element, usize), Stop> {
        let (ranges, cut) = fragments(self.data, head.value_at, coding.endian);
        let after = ranges.last().map_or(head.value_at, |r| r.end);
        if cut {
            if self.data.len() < self.total {
                return Err(Stop::NeedMore(self.data.len().saturating_add(64 * 1024).min(self.total)));
            }
            self.cut_at.get_or_insert(self.total);
        }
        let element = Element { tag: head.tag, vr: head.vr, value: Value::Fragments(ranges) };
        Ok((element, (after + 8).min(self.total)))
    }
}
