//! Where bytes are, and where a study comes from.

use crate::dicom::LocalFile;

/// Where an instance's bytes are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::engine) enum Place {
    /// A sealed file of the store.
    Sealed(String),
    /// A file of the reader's own (opened without a center).
    Path(LocalFile),
}

/// Where a study comes from. One study is never put together from two sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Origin {
    /// Named by the center.
    Center,
    /// Files of the reader's own. They give way to what the center names.
    Local,
}
