//! The ISO 2022 state machine of PS3.5 6.1.2.5: designations by escape sequence, reset at delimiters, and
//! no delimiter inside a two-byte character.

use super::charset::{Charset, G1, Kind, jis_x_0201, single};

/// What the bytes 21 to 7E mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum G0 {
    Ascii,
    /// JIS X 0201 Romaji (IR 14).
    Romaji,
    /// JIS X 0201 Katakana in seven bits (not allowed in DICOM, seen).
    Kana7,
    /// JIS X 0208 (IR 87).
    Kanji,
    /// JIS X 0212 (IR 159).
    Supplement,
}

const ODD_PAIR: &str = "a two-byte character is cut or undefined";
const OPEN_RUN: &str = "a two-byte run is not closed before a delimiter";
const FORGOTTEN: &str = "the escape sequence of the declared character set is missing, and supposed";
const ODD_ESCAPE: &str = "an unknown escape sequence";

/// Decodes with escapes; gives the text and the first oddity met.
pub(super) fn decode(bytes: &[u8], kind: Kind, declared: &Charset) -> (String, Option<&'static str>) {
    let home = if declared.romaji() { G0::Romaji } else { G0::Ascii };
    let initial = declared.initial_g1();
    let (mut g0, mut g1) = (home, initial);
    let mut out = String::with_capacity(bytes.len());
    let mut note = None;
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        if byte == 0x1B {
            rest = match escape(after) {
                Some((Designation::G0(set), used)) => {
                    g0 = set;
                    after.get(used..).unwrap_or_default()
                }
                Some((Designation::G1(set), used)) => {
                    g1 = set;
                    after.get(used..).unwrap_or_default()
                }
                None => {
                    note.get_or_insert(ODD_ESCAPE);
                    out.push('\u{241B}');
                    after
                }
            };
            continue;
        }
        let pair = matches!(g0, G0::Kanji | G0::Supplement);
        if pair && (0x21..=0x7E).contains(&byte) {
            let run = rest.iter().take_while(|b| (0x21..=0x7E).contains(*b)).count();
            if is_delimiter(byte, kind) && run % 2 == 1 {
                // An odd run from here on: this byte is no half of a character but a delimiter, before which
                // the writer forgot to go back to ASCII (and then to come back).
                note.get_or_insert(OPEN_RUN);
                if run == 1 {
                    (g0, g1) = (home, initial);
                }
                out.push(char::from(byte));
                rest = after;
                continue;
            }
            let second = after.first().copied().filter(|b| (0x21..=0x7E).contains(b));
            match second.and_then(|low| kanji(g0, byte, low)) {
                Some(c) => out.push(c),
                None => {
                    note.get_or_insert(ODD_PAIR);
                    out.push('\u{FFFD}');
                }
            }
            rest = after.get(usize::from(second.is_some())..).unwrap_or_default();
            continue;
        }
        if byte >= 0x80 {
            if let (G1::None, Some(forgotten)) = (g1, declared.forgotten_g1()) {
                note.get_or_insert(FORGOTTEN);
                g1 = forgotten;
            }
            let (text, used) = high(g1, rest);
            match text {
                Some(text) => out.push_str(&text),
                None => {
                    note.get_or_insert("text beyond its declared character sets");
                    out.push(char::from(byte));
                }
            }
            rest = rest.get(used.max(1)..).unwrap_or_default();
            continue;
        }
        rest = after;
        if is_delimiter(byte, kind) || matches!(byte, b'\t' | b'\n' | 0x0C | b'\r') {
            if pair {
                note.get_or_insert(OPEN_RUN);
            }
            (g0, g1) = (home, initial);
            out.push(char::from(byte));
            continue;
        }
        out.push(match g0 {
            G0::Romaji => jis_x_0201(byte, kind),
            G0::Kana7 if (0x21..=0x5F).contains(&byte) => jis_x_0201(byte + 0x80, kind),
            _ => char::from(byte),
        });
    }
    (out, note)
}

