//! `dokuei render`: one frame of a file as PNG, offscreen, by the window's own pipeline or by the CPU reference.

use super::args::{RenderArgs, Renderer};
use crate::dicom::{DecodeError, Object, ReadError};
use crate::imaging::{EncodeError, Frame, Look, Resampling, auto_window, encode_png, render_placed};
use crate::study::{FrameIndex, Voi, VoiFunction};
use crate::viewport::{Geometry, ViewPresentation, Zoom};
use std::sync::Arc;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The file cannot be read.
    #[error("cannot read the file")]
    Read(#[from] ReadError),
    /// The frame cannot be decoded.
    #[error("cannot decode the frame")]
    Decode(#[from] DecodeError),
    /// The GPU gave no picture.
    #[error("cannot draw the frame: {0}")]
    Draw(String),
    /// The PNG could not be made.
    #[error("cannot encode the picture")]
    Encode(#[from] EncodeError),
    /// The PNG could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// File.
        path: std::path::PathBuf,
        /// Cause.
        source: std::io::Error,
    },
}

/// Size of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// One picture pixel for each image pixel, whatever its shape.
    Native,
    /// Width and height; the image is fitted in its true shape, the rest is black.
    Fitted([u32; 2]),
}

/// Longest edge of a picture.
const MAX_EDGE: u32 = 16384;

/// `native` or `WxH`.
pub fn parse_size(text: &str) -> Result<Size, RenderError> {
    if text == "native" {
        return Ok(Size::Native);
    }
    let edge = |t: &str| t.parse::<u32>().ok().filter(|v| (1..=MAX_EDGE).contains(v));
    let parsed = text.split_once(['x', 'X']).and_then(|(w, h)| Some([edge(w)?, edge(h)?]));
    parsed.map(Size::Fitted).ok_or_else(|| {
        RenderError::Usage(format!("--size takes `native` or WIDTHxHEIGHT up to {MAX_EDGE}, not `{text}`"))
    })
}

/// `CENTER,WIDTH` as a LINEAR window (PS3.3 C.11.2.1.2.1); below a width of 1, which LINEAR does not know,
/// as LINEAR_EXACT. A third word names the function.
pub fn parse_window(text: &str) -> Result<Voi, RenderError> {
    let number = |t: &str| t.trim().parse::<f64>().ok().filter(|v| v.is_finite());
    let parsed = || {
        let mut parts = text.split(',');
        let (center, width) = (number(parts.next()?)?, number(parts.next()?)?);
        let function = match parts.next().map(str::trim) {
            None if width < 1.0 => VoiFunction::LinearExact,
            None | Some("linear") => VoiFunction::Linear,
            Some("linear-exact") => VoiFunction::LinearExact,
            Some("sigmoid") => VoiFunction::Sigmoid,
            Some(_) => return None,
        };
        let least = if function == VoiFunction::Linear { 1.0 } else { f64::MIN_POSITIVE };
        (parts.next().is_none() && width >= least).then_some(Voi { center, width, function })
    };
    parsed().ok_or_else(|| {
        let functions = "linear (width 1 or more), linear-exact or sigmoid";
        RenderError::Usage(format!("--window takes CENTER,WIDTH with a width above 0 and {functions}, not `{text}`"))
    })
}

/// The window in force: the wished one, the frame's own first, or one from its values.
pub fn window_of(frame: &Frame, wished: Option<Voi>) -> Voi {
    wished.or_else(|| frame.voi.first().copied()).unwrap_or_else(|| auto_window(frame))
}

/// Draws frames; keeps its device from one to the next.
pub struct Drawer {
    #[cfg(feature = "gui")]
    gpu: Option<crate::render::Offscreen>,
}

impl Drawer {
    /// On the GPU (or the software driver in its place), or on the processor.
    #[cfg(feature = "gui")]
    pub fn new(renderer: Renderer) -> Result<Self, RenderError> {
        use crate::render::{Budgets, Gpu, Offscreen};
        let gpu = match renderer {
            Renderer::Cpu => None,
            Renderer::Gpu => {
                let gpu = Gpu::headless_any().map_err(|error| RenderError::Draw(error.to_string()))?;
                tracing::info!(adapter = gpu.facts.name, software = gpu.facts.software, "drawing offscreen");
                Some(Offscreen::new(gpu, Budgets::default()))
            }
        };
        Ok(Self { gpu })
    }

    /// On the processor; this program was built without graphics.
    #[cfg(not(feature = "gui"))]
    pub fn new(renderer: Renderer) -> Result<Self, RenderError> {
        match renderer {
            Renderer::Cpu => Ok(Self {}),
            Renderer::Gpu => {
                Err(RenderError::Draw("this program was built without graphics; use --renderer cpu".to_owned()))
            }
        }
    }

    /// Draws a frame: RGB bytes with width and height.
    pub fn draw(&mut self, frame: &Arc<Frame>, voi: Voi, size: Size) -> Result<(Vec<u8>, [u32; 2]), RenderError> {
        let (size_px, aspect, zoom) = match size {
            Size::Native => ([frame.columns, frame.rows], 1.0, Zoom::PixelScale(1.0)),
            Size::Fitted(size) => (size, frame.pixel_aspect, Zoom::Fit),
        };
        let view = ViewPresentation { zoom, ..ViewPresentation::default() };
        let geometry = Geometry::new(size_px.map(f64::from), frame.columns, frame.rows, aspect, view);
        let map = geometry.pixel_from_screen_affine();
        let look = Look::of(frame, voi, false);
        #[cfg(feature = "gui")]
        if let Some(gpu) = &mut self.gpu {
            return Ok((on_gpu(gpu, frame, look, map, size_px)?, size_px));
        }
        Ok((render_placed(frame, &look, &map, size_px, Resampling::default()), size_px))
    }
}

