//! The data set as read: elements that point into the source bytes, and typed looks at them.
//!
//! Values are neither copied nor interpreted until asked for, so a header costs little and a hostile
//! one cannot make us allocate more than a small multiple of its own size.

use super::charset::{Charset, Kind};
use crate::study::PersonName;
use dicom_core::{Tag, VR};
use std::ops::Range;

/// Byte order of binary values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endian {
    Little,
    Big,
}

impl Endian {
    pub(crate) fn u16(self, b: [u8; 2]) -> u16 {
        if self == Self::Little { u16::from_le_bytes(b) } else { u16::from_be_bytes(b) }
    }
    pub(crate) fn u32(self, b: [u8; 4]) -> u32 {
        if self == Self::Little { u32::from_le_bytes(b) } else { u32::from_be_bytes(b) }
    }
    pub(crate) fn u64(self, b: [u8; 8]) -> u64 {
        if self == Self::Little { u64::from_le_bytes(b) } else { u64::from_be_bytes(b) }
    }
}

/// Where a value lies, or what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Bytes of the source.
    Bytes(Range<usize>),
    /// Items of a sequence.
    Items(Vec<DataSet>),
    /// Fragments of an encapsulated value, the offset table first.
    Fragments(Vec<Range<usize>>),
}

/// One data element.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Element {
    pub(crate) tag: Tag,
    pub(crate) vr: VR,
    pub(crate) value: Value,
}

/// Elements in tag order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DataSet {
    elements: Vec<Element>,
    /// (0008,0005) of this very data set or item, if it has one.
    charset: Option<Box<Charset>>,
}

impl DataSet {
    /// Sorts by tag (of doubled elements the first stays first, and is the one that counts).
    pub(crate) fn new(mut elements: Vec<Element>, source: &[u8]) -> Self {
        if !elements.is_sorted_by_key(|e| e.tag) {
            elements.sort_by_key(|e| e.tag);
        }
        let mut set = Self { elements, charset: None };
        if let Some(Value::Bytes(range)) = set.get(Tag(0x0008, 0x0005)).map(|e| &e.value) {
            let text = source.get(range.clone()).unwrap_or_default();
            set.charset = Some(Box::new(Charset::parse(&String::from_utf8_lossy(text))));
        }
        set
    }

    pub(crate) fn elements(&self) -> &[Element] {
        &self.elements
    }

    pub(crate) fn get(&self, tag: Tag) -> Option<&Element> {
        let at = self.elements.partition_point(|e| e.tag < tag);
        self.elements.get(at).filter(|e| e.tag == tag)
    }
}

/// A data set or item with what is needed to read its values.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub(crate) source: &'a [u8],
    pub(crate) set: &'a DataSet,
    pub(crate) endian: Endian,
    pub(crate) charset: &'a Charset,
}

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("endian", &self.endian).finish_non_exhaustive()
    }
}

impl<'a> View<'a> {
    pub(crate) fn new(source: &'a [u8], set: &'a DataSet, endian: Endian, inherited: &'a Charset) -> Self {
        Self { source, set, endian, charset: set.charset.as_deref().unwrap_or(inherited) }
    }

    pub(crate) fn has(&self, tag: Tag) -> bool {
        self.set.get(tag).is_some()
    }

