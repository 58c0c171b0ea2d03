//! `dokuei-center`: what the center's IT person types.

pub use super::center_args::Cli;
use super::center_args::{
    AssignmentCommand, Command, DemoDataArgs, ImportArgs, PasswordArgs, ReportCommand, UserCommand,
};
use super::password;
use crate::center::contract::UserRole;
use crate::phantom::{self, DEFAULT_BASE_DATE, Scale};
use crate::server::assign::{self, AssignmentRequest};
use crate::server::{Center, Config, Error, backup, demo, export, import, serve_until_signal, users};
use crate::study::JsonFault;
use crate::vault::secrets::Zeroizing;
use crate::vault::tls::MinimumTls;
use crate::worklist::clock::SystemClock;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Runs a command; prints to `out`. Gives the exit code: 0, or 1 where something was refused and listed.
pub fn run(cli: &Cli, out: &mut dyn Write) -> Result<u8, Error> {
    let mut config = Config::new(&cli.data, Arc::new(SystemClock));
    match &cli.command {
        Command::Serve(args) => {
            config.listen = args.listen;
            config.names.clone_from(&args.names);
            config.public_url.clone_from(&args.url);
            config.center_name.clone_from(&args.center_name);
            config.minimum_tls = if args.tls12 { MinimumTls::V12 } else { MinimumTls::V13 };
            serve(config, out)
        }
        Command::Enrol { user, out: file, url } => {
            config.public_url.clone_from(url);
            enrol(&Center::open(config)?, user, file.as_deref(), out)
        }
        Command::DemoData(args) => demo_data(config, args, out),
        Command::Import(args) => import_files(&Center::open(config)?, args, out),
        Command::User(command) => user(&Center::open(config)?, command, out),
        Command::Assign { request } => {
            let text = std::fs::read(request).map_err(Error::io(request))?;
            let form: AssignmentRequest = serde_json::from_slice(&text)
                .map_err(|e| Error::Refused(format!("{}: {}", request.display(), JsonFault::from(e))))?;
            let done = assign::assign(&Center::open(config)?, &form)?;
            let word = if done.new { "assigned" } else { "there already" };
            say(out, format_args!("{}  {word}", done.id))
        }
        Command::Assignment(command) => assignment(&Center::open(config)?, command, out),
        Command::Report(ReportCommand::Export { id, out: folder }) => {
            let center = Center::open(config)?;
            let report = export::report_of(&center, id)?.unwrap_or_else(|| id.clone());
            let folder = folder.clone().unwrap_or_else(|| PathBuf::from(&report));
            for path in export::export(&center, &report, &folder)? {
                say(out, format_args!("{}", path.display()))?;
            }
            Ok(0)
        }
        Command::Backup { target } => {
            let done = backup::backup(&Center::open(config)?, target)?;
            say(out, format_args!("{} files, {} copied", done.files, done.copied))
        }
    }
}

fn say(out: &mut dyn Write, line: std::fmt::Arguments<'_>) -> Result<u8, Error> {
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Error::io("standard output"))?;
    Ok(0)
}

fn serve(config: Config, out: &mut dyn Write) -> Result<u8, Error> {
    let center = Center::open(config)?;
    let mut told = Ok(0);
    serve_until_signal(center, |handle| {
        told = handle.base_url().and_then(|url| {
            say(out, format_args!("{} listens on {}", handle.center().name(), handle.addr()))?;
            say(out, format_args!("address for terminals: {url}"))
        });
    })?;
    told
}

fn enrol(center: &Center, user: &str, file: Option<&Path>, out: &mut dyn Write) -> Result<u8, Error> {
    let enrolment = users::enrol(center, user)?;
    let path = file.map_or_else(|| PathBuf::from(format!("{user}.dokuei-enrol")), Path::to_path_buf);
    let text = serde_json::to_vec_pretty(&enrolment.file)?;
    crate::vault::atomic::write(&path, &text).map_err(Error::io(&path))?;
    say(out, format_args!("enrolment file: {} (until {})", path.display(), enrolment.file.expires_at))?;
    say(
        out,
        format_args!("one-time passwords, by another way than the file: {}", enrolment.totp.to_base32().as_str()),
    )?;
    say(out, format_args!("{}", qr(&enrolment.otpauth_uri)?))
}

