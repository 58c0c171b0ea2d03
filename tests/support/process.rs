//! Programs started by a test: each leads a process group that ends with the value that holds it.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for what must come: generous, since it is only ever used up by a failure. The real window is
/// drawn by the processor, and on one that has six others to serve each screen frame takes a second.
pub const DEADLINE: Duration = Duration::from_mins(3);

/// Asks again and again until there is an answer, for [`DEADLINE`] at most.
pub fn look_for<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let asked = Instant::now();
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if start.elapsed() >= DEADLINE {
            return None;
        }
        // Who is asked works for the answer: it has at least as long for what it is asked about.
        thread::sleep(asked.elapsed().max(Duration::from_millis(50)));
    }
}

/// Asks again and again until there is an answer.
///
/// # Panics
/// After [`DEADLINE`], naming what did not come.
#[track_caller]
pub fn wait_for<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    // Not in a closure: it would hide who called.
    let Some(answer) = look_for(ask) else { panic!("{what}: not within {} s", DEADLINE.as_secs()) };
    answer
}

/// Like [`wait_for`], for a condition.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(what, || holds().then_some(()));
}

/// A running program. Dropping it ends the program and everything that it started.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program whose output goes to `folder/NAME.log`.
    ///
    /// # Panics
    /// If it cannot be started, such as when it is not installed (`scripts/test` installs all of them).
    #[track_caller]
    pub fn start(mut command: Command, folder: &Path) -> Self {
        let program = PathBuf::from(command.get_program());
        let name = program.file_name().map_or_else(|| "program".into(), |name| name.to_string_lossy());
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).expect("the test's folder can be written");
        let errors = output.try_clone().expect("a file has a second handle");
        let child = command.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0).spawn().unwrap_or_else(
            |error| panic!("{name} did not start ({error}); scripts/test installs what the tests need"),
        );
        Self { child, log }
    }

    /// Everything that it has printed up to now, on both outputs.
    pub fn printed(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Its id, which is also that of its process group.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be asked")
    }

    /// Waits for something in what it prints.
    ///
    /// # Panics
    /// If it ends before, or after [`DEADLINE`]; with what it printed.
    #[track_caller]
    pub fn wait_for_print<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            let ended = self.ended();
            let printed = self.printed();
            if let Some(found) = find(&printed) {
                return found;
            }
            assert!(
                ended.is_none() && start.elapsed() < DEADLINE,
                "{what}: did not come; the program {}; it printed:\n{printed}",
                ended.map_or_else(|| "runs still".to_owned(), |status| format!("ended with {status}"))
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sends a signal, by its name without `SIG`, to the whole group.
    pub fn signal(&self, signal: &str) {
        // The shell's own `kill`: it is on every system and needs no unsafe code here. A group that is gone is
        // what the caller wants, so its complaint is dropped.
        let sent = Command::new("sh")
            .args(["-c", r#"kill -s "$1" -- "-$2" 2>/dev/null"#, "kill", signal])
            .arg(self.id().to_string())
            .status();
        assert!(sent.is_ok(), "no shell to send {signal}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal("TERM");
        let start = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && start.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(20));
        }
        // Whatever did not listen, and the children of a leader that ended before them.
        self.signal("KILL");
        // Fails only if it was waited for already.
        let _ = self.child.wait();
    }
}

/// What a short command prints.
///
/// # Panics
/// If it cannot be started or fails.
#[track_caller]
pub fn output(command: &mut Command) -> String {
    answer(command).unwrap_or_else(|complaint| panic!("{command:?}: {complaint}"))
}

/// What a short command prints, or its complaint if it fails.
///
/// # Panics
/// If it cannot be started.
#[track_caller]
pub fn answer(command: &mut Command) -> Result<String, String> {
    let done = command.stdin(Stdio::null()).output().unwrap_or_else(|error| {
        panic!("{command:?} did not start ({error}); scripts/test installs what the tests need")
    });
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}
