//! Arrays as NumPy files, format version 1.0.

use std::io::{self, Write};

/// Numbers of one kind.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are the kinds")]
pub enum Numbers {
    U8(Vec<u8>),
    I8(Vec<i8>),
    U16(Vec<u16>),
    I16(Vec<i16>),
    U32(Vec<u32>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Numbers {
    /// NumPy's name of the type, little endian.
    pub fn dtype(&self) -> &'static str {
        match self {
            Self::U8(_) => "|u1",
            Self::I8(_) => "|i1",
            Self::U16(_) => "<u2",
            Self::I16(_) => "<i2",
            Self::U32(_) => "<u4",
            Self::I32(_) => "<i4",
            Self::I64(_) => "<i8",
            Self::F32(_) => "<f4",
            Self::F64(_) => "<f8",
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(v) => v.len(),
            Self::I8(v) => v.len(),
            Self::U16(v) => v.len(),
            Self::I16(v) => v.len(),
            Self::U32(v) => v.len(),
            Self::I32(v) => v.len(),
            Self::I64(v) => v.len(),
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
        }
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Writes an array of this shape, row by row (C order). The shape must fit the numbers.
pub fn write(out: &mut dyn Write, shape: &[usize], numbers: &Numbers) -> io::Result<()> {
    if shape.iter().product::<usize>() != numbers.len() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "shape and numbers differ"));
    }
    let sizes: Vec<String> = shape.iter().map(|n| format!("{n},")).collect();
    let mut header =
        format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", numbers.dtype(), sizes.join(" "));
    // Magic, version and length take 10 bytes; the data begin at a multiple of 64, after a line feed.
    let padded = (10 + header.len() + 1).next_multiple_of(64);
    header.extend(std::iter::repeat_n(' ', padded - 10 - header.len() - 1));
    header.push('\n');
    let length = u16::try_from(header.len()).map_err(io::Error::other)?;
    out.write_all(b"\x93NUMPY\x01\x00")?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    macro_rules! all {
        ($v:expr) => {{
            for chunk in $v.chunks(1 << 16) {
                let bytes: Vec<u8> = chunk.iter().flat_map(|x| x.to_le_bytes()).collect();
                out.write_all(&bytes)?;
            }
        }};
    }
    match numbers {
        Numbers::U8(v) => out.write_all(v)?,
        Numbers::I8(v) => all!(v),
        Numbers::U16(v) => all!(v),
        Numbers::I16(v) => all!(v),
        Numbers::U32(v) => all!(v),
        Numbers::I32(v) => all!(v),
        Numbers::I64(v) => all!(v),
        Numbers::F32(v) => all!(v),
        Numbers::F64(v) => all!(v),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_as_numpy_writes_it() {
        let mut out = Vec::new();
        write(&mut out, &[2, 1], &Numbers::I16(vec![-2, 258])).expect("writes");
        assert_eq!(out.len(), 128 + 4);
        assert_eq!(&out[..10], b"\x93NUMPY\x01\x00\x76\x00");
        let header = std::str::from_utf8(&out[10..128]).expect("text");
        assert!(header.starts_with("{'descr': '<i2', 'fortran_order': False, 'shape': (2, 1,), }"));
        assert!(header.ends_with('\n'));
        assert_eq!(out[128..], [0xFE, 0xFF, 2, 1]);
        assert!(write(&mut Vec::new(), &[3], &Numbers::U8(vec![1])).is_err());
    }
}
