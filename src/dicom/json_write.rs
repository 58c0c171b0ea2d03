//! Header → DICOM JSON (PS3.18 annex F): what a DICOMweb server answers.
//!
//! Text is UTF-8 whatever the file's character set was, so Specific Character Set says ISO_IR 192. Values longer than
//! [`INLINE_BYTES`] and pixel data stand there as `BulkDataURI`; the caller says where they are.

use super::dataset::{DataSet, Element, Endian, Value as Stored, View};
use super::read::Header;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dicom_core::{Tag, VR};
use serde_json::{Map, Number, Value, json};

/// Longest binary value that is written into the JSON itself.
pub const INLINE_BYTES: usize = 512;
/// Deepest nesting that is written; the reader's own limit is the same order.
const MAX_DEPTH: usize = 64;

/// One DICOM JSON object. `bulk_uri` gets the path of a binary value (`7FE00010`, or `54000100/0/54001010` inside sequences) and
/// gives its URI; `None` leaves the value out.
pub fn to_dicom_json(header: &Header, bulk_uri: &dyn Fn(&str) -> Option<String>) -> Value {
    let mut object = data_set(&header.view(), "", 0, bulk_uri);
    if header.has_pixel_data() {
        let (key, vr) = match &header.pixel {
            Some(pixel) => (tag_key(pixel.tag), pixel.vr.to_string()),
            None => ("7FE00010".to_owned(), "OW"),
        };
        if let Some(uri) = bulk_uri(&key) {
            object.insert(key, json!({ "vr": vr, "BulkDataURI": uri }));
        }
    }
    Value::Object(object)
}

/// The bytes of a binary value by its path (see [`to_dicom_json`]), little endian; `None` if there is no such value. Pixel data
/// are frames, not values: see [`super::Object::stored_frame`].
pub fn bulk_value(header: &Header, path: &str) -> Option<Vec<u8>> {
    let mut steps = path.split('/');
    let mut view = header.view();
    let mut tag = parse_key(steps.next()?)?;
    while let Some(index) = steps.next() {
        let index: usize = index.parse().ok()?;
        view = view.items(tag).nth(index)?;
        tag = parse_key(steps.next()?)?;
    }
    let element = view.set.get(tag)?;
    let bytes = view.bytes(tag)?;
    is_binary(element.vr).then(|| little_endian(bytes, element.vr, view.endian))
}

fn parse_key(key: &str) -> Option<Tag> {
    if key.len() != 8 || !key.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let both = u32::from_str_radix(key, 16).ok()?;
    Some(Tag((both >> 16) as u16, both as u16))
}

fn tag_key(tag: Tag) -> String {
    format!("{:04X}{:04X}", tag.group(), tag.element())
}

fn data_set(
    view: &View<'_>,
    path: &str,
    depth: usize,
    bulk_uri: &dyn Fn(&str) -> Option<String>,
) -> Map<String, Value> {
    let mut object = Map::new();
    for element in view.set.elements() {
        let tag = element.tag;
        // Group 0002 belongs to the file, group lengths are retired.
        if tag.group() <= 2 || tag.element() == 0 {
            continue;
        }
        let key = tag_key(tag);
        let here = if path.is_empty() { key.clone() } else { format!("{path}/{key}") };
        if let Some(value) = attribute(view, element, &here, depth, bulk_uri) {
            object.insert(key, value);
        }
    }
    object
}

