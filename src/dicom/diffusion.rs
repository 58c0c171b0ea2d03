//! Diffusion weighting of a frame: the standard's attributes, then the private ones of the makers, each only under its
//! creator's name (PS3.5 7.8.1).

use super::csa;
use super::dataset::View;
use super::functional::{group, per_frame};
use crate::study::{BValueSource, Directionality};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

/// What a header says of a frame's weighting.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Diffusion {
    /// s/mm².
    pub(super) b_value: Option<f64>,
    pub(super) source: Option<BValueSource>,
    pub(super) directionality: Option<Directionality>,
    pub(super) gradient: Option<[f32; 3]>,
}

/// Standard attributes first; what they leave open is taken from the private ones.
pub(super) fn diffusion(view: &View<'_>, frame: usize) -> Diffusion {
    let mut found = match group(view, frame, tags::MR_DIFFUSION_SEQUENCE) {
        Some(item) => standard(&item),
        None => standard(view),
    };
    let places = [per_frame(view, frame), Some(*view)];
    for place in places.into_iter().flatten() {
        if found.b_value.is_some() && found.gradient.is_some() {
            break;
        }
        let private = private_values(&place);
        if found.b_value.is_none() {
            (found.b_value, found.source) = (private.b_value, private.source);
        }
        found.directionality = found.directionality.or(private.directionality);
        found.gradient = found.gradient.or(private.gradient);
    }
    // "Not weighted" is a b-value of 0 that some do not write.
    if found.b_value.is_none() && found.directionality == Some(Directionality::None) {
        found.b_value = Some(0.0);
        found.source.get_or_insert(BValueSource::Standard);
    }
    found
}

fn sound(b: f64) -> Option<f64> {
    (b.is_finite() && (0.0..100_000.0).contains(&b)).then_some(b)
}

fn standard(item: &View<'_>) -> Diffusion {
    let b_value = item.float(tags::DIFFUSION_B_VALUE).and_then(sound);
    let directions = item.item(tags::DIFFUSION_GRADIENT_DIRECTION_SEQUENCE);
    let gradient = directions
        .and_then(|d| d.array::<3>(tags::DIFFUSION_GRADIENT_ORIENTATION))
        .or_else(|| item.array::<3>(tags::DIFFUSION_GRADIENT_ORIENTATION));
    Diffusion {
        b_value,
        source: b_value.map(|_| BValueSource::Standard),
        directionality: item.string(tags::DIFFUSION_DIRECTIONALITY).and_then(|t| directionality(&t)),
        gradient: gradient.and_then(direction),
    }
}

fn directionality(text: &str) -> Option<Directionality> {
    Some(match text {
        "NONE" => Directionality::None,
        "DIRECTIONAL" => Directionality::Directional,
        "BMATRIX" => Directionality::BMatrix,
        "ISOTROPIC" => Directionality::Isotropic,
        _ => return None,
    })
}

/// A zero vector is no direction.
fn direction(vector: [f64; 3]) -> Option<[f32; 3]> {
    let long = vector.iter().map(|v| v * v).sum::<f64>() > 1e-6;
    (long && vector.iter().all(|v| v.is_finite())).then(|| vector.map(|v| v as f32))
}

fn private_values(view: &View<'_>) -> Diffusion {
    let none = Diffusion::default();
    [siemens, siemens_csa, philips, ge, united_imaging, canon]
        .into_iter()
        .map(|maker| maker(view))
        .find(|found| *found != none)
        .unwrap_or_default()
}

fn siemens(view: &View<'_>) -> Diffusion {
    let tag = |element| private(view, 0x0019, "SIEMENS MR HEADER", element);
    let b_value = tag(0x0C).and_then(|t| view.float(t)).and_then(sound);
    Diffusion {
        b_value,
        source: b_value.map(|_| BValueSource::Siemens),
        directionality: tag(0x0D).and_then(|t| view.string(t)).and_then(|t| directionality(&t)),
        gradient: tag(0x0E).and_then(|t| reals(view, t, true)).and_then(|v| three(&v)),
    }
}

fn siemens_csa(view: &View<'_>) -> Diffusion {
    let header = private(view, 0x0029, "SIEMENS CSA HEADER", 0x10).and_then(|t| view.bytes(t)).unwrap_or_default();
    let number = |name| csa::values(header, name).iter().filter_map(|v| v.parse::<f64>().ok()).collect::<Vec<_>>();
    let b_value = number("B_value").first().copied().and_then(sound);
    Diffusion {
        b_value,
        source: b_value.map(|_| BValueSource::SiemensCsa),
        directionality: csa::values(header, "DiffusionDirectionality").first().and_then(|t| directionality(t)),
        gradient: three(&number("DiffusionGradientDirection")),
    }
}

