//! The rules: each takes sources and gives what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::scan::{Named, Scan, scan};
use super::table::{
    ASYNC, FREE, FREE_IN_TESTS, LONG_FILES, MODULES, OWNERS, PRELUDE, PROGRAMS, RUST_LINES, RUST_LINES_AT_MOST,
    SHADER_LINES,
};

/// A file by its path below the package folder, with `/`.
#[derive(Debug, Clone)]
pub struct Source {
    pub path: String,
    pub text: String,
}

/// Something that the wall does not let through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    pub path: String,
    pub line: usize,
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

fn violation(source: &Source, line: usize, what: String) -> Violation {
    Violation { path: source.path.clone(), line, what }
}

fn ending(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, ending)| ending)
}

/// The inner modules of a file under `src/`: `src/ui/theme.rs` → `["ui", "theme"]`.
fn module_path(path: &str) -> Option<Vec<String>> {
    let inner = path.strip_prefix("src/")?.strip_suffix(".rs")?;
    if inner == "lib" {
        return Some(Vec::new());
    }
    if inner == "main" || inner.starts_with("bin/") {
        return Some(vec![PROGRAMS.to_owned()]);
    }
    let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    Some(parts)
}

/// A path written anywhere in a file, as seen from the crate's root; `None` for an outside or local one.
fn from_root(file: &[String], named: &Named) -> Option<Vec<String>> {
    let first = named.path.first()?;
    let program = file.first().is_some_and(|top| top == PROGRAMS);
    if named.outside {
        return None;
    }
    match first.as_str() {
        "dokuei" => Some(named.path[1..].to_vec()),
        "crate" if !program => Some(named.path[1..].to_vec()),
        "self" | "super" if !program => {
            let mut at: Vec<String> = file.iter().chain(&named.within).cloned().collect();
            let mut rest = named.path.as_slice();
            if first == "self" {
                rest = &rest[1..];
            }
            while rest.first().is_some_and(|word| word == "super") {
                at.pop();
                rest = &rest[1..];
            }
            at.extend_from_slice(rest);
            Some(at)
        }
        _ => None,
    }
}

/// Imports between modules that are not in the table, and the cycles that the imports make.
pub fn imports(sources: &[Source]) -> Vec<Violation> {
    let mut out = Vec::new();
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources {
        let Some(file) = module_path(&source.path) else {
            continue;
        };
        let Some(own) = file.first() else { continue };
        if own == PROGRAMS {
            continue;
        }
        let Some(place) = MODULES.iter().position(|module| module.name == own) else {
            out.push(violation(source, 1, format!("module `{own}` is not in the table of modules")));
            continue;
        };
        for named in scan(&source.text).paths {
            let Some(path) = from_root(&file, &named) else {
                continue;
            };
            let Some(target) = path.first().filter(|target| *target != own) else {
                continue;
            };
            let Some(above) = MODULES.iter().position(|module| module.name == target) else {
                out.push(violation(source, named.line, format!("`{target}` is not in the table of modules")));
                continue;
            };
            edges.entry(own.clone()).or_default().insert(target.clone());
            let part = path.get(1).map_or("", String::as_str);
            let allowed = MODULES[place].may_import.iter().any(|entry| {
                entry.split_once("::").map_or(*entry == target, |(module, only)| module == target && only == part)
            });
            if !allowed {
                let why = if above > place { "stands below it" } else { "is not among its imports" };
                let path = path.join("::");
                out.push(violation(source, named.line, format!("`{own}` names `{path}`, but `{target}` {why}")));
            }
        }
    }
    if let Some(ring) = cycle(&edges) {
        out.push(Violation {
            path: "src".to_owned(),
            line: 0,
            what: format!("modules import each other in a ring: {}", ring.join(" → ")),
        });
    }
    out
}

