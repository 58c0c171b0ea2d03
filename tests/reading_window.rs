//! The main job in the real window: sign-in, worklist, pictures, report in Japanese, signature, receipt.
//!
//! The program runs on a virtual desktop with a window manager, mouse, keyboard and a real input method. What stands
//! on the screen is read as a screen reader does, or from its pixels; each step waits for what it causes.

use crate::support::process::{DEADLINE, Process, output, wait_for, wait_until};
use crate::support::reader::{Role, Widget};
use crate::support::screen::{fields, open_first, put, read, shows, strike, text, words, write};
use crate::support::window::{Button, Desktop, Typing, Window};
use dokuei::cli::demo::{DemoCenter, DemoOptions};
use dokuei::engine::{Clock as _, SystemClock};
use dokuei::phantom::{DEFAULT_BASE_DATE, Scale, write_some};
use dokuei::server;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// What protects the secrets of this profile; typed in the window.
const PASSPHRASE: &str = "koko dake no kagi 77";

/// A center whose only work is the chest-abdomen CT with its prior.
fn center(folder: &Path) -> DemoCenter {
    let studies = folder.join("studies-small");
    fs::create_dir_all(&studies).expect("the test's folder can be written");
    // A demo takes only a folder that a demo made.
    fs::write(folder.join(".dokuei-demo"), "").expect("the test's folder can be written");
    write_some(&studies, DEFAULT_BASE_DATE, Scale::Small, &|key| key.starts_with("ct-"), &|_| {})
        .expect("generated studies");
    let options = DemoOptions { dir: folder.to_owned(), import: Vec::new(), small: true };
    DemoCenter::start(&options, &mut std::io::sink()).expect("a reading center")
}

/// A program that the workstation starts for the choice of a file, where the desktop has no portal: the person closes it the
/// first time, and chooses `file` then.
fn dialog(desktop: &Desktop, file: &Path) -> PathBuf {
    let folder = desktop.folder().join("dialog");
    fs::create_dir(&folder).expect("the test's folder can be written");
    let program = folder.join("zenity");
    let closed = folder.join("closed");
    let script = format!(
        "#!/bin/sh\nif [ -e '{closed}' ]; then echo '{file}'; else : >'{closed}'; exit 1; fi\n",
        closed = closed.display(),
        file = file.display()
    );
    fs::write(&program, script).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a program");
    folder
}

fn workstation(desktop: &Desktop, screenshots: &Path, enrolment: &Path) -> Process {
    let mut path = dialog(desktop, enrolment).into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut command = desktop.command(env!("CARGO_BIN_EXE_dokuei"));
    command
        .args(["--secrets", "passphrase", "--profile"])
        .arg(desktop.folder().join("profile"))
        .arg("--screenshots")
        .arg(screenshots)
        .env("PATH", path)
        // Screen pixels are points.
        .env("WINIT_X11_SCALE_FACTOR", "1");
    desktop.launch(command)
}

/// Writes 結節 through the input method: the reading, the conversion, and Enter to take it. What is composed stands in
/// a window of the input method's until then (X11).
#[track_caller]
fn compose(desktop: &Desktop, window: &Window<'_>, name: &str, nth: usize) {
    let hand = || {
        desktop.japanese(true);
        window.type_text("kessetsu");
        window.key("space");
        window.key("Return");
    };
    put(desktop, window, (name, nth), hand, |_, shown| shown == "結節");
    desktop.japanese(false);
}

/// The spoken name of the first viewport: series, place in it, and whether a picture is still to come.
fn viewport(desktop: &Desktop) -> String {
    let is_it = |w: &Widget| w.name.starts_with("ビューポート 1:") && w.place.is_some();
    desktop.widgets().into_iter().find(is_it).map_or_else(String::new, |w| w.name)
}

/// Where the first viewport lies.
#[track_caller]
fn picture(desktop: &Desktop) -> (i32, i32, i32, i32) {
    let is_it = |w: &&Widget| w.name.starts_with("ビューポート 1:");
    let widgets = desktop.widgets();
    widgets.iter().find(is_it).and_then(|w| w.place).unwrap_or_else(|| panic!("no viewport in {widgets:#?}"))
}

