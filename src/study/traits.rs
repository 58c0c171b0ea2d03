//! What tells frames of one series apart besides their place, as the header states it: diffusion, time, echo,
//! acquisition, kind of image. Read by `dicom`, weighed by the grouping.

use super::Laterality;
use serde::{Deserialize, Serialize};

/// Diffusion Directionality (0018,9075).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Directionality {
    /// Not diffusion weighted.
    None,
    /// Weighted along one direction.
    Directional,
    /// Weighted as a b-matrix tells.
    BMatrix,
    /// The mean over directions (trace image).
    Isotropic,
}

/// Where a b-value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BValueSource {
    /// (0018,9087), at the root or in the MR Diffusion Sequence.
    Standard,
    /// Private element of Siemens (0019,xx0C).
    Siemens,
    /// Siemens CSA image header (0029,xx10).
    SiemensCsa,
    /// Private element of GE (0043,xx39).
    Ge,
    /// Private element of Philips (2001,xx03).
    Philips,
    /// Private element of United Imaging (0065,xx09).
    UnitedImaging,
    /// Image Comments written by scanners of Toshiba and Canon.
    CanonComment,
}

/// Complex Image Component (0008,9208), or what Image Type says of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Component {
    /// Magnitude; also where nothing is said.
    #[default]
    Magnitude,
    /// Phase or velocity.
    Phase,
    /// Real part.
    Real,
    /// Imaginary part.
    Imaginary,
}

/// What kind of picture a frame is, by Image Type or Frame Type. Kinds are never scrolled together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is named by its label")]
pub enum ImageKind {
    Localizer,
    Adc,
    ExponentialAdc,
    Trace,
    FractionalAnisotropy,
    MeanDiffusivity,
    InPhase,
    OppositePhase,
    Water,
    Fat,
    FatFraction,
    T1Map,
    T2Map,
    T2StarMap,
    FieldMap,
    BloodFlow,
    BloodVolume,
    TransitTime,
    TimeToPeak,
    Tmax,
    Permeability,
    Subtraction,
    MaximumProjection,
    MinimumProjection,
    Projection,
    Reformatted,
    VolumeRendered,
    Screen,
}

impl ImageKind {
    /// Short name for labels.
    pub fn label(self) -> &'static str {
        match self {
            Self::Localizer => "LOCALIZER",
            Self::Adc => "ADC",
            Self::ExponentialAdc => "eADC",
            Self::Trace => "TRACEW",
            Self::FractionalAnisotropy => "FA",
            Self::MeanDiffusivity => "MD",
            Self::InPhase => "IN_PHASE",
            Self::OppositePhase => "OPP_PHASE",
            Self::Water => "WATER",
            Self::Fat => "FAT",
            Self::FatFraction => "FAT_FRACTION",
            Self::T1Map => "T1_MAP",
            Self::T2Map => "T2_MAP",
            Self::T2StarMap => "T2_STAR_MAP",
            Self::FieldMap => "FIELD_MAP",
            Self::BloodFlow => "CBF",
            Self::BloodVolume => "CBV",
            Self::TransitTime => "MTT",
            Self::TimeToPeak => "TTP",
            Self::Tmax => "TMAX",
            Self::Permeability => "KTRANS",
            Self::Subtraction => "SUB",
            Self::MaximumProjection => "MIP",
            Self::MinimumProjection => "MinIP",
            Self::Projection => "PROJECTION",
            Self::Reformatted => "MPR",
            Self::VolumeRendered => "VR",
            Self::Screen => "SCREEN",
        }
    }

    /// The kind that values 3 and on of Image Type name; values that only describe the acquisition name none.
    pub fn from_image_type(values: &[String], modality: &str) -> Option<Self> {
        values.iter().skip(2).find_map(|value| Self::from_value(value.trim(), modality == "MR"))
    }

    fn from_value(value: &str, mr: bool) -> Option<Self> {
        let upper = value.to_ascii_uppercase();
        Some(match upper.as_str() {
            "LOCALIZER" => Self::Localizer,
            "MIP" | "MAX_IP" | "MAXIP" => Self::MaximumProjection,
            "MINIP" | "MIN_IP" | "MNIP" => Self::MinimumProjection,
            "PROJECTION IMAGE" | "PROJECTION_IMAGE" => Self::Projection,
            "MPR" | "REFORMATTED" | "CPR" | "CURVED_MPR" => Self::Reformatted,
            "VOLUME_RENDERING" | "VOLUMERENDERED" | "VRT" | "3D_RENDERING" => Self::VolumeRendered,
            "SUBTRACTION" | "SUBTRACT" | "SUB" => Self::Subtraction,
            "SCREEN SAVE" | "SCREENSHOT" | "SCREEN_CAPTURE" => Self::Screen,
            "CBF" | "RCBF" | "RELCBF" => Self::BloodFlow,
            "CBV" | "RCBV" | "RELCBV" => Self::BloodVolume,
            "MTT" | "RMTT" | "RELMTT" => Self::TransitTime,
            "TTP" => Self::TimeToPeak,
            "TMAX" => Self::Tmax,
            "KTRANS" => Self::Permeability,
            _ if mr => match upper.as_str() {
                "ADC" | "ADC_MAP" | "DADC" => Self::Adc,
                "EADC" | "EXP" | "EXPONENTIAL" | "EXP_ADC" => Self::ExponentialAdc,
                "TRACEW" | "TRACE" => Self::Trace,
                "FA" | "FRACTIONAL_ANISOTROPY" => Self::FractionalAnisotropy,
                "AVERAGE_DC" | "MEAN_DIFFUSIVITY" => Self::MeanDiffusivity,
                "IN_PHASE" | "IP" => Self::InPhase,
                "OUT_PHASE" | "OPP_PHASE" | "OUT_OF_PHASE" | "OPPOSED_PHASE" | "OP" => Self::OppositePhase,
                "WATER" | "W" => Self::Water,
                "FAT" | "F" => Self::Fat,
                "FAT_FRACTION" | "FATFRACTION" | "FF" | "FAT_FRAC" => Self::FatFraction,
                "T1_MAP" | "T1 MAP" => Self::T1Map,
                "T2_MAP" | "T2 MAP" => Self::T2Map,
                "T2_STAR_MAP" | "T2_STAR MAP" | "T2* MAP" => Self::T2StarMap,
                "FIELD_MAP" | "B0 MAP" | "B0_MAP" | "B1_MAP" => Self::FieldMap,
                _ => return None,
            },
            _ => return None,
        })
    }
}

