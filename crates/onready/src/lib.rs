//! Start a server in the background and know, the moment the command returns, that it is ready.
//!
//! # The problem
//!
//! ```sh
//! mydb & sleep 2; psql ...          # too short on a busy machine, too long on all others
//! mydb --fork && psql ...           # many a daemon has forked before it listens
//! until nc -z localhost 5432; ...   # a stranger's server answers; one that has died is waited for without end
//! ```
//!
//! None of these says why there is no server when there is none. With this library, `mydb --daemonize` returns when
//! the server has said that it serves, with exit code 0; in every other case it returns the server's own exit code (or
//! says which signal killed it, or that it was too slow), the reason is on stderr, and no process of it is left. What
//! the server prints until then, the caller sees, byte for byte; and afterwards the server holds nothing of the
//! caller's: no pipe, no terminal, no lock, no directory. So `mydb --daemonize && client`, `$(mydb --daemonize)`,
//! `mydb --daemonize | cat` and a closed terminal all do what they should.
//!
//! # A server
//!
//! ```no_run
//! use clap::Parser;
//! use std::net::{SocketAddr, TcpListener};
//!
//! #[derive(Parser)]
//! struct Cli {
//!     #[arg(long, default_value = "127.0.0.1:8080")]
//!     listen: SocketAddr,
//!     #[command(flatten)]
//!     launch: onready::Launch, // adds --daemonize; needs the feature "clap"
//! }
//!
//! fn main() -> std::io::Result<()> {
//!     let cli = Cli::parse();
//!     let ready = cli.launch.enter(); // the launcher never gets past this line
//!     let listener = TcpListener::bind(cli.listen)?; // an error here is the launcher's exit code
//!     println!("listening on {}", listener.local_addr()?); // the caller sees it
//!     ready.notify()?; // the launcher exits 0 now
//!     serve(listener)
//! }
//! # fn serve(listener: TcpListener) -> std::io::Result<()> { listener.incoming().try_for_each(|c| c.map(drop)) }
//! ```
//!
//! The same works inside a runtime with many threads (`#[tokio::main]`), with clap's builder, on one subcommand out of
//! many, and [without clap](Launch): the folder `examples` has a short program for each. Without `--daemonize`, `enter`
//! returns at once, and [`notify`](Ready::notify) only tells a service manager (`Type=notify`), if there is one.
//!
//! # How it works
//!
//! ```text
//! $ mydb --daemonize                                                 the caller's shell
//!   |
//!   |  launcher: mydb's main -> enter          server: the same program, the same arguments, a session of its own
//!   |    |                                       |
//!   |    |---- starts it, with a channel ------->|  main -> enter: finds the channel, returns a Ready
//!   |    |                                       |
//!   |<-- output ------ two private pipes --------|  opens, loads, binds, prints
//!   |<-- one line ---------- STATUS=... ---------|  ready.status("loading")        (on a terminal)
//!   |    |                                       |
//!   |    |                                       |  ready.notify(): flush; streams become the log or /dev/null;
//!   |    |<----------------- READY=1 ------------|                  directory /; privileges dropped
//!   |    |  is it alive? all output delivered?   |
//!   |<---'  exit 0                               |  serves
//! $ client                                       |
//! ```
//!
//! The launcher is a real process that waits, so every end of the server is seen: an exit code, a signal, a time-out, a
//! [`Ready`] that is dropped. Ctrl-C and SIGTERM end the whole server; should the launcher itself be killed, the kernel
//! does. The details are in [`protocol`], and every trap that was met on the way in [`gotchas`].
//!
//! # Where is what
//!
//! | to | there is |
//! |---|---|
//! | make a server that can daemonize itself | [`Launch`], its [`enter`](Launch::enter), and [`Ready`] |
//! | do that in a program that lives on | [`Launch::try_enter`], [`Role`], [`Started`], [`StartError`] |
//! | connect to a server, and start it if it is not there | [`connect_or_start`] and [`Start`] |
//! | start servers that know nothing of this | the program `onready`, in the crate `onready-cli` |
//!
//! Features: `clap` makes [`Launch`] a group of clap's arguments; none is on by default.
//!
//! Linux is where everything works and is tested. The library compiles for macOS and FreeBSD, where a launcher that is
//! killed by SIGKILL leaves its server running, and a server leads its session.
//!
//! # Thanks
//!
//! The idea comes from [utils/daemon](https://github.com/greenplum-db/gpupgrade) of greenplum-db/gpupgrade (Go,
//! Apache-2.0): `Daemonize` and `ErrSuccessfullyDaemonized` there are [`Ready::notify`] and [`Role::Launcher`] here.
#![deny(missing_docs)]

#[doc(hidden)]
pub mod accounts;
mod backlog;
mod channel;
#[cfg(feature = "clap")]
mod clap;
mod connect;
mod environment;
mod error;
mod family;
#[cfg(feature = "verbs")]
#[doc(hidden)]
pub mod instance;
mod launch;
mod launcher;
mod machine;
mod message;
mod notify_socket;
mod pid_file;
mod private_dir;
mod privileges;
mod process;
#[doc(hidden)]
pub mod safe_open;
mod screen;
mod server;
mod signals;
mod spawn;
mod start;
mod streams;
mod sys;
#[doc(hidden)]
pub mod tree;
#[cfg(feature = "verbs")]
pub mod verbs;
mod watch;

/// What the program `onready` stands on, besides the public items. No promise is made about it: it changes as the
/// program needs it.
#[doc(hidden)]
pub mod engine {
    pub use crate::channel::{Claim, claim, event};
    pub use crate::environment::Environment;
    pub use crate::error::{describe, exit_code, human, signal_name};
    pub use crate::family::Family;
    #[cfg(feature = "verbs")]
    pub use crate::instance::Identity;
    pub use crate::launch::eprintln_quietly;
    pub use crate::machine::{End, Event, Machine, Outcome, Rules, Step};
    pub use crate::message::{Field, LONGEST, parse};
    pub use crate::notify_socket::{NotifySocket, socket_address};
    pub use crate::pid_file::{PidFile, read_pid};
    pub use crate::privileges::Credentials;
    pub use crate::process::{Process, SharedProcess, is_readable, is_writable};
    pub use crate::screen::{columns, printable};
    pub use crate::signals::{ENDING, Signals};
    pub use crate::spawn::Recipe;
    pub use crate::streams::{PATIENCE, Sink, Wipe};
    pub use crate::sys::{CLOSED_ON_EXEC, QUIET, message_socket, nonblocking_socket, pipe};
    pub use crate::sys::{Setup, Spawned, Switch, Target, borrow_fd, claim_fd, clock, close_inherited};
    pub use crate::watch::{Interest, Screen, Source, Stopper, watch};
    pub use crate::{accounts, safe_open, tree};
}

pub use connect::connect_or_start;
pub use error::{NotifyError, StartError};
pub use launch::{Launch, Role, Started};
pub use server::Ready;
pub use start::Start;

/// What passes between a launcher and its server.
#[cfg(doc)]
#[doc = include_str!("../docs/PROTOCOL.md")]
pub mod protocol {}

/// Every trap that was met, and what is done about it.
#[cfg(doc)]
#[doc = include_str!("../docs/GOTCHAS.md")]
pub mod gotchas {}
