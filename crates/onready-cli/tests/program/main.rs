//! What the program promises about one start, one scenario a file.
#![cfg(target_os = "linux")]

mod common;

mod doctor_verb;
mod errors_codes;
mod errors_start;
mod errors_usage;
mod foreground;
mod notify_messages;
mod notify_verb;
mod options_output;
mod options_process;
mod terminal_progress;
mod then;
mod until_all;
mod until_auto;
mod until_each;
mod until_log;
mod until_stranger;
mod until_timeout;
mod wait_verb;
