//! The known answers, written as `truth.json` beside the files.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Everything that is known about the generated studies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// Date of the current studies.
    pub base_date: Date,
    /// Studies, current and prior.
    pub studies: Vec<StudyTruth>,
}

/// A person as in the files. `Debug` does not print these people's names only because they do not exist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PatientTruth {
    /// Alphabetic group, `Family^Given`.
    pub alphabetic: String,
    /// Ideographic group.
    pub ideographic: String,
    /// Phonetic group.
    pub phonetic: String,
    /// Patient ID (0010,0020).
    pub patient_id: String,
    /// Issuer of Patient ID (0010,0021).
    pub issuer: String,
    /// Birth date.
    pub birth_date: Date,
    /// `M` or `F`.
    pub sex: String,
    /// Completed years at the study.
    pub age: i16,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FacilityTruth {
    /// Code of the facility: 10 digits.
    pub code: String,
    /// Name, Japanese.
    pub name: String,
    /// Department, Japanese.
    pub department: String,
    /// Requesting physician, Japanese.
    pub physician: String,
}

/// What a request form 依頼票 for the study would say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestTruth {
    /// `diagnosis` (遠隔画像診断) or `opinion` (遠隔読影).
    pub kind: String,
    /// `clinical` or `screening`.
    pub flow: String,
    /// `stat`, `urgent`, `next_clinic_day` or `routine`.
    pub priority: String,
    /// Clinical information 臨床情報.
    pub clinical_information: String,
    /// Question 検査目的.
    pub question: String,
    /// History 既往歴.
    pub history: String,
    /// Body parts, Japanese.
    pub body_parts: Vec<String>,
    /// Contrast 造影: `なし`, `単純+造影`.
    pub contrast: String,
    /// Comparison with the prior is asked for.
    pub comparison: bool,
}

/// One series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesTruth {
    /// Series Instance UID.
    pub series_uid: String,
    /// Series Number.
    pub number: i32,
    /// Modality.
    pub modality: String,
    /// Series Description.
    pub description: String,
    /// Folder below the root, with `/`.
    pub folder: String,
    /// Number of instances.
    pub instances: usize,
    /// Number of frames in all.
    pub frames: usize,
    /// b value, s/mm².
    pub b_value: Option<f64>,
    /// SD of the noise in stored units after rescale (HU for CT).
    pub noise_sd: Option<f64>,
}

/// A measured value that a region of a series should give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValueTruth {
    /// Series Instance UID.
    pub series_uid: String,
    /// Mean of the region.
    pub mean: f64,
    /// `HU`, `1e-6 mm2/s` or `1` (arbitrary).
    pub unit: String,
}

/// A place in one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImagePlace {
    /// SOP Instance UID.
    pub sop_instance_uid: String,
    /// Column from 0, centre of the thing.
    pub column: f64,
    /// Row from 0.
    pub row: f64,
}

/// A lesion, or a place of even tissue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegionTruth {
    /// `lung_nodule`, `liver_metastasis`, `even_liver`, …
    pub kind: String,
    /// Japanese words for it, as a report would name it.
    pub name: String,
    /// Centre in patient mm (frame of reference of the study); none for projections.
    pub centre_mm: Option<[f64; 3]>,
    /// Longest and shortest diameter, mm.
    pub size_mm: [f64; 2],
    /// Radius about the centre within which the values below hold, mm.
    pub core_radius_mm: f64,
    /// Places in projection images.
    pub images: Vec<ImagePlace>,
    /// Known values.
    pub values: Vec<ValueTruth>,
    /// It was smaller or absent in the prior study: longest diameter there, mm.
    pub prior_size_mm: Option<f64>,
}

/// A structure with stated value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TissueTruth {
    /// Name of the tissue.
    pub tissue: String,
    /// Series Instance UID.
    pub series_uid: String,
    /// Stated value: HU for CT, signal for MR.
    pub value: f64,
}

/// One study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyTruth {
    /// Short stable name, also the folder: `ct-current`.
    pub key: String,
    /// Study Instance UID.
    pub study_uid: String,
    /// `CT`, `MRI`, `MMG`, `DWIBS`, `RF`, `CR`.
    pub exam_kind: String,
    /// Modality.
    pub modality: String,
    /// Specific Character Set of its files.
    pub character_set: String,
    /// This study is a prior of the study with this UID.
    pub prior_of: Option<String>,
    /// Study Date.
    pub study_date: Date,
    /// Study Time, `HHMMSS`.
    pub study_time: String,
    /// Study Description.
    pub description: String,
    /// Accession Number.
    pub accession_number: String,
    /// Frame of Reference UID shared by its tomograms.
    pub frame_of_reference_uid: Option<String>,
    /// The person.
    pub patient: PatientTruth,
    /// Who asks.
    pub facility: FacilityTruth,
    /// What is asked.
    pub request: RequestTruth,
    /// Series.
    pub series: Vec<SeriesTruth>,
    /// Lesions.
    pub lesions: Vec<RegionTruth>,
    /// Even places for measuring noise.
    pub even_places: Vec<RegionTruth>,
    /// Structures with stated values.
    pub tissues: Vec<TissueTruth>,
}
