//! A server of the library that does what its command line says, one step a word:
//! `script daemonize timeout=500 enter out=hello notify stay`.
//!
//! Behind `--` stands a behaviour of the testbed's fixtures: `script daemonize enter -- die SEGV`. Whatever it does,
//! the kernel ends it after a minute.
#![allow(clippy::disallowed_methods)] // exit codes are what it is about

mod launching;
mod output;
mod serving;

use onready::{Launch, Ready};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// How long it may live.
const LIFE: Duration = Duration::from_secs(60);

/// What the steps work on.
#[derive(Default)]
struct Script {
    launch: Launch,
    ready: Option<Ready>,
    /// The steps still to be done.
    rest: Vec<OsString>,
    /// What is to stay open.
    kept: Vec<Box<dyn std::any::Any + Send>>,
}

/// A step that failed ends the server.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result {
    testbed::sys::limit_life(LIFE)?;
    let mut words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let behaviour = words.iter().position(|word| word == "--").map(|at| words.split_off(at));
    words.reverse();
    let mut script = Script { rest: words, ..Script::default() };
    script.go_on()?;
    match behaviour {
        Some(words) => std::process::exit(testbed::behaviours::main_with(&[], words[1..].to_vec()).into()),
        None => Ok(()),
    }
}

impl Script {
    fn go_on(&mut self) -> Result {
        while let Some(word) = self.rest.pop() {
            let (verb, value) = split(&word);
            self.step(&verb, value).map_err(|error| format!("{}: {error}", word.to_string_lossy()))?;
        }
        Ok(())
    }

    fn step(&mut self, verb: &str, value: &OsStr) -> Result {
        let done = self.launching(verb, value)? || self.serving(verb, value)? || output::step(verb, value)?;
        if done { Ok(()) } else { Err("no such step".into()) }
    }

    fn ready(&self) -> Result<&Ready> {
        self.ready.as_ref().ok_or_else(|| "there is no Ready".into())
    }
}

/// `verb=value`, of which the value may be any bytes.
fn split(word: &OsStr) -> (String, &OsStr) {
    let bytes = word.as_bytes();
    let equals = bytes.iter().position(|&byte| byte == b'=');
    let verb = &bytes[..equals.unwrap_or(bytes.len())];
    let value = equals.map_or(&[][..], |at| &bytes[at + 1..]);
    (String::from_utf8_lossy(verb).into_owned(), OsStr::from_bytes(value))
}

fn text(value: &OsStr) -> Result<&str> {
    value.to_str().ok_or_else(|| "not UTF-8".into())
}

fn number<T: std::str::FromStr>(value: &OsStr) -> Result<T> {
    text(value)?.parse().map_err(|_| "not a number".into())
}

fn millis(value: &OsStr) -> Result<Duration> {
    Ok(Duration::from_millis(number(value)?))
}

/// Writes a report that is there as a whole or not at all.
fn report(path: &OsStr, lines: &[(&str, String)]) -> io::Result<()> {
    testbed::behaviours::report(path, lines)
}
