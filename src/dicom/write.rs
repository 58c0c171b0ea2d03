//! Builder for DICOM data sets and valid Part 10 files (PS3.10 §7), Explicit VR Little Endian.
//!
//! Text is encoded here and handed on as bytes: the writer below knows one character repertoire per file, and Japanese
//! names need the code extensions of ISO 2022 (PS3.3 C.12.1.1.2, PS3.5 §6.1.2.5 and Annex H).
//! A mistake in a chain of calls (a character that the repertoire lacks, a value too long for its VR) is kept and told by
//! [`Dataset::write`], so that building reads as a list.

use crate::study::hidden_debug;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use dicom_core::dictionary::{DataDictionary as _, DataDictionaryEntry as _};
use dicom_core::value::{DataSetSequence, PrimitiveValue};
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use dicom_transfer_syntax_registry::entries::EXPLICIT_VR_LITTLE_ENDIAN;
use sha2::{Digest as _, Sha256};

pub use dicom_dictionary_std::{tags, uids};

/// Names this program in the file meta information, PS3.10 §7.1 (Implementation Class UID, derived from a UUID).
pub const IMPLEMENTATION_CLASS_UID: &str = "2.25.289436015830125437617093452107718354661";
/// Implementation Version Name (0002,0013).
pub const IMPLEMENTATION_VERSION_NAME: &str = "DOKUEI_0_1";

/// Why a data set could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text holds a character outside the declared repertoire; nothing is replaced silently.
    #[error("attribute {tag} holds a character that {charset} cannot write")]
    Unrepresentable {
        /// Attribute, as (gggg,eeee).
        tag: String,
        /// Value of Specific Character Set (0008,0005).
        charset: &'static str,
    },
    /// The value breaks a rule of its value representation (PS3.5 §6.2).
    #[error("attribute {tag}: {reason}")]
    Value {
        /// Attribute, as (gggg,eeee).
        tag: String,
        /// What is wrong.
        reason: String,
    },
    /// An attribute without which no file can be written.
    #[error("attribute {0} is missing")]
    Missing(&'static str),
    /// The DICOM writer refused the data set.
    #[error("cannot encode the data set")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file system refused.
    #[error("cannot write {path}")]
    Io {
        /// File or folder.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
}

/// Character repertoire of a file, Specific Character Set (0008,0005).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// `ISO_IR 192`, UTF-8: everything that the product writes for others.
    Utf8,
    /// `\ISO 2022 IR 87`: ASCII, and JIS X 0208 by escape sequences; what Japanese modalities usually send.
    Iso2022Jp,
}

impl Charset {
    /// The value of Specific Character Set (0008,0005).
    pub fn declared(self) -> &'static str {
        match self {
            Self::Utf8 => "ISO_IR 192",
            Self::Iso2022Jp => "\\ISO 2022 IR 87",
        }
    }

    /// Bytes of a text value, or `None` when a character is not in the repertoire.
    pub fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Iso2022Jp => encode_iso2022_jp(text),
        }
    }
}

/// JIS X 0208 in G0 between `ESC $ B` and `ESC ( B`; delimiters and controls are always ASCII (PS3.5 §6.1.2.5.3).
fn encode_iso2022_jp(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 2);
    let mut double = false;
    for ch in text.chars() {
        if ch.is_ascii() {
            if double {
                out.extend_from_slice(b"\x1b(B");
                double = false;
            }
            out.push(ch as u8);
            continue;
        }
        let mut utf8 = [0u8; 4];
        let (bytes, _, failed) = encoding_rs::EUC_JP.encode(ch.encode_utf8(&mut utf8));
        // Two bytes with the high bit: JIS X 0208. 8E.. is half-width kana and 8F.. JIS X 0212: other designations.
        // Rows 9 to 15 and from 85 on are vendor extensions that IR 87 does not have.
        let &[lead, trail] = bytes.as_ref() else {
            return None;
        };
        let row = lead.wrapping_sub(0xa0);
        if failed || !matches!(row, 1..=8 | 16..=84) || trail < 0xa1 {
            return None;
        }
        if !double {
            out.extend_from_slice(b"\x1b$B");
            double = true;
        }
        out.extend_from_slice(&[lead & 0x7f, trail & 0x7f]);
    }
    if double {
        out.extend_from_slice(b"\x1b(B");
    }
    Some(out)
}

