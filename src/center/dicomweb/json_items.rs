//! A JSON array taken apart while it streams in: each top-level element as bytes, so that the metadata of
//! 100,000 instances never lie in memory as one text.

use crate::study::hidden_debug;
use std::collections::VecDeque;

/// Longest element (one instance's metadata without bulk data).
const MAX_ITEM_BYTES: usize = 64 * 1024 * 1024;

/// The stream is no JSON array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON array: {0}")]
pub struct NotAnArray(&'static str);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    Between,
    Inside,
    After,
}

/// Takes bytes, gives elements (objects only: DICOM JSON has no others, PS3.18 F.2).
pub struct JsonItems {
    state: State,
    depth: usize,
    in_string: bool,
    escaped: bool,
    item: Vec<u8>,
    ready: VecDeque<Vec<u8>>,
}

hidden_debug!(JsonItems { state, depth });

impl Default for JsonItems {
    fn default() -> Self {
        Self {
            state: State::Before,
            depth: 0,
            in_string: false,
            escaped: false,
            item: Vec::new(),
            ready: VecDeque::new(),
        }
    }
}

impl JsonItems {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), NotAnArray> {
        for &byte in bytes {
            match self.state {
                State::Before => match byte {
                    b'[' => self.state = State::Between,
                    b' ' | b'\t' | b'\r' | b'\n' | 0xEF | 0xBB | 0xBF => {}
                    _ => return Err(NotAnArray("it does not begin with a bracket")),
                },
                State::Between => match byte {
                    b'{' => {
                        self.item.push(byte);
                        self.depth = 1;
                        self.state = State::Inside;
                    }
                    b']' => self.state = State::After,
                    b' ' | b'\t' | b'\r' | b'\n' | b',' => {}
                    _ => return Err(NotAnArray("an element is no object")),
                },
                State::Inside => self.inside(byte)?,
                State::After => match byte {
                    b' ' | b'\t' | b'\r' | b'\n' => {}
                    _ => return Err(NotAnArray("text after its end")),
                },
            }
        }
        Ok(())
    }

    fn inside(&mut self, byte: u8) -> Result<(), NotAnArray> {
        self.item.push(byte);
        if self.item.len() > MAX_ITEM_BYTES {
            return Err(NotAnArray("an element is too long"));
        }
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return Ok(());
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth -= 1;
                if self.depth == 0 {
                    self.ready.push_back(std::mem::take(&mut self.item));
                    self.state = State::Between;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The next whole element.
    pub fn next_item(&mut self) -> Option<Vec<u8>> {
        self.ready.pop_front()
    }

    /// The array has ended; an empty body counts as an empty array (204 answers).
    pub fn finished(&self) -> bool {
        matches!(self.state, State::After | State::Before) && self.ready.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_out_whole_however_cut() {
        let text = "\u{feff}[ {\"a\": \"}]\\\"\\\\\"},{\"b\":[{\"c\":{}}]} ,\n{}]\n";
        for step in 1..9 {
            let mut items = JsonItems::default();
            let mut out = Vec::new();
            for chunk in text.as_bytes().chunks(step) {
                items.push(chunk).expect("array");
                out.extend(std::iter::from_fn(|| items.next_item()));
            }
            assert!(items.finished());
            let out: Vec<_> = out.iter().map(|i| std::str::from_utf8(i).expect("utf-8")).collect();
            assert_eq!(out, ["{\"a\": \"}]\\\"\\\\\"}", "{\"b\":[{\"c\":{}}]}", "{}"]);
        }
    }

    #[test]
    fn a_cut_array_is_not_finished_and_other_text_is_refused() {
        let mut items = JsonItems::default();
        items.push(b"[{}").expect("so far");
        assert!(!items.finished());
        assert!(JsonItems::default().push(b"{\"error\":1}").is_err());
        assert!(JsonItems::default().push(b"[1]").is_err());
        assert!(JsonItems::default().push(b"[]x").is_err());
        assert!(JsonItems::default().finished());
    }
}
