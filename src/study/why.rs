//! Why something named is not shown: each sentence by its name. The sentence is what the command line, the center and the
//! store hold; the window says the same in the reader's language.

/// A reason. Its sentence may be followed by a detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Not received.
    NotReceived,
    /// Its header names another patient than the rest of the study.
    OtherPatient,
    /// The same SOP Instance UID is in another study.
    InstanceElsewhere,
    /// The same Series Instance UID is in another study.
    SeriesElsewhere,
    /// The same SOP Instance UID as.
    SameInstance,
    /// The center has a picture with the same UID: that one is shown.
    GaveWay,
    /// It is the center's picture, byte for byte: open it from the worklist.
    CentersSame,
    /// The center has another picture with the same UIDs: this file is not shown in its place.
    CentersDiffers,
    /// The center names a study with the same UID: its own pictures are shown, not this file.
    CentersNamed,
    /// No pixel data.
    NoPixels,
    /// Its header runs past the end of the file (cut off or damaged).
    HeaderCut,
    /// Rows or columns are not stated.
    NoSize,
    /// Too many frames are declared.
    TooManyFrames,
    /// No frame.
    NoFrame,
    /// Not a DICOM object.
    NotDicom,
    /// Broken DICOM object.
    Broken,
    /// Too large.
    TooLarge,
    /// Cannot be read.
    Unreadable,
    /// Cannot be decoded here.
    Undecodable,
    /// The image's attributes contradict each other.
    Contradiction,
    /// The compressed frame is damaged.
    FrameDamaged,
    /// MPEG-2 video: not decodable here.
    Mpeg2,
    /// MPEG-4 video: not decodable here.
    Mpeg4,
    /// HEVC video: not decodable here.
    Hevc,
    /// The pixels are only referenced (JPIP), not in the object.
    Referenced,
    /// A DICOMDIR, the index of a medium, not an image.
    Index,
    /// A spatial registration, not an image.
    Registration,
    /// Spatial fiducials, not an image.
    Fiducials,
    /// A surface segmentation: not shown yet.
    SurfaceSegmentation,
    /// A tractography result: not shown yet.
    Tractography,
    /// Raw data of the scanner, not an image.
    RawData,
    /// A real world value mapping, not an image.
    RealWorldMap,
    /// A radiotherapy plan or record, not an image.
    Radiotherapy,
    /// A hanging protocol, not an image.
    HangingProtocol,
    /// A colour palette, not an image.
    Palette,
    /// A worklist entry, not an image.
    WorklistEntry,
    /// A basic structured display, not an image.
    StructuredDisplay,
    /// MR spectroscopy data, not an image.
    Spectroscopy,
    /// Encrypted in its archive.
    Encrypted,
    /// A link within an archive is not followed.
    ArchiveLink,
    /// Packed by a method that is not opened.
    ArchiveMethod,
    /// Refused as a bomb.
    Bomb,
    /// A ZIP archive without files.
    EmptyArchive,
    /// Named by the index, but not there.
    IndexedMissing,
}

const SENTENCES: &[(Why, &str)] = &[
    (Why::NotReceived, "not received"),
    (Why::OtherPatient, "its header names another patient than the rest of the study"),
    (Why::InstanceElsewhere, "the same SOP Instance UID is in another study"),
    (Why::SeriesElsewhere, "the same Series Instance UID is in another study"),
    (Why::SameInstance, "the same SOP Instance UID as"),
    (Why::GaveWay, "the center has a picture with the same UID: that one is shown"),
    (Why::CentersSame, "it is the center's picture, byte for byte: open it from the worklist"),
    (Why::CentersDiffers, "the center has another picture with the same UIDs: this file is not shown in its place"),
    (Why::CentersNamed, "the center names a study with the same UID: its own pictures are shown, not this file"),
    (Why::NoPixels, "no pixel data"),
    (Why::HeaderCut, "its header runs past the end of the file (cut off or damaged)"),
    (Why::NoSize, "rows or columns are not stated"),
    (Why::TooManyFrames, "too many frames are declared"),
    (Why::NoFrame, "no frame"),
    (Why::NotDicom, "not a DICOM object"),
    (Why::Broken, "broken DICOM object"),
    (Why::TooLarge, "too large"),
    (Why::Unreadable, "cannot be read"),
    (Why::Undecodable, "cannot be decoded here"),
    (Why::Contradiction, "the image's attributes contradict each other"),
    (Why::FrameDamaged, "the compressed frame is damaged"),
    (Why::Mpeg2, "MPEG-2 video: not decodable here"),
    (Why::Mpeg4, "MPEG-4 video: not decodable here"),
    (Why::Hevc, "HEVC video: not decodable here"),
    (Why::Referenced, "the pixels are only referenced (JPIP), not in the object"),
    (Why::Index, "a DICOMDIR, the index of a medium, not an image"),
    (Why::Registration, "a spatial registration, not an image"),
    (Why::Fiducials, "spatial fiducials, not an image"),
    (Why::SurfaceSegmentation, "a surface segmentation: not shown yet"),
    (Why::Tractography, "a tractography result: not shown yet"),
    (Why::RawData, "raw data of the scanner, not an image"),
    (Why::RealWorldMap, "a real world value mapping, not an image"),
    (Why::Radiotherapy, "a radiotherapy plan or record, not an image"),
    (Why::HangingProtocol, "a hanging protocol, not an image"),
    (Why::Palette, "a colour palette, not an image"),
    (Why::WorklistEntry, "a worklist entry, not an image"),
    (Why::StructuredDisplay, "a basic structured display, not an image"),
    (Why::Spectroscopy, "MR spectroscopy data, not an image"),
    (Why::Encrypted, "encrypted in its archive"),
    (Why::ArchiveLink, "a link within an archive is not followed"),
    (Why::ArchiveMethod, "packed by a method that is not opened"),
    (Why::Bomb, "refused as a bomb"),
    (Why::EmptyArchive, "a ZIP archive without files"),
    (Why::IndexedMissing, "named by the index, but not there"),
];

impl Why {
    /// The sentence, in English.
    pub const fn sentence(self) -> &'static str {
        // In the order of the names: a test holds the two together.
        SENTENCES[self as usize].1
    }

    /// The sentence with its detail.
    pub fn with(self, detail: impl std::fmt::Display) -> String {
        format!("{}: {detail}", self.sentence())
    }

    /// Which reason a text gives, and its detail; `None` for any other text.
    pub fn of(reason: &str) -> Option<(Self, &str)> {
        let of = |(why, sentence): &(Self, &str)| {
            let rest = reason.strip_prefix(sentence)?;
            let detail = [": ", " "].iter().find_map(|mark| rest.strip_prefix(mark));
            (rest.is_empty() || detail.is_some()).then_some((*why, detail.unwrap_or_default(), sentence.len()))
        };
        let (why, detail, _) = SENTENCES.iter().filter_map(of).max_by_key(|(.., length)| *length)?;
        Some((why, detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_found_again_with_its_detail() {
        for (at, (why, sentence)) in SENTENCES.iter().enumerate() {
            assert_eq!((*why as usize, why.sentence()), (at, *sentence));
            assert_eq!(Why::of(sentence), Some((*why, "")));
            assert_eq!(Why::of(&why.with("5: 6")), Some((*why, "5: 6")));
        }
        assert_eq!(Why::of("no frames at all"), None);
        assert_eq!(Why::of("something else"), None);
    }
}
