//! `multipart/related` (RFC 2387) read piece by piece: the parts of a submission and of STOW-RS. Input is hostile: header and part sizes are
//! capped, nothing is searched twice.

use crate::study::hidden_debug;
use bytes::{Bytes, BytesMut};

/// Longest header block of a part.
const MAX_PART_HEADER: usize = 16 * 1024;

/// Why a body is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    /// No usable boundary in `Content-Type`.
    #[error("multipart/related with a boundary is expected")]
    NoBoundary,
    /// A part's header is too long or not text.
    #[error("a part's header cannot be read")]
    BadHeader,
    /// The body ends before the closing boundary.
    #[error("the body ends before its closing boundary")]
    Cut,
    /// Something else than a boundary where one must be.
    #[error("a boundary is not where it should be")]
    BadBoundary,
}

/// The parameters of a media type, quotes respected (`type="application/dicom; transfer-syntax=*"`).
pub fn media_type(value: &str) -> (String, Vec<(String, String)>) {
    let mut pieces = Vec::new();
    let (mut current, mut quoted, mut escaped) = (String::new(), false, false);
    for c in value.chars() {
        match c {
            _ if escaped => {
                current.push(c);
                escaped = false;
            }
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => pieces.push(std::mem::take(&mut current)),
            _ => current.push(c),
        }
    }
    pieces.push(current);
    let mut pieces = pieces.into_iter();
    let essence = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
    let parameters = pieces
        .filter_map(|p| {
            let (name, value) = p.split_once('=')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect();
    (essence, parameters)
}

/// A parameter by name.
pub fn parameter<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
}

/// The boundary of a `multipart/related` content type.
pub fn boundary(content_type: &str) -> Result<String, MultipartError> {
    let (essence, parameters) = media_type(content_type);
    let boundary = parameter(&parameters, "boundary").unwrap_or_default();
    let good = essence == "multipart/related"
        && (1..=200).contains(&boundary.len())
        && boundary.bytes().all(|c| (0x20..0x7f).contains(&c));
    if good { Ok(boundary.to_owned()) } else { Err(MultipartError::NoBoundary) }
}

/// Headers of a part, names in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartHeaders(Vec<(String, String)>);

impl PartHeaders {
    /// A header's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    fn parse(block: &[u8]) -> Result<Self, MultipartError> {
        let text = std::str::from_utf8(block).map_err(|_| MultipartError::BadHeader)?;
        let mut headers = Vec::new();
        for line in text.split("\r\n").filter(|l| !l.is_empty()) {
            let (name, value) = line.split_once(':').ok_or(MultipartError::BadHeader)?;
            headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
        Ok(Self(headers))
    }
}

/// What the reader gives.
#[derive(PartialEq, Eq)]
pub enum Piece {
    /// A part begins.
    Begin(PartHeaders),
    /// Bytes of the part.
    Data(Bytes),
    /// The part is whole.
    End,
    /// The closing boundary was there.
    Closed,
}

hidden_debug!(Piece);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Preamble,
    Headers,
    Body,
    AfterBoundary,
    Closed,
}

/// An incremental reader: feed bytes, take pieces.
pub struct Reader {
    /// `\r\n--boundary`.
    delimiter: Vec<u8>,
    buffer: BytesMut,
    place: Place,
}

hidden_debug!(Reader { place });

impl Reader {
    /// For a boundary.
    pub fn new(boundary: &str) -> Self {
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        // The first boundary may stand at the very start: a line break before it is supplied here.
        Self { delimiter, buffer: BytesMut::from(&b"\r\n"[..]), place: Place::Preamble }
    }

    /// Takes the next bytes of the body.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next piece, or `None` where more bytes are needed.
    pub fn next(&mut self) -> Result<Option<Piece>, MultipartError> {
        loop {
            match self.place {
                Place::Preamble => match find(&self.buffer, &self.delimiter) {
                    Some(at) => {
                        drop(self.buffer.split_to(at + self.delimiter.len()));
                        self.place = Place::AfterBoundary;
                    }
                    None => {
                        self.keep_tail();
                        return Ok(None);
                    }
                },
                Place::AfterBoundary => {
                    if self.buffer.len() < 2 {
                        return Ok(None);
                    }
                    let two = self.buffer.split_to(2);
                    if two.as_ref() == b"--" {
                        self.place = Place::Closed;
                        return Ok(Some(Piece::Closed));
                    }
                    if two.as_ref() != b"\r\n" {
                        return Err(MultipartError::BadBoundary);
                    }
                    self.place = Place::Headers;
                }
                Place::Headers => {
                    let Some((block, skip)) = header_block(&self.buffer) else {
                        if self.buffer.len() > MAX_PART_HEADER {
                            return Err(MultipartError::BadHeader);
                        }
                        return Ok(None);
                    };
                    if block > MAX_PART_HEADER {
                        return Err(MultipartError::BadHeader);
                    }
                    let headers = PartHeaders::parse(self.buffer.get(..block).unwrap_or_default())?;
                    drop(self.buffer.split_to(skip));
                    self.place = Place::Body;
                    return Ok(Some(Piece::Begin(headers)));
                }
                Place::Body => return Ok(self.body()),
                Place::Closed => {
                    self.buffer.clear();
                    return Ok(None);
                }
            }
        }
    }

