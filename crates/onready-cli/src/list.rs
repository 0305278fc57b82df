//! `onready list`.

use crate::cli::List;
use crate::report::say;
use onready::engine::exit_code;
use onready::verbs::state::StateDir;
use onready::verbs::{list, table};
use std::io::{self, Write};

/// Lists all servers on record.
pub fn run(arguments: &List) -> u8 {
    let state = match StateDir::open(arguments.state_dir.as_deref()) {
        Ok(state) => state,
        Err(error) => {
            say(&error.to_string());
            return error.exit_code();
        }
    };
    let listing = match list(&state) {
        Ok(listing) => listing,
        Err(error) => {
            say(&format!("cannot read {}: {error}", state.path().display()));
            return exit_code::FAILED;
        }
    };
    let text = match arguments.json {
        true => {
            let all: Vec<_> = listing.servers.iter().map(|status| status.json()).collect();
            format!("{}\n", serde_json::Value::from(all))
        }
        false => table(&listing.servers),
    };
    for (name, error) in &listing.unreadable {
        say(&format!("cannot read the record of {name}: {error}"));
    }
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            say(&format!("cannot write the list: {error}"));
            exit_code::FAILED
        }
        _ => 0,
    }
}
