//! Test support and fixture servers for both faces of onready.
//!
//! A process test stands on four things:
//!
//! | what | for |
//! |---|---|
//! | [`Sandbox`] | a private home for one test; at its end no process and no file may be left |
//! | [`Run`] | starts a command, records what it wrote and when, and knows exit and end-of-file apart |
//! | [`Process`] | what `/proc` says about a server, for assertions |
//! | [`Pty`] | a real terminal: screen, keys, hang-up |
//!
//! and on the program [`fixture`](fixture_path), which shows one behaviour per word of its command line
//! (`fixture` without arguments lists them; each is a file in [`behaviours`]).
//!
//! ```no_run
//! use testbed::{Run, Sandbox};
//!
//! let sandbox = Sandbox::new();
//! let run = Run::new(sandbox.fixture(["exit", "3", "--stderr", "no such table"])).done();
//! assert_eq!(run.code, Some(3));
//! assert_eq!(run.stderr, b"no such table\n");
//! assert!(run.eof, "nobody holds the caller's pipes");
//! sandbox.finish();
//! ```
//!
//! The crate uses nothing of onready: the fixtures are programs that know nothing of it.
#![cfg(target_os = "linux")]

pub mod behaviours;
mod dump;
mod files;
mod fixture;
pub mod flood;
mod manager;
mod net;
mod process;
mod pty;
mod race;
mod run;
mod running;
mod sandbox;
mod setup;
mod signals;
pub mod sys;
mod tagged;
mod wait;

pub use dump::{Chunk, Finished, Stream};
pub use fixture::{fixture_path, speaker_path};
pub use manager::{Manager, Message};
pub use net::{connect_at_once, free_port, http_get, ping, ping_abstract, ping_unix};
pub use process::{Process, alive, holders, kill, send_signal, wait_gone};
pub use pty::Pty;
pub use race::rounds;
pub use run::Run;
pub use running::Running;
pub use sandbox::Sandbox;
pub use setup::Setup;
pub use signals::{signal_bit, signal_name, signal_number};
pub use wait::{wait_for_file, wait_for_path, wait_for_text, watch_until};
