//! A presentation state with a mask: what is asked of the engine, and what is shown until it answers.

use super::fixtures::*;
use crate::app::{Action, Masked, NoticeCode, ObjectAction, OpenObject};
use crate::engine::message::{Command, Dress, Event, ObjectCommand, ObjectEvent, Unshown, UnshownKind};
use crate::study::{FrameRef, ObjectRef};
use crate::viewport::mask::{Mask, MaskFrames};
use crate::viewport::state_object::PresentationState;
use crate::viewport::{Action as View, ObjectContent, Shape, ViewId};
use std::sync::Arc;

const LEFT: ViewId = ViewId(0);

/// The reading of `a-1` with a state for all pictures of its series; from each its own `frames` are subtracted.
fn laid(frames: Vec<u32>) -> (Bench, Vec<FrameRef>) {
    let mut b = Bench::signed_in();
    b.open("a-1");
    let shown = b.app.view_set(LEFT).expect("set").frames.clone();
    let to = |at: &FrameRef| ObjectRef {
        class: String::new(),
        instance: at.instance.clone(),
        frames: vec![],
        segments: vec![],
        presentation: None,
    };
    let mask = Mask { frames: MaskFrames::Average(frames), shift: [0.0; 2], ranges: vec![] };
    let state =
        PresentationState { images: shown.iter().map(to).collect(), mask: Some(mask), ..PresentationState::default() };
    let mut open = OpenObject::default();
    open.content = Some(Ok(Arc::new(ObjectContent::PresentationState(Box::new(state)))));
    b.app.reading.as_mut().expect("open").object = Some(open);
    (b, shown)
}

fn wishes(commands: &[Command]) -> Vec<Dress> {
    let dress = |c: &Command| match c {
        Command::Object(ObjectCommand::Dress(wish)) => Some(wish.clone()),
        _ => None,
    };
    commands.iter().filter_map(dress).collect()
}

/// The engine's answer to a wish; gives what is asked next.
fn answer(b: &mut Bench, wish: &Dress) -> Vec<Dress> {
    let frame = Arc::new(wish.content.dress(&wish.at, &wish.frame, &wish.masks).expect("for this picture"));
    wishes(&b.event(Event::Object(ObjectEvent::Dressed { wish: wish.clone(), frame })))
}

#[test]
fn differences_are_made_ahead_of_the_scrolling_a_few_at_a_time() {
    let (mut b, shown) = laid(vec![1]);
    b.frames_arrive();
    assert!(matches!(b.app.masked(&shown[0]), Masked::Not), "nothing is laid yet");
    let asked = wishes(&b.act(Action::Object(ObjectAction::Lay(true))));
    assert_eq!(asked.iter().map(|w| &w.at).collect::<Vec<_>>(), shown[..4].iter().collect::<Vec<_>>());
    assert!(matches!(b.app.masked(&shown[0]), Masked::Awaited));
    assert!(answer(&mut b, &asked[0]).is_empty(), "nothing else is near");
    assert!(matches!(b.app.masked(&shown[0]), Masked::Here(frame) if frame.voi.len() == 1));
    // The reader jumps far away: of the four under way three are still the engine's.
    let next = wishes(&b.act(Action::Viewport(LEFT, View::ScrollTo(10))));
    assert_eq!(next.iter().map(|w| &w.at).collect::<Vec<_>>(), [&shown[10]], "one more, the nearest");
    // An answer that nobody waits for is dropped, and makes room for the next.
    assert_eq!(answer(&mut b, &asked[1]).first().map(|w| w.at.clone()), Some(shown[11].clone()));
    assert!(matches!(b.app.masked(&shown[1]), Masked::Awaited));
    answer(&mut b, &next[0]);
    assert!(matches!(b.app.masked(&shown[10]), Masked::Here(_)));
    // What is measured and kept is of the picture itself, which is not on screen.
    let notices = |b: &Bench| b.app.notices.any(|n| matches!(n, NoticeCode::UnderPresentationState));
    let (ellipse, length) =
        (Shape::Ellipse { center: [2.0; 2], half: [1.0; 2] }, Shape::Length { a: [0.0; 2], b: [3.0, 0.0] });
    b.act(Action::Viewport(LEFT, View::AddShape(length)));
    assert!(b.app.annotations().count() == 1 && !notices(&b), "a length is the same");
    b.act(Action::Viewport(LEFT, View::AddShape(ellipse)));
    assert!(b.app.annotations().count() == 1 && notices(&b));
    b.act(Action::Viewport(LEFT, View::ToggleKeyImage));
    assert!(b.draft().findings.iter().all(|f| f.key_image.is_none()));
    // The state's own window is the first that the keys step to.
    b.act(Action::Viewport(LEFT, View::NextVoi));
    let voi = b.app.view(LEFT).and_then(|v| v.data.voi);
    assert!(matches!(b.app.masked(&shown_at(&b)), Masked::Here(f) if f.voi.first().copied() == voi));
    // Taken away, nothing is subtracted.
    b.act(Action::Object(ObjectAction::Lay(false)));
    assert!(matches!(b.app.masked(&shown[10]), Masked::Not));
    b.act(Action::Viewport(LEFT, View::AddShape(ellipse)));
    b.act(Action::Viewport(LEFT, View::ToggleKeyImage));
    assert_eq!(b.app.annotations().count(), 2);
    assert!(b.draft().findings.iter().any(|f| f.key_image.is_some()));
}

fn shown_at(b: &Bench) -> FrameRef {
    b.app.view(LEFT).and_then(|v| v.frame.clone()).expect("a picture")
}

#[test]
fn a_mask_that_cannot_be_had_is_not_waited_for() {
    let (mut b, shown) = laid(vec![1, 2]);
    assert!(wishes(&b.act(Action::Object(ObjectAction::Lay(true)))).is_empty());
    let second = FrameRef { frame: crate::study::FrameIndex(1), ..shown[0].clone() };
    assert!(b.app.demand().frames.contains(&second), "the mask's frames are fetched");
    b.event(Event::Frame(shown[0].clone(), pixels(4)));
    assert!(matches!(b.app.masked(&shown[0]), Masked::Awaited));
    b.event(Event::FrameFailed(second, Unshown::new(UnshownKind::Missing, "no such frame")));
    assert!(matches!(b.app.masked(&shown[0]), Masked::WithoutMask));
    assert!(wishes(&b.out).is_empty());
}
