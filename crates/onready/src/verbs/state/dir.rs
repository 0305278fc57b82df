//! The state directory: which one, and what is in it.

use super::record::{Record, State};
use crate::error::StartError;
use crate::private_dir::{Use, absolute_variable, is_own_directory, runtime_path};
use crate::verbs::folder::Folder;
use rustix::fs::{FlockOperation, OFlags, flock};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

/// The endings of a record, of one that is being written, and of a lock.
pub(super) const RECORD: &str = ".state";
pub(super) const FRESH: &str = ".new";
pub(super) const LOCK: &str = ".lock";

/// More than a record's line usually is long.
const USUAL: usize = 4096;

/// The directory that holds the records and locks of all servers with a name, open.
#[derive(Clone, Debug)]
pub struct StateDir {
    pub(super) dir: Folder,
    logs: PathBuf,
}

impl StateDir {
    /// Opens the state directory, and makes it (mode 0700) if it is not there: the given one, else
    /// `$XDG_RUNTIME_DIR/onready`, for root `/run/onready`, else `${TMPDIR:-/tmp}/onready-UID`.
    ///
    /// # Errors
    /// It cannot be made, is a symbolic link, is another user's, or others may write in it.
    pub fn open(explicit: Option<&Path>) -> Result<StateDir, StartError> {
        let Some(path) = explicit else {
            let dir = Folder::open(&runtime_path(), Use::State)?;
            let logs = default_logs().unwrap_or_else(|| dir.path().join("logs"));
            return Ok(StateDir { dir, logs });
        };
        let dir = Folder::open(path, Use::State)?;
        let logs = dir.path().join("logs");
        Ok(StateDir { dir, logs })
    }

    /// Its path, absolute.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Where the logs of a server of this name are: below `$XDG_STATE_HOME/onready` (`~/.local/state/onready`), for
    /// root `/var/log/onready`; with a state directory of its own, or without a home, below that in `logs`.
    pub fn log_dir(&self, name: &str) -> PathBuf {
        self.logs.join(name)
    }

    /// What is on record under a name, without the environment; `None` if nothing is.
    ///
    /// # Errors
    /// It cannot be read or understood.
    pub fn read(&self, name: &str) -> io::Result<Option<Record>> {
        self.read_line(name)?.map(|text| Record::parse(&text)).transpose()
    }

    /// The beginning of a record, with its first line at least, if it is whole.
    pub(super) fn read_line(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(mut file) = self.record_file(name)? else { return Ok(None) };
        // As much as most lines are long, and more if this one is longer.
        let mut text = vec![0; USUAL];
        let mut length = 0;
        loop {
            let count = file.read(&mut text[length..])?;
            let has_line = text[length..length + count].contains(&b'\n');
            length += count;
            if count == 0 || has_line {
                text.truncate(length);
                return Ok(Some(text));
            }
            text.resize(text.len().max(length + USUAL), 0);
        }
    }

    pub(super) fn read_whole(&self, name: &str) -> io::Result<Option<Record>> {
        let Some(mut file) = self.record_file(name)? else { return Ok(None) };
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Record::parse_whole(&text).map(Some)
    }

    /// Whether anything is on record under a name.
    pub(super) fn is_on_record(&self, name: &str) -> bool {
        self.dir.has(&format!("{name}{RECORD}"))
    }

    fn record_file(&self, name: &str) -> io::Result<Option<File>> {
        match self.dir.file(&format!("{name}{RECORD}"), OFlags::RDONLY) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// The names on record, sorted.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.dir)? {
            let entry = entry?;
            names.extend(entry.file_name().to_str().ok().and_then(|name| name.strip_suffix(RECORD)).map(str::to_owned));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// What a record means now. Whoever holds the name's lock asks [`Claim::state`](super::Claim::state).
    pub fn state(&self, record: &Record) -> State {
        self.state_if(record, record.is_alive())
    }

    pub(in crate::verbs) fn state_if(&self, record: &Record, is_alive: bool) -> State {
        let waits = record.outcome == super::Outcome::Starting;
        record.state_if(waits && self.is_locked(&record.name), is_alive)
    }

    /// Whether somebody starts, stops or restarts a server of this name at this moment.
    pub fn is_locked(&self, name: &str) -> bool {
        let Ok(file) = self.dir.file(&format!("{name}{LOCK}"), OFlags::RDONLY) else { return false };
        flock(&file, FlockOperation::NonBlockingLockShared).is_err()
    }
}

impl AsFd for StateDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

/// Not the runtime directory: that is memory. A state home that is another user's (left over from su or sudo) is not
/// taken.
fn default_logs() -> Option<PathBuf> {
    let ours = |path: &PathBuf| path.ancestors().find(|dir| dir.exists()).is_some_and(is_own_directory);
    if let Some(dir) = absolute_variable("XDG_STATE_HOME").filter(ours) {
        return Some(dir.join("onready"));
    }
    if rustix::process::geteuid().is_root() {
        return Some("/var/log/onready".into());
    }
    let home = absolute_variable("HOME").filter(ours)?;
    Some(home.join(".local/state/onready"))
}
