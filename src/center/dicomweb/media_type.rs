//! `Content-Type` with its parameters, read with regard to quotes: `;` and `=` inside quotes are text (Orthanc
//! sends `type="application/octet-stream; transfer-syntax=1.2.840…"`).

/// A media type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    /// `type/subtype`, lower case.
    pub essence: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Reads a header value. Never fails: what is not understood is left out.
    pub fn parse(text: &str) -> Self {
        let mut parts = split_unquoted(text, b';').into_iter();
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let parameters = parts
            .filter_map(|part| {
                let (name, value) = part.split_once('=')?;
                Some((name.trim().to_ascii_lowercase(), unquote(value.trim())))
            })
            .collect();
        Self { essence, parameters }
    }

    /// A parameter's value; names in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

fn split_unquoted(text: &str, separator: u8) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b if b == separator && !quoted => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) else { return value.to_owned() };
    let mut out = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if escaped || c != '\\' {
            out.push(c);
            escaped = false;
        } else {
            escaped = true;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hide_separators() {
        let m = MediaType::parse(
            "Multipart/Related; type=\"application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1\"; boundary=a-b_c'd; x=\"q\\\"r\"",
        );
        assert_eq!(m.essence, "multipart/related");
        assert_eq!(m.parameter("type"), Some("application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"));
        assert_eq!(m.parameter("boundary"), Some("a-b_c'd"));
        assert_eq!(m.parameter("x"), Some("q\"r"));
        assert_eq!(m.parameter("y"), None);
    }

    #[test]
    fn nonsense_is_read_as_far_as_it_goes() {
        for text in ["", ";", "a;b", "\"", "a/b; boundary=\"open", "日本; x=語"] {
            MediaType::parse(text);
        }
        assert_eq!(MediaType::parse("a/b; boundary=\"x").parameter("boundary"), Some("\"x"));
    }
}