    fn body(&mut self) -> Option<Piece> {
        if let Some(at) = find(&self.buffer, &self.delimiter) {
            if at > 0 {
                return Some(Piece::Data(self.buffer.split_to(at).freeze()));
            }
            drop(self.buffer.split_to(self.delimiter.len()));
            self.place = Place::AfterBoundary;
            return Some(Piece::End);
        }
        // The end of the buffer may be the beginning of a delimiter: it waits.
        let safe = self.buffer.len().saturating_sub(self.delimiter.len() - 1);
        (safe > 0).then(|| Piece::Data(self.buffer.split_to(safe).freeze()))
    }

    fn keep_tail(&mut self) {
        let safe = self.buffer.len().saturating_sub(self.delimiter.len() - 1);
        drop(self.buffer.split_to(safe));
    }

    /// Whether the closing boundary was met: only then is the body whole.
    pub fn finish(&self) -> Result<(), MultipartError> {
        if self.place == Place::Closed { Ok(()) } else { Err(MultipartError::Cut) }
    }
}

/// Length of the header block and where the body begins. A part without headers begins with an empty line.
fn header_block(buffer: &[u8]) -> Option<(usize, usize)> {
    if buffer.starts_with(b"\r\n") {
        return Some((0, 2));
    }
    find(buffer, b"\r\n\r\n").map(|at| (at, at + 4))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(rest) = haystack.get(from..) {
        let at = from + rest.iter().position(|b| *b == first)?;
        if haystack.get(at..)?.starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// A part held in memory.
#[derive(Clone, PartialEq, Eq)]
pub struct Part {
    /// Headers.
    pub headers: PartHeaders,
    /// Body.
    pub body: Vec<u8>,
}

hidden_debug!(Part { headers });

/// All parts of a body that is in memory already; at most `most`.
pub fn parts(content_type: &str, body: &[u8], most: usize) -> Result<Vec<Part>, MultipartError> {
    let mut reader = Reader::new(&boundary(content_type)?);
    reader.feed(body);
    let mut parts: Vec<Part> = Vec::new();
    while let Some(piece) = reader.next()? {
        match piece {
            Piece::Begin(headers) if parts.len() < most => parts.push(Part { headers, body: Vec::new() }),
            Piece::Begin(_) => return Err(MultipartError::BadBoundary),
            Piece::Data(bytes) => {
                if let Some(part) = parts.last_mut() {
                    part.body.extend_from_slice(&bytes);
                }
            }
            Piece::End => {}
            Piece::Closed => break,
        }
    }
    reader.finish()?;
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/related; type=\"application/json\"; boundary=abc";

    #[test]
    fn whole_and_byte_by_byte_give_the_same() {
        let body = b"preamble\r\n--abc\r\nContent-Type: application/json\r\nContent-ID: <a>\r\n\r\n{\r\n--ab}\r\n--abc\r\n\r\n\r\n--abc--\r\nepilogue";
        let whole = parts(TYPE, body, 10).expect("parts");
        assert_eq!(whole.len(), 2);
        assert_eq!(whole[0].body, b"{\r\n--ab}");
        assert_eq!(whole[0].headers.get("content-id"), Some("<a>"));
        assert_eq!(whole[1].body, b"");
        let mut reader = Reader::new("abc");
        let mut bodies: Vec<Vec<u8>> = Vec::new();
        for byte in body {
            reader.feed(&[*byte]);
            while let Some(piece) = reader.next().expect("piece") {
                match piece {
                    Piece::Begin(_) => bodies.push(Vec::new()),
                    Piece::Data(d) => bodies.last_mut().expect("part").extend_from_slice(&d),
                    Piece::End | Piece::Closed => {}
                }
            }
        }
        reader.finish().expect("closed");
        assert_eq!(bodies, [whole[0].body.clone(), whole[1].body.clone()]);
    }

    #[test]
    fn cut_and_wrong_bodies_are_refused() {
        assert_eq!(parts(TYPE, b"--abc\r\n\r\nx", 10), Err(MultipartError::Cut));
        assert_eq!(parts(TYPE, b"--abc\r\n\r\nx\r\n--abc\r\n", 10), Err(MultipartError::Cut));
        assert_eq!(parts(TYPE, b"--abcd\r\n\r\nx\r\n--abc--", 10), Err(MultipartError::BadBoundary));
        assert_eq!(parts(TYPE, b"--abc\r\nno colon\r\n\r\nx\r\n--abc--", 10), Err(MultipartError::BadHeader));
        assert_eq!(parts("multipart/related", b"", 10), Err(MultipartError::NoBoundary));
        assert_eq!(parts("text/plain; boundary=abc", b"", 10), Err(MultipartError::NoBoundary));
        assert_eq!(parts(TYPE, b"--abc\r\n\r\n\r\n--abc\r\n\r\n\r\n--abc--", 1), Err(MultipartError::BadBoundary));
        let long = [b"--abc\r\n".to_vec(), vec![b'a'; MAX_PART_HEADER + 2]].concat();
        assert_eq!(parts(TYPE, &long, 10), Err(MultipartError::BadHeader));
    }

    #[test]
    fn quotes_hide_semicolons() {
        let (essence, parameters) =
            media_type("multipart/related; type=\"application/octet-stream; transfer-syntax=*\"; boundary=\"x y\"");
        assert_eq!(essence, "multipart/related");
        assert_eq!(parameter(&parameters, "type"), Some("application/octet-stream; transfer-syntax=*"));
        assert_eq!(parameter(&parameters, "boundary"), Some("x y"));
    }
}
