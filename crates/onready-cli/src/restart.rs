//! `onready restart NAME...`.

use crate::cli::{Cli, Restart, StartArguments, Verb};
use crate::run::{Wanted, with_claim};
use crate::start::Surroundings;
use crate::{stop, usage};
use onready::verbs::state::{Claim, Record, StateDir};
use onready::verbs::{Schedule, Teller, restart};
use std::ffi::OsString;

/// Restarts servers, one after the other, so that not all are away at the same time; the exit code is the worst of
/// theirs.
pub fn run(arguments: &Restart) -> u8 {
    let teller = stop::teller(&arguments.stop);
    let (schedule, state) = match stop::prepare(&arguments.stop, &teller) {
        Ok(prepared) => prepared,
        Err(code) => return code,
    };
    let codes = arguments.stop.names.iter().map(|name| one(&state, name, &schedule, &teller));
    codes.max().unwrap_or(0)
}

fn one(state: &StateDir, name: &str, schedule: &Schedule, teller: &Teller) -> u8 {
    let mut arguments = None;
    let check = |record: &Record| {
        arguments = Some(understand(record)?);
        Ok(())
    };
    let restarted = restart(state, name, schedule, check, |claim, record| (claim, record.clone()));
    match (restarted, arguments) {
        (Ok((stopped, (claim, record))), Some(arguments)) => {
            if stopped.is_trouble() {
                teller.say(&stopped.text());
            }
            start_again(state, claim, record, arguments, teller)
        }
        (Err(error), _) => {
            teller.say(&error.to_string());
            error.exit_code()
        }
        // Nothing is restarted unchecked.
        (Ok(_), None) => onready::engine::exit_code::FAILED,
    }
}

/// With everything as it was, under the same name, also if that was made up; but told as this caller wants it.
fn start_again(state: &StateDir, claim: Claim, record: Record, mut arguments: StartArguments, teller: &Teller) -> u8 {
    arguments.options.usual.json = teller.json;
    arguments.options.usual.quiet = teller.quiet;
    let directory = record.directory.unwrap_or_else(|| "/".into());
    // What is relative on its command line was meant from there.
    if let Err(error) = std::env::set_current_dir(&directory) {
        teller.say(&format!("{}: cannot change to the directory {}: {error}", claim.name(), directory.display()));
        return onready::engine::exit_code::FAILED;
    }
    let around = Surroundings { environment: record.environment, directory, inherited: None };
    with_claim(&Wanted { arguments: &arguments, words: record.start_arguments, around }, state, claim)
}

/// The command line of that time, as this version of the program understands it.
pub fn understand(record: &Record) -> Result<StartArguments, String> {
    let words: Vec<_> =
        std::iter::once(OsString::from("onready")).chain(record.start_arguments.iter().cloned()).collect();
    match usage::try_parse(&words) {
        Ok(Cli { verb: None, start }) => Ok(start),
        Ok(Cli { verb: Some(Verb::Ensure(ensure)), .. }) => Ok(ensure.start_arguments()),
        Ok(_) => Err("it was not started by this program".into()),
        Err(error) => Err(format!("its command line is not understood any more: {}", error.kind())),
    }
}
