//! Study ▸ series ▸ instance ▸ frame: the small projection of each header that the workstation keeps.

use super::hidden_debug;
use super::{FrameTraits, ImagePlane, InstanceTraits, Patient, SeriesUid, SopInstanceUid, StudyUid};
use serde::{Deserialize, Serialize};

/// What kind of exam a request asks about; decides template, layout and words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ExamKind {
    /// Computed tomography.
    CT,
    /// Magnetic resonance.
    MRI,
    /// Mammography.
    MMG,
    /// Whole-body diffusion.
    DWIBS,
    /// Fluoroscopy (stomach).
    RF,
    /// Computed or digital radiography.
    CR,
    /// Ultrasound.
    US,
    /// Positron emission tomography.
    PET,
    /// Anything else.
    OTHER,
}

impl ExamKind {
    /// The name on the wire and in file names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CT => "CT",
            Self::MRI => "MRI",
            Self::MMG => "MMG",
            Self::DWIBS => "DWIBS",
            Self::RF => "RF",
            Self::CR => "CR",
            Self::US => "US",
            Self::PET => "PET",
            Self::OTHER => "OTHER",
        }
    }

    /// The best guess from the modalities of a study (0008,0061); a request form overrides it.
    pub fn from_modalities<'a>(modalities: impl IntoIterator<Item = &'a str>) -> Self {
        let mut kind = Self::OTHER;
        for modality in modalities {
            let this = match modality {
                "MG" => return Self::MMG,
                "PT" => Self::PET,
                "CT" => Self::CT,
                "MR" => Self::MRI,
                "RF" | "XA" => Self::RF,
                "CR" | "DX" => Self::CR,
                "US" => Self::US,
                _ => Self::OTHER,
            };
            kind = kind.min(this);
        }
        kind
    }
}

/// Which side a picture shows: Image Laterality (0020,0062) or Laterality (0020,0060).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Laterality {
    /// Right.
    R,
    /// Left.
    L,
    /// Both.
    B,
}

/// VOI LUT Function (0028,1056), or a VOI LUT in its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum VoiFunction {
    /// PS3.3 C.11.2.1.2.1; also where the attribute is absent.
    #[default]
    Linear,
    /// PS3.3 C.11.2.1.3.2.
    LinearExact,
    /// PS3.3 C.11.2.1.3.1.
    Sigmoid,
    /// The frame's VOI LUT of this number, from 0 (PS3.3 C.11.2.1.1), laid over the window: the one whose centre and
    /// width are those of the LUT's input shows it as stored, any other stretches it.
    Lut(u8),
}

/// A window: centre and width in the units after the modality transform.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Voi {
    /// Window Center (0028,1050).
    pub center: f64,
    /// Window Width (0028,1051); ≥ 1 for LINEAR, > 0 otherwise.
    pub width: f64,
    /// How centre and width are meant.
    #[serde(default)]
    pub function: VoiFunction,
}

impl Voi {
    /// A LINEAR window.
    pub fn linear(center: f64, width: f64) -> Self {
        Self { center, width, function: VoiFunction::Linear }
    }
}

/// What is known of one frame before its pixels are there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FrameInfo {
    /// Place in the patient, if the object says so.
    pub plane: Option<ImagePlane>,
    /// Row and column spacing in mm where there is no plane (projection images: Imager Pixel Spacing).
    pub spacing_mm: Option<[f64; 2]>,
    /// Diffusion b-value, s/mm².
    pub b_value: Option<f64>,
    /// Echo Time (0018,0081), ms.
    pub echo_time_ms: Option<f64>,
    /// Windows stored with the frame, in order.
    pub voi: Vec<Voi>,
    /// Speed at which a run of frames is meant to be shown, frames per second.
    #[serde(default)]
    pub cine_rate_hz: Option<f64>,
    /// What else tells this frame from others of its series.
    #[serde(default)]
    pub traits: FrameTraits,
}

