//! Report templates as data (`assets/templates/*.toml`).

use crate::study::ExamKind;
use serde::{Deserialize, Serialize};

/// A text in the languages of the workstation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

/// One choice of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What is stored and signed.
    pub code: String,
    /// What people read.
    pub label: Text,
    /// Code of a coding scheme, e.g. `SCT:129718006`.
    #[serde(default)]
    pub concept: Option<String>,
}

/// What can be entered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum FieldKind {
    /// Free text.
    Text {
        /// Several lines.
        #[serde(default)]
        multiline: bool,
    },
    /// One of several.
    Choice {
        /// The choices in order.
        choices: Vec<Choice>,
    },
    /// Any number of several; stored as codes joined by a space.
    Choices {
        /// The choices in order.
        choices: Vec<Choice>,
    },
    /// A number with a unit.
    Number {
        /// UCUM unit, e.g. `mm`.
        unit: String,
        /// Smallest allowed.
        #[serde(default)]
        min: Option<f64>,
        /// Largest allowed.
        #[serde(default)]
        max: Option<f64>,
    },
}

/// One field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Stable id.
    pub id: String,
    /// Label.
    pub label: Text,
    /// Label where the request is an opinion (遠隔読影): never 診断 as heading.
    #[serde(default)]
    pub label_opinion: Option<Text>,
    /// Required for signing.
    #[serde(default)]
    pub required: bool,
    /// Filled from the study or request when a draft begins: `request.question`, `study.technique`,
    /// `request.contrast`, `priors.list`.
    #[serde(default)]
    pub prefill: Option<String>,
    /// What it is filled with where there is certainly nothing to fill it from (no earlier study at all).
    #[serde(default)]
    pub prefill_none: Option<Text>,
    /// LOINC or DCM code of the section, e.g. `LN:59776-5`.
    #[serde(default)]
    pub concept: Option<String>,
    /// What can be entered.
    pub kind: FieldKind,
}

/// A group of fields under one heading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// Stable id.
    pub id: String,
    /// Heading.
    pub title: Text,
    /// Heading where the request is an opinion.
    #[serde(default)]
    pub title_opinion: Option<Text>,
    /// Fields.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// The findings list is shown here.
    #[serde(default)]
    pub findings: bool,
}

/// Fields of each finding in the list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FindingSchema {
    /// Fields, in order.
    pub fields: Vec<Field>,
}

/// A blocking rule beyond "required", checked by the gate (domain reference §13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum Rule {
    /// A side's category of `from` or above needs at least one finding on that side with exactly that
    /// category, and no finding of the side may stand above it.
    CategoryNeedsFinding {
        /// Field with the side's category.
        field: String,
        /// Finding field naming the side.
        side_field: String,
        /// Code of the side.
        side: String,
        /// Finding field with the finding's category.
        finding_field: String,
        /// Codes in rising order.
        order: Vec<String>,
        /// First code that needs a finding.
        from: String,
    },
    /// If `field` holds `equals`, `then` must be filled.
    RequiredIf {
        /// Field looked at.
        field: String,
        /// Code.
        equals: String,
        /// Field that must be filled then.
        then: String,
    },
}

/// A report template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// Stable id, e.g. `clin.ct`.
    pub id: String,
    /// Version of this template; a report keeps the version it was written with.
    pub version: u32,
    /// Name.
    pub name: Text,
    /// Exam kinds it fits.
    pub exam_kinds: Vec<ExamKind>,
    /// LOINC or DCM document title code.
    pub concept: String,
    /// Sections in order.
    pub sections: Vec<Section>,
    /// Findings list.
    #[serde(default)]
    pub findings: FindingSchema,
    /// Further blocking rules.
    #[serde(default)]
    pub rules: Vec<Rule>,
}
