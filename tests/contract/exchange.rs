//! A whole exchange held to the OpenAPI file: path, method, parameters, authorisation, body, answer.

use super::openapi::Contract;
use crate::support::recorder::Exchange;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What HTTP itself brings along; everything else must be a parameter of the operation.
const ORDINARY: [&str; 9] = [
    "host",
    "user-agent",
    "accept",
    "accept-language",
    "accept-encoding",
    "authorization",
    "connection",
    "content-type",
    "content-length",
];

fn header<'a>(headers: &'a axum::http::HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|v| v.to_str().expect("a header in ASCII"))
}

fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A parameter's text as its schema means it.
fn typed(schema: &Value, text: &str) -> Value {
    match schema["type"].as_str() {
        Some("integer") => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
        _ => Value::from(text),
    }
}

impl Contract {
    /// Checks everything about one exchange; gives its operation's id.
    ///
    /// # Panics
    /// On whatever the document does not tell.
    pub fn check_exchange(&self, exchange: &Exchange) -> String {
        let (template, operation) = self.operation(&exchange.method, &exchange.path);
        let name = format!("{} {template}", exchange.method);
        let shared = self.document()["paths"][&template]["parameters"].as_array();
        let own = operation["parameters"].as_array();
        let parameters: Vec<&Value> = shared.into_iter().chain(own).flatten().map(|p| self.resolve(p)).collect();
        self.check_path(&name, &template, &exchange.path, &parameters);
        self.check_query(&name, &exchange.query, &parameters);
        self.check_headers(&name, exchange, operation, &parameters);
        self.check_sent(&name, exchange, operation);
        self.check_told(&name, exchange, operation);
        operation["operationId"].as_str().unwrap_or_else(|| panic!("{name} has no id")).to_owned()
    }

    fn check_path(&self, name: &str, template: &str, path: &str, parameters: &[&Value]) {
        let mut rest = path.split('/');
        for part in template.split('/') {
            let told = rest.next().unwrap_or_default();
            let Some(part) = part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) else { continue };
            let found = parameters.iter().find(|p| p["in"] == "path" && p["name"] == part);
            let schema = &found.unwrap_or_else(|| panic!("{name}: {part} is not described"))["schema"];
            self.validate(&format!("{name} path {part}"), schema, &typed(self.resolve(schema), told));
        }
    }

    fn check_query(&self, name: &str, query: &str, parameters: &[&Value]) {
        let listed: Vec<&&Value> = parameters.iter().filter(|p| p["in"] == "query").collect();
        let mut seen = BTreeSet::new();
        let mut others = Map::new();
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if let Some(parameter) = listed.iter().find(|p| p["name"] == *key) {
                let schema = self.resolve(&parameter["schema"]);
                let many = schema["type"] == "array";
                let value = if many { Value::from(vec![value.as_ref()]) } else { typed(schema, &value) };
                self.validate(&format!("{name} query {key}"), schema, &value);
                assert!(seen.insert(key.clone().into_owned()) || many, "{name}: {key} twice");
            } else {
                others.insert(key.into_owned(), Value::from(value.as_ref()));
            }
        }
        // Names that are not fixed (the attributes of a search) are described by one parameter for all of them.
        let any = listed.iter().find(|p| p["schema"]["type"] == "object" && p["explode"] == true);
        match any {
            Some(any) => self.validate(&format!("{name} query"), &any["schema"], &Value::Object(others)),
            None => assert!(others.is_empty(), "{name}: unlisted parameters {:?}", others.keys()),
        }
        for parameter in listed.iter().filter(|p| p["required"] == true) {
            let key = parameter["name"].as_str().expect("a name");
            assert!(seen.contains(key), "{name}: {key} is missing");
        }
    }

    fn check_headers(&self, name: &str, exchange: &Exchange, operation: &Value, parameters: &[&Value]) {
        let listed: Vec<&&Value> = parameters.iter().filter(|p| p["in"] == "header").collect();
        let named = |p: &Value, key: &str| p["name"].as_str().is_some_and(|n| n.eq_ignore_ascii_case(key));
        for (key, value) in &exchange.headers {
            let key = key.as_str();
            if ORDINARY.contains(&key) {
                continue;
            }
            let found = listed.iter().find(|p| named(p, key));
            let schema = &found.unwrap_or_else(|| panic!("{name}: unlisted header {key}"))["schema"];
            let value = value.to_str().expect("a header in ASCII");
            self.validate(&format!("{name} header {key}"), schema, &typed(self.resolve(schema), value));
        }
        for parameter in listed.iter().filter(|p| p["required"] == true) {
            let key = parameter["name"].as_str().expect("a name");
            assert!(exchange.headers.contains_key(key), "{name}: {key} is missing");
        }
        // The token goes where the document asks for it and nowhere else.
        let security = operation.get("security").unwrap_or(&self.document()["security"]);
        let wanted = security.as_array().is_some_and(|s| !s.is_empty());
        let given = header(&exchange.headers, "authorization").is_some_and(|v| v.starts_with("Bearer "));
        assert_eq!(given, wanted, "{name}: authorisation");
    }

    fn check_sent(&self, name: &str, exchange: &Exchange, operation: &Value) {
        let Some(body) = operation.get("requestBody").map(|b| self.resolve(b)) else {
            assert!(exchange.body.is_empty(), "{name} takes no body");
            return;
        };
        if exchange.body.is_empty() {
            assert_ne!(body["required"], true, "{name}: the body is missing");
            return;
        }
        let kind = header(&exchange.headers, "content-type").unwrap_or_else(|| panic!("{name}: a body of no type"));
        let media = body["content"].get(essence(kind)).unwrap_or_else(|| panic!("{name} takes no {kind}"));
        let value = match essence(kind).as_str() {
            "application/json" => serde_json::from_slice(&exchange.body).unwrap_or_else(|e| panic!("{name}: {e}")),
            "application/x-www-form-urlencoded" => {
                let fields = url::form_urlencoded::parse(&exchange.body);
                Value::Object(fields.map(|(k, v)| (k.into_owned(), Value::from(v.as_ref()))).collect())
            }
            "multipart/related" => return check_parts(name, kind, &exchange.body),
            other => panic!("{name}: no rule for {other}"),
        };
        if let Some(schema) = media.get("schema") {
            self.validate(&format!("request {name}"), schema, &value);
        }
    }

    fn check_told(&self, name: &str, exchange: &Exchange, operation: &Value) {
        let kind = header(&exchange.answer_headers, "content-type").unwrap_or_default();
        let answer = exchange.answer.lock().expect("lock").clone();
        self.check_answer(&exchange.method, &exchange.path, exchange.status, kind, &answer);
        let responses = &operation["responses"];
        let told = responses.get(exchange.status.to_string()).or_else(|| responses.get("default"));
        let told = told.map(|t| self.resolve(t)).expect("checked above");
        for key in told["headers"].as_object().into_iter().flat_map(Map::keys) {
            assert!(exchange.answer_headers.contains_key(key), "{name} {}: no {key}", exchange.status);
        }
        if exchange.status < 300 && !answer.is_empty() {
            let accept = header(&exchange.headers, "accept").unwrap_or("*/*");
            let asked: Vec<String> = accept.split(',').map(essence).collect();
            assert!(asked.iter().any(|a| a == "*/*" || *a == essence(kind)), "{name}: {kind} for {accept}");
        }
        if essence(kind) == "text/event-stream" {
            self.check_events(name, &String::from_utf8_lossy(&answer));
        }
    }

    /// The events of a stream, as the operation's description tells them; the last may be unfinished.
    fn check_events(&self, name: &str, text: &str) {
        let whole = text.rfind("\n\n").map_or("", |end| &text[..end]);
        for event in whole.split("\n\n").filter(|e| !e.trim().is_empty()) {
            let line = |key: &str| event.lines().find_map(|l| l.strip_prefix(key)).map(str::trim);
            let data = line("data:").unwrap_or_else(|| panic!("{name}: {event} has no data"));
            let data: Value = serde_json::from_str(data).unwrap_or_else(|e| panic!("{name}: {e}"));
            match line("event:") {
                Some("assignment") => {
                    assert!(line("id:").is_some_and(|id| id.parse::<u64>().is_ok()), "{name}: {event}");
                    let schema = &self.document()["components"]["schemas"]["AssignmentChanged"];
                    self.validate("AssignmentChanged", schema, &data);
                }
                Some("ping") => assert!(data["server_time"].is_string(), "{name}: {event}"),
                Some("resync") => assert!(data["last_event_id"].is_u64(), "{name}: {event}"),
                other => panic!("{name}: event {other:?} is not in the document"),
            }
        }
    }
}

