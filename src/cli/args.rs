//! What `dokuei` takes on its command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Dokuei 読影: the reading workstation for remote radiologists. Without a command it opens the window.
#[derive(Debug, Parser)]
#[command(name = "dokuei", version, about, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 done and in order; 1 done, but the answer is no (a report that does not verify, \
                        a file that cannot be shown); 2 could not be done.\n\
                        JSON outputs are described in docs/command-line.md."
)]
pub struct Cli {
    /// Folder of the profile (enrolment, cache, drafts, outbox). Default: the system's place for application data.
    #[arg(long, global = true, value_name = "DIR", env = "DOKUEI_PROFILE_DIR")]
    pub profile: Option<PathBuf>,
    /// Where secrets are kept.
    #[arg(long, global = true, value_enum, default_value_t = Secrets::Keyring)]
    pub secrets: Secrets,
    /// Writes a picture of the window into this folder whenever F12 is pressed.
    #[arg(long, global = true, value_name = "DIR")]
    pub screenshots: Option<PathBuf>,
    /// What to do; nothing = open the window.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Where secrets are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Secrets {
    /// The system's keyring; without one the window offers the passphrase store.
    Keyring,
    /// A file protected by a passphrase that is asked at start.
    Passphrase,
}

/// Subcommands of `dokuei`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tries everything: a reading center with generated studies in this process, and the workstation on it.
    Demo(DemoArgs),
    /// Takes an enrolment file from the reading center.
    Enrol {
        /// The file (`*.dokuei-enrol`).
        file: PathBuf,
    },
    /// Credentials for an image archive beside the center's own, where assignments name one (a PACS, Orthanc).
    Archive(ArchiveArgs),
    /// Signed reports that wait on this terminal for the center, and the files of those that it refused.
    #[command(subcommand)]
    Outbox(OutboxArgs),
    /// Opens local DICOM files and folders, without a reading center.
    Open {
        /// Files and folders.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Lists what DICOM files and folders hold.
    Info {
        /// Files and folders.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Looks for faults in DICOM files: text, identity, lengths, geometry, laterality; each with the rule it breaks.
    Validate {
        /// Files and folders.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows a DICOM file's header as it is read: every element, its text in any character set, what is odd about it.
    Dump {
        /// DICOM file.
        file: PathBuf,
        /// As DICOM JSON (PS3.18 annex F), without pixel data and long binary values.
        #[arg(long)]
        json: bool,
    },
    /// Shows what an object without a picture says: a structured report's text and findings, a key object
    /// selection's pictures, a presentation state, segments, contours.
    Object {
        /// DICOM file.
        file: PathBuf,
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// Saves the document (PDF, CDA) within the object into this new file; it is never opened here.
        #[arg(long, value_name = "FILE", conflicts_with = "json")]
        export: Option<PathBuf>,
    },
    /// Writes what a stage of the grey-scale chain yields for one frame, as a NumPy array.
    Pixels(PixelsArgs),
    /// Draws one frame into a PNG, with the window's own pipeline.
    Render(RenderArgs),
    /// Verifies a signed report.
    Verify {
        /// A folder with report.json, signature.p7s and its attachments, or a report.json.
        path: PathBuf,
        /// The signature; default: signature.p7s beside the report.
        #[arg(long, value_name = "FILE")]
        signature: Option<PathBuf>,
        /// The center's root certificate (PEM); default: ca.pem beside the report.
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
    },
}

/// Arguments of `dokuei archive`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["list", "archive"]))]
pub struct ArchiveArgs {
    /// The name that the center gives for the credentials, or the archive's address (https://host:port).
    #[arg(value_name = "NAME_OR_ORIGIN")]
    pub archive: Option<String>,
    /// User. Without one, what is asked is a bearer token.
    #[arg(long, conflicts_with_all = ["list", "remove"])]
    pub user: Option<String>,
    /// Reads the password from the first line of standard input. Default: asked on the terminal, not echoed.
    #[arg(long, conflicts_with_all = ["list", "remove"])]
    pub password_stdin: bool,
    /// Certificate authority of this archive (PEM or DER), instead of the system's; counts for it alone. Default: as kept before.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["list", "remove"])]
    pub ca: Option<PathBuf>,
    /// Lists what is kept, without secrets.
    #[arg(long)]
    pub list: bool,
    /// Forgets what is kept for this archive.
    #[arg(long, requires = "archive")]
    pub remove: bool,
}

/// Arguments of `dokuei outbox`.
#[derive(Debug, Subcommand)]
pub enum OutboxArgs {
    /// Lists what waits, was refused or was handed over. Exit code 1 where something needs a person.
    List,
    /// Writes the signed files of a refused report into a fresh folder inside DIR. They hold patient data.
    Export {
        /// Number of the entry, as the list tells it.
        id: i64,
        /// An existing folder.
        dir: PathBuf,
    },
}

/// Arguments of `dokuei demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Without a window: reads everything, renders every series, signs and submits a report for each exam kind.
    #[arg(long)]
    pub headless: bool,
    /// Folder for the results of --headless.
    #[arg(long, value_name = "DIR", default_value = "demo-out")]
    pub out: PathBuf,
    /// Adds real studies: DICOM files or folders.
    #[arg(long = "import", value_name = "PATH")]
    pub import: Vec<PathBuf>,
    /// Smaller generated studies (quarter matrix, fewer slices): seconds instead of minutes.
    #[arg(long)]
    pub small: bool,
}

/// Arguments of `dokuei pixels`.
#[derive(Debug, Args)]
pub struct PixelsArgs {
    /// DICOM file.
    pub file: PathBuf,
    /// Frame, counted from 1.
    #[arg(long, default_value_t = 1)]
    pub frame: u32,
    /// Which stage (PS3.4 N.2).
    #[arg(long, value_enum, default_value_t = Stage::Stored)]
    pub stage: Stage,
    /// The file's VOI LUT or window of this number, counted from 1, LUTs first; default: the first.
    #[arg(long, value_name = "K", conflicts_with = "window")]
    pub voi: Option<usize>,
    /// Window center and width, and a function: linear, linear-exact or sigmoid.
    #[arg(long, value_name = "C,W[,FUNCTION]", allow_hyphen_values = true)]
    pub window: Option<String>,
    /// Shows the frame as this presentation state says, in place of all that the file says itself (PS3.4 N.2), with its
    /// shutters and overlay planes. The presentation is turned and mirrored, and shows the whole picture.
    #[arg(long, value_name = "STATE")]
    pub state: Option<PathBuf>,
    /// Draws overlay planes (white) into the presentation.
    #[arg(long)]
    pub overlays: bool,
    /// Closes display shutters in the presentation.
    #[arg(long)]
    pub shutters: bool,
    /// NumPy file to write.
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
}

/// A stage of the grey-scale chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// Stored values: integers of native depth.
    Stored,
    /// After the modality transform: f64 (f32 for float pixels without rescale).
    Modality,
    /// After the VOI transform: f32, 0 to 255, unrounded, before inversion.
    Voi,
    /// As shown: u8, with polarity and padding.
    Presentation,
}

