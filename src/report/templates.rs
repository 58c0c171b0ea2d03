//! The bundled templates and how one is chosen.

use super::{Field, FieldKind, Template};
use crate::study::ExamKind;
use crate::worklist::Assignment;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

/// Id of the template that addenda are written with, whatever the report was written with.
pub const ADDENDUM: &str = "addendum";

const SOURCES: [&str; 3] = [
    include_str!("../../assets/templates/clin.ct.toml"),
    include_str!("../../assets/templates/mmg.screen.toml"),
    include_str!("../../assets/templates/addendum.toml"),
];

/// A template file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// Not TOML of this form.
    #[error("template cannot be read: {0}")]
    Syntax(#[from] toml::de::Error),
    /// Two fields or choices share an id, or a rule names a field that is not there.
    #[error("template {template}: {problem}")]
    Inconsistent {
        /// Template id.
        template: String,
        /// What is wrong.
        problem: String,
    },
}

/// Reads and checks one template file.
pub fn parse(source: &str) -> Result<Template, TemplateError> {
    let template: Template = toml::from_str(source)?;
    check(&template).map_err(|problem| TemplateError::Inconsistent { template: template.id.clone(), problem })?;
    Ok(template)
}

fn check(template: &Template) -> Result<(), String> {
    let mut ids = BTreeSet::new();
    for field in template.fields() {
        if !ids.insert(field.id.as_str()) {
            return Err(format!("field {} twice", field.id));
        }
        choices_differ(field)?;
    }
    let mut finding_ids = BTreeSet::new();
    for field in &template.findings.fields {
        if !finding_ids.insert(field.id.as_str()) {
            return Err(format!("finding field {} twice", field.id));
        }
        choices_differ(field)?;
    }
    for rule in &template.rules {
        let (fields, finding_fields): (Vec<&str>, Vec<&str>) = match rule {
            super::Rule::CategoryNeedsFinding { field, side_field, finding_field, order, from, .. } => {
                if !order.contains(from) {
                    return Err(format!("rule for {field}: {from} is not in its order"));
                }
                (vec![field], vec![side_field, finding_field])
            }
            super::Rule::RequiredIf { field, then, .. } => (vec![field, then], vec![]),
        };
        if let Some(missing) = fields.iter().find(|f| !ids.contains(*f)) {
            return Err(format!("rule names unknown field {missing}"));
        }
        if let Some(missing) = finding_fields.iter().find(|f| !finding_ids.contains(*f)) {
            return Err(format!("rule names unknown finding field {missing}"));
        }
    }
    Ok(())
}

fn choices_differ(field: &Field) -> Result<(), String> {
    let (FieldKind::Choice { choices } | FieldKind::Choices { choices }) = &field.kind else { return Ok(()) };
    let mut codes = BTreeSet::new();
    choices
        .iter()
        .find(|c| !codes.insert(c.code.as_str()) || c.code.contains(' '))
        .map_or(Ok(()), |c| Err(format!("choice {} of {}", c.code, field.id)))
}

/// The bundled templates, read once.
pub fn all() -> &'static [Arc<Template>] {
    static ALL: OnceLock<Vec<Arc<Template>>> = OnceLock::new();
    // A bundled file that does not parse is caught by this module's tests, not by a reader.
    ALL.get_or_init(|| SOURCES.iter().filter_map(|s| parse(s).ok()).map(Arc::new).collect())
}

/// The bundled template with this id.
pub fn find(id: &str) -> Option<Arc<Template>> {
    all().iter().find(|t| t.id == id).cloned()
}

/// The template for an assignment: the first of its list that is bundled, else by exam kind, else the
/// general one.
pub fn for_assignment(assignment: &Assignment) -> Option<Arc<Template>> {
    assignment
        .template_ids
        .iter()
        .filter(|id| *id != ADDENDUM)
        .find_map(|id| find(id))
        .or_else(|| for_kind(assignment.exam_kind))
        .or_else(|| all().first().cloned())
}

fn for_kind(kind: ExamKind) -> Option<Arc<Template>> {
    all().iter().find(|t| t.exam_kinds.contains(&kind)).cloned()
}

impl Template {
    /// All fields of all sections, in order.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.sections.iter().flat_map(|s| &s.fields)
    }
    /// The field with this id.
    pub fn field(&self, id: &str) -> Option<&Field> {
        self.fields().find(|f| f.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;

    #[test]
    fn every_bundled_template_is_sound() {
        for source in SOURCES {
            parse(source).expect("bundled template");
        }
        assert_eq!(all().len(), SOURCES.len());
    }

    #[test]
    fn an_opinion_never_says_diagnosis() {
        for template in all() {
            for section in &template.sections {
                let title = section.title_opinion.as_ref().unwrap_or(&section.title);
                assert!(!title.ja.contains("診断"), "{}: {}", template.id, section.id);
            }
            for field in template.fields() {
                let label = field.label_opinion.as_ref().unwrap_or(&field.label);
                assert!(!label.ja.contains("診断"), "{}: {}", template.id, field.id);
            }
        }
    }

    #[test]
    fn chosen_by_list_then_kind_then_general() {
        let mut assignment = fixtures::assignment();
        assignment.template_ids = vec!["unknown".into(), "mmg.screen".into()];
        assert_eq!(for_assignment(&assignment).expect("template").id, "mmg.screen");
        assignment.template_ids.clear();
        assignment.exam_kind = ExamKind::MMG;
        assert_eq!(for_assignment(&assignment).expect("template").id, "mmg.screen");
        assignment.exam_kind = ExamKind::RF;
        assert_eq!(for_assignment(&assignment).expect("template").id, "clin.ct");
    }

    #[test]
    fn inconsistent_templates_are_refused() {
        let twice = SOURCES[0].replace("id = \"technique\"", "id = \"purpose\"");
        assert!(matches!(parse(&twice), Err(TemplateError::Inconsistent { .. })));
        assert!(matches!(parse("id = 3"), Err(TemplateError::Syntax(_))));
    }
}
