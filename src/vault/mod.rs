//! Secrets and proof: everything in Dokuei that holds a key.
//!
//! Owns the secret stores (OS keyring, passphrase file, memory), sealing of patient data on disk, signing keys, the center's
//! small certificate authority, detached CMS signatures and their verification, passwords, TOTP, TLS set-up, files of
//! the owner alone and wiping.
//! It never reads the clock (every time is an argument), never talks to the network, and never logs or prints a secret.

pub mod atomic;
pub mod ca;
pub mod digest;
pub mod faults;
pub mod keys;
pub mod password;
pub mod private;
pub mod protected;
pub mod random;
pub mod seal;
pub mod secrets;
pub mod signature;
pub mod tls;
pub mod totp;
pub mod wipe;

#[cfg(test)]
mod testing;
