//! `dokuei`, the reading workstation: arguments, logging, and which command does what.

#[cfg(feature = "gui")]
use anyhow::Context as _;
use clap::Parser as _;
use dokuei::cli::args::{Cli, Command, DemoArgs};
use dokuei::cli::{archive, demo, dump, enrol, info, object, outbox, pixels, profile, validate, verify};
use dokuei::engine::{Clock as _, SystemClock};
use std::io::Write as _;
use std::process::ExitCode;
#[cfg(feature = "gui")]
use std::sync::atomic::{AtomicBool, Ordering};

/// Could not be done.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    log_to_stderr();
    tell_panics_without_content();
    let cli = Cli::parse();
    match run(cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let mut stderr = std::io::stderr().lock();
            // Nothing is left to tell where standard error is closed.
            let _ = writeln!(stderr, "dokuei: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

/// Warnings and errors; `RUST_LOG` asks for more. No record holds patient data.
fn log_to_stderr() {
    use tracing_subscriber::EnvFilter;
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,wgpu_hal=error,dicom_parser=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

/// A panic is a fault of ours: its place is told, its words are not, since they might quote a patient's data.
fn tell_panics_without_content() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
        tracing::error!(place, thread, "a fault in the program");
    }));
}

/// Does the command; `false` = done, but the answer is no.
fn run(cli: Cli) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    match &cli.command {
        Some(Command::Info { paths, json }) => Ok(info::run(paths, *json, &mut out)?),
        Some(Command::Validate { paths, json }) => Ok(validate::run(paths, *json, &mut out)?),
        Some(Command::Object { file, json, export }) => Ok(object::run(file, *json, export.as_deref(), &mut out)?),
        Some(Command::Dump { file, json }) => Ok(dump::run(file, *json, &mut out)?),
        Some(Command::Pixels(args)) => {
            pixels::run(args, &mut out)?;
            Ok(true)
        }
        Some(Command::Render(args)) => render(args, &mut out),
        Some(Command::Verify { path, signature, ca }) => {
            let args = verify::VerifyArgs { path: path.clone(), signature: signature.clone(), ca: ca.clone() };
            Ok(verify::run(&args, SystemClock.now(), &mut out)?)
        }
        Some(Command::Enrol { file }) => Ok(enrol::run(&profile::profile_dir(&cli)?, cli.secrets, file, &mut out)?),
        Some(Command::Archive(args)) => Ok(archive::run(&profile::profile_dir(&cli)?, cli.secrets, args, &mut out)?),
        Some(Command::Outbox(args)) => Ok(outbox::run(&profile::profile_dir(&cli)?, cli.secrets, args, &mut out)?),
        Some(Command::Demo(args)) if args.headless => headless_demo(args, &mut out),
        Some(Command::Demo(args)) => window_demo(&cli, args, &mut out),
        Some(Command::Open { .. }) | None => window(&cli),
    }
}

fn options(args: &DemoArgs) -> demo::DemoOptions {
    demo::DemoOptions { dir: args.out.clone(), import: args.import.clone(), small: args.small }
}

#[cfg(feature = "gui")]
fn render(args: &dokuei::cli::args::RenderArgs, out: &mut dyn std::io::Write) -> anyhow::Result<bool> {
    for warning in dokuei::cli::render::run(args)? {
        writeln!(out, "{warning}")?;
    }
    Ok(true)
}

#[cfg(feature = "gui")]
fn headless_demo(args: &DemoArgs, out: &mut dyn std::io::Write) -> anyhow::Result<bool> {
    use dokuei::cli::args::Renderer;
    use dokuei::cli::render::{Drawer, Size};
    let (name, mut drawer) = match Drawer::new(Renderer::Gpu) {
        Ok(drawer) => ("gpu", drawer),
        Err(why) => {
            writeln!(out, "No graphics adapter, the processor draws: {why}")?;
            ("cpu", Drawer::new(Renderer::Cpu)?)
        }
    };
    let mut draw = |frame: &std::sync::Arc<dokuei::imaging::Frame>, voi| {
        drawer.draw(frame, voi, Size::Native).map_err(|e| e.to_string())
    };
    Ok(demo::headless(&options(args), (name, &mut draw), out)?)
}

#[cfg(feature = "gui")]
fn window_demo(cli: &Cli, args: &DemoArgs, out: &mut dyn std::io::Write) -> anyhow::Result<bool> {
    if cli.profile.is_some() {
        writeln!(out, "The demo keeps a profile of its own under {}: --profile is not used.", args.out.display())?;
    }
    let center = demo::DemoCenter::start(&options(args), out)?;
    writeln!(
        out,
        "The reader {} is signed in. Password for signatures: {}",
        dokuei::server::demo::READER,
        *center.reader.password
    )?;
    out.flush()?;
    let dir = args.out.clone();
    let ready = |wake| demo::signed_in(&center, &dir, wake).map_err(anyhow::Error::from);
    let whole = show(cli, ready, Vec::new())?;
    center.stop()?;
    Ok(whole)
}

