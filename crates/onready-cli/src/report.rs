//! The outcome, as a line for people, as JSON for programs, and as an exit code for shells.

use onready::engine::{End, Outcome, describe, eprintln_quietly, exit_code, human, signal_name};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What came of a start.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One of the words of the manual.
    pub outcome: &'static str,
    /// The server's name.
    pub name: String,
    /// Its main process.
    pub pid: Option<i32>,
    /// From the start to the outcome.
    pub elapsed: Duration,
    /// Its own exit code, if it ended.
    pub exit_code: Option<u8>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The sign that was believed.
    pub ready_by: Option<String>,
    /// Where it listens.
    pub listening: Vec<String>,
    /// Its last STATUS.
    pub status: Option<String>,
    /// Its logs.
    pub stdout: Option<PathBuf>,
    /// Its logs.
    pub stderr: Option<PathBuf>,
    /// Why it is not ready.
    pub error: Option<String>,
    /// What to exit with.
    pub code: u8,
    /// It was not ready in time and is left running.
    pub kept: bool,
}

impl Report {
    /// A start that was over before it began.
    pub fn failed(outcome: &'static str, name: &str, code: u8, error: impl Into<String>) -> Report {
        Report { outcome, name: name.into(), code, error: Some(error.into()), ..Report::default() }
    }

    /// Fills in what an outcome means.
    pub fn conclude(&mut self, outcome: &Outcome, timeout: Duration, kept: bool) {
        let (word, code, error) = match outcome {
            Outcome::Ready => ("ready", 0, None),
            Outcome::Exited(end) => return self.exited(*end),
            Outcome::TimedOut => {
                self.kept = kept;
                let then = if kept { "it is left running" } else { "it was stopped" };
                ("timed out", exit_code::TIMED_OUT, Some(format!("not ready within {}; {then}", human(timeout))))
            }
            Outcome::Abandoned => ("abandoned", exit_code::FAILED, Some("it let go of its channel".into())),
            Outcome::Failed(why) => ("failed", exit_code::FAILED, Some(why.clone())),
            Outcome::Interrupted(signal) => {
                let error = format!("interrupted by {}; it was stopped", signal_name(*signal));
                ("interrupted", exit_code::of_signal(*signal), Some(error))
            }
        };
        (self.outcome, self.code, self.error) = (word, code, error);
    }

    /// It has ended, whatever was seen of it before.
    pub fn exited(&mut self, end: End) {
        self.outcome = "exited";
        (self.kept, self.ready_by) = (false, None);
        self.error = Some(format!("it {} before it was ready", describe(end)));
        self.code = match end {
            End::Code(0) | End::Unknown => exit_code::FAILED,
            End::Code(code) => code,
            End::Signal { signal, .. } => exit_code::of_signal(signal),
        };
        match end {
            End::Code(code) => self.exit_code = Some(code),
            End::Signal { signal, .. } => self.signal = Some(signal),
            End::Unknown => {}
        }
    }

    /// Whether there is a server now.
    pub fn is_running(&self) -> bool {
        self.outcome == "ready" || self.kept
    }

    /// The one object of `--json`.
    pub fn json(&self) -> Value {
        let path = |path: &Option<PathBuf>| path.as_deref().map(|path: &Path| path.to_string_lossy().into_owned());
        json!({
            "outcome": self.outcome,
            "name": self.name,
            "pid": self.pid,
            "elapsed_ms": u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
            "exit_code": self.exit_code,
            "signal": self.signal,
            "ready_by": self.ready_by,
            "listening": self.listening,
            "status": self.status,
            "stdout": path(&self.stdout),
            "stderr": path(&self.stderr),
            "error": self.error,
        })
    }

    /// Tells it: JSON on stdout, an error on stderr, and to a person at a terminal that all is well.
    pub fn tell(&self, as_json: bool, quiet: bool) {
        if let Some(error) = &self.error {
            say(&if self.name.is_empty() { error.clone() } else { format!("{}: {error}", self.name) });
        } else if is_told_to_a_person(quiet) {
            say(&self.summary());
        }
        if as_json {
            use std::io::Write;
            let _ = writeln!(std::io::stdout(), "{}", self.json());
        }
    }

    fn summary(&self) -> String {
        let pid = self.pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
        let listening = match self.listening.as_slice() {
            [] => String::new(),
            all => format!(", listening on {}", all.join(", ")),
        };
        if self.name.is_empty() {
            return format!("{} after {}", self.ready_by.as_deref().unwrap_or("ready"), human(self.elapsed));
        }
        format!("{} is ready after {}{pid}{listening}", self.name, human(self.elapsed))
    }
}

/// Whether a success is worth a line: somebody sits there.
pub fn is_told_to_a_person(quiet: bool) -> bool {
    !quiet && rustix::termios::isatty(rustix::stdio::stderr())
}

/// One line of ours on stderr.
pub fn say(line: &str) {
    eprintln_quietly(&format!("onready: {line}"));
}
