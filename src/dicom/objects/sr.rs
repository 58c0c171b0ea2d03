//! Content trees of structured reports and key object selections (PS3.3 C.17.3) → [`Document`], whatever the template.

use super::{code, object_ref};
use crate::dicom::dataset::View;
use crate::study::document::{Document, DocumentOddity, Item, Number, Region, Value, Verifier};
use crate::study::{Code, ObjectRef};
use dicom_dictionary_std::tags;

/// Most content items that are read.
const MOST_ITEMS: usize = 50_000;
/// Deepest level of the tree that is read (the parser ends somewhat below).
const DEEPEST: u8 = 60;
/// Longest text of one item, characters.
const LONGEST_TEXT: usize = 1 << 20;
/// Most points of one region.
const MOST_POINTS: usize = 100_000;
/// Most instances of evidence.
const MOST_EVIDENCE: usize = 200_000;

/// Reads the document; what is missing or too much is told among its warnings.
pub(super) fn document(view: &View<'_>) -> Document {
    let flag = |tag, yes: &str, no: &[&str]| match view.string(tag) {
        Some(text) if text == yes => Some(true),
        Some(text) if no.contains(&text.as_str()) => Some(false),
        _ => None,
    };
    let template = view.item(tags::CONTENT_TEMPLATE_SEQUENCE);
    let mut walk = Walk::default();
    walk.children(view, 0, "1");
    let mut evidence = Vec::new();
    for tag in [tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, tags::PERTINENT_OTHER_EVIDENCE_SEQUENCE] {
        let series = view.items(tag).flat_map(|study| study.items(tags::REFERENCED_SERIES_SEQUENCE));
        let room = MOST_EVIDENCE - evidence.len();
        let found = series.flat_map(|s| s.items(tags::REFERENCED_SOP_SEQUENCE)).take(room);
        evidence.extend(found.filter_map(|item| object_ref(&item)));
    }
    let warnings = walk.warnings();
    Document {
        title: code(view, tags::CONCEPT_NAME_CODE_SEQUENCE).unwrap_or_default(),
        template: template.map_or_else(String::new, |t| {
            let resource = t.string(tags::MAPPING_RESOURCE).unwrap_or_default();
            let name = t.string(tags::TEMPLATE_IDENTIFIER).unwrap_or_default();
            format!("{resource} {name}").trim().to_owned()
        }),
        complete: flag(tags::COMPLETION_FLAG, "COMPLETE", &["PARTIAL"]),
        verified: flag(tags::VERIFICATION_FLAG, "VERIFIED", &["UNVERIFIED"]),
        preliminary: view.string(tags::PRELIMINARY_FLAG).as_deref() == Some("PRELIMINARY"),
        written: date_and_time(
            &view.string(tags::CONTENT_DATE).unwrap_or_default(),
            &view.string(tags::CONTENT_TIME).unwrap_or_default(),
        ),
        verifiers: view.items(tags::VERIFYING_OBSERVER_SEQUENCE).take(64).map(|v| verifier(&v)).collect(),
        items: walk.items,
        evidence,
        warnings,
    }
}

fn verifier(view: &View<'_>) -> Verifier {
    Verifier {
        name: view.name(tags::VERIFYING_OBSERVER_NAME),
        organization: view.string(tags::VERIFYING_ORGANIZATION).unwrap_or_default(),
        at: date_time(&view.string(tags::VERIFICATION_DATE_TIME).unwrap_or_default()),
    }
}

/// The way through the tree.
#[derive(Default)]
struct Walk {
    items: Vec<Item>,
    left_out: usize,
    too_deep: bool,
    too_long: bool,
    /// Coordinates of a region are not whole.
    damaged_region: bool,
    without_value: usize,
}