/// A UID below `2.25` (PS3.5 B.2) made from a name: the same name gives the same UID on every machine.
pub fn uid_from_name(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let mut bytes = [0u8; 16];
    for (to, from) in bytes.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    // RFC 9562 §5.8: version 8 (made by own rule), variant 10.
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    format!("2.25.{}", u128::from_be_bytes(bytes))
}

/// A data set under construction.
///
/// Values are given in document order of one's own liking; the file has them sorted by tag.
#[derive(Clone)]
pub struct Dataset {
    object: InMemDicomObject,
    charset: Charset,
    mistake: Option<String>,
    mistake_tag: Option<Tag>,
}

hidden_debug!(Dataset { charset });

impl Dataset {
    /// An empty data set of a file; Specific Character Set is put.
    pub fn new(charset: Charset) -> Self {
        let mut set = Self::item(charset);
        set.text(tags::SPECIFIC_CHARACTER_SET, charset.declared());
        set
    }

    /// An empty sequence item; it inherits the file's Specific Character Set.
    pub fn item(charset: Charset) -> Self {
        Self { object: InMemDicomObject::new_empty(), charset, mistake: None, mistake_tag: None }
    }

    /// The repertoire that text values are written in.
    pub fn charset(&self) -> Charset {
        self.charset
    }

    fn fail(&mut self, tag: Tag, reason: impl Into<String>) {
        if self.mistake_tag.is_none() {
            self.mistake_tag = Some(tag);
            self.mistake = Some(reason.into());
        }
    }

    fn vr(tag: Tag) -> VR {
        StandardDataDictionary.by_tag(tag).map_or(VR::UN, |entry| entry.vr().relaxed())
    }

    fn put_bytes(&mut self, tag: Tag, vr: VR, mut bytes: Vec<u8>) {
        if bytes.len() % 2 == 1 {
            bytes.push(match vr {
                VR::UI | VR::OB | VR::UN => 0,
                _ => b' ',
            });
        }
        let value = if bytes.is_empty() { PrimitiveValue::Empty } else { PrimitiveValue::from(bytes) };
        self.object.put(DataElement::new(tag, vr, value));
    }

