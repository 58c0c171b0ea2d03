//! `multipart/related` as it streams in (RFC 2046 §5.1, RFC 2387): part after part, each whole.
//!
//! A part's length is taken from its `Content-Length` where it has one (and then the delimiter must follow),
//! else it ends at the delimiter. The closing delimiter is demanded: without it the stream was cut, whatever
//! HTTP says (Orthanc just closes the connection).

use bytes::{Buf as _, Bytes, BytesMut};

/// Longest headers of one part.
const MAX_HEADER_BYTES: usize = 16 * 1024;
/// Longest text before the first delimiter.
const MAX_PREAMBLE_BYTES: usize = 64 * 1024;

/// Why a stream cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    /// No usable boundary in the content type.
    #[error("the answer has no multipart boundary")]
    NoBoundary,
    /// A part is larger than allowed.
    #[error("a part is larger than {0} bytes")]
    PartTooLarge(usize),
    /// Not multipart at all.
    #[error("the answer is not multipart: {0}")]
    Malformed(&'static str),
}

enum State {
    /// Before the first delimiter.
    Preamble,
    /// Just after a delimiter: `--` ends everything, a line end begins a part.
    AfterDelimiter,
    Headers,
    /// In a part of stated length.
    Body(Option<usize>),
    Done,
}

/// Takes bytes, gives parts.
pub struct Multipart {
    /// CR LF `--boundary`.
    delimiter: Vec<u8>,
    buffer: BytesMut,
    state: State,
    /// Where the search for the delimiter goes on.
    searched: usize,
    max_part: usize,
}