impl Walk {
    fn warnings(&self) -> Vec<DocumentOddity> {
        let mut out = Vec::new();
        if self.left_out > 0 {
            out.push(DocumentOddity::ItemsLeftOut { most: MOST_ITEMS });
        }
        if self.too_deep {
            out.push(DocumentOddity::TooDeep { levels: DEEPEST });
        }
        if self.damaged_region {
            out.push(DocumentOddity::Region);
        }
        if self.too_long {
            out.push(DocumentOddity::TooLong);
        }
        if self.without_value > 0 {
            out.push(DocumentOddity::WithoutValue { count: self.without_value });
        }
        out
    }

    fn children(&mut self, view: &View<'_>, depth: u8, parent: &str) {
        for (at, item) in view.items(tags::CONTENT_SEQUENCE).enumerate() {
            if self.items.len() >= MOST_ITEMS {
                self.left_out += 1;
                return;
            }
            let number = format!("{parent}.{}", at + 1);
            let value = self.value(&item);
            self.items.push(Item {
                depth,
                number: number.clone(),
                relation: item.string(tags::RELATIONSHIP_TYPE).unwrap_or_default(),
                name: code(&item, tags::CONCEPT_NAME_CODE_SEQUENCE),
                observed: date_time(&item.string(tags::OBSERVATION_DATE_TIME).unwrap_or_default()),
                value,
            });
            if depth + 1 < DEEPEST {
                self.children(&item, depth + 1, &number);
            } else if item.has(tags::CONTENT_SEQUENCE) {
                self.too_deep = true;
            }
        }
    }

    fn value(&mut self, item: &View<'_>) -> Value {
        let see = item.ints(tags::REFERENCED_CONTENT_ITEM_IDENTIFIER);
        let Some(kind) = item.string(tags::VALUE_TYPE) else {
            if see.is_empty() {
                self.without_value += 1;
                return Value::Unknown(String::new());
            }
            return Value::See(see.iter().map(i64::to_string).collect::<Vec<_>>().join("."));
        };
        let value = match kind.as_str() {
            "CONTAINER" => Some(Value::Container),
            "TEXT" => item.has(tags::TEXT_VALUE).then(|| Value::Text(self.text(item))),
            "CODE" => code(item, tags::CONCEPT_CODE_SEQUENCE).map(Value::Code),
            "NUM" => Some(Value::Number(number(item))),
            "DATETIME" => item.string(tags::DATE_TIME).map(|t| Value::Time(date_time(&t))),
            "DATE" => item.string(tags::DATE).map(|t| Value::Time(date(&t))),
            "TIME" => item.string(tags::TIME).map(|t| Value::Time(time(&t))),
            "PNAME" => item.has(tags::PERSON_NAME).then(|| Value::Name(item.name(tags::PERSON_NAME))),
            "UIDREF" => item.string(tags::UID).map(Value::Uid),
            "IMAGE" => reference(item).map(Value::Image),
            "COMPOSITE" | "WAVEFORM" => reference(item).map(Value::Object),
            "SCOORD" => self.region(item, 2).map(Value::Region),
            "SCOORD3D" => self.region(item, 3).map(Value::Region),
            "TCOORD" => range(item),
            other => Some(Value::Unknown(other.to_owned())),
        };
        value.unwrap_or_else(|| {
            self.without_value += 1;
            Value::Unknown(kind)
        })
    }

    fn text(&mut self, item: &View<'_>) -> String {
        let text = item.text(tags::TEXT_VALUE);
        match text.char_indices().nth(LONGEST_TEXT) {
            Some((end, _)) => {
                self.too_long = true;
                text.get(..end).unwrap_or_default().to_owned()
            }
            None => text,
        }
    }

    fn region(&mut self, item: &View<'_>, dimensions: usize) -> Option<Region> {
        let shape = item.string(tags::GRAPHIC_TYPE)?;
        let data = item.floats(tags::GRAPHIC_DATA);
        // An outline with points left out would be another outline.
        if !data.len().is_multiple_of(dimensions) || data.iter().any(|v| !v.is_finite()) {
            self.damaged_region = true;
            return None;
        }
        let points: Vec<Vec<f64>> = data.chunks_exact(dimensions).take(MOST_POINTS).map(<[f64]>::to_vec).collect();
        self.too_long |= data.len() / dimensions > MOST_POINTS;
        let frame_of_reference = item.string(tags::REFERENCED_FRAME_OF_REFERENCE_UID).filter(|_| dimensions == 3);
        (!points.is_empty()).then_some(Region { shape, points, frame_of_reference })
    }
}

