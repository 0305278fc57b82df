//! `status` and `list`: what is on record, and what the kernel says about it now.

use super::decide::command_text;
use super::state::{Record, State, StateDir};
use super::stop::UNKNOWN_NAME;
use super::time::{moment, short};
use crate::error::human;
use serde_json::{Value, json};
use std::fmt::Write;
use std::io;
use std::path::Path;
use std::time::Duration;

/// How one server is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// Its name.
    pub name: String,
    /// How it is; `None`: nothing is on record under this name.
    pub state: Option<State>,
    /// What is on record.
    pub record: Option<Record>,
    /// Its pid, if it runs.
    pub pid: Option<i32>,
    /// How long it has been running.
    pub uptime: Option<Duration>,
}

impl Status {
    /// Looks. Takes no lock, so it answers at once, also while the server is being started or stopped.
    ///
    /// # Errors
    /// The record cannot be read or understood, or there is no `/proc` to ask about its process.
    pub fn of(state: &StateDir, name: &str) -> io::Result<Status> {
        let record = state.read(name)?;
        record.as_ref().map_or(Ok(()), Record::can_be_judged)?;
        let identity = record.as_ref().and_then(|record| record.identity.as_ref());
        let identity = identity.filter(|identity| identity.is_alive());
        let now = record.as_ref().map(|record| state.state_if(record, identity.is_some()));
        let uptime = identity.map(|identity| super::state::since_start(identity.start_time));
        Ok(Status { name: name.into(), state: now, pid: identity.map(|identity| identity.pid), uptime, record })
    }

    /// 0 ready, 1 dead with state left, 3 stopped or never ready, 4 unknown name, 150 starting: the codes that the
    /// Linux Standard Base gives to init scripts.
    pub fn exit_code(&self) -> u8 {
        match self.state {
            Some(State::Ready) => 0,
            Some(State::Dead) => 1,
            Some(State::Stopped | State::Failed) => 3,
            Some(State::Starting) => 150,
            None => UNKNOWN_NAME,
        }
    }

    /// The word for how it is.
    pub fn word(&self) -> &'static str {
        self.state.map_or("unknown", State::as_str)
    }

    /// It as JSON: what a start prints, how it is now, and how it was started.
    pub fn json(&self) -> Value {
        let Some(record) = &self.record else { return json!({ "name": self.name, "state": self.word() }) };
        let path = |path: &Option<std::path::PathBuf>| path.as_deref().map(Path::to_string_lossy).map(String::from);
        let command: Vec<_> = record.argv.iter().map(|argument| argument.to_string_lossy()).collect();
        json!({
            "name": self.name,
            "state": self.word(),
            "outcome": record.outcome.as_str(),
            "pid": self.pid,
            "elapsed_ms": record.elapsed_ms,
            "uptime_ms": self.uptime.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            "started_at": moment(record.started_at),
            "exit_code": record.exit_code,
            "signal": record.signal,
            "ready_by": (!record.ready_by.is_empty()).then(|| record.ready_by.join(", ")),
            "listening": record.listening,
            "status": record.status,
            "stdout": path(&record.stdout),
            "stderr": path(&record.stderr),
            "error": record.error,
            "command": command,
            "directory": path(&record.directory),
            "fingerprint": record.fingerprint,
        })
    }

    /// It in a few lines for people.
    pub fn text(&self) -> String {
        let mut text = format!("{} is {}", self.name, self.word());
        let Some(record) = &self.record else {
            text += ": no server of this name is on record";
            return text;
        };
        let mut line = |label: &str, value: &str| {
            let _ = write!(text, "\n  {label:<10} {value}");
        };
        if let Some(pid) = self.pid {
            line("pid", &pid.to_string());
        }
        line("command", &command_text(&record.argv));
        line("started", &self.started(record));
        for (label, value) in
            [("listening", self.listening(record)), ("error", record.error.clone().unwrap_or_default())]
        {
            if !value.is_empty() {
                line(label, &value.replace('\n', "\n             "));
            }
        }
        let texts =
            [("status", record.status.clone()), ("stdout", shown(&record.stdout)), ("stderr", shown(&record.stderr))];
        for (label, value) in texts {
            value.iter().for_each(|value| line(label, value));
        }
        text
    }

    /// Where it listens, as long as it does.
    fn listening(&self, record: &Record) -> String {
        self.pid.map_or_else(String::new, |_| record.listening.join(", "))
    }

    fn started(&self, record: &Record) -> String {
        let mut text = moment(record.started_at);
        if record.outcome == super::state::Outcome::Ready {
            let _ = write!(text, ", ready after {}", human(record.elapsed()));
            if !record.ready_by.is_empty() {
                let _ = write!(text, " ({})", record.ready_by.join(", "));
            }
        }
        self.uptime.iter().for_each(|time| text += &format!(", up {}", short(*time)));
        text
    }

    fn cells(&self) -> [String; 6] {
        let none = || "-".to_owned();
        let ready = self.record.as_ref().filter(|record| record.outcome == super::state::Outcome::Ready);
        let listening = self.record.as_ref().filter(|_| self.pid.is_some()).map(|record| record.listening.join(","));
        [
            self.name.clone(),
            self.word().into(),
            self.pid.map_or_else(none, |pid| pid.to_string()),
            ready.map_or_else(none, |record| short(record.elapsed())),
            self.uptime.map_or_else(none, short),
            listening.filter(|text| !text.is_empty()).unwrap_or_else(none),
        ]
    }
}

fn shown(path: &Option<std::path::PathBuf>) -> Option<String> {
    path.as_ref().map(|path| path.display().to_string())
}

/// All servers on record.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Listing {
    /// How each is, by name.
    pub servers: Vec<Status>,
    /// The names of the records that cannot be read or understood, and why.
    pub unreadable: Vec<(String, io::Error)>,
}

/// How all servers on record are.
///
/// # Errors
/// The state directory cannot be read.
pub fn list(state: &StateDir) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for name in state.names()? {
        match Status::of(state, &name) {
            // Forgotten between the two looks.
            Ok(status) if status.record.is_none() => {}
            Ok(status) => listing.servers.push(status),
            Err(error) => listing.unreadable.push((name, error)),
        }
    }
    Ok(listing)
}

/// An aligned table: NAME STATE PID READY-IN UPTIME LISTENING, a line each.
pub fn table(list: &[Status]) -> String {
    let head = ["NAME", "STATE", "PID", "READY-IN", "UPTIME", "LISTENING"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(list.iter().map(Status::cells)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "{cell:<width$}  ");
        }
        text += &row[5];
        text.push('\n');
    }
    text
}
