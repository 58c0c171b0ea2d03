//! `dokuei pixels --state`: a frame under a presentation state.

use super::npy::Numbers;
use super::pixels::PixelsError;
use crate::dicom::{Header, Object, project, read_object};
use crate::imaging::Frame;
use crate::study::{FrameIndex, FrameRef};
use crate::viewport::state_object::PresentationState;
use crate::viewport::{ObjectContent, Oddity, ViewPresentation};
use std::path::Path;

/// A presentation state, and the frame that it is laid over.
pub struct Applied {
    state: PresentationState,
    at: FrameRef,
}

impl Applied {
    /// Reads the state; an error if it is none, or is not for this frame.
    pub fn read(file: &Path, object: &Object, frame: FrameIndex) -> Result<Self, PixelsError> {
        let header = Header::read(file)?;
        let content = read_object(&header, &|| Object::read(file))?;
        let ObjectContent::PresentationState(state) = content else {
            return Err(PixelsError::Usage("--state takes a presentation state".to_owned()));
        };
        let study = project(object.header(), None)?;
        let instance = study.series.iter().flat_map(|s| &s.instances).next();
        let at = instance.map(|i| FrameRef { instance: i.uid.clone(), frame });
        let at = at.filter(|at| state.is_for(at));
        let at = at.ok_or_else(|| PixelsError::Usage("the presentation state is not for this frame".to_owned()))?;
        Ok(Self { state: *state, at })
    }

    /// The frame of this object with the state's transforms.
    pub fn dress(&self, object: &Object, frame: &Frame) -> Result<Frame, PixelsError> {
        let masks = self.state.needs(&self.at);
        let masks = masks.iter().map(|at| object.frame(at.frame)).collect::<Result<Vec<Frame>, _>>()?;
        Ok(self.state.dress(&self.at, frame, &masks.iter().collect::<Vec<_>>()))
    }

    /// What of the state is odd or not applied.
    pub fn oddities(&self) -> &[Oddity] {
        &self.state.warnings
    }

    /// A presentation turned and mirrored as the viewport shows it.
    pub fn turn(&self, frame: &Frame, (shape, numbers): (Vec<usize>, Numbers)) -> (Vec<usize>, Numbers) {
        let view = self.state.view(&self.at, [frame.columns, frame.rows]);
        match (shape.as_slice(), numbers) {
            ([rows, columns, rest @ ..], Numbers::U8(values)) => {
                let samples = rest.iter().product();
                let (size, values) = turned([*rows, *columns], samples, &values, &view);
                (size.into_iter().chain(rest.iter().copied()).collect(), Numbers::U8(values))
            }
            (_, numbers) => (shape, numbers),
        }
    }
}

/// Rows and columns mirrored, then turned clockwise by quarters; `samples` values a pixel.
fn turned(
    [rows, columns]: [usize; 2],
    samples: usize,
    values: &[u8],
    view: &ViewPresentation,
) -> ([usize; 2], Vec<u8>) {
    let turns = view.quarter_turns % 4;
    let size = if turns % 2 == 1 { [columns, rows] } else { [rows, columns] };
    let mut out = Vec::with_capacity(values.len());
    for row in 0..size[0] {
        for column in 0..size[1] {
            // Where the pixel lay before the turn.
            let (y, x) = match turns {
                1 => (rows - 1 - column, row),
                2 => (rows - 1 - row, columns - 1 - column),
                3 => (column, columns - 1 - row),
                _ => (row, column),
            };
            let x = if view.flip_horizontal { columns - 1 - x } else { x };
            let at = (y * columns + x) * samples;
            out.extend_from_slice(values.get(at..at + samples).unwrap_or_default());
        }
    }
    (size, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrored_then_turned_as_the_viewport_does() {
        // 1 2 3
        // 4 5 6
        let view = |quarter_turns, flip_horizontal| ViewPresentation {
            quarter_turns,
            flip_horizontal,
            ..ViewPresentation::default()
        };
        let of = |turns, flip| turned([2, 3], 1, &[1, 2, 3, 4, 5, 6], &view(turns, flip));
        assert_eq!(of(0, false), ([2, 3], vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(of(1, false), ([3, 2], vec![4, 1, 5, 2, 6, 3]));
        assert_eq!(of(2, false), ([2, 3], vec![6, 5, 4, 3, 2, 1]));
        assert_eq!(of(3, false), ([3, 2], vec![3, 6, 2, 5, 1, 4]));
        assert_eq!(of(0, true), ([2, 3], vec![3, 2, 1, 6, 5, 4]));
        assert_eq!(of(1, true), ([3, 2], vec![6, 3, 5, 2, 4, 1]));
        assert_eq!(turned([1, 2], 3, &[1, 2, 3, 4, 5, 6], &view(2, false)), ([1, 2], vec![4, 5, 6, 1, 2, 3]));
        // The geometry of the viewport puts each pixel at the same place.
        for (turns, flip) in [(0, true), (1, false), (1, true), (2, true), (3, false), (3, true)] {
            let (size, values) = of(turns, flip);
            let geometry = crate::viewport::Geometry::new(
                [size[1] as f64 * 10.0, size[0] as f64 * 10.0],
                3,
                2,
                1.0,
                view(turns, flip),
            );
            for (at, value) in values.iter().enumerate() {
                let stored = f64::from(*value - 1);
                let [x, y] = geometry.screen_from_pixel([stored % 3.0, (stored / 3.0).floor()]);
                assert_eq!((x / 10.0).floor() as usize, at % size[1], "{turns} {flip}");
                assert_eq!((y / 10.0).floor() as usize, at / size[1], "{turns} {flip}");
            }
        }
    }
}
