//! COMMAND: which file it means, and why it cannot be executed.
//!
//! # References
//! execvp(3), environ(7): PATH

use onready::engine::exit_code;
use rustix::fs::{Access, AtFlags, CWD, accessat};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A command that cannot be executed.
#[derive(Debug, PartialEq, Eq)]
pub struct Unusable {
    /// 126 or 127.
    pub code: u8,
    /// Why, and where it was looked for.
    pub why: String,
}

impl Unusable {
    /// The kernel says that a program is not there, though it is: what has to execute it is missing.
    pub fn without_loader(file: &Path) -> Unusable {
        let loader = match interpreter(file).filter(|interpreter| !interpreter.exists()) {
            Some(interpreter) => format!("its interpreter {} is not there", interpreter.display()),
            None => "it is there, but not the loader that it names".into(),
        };
        Unusable { code: exit_code::CANNOT_EXECUTE, why: format!("cannot execute {}: {loader}", file.display()) }
    }
}

/// The file of a command: a path as it is (from the server's directory), a name from the PATH of the server.
///
/// # Errors
/// It is not there (127) or cannot be executed (126).
pub fn find(command: &OsStr, path: Option<&OsStr>, directory: &Path) -> Result<PathBuf, Unusable> {
    let name = command.to_string_lossy();
    if command.as_bytes().contains(&b'/') {
        let file = directory.join(command);
        return judge(&file).map_err(|why| unusable(why, format!("cannot execute {name}")));
    }
    if command.is_empty() {
        return Err(unusable(Why::Missing, "the command is empty".into()));
    }
    let path = path.map_or_else(|| OsString::from("/usr/local/bin:/usr/bin:/bin"), OsString::from);
    let mut worst = Why::Missing;
    for folder in std::env::split_paths(&path) {
        let file = directory.join(folder).join(command);
        match judge(&file) {
            Ok(file) => return Ok(file),
            Err(Why::Missing) => {}
            Err(why) => worst = why,
        }
    }
    let searched = path.to_string_lossy();
    match worst {
        Why::Missing => {
            Err(unusable(worst, format!("{name} is not found in PATH={searched}; install it, or give its path")))
        }
        _ => Err(unusable(worst, format!("no {name} in PATH={searched} can be executed"))),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Missing,
    Folder,
    Forbidden,
}

fn judge(file: &Path) -> Result<PathBuf, Why> {
    match std::fs::metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(Why::Forbidden),
        Err(_) => Err(Why::Missing),
        Ok(stat) if stat.is_dir() => Err(Why::Folder),
        Ok(_) if accessat(CWD, file, Access::EXEC_OK, AtFlags::EACCESS).is_err() => Err(Why::Forbidden),
        Ok(_) => Ok(file.into()),
    }
}

fn interpreter(file: &Path) -> Option<PathBuf> {
    let head = head(file)?;
    let line = head.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?.trim_ascii();
    let word = line.split(|byte| byte.is_ascii_whitespace()).next().filter(|word| word.starts_with(b"/"))?;
    Some(Path::new(OsStr::from_bytes(word)).into())
}

fn unusable(why: Why, what: String) -> Unusable {
    let (code, why) = match why {
        Why::Missing if what.starts_with("cannot") => (exit_code::NOT_FOUND, format!("{what}: there is no such file")),
        Why::Missing => (exit_code::NOT_FOUND, what),
        Why::Folder => (exit_code::CANNOT_EXECUTE, format!("{what}: it is a directory")),
        Why::Forbidden => (exit_code::CANNOT_EXECUTE, format!("{what}: permission denied; try chmod +x")),
    };
    Unusable { code, why }
}

/// Files that the command names and that may speak for it: itself, and for an interpreter the script.
pub fn scripts(program: &Path, arguments: &[OsString], directory: &Path) -> Vec<PathBuf> {
    let named = arguments.iter().skip(1).filter(|argument| !argument.as_bytes().starts_with(b"-"));
    let scripts = named.map(|argument| directory.join(argument)).filter(|file| file.is_file());
    std::iter::once(program.to_path_buf()).chain(scripts.take(2)).filter(|file| is_text(file)).collect()
}

/// Whether a file may be a script.
pub fn is_text(file: &Path) -> bool {
    head(file).is_some_and(|head| !head.contains(&0))
}

/// How a file begins; none of a pipe or a device, which could keep us waiting.
fn head(file: &Path) -> Option<Vec<u8>> {
    use std::os::unix::fs::FileExt;
    let mut head = vec![0; 512];
    std::fs::metadata(file).ok().filter(|stat| stat.is_file())?;
    // A regular file gives all that it has at once.
    let length = std::fs::File::open(file).ok()?.read_at(&mut head, 0).ok()?;
    head.truncate(length);
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(command: &str, path: &str) -> Result<PathBuf, u8> {
        find(command.as_ref(), Some(path.as_ref()), Path::new("/")).map_err(|unusable| unusable.code)
    }

    #[test]
    fn a_name_is_looked_for_in_path() {
        assert_eq!(code("sh", "/nonexistent:/bin"), Ok("/bin/sh".into()));
        assert_eq!(code("no-such-program", "/bin"), Err(127));
        assert_eq!(code("", "/bin"), Err(127));
    }

    #[test]
    fn a_path_is_taken_as_it_is() {
        assert_eq!(code("/bin/sh", ""), Ok("/bin/sh".into()));
        assert_eq!(code("bin/sh", ""), Ok("/bin/sh".into()));
        assert_eq!(code("/nonexistent", ""), Err(127));
        assert_eq!(code("/bin", ""), Err(126));
        assert_eq!(code("/etc/passwd", ""), Err(126));
    }
}
