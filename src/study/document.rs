//! Structured documents: reports of any template and key object selections, as a list of items in reading order.

use super::hidden_debug;
use super::{Code, ObjectRef, PersonName};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// A structured document (PS3.3 C.17).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Document {
    /// Concept name of the root container.
    pub title: Code,
    /// Template of the root as `DCMR 1500`; empty if it names none.
    pub template: String,
    /// Completion Flag (0040,A491) says COMPLETE; `None` if it says nothing.
    pub complete: Option<bool>,
    /// Verification Flag (0040,A493) says VERIFIED; `None` if it says nothing.
    pub verified: Option<bool>,
    /// Preliminary Flag (0040,A496) says PRELIMINARY.
    pub preliminary: bool,
    /// Content Date and Time as `2026-03-04 08:30:00`; empty if not stated.
    pub written: String,
    /// Who verified it.
    pub verifiers: Vec<Verifier>,
    /// The content tree in reading order (depth first).
    pub items: Vec<Item>,
    /// Instances that the document names as evidence, over all studies.
    pub evidence: Vec<ObjectRef>,
    /// What was odd or left out.
    pub warnings: Vec<DocumentOddity>,
}

/// A verifying observer (0040,A073).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Verifier {
    /// Name.
    pub name: PersonName,
    /// Organisation.
    pub organization: String,
    /// When, as [`Document::written`].
    pub at: String,
}

hidden_debug!(Verifier);

/// One content item. `Debug` hides what it says.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Levels below the root; its children have 0.
    pub depth: u8,
    /// Place in the tree as other items name it (PS3.3 C.17.3.2.5): the root is `1`, its second child `1.2`.
    pub number: String,
    /// Relationship Type (0040,A010), e.g. `HAS PROPERTIES`.
    pub relation: String,
    /// Concept name.
    pub name: Option<Code>,
    /// Observation Date Time, as [`Document::written`]; empty if not stated.
    pub observed: String,
    /// What it says.
    pub value: Value,
}

hidden_debug!(Item { depth, number, relation });

/// Value of a content item, by its Value Type (0040,A040).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A heading of the items below it.
    Container,
    /// Text; lines parted by line feeds.
    Text(String),
    /// A code.
    Code(Code),
    /// A number.
    Number(Number),
    /// `2026-03-04`, `08:30:00` or both; as written where it is no date.
    Time(String),
    /// A person's name.
    Name(PersonName),
    /// A UID.
    Uid(String),
    /// A picture.
    Image(ObjectRef),
    /// Another object or a waveform.
    Object(ObjectRef),
    /// A place in a picture or in the patient.
    Region(Region),
    /// A range of time or of samples, in words of the standard: `SEGMENT 1, 2`.
    Range(String),
    /// The same as another item, by its number.
    See(String),
    /// A value type that is not known.
    Unknown(String),
}

hidden_debug!(Value);

/// A measured value.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Number {
    /// The number as written; empty where none was measured.
    pub text: String,
    /// The same as a number.
    pub value: Option<f64>,
    /// Unit; the UCUM code is its value.
    pub unit: Code,
    /// Why there is no number, or what is special about it.
    pub qualifier: Option<Code>,
}

hidden_debug!(Number);

/// A place: points of a picture (column, row from 0, PS3.3 C.18.6) or of the patient (mm, C.18.9).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// Graphic Type (0070,0023): `POINT`, `POLYLINE`, `CIRCLE`, `ELLIPSE`, `POLYGON` …
    pub shape: String,
    /// Two coordinates a point, or three.
    pub points: Vec<Vec<f64>>,
    /// Frame of reference of three-dimensional points.
    pub frame_of_reference: Option<String>,
}

/// Points that are written out; of a longer outline the number of points is told.
const POINTS_IN_WORDS: usize = 4;

impl Region {
    /// In one line.
    pub fn text(&self) -> String {
        if self.points.len() > POINTS_IN_WORDS {
            return format!("{} ({} points)", self.shape, self.points.len());
        }
        let point = |p: &Vec<f64>| p.iter().map(|v| short(*v)).collect::<Vec<_>>().join("/");
        format!("{} {}", self.shape, self.points.iter().map(point).collect::<Vec<_>>().join(", "))
    }
}

fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Number {
    /// Number and unit; a unit of one (`1`, `{…}`) in its meaning only where it says something.
    pub fn text(&self) -> String {
        let mut out = self.text.clone();
        let unit = match self.unit.value.as_str() {
            "1" | "{unity}" => "",
            unit if unit.starts_with('{') => unit.trim_matches(['{', '}']),
            unit if self.unit.scheme.starts_with("UCUM") => unit,
            unit if unit.starts_with(|c: char| c.is_alphabetic()) && unit.len() <= 8 => unit,
            _ => self.unit.meaning.as_str(),
        };
        if !out.is_empty() && !unit.is_empty() {
            let _infallible = write!(out, " {unit}");
        }
        if let Some(qualifier) = &self.qualifier {
            let gap = if out.is_empty() { "" } else { " " };
            let _infallible = write!(out, "{gap}({})", qualifier.text());
        }
        out
    }
}

