//! Choices of the VOI transform: LUTs and windows with their names (PS3.3 C.11.2), and LUT items of any module.

use super::dataset::View;
use super::functional::group_or_root;
use crate::imaging::{Lut, Modality, Table, Trouble};
use crate::study::{Voi, VoiFunction};
use dicom_core::VR;
use dicom_dictionary_std::tags;
use std::sync::Arc;

/// Most choices of one kind that are offered.
const MOST: usize = 64;

/// VOI choices of a frame, the default first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Choices {
    pub(super) voi: Vec<Voi>,
    pub(super) names: Vec<String>,
    pub(super) luts: Vec<Arc<Lut>>,
}

/// The frame's VOI LUTs, then its windows. The standard leaves the choice to the user where there are several
/// (C.11.2.1.1); a LUT says more than a window, so the first LUT is the default, as with pydicom.
///
/// `signed`: the modality transform may give values below 0.
pub(super) fn choices(view: &View<'_>, frame: usize, signed: bool, warnings: &mut Vec<Trouble>) -> Choices {
    let mut out = Choices::default();
    let place = group_or_root(view, frame, tags::FRAME_VOILUT_SEQUENCE);
    let holder = if place.item(tags::VOILUT_SEQUENCE).is_some() { place } else { *view };
    for item in holder.items(tags::VOILUT_SEQUENCE).take(MOST) {
        match lut(&item, signed, Table::Voi, warnings) {
            Some(lut) => {
                let (center, width) = lut.range();
                let function = VoiFunction::Lut(out.luts.len() as u8);
                out.voi.push(Voi { center, width, function });
                out.names.push(item.text(tags::LUT_EXPLANATION).trim().to_owned());
                out.luts.push(Arc::new(lut));
            }
            None => warnings.push(Trouble::TableDamaged { table: Table::Voi }),
        }
    }
    let windows = named_windows(view, frame);
    if windows.is_empty() && place.string(tags::WINDOW_CENTER).is_some() {
        warnings.push(Trouble::Window);
    }
    for (voi, name) in windows {
        out.voi.push(voi);
        out.names.push(name);
    }
    out
}

/// Windows in stored order with their explanations (0028,1055); those that are no windows (width 0, text) are left
/// out.
pub(crate) fn named_windows(view: &View<'_>, frame: usize) -> Vec<(Voi, String)> {
    let place = group_or_root(view, frame, tags::FRAME_VOILUT_SEQUENCE);
    let function = match place.string(tags::VOILUT_FUNCTION).as_deref() {
        Some("LINEAR_EXACT") => VoiFunction::LinearExact,
        Some("SIGMOID") => VoiFunction::Sigmoid,
        _ => VoiFunction::Linear,
    };
    let smallest = if function == VoiFunction::Linear { 1.0 } else { f64::MIN_POSITIVE };
    let names = place.strings(tags::WINDOW_CENTER_WIDTH_EXPLANATION);
    let centers = place.floats(tags::WINDOW_CENTER);
    let widths = place.floats(tags::WINDOW_WIDTH);
    centers
        .into_iter()
        .zip(widths)
        .enumerate()
        .filter(|(_, (center, width))| center.is_finite() && width.is_finite() && *width >= smallest)
        .take(MOST)
        .map(|(at, (center, width))| (Voi { center, width, function }, names.get(at).cloned().unwrap_or_default()))
        .collect()
}

/// Whether the modality transform's output may be below 0, by its possible input: decides the sign of a VOI LUT's
/// first input value (C.11.2.1.1).
pub(super) fn signed_output(modality: &Modality, signed: bool, bits_stored: u16) -> bool {
    match modality {
        // A Modality LUT's output is never signed (C.11.1.1.1).
        Modality::Lut { .. } => false,
        Modality::Rescale { slope, intercept } => {
            let bits = i32::from(bits_stored.clamp(1, 64));
            let (low, high) =
                if signed { (-2f64.powi(bits - 1), 2f64.powi(bits - 1) - 1.0) } else { (0.0, 2f64.powi(bits) - 1.0) };
            (low * slope + intercept).min(high * slope + intercept) < 0.0
        }
    }
}

/// A LUT item (C.11.1.1, C.11.2.1.1); `None` if it holds no entries. `signed` is for the first input value, which
/// writers state in either VR.
pub(super) fn lut(item: &View<'_>, signed: bool, table: Table, warnings: &mut Vec<Trouble>) -> Option<Lut> {
    let descriptor = item.ints(tags::LUT_DESCRIPTOR);
    let [entries, first, bits] = *descriptor.first_chunk()?;
    let declared = match entries as u16 {
        0 => 65536,
        n => usize::from(n),
    };
    let explicitly_signed = item.set.get(tags::LUT_DESCRIPTOR).is_some_and(|e| e.vr == VR::SS);
    let first = if signed || explicitly_signed { i32::from(first as u16 as i16) } else { i32::from(first as u16) };
    let bytes = item.bytes(tags::LUT_DATA)?;
    // 8-bit entries lie one a byte where the data are too short for one a word, whatever the descriptor says.
    let packed = bytes.len() < declared * 2 && bytes.len() >= declared;
    let data: Vec<u16> = if packed {
        let swap = item.endian == super::dataset::Endian::Big
            && item.set.get(tags::LUT_DATA).is_some_and(|e| e.vr != VR::OB && e.vr != VR::UN);
        let byte = |at: usize| bytes.get(if swap { at ^ 1 } else { at }).copied().map_or(0, u16::from);
        (0..declared).map(byte).collect()
    } else {
        bytes.as_chunks::<2>().0.iter().take(declared).map(|b| item.endian.u16(*b)).collect()
    };
    let bits = u16::try_from(bits).unwrap_or(0);
    let stated = match bits {
        _ if packed => 8,
        8..=16 => bits,
        _ => 16,
    };
    if stated != bits {
        warnings.push(Trouble::TableBits { table, declared: bits, used: stated });
    }
    if data.len() < declared {
        warnings.push(Trouble::TableEntries { table, declared, held: data.len() });
    }
    let lut = Lut::new(first, data, stated as u8)?;
    if u16::from(lut.bits) > stated {
        warnings.push(Trouble::TableBits { table, declared: stated, used: u16::from(lut.bits) });
    }
    Some(lut)
}
