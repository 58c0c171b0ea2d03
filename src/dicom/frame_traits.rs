//! What tells a frame from others of its series: time, echo, stack, kind, acquisition; from functional groups where
//! the object has them, else from its root.

use super::csa;
use super::dataset::View;
use super::diffusion::private;
use super::functional::{group, group_or_root};
use crate::study::{Component, FrameTraits, ImageKind};
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use glam::DVec3;

/// Groups whose Frame Type says what Image Type says for one frame.
const FRAME_TYPES: &[Tag] = &[
    tags::MR_IMAGE_FRAME_TYPE_SEQUENCE,
    tags::CT_IMAGE_FRAME_TYPE_SEQUENCE,
    tags::PET_FRAME_TYPE_SEQUENCE,
    tags::X_RAY3_D_FRAME_TYPE_SEQUENCE,
    tags::XAXRF_FRAME_CHARACTERISTICS_SEQUENCE,
    tags::US_IMAGE_DESCRIPTION_SEQUENCE,
];

/// Dimensions that have a trait of their own, or are the place itself.
const KNOWN_DIMENSIONS: &[Tag] = &[
    tags::IMAGE_POSITION_PATIENT,
    tags::IMAGE_POSITION_VOLUME,
    tags::IMAGE_ORIENTATION_PATIENT,
    tags::STACK_ID,
    tags::IN_STACK_POSITION_NUMBER,
    tags::TEMPORAL_POSITION_INDEX,
    tags::TEMPORAL_POSITION_TIME_OFFSET,
    tags::DIFFUSION_B_VALUE,
    tags::DIFFUSION_GRADIENT_ORIENTATION,
    tags::DIFFUSION_DIRECTIONALITY,
    tags::EFFECTIVE_ECHO_TIME,
    tags::NOMINAL_CARDIAC_TRIGGER_DELAY_TIME,
    tags::NOMINAL_PERCENTAGE_OF_CARDIAC_PHASE,
    tags::FRAME_TYPE,
    tags::COMPLEX_IMAGE_COMPONENT,
];

/// Everything but the diffusion weighting.
pub(super) fn frame_traits(view: &View<'_>, frame: usize) -> FrameTraits {
    let content = group(view, frame, tags::FRAME_CONTENT_SEQUENCE);
    let cardiac = group(view, frame, tags::CARDIAC_SYNCHRONIZATION_SEQUENCE);
    let int = |place: &View<'_>, tag| place.int(tag).and_then(|v| i32::try_from(v).ok());
    let of_content = |tag| content.as_ref().and_then(|c| int(c, tag));
    let real = |place: &View<'_>, tag| place.float(tag).map(|v| v as f32);
    let of_cardiac = |tag| cardiac.as_ref().and_then(|c| real(c, tag));
    let modality = view.string(tags::MODALITY).unwrap_or_default();
    let image_type = image_type(view, frame);
    let mr = modality == "MR";
    FrameTraits {
        thickness_mm: real(&group_or_root(view, frame, tags::PIXEL_MEASURES_SEQUENCE), tags::SLICE_THICKNESS),
        echo_number: int(view, tags::ECHO_NUMBERS),
        inversion_ms: real(view, tags::INVERSION_TIME)
            .or_else(|| group(view, frame, tags::MR_MODIFIER_SEQUENCE).and_then(|g| real(&g, tags::INVERSION_TIMES))),
        repetition_ms: real(
            &group_or_root(view, frame, tags::MR_TIMING_AND_RELATED_PARAMETERS_SEQUENCE),
            tags::REPETITION_TIME,
        ),
        temporal_index: of_content(tags::TEMPORAL_POSITION_INDEX)
            .or_else(|| int(view, tags::TEMPORAL_POSITION_IDENTIFIER)),
        time_offset_ms: group(view, frame, tags::TEMPORAL_POSITION_SEQUENCE)
            .and_then(|g| real(&g, tags::TEMPORAL_POSITION_TIME_OFFSET))
            .map(|seconds| seconds * 1000.0)
            .or_else(|| real(view, tags::FRAME_REFERENCE_TIME)),
        trigger_ms: of_cardiac(tags::NOMINAL_CARDIAC_TRIGGER_DELAY_TIME).or_else(|| real(view, tags::TRIGGER_TIME)),
        cardiac_percent: of_cardiac(tags::NOMINAL_PERCENTAGE_OF_CARDIAC_PHASE)
            .or_else(|| real(view, tags::NOMINAL_PERCENTAGE_OF_CARDIAC_PHASE)),
        acquisition: of_content(tags::FRAME_ACQUISITION_NUMBER),
        acquired_ms: acquired_ms(view, content.as_ref()),
        stack: content.as_ref().and_then(|c| c.string(tags::STACK_ID)).map(String::into_boxed_str),
        in_stack: of_content(tags::IN_STACK_POSITION_NUMBER),
        kind: ImageKind::from_image_type(&image_type, &modality),
        component: if mr { component(view, frame, &image_type) } else { Component::Magnitude },
        contrast: contrast(view, frame),
        technique: technique(view, frame, &modality),
        dimensions: content.map_or_else(Vec::new, |c| dimensions(view, &c)),
        along_mm: along_volume_mm(view, frame),
        mosaic_tiles: mosaic_tiles(view, &image_type),
        ..FrameTraits::default()
    }
}

