//! The way to a reading center: what both sides say ([`contract`]) and, on the workstation, how it is asked.
//!
//! Hands bytes and wire types up; it never parses DICOM, never decides what to fetch and never touches the disk.

pub mod contract;
