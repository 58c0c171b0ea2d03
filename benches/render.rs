//! What a screen frame costs on this machine's adapter, at 1920 × 1080, read-back included.
//!
//! `cargo bench --bench render`; with `--profile dev` it needs no build of its own.

#![allow(missing_docs, reason = "criterion's macro makes an undocumented function")]

use criterion::{Criterion, criterion_group, criterion_main};
use dokuei::imaging::{Frame, Look, Modality, Photometric, Pixels, Resampling};
use dokuei::render::{Budgets, Gpu, Offscreen, Picture, Scene};
use dokuei::study::Voi;
use dokuei::viewport::{Geometry, ViewPresentation};
use std::sync::Arc;

fn frame(columns: u32, rows: u32) -> Arc<Frame> {
    let value = |i: u32| ((i % columns) * 37 + (i / columns) * 101) % 4096;
    Arc::new(Frame {
        rows,
        columns,
        pixels: std::sync::Arc::new(Pixels::U16((0..columns * rows).map(|i| value(i) as u16).collect())),
        bits_stored: 12,
        photometric: Photometric::Monochrome2,
        modality: Modality::IDENTITY,
        unit: String::new(),
        padding: None,
        voi: vec![],
        display: dokuei::imaging::Display::default(),
        pixel_aspect: 1.0,
        warnings: vec![],
    })
}

fn scene(frame: &Arc<Frame>, origin_px: [i32; 2], size_px: [u32; 2]) -> Scene {
    let view = ViewPresentation::default();
    let geometry = Geometry::new(size_px.map(f64::from), frame.columns, frame.rows, 1.0, view);
    Scene {
        origin_px,
        size_px,
        picture: Some(Picture {
            frame: Arc::clone(frame),
            pixel_from_screen: geometry.pixel_from_screen_affine(),
            look: Look::of(frame, Voi::linear(1000.0, 2000.0), false),
            resampling: Resampling::default(),
        }),
    }
}

fn screen_frames(c: &mut Criterion) {
    let gpu = Gpu::headless_any().expect("an adapter (Debian/Ubuntu: libvulkan1 mesa-vulkan-drivers)");
    let mut device = Offscreen::new(gpu, Budgets::default());
    let (ct, mg) = (frame(512, 512), frame(3000, 4000));
    let four: Vec<Scene> = (0..4).map(|n| scene(&ct, [(n % 2) * 960, (n / 2) * 540], [960, 540])).collect();
    let cases = [
        ("read-back alone", vec![Scene { origin_px: [0, 0], size_px: [1920, 1080], picture: None }]),
        ("2 x 2 of 512 x 512", four),
        ("3000 x 4000 fitted", vec![scene(&mg, [0, 0], [1920, 1080])]),
    ];
    for (name, scenes) in cases {
        c.bench_function(name, |b| b.iter(|| device.render_all([1920, 1080], &scenes).expect("renders")));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = screen_frames
}
criterion_main!(benches);