impl Multipart {
    /// A reader for a boundary; parts are at most `max_part` bytes.
    pub fn new(boundary: &str, max_part: usize) -> Result<Self, MultipartError> {
        // RFC 2046 says at most 70 characters; real servers use more.
        if boundary.is_empty() || boundary.len() > 256 || !boundary.is_ascii() {
            return Err(MultipartError::NoBoundary);
        }
        // The first delimiter may stand at the very beginning: a line end before it is supplied.
        let buffer = BytesMut::from(&b"\r\n"[..]);
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        Ok(Self { delimiter, buffer, state: State::Preamble, searched: 0, max_part })
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The closing delimiter has been seen.
    pub fn finished(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// The next whole part's content; `None`: more bytes are needed, or it is [`Multipart::finished`].
    pub fn next_part(&mut self) -> Result<Option<Bytes>, MultipartError> {
        loop {
            match self.state {
                State::Done => {
                    self.buffer.clear();
                    return Ok(None);
                }
                State::Preamble => {
                    let Some(at) = self.find_delimiter() else {
                        if self.buffer.len() > MAX_PREAMBLE_BYTES {
                            return Err(MultipartError::Malformed("no delimiter"));
                        }
                        return Ok(None);
                    };
                    self.consume(at + self.delimiter.len());
                    self.state = State::AfterDelimiter;
                }
                State::AfterDelimiter => {
                    // Spaces may stand between boundary and line end (RFC 2046 §5.1.1).
                    let padding = self.buffer.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
                    match (self.buffer.get(padding), self.buffer.get(padding + 1)) {
                        (Some(b'-'), Some(b'-')) => self.state = State::Done,
                        (Some(b'\r'), Some(b'\n')) => {
                            self.consume(padding + 2);
                            self.state = State::Headers;
                        }
                        (Some(_), Some(_)) => return Err(MultipartError::Malformed("text after a delimiter")),
                        _ => return Ok(None),
                    }
                }
                State::Headers => {
                    let Some((length, end)) = self.headers()? else { return Ok(None) };
                    self.consume(end);
                    if length.is_some_and(|l| l > self.max_part) {
                        return Err(MultipartError::PartTooLarge(self.max_part));
                    }
                    self.state = State::Body(length);
                }
                State::Body(length) => {
                    let Some(end) = self.body_end(length)? else { return Ok(None) };
                    let part = self.buffer.split_to(end).freeze();
                    self.searched = 0;
                    self.consume(self.delimiter.len());
                    self.state = State::AfterDelimiter;
                    return Ok(Some(part));
                }
            }
        }
    }

    fn consume(&mut self, bytes: usize) {
        self.buffer.advance(bytes.min(self.buffer.len()));
        self.searched = 0;
    }

    /// Content-Length (if stated) and where the headers end, once they are whole.
    fn headers(&self) -> Result<Option<(Option<usize>, usize)>, MultipartError> {
        let end = if self.buffer.starts_with(b"\r\n") {
            Some((0, 2))
        } else {
            self.buffer.windows(4).take(MAX_HEADER_BYTES).position(|w| w == b"\r\n\r\n").map(|at| (at, at + 4))
        };
        let Some((text_end, end)) = end else {
            if self.buffer.len() > MAX_HEADER_BYTES {
                return Err(MultipartError::Malformed("headers too long"));
            }
            return Ok(None);
        };
        let text = String::from_utf8_lossy(self.buffer.get(..text_end).unwrap_or_default()).into_owned();
        let length = text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse::<usize>().ok());
        Ok(Some((length, end)))
    }

    /// Where the part ends, once that is known and its delimiter has been seen.
    fn body_end(&mut self, length: Option<usize>) -> Result<Option<usize>, MultipartError> {
        if let Some(length) = length {
            let whole = length + self.delimiter.len();
            if self.buffer.len() < whole {
                return Ok(None);
            }
            // A wrong Content-Length is noticed here; the delimiter is then searched for instead.
            if self.buffer.get(length..whole) == Some(self.delimiter.as_slice()) {
                return Ok(Some(length));
            }
            self.state = State::Body(None);
        }
        let found = self.find_delimiter();
        if found.unwrap_or(self.buffer.len()) > self.max_part.saturating_add(self.delimiter.len()) {
            return Err(MultipartError::PartTooLarge(self.max_part));
        }
        Ok(found)
    }

    fn find_delimiter(&mut self) -> Option<usize> {
        let haystack = self.buffer.get(self.searched..)?;
        let mut from = 0;
        while let Some(step) = haystack.get(from..)?.iter().position(|b| *b == b'\r') {
            let at = from + step;
            let candidate = haystack.get(at..)?;
            if candidate.len() < self.delimiter.len() {
                break;
            }
            if candidate.starts_with(&self.delimiter) {
                return Some(self.searched + at);
            }
            from = at + 1;
        }
        self.searched = (self.buffer.len() + 1).saturating_sub(self.delimiter.len());
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(boundary: &str, bytes: &[u8], step: usize) -> (Vec<Bytes>, bool) {
        let mut reader = Multipart::new(boundary, 1 << 20).expect("boundary");
        let mut parts = Vec::new();
        for chunk in bytes.chunks(step) {
            reader.push(chunk);
            while let Some(part) = reader.next_part().expect("well formed") {
                parts.push(part);
            }
        }
        (parts, reader.finished())
    }

    fn write(boundary: &str, parts: &[Vec<u8>], lengths: bool) -> Vec<u8> {
        let mut out = Vec::new();
        for part in parts {
            out.extend_from_slice(format!("--{boundary}\r\nContent-Type: application/dicom\r\n").as_bytes());
            if lengths {
                out.extend_from_slice(format!("content-length: {}\r\n", part.len()).as_bytes());
            }
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(part);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(format!("--{boundary}--\r\nepilogue").as_bytes());
        out
    }

    proptest! {
        #[test]
        fn parts_come_back_however_cut(parts in prop::collection::vec(prop::collection::vec(prop::sample::select(b"\r\n-bx\0\xff".to_vec()), 0..40), 0..5), lengths: bool, step in 1usize..50) {
            let stream = write("bx", &parts, lengths);
            // Without lengths a part that holds the delimiter itself cannot be told apart by any reader.
            prop_assume!(lengths || parts.iter().all(|p| !p.windows(6).any(|w| w == b"\r\n--bx")));
            let (read, finished) = read("bx", &stream, step);
            prop_assert!(finished);
            prop_assert_eq!(read.iter().map(|b| b.to_vec()).collect::<Vec<_>>(), parts);
        }

        #[test]
        fn a_cut_stream_is_never_finished(cut in 0usize..120) {
            let stream = write("bx", &[vec![1; 30], vec![2; 30]], true);
            let end = stream.len() - b"--\r\nepilogue".len();
            let (parts, finished) = read("bx", &stream[..cut.min(end)], 7);
            prop_assert!(!finished);
            prop_assert!(parts.len() <= 2);
        }

        #[test]
        fn hostile_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut reader = Multipart::new("b", 100).expect("boundary");
            reader.push(&bytes);
            for _ in 0..50 {
                if !matches!(reader.next_part(), Ok(Some(_))) { break; }
            }
        }
    }

    #[test]
    fn a_preamble_padding_and_a_wrong_length_are_survived() {
        let (parts, finished) = read("b", b"preamble\r\n--b \t\r\nContent-Length: 1\r\n\r\nabc\r\n--b--", 3);
        assert_eq!((parts.len(), parts[0].as_ref(), finished), (1, &b"abc"[..], true));
    }

    #[test]
    fn caps_hold() {
        let mut reader = Multipart::new("b", 10).expect("boundary");
        reader.push(b"--b\r\nContent-Length: 11\r\n\r\n");
        assert_eq!(reader.next_part(), Err(MultipartError::PartTooLarge(10)));
        let mut reader = Multipart::new("b", 10).expect("boundary");
        reader.push(b"--b\r\n\r\n");
        reader.push(&[0; 40]);
        assert_eq!(reader.next_part(), Err(MultipartError::PartTooLarge(10)));
        let mut reader = Multipart::new("b", 10).expect("boundary");
        reader.push(&vec![b'x'; MAX_PREAMBLE_BYTES + 1]);
        assert!(matches!(reader.next_part(), Err(MultipartError::Malformed(_))));
        assert!(Multipart::new("", 1).is_err());
    }
}
