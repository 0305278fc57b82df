//! What the library promises, one scenario a file. Servers are made by `tests/servers/script.rs`.
#![cfg(target_os = "linux")]

mod common;

mod activation;
mod after_ready;
mod argv;
mod blocked_reader;
mod channel;
mod documents;
mod examples;
mod foreground;
mod grandchildren;
mod interrupts;
mod launcher_killed;
mod log;
mod no_proc;
mod notify_socket;
mod outcomes;
mod output;
mod own_program;
mod pid_file;
mod privileges;
mod runtime;
mod surroundings;
mod terminal;
mod time_limit;
mod try_enter;