fn is_delimiter(byte: u8, kind: Kind) -> bool {
    match kind {
        Kind::Name => matches!(byte, b'\\' | b'^' | b'='),
        Kind::Several => byte == b'\\',
        Kind::One => false,
    }
}

enum Designation {
    G0(G0),
    G1(G1),
}

/// The designation after ESC, and how many bytes it took (PS3.3 tables C.12-3 and C.12-4).
fn escape(after: &[u8]) -> Option<(Designation, usize)> {
    use Designation as D;
    Some(match after {
        [b'(', b'B', ..] => (D::G0(G0::Ascii), 2),
        [b'(', b'J', ..] => (D::G0(G0::Romaji), 2),
        [b'(', b'I', ..] => (D::G0(G0::Kana7), 2),
        [b')', b'I', ..] => (D::G1(G1::Kana), 2),
        [b'$', b'(', b'D', ..] => (D::G0(G0::Supplement), 3),
        [b'$', b'(', b'B', ..] => (D::G0(G0::Kanji), 3),
        [b'$', b'B' | b'@', ..] => (D::G0(G0::Kanji), 2),
        [b'$', b')', b'C', ..] => (D::G1(G1::Pairs(encoding_rs::EUC_KR)), 3),
        [b'$', b')', b'A', ..] => (D::G1(G1::Pairs(encoding_rs::GBK)), 3),
        [b'-', final_byte, ..] => (D::G1(right_half(*final_byte)?), 2),
        _ => return None,
    })
}

fn right_half(final_byte: u8) -> Option<G1> {
    Some(match final_byte {
        b'A' => G1::Latin1,
        b'B' => G1::Single(encoding_rs::ISO_8859_2),
        b'C' => G1::Single(encoding_rs::ISO_8859_3),
        b'D' => G1::Single(encoding_rs::ISO_8859_4),
        b'L' => G1::Single(encoding_rs::ISO_8859_5),
        b'G' => G1::Single(encoding_rs::ISO_8859_6),
        b'F' => G1::Single(encoding_rs::ISO_8859_7),
        b'H' => G1::Single(encoding_rs::ISO_8859_8),
        b'M' => G1::Single(encoding_rs::WINDOWS_1254),
        b'T' => G1::Single(encoding_rs::WINDOWS_874),
        b'b' => G1::Single(encoding_rs::ISO_8859_15),
        _ => return None,
    })
}

/// One character of JIS X 0208 or 0212. Six signs differ between the web's table and the standard's.
fn kanji(set: G0, high: u8, low: u8) -> Option<char> {
    let (h, l) = (high | 0x80, low | 0x80);
    if set == G0::Kanji {
        match (high, low) {
            (0x21, 0x41) => return Some('〜'),
            (0x21, 0x42) => return Some('‖'),
            (0x21, 0x5D) => return Some('−'),
            (0x21, 0x71) => return Some('¢'),
            (0x21, 0x72) => return Some('£'),
            (0x22, 0x4C) => return Some('¬'),
            _ => {}
        }
    }
    let (pair, triple) = ([h, l], [0x8F, h, l]);
    let bytes: &[u8] = if set == G0::Kanji { &pair } else { &triple };
    single(encoding_rs::EUC_JP, bytes).and_then(|text| {
        let mut chars = text.chars();
        chars.next().filter(|_| chars.next().is_none())
    })
}

/// The character at the front of `rest`, a byte of 80 or more, and the bytes it took.
fn high(g1: G1, rest: &[u8]) -> (Option<String>, usize) {
    let one = rest.get(..1).unwrap_or_default();
    match g1 {
        G1::None => (None, 1),
        G1::Kana => match one {
            [b @ 0xA1..=0xDF] => (Some(jis_x_0201(*b, Kind::Several).to_string()), 1),
            _ => (None, 1),
        },
        G1::Latin1 => (one.first().map(|b| char::from(*b).to_string()), 1),
        G1::Single(encoding) => (single(encoding, one), 1),
        G1::Pairs(encoding) => match rest.get(..2).and_then(|pair| single(encoding, pair)) {
            Some(text) => (Some(text), 2),
            None => (None, 1),
        },
    }
}
