//! One DICOM object comes into the center's archive: by `import` or by STOW-RS.
//!
//! The object's own bytes are kept as they came (files without the Part 10 header get one). What is served about it is made here,
//! once: the whole metadata as DICOM JSON, and the attributes that queries ask for at each level.

use super::error::Error;
use super::state::{Center, stamp};
use crate::center::contract::paths;
use crate::dicom::{Header, project, to_dicom_json};
use crate::study::hidden_debug;
use crate::study::{SeriesUid, SopInstanceUid, Study, StudyUid};
use crate::vault::digest::sha256_hex;
use rusqlite::{OptionalExtension as _, Transaction, params};
use serde_json::{Map, Value};
use std::fs;
use std::path::PathBuf;

/// Attributes of patient and study (PS3.18 table 10.6.3-3 and what worklists show).
const STUDY_TAGS: &[&str] = &[
    "00080005", "00080020", "00080030", "00080050", "00080080", "00080090", "00080201", "00081030", "00081048",
    "00081060", "00081080", "00100010", "00100020", "00100021", "00100030", "00100040", "00101010", "00101020",
    "00101030", "0020000D", "00200010",
];
/// Attributes of a series (table 10.6.3-4).
const SERIES_TAGS: &[&str] = &[
    "00080005", "00080021", "00080031", "00080060", "00080070", "0008103E", "00081090", "00081070", "00080064",
    "00180015", "00181030", "00185100", "00200011", "0020000E", "00200052", "00200060", "00400244", "00400245",
    "00400275",
];

/// An object that was understood and lies in a staging folder.
pub struct Understood {
    /// Projection: one series, one instance.
    pub study: Study,
    /// Where the bytes lie now.
    staged: PathBuf,
    bytes: u64,
    sha256: String,
    transfer_syntax: String,
    metadata: Value,
    /// What was odd about it.
    pub warnings: Vec<String>,
}

hidden_debug!(Understood { study, bytes });

/// Identifiers of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids {
    /// Study.
    pub study: StudyUid,
    /// Series.
    pub series: SeriesUid,
    /// Instance.
    pub instance: SopInstanceUid,
    /// SOP class.
    pub sop_class: String,
}

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// New.
    New,
    /// The same bytes were there already.
    Known,
}

/// Why an object was not taken; for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not DICOM, or damaged beyond its identity.
    #[error("{0}")]
    Unreadable(String),
    /// Another object has this SOP Instance UID.
    #[error("another object with this SOP Instance UID is held already")]
    Differs,
    /// The series is part of another study.
    #[error("its series belongs to another study")]
    SeriesElsewhere,
}

impl Understood {
    /// Its identifiers.
    pub fn ids(&self) -> Option<Ids> {
        let series = self.study.series.first()?;
        let instance = series.instances.first()?;
        Some(Ids {
            study: self.study.uid.clone(),
            series: series.uid.clone(),
            instance: instance.uid.clone(),
            sop_class: instance.sop_class.clone(),
        })
    }
}

/// Reads an object's identity and metadata and stages its bytes. Blocks.
pub fn understand(
    staging: &super::files::Staging,
    name: &str,
    bytes: Vec<u8>,
) -> Result<Result<Understood, Refused>, Error> {
    let unreadable = |why: String| Ok(Err(Refused::Unreadable(why)));
    let bytes = match with_file_header(bytes) {
        Ok(bytes) => bytes,
        Err(why) => return unreadable(why),
    };
    let (length, sha256) = (bytes.len() as u64, sha256_hex(&bytes));
    let staged = staging.put(name, &bytes)?;
    let refuse = |why: String| {
        fs::remove_file(&staged).map_err(Error::io(&staged))?;
        Ok(Err(Refused::Unreadable(why)))
    };
    let header = match Header::from_bytes(bytes) {
        Ok(header) => header,
        Err(error) => return refuse(error.to_string()),
    };
    let study = match project(&header, None) {
        Ok(study) => study,
        Err(error) => return refuse(error.to_string()),
    };
    let mut understood = Understood {
        staged: staged.clone(),
        bytes: length,
        sha256,
        transfer_syntax: header.transfer_syntax().to_owned(),
        metadata: Value::Null,
        warnings: header.warnings(),
        study,
    };
    let Some(ids) = understood.ids() else { return refuse("it has no series or instance".into()) };
    let base =
        format!("{}/studies/{}/series/{}/instances/{}/bulk", paths::DICOMWEB, ids.study, ids.series, ids.instance);
    let mut metadata = to_dicom_json(&header, &|path| Some(format!("{base}/{path}")));
    // What a client cannot know without group 0002: how the frames are stored.
    if let Some(object) = metadata.as_object_mut() {
        object.insert("00083002".to_owned(), serde_json::json!({ "vr": "UI", "Value": [understood.transfer_syntax] }));
    }
    understood.metadata = metadata;
    Ok(Ok(understood))
}

