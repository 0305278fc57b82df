//! What is on record about one server, and what it means now.

use super::bytes;
use crate::environment::Environment;
use crate::instance::Identity;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The form of the file. A higher number is a later program's, which knows what we do not.
const VERSION: u32 = 1;

/// What a start, or a stop after it, came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Outcome {
    /// It has been started and its starter waits for it.
    #[default]
    Starting,
    /// It was ready.
    Ready,
    /// It ended before it was ready.
    Exited,
    /// It was not ready in time; it was stopped, unless it was to be kept.
    #[serde(rename = "timed out")]
    TimedOut,
    /// It let go of its launcher without being ready.
    Abandoned,
    /// Something that was watched says that it cannot become ready.
    Failed,
    /// It could not be started.
    #[serde(rename = "could not start")]
    CouldNotStart,
    /// Another one holds its pid file.
    #[serde(rename = "already running")]
    AlreadyRunning,
    /// Its starter was asked to give up, or was killed.
    Interrupted,
    /// It was stopped.
    Stopped,
}

impl Outcome {
    /// The word for it in JSON and in texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Starting => "starting",
            Outcome::Ready => "ready",
            Outcome::Exited => "exited",
            Outcome::TimedOut => "timed out",
            Outcome::Abandoned => "abandoned",
            Outcome::Failed => "failed",
            Outcome::CouldNotStart => "could not start",
            Outcome::AlreadyRunning => "already running",
            Outcome::Interrupted => "interrupted",
            Outcome::Stopped => "stopped",
        }
    }

    /// Whether a start failed.
    pub fn is_failure(self) -> bool {
        !matches!(self, Outcome::Starting | Outcome::Ready | Outcome::Stopped)
    }
}

/// What is on record about one server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Record {
    version: u32,
    /// How long the environment is in the file.
    environment_bytes: u64,
    /// Its name.
    pub name: String,
    /// The command: what runs in the background.
    #[serde(with = "bytes::list")]
    pub argv: Vec<OsString>,
    /// The environment in which it was asked for. Not in what [`StateDir::read`](super::StateDir::read) gives.
    #[serde(skip)]
    pub environment: Environment,
    /// The directory in which it was asked for.
    #[serde(with = "bytes::path")]
    pub directory: Option<PathBuf>,
    /// The program that starts it, where that is not the program `onready`.
    #[serde(with = "bytes::path")]
    pub program: Option<PathBuf>,
    /// The whole command line that asked for it, for a restart.
    #[serde(with = "bytes::list")]
    pub start_arguments: Vec<OsString>,
    /// Its main process; none if there never was one.
    pub identity: Option<Identity>,
    /// Its process group and session; 0 if there never was one.
    pub group: i32,
    /// A `NAME=VALUE` that the environment of all its processes holds and no other process's, if there is one.
    pub mark: Option<String>,
    /// What it came to.
    pub outcome: Outcome,
    /// The exit code of whoever started it: what the next who waited for it reports as well.
    pub code: u8,
    /// The server's own exit code, if it exited before it was ready.
    pub exit_code: Option<u8>,
    /// The signal that killed it before it was ready.
    pub signal: Option<i32>,
    /// Why the start failed, in words.
    pub error: Option<String>,
    /// When it was started, in milliseconds since 1970.
    pub started_at: u64,
    /// How long the start took, in milliseconds.
    pub elapsed_ms: u64,
    /// The signs of readiness that were believed.
    pub ready_by: Vec<String>,
    /// The addresses that it listened on when it was ready, if anybody has looked.
    pub listening: Vec<String>,
    /// What it said last about what it did.
    pub status: Option<String>,
    /// Where its stdout goes.
    #[serde(with = "bytes::path")]
    pub stdout: Option<PathBuf>,
    /// Where its stderr goes.
    #[serde(with = "bytes::path")]
    pub stderr: Option<PathBuf>,
    /// How long these two were when it was started.
    pub log_starts: [u64; 2],
    /// Its version or configuration, as whoever started it named it.
    pub fingerprint: Option<String>,
    /// When the outcome was known, in nanoseconds since boot; set when it is written.
    pub(super) decided_at: Option<u64>,
}

/// What a record and the kernel together say about a server now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It runs and is not ready yet.
    Starting,
    /// It was ready and lives.
    Ready,
    /// It was ready (or about to be), nobody stopped it, and it is gone.
    Dead,
    /// It was stopped, or the machine was.
    Stopped,
    /// It was never ready.
    Failed,
}

impl State {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Starting => "starting",
            State::Ready => "ready",
            State::Dead => "dead",
            State::Stopped => "stopped",
            State::Failed => "failed",
        }
    }
}

/// What an outcome means now, with a process or without.
pub(super) fn state_of(
    outcome: Outcome,
    identity: Option<&Identity>,
    is_locked: bool,
    is_alive: impl Fn() -> bool,
) -> State {
    let from_here = identity.is_none_or(Identity::is_from_here);
    match outcome {
        Outcome::Stopped => State::Stopped,
        // Of another boot, or of a container that is no more: like the machine, it was stopped.
        Outcome::Starting | Outcome::Ready if !from_here => State::Stopped,
        Outcome::Starting if is_locked => State::Starting,
        Outcome::Starting => State::Dead,
        Outcome::Ready if is_alive() => State::Ready,
        Outcome::Ready => State::Dead,
        // Kept though its time was over.
        Outcome::TimedOut if is_alive() => State::Starting,
        _ => State::Failed,
    }
}

/// The first line of a record.
pub(super) fn line_of(text: &[u8]) -> io::Result<&[u8]> {
    let end = text.iter().position(|byte| *byte == b'\n').ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(&text[..end])
}

