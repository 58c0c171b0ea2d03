//! Altered, cut, moved and exchanged chunks; ranges; a full disk.

use super::*;
use crate::vault::seal::{MasterKey, Sealer};
use proptest::prelude::*;
use std::io::Cursor;

fn sealer() -> Sealer {
    Sealer::new(MasterKey::generate().unwrap())
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 31 + i / 251) as u8).collect()
}

fn sealed(sealer: &Sealer, context: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut writer = sealer.seal_file(context, Vec::new()).unwrap();
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

fn read(sealer: &Sealer, context: &[u8], file: &[u8]) -> Result<Vec<u8>, SealError> {
    sealer.open_file(context, Cursor::new(file))?.read_whole()
}

const STEP: usize = CHUNK_BYTES + TAG_BYTES;

#[test]
fn lengths_around_the_chunk_size_come_back() {
    let sealer = sealer();
    for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 77] {
        let plain = pattern(length);
        let file = sealed(&sealer, b"i", &plain);
        assert_eq!(file.len(), HEADER_BYTES + length + TAG_BYTES * length.div_ceil(CHUNK_BYTES).max(1), "{length}");
        let mut reader = sealer.open_file(b"i", Cursor::new(&file)).unwrap();
        assert_eq!((reader.len(), reader.is_empty()), (length as u64, length == 0));
        assert!(reader.read_whole().unwrap() == plain, "{length}");
    }
}

#[test]
fn ranges_are_exact_and_bounded() {
    let sealer = sealer();
    let plain = pattern(2 * CHUNK_BYTES + 1000);
    let file = sealed(&sealer, b"i", &plain);
    let mut reader = sealer.open_file(b"i", Cursor::new(&file)).unwrap();
    let chunk = CHUNK_BYTES as u64;
    let end = plain.len() as u64;
    for range in
        [0..0, 0..1, chunk - 1..chunk + 1, chunk..chunk, chunk - 3..2 * chunk + 5, end - 1..end, end..end, 5..17]
    {
        let (from, to) = (range.start as usize, range.end as usize);
        assert!(reader.read_range(range.clone()).unwrap() == plain[from..to], "{range:?}");
    }
    assert!(matches!(reader.read_range(0..end + 1), Err(SealError::OutOfRange)));
    assert!(matches!(reader.read_range(u64::MAX - 1..u64::MAX), Err(SealError::OutOfRange)));
    #[expect(clippy::reversed_empty_ranges, reason = "the refusal of such a range is the test")]
    let reversed = 7..3;
    assert!(matches!(reader.read_range(reversed), Err(SealError::OutOfRange)));
}

#[test]
fn every_altered_bit_and_every_cut_of_a_small_file_is_found() {
    let sealer = sealer();
    let file = sealed(&sealer, b"i", b"stored values");
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut bad = file.clone();
            bad[at] ^= 1 << bit;
            assert!(read(&sealer, b"i", &bad).is_err(), "byte {at} bit {bit}");
        }
        assert!(read(&sealer, b"i", &file[..at]).is_err(), "cut at {at}");
    }
    let mut longer = file.clone();
    longer.push(0);
    assert!(read(&sealer, b"i", &longer).is_err());
}

#[test]
fn missing_moved_doubled_and_appended_chunks_are_found() {
    let sealer = sealer();
    let file = sealed(&sealer, b"i", &pattern(3 * CHUNK_BYTES));
    let chunk = |i: usize| &file[HEADER_BYTES + i * STEP..HEADER_BYTES + (i + 1) * STEP];
    let build = |order: &[usize]| {
        let mut out = file[..HEADER_BYTES].to_vec();
        for &i in order {
            out.extend_from_slice(chunk(i));
        }
        out
    };
    assert!(read(&sealer, b"i", &build(&[0, 1, 2])).is_ok());
    for order in
        [&[][..], &[0], &[0, 1], &[1, 2], &[0, 2], &[1, 0, 2], &[0, 0, 2], &[0, 1, 2, 2], &[0, 1, 1, 2], &[2, 1, 0]]
    {
        assert!(read(&sealer, b"i", &build(order)).is_err(), "{order:?}");
    }
    // A cut at a chunk border is refused when the file is opened, before any byte is used.
    assert!(matches!(sealer.open_file(b"i", Cursor::new(build(&[0, 1]))), Err(SealError::Tampered)));
}