fn image_type(view: &View<'_>, frame: usize) -> Vec<String> {
    for sequence in FRAME_TYPES {
        if let Some(item) = group(view, frame, *sequence) {
            let own = item.strings(tags::FRAME_TYPE);
            if !own.is_empty() {
                return own;
            }
        }
    }
    view.strings(tags::IMAGE_TYPE)
}

fn component(view: &View<'_>, frame: usize, image_type: &[String]) -> Component {
    let stated = group_or_root(view, frame, tags::MR_IMAGE_FRAME_TYPE_SEQUENCE).string(tags::COMPLEX_IMAGE_COMPONENT);
    match stated.as_deref() {
        Some("MAGNITUDE") => Component::Magnitude,
        Some("PHASE") => Component::Phase,
        Some("REAL") => Component::Real,
        Some("IMAGINARY") => Component::Imaginary,
        _ => Component::from_image_type(image_type),
    }
}

fn contrast(view: &View<'_>, frame: usize) -> Option<Box<str>> {
    let usage = group(view, frame, tags::CONTRAST_BOLUS_USAGE_SEQUENCE);
    usage
        .and_then(|g| {
            g.string(tags::CONTRAST_BOLUS_AGENT_PHASE).or_else(|| g.string(tags::CONTRAST_BOLUS_AGENT_ADMINISTERED))
        })
        .or_else(|| Some(view.text(tags::CONTRAST_BOLUS_AGENT).trim().to_owned()).filter(|t| !t.is_empty()))
        .map(String::into_boxed_str)
}

fn technique(view: &View<'_>, frame: usize, modality: &str) -> Option<Box<str>> {
    let text = match modality {
        "CT" => group_or_root(view, frame, tags::CT_RECONSTRUCTION_SEQUENCE).strings(tags::CONVOLUTION_KERNEL),
        "MR" => [tags::SCANNING_SEQUENCE, tags::SEQUENCE_VARIANT, tags::ECHO_PULSE_SEQUENCE]
            .into_iter()
            .flat_map(|tag| view.strings(tag))
            .collect(),
        _ => return None,
    };
    let text = text.join("\\");
    (!text.is_empty()).then(|| text.into_boxed_str())
}

/// Values of dimensions that no other trait holds.
fn dimensions(view: &View<'_>, content: &View<'_>) -> Vec<(u32, u32)> {
    let values = content.ints(tags::DIMENSION_INDEX_VALUES);
    let pointers = view.items(tags::DIMENSION_INDEX_SEQUENCE).map(|item| {
        let bytes = item.bytes(tags::DIMENSION_INDEX_POINTER)?;
        let &[a, b, c, d] = bytes.first_chunk::<4>()?;
        Some(Tag(view.endian.u16([a, b]), view.endian.u16([c, d])))
    });
    pointers
        .zip(values)
        .take(16)
        .filter_map(|(pointer, value)| {
            let tag = pointer.filter(|tag| !KNOWN_DIMENSIONS.contains(tag))?;
            let value = u32::try_from(value).ok()?;
            Some(((u32::from(tag.group()) << 16) | u32::from(tag.element()), value))
        })
        .collect()
}