/// A QR code of half blocks, dark on light, with its quiet zone.
fn qr(text: &Zeroizing<String>) -> Result<String, Error> {
    let code = qrcode::QrCode::new(text.as_bytes()).map_err(|e| Error::Refused(format!("no QR code: {e}")))?;
    Ok(code.render::<qrcode::render::unicode::Dense1x2>().quiet_zone(true).build())
}

fn demo_data(config: Config, args: &DemoDataArgs, out: &mut dyn Write) -> Result<u8, Error> {
    let dir = args.dir.as_path();
    std::fs::create_dir_all(dir).map_err(Error::io(dir))?;
    let scale = if args.small { Scale::Small } else { Scale::Full };
    let wanted = |key: &str| args.only.is_empty() || args.only.iter().any(|only| only == key);
    let written = phantom::write_some(dir, DEFAULT_BASE_DATE, scale, &wanted, &|_| {});
    let truth = written.map_err(|e| Error::Refused(format!("the studies could not be written: {e}")))?;
    say(out, format_args!("{} studies in {}", truth.studies.len(), dir.display()))?;
    if !args.fill {
        return Ok(0);
    }
    let center = Center::open(config)?;
    let filled = demo::fill(&center, dir, &mut |_| {})?;
    say(
        out,
        format_args!("{} instances, {} assignments", filled.import.new + filled.import.known, filled.assignments.len()),
    )?;
    let path = dir.join(format!("{}.dokuei-enrol", demo::READER));
    let text = serde_json::to_vec_pretty(&filled.enrolment.file)?;
    crate::vault::atomic::write(&path, &text).map_err(Error::io(&path))?;
    say(out, format_args!("enrolment file: {}", path.display()))?;
    say(out, format_args!("password: {}", filled.password.as_str()))?;
    say(out, format_args!("one-time passwords: {}", filled.enrolment.totp.to_base32().as_str()))
}

fn import_files(center: &Center, args: &ImportArgs, out: &mut dyn Write) -> Result<u8, Error> {
    let reader = if args.no_assign { None } else { Some(reader_of(center, args.reader.as_deref())?) };
    let archive = args.archive.clone().zip(args.credentials.clone());
    let options = import::Options { reader, archive };
    let report = import::import(center, &args.paths, &options, &mut |_| {})?;
    for refused in &report.refused {
        say(out, format_args!("refused  {}: {}", refused.path.display(), refused.reason))?;
    }
    for (study, instances) in &report.studies {
        say(out, format_args!("study  {study}: {instances} instances"))?;
    }
    for study in &report.assigned_before {
        say(out, format_args!("assigned before  {study}"))?;
    }
    for id in &report.assignments {
        say(out, format_args!("assigned  {id}"))?;
    }
    say(
        out,
        format_args!(
            "{} files: {} new, {} there already, {} refused; {} studies, {} new assignments",
            report.files,
            report.new,
            report.known,
            report.refused.len(),
            report.studies.len(),
            report.assignments.len()
        ),
    )?;
    Ok(u8::from(!report.refused.is_empty()))
}

fn reader_of(center: &Center, wanted: Option<&str>) -> Result<String, Error> {
    if let Some(id) = wanted {
        return Ok(id.to_owned());
    }
    let readers: Vec<String> = users::list(center)?
        .into_iter()
        .filter(|u| !u.disabled && u.user.roles.contains(&UserRole::Reader))
        .map(|u| u.user.id)
        .collect();
    match readers.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Error::Refused("there is no reader yet: `user add`, or import with --no-assign".into())),
        _ => Err(Error::Refused("there are several readers: name one with --reader, or use --no-assign".into())),
    }
}

