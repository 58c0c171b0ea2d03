//! Text: bytes and Specific Character Set (0008,0005) → Unicode, with ISO 2022 code extensions
//! (PS3.3 C.12.1.1.2, PS3.5 6.1.2). Code tables are encoding_rs's.
//!
//! Objects in the field break the rules in known ways. Where the right reading is beyond doubt the text is
//! repaired and noted; else every byte stays visible. No character ever turns into `?`.

use super::{charset_guess, charset_iso2022};
use dicom_core::VR;
use encoding_rs::Encoding;

/// How a value is delimited, which decides where the initial sets return (PS3.5 6.1.2.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// PN: `\`, `^` and `=` delimit.
    Name,
    /// LO, SH, UC and the code strings: `\` delimits.
    Several,
    /// ST, LT, UT: one value, `\` is a character; line ends and tabs reset.
    One,
}

impl Kind {
    pub(crate) fn of(vr: VR) -> Self {
        match vr {
            VR::PN => Self::Name,
            VR::ST | VR::LT | VR::UT => Self::One,
            _ => Self::Several,
        }
    }
}

/// Decoded text, and what had to be repaired or could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) text: String,
    pub(crate) note: Option<&'static str>,
}

/// A set that is used without escapes, by the first value of (0008,0005).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// ISO IR 6, or nothing declared.
    Ascii,
    /// JIS X 0201: half-width katakana in G1.
    Kana,
    /// ISO 8859-1.
    Latin1,
    /// Another single-byte set.
    Single(&'static Encoding),
    /// UTF-8, GB18030, GBK, Shift_JIS …: complete, never with escapes.
    Whole(&'static Encoding),
    /// KS X 1001 in G1.
    Korean,
    /// GB 2312 in G1.
    Chinese,
}

/// The meaning of (0008,0005).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Charset {
    base: Base,
    /// Whether escape sequences switch sets.
    extended: bool,
    /// Nothing was declared.
    undeclared: bool,
    /// The only set for high bytes that the extensions declare: what those bytes mean where the writer forgot the
    /// escape sequence.
    forgotten: Option<G1>,
    note: Option<&'static str>,
}

/// What holds where no (0008,0005) is given.
pub(crate) const DEFAULT: Charset =
    Charset { base: Base::Ascii, extended: false, undeclared: true, forgotten: None, note: None };
/// UTF-8, the coding of DICOM JSON.
pub(crate) const UTF8: Charset =
    Charset { base: Base::Whole(encoding_rs::UTF_8), extended: false, undeclared: false, forgotten: None, note: None };

impl Charset {
    /// Reads the values of (0008,0005), joined by `\`. Misspellings seen in the field are understood.
    pub(crate) fn parse(text: &str) -> Self {
        let terms: Vec<String> = text
            .split('\\')
            .map(|t| t.trim_matches([' ', '\0']).chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>())
            .map(|t| t.to_ascii_uppercase())
            .collect();
        if terms.iter().all(String::is_empty) {
            return DEFAULT;
        }
        let several = terms.len() > 1;
        let first = terms.first().map_or("", String::as_str);
        let declared_extended = terms.iter().any(|t| t.starts_with("ISO2022"));
        let (base, note) = match base_of(first) {
            Some(base) => (base, None),
            // A two-byte set cannot come first; its text carries escapes from ASCII.
            None if matches!(number_of(first), "87" | "159") => {
                (Base::Ascii, Some("a two-byte set is declared as the first value"))
            }
            None => (Base::Ascii, Some("an unknown character set is declared")),
        };
        let complete = matches!(base, Base::Whole(_));
        let mut right: Vec<G1> = terms.iter().skip(1).filter_map(|t| base_of(t)).map(g1_of).collect();
        right.retain(|g1| *g1 != G1::None);
        right.dedup();
        let forgotten = if let ([one], Base::Ascii) = (right.as_slice(), base) { Some(*one) } else { None };
        Self { base, extended: (several || declared_extended) && !complete, undeclared: false, forgotten, note }
    }

