//! The rules tried on small sources that break them: a wall that cannot fail holds nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::{self, Source, Violation};
use super::scan::scan;
use super::table::{PRELUDE, RUST_LINES, SHADER_LINES};

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

fn crates(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[track_caller]
fn found(violations: &[Violation], path: &str, line: usize, words: &str) {
    assert!(
        violations.iter().any(|v| v.path == path && v.line == line && v.what.contains(words)),
        "nothing about «{words}» at {path}:{line} in {violations:#?}"
    );
}

fn imports(path: &str, text: &str) -> Vec<Violation> {
    rules::imports(&[source(path, text)])
}

fn paths(text: &str) -> Vec<String> {
    scan(text).paths.iter().map(|named| named.path.join("::")).collect()
}

#[test]
fn allowed_imports_pass() {
    let text = "//! x\nuse crate::study::{Study, tree::Series};\nuse crate::imaging;\nuse std::fs;\n";
    assert_eq!(imports("src/viewport/state.rs", text), []);
    assert_eq!(imports("src/app/state.rs", "use crate::engine::message::Command;"), []);
    assert_eq!(imports("src/main.rs", "use dokuei::{app, ui};"), []);
}

#[test]
fn an_import_from_below_is_seen_in_every_spelling() {
    let path = "src/study/tree.rs";
    let below = "stands below it";
    found(&imports(path, "\nuse crate::dicom::read;"), path, 2, below);
    found(&imports(path, "use crate::{study::uid, ui::theme};"), path, 1, below);
    found(&imports(path, "fn f() { crate::store::open() }"), path, 1, below);
    found(&imports(path, "fn f() { 0..crate::app::LAST }"), path, 1, below);
    found(&imports(path, "use super::super::app::App;"), path, 1, below);
    found(&imports(path, "mod a { use super::super::super::ui; }"), path, 1, below);
    found(&imports(path, "use {std::fs, crate::ui as screen};"), path, 1, below);
    found(&imports(path, "fn f() -> impl Sized + use<'static> {}\nuse crate::ui::x;"), path, 2, below);
    found(&imports("src/study/mod.rs", "use super::vault;"), "src/study/mod.rs", 1, below);
}

#[test]
fn an_import_from_above_must_be_in_the_table() {
    let path = "src/worklist/lease.rs";
    found(&imports(path, "use crate::imaging::Frame;"), path, 1, "is not among its imports");
}

#[test]
fn a_part_of_a_module_is_not_the_whole_module() {
    for text in ["use crate::engine::run;", "use crate::engine;", "use crate::engine::*;"] {
        found(&imports("src/app/update.rs", text), "src/app/update.rs", 1, "names `engine");
    }
    let text = "use crate::engine::{message::Event, cache::Cache};";
    let violations = imports("src/app/update.rs", text);
    assert_eq!(violations.len(), 1, "{violations:#?}");
    found(&violations, "src/app/update.rs", 1, "engine::cache::Cache");
}

#[test]
fn inner_paths_stay_inside() {
    let text = "use super::uid::Uid;\nuse self::inner::X;\nmod tests { use super::*; fn f() { super::g() } }";
    assert_eq!(imports("src/study/tree.rs", text), []);
}

#[test]
fn a_module_outside_the_table_is_seen() {
    found(&imports("src/common/mod.rs", "//! x"), "src/common/mod.rs", 1, "not in the table");
    found(&imports("src/cli/info.rs", "use crate::helpers;"), "src/cli/info.rs", 1, "not in the table");
}

#[test]
fn a_ring_of_modules_is_seen() {
    let violations = rules::imports(&[
        source("src/study/a.rs", "use crate::imaging::x;"),
        source("src/imaging/b.rs", "use crate::study::y;"),
    ]);
    found(&violations, "src", 0, "imaging → study → imaging");

    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in [("a", "b"), ("a", "c"), ("b", "c")] {
        edges.entry(from.to_owned()).or_default().insert(to.to_owned());
    }
    assert_eq!(rules::cycle(&edges), None);
}

#[test]
fn a_crate_is_named_by_its_owner_only() {
    let all = crates(&["dicom_core", "wgpu", "serde", "tempfile", "image"]);
    let outside = |path: &str, text: &str| rules::outside(&[source(path, text)], &all);
    let path = "src/store/instances.rs";
    found(&outside(path, "use dicom_core::Tag;"), path, 1, "belongs to dicom");
    found(&outside(path, "fn f(t: dicom_core::Tag) {}"), path, 1, "dicom_core");
    found(&outside(path, "use ::wgpu;"), path, 1, "wgpu");
    found(&outside(path, "use wgpu as gpu;"), path, 1, "wgpu");
    found(&outside(path, "fn f() {}\nuse {std::fs, wgpu::Device};"), path, 2, "wgpu");
    found(&outside(path, "#[wgpu::test]\nfn f() {}"), path, 1, "wgpu");
    found(&outside(path, "use tempfile::TempDir;"), path, 1, "tests only");
    assert_eq!(outside(path, "mod tests { use tempfile::TempDir; }"), []);
    assert_eq!(outside("src/dicom/read.rs", "use dicom_core::Tag;"), []);
    assert_eq!(outside(path, "use serde::Serialize;"), []);
    // A module or an import of the same name is not the crate.
    assert_eq!(outside(path, "mod image;\nuse self::image::X;\nfn f() { image::g() }"), []);
    assert_eq!(outside(path, "fn f(x: A) { x.image::<B>(); a::image::c() }"), []);
}

#[test]
fn crates_without_owner_and_owners_without_crate_are_seen() {
    let wrong = rules::owners(&crates(&["leftpad"]));
    assert!(wrong.iter().any(|w| w.contains("`leftpad` of Cargo.toml has no owner")));
    assert!(wrong.iter().any(|w| w.contains("`wgpu`, which Cargo.toml does not have")));
}

#[test]
fn comments_and_literals_name_nothing() {
    let text = r##"
        // crate::ui::a
        /* crate::ui::b /* nested */ crate::ui::c */
        /// crate::ui::d
        const A: &str = "crate::ui::e \" crate::ui::f";
        const B: &str = r#"crate::ui::g " crate::ui::h"#;
        const C: &[u8] = b"crate::ui::i";
        const D: char = '"';
        const E: char = '\'';
        fn f<'a>(x: &'a str) -> crate::seen::After<'a> { r#type::x() }
    "##;
    assert_eq!(paths(text), ["crate::seen::After", "type::x"]);
    assert_eq!(scan(text).strings.len(), 3);
}

