//! Where the fixture programs are, building them if need be.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;

/// The fixture that cannot speak sd_notify: its executable does not hold the variable's name.
///
/// It is looked for beside the running test (`target/PROFILE/`). If it is not there or older than its
/// source, it is built with the same profile into the same target directory, so that
/// `cargo test -p onready` works on a fresh machine.
///
/// # Panics
///
/// When it cannot be built.
#[must_use]
#[track_caller]
pub fn fixture_path() -> PathBuf {
    programs().join("fixture")
}

/// The fixture that can speak sd_notify: the same behaviours, and `notify`.
///
/// # Panics
///
/// As [`fixture_path`].
#[must_use]
#[track_caller]
pub fn speaker_path() -> PathBuf {
    programs().join("fixture-notify")
}

#[track_caller]
fn programs() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let place = Place::of_this_test();
        place.make().unwrap_or_else(|error| panic!("cannot build the fixtures: {error}"));
        place.folder
    })
}

/// One `target/[TRIPLE/]PROFILE/` directory.
struct Place {
    folder: PathBuf,
    target_dir: PathBuf,
    triple: Option<OsString>,
}

impl Place {
    /// Tests run from `target/[TRIPLE/]PROFILE/deps`, doc tests from a temporary directory.
    fn of_this_test() -> Self {
        let exe = env::current_exe().expect("path of the running test");
        let mut folder = exe.parent().unwrap_or(Path::new("/")).to_owned();
        if folder.ends_with("deps") || folder.ends_with("examples") {
            folder.pop();
        }
        let above = folder.parent().unwrap_or(Path::new("/")).to_owned();
        // Cargo marks the top of a target directory with this file.
        let is_top = |dir: &Path| dir.join("CACHEDIR.TAG").exists();
        if is_top(&above) {
            return Self { folder, target_dir: above, triple: None };
        }
        match above.parent() {
            Some(top) if is_top(top) => {
                Self { triple: above.file_name().map(OsString::from), target_dir: top.to_owned(), folder }
            }
            _ => Self::default_place(),
        }
    }

    fn default_place() -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let target_dir = env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
        Self { folder: target_dir.join("debug"), target_dir, triple: None }
    }

    /// When the programs were last known to be right; `None` if they must be built.
    fn is_fresh(&self) -> bool {
        let programs = ["fixture", "fixture-notify"].map(|name| self.folder.join(name));
        let Some(built) = programs.iter().map(|path| modified(path)).min().flatten() else {
            return false;
        };
        let checked = modified(&self.stamp()).unwrap_or(SystemTime::UNIX_EPOCH);
        newest_source().is_none_or(|source| source <= built.max(checked))
    }

    /// Written after each build: cargo does not touch programs that were right already.
    fn stamp(&self) -> PathBuf {
        self.folder.join(".fixture-stamp")
    }

    fn make(&self) -> io::Result<()> {
        if self.is_fresh() {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)?;
        // One test builds, the others wait and then find it done.
        let lock = File::create(self.folder.join(".fixture-lock"))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)?;
        if !self.is_fresh() {
            self.build()?;
            fs::write(self.stamp(), "")?;
        }
        Ok(())
    }

    fn build(&self) -> io::Result<()> {
        let cargo = env::var_os("CARGO").or_else(|| option_env!("CARGO").map(OsString::from));
        let mut command = Command::new(cargo.unwrap_or_else(|| "cargo".into()));
        command.args(["build", "--quiet", "-p", "testbed", "--bins", "--manifest-path"]);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
        command.arg("--target-dir").arg(&self.target_dir);
        match self.folder.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => {}
            Some(profile) => {
                command.args(["--profile", profile]);
            }
        }
        if let Some(triple) = &self.triple {
            command.arg("--target").arg(triple);
        }
        let output = command.stdin(Stdio::null()).output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|meta| meta.modified()).ok()
}

/// The latest change of this crate's source; `None` where the source is not at hand.
fn newest_source() -> Option<SystemTime> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    crate::files::files_below(&source).iter().filter_map(|path| modified(path)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `cargo test -p testbed --lib` in an empty target directory proves the building.
    #[test]
    fn the_programs_are_found_or_built() {
        for program in [fixture_path(), speaker_path()] {
            let status = Command::new(&program).args(["exit", "3"]).status();
            assert_eq!(status.expect("start the fixture").code(), Some(3), "{program:?}");
        }
    }

    #[test]
    fn a_triple_is_told_from_the_target_directory() {
        let place = Place::of_this_test();
        assert!(place.folder.starts_with(&place.target_dir));
        assert!(place.target_dir.join("CACHEDIR.TAG").exists());
    }
}