#[test]
fn equal_chunks_look_different() {
    // A repeated nonce under one key would show here, and would break the cipher.
    let sealer = sealer();
    let file = sealed(&sealer, b"i", &vec![0; 3 * CHUNK_BYTES]);
    let chunk = |i: usize| &file[HEADER_BYTES + i * STEP..HEADER_BYTES + i * STEP + 64];
    assert!(chunk(0) != chunk(1) && chunk(1) != chunk(2) && chunk(0) != chunk(2));
    assert!(sealed(&sealer, b"i", &[0; 64])[HEADER_BYTES..] != sealed(&sealer, b"i", &[0; 64])[HEADER_BYTES..]);
}

#[test]
fn files_cannot_take_each_others_place() {
    let sealer = sealer();
    let one = sealed(&sealer, b"instance/1", &pattern(CHUNK_BYTES + 5));
    let two = sealed(&sealer, b"instance/2", &pattern(CHUNK_BYTES + 5));
    assert!(matches!(read(&sealer, b"instance/2", &one), Err(SealError::Tampered)));
    let mut mixed = one.clone();
    mixed[HEADER_BYTES..HEADER_BYTES + STEP].copy_from_slice(&two[HEADER_BYTES..HEADER_BYTES + STEP]);
    assert!(read(&sealer, b"instance/1", &mixed).is_err());
    let mut head = two[..HEADER_BYTES].to_vec();
    head.extend_from_slice(&one[HEADER_BYTES..]);
    assert!(read(&sealer, b"instance/2", &head).is_err());
    assert!(read(&Sealer::new(MasterKey::generate().unwrap()), b"instance/1", &one).is_err());
}

#[test]
fn an_unfinished_file_does_not_open() {
    let sealer = sealer();
    let mut file = Vec::new();
    let mut writer = sealer.seal_file(b"i", &mut file).unwrap();
    writer.write_all(&pattern(CHUNK_BYTES * 2 + 9)).unwrap();
    drop(writer);
    assert!(file.len() > CHUNK_BYTES);
    assert!(matches!(read(&sealer, b"i", &file), Err(SealError::Tampered)));
}

/// Takes `room` bytes, then says that the disk is full.
struct FullDisk {
    room: usize,
}

impl Write for FullDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = bytes.len().min(self.room);
        self.room -= taken;
        Ok(taken)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_reported_and_stays_reported() {
    let sealer = sealer();
    assert!(matches!(sealer.seal_file(b"i", FullDisk { room: 50 }), Err(SealError::Io(_))));
    let mut writer = sealer.seal_file(b"i", FullDisk { room: HEADER_BYTES + 1000 }).unwrap();
    assert_eq!(writer.write_all(&pattern(CHUNK_BYTES + 1)).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert!(writer.finish().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_pieces_written_any_range_read(
        pieces in proptest::collection::vec(1usize..300_000, 0..6),
        start in 0.0f64..1.0,
        share in 0.0f64..1.0,
    ) {
        let sealer = sealer();
        let plain = pattern(pieces.iter().sum());
        let mut writer = sealer.seal_file(b"p", Vec::new()).unwrap();
        let mut rest = plain.as_slice();
        for piece in pieces {
            let (now, later) = rest.split_at(piece);
            writer.write_all(now).unwrap();
            rest = later;
        }
        let file = writer.finish().unwrap();
        let from = (plain.len() as f64 * start) as usize;
        let to = from + ((plain.len() - from) as f64 * share) as usize;
        let mut reader = sealer.open_file(b"p", Cursor::new(file)).unwrap();
        prop_assert!(reader.read_range(from as u64..to as u64).unwrap() == plain[from..to]);
    }

    #[test]
    fn arbitrary_files_never_open(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), with_magic: bool) {
        if with_magic && bytes.len() > 5 {
            bytes[..4].copy_from_slice(&MAGIC);
            bytes[4] = VERSION;
        }
        prop_assert!(read(&sealer(), b"c", &bytes).is_err());
    }
}
