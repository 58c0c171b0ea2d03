//! A series of which only a part fits into memory, read by a workstation in a process of its own: what that process
//! holds at most is asked of the system.

use super::{status, this_program};
use crate::support::dicom::write_study;
use crate::support::reading_center::{PASSWORD, SharedClock, TestCenter, USER};
use crate::support::terminal::{Session, Terminal, secret};
use dokuei::engine::message::{Command, Event, Start};
use dokuei::imaging::Pixels;
use dokuei::study::{FrameIndex, FrameRef};
use std::path::PathBuf;
use std::process::{Command as Program, Stdio};

const SLICES: u16 = 2000;
const EDGE: u16 = 224;
/// What the frames and the objects may take, each.
const BUDGET: usize = 8 << 20;
/// What the process may take besides: metadata of all slices, what is under way in either direction, the threads' own
/// heaps, and an unoptimised program's waste.
const BESIDES: usize = 64 << 20;

#[test]
fn a_long_series_scrolls_in_little_memory() {
    let center = TestCenter::start(None);
    let report = center.import(&write_study(center.folder(), "1.2.392.7", 1, SLICES, EDGE));
    assert_eq!(report.new, usize::from(SLICES), "{:?}", report.refused);
    let otp = center.otp();
    let ended = Program::new(this_program())
        .args(["--exact", "offline::long_series::child", "--ignored", "--nocapture"])
        // What threads keep back for themselves would grow with the number of processors.
        .env("MALLOC_ARENA_MAX", "2")
        .env("DOKUEI_TEST_ENROLMENT", center.enrolment_file())
        .env("DOKUEI_TEST_TIME", center.clock.time().to_string())
        .env("DOKUEI_TEST_OTP", otp)
        .stdin(Stdio::null())
        .output()
        .expect("starts");
    let (said, failed) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{said}{failed}");
    let took = said.lines().find_map(|l| l.strip_prefix("took ")).expect("told").parse::<usize>().expect("a number");
    let whole = usize::from(SLICES) * usize::from(EDGE) * usize::from(EDGE) * 2;
    println!("{} MiB for a series of {} MiB", took >> 20, whole >> 20);
    // Otherwise it would show nothing.
    assert!(2 * BUDGET + BESIDES < whole / 2, "the series is too short");
    assert!(took <= 2 * BUDGET + BESIDES, "{took} bytes more than before the study was opened");
}

/// What the other runs as a program of its own: opens the study and scrolls through all of it, from both ends.
#[test]
#[ignore = "a program that another test starts"]
fn child() {
    let env = |name: &str| std::env::var(name).expect("started by another test");
    let mut terminal = Terminal::at(SharedClock::at(env("DOKUEI_TEST_TIME").parse().expect("a time")));
    terminal.budgets.frames = BUDGET;
    terminal.budgets.objects = BUDGET;
    let mut session = terminal.start();
    session.wait("the start", |e| matches!(e, Event::Started(Start::NotEnrolled)).then_some(()));
    session.send(Command::Enrol(PathBuf::from(env("DOKUEI_TEST_ENROLMENT"))));
    session.wait("enrolment", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    let (user, password, otp) = (USER.to_owned(), secret(PASSWORD), secret(&env("DOKUEI_TEST_OTP")));
    session.send(Command::SignIn { user, password, otp });
    session.wait("worklist", |e| matches!(e, Event::Worklist { .. }).then_some(()));
    let before = status("VmRSS");
    let frames = scroll(&mut session);
    assert_eq!(frames, usize::from(SLICES));
    // The most that it ever was, while the study came and while it was scrolled.
    println!("took {}", status("VmHWM").saturating_sub(before));
}

/// Slices that were seen.
fn scroll(session: &mut Session) -> usize {
    let assignment = session.assignment();
    let study = assignment.studies[0].study_uid.clone();
    session.want(&assignment, vec![]);
    // Told one after the other and not kept, as a window does.
    session.wait("the whole study", |e| matches!(e, Event::StudyProgress(p) if p.finished).then_some(()));
    let instances = &session.studies[&study].series[0].instances;
    let frames: Vec<_> = instances.iter().map(|i| FrameRef { instance: i.uid.clone(), frame: FrameIndex(0) }).collect();
    let mut seen = 0;
    for some in frames.chunks(8) {
        session.want(&assignment, some.to_vec());
        let mut missing = some.len();
        session.wait("the slices", |e| {
            if let Event::Frame(frame, decoded) = e
                && some.contains(frame)
            {
                assert!(matches!(&*decoded.pixels, Pixels::U16(p) if p.len() == usize::from(EDGE) * usize::from(EDGE)));
                missing -= 1;
                seen += 1;
            }
            (missing == 0).then_some(())
        });
        assert!(session.engine().frame_bytes() <= BUDGET, "{}", session.engine().frame_bytes());
    }
    // Back at the beginning: what was let go comes again.
    let first = frames[0].clone();
    session.want(&assignment, vec![first.clone()]);
    session.wait("the first slice again", |e| matches!(e, Event::Frame(f, _) if *f == first).then_some(()));
    seen
}