/// Position along the normal in a volume's own frame of reference (enhanced ultrasound, PS3.3 C.7.6.16.2.21).
fn along_volume_mm(view: &View<'_>, frame: usize) -> Option<f32> {
    let position: [f64; 3] =
        group(view, frame, tags::PLANE_POSITION_VOLUME_SEQUENCE)?.array(tags::IMAGE_POSITION_VOLUME)?;
    let [a, b, c, d, e, f]: [f64; 6] =
        group(view, frame, tags::PLANE_ORIENTATION_VOLUME_SEQUENCE)?.array(tags::IMAGE_ORIENTATION_VOLUME)?;
    let normal = DVec3::new(a, b, c).cross(DVec3::new(d, e, f)).normalize_or_zero();
    Some(DVec3::from_array(position).dot(normal) as f32)
}

/// Image Type value MOSAIC of Siemens, with the number of tiles from where the scanner puts it.
fn mosaic_tiles(view: &View<'_>, image_type: &[String]) -> Option<u16> {
    if !image_type.iter().any(|v| v == "MOSAIC") {
        return None;
    }
    let header = private(view, 0x0029, "SIEMENS CSA HEADER", 0x10).and_then(|tag| view.bytes(tag)).unwrap_or_default();
    let stated = private(view, 0x0019, "SIEMENS MR HEADER", 0x0A).and_then(|tag| view.int(tag));
    let csa = || csa::values(header, "NumberOfImagesInMosaic").first()?.parse().ok();
    Some(stated.or_else(csa).and_then(|n| u16::try_from(n).ok()).unwrap_or(0))
}

/// Frame Acquisition DateTime, Acquisition DateTime, or date and time, in ms on one line.
fn acquired_ms(view: &View<'_>, content: Option<&View<'_>>) -> Option<i64> {
    let stated = content
        .and_then(|c| c.string(tags::FRAME_ACQUISITION_DATE_TIME).or_else(|| c.string(tags::FRAME_REFERENCE_DATE_TIME)))
        .or_else(|| view.string(tags::ACQUISITION_DATE_TIME))
        .or_else(|| {
            let time = view.string(tags::ACQUISITION_TIME)?;
            Some(format!("{}{time}", view.string(tags::ACQUISITION_DATE).unwrap_or_else(|| "19700101".into())))
        })?;
    date_time_ms(&stated)
}

/// `YYYYMMDDHHMMSS.FFFFFF`, cut after any part from the hour on.
fn date_time_ms(text: &str) -> Option<i64> {
    let text = text.split(['+', '-']).next()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let part = |from: usize, to: usize| match whole.get(from..to) {
        Some(digits) => digits.parse::<i64>().ok(),
        None => (whole.len() <= from).then_some(0),
    };
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years begin in March, so that leap days come last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    let seconds = part(8, 10)? * 3600 + part(10, 12)? * 60 + part(12, 14)?;
    let fraction: String = fraction.chars().take_while(char::is_ascii_digit).take(3).collect();
    let ms: i64 = format!("{fraction:0<3}").parse().ok()?;
    Some((days * 86_400 + seconds) * 1000 + ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stand_on_one_line() {
        let at = |text| date_time_ms(text).expect("a time");
        assert_eq!(at("20240301000000") - at("20240229235959.5"), 500);
        assert_eq!(at("20250101") - at("20241231"), 86_400_000);
        assert_eq!(at("2024010112"), at("20240101120000.000000+0900"));
        assert_eq!(date_time_ms("20241301"), None);
        assert_eq!(date_time_ms("text"), None);
    }
}