fn reference(item: &View<'_>) -> Option<ObjectRef> {
    item.item(tags::REFERENCED_SOP_SEQUENCE).and_then(|r| object_ref(&r))
}

fn number(item: &View<'_>) -> Number {
    let qualifier = code(item, tags::NUMERIC_VALUE_QUALIFIER_CODE_SEQUENCE);
    let Some(measured) = item.item(tags::MEASURED_VALUE_SEQUENCE) else {
        return Number { text: String::new(), value: None, unit: Code::default(), qualifier };
    };
    // The floating-point value has more digits than 16 characters hold, but people wrote the string.
    let exact = measured.float(tags::FLOATING_POINT_VALUE);
    let text = measured.string(tags::NUMERIC_VALUE);
    Number {
        value: exact.or_else(|| measured.float(tags::NUMERIC_VALUE)),
        text: text.or_else(|| exact.map(|v| v.to_string())).unwrap_or_default(),
        unit: code(&measured, tags::MEASUREMENT_UNITS_CODE_SEQUENCE).unwrap_or_default(),
        qualifier,
    }
}

/// Temporal coordinates in the standard's words (C.18.7).
fn range(item: &View<'_>) -> Option<Value> {
    let kind = item.string(tags::TEMPORAL_RANGE_TYPE)?;
    let list = |values: Vec<String>, unit: &str| (!values.is_empty()).then(|| format!("{}{unit}", values.join(", ")));
    let samples = item.ints(tags::REFERENCED_SAMPLE_POSITIONS).iter().map(i64::to_string).collect();
    let offsets = item.floats(tags::REFERENCED_TIME_OFFSETS).iter().map(f64::to_string).collect();
    let times = item.strings(tags::REFERENCED_DATE_TIME).iter().map(|t| date_time(t)).collect();
    let what = list(samples, "").or_else(|| list(offsets, " s")).or_else(|| list(times, ""))?;
    Some(Value::Range(format!("{kind} {what}")))
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// DA; as written where it is none.
fn date(text: &str) -> String {
    match (text.get(..4), text.get(4..6), text.get(6..8)) {
        (Some(y), Some(m), Some(d)) if text.len() == 8 && digits(text) => format!("{y}-{m}-{d}"),
        _ => text.to_owned(),
    }
}

/// TM, fractions of zero left out; as written where it is none.
fn time(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !digits(whole) || whole.len() % 2 == 1 || whole.len() > 6 {
        return text.to_owned();
    }
    let parts: Vec<&str> = [whole.get(..2), whole.get(2..4), whole.get(4..6)].into_iter().flatten().collect();
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{point}{fraction}", parts.join(":"))
}

/// DT with its offset from UTC, if it has one; as written where it is none.
fn date_time(text: &str) -> String {
    let (local, zone) = match text.find(['+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (Some(day), Some(clock)) = (local.get(..8), local.get(8..)) else { return text.to_owned() };
    format!("{}{}", date_and_time(day, clock), if zone.is_empty() { String::new() } else { format!(" {zone}") })
}

pub(super) fn date_and_time(day: &str, clock: &str) -> String {
    format!("{} {}", date(day), time(clock)).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_write_them() {
        assert_eq!(date_time("20260304083015.500000+0900"), "2026-03-04 08:30:15.5 +0900");
        assert_eq!(date_time("20260304"), "2026-03-04");
        assert_eq!(date_time("2026"), "2026");
        assert_eq!(time("0830"), "08:30");
        assert_eq!(time("083015.000000"), "08:30:15");
        assert_eq!(time("half past"), "half past");
        assert_eq!(date("1998.12.31"), "1998.12.31");
    }
}
