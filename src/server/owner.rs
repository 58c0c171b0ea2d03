//! Whose the data folder is: files here are private to the account that makes them, so a command by another account
//! would leave files that the running center cannot read.

use super::error::Error;
use std::path::Path;

/// Refuses a folder of another account than the caller's.
#[cfg(unix)]
pub fn check(folder: &Path) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt as _;
    let owner = std::fs::metadata(folder).map_err(Error::io(folder))?.uid();
    judge(folder, owner, rustix::process::geteuid().as_raw())
}

/// Elsewhere files inherit the access list of their folder, whoever makes them.
#[cfg(not(unix))]
pub fn check(_folder: &Path) -> Result<(), Error> {
    Ok(())
}

/// Even the system's administrator is refused: what that account makes, the center's cannot open.
#[cfg(unix)]
fn judge(folder: &Path, owner: u32, caller: u32) -> Result<(), Error> {
    if owner == caller {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "{} belongs to another account (user id {owner}) than yours ({caller}), and the center could not read what you make \
         there: run this as its owner, `sudo -u '#{owner}' dokuei-center …`",
        folder.display()
    )))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_works_in_the_folder() {
        let folder = Path::new("/var/lib/dokuei-center");
        judge(folder, 990, 990).expect("the owner");
        judge(folder, 0, 0).expect("a center of the administrator's own");
        for (owner, caller) in [(990, 0), (990, 1000), (0, 1000)] {
            let said = judge(folder, owner, caller).expect_err("another account").to_string();
            assert!(said.contains("/var/lib/dokuei-center belongs to another account"), "{said}");
            assert!(said.contains(&format!("sudo -u '#{owner}'")) && said.contains(&format!("({caller})")), "{said}");
        }
    }

    #[test]
    fn a_folder_made_here_is_the_callers() {
        let folder = tempfile::tempdir().expect("folder");
        check(folder.path()).expect("one's own");
        assert!(matches!(check(&folder.path().join("none")), Err(Error::Io { .. })));
    }
}