/// Part 10 bytes: preamble and file meta information are put before a bare data set.
fn with_file_header(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    if bytes.get(128..132) == Some(b"DICM") {
        return Ok(bytes);
    }
    if bytes.is_empty() {
        return Err("the file is empty".into());
    }
    let mut prefix = vec![0; 128];
    prefix.extend(b"DICM");
    if bytes.starts_with(&[2, 0]) {
        return Ok([prefix, bytes].concat());
    }
    let header = Header::from_bytes(bytes.clone()).map_err(|e| e.to_string())?;
    let study = project(&header, None).map_err(|e| e.to_string())?;
    let instance = study.series.first().and_then(|s| s.instances.first()).ok_or("it has no instance")?;
    let mut meta = element(0x01, *b"OB", &[0, 1]);
    meta.extend(element(0x02, *b"UI", instance.sop_class.as_bytes()));
    meta.extend(element(0x03, *b"UI", instance.uid.as_str().as_bytes()));
    meta.extend(element(0x10, *b"UI", header.transfer_syntax().as_bytes()));
    meta.extend(element(0x12, *b"UI", b"2.25.151428374850102837465019283746501928374"));
    prefix.extend(element(0x00, *b"UL", &u32::try_from(meta.len()).unwrap_or(u32::MAX).to_le_bytes()));
    prefix.extend(meta);
    Ok([prefix, bytes].concat())
}

/// An element of group 0002, explicit little endian.
fn element(number: u16, vr: [u8; 2], value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    if !value.len().is_multiple_of(2) {
        value.push(0);
    }
    let mut out = [2u16.to_le_bytes(), number.to_le_bytes()].concat();
    out.extend(vr);
    if &vr == b"OB" {
        out.extend([0, 0]);
        out.extend(u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
    } else {
        out.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    }
    out.extend(value);
    out
}

/// Puts an understood object into the archive. The file comes to its place before the row is committed.
pub fn keep(t: &Transaction<'_>, center: &Center, object: &Understood) -> Result<Result<Taken, Refused>, Error> {
    let Some(ids) = object.ids() else { return Ok(Err(Refused::Unreadable("it has no identity".into()))) };
    let held: Option<String> =
        t.query_row("SELECT sha256 FROM instance WHERE uid = ?1", [ids.instance.as_str()], |r| r.get(0)).optional()?;
    if let Some(sha256) = held {
        return Ok(if sha256 == object.sha256 { Ok(Taken::Known) } else { Err(Refused::Differs) });
    }
    let elsewhere: Option<String> =
        t.query_row("SELECT study_uid FROM series WHERE uid = ?1", [ids.series.as_str()], |r| r.get(0)).optional()?;
    if elsewhere.is_some_and(|study| study != ids.study.as_str()) {
        return Ok(Err(Refused::SeriesElsewhere));
    }
    let now = stamp(center.now());
    t.execute(
        "INSERT INTO study (uid, attributes, updated_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (uid) DO UPDATE SET updated_at = excluded.updated_at",
        params![ids.study.as_str(), pick(&object.metadata, STUDY_TAGS).to_string(), now],
    )?;
    let series = object.study.series.first();
    t.execute(
        "INSERT OR IGNORE INTO series (uid, study_uid, modality, number, attributes) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            ids.series.as_str(),
            ids.study.as_str(),
            series.map(|s| s.modality.as_str()).unwrap_or_default(),
            series.and_then(|s| s.number),
            pick(&object.metadata, SERIES_TAGS).to_string(),
        ],
    )?;
    t.execute(
        "INSERT INTO instance (uid, series_uid, sop_class, transfer_syntax, number, bytes, sha256, metadata)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            ids.instance.as_str(),
            ids.series.as_str(),
            ids.sop_class,
            object.transfer_syntax,
            series.and_then(|s| s.instances.first()).and_then(|i| i.number).unwrap_or(i32::MAX),
            i64::try_from(object.bytes).unwrap_or(i64::MAX),
            object.sha256,
            serde_json::to_vec(&object.metadata)?,
        ],
    )?;
    super::files::Files::settle(&object.staged, &center.files().instance(&ids.study, &ids.series, &ids.instance))?;
    Ok(Ok(Taken::New))
}

fn pick(metadata: &Value, tags: &[&str]) -> Value {
    let mut out = Map::new();
    for tag in tags {
        if let Some(value) = metadata.get(*tag) {
            out.insert((*tag).to_owned(), value.clone());
        }
    }
    Value::Object(out)
}