/// Arguments of `dokuei render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// DICOM file.
    pub file: PathBuf,
    /// Frame, counted from 1.
    #[arg(long, default_value_t = 1)]
    pub frame: u32,
    /// Window center and width; default: the file's own.
    #[arg(long, value_name = "C,W", allow_hyphen_values = true)]
    pub window: Option<String>,
    /// `native`, or WIDTHxHEIGHT with black bars where the shapes differ.
    #[arg(long, default_value = "native")]
    pub size: String,
    /// Which pipeline draws.
    #[arg(long, value_enum, default_value_t = Renderer::Gpu)]
    pub renderer: Renderer,
    /// PNG to write.
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Which pipeline draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Renderer {
    /// The window's shaders, offscreen.
    Gpu,
    /// The reference on the processor.
    Cpu,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn archives_are_kept_listed_or_removed() {
        let parse = |words: &[&str]| Cli::try_parse_from([&["dokuei", "archive"], words].concat()).is_ok();
        for good in [
            &["orthanc", "--user", "u"][..],
            &["https://pacs.example", "--user", "u", "--password-stdin", "--ca", "ca.pem"],
            &["orthanc"],
            &["--list"],
            &["orthanc", "--remove"],
        ] {
            assert!(parse(good), "{good:?}");
        }
        for bad in [&[][..], &["--remove"], &["orthanc", "--list"], &["orthanc", "--remove", "--user", "u"]] {
            assert!(!parse(bad), "{bad:?}");
        }
    }

    #[test]
    fn windows_may_be_negative() {
        let cli =
            Cli::try_parse_from(["dokuei", "render", "a.dcm", "--window", "-600,1500", "-o", "a.png"]).expect("parses");
        let Some(Command::Render(args)) = cli.command else { panic!("render expected") };
        assert_eq!(args.window.as_deref(), Some("-600,1500"));
    }
}
