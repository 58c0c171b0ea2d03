//! Mouse and wheel on a viewport give the reader's intents.

use super::*;
use dokuei::viewport::{Shape, Zoom};
use egui::{Event, Modifiers, PointerButton, Pos2, pos2};
use std::sync::Mutex;

/// A window with one viewport of a 5-frame stack, 100 × 100 pixels shown fourfold.
fn seat(tool: Tool) -> (Harness<'static>, Arc<Mutex<Seat>>) {
    let (set, frame) = (display_set(100, 100, 5), frame(100, 100));
    let seat = Arc::new(Mutex::new(Seat::default()));
    let shared = Arc::clone(&seat);
    let mut window = window([408.0, 400.0], 1.0, move |ui, pictures| {
        let plain = input(&set, FrameState::Ready(&frame), Voi::linear(40.0, 400.0));
        shared.lock().expect("seat").draw(ui, pictures, &ViewportInput { tool, ..plain });
    });
    window.run();
    (window, seat)
}

fn button(at: Pos2, button: PointerButton, pressed: bool) -> Event {
    Event::PointerButton { pos: at, button, pressed, modifiers: Modifiers::NONE }
}

fn drag(window: &mut Harness<'_>, with: PointerButton, from: Pos2, to: Pos2) {
    // Move and press within one screen frame, as a synthetic pointer does: nothing may jump.
    window.event(Event::PointerMoved(from));
    window.event(button(from, with, true));
    window.step();
    let half = from + (to - from) / 2.0;
    for at in [half, to] {
        window.event(Event::PointerMoved(at));
        window.step();
    }
    window.event(button(to, with, false));
    window.step();
    window.step();
}

/// All of it within one screen frame.
fn at_once(window: &mut Harness<'_>, events: Vec<Event>) {
    window.input_mut().events.extend(events);
    window.step();
}

fn turn(unit: egui::MouseWheelUnit, by: f32, modifiers: Modifiers) -> Event {
    Event::MouseWheel {
        unit,
        delta: egui::vec2(0.0, by),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
        modifiers,
    }
}

fn wheel(window: &mut Harness<'_>, notches: f32, modifiers: Modifiers) {
    window.event(turn(egui::MouseWheelUnit::Line, notches, modifiers));
    window.step();
}

fn scrolled(seat: &Mutex<Seat>) -> Vec<i32> {
    let seat = seat.lock().expect("seat");
    seat.done.iter().filter_map(|a| if let Action::Scroll(by) = a { Some(*by) } else { None }).collect()
}

#[test]
fn one_notch_is_one_slice() {
    let (mut window, seat) = seat(Tool::Scroll);
    window.event(Event::PointerMoved(pos2(200.0, 200.0)));
    window.run();
    for _ in 0..3 {
        wheel(&mut window, -1.0, Modifiers::NONE);
        // Whatever egui would smooth over the frames after.
        window.run_steps(20);
    }
    assert_eq!(scrolled(&seat), [1, 1, 1]);
    // Three notches in one slow frame.
    at_once(&mut window, vec![turn(egui::MouseWheelUnit::Line, 1.0, Modifiers::NONE); 3]);
    window.run_steps(20);
    assert_eq!(scrolled(&seat)[3..].iter().sum::<i32>(), -3);
}

#[test]
fn a_touch_pad_adds_up_to_slices() {
    let (mut window, seat) = seat(Tool::Scroll);
    window.event(Event::PointerMoved(pos2(200.0, 200.0)));
    window.run();
    for _ in 0..50 {
        at_once(&mut window, vec![turn(egui::MouseWheelUnit::Point, -4.0, Modifiers::NONE)]);
    }
    // 200 points of the finger, 40 to a slice; never more than one at a time.
    assert_eq!(scrolled(&seat), [1; 5]);
}

#[test]
fn a_drag_within_one_slow_frame_is_not_lost() {
    for (tool, with, wanted) in [
        (Tool::Length, PointerButton::Primary, None),
        (Tool::Scroll, PointerButton::Secondary, Some(Action::SetVoi(Voi::linear(60.0, 800.0)))),
    ] {
        let (mut window, seat) = seat(tool);
        let (from, to) = (pos2(42.0, 42.0), pos2(192.0, 62.0));
        let whole = vec![
            Event::PointerMoved(from),
            button(from, with, true),
            Event::PointerMoved(pos2(100.0, 50.0)),
            Event::PointerMoved(to),
            button(to, with, false),
        ];
        at_once(&mut window, whole.clone());
        window.run();
        // Again, the press in a frame of its own.
        at_once(&mut window, whole[..2].to_vec());
        at_once(&mut window, whole[2..].to_vec());
        window.run();
        let seat = seat.lock().expect("seat");
        let wanted = wanted.unwrap_or(Action::AddShape(Shape::Length { a: [10.0, 10.0], b: [47.5, 15.0] }));
        let again = match tool {
            // The second drag of the window starts from what the first made of it.
            Tool::Scroll => Action::SetVoi(Voi::linear(100.0, 1600.0)),
            _ => wanted.clone(),
        };
        let did: Vec<_> = seat.done.iter().filter(|a| !matches!(a, Action::Activate)).collect();
        assert_eq!(did, [&wanted, &again], "{tool:?}");
        assert!(seat.done.contains(&Action::Activate));
    }
}

