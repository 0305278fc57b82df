//! What the program promises about one start, one scenario a file.
#![cfg(target_os = "linux")]

mod common;

mod doctor_verb;
mod notify_messages;
mod notify_verb;
mod until_all;
mod until_auto;
mod until_each;
mod until_log;
mod until_stranger;
mod until_timeout;
mod wait_verb;
