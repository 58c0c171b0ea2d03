//! `dokuei-center`: the reference reading center.

fn main() {}
