//! Why something is not shown, in the reader's language.

use super::text::Words;
use crate::study::Why;

/// The reason as the reader reads it; what no sentence of ours is (a decoder's or a center's words) stays as it is.
pub fn reason(words: Words, reason: &str) -> String {
    let Some((why, detail)) = Why::of(reason) else { return reason.to_owned() };
    let sentence = words.t(key(why));
    if detail.is_empty() { sentence.to_owned() } else { format!("{sentence} ({detail})") }
}

fn key(why: Why) -> &'static str {
    match why {
        Why::NotReceived => "why.not_received",
        Why::OtherPatient => "why.other_patient",
        Why::InstanceElsewhere => "why.instance_elsewhere",
        Why::SeriesElsewhere => "why.series_elsewhere",
        Why::SameInstance => "why.same_instance",
        Why::GaveWay => "why.gave_way",
        Why::CentersSame => "why.centers_same",
        Why::CentersDiffers => "why.centers_differs",
        Why::CentersNamed => "why.centers_named",
        Why::NoPixels => "why.no_pixels",
        Why::HeaderCut => "why.header_cut",
        Why::NoSize => "why.no_size",
        Why::TooManyFrames => "why.too_many_frames",
        Why::NoFrame => "why.no_frame",
        Why::NotDicom => "why.not_dicom",
        Why::Broken => "why.broken",
        Why::TooLarge => "why.too_large",
        Why::Unreadable => "why.unreadable",
        Why::Undecodable => "why.undecodable",
        Why::Contradiction => "why.contradiction",
        Why::FrameDamaged => "why.frame_damaged",
        Why::Mpeg2 => "why.mpeg2",
        Why::Mpeg4 => "why.mpeg4",
        Why::Hevc => "why.hevc",
        Why::Referenced => "why.referenced",
        Why::Index => "why.index",
        Why::Registration => "why.registration",
        Why::Fiducials => "why.fiducials",
        Why::SurfaceSegmentation => "why.surface_segmentation",
        Why::Tractography => "why.tractography",
        Why::RawData => "why.raw_data",
        Why::RealWorldMap => "why.real_world_map",
        Why::Radiotherapy => "why.radiotherapy",
        Why::HangingProtocol => "why.hanging_protocol",
        Why::Palette => "why.palette",
        Why::WorklistEntry => "why.worklist_entry",
        Why::StructuredDisplay => "why.structured_display",
        Why::Spectroscopy => "why.spectroscopy",
        Why::Encrypted => "why.encrypted",
        Why::ArchiveLink => "why.archive_link",
        Why::ArchiveMethod => "why.archive_method",
        Why::Bomb => "why.bomb",
        Why::EmptyArchive => "why.empty_archive",
        Why::IndexedMissing => "why.indexed_missing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Language;

    #[test]
    fn a_reason_is_told_in_the_readers_language_with_its_detail() {
        let stated = Why::Broken.with("cut off before byte 7");
        assert_eq!(reason(Words(Language::Ja), &stated), "DICOM が壊れています (cut off before byte 7)");
        assert_eq!(reason(Words(Language::En), &stated), "Broken DICOM object (cut off before byte 7)");
        assert_eq!(reason(Words(Language::Ja), "Bogus Huffman table"), "Bogus Huffman table");
    }
}