#[cfg(feature = "gui")]
fn on_gpu(
    gpu: &mut crate::render::Offscreen,
    frame: &Arc<Frame>,
    look: Look,
    pixel_from_screen: glam::DAffine2,
    size_px: [u32; 2],
) -> Result<Vec<u8>, RenderError> {
    use crate::render::{Picture, Scene};
    let frame = Arc::clone(frame);
    let picture = Picture { frame, pixel_from_screen, look, resampling: Resampling::default() };
    let scene = Scene { origin_px: [0, 0], size_px, picture: Some(picture) };
    let (rgb, shown) = gpu.render(&scene).map_err(|error| RenderError::Draw(error.to_string()))?;
    match shown.failure {
        Some(failure) => Err(RenderError::Draw(failure.to_string())),
        None => Ok(rgb),
    }
}

/// Renders as the command line says; gives the frame's warnings for whoever called.
pub fn run(args: &RenderArgs) -> Result<Vec<String>, RenderError> {
    let size = parse_size(&args.size)?;
    let wished = args.window.as_deref().map(parse_window).transpose()?;
    let index = args.frame.checked_sub(1).map(FrameIndex);
    let index = index.ok_or_else(|| RenderError::Usage("frames count from 1".to_owned()))?;
    let frame = Arc::new(Object::read(&args.file)?.frame(index)?);
    let voi = window_of(&frame, wished);
    let (rgb, [width, height]) = Drawer::new(args.renderer)?.draw(&frame, voi, size)?;
    let png = encode_png(&rgb, width, height)?;
    std::fs::write(&args.out, png).map_err(|source| RenderError::Write { path: args.out.clone(), source })?;
    Ok(frame.warnings.iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::{Pixels, render_rgb};

    fn frame() -> Arc<Frame> {
        Arc::new(Frame {
            voi: vec![Voi::linear(100.0, 2000.0)],
            pixel_aspect: 2.0,
            ..Frame::plain(20, 30, Pixels::I16((0..600).map(|v| v * 7 - 1000).collect()))
        })
    }

    fn cpu() -> Drawer {
        Drawer::new(Renderer::Cpu).expect("needs nothing")
    }

    #[test]
    fn sizes_and_windows_are_read_or_refused() {
        assert_eq!(parse_size("native").ok(), Some(Size::Native));
        assert_eq!(parse_size("640x480").ok(), Some(Size::Fitted([640, 480])));
        for bad in ["", "640", "0x5", "5x0", "-1x5", "99999x5", "axb"] {
            assert!(matches!(parse_size(bad), Err(RenderError::Usage(_))), "{bad}");
        }
        assert_eq!(parse_window("-600,1500").ok(), Some(Voi::linear(-600.0, 1500.0)));
        for bad in
            ["4,5,cubic", "4,5,sigmoid,1", "4,0.5,linear", "", "40", "40,0", "40,-0.5", "40,-1", "NaN,400", "40,inf"]
        {
            assert!(matches!(parse_window(bad), Err(RenderError::Usage(_))), "{bad}");
        }
        assert_eq!(parse_window("0.5,0.25").ok().map(|v| v.function), Some(VoiFunction::LinearExact));
        assert_eq!(parse_window("4,0.5,sigmoid").ok().map(|v| v.function), Some(VoiFunction::Sigmoid));
        assert_eq!(window_of(&frame(), None), Voi::linear(100.0, 2000.0));
    }

    #[test]
    fn native_is_pixel_for_pixel_and_fitted_keeps_the_shape() {
        let voi = Voi::linear(100.0, 2000.0);
        let (rgb, size) = cpu().draw(&frame(), voi, Size::Native).expect("draws");
        assert_eq!((rgb, size), (render_rgb(&frame(), &voi, false), [30, 20]));
        // 30 × 2 wide, 20 high: 120 × 40 in a square of 120.
        let (rgb, size) = cpu().draw(&frame(), voi, Size::Fitted([120, 120])).expect("draws");
        assert_eq!(size, [120, 120]);
        let lit = |y: usize| rgb[y * 360..(y + 1) * 360].iter().any(|v| *v > 0);
        let rows: Vec<usize> = (0..120).filter(|y| lit(*y)).collect();
        // The darkest rows may be black; none outside is lit.
        assert!(rows.iter().all(|y| (40..80).contains(y)) && rows.len() > 20, "{rows:?}");
    }

    #[cfg(feature = "gui")]
    #[test]
    fn both_renderers_agree() {
        let voi = Voi::linear(100.0, 2000.0);
        let mut drawer = Drawer::new(Renderer::Gpu).expect("needs mesa-vulkan-drivers");
        for size in [Size::Native, Size::Fitted([17, 40]), Size::Fitted([200, 150])] {
            let (cpu, _) = cpu().draw(&frame(), voi, size).expect("draws");
            let (gpu, _) = drawer.draw(&frame(), voi, size).expect("draws");
            let largest = cpu.iter().zip(&gpu).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(largest <= Some(1), "{size:?}: {largest:?}");
        }
    }

    #[test]
    fn a_missing_file_is_an_error() {
        let args = RenderArgs {
            file: "nowhere.dcm".into(),
            frame: 1,
            window: None,
            size: "native".into(),
            renderer: Renderer::Cpu,
            out: "nowhere.png".into(),
        };
        assert!(matches!(run(&args), Err(RenderError::Read(_))));
        assert!(matches!(run(&RenderArgs { frame: 0, ..args }), Err(RenderError::Usage(_))));
    }
}