/// Pixels of the first viewport without the texts at its edges.
fn pixels(window: &Window<'_>, (x, y, width, height): (i32, i32, i32, i32)) -> Vec<[u8; 3]> {
    let (_, shot) = window.screenshot("look");
    let inside = |at: i32, length: i32| {
        let cut = |v: i32| u32::try_from(v).expect("on the screen");
        cut(at + length / 6)..cut(at + length - length / 6)
    };
    let (columns, rows) = (inside(x, width), inside(y, height));
    rows.flat_map(|row| columns.clone().map(move |column| (column, row)))
        .filter(|(column, row)| *column < shot.width() && *row < shot.height())
        .map(|(column, row)| shot.get_pixel(column, row).0)
        .collect()
}

/// Brightness of a picture that stands: a screen frame's words are told before it is painted, so what is on the
/// screen may still be the slice before.
fn standing(window: &Window<'_>, place: (i32, i32, i32, i32)) -> f64 {
    let mut seen = [0.0; 3];
    wait_for("a picture that stands", || {
        std::thread::sleep(Duration::from_millis(300));
        seen.rotate_left(1);
        seen[2] = mean(&pixels(window, place));
        (seen[2] > 4.0 && seen.iter().all(|m| (m - seen[2]).abs() < 0.1)).then_some(seen[2])
    })
}

fn mean(pixels: &[[u8; 3]]) -> f64 {
    pixels.iter().map(|p| f64::from(p[1])).sum::<f64>() / pixels.len() as f64
}

/// How many pixels differ.
fn changed(before: &[[u8; 3]], after: &[[u8; 3]]) -> usize {
    before.iter().zip(after).filter(|(a, b)| a != b).count()
}

fn sign_in(desktop: &Desktop, window: &Window<'_>, center: &DemoCenter) {
    // The store of the secrets, protected by a passphrase of the reader's own.
    for field in ["パスフレーズ", "もう一度"] {
        write(desktop, window, field, 0, PASSPHRASE);
    }
    window.click_on(Role::Button, "保管ファイルを作る");
    // The enrolment file, by the system's dialog: closed the first time.
    window.click_on(Role::Button, "選ぶ…");
    read(desktop, "選ばれませんでした。選ぶ画面が出ないときは、場所を入力してください。");
    window.click_on(Role::Button, "選ぶ…");
    // A wrong password is told in words and leaves the reader where they were.
    write(desktop, window, "ユーザー ID", 0, server::demo::READER);
    let answer = |password: &str| {
        write(desktop, window, "パスワード", 0, password);
        write(desktop, window, "ワンタイムコード", 0, &center.code(SystemClock.now()).expect("a code"));
        window.key("Return");
    };
    answer("not my password");
    read(desktop, "パスワードまたはワンタイムコードが違います");
    answer(&center.reader.password);
    read(desktop, "山田\u{3000}太郎");
}

/// By keys alone to the search field, back to the list and into the study: its first picture stands there.
fn open(desktop: &Desktop, window: &Window<'_>) {
    open_first(desktop, window);
    shows(desktop, "the first picture", || {
        let name = viewport(desktop);
        name.contains("1 / 40") && !name.contains("読込中")
    });
    read(desktop, "完全");
}

