//! Passwords on a real terminal (a pseudo-terminal by util-linux's `script`): they are taken and not shown.

#![cfg(target_os = "linux")]

use crate::support::process::wait_until;
use std::io::Write as _;
use std::process::{Command, Stdio};

const SECRET: &str = "Yomu-hito-88-y";

#[test]
fn a_new_password_is_asked_twice_and_not_echoed() {
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("center");
    let center = env!("CARGO_BIN_EXE_dokuei-center");
    let mut command = Command::new("script");
    let place = folder.path().join("tty");
    let line = format!("tty >{}; exec {center} --data {} user add dr.abe --name Abe", place.display(), data.display());
    command.args(["-qec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut script = command.spawn().expect("script (util-linux) runs");
    let mut typed = script.stdin.take().expect("piped");
    let mut shown = script.stdout.take().expect("piped");
    let seen = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let copy = std::sync::Arc::clone(&seen);
    let reader = std::thread::Builder::new().name("terminal".to_owned()).spawn(move || {
        let mut buffer = [0; 256];
        while let Ok(count @ 1..) = std::io::Read::read(&mut shown, &mut buffer) {
            copy.lock().expect("seen").push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    });
    let shows = |text: &str| seen.lock().expect("seen").contains(text);
    for prompt in ["Password: ", "Password (again): "] {
        wait_until(prompt, || shows(prompt));
        // Echo is turned off right after the prompt.
        wait_until("no echo", || echo_is_off(&place));
        typed.write_all(format!("{SECRET}\n").as_bytes()).expect("typed");
    }
    let ended = script.wait().expect("ended");
    reader.expect("thread").join().expect("read");
    let all = seen.lock().expect("seen").clone();
    assert!(ended.success(), "{all}");
    assert!(all.contains("dr.abe is there") && !all.contains(SECRET), "{all}");
}

/// What the terminal itself says, whose name stands in a file.
fn echo_is_off(place: &std::path::Path) -> bool {
    let tty = std::fs::read_to_string(place).expect("the terminal's name");
    let state = crate::support::process::output(Command::new("stty").args(["-a", "-F", tty.trim()]));
    state.split_whitespace().any(|flag| flag == "-echo")
}

#[test]
fn credentials_of_an_archive_are_kept_listed_and_removed_on_the_command_line() {
    let folder = tempfile::tempdir().expect("folder");
    let run = |arguments: &[&str], typed: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dokuei"));
        command.args(["--secrets", "passphrase", "--profile"]).arg(folder.path()).arg("archive").args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("dokuei runs");
        child.stdin.take().expect("piped").write_all(typed.as_bytes()).expect("typed");
        let out = child.wait_with_output().expect("ended");
        let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        (out.status.code(), said)
    };
    // There is no secret store yet: refused, and said how to make one.
    let (code, said) = run(&["--list"], "");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("enrol first"), "{said}");
    let store = dokuei::vault::secrets::PassphraseStore::create(
        &folder.path().join("secrets.json"),
        "a long passphrase",
        dokuei::vault::secrets::PassphraseWork::QUICK,
    );
    drop(store.expect("store"));
    let pass = "a long passphrase\n";
    let (code, said) = run(&["orthanc", "--user", "dr.abe", "--password-stdin"], &format!("{pass}{SECRET}\n"));
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains(SECRET), "{said}");
    let (code, said) = run(&["--list"], pass);
    assert_eq!((code, said.trim()), (Some(0), "orthanc  not used yet  dr.abe  authority: system"));
    assert_eq!(run(&["--list"], "another passphrase\n").0, Some(2));
    assert_eq!(run(&["elsewhere", "--remove"], pass).0, Some(1));
    assert_eq!(run(&["orthanc", "--remove"], pass).0, Some(0));
    assert_eq!(run(&["--list"], pass), (Some(0), String::new()));
}
