//! The files of a sandbox: a fresh directory, what lies in it, and patterns for what may.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

/// A name for the sandbox's directory must leave room for sockets: sun_path takes 107 bytes.
const LONGEST_TEMP_DIR: usize = 30;

/// Makes a directory that did not exist, for this user alone.
pub(crate) fn fresh_directory() -> io::Result<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut base = fs::canonicalize(std::env::temp_dir())?;
    if base.as_os_str().len() > LONGEST_TEMP_DIR {
        base = PathBuf::from("/tmp");
    }
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let nanos = now.map_or(0, |now| now.subsec_nanos());
        let dir = base.join(format!("otb-{:x}-{count:x}-{nanos:x}", std::process::id()));
        match make_private(&dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(dir),
        }
    }
}

/// Makes a directory with mode 0700, whatever the umask.
pub(crate) fn make_private(dir: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(dir)
}

/// Everything below a directory that is no directory itself, sorted.
pub(crate) fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// Matches a path against a pattern: `?` is one character and `*` any number of them, both without
/// `/`; `**` is any number of any characters.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    matches_bytes(pattern.as_bytes(), path.as_bytes())
}

fn matches_bytes(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => path.is_empty(),
        [b'*', b'*', rest @ ..] => (0..=path.len()).any(|at| matches_bytes(rest, &path[at..])),
        [b'*', rest @ ..] => {
            let end = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
            (0..=end).any(|at| matches_bytes(rest, &path[at..]))
        }
        [b'?', rest @ ..] => path.first().is_some_and(|byte| *byte != b'/') && matches_bytes(rest, &path[1..]),
        [first, rest @ ..] => path.first() == Some(first) && matches_bytes(rest, &path[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_stop_at_a_slash_unless_doubled() {
        assert!(matches("run/onready/*.lock", "run/onready/web.lock"));
        assert!(!matches("run/*.lock", "run/onready/web.lock"));
        assert!(matches("run/**", "run/onready/web.lock"));
        assert!(matches("state/**/log?", "state/onready/web/log1"));
        assert!(!matches("state/log?", "state/log"));
        assert!(!matches("state", "state/log"));
    }
}
