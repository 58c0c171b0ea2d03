//! The grid of viewports.

use serde::{Deserialize, Serialize};

/// A viewport's number within the reading window, row by row from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ViewId(pub u32);

/// Rows and columns of viewports, each 1 to 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    rows: u8,
    columns: u8,
}

impl Layout {
    /// A layout; numbers outside 1 to 6 are brought to the nearest.
    pub fn new(rows: u8, columns: u8) -> Self {
        Self { rows: rows.clamp(1, 6), columns: columns.clamp(1, 6) }
    }
    /// Rows.
    pub fn rows(self) -> u8 {
        self.rows
    }
    /// Columns.
    pub fn columns(self) -> u8 {
        self.columns
    }
    /// Viewports, row by row.
    pub fn views(self) -> impl Iterator<Item = ViewId> {
        (0..u32::from(self.rows) * u32::from(self.columns)).map(ViewId)
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self::new(1, 1)
    }
}