fn look(desktop: &Desktop, window: &Window<'_>) {
    let place = picture(desktop);
    let (x, y) = (place.0 + place.2 / 2, place.1 + place.3 / 2);
    // The wheel scrolls.
    for _ in 0..8 {
        window.click(x, y, Button::WheelDown);
    }
    shows(desktop, "eight notches, eight slices", || {
        let name = viewport(desktop);
        name.contains(" 9 / 40") && !name.contains("読込中")
    });
    // The keys as well, to both ends.
    window.key("End");
    shows(desktop, "the last slice", || viewport(desktop).contains("40 / 40"));
    window.key("Home");
    shows(desktop, "the first slice", || viewport(desktop).contains(" 1 / 40"));
    window.key("Next");
    window.key("Next");
    shows(desktop, "twenty slices on", || {
        let name = viewport(desktop);
        name.contains("21 / 40") && !name.contains("読込中")
    });
    // A number key sets the window of the lung, where soft tissue is white; 2 that of the mediastinum.
    let soft = standing(window, place);
    window.key("1");
    shows(desktop, "the window of the lung", || mean(&pixels(window, place)) > soft + 15.0);
    window.key("2");
    shows(desktop, "the window of the mediastinum", || (mean(&pixels(window, place)) - soft).abs() < 3.0);
    // The right button drags it: downward raises or lowers the center, so the picture's brightness moves.
    window.press(x, y, Button::Right);
    window.point(x, y + 40);
    window.point(x, y + 160);
    shows(desktop, "another window", || (mean(&pixels(window, place)) - soft).abs() > 5.0);
    window.release(Button::Right);
    window.key("2");
    shows(desktop, "the window of the mediastinum again", || (mean(&pixels(window, place)) - soft).abs() < 3.0);
}

/// A finding with its length and key image.
fn measure(desktop: &Desktop, window: &Window<'_>) {
    window.key("ctrl+n");
    read(desktop, "未記入の所見");
    let place = picture(desktop);
    let (x, y) = (place.0 + place.2 / 2, place.1 + place.3 / 2);
    // A click into the picture takes the keyboard back from the report.
    window.click(x - 60, y - 20, Button::Left);
    shows(desktop, "the keyboard at the pictures", || !desktop.widgets().iter().any(|w| w.text.is_some() && w.focused));
    let before = pixels(window, place);
    strike(desktop, window, "l", "the ruler", || {
        desktop.widgets().iter().any(|w| w.name.starts_with("ツール: 長さ") && w.place.is_some() && w.checked)
    });
    window.press(x - 60, y - 20, Button::Left);
    window.point(x - 20, y - 10);
    window.point(x + 40, y + 10);
    shows(desktop, "the line under the hand", || changed(&before, &pixels(window, place)) > 40);
    window.release(Button::Left);
    let offered = read(desktop, " を入れる");
    window.click_on(Role::Button, &offered);
    read(desktop, "計測を外す");
    let measured = read(desktop, "計測 ");
    assert!(measured.contains("mm"), "{measured}");
    let keyed = || words(desktop).iter().any(|text| text.contains("キー画像を外す"));
    strike(desktop, window, "k", "the key image of the finding", keyed);
}

fn report(desktop: &Desktop, window: &Window<'_>) {
    let shown = viewport(desktop);
    write(desktop, window, "部位", 0, "S3");
    // While the word is composed, single keys are the input method's: K, E, S, T, U and Space mean nothing else.
    compose(desktop, window, "所見", 0);
    assert_eq!(viewport(desktop), shown, "the pictures stood still while text was composed");
    let caught = desktop.widgets().into_iter().find(|w| w.name.starts_with("ツール: 楕円") && w.checked);
    assert_eq!(caught, None, "E took the ellipse while text was composed");
    compose(desktop, window, "所見", 1);
    window.type_text(" 12 mm.");
    shows(desktop, "the findings", || text(desktop, "所見", 1) == "結節 12 mm.");
    window.click_on(Role::RadioButton, "不要");
    // The click takes the caret out of the field, and its input context with it: keys struck meanwhile may come late.
    shows(desktop, "the urgency", || {
        desktop.widgets().iter().any(|w| w.role == Role::RadioButton && w.name == "不要" && w.checked)
    });
}

