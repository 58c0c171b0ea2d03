//! Every kept input of the fuzz targets (fuzz/corpus), as it is, cut, and with single bytes changed: none may panic. What the
//! fuzzer finds is kept there and so stays a test.

#[path = "../fuzz/targets.rs"]
mod targets;

use std::path::Path;

fn replay(name: &str, target: fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.sort();
    for path in &files {
        let data = std::fs::read(path).expect("readable");
        target(&data);
        let step = (data.len() / 24).max(1);
        for at in (0..data.len()).step_by(step) {
            target(&data[..at]);
            let mut changed = data.clone();
            for value in [0, 0x7F, 0xFF, data[at] ^ 0x80, data[at].wrapping_add(1)] {
                changed[at] = value;
                target(&changed);
            }
        }
    }
    files.len()
}

#[test]
fn no_kept_input_and_no_neighbour_of_it_panics() {
    for (name, target) in targets::ALL {
        assert!(replay(name, target) > 0, "the corpus of {name} is empty");
    }
}