    /// Decodes one element's value.
    pub(crate) fn decode(&self, bytes: &[u8], kind: Kind) -> Decoded {
        if bytes.iter().all(|b| b.is_ascii() && *b != 0x1B) && !matches!(self.base, Base::Kana) {
            // Plain ASCII in any set: nothing can be wrong with it.
            return Decoded { text: String::from_utf8_lossy(bytes).into_owned(), note: None };
        }
        if bytes.contains(&0x1B) && !matches!(self.base, Base::Whole(_)) {
            let (text, odd) = charset_iso2022::decode(bytes, kind, self);
            let undeclared = (!self.extended).then_some("escape sequences without declared code extensions");
            return Decoded { text, note: odd.or(self.note).or(undeclared) };
        }
        match self.base {
            Base::Whole(encoding) => {
                if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) {
                    return Decoded { text: text.into_owned(), note: self.note };
                }
                let (text, note) = charset_guess::guess(bytes);
                Decoded { text, note: Some(note.unwrap_or("text does not follow its declared character set")) }
            }
            Base::Ascii => {
                if self.forgotten.is_some() && std::str::from_utf8(bytes).is_err() {
                    let (text, note) = charset_iso2022::decode(bytes, kind, self);
                    return Decoded { text, note };
                }
                let (text, note) = charset_guess::guess(bytes);
                let fallback = if self.undeclared {
                    "text beyond ASCII without a declared character set"
                } else {
                    "text beyond its declared character set"
                };
                Decoded { text, note: Some(note.unwrap_or(fallback)) }
            }
            Base::Kana => self.kana(bytes, kind),
            Base::Latin1 => {
                if let Some((text, note)) = charset_guess::surely_not_latin1(bytes) {
                    return Decoded { text, note: Some(note) };
                }
                Decoded { text: latin1(bytes), note: self.note }
            }
            Base::Single(encoding) => match single(encoding, bytes) {
                Some(text) => Decoded { text, note: self.note },
                None => Decoded { text: latin1(bytes), note: Some("text does not follow its declared character set") },
            },
            Base::Korean => self.two_byte(encoding_rs::EUC_KR, bytes),
            Base::Chinese => self.two_byte(encoding_rs::GBK, bytes),
        }
    }

    fn two_byte(&self, encoding: &'static Encoding, bytes: &[u8]) -> Decoded {
        match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
            Some(text) => Decoded { text: text.into_owned(), note: self.note },
            None => {
                let (text, note) = charset_guess::guess(bytes);
                Decoded { text, note: Some(note.unwrap_or("text does not follow its declared character set")) }
            }
        }
    }

    /// JIS X 0201 without escapes. Shift_JIS is a superset, and is what the field writes under this name.
    fn kana(&self, bytes: &[u8], kind: Kind) -> Decoded {
        let pure = bytes.iter().all(|b| b.is_ascii() || (0xA1..=0xDF).contains(b));
        let text = if pure {
            Some(bytes.iter().map(|b| jis_x_0201(*b, kind)).collect())
        } else {
            encoding_rs::SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes).map(|t| t.into_owned())
        };
        let note = if pure { self.note } else { Some("Shift_JIS text under a declaration of half-width katakana") };
        match text {
            Some(text) => Decoded { text, note },
            None => {
                let (text, guessed) = charset_guess::guess(bytes);
                Decoded { text, note: Some(guessed.unwrap_or("text does not follow its declared character set")) }
            }
        }
    }

    /// Whether plain text is JIS X 0201 Romaji.
    pub(super) fn romaji(&self) -> bool {
        self.base == Base::Kana
    }

    /// What high bytes mean before any escape.
    pub(super) fn initial_g1(&self) -> G1 {
        g1_of(self.base)
    }

    /// What high bytes mean where nothing was designated for them.
    pub(super) fn forgotten_g1(&self) -> Option<G1> {
        self.forgotten
    }
}

fn g1_of(base: Base) -> G1 {
    match base {
        Base::Ascii | Base::Whole(_) => G1::None,
        Base::Kana => G1::Kana,
        Base::Latin1 => G1::Latin1,
        Base::Single(e) => G1::Single(e),
        Base::Korean => G1::Pairs(encoding_rs::EUC_KR),
        Base::Chinese => G1::Pairs(encoding_rs::GBK),
    }
}

/// What the bytes A0 to FF mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum G1 {
    None,
    Kana,
    Latin1,
    Single(&'static Encoding),
    Pairs(&'static Encoding),
}

/// A byte of JIS X 0201. 5C is the yen sign, except where it delimits values; 7E is the overline.
pub(super) fn jis_x_0201(byte: u8, kind: Kind) -> char {
    match byte {
        0x5C if kind == Kind::One => '¥',
        0x7E => '‾',
        0xA1..=0xDF => char::from_u32(0xFF61 + u32::from(byte) - 0xA1).unwrap_or('\u{FFFD}'),
        _ => char::from(byte),
    }
}

pub(super) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}