fn sign(desktop: &Desktop, window: &Window<'_>, password: &str) {
    // The diagnosis is still empty: the gate says so and leads there.
    // Winit on X11 loses keys while a field gives its input context back, as the one of the findings does here: a reader
    // would press again as well.
    let asked = || words(desktop).iter().any(|text| text.contains("診断 が空です"));
    for _ in 0..3 {
        window.key("ctrl+Return");
        let start = Instant::now();
        while !asked() && start.elapsed() < DEADLINE / 6 {
            std::thread::sleep(Duration::from_millis(100));
        }
        if asked() {
            break;
        }
        println!("Ctrl+Enter was lost");
    }
    read(desktop, "診断 が空です");
    let go = wait_for("the way to the empty field", || {
        let widgets = desktop.widgets();
        widgets.into_iter().find(|w| w.role == Role::Button && w.name == "該当箇所へ" && w.place.is_some())
    });
    let (x, y) = go.middle();
    window.click(x, y, Button::Left);
    shows(desktop, "the caret in the diagnosis", || fields(desktop, "診断").first().is_some_and(|f| f.focused));
    compose(desktop, window, "診断", 0);
    read(desktop, "センター）");
    // What was not looked at needs a reason each.
    window.key("ctrl+Return");
    read(desktop, "確認が必要な項目");
    let reason = |n: usize| format!("項目 {n} の理由");
    shows(desktop, "a series that was never opened is asked for", || !fields(desktop, &reason(1)).is_empty());
    let mut n = 1;
    while !fields(desktop, &reason(n)).is_empty() {
        write(desktop, window, &reason(n), 0, "test");
        n += 1;
    }
    window.click_on(Role::Button, "内容を確認");
    read(desktop, "SHA-256");
    write(desktop, window, "パスワード", 0, password);
    window.key("Return");
    read(desktop, "センターが受領しました");
}

/// Exactly one report came, of exactly one version; gives its folder as the requesting facility gets it.
fn received(center: &DemoCenter, folder: &Path) -> PathBuf {
    let running = center.center().expect("the center runs");
    let count = |table: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        running
            .db()
            .read_now(|t| Ok::<_, server::Error>(t.query_row(&sql, [], |row| row.get(0))?))
            .expect("the center's database")
    };
    assert_eq!((count("report"), count("report_version")), (1, 1));
    let report = server::export::report_of(running, &center.reader.assignments[0]).expect("asked").expect("a report");
    let to = folder.join("received");
    server::export::export(running, &report, &to).expect("exported");
    to
}

#[test]
fn from_sign_in_to_receipt() {
    let desktop = Desktop::start(1920, 1080, Typing::Japanese);
    let center = center(&desktop.folder().join("center"));
    let screenshots = desktop.folder().join("screenshots");
    fs::create_dir_all(&screenshots).expect("the test's folder can be written");
    let mut program = workstation(&desktop, &screenshots, &center.enrolment);
    let window = desktop.window("Dokuei");
    wait_until("the whole screen", || window.place().2 == 1920);

    sign_in(&desktop, &window, &center);
    open(&desktop, &window);
    look(&desktop, &window);
    measure(&desktop, &window);
    report(&desktop, &window);
    sign(&desktop, &window, &center.reader.password);

    // The program takes its own picture.
    window.key("F12");
    let file = screenshots.join("screen-01.png");
    wait_until("the screenshot", || file.is_file());
    let (_, _, width, height) = window.place();
    let size = image::image_dimensions(&file).expect("a PNG file");
    assert_eq!(size, (u32::try_from(width).expect("width"), u32::try_from(height).expect("height")));

    let folder = received(&center, desktop.folder());
    let text = fs::read_to_string(folder.join("report.json")).expect("the signed bytes");
    let signed: Value = serde_json::from_str(&text).expect("JSON");
    assert!(text.contains("結節 12 mm."), "{signed:#}");
    let verdict = output(
        Command::new("sh").current_dir(&folder).args([
            "-c",
            "openssl cms -verify -inform DER -binary -in signature.p7s -content report.json -CAfile ca.pem -out /dev/null 2>&1",
        ]),
    );
    assert!(verdict.contains("successful"), "{verdict}");

    // Back at the worklist the study is sent, and the program ends when its window is closed.
    window.key("Return");
    read(&desktop, "送信済");
    window.close();
    wait_until("the end of the program", || program.ended().is_some());
    assert!(program.ended().is_some_and(|status| status.success()), "{}", program.printed());
    center.stop().expect("the center stops");
}
