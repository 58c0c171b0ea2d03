//! Holds requests and answers to `assets/reading-center.openapi.yaml`.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

/// The document and what of it was seen by tests.
pub struct Contract {
    document: Value,
    validators: Mutex<BTreeMap<String, jsonschema::Validator>>,
}

/// One operation of the document.
pub struct Operation<'a> {
    pub method: &'static str,
    pub template: &'a str,
    pub told: &'a Value,
}

impl Contract {
    pub fn get() -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(|| {
            let text = include_str!("../../assets/reading-center.openapi.yaml");
            let document = serde_saphyr::from_str(text).expect("the OpenAPI file is YAML");
            Self { document, validators: Mutex::new(BTreeMap::new()) }
        })
    }

    pub fn document(&self) -> &Value {
        &self.document
    }

    /// All operations.
    pub fn operations(&self) -> Vec<Operation<'_>> {
        const METHODS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"];
        let paths = self.document["paths"].as_object().expect("paths");
        let of_path = |(template, item)| {
            let operation = move |method: &'static str| {
                let told = Value::get(item, method.to_lowercase())?;
                Some(Operation { method, template: String::as_str(template), told })
            };
            METHODS.into_iter().filter_map(operation)
        };
        paths.iter().flat_map(of_path).collect()
    }

    /// Follows `$ref` as far as it goes.
    pub(super) fn resolve<'a>(&'a self, mut value: &'a Value) -> &'a Value {
        while let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').expect("references stay in the document");
            value = self.document.pointer(pointer).unwrap_or_else(|| panic!("{reference} is not in the document"));
        }
        value
    }

    /// The operation of a method and path, by the most specific path of the document.
    pub(super) fn operation(&self, method: &str, path: &str) -> (String, &Value) {
        let paths = self.document["paths"].as_object().expect("paths");
        let mut best: Option<(usize, &String)> = None;
        for template in paths.keys() {
            if let Some(fixed) = fits(template, path)
                && best.is_none_or(|(most, _)| fixed > most)
            {
                best = Some((fixed, template));
            }
        }
        let (_, template) = best.unwrap_or_else(|| panic!("{path} is not in the contract"));
        let operation = paths[template].get(method.to_lowercase());
        (template.clone(), operation.unwrap_or_else(|| panic!("{method} {template} is not in the contract")))
    }

    pub(super) fn validate(&self, name: &str, schema: &Value, instance: &Value) {
        let mut validators = self.validators.lock().expect("lock");
        let validator = validators.entry(name.to_owned()).or_insert_with(|| {
            let whole = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "allOf": [schema],
                "components": self.document["components"],
            });
            jsonschema::options().should_validate_formats(true).build(&whole).unwrap_or_else(|e| panic!("{name}: {e}"))
        });
        let faults: Vec<String> =
            validator.iter_errors(instance).map(|e| format!("{} at {}", e, e.instance_path())).collect();
        assert!(faults.is_empty(), "{name} does not fit the contract: {faults:#?}");
    }

    /// Checks a JSON or form body that is sent.
    pub fn check_request(&self, method: &str, path: &str, media_type: &str, body: &Value) {
        let (template, operation) = self.operation(method, path);
        let content = &self.resolve(&operation["requestBody"])["content"];
        let schema = content.get(media_type).unwrap_or_else(|| panic!("{method} {template} takes no {media_type}"));
        self.validate(&format!("request {method} {template}"), &schema["schema"], body);
    }

    /// Checks an answer: its status, media type and body must be told by the document.
    pub fn check_answer(&self, method: &str, path: &str, status: u16, media_type: &str, body: &[u8]) {
        let (template, operation) = self.operation(method, path);
        let responses = &operation["responses"];
        let told = responses.get(status.to_string()).or_else(|| responses.get("default"));
        let told = self.resolve(told.unwrap_or_else(|| panic!("{method} {template} never answers {status}")));
        let Some(content) = told.get("content") else {
            assert!(body.is_empty(), "{method} {template} {status} has no body in the contract");
            return;
        };
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        let kind = content.get(essence).or_else(|| content.get("*/*"));
        let kind = kind.unwrap_or_else(|| panic!("{method} {template} {status} never answers with {essence}"));
        if let Some(schema) = kind.get("schema") {
            let value: Value = serde_json::from_slice(body).unwrap_or_else(|e| panic!("{method} {template}: {e}"));
            self.validate(&format!("answer {method} {template} {status} {essence}"), schema, &value);
        }
    }
}

/// How many fixed segments a template shares with a path; `None` if it does not fit. The last parameter of a bulk path takes the rest.
fn fits(template: &str, path: &str) -> Option<usize> {
    let (t, p): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let open_end = t.last() == Some(&"{path}");
    if (open_end && p.len() < t.len()) || (!open_end && p.len() != t.len()) {
        return None;
    }
    let mut fixed = 0;
    for (a, b) in t.iter().zip(&p) {
        if a.starts_with('{') {
            continue;
        }
        if a != b {
            return None;
        }
        fixed += 1;
    }
    Some(fixed)
}

#[test]
fn the_document_holds_together() {
    let contract = Contract::get();
    let document = contract.document();
    assert_eq!(document["openapi"], "3.1.0");
    // Every reference leads somewhere, every schema can be built.
    let mut open = vec![document];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                if members.contains_key("$ref") {
                    contract.resolve(value);
                }
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        let whole = json!({ "allOf": [schema], "components": document["components"] });
        jsonschema::validator_for(&whole).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

#[test]
fn the_document_and_the_program_know_the_same_problems() {
    use dokuei::center::contract::ProblemType;
    let told = &Contract::get().document()["components"]["schemas"]["Problem"]["properties"]["type"]["enum"];
    let told: std::collections::BTreeSet<&str> =
        told.as_array().expect("enum").iter().filter_map(Value::as_str).collect();
    let known: Vec<String> = ProblemType::ALL.iter().map(|p| p.uri()).collect();
    assert_eq!(told, known.iter().map(String::as_str).collect());
}
