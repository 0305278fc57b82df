//! `onready`: start any server in the background and return when it is ready, or say exactly why it is not.
#![cfg_attr(all(target_os = "linux", target_env = "gnu", not(test)), no_main)]

mod cli;
mod command;
mod conditions;
mod doctor;
mod duration;
mod ensure;
mod export;
mod foreground;
mod guard;
mod invocation;
mod later;
mod leader;
mod limits;
mod list;
mod listen_fds;
mod logs_verb;
mod manual;
mod notify;
mod notify_folder;
mod on_record;
mod outlet;
mod pages;
mod progress;
mod receiver;
mod recipe;
mod report;
mod restart;
mod run;
mod server_pid_file;
mod sockets;
mod start;
mod status;
mod stop;
mod streams;
#[cfg(all(target_os = "linux", target_env = "gnu", not(test)))]
mod sys;
mod tail;
mod then;
mod until;
mod usage;
mod wait;
mod when;
mod world;

use cli::Verb;

#[cfg(not(all(target_os = "linux", target_env = "gnu", not(test))))]
fn main() -> std::process::ExitCode {
    run_the_command_line().into()
}

fn run_the_command_line() -> u8 {
    let cli = usage::parse();
    match cli.verb {
        None => run::start(&cli.start),
        Some(verb) => run_the_verb(verb),
    }
}

/// Apart from a start, whose code lies close together without this.
#[cold]
#[inline(never)]
fn run_the_verb(verb: Verb) -> u8 {
    match verb {
        Verb::Wait(arguments) => wait::run(&arguments),
        Verb::Doctor(arguments) => doctor::run(&arguments),
        Verb::Notify(arguments) => notify::run(&arguments),
        Verb::Completions { shell } => pages::completions(shell),
        Verb::Man => pages::man(),
        Verb::Ensure(arguments) => ensure::run(&arguments),
        Verb::Stop(arguments) => stop::run(&arguments),
        Verb::Restart(arguments) => restart::run(&arguments),
        Verb::Status(arguments) => status::run(&arguments),
        Verb::Logs(arguments) => logs_verb::run(&arguments),
        Verb::List(arguments) => list::run(&arguments),
        Verb::Export(arguments) => export::run(&arguments),
    }
}
