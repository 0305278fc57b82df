//! The verbs as a program has them: what they find is told to whoever called it, and becomes an exit code.

use super::logs::{Show, show_logs};
use super::schedule::Schedule;
use super::state::{Record, StateDir};
use super::status::{Status, list, table};
use super::stop::{Stopped, stop};
use crate::error::{StartError, exit_code};
use crate::launch::eprintln_quietly;
use serde_json::Value;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;

/// How a program tells what its verbs find.
#[derive(Clone, Debug)]
pub struct Teller {
    /// What its own lines on stderr begin with.
    pub program: String,
    /// JSON on stdout.
    pub json: bool,
    /// Nothing but errors on stderr.
    pub quiet: bool,
    /// Brings the records of servers that run, with these pids, up to date with what can be seen of them now; may do
    /// nothing.
    pub refresh: fn(&mut [(&mut Record, i32)]),
}

impl Teller {
    /// A line of our own on stderr.
    pub fn say(&self, text: &str) {
        text.lines().for_each(|line| eprintln_quietly(&format!("{}: {line}", self.program)));
    }

    /// Says an error; returns its exit code.
    pub fn fail(&self, error: &StartError) -> u8 {
        self.say(&error.to_string());
        error.exit_code()
    }

    /// Opens the state directory, or says why not and returns the exit code.
    pub fn open(&self, path: Option<&Path>) -> Result<StateDir, u8> {
        StateDir::open(path).map_err(|error| self.fail(&error))
    }

    /// Stops servers; the exit code is the worst of theirs.
    pub fn stop(&self, state: &StateDir, names: &[String], schedule: &Schedule) -> u8 {
        let answers = stop(state, names, schedule);
        answers.iter().for_each(|answer| self.stopped(answer));
        answers.iter().map(Stopped::exit_code).max().unwrap_or(0)
    }

    fn stopped(&self, answer: &Stopped) {
        if answer.is_trouble() || !self.quiet && !self.json {
            self.say(&answer.text());
        }
        if self.json {
            self.print(&answer.json());
        }
    }

    /// Says how servers are; the exit code is the worst of theirs.
    pub fn status(&self, state: &StateDir, names: &[String]) -> u8 {
        let codes = names.iter().map(|name| match Status::of(state, name) {
            Ok(mut status) => {
                if self.json || !self.quiet {
                    self.look_again(std::slice::from_mut(&mut status));
                }
                match (self.json, self.quiet) {
                    (true, _) => self.print(&status.json()),
                    (false, true) => {}
                    // Whoever reads it may have gone; the exit code is the answer then.
                    (false, false) => drop(writeln!(io::stdout(), "{}", status.text())),
                }
                status.exit_code()
            }
            Err(error) => {
                self.say(&format!("cannot read the record of {name} in {}: {error}", state.path().display()));
                exit_code::FAILED
            }
        });
        codes.max().unwrap_or(0)
    }

    fn look_again(&self, servers: &mut [Status]) {
        let running = servers.iter_mut().filter_map(|status| status.record.as_mut().zip(status.pid));
        (self.refresh)(&mut running.collect::<Vec<_>>());
    }

    /// Lists all servers on record.
    pub fn list(&self, state: &StateDir) -> u8 {
        let mut listing = match list(state) {
            Ok(listing) => listing,
            Err(error) => {
                self.say(&format!("cannot read {}: {error}", state.path().display()));
                return exit_code::FAILED;
            }
        };
        self.look_again(&mut listing.servers);
        for (name, error) in &listing.unreadable {
            self.say(&format!("cannot read the record of {name}: {error}"));
        }
        match self.json {
            true => self.print(&Value::from(listing.servers.iter().map(Status::json).collect::<Vec<_>>())),
            false => drop(io::stdout().write_all(table(&listing.servers).as_bytes())),
        }
        0
    }

    /// Shows what servers have printed.
    pub fn logs(&self, state: &StateDir, names: &[String], how: &Show) -> u8 {
        let stdout = io::stdout();
        let shown = show_logs(state, names, how, &mut stdout.lock(), stdout.as_fd(), &mut |text| self.say(text));
        shown.unwrap_or_else(|error| {
            self.say(&format!("cannot show the logs: {error}"));
            exit_code::FAILED
        })
    }

    /// A closed stdout is no reason to fail: what was to be done is done.
    fn print(&self, value: &Value) {
        let _ = writeln!(io::stdout(), "{value}");
    }
}
