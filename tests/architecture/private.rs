//! What must not reach a log: patient data, secrets, words of a file. These rules find the ways on which it came before.

use super::rules::{Source, Violation};

/// Fields that hold what a person wrote or what a file says of one. A type that has one writes its own `Debug`
/// (`study::hidden_debug`).
const FIELDS: &[&str] = &[
    "accession",
    "body",
    "buffer",
    "buf",
    "clinical_information",
    "history",
    "metadata",
    "otp",
    "passphrase",
    "password",
    "question",
    "query",
    "refresh_token",
    "access_token",
    "search",
    "secret",
    "text",
];

/// Variants of the same kind.
const VARIANTS: &[&str] = &["Text", "Name", "Decline", "Return", "Data"];

/// Types that show what they hold; others (`Secret`, `Zeroizing`, our own) hide it themselves.
const OPEN: &[&str] = &["String", "str", "Vec<u8>", "Bytes", "BytesMut", "Value"];

/// Types with such a field that hold nothing of the kind, each with its reason.
const HARMLESS: &[(&str, &str)] = &[
    // The file name of an attachment.
    ("src/report/manifest/mod.rs", "PackageError"),
    // The phantoms' requests.
    ("src/server/demo.rs", "RequestTruth"),
    // Numbers and times by which phases are sorted.
    ("src/study/phase.rs", "Key"),
];

/// Values in log lines that are shown with `?`: counts, and words of the graphics driver.
const SHOWN: &[(&str, &str)] = &[("src/server/prune.rs", "?pruned"), ("src/render/gpu.rs", "?reason")];

