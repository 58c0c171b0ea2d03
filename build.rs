//! Compiles the shim of the optional feature `openjph` and finds the system's library; does nothing else.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "openjph")]
    openjph();
}

#[cfg(feature = "openjph")]
fn openjph() {
    const SHIM: &str = "src/dicom/codec/openjph.cpp";
    println!("cargo:rerun-if-changed={SHIM}");
    let library = match pkg_config::Config::new().probe("openjph") {
        Ok(library) => library,
        Err(error) => panic!("the feature `openjph` needs OpenJPH (Debian: libopenjph-dev): {error}"),
    };
    cc::Build::new().cpp(true).std("c++14").includes(&library.include_paths).file(SHIM).compile("dokuei_openjph");
    // Debian 12's description of the library is there, but empty.
    if library.libs.is_empty() {
        println!("cargo:rustc-link-lib=openjph");
    }
}