/// One SOP instance: identity plus what splitting, sorting and labelling need. No pixels, no object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// SOP Instance UID.
    pub uid: SopInstanceUid,
    /// SOP Class UID.
    pub sop_class: String,
    /// Transfer syntax it is stored in, if known yet.
    pub transfer_syntax: Option<String>,
    /// Instance Number (0020,0013).
    pub number: Option<i32>,
    /// Rows (0028,0010); 0 without pixels.
    pub rows: u32,
    /// Columns (0028,0011); 0 without pixels.
    pub columns: u32,
    /// Number of frames, at least 1 where there are pixels, 0 otherwise.
    pub frames: u32,
    /// Image Type (0008,0008).
    pub image_type: Vec<String>,
    /// Photometric Interpretation (0028,0004).
    pub photometric: String,
    /// Frame of Reference UID (0020,0052).
    pub frame_of_reference: Option<String>,
    /// Acquisition Number (0020,0012).
    pub acquisition_number: Option<i32>,
    /// Side shown.
    pub laterality: Option<Laterality>,
    /// View label without side, e.g. `MLO`, `CC` (mammography), or View Position (0018,5101).
    pub view: Option<String>,
    /// Patient Orientation (0020,0020): toward the right edge, toward the bottom edge.
    pub patient_orientation: Option<[String; 2]>,
    /// One entry per frame, or a single entry that holds for all frames.
    pub frame_info: Vec<FrameInfo>,
    /// Why this instance cannot be shown as a picture, if so (found by metadata alone).
    pub not_an_image: Option<String>,
    /// What else the header says.
    #[serde(default)]
    pub traits: InstanceTraits,
}

impl Instance {
    /// The frame's information; a single entry serves all frames.
    pub fn frame(&self, index: u32) -> Option<&FrameInfo> {
        if self.frame_info.len() == 1 { self.frame_info.first() } else { self.frame_info.get(index as usize) }
    }
}

/// A series and its instances in the order received.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Series Instance UID.
    pub uid: SeriesUid,
    /// Modality (0008,0060).
    pub modality: String,
    /// Series Number (0020,0011).
    pub number: Option<i32>,
    /// Series Description (0008,103E).
    pub description: String,
    /// Body Part Examined (0018,0015).
    pub body_part: String,
    /// Instances known so far.
    pub instances: Vec<Instance>,
}

/// A study with its patient and series.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// Study Instance UID.
    pub uid: StudyUid,
    /// The patient as this study names them.
    pub patient: Patient,
    /// Other patients that objects of this study name: not empty means that the study must not be read as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_patients: Vec<Patient>,
    /// Series in which something names one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strange_series: Vec<SeriesUid>,
    /// What is odd about the coding of names and descriptions, in English: they were repaired, or cannot be read
    /// with certainty (PS3.5 6.1.2). Each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub text_notes: Vec<String>,
    /// Study Date (0008,0020).
    pub date: Option<jiff::civil::Date>,
    /// Study Time (0008,0030).
    pub time: Option<jiff::civil::Time>,
    /// Accession Number (0008,0050).
    pub accession: String,
    /// Study Description (0008,1030).
    pub description: String,
    /// Institution Name (0008,0080).
    pub institution: String,
    /// Series, in series-number order.
    pub series: Vec<Series>,
}

hidden_debug!(Study { uid, date, series });

impl Study {
    /// Takes in what was odd about another object's text.
    pub fn note_text(&mut self, notes: &[String]) {
        for note in notes {
            if !self.text_notes.contains(note) {
                self.text_notes.push(note.clone());
            }
        }
    }

    /// The series with this UID.
    pub fn series(&self, uid: &SeriesUid) -> Option<&Series> {
        self.series.iter().find(|s| &s.uid == uid)
    }
    /// Number of instances named in all series.
    pub fn instance_count(&self) -> usize {
        self.series.iter().map(|s| s.instances.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exam_kind_prefers_the_specific() {
        assert_eq!(ExamKind::from_modalities(["SR", "MG"]), ExamKind::MMG);
        assert_eq!(ExamKind::from_modalities(["CT", "PT", "SEG"]), ExamKind::CT);
        assert_eq!(ExamKind::from_modalities(["DX"]), ExamKind::CR);
        assert_eq!(ExamKind::from_modalities(["KO"]), ExamKind::OTHER);
    }
}
