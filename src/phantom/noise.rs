//! Correlated noise with a stated standard deviation.

use super::field::Dice;

/// A few fields of smoothed white noise with mean 0 and SD 1, from which slices draw their own mixtures.
#[derive(Debug)]
pub struct NoiseBank {
    side: usize,
    fields: Vec<Vec<f32>>,
}

impl NoiseBank {
    /// Makes `count` periodic fields of `side`² (a power of two), correlated over about `correlation_px` pixels.
    pub fn new(seed: u64, side: usize, count: usize, correlation_px: f32) -> Self {
        let side = side.next_power_of_two();
        let fields = (0..count)
            .map(|k| {
                let mut dice = Dice::new(seed.wrapping_add(k as u64 * 7919));
                let white: Vec<f32> = (0..side * side).map(|_| dice.normal()).collect();
                let kernel = kernel(correlation_px);
                let across = convolve(&white, side, &kernel, true);
                let mut field = convolve(&across, side, &kernel, false);
                let mean = field.iter().sum::<f32>() / field.len() as f32;
                let sd = (field.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / field.len() as f32).sqrt();
                for v in &mut field {
                    *v = (*v - mean) / sd;
                }
                field
            })
            .collect();
        Self { side, fields }
    }

    /// Noise of slice `slice`: a mixture of two fields, each shifted its own way; SD 1, row by row.
    pub fn slice(&self, slice: u64, columns: usize, rows: usize) -> Vec<f32> {
        let mut dice = Dice::new(slice.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x736c_6963);
        let mut pick = || {
            let field = (dice.unit() * self.fields.len() as f32) as usize % self.fields.len();
            let shift = |d: &mut Dice| (d.unit() * self.side as f32) as usize;
            (field, shift(&mut dice), shift(&mut dice))
        };
        let (first, mut second) = (pick(), pick());
        if first.0 == second.0 {
            second.0 = (second.0 + 1) % self.fields.len();
        }
        let mask = self.side - 1;
        let mut out = Vec::with_capacity(columns * rows);
        for y in 0..rows {
            for x in 0..columns {
                let at = |(f, dx, dy): (usize, usize, usize)| {
                    self.fields[f][((y + dy) & mask) * self.side + ((x + dx) & mask)]
                };
                out.push((at(first) + at(second)) * std::f32::consts::FRAC_1_SQRT_2);
            }
        }
        out
    }
}

fn kernel(sigma: f32) -> Vec<f32> {
    let reach = (sigma * 3.0).ceil() as i32;
    (-reach..=reach).map(|i| (-(i as f32).powi(2) / (2.0 * sigma * sigma).max(1e-6)).exp()).collect()
}

fn convolve(data: &[f32], side: usize, kernel: &[f32], rows: bool) -> Vec<f32> {
    let reach = kernel.len() / 2;
    let mask = side - 1;
    let mut out = vec![0.0; data.len()];
    for y in 0..side {
        for x in 0..side {
            let mut sum = 0.0;
            for (k, w) in kernel.iter().enumerate() {
                let at = if rows {
                    y * side + ((x + side + k - reach) & mask)
                } else {
                    ((y + side + k - reach) & mask) * side + x
                };
                sum += w * data[at];
            }
            out[y * side + x] = sum;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_have_unit_deviation_correlation_and_differ() {
        let bank = NoiseBank::new(3, 128, 3, 0.8);
        let a = bank.slice(1, 128, 128);
        let b = bank.slice(2, 128, 128);
        let sd = (a.iter().map(|v| v * v).sum::<f32>() / a.len() as f32).sqrt();
        assert!((sd - 1.0).abs() < 0.06, "{sd}");
        let neighbour = a.windows(2).map(|w| w[0] * w[1]).sum::<f32>() / a.len() as f32;
        assert!(neighbour > 0.4 && neighbour < 0.9, "{neighbour}");
        let cross = a.iter().zip(&b).map(|(x, y)| x * y).sum::<f32>() / a.len() as f32;
        assert!(cross.abs() < 0.95);
        assert_eq!(a, bank.slice(1, 128, 128));
    }
}
