//! What `dokuei-center` takes on its command line.

use crate::center::contract::UserRole;
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Dokuei's reference reading center: worklist, DICOMweb, signed reports.
#[derive(Debug, Parser)]
#[command(name = "dokuei-center", version, about, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 done and in order; 1 done, but something was refused (it is listed); 2 could not be done.\n\
                        How to run a center: docs/running-a-center.md."
)]
pub struct Cli {
    /// Folder with everything that the center keeps.
    #[arg(long, global = true, value_name = "DIR", env = "DOKUEI_CENTER_DATA", default_value = "center-data")]
    pub data: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Subcommands of `dokuei-center`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serves until it is asked to end.
    Serve(ServeArgs),
    /// Takes DICOM files, and makes one assignment per new study. Twice the same import makes no duplicate.
    Import(ImportArgs),
    /// People.
    #[command(subcommand)]
    User(UserCommand),
    /// Gives a reader an enrolment file and a second factor; both of before end.
    Enrol {
        /// User id.
        user: String,
        /// Enrolment file to write. Default: USER.dokuei-enrol.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// The center's address as terminals reach it. Default: that of the last `serve`.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// Makes an assignment from a request form 依頼票.
    Assign {
        /// The form as JSON (docs/running-a-center.md tells its members).
        #[arg(long, value_name = "FILE.json")]
        request: PathBuf,
    },
    /// Assignments.
    #[command(subcommand)]
    Assignment(AssignmentCommand),
    /// Signed reports.
    #[command(subcommand)]
    Report(ReportCommand),
    /// Copies the whole center while it runs; later backups into the same folder copy what is new.
    Backup {
        /// Folder outside the center's own.
        target: PathBuf,
    },
    /// Writes generated studies with known answers (truth.json) into a folder.
    DemoData(DemoDataArgs),
}

/// Arguments of `demo-data`.
#[derive(Debug, Args)]
pub struct DemoDataArgs {
    /// Folder.
    pub dir: PathBuf,
    /// A quarter of the matrix and few slices.
    #[arg(long)]
    pub small: bool,
    /// Only this study; may be repeated.
    #[arg(long, value_name = "KEY", value_parser = PossibleValuesParser::new(crate::phantom::keys()), conflicts_with = "fill")]
    pub only: Vec<String>,
    /// Imports them too and makes the demo's reader and requests.
    #[arg(long)]
    pub fill: bool,
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// Host name or address by which terminals reach the center (repeatable; the first stands in its address).
    #[arg(long = "name", value_name = "NAME")]
    pub names: Vec<String>,
    /// Base URL for terminals behind a reverse proxy or forwarded port.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The center's name; taken at the first start.
    #[arg(long, value_name = "TEXT", default_value = "読影センター")]
    pub center_name: String,
    /// Also speaks TLS 1.2, for networks that cannot do otherwise.
    #[arg(long)]
    pub tls12: bool,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Files and folders.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Reader of the assignments. Default: the only reader there is.
    #[arg(long, value_name = "USER")]
    pub reader: Option<String>,
    /// Takes the images without making assignments (priors, for instance).
    #[arg(long, conflicts_with = "reader")]
    pub no_assign: bool,
    /// The images lie in this DICOMweb archive: only assignments are made.
    #[arg(long, value_name = "URL", requires = "credentials")]
    pub archive: Option<String>,
    /// Name of the credentials for that archive at the readers' terminals.
    #[arg(long, value_name = "NAME", requires = "archive")]
    pub credentials: Option<String>,
}

/// `user …`.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Makes a user; the password is read from standard input or a file, or made.
    Add {
        /// User id: lower-case letters, digits, '.', '-', '_'.
        id: String,
        /// Name for people, such as "読影 太郎".
        #[arg(long)]
        name: String,
        /// What the person is (repeatable).
        #[arg(long = "role", value_enum, default_value = "reader")]
        roles: Vec<Role>,
        /// Where the password comes from.
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Lists users.
    List,
    /// Ends a user's access: sessions end, signing certificates are revoked.
    Disable {
        /// User id.
        id: String,
    },
    /// Lets a disabled user in again (with a new enrolment for a new certificate).
    Enable {
        /// User id.
        id: String,
    },
    /// A new password; all sessions end.
    Passwd {
        /// User id.
        id: String,
        /// Where the password comes from.
        #[command(flatten)]
        password: PasswordArgs,
    },
}

/// Where a password comes from.
#[derive(Debug, Args)]
pub struct PasswordArgs {
    /// Its first line is the password. Default: asked on the terminal, not echoed; elsewhere the first line of standard input.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Makes a password and prints it once.
    #[arg(long, conflicts_with = "password_file")]
    pub generate: bool,
}

/// Roles as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Reads.
    Reader,
    /// Second reader.
    SecondReader,
    /// Arbiter.
    Arbiter,
    /// Coordinator: sees every study, assigns.
    Coordinator,
    /// Administrator.
    Admin,
}

impl From<Role> for UserRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Reader => Self::Reader,
            Role::SecondReader => Self::SecondReader,
            Role::Arbiter => Self::Arbiter,
            Role::Coordinator => Self::Coordinator,
            Role::Admin => Self::Admin,
        }
    }
}

/// `assignment …`.
#[derive(Debug, Subcommand)]
pub enum AssignmentCommand {
    /// Lists assignments, earliest deadline first.
    List {
        /// Closed ones too.
        #[arg(long)]
        all: bool,
    },
    /// Withdraws an assignment; work on it is refused from now on.
    Cancel {
        /// Assignment id.
        id: String,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Frees an assignment for its reader: leases end, signed work is still taken, and what was returned may be read.
    Release {
        /// Assignment id.
        id: String,
        /// Another patient was suspected, and the patient was checked: signing is possible again.
        #[arg(long)]
        patient_checked: bool,
    },
    /// Gives an assignment to another reader.
    Reassign {
        /// Assignment id.
        id: String,
        /// The other reader.
        #[arg(long, value_name = "USER")]
        to: String,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Marks submitted work as delivered and closed.
    Finalize {
        /// Assignment id.
        id: String,
    },
}

/// `report …`.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Writes a report for the requesting facility: HTML page, signed files, receipt, certificates; earlier versions in folders
    /// `version-N`.
    Export {
        /// Report id, or the id of the assignment that it answers.
        id: String,
        /// Folder to write into. Default: the id.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}
