//! Siemens CSA image header (0029,xx10): an undocumented list of named values. Both known layouts are read, each
//! length checked; whatever does not fit ends the list.

/// Most entries and values that are looked at; real headers have about 100 entries of up to 30 values.
const MOST_TAGS: u32 = 512;
const MOST_ITEMS: u32 = 256;

/// Values of the named entry, trimmed; empty ones left out.
pub(super) fn values(bytes: &[u8], name: &str) -> Vec<String> {
    entries(bytes, name).unwrap_or_default()
}

/// Little-endian number at a byte.
fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..).and_then(|b| b.first_chunk::<4>()).map(|b| u32::from_le_bytes(*b))
}

fn entries(bytes: &[u8], wanted: &str) -> Option<Vec<String>> {
    let newer = bytes.starts_with(b"SV10");
    let mut at = if newer { 8 } else { 0 };
    let tags = u32_at(bytes, at)?;
    at += 8;
    if tags > MOST_TAGS {
        return None;
    }
    let mut first_count = None;
    for _ in 0..tags {
        let name = bytes.get(at..at + 64)?;
        let items = u32_at(bytes, at + 76)?;
        if items > MOST_ITEMS {
            return None;
        }
        // The older layout adds the first entry's number of items to each length.
        let surplus = if newer { 0 } else { *first_count.get_or_insert(items) };
        let found = name.split(|b| *b == 0).next() == Some(wanted.as_bytes());
        at += 84;
        let mut values = Vec::new();
        for _ in 0..items {
            let length = if newer { u32_at(bytes, at + 4)? } else { u32_at(bytes, at)?.checked_sub(surplus)? } as usize;
            at += 16;
            let value = bytes.get(at..at.checked_add(length)?)?;
            let text = value.split(|b| *b == 0).next().unwrap_or_default();
            let text = String::from_utf8_lossy(text).trim().to_owned();
            if found && !text.is_empty() {
                values.push(text);
            }
            at += length.next_multiple_of(4);
        }
        if found {
            return Some(values);
        }
    }
    None
}

#[cfg(test)]
pub(super) fn make(newer: bool, entries: &[(&str, &[&str])]) -> Vec<u8> {
    let mut out = Vec::new();
    if newer {
        out.extend(b"SV10\x04\x03\x02\x01");
    }
    out.extend((entries.len() as u32).to_le_bytes());
    out.extend(77u32.to_le_bytes());
    let surplus = if newer { 0 } else { entries.first().map_or(0, |e| e.1.len() as u32) };
    for (name, values) in entries {
        let mut field = [0u8; 64];
        field[..name.len()].copy_from_slice(name.as_bytes());
        out.extend(field);
        out.extend(1u32.to_le_bytes());
        out.extend(*b"FD\0\0");
        out.extend(3u32.to_le_bytes());
        out.extend((values.len() as u32).to_le_bytes());
        out.extend(77u32.to_le_bytes());
        for value in *values {
            let length = value.len() as u32 + 1;
            for n in [length + surplus, length, 77, length] {
                out.extend(n.to_le_bytes());
            }
            out.extend(value.as_bytes());
            out.push(0);
            out.resize(out.len().next_multiple_of(4), 0);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_layouts_and_every_cut() {
        for newer in [true, false] {
            let header =
                make(newer, &[("EchoLinePosition", &["64"]), ("B_value", &["1000 "]), ("Dir", &["0.1", "-0.2"])]);
            assert_eq!(values(&header, "B_value"), ["1000"], "{newer}");
            assert_eq!(values(&header, "Dir"), ["0.1", "-0.2"]);
            assert!(values(&header, "Absent").is_empty());
            for cut in 0..header.len() {
                let _ = values(&header[..cut], "Dir");
            }
        }
        assert!(values(&[0xFF; 200], "B_value").is_empty());
    }
}
