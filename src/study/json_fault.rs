//! Where a JSON text is wrong, without a word of it: serde's own messages quote the value that does not fit, and that
//! may be a patient's name.

use serde_json::error::Category;

/// A fault of a JSON text. Neither `Debug` nor `Display` repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what}{}", place(*.line, *.column))]
pub struct JsonFault {
    what: &'static str,
    /// From 1; 0 where it was a value and no text.
    line: usize,
    /// From 1, in bytes.
    column: usize,
}

fn place(line: usize, column: usize) -> String {
    if line == 0 { String::new() } else { format!(" at line {line} column {column}") }
}

impl From<serde_json::Error> for JsonFault {
    fn from(error: serde_json::Error) -> Self {
        let what = match error.classify() {
            Category::Io => "JSON could not be read or written",
            Category::Syntax => "this is no JSON",
            Category::Data => "JSON of another form than expected",
            Category::Eof => "JSON that is cut off",
        };
        Self { what, line: error.line(), column: error.column() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_told_and_nothing_of_the_text() {
        let of = |text: &str| {
            let error = serde_json::from_str::<std::collections::BTreeMap<String, u32>>(text).expect_err("a fault");
            (error.to_string(), JsonFault::from(error))
        };
        let (theirs, ours) = of("{\n \"a\": \"Yamada^Tarou\" }");
        assert!(theirs.contains("Yamada"), "what this type is for: {theirs}");
        assert_eq!(ours.to_string(), "JSON of another form than expected at line 2 column 20");
        assert!(!format!("{ours:?} {ours}").contains("Yamada"));
        assert_eq!(of("{").1.to_string(), "JSON that is cut off at line 1 column 1");
        assert!(of("{]").1.to_string().starts_with("this is no JSON at line 1"));
        let value = serde_json::from_value::<u32>(serde_json::json!("Yamada")).expect_err("a fault");
        assert_eq!(JsonFault::from(value).to_string(), "JSON of another form than expected");
    }
}
