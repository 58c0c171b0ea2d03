//! WADO-RS: metadata of a series, whole series as one stream, single instances.

use super::ArchiveClient;
use super::json_items::JsonItems;
use super::media_type::MediaType;
use super::multipart::{Multipart, MultipartError};
use crate::center::CenterError;
use crate::center::client::capped;
use crate::study::{SeriesUid, SopInstanceUid, StudyUid};
use bytes::Bytes;
use futures_util::StreamExt as _;
use reqwest::header::CONTENT_TYPE;
use std::pin::Pin;

/// Largest instance that is taken.
const MAX_INSTANCE_BYTES: usize = 2 * 1024 * 1024 * 1024 - 1;

/// Stored encoding, whatever it is (PS3.18 8.7.3.5.2); servers that do not know `*` send what they have.
const ACCEPT_DICOM: &str = "multipart/related; type=\"application/dicom\"; transfer-syntax=*";

type Body = Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<Bytes>> + Send>>;

impl From<MultipartError> for CenterError {
    fn from(error: MultipartError) -> Self {
        Self::Protocol(error.to_string())
    }
}

/// Metadata of a series, instance by instance.
pub struct MetadataStream {
    body: Body,
    items: JsonItems,
}

impl std::fmt::Debug for MetadataStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MetadataStream(…)")
    }
}

impl MetadataStream {
    /// The next instances' DICOM JSON objects (as many as have come); `None` at the proper end.
    pub async fn next(&mut self) -> Result<Option<Vec<Vec<u8>>>, CenterError> {
        loop {
            let ready: Vec<_> = std::iter::from_fn(|| self.items.next_item()).collect();
            if !ready.is_empty() {
                return Ok(Some(ready));
            }
            match self.body.next().await {
                Some(chunk) => self.items.push(&chunk?).map_err(|e| CenterError::Protocol(e.to_string()))?,
                None if self.items.finished() => return Ok(None),
                None => return Err(CenterError::Offline("the metadata were cut off".to_owned())),
            }
        }
    }
}

enum Shape {
    Parts(Box<Multipart>),
    /// A single-part answer: the whole body is one instance.
    Single(Vec<u8>),
    Over,
}

/// Instances of a series as they arrive.
pub struct InstanceStream {
    body: Body,
    shape: Shape,
}

impl std::fmt::Debug for InstanceStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InstanceStream(…)")
    }
}

impl InstanceStream {
    /// The next instance's bytes, as stored; `None` at the proper end. A stream that ends without its closing
    /// delimiter is [`CenterError::Offline`]: what came before is good.
    pub async fn next(&mut self) -> Result<Option<Bytes>, CenterError> {
        loop {
            if let Shape::Parts(parts) = &mut self.shape {
                if let Some(part) = parts.next_part()? {
                    return Ok(Some(part));
                }
                if parts.finished() {
                    return Ok(None);
                }
            }
            match (self.body.next().await, &mut self.shape) {
                (_, Shape::Over) => return Ok(None),
                (Some(chunk), Shape::Parts(parts)) => parts.push(&chunk?),
                (Some(chunk), Shape::Single(whole)) => {
                    whole.extend_from_slice(&chunk?);
                    if whole.len() > MAX_INSTANCE_BYTES {
                        return Err(MultipartError::PartTooLarge(MAX_INSTANCE_BYTES).into());
                    }
                }
                (None, Shape::Parts(_)) => {
                    return Err(CenterError::Offline("the stream ended before its closing delimiter".to_owned()));
                }
                (None, Shape::Single(whole)) => {
                    let whole = std::mem::take(whole);
                    self.shape = Shape::Over;
                    return Ok((!whole.is_empty()).then(|| whole.into()));
                }
            }
        }
    }
}

impl ArchiveClient {
    /// The metadata of a series.
    pub async fn metadata(&self, study: &StudyUid, series: &SeriesUid) -> Result<MetadataStream, CenterError> {
        let path = format!("/studies/{study}/series/{series}/metadata");
        let answer = self.get_patiently(&path, "application/dicom+json").await?;
        Ok(MetadataStream { body: Box::pin(answer.bytes_stream()), items: JsonItems::default() })
    }

    /// All instances of a series in one stream.
    pub async fn series(&self, study: &StudyUid, series: &SeriesUid) -> Result<InstanceStream, CenterError> {
        self.instances_at(&format!("/studies/{study}/series/{series}")).await
    }

    /// One instance.
    pub async fn instance(
        &self,
        study: &StudyUid,
        series: &SeriesUid,
        instance: &SopInstanceUid,
    ) -> Result<Bytes, CenterError> {
        let path = format!("/studies/{study}/series/{series}/instances/{instance}");
        let mut stream = self.instances_at(&path).await?;
        let Some(bytes) = stream.next().await? else {
            return Err(CenterError::Protocol("the answer holds no instance".to_owned()));
        };
        // The end must be there too, or the part may have been the wrong one of a cut stream.
        match stream.next().await? {
            None => Ok(bytes),
            Some(_) => Err(CenterError::Protocol("the answer holds more than one instance".to_owned())),
        }
    }

    async fn instances_at(&self, path: &str) -> Result<InstanceStream, CenterError> {
        let answer = self.get_patiently(path, ACCEPT_DICOM).await?;
        let media_type = answer.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let media_type = MediaType::parse(media_type);
        let shape = match media_type.essence.as_str() {
            "multipart/related" | "multipart/mixed" => {
                let boundary = media_type.parameter("boundary").ok_or(MultipartError::NoBoundary)?;
                Shape::Parts(Box::new(Multipart::new(boundary, MAX_INSTANCE_BYTES)?))
            }
            "application/dicom" | "application/octet-stream" => Shape::Single(Vec::new()),
            other => {
                let detail = format!("{other:.60} instead of DICOM");
                // The body may say why; it is read only to free the connection.
                capped(answer, 64 * 1024).await?;
                return Err(CenterError::Protocol(detail));
            }
        };
        Ok(InstanceStream { body: Box::pin(answer.bytes_stream()), shape })
    }
}
