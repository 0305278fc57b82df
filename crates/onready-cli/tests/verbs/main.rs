//! Life after the start: names, stop, restart, status, list, logs, ensure; one subject a file.
#![cfg(target_os = "linux")]

mod common;

mod ensure;
mod killed;
mod list;
mod logs;
mod names;
mod namespaces;
mod restart;
mod state;
mod status;
mod stop;
mod users;
