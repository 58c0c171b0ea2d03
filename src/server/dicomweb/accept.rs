//! `Accept` as DICOMweb uses it (PS3.18 8.7): ranges with quoted types and transfer syntaxes.

use crate::center::contract::ProblemType;
use crate::server::error::{ApiError, ApiResult};
use crate::server::multipart::{media_type, parameter};
use axum::http::{HeaderMap, header};

/// One acceptable range.
#[derive(Debug, Clone, PartialEq)]
struct Range {
    essence: String,
    /// `type=` of a multipart range.
    of: Option<String>,
    transfer_syntax: Option<String>,
    weight: f32,
}

/// All ranges of a request, the most wanted first.
#[derive(Debug, Clone, PartialEq)]
pub struct Accept(Vec<Range>);

/// How to answer with bulk content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `multipart/related`.
    Multipart,
    /// The bare content.
    Single,
}

impl Accept {
    /// From the headers; absent means anything.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let mut ranges = Vec::new();
        for value in headers.get_all(header::ACCEPT) {
            for entry in split(value.to_str().unwrap_or_default()) {
                let (essence, parameters) = media_type(&entry);
                if essence.is_empty() {
                    continue;
                }
                let inner = parameter(&parameters, "type").map(media_type);
                let syntax = parameter(&parameters, "transfer-syntax")
                    .or_else(|| inner.as_ref().and_then(|(_, p)| parameter(p, "transfer-syntax")));
                let weight = parameter(&parameters, "q").map_or(1.0, |q| q.parse().unwrap_or(0.0));
                if weight > 0.0 {
                    let transfer_syntax = syntax.map(str::to_owned);
                    ranges.push(Range { essence, of: inner.map(|(e, _)| e), transfer_syntax, weight });
                }
            }
        }
        if ranges.is_empty() {
            ranges.push(Range { essence: "*/*".into(), of: None, transfer_syntax: None, weight: 1.0 });
        }
        ranges.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        Self(ranges)
    }

    /// How to send `content` stored in `syntaxes`. Nothing is transcoded: a range that asks for another encoding does not fit.
    /// Without a wish, or with `*`, the stored encoding is sent.
    pub fn shape(&self, content: &str, syntaxes: &[&str], single_possible: bool) -> ApiResult<Shape> {
        for range in &self.0 {
            let wanted = range.transfer_syntax.as_deref();
            if wanted.is_some_and(|w| w != "*" && syntaxes.iter().any(|s| *s != w)) {
                continue;
            }
            let whole = range.essence == "*/*";
            let multipart = range.essence == "multipart/related" || range.essence == "multipart/*";
            let fits = range.of.as_deref().is_none_or(|of| of == content || of == "*/*");
            if whole || (multipart && fits) {
                return Ok(Shape::Multipart);
            }
            if single_possible && range.essence == content {
                return Ok(Shape::Single);
            }
        }
        Err(ApiError::new(ProblemType::NotAcceptable, format!("{content} in the stored encoding is available")))
    }

    /// The first of `offers` that is acceptable.
    pub fn choose<'a>(&self, offers: &[&'a str]) -> ApiResult<&'a str> {
        for range in &self.0 {
            let (kind, any) = range.essence.split_once('/').unwrap_or((&range.essence, ""));
            let fits = |offer: &&&str| {
                range.essence == "*/*"
                    || range.essence == **offer
                    || (any == "*" && offer.split('/').next() == Some(kind))
            };
            if let Some(offer) = offers.iter().find(fits) {
                return Ok(offer);
            }
        }
        Err(ApiError::new(ProblemType::NotAcceptable, format!("available: {}", offers.join(", "))))
    }
}

/// Splits at commas outside quotes.
fn split(value: &str) -> Vec<String> {
    let (mut out, mut current, mut quoted) = (Vec::new(), String::new(), false);
    for c in value.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                current.push(c);
            }
            ',' if !quoted => out.push(std::mem::take(&mut current)),
            _ => current.push(c),
        }
    }
    out.push(current);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const CT: &str = "1.2.840.10008.1.2.1";

    fn accept(text: &'static str) -> Accept {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(text));
        Accept::from_headers(&headers)
    }

    #[test]
    fn shapes() {
        let shape = |text, single| accept(text).shape("application/dicom", &[CT], single).ok();
        assert_eq!(shape("*/*", true), Some(Shape::Multipart));
        assert_eq!(
            shape("multipart/related; type=\"application/dicom\"; transfer-syntax=*", true),
            Some(Shape::Multipart)
        );
        assert_eq!(
            shape("multipart/related; type=\"application/dicom; transfer-syntax=*\"", true),
            Some(Shape::Multipart)
        );
        assert_eq!(shape("application/dicom", true), Some(Shape::Single));
        assert_eq!(shape("application/dicom", false), None);
        assert_eq!(shape("multipart/related; type=\"image/jpeg\"", true), None);
        assert_eq!(
            shape("multipart/related; type=\"application/dicom\"; transfer-syntax=1.2.840.10008.1.2.4.80", true),
            None
        );
        assert_eq!(shape("application/dicom; q=0, */*; q=0.1", true), Some(Shape::Multipart));
    }

    #[test]
    fn choices_follow_the_weights() {
        let offers = ["application/dicom+json", "application/json"];
        assert_eq!(accept("application/json").choose(&offers).ok(), Some("application/json"));
        assert_eq!(accept("application/*").choose(&offers).ok(), Some("application/dicom+json"));
        assert!(accept("application/dicom+xml").choose(&offers).is_err());
        assert_eq!(accept("image/png;q=0.5, image/jpeg").choose(&["image/png", "image/jpeg"]).ok(), Some("image/jpeg"));
    }
}
