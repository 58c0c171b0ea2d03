//! `dokuei`: the reading workstation.

fn main() {}
