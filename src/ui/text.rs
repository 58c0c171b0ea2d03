//! All words of the screen, Japanese and English (`assets/text/*.toml`).
//!
//! A key is `area.name`. Tests insist that both files hold the same keys with the same `{places}`, and that
//! every key used in the code exists.

use crate::app::Language;
use std::collections::BTreeMap;
use std::sync::OnceLock;

type Table = BTreeMap<String, String>;

const SOURCES: [(Language, &str); 2] = [
    (Language::Ja, include_str!("../../assets/text/ja.toml")),
    (Language::En, include_str!("../../assets/text/en.toml")),
];

/// Flattens `[area] name = "…"` to `area.name`.
fn parse(source: &str) -> Result<Table, toml::de::Error> {
    let areas: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(source)?;
    let flatten = |(area, words): (String, BTreeMap<String, String>)| {
        words.into_iter().map(move |(name, word)| (format!("{area}.{name}"), word)).collect::<Vec<_>>()
    };
    Ok(areas.into_iter().flat_map(flatten).collect())
}

fn table(language: Language) -> &'static Table {
    static TABLES: OnceLock<Vec<(Language, Table)>> = OnceLock::new();
    static NONE: OnceLock<Table> = OnceLock::new();
    // The bundled files are checked by this module's tests; a broken one could only show keys for words.
    let tables =
        TABLES.get_or_init(|| SOURCES.iter().map(|(l, source)| (*l, parse(source).unwrap_or_default())).collect());
    tables.iter().find(|(l, _)| *l == language).map_or_else(|| NONE.get_or_init(Table::new), |(_, t)| t)
}

/// The words of one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words(pub Language);

impl Words {
    /// The word for a key; the key itself where there is none.
    pub fn t(self, key: &'static str) -> &'static str {
        table(self.0).get(key).map_or(key, String::as_str)
    }

    /// The word with its `{places}` filled.
    pub fn f(self, key: &'static str, places: &[(&str, &dyn std::fmt::Display)]) -> String {
        let mut text = self.t(key).to_owned();
        for (name, value) in places {
            text = text.replace(&format!("{{{name}}}"), &value.to_string());
        }
        text
    }

    /// The right one of a bilingual text of a template.
    pub fn pick(self, text: &crate::report::Text) -> &str {
        match self.0 {
            Language::Ja => &text.ja,
            Language::En => &text.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
    }

    #[test]
    fn both_languages_have_the_same_keys_and_places() {
        let [ja, en] = [0, 1].map(|n| parse(SOURCES[n].1).expect("bundled words"));
        for (key, word) in &ja {
            let other = en.get(key).unwrap_or_else(|| panic!("{key} is missing in en.toml"));
            assert_eq!(places(word), places(other), "{key}");
            assert!(!word.trim().is_empty() && !other.trim().is_empty(), "{key} is empty");
        }
        for key in en.keys() {
            assert!(ja.contains_key(key), "{key} is missing in ja.toml");
        }
    }

    /// Every string literal of the form `"area.name"` in `src/ui` whose area is one of the files' areas.
    fn keys_used(folder: &Path, areas: &BTreeSet<String>, out: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("source folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                keys_used(&path, areas, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let source = std::fs::read_to_string(&path).expect("source");
                let literals = source.split('"').skip(1).step_by(2).map(str::to_owned);
                out.extend(literals.filter(|l| {
                    let name = |s: &str| s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
                    l.split_once('.').is_some_and(|(a, n)| areas.contains(a) && !n.is_empty() && name(n))
                }));
            }
        }
    }

    #[test]
    fn every_key_in_the_code_has_words() {
        let ja = parse(SOURCES[0].1).expect("bundled words");
        let areas = ja.keys().filter_map(|k| k.split_once('.')).map(|(a, _)| a.to_owned()).collect();
        let mut used = BTreeSet::new();
        keys_used(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui"), &areas, &mut used);
        let missing: Vec<_> = used.iter().filter(|k| !ja.contains_key(*k)).collect();
        assert!(missing.is_empty(), "no words for {missing:?}");
    }

    #[test]
    fn places_are_filled() {
        let words = Words(Language::En);
        assert_eq!(words.t("nonsense.key"), "nonsense.key");
        assert!(words.f("view.slice", &[("n", &3), ("of", &10)]).contains('3'));
    }
}