    /// Raw bytes of an element that is no sequence.
    pub(crate) fn bytes(&self, tag: Tag) -> Option<&'a [u8]> {
        match &self.set.get(tag)?.value {
            Value::Bytes(range) => self.source.get(range.clone()),
            _ => None,
        }
    }

    /// Decoded text, trailing padding removed; several values stay joined by `\`. Empty if absent.
    pub(crate) fn text(&self, tag: Tag) -> String {
        let Some(element) = self.set.get(tag) else { return String::new() };
        let Some(bytes) = self.bytes(tag) else { return String::new() };
        self.charset.decode(bytes, Kind::of(element.vr)).text.trim_end_matches([' ', '\0']).to_owned()
    }

    /// What is odd about the coding of a text element, if anything.
    pub(crate) fn text_note(&self, tag: Tag) -> Option<&'static str> {
        let element = self.set.get(tag)?;
        self.charset.decode(self.bytes(tag)?, Kind::of(element.vr)).note
    }

    /// Decoded values, each trimmed on both sides.
    pub(crate) fn strings(&self, tag: Tag) -> Vec<String> {
        let text = self.text(tag);
        if text.is_empty() {
            return Vec::new();
        }
        text.split('\\').map(|s| s.trim_matches([' ', '\0', '\t', '\r', '\n']).to_owned()).collect()
    }

    /// First value, trimmed; `None` if absent or empty.
    pub(crate) fn string(&self, tag: Tag) -> Option<String> {
        self.strings(tag).into_iter().next().filter(|s| !s.is_empty())
    }

    /// A person's name (first value).
    pub(crate) fn name(&self, tag: Tag) -> PersonName {
        let text = self.text(tag);
        PersonName::parse(text.split('\\').next().unwrap_or_default())
    }

    /// Whole numbers of a binary or IS element; values that are none are left out.
    pub(crate) fn ints(&self, tag: Tag) -> Vec<i64> {
        let Some(element) = self.set.get(tag) else { return Vec::new() };
        let Some(bytes) = self.bytes(tag) else { return Vec::new() };
        let endian = self.endian;
        match element.vr {
            VR::US | VR::OW => pairs(bytes).map(|b| i64::from(endian.u16(b))).collect(),
            VR::SS => pairs(bytes).map(|b| i64::from(endian.u16(b) as i16)).collect(),
            VR::UL | VR::OL => quads(bytes).map(|b| i64::from(endian.u32(b))).collect(),
            VR::SL => quads(bytes).map(|b| i64::from(endian.u32(b) as i32)).collect(),
            VR::UV | VR::OV | VR::SV => octets(bytes).filter_map(|b| i64::try_from(endian.u64(b)).ok()).collect(),
            VR::FD | VR::FL | VR::OD | VR::OF => self.floats(tag).iter().map(|v| *v as i64).collect(),
            VR::UN if bytes.len() == 2 => pairs(bytes).map(|b| i64::from(endian.u16(b))).collect(),
            VR::UN if bytes.len() == 4 && !bytes.iter().all(u8::is_ascii_graphic) => {
                quads(bytes).map(|b| i64::from(endian.u32(b))).collect()
            }
            _ => split_numbers(bytes)
                .filter_map(|s| s.parse::<i64>().ok().or_else(|| s.parse::<f64>().ok().map(|f| f as i64)))
                .collect(),
        }
    }

    /// First whole number.
    pub(crate) fn int(&self, tag: Tag) -> Option<i64> {
        self.ints(tag).first().copied()
    }

    /// Real numbers of a DS, FD, FL or whole-number element; a value that is no number is NaN, so that
    /// the others keep their places.
    pub(crate) fn floats(&self, tag: Tag) -> Vec<f64> {
        let Some(element) = self.set.get(tag) else { return Vec::new() };
        let Some(bytes) = self.bytes(tag) else { return Vec::new() };
        let endian = self.endian;
        match element.vr {
            VR::FD | VR::OD => octets(bytes).map(|b| f64::from_bits(endian.u64(b))).collect(),
            VR::FL | VR::OF => quads(bytes).map(|b| f64::from(f32::from_bits(endian.u32(b)))).collect(),
            VR::US | VR::SS | VR::UL | VR::SL | VR::UV | VR::SV | VR::OW | VR::OL | VR::OV => {
                self.ints(tag).into_iter().map(|v| v as f64).collect()
            }
            VR::UN if bytes.len() == 8 && !bytes.iter().all(|b| b.is_ascii_graphic() || *b == b' ') => {
                octets(bytes).map(|b| f64::from_bits(endian.u64(b))).collect()
            }
            _ => split_numbers(bytes).map(|s| s.parse::<f64>().unwrap_or(f64::NAN)).collect(),
        }
    }

    /// First real number, if it is finite.
    pub(crate) fn float(&self, tag: Tag) -> Option<f64> {
        self.floats(tag).first().copied().filter(|v| v.is_finite())
    }

    /// Exactly `N` finite numbers.
    pub(crate) fn array<const N: usize>(&self, tag: Tag) -> Option<[f64; N]> {
        let values = self.floats(tag);
        let array: [f64; N] = values.get(..N)?.try_into().ok()?;
        array.iter().all(|v| v.is_finite()).then_some(array)
    }

    /// Items of a sequence; none if absent or no sequence.
    pub(crate) fn items(&self, tag: Tag) -> impl Iterator<Item = View<'a>> + use<'a> {
        let items: &'a [DataSet] = match self.set.get(tag).map(|e| &e.value) {
            Some(Value::Items(items)) => items,
            _ => &[],
        };
        let (source, endian, charset) = (self.source, self.endian, self.charset);
        items.iter().map(move |set| View::new(source, set, endian, charset))
    }

    /// First item of a sequence.
    pub(crate) fn item(&self, tag: Tag) -> Option<View<'a>> {
        self.items(tag).next()
    }
}

fn pairs(bytes: &[u8]) -> impl Iterator<Item = [u8; 2]> + '_ {
    bytes.as_chunks::<2>().0.iter().copied()
}
fn quads(bytes: &[u8]) -> impl Iterator<Item = [u8; 4]> + '_ {
    bytes.as_chunks::<4>().0.iter().copied()
}
fn octets(bytes: &[u8]) -> impl Iterator<Item = [u8; 8]> + '_ {
    bytes.as_chunks::<8>().0.iter().copied()
}

fn split_numbers(bytes: &[u8]) -> impl Iterator<Item = &str> {
    bytes
        .split(|b| *b == b'\\')
        .map(|part| std::str::from_utf8(part).unwrap_or_default().trim_matches([' ', '\0', '\t', '\r', '\n', '+']))
}
