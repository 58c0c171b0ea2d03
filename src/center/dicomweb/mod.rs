//! DICOMweb as a client (PS3.18): which series there are, their metadata, and their instances, from whichever
//! archive the center names. Bytes come up as they lie there; `engine` has `dicom` parse them.

mod archive;
mod json_items;
mod media_type;
mod multipart;
mod query;
mod retrieve;

pub use archive::{ArchiveAccess, ArchiveClient, ArchiveCredentials};
pub use json_items::JsonItems;
pub use multipart::{Multipart, MultipartError};
pub use query::SeriesListed;
pub use retrieve::{InstanceStream, MetadataStream};