pub(super) fn single(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    encoding.decode_without_bom_handling_and_without_replacement(bytes).map(std::borrow::Cow::into_owned)
}

/// `ISOIR100` and `ISO2022IR100` (spelled in any way) → `100`.
fn number_of(term: &str) -> &str {
    term.strip_prefix("ISO2022IR").or_else(|| term.strip_prefix("ISOIR")).unwrap_or(term)
}

fn base_of(term: &str) -> Option<Base> {
    Some(match number_of(term) {
        "" | "6" => Base::Ascii,
        "13" => Base::Kana,
        "100" => Base::Latin1,
        "149" => Base::Korean,
        "58" => Base::Chinese,
        "192" | "UTF8" => Base::Whole(encoding_rs::UTF_8),
        "GB18030" => Base::Whole(encoding_rs::GB18030),
        "GBK" | "GB2312" => Base::Whole(encoding_rs::GBK),
        "SHIFTJIS" | "SJIS" => Base::Whole(encoding_rs::SHIFT_JIS),
        "EUCJP" => Base::Whole(encoding_rs::EUC_JP),
        number => Base::Single(single_byte(number)?),
    })
}

/// Single-byte sets by ISO registration number (PS3.3 table C.12-2).
fn single_byte(number: &str) -> Option<&'static Encoding> {
    Some(match number {
        "101" => encoding_rs::ISO_8859_2,
        "109" => encoding_rs::ISO_8859_3,
        "110" => encoding_rs::ISO_8859_4,
        "144" => encoding_rs::ISO_8859_5,
        "127" => encoding_rs::ISO_8859_6,
        "126" => encoding_rs::ISO_8859_7,
        "138" => encoding_rs::ISO_8859_8,
        "148" => encoding_rs::WINDOWS_1254,
        "166" => encoding_rs::WINDOWS_874,
        "203" => encoding_rs::ISO_8859_15,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(set: &str, bytes: &[u8]) -> Decoded {
        Charset::parse(set).decode(bytes, Kind::Name)
    }

    #[test]
    fn annex_h_of_ps3_5() {
        let h31 = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B";
        let wanted = "Yamada^Tarou=山田^太郎=やまだ^たろう";
        assert_eq!(name("\\ISO 2022 IR 87", h31), Decoded { text: wanted.into(), note: None });
        assert_eq!(name("ISO 2022 IR 6\\ISO 2022 IR 87", h31).text, wanted);
        let h32 =
            b"\xD4\xCF\xC0\xDE^\xC0\xDB\xB3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J";
        let wanted = "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう";
        assert_eq!(name("ISO 2022 IR 13\\ISO 2022 IR 87", h32), Decoded { text: wanted.into(), note: None });
        // Annex I: Korean, G1 designated at the start of each line or component.
        let korean = b"Hong^Gildong=\x1b$)C\xFB\xF3^\x1b$)C\xD1\xCE\xD4\xD7=\x1b$)C\xC8\xAB^\x1b$)C\xB1\xE6\xB5\xBF";
        assert_eq!(name("\\ISO 2022 IR 149", korean).text, "Hong^Gildong=洪^吉洞=홍^길동");
        // Annex J and K: Chinese.
        assert_eq!(name("ISO_IR 192", "Wang^XiaoDong=王^小东=".as_bytes()).text, "Wang^XiaoDong=王^小东=");
        assert_eq!(name("GB18030", b"Wang^XiaoDong=\xCD\xF5^\xD0\xA1\xB6\xAB=").text, "Wang^XiaoDong=王^小东=");
        let gb2312 = b"Zhang^XiaoDong=\x1b$)A\xD5\xC5^\x1b$)A\xD0\xA1\xB6\xAB=";
        assert_eq!(name("\\ISO 2022 IR 58", gb2312).text, "Zhang^XiaoDong=张^小东=");
    }

    #[test]
    fn supplementary_kanji_and_delimiter_bytes_inside_pairs() {
        let set = "\\ISO 2022 IR 87\\ISO 2022 IR 159";
        assert_eq!(name(set, b"\x1b$(Dl?\x1b(B").text, "鷗");
        assert_eq!(name(set, b"\x1b$(D0!\x1b(B").text, "丂");
        // 本 is 4B 5C, and 施 is 3B 5C: the second byte is a backslash's.
        assert_eq!(name("\\ISO 2022 IR 87", b"Honda^=\x1b$BK\\ED\x1b(B^\x1b$B;\\\x1b(B").text, "Honda^=本田^施");
        let several = Charset::parse("\\ISO 2022 IR 87").decode(b"\x1b$BK\\\x1b(B\\x", Kind::Several);
        assert_eq!(several.text, "本\\x");
    }

    #[test]
    fn field_errors_are_repaired_and_noted() {
        // No escape back to ASCII before the delimiter.
        let open = name("\\ISO 2022 IR 87", b"A^B=\x1b$B;3ED^\x1b$BB@O:");
        assert_eq!(open.text, "A^B=山田^太郎");
        assert!(open.note.is_some());
        let inside = name("\\ISO 2022 IR 87", b"A^B=\x1b$B;3ED^2V;R\x1b(B");
        assert_eq!(inside.text, "A^B=山田^花子");
        assert!(inside.note.is_some());
        // Misspelt, alone, or mixed declarations.
        assert_eq!(name("ISO2022IR87", b"\x1b$B;3ED\x1b(B").text, "山田");
        assert_eq!(name("ISO_IR 13\\ISO 2022 IR 87", b"\xD4\xCF=\x1b$B;3ED\x1b(J").text, "ﾔﾏ=山田");
        // Undeclared text, in its three usual codings.
        for bytes in
            [&b"\x8E\x52\x93\x63^\x91\xBE\x98\x59"[..], b"\xBB\xB3\xC5\xC4^\xC2\xC0\xCF\xBA", "山田^太郎".as_bytes()]
        {
            let found = name("", bytes);
            assert_eq!(found.text, "山田^太郎");
            assert!(found.note.is_some());
        }
        assert_eq!(name("ISO_IR 13", b"\x8E\x52\x93\x63").text, "山田");
        assert_eq!(name("ISO_IR 100", b"M\xFCller^Ren\xE9"), Decoded { text: "Müller^René".into(), note: None });
        assert_eq!(name("ISO_IR 100", b"\xBB\xB3\xC5\xC4^\xC2\xC0\xCF\xBA").text, "山田^太郎");
    }

    #[test]
    fn nothing_becomes_a_question_mark() {
        for set in [
            "",
            "ISO_IR 192",
            "ISO_IR 100",
            "\\ISO 2022 IR 87",
            "GB18030",
            "ISO_IR 13",
            "\\ISO 2022 IR 149",
            "nonsense",
        ] {
            for byte in 0x80..=0xFFu8 {
                let found = name(set, &[b'a', byte, b'b']);
                assert!(!found.text.contains('?'), "{set} {byte:x}");
                assert!(found.text.chars().count() >= 2, "{set} {byte:x}");
            }
            let found = name(set, b"\x1b$Z\x1b(B\x1b");
            assert!(!found.text.contains('?'));
        }
    }

    #[test]
    fn a_forgotten_designation_is_the_declared_one() {
        // The designation holds to the end of the line only (PS3.5 6.1.2.5.3).
        let lines = Charset::parse("\\ISO 2022 IR 149").decode(b"\x1b$)C\xC6\xF3\r\n\xBD\xC9\xC0\xE5", Kind::One);
        assert_eq!(lines.text, "폐\r\n심장");
        assert!(lines.note.is_some());
        let chinese = name("\\ISO 2022 IR 58", b"\xD5\xC5^\xD0\xA1\xB6\xAB");
        assert_eq!(chinese.text, "张^小东");
        assert!(chinese.note.is_some());
        // Two candidates: nothing is certain, every byte stays visible.
        let two = name("\\ISO 2022 IR 58\\ISO 2022 IR 149", b"\x1b$)C\xC6\xF3^\xD5\xC5");
        assert!(two.note.is_some());
        assert_eq!(two.text, "폐^ÕÅ");
    }

    #[test]
    fn single_byte_sets() {
        assert_eq!(name("ISO_IR 144", b"\xBB\xEE\xDA").text, "Люк");
        assert_eq!(name("ISO_IR 203", b"\xBCuvr\xE9^\xA6\xA4"), Decoded { text: "Œuvré^Š€".into(), note: None });
        assert_eq!(name("ISO_IR 126", b"\xC4\xE9\xEF").text, "Διο");
        assert_eq!(name("ISO 2022 IR 100\\ISO 2022 IR 144", b"\xE4\x1b-L\xBB").text, "äЛ");
        assert_eq!(Charset::parse("ISO_IR 13").decode(b"\\100", Kind::One).text, "¥100");
        assert_eq!(Charset::parse("ISO_IR 13").decode(b"a\\b", Kind::Several).text, "a\\b");
    }
}
