//! Kana and Latin letters folded to one key, so that `yamada`, `やまだ` and `ﾔﾏﾀﾞ` find each other.
//! For searching only, never for identity.

use super::search_key;

/// Katakana (large, as `search_key` leaves them) to Hepburn-like letters; the folding below makes
/// spelling systems agree.
#[rustfmt::skip]
const SYLLABLES: &[(char, &str)] = &[
    ('ア', "a"), ('イ', "i"), ('ウ', "u"), ('エ', "e"), ('オ', "o"),
    ('カ', "ka"), ('キ', "ki"), ('ク', "ku"), ('ケ', "ke"), ('コ', "ko"),
    ('サ', "sa"), ('シ', "si"), ('ス', "su"), ('セ', "se"), ('ソ', "so"),
    ('タ', "ta"), ('チ', "ti"), ('ツ', "tu"), ('テ', "te"), ('ト', "to"),
    ('ナ', "na"), ('ニ', "ni"), ('ヌ', "nu"), ('ネ', "ne"), ('ノ', "no"),
    ('ハ', "ha"), ('ヒ', "hi"), ('フ', "hu"), ('ヘ', "he"), ('ホ', "ho"),
    ('マ', "ma"), ('ミ', "mi"), ('ム', "mu"), ('メ', "me"), ('モ', "mo"),
    ('ヤ', "ya"), ('ユ', "yu"), ('ヨ', "yo"),
    ('ラ', "ra"), ('リ', "ri"), ('ル', "ru"), ('レ', "re"), ('ロ', "ro"),
    ('ワ', "wa"), ('ヰ', "i"), ('ヱ', "e"), ('ヲ', "o"), ('ン', "n"),
    ('ガ', "ga"), ('ギ', "gi"), ('グ', "gu"), ('ゲ', "ge"), ('ゴ', "go"),
    ('ザ', "za"), ('ジ', "zi"), ('ズ', "zu"), ('ゼ', "ze"), ('ゾ', "zo"),
    ('ダ', "da"), ('ヂ', "zi"), ('ヅ', "zu"), ('デ', "de"), ('ド', "do"),
    ('バ', "ba"), ('ビ', "bi"), ('ブ', "bu"), ('ベ', "be"), ('ボ', "bo"),
    ('パ', "pa"), ('ピ', "pi"), ('プ', "pu"), ('ペ', "pe"), ('ポ', "po"),
    ('ヴ', "bu"),
];

/// Spellings that mean the same sound, longest first; applied to letters only.
#[rustfmt::skip]
const SAME: &[(&str, &str)] = &[
    ("sya", "sa"), ("syu", "su"), ("syo", "so"), ("sha", "sa"), ("shu", "su"), ("sho", "so"), ("shi", "si"),
    ("siya", "sa"), ("siyu", "su"), ("siyo", "so"),
    ("chi", "ti"), ("cha", "ta"), ("chu", "tu"), ("cho", "to"), ("tya", "ta"), ("tyu", "tu"), ("tyo", "to"),
    ("tiya", "ta"), ("tiyu", "tu"), ("tiyo", "to"),
    ("tsu", "tu"), ("fu", "hu"), ("ji", "zi"), ("ja", "za"), ("ju", "zu"), ("jo", "zo"),
    ("zya", "za"), ("zyu", "zu"), ("zyo", "zo"), ("ziya", "za"), ("ziyu", "zu"), ("ziyo", "zo"),
    ("mb", "nb"), ("mp", "np"), ("mm", "nm"), ("ou", "o"), ("oo", "o"), ("oh", "o"), ("uu", "u"),
];

/// The key of a text: kana become letters, spellings and long vowels are folded; other characters stay.
pub fn key(text: &str) -> String {
    let mut letters = String::with_capacity(text.len());
    for c in search_key(text).chars() {
        match SYLLABLES.iter().find(|(kana, _)| *kana == c) {
            Some((_, syllable)) => letters.push_str(syllable),
            None => letters.push(c),
        }
    }
    // キヤ, リヨ …: `search_key` has made small kana large, so an i-syllable before y is a contraction.
    for consonant in ["k", "g", "n", "h", "b", "p", "m", "r"] {
        for vowel in ["a", "u", "o"] {
            letters = letters.replace(&format!("{consonant}iy{vowel}"), &format!("{consonant}y{vowel}"));
        }
    }
    let mut rules: Vec<_> = SAME.iter().collect();
    rules.sort_by_key(|(from, _)| std::cmp::Reverse(from.len()));
    for (from, to) in rules {
        letters = letters.replace(from, to);
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn spellings_agree() {
        for (kana, latin) in [
            ("やまだ", "yamada"),
            ("ﾔﾏﾀﾞ", "Yamada"),
            ("さとう", "satou"),
            ("さとう", "sato"),
            ("しょうこ", "shoko"),
            ("ショウコ", "syouko"),
            ("ちば", "chiba"),
            ("つじ", "tsuji"),
            ("りょうた", "ryota"),
            ("なんば", "Namba"),
            ("じゅんいち", "junichi"),
            ("おおの", "ohno"),
            ("ふじた", "fujita"),
        ] {
            assert_eq!(key(kana), key(latin), "{kana} {latin}");
        }
        assert_ne!(key("やまだ"), key("yamamoto"));
        assert_eq!(key("山田"), "山田");
    }
}
