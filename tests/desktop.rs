//! The virtual desktop of `support::window`, tried with a program that only prints its events.

use std::collections::BTreeSet;
use std::fs;

use crate::support::process::{Process, wait_until};
use crate::support::window::{Button, Desktop, Typing, Window};

const TITLE: &str = "Event Tester";

fn event_tester(desktop: &Desktop) -> (Process, Window<'_>) {
    let mut xev = desktop.command("xev");
    xev.args(["-geometry", "400x300"]);
    let xev = desktop.launch(xev);
    let window = desktop.window(TITLE);
    (xev, window)
}

#[test]
fn mouse_keys_and_screenshots_reach_a_program() {
    let desktop = Desktop::start(800, 600, Typing::Latin);
    let (mut xev, window) = event_tester(&desktop);
    let (_, _, width, height) = window.place();
    assert_eq!((width, height), (400, 300));

    window.click(120, 80, Button::Left);
    xev.wait_for_print("a click at the point", |printed| {
        let (_, press) = printed.split_once("ButtonPress event")?;
        (press.contains("(120,80)") && press.contains("button 1")).then_some(())
    });
    window.drag((200, 200), (280, 260), Button::Right);
    xev.wait_for_print("the end of the drag", |printed| {
        let (_, release) = printed.rsplit_once("ButtonRelease event")?;
        (release.contains("(280,260)") && release.contains("button 3")).then_some(())
    });
    for (button, number) in
        [(Button::WheelUp, "button 4"), (Button::WheelDown, "button 5"), (Button::Middle, "button 2")]
    {
        window.click(10, 10, button);
        xev.wait_for_print(number, |printed| printed.contains(number).then_some(()));
    }
    window.type_text("aZ");
    window.key("ctrl+F5");
    for keysym in ["0x61, a)", "0x5a, Z)", "0xffe3, Control_L)", "0xffc2, F5)"] {
        xev.wait_for_print(keysym, |printed| printed.contains(keysym).then_some(()));
    }

    let (file, picture) = window.screenshot("events");
    assert!(file.is_file());
    assert_eq!(picture.dimensions(), (400, 300));
    let colours: BTreeSet<_> = picture.pixels().map(|pixel| pixel.0).collect();
    assert!(colours.len() > 1, "xev draws a box: {colours:?}");
}

#[test]
fn japanese_reaches_a_program_through_a_real_input_method() {
    let desktop = Desktop::start(800, 600, Typing::Japanese);
    // A terminal, which gives its focus to the input method as every editor does; the shell in it reads two lines.
    let file = desktop.folder().join("typed");
    let mut terminal = desktop.command("xterm");
    terminal
        .args(["-u8", "-T", "typed here", "-e", "sh", "-c"])
        .arg(r#"read first; read second; printf '%s|%s' "$first" "$second" >"$0.new"; mv "$0.new" "$0""#)
        .arg(&file);
    let terminal = desktop.launch(terminal);
    let window = desktop.window("typed here");
    window.click(40, 40, Button::Left);

    desktop.japanese(true);
    window.type_text("kessetsu");
    window.key("space");
    window.key("Return");
    window.key("Return");
    desktop.japanese(false);
    window.type_text("5 mm");
    window.key("Return");

    wait_until("the two lines", || file.exists());
    let typed = fs::read_to_string(&file).expect("the shell wrote it");
    assert_eq!(typed, "結節|5 mm");
    drop(terminal);
}

#[test]
fn nothing_outlives_the_desktop() {
    let desktop = Desktop::start(640, 480, Typing::Japanese);
    let (xev, _) = event_tester(&desktop);
    let folder = desktop.folder().to_owned();
    let mut groups = desktop.groups();
    assert_eq!(groups.len(), 4);
    groups.push(xev.id());
    assert!(groups.iter().all(|group| members(*group) > 0));
    drop(xev);
    drop(desktop);
    wait_until("the end of every process", || groups.iter().all(|group| members(*group) == 0));
    assert!(!folder.exists());
}

/// How many living processes a process group has.
fn members(group: u32) -> usize {
    let stat = |entry: fs::DirEntry| fs::read_to_string(entry.path().join("stat")).ok();
    fs::read_dir("/proc")
        .expect("Linux has /proc")
        .flatten()
        .filter_map(stat)
        .filter(|stat| {
            // pid (name) state parent group …; the name may hold anything but ends at the last bracket.
            let fields: Vec<&str> =
                stat.rsplit_once(')').map_or(Vec::new(), |(_, rest)| rest.split_whitespace().collect());
            fields.first() != Some(&"Z") && fields.get(2) == Some(&group.to_string().as_str())
        })
        .count()
}