/// The part of a file that is in the program: not its tests, and not the phantoms, which are nobody.
fn program(source: &Source) -> Option<&str> {
    let tests = ["/tests/", "/tests.rs", "_tests.rs", "/testing.rs", "/fixtures.rs", "/test_object.rs"];
    if source.path.starts_with("src/phantom/") || tests.iter().any(|t| source.path.contains(t)) {
        return None;
    }
    Some(source.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default())
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// From behind an opening bracket to its partner.
fn enclosed(text: &str) -> &str {
    let mut depth = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

/// Types that derive `Debug` and hold open text under a name that tells of a person.
pub fn debug(sources: &[Source]) -> Vec<Violation> {
    let mut out = Vec::new();
    for source in sources {
        let Some(text) = program(source) else { continue };
        for (at, _) in text.match_indices("#[derive(") {
            let derived = enclosed(&text[at + "#[derive(".len()..]);
            if !derived.split(',').any(|d| d.trim() == "Debug") {
                continue;
            }
            // The item: up to its body or the end of a tuple or unit struct.
            let rest = &text[at + "#[derive(".len() + derived.len()..];
            let item = ["struct ", "enum "].iter().filter_map(|word| rest.find(word)).min();
            let Some(item) = item else { continue };
            let head = rest[item..].split(['{', ';']).next().unwrap_or_default();
            let name = head.split([' ', '<', '(']).nth(1).unwrap_or_default();
            if HARMLESS.iter().any(|(path, harmless)| *path == source.path && *harmless == name) {
                continue;
            }
            let body = enclosed(rest[item + head.len()..].strip_prefix('{').unwrap_or_default());
            for line in body.lines().map(str::trim).filter(|l| !l.starts_with("//") && !l.starts_with('#')) {
                if let Some(what) = open_text(line) {
                    let path = source.path.clone();
                    let what = format!("`{name}` derives Debug and shows `{what}`");
                    out.push(Violation { path, line: line_of(text, at), what });
                }
            }
        }
    }
    out
}

/// The field or variant of a line, where it is one of those that are not shown.
fn open_text(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(super) ")).unwrap_or(line);
    let plain = |kind: &str| {
        let kind = kind.trim().trim_end_matches(',').trim_start_matches('&').trim_start_matches("'a ");
        let kind = kind.strip_prefix("Option<").and_then(|k| k.strip_suffix('>')).unwrap_or(kind);
        OPEN.contains(&kind)
    };
    if let Some((name, kind)) = line.split_once(": ") {
        return (FIELDS.contains(&name) && plain(kind)).then_some(name);
    }
    let (name, held) = line.split_once('(')?;
    let held = held.trim_end_matches(',').trim_end_matches(')');
    (VARIANTS.contains(&name) && held.split(", ").any(plain)).then_some(name)
}

/// Errors that quote what they could not read, log lines with `Debug` of something, and log lines with paths.
pub fn logs(sources: &[Source]) -> Vec<Violation> {
    let mut out = Vec::new();
    for source in sources {
        let Some(text) = program(source) else { continue };
        let mut tell = |line: usize, what: &str| {
            out.push(Violation { path: source.path.clone(), line, what: what.to_owned() });
        };
        for (number, line) in text.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")) {
            if line.contains("serde_json::Error") && !line.contains("From<") && !line.contains("fn from(") {
                tell(number + 1, "serde's errors quote the text: hold a `study::JsonFault`");
            }
            if ["{e:?}", "{err:?}", "{error:?}", "{failure:?}"].iter().any(|debug| line.contains(debug)) {
                tell(number + 1, "an error is told by its words, not by its Debug");
            }
        }
        for (at, _) in text.match_indices("tracing::") {
            let call = &text[at..];
            let Some(open) = call.find('(').filter(|open| call[..*open].ends_with('!')) else { continue };
            let arguments = enclosed(&call[open + 1..]);
            let line = line_of(text, at);
            let mut words = arguments.split([' ', ',', '\n', '=']).filter(|w| w.starts_with('?'));
            if words.any(|word| !SHOWN.contains(&(source.path.as_str(), word))) {
                tell(line, "a log line shows the Debug of something");
            }
            if arguments.contains(".display()") {
                tell(line, "a log line tells a path: folders and files are named after patients");
            }
        }
    }
    out
}

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn open_text_under_a_derived_debug_is_seen() {
    let seen = |text: &str| debug(&[source("src/app/x.rs", text)]).len();
    assert_eq!(seen("#[derive(Clone, Debug)]\npub struct A {\n    pub accession: String,\n}"), 1);
    assert_eq!(
        seen("#[derive(Debug)]\n#[serde(x)]\nstruct A<'a> {\n    text: &'a str,\n    body: Option<Vec<u8>>,\n}"),
        2
    );
    assert_eq!(
        seen("#[derive(Debug)]\npub enum A {\n    /// x\n    Return(Reason, String),\n    Other(String),\n}"),
        1
    );
    assert_eq!(seen("#[derive(Clone)]\nstruct A {\n    text: String,\n}"), 0);
    assert_eq!(seen("#[derive(Debug)]\nstruct A {\n    password: Secret,\n    other: String,\n}"), 0);
    assert_eq!(seen("#[derive(Debug)]\nstruct A;\nstruct B {\n    text: String,\n}"), 0);
    assert_eq!(seen("#[cfg(test)]\nmod tests {\n#[derive(Debug)]\nstruct A {\n    text: String,\n}\n}"), 0);
}

#[test]
fn telling_log_lines_and_errors_are_seen() {
    let seen = |text: &str| logs(&[source("src/app/x.rs", text)]).len();
    assert_eq!(seen("fn f() { tracing::warn!(?error, \"x\"); }"), 1);
    assert_eq!(seen("tracing::warn!(\n    id,\n    cause = ?cause,\n    \"x\"\n);"), 1);
    assert_eq!(seen("tracing::info!(path = %path.display(), \"x\")"), 1);
    assert_eq!(seen("tracing::info!(%error, id, \"why?\"); f()?; x.display()"), 0);
    assert_eq!(seen("enum E {\n    Json(#[from] serde_json::Error),\n}"), 1);
    assert_eq!(seen("impl From<serde_json::Error> for E {\n    fn from(e: serde_json::Error) -> Self { E }\n}"), 0);
    assert_eq!(seen("let text = format!(\"{e:?}\");"), 1);
}