/// The first ring found in a graph of modules, its first member repeated at its end.
pub fn cycle(edges: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn walk<'a>(
        edges: &'a BTreeMap<String, BTreeSet<String>>,
        at: &'a str,
        trail: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<Vec<String>> {
        if let Some(start) = trail.iter().position(|name| *name == at) {
            let ring = trail[start..].iter().copied().chain([at]);
            return Some(ring.map(str::to_owned).collect());
        }
        if done.contains(at) {
            return None;
        }
        trail.push(at);
        for next in edges.get(at).into_iter().flatten() {
            if let Some(ring) = walk(edges, next, trail, done) {
                return Some(ring);
            }
        }
        trail.pop();
        done.insert(at);
        None
    }
    let mut done = BTreeSet::new();
    edges.keys().find_map(|start| walk(edges, start, &mut Vec::new(), &mut done))
}

/// Outside crates named by a module that does not own them. `crates` are all dependencies of the
/// manifest, with `_` for `-`.
pub fn outside(sources: &[Source], crates: &BTreeSet<String>) -> Vec<Violation> {
    let mut out = Vec::new();
    for source in sources {
        let Some(file) = module_path(&source.path) else {
            continue;
        };
        let own = file.first().map_or("lib", String::as_str);
        let scan = scan(&source.text);
        for named in &scan.paths {
            let Some(first) = named.path.first() else {
                continue;
            };
            let shadowed = scan.local.contains(first) && !named.outside;
            if shadowed || !crates.contains(first) || FREE.contains(&first.as_str()) {
                continue;
            }
            if FREE_IN_TESTS.contains(&first.as_str()) {
                if is_test(&file, named) {
                    continue;
                }
                out.push(violation(source, named.line, format!("`{first}` is for tests only")));
                continue;
            }
            let owners = OWNERS.iter().find(|(name, _)| name == first).map_or(&[][..], |(_, owners)| *owners);
            if !owners.contains(&own) {
                out.push(violation(
                    source,
                    named.line,
                    format!("`{own}` names the crate `{first}`, which belongs to {}", owners.join(", ")),
                ));
            }
        }
    }
    out
}

/// Modules that are compiled for tests only, by the names they have here; so are those that end in `_tests`.
const TEST_MODULES: &[&str] = &["tests", "testing", "fixtures"];

fn is_test(file: &[String], named: &Named) -> bool {
    file.iter().chain(&named.within).any(|module| TEST_MODULES.contains(&module.as_str()) || module.ends_with("_tests"))
}

/// Crates without an owner, and owners of crates that the manifest does not have.
pub fn owners(crates: &BTreeSet<String>) -> Vec<String> {
    let known: BTreeSet<&str> =
        FREE.iter().chain(FREE_IN_TESTS).copied().chain(OWNERS.iter().map(|(name, _)| *name)).collect();
    let unowned = crates
        .iter()
        .filter(|name| !known.contains(name.as_str()))
        .map(|name| format!("the crate `{name}` of Cargo.toml has no owner in the table"));
    let stale = known
        .iter()
        .filter(|name| !crates.contains(**name))
        .map(|name| format!("the table names the crate `{name}`, which Cargo.toml does not have"));
    let strangers = OWNERS.iter().flat_map(|(name, owners)| {
        owners
            .iter()
            .filter(|owner| **owner != PROGRAMS && !MODULES.iter().any(|m| m.name == **owner))
            .map(move |owner| format!("`{owner}`, an owner of `{name}`, is no module"))
    });
    unowned.chain(stale).chain(strangers).collect()
}

/// Rows of the module table that do not look upwards.
pub fn order() -> Vec<String> {
    let mut out = Vec::new();
    for (place, module) in MODULES.iter().enumerate() {
        for entry in module.may_import {
            let target = entry.split("::").next().unwrap_or(entry);
            match MODULES.iter().position(|other| other.name == target) {
                Some(above) if above < place => {}
                Some(_) => out.push(format!("the table lets `{}` import `{entry}` below it", module.name)),
                None => out.push(format!("the table lets `{}` import `{entry}`, which is no module", module.name)),
            }
        }
    }
    out
}

