//! DICOM JSON (PS3.18 annex F) → header, so that WADO-RS metadata take the same way as files.

use super::dataset::{DataSet, Element, Value};
use super::metadata::{MetadataError, project};
use super::parse::{MAX_DEPTH, MAX_ELEMENTS, dictionary_vr};
use super::read::Header;
use crate::study::JsonFault;
use crate::study::Study;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dicom_core::{Tag, VR};
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use std::io::Read;

/// Metadata that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// Not JSON, or cut off.
    #[error("metadata are not sound JSON: {0}")]
    Json(#[from] JsonFault),
    /// JSON, but no DICOM data set.
    #[error("metadata are not a DICOM data set: {0}")]
    Shape(&'static str),
    /// A data set without identity.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error.into())
    }
}

/// Projects one instance of WADO-RS metadata.
pub fn project_json(object: &serde_json::Value) -> Result<Study, JsonError> {
    Ok(project(&header_from_json(object)?, None)?)
}

/// Reads an array of instances one at a time, so that a study's metadata are never whole in memory.
/// `each` gets every instance's projection or the reason why it has none; the count comes back.
pub fn for_each_instance<R: Read>(
    reader: R,
    mut each: impl FnMut(Result<Study, JsonError>),
) -> Result<usize, JsonError> {
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let count = Instances(&mut each).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(count)
}

struct Instances<'a, F>(&'a mut F);

impl<'de, F: FnMut(Result<Study, JsonError>)> DeserializeSeed<'de> for Instances<'_, F> {
    type Value = usize;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(Result<Study, JsonError>)> Visitor<'de> for Instances<'_, F> {
    type Value = usize;
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of DICOM JSON objects")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while let Some(object) = seq.next_element::<serde_json::Value>()? {
            count += 1;
            (self.0)(project_json(&object));
        }
        Ok(count)
    }
}

/// A header from one DICOM JSON object. Bulk data that are only referenced stay absent; a name comes from
/// its component groups; attributes that are no DICOM are left out with a warning.
pub fn header_from_json(object: &serde_json::Value) -> Result<Header, JsonError> {
    let mut builder = Builder { source: Vec::new(), elements: 0, warnings: Vec::new(), pixel_data: false };
    let object = object.as_object().ok_or(JsonError::Shape("not an object"))?;
    let root = builder.data_set(object, 0)?;
    // (0008,3002) Available Transfer Syntax UID: what a server says instead of group 0002.
    let syntax = object
        .get("00083002")
        .or_else(|| object.get("00020010"))
        .and_then(|a| a.get("Value")?.get(0)?.as_str())
        .unwrap_or_default()
        .to_owned();
    let mut header = Header::from_parts(builder.source, root, syntax, builder.warnings);
    header.referenced_pixels = builder.pixel_data;
    Ok(header)
}

struct Builder {
    source: Vec<u8>,
    elements: usize,
    warnings: Vec<String>,
    pixel_data: bool,
}

type Object = serde_json::Map<String, serde_json::Value>;

