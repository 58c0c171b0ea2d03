//! Names of rows: keyed digests (HMAC-SHA-256, RFC 2104) of UIDs and ids, so that the database tells nobody
//! which studies or assignments lie here, and still finds them.

use super::db::Db;
use super::{StoreError, context};
use crate::vault::digest::Hasher;
use crate::vault::random;
use crate::vault::seal::Sealer;

const BLOCK: usize = 64;

/// The key of the row names; random, sealed in the database.
pub struct IndexKey([u8; 32]);

impl IndexKey {
    pub fn load_or_create(db: &mut Db, sealer: &Sealer) -> Result<Self, StoreError> {
        let at = context("meta", b"index-key");
        if let Some(sealed) =
            db.optional("SELECT value FROM meta WHERE name = 'index-key'", [], |r| r.get::<_, Vec<u8>>(0))?
        {
            let plain = sealer.open(&at, &sealed)?;
            let key = plain.as_slice().try_into().map_err(|_| StoreError::Damaged("index key"))?;
            return Ok(Self(key));
        }
        let key = random::bytes::<32>()?;
        let sealed = sealer.seal(&at, &key)?;
        db.transaction(|tx| {
            tx.run("meta.put", "INSERT INTO meta (name, value) VALUES ('index-key', ?1)", [sealed])?;
            Ok(())
        })?;
        Ok(Self(key))
    }

    /// The row name of `parts` in `table`.
    pub fn row(&self, table: &str, parts: &[&str]) -> Vec<u8> {
        let pad = |with: u8| {
            let mut block = [with; BLOCK];
            for (b, k) in block.iter_mut().zip(self.0) {
                *b ^= k;
            }
            block
        };
        let mut inner = Hasher::new();
        inner.update(&pad(0x36));
        inner.update(table.as_bytes());
        for part in parts {
            inner.update(&(part.len() as u64).to_be_bytes());
            inner.update(part.as_bytes());
        }
        let mut outer = Hasher::new();
        outer.update(&pad(0x5c));
        outer.update(&inner.finish());
        outer.finish().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_depend_on_key_table_and_every_part() {
        let (a, b) = (IndexKey([1; 32]), IndexKey([2; 32]));
        assert_eq!(a.row("t", &["1.2", "3"]), a.row("t", &["1.2", "3"]));
        for other in
            [a.row("u", &["1.2", "3"]), a.row("t", &["1.23", ""]), a.row("t", &["1.2"]), b.row("t", &["1.2", "3"])]
        {
            assert_ne!(other, a.row("t", &["1.2", "3"]));
        }
    }
}
