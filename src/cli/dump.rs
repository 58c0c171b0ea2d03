//! `dokuei dump`: a header as it is read, for whoever must find out which of two programs is right.

use crate::dicom::{Header, ReadError, TextNote, keyword, text_notes, to_dicom_json};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// The file cannot be read.
    #[error("cannot read the file")]
    Read(#[from] ReadError),
    /// The output cannot be written.
    #[error(transparent)]
    Write(#[from] std::io::Error),
}

/// Values of a multi-valued number that are shown in the text form.
const MAX_VALUES: usize = 24;

/// Writes the header. `true`: nothing is odd about it.
pub fn run(file: &Path, as_json: bool, out: &mut dyn Write) -> Result<bool, DumpError> {
    let header = Header::read(file)?;
    let notes = text_notes(&header);
    let json = to_dicom_json(&header, &|path| Some(format!("#{path}")));
    if as_json {
        serde_json::to_writer_pretty(&mut *out, &json).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        let syntax = header.transfer_syntax();
        writeln!(out, "transfer syntax {}", if syntax.is_empty() { "not stated" } else { syntax })?;
        let declared = header.declared_character_set();
        writeln!(out, "character set   {}", if declared.is_empty() { "not stated" } else { &declared })?;
        for warning in header.warnings() {
            writeln!(out, "! {}", visible(&warning))?;
        }
        let mut by_path: BTreeMap<&str, &str> = BTreeMap::new();
        for TextNote { path, note } in &notes {
            by_path.insert(path, note);
        }
        if let Value::Object(object) = &json {
            data_set(object, "", 0, &by_path, out)?;
        }
    }
    Ok(notes.is_empty() && header.warnings().is_empty())
}

fn data_set(
    object: &Map<String, Value>,
    path: &str,
    depth: usize,
    notes: &BTreeMap<&str, &str>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let indent = "  ".repeat(depth);
    for (key, attribute) in object {
        let here = if path.is_empty() { key.clone() } else { format!("{path}/{key}") };
        let vr = attribute.get("vr").and_then(Value::as_str).unwrap_or("??");
        let (group, element) = key.split_at(key.len().min(4));
        write!(out, "{indent}({group},{element}) {vr} {}", keyword(key))?;
        let values = attribute.get("Value").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if vr == "SQ" {
            writeln!(out, "  {} items", values.len())?;
            for (index, item) in values.iter().enumerate() {
                if let Value::Object(item) = item {
                    writeln!(out, "{indent}  item {}", index + 1)?;
                    data_set(item, &format!("{here}/{index}"), depth + 2, notes, out)?;
                }
            }
            continue;
        }
        let mut shown: Vec<String> = values.iter().take(MAX_VALUES).map(value).collect();
        if values.len() > MAX_VALUES {
            shown.push(format!("… {} values", values.len()));
        }
        if attribute.get("BulkDataURI").is_some() || attribute.get("InlineBinary").is_some() {
            shown.push("(binary)".to_owned());
        }
        writeln!(out, "  {}", visible(&shown.join("\\")))?;
        if let Some(note) = notes.get(here.as_str()) {
            writeln!(out, "{indent}  ! {note}")?;
        }
    }
    Ok(())
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(name) => {
            let group = |key| name.get(key).and_then(Value::as_str).unwrap_or_default();
            let all = [group("Alphabetic"), group("Ideographic"), group("Phonetic")].join("=");
            all.trim_end_matches('=').to_owned()
        }
        other => other.to_string(),
    }
}

/// Control characters would steer the terminal, and those of writing direction would turn words round: they are
/// shown, not sent.
fn visible(text: &str) -> String {
    let steers = |c: char| {
        c.is_control() || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().flat_map(|c| if steers(c) { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_three_groups_and_control_characters() {
        let name = serde_json::json!({"Alphabetic": "Yamada^Tarou", "Phonetic": "やまだ^たろう"});
        assert_eq!(value(&name), "Yamada^Tarou==やまだ^たろう");
        assert_eq!(visible("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
        assert_eq!(visible("a\u{202E}b"), "a\\u{202e}b");
    }
}
