//! Which objects carry no picture, and why, in words for the reader.

use super::read::Header;
use crate::study::Why;

/// Storage SOP classes without pixels, by UID or its beginning.
const WITHOUT_PICTURE: &[(&str, &str)] = &[
    ("1.2.840.10008.1.3.10", Why::Index.sentence()),
    ("1.2.840.10008.5.1.4.1.1.88.59", "a key object selection (KO): names images, is none"),
    ("1.2.840.10008.5.1.4.1.1.88.", "a structured report (SR): text, not an image"),
    ("1.2.840.10008.5.1.4.1.1.11.", "a presentation state (PR): how to show images, is none"),
    ("1.2.840.10008.5.1.4.1.1.66.1", Why::Registration.sentence()),
    ("1.2.840.10008.5.1.4.1.1.66.2", Why::Fiducials.sentence()),
    ("1.2.840.10008.5.1.4.1.1.66.3", Why::Registration.sentence()),
    ("1.2.840.10008.5.1.4.1.1.66.5", Why::SurfaceSegmentation.sentence()),
    ("1.2.840.10008.5.1.4.1.1.66.6", Why::Tractography.sentence()),
    ("1.2.840.10008.5.1.4.1.1.66", Why::RawData.sentence()),
    ("1.2.840.10008.5.1.4.1.1.67", Why::RealWorldMap.sentence()),
    // RT dose and RT image have pixels: an empty reason keeps the general entry below away.
    ("1.2.840.10008.5.1.4.1.1.481.2", ""),
    ("1.2.840.10008.5.1.4.1.1.481.1", ""),
    ("1.2.840.10008.5.1.4.1.1.481.3", "an RT structure set: contours, not an image"),
    ("1.2.840.10008.5.1.4.1.1.481.", Why::Radiotherapy.sentence()),
    ("1.2.840.10008.5.1.4.1.1.104.1", "an encapsulated PDF document, not an image"),
    ("1.2.840.10008.5.1.4.1.1.104.2", "an encapsulated CDA document, not an image"),
    ("1.2.840.10008.5.1.4.1.1.104.", "an encapsulated model or document, not an image"),
    ("1.2.840.10008.5.1.4.1.1.9.", "a waveform (ECG, sound), not an image"),
    ("1.2.840.10008.5.1.4.38.", Why::HangingProtocol.sentence()),
    ("1.2.840.10008.5.1.4.39.", Why::Palette.sentence()),
    ("1.2.840.10008.5.1.4.31", Why::WorklistEntry.sentence()),
    ("1.2.840.10008.5.1.4.1.1.131", Why::StructuredDisplay.sentence()),
    ("1.2.840.10008.5.1.4.1.1.4.2", Why::Spectroscopy.sentence()),
];

/// Video and other transfer syntaxes that this program does not decode.
pub(crate) fn undecodable(transfer_syntax: &str) -> Option<&'static str> {
    let tail = transfer_syntax.strip_prefix("1.2.840.10008.1.2.4.")?;
    let number: u32 = tail.split('.').next()?.parse().ok()?;
    Some(match number {
        100 | 101 => Why::Mpeg2.sentence(),
        102..=106 => Why::Mpeg4.sentence(),
        107 | 108 => Why::Hevc.sentence(),
        94 | 95 | 204 | 205 => Why::Referenced.sentence(),
        _ => return None,
    })
}

/// What a class without a picture is, in words.
pub(super) fn listed(sop_class: &str) -> Option<&'static str> {
    let kind =
        WITHOUT_PICTURE.iter().find(|(uid, _)| sop_class == *uid || (uid.ends_with('.') && sop_class.starts_with(uid)));
    kind.map(|(_, reason)| *reason).filter(|reason| !reason.is_empty())
}

/// Why this object cannot be shown as a picture, if metadata alone tell.
pub(crate) fn reason_without_picture(header: &Header, sop_class: &str, rows: u32, columns: u32) -> Option<String> {
    if let Some(reason) = listed(sop_class) {
        return Some(reason.to_owned());
    }
    if let Some(reason) = undecodable(header.transfer_syntax()) {
        return Some(reason.to_owned());
    }
    if header.lacks_pixel_data() {
        let why = if header.is_cut() { Why::HeaderCut } else { Why::NoPixels };
        return Some(why.sentence().to_owned());
    }
    if rows == 0 || columns == 0 {
        return Some(Why::NoSize.with(format!("{rows} x {columns}")));
    }
    None
}
