//! Person names in up to three groups (PS3.5 6.2.1), and the key by which readers search them.

use serde::{Deserialize, Serialize};
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// A person's name: alphabetic, ideographic and phonetic component groups, each
/// `family^given^middle^prefix^suffix` (PS3.5 6.2.1.1). Debug output hides it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonName {
    /// Group 1; in Japan Latin letters or half-width kana. Empty if absent.
    #[serde(default)]
    pub alphabetic: String,
    /// Group 2, kanji.
    #[serde(default)]
    pub ideographic: Option<String>,
    /// Group 3, kana.
    #[serde(default)]
    pub phonetic: Option<String>,
}

impl PersonName {
    /// Splits a decoded PN value at `=`. Groups that are empty or hold only `^` count as absent
    /// (archives that cannot encode kanji answer with `^` alone).
    pub fn parse(value: &str) -> Self {
        let mut groups = value.splitn(3, '=').map(|g| {
            let g = g.trim_matches([' ', '\0']).trim_end_matches('^');
            (!g.trim_matches('^').is_empty()).then(|| g.to_owned())
        });
        Self {
            alphabetic: groups.next().flatten().unwrap_or_default(),
            ideographic: groups.next().flatten(),
            phonetic: groups.next().flatten(),
        }
    }

    /// As readers in Japan write it: ideographic if there is one, else alphabetic; components joined
    /// by a space (full-width between kanji).
    pub fn display(&self) -> String {
        match &self.ideographic {
            Some(group) => join(group, '\u{3000}'),
            None => join(&self.alphabetic, ' '),
        }
    }

    /// The reading beside the name: phonetic group, or group 1 where kanji come first.
    pub fn reading(&self) -> String {
        match (&self.phonetic, &self.ideographic) {
            (Some(kana), _) => join(kana, ' '),
            (None, Some(_)) => join(&self.alphabetic, ' '),
            (None, None) => String::new(),
        }
    }

    /// True if `query` occurs in any group, by [`search_key`].
    pub fn matches(&self, query: &str) -> bool {
        let query = search_key(query);
        [Some(&self.alphabetic), self.ideographic.as_ref(), self.phonetic.as_ref()]
            .into_iter()
            .flatten()
            .any(|group| search_key(group).contains(&query))
    }
}

fn join(group: &str, separator: char) -> String {
    let mut out = String::with_capacity(group.len());
    for component in group.split('^').map(str::trim).filter(|c| !c.is_empty()) {
        if !out.is_empty() {
            out.push(separator);
        }
        out.push_str(component);
    }
    out
}

/// Folds a name for searching: NFKC, lower case, hiragana to katakana, small kana to large, without
/// spaces, delimiters and the long-vowel mark (`domain` rule for Japanese names). Never for identity.
pub fn search_key(text: &str) -> String {
    text.nfkc()
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'ぁ'..='ゖ' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
            other => other,
        })
        .map(|c| match c {
            'ァ' | 'ィ' | 'ゥ' | 'ェ' | 'ォ' | 'ッ' | 'ャ' | 'ュ' | 'ョ' | 'ヮ' => {
                char::from_u32(c as u32 + 1).unwrap_or(c)
            }
            other => other,
        })
        .filter(|c| !c.is_whitespace() && !matches!(c, '^' | '=' | 'ー' | '-' | '・' | ','))
        .collect()
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_groups_display_kanji_with_reading() {
        let name = PersonName::parse("Yamada^Tarou=山田^太郎=やまだ^たろう");
        assert_eq!(name.display(), "山田\u{3000}太郎");
        assert_eq!(name.reading(), "やまだ たろう");
        assert_eq!(PersonName::parse("ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎").reading(), "ﾔﾏﾀﾞ ﾀﾛｳ");
        assert_eq!(PersonName::parse("Smith^John").display(), "Smith John");
        assert_eq!(PersonName::parse("A^B=^=^").ideographic, None);
    }

    #[test]
    fn search_folds_kana_width_and_case() {
        let name = PersonName::parse("ﾔﾏﾀﾞ^ｼｮｳｺ=山田^祥子");
        assert!(name.matches("やまだ"));
        assert!(name.matches("ショウコ"));
        assert!(name.matches("山田 祥"));
        assert!(!name.matches("すずき"));
        assert_eq!(format!("{name:?}"), "PersonName(…)");
    }
}
