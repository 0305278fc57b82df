//! `--daemonize` for clap, by hand: the library does not need the derive machinery for one flag.

use crate::Launch;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

const FLAG: &str = "daemonize";

/// `--daemonize`, also as `--daemonize=true` and `--daemonize=false`, for scripts that compute it.
fn flag() -> Arg {
    Arg::new(FLAG)
        .long(FLAG)
        .action(ArgAction::Set)
        .value_parser(clap::value_parser!(bool))
        .value_name("BOOL")
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .default_value("false")
        .hide_default_value(true)
        .hide_possible_values(true)
        .help("Run in the background; return when the server is ready, or fail with its exit code")
}

impl Args for Launch {
    fn augment_args(command: Command) -> Command {
        command.arg(flag())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Launch::augment_args(command)
    }
}

impl FromArgMatches for Launch {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut launch = Launch::default();
        launch.update_from_arg_matches(matches)?;
        Ok(launch)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.settings.daemonize = matches.get_one::<bool>(FLAG).copied().unwrap_or(false);
        Ok(())
    }
}
