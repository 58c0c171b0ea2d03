//! Whether the reader sees all there is: the truth light of each viewport.

/// What the picture on the screen is, compared with the stored values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fidelity {
    /// Every screen pixel comes from all its stored values.
    Exact,
    /// Not all is there yet: share from 0 to 1.
    Arriving(f32),
    /// Shrunk: this many image pixels share one screen pixel (along the denser direction).
    Reduced(f64),
    /// There is no picture.
    None,
}

impl Fidelity {
    /// Of a whole frame drawn at `axis_scale` screen pixels per image pixel.
    pub fn of_scale(axis_scale: [f64; 2]) -> Self {
        let smallest = axis_scale[0].min(axis_scale[1]);
        // A hundredth below 1 is the rounding of a layout, not a loss anybody could see.
        if smallest >= 0.99 { Self::Exact } else { Self::Reduced(1.0 / smallest.max(1e-6)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinking_is_told() {
        assert_eq!(Fidelity::of_scale([1.0, 2.0]), Fidelity::Exact);
        assert_eq!(Fidelity::of_scale([0.5, 0.25]), Fidelity::Reduced(4.0));
    }
}
