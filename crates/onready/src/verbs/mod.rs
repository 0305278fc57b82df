//! Life after the start, by name: what is on record, and the verbs that stand on it.

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
pub use logs::{KEPT, Logs, ROTATE_AT, Show, open_logs, show_logs};
pub(crate) use named::Named;
pub use restart::{RestartError, restart};
pub use schedule::{Schedule, Step};
pub use status::{Listing, Status, list, table};
pub use stop::{StopOutcome, Stopped, UNKNOWN_NAME, stop, stop_claimed};
pub use teller::Teller;
