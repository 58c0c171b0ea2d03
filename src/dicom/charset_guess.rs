//! Text whose declaration is missing or wrong: recognised only where the bytes leave no doubt.

use super::charset::latin1;
use encoding_rs::{EUC_JP, SHIFT_JIS};

type Guess = (String, Option<&'static str>);

const AS_UTF8: &str = "UTF-8 text without the right declaration, read as UTF-8";
const AS_SHIFT_JIS: &str = "Shift_JIS text without the right declaration, read as Shift_JIS";
const AS_EUC_JP: &str = "EUC-JP text without the right declaration, read as EUC-JP";

/// Text beyond ASCII where ASCII was declared (or nothing). Without a sure finding each byte is shown as
/// its ISO 8859-1 character, so that all stay distinguishable.
pub(super) fn guess(bytes: &[u8]) -> Guess {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (text.to_owned(), Some(AS_UTF8));
    }
    if let Some(text) = euc_jp(bytes, 2) {
        return (text, Some(AS_EUC_JP));
    }
    if let Some(text) = shift_jis(bytes) {
        return (text, Some(AS_SHIFT_JIS));
    }
    (latin1(bytes), None)
}

/// Text declared as ISO 8859-1 that cannot be meant so: UTF-8, Shift_JIS with C1 control bytes, or long
/// runs of EUC-JP.
pub(super) fn surely_not_latin1(bytes: &[u8]) -> Option<(String, &'static str)> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some((text.to_owned(), AS_UTF8));
    }
    if bytes.iter().any(|b| (0x80..=0x9F).contains(b))
        && let Some(text) = shift_jis(bytes)
    {
        return Some((text, AS_SHIFT_JIS));
    }
    euc_jp(bytes, 4).map(|text| (text, AS_EUC_JP))
}

/// All high bytes in whole pairs that are kana or kanji, with a run of at least `run` bytes.
fn euc_jp(bytes: &[u8], run: usize) -> Option<String> {
    let mut longest = 0;
    for part in bytes.split(u8::is_ascii).filter(|p| !p.is_empty()) {
        if part.len() % 2 == 1 || part.iter().any(|b| !(0xA1..=0xFE).contains(b)) {
            return None;
        }
        longest = longest.max(part.len());
    }
    let text = EUC_JP.decode_without_bom_handling_and_without_replacement(bytes)?;
    (longest >= run && japanese(&text)).then(|| text.into_owned())
}

/// Valid, and with a kana or kanji of two bytes (half-width katakana alone prove nothing).
fn shift_jis(bytes: &[u8]) -> Option<String> {
    let text = SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes)?;
    japanese(&text).then(|| text.into_owned())
}

fn japanese(text: &str) -> bool {
    let wide = |c: char| matches!(c, '\u{3000}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}' | '\u{FF00}'..='\u{FF5E}');
    let mut beyond = text.chars().filter(|c| !c.is_ascii()).peekable();
    beyond.peek().is_some() && beyond.all(|c| wide(c) || matches!(c, '\u{FF61}'..='\u{FF9F}')) && text.chars().any(wide)
}