fn attribute(
    view: &View<'_>,
    element: &Element,
    path: &str,
    depth: usize,
    bulk_uri: &dyn Fn(&str) -> Option<String>,
) -> Option<Value> {
    let vr = element.vr;
    let with = |values: Vec<Value>| {
        let mut attribute = Map::new();
        attribute.insert("vr".to_owned(), vr.to_string().into());
        if !values.is_empty() {
            attribute.insert("Value".to_owned(), Value::Array(values));
        }
        Some(Value::Object(attribute))
    };
    if element.tag == Tag(0x0008, 0x0005) {
        return Some(json!({ "vr": "CS", "Value": ["ISO_IR 192"] }));
    }
    match &element.value {
        Stored::Items(items) => {
            if depth >= MAX_DEPTH {
                return None;
            }
            let item = |(index, set): (usize, &DataSet)| {
                let item = View::new(view.source, set, view.endian, view.charset);
                Value::Object(data_set(&item, &format!("{path}/{index}"), depth + 1, bulk_uri))
            };
            let values: Vec<Value> = items.iter().enumerate().map(item).collect();
            let mut attribute = Map::new();
            attribute.insert("vr".to_owned(), "SQ".into());
            if !values.is_empty() {
                attribute.insert("Value".to_owned(), Value::Array(values));
            }
            Some(Value::Object(attribute))
        }
        Stored::Fragments(_) => bulk_uri(path).map(|uri| json!({ "vr": vr.to_string(), "BulkDataURI": uri })),
        Stored::Bytes(_) if is_binary(vr) => {
            let bytes = view.bytes(element.tag)?;
            if bytes.is_empty() {
                return with(Vec::new());
            }
            if bytes.len() > INLINE_BYTES {
                return bulk_uri(path).map(|uri| json!({ "vr": vr.to_string(), "BulkDataURI": uri }));
            }
            let inline = STANDARD.encode(little_endian(bytes, vr, view.endian));
            Some(json!({ "vr": vr.to_string(), "InlineBinary": inline }))
        }
        Stored::Bytes(_) => with(values(view, element)),
    }
}

fn is_binary(vr: VR) -> bool {
    matches!(vr, VR::OB | VR::OD | VR::OF | VR::OL | VR::OV | VR::OW | VR::UN)
}

/// JSON and bulk data are little endian (PS3.18 8.7.3).
fn little_endian(bytes: &[u8], vr: VR, endian: Endian) -> Vec<u8> {
    let word = match vr {
        VR::OW => 2,
        VR::OL | VR::OF => 4,
        VR::OD | VR::OV => 8,
        _ => 1,
    };
    if endian == Endian::Little || word == 1 {
        return bytes.to_vec();
    }
    bytes.chunks(word).flat_map(|w| w.iter().rev().copied()).collect()
}

fn values(view: &View<'_>, element: &Element) -> Vec<Value> {
    let tag = element.tag;
    let texts = || view.strings(tag).into_iter();
    match element.vr {
        VR::LT | VR::ST | VR::UT | VR::UR => {
            let text = view.text(tag);
            if text.is_empty() { Vec::new() } else { vec![text.into()] }
        }
        VR::PN => texts().map(|name| person_name(&name)).collect(),
        VR::IS => texts().map(|t| number_or_text(&t, t.parse::<i64>().ok().map(Number::from))).collect(),
        VR::DS => texts().map(|t| number_or_text(&t, t.parse::<f64>().ok().and_then(Number::from_f64))).collect(),
        VR::US | VR::SS | VR::UL | VR::SL | VR::SV => view.ints(tag).into_iter().map(Value::from).collect(),
        VR::UV => {
            let bytes = view.bytes(tag).unwrap_or_default();
            bytes.as_chunks::<8>().0.iter().map(|b| Value::from(view.endian.u64(*b))).collect()
        }
        VR::FL | VR::FD => view.floats(tag).into_iter().map(real).collect(),
        VR::AT => {
            let bytes = view.bytes(tag).unwrap_or_default();
            let pair = |b: &[u8; 4]| {
                let [a, b, c, d] = *b;
                format!("{:04X}{:04X}", view.endian.u16([a, b]), view.endian.u16([c, d])).into()
            };
            bytes.as_chunks::<4>().0.iter().map(pair).collect()
        }
        _ => texts().map(|t| if t.is_empty() { Value::Null } else { t.into() }).collect(),
    }
}