#[test]
fn use_trees_are_unfolded() {
    let text = "pub(crate) use a::{self, b::{c as d, e::*}, ::f};\nuse g::h;";
    assert_eq!(paths(text), ["a", "a::b::c", "a::b::e", "a::f", "g::h"]);
    assert_eq!(scan(text).paths.last().map(|named| named.line), Some(2));
}

#[test]
fn async_is_seen_outside_its_modules() {
    let text = "//! x\n\nasync fn f() {}";
    let seen = rules::asynchrony(&[source("src/vault/keys.rs", text)]);
    found(&seen, "src/vault/keys.rs", 3, "no place for `async`");
    assert_eq!(rules::asynchrony(&[source("src/center/client.rs", text)]), []);
}

#[test]
fn shaders_and_their_twins_hold_together() {
    let shader = source("shaders/frame.wgsl", "@fragment fn main() {}");
    let prelude = source(&format!("shaders/{PRELUDE}"), "fn voi() {}");
    let twin = |file: &str| {
        let text = format!("const A: &str = include_str!(\"../../shaders/{file}\");");
        source("src/render/frame.rs", &text)
    };
    let voi = source("src/render/voi.rs", "include_str!(\"../../shaders/voi.wgsl\")");

    let good = [shader.clone(), prelude.clone(), twin("frame.wgsl"), voi.clone()];
    assert_eq!(rules::shaders(&good), []);

    let alone = rules::shaders(std::slice::from_ref(&shader));
    found(&alone, "shaders/frame.wgsl", 1, "has no twin");

    let stranger = rules::shaders(&[shader.clone(), twin("other.wgsl")]);
    found(&stranger, "src/render/frame.rs", 1, "does not include `frame.wgsl`");
    found(&stranger, "src/render/frame.rs", 1, "`shaders/other.wgsl` does not exist");

    let thief = source("src/ui/overlay.rs", "include_str!(\"../../shaders/frame.wgsl\")");
    let stolen = rules::shaders(&[shader, twin("frame.wgsl"), thief]);
    found(&stolen, "src/ui/overlay.rs", 1, "belongs to `src/render/frame.rs`");

    let inline = rules::shaders(&[source("src/render/gpu.rs", "const A: &str = \"@compute fn x() {}\";")]);
    found(&inline, "src/render/gpu.rs", 1, "shader code lies in shaders/");

    let long = source(&prelude.path, &"\n".repeat(SHADER_LINES + 1));
    found(&rules::shaders(&[long, voi]), "shaders/voi.wgsl", SHADER_LINES + 1, "at most");
}

#[test]
fn long_and_silent_files_are_seen() {
    let long = format!("//! x\n{}", "// y\n".repeat(RUST_LINES));
    let seen = rules::files(&[source("src/a.rs", &long), source("src/b.rs", "use std::fs;")]);
    found(&seen, "src/a.rs", RUST_LINES + 1, "is the limit");
    found(&seen, "src/b.rs", 1, "says what the file is for");
    let fine =
        rules::files(&[source("src/c.rs", "#![allow(x)]\n\n//! Reads.\n"), source("src/c/tests.rs", "use super::*;")]);
    assert!(!fine.iter().any(|v| v.path.starts_with("src/c")), "{fine:#?}");
}