/// Shaders without their Rust twin, Rust files of `render` with a shader not theirs, shader code in Rust.
pub fn shaders(sources: &[Source]) -> Vec<Violation> {
    let mut out = Vec::new();
    let stem = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.split('.').next().unwrap_or(name).to_owned()
    };
    for shader in sources.iter().filter(|s| ending(&s.path) == "wgsl") {
        let twin = format!("src/render/{}.rs", stem(&shader.path));
        let Some(rust) = sources.iter().find(|source| source.path == twin) else {
            out.push(violation(shader, 1, format!("has no twin `{twin}`")));
            continue;
        };
        let file = shader.path.rsplit('/').next().unwrap_or(&shader.path);
        if !wgsl_files(&scan(&rust.text)).any(|(_, named)| named == file) {
            out.push(violation(rust, 1, format!("does not include `{file}`")));
        }
        let lines = shader.text.lines().count();
        if lines > SHADER_LINES {
            out.push(violation(shader, lines, format!("a shader has at most {SHADER_LINES} lines")));
        }
    }
    for rust in sources.iter().filter(|s| s.path.starts_with("src/")) {
        let scanned = scan(&rust.text);
        for (line, file) in wgsl_files(&scanned) {
            let shader = format!("shaders/{file}");
            if !sources.iter().any(|source| source.path == shader) {
                out.push(violation(rust, line, format!("`{shader}` does not exist")));
            } else if file != PRELUDE && rust.path != format!("src/render/{}.rs", stem(file)) {
                out.push(violation(rust, line, format!("`{file}` belongs to `src/render/{}.rs`", stem(file))));
            }
        }
        for (line, text) in &scanned.strings {
            if ["@vertex", "@fragment", "@compute"].iter().any(|entry| text.contains(entry)) {
                out.push(violation(rust, *line, "shader code lies in shaders/, not in Rust".to_owned()));
            }
        }
    }
    out
}

/// Names of shader files in the string literals of a Rust file.
fn wgsl_files(scan: &Scan) -> impl Iterator<Item = (usize, &str)> {
    scan.strings
        .iter()
        .filter(|(_, text)| ending(text) == "wgsl" && !text.contains(char::is_whitespace))
        .map(|(line, text)| (*line, text.rsplit('/').next().unwrap_or(text)))
}

/// Rust files that are too long, or that do not say what they are for.
pub fn files(sources: &[Source]) -> Vec<Violation> {
    let mut out = Vec::new();
    for source in sources.iter().filter(|s| ending(&s.path) == "rs") {
        let lines = source.text.lines().count();
        let excused = LONG_FILES.iter().any(|(path, _)| *path == source.path);
        let limit = if excused { RUST_LINES_AT_MOST } else { RUST_LINES };
        if lines > limit {
            out.push(violation(
                source,
                lines,
                format!("{lines} lines; {limit} is the limit: would two names describe it better?"),
            ));
        }
        if excused && lines <= RUST_LINES {
            out.push(violation(source, lines, "needs no place in the list of long files any more".to_owned()));
        }
        let documented = source
            .text
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with("#!"))
            .is_some_and(|line| line.starts_with("//!"));
        // `tests.rs` beside the code says it by its name.
        if !documented && !source.path.ends_with("/tests.rs") {
            out.push(violation(source, 1, "begins without a `//!` line that says what the file is for".to_owned()));
        }
    }
    for (path, _) in LONG_FILES {
        if !sources.iter().any(|source| source.path == *path) {
            out.push(Violation {
                path: (*path).to_owned(),
                line: 0,
                what: "is in the list of long files but does not exist".to_owned(),
            });
        }
    }
    out
}

/// `async` outside the modules that may have it.
pub fn asynchrony(sources: &[Source]) -> Vec<Violation> {
    let mut out = Vec::new();
    for source in sources {
        let Some(file) = module_path(&source.path) else {
            continue;
        };
        let own = file.first().map_or("lib", String::as_str);
        if ASYNC.contains(&own) {
            continue;
        }
        if let Some(line) = scan(&source.text).async_lines.first() {
            out.push(violation(source, *line, format!("`{own}` is no place for `async`")));
        }
    }
    out
}
