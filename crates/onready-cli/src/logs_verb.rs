//! `onready logs NAME...`.

use crate::cli::Logs;
use crate::report::say;
use onready::engine::exit_code;
use onready::verbs::state::StateDir;
use onready::verbs::{Show, show_logs};
use std::io;
use std::os::fd::AsFd;

/// Shows what servers have printed.
pub fn run(arguments: &Logs) -> u8 {
    let state = match StateDir::open(arguments.state_dir.as_deref()) {
        Ok(state) => state,
        Err(error) => {
            say(&error.to_string());
            return error.exit_code();
        }
    };
    let how = Show {
        lines: Some(arguments.lines as u64),
        follow: arguments.follow,
        stdout: arguments.stdout,
        stderr: arguments.stderr,
    };
    let stdout = io::stdout();
    match show_logs(&state, &arguments.names, &how, &mut stdout.lock(), stdout.as_fd(), &mut say) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("cannot show the logs: {error}"));
            exit_code::FAILED
        }
    }
}