fn philips(view: &View<'_>) -> Diffusion {
    let b_value = private(view, 0x2001, "Philips Imaging DD 001", 0x03)
        .and_then(|t| reals(view, t, false))
        .and_then(|v| v.first().copied())
        .and_then(sound);
    let part = |element| {
        let tag = private(view, 0x2005, "Philips MR Imaging DD 001", element)?;
        reals(view, tag, false)?.first().copied()
    };
    let kind = private(view, 0x2001, "Philips Imaging DD 001", 0x04).and_then(|t| view.string(t));
    Diffusion {
        b_value,
        source: b_value.map(|_| BValueSource::Philips),
        directionality: match kind.as_deref() {
            Some("I") => Some(Directionality::Isotropic),
            _ => None,
        },
        gradient: match (part(0xB0), part(0xB1), part(0xB2)) {
            (Some(x), Some(y), Some(z)) => direction([x, y, z]),
            _ => None,
        },
    }
}

/// First value of (0043,xx39); offsets of 1e9 and more are flags of the scanner. Directions (0019,xxBB to BD) are in
/// its frequency, phase and slice axes.
fn ge(view: &View<'_>) -> Diffusion {
    let raw = private(view, 0x0043, "GEMS_PARM_01", 0x39).and_then(|t| view.floats(t).first().copied());
    let b_value = raw.filter(|b| b.is_finite()).map(|b| if b >= 1e9 { b % 100_000.0 } else { b }).and_then(sound);
    let part = |element| private(view, 0x0019, "GEMS_ACQU_01", element).and_then(|t| view.float(t));
    Diffusion {
        b_value,
        source: b_value.map(|_| BValueSource::Ge),
        directionality: None,
        gradient: match (part(0xBB), part(0xBC), part(0xBD)) {
            (Some(x), Some(y), Some(z)) if b_value.is_some_and(|b| b > 0.0) => direction([x, y, z]),
            _ => None,
        },
    }
}

fn united_imaging(view: &View<'_>) -> Diffusion {
    let tag = |element| private(view, 0x0065, "Image Private Header", element);
    let b_value = tag(0x09).and_then(|t| reals(view, t, true)).and_then(|v| v.first().copied()).and_then(sound);
    Diffusion {
        b_value,
        source: b_value.map(|_| BValueSource::UnitedImaging),
        directionality: None,
        gradient: tag(0x37).and_then(|t| reals(view, t, true)).and_then(|v| three(&v)),
    }
}

/// `b=1000(0.445,0.000,0.895)` in Image Comments, as scanners of Toshiba and Canon write it.
fn canon(view: &View<'_>) -> Diffusion {
    let none = Diffusion::default();
    if !view.has(tags::IMAGE_COMMENTS) {
        return none;
    }
    let maker = view.string(tags::MANUFACTURER).unwrap_or_default().to_ascii_uppercase();
    let comment = view.text(tags::IMAGE_COMMENTS);
    let Some(rest) = comment.trim().strip_prefix("b=") else { return none };
    if !maker.starts_with("TOSHIBA") && !maker.starts_with("CANON") {
        return none;
    }
    let (number, vector) = rest.split_once('(').unwrap_or((rest, ""));
    let Some(b) = number.trim().parse::<f64>().ok().and_then(sound) else { return none };
    let vector: Vec<f64> = vector.trim_end_matches(')').split(',').filter_map(|v| v.trim().parse().ok()).collect();
    Diffusion {
        b_value: Some(b),
        source: Some(BValueSource::CanonComment),
        directionality: None,
        gradient: three(&vector),
    }
}

fn three(values: &[f64]) -> Option<[f32; 3]> {
    direction([*values.first()?, *values.get(1)?, *values.get(2)?])
}

/// Numbers of a private element, whose VR implicit data sets do not tell: as stated, else `double`s or floats.
fn reals(view: &View<'_>, tag: Tag, double: bool) -> Option<Vec<f64>> {
    let element = view.set.get(tag)?;
    if element.vr != VR::UN {
        return Some(view.floats(tag));
    }
    let bytes = view.bytes(tag)?;
    Some(if double {
        bytes.as_chunks::<8>().0.iter().map(|b| f64::from_bits(view.endian.u64(*b))).collect()
    } else {
        bytes.as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_bits(view.endian.u32(*b)))).collect()
    })
}

/// The element of a private block: the creator's reservation decides the block number.
pub(super) fn private(view: &View<'_>, group: u16, creator: &str, element: u8) -> Option<Tag> {
    (0x10..=0xFFu16).find_map(|block| {
        let name = Tag(group, block);
        if !view.has(name) {
            return None;
        }
        let tag = Tag(group, (block << 8) | u16::from(element));
        (view.has(tag) && view.text(name).trim() == creator).then_some(tag)
    })
}

#[cfg(test)]
mod tests {
    use super::super::read::Header;
    use super::super::test_object::{As, Build, EXPLICIT, IMPLICIT};
    use super::*;

    fn read(coding: As, build: Build) -> Diffusion {
        let syntax = if coding == As::Implicit { IMPLICIT } else { EXPLICIT };
        let header = Header::from_bytes(build.file(syntax)).expect("reads");
        diffusion(&header.view(), 0)
    }

    /// Bytes of doubles or floats in little endian.
    fn fd(values: &[f64]) -> Vec<u8> {
        values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }
    fn fl(value: f32) -> Vec<u8> {
        value.to_le_bytes().to_vec()
    }