fn person_name(text: &str) -> Value {
    let mut groups = Map::new();
    for (name, group) in ["Alphabetic", "Ideographic", "Phonetic"].into_iter().zip(text.splitn(3, '=')) {
        let group = group.trim_matches([' ', '\0']);
        if !group.is_empty() {
            groups.insert(name.to_owned(), group.into());
        }
    }
    if groups.is_empty() { Value::Null } else { Value::Object(groups) }
}

/// A number string that is no number stays what it is: the reader shall see it.
fn number_or_text(text: &str, number: Option<Number>) -> Value {
    match number {
        Some(number) => Value::Number(number),
        None if text.is_empty() => Value::Null,
        None => text.into(),
    }
}

/// PS3.18 F.2.3.1: what JSON has no number for is written as text.
fn real(value: f64) -> Value {
    Number::from_f64(value).map_or_else(
        || {
            let text = if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "inf"
            } else {
                "-inf"
            };
            text.into()
        },
        Value::Number,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: (u16, u16), vr: &str, value: &[u8]) -> Vec<u8> {
        let mut out = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
        out.extend(vr.as_bytes());
        if matches!(vr, "OB" | "OW" | "SQ" | "UN" | "UT") {
            out.extend([0, 0]);
            out.extend((value.len() as u32).to_le_bytes());
        } else {
            out.extend((value.len() as u16).to_le_bytes());
        }
        out.extend(value);
        out
    }

    fn file(body: &[Vec<u8>]) -> Header {
        let syntax = element((2, 0x10), "UI", b"1.2.840.10008.1.2.1\0");
        let meta = [element((2, 0), "UL", &(syntax.len() as u32).to_le_bytes()), syntax].concat();
        let bytes = [vec![0; 128], b"DICM".to_vec(), meta, body.concat()].concat();
        Header::from_bytes(bytes).expect("header")
    }

    #[test]
    fn japanese_names_numbers_and_bulk() {
        let long = vec![7u8; INLINE_BYTES + 2];
        let item = element((0x54, 0x100), "OW", &long);
        let mut sequence = vec![0xFE, 0xFF, 0x00, 0xE0];
        sequence.extend((item.len() as u32).to_le_bytes());
        sequence.extend(item);
        let header = file(&[
            element((8, 5), "CS", b"\\ISO 2022 IR 87 "),
            element((8, 0x18), "UI", b"1.2.3\0"),
            element((0x10, 0x10), "PN", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B "),
            element((0x20, 0x13), "IS", b"12"),
            element((0x28, 0x30), "DS", b"0.5\\x "),
            element((0x28, 0x10), "US", &[0, 2]),
            element((0x40, 0x9096), "SQ", &sequence),
            element((0x7FE0, 0x10), "OW", &[1, 2, 3, 4]),
        ]);
        let json = to_dicom_json(&header, &|path| Some(format!("bulk/{path}")));
        let of = |key: &str| json.get(key).cloned().unwrap_or_default();
        assert_eq!(of("00080005"), json!({"vr": "CS", "Value": ["ISO_IR 192"]}));
        assert_eq!(of("00100010")["Value"][0]["Ideographic"], json!("山田^太郎"));
        assert_eq!(of("00200013")["Value"], json!([12]));
        assert_eq!(of("00280030")["Value"], json!([0.5, "x"]));
        assert_eq!(of("00280010")["Value"], json!([512]));
        assert_eq!(of("00409096")["Value"][0]["00540100"]["BulkDataURI"], json!("bulk/00409096/0/00540100"));
        assert_eq!(of("7FE00010")["BulkDataURI"], json!("bulk/7FE00010"));
        assert!(json.get("00020010").is_none());
        assert_eq!(bulk_value(&header, "00409096/0/00540100").as_deref(), Some(long.as_slice()));
        assert_eq!(bulk_value(&header, "00409096/1/00540100"), None);
        assert_eq!(bulk_value(&header, "00100010"), None);
        assert_eq!(bulk_value(&header, "../etc"), None);
        let back = super::super::header_from_json(&json).expect("reads back");
        assert_eq!(back.view().name(Tag(0x10, 0x10)).display(), "山田\u{3000}太郎");
    }
}