/// The parts of a submission, as the document describes them.
fn check_parts(name: &str, media_type: &str, body: &[u8]) {
    if media_type.contains("type=\"application/dicom\"") {
        return check_dicom_parts(name, media_type, body);
    }
    assert!(media_type.contains("type=\"application/json\""), "{name}: {media_type}");
    let boundary = media_type.split("boundary=").nth(1).expect("a boundary").trim_matches('"');
    let text = String::from_utf8_lossy(body);
    let mut names = Vec::new();
    for part in text.split(&format!("--{boundary}")).skip(1) {
        let Some((head, _)) = part.split_once("\r\n\r\n") else { continue };
        let line = |key: &str| {
            let found = head.lines().find_map(|l| l.split_once(':').filter(|(k, _)| k.eq_ignore_ascii_case(key)));
            found.map_or_else(|| panic!("{name}: a part without {key}"), |(_, v)| v.trim().to_owned())
        };
        let (kind, id, location) = (line("Content-Type"), line("Content-ID"), line("Content-Location"));
        assert!(kind.contains('/'), "{name}: {kind}");
        assert_eq!(id, format!("<{location}>"), "{name}");
        names.push(location);
    }
    assert_eq!(names.get(..2), Some(&["report.json".to_owned(), "signature.p7s".to_owned()][..]), "{name}");
    assert!(text.trim_end().ends_with(&format!("--{boundary}--")), "{name}: the body has no end");
}

/// The parts of a STOW-RS request: DICOM files, each with its type (PS3.18 10.5.1).
fn check_dicom_parts(name: &str, media_type: &str, body: &[u8]) {
    let boundary = media_type.split("boundary=").nth(1).expect("a boundary").trim_matches('"');
    let text = String::from_utf8_lossy(body);
    let parts: Vec<&str> = text.split(&format!("--{boundary}")).filter(|p| p.contains("\r\n\r\n")).collect();
    assert!(!parts.is_empty(), "{name}: no part");
    for part in parts {
        let head = part.split("\r\n\r\n").next().unwrap_or_default();
        assert!(head.contains("Content-Type: application/dicom"), "{name}: {head}");
    }
    assert!(text.trim_end().ends_with(&format!("--{boundary}--")), "{name}: the body has no end");
}
