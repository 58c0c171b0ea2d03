//! Viewports beside each other, budgets, and the loss of the device.

use super::*;
use dokuei::imaging::render_look;
use dokuei::render::{GpuError, PageError, Renderer, Slot};
use dokuei::viewport::Fidelity;

fn ramp(seed: u16) -> Arc<Frame> {
    Arc::new(frame(32, 32, Pixels::U16((0..1024u16).map(|v| v.wrapping_mul(seed)).collect())))
}

fn window(center: f64) -> Voi {
    Voi { center, width: 1200.0, function: VoiFunction::LinearExact }
}

#[test]
fn viewports_beside_each_other_keep_their_own_window() {
    let mut device = offscreen();
    let frame = ramp(1);
    // More than the uniform buffer's first size, so that it grows in the middle of a screen frame.
    let scenes: Vec<Scene> = (0..20u32)
        .map(|k| Scene {
            origin_px: [(k % 5) as i32 * 32, (k / 5) as i32 * 32],
            ..scene(&frame, [32, 32], ViewPresentation::default(), window(f64::from(k) * 50.0), k % 3 == 0)
        })
        .collect();
    let (drawn, shown) = device.render_all([160, 128], &scenes).expect("renders");
    assert!(shown.iter().all(|s| s.fidelity == Fidelity::Exact));
    for (k, scene) in scenes.iter().enumerate() {
        let picture = scene.picture.as_ref().expect("a picture");
        let reference = render_look(&frame, &picture.look);
        for row in 0..32usize {
            let at = ((scene.origin_px[1] as usize + row) * 160 + scene.origin_px[0] as usize) * 3;
            let (largest, _) = difference(&drawn[at..at + 96], &reference[row * 96..row * 96 + 96]);
            assert!(largest <= 1, "viewport {k} row {row}");
        }
    }
}

#[test]
fn nothing_is_drawn_until_all_has_arrived() {
    let gpu = offscreen().renderer().gpu().clone();
    // 32 rows of 64 bytes; 300 bytes a screen frame: four rows at a time.
    let mut renderer = Renderer::new(gpu, wgpu::TextureFormat::Rgba8Unorm, Budgets { pages: 1 << 20, upload: 300 });
    let scene = scene(&ramp(3), [32, 32], ViewPresentation::default(), window(500.0), false);
    let mut shares = Vec::new();
    for _ in 0..8 {
        renderer.begin_frame();
        shares.push(renderer.prepare(Slot(1), &scene).fidelity);
    }
    assert_eq!(shares[0], Fidelity::Arriving(0.125));
    assert_eq!(shares[6], Fidelity::Arriving(0.875));
    assert_eq!(shares[7], Fidelity::Exact);
}

#[test]
fn memory_stays_within_its_budget_and_the_screen_keeps_its_pages() {
    let gpu = offscreen().renderer().gpu().clone();
    let page = 32 * 32 * 2u64;
    let budgets = Budgets { pages: 3 * page, upload: 1 << 20 };
    let mut renderer = Renderer::new(gpu, wgpu::TextureFormat::Rgba8Unorm, budgets);
    let frames: Vec<_> = (0..6).map(|k| ramp(k + 1)).collect();
    for frame in &frames {
        renderer.begin_frame();
        let shown = renderer.prepare(Slot(1), &scene(frame, [32, 32], ViewPresentation::default(), window(1.0), false));
        assert_eq!(shown.fidelity, Fidelity::Exact);
        assert!(renderer.pages().used() <= 3 * page);
    }
    // Five on screen at once: more than the budget, but what is on screen is never dropped (nor what was in the
    // screen frame before, hence one without anything).
    renderer.begin_frame();
    renderer.begin_frame();
    for (k, frame) in frames.iter().take(5).enumerate() {
        let scene = scene(frame, [32, 32], ViewPresentation::default(), window(1.0), false);
        assert_eq!(renderer.prepare(Slot(k as u64), &scene).fidelity, Fidelity::Exact);
    }
    assert_eq!(renderer.pages().len(), 5);
    // A prefetch finds no room then, and takes none.
    assert_eq!(renderer.prefetch(&frames[5]), Ok(0.0));
    // Frames that nobody holds give their memory back.
    drop(frames);
    renderer.begin_frame();
    assert_eq!((renderer.pages().len(), renderer.pages().used()), (0, 0));
}

#[test]
fn a_lost_device_is_told_and_replaced() {
    let mut device = Offscreen::new(vulkan(), Budgets::default());
    let frame = ramp(2);
    let scene = scene(&frame, [32, 32], ViewPresentation::default(), window(500.0), false);
    let (before, _) = device.render(&scene).expect("renders");
    device.renderer().gpu().device.destroy();
    assert!(matches!(device.render(&scene), Err(GpuError::Lost)));
    let shown = device.renderer().prepare(Slot(0), &scene);
    assert_eq!(shown.failure, Some(PageError::Lost));
    assert!(device.renderer().pages().is_empty());
    device.renderer().replace_device(vulkan());
    assert_eq!(device.render(&scene).expect("renders again").0, before);
}

#[test]
fn an_empty_viewport_is_black_and_sizes_are_checked() {
    let mut device = offscreen();
    let empty = Scene { origin_px: [0, 0], size_px: [4, 4], picture: None };
    let (drawn, shown) = device.render(&empty).expect("renders");
    assert_eq!((drawn, shown.fidelity), (vec![0; 48], Fidelity::None));
    let nothing = Scene { size_px: [0, 4], ..empty };
    assert!(matches!(device.render(&nothing), Err(GpuError::ReadBack(_))));
}
