//! Life after the start, by name: what is on record about a server, and `start`, `stop`, `status`, `restart` and
//! `logs`, with no process of ours that stays. (Feature `verbs`.)
//!
//! A program built with the library gets these subcommands by one line, a field of the type [`Control`]; the program
//! `onready` has the same for servers that know nothing of us. Both keep the same records, so `onready list` shows the
//! servers of both.
//!
//! | verb | exit codes |
//! |---|---|
//! | `start` | 0 ready, or it runs already; 69 another command runs under the name; else as [`StartError::exit_code`](crate::StartError::exit_code) |
//! | `stop` | 0 it does not run now; 4 unknown name; 125 it still runs |
//! | `status` | 0 ready, 1 dead with state left, 3 stopped or never ready, 4 unknown name, 150 starting |
//! | `restart` | as `stop` and `start`; if it cannot be tried, the old one runs on |
//! | `logs` | 0; 4 unknown name |
//!
//! What the verbs do is here for programs of your own too:
//!
//! ```no_run
//! use onready::verbs::{Schedule, Status, state::StateDir, stop};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let state = StateDir::open(None)?;
//! println!("{}", Status::of(&state, "web")?.text());
//! for stopped in stop(&state, &["web".into()], &"INT/2s/TERM/10s/KILL/5s".parse::<Schedule>()?) {
//!     println!("{}", stopped.text());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Which process it is
//!
//! A server is known by boot, pid namespace, pid, start time and, since Linux 6.9, the number of its pidfd; signals go
//! through pidfds alone. So a reused pid is never signalled, and after a reboot, or in another container, everything
//! is "stopped". Its other processes are those that descend from it or are in its process group; what has left both
//! long ago is told by `stop` (if its environment shows whose it is), and not touched.
//!
//! # Logs
//!
//! `stdout.log` and `stderr.log` in [`StateDir::log_dir`](state::StateDir::log_dir), opened to append: they may be
//! truncated at any time. At a start, those larger than 8 MiB ([`ROTATE_AT`]) are put aside, and four of those are kept
//! ([`KEPT`]).
//!
//! # References
//! pidfd_send_signal(2), pid_namespaces(7), flock(2); XDG Base Directory Specification; Linux Standard Base, section
//! 22.2 (exit codes of `status`)

mod control;
mod crew;
mod decide;
mod folder;
mod logs;
mod named;
mod restart;
mod schedule;
pub mod state;
mod status;
mod stop;
mod teller;
mod time;

pub use control::Control;
pub use crew::NamedProcess;
pub use decide::{Decision, Wish, command_text, decide};
pub use logs::{KEPT, Logs, ROTATE_AT, Show, StartMark, open_logs, show_logs};
pub(crate) use named::Named;
pub use restart::{RestartError, restart};
pub use schedule::{Schedule, Step};
pub use status::{Listing, Status, list, table};
pub use stop::{StopOutcome, Stopped, UNKNOWN_NAME, stop, stop_claimed};
pub use teller::Teller;
