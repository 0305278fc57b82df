//! `onready logs NAME...`.

use crate::cli::Logs;
use crate::on_record::teller;
use onready::verbs::Show;

/// Shows what servers have printed.
pub fn run(arguments: &Logs) -> u8 {
    let teller = teller(false, false);
    let how = Show {
        lines: Some(arguments.lines as u64),
        follow: arguments.follow,
        stdout: arguments.stdout,
        stderr: arguments.stderr,
    };
    let state = teller.open(arguments.state_dir.as_deref());
    state.map_or_else(|code| code, |state| teller.logs(&state, &arguments.names, &how))
}