#[test]
fn the_last_of_a_drag_counts_though_the_release_comes_in_the_same_frame() {
    let (mut window, seat) = seat(Tool::Length);
    let (from, half, to) = (pos2(42.0, 42.0), pos2(80.0, 42.0), pos2(122.0, 42.0));
    window.event(Event::PointerMoved(from));
    window.event(button(from, PointerButton::Primary, true));
    window.event(Event::PointerMoved(half));
    window.step();
    at_once(&mut window, vec![Event::PointerMoved(to), button(to, PointerButton::Primary, false)]);
    window.run();
    let seat = seat.lock().expect("seat");
    let drawn: Vec<_> = seat.done.iter().filter(|a| matches!(a, Action::AddShape(_))).collect();
    assert_eq!(drawn, [&Action::AddShape(Shape::Length { a: [10.0, 10.0], b: [30.0, 10.0] })]);
}

#[test]
fn right_drag_is_the_window_and_the_press_does_not_jump() {
    let (mut window, seat) = seat(Tool::Scroll);
    drag(&mut window, PointerButton::Secondary, pos2(10.0, 10.0), pos2(160.0, 30.0));
    let seat = seat.lock().expect("seat");
    // 150 points double the width; 20 down raise the centre by a twentieth of it.
    assert_eq!(seat.data.voi, Some(Voi::linear(60.0, 800.0)), "{:?}", seat.done);
}

#[test]
fn middle_drag_is_pan_by_what_the_hand_moved() {
    let (mut window, seat) = seat(Tool::Scroll);
    drag(&mut window, PointerButton::Middle, pos2(100.0, 100.0), pos2(140.0, 120.0));
    assert_eq!(seat.lock().expect("seat").view.pan_px, [10.0, 5.0]);
}

#[test]
fn left_drag_scrolls_and_the_wheel_too() {
    let (mut window, seat) = seat(Tool::Scroll);
    drag(&mut window, PointerButton::Primary, pos2(200.0, 100.0), pos2(200.0, 150.0));
    assert_eq!(seat.lock().expect("seat").position, 2);
    window.event(Event::PointerMoved(pos2(200.0, 200.0)));
    wheel(&mut window, -1.0, Modifiers::NONE);
    wheel(&mut window, 1.0, Modifiers::ALT);
    let seat = seat.lock().expect("seat");
    assert!(seat.done.contains(&Action::Scroll(1)) && seat.done.contains(&Action::Scroll(-10)), "{:?}", seat.done);
}

#[test]
fn ctrl_wheel_zooms_around_the_pointer() {
    let (mut window, seat) = seat(Tool::Scroll);
    window.event(Event::PointerMoved(pos2(100.0, 100.0)));
    window.step();
    wheel(&mut window, 2.0, Modifiers::CTRL);
    let view = seat.lock().expect("seat").view;
    let Zoom::PixelScale(scale) = view.zoom else { panic!("no zoom: {view:?}") };
    assert!((scale - 4.0 * 1.15 * 1.15).abs() < 1e-9);
    assert!(view.pan_px[0] > 0.0 && view.pan_px[1] > 0.0);
}

#[test]
fn a_length_is_drawn_from_press_to_release() {
    let (mut window, seat) = seat(Tool::Length);
    drag(&mut window, PointerButton::Primary, pos2(42.0, 42.0), pos2(122.0, 42.0));
    let seat = seat.lock().expect("seat");
    let drawn: Vec<_> = seat.done.iter().filter(|a| matches!(a, Action::AddShape(_))).collect();
    assert_eq!(drawn, [&Action::AddShape(Shape::Length { a: [10.0, 10.0], b: [30.0, 10.0] })]);
}

#[test]
fn a_click_activates_and_a_double_click_maximises() {
    let (mut window, seat) = seat(Tool::Scroll);
    for _ in 0..2 {
        window.event(Event::PointerMoved(pos2(200.0, 200.0)));
        window.event(button(pos2(200.0, 200.0), PointerButton::Primary, true));
        window.event(button(pos2(200.0, 200.0), PointerButton::Primary, false));
        window.step();
    }
    let seat = seat.lock().expect("seat");
    assert!(seat.done.contains(&Action::Activate) && seat.done.contains(&Action::ToggleMaximise), "{:?}", seat.done);
}

#[test]
fn the_rail_goes_to_a_frame() {
    let (mut window, seat) = seat(Tool::Scroll);
    window.event(Event::PointerMoved(pos2(404.0, 390.0)));
    window.event(button(pos2(404.0, 390.0), PointerButton::Primary, true));
    window.step();
    window.event(button(pos2(404.0, 390.0), PointerButton::Primary, false));
    window.step();
    assert_eq!(seat.lock().expect("seat").position, 4);
}
