//! Which objects carry no picture, and why, in words for the reader.

use super::read::Header;

/// Storage SOP classes without pixels, by UID or its beginning.
const WITHOUT_PICTURE: &[(&str, &str)] = &[
    ("1.2.840.10008.1.3.10", "a DICOMDIR: the index of a medium, not an image"),
    ("1.2.840.10008.5.1.4.1.1.88.59", "a key object selection (KO): names images, is none"),
    ("1.2.840.10008.5.1.4.1.1.88.", "a structured report (SR): text, not an image"),
    ("1.2.840.10008.5.1.4.1.1.11.", "a presentation state (PR): how to show images, is none"),
    ("1.2.840.10008.5.1.4.1.1.66.1", "a spatial registration, not an image"),
    ("1.2.840.10008.5.1.4.1.1.66.2", "spatial fiducials, not an image"),
    ("1.2.840.10008.5.1.4.1.1.66.3", "a deformable registration, not an image"),
    ("1.2.840.10008.5.1.4.1.1.66.5", "a surface segmentation: not shown yet"),
    ("1.2.840.10008.5.1.4.1.1.66.6", "a tractography result: not shown yet"),
    ("1.2.840.10008.5.1.4.1.1.66", "raw data of the scanner, not an image"),
    ("1.2.840.10008.5.1.4.1.1.67", "a real world value mapping, not an image"),
    // RT dose and RT image have pixels: an empty reason keeps the general entry below away.
    ("1.2.840.10008.5.1.4.1.1.481.2", ""),
    ("1.2.840.10008.5.1.4.1.1.481.1", ""),
    ("1.2.840.10008.5.1.4.1.1.481.3", "an RT structure set: contours, not an image"),
    ("1.2.840.10008.5.1.4.1.1.481.", "a radiotherapy plan or record, not an image"),
    ("1.2.840.10008.5.1.4.1.1.104.1", "an encapsulated PDF document, not an image"),
    ("1.2.840.10008.5.1.4.1.1.104.2", "an encapsulated CDA document, not an image"),
    ("1.2.840.10008.5.1.4.1.1.104.", "an encapsulated model or document, not an image"),
    ("1.2.840.10008.5.1.4.1.1.9.", "a waveform (ECG, sound), not an image"),
    ("1.2.840.10008.5.1.4.38.", "a hanging protocol, not an image"),
    ("1.2.840.10008.5.1.4.39.", "a colour palette, not an image"),
    ("1.2.840.10008.5.1.4.31", "a worklist entry, not an image"),
    ("1.2.840.10008.5.1.4.1.1.131", "a basic structured display, not an image"),
    ("1.2.840.10008.5.1.4.1.1.4.2", "MR spectroscopy data, not an image"),
];

/// Video and other transfer syntaxes that this program does not decode.
pub(crate) fn undecodable(transfer_syntax: &str) -> Option<&'static str> {
    let tail = transfer_syntax.strip_prefix("1.2.840.10008.1.2.4.")?;
    let number: u32 = tail.split('.').next()?.parse().ok()?;
    Some(match number {
        100 | 101 => "MPEG-2 video: not decodable here",
        102..=106 => "MPEG-4 video: not decodable here",
        107 | 108 => "HEVC video: not decodable here",
        94 | 95 | 204 | 205 => "the pixels are only referenced (JPIP), not in the object",
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
        let cut = "its header runs past the end of the file (cut off or damaged)";
        return Some(if header.is_cut() { cut } else { "no pixel data" }.to_owned());
    }
    if rows == 0 || columns == 0 {
        return Some(format!("rows or columns are not stated ({rows} x {columns})"));
    }
    None
}