#[cfg(feature = "gui")]
fn window(cli: &Cli) -> anyhow::Result<bool> {
    use dokuei::app::Action;
    use dokuei::engine::{Config, Engine};
    let dir = profile::profile_dir(cli)?;
    let first = match &cli.command {
        Some(Command::Open { paths }) => vec![Action::OpenLocal(paths.clone())],
        _ => Vec::new(),
    };
    let ready = |wake| {
        let config = Config::new(dir, profile::secrets(cli.secrets), std::sync::Arc::new(SystemClock), wake);
        let engine = Engine::start(config).context("the workstation cannot start")?;
        Ok(Box::new(engine) as Box<dyn dokuei::engine::message::EngineLink>)
    };
    show(cli, ready, first)
}

/// Opens the window on an engine; `false` where not everything was done when it ended.
#[cfg(feature = "gui")]
fn show<R>(cli: &Cli, ready: R, first: Vec<dokuei::app::Action>) -> anyhow::Result<bool>
where
    R: FnOnce(std::sync::Arc<dyn Fn() + Send + Sync>) -> anyhow::Result<Box<dyn dokuei::engine::message::EngineLink>>,
{
    use dokuei::ui::{UiOptions, Wake};
    use std::sync::{Arc, OnceLock};
    // The engine starts before there is a window, so that what keeps it from starting can be told here.
    let wake: Arc<OnceLock<Wake>> = Arc::default();
    let ring = {
        let wake = Arc::clone(&wake);
        Arc::new(move || {
            if let Some(wake) = wake.get() {
                wake();
            }
        })
    };
    let engine = ready(ring)?;
    let start = move |later: Wake| {
        // Only one window ever asks.
        let _ = wake.set(later);
        engine
    };
    dokuei::ui::run(UiOptions {
        clock: Box::new(|| SystemClock.now()),
        start: Box::new(start),
        first,
        certified: false,
        screenshots: cli.screenshots.clone(),
        ended: Box::new(end_soon),
    })?;
    WINDOW_GONE.store(true, Ordering::Relaxed);
    Ok(WHOLE.load(Ordering::Relaxed))
}

/// The engine did everything that it was asked for before it ended.
#[cfg(feature = "gui")]
static WHOLE: AtomicBool = AtomicBool::new(true);

/// The window system has let the window go: what comes after it takes its own time and has its own exit code.
#[cfg(feature = "gui")]
static WINDOW_GONE: AtomicBool = AtomicBool::new(false);

/// How long the window system may take to let a closed window go.
#[cfg(feature = "gui")]
const LAST_OF_THE_WINDOW: std::time::Duration = std::time::Duration::from_secs(5);

/// What could be kept is on disk, so nobody waits for an input method or a driver that does not answer: they can only
/// be left.
#[cfg(feature = "gui")]
fn end_soon(whole: bool) {
    WHOLE.store(whole, Ordering::Relaxed);
    if !whole {
        let mut stderr = std::io::stderr().lock();
        // Nothing is left to tell where standard error is closed.
        let _ = writeln!(
            stderr,
            "dokuei: ended before everything was done, since the disk or the secrets store did not answer in time: \
             look at the last draft and the outbox at the next start"
        );
    }
    let end = move || {
        std::thread::sleep(LAST_OF_THE_WINDOW);
        if WINDOW_GONE.load(Ordering::Relaxed) {
            return;
        }
        tracing::warn!("the window system does not let the window go: ended without it");
        std::process::exit(i32::from(!whole));
    };
    if let Err(error) = std::thread::Builder::new().name("dokuei-end".to_owned()).spawn(end) {
        tracing::warn!(%error, "the end of the window is not watched");
    }
}

#[cfg(not(feature = "gui"))]
fn render(_: &dokuei::cli::args::RenderArgs, _: &mut dyn std::io::Write) -> anyhow::Result<bool> {
    anyhow::bail!("this build has no window and no GPU (feature `gui` is off)")
}

#[cfg(not(feature = "gui"))]
fn headless_demo(args: &DemoArgs, out: &mut dyn std::io::Write) -> anyhow::Result<bool> {
    use dokuei::imaging::{Frame, render_rgb};
    let mut draw =
        |frame: &std::sync::Arc<Frame>, voi| Ok((render_rgb(frame, &voi, false), [frame.columns, frame.rows]));
    Ok(demo::headless(&options(args), ("cpu", &mut draw), out)?)
}

#[cfg(not(feature = "gui"))]
fn window_demo(_: &Cli, _: &DemoArgs, _: &mut dyn std::io::Write) -> anyhow::Result<bool> {
    anyhow::bail!("this build has no window (feature `gui` is off): use `dokuei demo --headless`")
}

#[cfg(not(feature = "gui"))]
fn window(_: &Cli) -> anyhow::Result<bool> {
    anyhow::bail!("this build has no window (feature `gui` is off): nothing to open")
}