fn user(center: &Center, command: &UserCommand, out: &mut dyn Write) -> Result<u8, Error> {
    match command {
        UserCommand::Add { id, name, roles, password } => {
            let roles: Vec<UserRole> = roles.iter().map(|r| UserRole::from(*r)).collect();
            let (password, made) = new_password(password)?;
            users::create(center, id, name, &roles, &password)?;
            tell_password(out, made.then_some(&password))?;
            say(out, format_args!("{id} is there; `enrol {id}` gives the enrolment file"))
        }
        UserCommand::List => {
            for entry in users::list(center)? {
                let roles: Vec<String> = entry.user.roles.iter().map(|r| format!("{r:?}").to_lowercase()).collect();
                let state = match (entry.disabled, entry.enrolled) {
                    (true, _) => "disabled",
                    (false, true) => "active",
                    (false, false) => "not enrolled",
                };
                say(out, format_args!("{}  {}  {}  {state}", entry.user.id, entry.user.name, roles.join(",")))?;
            }
            Ok(0)
        }
        UserCommand::Disable { id } => {
            users::set_disabled(center, id, true)?;
            say(out, format_args!("{id} is disabled"))
        }
        UserCommand::Enable { id } => {
            users::set_disabled(center, id, false)?;
            say(out, format_args!("{id} may sign in again"))
        }
        UserCommand::Passwd { id, password } => {
            let (password, made) = new_password(password)?;
            users::set_password(center, id, &password)?;
            tell_password(out, made.then_some(&password))?;
            say(out, format_args!("{id} has a new password"))
        }
    }
}

/// The password and whether it was made here.
fn new_password(args: &PasswordArgs) -> Result<(Zeroizing<String>, bool), Error> {
    if args.generate {
        let random = crate::vault::random::random_id()?;
        // A letter, a digit and a sign for the rule; 64 random bits.
        return Ok((Zeroizing::new(format!("K7-{}", random.get(..16).unwrap_or(&random))), true));
    }
    let password = match &args.password_file {
        Some(path) => {
            let file = std::fs::File::open(path).map_err(Error::io(path))?;
            password::line(&mut std::io::BufReader::new(file)).map_err(Error::io(path))?
        }
        None => password::ask_new("Password")
            .map_err(Error::io("standard input"))?
            .ok_or_else(|| Error::Refused("the two passwords differ".into()))?,
    };
    Ok((password, false))
}

fn tell_password(out: &mut dyn Write, password: Option<&Zeroizing<String>>) -> Result<u8, Error> {
    match password {
        Some(password) => say(out, format_args!("password: {}", password.as_str())),
        None => Ok(0),
    }
}