impl Builder {
    fn data_set(&mut self, object: &Object, depth: usize) -> Result<DataSet, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::Shape("nested too deeply"));
        }
        let mut elements = Vec::with_capacity(object.len());
        for (key, attribute) in object {
            self.elements += 1;
            if self.elements > MAX_ELEMENTS {
                return Err(JsonError::Shape("too many attributes"));
            }
            let Some(tag) = parse_tag(key) else {
                self.warn("an attribute that is no DICOM tag");
                continue;
            };
            if tag.group() == 0x7FE0 && matches!(tag.element(), 8 | 9 | 0x10) {
                self.pixel_data |= depth == 0;
                continue;
            }
            // Text is UTF-8 here, whatever the data set was declared as before.
            if tag.group() == 2 || tag == Tag(0x0008, 0x0005) {
                continue;
            }
            if let Some(element) = self.element(tag, attribute, depth)? {
                elements.push(element);
            }
        }
        Ok(DataSet::new(elements, &self.source))
    }

    fn element(&mut self, tag: Tag, attribute: &serde_json::Value, depth: usize) -> Result<Option<Element>, JsonError> {
        let named = attribute.get("vr").and_then(|v| v.as_str()).and_then(|s| s.parse::<VR>().ok());
        let vr = named.unwrap_or_else(|| dictionary_vr(tag));
        let values = match attribute.get("Value") {
            Some(serde_json::Value::Array(values)) => values.as_slice(),
            Some(_) => {
                self.warn("a value that is no array");
                return Ok(None);
            }
            None => &[],
        };
        if vr == VR::SQ {
            let mut items = Vec::with_capacity(values.len());
            for value in values {
                if let Some(item) = value.as_object() {
                    items.push(self.data_set(item, depth + 1)?);
                }
            }
            return Ok(Some(Element { tag, vr, value: Value::Items(items) }));
        }
        if attribute.get("BulkDataURI").is_some() {
            return Ok(None);
        }
        let start = self.source.len();
        if let Some(text) = attribute.get("InlineBinary").and_then(|b| b.as_str()) {
            match STANDARD.decode(text.trim_ascii()) {
                Ok(bytes) => self.source.extend(bytes),
                Err(_) => self.warn("inline binary data that are no base64"),
            }
        } else {
            for (n, value) in values.iter().enumerate() {
                self.value(vr, value, n > 0);
            }
        }
        Ok(Some(Element { tag, vr, value: Value::Bytes(start..self.source.len()) }))
    }

    fn value(&mut self, vr: VR, value: &serde_json::Value, further: bool) {
        let number = value.as_f64().or_else(|| value.as_str().and_then(|s| s.trim().parse().ok()));
        let whole = value.as_i64().or_else(|| number.map(|f| f as i64));
        let out = &mut self.source;
        match vr {
            VR::AT => {
                // Eight hexadecimal digits (PS3.18 F.2.3), as two little-endian words.
                let tag = value.as_str().and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or_default();
                out.extend(((tag >> 16) as u16).to_le_bytes());
                out.extend((tag as u16).to_le_bytes());
            }
            VR::US => out.extend((whole.unwrap_or_default() as u16).to_le_bytes()),
            VR::SS => out.extend((whole.unwrap_or_default() as i16).to_le_bytes()),
            VR::UL => out.extend((whole.unwrap_or_default() as u32).to_le_bytes()),
            VR::SL => out.extend((whole.unwrap_or_default() as i32).to_le_bytes()),
            VR::SV => out.extend(whole.unwrap_or_default().to_le_bytes()),
            VR::UV => out.extend(value.as_u64().unwrap_or_default().to_le_bytes()),
            VR::FL => out.extend((number.unwrap_or(f64::NAN) as f32).to_le_bytes()),
            VR::FD => out.extend(number.unwrap_or(f64::NAN).to_le_bytes()),
            _ => {
                if further {
                    out.push(b'\\');
                }
                match value {
                    serde_json::Value::String(text) => out.extend(text.as_bytes()),
                    serde_json::Value::Number(n) => out.extend(n.to_string().as_bytes()),
                    serde_json::Value::Object(groups) if vr == VR::PN => {
                        let group = |name: &str| groups.get(name).and_then(|v| v.as_str()).unwrap_or_default();
                        let joined = [group("Alphabetic"), group("Ideographic"), group("Phonetic")].join("=");
                        out.extend(joined.trim_end_matches('=').as_bytes());
                    }
                    _ => {}
                }
            }
        }
    }

    fn warn(&mut self, text: &str) {
        if !self.warnings.iter().any(|w| w == text) {
            self.warnings.push(text.to_owned());
        }
    }
}

/// `GGGGEEEE` in hexadecimal.
fn parse_tag(key: &str) -> Option<Tag> {
    if key.len() != 8 || !key.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let both = u32::from_str_radix(key, 16).ok()?;
    Some(Tag((both >> 16) as u16, both as u16))
}
