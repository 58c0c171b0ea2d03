//! Key images and rendered files: 8-bit RGB to PNG or JPEG, letterboxing to a wanted size.

use image::{ExtendedColorType, ImageEncoder, RgbImage, codecs::jpeg::JpegEncoder, codecs::png::PngEncoder};

/// Encoding failed.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// Size and bytes disagree.
    #[error("image buffer does not hold {0} x {1} RGB pixels")]
    Size(u32, u32),
    /// The encoder refused.
    #[error("image encoder")]
    Encoder(#[from] image::ImageError),
}

fn check(rgb: &[u8], width: u32, height: u32) -> Result<(), EncodeError> {
    let fits = rgb.len() as u64 == u64::from(width) * u64::from(height) * 3;
    if fits { Ok(()) } else { Err(EncodeError::Size(width, height)) }
}

/// RGB (3 bytes a pixel) to PNG.
pub fn encode_png(rgb: &[u8], width: u32, height: u32) -> Result<Vec<u8>, EncodeError> {
    check(rgb, width, height)?;
    let mut out = Vec::new();
    PngEncoder::new(&mut out).write_image(rgb, width, height, ExtendedColorType::Rgb8)?;
    Ok(out)
}

/// RGB (3 bytes a pixel) to JPEG, quality 1 to 100.
pub fn encode_jpeg(rgb: &[u8], width: u32, height: u32, quality: u8) -> Result<Vec<u8>, EncodeError> {
    check(rgb, width, height)?;
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, quality).write_image(rgb, width, height, ExtendedColorType::Rgb8)?;
    Ok(out)
}

/// Fits an RGB image into `width` × `height` on black, keeping its shape; `aspect` is pixel width over height.
pub fn letterbox(rgb: &[u8], from: [u32; 2], aspect: f64, width: u32, height: u32) -> Result<Vec<u8>, EncodeError> {
    check(rgb, from[0], from[1])?;
    let source = RgbImage::from_raw(from[0], from[1], rgb.to_vec()).ok_or(EncodeError::Size(from[0], from[1]))?;
    let (natural_w, natural_h) = (f64::from(from[0]) * aspect, f64::from(from[1]));
    let scale = (f64::from(width) / natural_w).min(f64::from(height) / natural_h);
    let target = [natural_w * scale, natural_h * scale].map(|v| (v.round() as u32).max(1));
    let [w, h] = [target[0].min(width), target[1].min(height)];
    let resized = image::imageops::resize(&source, w, h, image::imageops::FilterType::Triangle);
    let mut canvas = RgbImage::new(width, height);
    image::imageops::overlay(&mut canvas, &resized, i64::from((width - w) / 2), i64::from((height - h) / 2));
    Ok(canvas.into_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn png_round_trip_and_size_check() {
        let rgb = [10, 20, 30, 40, 50, 60];
        let png = encode_png(&rgb, 2, 1).expect("encodes");
        let back = image::load_from_memory(&png).expect("decodes").to_rgb8();
        assert_eq!(back.into_raw(), rgb);
        assert!(matches!(encode_png(&rgb, 2, 2), Err(EncodeError::Size(2, 2))));
        assert!(encode_jpeg(&rgb, 2, 1, 90).expect("encodes").starts_with(&[0xFF, 0xD8]));
    }

    #[test]
    fn letterbox_keeps_shape() {
        let white = vec![255u8; 2 * 2 * 3];
        let out = letterbox(&white, [2, 2], 1.0, 8, 4).expect("fits");
        let row = &out[..8 * 3];
        assert_eq!(row.iter().step_by(3).map(|v| u8::from(*v > 0)).collect::<Vec<_>>(), [0, 0, 1, 1, 1, 1, 0, 0]);
    }
}