impl Component {
    /// The component that values 3 and on of an MR Image Type name (`M`, `P`, `M_FFE`, `PHASE MAP` …).
    pub fn from_image_type(values: &[String]) -> Self {
        for value in values.iter().skip(2) {
            let upper = value.trim().to_ascii_uppercase();
            let first = upper.split(['_', ' ']).next().unwrap_or_default();
            match (upper.as_str(), first) {
                ("M" | "MAGNITUDE", _) | (_, "M") => return Self::Magnitude,
                ("P" | "PHASE" | "PHASE MAP" | "VELOCITY MAP", _) | (_, "P") => return Self::Phase,
                ("R" | "REAL", _) | (_, "R") => return Self::Real,
                ("I" | "IMAGINARY", _) | (_, "I") => return Self::Imaginary,
                _ => {}
            }
        }
        Self::Magnitude
    }
}

/// What a frame's header says beyond its place and b-value. Everything is optional; nothing is made up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FrameTraits {
    /// Slice Thickness (0018,0050), mm.
    pub thickness_mm: Option<f32>,
    /// Where the b-value was found.
    pub b_source: Option<BValueSource>,
    /// Diffusion Directionality (0018,9075).
    pub directionality: Option<Directionality>,
    /// Direction of diffusion weighting, as stated (GE: in its frequency, phase and slice axes; else patient axes).
    pub gradient: Option<[f32; 3]>,
    /// Echo Number(s) (0018,0086).
    pub echo_number: Option<i32>,
    /// Inversion Time (0018,0082), ms.
    pub inversion_ms: Option<f32>,
    /// Repetition Time (0018,0080), ms.
    pub repetition_ms: Option<f32>,
    /// Temporal Position Identifier (0020,0100) or Temporal Position Index (0020,9128).
    pub temporal_index: Option<i32>,
    /// Temporal Position Time Offset (0020,930D) or Frame Reference Time (0054,1300), ms.
    pub time_offset_ms: Option<f32>,
    /// Trigger Time (0018,1060) or Nominal Cardiac Trigger Delay Time (0020,9153), ms.
    pub trigger_ms: Option<f32>,
    /// Nominal Percentage of Cardiac Phase (0020,9241).
    pub cardiac_percent: Option<f32>,
    /// Acquisition Number (0020,0012) or Frame Acquisition Number (0020,9156).
    pub acquisition: Option<i32>,
    /// Acquisition date and time, ms since the first of March of the year 0 (only differences mean something).
    pub acquired_ms: Option<i64>,
    /// Stack ID (0020,9056).
    pub stack: Option<Box<str>>,
    /// In-Stack Position Number (0020,9057).
    pub in_stack: Option<i32>,
    /// Kind of picture, where one is named.
    pub kind: Option<ImageKind>,
    /// Part of the complex signal.
    pub component: Component,
    /// Contrast/Bolus Agent (0018,0010) or its phase (0018,9344), where given.
    pub contrast: Option<Box<str>>,
    /// Convolution Kernel (0018,1210) of CT; Scanning Sequence and Sequence Variant of MR.
    pub technique: Option<Box<str>>,
    /// Other dimensions of the Dimension Index Sequence (0020,9222): tag pointed at, value.
    pub dimensions: Vec<(u32, u32)>,
    /// Position along the stack, mm, in a frame of reference that is not the patient's (ultrasound volumes).
    pub along_mm: Option<f32>,
    /// Tiles of a Siemens mosaic: many slices in one picture, whose stated position is none of theirs.
    pub mosaic_tiles: Option<u16>,
}

