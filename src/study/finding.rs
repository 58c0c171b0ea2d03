//! Findings and measurements of a structured document as data: measurement groups (TID 1410, 1411, 1501 of PS3.16),
//! mammography CAD (TID 4000 and below) and chest CAD (TID 4100 and below).

use super::document::{Document, Item, Number, Region, Value};
use super::hidden_debug;
use super::{Code, ObjectRef};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// One finding or measurement group.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is: the finding's code, else the group's name.
    pub what: Code,
    /// Tracking Identifier (112039), or empty.
    pub label: String,
    /// Finding Site.
    pub site: Option<Code>,
    /// Laterality of the site.
    pub side: Option<Code>,
    /// Certainty of Finding (111012), percent.
    pub certainty_percent: Option<f64>,
    /// Probability of cancer (111047), percent.
    pub probability_percent: Option<f64>,
    /// Rendering Intent (111056): whether the writer wants it to be drawn.
    pub intent: Option<Code>,
    /// Everything measured, by name.
    pub measures: Vec<(Code, Number)>,
    /// Where it is.
    pub places: Vec<Place>,
}

hidden_debug!(Finding { places });

/// Where a finding is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// What the place is of the finding: centre, outline; empty if not said.
    pub role: String,
    /// Shape and points; `None` means the whole picture or the segments named.
    pub region: Option<Region>,
    /// The picture.
    pub image: Option<ObjectRef>,
}

/// Concepts that begin a finding: a measurement group, a single-image finding, a composite feature.
const BEGIN: [&str; 3] = ["125007", "111059", "111015"];
/// Finding Site and laterality in SNOMED CT and in the codes before it.
const SITE: [(&str, &str); 3] = [("363698007", "SCT"), ("G-C0E3", "SRT"), ("G-C0E3", "99SDM")];
const SIDE: [(&str, &str); 2] = [("272741003", "SCT"), ("G-C171", "SRT")];

fn begins(item: &Item) -> bool {
    BEGIN.iter().any(|code| item.is(code, "DCM")) && matches!(item.value, Value::Container | Value::Code(_))
}

impl Document {
    /// All findings in reading order. A finding within another (a calcification of a cluster) stands by itself.
    pub fn findings(&self) -> Vec<Finding> {
        let reader = Reader {
            by_number: self.items.iter().enumerate().map(|(at, item)| (item.number.as_str(), at)).collect(),
            parents: parents(&self.items),
            document: self,
        };
        let heads = (0..self.items.len()).filter(|at| self.items.get(*at).is_some_and(begins));
        heads.map(|at| reader.finding(at)).collect()
    }
}

/// For each item its parent's place.
fn parents(items: &[Item]) -> Vec<Option<usize>> {
    let mut open: Vec<usize> = Vec::new();
    let mut out = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        open.truncate(usize::from(item.depth));
        out.push(open.last().copied());
        open.push(at);
    }
    out
}

struct Reader<'a> {
    document: &'a Document,
    by_number: HashMap<&'a str, usize>,
    parents: Vec<Option<usize>>,
}

impl<'a> Reader<'a> {
    fn finding(&self, at: usize) -> Finding {
        let mut out = Finding::default();
        let Some(head) = self.document.items.get(at) else { return out };
        out.what = match &head.value {
            Value::Code(code) => code.clone(),
            _ => head.name.clone().unwrap_or_default(),
        };
        // What belongs to a finding below this one is that one's.
        let mut skip = 0;
        for n in self.document.below(at) {
            let Some(item) = self.document.items.get(n).filter(|_| n >= skip) else { continue };
            if begins(item) {
                skip = self.document.below(n).end;
            } else {
                self.take(&mut out, n, item, item.depth == head.depth + 1);
            }
        }
        out
    }

    /// Takes one item below a finding; `direct`: it is a child of the finding itself.
    fn take(&self, out: &mut Finding, at: usize, item: &Item, direct: bool) {
        let named = |codes: &[(&str, &str)]| codes.iter().any(|(value, scheme)| item.is(value, scheme));
        match &item.value {
            Value::Code(code) if item.is("121071", "DCM") && direct => out.what = code.clone(),
            Value::Code(code) if item.is("111056", "DCM") => out.intent = Some(code.clone()),
            Value::Code(code) if named(&SITE) => {
                out.site.get_or_insert_with(|| code.clone());
            }
            Value::Code(code) if named(&SIDE) => {
                out.side.get_or_insert_with(|| code.clone());
            }
            Value::Text(text) if item.is("112039", "DCM") && out.label.is_empty() => out.label.clone_from(text),
            Value::Number(number) => {
                let percent = number.value.filter(|_| number.unit.value == "%" || number.unit.value.is_empty());
                if item.is("111012", "DCM") && direct {
                    out.certainty_percent = percent;
                } else if item.is("111047", "DCM") && direct {
                    out.probability_percent = percent;
                }
                out.measures.push((item.name.clone().unwrap_or_default(), number.clone()));
            }
            Value::Region(region) => {
                let image = self.document.children(at).find_map(|(_, child)| self.image_of(child)).cloned();
                out.places.push(Place { role: role(item), region: Some(region.clone()), image });
            }
            Value::Image(_) | Value::See(_) => {
                // A picture below a region has been taken with it.
                let parent = self.parents.get(at).copied().flatten().and_then(|p| self.document.items.get(p));
                if !parent.is_some_and(|p| matches!(p.value, Value::Region(_)))
                    && let Some(image) = self.image_of(item)
                {
                    out.places.push(Place { role: role(item), region: None, image: Some(image.clone()) });
                }
            }
            _ => {}
        }
    }

    /// The picture of an item, or of the one it names by number.
    fn image_of(&self, item: &'a Item) -> Option<&'a ObjectRef> {
        match &item.value {
            Value::Image(to) => Some(to),
            Value::See(number) => self.document.items.get(*self.by_number.get(number.as_str())?)?.value.image(),
            _ => None,
        }
    }
}

fn role(item: &Item) -> String {
    item.name.as_ref().map(Code::text).unwrap_or_default()
}
