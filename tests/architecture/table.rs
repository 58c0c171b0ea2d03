//! The wall as data: who may import whom, and who owns which outside crate.
//!
//! The table of `docs/architecture.md` and this one change in one commit.

/// One module of `src/`, in import order.
pub struct Module {
    /// Its name: `src/NAME.rs` or `src/NAME/`.
    pub name: &'static str,
    /// Modules above it that it may name; `a::b` means only the part `b` of `a`.
    pub may_import: &'static [&'static str],
}

/// Sixteen modules; each may import only modules above it, and of those only the ones named.
pub const MODULES: &[Module] = &[
    Module { name: "study", may_import: &[] },
    Module { name: "imaging", may_import: &["study"] },
    Module { name: "worklist", may_import: &["study"] },
    Module { name: "viewport", may_import: &["study", "imaging"] },
    Module { name: "vault", may_import: &[] },
    Module { name: "report", may_import: &["study", "worklist", "viewport", "vault::digest"] },
    Module { name: "dicom", may_import: &["study", "imaging", "viewport", "report"] },
    Module { name: "render", may_import: &["study", "imaging", "viewport"] },
    Module { name: "phantom", may_import: &["study", "imaging", "dicom::write"] },
    Module { name: "store", may_import: &["study", "worklist", "report", "vault"] },
    Module { name: "center", may_import: &["study", "worklist", "report", "vault"] },
    Module {
        name: "engine",
        may_import: &["study", "imaging", "worklist", "viewport", "report", "vault", "dicom", "store", "center"],
    },
    Module { name: "app", may_import: &["study", "imaging", "worklist", "viewport", "report", "engine::message"] },
    Module {
        name: "ui",
        may_import: &["study", "imaging", "worklist", "viewport", "report", "render", "engine::message", "app"],
    },
    Module {
        name: "server",
        may_import: &["study", "imaging", "worklist", "report", "vault", "dicom", "phantom", "center::contract"],
    },
    Module {
        name: "cli",
        may_import: &[
            "study", "imaging", "worklist", "viewport", "report", "vault", "dicom", "render", "phantom", "store",
            "center", "engine", "app", "ui", "server",
        ],
    },
];

/// The two programs: `src/main.rs` and `src/bin/*.rs`. They may name every module.
pub const PROGRAMS: &str = "main";

/// Outside crates that every module may name.
pub const FREE: &[&str] = &["base64", "bytemuck", "glam", "jiff", "serde", "serde_json", "thiserror", "tracing"];

/// Outside crates that tests inside every module may name.
pub const FREE_IN_TESTS: &[&str] = &["proptest", "tempfile"];

/// Every other outside crate of `Cargo.toml` with the modules that may name it.
pub const OWNERS: &[(&str, &[&str])] = &[
    ("anyhow", &[PROGRAMS]),
    ("argon2", &["vault"]),
    ("axum", &["server"]),
    ("axum_server", &["server"]),
    ("bytes", &["center", "engine", "server"]),
    // Compilers and libraries are looked for by build.rs.
    ("cc", &[]),
    ("charls", &["dicom"]),
    ("charls_sys", &["dicom"]),
    ("clap", &["cli", PROGRAMS]),
    ("cms", &["vault"]),
    ("const_oid", &["vault"]),
    // Benchmarks lie in benches/, outside the modules.
    ("criterion", &[]),
    ("der", &["vault"]),
    ("dicom_core", &["dicom"]),
    ("dicom_dictionary_std", &["dicom"]),
    ("dicom_encoding", &["dicom"]),
    ("dicom_json", &["dicom"]),
    ("dicom_object", &["dicom"]),
    ("dicom_parser", &["dicom"]),
    ("dicom_pixeldata", &["dicom"]),
    ("dicom_transfer_syntax_registry", &["dicom"]),
    ("directories", &["cli", PROGRAMS]),
    ("eframe", &["ui", PROGRAMS]),
    ("egui", &["ui"]),
    ("egui_kittest", &["ui"]),
    ("egui_wgpu", &["ui"]),
    ("encoding_rs", &["dicom"]),
    ("flate2", &["dicom"]),
    ("futures_util", &["center", "engine", "server"]),
    ("image", &["imaging"]),
    ("jsonschema", &["center", "server"]),
    ("jxl_oxide", &["dicom"]),
    ("keyring", &["vault"]),
    ("libdeflater", &["dicom"]),
    ("minijinja", &["report"]),
    ("moxcms", &["dicom"]),
    ("naga", &["render"]),
    ("openjpeg_sys", &["dicom"]),
    ("p256", &["vault"]),
    ("pkg_config", &[]),
    ("pollster", &["render"]),
    ("qrcode", &["cli"]),
    ("rand_chacha", &["imaging", "phantom"]),
    ("rcgen", &["vault", "center", "server"]),
    ("reqwest", &["center"]),
    ("rfd", &["ui"]),
    ("ring", &["vault"]),
    ("rpassword", &["cli"]),
    ("rusqlite", &["store", "server"]),
    // Whose account runs the center (unix).
    ("rustix", &["server"]),
    ("rustls", &["vault", "center", "server", PROGRAMS]),
    ("serde_saphyr", &[]),
    ("serde_json_canonicalizer", &["report"]),
    // dicom derives UIDs of written objects from their content.
    ("sha2", &["vault", "dicom"]),
    ("spki", &["vault"]),
    ("tokio", &["center", "engine", "server", "cli", PROGRAMS]),
    ("tokio_stream", &["center", "engine", "server"]),
    ("toml", &["viewport", "report", "ui"]),
    ("totp_rs", &["vault"]),
    ("tracing_subscriber", &["cli", PROGRAMS]),
    ("turbojpeg_sys", &["dicom"]),
    ("unicode_normalization", &["study", "report"]),
    ("url", &["center", "engine", "server"]),
    ("uuid", &["center", "engine", "server"]),
    ("walkdir", &["dicom", "engine", "server", "cli"]),
    ("wgpu", &["render"]),
    ("x11rb", &["ui"]),
    ("x509_cert", &["vault"]),
    // The screen reader of tests/support.
    ("zbus", &[]),
    // Passwords pass through these on their way to the vault or the center.
    ("zeroize", &["vault", "store", "center", "engine", "app", "ui", "server", "cli"]),
    ("zip", &["dicom"]),
];

/// Modules in which code may be `async`.
pub const ASYNC: &[&str] = &["center", "engine", "server", "cli", PROGRAMS];

/// The shader without an entry point, prepended to every drawing shader.
pub const PRELUDE: &str = "voi.wgsl";

/// Lines of a Rust file.
pub const RUST_LINES: usize = 500;
/// Lines of a Rust file that has a reason in [`LONG_FILES`].
pub const RUST_LINES_AT_MOST: usize = 700;
/// Lines of a shader.
pub const SHADER_LINES: usize = 250;

/// Files that may hold `unsafe`: one for each C library, with the proof of every call.
pub const UNSAFE_FILES: &[&str] = &[
    "src/dicom/codec/charls.rs",
    "src/dicom/codec/openjpeg.rs",
    "src/dicom/codec/openjph.rs",
    "src/dicom/codec/turbojpeg.rs",
];

/// Rust files that may be longer than [`RUST_LINES`], each with its reason.
pub const LONG_FILES: &[(&str, &str)] = &[];
