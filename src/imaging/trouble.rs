//! Trouble met while a frame was made, as data: the window says it in the reader's language, `Display` in English.

/// A table of the grey-scale chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Modality LUT (PS3.3 C.11.1).
    Modality,
    /// VOI LUT (C.11.2).
    Voi,
    /// Presentation LUT (C.11.4).
    Presentation,
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Modality => "modality",
            Self::Voi => "VOI",
            Self::Presentation => "presentation",
        })
    }
}

/// One thing that the reader of a frame should know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Pixels at the end are not there; they are filled with a value that is marked as padding.
    #[error("the pixel data are cut off: {missing} of {expected} pixels are missing")]
    Cut {
        /// Pixels that are not there.
        missing: usize,
        /// Pixels of the frame.
        expected: usize,
    },
    /// The decoder went on after an error in the compressed frame.
    #[error("{codec}: {message}")]
    Codestream {
        /// What the frame is coded as.
        codec: String,
        /// The decoder's own words.
        message: String,
    },
    /// The compressed frame breaks its standard in a way that no pixel depends on.
    #[error("{codec}: {message}")]
    CodestreamOdd {
        /// What the frame is coded as.
        codec: String,
        /// The decoder's own words.
        message: String,
    },
    /// A deflated frame is damaged; its beginning is shown.
    #[error("the deflated frame is damaged")]
    Inflate,
    /// The object has fewer frames than it says.
    #[error("{declared} frames are declared, {held} are there")]
    Frames {
        /// Number of Frames.
        declared: u32,
        /// Frames with data.
        held: usize,
    },
    /// The codestream is of another kind than the transfer syntax says.
    #[error("the transfer syntax says {declared}, the compressed frame is {found}")]
    Coding {
        /// By the transfer syntax.
        declared: String,
        /// By its own header.
        found: String,
    },
    /// The codestream has fewer bits than Bits Stored.
    #[error("{declared} bits are declared, the compressed frame has {found}")]
    Bits {
        /// Bits Stored.
        declared: u16,
        /// The codestream's precision.
        found: u16,
    },
    /// Pixel Representation and the codestream's sign differ.
    #[error("sign of object and compressed frame differ: the object's is used")]
    Sign,
    /// RGB is declared, the frame holds another colour space, which is converted.
    #[error("RGB is declared, the compressed frame is {found}")]
    ColourSpace {
        /// What it holds.
        found: &'static str,
    },
    /// Sub-sampled colour is declared, full colour is there.
    #[error("4:2:2 is declared, but every pixel's colour is stored")]
    FullColour,
    /// More than 8 bits a channel are shown with 8.
    #[error("colour of {bits} bits is shown with 8")]
    ColourBits {
        /// Bits Stored.
        bits: u16,
    },
    /// The ICC profile cannot be used.
    #[error("{reason}; colours are shown as sRGB")]
    ColourProfile {
        /// Why.
        reason: String,
    },
    /// Whole numbers that no variant holds exactly.
    #[error("values beyond 32 bits signed are shown rounded to 24 significant bits")]
    RoundedIntegers,
    /// Double-precision values that single precision does not hold.
    #[error("double-precision values are shown rounded to 24 significant bits")]
    RoundedDoubles,
    /// An overlay plane is left out.
    #[error("overlay {group:04X} is not shown: {reason}")]
    Overlay {
        /// Its group.
        group: u16,
        /// Why.
        reason: &'static str,
    },
    /// A shutter's shape is left out.
    #[error("the shutter {shape} is damaged and not closed")]
    Shutter {
        /// Shutter Shape.
        shape: String,
    },
    /// A table is empty or damaged: not applied, not offered.
    #[error("the {table} LUT is empty or damaged and not used")]
    TableDamaged {
        /// Which.
        table: Table,
    },
    /// A table has other bits an entry than it declares.
    #[error("the {table} LUT declares {declared} bits an entry; {used} are used")]
    TableBits {
        /// Which.
        table: Table,
        /// By its descriptor.
        declared: u16,
        /// What is used.
        used: u16,
    },
    /// A table is shorter than it declares.
    #[error("the {table} LUT declares {declared} entries, {held} are there")]
    TableEntries {
        /// Which.
        table: Table,
        /// By its descriptor.
        declared: usize,
        /// Entries with data.
        held: usize,
    },
    /// The stored window is no window.
    #[error("the stored window is not valid and not used")]
    Window,
    /// A rescale slope of 0.
    #[error("a rescale slope of 0 is not applied")]
    Slope,
    /// A presentation state without a modality transform stands in for the picture's own (PS3.4 N.2).
    #[error("the presentation state has no modality transform; the picture's own is not used (PS3.4 N.2)")]
    StateWithoutModality,
    /// A mask is subtracted, as the presentation state says: values are differences.
    #[error("a mask is subtracted: values are differences")]
    Subtracted,
    /// The presentation state's mask is not subtracted: its frames cannot be had, or are of another size.
    #[error("the mask cannot be applied: nothing is subtracted")]
    Unmasked,
    /// A frame of the subtracted mask is spoiled: so is the difference.
    #[error("a frame of the mask: {trouble}")]
    Mask {
        /// What is wrong with it.
        trouble: Box<Trouble>,
    },
}

/// How much a trouble means to whoever looks at the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Pixels on screen may not be those that were sent or meant: no such frame is shown as exact.
    Spoils,
    /// The picture is another than the object's own, as it was meant to be.
    Alters,
    /// Worth knowing.
    Notes,
}

impl Trouble {
    /// How much it means.
    pub fn weight(&self) -> Weight {
        match self {
            Self::Cut { .. } | Self::Codestream { .. } | Self::Inflate | Self::Unmasked | Self::Mask { .. } => {
                Weight::Spoils
            }
            Self::Subtracted | Self::StateWithoutModality => Weight::Alters,
            _ => Weight::Notes,
        }
    }

    /// Whether pixels on screen may not be those that were sent or meant.
    pub fn spoils(&self) -> bool {
        self.weight() == Weight::Spoils
    }
}
