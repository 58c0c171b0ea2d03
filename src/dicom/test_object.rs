//! Objects for tests, written element by element, so that they can also be wrong.

/// Two letters.
type VrName = &'static [u8; 2];

/// How a test object's data set is coded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum As {
    Implicit,
    Explicit,
    BigEndian,
}

/// Bytes of a data set under construction.
#[derive(Debug, Clone)]
pub(super) struct Build {
    coding: As,
    pub(super) bytes: Vec<u8>,
}

impl Build {
    pub(super) fn new(coding: As) -> Self {
        Self { coding, bytes: Vec::new() }
    }

    fn u16(&self, v: u16) -> [u8; 2] {
        if self.coding == As::BigEndian { v.to_be_bytes() } else { v.to_le_bytes() }
    }
    fn u32(&self, v: u32) -> [u8; 4] {
        if self.coding == As::BigEndian { v.to_be_bytes() } else { v.to_le_bytes() }
    }

    /// An element with any length field, true or not.
    pub(super) fn raw(mut self, tag: u32, vr: VrName, length: u32, value: &[u8]) -> Self {
        let head = [self.u16((tag >> 16) as u16), self.u16(tag as u16)].concat();
        self.bytes.extend(head);
        if self.coding != As::Implicit {
            self.bytes.extend(vr);
            if matches!(vr, b"OB" | b"OW" | b"OF" | b"OD" | b"SQ" | b"UN" | b"UT" | b"OV") {
                self.bytes.extend([0, 0]);
            } else {
                let length = self.u16(length as u16);
                self.bytes.extend(length);
                self.bytes.extend(value);
                return self;
            }
        }
        let length = self.u32(length);
        self.bytes.extend(length);
        self.bytes.extend(value);
        self
    }

    pub(super) fn bytes(self, tag: u32, vr: VrName, value: &[u8]) -> Self {
        let mut value = value.to_vec();
        if value.len() % 2 == 1 {
            value.push(if vr == b"UI" || vr == b"OB" { 0 } else { b' ' });
        }
        self.raw(tag, vr, value.len() as u32, &value)
    }

    pub(super) fn text(self, tag: u32, vr: VrName, value: &str) -> Self {
        self.bytes(tag, vr, value.as_bytes())
    }

    pub(super) fn us(self, tag: u32, values: &[u16]) -> Self {
        let value: Vec<u8> = values.iter().flat_map(|v| self.u16(*v)).collect();
        self.bytes(tag, b"US", &value)
    }

    /// A sequence with items of undefined length.
    pub(super) fn sequence(self, tag: u32, items: &[Build]) -> Self {
        let mut value = Vec::new();
        for item in items {
            value.extend(self.u16(0xFFFE));
            value.extend(self.u16(0xE000));
            value.extend([0xFF; 4]);
            value.extend(&item.bytes);
            value.extend(self.u16(0xFFFE));
            value.extend(self.u16(0xE00D));
            value.extend([0; 4]);
        }
        value.extend(self.u16(0xFFFE));
        value.extend(self.u16(0xE0DD));
        value.extend([0; 4]);
        self.raw(tag, b"SQ", u32::MAX, &value)
    }

    /// Encapsulated pixel data: offset table, then the fragments.
    pub(super) fn fragments(self, table: &[u32], fragments: &[&[u8]]) -> Self {
        let mut value = vec![0xFE, 0xFF, 0x00, 0xE0];
        value.extend((table.len() as u32 * 4).to_le_bytes());
        value.extend(table.iter().flat_map(|offset| offset.to_le_bytes()));
        for fragment in fragments {
            value.extend([0xFE, 0xFF, 0x00, 0xE0]);
            value.extend((fragment.len() as u32 + fragment.len() as u32 % 2).to_le_bytes());
            value.extend(*fragment);
            value.resize(value.len() + fragment.len() % 2, 0);
        }
        value.extend([0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
        self.raw(0x7FE0_0010, b"OB", u32::MAX, &value)
    }

    /// Identity and a grey 16-bit image's attributes, without pixels.
    pub(super) fn image(coding: As, rows: u16, columns: u16) -> Self {
        Self::new(coding)
            .text(0x0008_0016, b"UI", "1.2.840.10008.5.1.4.1.1.2")
            .text(0x0008_0018, b"UI", "1.2.3.4")
            .text(0x0008_0060, b"CS", "CT")
            .text(0x0010_0010, b"PN", "Yamada^Tarou")
            .text(0x0020_000D, b"UI", "1.2.3")
            .text(0x0020_000E, b"UI", "1.2.3.1")
            .us(0x0028_0002, &[1])
            .text(0x0028_0004, b"CS", "MONOCHROME2")
            .us(0x0028_0010, &[rows])
            .us(0x0028_0011, &[columns])
            .us(0x0028_0100, &[16])
            .us(0x0028_0101, &[16])
            .us(0x0028_0102, &[15])
            .us(0x0028_0103, &[1])
    }

    /// A grey image's attributes: bits allocated and stored, sign, frames.
    pub(super) fn grey(coding: As, size: [u16; 2], bits: [u16; 2], signed: bool, frames: usize) -> Self {
        Self::new(coding)
            .text(0x0008_0016, b"UI", "1.2.840.10008.5.1.4.1.1.7")
            .text(0x0008_0018, b"UI", "1.2.3.4")
            .text(0x0020_000D, b"UI", "1.2.3")
            .text(0x0020_000E, b"UI", "1.2.3.1")
            .us(0x0028_0002, &[1])
            .text(0x0028_0004, b"CS", "MONOCHROME2")
            .text(0x0028_0008, b"IS", &frames.to_string())
            .us(0x0028_0010, &[size[0]])
            .us(0x0028_0011, &[size[1]])
            .us(0x0028_0100, &[bits[0]])
            .us(0x0028_0101, &[bits[1]])
            .us(0x0028_0102, &[bits[1] - 1])
            .us(0x0028_0103, &[u16::from(signed)])
    }

    /// A colour image's attributes, 8 bits.
    pub(super) fn colour(photometric: &str, planar: u16, rows: u16, columns: u16) -> Self {
        Self::new(As::Explicit)
            .text(0x0008_0016, b"UI", "1.2.840.10008.5.1.4.1.1.7")
            .text(0x0008_0018, b"UI", "1.2.3.4")
            .text(0x0020_000D, b"UI", "1.2.3")
            .text(0x0020_000E, b"UI", "1.2.3.1")
            .us(0x0028_0002, &[if photometric == "PALETTE COLOR" { 1 } else { 3 }])
            .text(0x0028_0004, b"CS", photometric)
            .us(0x0028_0006, &[planar])
            .us(0x0028_0010, &[rows])
            .us(0x0028_0011, &[columns])
            .us(0x0028_0100, &[8])
            .us(0x0028_0101, &[8])
            .us(0x0028_0102, &[7])
            .us(0x0028_0103, &[0])
    }

    /// As a Part 10 file.
    pub(super) fn file(self, syntax: &str) -> Vec<u8> {
        let mut out = vec![0; 128];
        out.extend(b"DICM");
        out.extend(Self::new(As::Explicit).text(0x0002_0010, b"UI", syntax).bytes);
        out.extend(self.bytes);
        out
    }
}

pub(super) const IMPLICIT: &str = "1.2.840.10008.1.2";
pub(super) const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub(super) const BIG: &str = "1.2.840.10008.1.2.2";