impl Record {
    /// A server of this name and command that is being started now.
    pub fn new(name: impl Into<String>, argv: Vec<OsString>) -> Record {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started_at = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        Record { version: VERSION, name: name.into(), argv, started_at, ..Record::default() }
    }

    /// Whether it can be told what has become of it.
    ///
    /// # Errors
    /// It had a process, and there is no `/proc` to ask.
    pub fn can_be_judged(&self) -> io::Result<()> {
        self.identity.as_ref().map_or(Ok(()), |_| crate::instance::can_tell())
    }

    /// Its main process lives: that very process.
    pub fn is_alive(&self) -> bool {
        self.identity.as_ref().is_some_and(Identity::is_alive)
    }

    /// Its pid, while it lives.
    pub fn pid(&self) -> Option<i32> {
        self.identity.as_ref().filter(|identity| identity.is_alive()).map(|identity| identity.pid)
    }

    /// How long its start took.
    pub fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms)
    }

    /// Whether nobody knows what has become of it: its starter is gone and had not said.
    ///
    /// `is_locked`: somebody holds the lock of its name, as a starter does.
    pub fn state(&self, is_locked: bool) -> State {
        self.state_if(is_locked, self.is_alive())
    }

    pub(in crate::verbs) fn state_if(&self, is_locked: bool, is_alive: bool) -> State {
        state_of(self.outcome, self.identity.as_ref(), is_locked, || is_alive)
    }

    /// The file is a line of JSON and, behind it, the environment as the kernel has it: no list that does not need it
    /// has to understand it, and it may be large.
    pub(super) fn parse(text: &[u8]) -> io::Result<Record> {
        let record: Record = serde_json::from_slice(line_of(text)?)?;
        if record.version > VERSION {
            let why = format!("the record of {} was written by a later version of onready", record.name);
            return Err(io::Error::new(io::ErrorKind::Unsupported, why));
        }
        Ok(record)
    }

    /// The environment too.
    pub(super) fn parse_whole(text: &[u8]) -> io::Result<Record> {
        let mut record = Record::parse(text)?;
        let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
        let block = text.get(end + 1..).unwrap_or_default();
        if Ok(record.environment_bytes) != u64::try_from(block.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        record.environment = Environment::read(block);
        Ok(record)
    }

    /// The line, without its end; the environment is to follow it.
    pub(super) fn write_line_to(&mut self, to: &mut impl Write) -> io::Result<()> {
        self.environment_bytes = self.environment.length() as u64;
        Ok(serde_json::to_writer(to, self)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn text(record: &Record) -> Vec<u8> {
        let mut text = Vec::new();
        record.clone().write_line_to(&mut text).expect("JSON");
        text.push(b'\n');
        record.environment.write_to(&mut text).expect("into memory");
        text
    }

    fn full() -> Record {
        let odd = OsString::from_vec(vec![b'a', 0xff, b'"', 1, b'\n']);
        let mut record = Record::new("web", vec!["python3".into(), odd.clone()]);
        record.environment = [("PATH".into(), "/bin".into()), (odd.clone(), odd.clone())].into_iter().collect();
        record.directory = Some(odd.clone().into());
        record.start_arguments = vec![odd.clone()];
        record.stdout = Some(odd.into());
        record.identity = Identity::of(std::process::id() as i32).ok();
        record.outcome = Outcome::TimedOut;
        record.error = Some("no\nüse".into());
        record
    }

    #[test]
    fn every_byte_survives() {
        let record = full();
        let text = text(&record);
        let read = Record::parse_whole(&text).expect("our own text");
        assert_eq!(Record { environment_bytes: 0, ..read }, record);
    }

    #[test]
    fn half_a_record_is_none() {
        let text = text(&full());
        for end in 0..text.len() {
            assert!(Record::parse_whole(&text[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn what_an_older_version_did_not_know_is_missing_and_what_a_later_one_knows_is_skipped() {
        let record =
            Record::parse(b"{\"version\":1,\"name\":\"x\",\"outcome\":\"ready\",\"more\":[1]}\n").expect("a record");
        assert_eq!((record.name.as_str(), record.outcome), ("x", Outcome::Ready));
        let later = Record::parse(b"{\"version\":2,\"name\":\"x\"}\n").expect_err("a later version");
        assert_eq!(later.kind(), io::ErrorKind::Unsupported);
    }

    #[test]
    fn the_state_comes_from_the_record_and_the_kernel() {
        let alive = full();
        let with = |outcome, alive: bool| {
            let mut record = Record { outcome, ..full() };
            record.identity.iter_mut().filter(|_| !alive).for_each(|identity| identity.start_time += 1);
            record
        };
        assert!(alive.is_alive());
        for (outcome, lives, locked, state) in [
            (Outcome::Starting, true, true, State::Starting),
            (Outcome::Starting, true, false, State::Dead),
            (Outcome::Ready, true, false, State::Ready),
            (Outcome::Ready, false, false, State::Dead),
            (Outcome::TimedOut, true, false, State::Starting),
            (Outcome::TimedOut, false, false, State::Failed),
            (Outcome::Exited, false, false, State::Failed),
            (Outcome::Stopped, false, false, State::Stopped),
            (Outcome::Stopped, true, false, State::Stopped),
        ] {
            assert_eq!(with(outcome, lives).state(locked), state, "{outcome:?} {lives} {locked}");
        }
    }

    #[test]
    fn a_reboot_and_another_pid_namespace_make_everything_stopped() {
        for change in [|i: &mut Identity| i.boot = "another".into(), |i: &mut Identity| i.namespace += 1] {
            let mut record = Record { outcome: Outcome::Ready, ..full() };
            record.identity.iter_mut().for_each(change);
            assert_eq!(record.state(false), State::Stopped);
            assert!(!record.is_alive());
        }
    }
}
