//! `restart`: stop, and start again as it was started; but only what can be tried.

use super::schedule::Schedule;
use super::state::{Claim, Record, StateDir};
use super::stop::{StopOutcome, Stopped, UNKNOWN_NAME, stop_claimed};
use crate::error::{StartError, exit_code};
use crate::start::{candidates, is_executable};
use std::path::Path;

/// Why a server was not started again.
#[derive(Debug)]
#[non_exhaustive]
pub enum RestartError {
    /// Nothing is on record under this name.
    Unknown(String),
    /// It could not be tried, so the old one was left as it was: its name, why, and the exit code that says so.
    CannotTry(String, String, u8),
    /// The old one could not be stopped.
    CannotStop(Box<Stopped>),
    /// The name could not be locked.
    State(StartError),
}

impl RestartError {
    /// 4 for an unknown name; what a start would have exited with; else 125.
    pub fn exit_code(&self) -> u8 {
        match self {
            RestartError::Unknown(_) => UNKNOWN_NAME,
            RestartError::CannotTry(_, _, code) => *code,
            RestartError::CannotStop(stopped) => stopped.exit_code(),
            RestartError::State(error) => error.exit_code(),
        }
    }
}

impl std::fmt::Display for RestartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RestartError::Unknown(name) => write!(f, "no server is called {name}"),
            RestartError::CannotTry(name, why, _) => write!(f, "{name} was left as it is: {why}"),
            RestartError::CannotStop(stopped) => f.write_str(&stopped.text()),
            RestartError::State(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RestartError {}

/// Stops a server and hands its record to `start`, which starts it again with the same command line, environment and
/// directory; it gets the lock of the name too, still held, so that nobody can come in between.
///
/// Before the old one is stopped it is looked whether its directory and its executable are still there, and `check`
/// is asked; so a restart that cannot succeed costs nothing.
///
/// # Errors
/// The server is unknown, cannot be started again, or does not end.
pub fn restart<R>(
    state: &StateDir,
    name: &str,
    schedule: &Schedule,
    check: impl FnOnce(&Record) -> Result<(), String>,
    start: impl FnOnce(Claim, &Record) -> R,
) -> Result<(Stopped, R), RestartError> {
    let mut claim = state.claim(name).map_err(RestartError::State)?;
    let Some(record) = claim.record().cloned() else { return Err(RestartError::Unknown(name.into())) };
    let cannot = |why, code| RestartError::CannotTry(name.into(), why, code);
    if record.start_arguments.is_empty() {
        return Err(cannot("how it was started is not on record".into(), exit_code::FAILED));
    }
    can_be_tried(&record).map_err(|(why, code)| cannot(why, code))?;
    check(&record).map_err(|why| cannot(why, exit_code::FAILED))?;
    let stopped = stop_claimed(&mut claim, schedule);
    match &stopped.outcome {
        StopOutcome::Stopped | StopOutcome::NotRunning => {}
        StopOutcome::Unknown | StopOutcome::StillRunning(_) | StopOutcome::Failed(_) => {
            return Err(RestartError::CannotStop(Box::new(stopped)));
        }
    }
    let started = start(claim, &record);
    Ok((stopped, started))
}

/// Whether what is on record could be executed now.
fn can_be_tried(record: &Record) -> Result<(), (String, u8)> {
    let directory = record.directory.as_deref().unwrap_or("/".as_ref());
    if !directory.is_dir() {
        return Err((format!("its directory {} is gone", directory.display()), exit_code::FAILED));
    }
    let Some(command) = record.program.as_deref().map(Path::as_os_str).or(record.argv.first().map(AsRef::as_ref))
    else {
        return Err(("its command is not on record".into(), exit_code::FAILED));
    };
    let path = record.environment.get("PATH");
    let candidates = candidates(command, path, directory);
    if candidates.iter().any(|file| is_executable(file)) {
        return Ok(());
    }
    let shown = command.to_string_lossy();
    match candidates.iter().any(|file| file.exists()) {
        true => Err((format!("{shown} cannot be executed"), exit_code::CANNOT_EXECUTE)),
        false => Err((format!("{shown} is not found any more"), exit_code::NOT_FOUND)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn record(command: &str) -> Record {
        let mut record = Record::new("x", vec![command.into(), "-c".into()]);
        record.directory = Some("/bin".into());
        record.environment = [("PATH".into(), OsString::from("/nonexistent:/usr/bin:/bin"))].into_iter().collect();
        record
    }

    #[test]
    fn what_can_be_executed_can_be_tried() {
        for command in ["sh", "/bin/sh", "./sh"] {
            assert_eq!(can_be_tried(&record(command)), Ok(()), "{command}");
        }
    }

    #[test]
    fn what_is_gone_is_not() {
        for (command, code) in [("no-such-program", 127), ("/bin/no-such", 127), ("/etc/passwd", 126), ("/etc", 126)] {
            let (why, found) = can_be_tried(&record(command)).expect_err(command);
            assert_eq!(found, code, "{why}");
            assert!(why.contains(command), "{why}");
        }
        let mut gone = record("sh");
        gone.directory = Some("/no/such/directory".into());
        assert!(can_be_tried(&gone).is_err_and(|(why, _)| why.contains("/no/such/directory")));
    }
}