/// An attribute that carries a side, and the side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideStatement {
    /// Attribute, as `Image Laterality (0020,0062)`.
    pub source: Box<str>,
    /// Side.
    pub side: Laterality,
}

/// What an instance's header says beyond what every picture has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceTraits {
    /// All statements of the side, kept only where they contradict each other.
    pub side_conflict: Vec<SideStatement>,
    /// What a mammogram says of its view.
    pub mammogram: Option<Box<Mammogram>>,
}

/// How a picture of the breast came to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MammogramKind {
    /// An exposure.
    #[default]
    Exposure,
    /// A picture computed from tomosynthesis (Image Type value 4 GENERATED_2D).
    Synthetic,
    /// Reconstructed slices.
    Tomosynthesis,
    /// A projection of a tomosynthesis run, not meant for reading.
    TomoProjection,
}

/// View, modifiers and marks of a mammogram (PS3.3 C.8.11.7, C.8.21.6).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mammogram {
    /// View without modifiers: `CC`, `MLO` …
    pub view: Option<Box<str>>,
    /// The view was taken from View Position (0018,5101), not from a code.
    pub uncoded: bool,
    /// Modifiers in words: `magnification`, `spot compression`, `implant displaced` …
    pub modifiers: Vec<Box<str>>,
    /// Spot compression.
    pub spot: bool,
    /// Magnification.
    pub magnification: bool,
    /// Breast Implant Present (0028,1300): YES.
    pub implant: Option<bool>,
    /// Partial View (0028,1350): YES.
    pub partial: Option<bool>,
    /// Parts shown (0028,1352), in words.
    pub partial_parts: Vec<Box<str>>,
    /// How the picture came to be.
    pub kind: MammogramKind,
    /// Presentation Intent Type (0008,0068): for processing, not for reading.
    pub for_processing: bool,
    /// Slice Progression Direction (0054,0500).
    pub progression: Option<Box<str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        text.split('\\').map(str::to_owned).collect()
    }

    #[test]
    fn image_types_of_the_field() {
        let kind = |text: &str| ImageKind::from_image_type(&values(text), "MR");
        assert_eq!(kind(r"DERIVED\PRIMARY\DIFFUSION\ADC\ND\NORM"), Some(ImageKind::Adc));
        assert_eq!(kind(r"DERIVED\PRIMARY\DIFFUSION\TRACEW"), Some(ImageKind::Trace));
        assert_eq!(kind(r"ORIGINAL\PRIMARY\OUT_PHASE"), Some(ImageKind::OppositePhase));
        assert_eq!(kind(r"DERIVED\SECONDARY\PROJECTION IMAGE"), Some(ImageKind::Projection));
        assert_eq!(kind(r"ORIGINAL\PRIMARY\M_SE\M\SE"), None);
        assert_eq!(kind("ADC"), None, "values 1 and 2 never name a kind");
        // A lone F is fat in MR only.
        assert_eq!(ImageKind::from_image_type(&values(r"ORIGINAL\PRIMARY\F"), "CT"), None);
        assert_eq!(
            ImageKind::from_image_type(&values(r"ORIGINAL\PRIMARY\LOCALIZER"), "CT"),
            Some(ImageKind::Localizer)
        );
    }

    #[test]
    fn parts_of_the_complex_signal() {
        let part = |text: &str| Component::from_image_type(&values(text));
        assert_eq!(part(r"ORIGINAL\PRIMARY\M\ND\NORM"), Component::Magnitude);
        assert_eq!(part(r"ORIGINAL\PRIMARY\P\ND"), Component::Phase);
        assert_eq!(part(r"ORIGINAL\PRIMARY\PHASE MAP\P\FFE"), Component::Phase);
        assert_eq!(part(r"ORIGINAL\PRIMARY\R_IR\R\IR"), Component::Real);
        assert_eq!(part(r"ORIGINAL\PRIMARY\AXIAL"), Component::Magnitude);
    }
}