    #[test]
    fn siemens_in_both_codings_and_in_any_block() {
        for (coding, block) in [(As::Explicit, 0x10u32), (As::Implicit, 0x10), (As::Explicit, 0x13)] {
            let tag = |element: u32| 0x0019_0000 | (block << 8) | element;
            let found = read(
                coding,
                Build::image(coding, 4, 4)
                    .text(0x0019_0000 | block, b"LO", "SIEMENS MR HEADER")
                    .text(tag(0x0C), b"IS", "1000")
                    .text(tag(0x0D), b"CS", "DIRECTIONAL")
                    .bytes(tag(0x0E), b"FD", &fd(&[0.6, 0.0, -0.8])),
            );
            assert_eq!(found.b_value, Some(1000.0));
            assert_eq!(found.source, Some(BValueSource::Siemens));
            assert_eq!(found.directionality, Some(Directionality::Directional));
            assert_eq!(found.gradient, Some([0.6, 0.0, -0.8]));
        }
    }

    #[test]
    fn another_creator_is_not_believed() {
        let found = read(
            As::Explicit,
            Build::image(As::Explicit, 4, 4).text(0x0019_0010, b"LO", "SOMEONE ELSE").text(0x0019_100C, b"IS", "1000"),
        );
        assert_eq!(found, Diffusion::default());
    }

    #[test]
    fn csa_header_where_nothing_else_tells() {
        let header = csa::make(true, &[("B_value", &["800"]), ("DiffusionGradientDirection", &["1", "0", "0"])]);
        let found = read(
            As::Explicit,
            Build::image(As::Explicit, 4, 4).text(0x0029_0011, b"LO", "SIEMENS CSA HEADER").bytes(
                0x0029_1110,
                b"OB",
                &header,
            ),
        );
        assert_eq!((found.b_value, found.source), (Some(800.0), Some(BValueSource::SiemensCsa)));
        assert_eq!(found.gradient, Some([1.0, 0.0, 0.0]));
    }

    #[test]
    fn philips_floats_also_without_a_vr() {
        for coding in [As::Explicit, As::Implicit] {
            let found = read(
                coding,
                Build::image(coding, 4, 4)
                    .text(0x2001_0010, b"LO", "Philips Imaging DD 001")
                    .bytes(0x2001_1003, b"FL", &fl(800.0))
                    .text(0x2001_1004, b"CS", "I")
                    .text(0x2005_0010, b"LO", "Philips MR Imaging DD 001")
                    .bytes(0x2005_10B0, b"FL", &fl(0.0))
                    .bytes(0x2005_10B1, b"FL", &fl(1.0))
                    .bytes(0x2005_10B2, b"FL", &fl(0.0)),
            );
            assert_eq!((found.b_value, found.source), (Some(800.0), Some(BValueSource::Philips)));
            assert_eq!(found.directionality, Some(Directionality::Isotropic));
            assert_eq!(found.gradient, Some([0.0, 1.0, 0.0]));
        }
    }

    #[test]
    fn ge_flags_are_taken_off() {
        for (text, wanted) in [("1000\\8\\0\\0", 1000.0), ("1000000800\\8\\0\\0", 800.0), ("0\\8\\0\\0", 0.0)] {
            let found = read(
                As::Explicit,
                Build::image(As::Explicit, 4, 4).text(0x0043_0010, b"LO", "GEMS_PARM_01").text(
                    0x0043_1039,
                    b"IS",
                    text,
                ),
            );
            assert_eq!((found.b_value, found.source), (Some(wanted), Some(BValueSource::Ge)), "{text}");
        }
    }

    #[test]
    fn canon_comments_of_canon_only() {
        let object = |maker: &str| {
            Build::new(As::Explicit).text(0x0008_0070, b"LO", maker).text(
                0x0020_4000,
                b"LT",
                "b=1000(0.445,0.000,0.895)",
            )
        };
        assert_eq!(read(As::Explicit, object("CANON_MEC")).b_value, Some(1000.0));
        assert_eq!(read(As::Explicit, object("TOSHIBA")).gradient, Some([0.445, 0.0, 0.895]));
        assert_eq!(read(As::Explicit, object("ACME")).b_value, None);
    }

    #[test]
    fn standard_wins_and_not_weighted_is_zero() {
        let both = Build::image(As::Explicit, 4, 4).text(0x0019_0010, b"LO", "SIEMENS MR HEADER").text(
            0x0019_100C,
            b"IS",
            "1000",
        );
        let mut standard = Build::new(As::Explicit).bytes(0x0018_9087, b"FD", &fd(&[50.0]));
        standard.bytes.extend(both.bytes);
        let found = read(As::Explicit, standard);
        assert_eq!((found.b_value, found.source), (Some(50.0), Some(BValueSource::Standard)));
        let none = Build::new(As::Explicit).text(0x0018_9075, b"CS", "NONE");
        assert_eq!(read(As::Explicit, none).b_value, Some(0.0));
    }
}
