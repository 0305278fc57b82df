//! `onready status NAME...`.

use crate::cli::Status as Arguments;
use crate::report::say;
use onready::engine::exit_code;
use onready::verbs::Status;
use onready::verbs::state::StateDir;
use std::io::Write;

/// Says how servers are; the exit code is the worst of theirs.
pub fn run(arguments: &Arguments) -> u8 {
    let state = match StateDir::open(arguments.state_dir.as_deref()) {
        Ok(state) => state,
        Err(error) => {
            say(&error.to_string());
            return error.exit_code();
        }
    };
    let codes = arguments.names.iter().map(|name| match Status::of(&state, name) {
        Ok(status) => {
            tell(&status, arguments);
            status.exit_code()
        }
        Err(error) => {
            say(&format!("cannot read the record of {name} in {}: {error}", state.path().display()));
            exit_code::FAILED
        }
    });
    codes.max().unwrap_or(0)
}

fn tell(status: &Status, arguments: &Arguments) {
    // Whoever reads it may have gone; the exit code is the answer then.
    let _ = match (arguments.json, arguments.quiet) {
        (true, _) => writeln!(std::io::stdout(), "{}", status.json()),
        (false, true) => Ok(()),
        (false, false) => writeln!(std::io::stdout(), "{}", status.text()),
    };
}
