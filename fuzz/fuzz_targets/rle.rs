#![no_main]

#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(init: targets::spare_caught_panics(), |data: &[u8]| targets::rle(data));
