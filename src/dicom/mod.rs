//! DICOM: bytes ⇄ our types.
//!
//! Owns opening of objects ([`Header`], [`Object`]), text in every character set, the projection onto
//! `study` types, DICOM JSON, the decoding of frames, and what we write. It opens files only in
//! [`Header::read`] and [`open_tree`]; it never touches the network and keeps nothing.

mod archive;
mod charset;
mod charset_guess;
mod charset_iso2022;
mod codec;
mod codestream;
mod colour;
mod csa;
mod dataset;
mod decode;
mod diffusion;
mod exact;
#[cfg(test)]
mod fault_tests;
mod fragments;
mod frame_traits;
mod functional;
mod graphics;
#[cfg(test)]
mod grey_tests;
mod icc;
mod image;
mod inflate;
mod jpeg2000;
mod json;
mod json_write;
mod laterality;
mod local;
mod local_file;
mod luts;
mod mammogram;
mod meaning;
mod media;
#[cfg(test)]
mod media_tests;
mod metadata;
mod notes;
mod objects;
mod parse;
mod read;
mod real_world;
mod reconcile;
mod rle;
mod samples;
mod sop_class;
mod stored;
#[cfg(test)]
mod test_object;
#[cfg(test)]
mod tests;
mod validate;
mod view_code;
pub mod write;
#[cfg(test)]
mod write_tests;

pub use dataset::View;
pub use decode::{DecodeError, MAX_FRAME_SAMPLES, MAX_NATIVE_FRAME_SAMPLES, Object};
pub use exact::Exact;
pub use functional::voi_choices;
pub use json::{JsonError, for_each_instance, header_from_json, project_json};
pub use json_write::{INLINE_BYTES, bulk_value, to_dicom_json};
pub use local::{Checked, Found, LocalTree, check_file, open_tree};
pub use local_file::LocalFile;
pub use metadata::{MetadataError, Tree, project};
pub use notes::{TextNote, keyword, text_notes};
pub use objects::{ObjectError, encapsulated, read_object};
pub use read::{Header, MAX_INFLATED_BYTES, MAX_OBJECT_BYTES, ReadError};
pub use stored::{StoredError, StoredFrames};
pub use validate::{Finding, Severity, findings};
