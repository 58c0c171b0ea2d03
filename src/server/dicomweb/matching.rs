//! Attribute matching as PS3.4 C.2.2.2 describes it: single value, list of UIDs, range of dates and times, wildcards. Names match in every
//! component group, also by kana (width and case do not matter).

use crate::study::search_key;
use serde_json::Value;

/// Whether a DICOM JSON attribute fulfils a query value.
pub(super) fn attribute_matches(tag: &str, attribute: &Value, wanted: &str) -> bool {
    let vr = attribute.get("vr").and_then(Value::as_str).unwrap_or_default();
    let values: &[Value] = attribute.get("Value").and_then(Value::as_array).map_or(&[], Vec::as_slice);
    values.iter().any(|value| match (vr, value) {
        ("PN", Value::Object(groups)) => {
            let whole = ["Alphabetic", "Ideographic", "Phonetic"]
                .map(|g| groups.get(g).and_then(Value::as_str).unwrap_or_default());
            let joined = whole.join("=");
            whole.iter().chain([&joined.trim_end_matches('=')]).any(|group| name_matches(group, wanted))
        }
        ("UI", Value::String(text)) => wanted.split([',', '\\']).any(|uid| uid.trim() == text),
        ("DA" | "TM" | "DT", Value::String(text)) => in_range(text, wanted),
        (_, Value::String(text)) => {
            // Modalities come as lists too.
            let list = matches!(tag, "00080060" | "00080061");
            if list { wanted.split([',', '\\']).any(|w| wildcard(text, w.trim())) } else { wildcard(text, wanted) }
        }
        (_, Value::Number(number)) => {
            wanted.parse::<f64>().is_ok_and(|w| number.as_f64().is_some_and(|n| (n - w).abs() < f64::EPSILON))
        }
        _ => false,
    })
}

fn name_matches(group: &str, wanted: &str) -> bool {
    if group.is_empty() {
        return false;
    }
    let fold = |text: &str| {
        // `search_key` drops delimiters; wildcards must stay.
        text.split('*')
            .map(|p| p.split('?').map(search_key).collect::<Vec<_>>().join("?"))
            .collect::<Vec<_>>()
            .join("*")
    };
    wildcard(&search_key(group), &fold(wanted))
}

fn in_range(text: &str, wanted: &str) -> bool {
    match wanted.split_once('-') {
        Some((from, to)) => (from.is_empty() || text >= from) && (to.is_empty() || text <= to || text.starts_with(to)),
        None => text == wanted || (wanted.len() < text.len() && text.starts_with(wanted) && text.contains('.')),
    }
}

/// `*` any characters, `?` one; case does not matter. Works in the length of both texts.
fn wildcard(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.trim().to_lowercase().chars().collect();
    let pattern: Vec<char> = pattern.trim().to_lowercase().chars().collect();
    let (mut t, mut p, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || text.get(t) == Some(c) => {
                t += 1;
                p += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    t = from + 1;
                    p = at + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn wildcards() {
        for (text, pattern, expected) in [
            ("CHEST", "chest", true),
            ("CHEST CT", "CH*T", true),
            ("CHEST", "C?EST", true),
            ("CHEST", "C?ST", false),
            ("", "*", true),
            ("abc", "", false),
            ("aaaaaaaaaaaaaaaaaaaaaaaa", "*a*a*a*a*a*a*a*b", false),
        ] {
            assert_eq!(wildcard(text, pattern), expected, "{text} {pattern}");
        }
    }

    #[test]
    fn names_ranges_and_lists() {
        let name = json!({"vr": "PN", "Value": [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}]});
        for (wanted, expected) in [
            ("yamada^tarou", true),
            ("山田*", true),
            ("ヤマダ*", true),
            ("Suzuki*", false),
            ("Yamada", false),
            ("*太郎", true),
        ] {
            assert_eq!(attribute_matches("00100010", &name, wanted), expected, "{wanted}");
        }
        let date = json!({"vr": "DA", "Value": ["20261120"]});
        for (wanted, expected) in [
            ("20261120", true),
            ("20261101-20261130", true),
            ("-20261119", false),
            ("20261120-", true),
            ("2026", false),
        ] {
            assert_eq!(attribute_matches("00080020", &date, wanted), expected, "{wanted}");
        }
        let uid = json!({"vr": "UI", "Value": ["1.2.3"]});
        assert!(attribute_matches("0020000D", &uid, "1.2,1.2.3"));
        assert!(!attribute_matches("0020000D", &uid, "1.2*"));
        let modalities = json!({"vr": "CS", "Value": ["CT", "SR"]});
        assert!(attribute_matches("00080061", &modalities, "MR,SR"));
    }
}
