//! The wall between the modules of one package: reads `src/` and `shaders/` and fails on what
//! `docs/architecture.md` does not allow. The rules are tried on sources that break them, too.

mod private;
mod rules;
mod scan;
mod table;
mod trials;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rules::{Source, Violation};

fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder` with one of the endings, sorted by path.
fn read(folder: &str, endings: &[&str]) -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for entry in entries {
            let path = entry.expect("a folder of the package can be listed").path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let root = package();
    let mut found = Vec::new();
    walk(&root.join(folder), &mut found);
    found.sort();
    found
        .into_iter()
        .filter(|path| {
            let ending = path.extension().and_then(|ending| ending.to_str());
            ending.is_some_and(|ending| endings.contains(&ending))
        })
        .map(|path| Source {
            text: fs::read_to_string(&path).expect("a source file is UTF-8 text"),
            path: path
                .strip_prefix(&root)
                .expect("it lies in the package")
                .components()
                .map(|part| part.as_os_str().to_string_lossy())
                .collect::<Vec<_>>()
                .join("/"),
        })
        .collect()
}

/// All dependencies of the manifest, as they are written in Rust.
fn crates() -> BTreeSet<String> {
    let manifest = fs::read_to_string(package().join("Cargo.toml")).expect("the manifest is text");
    let manifest: toml::Table = manifest.parse().expect("the manifest is TOML");
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .iter()
        .filter_map(|section| manifest.get(*section)?.as_table())
        .chain(
            manifest
                .get("target")
                .and_then(toml::Value::as_table)
                .into_iter()
                .flat_map(|targets| targets.values())
                .filter_map(|target| target.get("dependencies")?.as_table()),
        )
        .flat_map(|section| section.keys())
        .map(|name| name.replace('-', "_"))
        .collect()
}

fn sources() -> Vec<Source> {
    let sources = read("src", &["rs"]);
    assert!(sources.iter().any(|source| source.path == "src/lib.rs"), "src/ was not found");
    sources
}

#[track_caller]
fn none(mut violations: Vec<Violation>) {
    violations.sort();
    let list: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(list.is_empty(), "{} violation(s); see docs/architecture.md:\n{}", list.len(), list.join("\n"));
}

#[test]
fn the_table_looks_upwards_and_owns_every_crate() {
    let mut wrong = rules::order();
    wrong.extend(rules::owners(&crates()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn modules_import_only_what_the_table_allows() {
    none(rules::imports(&sources()));
}

#[test]
fn outside_crates_are_named_by_their_owners_only() {
    none(rules::outside(&sources(), &crates()));
}

#[test]
fn async_stays_where_the_network_is() {
    none(rules::asynchrony(&sources()));
}

#[test]
fn nothing_of_a_person_or_a_file_reaches_a_log() {
    none(private::debug(&sources()));
    none(private::logs(&sources()));
}

#[test]
fn every_shader_has_its_rust_twin() {
    let mut all = sources();
    all.extend(read("shaders", &["wgsl"]));
    none(rules::shaders(&all));
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut all = sources();
    all.extend(read("tests", &["rs"]));
    all.extend(read("benches", &["rs"]));
    none(rules::files(&all));
}

/// `unsafe_code` is denied in Cargo.toml; this keeps the list of exceptions.
#[test]
fn unsafe_code_stays_in_the_back_ends_of_the_codecs() {
    let allowing: Vec<String> =
        sources().into_iter().filter(|s| s.text.contains("allow(unsafe_code)")).map(|s| s.path).collect();
    assert_eq!(allowing, table::UNSAFE_FILES);
    for source in sources().iter().filter(|s| table::UNSAFE_FILES.contains(&s.path.as_str())) {
        let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
        for (number, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("unsafe {")) {
            let proof = lines[number.saturating_sub(6)..number].iter().any(|above| above.starts_with("// SAFETY: "));
            assert!(proof, "{}:{}: unsafe without its proof: {line}", source.path, number + 1);
        }
    }
}