impl Value {
    /// In words, without references; may have several lines.
    pub fn text(&self) -> String {
        match self {
            Self::Container => String::new(),
            Self::Text(text) | Self::Time(text) | Self::Range(text) | Self::Uid(text) => text.clone(),
            Self::Code(code) => code.text(),
            Self::Number(number) => number.text(),
            Self::Name(name) => name.display(),
            Self::Image(to) | Self::Object(to) => {
                let mut out = to.instance.to_string();
                let list = |of: &[u32]| of.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
                if !to.frames.is_empty() {
                    let _infallible = write!(out, ", frame {}", list(&to.frames));
                }
                if !to.segments.is_empty() {
                    let _infallible = write!(out, ", segment {}", list(&to.segments));
                }
                out
            }
            Self::Region(region) => region.text(),
            Self::See(number) => format!("→ {number}"),
            Self::Unknown(kind) => format!("[{kind}]"),
        }
    }

    /// The picture it points at.
    pub fn image(&self) -> Option<&ObjectRef> {
        if let Self::Image(to) = self { Some(to) } else { None }
    }
}

impl Item {
    /// Whether its concept name is this code.
    pub fn is(&self, value: &str, scheme: &str) -> bool {
        self.name.as_ref().is_some_and(|name| name.is(value, scheme))
    }

    /// One or more lines, indented by its depth: `Diameter: 3 cm`.
    pub fn lines(&self) -> String {
        let indent = "  ".repeat(usize::from(self.depth));
        let name = self.name.as_ref().map(Code::text).unwrap_or_default();
        let value = self.value.text();
        let below = format!("\n{indent}  ");
        let value = value.trim_end().replace("\r\n", "\n").replace('\r', "\n").replace('\n', &below);
        match (name.is_empty(), value.is_empty()) {
            (true, true) => format!("{indent}—"),
            (true, false) => format!("{indent}{value}"),
            (false, true) => format!("{indent}{name}"),
            (false, false) => format!("{indent}{name}: {value}"),
        }
    }
}

impl Document {
    /// The items below the one at this place, as places.
    pub fn below(&self, at: usize) -> std::ops::Range<usize> {
        let Some(item) = self.items.get(at) else { return 0..0 };
        let first = at + 1;
        let count = self.items.iter().skip(first).take_while(|i| i.depth > item.depth).count();
        first..first + count
    }

    /// The direct children of the item at this place.
    pub fn children(&self, at: usize) -> impl Iterator<Item = (usize, &Item)> {
        let depth = self.items.get(at).map_or(u8::MAX, |i| i.depth.saturating_add(1));
        self.below(at).filter_map(|n| self.items.get(n).map(|i| (n, i))).filter(move |(_, i)| i.depth == depth)
    }

    /// What a key object selection says about its pictures (0040,A730 with 113012, Key Object Description).
    pub fn description(&self) -> String {
        let texts = self.items.iter().filter(|i| i.depth == 0 && i.is("113012", "DCM"));
        texts.map(|i| i.value.text()).collect::<Vec<_>>().join("\n")
    }

    /// Every picture pointed at, in reading order, each once.
    pub fn images(&self) -> Vec<&ObjectRef> {
        let mut known = std::collections::BTreeSet::new();
        self.items
            .iter()
            .filter_map(|i| i.value.image())
            .filter(|to| known.insert((&to.instance, &to.frames)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(value: &str, scheme: &str, meaning: &str) -> Code {
        Code { value: value.into(), scheme: scheme.into(), meaning: meaning.into() }
    }

    #[test]
    fn numbers_and_regions_in_words() {
        let number =
            Number { text: "12.5".into(), value: Some(12.5), unit: code("mm", "UCUM", "millimeter"), qualifier: None };
        assert_eq!(number.text(), "12.5 mm");
        let unity = Number { unit: code("1", "UCUM", "no units"), ..number.clone() };
        assert_eq!(unity.text(), "12.5");
        let none = Number {
            text: String::new(),
            value: None,
            qualifier: Some(code("114006", "DCM", "Measurement failure")),
            ..number
        };
        assert_eq!(none.text(), "(Measurement failure)");
        let region = Region { shape: "POINT".into(), points: vec![vec![10.0, 20.25]], frame_of_reference: None };
        assert_eq!(region.text(), "POINT 10/20.25");
    }

    #[test]
    fn an_item_with_several_lines_stays_in_its_column() {
        let item = Item {
            depth: 1,
            number: "1.1.1".into(),
            relation: "CONTAINS".into(),
            name: Some(code("121071", "DCM", "Finding")),
            observed: String::new(),
            value: Value::Text("one\r\ntwo\n".into()),
        };
        assert_eq!(item.lines(), "  Finding: one\n    two");
    }
}

/// What is odd about a structured report, or left out of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentOddity {
    /// Text that does not follow its declared character set, and how it was read (PS3.5 6.1.2).
    #[error("{0}")]
    Text(&'static str),
    /// Content items beyond the limit.
    #[error("more than {most} content items: the rest is left out")]
    ItemsLeftOut {
        /// The limit.
        most: usize,
    },
    /// Items within items beyond the limit.
    #[error("content nested deeper than {levels} levels is left out")]
    TooDeep {
        /// The limit.
        levels: u8,
    },
    /// A region whose coordinates are not whole.
    #[error("coordinates of a region are damaged: it is left out")]
    Region,
    /// A text or an outline beyond the limit.
    #[error("a text or an outline is too long and cut")]
    TooLong,
    /// Items without the value of their type.
    #[error("{count} content items lack the value that their type demands")]
    WithoutValue {
        /// How many.
        count: usize,
    },
}

impl Serialize for DocumentOddity {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
