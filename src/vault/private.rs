//! Files and folders that only the account that made them may open.
//!
//! Bound to the platform, and the one place that is: on Unix by mode bits (files 0600, folders 0700); elsewhere a new
//! file or folder inherits the access list of the folder around it, which in a user's own profile is the owner's.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::path::Path;

/// Creates a file that must not exist yet, opened for writing.
pub fn create_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    platform::file(&mut options);
    options.open(path)
}

/// Creates a folder that must not exist yet.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    platform::folder(&mut builder);
    builder.create(path)
}

/// Creates what is missing of a path of folders. What is there already keeps its rights.
pub fn create_folders(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    platform::folder(&mut builder);
    builder.create(path)
}

/// Takes everybody else's rights to a file that is there.
pub fn restrict_file(path: &Path) -> io::Result<()> {
    platform::restrict(path, 0o600)
}

/// Takes everybody else's rights to a folder that is there.
pub fn restrict_folder(path: &Path) -> io::Result<()> {
    platform::restrict(path, 0o700)
}

/// Lets the owner write to a file that was read-only.
pub fn allow_writing(path: &Path, mut permissions: Permissions) -> io::Result<()> {
    platform::writable(&mut permissions);
    fs::set_permissions(path, permissions)
}

#[cfg(unix)]
mod platform {
    use std::fs::{self, DirBuilder, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
    use std::path::Path;

    pub fn file(options: &mut OpenOptions) {
        options.mode(0o600);
    }

    pub fn folder(builder: &mut DirBuilder) {
        builder.mode(0o700);
    }

    pub fn restrict(path: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(path, Permissions::from_mode(mode))
    }

    pub fn writable(permissions: &mut Permissions) {
        permissions.set_mode(0o600);
    }
}

#[cfg(not(unix))]
mod platform {
    use std::fs::{DirBuilder, OpenOptions, Permissions};
    use std::io;
    use std::path::Path;

    pub fn file(_options: &mut OpenOptions) {}

    pub fn folder(_builder: &mut DirBuilder) {}

    pub fn restrict(_path: &Path, _mode: u32) -> io::Result<()> {
        Ok(())
    }

    pub fn writable(permissions: &mut Permissions) {
        permissions.set_readonly(false);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_the_owners_alone() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        create_file(&at("file")).unwrap();
        create_folder(&at("folder")).unwrap();
        create_folders(&at("a/b/c")).unwrap();
        create_folders(&at("a/b/c")).unwrap();
        assert_eq!((mode(&at("file")), mode(&at("folder"))), (0o600, 0o700));
        assert_eq!([mode(&at("a")), mode(&at("a/b")), mode(&at("a/b/c"))], [0o700; 3]);
        assert_eq!(create_file(&at("file")).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(create_folder(&at("folder")).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn rights_are_taken_and_given() {
        let root = tempfile::tempdir().unwrap();
        let (file, folder) = (root.path().join("file"), root.path().join("folder"));
        fs::write(&file, b"x").unwrap();
        fs::create_dir(&folder).unwrap();
        for (path, wide) in [(&file, 0o666), (&folder, 0o777)] {
            fs::set_permissions(path, Permissions::from_mode(wide)).unwrap();
        }
        restrict_file(&file).unwrap();
        restrict_folder(&folder).unwrap();
        assert_eq!((mode(&file), mode(&folder)), (0o600, 0o700));
        fs::set_permissions(&file, Permissions::from_mode(0o400)).unwrap();
        allow_writing(&file, fs::metadata(&file).unwrap().permissions()).unwrap();
        assert_eq!(mode(&file), 0o600);
    }
}
