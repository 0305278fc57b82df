//! A start under a name, for programs of this library: `server start`.

use super::decide::{Decision, Wish, decide};
use super::logs::open_logs;
use super::schedule::Schedule;
use super::state::{Claim, Outcome, Record, StateDir};
use super::stop::stop_claimed;
use crate::error::{StartError, exit_code};
use crate::instance::Identity;
use crate::launch::{Launch, Started};
use crate::launcher::{self, Stage};
use crate::start::failed;
use serde_json::json;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Under which name, and where that is on record.
#[derive(Clone, Debug)]
pub struct Named {
    pub(super) name: String,
    pub(super) state_dir: Option<PathBuf>,
    pub(super) json: bool,
    pub(super) fail_if_running: bool,
}

impl Named {
    /// Starts this program again under the name, unless it runs so already.
    pub(crate) fn launch(&self, launch: &Launch, alone: bool) -> Result<Started, StartError> {
        if !self.json {
            return self.decide_and_launch(launch, alone).0;
        }
        // On stdout there is the object alone; what the server prints goes to stderr.
        let stdout = redirect_stdout();
        let (result, record) = self.decide_and_launch(launch, alone);
        if let Ok(stdout) = stdout {
            let _ = rustix::stdio::dup2_stdout(&stdout);
        }
        self.print(&result, &record);
        result
    }

    fn decide_and_launch(&self, launch: &Launch, alone: bool) -> (Result<Started, StartError>, Record) {
        let mut record = Record::new(&self.name, std::env::args_os().collect());
        let state = match StateDir::open(self.state_dir.as_deref()) {
            Ok(state) => state,
            Err(error) => return (Err(error), record),
        };
        let mut claim = match state.claim(&self.name) {
            Ok(claim) => claim,
            Err(error) => return (Err(error), record),
        };
        let wish = Wish { argv: &record.argv, fail_if_running: self.fail_if_running, ..Wish::default() };
        let known = claim.record().cloned().unwrap_or_default();
        let result = match decide(claim.record(), claim.state(), claim.waited(), &wish) {
            Decision::Start => self.start(launch, alone, &state, &mut claim, &mut record),
            Decision::Replace(_) => {
                let stopped = stop_claimed(&mut claim, &Schedule::default());
                match stopped.exit_code() {
                    0 => self.start(launch, alone, &state, &mut claim, &mut record),
                    code => Err(failed(code, stopped.text())),
                }
            }
            Decision::Running => {
                let pid = known.pid().unwrap_or_default().unsigned_abs();
                let started = Started { pid, elapsed: known.elapsed(), status: known.status.clone() };
                return (Ok(started), known);
            }
            Decision::Failed => return (Err(failed(known.code, known.error.clone().unwrap_or_default())), known),
            Decision::Refuse(text) => Err(failed(exit_code::ALREADY_RUNNING, text)),
        };
        (result, record)
    }

    fn start(
        &self,
        launch: &Launch,
        alone: bool,
        state: &StateDir,
        claim: &mut Claim,
        record: &mut Record,
    ) -> Result<Started, StartError> {
        let since = Instant::now();
        let mut launch = launch.clone();
        if launch.settings.log.is_none() {
            let logs = open_logs(&state.log_dir(&self.name))?;
            logs.mark.note()?;
            launch.settings.log = Some(logs.stdout_path);
        }
        record.environment = std::env::vars_os().collect();
        record.directory = std::env::current_dir().ok();
        record.program = Some(launcher::own_program());
        record.start_arguments = record.argv.clone();
        record.stdout = launch.settings.log.as_deref().and_then(|path| std::path::absolute(path).ok());
        record.stderr = record.stdout.clone();
        let result = launcher::launch(&launch, alone, &mut |stage| {
            match stage {
                Stage::Begun(spawned, mark) => {
                    record.identity = Some(identity(spawned.pid)?);
                    record.group = spawned.group;
                    record.mark = Some(mark.into());
                }
                // Not on record, it could never be stopped by its name.
                Stage::Ready(started) => {
                    record.elapsed_ms = millis(since.elapsed());
                    record.outcome = Outcome::Ready;
                    record.ready_by = vec!["notify".into()];
                    record.status = started.status().map(str::to_owned);
                }
            }
            write(claim, record)
        });
        if let Err(error) = &result {
            conclude(record, error, since.elapsed());
            write(claim, record)?;
        }
        result
    }

    /// What the program `onready` prints at `--json`.
    fn print(&self, result: &Result<Started, StartError>, record: &Record) {
        let path = |path: &Option<PathBuf>| path.as_deref().map(Path::to_string_lossy).map(String::from);
        let object = json!({
            "outcome": result.as_ref().map_or_else(outcome, |_| Outcome::Ready).as_str(),
            "name": self.name,
            "pid": result.as_ref().ok().map(Started::pid),
            "elapsed_ms": record.elapsed_ms,
            "exit_code": record.exit_code,
            "signal": record.signal,
            "ready_by": (!record.ready_by.is_empty()).then(|| record.ready_by.join(", ")),
            "listening": record.listening,
            "status": record.status,
            "stdout": path(&record.stdout),
            "stderr": path(&record.stderr),
            "error": result.as_ref().err().map(StartError::to_string),
        });
        let _ = writeln!(io::stdout(), "{object}");
    }
}

/// A start that failed.
fn conclude(record: &mut Record, error: &StartError, elapsed: Duration) {
    record.elapsed_ms = millis(elapsed);
    record.outcome = outcome(error);
    record.code = error.exit_code();
    record.error = Some(error.to_string());
    record.ready_by.clear();
    if let StartError::Exited { code, signal, .. } = error {
        (record.exit_code, record.signal) = (*code, *signal);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn identity(pid: i32) -> Result<Identity, StartError> {
    Identity::of(pid).map_err(|error| StartError::io("find out which process the server is", error))
}

fn write(claim: &mut Claim, record: &Record) -> Result<(), StartError> {
    let action = || format!("write the record of {}", claim.name());
    let action = action();
    claim.write(record).map_err(|error| StartError::io(action, error))
}

fn outcome(error: &StartError) -> Outcome {
    match error {
        StartError::Exited { .. } => Outcome::Exited,
        StartError::TimedOut { .. } => Outcome::TimedOut,
        StartError::Abandoned { .. } => Outcome::Abandoned,
        StartError::AlreadyRunning { .. } => Outcome::AlreadyRunning,
        StartError::Failed { code: exit_code::ALREADY_RUNNING, .. } => Outcome::AlreadyRunning,
        StartError::Interrupted { .. } => Outcome::Interrupted,
        StartError::Spawn { .. } | StartError::Failed { .. } | StartError::Io { .. } => Outcome::CouldNotStart,
    }
}

/// Stdout becomes what stderr is; returns what it was.
fn redirect_stdout() -> io::Result<OwnedFd> {
    let stdout = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    Ok(stdout)
}
