//! QIDO-RS: which series a study has. The query string is written by hand: some servers do not decode it.

use super::ArchiveClient;
use super::json_items::JsonItems;
use crate::center::CenterError;
use crate::study::{SeriesUid, StudyUid};
use futures_util::StreamExt as _;

/// More series than any study has.
const MAX_SERIES: usize = 10_000;

/// A series as the archive lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesListed {
    /// Series.
    pub series: SeriesUid,
    /// Modality (0008,0060).
    pub modality: String,
    /// Series Number (0020,0011).
    pub number: Option<i64>,
    /// Number of Series Related Instances (0020,1209), where the archive says so.
    pub instances: Option<u64>,
}

impl ArchiveClient {
    /// Lists the series of a study, in series-number order. An unknown study has none.
    pub async fn series_of(&self, study: &StudyUid) -> Result<Vec<SeriesListed>, CenterError> {
        let path = format!("/studies/{study}/series?includefield=00080060&includefield=00200011&includefield=00201209");
        let answer = match self.get_patiently(&path, "application/dicom+json").await {
            Err(CenterError::Status(404)) => return Ok(Vec::new()),
            other => other?,
        };
        let mut items = JsonItems::default();
        let mut out = Vec::new();
        let mut stream = answer.bytes_stream();
        while let Some(chunk) = stream.next().await {
            items.push(&chunk?).map_err(|e| CenterError::Protocol(e.to_string()))?;
            while let Some(item) = items.next_item() {
                out.push(listed(&item)?);
                if out.len() > MAX_SERIES {
                    return Err(CenterError::Protocol("the list of series does not end".to_owned()));
                }
            }
        }
        if !items.finished() {
            return Err(CenterError::Offline("the list of series was cut off".to_owned()));
        }
        out.sort_by(|a, b| (a.number, &a.series).cmp(&(b.number, &b.series)));
        out.dedup_by(|a, b| a.series == b.series);
        Ok(out)
    }
}

fn listed(item: &[u8]) -> Result<SeriesListed, CenterError> {
    let bad = |what: &str| CenterError::Protocol(format!("series list: {what}"));
    let json: serde_json::Value = serde_json::from_slice(item).map_err(|_| bad("not JSON"))?;
    let value = |tag: &str| json.get(tag).and_then(|e| e.get("Value")).and_then(|v| v.get(0));
    // Numbers come as JSON numbers or as text, depending on the server.
    let whole = |tag: &str| {
        value(tag).and_then(|v| v.as_i64().or_else(|| v.as_str().and_then(|s| s.trim().parse::<i64>().ok())))
    };
    let uid = value("0020000E").and_then(|v| v.as_str()).ok_or_else(|| bad("no series UID"))?;
    Ok(SeriesListed {
        series: SeriesUid::new(uid).map_err(|_| bad("a series UID that is none"))?,
        modality: value("00080060").and_then(|v| v.as_str()).unwrap_or_default().to_owned(),
        number: whole("00200011"),
        instances: whole("00201209").and_then(|n| u64::try_from(n).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_both_read() {
        let item = br#"{"0020000E":{"vr":"UI","Value":["1.2.3"]},"00080060":{"vr":"CS","Value":["CT"]},
            "00200011":{"vr":"IS","Value":[" 4 "]},"00201209":{"vr":"IS","Value":[120]}}"#;
        let listed = listed(item).expect("listed");
        assert_eq!((listed.modality.as_str(), listed.number, listed.instances), ("CT", Some(4), Some(120)));
        assert!(super::listed(br#"{"0020000E":{"vr":"UI","Value":["../x"]}}"#).is_err());
        assert!(super::listed(b"{}").is_err());
    }
}
