//! Start a server in the background and know, the moment the command returns, that it is ready.
#![deny(missing_docs)]

mod backlog;
mod channel;
#[cfg(feature = "clap")]
mod clap;
mod connect;
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
    pub use crate::sys::{Setup, Spawned, Switch, Target, borrow_fd, claim_fd};
    pub use crate::watch::{Interest, Screen, Source, Stopper, watch};
    pub use crate::{safe_open, tree};
}

pub use connect::connect_or_start;
pub use error::{NotifyError, StartError};
pub use launch::{Launch, Role, Started};
pub use server::Ready;
pub use start::Start;