    /// Puts a text value of any textual VR; several values are parted by `\`.
    pub fn text(&mut self, tag: Tag, value: &str) -> &mut Self {
        let vr = Self::vr(tag);
        match vr {
            VR::LO | VR::LT | VR::PN | VR::SH | VR::ST | VR::UC | VR::UT => match self.charset.encode(value) {
                Some(bytes) => {
                    let single = matches!(vr, VR::LT | VR::ST | VR::UT);
                    let limit = match vr {
                        VR::SH => 16,
                        VR::LO => 64,
                        VR::PN => 64 * 3 + 2,
                        VR::ST => 1024,
                        VR::LT => 10240,
                        _ => usize::MAX,
                    };
                    let longest = if single {
                        value.chars().count()
                    } else {
                        value.split('\\').map(|v| v.chars().count()).max().unwrap_or(0)
                    };
                    if longest > limit {
                        self.fail(tag, format!("longer than {limit} characters"));
                    }
                    self.put_bytes(tag, vr, bytes);
                }
                None => self.fail(tag, ""),
            },
            VR::AE | VR::AS | VR::CS | VR::DA | VR::DS | VR::DT | VR::IS | VR::TM | VR::UI | VR::UR => {
                if !value.is_ascii() {
                    self.fail(tag, "holds a character outside ASCII");
                } else if vr == VR::CS
                    && (value.split('\\').any(|v| v.len() > 16)
                        || !value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b" _\\".contains(&b)))
                {
                    self.fail(tag, "is no code string");
                } else if vr == VR::UI && value.split('\\').any(|v| v.len() > 64) {
                    self.fail(tag, "is longer than 64 characters");
                }
                // The text form also serves DS and IS, whose bytes the writer below would print as numbers.
                if matches!(vr, VR::DS | VR::IS) || tag == tags::SPECIFIC_CHARACTER_SET {
                    self.object.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
                } else {
                    self.put_bytes(tag, vr, value.as_bytes().to_vec());
                }
            }
            _ => self.fail(tag, "is no text attribute"),
        }
        self
    }

    /// Puts an attribute of zero length (type 2 without a value).
    pub fn empty(&mut self, tag: Tag) -> &mut Self {
        let vr = Self::vr(tag);
        if vr == VR::SQ {
            return self.sequence(tag, Vec::new());
        }
        self.object.put(DataElement::new(tag, vr, PrimitiveValue::Empty));
        self
    }

    /// Puts decimal strings (DS), each within 16 characters.
    pub fn decimal(&mut self, tag: Tag, values: &[f64]) -> &mut Self {
        if values.iter().any(|v| !v.is_finite()) {
            self.fail(tag, "is not a finite number");
            return self;
        }
        let text = values.iter().map(|v| decimal_string(*v)).collect::<Vec<_>>().join("\\");
        self.text(tag, &text)
    }

    /// Puts integer strings (IS).
    pub fn integer(&mut self, tag: Tag, values: &[i32]) -> &mut Self {
        let text = values.iter().map(ToString::to_string).collect::<Vec<_>>().join("\\");
        self.text(tag, &text)
    }

    /// Puts 16-bit unsigned numbers (US), also where the dictionary allows US or SS.
    pub fn unsigned(&mut self, tag: Tag, values: &[u16]) -> &mut Self {
        self.object.put(DataElement::new(tag, VR::US, PrimitiveValue::U16(values.iter().copied().collect())));
        self
    }

    /// Puts 16-bit signed numbers (SS), where the dictionary allows US or SS.
    pub fn signed(&mut self, tag: Tag, values: &[i16]) -> &mut Self {
        self.object.put(DataElement::new(tag, VR::SS, PrimitiveValue::I16(values.iter().copied().collect())));
        self
    }

    /// Puts 32-bit unsigned numbers (UL).
    pub fn unsigned_long(&mut self, tag: Tag, values: &[u32]) -> &mut Self {
        self.object.put(DataElement::new(tag, VR::UL, PrimitiveValue::U32(values.iter().copied().collect())));
        self
    }

    /// Puts double precision numbers (FD), or singles (FL) where the dictionary says so.
    pub fn float(&mut self, tag: Tag, values: &[f64]) -> &mut Self {
        let value = if Self::vr(tag) == VR::FL {
            PrimitiveValue::F32(values.iter().map(|v| *v as f32).collect())
        } else {
            PrimitiveValue::F64(values.iter().copied().collect())
        };
        self.object.put(DataElement::new(tag, Self::vr(tag), value));
        self
    }

    /// Puts attribute tags (AT).
    pub fn attribute(&mut self, tag: Tag, values: &[Tag]) -> &mut Self {
        self.object.put(DataElement::new(tag, VR::AT, PrimitiveValue::Tags(values.iter().copied().collect())));
        self
    }

    /// Puts a sequence; a mistake in an item is a mistake of the whole.
    pub fn sequence(&mut self, tag: Tag, items: Vec<Dataset>) -> &mut Self {
        let mut objects = Vec::with_capacity(items.len());
        for item in items {
            if let (Some(inner), Some(reason)) = (item.mistake_tag, item.mistake) {
                self.fail(inner, reason);
            }
            objects.push(item.object);
        }
        self.object.put(DataElement::new(tag, VR::SQ, DataSetSequence::from(objects)));
        self
    }

    /// Puts a sequence of one code (PS3.3 §8): value, coding scheme designator, meaning.
    pub fn code(&mut self, tag: Tag, value: &str, scheme: &str, meaning: &str) -> &mut Self {
        let item = self.code_item(value, scheme, meaning);
        self.sequence(tag, vec![item])
    }

    /// One item of a code sequence, in this data set's repertoire.
    #[must_use]
    pub fn code_item(&self, value: &str, scheme: &str, meaning: &str) -> Dataset {
        let mut item = Dataset::item(self.charset);
        item.text(tags::CODE_VALUE, value)
            .text(tags::CODING_SCHEME_DESIGNATOR, scheme)
            .text(tags::CODE_MEANING, meaning);
        item
    }

    /// Puts native pixel data of 16 bits allocated (OW), little endian.
    pub fn pixels_u16(&mut self, values: &[u16]) -> &mut Self {
        let mut bytes = Vec::with_capacity(values.len() * 2);
        for value in values {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        self.put_bytes(tags::PIXEL_DATA, VR::OW, bytes);
        self
    }

    /// Puts native pixel data of 16 bits allocated, two's complement (OW), little endian.
    pub fn pixels_i16(&mut self, values: &[i16]) -> &mut Self {
        let mut bytes = Vec::with_capacity(values.len() * 2);
        for value in values {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        self.put_bytes(tags::PIXEL_DATA, VR::OW, bytes);
        self
    }

    /// Puts native pixel data of 8 bits allocated (OB).
    pub fn pixels_u8(&mut self, values: Vec<u8>) -> &mut Self {
        self.put_bytes(tags::PIXEL_DATA, VR::OB, values);
        self
    }

    /// The Part 10 file as bytes. SOP Class UID and SOP Instance UID must have been put.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        if let Some(tag) = self.mistake_tag {
            return Err(match self.mistake.as_deref() {
                Some(reason) if !reason.is_empty() => Error::Value { tag: tag.to_string(), reason: reason.to_owned() },
                _ => Error::Unrepresentable { tag: tag.to_string(), charset: self.charset.declared() },
            });
        }
        let uid = |tag, name| {
            self.object
                .get(tag)
                .and_then(|e| e.value().to_bytes().ok())
                .map(|b| String::from_utf8_lossy(&b).trim_end_matches(['\0', ' ']).to_owned())
                .filter(|s| !s.is_empty())
                .ok_or(Error::Missing(name))
        };
        let class = uid(tags::SOP_CLASS_UID, "SOP Class UID")?;
        let instance = uid(tags::SOP_INSTANCE_UID, "SOP Instance UID")?;
        let meta = FileMetaTableBuilder::new()
            .media_storage_sop_class_uid(class)
            .media_storage_sop_instance_uid(instance)
            .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
            .implementation_class_uid(IMPLEMENTATION_CLASS_UID)
            .implementation_version_name(IMPLEMENTATION_VERSION_NAME)
            .build()
            .map_err(|e| Error::Encode(Box::new(e)))?;
        let mut bytes = vec![0u8; 128];
        bytes.extend_from_slice(b"DICM");
        meta.write(&mut bytes).map_err(|e| Error::Encode(Box::new(e)))?;
        self.object
            .write_dataset_with_ts(&mut bytes, &EXPLICIT_VR_LITTLE_ENDIAN.erased())
            .map_err(|e| Error::Encode(Box::new(e)))?;
        Ok(bytes)
    }

    /// Writes a Part 10 file: whole or not at all, through a temporary file beside it.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let bytes = self.to_bytes()?;
        let io = |source| Error::Io { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io)?;
        }
        let mut name = path.file_name().map(std::ffi::OsStr::to_os_string).unwrap_or_default();
        name.push(".part");
        let part = path.with_file_name(name);
        let written =
            fs::File::create(&part).and_then(|mut file| file.write_all(&bytes)).and_then(|()| fs::rename(&part, path));
        if let Err(source) = written {
            // The first failure is the one to tell; a left-over part file is overwritten by the next attempt.
            let _ = fs::remove_file(&part);
            return Err(io(source));
        }
        Ok(())
    }
}

/// A number as a decimal string of at most 16 characters (PS3.5 §6.2, DS), with as many digits as fit.
pub(super) fn decimal_string(value: f64) -> String {
    let plain = format!("{value}");
    if plain.len() <= 16 {
        return plain;
    }
    for digits in (0..=14).rev() {
        let text = format!("{value:.digits$}");
        if text.len() <= 16 && value.abs() >= 1e-4 {
            return text;
        }
        let text = format!("{value:.digits$e}");
        if text.len() <= 16 {
            return text;
        }
    }
    "0".to_owned()
}