fn assignment(center: &Center, command: &AssignmentCommand, out: &mut dyn Write) -> Result<u8, Error> {
    match command {
        AssignmentCommand::List { all } => {
            for entry in assign::list(center, !all)? {
                say(
                    out,
                    format_args!("{}  {}  {}  {}  {}", entry.id, entry.due_at, entry.state, entry.reader, entry.exam),
                )?;
            }
            Ok(0)
        }
        AssignmentCommand::Cancel { id, reason } => {
            assign::withdraw(center, id, None, reason)?;
            say(out, format_args!("{id} is cancelled"))
        }
        AssignmentCommand::Release { id, patient_checked } => {
            assign::release(center, id, *patient_checked)?;
            say(out, format_args!("{id} is free for its reader"))
        }
        AssignmentCommand::Reassign { id, to, reason } => {
            let next = assign::withdraw(center, id, Some(to), reason)?.unwrap_or_default();
            say(out, format_args!("{next}  assigned to {to}"))
        }
        AssignmentCommand::Finalize { id } => {
            assign::finalize(center, id)?;
            say(out, format_args!("{id} is finalized"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, Parser as _};

    fn command(folder: &Path, arguments: &[&str]) -> Result<(u8, String), Error> {
        let data = folder.join("data");
        let data = data.to_str().expect("UTF-8");
        let all = [&["dokuei-center", "--data", data], arguments].concat();
        let cli = Cli::try_parse_from(all).expect("arguments");
        let mut out = Vec::new();
        let code = run(&cli, &mut out)?;
        Ok((code, String::from_utf8(out).expect("UTF-8")))
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_center_is_set_up_by_hand() {
        let folder = tempfile::tempdir().expect("folder");
        let dir = folder.path();
        let run = |arguments: &[&str]| command(dir, arguments);
        assert!(run(&["import", dir.to_str().expect("UTF-8")]).is_err(), "there is no reader yet");
        let (_, text) = run(&["user", "add", "dr.abe", "--name", "阿部 一", "--generate"]).expect("add");
        assert!(text.starts_with("password: K7-"));
        assert!(run(&["user", "add", "dr.abe", "--name", "x", "--generate"]).is_err());
        let weak = dir.join("weak");
        std::fs::write(&weak, "short\n").expect("write");
        assert!(run(&["user", "passwd", "dr.abe", "--password-file", weak.to_str().expect("UTF-8")]).is_err());
        assert!(run(&["enrol", "dr.abe"]).is_err(), "the address is not known");
        let file = dir.join("abe.dokuei-enrol");
        let (_, text) =
            run(&["enrol", "dr.abe", "--url", "https://center.example:8443/", "--out", file.to_str().expect("UTF-8")])
                .expect("enrol");
        assert!(text.contains('█') || text.contains('▀'), "there is a QR code");
        let enrolment: crate::center::contract::EnrolmentFile =
            serde_json::from_slice(&std::fs::read(&file).expect("file")).expect("JSON");
        assert_eq!((enrolment.user.as_str(), enrolment.base_url.as_str()), ("dr.abe", "https://center.example:8443"));
        assert!(run(&["user", "list"]).expect("list").1.contains("dr.abe  阿部 一  reader  active"));
        run(&["user", "disable", "dr.abe"]).expect("disable");
        assert!(run(&["user", "list"]).expect("list").1.contains("disabled"));
        let text_file = dir.join("notes.txt");
        std::fs::write(&text_file, "no DICOM").expect("write");
        let (code, text) = run(&["import", "--no-assign", text_file.to_str().expect("UTF-8")]).expect("import");
        assert_eq!(code, 1);
        assert!(text.contains("refused") && text.contains("1 files: 0 new, 0 there already, 1 refused"), "{text}");
        assert!(run(&["assign", "--request", text_file.to_str().expect("UTF-8")]).is_err());
    }

    /// The example of the page for the center's IT person.
    fn request_example() -> serde_json::Value {
        let page = include_str!("../../docs/running-a-center.md");
        let (_, rest) = page.split_once("```json").expect("an example");
        let (json, _) = rest.split_once("```").expect("its end");
        serde_json::from_str(json).expect("JSON")
    }

    #[test]
    fn studies_are_imported_and_a_request_is_assigned_once() {
        use crate::phantom::{DEFAULT_BASE_DATE, Scale, write_some};
        let folder = tempfile::tempdir().expect("folder");
        let dir = folder.path();
        let run = |arguments: &[&str]| command(dir, arguments).expect("done");
        let images = dir.join("images");
        std::fs::create_dir(&images).expect("folder");
        write_some(&images, DEFAULT_BASE_DATE, Scale::Small, &|key| key == "cr-chest", &|_| {}).expect("writes");
        std::fs::remove_file(images.join("truth.json")).expect("no DICOM");
        let images = images.to_str().expect("UTF-8");

        run(&["user", "add", "dr.abe", "--name", "阿部 一", "--generate"]);
        let (_, text) = run(&["user", "passwd", "dr.abe", "--generate"]);
        assert!(text.starts_with("password: K7-") && text.ends_with("dr.abe has a new password\n"), "{text}");

        let (code, text) = run(&["import", "--no-assign", images]);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains(" 0 there already, 0 refused; 1 studies, 0 new assignments"), "{text}");
        let study = text.lines().find_map(|l| l.strip_prefix("study  ")?.split(':').next()).expect("a study");
        let study = study.to_owned();
        let (code, text) = run(&["import", "--no-assign", images]);
        assert!(code == 0 && text.contains(": 0 new, ") && text.contains(" 0 refused; 1 studies"), "{text}");

        let mut request = request_example();
        request["study_uids"] = serde_json::json!([study]);
        let file = dir.join("request.json");
        std::fs::write(&file, request.to_string()).expect("write");
        let file = file.to_str().expect("UTF-8");
        let (code, first) = run(&["assign", "--request", file]);
        assert_eq!(code, 0);
        let id = first.trim_end().strip_suffix("  assigned").expect("new").to_owned();
        let (code, again) = run(&["assign", "--request", file]);
        assert_eq!((code, again), (0, format!("{id}  there already\n")));
        let (_, list) = run(&["assignment", "list"]);
        assert_eq!(list.lines().count(), 1, "{list}");
        assert!(list.starts_with(&id) && list.contains("dr.abe"), "{list}");
        assert!(command(dir, &["report", "export", &id]).is_err(), "nothing is signed yet");
    }
}
