//! Closing the real window ends the program soon and loses nothing, whatever it is in the middle of.

use crate::support::chaos::Chaos;
use crate::support::dicom::write_study;
use crate::support::process::{Process, wait_until};
use crate::support::reading_center::{PASSWORD, TestCenter, USER};
use crate::support::screen::{open_first, read, write};
use crate::support::terminal::{Terminal, secret};
use crate::support::window::{Desktop, Typing, Window};
use dokuei::engine::message::{Command, Event, Start};
use std::path::Path;
use std::time::{Duration, Instant};

/// Screen frames, engine and window system have 3, 5 and 5 s at most; the rest is for a machine that is busy with other
/// tests. It is less than any patience of ours with the network.
const SOON: Duration = Duration::from_secs(25);
const PASSPHRASE: &str = "koko dake no kagi 77";

fn workstation(desktop: &Desktop, profile: &Path) -> Process {
    let mut command = desktop.command(env!("CARGO_BIN_EXE_dokuei"));
    command.args(["--secrets", "passphrase", "--profile"]).arg(profile).env("WINIT_X11_SCALE_FACTOR", "1");
    desktop.launch(command)
}

#[track_caller]
fn close_soon(window: &Window<'_>, program: &mut Process) {
    let start = Instant::now();
    window.close();
    wait_until("the end of the program", || program.ended().is_some());
    assert!(program.ended().is_some_and(|status| status.success()), "{}", program.printed());
    assert!(start.elapsed() < SOON, "closing took {:?}: {}", start.elapsed(), program.printed());
}

#[test]
fn before_anything_was_done_and_while_nobody_sees_it() {
    let desktop = Desktop::start(1280, 800, Typing::Latin);
    let profile = desktop.folder().join("profile");
    for hidden in [false, true] {
        let mut program = workstation(&desktop, &profile);
        let window = desktop.window("Dokuei");
        read(&desktop, "パスフレーズ");
        if hidden {
            window.minimise();
        }
        close_soon(&window, &mut program);
    }
}

#[test]
fn the_demo_opens_on_its_worklist_and_touches_nothing_of_its_user() {
    let desktop = Desktop::start(1920, 1080, Typing::Latin);
    let mut command = desktop.command(env!("CARGO_BIN_EXE_dokuei"));
    command.args(["demo", "--small", "--out"]).arg(desktop.folder().join("demo")).env("WINIT_X11_SCALE_FACTOR", "1");
    let mut program = desktop.launch(command);
    // The studies are generated first, by an unoptimised build.
    wait_until("the generated studies", || program.printed().contains("Password for signatures"));
    let window = desktop.window("Dokuei");
    read(&desktop, "山田");
    read(&desktop, "オンライン");
    open_first(&desktop, &window);
    read(&desktop, "完全");
    close_soon(&window, &mut program);
    let ours = |folder: &str| {
        let entries = walkdir::WalkDir::new(desktop.folder().join(folder)).into_iter().flatten();
        entries.filter(|e| e.file_name().to_string_lossy().contains("dokuei")).map(|e| e.into_path()).next()
    };
    for folder in ["home", "config", "data"] {
        assert_eq!(ours(folder), None, "the demo keeps to its own folder");
    }
}

#[test]
fn with_a_hanging_input_method() {
    let desktop = Desktop::start(1280, 800, Typing::Japanese);
    let mut program = workstation(&desktop, &desktop.folder().join("profile"));
    let window = desktop.window("Dokuei");
    read(&desktop, "パスフレーズ");
    window.minimise();
    // While a field has the caret, Xlib waits for the input method at every step, and no program can change that.
    wait_until("the caret gone", || !desktop.widgets().iter().any(|w| w.focused));
    desktop.freeze_input_method();
    close_soon(&window, &mut program);
}

#[test]
fn in_the_middle_of_a_download_from_a_dead_center_with_a_half_written_report() {
    let chaos = Chaos::start();
    let center = TestCenter::start(Some(chaos.address()));
    chaos.target(center.address());
    center.import(&write_study(center.folder(), "1.2.392.9", 1, 60, 256));
    let mut terminal = Terminal::new(&center);
    terminal.passphrase = true;
    let start = |create: bool| {
        let mut session = terminal.start();
        session.wait("the question", |e| matches!(e, Event::Started(Start::NeedsPassphrase { .. })).then_some(()));
        session.send(Command::UnlockSecrets { passphrase: secret(PASSPHRASE), create });
        session
    };
    let mut session = start(true);
    session.wait("the secrets", |e| matches!(e, Event::Started(Start::NotEnrolled)).then_some(()));
    session.send(Command::Enrol(center.enrolment_file()));
    session.wait("enrolment", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    session.sign_in(&center);
    let id = session.assignment().id.clone();
    session.stop();

    let desktop = Desktop::start(1920, 1080, Typing::Latin);
    let mut program = workstation(&desktop, &terminal.profile.path().join("p"));
    let window = desktop.window("Dokuei");
    write(&desktop, &window, "パスフレーズ", 0, PASSPHRASE);
    window.key("Return");
    write(&desktop, &window, "ユーザー ID", 0, USER);
    write(&desktop, &window, "パスワード", 0, PASSWORD);
    write(&desktop, &window, "ワンタイムコード", 0, &center.otp());
    // 60 slices of 128 KiB, which come from the sign-in on: the line dies after some of them.
    chaos.stall_after(4_000_000);
    window.key("Return");
    read(&desktop, "山田");
    open_first(&desktop, &window);
    wait_until("the first slices", || chaos.stalled());
    read(&desktop, "/ 60");
    window.key("ctrl+n");
    write(&desktop, &window, "部位", 0, "S3");
    window.type_text("b");
    close_soon(&window, &mut program);

    // The last letter was on its way when the window was closed.
    let mut session = start(false);
    session.wait("the start", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    chaos.stall(false);
    session.sign_in(&center);
    session.send(Command::LoadDraft { assignment: id.clone() });
    let draft = session.wait("the draft", |e| match e {
        Event::Draft { assignment, draft } if *assignment == id => draft.clone(),
        _ => None,
    });
    let written = serde_json::to_string(&draft).expect("JSON");
    assert!(written.contains("\"S3b\""), "{written}");
    session.stop();
}
